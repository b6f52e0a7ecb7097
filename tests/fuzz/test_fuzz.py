"""A short run of the fuzzer; that it notices what it should; and documents made by rule for every live source."""

from itertools import count
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.intake import Intake
from schemas.codes import Clock
from schemas.intake import IntakeHeaders
from streams.desk import reports
from tests.fuzz import cases, nasty, records, run
from tests.fuzz.chain import Chain
from tests.intake.kit import Row


def test_twenty_thousand_bad_inputs(tmp_path: Path) -> None:
    account = run.run(seed=26, inputs=20_000, jobs=1, into=tmp_path)
    assert [said for said, _ in account.whole.failed] == []
    assert account.whole.inputs.total() >= 20_000
    assert set(account.whole.inputs) == {cases.CHAIN, *run.OTHERS}
    assert account.whole.commands > 2_000
    assert {"broken", "wrong-type", "not-utf8", "missing-field", "unknown-source"} <= set(account.whole.rejects)


def test_the_same_seed_gives_the_same_round() -> None:
    one, other = run.played(3, 1), run.played(3, 1)
    assert (one.inputs, one.rejects, one.commands) == (other.inputs, other.rejects, other.commands)


@pytest.mark.parametrize(
    ("where", "what", "fault", "told"),
    [
        (Intake, "_bury", lambda *_: None, "Finding: a record became 0 commands and 0 dead letters"),
        (Intake, "_forward", lambda *_: None, "Finding: a record became 0 commands and 0 dead letters"),
        (reports, "_opened", lambda *_: 1 // 0, "Finding: a command was settled failed: report"),
    ],
)
def test_a_planted_fault_is_found_made_small_and_found_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, where: Any, what: str, fault: Any, told: str
) -> None:
    monkeypatch.setattr(where, what, fault)
    account = run.run(seed=1, inputs=1, jobs=1, into=tmp_path)
    said, _ = account.whole.failed[0]
    assert said.startswith(told)
    small = cases.load(account.files[0].read_bytes())
    assert small.inputs <= 2
    assert run.main(["--replay", str(account.files[0])]) == 1
    monkeypatch.undo()
    assert run.main(["--replay", str(account.files[0])]) == 0


CHAIN = Chain(Clock.WALL)
OFFSETS = count()
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=30),
    st.sampled_from(nasty.WORDS),
    st.sampled_from(nasty.KNOWN),
)
NESTED = st.recursive(ODD, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner))


def nested(fields: dict[str, Any]) -> dict[str, Any]:
    """`{"location.lat": 1}` → `{"location": {"lat": 1}}`."""
    made: dict[str, Any] = {}
    for path, value in fields.items():
        at, *rest = path.split(".")
        made[at] = nested({".".join(rest): value}) | made.get(at, {}) if rest else value
    return made


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_documents_made_by_rule_go_through_the_chain(data: st.DataObject) -> None:
    source = data.draw(st.sampled_from(sorted(name for name, one in records.SOURCES.items() if one.format == "json")))
    mapping = records.SOURCES[source]
    seed = data.draw(st.sampled_from([one for one in records.LIVE if one.source == source]))
    changed = data.draw(st.dictionaries(st.sampled_from(mapping.columns), NESTED, max_size=6))
    value = orjson.dumps({**orjson.loads(seed.value), **nested(changed)})
    headers = IntakeHeaders(source=source, **seed.headers).to_kafka()
    topic = data.draw(st.sampled_from([mapping.topic, "urgent"]))
    offset = next(OFFSETS)
    rows = [Row(topic=f"lianqin.intake.{topic}", offset=offset, timestamp=records.BEGIN, value=value, headers=headers)]
    CHAIN.take(rows)
