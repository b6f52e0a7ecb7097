"""The rights of all roles, written for who gives them: as `kafka-acls` commands, or as data."""

import shlex
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final

from schemas.roles import ROLES, Resource, Right, Role, rights_of, user_of

PROGRAM: Final = "kafka-acls.sh --bootstrap-server $BOOTSTRAP --command-config $ADMIN --add"
"""Both variables are the caller's: the brokers, and the file with the admin's own way in."""
_OPTION: Final = {Resource.TRANSACTION: "--transactional-id", Resource.TOPIC: "--topic", Resource.GROUP: "--group"}


def commands(prefix: str, roles: Iterable[Role] = ROLES) -> Iterator[str]:
    """Lines for a shell, a comment for each role; rights of one kind are one command."""
    for role in roles:
        yield f"# {role.name}: {role.does}"
        # The rights of one kind do not all stand together: a stage reads, writes, and reads again.
        rights = sorted(rights_of(role, prefix), key=_kind)
        for _, alike in groupby(rights, key=_kind):
            yield _command(user_of(role, prefix), list(alike))


def document(prefix: str, roles: Iterable[Role] = ROLES) -> list[dict[str, object]]:
    """For programs: one entry a role."""
    return [
        {
            "role": role.name,
            "user": user_of(role, prefix),
            "does": role.does,
            "rights": [
                {
                    "resource": right.resource.value,
                    "name": right.name,
                    "pattern": "prefix" if right.prefixed else "literal",
                    "operations": [operation.value for operation in right.operations],
                }
                for right in rights_of(role, prefix)
            ],
        }
        for role in roles
    ]


def _kind(right: Right) -> tuple[str, bool, tuple[str, ...]]:
    return right.resource.value, right.prefixed, tuple(operation.value for operation in right.operations)


def _command(user: str, alike: list[Right]) -> str:
    first = alike[0]
    words = [f"--allow-principal {shlex.quote(f'User:{user}')}"]
    words += [f"--operation {operation.value}" for operation in first.operations]
    if first.resource is Resource.CLUSTER:
        words.append("--cluster")
    else:
        words += [f"{_OPTION[first.resource]} {shlex.quote(right.name)}" for right in alike]
        words.append(f"--resource-pattern-type {'prefixed' if first.prefixed else 'literal'}")
    return " ".join([PROGRAM, *words])
