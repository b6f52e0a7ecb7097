"""How well the rules for duplicates do: what counts as found, as right, as missed and why."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import h3
import orjson
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from rich.console import Console
from typer.testing import CliRunner

from agents.cli.evaluate import evaluate as command
from agents.errors import UserError
from agents.evaluating.evaluate import Asked, evaluate
from agents.evaluating.figures import Figures, Found, Sweep
from agents.evaluating.page import page
from agents.evaluating.sweeping import RADII, WINDOWS
from agents.evaluating.terminal import show
from agents.feeding.progress import Bar
from agents.packs import SHIPPED

HEADER = "service_request_id,service_name,requested_datetime,closed_datetime,status,lat,long,is_duplicate,duplicate_of"
LAT, LON = h3.cell_to_latlng(h3.latlng_to_cell(42.32, -71.10, 7))
METRE = 1 / 111_195.08
START = datetime(2015, 6, 1, tzinfo=UTC)


class Row(NamedTuple):
    """One request; hours from the beginning, metres north of a corner."""

    id: str
    hour: float = 0
    north: float = 0
    closed: float | None = 900
    of: str = ""
    marked: str = ""
    name: str = "Abandoned Vehicle"
    lat: float | None = LAT

    def line(self) -> str:
        """As it stands in the file."""
        closed = "" if self.closed is None else _time(self.closed)
        lat, lon = ("", "") if self.lat is None else (f"{self.lat + self.north * METRE:.7f}", f"{LON:.7f}")
        marked = self.marked or ("1" if self.of else "0")
        return f"{self.id},{self.name},{_time(self.hour)},{closed},closed,{lat},{lon},{marked},{self.of}"


def _time(hour: float) -> str:
    return (START + timedelta(hours=hour)).isoformat()


def measured(
    tmp_path: Path, rows: Sequence[Row], *, sweep: bool = False, **others: Any
) -> tuple[Figures, Sweep | None]:
    """The figures of a file of these rows."""
    file = tmp_path / "labelled.csv"
    file.write_text("\n".join([HEADER, *(row.line() for row in rows)]))
    given_ = {"source": "boston311", "parent": "duplicate_of", "mark": "is_duplicate", "district": "pukou"} | others
    with Bar(Console(quiet=True)) as bar:
        return evaluate(Asked(file=file, **given_), sweep=sweep, bar=bar)


def test_a_pair_that_is_proposed_is_right_where_the_labels_say_so(tmp_path: Path) -> None:
    rows = [
        Row("parent", 0, closed=50),
        Row("child", 10, 5, closed=30, of="parent"),
        Row("other", 20, 8, closed=90),
        Row("alone", 0, 500),
    ]
    figures, sweep = measured(tmp_path, rows)
    assert sweep is None
    # `child` is proposed with `parent`; `other` with both, and neither is labelled
    assert figures.candidates == Found(found=3, right=1, wanted=1, met=1)
    assert figures.automatic == Found(found=0, right=0, wanted=1, met=0)
    assert figures.together.recall == 1
    assert (figures.asked.reports, figures.asked.marked) == (2, 1)
    assert (figures.read.reports, figures.read.named, figures.read.marked, figures.read.clusters) == (4, 1, 1, 1)
    assert figures.missed == {}
    assert figures.busiest_day == 3
    # until the first closing of the two: 20 h, 10 h, 30 h
    assert (figures.to_decide.ended, figures.to_decide.open) == (3, 0)
    assert (figures.to_decide.p50_ms, figures.to_decide.p90_ms) == (20 * 3_600_000, 30 * 3_600_000)
    assert figures.to_decide_right.p50_ms == 20 * 3_600_000
    assert figures.by_category["abandoned-vehicle"].candidates == figures.candidates


def test_clusters_are_what_hangs_together_whoever_is_called_the_parent(tmp_path: Path) -> None:
    rows = [
        Row("a", 0),
        Row("b", 1, 1000, of="c"),  # names a later one
        Row("c", 2, 2, of="a"),
        Row("d", 3, 1001, of="b"),
    ]
    figures, _ = measured(tmp_path, rows)
    assert (figures.read.wanted, figures.read.clusters) == (3, 1)
    assert (figures.candidates.right, figures.candidates.met) == (2, 2), "c with a, d with b"
    assert figures.missed == {"too far away": 1}


@pytest.mark.parametrize(
    ("parent", "child", "why"),
    [
        (Row("p"), Row("c", 1, 20_000, of="p"), "in another area"),
        (Row("p"), Row("c", 1, name="Illegal Parking", of="p"), "of another category"),
        (Row("p", closed=0.5), Row("c", 1, of="p"), "closed before"),
        (Row("p", name="Other"), Row("c", 1, name="Other", of="p"), "no rule of nearness"),
        (Row("p", lat=None), Row("c", 1, lat=None, of="p"), "without coordinates"),
        (Row("p"), Row("c", 1, 101, of="p"), "too far away"),
        (Row("p"), Row("c", 15 * 24 + 1, of="p"), "too long ago"),
        (Row("p"), Row("c", 14 * 24, 90, of="p"), "scored too low, or others better"),
    ],
)
def test_why_a_duplicate_was_not_found(tmp_path: Path, parent: Row, child: Row, why: str) -> None:
    figures, _ = measured(tmp_path, [parent, child])
    assert figures.missed == {why: 1}
    assert (figures.read.wanted, figures.together.recall) == (1, 0)


def test_what_cannot_be_read_and_what_is_not_there_is_no_duplicate(tmp_path: Path) -> None:
    rows = [Row("p"), Row("c", 1, of="p"), Row("lost", 2, 500, of="gone"), Row("self", 3, 900, of="self")]
    broken = Row("broken", 4)._replace(name="Abandoned Vehicle,too,many")
    figures, _ = measured(tmp_path, [*rows, broken])
    assert (figures.read.reports, figures.read.unusable, figures.read.named, figures.read.wanted) == (4, 1, 2, 1)


def test_one_that_is_marked_without_a_parent_counts_for_what_humans_are_asked(tmp_path: Path) -> None:
    rows = [Row("p"), Row("c", 1, of="p", marked="TRUE"), Row("m", 2, marked="yes"), Row("n", 3, marked="no")]
    figures, _ = measured(tmp_path, rows)
    assert (figures.asked.reports, figures.asked.marked) == (3, 2)
    unmarked, _ = measured(tmp_path, rows, mark=None)
    assert (unmarked.asked.marked, unmarked.read.marked) == (1, 1), "without the column: those that name a parent"


def test_what_the_desk_joins_by_itself_is_measured_apart(tmp_path: Path) -> None:
    """The shipped mapping names neither reporter nor object: one that takes the status column for the object does."""
    text = (SHIPPED / "sources/boston311.yaml").read_text()
    text = text.replace("ignored: [status, is_duplicate,", "ignored: [is_duplicate,")
    mapping = tmp_path / "boston311.yaml"
    mapping.write_text(text.replace("\nclosed:\n", "\n  object: {column: status}\n\nclosed:\n"))
    rows = [Row("p"), Row("c", 1, 500, of="p"), Row("x", 2, 900)]
    figures, _ = measured(tmp_path, rows, source=str(mapping))
    assert figures.fates == {"merged": 2, "ticketed": 1}
    assert figures.automatic == Found(found=2, right=1, wanted=1, met=1)
    assert figures.together.f1 == pytest.approx(2 / 3)


def test_shares_of_nothing_are_none() -> None:
    nothing = Found(found=0, right=0, wanted=0, met=0)
    assert (nothing.precision, nothing.recall, nothing.f1) == (None, None, None)
    assert Found(found=4, right=0, wanted=4, met=0).f1 == 0


ROWS = st.lists(
    st.tuples(
        st.sampled_from([0, 20, 49, 51, 99, 120, 260]),
        st.sampled_from([0.0, 0.5, 2, 30, 100, 200, 400]),
        st.sampled_from([0.2, 5, 300, 2000]),
        st.integers(0, 5),
    ),
    min_size=3,
    max_size=14,
)


@given(ROWS)
@settings(max_examples=12, deadline=None, phases=[Phase.generate])  # each reads a district's pack: no shrinking
def test_the_sweep_is_what_each_rule_would_give(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[tuple[int, float, float, int]]
) -> None:
    rows, hour = [Row("r0", 0, 0, 900)], 0.0
    for number, (north, later, open_for, parent) in enumerate(drawn, start=1):
        hour += later
        of = f"r{number % 3}" if parent == 0 and number > 3 else ""
        rows.append(Row(f"r{number}", hour, north, hour + open_for, of=of))
    rows.append(Row("last", hour + 1, 0, None, of="r0"))
    _, sweep = measured(tmp_path_factory.mktemp("sweep"), rows, sweep=True)
    assert sweep is not None
    cluster = _clusters(rows)
    told = [(one.metres, one.seconds, one.candidates.found, one.candidates.right, one.candidates.met) for one in sweep]
    assert told == [
        (metres, seconds, *_tried(rows, cluster, metres, seconds)) for metres, seconds in product(RADII, WINDOWS)
    ]


def _clusters(rows: Sequence[Row]) -> dict[str, str]:
    """Each row's cluster, by painting neighbours until nothing changes."""
    colour = {row.id: row.id for row in rows}
    for _ in rows:
        for row in rows:
            if row.of in colour:
                colour[row.id] = colour[row.of] = min(colour[row.id], colour[row.of])
    return colour


