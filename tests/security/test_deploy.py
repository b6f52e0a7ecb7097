"""The examples for production say what the topic list, the roles and the settings say."""

import inspect
import os
import shutil
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

import pytest
import yaml

from agents.leasing import OneWorker
from agents.local.broker import BrokerOptions
from agents.local.brokerfile import SETTINGS
from agents.settings import KafkaSettings, Settings
from agents.strimzi import written
from schemas.roles import ROLES, user_of
from schemas.topics import STAGES

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
PREFIX: Final = "lianqin."
PASSWORD: Final = "LIANQIN_KAFKA__SECURITY__PASSWORD"  # noqa: S105 - its name
USER: Final = "LIANQIN_KAFKA__SECURITY__USER"
COMPOSE: Final[dict[str, Any]] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
OURS: Final = {name: one for name, one in COMPOSE["services"].items() if one["image"].startswith("lianqin:")}


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / "k8s" / name).read_text()))


def of_kind(name: str, kind: str) -> Iterator[dict[str, Any]]:
    return (one for one in documents(name) if one["kind"] == kind)


def chosen(monkeypatch: pytest.MonkeyPatch, folder: Path, env: Mapping[str, str], files: list[str]) -> Settings:
    """The settings that a container reads; each secret is a file of that name."""
    for name in [name for name in os.environ if name.startswith("LIANQIN_")]:
        monkeypatch.delenv(name)
    for name, value in env.items():
        assert isinstance(value, str), f"{name} is no text: quote it"
        monkeypatch.setenv(name, value)
    for name in files:
        (folder / name).write_text("not so secret here")
    monkeypatch.setenv("LIANQIN_SECRETS_DIR", str(folder))
    found = Settings()
    assert found.kafka.security.protocol == "SASL_SSL"
    assert found.kafka.security.ca_file is not None
    assert found.kafka.security.user in {user_of(role, PREFIX) for role in ROLES}
    assert (found.privacy_key is not None) is ("LIANQIN_PRIVACY_KEY" in files)
    return found


def test_strimzis_resources_are_made_of_topics_and_roles() -> None:
    text = (DEPLOY / "k8s" / "kafka-resources.yaml").read_text()
    own = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
    # Else: LIANQIN_KAFKA__REPLICATION=3 lianqin topics --strimzi, below the two lines of comment.
    assert own == written(KafkaSettings(replication=3))


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_in_kubernetes_is_a_user_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stage: str
) -> None:
    (shared,) = of_kind("workers.yaml", "ConfigMap")
    (deployment,) = (
        one for one in of_kind("workers.yaml", "Deployment") if one["metadata"]["name"] == f"lianqin-{stage}"
    )
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["args"] == ["worker", "--stages", stage]
    (projected,) = (one["projected"]["sources"] for one in pod["volumes"] if "projected" in one)
    files = {item["path"]: source["secret"]["name"] for source in projected for item in source["secret"]["items"]}
    assert files[PASSWORD] == f"lianqin-{stage}"
    env = shared["data"] | {one["name"]: one["value"] for one in container["env"]}
    found = chosen(monkeypatch, tmp_path, env, list(files))
    assert found.kafka.security.user == f"lianqin-{stage}"
    assert ("LIANQIN_PRIVACY_KEY" in files) is (stage == "intake")
    assert (found.ledger.password is not None) is (stage == "ledger")
    users = {one["metadata"]["name"] for one in of_kind("kafka-resources.yaml", "KafkaUser")}
    assert f"lianqin-{stage}" in users


def test_kubernetes_has_nothing_else() -> None:
    kinds = [one["kind"] for name in ("kafka.yaml", "workers.yaml") for one in documents(name)]
    assert sorted(kinds) == ["ConfigMap", *["Deployment"] * 4, "Kafka", "KafkaNodePool", "NetworkPolicy"]
    (kafka,) = of_kind("kafka.yaml", "Kafka")
    (listener,) = kafka["spec"]["kafka"]["listeners"]
    assert listener["tls"] is True
    assert listener["authentication"] == {"type": "scram-sha-512"}
    assert kafka["spec"]["kafka"]["authorization"] == {"type": "simple"}
    own = {name: str(value).lower() for name, value in kafka["spec"]["kafka"]["config"].items()}
    assert_as_the_local_broker(own, besides={"min.insync.replicas", "default.replication.factor"})


