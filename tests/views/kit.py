"""The views over a log of facts: folded in batches, as the agent does it, without Faust and Kafka."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

from agents.views import ViewsDeps, answer_to
from schemas.views import ASSIGNMENT, CANDIDATE, CURRENT, REMINDED, REPLY, CurrentTicket
from streams.ownership.batch import Answer, Batch, Record, Send
from streams.views.memory import ViewsMemory
from streams.views.take import Derived

DEPS: Final = ViewsDeps(current="c", assignments="a", reminders="m", candidates="d", replies="r")
_CONTRACTS: Final = {"a": ASSIGNMENT, "m": REMINDED, "d": CANDIDATE, "r": REPLY}


class Views:
    """One partition's views, with all that was sent of them; `again` is a restart."""

    def __init__(self) -> None:
        self.memory = ViewsMemory()
        self.sends: list[Send] = []
        self.state: dict[bytes, bytes] = {}

    def batch(self, records: Sequence[Record], deps: ViewsDeps = DEPS) -> Answer:
        """Fold a batch and take it."""
        answer = answer_to(batch_of(records, self.memory), deps)
        answer.take()
        self.sends += answer.sends
        for key, value in answer.state.items():
            if value is None:
                self.state.pop(key, None)
            else:
                self.state[key] = value
        return answer

    def again(self) -> None:
        """What the next owner finds: the changelog's records, and nothing else."""
        self.memory = ViewsMemory()
        for key, value in self.state.items():
            self.memory.fold(key, value)
        self.memory.folded()

    def derived(self) -> list[Derived]:
        """All that was said beside the views, in order."""
        return [read(send) for send in self.sends if send.topic != DEPS.current]

    def current(self) -> dict[str, CurrentTicket]:
        """The newest view of each ticket, as a subscriber has it."""
        newest: dict[str, CurrentTicket] = {}
        for send in self.sends:
            if send.topic == DEPS.current:
                ticket = (send.key or b"").decode()
                if send.value is None:
                    newest.pop(ticket, None)
                else:
                    newest[ticket] = CURRENT.decode(send.value)
        return newest


def batch_of(records: Sequence[Record], memory: ViewsMemory) -> Batch[ViewsMemory]:
    """A batch, as an owner makes it."""
    loop = asyncio.new_event_loop()
    answer: asyncio.Future[Answer] = loop.create_future()
    loop.close()
    return Batch(stage="views", partition=0, records=records, memory=memory, answer=answer)


def read(send: Send) -> Derived:
    """What was sent, read by its contract."""
    value: Derived = _CONTRACTS[send.topic].decode(send.value or b"")  # type: ignore[attr-defined]  # one of four
    return value


def viewed(records: Iterable[Record]) -> Views:
    """All records in one batch."""
    views = Views()
    views.batch(list(records))
    return views
