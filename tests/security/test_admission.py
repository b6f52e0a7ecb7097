"""Whether the brokers let us in, and the one line that says why not."""

import os
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from aiokafka.errors import GroupAuthorizationFailedError, KafkaConnectionError
from pydantic import SecretStr

from agents.brokers import cluster_at, knock, see
from agents.errors import UserError
from agents.settings import SecuritySettings
from tests.chaos.centre import lianqin
from tests.ownership.running import until
from tests.security.certificates import authority
from tests.security.kafka import SecureKafka

pytestmark = [pytest.mark.connected, pytest.mark.timeout(120)]

USER = "lianqin-views"


def as_user(kafka: SecureKafka, **other: object) -> SecuritySettings:
    known = {
        "protocol": "SASL_SSL",
        "user": USER,
        "password": SecretStr(kafka.passwords[USER]),
        "ca_file": kafka.signs.file,
    }
    return SecuritySettings.model_validate(known | other)


@pytest.fixture(autouse=True)
async def closed() -> AsyncIterator[None]:
    """Let the loop close what a test opened and was refused: collected before, it would complain in the next test."""
    before = sockets()
    yield
    await until(lambda: not sockets() - before)


def sockets() -> set[str]:
    """Those that this process has open."""
    found = set()
    for handle in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # one of them is the listing's own
            found.add(str(handle.readlink()))
    return {one for one in found if one.startswith("socket:")}


async def refusal(bootstrap: str, security: SecuritySettings) -> str:
    with pytest.raises(UserError) as refused:
        await knock(cluster_at(bootstrap, security))
    (line,) = str(refused.value).splitlines()
    return line


async def test_a_known_user_is_let_in(kafka: SecureKafka) -> None:
    await knock(cluster_at(kafka.bootstrap, as_user(kafka)))


async def test_the_next_broker_is_asked_when_one_is_away(kafka: SecureKafka) -> None:
    await knock(cluster_at(f"127.0.0.1:9,{kafka.bootstrap}", as_user(kafka)))


@pytest.mark.parametrize("other", [{"password": "no-such-password"}, {"user": "nobody"}])
async def test_a_wrong_user_or_password(kafka: SecureKafka, other: dict[str, str]) -> None:
    line = await refusal(kafka.bootstrap, as_user(kafka, **other))
    assert "refuses the user or password" in line
    assert "LIANQIN_KAFKA__SECURITY__PASSWORD" in line
    assert kafka.passwords[USER] not in line
    assert "no-such-password" not in line


async def test_somebody_elses_authority(kafka: SecureKafka, tmp_path: Path) -> None:
    line = await refusal(kafka.bootstrap, as_user(kafka, ca_file=authority(tmp_path / "other.pem", "other").file))
    assert "cannot be trusted" in line
    assert "LIANQIN_KAFKA__SECURITY__CA_FILE" in line


async def test_without_an_authority_of_its_own_it_is_not_trusted(kafka: SecureKafka) -> None:
    assert "cannot be trusted" in await refusal(kafka.bootstrap, as_user(kafka, ca_file=None))


async def test_the_brokers_name_must_be_in_its_certificate(kafka: SecureKafka) -> None:
    # The same place by a name that its certificate does not hold.
    elsewhere = kafka.bootstrap.replace("127.0.0.1", "127.1")
    assert "cannot be trusted" in await refusal(elsewhere, as_user(kafka))
    await knock(cluster_at(elsewhere, as_user(kafka, check_hostname=False)))


async def test_another_mechanism(kafka: SecureKafka) -> None:
    line = await refusal(kafka.bootstrap, as_user(kafka, mechanism="SCRAM-SHA-256"))
    assert "LIANQIN_KAFKA__SECURITY__MECHANISM" in line


async def test_plain_text_where_tls_is_spoken(kafka: SecureKafka) -> None:
    with pytest.raises(KafkaConnectionError, match="LIANQIN_KAFKA__SECURITY__PROTOCOL"):
        await knock(cluster_at(kafka.bootstrap, SecuritySettings()))


async def test_tls_where_plain_text_is_spoken(kafka: SecureKafka) -> None:
    with pytest.raises((UserError, KafkaConnectionError), match="LIANQIN_KAFKA__SECURITY__PROTOCOL"):
        await knock(cluster_at(kafka.broker.bootstrap, as_user(kafka)))


async def test_a_certificate_of_ones_own(kafka: SecureKafka, tmp_path: Path) -> None:
    own = kafka.signs.sign(tmp_path / "client.pem", "lianqin-client")
    with_it = SecuritySettings(protocol="SSL", ca_file=kafka.signs.file, cert_file=own)
    await knock(cluster_at(kafka.by_certificate, with_it))
    without = SecuritySettings(protocol="SSL", ca_file=kafka.signs.file)
    with pytest.raises((UserError, KafkaConnectionError)):
        await knock(cluster_at(kafka.by_certificate, without))


async def test_who_may_not_use_a_topic_or_a_group_is_told_which(kafka: SecureKafka) -> None:
    views = cluster_at(kafka.bootstrap, as_user(kafka))
    with pytest.raises(UserError, match=r"may not use the topic lianqin\.desk: .*lianqin topics --acls"):
        await see(views, ["lianqin.desk"])
    await see(views, [], ["lianqin.views"])
    with pytest.raises(GroupAuthorizationFailedError):
        await see(views, [], ["lianqin.desk"])


@pytest.mark.parametrize(
    ("command", "other", "told"),
    [
        (("worker", "--stages", "views"), {"SECURITY__PASSWORD": "no-such-password"}, "refuses the user or password"),
        (("topics", "--create"), {"SECURITY__CA_FILE": "/dev/null"}, "holds no certificates"),
        (("up",), {"SECURITY__PASSWORD": "no-such-password"}, "refuses the user or password"),
    ],
)
def test_a_command_says_so_in_one_line(
    kafka: SecureKafka, tmp_path: Path, command: tuple[str, ...], other: dict[str, str], told: str
) -> None:
    env = {**os.environ, **kafka.env(USER, **other)}
    answer = lianqin(*command, "--data-dir", str(tmp_path / "data"), env=env, timeout_s=60)
    assert answer.returncode == 2, answer
    (line,) = answer.stderr.splitlines()
    assert line.startswith("lianqin: ")
    assert told in line
    assert "no-such-password" not in answer.stdout + answer.stderr
