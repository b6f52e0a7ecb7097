"""In which order a file is sent."""

from hypothesis import given
from hypothesis import strategies as st

from agents.feeding.plan import Item, plan
from agents.packs import load_sources
from streams.intake.sources import Sources
from tests.intake.kit import police

SOURCES = Sources(load_sources("pukou").values(), key=b"-", catch_all="-").by_name
BOSTON, SAN_MATEO = SOURCES["boston311"], SOURCES["sanmateo"]


def boston(name: str, opened: int | None, closed: int | str = "") -> bytes:
    """A row whose times are seconds of one minute."""
    start = "" if opened is None else f"2015-01-01T00:00:{opened:02}+00:00"
    end = f"2015-01-01T00:00:{closed:02}+00:00" if isinstance(closed, int) else closed
    return f"{name},Other,{start},{end},closed,42.3,-71.1,0,".encode()


def sighting(name: str, second: int) -> bytes:
    return f"2022-01-01T00:00:{second:02}Z,{name},,Medical aid,County Fire on Control-1,,,".encode()


def short(items: object) -> list[str]:
    """Id, part and second of each item, as in `a report 5`."""
    assert isinstance(items, list)
    return [f"{_id(item)} {item.part} {item.time // 1000 % 60}" for item in items]


def _id(item: Item) -> str:
    return (item.key or b"?").decode()


def test_reports_and_closings_go_together_by_time() -> None:
    made = plan(BOSTON, [boston("a", 1, 9), boston("b", 3, 5), boston("c", 9)])
    assert short(made.items) == ["a report 1", "b report 3", "b closed 5", "a closed 9", "c report 9"]
    assert (made.reports, made.closings) == (3, 2)


def test_a_report_goes_before_its_own_closing() -> None:
    made = plan(BOSTON, [boston("a", 5, 5), boston("b", 5, 2)])
    assert short(made.items) == ["a report 5", "a closed 5", "b report 5", "b closed 5"]


def test_a_broken_line_keeps_its_place() -> None:
    made = plan(BOSTON, [b"first", boston("a", 3), b"\xff", boston("b", 7), boston("c", None), boston("d", 8)])
    assert short(made.items) == ["? report 3", "a report 3", "? report 3", "b report 7", "c report 7", "d report 8"]
    assert made.items[2].line == b"\xff"


def test_a_row_that_intake_will_refuse_is_sent_once() -> None:
    no_number = boston("b", 4, 6).replace(b"42.3", b"north")
    no_id = boston("", 5, 6)
    made = plan(BOSTON, [boston("a", 3, 9), no_number, no_id])
    assert short(made.items) == ["a report 3", "b report 4", "? report 5", "a closed 9"]


def test_a_sighting_that_cannot_be_read_does_not_end_an_incident() -> None:
    unreadable = sighting("x", 7).replace(b",,,", b",north,,")
    made = plan(SAN_MATEO, [sighting("x", 1), sighting("x", 5), unreadable])
    assert short(made.items) == ["x report 1", "x report 5", "x closed 5", "x report 7"]


def test_a_file_of_broken_lines_takes_the_time_of_the_log() -> None:
    assert [item.time for item in plan(BOSTON, [b"x", b"y"], floor=5).items] == [5, 5]


def test_a_closing_time_that_cannot_be_read_becomes_a_record_of_its_own() -> None:
    made = plan(BOSTON, [boston("a", 3, "soon"), boston("b", 4)])
    assert short(made.items) == ["a report 3", "a closed 3", "b report 4"]


def test_an_incident_is_over_at_its_last_sighting() -> None:
    made = plan(SAN_MATEO, [sighting("a", 1), sighting("b", 2), sighting("a", 5), b"broken", sighting("b", 4)])
    assert short(made.items) == [
        "a report 1",
        "b report 2",
        "b report 4",
        "b closed 4",
        "a report 5",
        "a closed 5",
        "? report 5",
    ]


def test_what_is_urgent_is_told() -> None:
    source = Sources([police()], key=b"-", catch_all="-").by_name["alarms"]
    lines = [b'{"id": "a", "at": 1, "level": "%s"}' % level.encode() for level in ("特急", "一般", "")]
    assert [item.urgent for item in plan(source, lines).items] == [True, False, False]


def test_feedback_goes_by_its_own_time_and_is_told_apart() -> None:
    about = [
        b'{"ticket": "320111004.a%d", "action": "%s", "at": "2025-06-02T08:00:%02d+08:00"}' % (n, word, second)
        for n, word, second in ((1, "签收".encode(), 9), (2, "签收".encode(), 3), (3, b"?", 5))
    ]
    made = plan(SOURCES["handlers"], [*about, b"broken"])
    assert [(item.key, item.part, item.number) for item in made.items] == [
        (b"320111004.a2", "feedback", 1),
        (b"320111004.a3", "feedback", 2),
        (None, "feedback", 3),
        (b"320111004.a1", "feedback", 0),
    ]
    assert (made.reports, made.closings, made.feedback) == (0, 0, 4)


def test_feedback_on_a_report_is_keyed_by_the_reports_id() -> None:
    line = b'{"source": "gridapp", "source_id": "G1", "area": "320111004", "action": "x", "at": "2025-06-02T08:00:00Z"}'
    assert plan(SOURCES["handlers"], [line]).items[0].key == b"G1"


LINES = st.lists(
    st.one_of(
        st.builds(boston, st.sampled_from("abc"), st.integers(0, 59), st.one_of(st.integers(0, 59), st.just(""))),
        st.binary(max_size=20).filter(lambda line: b"\n" not in line),
    )
)


@given(LINES)
def test_every_line_is_sent_once_in_order_of_time(lines: list[bytes]) -> None:
    made = plan(BOSTON, lines)
    assert sorted(item.line for item in made.items if item.part == "report") == sorted(lines)
    times = [item.time for item in made.items]
    assert times == sorted(times)
    assert made == plan(BOSTON, lines)
