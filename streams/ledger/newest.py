"""The newest row of a topic's partition: by it a log is known again that Kafka knows no place in any more."""

from dataclasses import dataclass
from typing import Final

from streams.ledger.access import Client
from streams.ledger.asking import rows
from streams.ledger.rows import COLUMNS, UNREADABLE_TYPE, Row

_SAID: Final = ("id", "time", "origin_topic", "origin_partition", "origin_offset", "data")
"""What tells a record from another. An event's id does not by itself: it follows from a place on `desk`, and with all
topics made anew the same places come again. A dead letter has its time and where it came from."""
_TYPE: Final = [column.name for column in COLUMNS].index("type")
_PLACES: Final = [[column.name for column in COLUMNS].index(name) for name in _SAID]

_NEWEST: Final = """
SELECT _offset, type, id, toUnixTimestamp64Milli(time), origin_topic, origin_partition, origin_offset, data
FROM events FINAL
WHERE _topic = {topic:String} AND _partition = {partition:Int32} AND _offset = (
    SELECT max(_offset) FROM events WHERE _topic = {topic:String} AND _partition = {partition:Int32}
)
"""


@dataclass(frozen=True, slots=True)
class Newest:
    """A row with the largest offset of its topic and partition."""

    offset: int
    type: str
    said: tuple[object, ...]

    def is_of(self, row: Row) -> bool:
        """Whether it may be the row of the record that `row` was made of, which has the same offset."""
        if self.type != row[_TYPE] and UNREADABLE_TYPE in {self.type, row[_TYPE]}:
            return True  # one build could read it and another could not: that tells nothing
        return self.said == tuple(row[place] for place in _PLACES)


def newest(client: Client, topic: str, partition: int) -> Newest | None:
    """The newest row of a topic's partition; None where there is none. Raises `LedgerAway` or `LedgerRefused`."""
    found = rows(client, _NEWEST, {"topic": topic, "partition": partition})
    return Newest(found[0][0], found[0][1], tuple(found[0][2:])) if found else None