def _tried(rows: Sequence[Row], cluster: dict[str, str], metres: int, seconds: int) -> tuple[int, int, int]:
    pairs = right = met = 0
    for place, row in enumerate(rows):
        near = [
            one
            for one in rows[:place]
            if (one.closed is None or one.closed > row.hour)
            and abs(one.north - row.north) <= metres
            and (row.hour - one.hour) * 3600 <= seconds
        ]
        same = [one for one in near if cluster[one.id] == cluster[row.id]]
        pairs, right, met = pairs + len(near), right + len(same), met + bool(same)
    return pairs, right, met


def test_the_sweep_can_be_of_one_category(tmp_path: Path) -> None:
    rows = [Row("p"), Row("c", 0.5, of="p"), Row("o", 0, name="Other"), Row("q", 0.5, name="Other", of="o")]
    _, both = measured(tmp_path, rows, sweep=True)
    _, one = measured(tmp_path, rows, sweep=True, categories=("general",))
    assert both is not None
    assert one is not None
    assert both[0].candidates == Found(found=2, right=2, wanted=2, met=2)
    assert one[0].candidates == Found(found=1, right=1, wanted=1, met=1)


@pytest.mark.parametrize(
    ("others", "text"),
    [
        ({"parent": "parent"}, "has no column 'parent' to take labels from: it has service_request_id, "),
        ({"mark": "dup"}, "has no column 'dup'"),
        ({"source": "nowhere"}, "no source is called 'nowhere': take one of boston311, "),
        ({"categories": ("litter",)}, "has no category 'litter': it has abandoned-vehicle, "),
        ({"district": "nowhere"}, "no district is called 'nowhere'"),
    ],
)
def test_what_cannot_be_measured_is_told(tmp_path: Path, others: dict[str, Any], text: str) -> None:
    with pytest.raises(UserError, match=text):
        measured(tmp_path, [Row("p"), Row("c", 1, of="p")], **others)


