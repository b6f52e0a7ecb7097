"""One question to the ledger, and its rows."""

from collections.abc import Sequence
from typing import Any

from streams.ledger.access import Client, asking


def rows(client: Client, sql: str, parameters: dict[str, Any] | None = None) -> Sequence[Sequence[Any]]:
    """The rows of an answer; raises `LedgerAway` or `LedgerRefused`."""
    with asking():
        answer: Sequence[Sequence[Any]] = client.query(sql, parameters=parameters).result_rows
    return answer
