"""What is told of an owner's lag: all that is behind, for whatever reason, and nothing of who is not here any more."""

from collections.abc import Iterable, Mapping

from aiokafka import TopicPartition

from streams.ownership.observe import NoMetrics
from streams.ownership.reader import AlwaysOpen
from streams.ownership.settings import OwnerSettings
from streams.ownership.stage import Input
from streams.ownership.watchdog import Patience, Reasons, Watchdog
from tests.ownership.running import Deaths

ROUTINE, PAUSED, URGENT = (TopicPartition(name, 0) for name in ("routine", "paused", "urgent"))
ENDS = {ROUTINE: 1_000, PAUSED: 200, URGENT: 30}


class Owner:
    """One that does nothing at all."""

    name, began_at, busy_since, batches = "intake partition 0", 0.0, None, 0

    def __init__(self, partition: int = 0) -> None:
        self.partition = partition
        self.is_open = True
        self.inputs = {one: Input(one.topic, 0, first=one is URGENT) for one in ENDS}
        self.positions: dict[TopicPartition, int] = dict.fromkeys(ENDS, 0)

    async def position(self, partition: TopicPartition) -> int | None:
        """Where it reads on."""
        return self.positions[partition]


class Sitters:
    """The owners of the stage."""

    name = "intake"

    def __init__(self, *owners: Owner) -> None:
        self.owners = list(owners)
        self.held = frozenset(owner.partition for owner in owners)


class Consumer:
    """Knows where the inputs end."""

    async def end_offsets(self, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        """The ends."""
        return {one: ENDS[one] for one in partitions}


class Shown(NoMetrics):
    """What stands on the page."""

    def __init__(self) -> None:
        self.lags: dict[int, int] = {}

    def lag(self, stage: str, partition: int, records: int) -> None:
        """It stands there until it is taken away."""
        self.lags[partition] = records

    def no_lag(self, stage: str, partition: int) -> None:
        """Taken away."""
        del self.lags[partition]


class Gate(AlwaysOpen):
    """Opened and closed by hand."""

    is_open = True

    async def open(self, _: int) -> bool:
        """As it stands."""
        return self.is_open


def _watchdog(sitters: Sitters, shown: Shown, gate: Gate, deaths: Deaths, *, progress_s: float = 60.0) -> Watchdog:
    async def told() -> frozenset[int]:
        return sitters.held

    reasons = Reasons(gate=gate, limits=lambda: {PAUSED.topic: 0})
    patience = Patience(progress_s=progress_s)
    settings = OwnerSettings(bootstrap="nowhere")
    return Watchdog(sitters, settings, told, reasons=reasons, metrics=shown, patience=patience, die=deaths)


async def _look(watchdog: Watchdog) -> None:
    await watchdog._check_lag(Consumer())  # noqa: SLF001 - one look, without a broker to connect to


async def test_what_waits_at_the_gate_or_is_paused_is_lag_too() -> None:
    shown, gate = Shown(), Gate()
    watchdog = _watchdog(Sitters(Owner()), shown, gate, Deaths())
    await _look(watchdog)
    assert shown.lags == {0: 1_230}
    gate.is_open = False
    await _look(watchdog)
    assert shown.lags == {0: 1_230}


async def test_an_owner_is_not_ended_for_what_it_has_a_reason_to_leave() -> None:
    owner, gate, deaths = Owner(), Gate(), Deaths()
    owner.positions[URGENT] = ENDS[URGENT]
    gate.is_open = False
    watchdog = _watchdog(Sitters(owner), Shown(), gate, deaths, progress_s=-1.0)
    await _look(watchdog)
    await _look(watchdog)
    assert deaths.told == []
    gate.is_open = True
    await _look(watchdog)
    await _look(watchdog)
    assert [message for _, message in deaths.told] == [
        "intake partition 0 has 1000 offsets to read and did not move for -1 s"
    ]


async def test_nothing_is_told_of_an_owner_that_is_not_here_any_more() -> None:
    shown, sitters = Shown(), Sitters(Owner(0), Owner(1))
    watchdog = _watchdog(sitters, shown, Gate(), Deaths())
    await _look(watchdog)
    assert shown.lags.keys() == {0, 1}
    sitters.owners.pop()
    await _look(watchdog)
    await _look(watchdog)
    assert shown.lags.keys() == {0}
    sitters.owners[0] = Owner(0)
    sitters.owners[0].is_open = False
    await _look(watchdog)
    assert shown.lags == {}
