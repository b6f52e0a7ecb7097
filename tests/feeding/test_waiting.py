"""Waiting for the ledger, and saying how far it is."""

import io

import pytest
from rich.console import Console

from agents.feeding import waiting
from agents.feeding.progress import Bar
from agents.feeding.sending import Range
from agents.feeding.waiting import wait_settled


class Ledger:
    """Settles some more each time it is asked."""

    def __init__(self, step: int) -> None:
        self._step = step
        self._done = 0

    async def settled(self, topic: str, partition: int, first: int, last: int) -> int:
        """So far."""
        assert (topic, partition) == ("t", 0)
        self._done += self._step
        return min(self._done, last - first + 1)


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
    assert await wait_settled([Range("t", 0, 10, 19)], Ledger(4), heard, every_s=0) == 10
    assert heard.reached == [4, 8, 10]
    assert heard.said == ["settled 10"]


async def test_nothing_sent_is_settled_at_once() -> None:
    assert await wait_settled([], Ledger(0), Heard(), every_s=0) == 0


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
