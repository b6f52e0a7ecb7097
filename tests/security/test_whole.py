"""The whole over TLS, each part as a user of its own; what it says names no password, and nobody else can knock."""

import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from confluent_kafka import Consumer, Producer

from agents.local import children
from agents.local.probe import free_port
from agents.readiness import wait_open
from schemas.roles import ROLES, user_of
from schemas.topics import STAGES
from streams.metrics import LEDGER_ROWS
from tests.chaos.centre import PROGRAM, Up, children_of, lianqin
from tests.chaos.kafka import Reader, headers_of
from tests.security.kafka import WITHIN_S, SecureKafka
from tests.security.listening import listening
from tests.whole.boston import Boston
from tests.whole.live import REHEARSAL, line

pytestmark = [pytest.mark.connected, pytest.mark.timeout(240)]

CITY: Final = "city."
REPORTS: Final = 20


@dataclass(frozen=True, slots=True)
class Machine:
    """One worker a stage, each with the password of its own user in a file."""

    kafka: SecureKafka
    folder: Path
    workers: Mapping[str, subprocess.Popen[bytes]]
    ports: Mapping[str, int]

    def env(self, role: str) -> dict[str, str]:
        """The environment of a program in this role."""
        return environment(self.kafka, self.folder, role)

    def ask(self, role: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in this role."""
        return lianqin(*command, "--data-dir", str(self.folder / "data"), env=self.env(role))


def environment(kafka: SecureKafka, folder: Path, role: str) -> dict[str, str]:
    """All but the password, which stands in a file as a container's secrets do."""
    user = f"city-{role}"
    told = kafka.env(user, PREFIX=CITY, PARTITIONS="2")
    secret = "LIANQIN_KAFKA__SECURITY__PASSWORD"  # noqa: S105 - its name
    files = folder / "secrets" / role
    files.mkdir(parents=True, exist_ok=True)
    (files / secret).write_text(told.pop(secret) + "\n")
    (files / "LIANQIN_PRIVACY_KEY").write_text("the same on all machines")
    return {**os.environ, **told, "LIANQIN_SECRETS_DIR": str(files)}


@pytest.fixture(scope="module")
def machine(kafka: SecureKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """The topics by the admin, a worker a stage, the rules by the operator."""
    kafka.know({user_of(role, CITY): [role] for role in ROLES}, CITY)
    folder = tmp_path_factory.mktemp("city")
    workers: dict[str, subprocess.Popen[bytes]] = {}
    made = Machine(kafka, folder, workers, {stage: free_port() for stage in STAGES})
    answer = made.ask("admin", "topics", "--create")
    assert answer.returncode == 0, answer.stderr
    with ExitStack() as stack:
        for stage in STAGES:
            command = [str(PROGRAM), "worker", "--stages", stage, "--name", stage, "--data-dir", str(folder / "data")]
            own = {**made.env(stage), "LIANQIN_METRICS__PORT": str(made.ports[stage])}
            workers[stage] = children.spawn(command, log=folder / f"{stage}.log", env=own)
            stack.callback(children.stop, workers[stage], within_s=20)
        answer = made.ask("operator", "policy", "publish")
        assert answer.returncode == 0, (answer.stderr, *(log.read_text() for log in folder.glob("*.log")))
        yield made


@pytest.fixture(scope="module")
def settled(machine: Machine) -> int:
    """So many reports of a source were settled, as a subscriber sees it."""
    source = Producer(machine.kafka.client("city-source-citizen"))
    for number in range(REPORTS):
        value = line(lat=f"{32 + number / 100:.5f}")
        source.produce(f"{CITY}intake.citizen", value, headers=dict(REHEARSAL))
    assert source.flush(WITHIN_S) == 0
    user = "city-subscriber-tickets"
    more = {"group.id": f"{user}.board", "auto.offset.reset": "earliest", "isolation.level": "read_committed"}
    subscriber = Consumer(machine.kafka.client(user, **more))
    subscriber.subscribe([f"{CITY}tickets"])
    count, until = 0, time.monotonic() + 60
    while count < REPORTS and time.monotonic() < until:
        told = [headers_of(message) for message in subscriber.consume(100, timeout=0.5) if message.error() is None]
        count += sum(headers["ce_type"] == "lianqin.report.settled.v1" for headers in told)
    subscriber.close()
    return count


async def test_each_stage_does_its_work_as_a_user_of_its_own(machine: Machine, settled: int) -> None:
    assert settled == REPORTS
    await wait_open([f"http://127.0.0.1:{port}/metrics" for port in machine.ports.values()], 2, within_s=60)
    assert {stage: worker.poll() for stage, worker in machine.workers.items()} == dict.fromkeys(STAGES)


def test_nothing_listens_but_the_metrics_and_on_this_machine_alone(machine: Machine, settled: int) -> None:
    found = {stage: listening(worker.pid) for stage, worker in machine.workers.items()}
    assert found == {stage: {("127.0.0.1", port)} for stage, port in machine.ports.items()}


def test_no_password_is_told(machine: Machine, settled: int) -> None:
    secrets = [password.encode() for password in machine.kafka.passwords.values()]
    said = [file for file in machine.folder.rglob("*") if file.is_file() and "secrets" not in file.parts]
    assert {f"{stage}.log" for stage in STAGES} <= {file.name for file in said}
    pages = [urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read() for port in machine.ports.values()]
    lines = [Path(f"/proc/{worker.pid}/cmdline").read_bytes() for worker in machine.workers.values()]
    for text in (*(file.read_bytes() for file in said), *pages, *lines):
        assert not [secret for secret in secrets if secret in text]


def test_the_auditor_finds_the_account_whole(machine: Machine, settled: int) -> None:
    reader = Reader(machine.kafka.broker.bootstrap, [f"{CITY}tickets", f"{CITY}dead-letter"])
    said, until = len(list(reader.new())), time.monotonic() + 60
    reader.close()
    while rows_written(machine) < said:
        assert time.monotonic() < until, f"{rows_written(machine):.0f} of {said} rows"
        time.sleep(0.1)
    codes = {stage: children.stop(worker, within_s=20) for stage, worker in machine.workers.items()}
    assert codes == dict.fromkeys(STAGES, 0)
    answer = machine.ask("auditor", "audit", "--json")
    account = json.loads(answer.stdout)
    assert account["ok"] is True
    assert account["sources"]["rehearsal"]["settled"] == REPORTS


def rows_written(machine: Machine) -> float:
    """How many rows the ledger says that ClickHouse has acknowledged."""
    page = urllib.request.urlopen(f"http://127.0.0.1:{machine.ports['ledger']}/metrics").read().decode()
    return sum(float(line.split()[1]) for line in page.splitlines() if line.startswith(LEDGER_ROWS.name))


def test_what_a_role_may_not_is_refused_in_one_line(machine: Machine) -> None:
    answer = machine.ask("views", "policy", "publish")
    assert answer.returncode == 2
    (told,) = answer.stderr.splitlines()
    assert "lianqin topics --acls" in told


def test_a_centre_of_ones_own_is_fed_and_audited_by_others(kafka: SecureKafka, tmp_path: Path) -> None:
    town = {"PREFIX": "town.", "PARTITIONS": "2"}
    runs = [role for role in ROLES if role.name in {*STAGES, "operator", "admin"}]
    others = {user_of(role, "town."): [role] for role in ROLES if role.name in {"historian", "auditor"}}
    kafka.know({"town-centre": runs, **others}, "town.")
    file = Boston(tmp_path).file(60)
    with Up(tmp_path / "data", "--clock", "log", "--workers", "1", env=kafka.env("town-centre", **town)) as up:
        fed, audited = (
            lianqin(*command, "--data-dir", str(up.folder), env={**os.environ, **kafka.env(user, **town)})
            for user, command in (
                ("town-historian", ("feed", "boston311", str(file.path))),
                ("town-auditor", ("audit", "--json")),
            )
        )
        assert fed.returncode == 0, fed.stderr
        assert json.loads(audited.stdout)["ok"] is True
        ports = {port for child in children_of(up.process.pid) for _, port in listening(child)}
        hosts = {host for child in children_of(up.process.pid) for host, _ in listening(child)}
        assert hosts == {"127.0.0.1"}
        assert len(ports) == 3  # the metrics of two workers, and ClickHouse's front
        text = b"".join(one.read_bytes() for one in (up.log, *(up.folder / "logs").iterdir(), up.folder / "run.json"))
    assert not [user for user, password in kafka.passwords.items() if password.encode() in text]
