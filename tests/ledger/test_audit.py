"""The proof of account on a real broker, and the two commands as programs see them."""

import asyncio
import json
import subprocess
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from agents.errors import UserError
from agents.local.broker import LocalBroker
from agents.logs import Logs
from agents.proof import Proof, prove
from schemas.codec import encode
from schemas.codes import Action
from schemas.commands import Feedback
from schemas.events import TicketUrged, TicketVoided
from schemas.intake import IntakeHeaders
from schemas.state import Held, Waiting, waiting_key
from schemas.topics import DEAD_LETTER, DESK, DESK_STATE, HISTORY, INTAKE, TICKETS, TICKETS_CURRENT
from schemas.views import KEEP_CLOSED_MS
from streams.ledger.access import Client, Embedded
from streams.ledger.agreement import Told
from streams.ledger.front import Front
from streams.ledger.rows import Block, block_of, dead_letter_row, event_row
from streams.ledger.store import insert
from streams.ownership.cluster import Cluster
from tests.facts import BEGIN, HOUR, Made, fact, origin
from tests.ledger.histories import DEAD_LETTERS, Partition, dead_letter, small_history
from tests.ledger.histories import HISTORY as HISTORY_HERE
from tests.ledger.histories import TICKETS as TICKETS_HERE
from tests.views.kit import DEPS, viewed

pytestmark = pytest.mark.connected

PROGRAM = Path(sys.executable).with_name("lianqin")


@dataclass
class District:
    """Topics of its own, and what stands in ClickHouse of them."""

    logs: Logs
    client: Client

    async def send(self, name: str, records: Sequence[tuple[bytes | None, bytes | None, IntakeHeaders]]) -> None:
        """Append records to partition 0 in one transaction: a marker follows."""
        producer = AIOKafkaProducer(bootstrap_servers=self.logs.cluster.bootstrap, transactional_id=uuid.uuid4().hex)
        topic = self.logs.prefix + name
        async with producer, producer.transaction():
            for key, value, headers in records:
                await producer.send(topic, key=key, value=value, partition=0, headers=headers.to_kafka())

    async def reports(self, n: int, source: str = "src") -> None:
        """So many reports of a source on `intake.history`."""
        await self.send(HISTORY, [(b"k", b"v", IntakeHeaders(source=source))] * n)

    async def done(self, group: str, name: str) -> None:
        """Commit a stage's offset at the topic's end."""
        one = TopicPartition(self.logs.prefix + name, 0)
        async with AIOKafkaConsumer(
            bootstrap_servers=self.logs.cluster.bootstrap,
            group_id=self.logs.prefix + group,
            enable_auto_commit=False,  # closing would commit the place that was read before
        ) as consumer:
            consumer.assign([one])
            await consumer.commit({one: (await consumer.end_offsets([one]))[one]})

    def write(self, block: Block) -> None:
        """Put a block into ClickHouse as if it had come from this district's topics."""
        here = {HISTORY_HERE: self.logs.prefix + HISTORY, TICKETS_HERE: self.logs.prefix + TICKETS}
        columns = [[here.get(str(value), value) for value in column] for column in block.columns]
        insert(self.client, replace(block, columns=columns))

    async def view(self, records: Sequence[Made]) -> None:
        """Write the views of some facts to `tickets.current`, as the views stage does."""
        sends = [send for send in viewed(records).sends if send.topic == DEPS.current]
        producer = AIOKafkaProducer(bootstrap_servers=self.logs.cluster.bootstrap, transactional_id=uuid.uuid4().hex)
        topic = self.logs.prefix + TICKETS_CURRENT
        async with producer, producer.transaction():
            for send in sends:
                await producer.send(topic, key=send.key, value=send.value, partition=0, headers=list(send.headers))

    async def prove(self) -> Proof:
        """The proof, without waiting."""
        return await prove(self.logs, self.client, timeout_s=0)


@pytest.fixture
async def district(broker: LocalBroker, client: Client) -> District:
    prefix = f"a{uuid.uuid4().hex[:8]}."
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    names = (*INTAKE, HISTORY, DESK, DESK_STATE, TICKETS, DEAD_LETTER, TICKETS_CURRENT)
    await admin.create_topics([NewTopic(prefix + name, 1, 1) for name in names])
    await admin.close()
    return District(Logs(cluster=Cluster(broker.bootstrap), prefix=prefix), client)


async def settled_district(district: District) -> District:
    """Ten records settled by the small history, at offsets 0 to 9; then a transaction's marker and the feed's."""
    await district.reports(10)
    await district.send(HISTORY, [(None, b"", IntakeHeaders(marker="end"))])
    await district.done("intake", HISTORY)
    district.write(small_history().block())
    await district.view(small_history().records)
    return district


