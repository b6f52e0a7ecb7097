"""A flood of garbage on one topic: it is paused, alarms go on, nothing is lost, and afterwards it goes on by itself."""

import asyncio
import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer
from prometheus_client.parser import text_string_to_metric_families

from tests.chaos.centre import Up
from tests.chaos.kafka import SILENT, Place, place_of
from tests.hostile import wire
from tests.mission import sources
from tests.whole.live import Live

pytestmark = [pytest.mark.connected, pytest.mark.timeout(300)]

GARBAGE = 6_000
AT_ONCE = 500
PARTITIONS = 8
CITIZEN = {"lianqin-source": b"citizenapp"}


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A centre that tries a paused source again soon."""
    folder = tmp_path_factory.mktemp("poison") / "data"
    with Up(folder, "--workers", "1", env={"LIANQIN_INTAKE__COOL_DOWN_S": "0.2"}) as up:
        yield up


@pytest.fixture
def live(centre: Up) -> Iterator[Live]:
    """A live source and subscriber of it."""
    made = Live(centre.bootstrap, centre.run["prefix"])
    yield made
    made.close()


def metric(centre: Up, name: str) -> float:
    """What the worker that runs intake says of citizens' reports."""
    for url in centre.run["metrics"].values():
        with urllib.request.urlopen(url) as page:  # noqa: S310 - our own worker
            for family in text_string_to_metric_families(page.read().decode()):
                for sample in family.samples:
                    if sample.name == name and sample.labels == {"topic": "intake.citizen"}:
                        return sample.value
    return 0.0


def until(true: Callable[[], bool], within_s: float = 120.0) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "never true"
        time.sleep(0.05)


def dead(live: Live) -> int:
    live.read()
    return sum(bool(became.dead) for (topic, _, _), became in live.became.items() if topic.endswith("intake.citizen"))


def fates(live: Live) -> int:
    live.read()
    return sum(bool(became.fate) for (topic, _, _), became in live.became.items() if topic.endswith("intake.citizen"))


def said(centre: Up) -> str:
    return "".join(log.read_text() for log in sorted(Path(centre.folder).glob("logs/*.log")))


def test_a_flood_of_garbage_pauses_its_topic_while_alarms_are_dispatched(centre: Up, live: Live) -> None:
    live.send_all("intake.citizen", [b'{"id": "P-%d", "type":' % number for number in range(GARBAGE)], CITIZEN)
    until(lambda: metric(centre, "lianqin_source_pauses_total") == 1)
    now = int(time.time() * 1000)
    alarm = sources.alarm(now, "POISON-1", BJNR="有人被困电梯")
    (became,) = live.settled(live.send("intake.police", alarm, {"lianqin-source": b"police110"}))
    assert became.fate == "ticketed"
    assert "lianqin.ticket.dispatched.v1" in [headers["ce_type"] for headers, _ in live.facts(became.ticket)]
    # A batch of each partition may be in hand when the first one is judged, and a few were tried since.
    assert dead(live) <= PARTITIONS * AT_ONCE + GARBAGE // 4
    assert "intake.citizen is paused: of its last " in said(centre)


def test_good_records_behind_the_flood_are_all_settled_and_it_goes_on(centre: Up, live: Live) -> None:
    now = int(time.time() * 1000)
    good = [live.send("intake.citizen", sources.citizen(now, f"G{number}"), CITIZEN) for number in range(20)]
    live.send_all("intake.citizen", [sources.citizen(now, f"H{number}") for number in range(1_000)], CITIZEN)
    until(lambda: metric(centre, "lianqin_source_paused") == 0)
    assert all(became.fate for became in live.settled(*good))
    until(lambda: dead(live) == GARBAGE)
    assert "intake.citizen goes on" in said(centre)
    until(lambda: fates(live) == 1_020)


def test_a_record_that_was_packed_to_next_to_nothing_stops_nobody(centre: Up, live: Live) -> None:
    settings = {**SILENT, "message.max.bytes": 100_000_000, "compression.type": "zstd"}
    producer = Producer({**settings, "bootstrap.servers": centre.bootstrap})
    topic = centre.run["prefix"] + "intake.citizen"
    value = b"x" * 20_000_000  # packed it has two thousand bytes, and the broker takes it
    sent: list[Place] = []
    producer.produce(
        topic, value, headers=dict(CITIZEN), partition=3, on_delivery=lambda _, m: sent.append(place_of(m))
    )
    assert producer.flush(60) == 0
    (became,) = live.settled(*sent)
    assert (became.dead, len(became.letter)) == ("too-large", 10_000)
    now = int(time.time() * 1000)
    (next_,) = live.settled(live.send("intake.citizen", sources.citizen(now, "AFTER"), CITIZEN))
    assert next_.fate == "ticketed"


def test_batches_that_a_broker_takes_and_the_client_cannot_read_stop_nobody(centre: Up, live: Live) -> None:
    now, topic = int(time.time() * 1000), centre.run["prefix"] + "intake.citizen"
    strange = wire.in_gbk(wire.built(0, [sources.citizen(now, "GBK")]))
    broken = wire.packed(wire.built(0, [sources.citizen(now, f"REST-{number}") for number in range(2)]), 3, b"rest")
    [first, second] = [asyncio.run(wire.produced(centre.bootstrap, topic, 3, one)) for one in (strange, broken)]
    (told, *lost) = live.settled(*((topic, 3, offset) for offset in (first, second, second + 1)))
    assert told.fate == "ticketed"
    assert [became.dead for became in lost] == ["broken", "broken"]
    (next_,) = live.settled(live.send("intake.citizen", sources.citizen(now, "BEHIND"), CITIZEN))
    assert next_.fate == "ticketed"


def test_the_account_of_all_that_is_whole(centre: Up) -> None:
    answer = centre.ask("audit", "--json")
    assert json.loads(answer.stdout)["ok"] is True, answer.stdout
