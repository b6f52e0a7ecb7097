"""Settings: read once from the environment (`LIANQIN_…`, nested by `__`) into frozen values; nobody below sees it."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.codes import Clock


class KafkaSettings(BaseModel):
    """Where the topics are. Without `bootstrap` a local broker is started, or the one found through the data folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bootstrap: str | None = None
    prefix: str = "lianqin."
    partitions: int = Field(default=8, ge=1, le=512)
    """Of `intake.*`, `desk` and `tickets`. Chosen once: a ticket stays on the partition it was opened on."""
    replication: int = Field(default=1, ge=1)


class LedgerSettings(BaseModel):
    """Where the rows go. Without `dsn` they go to chDB in the data folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dsn: SecretStr | None = None
    """`http(s)://user:password@host:port/database` of a ClickHouse server."""


class MetricsSettings(BaseModel):
    """Where `/metrics` listens. Port 0: none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix="LIANQIN_", env_nested_delimiter="__", frozen=True, extra="forbid", hide_input_in_errors=True
    )

    data_dir: Path = Path(".lianqin")
    district: str = "pukou"
    clock: Clock = Clock.WALL
    privacy_key: SecretStr | None = None
    """Key of the hashes that stand for persons. Without it one is made under the data folder."""
    kafka: KafkaSettings = KafkaSettings()
    ledger: LedgerSettings = LedgerSettings()
    metrics: MetricsSettings = MetricsSettings()