def assert_as_the_local_broker(own: Mapping[str, str], besides: set[str]) -> None:
    """What may be set about groups and transactions is as the tests run it; copies are not."""
    for name, value in own.items():
        if name not in besides and "replication" not in name and ".isr" not in name:
            assert SETTINGS[name] == value, name


@pytest.mark.parametrize("service", OURS)
def test_a_container_is_a_user_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, service: str) -> None:
    one = OURS[service]
    assert one["read_only"] is True
    if service == "rights":
        assert "environment" not in one
        return
    targets = {s["target"]: s["source"] for s in one["secrets"] if isinstance(s, dict)}
    found = chosen(monkeypatch, tmp_path, one["environment"], list(targets))
    user = {"topics": "lianqin-admin", "rules": "lianqin-operator"}.get(service, f"lianqin-{service}")
    assert found.kafka.security.user == user
    assert targets[PASSWORD] == user
    assert ("LIANQIN_PRIVACY_KEY" in targets) is (service == "intake")
    assert set(targets.values()) <= set(COMPOSE["secrets"])


def test_the_containers_stages_are_all_there_are() -> None:
    assert set(OURS) == {*STAGES, "topics", "rules", "rights"}
    assert [OURS[stage]["command"] for stage in STAGES] == [["worker", "--stages", stage] for stage in STAGES]
    users = {name for name in COMPOSE["secrets"] if name.startswith("lianqin-")}
    assert users <= {user_of(role, PREFIX) for role in ROLES}


def test_nobody_is_killed_while_they_still_end_in_order() -> None:
    by_themselves_s = inspect.signature(OneWorker).parameters["stop_within_s"].default
    graces = {name: one.get("stop_grace_period", "10s") for name, one in COMPOSE["services"].items()}
    seconds = {name: int(grace.removesuffix("s")) for name, grace in graces.items()}
    pods = [one["spec"]["template"]["spec"] for one in of_kind("workers.yaml", "Deployment")]
    for grace in [*(seconds[stage] for stage in STAGES), *(pod["terminationGracePeriodSeconds"] for pod in pods)]:
        assert grace > by_themselves_s
    # A broker closes its logs and gives its partitions away; one that is killed reads them through at its next start.
    assert seconds["kafka"] >= BrokerOptions().stop_within_s
    assert seconds["kafka"] > max(seconds[stage] for stage in STAGES)


def test_the_containers_broker_lets_nobody_in_without_a_user() -> None:
    lines = (DEPLOY / "compose" / "server.properties").read_text().splitlines()
    told = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    outside = [one for one in told["listeners"].split(",") if "127.0.0.1" not in one]
    assert outside == ["SASL_SSL://0.0.0.0:9093"]
    assert told["authorizer.class.name"].endswith("StandardAuthorizer")
    here = {name: value for name, value in told.items() if name in SETTINGS}
    assert_as_the_local_broker(here, besides={"node.id"})


def test_images_name_no_registry() -> None:
    images = [one["image"] for one in COMPOSE["services"].values()]
    images += [line.split()[1] for line in (DEPLOY / "Dockerfile").read_text().splitlines() if line[:5] == "FROM "]
    assert len(images) >= 5
    assert not [image for image in images if "." in image.partition("/")[0].partition(":")[0]]


