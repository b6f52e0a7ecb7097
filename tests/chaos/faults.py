"""What is done to a running centre, and when: a plan by seed, carried out while records flow."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Final, Literal, Protocol

from tests.chaos.kafka import Ends, Partition
from tests.chaos.sending import Sent
from tests.chaos.silence import Silence

OnWorkers = Literal["kill", "term", "freeze"]
OnBrokers = Literal["broker", "controller", "brokers"]
OnClickHouse = Literal["away", "slow", "failing", "cut"]
Kind = OnWorkers | OnBrokers | OnClickHouse | Literal["full"]
"""`full`: no byte is left on the disk of the data folder."""
ON_WORKERS: Final[tuple[OnWorkers, ...]] = ("kill", "term", "freeze")
ON_BROKERS: Final[tuple[OnBrokers, ...]] = ("broker", "controller", "brokers")
"""One broker killed, the one that leads the controllers, all at once."""
ON_CLICKHOUSE: Final[tuple[OnClickHouse, ...]] = ("away", "failing", "cut", "slow")
"""Killed and not there; every third insert refused; cut off after every second insert was done; each answer late."""
SINGLY: Final = ("worker-1", "intake", "desk", "views", "ledger")
"""`worker-1` runs intake, desk and views, the others one stage each."""
ALL: Final = "all"
SESSION_S: Final = 6.0
"""How long a member may be silent before the group gives its seats away."""
AGAIN_WITHIN_S: Final = 120.0
LOOK_EVERY_S: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One blow. `rushed`: it follows while the one before is still felt."""

    at: int
    """So many records are sent by then."""
    kind: Kind
    victim: str = ""
    """One of `SINGLY`, or `ALL`; of brokers and ClickHouse the kind says enough."""
    hold_s: float = 0.0
    """Then it is lifted: thawed, started again, well again."""
    rushed: bool = False

    @property
    def words(self) -> str:
        """For people."""
        return f"{self.kind} {self.victim}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How many faults of each sort."""

    kills: int = 0
    terms: int = 0
    freezes: int = 0
    together: int = 0
    """All workers at once: killed, told to end, frozen in turn."""
    on_brokers: int = 0
    on_clickhouse: int = 0
    full: int = 0
    away_s: float = 10.0
    """How long ClickHouse is away, about."""

    @property
    def total(self) -> int:
        """All of them."""
        on_workers = self.kills + self.terms + self.freezes + self.together
        return on_workers + self.on_brokers + self.on_clickhouse + self.full


def plan(seed: int, records: int, wanted: Wanted) -> list[Fault]:
    """The faults of a run, spread over the records."""
    draw = random.Random(f"faults-{seed}")
    blows = list(_blows(draw, wanted))
    draw.shuffle(blows)
    step = records / (len(blows) + 1)
    return [
        Fault(
            at=round(step * (number + draw.uniform(0.6, 1.2))),
            kind=kind,
            victim=victim,
            hold_s=_hold_s(draw, kind, wanted.away_s),
            rushed=kind in {"kill", "term"} and draw.random() < 0.2,
        )
        for number, (kind, victim) in enumerate(blows)
    ]


def _blows(draw: random.Random, wanted: Wanted) -> Iterator[tuple[Kind, str]]:
    """Each sort goes round its victims, so that a few faults strike different ones."""
    singly: tuple[tuple[OnWorkers, int], ...] = (
        ("kill", wanted.kills),
        ("term", wanted.terms),
        ("freeze", wanted.freezes),
    )
    victims = cycle(draw.sample(SINGLY, len(SINGLY)))
    for kind, count in singly:
        yield from ((kind, next(victims)) for _ in range(count))
    yield from ((kind, ALL) for kind in islice(cycle(ON_WORKERS), wanted.together))
    yield from ((kind, "") for kind in islice(cycle(ON_BROKERS), wanted.on_brokers))
    yield from ((kind, "") for kind in islice(cycle(ON_CLICKHOUSE), wanted.on_clickhouse))
    for _ in range(wanted.full):
        yield "full", ""


def _hold_s(draw: random.Random, kind: Kind, away_s: float) -> float:
    if kind == "freeze":
        return draw.uniform(SESSION_S + 1.5, SESSION_S + 6)
    if kind in ON_BROKERS or kind == "full":
        return draw.uniform(2, 6)
    if kind in ON_CLICKHOUSE:
        return away_s * draw.uniform(0.7, 1.3)
    return 0.0


@dataclass(slots=True)
class Felt:
    """What was done."""

    struck: Counter[str] = field(default_factory=Counter)
    """By kind."""
    after_the_flow: int = 0
    """Faults that struck when all was sent already."""


class Hands(Protocol):
    """Carries a single fault out."""

    def strike(self, kind: Kind, victim: str) -> Callable[[], None]:
        """Do it; what is returned lifts it again."""
        ...


class Striker:
    """Carries a plan out, in step with the sending."""

    def __init__(self, hands: Hands, output: Ends, sent: Sent, silence: Silence, tell: Callable[[str], None]) -> None:
        self._hands = hands
        self._output = output
        self._sent = sent
        self._silence = silence
        self._tell = tell
        self.felt = Felt()

    def carry_out(self, faults: list[Fault], alive: Callable[[], bool]) -> None:
        """Strike each when its time has come; the sending never runs ahead by more than one fault."""
        for fault, following in zip(faults, [*faults[1:], None], strict=True):
            # Beyond its own mark, so that records flow while the fault is felt; short of the next one's.
            self._sent.open_to(following.at if following else None)
            while self._sent.records < fault.at and alive():
                time.sleep(LOOK_EVERY_S / 5)
            self.felt.after_the_flow += not alive()
            self._strike(fault, rushed=following is not None and following.rushed)

    def _strike(self, fault: Fault, *, rushed: bool) -> None:
        """`rushed`: the next one does not wait until this one is over."""
        before = self._output.now()
        self._silence.after = f"{fault.words} at {fault.at:,} records"
        self._tell(f"{self._sent.records:,} records sent: {fault.words}")
        struck_at = time.monotonic()
        lift = self._hands.strike(fault.kind, fault.victim)
        try:
            time.sleep(max(0.0, struck_at + fault.hold_s - time.monotonic()))
        finally:
            lift()
        self.felt.struck[fault.kind] += 1
        if not rushed:
            self._wait_for_output(fault, before, struck_at)

    def _wait_for_output(self, fault: Fault, before: Mapping[Partition, int], struck_at: float) -> None:
        """Until something new can be read from every partition."""
        since = time.monotonic()
        while silent := [f"{one[0]}-{one[1]}" for one, end in self._output.now().items() if end <= before[one]]:
            if time.monotonic() - since > AGAIN_WITHIN_S:
                msg = f"no output on {', '.join(silent)} for {AGAIN_WITHIN_S:.0f} s after {fault.words}"
                raise TimeoutError(msg)
            time.sleep(LOOK_EVERY_S)
        self._tell(f"lifted and output on every partition {time.monotonic() - struck_at:.1f} s after {fault.words}")
