"""All sources of a district: from a record of `intake.*` to exactly one command, or why there is none. Pure."""

from collections.abc import Iterable, Mapping
from typing import Final

from schemas.codes import Flag, Reject, Urgency
from schemas.commands import Feedback, Origin, Report
from schemas.intake import IntakeHeaders
from schemas.mapping import SourceMapping
from streams.intake.privacy import Keyed
from streams.intake.rejected import Rejected, Unusable
from streams.intake.source import OTHER, REPORT, Source

ANY: Final = frozenset(("urgent", "history"))
"""Topics that every source may write to."""


class Sources:
    """The sources of a district, compiled. `key` is the secret of the personal hashes."""

    def __init__(self, mappings: Iterable[SourceMapping], *, key: bytes, catch_all: str) -> None:
        keyed = Keyed(key)
        self._keyed = keyed
        self.catch_all = catch_all
        self.by_name: Mapping[str, Source] = {m.name: Source(m, keyed, catch_all) for m in mappings}

    def read(
        self, headers: IntakeHeaders, value: bytes | None, *, topic: str, origin: Origin
    ) -> Report | Feedback | Rejected:
        """The command that a record becomes. `topic` is the last word of its topic's name, as `police`.

        Never raises, whatever the bytes.
        """
        source = self.by_name.get(headers.source or "")
        if source is None:
            return Rejected(Reject.UNKNOWN_SOURCE, "the header lianqin-source names no source of this district")
        wrong = _wrong_headers(source, headers, topic)
        if wrong is not None:
            return wrong
        at = headers.time if topic == "history" else None
        try:
            fields = source.fields(value or b"")
            return (source.report if headers.part == REPORT else source.closed)(fields, at, origin)
        except Unusable as error:
            return Rejected(error.reason, error.hint, source.name)

    def bare(self, headers: IntakeHeaders, value: bytes | None, *, at: int, topic: str, origin: Origin) -> Report:
        """The report that stands for an unreadable record, so that nobody's emergency waits for a schema."""
        known = headers.source is not None and headers.source in self.by_name
        return Report(
            source=headers.source if known and headers.source is not None else topic,
            source_id=f"unreadable-{origin.partition}-{origin.offset}",
            content=self._keyed.content([(value or b"").hex()]),
            time=at,
            occurred_at=at,
            area=self.catch_all,
            category=OTHER,
            urgency=Urgency.CRITICAL,
            flags=(Flag.UNREADABLE,),
            origin=origin,
        )


def _wrong_headers(source: Source, headers: IntakeHeaders, topic: str) -> Rejected | None:
    mapping = source.mapping
    if headers.version not in mapping.versions:
        return Rejected(Reject.UNKNOWN_VERSION, "the mapping does not know this version", source.name)
    if headers.part not in source.parts:
        return Rejected(Reject.UNKNOWN_VERSION, "the mapping does not know this part", source.name)
    if topic not in ANY and topic != mapping.topic:
        return Rejected(Reject.UNKNOWN_SOURCE, "this source does not write to this topic", source.name)
    if mapping.past and topic != "history":
        return Rejected(Reject.UNKNOWN_SOURCE, "a source of past data writes to intake.history alone", source.name)
    return None
