"""The delay of a report over a whole run at one pace: how it is spread, minute by minute and hop by hop."""

import time
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Final

import orjson
from confluent_kafka import Message

from schemas.envelope import parse_time
from schemas.topics import CITIZEN, TICKETS
from tests.bench.logs import Row
from tests.bench.paced import Subscriber, send
from tests.bench.path import PREFIX
from tests.bench.stand import Stand, Tell

_OPENED: Final = b"lianqin.ticket.opened.v1"
_WARM_S: Final = 5
"""Seconds that are sent first and not counted: connections are made, caches filled."""
_STILL_S: Final = 10.0
_LOOK_EVERY_S: Final = 0.2
_MINUTE: Final = 60.0
_STEPS: Final = 10
"""Bars of the histogram from one delay to the one ten times as long."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Milliseconds."""

    count: int
    p50_ms: float
    p99_ms: float
    max_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What came of one pace."""

    per_second: int
    sent: int
    """Repeats, urges and merges too, which open no ticket and do not count."""
    whole: Spread
    minutes: tuple[Spread, ...]
    """By when the report was appended; a minute that was hardly begun counts with the one before."""
    hops: dict[str, Spread]
    """The same delays in parts, each with its own median: they add up but roughly."""
    delays_ms: tuple[float, ...]

    @property
    def grew_by(self) -> float:
        """The last minute's median as a multiple of the first one's."""
        return self.minutes[-1].p50_ms / max(self.minutes[0].p50_ms, 0.1)

    def histogram(self) -> tuple[list[float], list[int]]:
        """Edges in milliseconds, each a tenth of a decade above the last, and how many delays lie between them."""
        edges = [round(10 ** (number / _STEPS), 2) for number in range(5 * _STEPS + 1)]
        counts = [0] * (len(edges) - 1)
        for delay in self.delays_ms:
            counts[min(max(bisect_right(edges, delay) - 1, 0), len(counts) - 1)] += 1
        return edges, counts


class Opened:
    """Names the ticket of an opening, and notes when the desk's log and `tickets` had it: seconds since the epoch."""

    def __init__(self) -> None:
        self.at: dict[str, tuple[float, float]] = {}

    def __call__(self, message: Message) -> str | None:
        """The ticket's report by the source's own id; none where the record opens no ticket."""
        headers = dict(message.headers() or ())
        if headers["ce_type"] != _OPENED:
            return None
        name = str(orjson.loads(message.value() or b"")["source_id"])
        decided = parse_time(_text(headers["ce_time"]))
        self.at.setdefault(name, (decided / 1000, message.timestamp()[1] / 1000))
        return name


def _text(header: str | bytes | None) -> str:
    return header.decode() if isinstance(header, bytes) else header or ""


def measured(stand: Stand, rows: Sequence[Row], per_second: int, tell: Tell) -> Pace:
    """Send the rows at an even pace while workers run."""
    opened, warm, topic = Opened(), _WARM_S * per_second, PREFIX + CITIZEN
    subscriber = Subscriber(stand.bootstrap, PREFIX + TICKETS, opened)
    try:
        send(stand.bootstrap, topic, rows[:warm], per_second, tell)
        subscriber.wait_quiet()
        appended = send(stand.bootstrap, topic, rows[warm:], per_second, lambda done: tell(warm + done))
        _wait_for_the_last(subscriber)
    finally:
        subscriber.stop()
    return pace(per_second, appended, opened.at, subscriber.seen)


def _wait_for_the_last(subscriber: Subscriber) -> None:
    """Return when no ticket has come for long: a busy machine stands still for seconds, and is not done."""
    count, since = -1, time.monotonic()
    while time.monotonic() - since < _STILL_S:
        if len(subscriber.seen) != count:
            count, since = len(subscriber.seen), time.monotonic()
        time.sleep(_LOOK_EVERY_S)


def count_of(per_second: int, minutes: float) -> int:
    """How many rows that takes."""
    return int(per_second * (_WARM_S + minutes * _MINUTE))


def pace(
    per_second: int,
    appended: Mapping[str, float],
    opened: Mapping[str, tuple[float, float]],
    seen: Mapping[str, float],
) -> Pace:
    """Of what was appended and then seen; all times in seconds since the epoch, by the source's own id."""
    kept = sorted((at, key) for key, at in appended.items() if key in seen)
    delays = [round((seen[key] - at) * 1000, 3) for at, key in kept]  # what is finer is the clock's
    return Pace(
        per_second=per_second,
        sent=len(appended),
        whole=_spread(delays),
        minutes=tuple(_by_minute([at for at, _ in kept], delays)),
        hops={
            "append to the desk's log": _spread((opened[key][0] - at) * 1000 for at, key in kept),
            "desk's log to tickets": _spread((opened[key][1] - opened[key][0]) * 1000 for _, key in kept),
            "tickets to its reader": _spread((seen[key] - opened[key][1]) * 1000 for _, key in kept),
        },
        delays_ms=tuple(delays),
    )


def _by_minute(times: Sequence[float], delays: Sequence[float]) -> Iterable[Spread]:
    whole = max(1, round((times[-1] - times[0]) / _MINUTE))
    minutes: list[list[float]] = [[] for _ in range(whole)]
    for at, delay in zip(times, delays, strict=True):
        minutes[min(int((at - times[0]) / _MINUTE), whole - 1)].append(delay)
    return [_spread(minute) for minute in minutes if len(minute) > 1]


def _spread(delays: Iterable[float]) -> Spread:
    ordered = sorted(delays)
    p99 = quantiles(ordered, n=100)[98]
    return Spread(len(ordered), round(median(ordered), 1), round(p99, 1), round(ordered[-1], 1))
