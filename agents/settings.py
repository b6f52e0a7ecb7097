"""Settings: read once from the environment (`LIANQIN_…`, nested by `__`) into frozen values; nobody below sees it.

What is secret may stand in a file: `LIANQIN_SECRETS_DIR` names a folder whose files are called as the variables.
"""

import os
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, NestedSecretsSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from schemas.codes import Clock


class SecuritySettings(BaseModel):
    """How a client shows Kafka who it is, and knows that it is Kafka. Without it all is plain text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = "SCRAM-SHA-512"
    user: str | None = None
    password: SecretStr | None = None
    ca_file: Path | None = None
    """PEM of who signed the brokers' certificates. Without it: whom this machine trusts."""
    cert_file: Path | None = None
    """PEM of this client's own certificate, where the brokers ask for one; its key is there too, or in `key_file`."""
    key_file: Path | None = None
    key_password: SecretStr | None = None
    check_hostname: bool = True

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        wants_user, wants_tls = self.protocol.startswith("SASL"), self.protocol.endswith("SSL")
        if wants_user and not (self.user and self.password and self.password.get_secret_value()):
            msg = f"{self.protocol} needs USER and PASSWORD"
            raise ValueError(msg)
        if self.user and not wants_user:
            msg = f"a USER is set, but {self.protocol} asks for none: set PROTOCOL to SASL_SSL"
            raise ValueError(msg)
        if (self.ca_file or self.cert_file) and not wants_tls:
            msg = f"a certificate is set, but {self.protocol} does not encrypt: set PROTOCOL to SASL_SSL or SSL"
            raise ValueError(msg)
        return self


class KafkaSettings(BaseModel):
    """Where the topics are. Without `bootstrap` a local broker is started, or the one found through the data folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bootstrap: str | None = None
    prefix: str = "lianqin."
    partitions: int = Field(default=4, ge=1, le=512)
    """Of `intake.*`, `desk` and `tickets`: so many workers can share a stage, and each costs transactions of its own.
    Chosen once: a ticket stays on the partition it was opened on."""
    replication: int = Field(default=1, ge=1, le=32_767)
    instance: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]{1,100}$")
    """This worker's name among all workers, which it keeps when it is started again: its partitions then wait for it
    for the session time-out instead of moving. Two workers of one name end each other."""
    security: SecuritySettings = SecuritySettings()


class LedgerSettings(BaseModel):
    """Where the rows go. Without `dsn` they go to chDB in the data folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dsn: SecretStr | None = None
    """`http(s)://user:password@host:port/database` of a ClickHouse server."""
    user: str | None = None
    password: SecretStr | None = None
    """Instead of those in the DSN, so that the password can stand in a file of its own."""
    ca_file: Path | None = None
    """PEM of who signed the server's certificate. Without it: whom the client trusts by itself."""


class MetricsSettings(BaseModel):
    """Where `/metrics` listens. Port 0: none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)


class IntakeSettings(BaseModel):
    """How intake meets a source that sends mostly what cannot be used."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    breaker: bool = True
    """Whether such a source is paused. Without it every record becomes a dead letter at once."""
    cool_down_s: float = Field(default=10.0, gt=0)
    """After how long a few of its records are tried again."""


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix="LIANQIN_", env_nested_delimiter="__", frozen=True, extra="forbid", hide_input_in_errors=True
    )

    data_dir: Path = Path(".lianqin")
    district: str = "pukou"
    clock: Clock = Clock.WALL
    privacy_key: SecretStr | None = None
    """Key of the hashes that stand for persons. Without it `up` has one made under the data folder."""
    kafka: KafkaSettings = KafkaSettings()
    ledger: LedgerSettings = LedgerSettings()
    metrics: MetricsSettings = MetricsSettings()
    intake: IntakeSettings = IntakeSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What the command line chose, then the environment, then the files of the secrets' folder."""
        folder = os.environ.get("LIANQIN_SECRETS_DIR")
        files = NestedSecretsSettingsSource(file_secret_settings, secrets_dir=folder, secrets_dir_missing="error")
        return init_settings, env_settings, files
