"""A process says the same only now and then, and how often it did not."""

import logging

import pytest

from agents import journal
from agents.journal import Sparing


def _record(text: str, *args: object) -> logging.LogRecord:
    return logging.LogRecord("aiokafka", logging.ERROR, __file__, 1, text, args, None)


def test_the_same_is_said_once_in_ten_seconds_and_how_often_it_was_kept_back() -> None:
    now = 0.0
    sparing = Sparing(lambda: now)
    said = []
    for tenth in range(300):
        now = tenth / 10
        record = _record("node %d is away, 100%%", 1)
        if sparing.filter(record):
            said.append(record.getMessage())
    assert said == [
        "node 1 is away, 100%",
        "node 1 is away, 100% (99 times more in the last 10 s)",
        "node 1 is away, 100% (99 times more in the last 10 s)",
    ]


def test_another_text_is_said_at_once() -> None:
    sparing = Sparing(lambda: 0.0)
    assert sparing.filter(_record("node %d is away", 1))
    assert sparing.filter(_record("node %d is away", 2))
    assert not sparing.filter(_record("node %d is away", 2))


def test_ever_new_texts_do_not_fill_the_memory() -> None:
    sparing = Sparing(lambda: 0.0)
    assert all(sparing.filter(_record("offset %d", number)) for number in range(5_000))
    assert len(sparing._said) <= 1_000  # noqa: SLF001 - nothing else shows it


def test_the_journal_writes_no_escapes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(logging.root, "handlers", [])
    journal.begin()
    logging.getLogger("any").error("said %s", "a\x1b]0;x\n坐席", exc_info=ValueError("b\x1b[2J"))
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert "ERROR said a\\x1b]0;x\n坐席" in said
    assert "ValueError: b\\x1b[2J" in said
