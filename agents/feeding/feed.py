"""Feeding one file from end to end: refuse, resume, send, wait."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from agents.feeding.errors import FeedRefused
from agents.feeding.plan import Plan, plan
from agents.feeding.ports import Progress, Settled
from agents.feeding.reading import Lines, read_file
from agents.feeding.sending import Range, Sending, producer, send_history, send_live
from agents.feeding.tail import Tail, read_tail
from agents.feeding.there import rows_there
from agents.feeding.waiting import wait_settled
from schemas.codes import Clock
from schemas.mapping import SourceMapping
from schemas.topics import HISTORY
from streams.intake.sources import Sources
from streams.ownership.cluster import Cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a file is fed to. `group` is the intake stage's consumer group, which remembers log time."""

    cluster: Cluster
    prefix: str
    clock: Clock
    group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fed:
    """What became of a file: all offsets it took, those of earlier runs included."""

    reports: int
    closings: int
    feedback: int = 0
    sent: int
    """By this run."""
    ranges: Sequence[Range]
    held: int = 0
    """Of all these offsets: so many are no more than with the desk, which waits for the reports they are about."""


class Feed:
    """One file for one centre."""

    def __init__(self, mapping: SourceMapping, lines: Lines, target: Target, progress: Progress) -> None:
        self._mapping = mapping
        self._lines = lines
        self._target = target
        self._progress = progress
        self._speed: float | None = None

    async def send(self, speed: float | None = None) -> Fed:
        """Send what is not in the log yet; `FeedRefused` before anything is sent."""
        self._speed = speed
        return await (self._history() if self._target.clock is Clock.LOG else self._live())

    async def _history(self) -> Fed:
        target, print_ = self._target, self._lines.fingerprint
        tail = await read_tail(target.cluster, target.prefix + HISTORY, target.group)
        made = self._plan(tail.time or 0)
        done = tail.sent(print_)
        self._check_time(made, tail)
        first = tail.first(print_)
        if done == len(made.items) and tail.marker:
            self._progress.say(f"all {done:,} records of this file are in the log already")
            last = tail.end - 2
        else:
            if done:
                self._progress.say(f"{done:,} of {len(made.items):,} records are in the log: going on after them")
            last = await self._send_history(made, done)
        ranges = [Range(target.prefix + HISTORY, 0, first, last)] if last >= first else []
        return _fed(made, len(made.items) - done, ranges)

    async def _send_history(self, made: Plan, done: int) -> int:
        self._progress.begin("sent", len(made.items))
        async with producer(self._target.cluster) as sender:
            return await send_history(sender, self._target.prefix, self._sending(made, done), self._progress)

    async def _live(self) -> Fed:
        target, made = self._target, self._plan(0)
        sending = self._sending(made, 0)
        topics = {target.prefix + sending.live_topic(item) for item in made.items}
        there = await rows_there(target.cluster, topics, sending.fingerprint, self._progress)
        left = len(made.items) - len(there)
        if there:
            self._say_there(len(there), left)
        self._progress.begin("sent", len(made.items))
        async with producer(target.cluster) as sender:
            ranges = await send_live(sender, target.prefix, replace(sending, there=there), self._progress)
        return _fed(made, left, ranges)

    def _say_there(self, there: int, left: int) -> None:
        if left:
            self._progress.say(f"{there:,} of {there + left:,} records are in the log: going on with the others")
        else:
            self._progress.say(f"all {there:,} records of this file are in the log already")

    def _plan(self, floor: int) -> Plan:
        # Neither key nor places matter here: only ids and times are read.
        sources = Sources([self._mapping], key=b"-", catch_all="-")
        return plan(sources.by_name[self._mapping.name], self._lines.lines, floor)

    def _sending(self, made: Plan, start: int) -> Sending:
        return Sending(
            source=self._mapping.name,
            version=self._mapping.versions[0],
            topic=f"intake.{self._mapping.topic}",
            fingerprint=self._lines.fingerprint,
            items=made.items,
            start=start,
            speed=self._speed,
        )

    def _check_time(self, made: Plan, tail: Tail) -> None:
        if tail.sent(self._lines.fingerprint) or tail.time is None or made.items[0].time >= tail.time:
            return
        msg = (
            f"the file begins on {_day(made.items[0].time)}, the log is at {_day(tail.time)} already: history goes in "
            "the order of its time. Feed the older file first, on another --data-dir; nothing was sent"
        )
        raise FeedRefused(msg)


def source_of(name: str, sources: Mapping[str, SourceMapping]) -> SourceMapping:
    """The source of that name; `FeedRefused` with those there are."""
    mapping = sources.get(name)
    if mapping is None:
        msg = f"no source is called {name!r}: take one of {', '.join(sorted(sources))}, or write a mapping file"
        raise FeedRefused(msg)
    return mapping


def prepare(name: str, file: Path, sources: Mapping[str, SourceMapping], target: Target, progress: Progress) -> Feed:
    """Check all that can be checked without a broker; `FeedRefused` where the file is not to be fed."""
    mapping = source_of(name, sources)
    if mapping.past and target.clock is Clock.WALL:
        msg = (
            f"{name} is past data and this log runs on the wall clock: "
            "start `lianqin up --clock log` with another --data-dir"
        )
        raise FeedRefused(msg)
    return Feed(mapping, read_file(file, mapping), target, progress)


async def feed(prepared: Feed, ledger: Settled | None, progress: Progress, speed: float | None = None) -> Fed:
    """Send a prepared file and, with a ledger, wait until it is settled in ClickHouse, but for what the desk holds."""
    fed = await prepared.send(speed)
    if ledger is None:
        return fed
    return replace(fed, held=await wait_settled(fed.ranges, ledger, progress))


def _fed(made: Plan, sent: int, ranges: Sequence[Range]) -> Fed:
    return Fed(reports=made.reports, closings=made.closings, feedback=made.feedback, sent=sent, ranges=ranges)


def _day(time: int) -> str:
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
