"""A simulated day: the same again for the same seed, in order, and what the desk makes of it is what was planted."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import orjson
import pytest
import yaml
from typer.testing import CliRunner

from agents.cli.main import program
from agents.errors import UserError
from agents.packs import SHIPPED, load_sources
from agents.places import load_intake
from agents.simulating import files
from agents.simulating.course import sayable
from agents.simulating.place import world_at
from agents.simulating.rhythm import FEWEST, MOST, SHARES
from agents.simulating.stream import Record, Simulation, Span, Truth, World
from agents.simulating.truth import Checked
from schemas.codes import Fate, Outcome
from schemas.commands import Origin, PolicyPublished
from schemas.events import CommandSettled, ReportSettled
from schemas.intake import IntakeHeaders
from streams.desk.decide import decide
from streams.desk.draft import Draft
from streams.desk.facts import Entry
from streams.desk.memory import DeskMemory

DAY = Span(begin=date(2025, 6, 2), days=1, times=1.0, seed=7)
BATCH = 200


@pytest.fixture(scope="module")
def world() -> World:
    return world_at("pukou")


def settled(world: World, span: Span) -> Iterator[tuple[int, Record, tuple[str, str]]]:
    """Each record with its row and what intake and desk settle it as, on which ticket."""
    intake = load_intake("pukou", b"a key of the tests")
    memory = DeskMemory()
    draft = Draft(memory)
    decide(draft, Entry("desk", 0, 0, 0, b""), PolicyPublished(policy=world.policy))
    for row, record in enumerate(Simulation(world, span).records()):
        headers = IntakeHeaders(source=record.source, part=record.part, time=record.time)
        origin = Origin(topic="intake.history", partition=0, offset=row)
        command = intake.read(headers, record.line, topic="history", origin=origin)
        assert not hasattr(command, "reason"), f"a dead letter: {command}"
        if row % BATCH == 0:
            draft.take()
            draft = Draft(memory)
        (last,) = [
            fact.event
            for fact in decide(draft, Entry("desk", 0, row + 1, 0, b""), command).facts
            if isinstance(fact.event, ReportSettled | CommandSettled)
        ]
        said = last.fate if isinstance(last, ReportSettled) else last.outcome
        yield row, record, (said.value, last.ticket or "")


def test_all_that_is_certain_comes_out_as_it_was_planted(world: World) -> None:
    checked = Checked()
    tickets: dict[int, str] = {}
    for row, record, found in settled(world, DAY):
        truth = record.truth
        checked.add(row, truth, found, None if truth.of is None else tickets[truth.of])
        if truth.fate is Fate.TICKETED:
            tickets[row] = found[1]
    assert checked.wrong == []
    for fate in (Fate.TICKETED, Fate.URGED, Fate.MERGED, Fate.REPEAT, Fate.AMENDED, Outcome.APPLIED, Outcome.REFUSED):
        assert checked.found[fate.value] > 0, fate


def test_handlers_say_what_is_known_that_they_may_say(world: World) -> None:
    span = Span(begin=DAY.begin, days=1, times=4.0, seed=3)
    known = {orjson.loads(one.line)["action"] for one in Simulation(world, span).records() if one.source == "handlers"}
    assert known == {world.words[action] for action in sayable(world.policy)}


def test_a_difference_is_found_and_named() -> None:

    checked = Checked()
    checked.add(0, Truth(fate=Fate.TICKETED), ("ticketed", "a.1"), None)
    checked.add(1, Truth(fate=Fate.MERGED, of=0), ("merged", "a.2"), "a.1")
    checked.add(2, Truth(fate=Fate.MERGED, of=0), ("ticketed", "a.3"), "a.1")
    checked.add(3, Truth(fate=Fate.MERGED, of=0), None, "a.1")
    assert not checked.ok
    assert (checked.planted["merged"], checked.found["merged"], checked.wrong_n) == (3, 0, 3)
    assert checked.wrong[0] == "row 1: merged on a.1 was planted, found merged on a.2"
    assert checked.wrong[2].endswith("found nothing")


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(world: World) -> None:
    once, again = (list(Simulation(world, DAY).records()) for _ in range(2))
    other = list(Simulation(world, Span(begin=DAY.begin, days=1, times=1.0, seed=8)).records())
    assert once == again
    assert [record.line for record in other] != [record.line for record in once]
    assert DAY.fingerprint("p") != Span(begin=DAY.begin, days=1, times=1.0, seed=8).fingerprint("p")


def test_records_come_in_order_from_all_sources_in_believable_numbers(world: World) -> None:
    records = list(Simulation(world, DAY).records())
    times = [record.time for record in records]
    assert times == sorted(times)
    leads = Counter(record.source for record in records if record.truth.fate is Fate.TICKETED)
    assert set(leads) == set(SHARES)
    assert FEWEST <= sum(leads.values()) <= MOST * 1.2
    tenfold = Simulation(world, Span(begin=DAY.begin, days=1, times=10.0, seed=7)).records()
    assert sum(record.truth.fate is Fate.TICKETED for record in tenfold) > 5 * sum(leads.values())


def test_as_files_each_source_has_its_own_and_the_truth_beside_them(world: World, tmp_path: Path) -> None:

    records = list(Simulation(world, DAY).records())
    counts = files.write(tmp_path, records, load_sources("pukou"))
    assert sum(counts.values()) == len(records)
    names = {"police110.jsonl", "gridapp.jsonl", "citizenapp.jsonl", "hotline12345.csv", "handlers.jsonl", "truth.csv"}
    assert {file.name for file in tmp_path.iterdir()} == names
    truth = (tmp_path / "truth.csv").read_text().splitlines()
    assert len(truth) == len(records) + 1
    assert truth[1].split(",")[2:5] == [records[0].source, records[0].key, "ticketed"]


def without_gazetteer(pack: Path) -> None:
    (pack / "gazetteer.yaml").unlink()


def without_a_word(pack: Path) -> None:
    file = pack / "sources" / "handlers.yaml"
    handlers = yaml.safe_load(file.read_text())
    known = handlers["feedback"]["action"]["known"]
    handlers["feedback"]["action"]["known"] = {word: name for word, name in known.items() if name != "voided"}
    file.write_text(yaml.safe_dump(handlers, allow_unicode=True))


def without_citizens(pack: Path) -> None:
    file = pack / "sources" / "handlers.yaml"
    file.write_text(file.read_text().replace("citizenapp: citizenapp, ", ""))
    (pack / "sources" / "citizenapp.yaml").unlink()


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (without_gazetteer, "no area has both grids in grids.yaml and a place with coordinates in gazetteer.yaml"),
        (without_a_word, "no source handlers has a word for voided"),
        (without_citizens, "no source citizenapp tells a category of its own"),
    ],
)
def test_a_district_that_lacks_what_is_drawn_from_is_refused_in_one_line(
    tmp_path: Path, spoil: Callable[[Path], None], why: str
) -> None:
    shutil.copytree(SHIPPED / "districts" / "pukou", pack := tmp_path / "ours")
    spoil(pack)
    with pytest.raises(UserError, match=f"district ours cannot be simulated: {why}. Put that") as refused:
        world_at(f"{pack}/")
    assert "\n" not in str(refused.value)


def test_a_source_of_another_shape_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED / "districts" / "pukou", pack := tmp_path / "ours")
    file = pack / "sources" / "police110.yaml"
    file.write_text(file.read_text().replace("JJDBH", "BH"))
    with pytest.raises(UserError, match="source police110 cannot be simulated: its mapping reads records"):
        next(Simulation(world_at(f"{pack}/"), DAY).records())


def test_what_was_written_is_told_to_programs_too(tmp_path: Path) -> None:
    told = CliRunner().invoke(program(), ["simulate", "--times", "0.01", "--out", str(tmp_path / "day"), "--json"])
    found = orjson.loads(told.stdout)
    assert found["folder"] == str(tmp_path / "day")
    assert set(found["records"]) <= {*SHARES, "handlers"}
    assert sum(found["records"].values()) == len((tmp_path / "day" / "truth.csv").read_text().splitlines()) - 1
