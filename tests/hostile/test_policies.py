"""Policies that contradict themselves, or say numbers that nobody can write: refused, and the former ones hold."""

from typing import Any

import orjson
import pytest

from agents.desk import DeskDeps, answer_to, command_in
from schemas.codec import encode
from schemas.codes import Clock, Outcome, Refusal
from schemas.events import EVENT, CommandSettled
from streams.desk.memory import DeskMemory
from tests.fuzz.chain import POLICIES, batch
from tests.intake.kit import Row

GOOD = orjson.loads(POLICIES[Clock.WALL])
DEPS = DeskDeps(tickets="tickets", dead_letter="dead")


def changed(**more: Any) -> bytes:
    """The district's policy with something else in it."""
    return orjson.dumps({**GOOD, "policy": {**GOOD["policy"], "version": "other", **more}})


def said(memory: DeskMemory, value: bytes, offset: int) -> CommandSettled:
    row = Row(topic="lianqin.desk", offset=offset, value=value)
    answer = answer_to(batch("desk", [row], memory), DEPS)
    answer.take()
    [settled] = [EVENT.decode(send.value or b"") for send in answer.sends if send.topic == "tickets"]
    assert isinstance(settled, CommandSettled)
    return settled


@pytest.mark.parametrize(
    "more",
    [
        {"catch_all": "nobody"},
        {"copy_unclear": ["nobody"]},
        {"copy_danger": ["nobody"]},
        {"routes": [{**GOOD["policy"]["routes"][0], "units": ["nobody"]}]},
        {"calendar": {**GOOD["policy"]["calendar"], "off": ["2026-02-30"]}},
        {"calendar": {**GOOD["policy"]["calendar"], "zone": "Mars/Olympus"}},
    ],
)
def test_a_policy_that_contradicts_itself_is_refused_and_the_former_holds(more: dict[str, Any]) -> None:
    memory = DeskMemory()
    assert said(memory, POLICIES[Clock.WALL], 0).outcome is Outcome.APPLIED
    held = memory.rules
    settled = said(memory, changed(**more), 1)
    assert (settled.outcome, settled.reason) == (Outcome.REFUSED, Refusal.BAD_COMMAND)
    assert memory.rules is held


@pytest.mark.parametrize("name", ["back_date_s", "wait_s", "keep_closed_s", "near_m", "extension_most_s"])
def test_a_number_that_nobody_can_write_back_is_no_command(name: str) -> None:
    raw = changed(**{name: -77777}).replace(b"-77777", b"9" * 60)
    assert command_in(raw) is None
    made = said(DeskMemory(), raw, 0)
    assert (made.outcome, made.reason) == (Outcome.FAILED, Refusal.BAD_COMMAND)
    assert encode(made)
