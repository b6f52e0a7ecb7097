"""What the generator plants, the desk finds: every fate, exactly."""

import csv
from collections import Counter
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import h3
import pytest

from agents.local.rehearsal import Row, rehearse, write
from schemas.codes import Action, Clock, Fate, Outcome
from schemas.commands import Command, Feedback, Report
from schemas.events import CommandSettled, ReportSettled
from tests.desk.logs import POLICY, Log


def millis(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def commands_of(rows: list[Row]) -> list[Command]:
    """Reports and closings in the order of their times, a report before a closing."""
    timed: list[tuple[int, bool, Command]] = []
    for row in rows:
        area = h3.latlng_to_cell(float(row.lat), float(row.lon), 7)
        time = millis(row.time)
        content = "|".join((row.time, row.category, row.text, row.reporter_phone, row.object))
        report = Report(
            source="rehearsal",
            source_id=row.id,
            content=content,
            time=time,
            occurred_at=time,
            area=area,
            category=row.category,
            text=row.text,
            reporter=row.reporter_phone,
            object=row.object or None,
        )
        timed.append((time, False, report))
        if row.closed_at:
            at = millis(row.closed_at)
            closing = Feedback(
                source="rehearsal", source_id=row.id, action=Action.CLOSED, time=at, occurred_at=at, area=area
            )
            timed.append((at, True, closing))
    return [command for _, _, command in sorted(timed, key=lambda one: one[:2])]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_desk_finds_what_was_planted(seed: int) -> None:
    rows = rehearse(seed, 3000)
    log = Log(policy=replace(POLICY, clock=Clock.LOG, closing_sources=("rehearsal",)))
    for command in commands_of(rows):
        log.add(command, 0)
    found = Counter(
        (fact.event.source_id, fact.event.fate.value, fact.event.ticket)
        for fact in log.facts
        if isinstance(fact.event, ReportSettled)
    )
    tickets = {source_id: ticket for source_id, fate, ticket in found if fate == Fate.TICKETED}
    assert found == Counter((row.id, row.label, tickets[row.label_of or row.id]) for row in rows)
    outcomes = [fact.event.outcome for fact in log.facts if isinstance(fact.event, CommandSettled)]
    assert set(outcomes) == {Outcome.APPLIED}


def test_each_fate_is_planted() -> None:
    labels = Counter(row.label for row in rehearse(1, 3000))
    assert labels["ticketed"] > 2500
    assert all(labels[fate] > 30 for fate in ("urged", "merged", "repeat"))


def test_a_seed_gives_the_same_rows_for_ever(tmp_path: Path) -> None:
    assert rehearse(7, 500) == rehearse(7, 500)
    assert rehearse(7, 500) != rehearse(8, 500)
    write(tmp_path / "rehearsal.csv", rehearse(7, 500))
    with (tmp_path / "rehearsal.csv").open(encoding="utf-8", newline="") as file:
        assert [Row(**row) for row in csv.DictReader(file)] == rehearse(7, 500)
