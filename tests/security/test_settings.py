"""Where passwords come from, that they are in no text, and what is said about settings that do not fit together."""

# ruff: noqa: S105, S106 - made-up passwords

import ssl
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from agents.brokers import cluster_at
from agents.cli.main import _settings_problem
from agents.cli.options import settings
from agents.errors import UserError
from agents.reach import server_at
from agents.settings import LedgerSettings, SecuritySettings, Settings
from streams.ownership.settings import OwnerSettings
from tests.security.certificates import authority

SECRET = "s3cret-w0rd"
K = "LIANQIN_KAFKA__SECURITY__"


@pytest.fixture(autouse=True)
def without_others(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (K + "PROTOCOL", K + "USER", K + "PASSWORD", "LIANQIN_SECRETS_DIR"):
        monkeypatch.delenv(name, raising=False)


def given(monkeypatch: pytest.MonkeyPatch, env: Mapping[str, str]) -> Settings:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    return settings(None)


def test_a_password_comes_from_the_environment_and_is_in_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    env = {K + "PROTOCOL": "SASL_PLAINTEXT", K + "USER": "me", K + "PASSWORD": SECRET}
    chosen = given(monkeypatch, env | {"LIANQIN_LEDGER__PASSWORD": SECRET, "LIANQIN_LEDGER__DSN": "https://ch/x"})
    cluster = cluster_at("nowhere:1", chosen.kafka.security)
    assert cluster.options["sasl_plain_password"] == SECRET
    owners = OwnerSettings(bootstrap="nowhere:1", security=cluster.security)
    server = server_at(chosen.ledger)
    assert server.password == SECRET
    for told in (chosen, chosen.model_dump(), chosen.model_dump_json(), cluster, owners, owners.cluster, server):
        assert SECRET not in f"{told!r} {told}"


def test_a_password_comes_from_a_file_named_as_the_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # As Kubernetes lays them: the names are links into a folder that is changed as one.
    (tmp_path / "..data").mkdir()
    for name, value in ((K + "PASSWORD", SECRET), ("LIANQIN_PRIVACY_KEY", "0123456789abcdef"), ("other", "x")):
        (tmp_path / "..data" / name).write_text(value + "\n")
        (tmp_path / name).symlink_to(Path("..data") / name)
    chosen = given(
        monkeypatch, {"LIANQIN_SECRETS_DIR": str(tmp_path), K + "PROTOCOL": "SASL_PLAINTEXT", K + "USER": "me"}
    )
    assert chosen.kafka.security.password == SecretStr(SECRET)
    assert chosen.privacy_key == SecretStr("0123456789abcdef")


def test_the_environment_wins_over_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "LIANQIN_PRIVACY_KEY").write_text("of the file, long enough")
    env = {"LIANQIN_SECRETS_DIR": str(tmp_path), "LIANQIN_PRIVACY_KEY": "of the environment"}
    assert given(monkeypatch, env).privacy_key == SecretStr("of the environment")


def test_a_folder_of_secrets_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="LIANQIN_SECRETS_DIR"):
        given(monkeypatch, {"LIANQIN_SECRETS_DIR": str(tmp_path / "none")})


@pytest.mark.parametrize(
    ("env", "told"),
    [
        ({"PROTOCOL": "SASL_SSL", "USER": "me"}, "SASL_SSL needs USER and PASSWORD"),
        ({"PROTOCOL": "SASL_SSL", "PASSWORD": SECRET}, "SASL_SSL needs USER and PASSWORD"),
        ({"USER": "me", "PASSWORD": SECRET}, "a USER is set, but PLAINTEXT asks for none"),
        ({"CA_FILE": "/ca.pem"}, "a certificate is set, but PLAINTEXT does not encrypt"),
        ({"PROTOCOL": "TLS"}, "Input should be"),
        ({"PASSWROD": SECRET}, "Extra inputs are not permitted"),
    ],
)
def test_what_does_not_fit_together_is_one_line(
    monkeypatch: pytest.MonkeyPatch, env: Mapping[str, str], told: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        given(monkeypatch, {K + name: value for name, value in env.items()})
    line = _settings_problem(refused.value)
    assert line.startswith("setting LIANQIN_KAFKA__SECURITY")
    assert told in line
    assert SECRET not in line
    assert SECRET not in str(refused.value)


def test_plain_text_tells_clients_nothing() -> None:
    assert cluster_at("nowhere:1", SecuritySettings()).options == {"bootstrap_servers": "nowhere:1"}


def test_names_are_checked_unless_that_is_switched_off(tmp_path: Path) -> None:
    ca_file = authority(tmp_path / "ca.pem", "test").file
    for check in (True, False):
        context = cluster_at("x:1", SecuritySettings(protocol="SSL", ca_file=ca_file, check_hostname=check)).options[
            "ssl_context"
        ]
        assert isinstance(context, ssl.SSLContext)
        assert context.check_hostname is check
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("name", ["ca_file", "cert_file"])
def test_a_file_that_holds_no_certificate_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "x.pem").write_text("nothing")
    with pytest.raises(UserError, match=f"LIANQIN_KAFKA__SECURITY__{name.upper()}"):
        cluster_at("x:1", SecuritySettings(protocol="SSL", **{name: tmp_path / "x.pem"}))
    with pytest.raises(UserError, match="No such file"):
        cluster_at("x:1", SecuritySettings(protocol="SSL", **{name: tmp_path / "none.pem"}))


def test_a_key_with_a_password_asks_nobody(tmp_path: Path) -> None:
    signs = authority(tmp_path / "ca.pem", "test")
    own = signs.sign(tmp_path / "own.pem", "me", password="right")
    for given_, is_right in (("right", True), ("wrong", False), (None, False)):
        chosen = SecuritySettings(protocol="SSL", cert_file=own, key_password=given_ and SecretStr(given_))
        if is_right:
            cluster_at("x:1", chosen)
        else:
            with pytest.raises(UserError, match="KEY_FILE"):
                cluster_at("x:1", chosen)


def test_clickhouses_user_and_password_may_stand_beside_the_dsn(tmp_path: Path) -> None:
    ledger = LedgerSettings(
        dsn=SecretStr("https://ch.example/city"), user="writer", password=SecretStr(SECRET), ca_file=tmp_path / "ca.pem"
    )
    server = server_at(ledger)
    assert (server.user, server.password, server.secure) == ("writer", SECRET, True)
    assert server.ca_file == str(tmp_path / "ca.pem")
    assert server_at(LedgerSettings(dsn=SecretStr("https://a:b@ch.example/city"))).user == "a"
