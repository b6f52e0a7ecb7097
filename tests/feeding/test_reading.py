"""What is refused before anything is sent, and how a file becomes records."""

import gzip
from pathlib import Path

import pytest

from agents.feeding.errors import FeedRefused
from agents.feeding.feed import Target, prepare
from agents.feeding.ports import Quiet
from agents.feeding.reading import LINE_MAX_BYTES, LINES_MAX, read_file
from agents.packs import load_sources
from schemas.codes import Clock
from streams.ownership.cluster import Cluster
from tests.intake.kit import BOSTON_LINE

SOURCES = load_sources("pukou")
BOSTON = SOURCES["boston311"]
HEADER = ",".join(BOSTON.columns).encode()
LOG = Target(cluster=Cluster("nowhere:1"), prefix="lianqin.", clock=Clock.LOG)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "boston.csv"


def test_lines_are_the_files_own_bytes(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + HEADER + b"\r\n" + BOSTON_LINE + b"\r\n\r\n\xff broken\n" + BOSTON_LINE)
    assert read_file(file, BOSTON).lines == (BOSTON_LINE, b"\xff broken", BOSTON_LINE)


def test_a_compressed_file_is_the_same_feed(file: Path, tmp_path: Path) -> None:
    content = HEADER + b"\n" + BOSTON_LINE + b"\n"
    file.write_bytes(content)
    packed = tmp_path / "boston.csv.gz"
    packed.write_bytes(gzip.compress(content))
    assert read_file(packed, BOSTON) == read_file(file, BOSTON)


def test_another_content_or_mapping_is_another_feed(file: Path) -> None:
    file.write_bytes(HEADER + b"\n" + BOSTON_LINE + b"\n")
    first = read_file(file, BOSTON).fingerprint
    assert read_file(file, BOSTON.model_copy(update={"topic": "grid"})).fingerprint != first
    file.write_bytes(HEADER + b"\n" + BOSTON_LINE + b"1\n")
    assert read_file(file, BOSTON).fingerprint != first


QUOTED = BOSTON_LINE.replace(b"Abandoned Vehicle", b'"Abandoned, ""\nVehicle"""')


def test_a_record_whose_quotes_hold_line_ends_is_one_record(file: Path) -> None:
    file.write_bytes(HEADER + b"\r\n" + QUOTED.replace(b"\n", b"\r\n") + b"\r\n\n" + BOSTON_LINE + b"\n")
    found = read_file(file, BOSTON)
    assert found.lines == (QUOTED, BOSTON_LINE)
    assert found.numbers == (2, 5)


@pytest.mark.parametrize(
    "broken",
    [
        BOSTON_LINE.replace(b"Abandoned", b'"Abandoned'),  # ends nowhere
        BOSTON_LINE.replace(b"Abandoned", b'"Abandoned') + b"\n" + BOSTON_LINE.replace(b"Vehicle", b'Vehicle"') + b",x",
    ],
)
def test_a_stray_quote_takes_no_other_line_with_it(file: Path, broken: bytes) -> None:
    file.write_bytes(b"\n".join([HEADER, broken, BOSTON_LINE, BOSTON_LINE]))
    lines = [*broken.split(b"\n"), BOSTON_LINE, BOSTON_LINE]
    assert list(read_file(file, BOSTON).lines) == lines


def test_a_quote_that_ends_too_late_is_a_stray_one(file: Path) -> None:
    late = [
        HEADER,
        BOSTON_LINE.replace(b"Abandoned", b'"Abandoned'),
        *[b"x"] * LINES_MAX,
        BOSTON_LINE.replace(b"Veh", b'"Veh'),
    ]
    file.write_bytes(b"\n".join(late))
    assert len(read_file(file, BOSTON).lines) == len(late) - 1


def test_columns_are_apart_by_the_mappings_delimiter_in_its_encoding(file: Path) -> None:
    mapping = SOURCES["hotline12345"].model_copy(update={"delimiter": ";", "encoding": "gb18030"})
    header = ";".join(mapping.columns).encode("gb18030")
    file.write_bytes(header + b"\n" + "1;起".encode("gb18030"))
    assert read_file(file, mapping).lines == ("1;起".encode("gb18030"),)
    with pytest.raises(FeedRefused, match="has no column 工单编号"):
        read_file(file, SOURCES["hotline12345"])
    with pytest.raises(FeedRefused, match="first line must be 工单编号;来电时间"):
        read_file(file, mapping.model_copy(update={"encoding": "utf-8"}))


@pytest.mark.parametrize("content", [b'[{"id": 1}]', b'\n  [\n{"id": 1}]', b'{\n"id": 1}\n'])
def test_one_json_document_is_no_file_of_records(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(FeedRefused, match=r"one JSON document: write one object a line"):
        read_file(file, SOURCES["gridapp"])


def test_json_is_an_object_a_line(file: Path) -> None:
    file.write_bytes(b'\xef\xbb\xbf{"id": 1}\n\n{"id": "a\\nb"}\r\n')
    found = read_file(file, SOURCES["gridapp"])
    assert (found.lines, found.numbers) == ((b'{"id": 1}', b'{"id": "a\\nb"}'), (1, 3))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", r"has no column service_request_id"),
        (b"\n\n", r"has no column service_request_id"),
        (b"\xff\n", r"has no column"),
        (HEADER + b"\n \n", r"holds no records"),
        (HEADER.replace(b"lat,", b"") + b"\nx\n", r"has no column lat \("),
        (HEADER + b",more\nx\n", r"has the further columns more"),
        (HEADER.replace(b"lat,long", b"long,lat") + b"\nx\n", r"stand in another order"),
        (HEADER + b"\nok\n" + b"x" * (LINE_MAX_BYTES + 1), r"line 3: 998,977 bytes.*nothing was sent"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(file: Path, content: bytes, told: str) -> None:
    file.write_bytes(content)
    with pytest.raises(FeedRefused, match=told):
        read_file(file, BOSTON)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FeedRefused, match="there is no file"):
        read_file(tmp_path / "none.csv", BOSTON)
    with pytest.raises(FeedRefused, match="cannot be read"):
        read_file(tmp_path, BOSTON)
    for content in (b"plain", gzip.compress(b"whole")[:-9], b"\x1f\x8b\x08\0\0\0\0\0\0\0\xff\xff\xff"):
        packed = tmp_path / "x.csv.gz"
        packed.write_bytes(content)
        with pytest.raises(FeedRefused, match="no whole gzip file"):
            read_file(packed, BOSTON)


def test_an_unknown_source_is_refused_with_those_known(file: Path) -> None:
    with pytest.raises(FeedRefused, match=r"no source is called 'moon'.*boston311, .*rehearsal, sanmateo"):
        prepare("moon", file, SOURCES, LOG, Quiet())


def test_past_data_refuses_the_wall_clock(file: Path) -> None:
    wall = Target(cluster=Cluster("nowhere:1"), prefix="lianqin.", clock=Clock.WALL)
    with pytest.raises(FeedRefused, match=r"past data.*--clock log"):
        prepare("boston311", file, SOURCES, wall, Quiet())
