"""All sources of a district: from a record of `intake.*` to exactly one command, or why there is none. Pure."""

from collections.abc import Iterable, Mapping
from typing import Final

from schemas.codes import Flag, Reject, Side, Urgency
from schemas.commands import Feedback, Origin, Report
from schemas.intake import IntakeHeaders
from schemas.mapping import SourceMapping
from streams.intake.gazetteer import Gazetteer
from streams.intake.privacy import Keyed
from streams.intake.rejected import Rejected, Unusable
from streams.intake.reports import OTHER
from streams.intake.source import District, Source

ANY: Final = frozenset(("urgent", "history"))
"""Topics that every source may write to."""


class Sources:
    """The sources of a district, compiled. `key` is the secret of the personal hashes."""

    def __init__(
        self, mappings: Iterable[SourceMapping], *, key: bytes, catch_all: str, gazetteer: Gazetteer | None = None
    ) -> None:
        keyed = Keyed(key)
        district = District(keyed=keyed, catch_all=catch_all, gazetteer=gazetteer or Gazetteer())
        self._keyed = keyed
        self.catch_all = catch_all
        self.by_name: Mapping[str, Source] = {m.name: Source(m, district) for m in mappings}

    def read(
        self, headers: IntakeHeaders, value: bytes | None, *, topic: str, origin: Origin
    ) -> Report | Feedback | Rejected:
        """The command that a record becomes. `topic` is the last word of its topic's name, as `police`.

        Never raises, whatever the bytes.
        """
        source = self.by_name.get(headers.source or "")
        if source is None:
            return Rejected(Reject.UNKNOWN_SOURCE, "the header lianqin-source names no source of this district")
        part = headers.part or source.default_part
        wrong = _wrong_headers(source, headers, part, topic)
        if wrong is not None:
            return wrong
        at = headers.time if topic == "history" else None
        try:
            return source.read(part, source.fields(value or b""), at, origin, drill=headers.drill)
        except Unusable as error:
            return Rejected(error.reason, error.hint, source.name)

    def bare(self, headers: IntakeHeaders, value: bytes | None, *, at: int, topic: str, origin: Origin) -> Report:
        """The report that stands for an unreadable record, so that nobody's emergency waits for a schema."""
        source = self.by_name.get(headers.source or "")
        return Report(
            source=topic if source is None else source.name,
            # With its topic: one source writes to several, and each counts from nought.
            source_id=f"unreadable-{topic}-{origin.partition}-{origin.offset}",
            content=self._keyed.content([(value or b"").hex()]),
            time=at,
            occurred_at=at,
            area=self.catch_all,
            category=OTHER,
            urgency=Urgency.CRITICAL,
            # Whose it is cannot be asked: what nobody knows is the police's first.
            side=Side.POLICE if source is None else source.mapping.the_side(),
            drill=headers.drill,
            flags=(Flag.UNREADABLE,),
            origin=origin,
        )


def _wrong_headers(source: Source, headers: IntakeHeaders, part: str, topic: str) -> Rejected | None:
    mapping = source.mapping
    if headers.version not in mapping.versions:
        return Rejected(Reject.UNKNOWN_VERSION, "the mapping does not know this version", source.name)
    if part not in source.parts:
        return Rejected(Reject.UNKNOWN_VERSION, "the mapping does not know this part", source.name)
    if topic not in ANY and topic != mapping.topic:
        return Rejected(Reject.UNKNOWN_SOURCE, "this source does not write to this topic", source.name)
    if mapping.past and topic != "history":
        return Rejected(Reject.UNKNOWN_SOURCE, "a source of past data writes to intake.history alone", source.name)
    return None
