"""Whole workers, as processes: killed, frozen, told to end, cut off from broker and group."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agents.local.broker import LocalBroker
from streams.ownership.ending import Code
from streams.ownership.faults import Point
from tests.ownership.kafka import Kafka, numbers, payloads
from tests.ownership.running import REPOSITORY, check_whole, said, until, working
from tests.ownership.worker import Job

pytestmark = [pytest.mark.connected, pytest.mark.timeout(180)]

VALUES = [b"v%d" % number for number in range(200)]


def _job(kafka: Kafka, folder: Path, **changed: object) -> Job:
    return Job(bootstrap=kafka.bootstrap, prefix=kafka.prefix, datadir=str(folder), **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize("point", list(Point))
async def test_a_batch_is_redone_whole_after_a_kill_between_any_two_steps(
    kafka: Kafka, tmp_path: Path, point: Point
) -> None:
    await kafka.make()
    await kafka.feed(VALUES)
    with working(_job(kafka, tmp_path, kill_at=point, batch_records=50)) as struck:
        assert await struck.ended(60) == -signal.SIGKILL
    with working(_job(kafka, tmp_path, batch_records=50)):
        # Until the killed one's session ends, the group waits for it.
        check_whole(await said(kafka, len(VALUES)), VALUES)
    assert await kafka.committed("count") == len(VALUES)


async def test_a_frozen_owner_is_fenced_and_its_process_goes_on(kafka: Kafka, tmp_path: Path) -> None:
    await kafka.make()
    with working(_job(kafka, tmp_path)) as frozen:
        await kafka.feed(VALUES)
        await said(kafka, len(VALUES))
        frozen.process.send_signal(signal.SIGSTOP)
        with working(_job(kafka, tmp_path)) as other:
            await kafka.feed(VALUES)
            await said(kafka, 2 * len(VALUES))
            assert other.said("count [0]")
            # It wakes with the next batch on its way to it, and its group gone on without it.
            frozen.process.send_signal(signal.SIGCONT)
            await kafka.feed(VALUES)
            check_whole(await said(kafka, 3 * len(VALUES)), VALUES * 3)
            await until(lambda: frozen.said("count []") or frozen.out.read_text().count("count [0]") == 2)
            assert frozen.process.poll() is None
            other.process.kill()
            await kafka.feed(VALUES)
            check_whole(await said(kafka, 4 * len(VALUES)), VALUES * 4)


async def test_two_stages_in_one_process_share_seats_with_a_second_one(kafka: Kafka, tmp_path: Path) -> None:
    await kafka.make(2, relayed={})
    slow = _job(kafka, tmp_path, partitions=2, relay=True, slow_s=0.6, batch_records=50)
    with working(slow) as first:
        await until(lambda: first.said("count [0, 1]") and first.said("relay [0, 1]"))
        await kafka.feed(VALUES)
        await until(lambda: first.said("batch"))
        # Now, before its first commit, it has to hand over: what stock Faust fetched is lost then.
        with working(_job(kafka, tmp_path, partitions=2, relay=True)) as second:
            await kafka.feed(VALUES, partition=1)
            await until(lambda: second.said("count [") and second.said("relay ["))
            first.process.terminate()
            assert await first.ended(12) == 0
            for partition in (0, 1):
                await kafka.feed(VALUES, partition=partition)

            async def all_relayed() -> bool:
                return all([len(await kafka.read("relayed", one)) >= 2 * len(VALUES) for one in (0, 1)])

            await until(all_relayed)
    for partition in (0, 1):
        check_whole(await kafka.read("relayed", partition), VALUES * 2)


async def test_sigterm_finishes_the_batch_in_hand(kafka: Kafka, tmp_path: Path) -> None:
    await kafka.make()
    with working(_job(kafka, tmp_path, slow_s=1.5, batch_records=50)) as worker:
        await until(lambda: worker.said("count [0]"))
        await kafka.feed(VALUES)
        await until(lambda: worker.said("batch"))
        worker.process.terminate()
        assert await worker.ended(12) == 0
        read = await kafka.read()
        batches = worker.out.read_text().count("batch")
    assert len(read) == await kafka.committed("count") > 0
    assert batches == 1
    check_whole(read, VALUES[: len(read)])


async def test_sigterm_ends_in_time_with_the_broker_away(tmp_path: Path) -> None:
    with LocalBroker(tmp_path / "kafka") as broker:
        idle, busy = Kafka(broker.bootstrap), Kafka(broker.bootstrap)
        await asyncio.gather(idle.make(), busy.make())
        idle_job = _job(idle, tmp_path, close_within_s=3.0)
        busy_job = _job(busy, tmp_path, slow_s=1.5, close_within_s=3.0)
        with working(idle_job) as one, working(busy_job) as other:
            await until(lambda: one.said("open count 0") and other.said("open count 0"))
            await busy.feed(VALUES)
            await until(lambda: other.said("batch"))
            await asyncio.to_thread(broker.kill)
            one.process.terminate()
            other.process.terminate()
            # Nothing was in hand: what can't be done is only to leave. With a batch in hand it is a failure.
            assert (await one.ended(12), await other.ended(12)) == (0, Code.FAILED)
            assert other.errors.read_text().splitlines()[-1].startswith(("count partition 0", "not ended"))
        await asyncio.to_thread(broker.start)
        with working(_job(busy, tmp_path)):
            check_whole(await said(busy, len(VALUES)), VALUES)


async def test_a_worker_that_lost_its_group_ends(kafka: Kafka, tmp_path: Path) -> None:
    await kafka.make()
    with working(_job(kafka, tmp_path, deaf=True, group_patience_s=2.0)) as deaf:
        assert await deaf.ended(60) == Code.FAILED
        assert "the group does not know this worker, which holds [0]" in deaf.errors.read_text()


async def test_an_agent_that_raises_ends_the_process_and_loses_nothing(kafka: Kafka, tmp_path: Path) -> None:
    await kafka.make()
    await kafka.feed([b"ok1", b"boom", b"ok2"], keys=1)
    with working(_job(kafka, tmp_path, raise_on="boom", batch_records=1)) as worker:
        assert await worker.ended(60) == Code.FAILED
        last = worker.errors.read_text().splitlines()[-1]
    assert last == "count partition 0 ends the process: ValueError: boom"
    assert payloads(await kafka.read()) == [b"ok1"]
    with working(_job(kafka, tmp_path)):
        read = await said(kafka, 3)
    assert (payloads(read), numbers(read)) == ([b"ok1", b"boom", b"ok2"], {b"k0": [1, 2, 3]})


async def test_stock_faust_loses_what_its_agent_raises_on(kafka: Kafka, tmp_path: Path) -> None:
    """Why owners exist: Faust acknowledges in `finally`. If this fails one day, Faust has changed."""
    await kafka.make()
    await kafka.feed([b"ok1", b"boom", b"ok2"], keys=1)
    run = await asyncio.to_thread(_stock, kafka, tmp_path)
    assert run.split() == ["ok1", "raising", "ok2"]
    # The next worker starts behind it: nobody will ever see `boom` again.
    assert await kafka.committed("stock") == 3


def _stock(kafka: Kafka, folder: Path) -> str:
    settings = {"bootstrap": kafka.bootstrap, "prefix": kafka.prefix, "datadir": str(folder)}
    command = [sys.executable, "-m", "tests.ownership.stock", json.dumps(settings)]
    with (folder / "stock.err").open("ab") as errors:
        done = subprocess.run(
            command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=errors, timeout=30, check=True, env=dict(os.environ)
        )
    return done.stdout.decode()


async def test_a_refused_open_ends_the_process_with_one_line(kafka: Kafka, tmp_path: Path) -> None:
    await kafka.make()
    await kafka.feed(VALUES)
    await kafka.cut("in", 5)
    with working(_job(kafka, tmp_path)) as worker:
        assert await worker.ended(60) == Code.REFUSED
        told = worker.errors.read_text()
    assert told.startswith("count partition 0 does not open (range)")
    assert told.count("\n") == 1
