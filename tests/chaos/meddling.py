"""The proof in its other direction: ClickHouse is spoilt by two rows, and whoever calls that whole is no proof."""

import json
from collections.abc import Callable, Sequence
from typing import Final

import clickhouse_connect

from tests.chaos.centre import Ledger, Up
from tests.chaos.kafka import Place
from tests.chaos.verify import verify

WRONG: Final = 1
AUDIT_WITHIN_S: Final = 120.0
LISTS: Final = ("missing", "twice")
QUIET_S: Final = 5.0
_SOME: Final = """
SELECT _topic, _partition, _offset, origin_topic, origin_partition, origin_offset FROM events FINAL
WHERE type = 'lianqin.report.settled.v1' AND fate = 'repeat' ORDER BY cityHash64(id) LIMIT 2
"""
_FREE: Final = """
SELECT min(_offset) + 1 FROM events FINAL WHERE _topic = {topic:String} AND _partition = {partition:Int32}
AND _offset + 1 NOT IN (
    SELECT _offset FROM events WHERE _topic = {topic:String} AND _partition = {partition:Int32}
)
"""
"""The place of a marker: there is no record."""
_ONE: Final = "_topic = {topic:String} AND _partition = {partition:Int32} AND _offset = {offset:Int64}"


def caught(up: Up, prefix: str, ledger: Ledger, tell: Callable[[str], None]) -> Sequence[str]:
    """Take a report's settlement away and write another's twice; what of it was not found, in words."""
    gone, twice = _spoil(ledger)
    tell(f"spoilt: the settlement of {gone} taken away, that of {twice} put in twice")
    audited = up.ask("audit", "--json", "--timeout", str(AUDIT_WITHIN_S), timeout_s=2 * AUDIT_WITHIN_S)
    said = json.loads(audited.stdout)
    named = {kind: {(one["topic"], one["partition"], one["offset"]) for one in said[kind]} for kind in LISTS}
    missed = []
    if audited.returncode != WRONG or said["ok"]:
        missed.append(f"audit called it whole ({audited.returncode})")
    if named["missing"] != {gone}:
        missed.append(f"audit named as missing: {named['missing']}")
    if named["twice"] != {twice}:
        missed.append(f"audit named as twice: {named['twice']}")
    found = verify(up.bootstrap, prefix, ledger, lambda _: None, quiet_s=QUIET_S).findings
    seen = " ".join(found.named)
    if not (
        "only in Kafka" in seen and "only in ClickHouse" in seen and found.of("clickhouse") == found.counts.total()
    ):
        missed.append(f"the reader found {dict(found.counts)}: {seen}")
    return missed


def _spoil(ledger: Ledger) -> tuple[Place, Place]:
    client = clickhouse_connect.get_client(
        host=ledger.host, port=ledger.port, username=ledger.user, password=ledger.password, database="lianqin"
    )
    try:
        first, second = client.query(_SOME).result_rows
        client.command(f"ALTER TABLE events DELETE WHERE {_ONE}", parameters=_at(first), settings={"mutations_sync": 2})
        free = client.query(_FREE, parameters=_at(second)).result_rows[0][0]
        # In small letters: what begins with INSERT INTO the front takes for a block of data.
        row = f"SELECT * FROM events FINAL WHERE {_ONE}"  # noqa: S608 - ours
        again = f"insert into events SELECT * REPLACE ({free} AS _offset) FROM ({row})"  # noqa: S608 - ours
        client.command(again, parameters=_at(second))
    finally:
        client.close()
    return tuple(first[3:]), tuple(second[3:])


def _at(row: Sequence[object]) -> dict[str, object]:
    return {"topic": row[0], "partition": row[1], "offset": row[2]}
