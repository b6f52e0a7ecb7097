"""The topics, as data: what each holds, its key, how long and how large. `lianqin topics` prints and makes them."""

from dataclasses import dataclass, field
from typing import Final

DAY_MS: Final = 24 * 3600 * 1000
INTAKE_MAX_BYTES: Final = 1_000_000
"""Largest record a source may send. What is made of it stays below `INNER_MAX_BYTES`."""
INNER_MAX_BYTES: Final = 8_000_000
_STAMPED: Final = {"message.timestamp.type": "LogAppendTime"}
"""By the broker, everywhere: retention goes by the stamp, and a worker's clock that stands years behind would have its
facts deleted at once; one an hour ahead would have them refused."""

POLICE: Final = "intake.police"
GRID: Final = "intake.grid"
CITIZEN: Final = "intake.citizen"
HOTLINE: Final = "intake.hotline"
FEEDBACK: Final = "intake.feedback"
URGENT: Final = "intake.urgent"
HISTORY: Final = "intake.history"
DESK: Final = "desk"
DESK_STATE: Final = "desk.state"
TICKETS: Final = "tickets"
DEAD_LETTER: Final = "dead-letter"
TICKETS_CURRENT: Final = "tickets.current"
ASSIGNMENTS: Final = "assignments"
REMINDERS: Final = "reminders"
CANDIDATES: Final = "candidates"
REPLIES: Final = "replies"
VIEWS_STATE: Final = "views.state"

INTAKE: Final = (POLICE, GRID, CITIZEN, HOTLINE, FEEDBACK, URGENT)
"""The intake topics with as many partitions as the desk; `intake.history` has one."""
FIRST: Final = (URGENT, POLICE)
"""Read before the others; an unreadable record on them opens a bare ticket."""
PAUSED: Final = (GRID, CITIZEN, HOTLINE, FEEDBACK)
"""Those whose reading stops while nearly nothing on them can be used."""
VIEWS: Final = (TICKETS_CURRENT, ASSIGNMENTS, REMINDERS, CANDIDATES, REPLIES)
"""What the views stage makes of `tickets`."""
STAGES: Final = ("intake", "desk", "views", "ledger")


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One topic. `partitions` None: as many as the district has (default 8)."""

    name: str
    holds: str
    key: str
    partitions: int | None = None
    config: dict[str, str] = field(default_factory=dict)


def _kept(days: int, max_bytes: int = INNER_MAX_BYTES) -> dict[str, str]:
    return {
        **_STAMPED,
        "cleanup.policy": "delete",
        "retention.ms": str(days * DAY_MS),
        "max.message.bytes": str(max_bytes),
    }


def _intake(name: str, holds: str) -> Topic:
    config = _kept(7, INTAKE_MAX_BYTES)
    return Topic(name=name, holds=holds, key="the source's own id", config=config)


def _newest(delete_after_days: int) -> dict[str, str]:
    """Only the newest record of a key is kept; a tombstone stays so long."""
    return {
        **_STAMPED,
        "cleanup.policy": "compact",
        "segment.bytes": str(64 << 20),
        "min.cleanable.dirty.ratio": "0.1",
        "delete.retention.ms": str(delete_after_days * DAY_MS),
        "max.message.bytes": str(INNER_MAX_BYTES),
    }


def _seats(stage: str) -> Topic:
    return Topic(
        name=f"{stage}.seats",
        holds=f"nothing: whoever is assigned partition p owns partition p of the {stage} stage",
        key="-",
        config={"retention.ms": str(DAY_MS)},
    )


ALL: Final[tuple[Topic, ...]] = (
    _intake(POLICE, "110 alarms, as sent"),
    _intake(GRID, "grid officers' reports, as sent"),
    _intake(CITIZEN, "citizens' reports, as sent"),
    _intake(HOTLINE, "12345 work orders, as sent"),
    _intake(FEEDBACK, "what handlers' platforms send back"),
    _intake(URGENT, "the same, from any source, where it is known to be urgent; read first"),
    Topic(
        name=HISTORY,
        holds="past records of any source, in order of their own time",
        key="the source's own id",
        partitions=1,
        config=_kept(1, INTAKE_MAX_BYTES),
    ),
    Topic(name=DESK, holds="commands, the system's memory", key="area", config=_kept(400)),
    Topic(name=TICKETS, holds="every fact, CloudEvents 1.0 binary", key="ticket", config=_kept(30)),
    Topic(name=DESK_STATE, holds="the desk's changelog, internal", key="state key", config=_newest(1)),
    Topic(name=TICKETS_CURRENT, holds="the newest view of each ticket", key="ticket", config=_newest(7)),
    Topic(name=ASSIGNMENTS, holds="who has to do what, and has it no longer", key="ticket", config=_kept(30)),
    Topic(name=REMINDERS, holds="warnings, cards, urges and alarms, for whom", key="ticket", config=_kept(30)),
    Topic(name=CANDIDATES, holds="tickets that may be one matter, are, or are linked", key="ticket", config=_kept(30)),
    Topic(name=REPLIES, holds="what the reporters' sources are to be told", key="ticket", config=_kept(30)),
    Topic(name=VIEWS_STATE, holds="the views' changelog, internal", key="state key", config=_newest(1)),
    Topic(name=DEAD_LETTER, holds="input that could not be used, raw", key="source topic", config=_kept(30)),
    *(_seats(stage) for stage in STAGES),
)
