"""Who may do what on Kafka, as data: the roles, what each may read and write, and the rights that follow. Pure.

`lianqin topics --acls` prints the rights; `tests/security/` holds a broker to them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from schemas.topics import (
    ALL,
    DEAD_LETTER,
    DESK,
    DESK_STATE,
    HISTORY,
    INTAKE,
    TICKETS,
    TICKETS_CURRENT,
    URGENT,
    VIEWS,
    VIEWS_STATE,
)


class Operation(StrEnum):
    """Kafka's own words. Who may read or write may describe."""

    READ = "Read"
    WRITE = "Write"
    DESCRIBE = "Describe"
    CREATE = "Create"
    DELETE = "Delete"
    ALTER = "Alter"
    DESCRIBE_CONFIGS = "DescribeConfigs"
    ALTER_CONFIGS = "AlterConfigs"


class Resource(StrEnum):
    """What a right is about."""

    TOPIC = "topic"
    GROUP = "group"
    TRANSACTION = "transactionalId"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """One thing that may be done. `prefixed`: to all whose name begins so."""

    resource: Resource
    name: str
    operations: tuple[Operation, ...]
    prefixed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """One kind of user. Names of topics and groups are without the district's prefix."""

    name: str
    does: str
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    commits: tuple[str, ...] = ()
    """Groups in which it reads, or whose offsets it writes."""
    asks: tuple[str, ...] = ()
    """Groups whose offsets it looks at."""
    transaction: str | None = None
    """Its transactional id; with a dash at its end, what all of them begin with."""
    own_groups: bool = False
    """It reads in groups of its own, whose names begin with its own and a dot."""
    manages: bool = False
    """It makes topics and gives rights; it reads and writes nothing."""


def _stage(name: str, does: str, *, reads: Sequence[str], writes: Sequence[str], asks: Sequence[str] = ()) -> Role:
    """A worker of one stage: it sits in the stage's group, and commits in its name."""
    return Role(
        name=name,
        does=does,
        reads=(*reads, f"{name}.seats"),
        writes=tuple(writes),
        commits=(name, f"{name}.seats"),
        asks=tuple(asks),
        transaction=f"{name}-" if writes else None,
    )


def _source(topic: str) -> Role:
    name = topic.removeprefix("intake.")
    return Role(
        name=f"source-{name}",
        does=f"sends to {topic}, and to {URGENT} what is known to be urgent",
        writes=(topic, URGENT),
    )


def _subscriber(topic: str) -> Role:
    return Role(
        name=f"subscriber-{topic.replace('.', '-')}",
        does=f"reads {topic}, in groups that begin with its own name and a dot",
        reads=(topic,),
        own_groups=True,
    )


PUBLIC: Final = (TICKETS, *VIEWS)
"""What subscribers may read. No name and no number of a person stands there."""

ROLES: Final[tuple[Role, ...]] = (
    _stage(
        "intake",
        "the intake stage; reads `desk` to hold itself to its clock, and how far the desk is",
        reads=(*INTAKE, HISTORY, DESK),
        writes=(DESK, DEAD_LETTER),
        asks=("desk",),
    ),
    _stage(
        "desk",
        "the desk stage, and its ticker",
        reads=(DESK, DESK_STATE),
        writes=(DESK, DESK_STATE, TICKETS, DEAD_LETTER),
    ),
    _stage("views", "the views stage", reads=(TICKETS, VIEWS_STATE), writes=(*VIEWS, VIEWS_STATE)),
    _stage("ledger", "the ledger stage, which writes to ClickHouse alone", reads=(TICKETS, DEAD_LETTER), writes=()),
    Role(
        name="operator",
        does="publishes a district's rules",
        reads=(DESK,),
        writes=(DESK,),
        asks=("desk",),
        transaction="desk.policy",
    ),
    *(_source(topic) for topic in INTAKE if topic != URGENT),
    Role(
        name="historian",
        does="feeds past data and simulations, and looks how far they are and which feedback waits for its report",
        reads=(HISTORY, DESK_STATE),
        writes=(HISTORY,),
        asks=("intake",),
    ),
    *(_subscriber(topic) for topic in PUBLIC),
    Role(
        name="auditor",
        does="the proof of account: counts what the sources sent, and so can read it",
        reads=(*INTAKE, HISTORY, DESK, DESK_STATE, TICKETS, TICKETS_CURRENT, DEAD_LETTER),
        asks=("intake", "desk", "views", "ledger"),
    ),
    Role(name="admin", does="makes topics and users, gives rights; reads and writes no record", manages=True),
)

_MANAGES: Final = (
    Operation.CREATE,
    Operation.DELETE,
    Operation.DESCRIBE,
    Operation.ALTER,
    Operation.DESCRIBE_CONFIGS,
    Operation.ALTER_CONFIGS,
)


def user_of(role: Role, prefix: str) -> str:
    """The user's name: the district's prefix, with dashes, and the role's."""
    return f"{prefix.replace('.', '-')}{role.name}"


def rights_of(role: Role, prefix: str) -> list[Right]:
    """All that a role may do, in the order of the topic list."""
    return [*_topics(role, prefix), *_groups(role, prefix), *_others(role, prefix)]


def _topics(role: Role, prefix: str) -> list[Right]:
    found = []
    for topic in ALL:
        may = [
            operation
            for operation, names in ((Operation.READ, role.reads), (Operation.WRITE, role.writes))
            if topic.name in names
        ]
        if may:
            found.append(Right(resource=Resource.TOPIC, name=prefix + topic.name, operations=tuple(may)))
    return found


def _groups(role: Role, prefix: str) -> list[Right]:
    def right(name: str, operation: Operation, *, prefixed: bool = False) -> Right:
        return Right(resource=Resource.GROUP, name=name, operations=(operation,), prefixed=prefixed)

    own = [right(f"{user_of(role, prefix)}.", Operation.READ, prefixed=True)] if role.own_groups else []
    committed = [right(prefix + name, Operation.READ) for name in role.commits]
    return [*own, *committed, *(right(prefix + name, Operation.DESCRIBE) for name in role.asks)]


def _others(role: Role, prefix: str) -> list[Right]:
    found = []
    if role.transaction is not None:
        found.append(
            Right(
                resource=Resource.TRANSACTION,
                name=prefix + role.transaction,
                operations=(Operation.WRITE,),
                prefixed=role.transaction.endswith("-"),
            )
        )
    if role.manages:
        found += [
            Right(resource=Resource.TOPIC, name=prefix, operations=_MANAGES, prefixed=True),
            Right(resource=Resource.CLUSTER, name="kafka-cluster", operations=(Operation.ALTER, Operation.DESCRIBE)),
        ]
    return found