def test_secrets_are_made_once_and_fit(tmp_path: Path) -> None:
    assert shutil.which("openssl"), "install openssl"
    (tmp_path / "compose").mkdir()
    script = shutil.copy(DEPLOY / "compose" / "secrets.sh", tmp_path / "compose")
    shutil.copy(DEPLOY / "compose.yaml", tmp_path)
    subprocess.run(["bash", script], check=True)
    folder = tmp_path / "compose" / "secrets"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file() and file.suffix != ".srl"}
    subprocess.run(["bash", script], check=True)
    assert {file: file.read_bytes() for file in before} == before
    for name, secret in COMPOSE["secrets"].items():
        assert (tmp_path / secret["file"]).exists(), name
    passwords = [file.read_text() for file in (folder / "users").iterdir()]
    assert len(set(passwords)) == len([name for name in COMPOSE["secrets"] if name.startswith("lianqin-")])
    assert all(len(one.strip()) == 48 for one in passwords)
    assert_trusted(folder / "ca.pem", folder / "broker.pem", "kafka")


def test_secrets_are_neither_committed_nor_built_into_the_image(tmp_path: Path) -> None:
    (tmp_path / "deploy" / "compose").mkdir(parents=True)
    script = shutil.copy(DEPLOY / "compose" / "secrets.sh", tmp_path / "deploy" / "compose")
    shutil.copy(DEPLOY / "compose.yaml", tmp_path / "deploy")
    shutil.copy(DEPLOY.parent / ".gitignore", tmp_path)
    before = all_files(tmp_path)
    subprocess.run(["bash", script], check=True)
    secrets = all_files(tmp_path) - before
    assert secrets >= {f"deploy/{secret['file']}" for secret in COMPOSE["secrets"].values()}
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    subprocess.run(["git", "-C", tmp_path, "add", "--all"], check=True)
    added = subprocess.run(["git", "-C", tmp_path, "ls-files"], check=True, capture_output=True, text=True).stdout
    assert set(added.splitlines()) == before
    kept_out = [PurePosixPath(line) for line in (DEPLOY.parent / ".dockerignore").read_text().splitlines()]
    assert not [name for name in secrets if not any(PurePosixPath(name).is_relative_to(one) for one in kept_out)]


def all_files(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


def test_what_is_kept_out_of_commits_is_kept_out_of_images_too() -> None:
    ignored, kept_out = (set((DEPLOY.parent / name).read_text().split()) for name in (".gitignore", ".dockerignore"))
    assert not any(line.startswith("!") for line in ignored | kept_out)
    # Git means a name wherever it stands, Docker the one at the top unless it is told otherwise.
    assert {line.strip("/") for line in ignored} <= {line.removeprefix("**/") for line in kept_out}
    assert ".git" in kept_out


def assert_trusted(ca_file: Path, own: Path, name: str) -> None:
    """Shake hands without a network."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(own)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = ssl.create_default_context(cafile=ca_file).wrap_bio(to_client, to_server, server_hostname=name)
    asked = server.wrap_bio(to_server, to_client, server_side=True)
    for one in (asking, asked, asking, asked):
        try:
            one.do_handshake()
        except ssl.SSLWantReadError:
            continue
    assert asking.version() == "TLSv1.3"


_ASK_CHDB = """
import sys, chdb
for asked in sys.stdin:
    print(bool(chdb.query(asked, "TSVRaw").bytes()))
"""


def test_clickhouse_understands_its_users() -> None:
    text = (DEPLOY / "clickhouse" / "users.sql").read_text()
    plain = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    statements = [one.strip() for one in plain.split(";") if one.strip()]
    assert len(statements) >= 12
    asked = "".join(f"SELECT formatQuerySingleLine(unhex('{one.encode().hex()}'))\n" for one in statements)
    # A process of its own: chDB has one folder a process, and another test may hold one open in this.
    answer = subprocess.run([sys.executable, "-c", _ASK_CHDB], input=asked, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines() == ["True"] * len(statements), statements
    grants = " ".join(one for one in statements if one.startswith("GRANT"))
    for word in ("ALL", "DELETE", "TRUNCATE", "DROP TABLE", "FILE", "URL", "SOURCES"):
        assert f" {word}" not in grants.replace("lianqin", "")