async def test_a_whole_account(district: District) -> None:
    await settled_district(district)
    proof = await district.prove()
    assert proof.ok
    assert {name: (one.received, one.settled, one.missing) for name, one in proof.account.sources.items()} == {
        "src": (10, 10, 0)
    }


async def test_views_and_ledger_tell_the_same(district: District) -> None:
    await settled_district(district)
    agreement = (await district.prove()).agreement
    assert (agreement.views, agreement.ledger) == ({"closed": 3, "open": 1}, {"closed": 3, "open": 1})


async def test_a_ticket_of_which_they_tell_otherwise_is_named(district: District) -> None:
    await settled_district(district)
    log = small_history()
    log.say(fact(TicketVoided), at=BEGIN + 31 * HOUR, ticket="k4")
    log.open("k5", origin(30), at=BEGIN + 31 * HOUR)
    await district.view(log.records)
    proof = await district.prove()
    assert not proof.ok
    assert proof.account.ok
    views, ledger = proof.agreement.differing["k4"]
    assert (views, ledger) == (Told("closed", "opened", "voided", "u1", 4), Told("open", "opened", "running", "u1", 3))
    assert proof.agreement.differing["k5"][1] is None
    assert set(proof.agreement.differing) == {"k4", "k5"}


async def test_what_moves_while_it_is_compared_is_looked_at_again(district: District) -> None:
    await settled_district(district)
    log = small_history()
    log.say(fact(TicketVoided), at=BEGIN + 31 * HOUR, ticket="k4")
    district.write(log.block(len(log.records) - 1))

    async def view_later() -> None:
        await asyncio.sleep(1.0)
        await district.view(log.records)

    later = asyncio.ensure_future(view_later())
    proof = await prove(district.logs, district.client, timeout_s=30)
    await later
    assert proof.ok


async def test_a_view_that_left_is_not_missed(district: District) -> None:
    await settled_district(district)
    log = small_history()
    log.say(fact(TicketUrged, source_id="s9"), at=BEGIN + 2 * HOUR + KEEP_CLOSED_MS, ticket="k4")
    district.write(log.block(len(log.records) - 1))
    assert not (await district.prove()).agreement.ok
    await district.view(log.records)
    agreement = (await district.prove()).agreement
    assert agreement.ok
    assert agreement.views == {"closed": 2, "open": 1}  # k1 was closed two hours after the beginning


async def test_a_record_that_never_arrived_is_named(district: District) -> None:
    await settled_district(district)
    await district.reports(1, source="other")  # offset 13: behind two transactions' markers and the feed's
    await district.done("intake", HISTORY)
    proof = await district.prove()
    assert not proof.ok
    assert [(one.topic, one.offset, one.source) for one in proof.account.missing] == [
        (district.logs.prefix + HISTORY, 13, "other")
    ]
    assert proof.account.sources["other"].missing == 1


async def test_a_record_settled_twice_is_named_with_its_rows(district: District) -> None:
    await settled_district(district)
    again = small_history().records[1]
    district.write(block_of([replace(again, offset=5000, headers=_numbered(again, 99))], event_row))
    proof = await district.prove()
    assert not proof.ok
    (twice,) = proof.account.twice
    assert twice.offset == 0
    assert sorted(row["offset"] for row in twice.rows if isinstance(row["offset"], int)) == [2, 5000]


def _numbered(made: Made, sequence: int) -> list[tuple[str, bytes]]:
    return [(n, b"%010d" % sequence if n == "ce_sequence" else value) for n, value in made.headers]


async def test_what_stands_without_a_record_is_an_error_too(district: District) -> None:
    await settled_district(district)
    district.write(block_of([dead_letter(0, origin(10))], dead_letter_row))  # where the marker is
    proof = await district.prove()
    assert not proof.ok
    assert [(one.offset, one.rows[0]["topic"]) for one in proof.account.unfounded] == [(10, DEAD_LETTERS)]


async def test_a_dead_letter_settles_the_account_of_its_record(district: District) -> None:
    await settled_district(district)
    await district.reports(1)
    await district.done("intake", HISTORY)
    district.write(block_of([dead_letter(0, origin(13))], dead_letter_row))
    proof = await district.prove()
    assert proof.ok
    assert (proof.account.sources["src"].settled, proof.account.sources["src"].dead_letters) == (10, 1)


async def test_what_was_not_done_yet_is_not_a_whole_account(district: District) -> None:
    await settled_district(district)
    await district.send(DESK, [(b"a1", b"command", IntakeHeaders())])
    proof = await district.prove()
    assert proof.account.ok
    assert not proof.ok
    assert list(proof.behind) == ["desk"]


