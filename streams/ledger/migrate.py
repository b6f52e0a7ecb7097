"""Bring a database to the newest layout: numbered SQL files, forward only, recorded."""

from dataclasses import dataclass
from importlib import resources
from typing import Final

from streams.ledger.access import Client, asking
from streams.ledger.errors import LedgerRefused

_RECORD: Final = """
CREATE TABLE IF NOT EXISTS migrations (number UInt32, name String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3))
ENGINE = ReplacingMergeTree ORDER BY number
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file. Every statement may be run again: a kill can come between it and its record."""

    number: int
    name: str
    statements: tuple[str, ...]


def migrations() -> list[Migration]:
    """All that ship, in order."""
    folder = resources.files("streams.ledger.migrations")
    files = [file for file in folder.iterdir() if file.name.endswith(".sql")]
    return sorted((_migration(file.name, file.read_text()) for file in files), key=lambda found: found.number)


def _migration(name: str, text: str) -> Migration:
    # A semicolon at the end of a line ends a statement; none of ours has one inside a string.
    statements = [part.strip() for part in f"{text}\n".split(";\n")]
    return Migration(int(name.partition("_")[0]), name, tuple(part for part in statements if part))


def migrate(client: Client) -> list[str]:
    """Apply what is missing in the client's database; the names of the files that were applied.

    A database that is ahead of this build is refused.
    """
    known = migrations()
    with asking():
        client.command(_RECORD)
        done = {row[0] for row in client.query("SELECT number FROM migrations FINAL").result_rows}
    ahead = done - {migration.number for migration in known}
    if ahead:
        msg = f"the ledger's database has migration {max(ahead)}, which this build does not know: install a newer one"
        raise LedgerRefused(msg)
    missing = [migration for migration in known if migration.number not in done]
    for migration in missing:
        _apply(client, migration)
    return [migration.name for migration in missing]


def _apply(client: Client, migration: Migration) -> None:
    with asking():
        for statement in migration.statements:
            client.command(statement)
        client.insert(
            "migrations",
            [[migration.number, migration.name]],
            column_names=["number", "name"],
            settings={"async_insert": 0},
        )
