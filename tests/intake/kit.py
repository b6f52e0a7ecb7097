"""What the intake tests share: a source with everything a mapping can say, and records of it."""

from dataclasses import dataclass
from typing import Any, Final

import yaml

from agents.packs import load_sources
from schemas.codes import Reject
from schemas.commands import Feedback, Origin, Report
from schemas.intake import IntakeHeaders
from schemas.mapping import SourceMapping
from streams.intake.rejected import Rejected
from streams.intake.sources import Sources
from streams.ownership.batch import Headers

KEY: Final = b"a key for tests"
ORIGIN: Final = Origin(topic="lianqin.intake.history", partition=0, offset=7)

POLICE_YAML: Final = """
name: alarms
title: Alarms
licence: the district's own
topic: police
format: json
versions: ["1", "2"]
columns: [id, at, caller.phone, caller.name, caller.account, what, where.lat, where.lon, plate, kind, level, room]
report:
  id: id
  time: {column: at, format: epoch-ms}
  place: {lat: where.lat, lon: where.lon, bounds: {south: 31, west: 118, north: 33, east: 119}}
  area: {rule: h3, resolution: 7, grid: 9}
  category: {column: kind, known: {火警: fire, 纠纷: dispute}}
  urgency: {column: level, known: {特急: critical, 紧急: urgent, 一般: routine}}
  text: [what]
  reporter: {phone: caller.phone, id: caller.account, name: caller.name}
  object: {column: plate}
  details: [room]
"""


def police(**changed: object) -> SourceMapping:
    """The mapping of a live police source, with top-level fields changed."""
    return SourceMapping.model_validate({**yaml.safe_load(POLICE_YAML), **changed})


def sources(*more: SourceMapping, key: bytes = KEY) -> Sources:
    """The shipped sources and some more."""
    return Sources([*load_sources("pukou").values(), *more], key=key, catch_all="elsewhere")


BOSTON_LINE: Final = (
    b"101000001849,Abandoned Vehicle,2008-10-06T11:25:57-04:00,2008-10-21T10:04:30-04:00,closed,42.32137,-71.10861,0,"
)
SAN_MATEO_LINE: Final = (
    b"2022-04-26T06:39:40Z,FF2202249,2022-04-25T22:44:39,Traffic accident,South San Francisco on Control-3,"
    b"37.6426,-122.4062,CM31X5 ?TAC35 >Q62 >E61"
)


def read(
    value: bytes, source: str = "boston311", *, known: Sources | None = None, topic: str = "history", **headers: Any
) -> Report | Feedback | Rejected:
    """Read one record's value."""
    given = IntakeHeaders(source=source, **headers)
    return (known or sources()).read(given, value, topic=topic, origin=ORIGIN)


def report(value: bytes, source: str = "boston311", **more: Any) -> Report:
    """The report in a value."""
    made = read(value, source, **more)
    assert isinstance(made, Report), made
    return made


def reason(value: bytes, source: str = "boston311", **more: Any) -> Reject:
    """Why a value is rejected."""
    made = read(value, source, **more)
    assert isinstance(made, Rejected), made
    return made.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A record as the owner hands it over."""

    topic: str = "lianqin.intake.history"
    partition: int = 0
    offset: int = 0
    timestamp: int = 1_700_000_000_000
    key: bytes | None = None
    value: bytes | None = b""
    headers: Headers = ()