async def test_the_proof_waits_for_what_is_under_way(district: District) -> None:
    await district.reports(1)

    async def settle_later() -> None:
        await asyncio.sleep(1.0)
        log = Partition()
        log.open("k1", origin(0))
        await asyncio.to_thread(district.write, log.block())
        await district.view(log.records)
        await district.done("intake", HISTORY)

    later = asyncio.ensure_future(settle_later())
    # One client serves one thread at a time: until all is done the proof asks Kafka alone.
    proof = await prove(district.logs, district.client, timeout_s=30)
    await later
    assert proof.ok


async def test_feedback_that_waits_for_its_report_is_not_missing(district: District) -> None:
    await settled_district(district)
    await district.reports(1)
    await district.done("intake", HISTORY)
    came = replace(origin(13), topic=district.logs.prefix + HISTORY)
    feedback = Feedback(source="src", action=Action.CLOSED, time=BEGIN, occurred_at=BEGIN, area="a1", origin=came)
    held = Waiting(held=(Held(command="c", until=BEGIN, feedback=feedback),))
    await district.send(DESK_STATE, [(waiting_key("a1", "src", "x"), encode(held), IntakeHeaders())])
    proof = await district.prove()
    assert proof.ok
    assert proof.account.sources["src"].waiting == 1


async def test_topics_that_are_not_there_are_told(broker: LocalBroker, client: Client) -> None:
    with pytest.raises(UserError, match="LIANQIN_KAFKA__PREFIX"):
        await prove(Logs(cluster=Cluster(broker.bootstrap), prefix="nowhere."), client, timeout_s=0)


async def run(command: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    argv = [str(PROGRAM), *command.split(), "--data-dir", str(folder)]
    inherited = {"PATH": str(PROGRAM.parent), "LIANQIN_TEST_RUN": "", **env}
    return await asyncio.to_thread(
        subprocess.run, argv, capture_output=True, text=True, check=False, env=inherited, timeout=90
    )


async def test_audit_and_report_as_programs_see_them(
    district: District, front: Front, embedded: Embedded, tmp_path: Path
) -> None:
    await settled_district(district)
    dsn = f"http://reader:secret@127.0.0.1:{front.port}/{embedded.database}"
    env = {
        "LIANQIN_KAFKA__BOOTSTRAP": district.logs.cluster.bootstrap,
        "LIANQIN_KAFKA__PREFIX": district.logs.prefix,
        "LIANQIN_LEDGER__DSN": dsn,
    }
    whole = await run("audit --json --timeout 0", tmp_path, **env)
    assert whole.returncode == 0, whole.stderr
    told = json.loads(whole.stdout)
    assert (told["ok"], told["missing"], told["twice"]) == (True, [], [])
    assert told["sources"]["src"] == {
        "received": 10, "settled": 10, "dead_letters": 0, "missing": 0, "twice": 0, "waiting": 0,
    }  # fmt: skip

    await district.reports(2)
    await district.done("intake", HISTORY)
    lost = await run("audit --json --timeout 0", tmp_path, **env)
    assert lost.returncode == 1, lost.stderr
    told = json.loads(lost.stdout)
    topic = district.logs.prefix + HISTORY
    assert told["missing"] == [
        {"topic": topic, "partition": 0, "offset": offset, "source": "src"} for offset in (13, 14)
    ]
    shown = await run("audit --timeout 0", tmp_path, **env)
    assert (shown.returncode, f"{topic}-0 at 13" in shown.stdout, "2 missing" in shown.stdout) == (1, True, True)

    page = tmp_path / "out" / "report.html"
    report = await run(f"report --json --html {page}", tmp_path, **env)
    assert report.returncode == 0, report.stderr
    told = json.loads(report.stdout)
    assert (told["reports"], told["tickets"], told["closed"], told["open"]) == (6, 4, 3, 1)
    assert page.read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("command", "env", "line"),
    [
        ("report", {}, "nothing was ever written"),
        ("audit", {}, "no broker's log"),
        ("report", {"LIANQIN_LEDGER__DSN": "nonsense"}, "DSN"),
        ("report", {"LIANQIN_LEDGER__DSN": "http://127.0.0.1:9/x"}, "does not answer"),
        ("audit", {"LIANQIN_KAFKA__BOOTSTRAP": "127.0.0.1:9", "LIANQIN_LEDGER__DSN": "http://127.0.0.1:9"}, "127.0.0"),
    ],
)
async def test_what_a_user_can_put_right_is_one_line(
    tmp_path: Path, command: str, env: dict[str, str], line: str
) -> None:
    ended = await run(command, tmp_path, **env)
    assert ended.returncode == 2
    assert line in ended.stderr
    assert "Traceback" not in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1
