"""A source's mapping (deploy/sources/*.yaml): how its own shape becomes reports, closings and feedback.

No code per source. docs/mapping.md explains each field to whoever writes one; `mapping_checks.py` holds the fields
against one another.
"""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from schemas.codes import Action, Side, Urgency

REPORT: Final = "report"
CLOSED: Final = "closed"
FEEDBACK: Final = "feedback"
"""The parts of a mapping: what one record may be read as (header `lianqin-part`)."""

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)]
"""Usable in ids, keys and addresses."""
Column = Annotated[str, StringConstraints(min_length=1)]
"""A column of the file; for JSON the dotted path of a value."""
Word = Annotated[str, StringConstraints(min_length=1, max_length=64)]


def _several(written: object) -> object:
    return written if isinstance(written, list | tuple) else (written,)


def _named(written: object) -> object:
    return {name: name for name in written} if isinstance(written, list | tuple) else written


class Part(BaseModel):
    """A piece of a pack or mapping: frozen, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TimeRule(Part):
    """Where a time stands and how it is written."""

    column: Column
    format: Annotated[str, StringConstraints(pattern=r"^(iso|epoch-s|epoch-ms|.*%.*)$")] = "iso"
    """`iso`, `epoch-s`, `epoch-ms`, or a pattern of strptime."""
    zone: str | None = None
    """IANA name, for times that are written without an offset."""


class Bounds(Part):
    """The box that counts as inside, degrees WGS84. The default is the world: then only what is no place is outside."""

    south: float = Field(default=-90.0, ge=-90, le=90)
    west: float = Field(default=-180.0, ge=-180, le=180)
    north: float = Field(default=90.0, ge=-90, le=90)
    east: float = Field(default=180.0, ge=-180, le=180)


class PlaceRule(Part):
    """The columns of the coordinates; both may be empty."""

    lat: Column
    lon: Column
    decimal: Literal[".", ","] = "."
    bounds: Bounds = Bounds()


class CellArea(Part):
    """The area is the H3 cell of the coordinates, and so is the grid."""

    rule: Literal["h3"]
    resolution: int = Field(ge=0, le=15)
    grid: int | None = Field(default=None, ge=0, le=15)


class ColumnArea(Part):
    """The area is what a column says: by the table where there is one, else the value as a slug."""

    rule: Literal["column"]
    column: Column
    table: dict[str, Slug] = Field(default_factory=dict)


class PrefixArea(Part):
    """The area is how a column begins, where that is one of the district's: a grid's code begins with its street's."""

    rule: Literal["prefix"]
    column: Column
    length: int = Field(ge=1, le=64)


class AddressArea(Part):
    """The area is that of the longest name of the district's gazetteer that stands in a text."""

    rule: Literal["address"]
    column: Column


class NearestArea(Part):
    """The area is that of the gazetteer's nearest point, where one is near enough."""

    rule: Literal["nearest"]


AreaRule = Annotated[CellArea | ColumnArea | PrefixArea | AddressArea | NearestArea, Field(discriminator="rule")]
AreaRules = Annotated[tuple[AreaRule, ...], BeforeValidator(_several), Field(min_length=1)]
"""One, or several that are tried in order: the first that finds an area decides."""
Places = Annotated[tuple[PlaceRule, ...], BeforeValidator(_several)]
"""One, or several that are tried in order: the first with coordinates inside its bounds counts."""
Columns = Annotated[tuple[Column, ...], BeforeValidator(_several), Field(min_length=1)]
"""One, or several that are tried in order."""


class CategoryRule(Part):
    """The source's categories and the codes they are known by here: of the first column that says a known one."""

    column: Columns
    known: dict[str, Slug]


class UrgencyRule(Part):
    """The source's own level. What is not named has none."""

    column: Column
    known: dict[str, Urgency]


class KindRule(Part):
    """The source's own kind of report, and the word for it here. What is not named has none."""

    column: Column
    known: dict[str, Word]


class MarkRule(Part):
    """A column that says yes by one of these values."""

    column: Column
    values: tuple[str, ...] = Field(min_length=1)


class ReporterRule(Part):
    """Who reports: phone or the source's own id of the person are hashed by key, the name is masked.

    Whoever is known by phone or id and reports again in the same area and category urges (D1): officers who report all
    day are named by `name` alone, and their other columns are `private`.
    """

    phone: Column | None = None
    id: Column | None = None
    name: Column | None = None


class ObjectRule(Part):
    """The thing it is about. `personal` (a plate, an address): only its keyed hash goes on."""

    column: Column
    personal: bool = True


