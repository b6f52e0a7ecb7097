"""What the group says about this worker, asked from outside: the worker's own client may have stopped noticing."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.errors import for_code

from streams.ownership import clients
from streams.ownership.settings import OwnerSettings

Told = Callable[[], Awaitable["frozenset[int] | None"]]
"""What the group gives to this worker; None when it does not know it. `Membership.seats` is one."""


class Membership:
    """One member of one group, known by its client id (unique to this process)."""

    def __init__(self, settings: OwnerSettings, *, group: str, client_id: str, topic: str) -> None:
        self._settings = settings
        self._group = group
        self._client_id = client_id
        self._topic = topic
        self._admin: Any = None
        self._starting = asyncio.Lock()

    async def seats(self) -> frozenset[int] | None:
        """The partitions of the topic that the group gives to this worker; None if it does not know it.

        Raises what the broker says, or that it is away. During a rebalance the last answer's members have no seats.
        """
        async with self._starting:
            if self._admin is None:
                admin = clients.make_admin(self._settings)
                await admin.start()
                self._admin = admin
        answers = await self._admin.describe_consumer_groups([self._group])
        members = [member for answer in answers for group in answer.groups for member in _members(group)]
        mine = [member[4] for member in members if member[1] == self._client_id]
        return self._partitions(mine[0]) if mine else None

    def _partitions(self, written: bytes) -> frozenset[int]:
        if not written:
            return frozenset()
        assignment = ConsumerProtocolMemberAssignment.decode(written).assignment
        return frozenset(number for topic, numbers in assignment for number in numbers if topic == self._topic)

    async def close(self) -> None:
        """Let go of the connection."""
        await clients.stop(self._admin)
        self._admin = None


def _members(group: Sequence[Any]) -> Sequence[Any]:
    """Of one group's answer: error, name, state, kind, protocol, members. aiokafka looks at none of the errors.

    A coordinator that still loads, or has moved, names no members: that does not say that this worker is none.
    """
    code, name, *_ = group
    if code:
        msg = f"group {name} is not described"
        raise for_code(code)(msg)
    members: Sequence[Any] = group[5]
    return members
