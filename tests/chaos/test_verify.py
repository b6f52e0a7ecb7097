"""The reader is no good if it finds nothing: a small right story, and every way in which it may be wrong."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from confluent_kafka import Message

from tests.chaos.faults import ALL, ON_BROKERS, ON_CLICKHOUSE, SESSION_S, SINGLY, Kind, Wanted, plan
from tests.chaos.load import Load, Planted
from tests.chaos.verify import Findings, Inputs, Story, account, compare_rows

AT = 1_772_409_600_000
TIMES = {0: "2026-03-02T00:00:00.000Z", 80: "2026-03-02T00:01:20.000Z", 100: "2026-03-02T00:01:40.000Z"}
RUNS = {
    "limit": "overall",
    "clock": "wall",
    "started_at": AT,
    "length": 100_000,
    "next_at": AT + 80_000,
    "halted": False,
}


@dataclass(slots=True)
class Log:
    """One partition of `tickets`, as it is being written; `spoilt` shifts what the test wants shifted."""

    messages: list[Message] = field(default_factory=list)

    def event(self, kind: str, number: int, data: Mapping[str, Any] | None = None, *, after_s: int = 0) -> None:
        """A fact of the ticket; `after_s` is its time."""
        offset = len(self.messages)
        headers = {
            "ce_id": f"id-{offset}",
            "ce_type": f"lianqin.{kind}.v1",
            "ce_time": TIMES[after_s],
            "ce_subject": "t",
            "ce_sequence": f"{number:010d}",
        }
        self._append(headers, json.dumps(data or {}).encode(), AT + 1000 * after_s + 20)

    def settled(self, number: int, fate: str, offset: int) -> None:
        """What became of the record at this offset of the input."""
        origin = {"topic": "intake.citizen", "partition": 0, "offset": offset}
        said = {"fate": fate, "origin": origin, "source": "rehearsal", "source_id": f"R{offset}"}
        self.event("report.settled", number, said, after_s=100)

    def _append(self, headers: Mapping[str, str], value: bytes, at: int) -> None:
        pairs = [(name, text.encode()) for name, text in headers.items()]
        self.messages.append(
            Message(
                topic="tickets",
                partition=0,
                offset=len(self.messages),
                value=value,
                headers=pairs,  # type: ignore[arg-type]  # bytes are what it gives back
                timestamp=(1, at),
            )
        )


def right() -> Log:
    """A ticket whose limit warns and passes, and two reports settled."""
    log = Log()
    log.event("ticket.opened", 1, {"deadlines": [RUNS]})
    log.event("limit.warned", 2, {"limit": "overall", "next_at": AT + 100_000}, after_s=80)
    log.event("limit.passed", 3, {"limit": "overall", "next_at": AT + 900_000}, after_s=100)
    log.settled(4, "ticketed", 0)
    log.settled(5, "repeat", 1)
    return log


def found(messages: Sequence[Message], planted: Sequence[str] = ("fate:ticketed", "fate:repeat")) -> dict[str, int]:
    """What the reader finds."""
    findings = Findings()
    story = Story(findings)
    for message in messages:
        story.take(message)
    inputs = Inputs({("intake.citizen", 0, offset): plant for offset, plant in enumerate(planted)})
    account(inputs, story, findings)
    story.not_fired(AT + 200_000)
    return dict(findings.counts)


def test_a_right_story_is_whole() -> None:
    assert found(right().messages) == {}


def test_what_was_planted_is_looked_for() -> None:
    assert found(right().messages, ("fate:ticketed", "fate:urged")) == {"fate": 1}
    assert found(right().messages, ("group:a:merged", "group:a:merged")) == {"fate": 1}
    assert found(right().messages, ("fate:ticketed", "dead:broken")) == {"fate": 1}
    assert found(right().messages, ("fate:ticketed", "fate:repeat", "fate:ticketed")) == {"lost": 1}
    assert found(right().messages, ("fate:ticketed",)) == {"unfounded": 1}


def test_a_record_that_the_client_put_down_twice_opens_no_second_ticket() -> None:
    inputs = Inputs()
    for offset in range(2):
        inputs.take(("intake.citizen", 0, offset), {"plant": "fate:ticketed", "number": "7"})
    assert list(inputs.planted.values()) == ["fate:ticketed", "again"]
    assert found(right().messages, ("fate:ticketed", "again")) == {}
    assert found(right().messages, ("again", "fate:repeat")) == {"fate": 1}


def settle_again(log: Log) -> None:
    log.settled(6, "repeat", 1)


def skip_a_number(log: Log) -> None:
    log.event("ticket.amended", 7)


def say_a_number_twice(log: Log) -> None:
    log.event("ticket.amended", 5, after_s=100)


def warn_again(log: Log) -> None:
    log.event("limit.warned", 6, {"limit": "overall", "next_at": AT + 900_000}, after_s=100)


def start_again(log: Log) -> None:
    log.event("ticket.signed", 6, {"deadlines": [RUNS]}, after_s=100)


def forget_the_passing(log: Log) -> None:
    del log.messages[2]


def repeat_an_event(log: Log) -> None:
    log.messages.append(log.messages[-1])


@pytest.mark.parametrize(
    ("spoil", "kinds"),
    [
        (settle_again, {"twice"}),
        (skip_a_number, {"sequence", "time"}),
        (say_a_number_twice, {"sequence"}),
        (warn_again, {"deadline"}),
        (start_again, {"deadline"}),
        (forget_the_passing, {"deadline", "sequence"}),
        (repeat_an_event, {"twice", "sequence"}),
    ],
)
def test_every_way_to_be_wrong_is_found(spoil: Callable[[Log], None], kinds: set[str]) -> None:
    log = right()
    spoil(log)
    assert set(found(log.messages)) == kinds


def test_a_deadline_before_its_time_is_found() -> None:
    log = Log()
    log.event("ticket.opened", 1, {"deadlines": [RUNS | {"next_at": AT}]})
    log.event("limit.warned", 2, {"limit": "overall", "next_at": AT + 100_000}, after_s=0)
    log.event("limit.passed", 3, {"limit": "overall", "next_at": None}, after_s=100)
    assert found(log.messages, ()) == {"deadline": 1}


def test_a_limit_that_was_halted_is_not_waited_for() -> None:
    log = Log()
    log.event("ticket.handled", 1, {"deadlines": [RUNS | {"halted": True}]})
    assert found(log.messages, ()) == {}
    log.event("ticket.reworked", 2, {"deadlines": [RUNS]}, after_s=80)
    assert found(log.messages, ()) == {"deadline": 1}


@pytest.mark.parametrize(
    ("rows", "differences"),
    [
        ([(0, "a"), (1, "b")], 0),
        ([(0, "a")], 2),  # the number, and which
        ([(0, "a"), (1, "b"), (1, "b")], 1),
        ([(0, "a"), (1, "c")], 1),
        ([(0, "a"), (1, "b"), (2, "c")], 2),
    ],
)
def test_clickhouse_is_held_to_every_row(rows: list[tuple[int, str]], differences: int) -> None:
    findings = Findings()
    compare_rows(("tickets", 0), {0: hash(("a",)), 1: hash(("b",))}, rows, findings)
    assert findings.of("clickhouse") == differences


def test_a_load_is_the_same_for_the_same_seed() -> None:
    first, again, other = ([*Load(seed, 500)] for seed in (7, 7, 8))
    assert first == again
    assert first != other
    assert sum(planted.is_report for planted in first) >= 500
    assert {kind(planted) for planted in first} == {"fate", "outcome", "dead", "bare", "group"}


def kind(planted: Planted) -> str:
    return planted.plant.partition(":")[0]


def test_faults_are_spread_over_the_records_and_over_all_victims() -> None:
    wanted = Wanted(kills=9, terms=5, freezes=2, together=3, on_brokers=3, on_clickhouse=4)
    faults = plan(7, 10_000, wanted)
    assert [fault.at for fault in faults] == sorted({fault.at for fault in faults})
    assert faults[-1].at < 10_000
    others: list[Kind] = [*ON_BROKERS, *ON_CLICKHOUSE]
    counts = {"kill": 10, "term": 6, "freeze": 3} | dict.fromkeys(others, 1)
    assert Counter(fault.kind for fault in faults) == counts
    assert all(fault.hold_s > SESSION_S for fault in faults if fault.kind == "freeze")
    for kind in ("kill", "term"):
        assert {fault.victim for fault in faults if fault.kind == kind} == {*SINGLY, ALL}
