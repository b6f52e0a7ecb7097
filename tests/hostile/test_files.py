"""Files that were made to do harm: each is refused with one line that says what to do."""

import gzip
from pathlib import Path

import pytest

from agents.errors import UserError
from agents.feeding import reading
from agents.feeding.errors import FeedRefused
from agents.feeding.reading import read_file
from agents.packing.files import PackError, read
from agents.packs import FILES, load_sources

MAPPING = load_sources("pukou")["boston311"]
UNITS = FILES["units"]

NONE = {
    "a.csv.gz": b"\x1f\x8b\x08\x00",
    "b.csv.gz": b"not packed",
    "c.csv.gz": gzip.compress(b"x" * 1000)[:-5],
    "d.csv.gz": gzip.compress(b"x" * 1000)[:40] + b"\xff" * 40,
    "e.csv": b"",
    "f.csv": b"\0",
    "g.csv": b"\xff\xfe\0\0",
    "h.csv": b'"' * 100_000,
    "i.csv.gz": gzip.compress(gzip.compress(b"service_request_id")),
}
"""Files that are none, by name."""


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "CONTENT_MAX_BYTES", 1 << 20)
    asked: list[int] = []

    class Counted(gzip.GzipFile):
        def read(self, size: int | None = -1) -> bytes:
            got = super().read(size)
            asked.append(len(got))
            return got

    monkeypatch.setattr(gzip, "GzipFile", Counted)
    file = tmp_path / "bomb.csv.gz"
    file.write_bytes(gzip.compress(b"\0" * (50 << 20), 1))
    assert file.stat().st_size < 1 << 20
    with pytest.raises(FeedRefused, match=r"bomb\.csv\.gz holds more than 1 MiB or 20,000,000 lines: cut it"):
        read_file(file, MAPPING)
    assert asked == [(1 << 20) + 1]


def test_a_file_of_line_ends_is_not_cut_into_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "ROWS_MAX", 1_000)
    file = tmp_path / "empty.csv"
    file.write_bytes(b"\n" * 1_001)
    with pytest.raises(FeedRefused, match="1,000 lines"):
        read_file(file, MAPPING)


@pytest.mark.parametrize(("name", "content"), NONE.items(), ids=NONE)
def test_a_file_that_is_none_is_refused_in_a_line(tmp_path: Path, name: str, content: bytes) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(FeedRefused) as refused:
        read_file(file, MAPPING)
    assert str(refused.value).count("\n") == 0


def laughs() -> str:
    """Nine lines that stand for four hundred million words."""
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{c}: &{c} [{', '.join([f'*{p}'] * 9)}]" for p, c in zip("abcdefgh", "bcdefghi", strict=True)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (laughs(), ":6: by its aliases more than 100,000 words"),
        ("units: &a [*a]", ":1: an alias of what it stands in"),
        ("[" * 20_000, ":1: lists and mappings deeper than 30"),
        ("".join(" " * n + "a:\n" for n in range(2_000)), ":30: lists and mappings deeper than 30"),
        ("units: !!timestamp x", ":1: a tag"),
        ("units: !!bool x", ":1: a tag"),
        ('units: !!python/object/apply:os.system ["true"]', ":1: a tag"),
        ("units: 2024-02-30", "is not YAML: day is out of range"),
        (f"units: {'9' * 5_000}", "is not YAML: Exceeds the limit"),
        ("units: \0", "is not YAML"),
        ("units: .inf", "units: "),
        ("<<: [1]", "is not YAML"),
        ("? [1, 2]\n: 3", "is not YAML"),
    ],
)
def test_a_pack_file_that_was_made_to_do_harm_is_refused(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "units.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(PackError) as refused:
        read(file, UNITS)
    assert told in str(refused.value)
    assert isinstance(refused.value, UserError)
