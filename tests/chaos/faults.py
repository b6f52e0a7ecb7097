"""What is done to the workers, when, and how long it was felt: a plan by seed, carried out while records flow."""

import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from tests.chaos.centre import Up, send_signal
from tests.chaos.kafka import Ends, Partition
from tests.chaos.sending import Sent

Kind = Literal["kill", "freeze"]
WORKERS: Final = ("worker-1", "worker-2")
LEDGER: Final = "ledger"
BROKER: Final = "broker"
SESSION_S: Final = 6.0
"""How long a member may be silent before the group gives its seats away."""
THERE_WITHIN_S: Final = 60.0
AGAIN_WITHIN_S: Final = 60.0
LOOK_EVERY_S: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One blow. `rushed`: it follows while the one before is still felt."""

    at: int
    """So many records are sent by then."""
    kind: Kind
    victim: str
    hold_s: float = 0.0
    rushed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How many faults of each kind."""

    kills: int
    freezes: int
    broker_kills: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.kills + self.freezes + self.broker_kills


def plan(seed: int, records: int, wanted: Wanted) -> list[Fault]:
    """The faults of a run, spread over the records."""
    draw = random.Random(f"faults-{seed}")
    kill: tuple[Kind, str] = ("kill", "")
    freeze: tuple[Kind, str] = ("freeze", "")
    broker: tuple[Kind, str] = ("kill", BROKER)
    blows = [kill] * wanted.kills + [freeze] * wanted.freezes + [broker] * wanted.broker_kills
    draw.shuffle(blows)
    step = records / (len(blows) + 1)
    return [_fault(draw, blow, round(step * (number + draw.uniform(0.6, 1.2)))) for number, blow in enumerate(blows)]


def _fault(draw: random.Random, blow: tuple[Kind, str], at: int) -> Fault:
    kind, victim = blow
    drawn = LEDGER if draw.random() < 0.2 else draw.choice(WORKERS)
    hold_s = draw.uniform(SESSION_S + 1.5, SESSION_S + 6) if kind == "freeze" else 0.0
    return Fault(at=at, kind=kind, victim=victim or drawn, hold_s=hold_s, rushed=draw.random() < 0.2)


@dataclass(slots=True)
class Felt:
    """What was done, and how long no output came on some partition after it."""

    struck: Counter[str] = field(default_factory=Counter)
    """By `kill`, `freeze`, `broker`."""
    silent_s: list[tuple[str, float]] = field(default_factory=list)
    """After each fault that was waited for: what it was, and seconds until every partition moved again."""
    after_the_flow: int = 0
    """Faults that struck when all was sent already."""

    def worst(self, kind: Kind) -> str:
        """The longest silence after faults of this kind on workers."""
        felt = [s for what, s in self.silent_s if what.startswith(kind) and what.split()[1] in WORKERS]
        return f"{max(felt):.1f} s ({kind})" if felt else f"- ({kind})"


class Striker:
    """Carries a plan out against one `up`, in step with the sending."""

    def __init__(self, up: Up, output: Ends, sent: Sent, tell: Callable[[str], None]) -> None:
        self._up = up
        self._output = output
        self._sent = sent
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
        pid = self._pid(fault.victim)
        self._tell(f"{self._sent.records:,} records sent: {fault.kind} {fault.victim} ({pid})")
        before, struck_at = self._output.now(), time.monotonic()
        send_signal(pid, signal.SIGKILL if fault.kind == "kill" else signal.SIGSTOP)
        try:
            if not rushed:
                self._wait_for_output(fault, before)
        finally:
            if fault.kind == "freeze":
                time.sleep(max(0.0, struck_at + fault.hold_s - time.monotonic()))
                send_signal(pid, signal.SIGCONT)
        self.felt.struck[BROKER if fault.victim == BROKER else fault.kind] += 1

    def _pid(self, name: str) -> int:
        """The victim; one that is between two lives is waited for."""
        until = time.monotonic() + THERE_WITHIN_S
        while (pid := self._up.child(name)) is None:
            if time.monotonic() > until:
                msg = f"{name} was not started again within {THERE_WITHIN_S:.0f} s"
                raise TimeoutError(msg)
            time.sleep(LOOK_EVERY_S)
        return pid

    def _wait_for_output(self, fault: Fault, before: Mapping[Partition, int]) -> None:
        """Note how long it takes until something new can be read from every partition."""
        since = time.monotonic()
        while any(end <= before[one] for one, end in self._output.now().items()):
            if time.monotonic() - since > AGAIN_WITHIN_S:
                msg = f"no output on some partition for {AGAIN_WITHIN_S:.0f} s after {fault.kind} {fault.victim}"
                raise TimeoutError(msg)
            time.sleep(LOOK_EVERY_S)
        silent_s = time.monotonic() - since
        self.felt.silent_s.append((f"{fault.kind} {fault.victim}", silent_s))
        self._tell(f"output on every partition again after {silent_s:.1f} s")