def test_a_file_without_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match="names in column 'duplicate_of' another row of the file: nothing to measure by"
    ):
        measured(tmp_path, [Row("p"), Row("c", 1, of="gone")])


def test_the_command_gives_figures_for_programs_and_a_page(tmp_path: Path) -> None:
    file, out = tmp_path / "labelled.csv", tmp_path / "pages" / "dedup.html"
    file.write_text("\n".join([HEADER, *(row.line() for row in (Row("p"), Row("c", 1, of="p"), Row("<b>", 2, 500)))]))
    asked = ["dedup", "boston311", str(file), "--label", "duplicate_of", "--sweep"]
    ran = CliRunner().invoke(command, [*asked, "--json", "--html", str(out)])
    assert ran.exit_code == 0, ran.output
    told = orjson.loads(ran.stdout)
    assert (told["duplicates"], told["candidates"]["recall"], told["hours_to_decide"]["p50"]) == (1, 1, 899)
    assert [(one["metres"], one["hours"]) for one in told["sweep"]][:2] == [(25, 1), (25, 24)]
    text = out.read_text()
    assert text.count("<svg") == 4
    assert not re.search(r"<(script|link|img|iframe)|(src|href)=\"http", text), "it asks for nothing from outside"
    assert "<b>" not in text
    assert CliRunner().invoke(command, ["dedup", "boston311", str(file)]).exit_code == 2


def test_the_figures_are_shown(tmp_path: Path) -> None:
    rows = [Row("p"), Row("c", 1, of="p"), Row("far", 2, 101, of="p")]
    figures, sweep = measured(tmp_path, rows, sweep=True)
    console = Console(record=True, width=100, force_terminal=False)
    show(figures, sweep, console)
    text = console.export_text()
    assert "candidates (D3): pairs" in text
    assert "50.0 %" in text
    assert "too far away" in text
    assert re.search(r"250 m +30 d +3 ", text)
    assert "too far away" in page(figures, None)