class ReportRule(Part):
    """How a record is read as a report."""

    id: Column
    time: TimeRule
    occurred_at: TimeRule | None = None
    """Empty or absent: the record's time."""
    place: Places = ()
    area: AreaRules
    grid: Column | None = None
    """The source's own grid code; goes before the grid that an area rule gives."""
    category: CategoryRule
    urgency: UrgencyRule | None = None
    kind: KindRule | None = None
    text: tuple[Column, ...] = ()
    """Read by people, masked; several are joined by a space."""
    reporter: ReporterRule | None = None
    object: ObjectRule | None = None
    related: Column | None = None
    """The source's own id of an earlier report that this one belongs to."""
    self_handled: MarkRule | None = None
    drill: MarkRule | None = None
    """Beside the header `lianqin-drill`: either says that it is a drill."""
    details: Annotated[dict[Word, Column], BeforeValidator(_named)] = Field(default_factory=dict)
    """Passed on by name, masked."""
    links: Annotated[dict[Word, Column], BeforeValidator(_named)] = Field(default_factory=dict)
    """Passed on by name: web addresses at the source, several apart by `;`."""


class ClosedRule(Part):
    """How the same record is read as a closing; there is one where the time's column is not empty."""

    time: TimeRule


class ReportedBy(Part):
    """The report that feedback is about, where it does not name the ticket: whose it is, and its id there."""

    source: Column
    id: Column
    known: dict[str, Slug] = Field(min_length=1)
    """Their word for a source, and its name here."""


class ActionRule(Part):
    """Their words for what was done, and ours. What is not named is refused: a platform says only what it may."""

    column: Column
    known: dict[str, Action] = Field(min_length=1)


class LengthRule(Part):
    """A length of time: a whole number of these."""

    column: Column
    unit: Literal["s", "min", "h", "d"] = "s"


class ScoreRule(Part):
    """A rating: 1 (worst) to 5, or their words for that."""

    column: Column
    known: dict[str, int] = Field(default_factory=dict)


class EvidenceRule(Part):
    """Links to photographs and papers, at the source."""

    column: Column
    separator: Annotated[str, StringConstraints(min_length=1, max_length=4)] = ";"


class FeedbackRule(Part):
    """How a record is read as feedback: what was done with a ticket, asked for, or decided."""

    time: TimeRule
    ticket: Column | None = None
    """The ticket's id; its area is what stands before the last dot."""
    report: ReportedBy | None = None
    place: Places = ()
    area: Annotated[tuple[AreaRule, ...], BeforeValidator(_several)] = ()
    """Of the report, where that is named and not the ticket."""
    action: ActionRule
    by: Column | None = None
    """The unit that says so."""
    unit: Column | None = None
    """The unit that it goes to."""
    other: Column | None = None
    """The other ticket, of two that are one matter or not."""
    seconds: LengthRule | None = None
    condition: Column | None = None
    score: ScoreRule | None = None
    evidence: EvidenceRule | None = None
    note: tuple[Column, ...] = ()
    """Read by people, masked."""


class SourceMapping(Part):
    """One source system."""

    name: Slug
    title: str
    licence: str
    """Of data that is published; of a live system, on what ground it may be used."""
    topic: Literal["police", "grid", "citizen", "hotline", "feedback"]
    format: Literal["csv", "json"] = "csv"
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1, pattern=r'^[^"\r\n]$')] = ","
    """Of a CSV."""
    encoding: Literal["utf-8", "gb18030"] = "utf-8"
    """Of a CSV; gb18030 holds GBK and GB 2312."""
    versions: tuple[str, ...] = Field(default=("1",), min_length=1)
    side: Side | None = None
    """Who takes the reports; none: the police where the topic is theirs, else service."""
    columns: tuple[Column, ...] = Field(min_length=1)
    """All of them, in the order of the file."""
    ignored: tuple[Column, ...] = ()
    """Never input: labels, and what was known only later."""
    private: tuple[Column, ...] = ()
    """Personal data that nothing needs: never passed on, and taken out of the record's texts."""
    past: bool = False
    """Past data: only under the log clock."""
    closing_authoritative: bool = False
    """With its closing the stages between have passed."""
    closings: Literal["row", "last-sighting"] | None = None
    """`row`: a row has its closing time. `last-sighting`: what is not seen again in the file is over."""
    report: ReportRule | None = None
    closed: ClosedRule | None = None
    feedback: FeedbackRule | None = None

    def the_side(self) -> Side:
        """Whose reports these are."""
        return self.side or (Side.POLICE if self.topic == "police" else Side.SERVICE)

    def default_part(self) -> str:
        """What a record is read as whose header does not say."""
        return REPORT if self.report is not None else FEEDBACK

    def parts(self) -> frozenset[str]:
        """What a record may be read as."""
        report = set() if self.report is None else {REPORT, CLOSED} if self.closings else {REPORT}
        return frozenset(report if self.feedback is None else {*report, FEEDBACK})
