"""The local broker, run for real: what it keeps over stops and kills, and how it refuses."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from agents.local import probe
from agents.local.broker import BrokerOptions, LocalBroker
from agents.local.errors import BrokerError

pytestmark = pytest.mark.connected


def make_topic(bootstrap: str, name: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for done in admin.create_topics([NewTopic(name, 1, 1)]).values():
        done.result(20)


def write(bootstrap: str, topic: str, value: bytes) -> None:
    producer = Producer({"bootstrap.servers": bootstrap})
    producer.produce(topic, value)
    assert producer.flush(20) == 0


def read(bootstrap: str, topic: str, count: int) -> list[bytes]:
    reader = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": f"read-{time.monotonic_ns()}", "auto.offset.reset": "earliest"}
    )
    try:
        reader.subscribe([topic])
        return [message.value() or b"" for message in reader.consume(count, timeout=20)]
    finally:
        reader.close()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[LocalBroker]:
    """A broker of the test's own, to be stopped and killed."""
    with LocalBroker(tmp_path / "kafka") as running:
        yield running


def test_shared_broker_takes_and_gives(broker: LocalBroker) -> None:
    make_topic(broker.bootstrap, "takes-and-gives")
    write(broker.bootstrap, "takes-and-gives", b"a report")
    assert read(broker.bootstrap, "takes-and-gives", 1) == [b"a report"]


def test_records_outlive_stop_and_kill_on_the_same_port(own: LocalBroker) -> None:
    bootstrap = own.bootstrap
    make_topic(bootstrap, "kept")
    write(bootstrap, "kept", b"before the stop")
    own.stop()
    assert own.pid is None
    own.start()
    write(bootstrap, "kept", b"before the kill")
    own.kill()
    own.start()
    assert own.bootstrap == bootstrap
    assert read(bootstrap, "kept", 2) == [b"before the stop", b"before the kill"]
    # What was decided and not yet marked when it was killed would be lost: see fencing.py.
    assert "Fencing broker 1" in own.log.with_name("fencing.log").read_text()


def test_folder_moves_to_another_port_when_its_own_is_taken(own: LocalBroker) -> None:
    make_topic(own.bootstrap, "moved")
    write(own.bootstrap, "moved", b"a report")
    own.stop()
    former = own.bootstrap
    with socket.create_server(("127.0.0.1", int(former.split(":")[1]))):
        own.start()
        assert own.bootstrap != former
        assert read(own.bootstrap, "moved", 1) == [b"a report"]


def test_broker_killed_by_others_is_noticed_and_started_again(own: LocalBroker) -> None:
    assert own.pid
    os.kill(own.pid, signal.SIGKILL)
    while own.running:
        time.sleep(0.01)
    own.start()
    assert probe.serving_cluster(int(own.bootstrap.split(":")[1]))


def test_frozen_broker_is_stopped_all_the_same(tmp_path: Path) -> None:
    frozen = LocalBroker(tmp_path, BrokerOptions(stop_within_s=0.5))
    frozen.start()
    assert frozen.pid
    os.kill(frozen.pid, signal.SIGSTOP)
    frozen.stop()
    assert not frozen.running


def test_broker_dies_with_its_program(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys, time; from agents.local.broker import LocalBroker\n"
        "broker = LocalBroker(pathlib.Path(sys.argv[1])); broker.start()\n"
        "print(broker.pid, flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "kafka")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}/exe").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not Path(f"/proc/{pid}/exe").exists()


def test_second_broker_on_a_folder_in_use_is_refused(own: LocalBroker, tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match="another broker runs on"):
        LocalBroker(tmp_path / "kafka").start()
    assert own.running
    assert probe.serving_cluster(int(own.bootstrap.split(":")[1])), "the first one is not disturbed"


def test_port_that_is_taken_is_refused(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(BrokerError, match="is taken: stop what listens there"),
    ):
        LocalBroker(tmp_path, BrokerOptions(port=taken.getsockname()[1])).start()


def test_port_that_is_asked_for_is_taken(tmp_path: Path) -> None:
    port = probe.free_port()
    with LocalBroker(tmp_path, BrokerOptions(port=port)) as running:
        assert running.bootstrap == f"127.0.0.1:{port}"


def test_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BrokerError, match=r"\(Not a directory\): make it writable"):
        LocalBroker(tmp_path / "file" / "kafka").start()


def test_missing_java_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BrokerError, match="Java is missing: run `make setup`"):
        LocalBroker(tmp_path / "kafka").start()


def test_missing_jars_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIANQIN_KAFKA_LIBS", str(tmp_path))
    with pytest.raises(BrokerError, match=r"jars are missing from .*: run `make setup`"):
        LocalBroker(tmp_path / "kafka").start()


def test_damaged_folder_says_what_the_broker_said(own: LocalBroker, tmp_path: Path) -> None:
    own.stop()
    (tmp_path / "kafka" / "data" / "meta.properties").write_text("version=1\ncluster.id=x\nnode.id=9\n")
    with pytest.raises(BrokerError, match=r"the broker ended while starting: .*node"):
        own.start()


def test_half_made_folder_is_made_again(tmp_path: Path) -> None:
    half = tmp_path / "kafka" / "data.new"
    half.mkdir(parents=True)
    (half / "meta.properties").write_text("version=1\n")
    with LocalBroker(tmp_path / "kafka") as running:
        assert running.running
    assert not half.exists()


@pytest.mark.parametrize("locale", ["C.UTF-8", "C"])
def test_folder_may_have_chinese_in_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locale: str) -> None:
    monkeypatch.setenv("LC_ALL", locale)
    LocalBroker(tmp_path / "联勤 𠀀数据" / "kafka").prepare()
    assert (tmp_path / "联勤 𠀀数据" / "kafka" / "data" / "meta.properties").exists()
    assert len(list(tmp_path.iterdir())) == 1, "nothing beside it"
