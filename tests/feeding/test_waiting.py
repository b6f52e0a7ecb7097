"""Waiting for the ledger, and saying how far it is."""

import asyncio
import io
from collections.abc import Sequence

import pytest
from rich.console import Console

from agents.feeding import waiting
from agents.feeding.progress import Bar
from agents.feeding.sending import Range
from agents.feeding.waiting import wait_settled
from schemas.commands import Origin


class Ledger:
    """Settles some more each time it is asked, up to `most`; what it says of the desk is what it was told."""

    def __init__(self, step: int, most: int = 1_000, held: Sequence[Origin] = ()) -> None:
        self._step = step
        self._most = most
        self._done = 0
        self.held = held

    async def settled(self, topic: str, partition: int, first: int, last: int) -> int:
        """So far."""
        assert (topic, partition) == ("t", 0)
        self._done += self._step
        return min(self._done, self._most, last - first + 1)

    async def waiting(self) -> Sequence[Origin]:
        """At the desk."""
        return self.held


class Heard:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.reached: list[int] = []

    def say(self, text: str) -> None:
        """A line."""
        self.said.append(text)

    def begin(self, what: str, total: int) -> None:
        """A bar."""
        self.said.append(f"{what} {total}")

    def reach(self, done: int) -> None:
        """How far."""
        self.reached.append(done)


async def test_it_returns_when_all_is_settled() -> None:
    heard = Heard()
    assert await wait_settled([Range("t", 0, 10, 19)], Ledger(4), heard, every_s=0) == 0
    assert heard.reached == [4, 8, 10]
    assert heard.said == ["settled 10"]


async def test_nothing_sent_is_settled_at_once() -> None:
    assert await wait_settled([], Ledger(0), Heard(), every_s=0) == 0


def at(*offsets: int, topic: str = "t", partition: int = 0) -> list[Origin]:
    return [Origin(topic=topic, partition=partition, offset=offset) for offset in offsets]


async def test_it_returns_when_all_that_is_not_settled_waits_for_its_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "LOOK_AFTER_S", 0.0)
    heard = Heard()
    # Of others' feedback nothing counts: before and behind the range, of another partition, of another topic.
    held = [*at(12, 19), *at(9, 20), *at(13, partition=1), *at(14, topic="u")]
    ledger = Ledger(4, most=8, held=held)
    async with asyncio.timeout(5):
        assert await wait_settled([Range("t", 0, 10, 19)], ledger, heard, every_s=0) == 2
    assert heard.reached[-1] == 8
    (said,) = heard.said[1:]
    assert said.startswith("2 of these records wait for their reports: ")


async def test_what_is_neither_settled_nor_at_the_desk_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "LOOK_AFTER_S", 0.0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await wait_settled([Range("t", 0, 10, 19)], Ledger(4, most=8, held=at(12)), Heard(), every_s=0.01)


async def test_it_says_so_when_nothing_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "WONDER_AFTER_S", 0.0)
    heard = Heard()
    slow = Ledger(1)
    monkeypatch.setattr(slow, "_step", 0)

    def move(text: str) -> None:
        heard.said.append(text)
        monkeypatch.setattr(slow, "_step", 5)

    monkeypatch.setattr(heard, "say", move)
    await wait_settled([Range("t", 0, 0, 4)], slow, heard, every_s=0)
    assert "is `lianqin up` still running?" in heard.said[-1]


def test_off_a_terminal_every_tenth_is_a_line() -> None:
    out = io.StringIO()
    with Bar(Console(file=out, width=80)) as bar:
        bar.say("a [line] of its own")
        bar.begin("sent", 1000)
        for done in range(0, 1001, 50):
            bar.reach(done)
    lines = out.getvalue().splitlines()
    assert lines[0] == "a [line] of its own"
    assert [lines[1], lines[-1], len(lines)] == ["sent: 100 of 1,000", "sent: 1,000 of 1,000", 11]


def test_on_a_terminal_it_is_a_bar() -> None:
    out = io.StringIO()
    with Bar(Console(file=out, width=80, force_terminal=True)) as bar:
        bar.begin("settled", 10)
        bar.reach(5)
    assert "settled" in out.getvalue()
