"""The facts of one ticket, as they stand in the ledger."""

from streams.ledger.access import Client
from streams.ledger.asking import rows

Stored = tuple[str, str, int, str, str, str, str, int, str, bool]
"""Id, emitter, time (milliseconds), area, cause, ticket, matter, sequence, the event's JSON, whether of a drill."""

_FACTS = """
SELECT id, emitter, toUnixTimestamp64Milli(time), area, cause, ticket, matter, sequence, data, drill
FROM events FINAL
WHERE ticket = {ticket:String} AND sequence > 0
ORDER BY sequence
"""


def facts_of(client: Client, ticket: str) -> list[Stored]:
    """All that was said of a ticket, in order; nothing where there is none of that name."""
    return [(*row[:9], bool(row[9])) for row in rows(client, _FACTS, {"ticket": ticket})]
