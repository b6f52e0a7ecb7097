"""The key of the hashes that stand for persons."""

import errno
import os
from pathlib import Path
from typing import NoReturn

import pytest
from pydantic import SecretStr

from agents.cli.worker import key_for
from agents.errors import DiskFull, UserError
from agents.keys import FILE, privacy_key
from agents.local.folder import DataFolder
from agents.settings import Settings


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    first = privacy_key(Settings(), tmp_path, make=True)
    assert privacy_key(Settings(), tmp_path, make=True) == first
    assert len(first) == 32
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == [FILE]


def test_production_supplies_its_own(tmp_path: Path) -> None:
    assert privacy_key(Settings(privacy_key=SecretStr("k" * 20)), tmp_path, make=False) == b"k" * 20
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("key", ["short", "x" * 65])
def test_a_key_of_the_wrong_length_is_refused_without_being_shown(tmp_path: Path, key: str) -> None:
    with pytest.raises(UserError, match=f"has {len(key)} bytes: set LIANQIN_PRIVACY_KEY") as refused:
        privacy_key(Settings(privacy_key=SecretStr(key)), tmp_path, make=True)
    assert key not in str(refused.value)


def test_none_is_made_where_others_may_have_another(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="set LIANQIN_PRIVACY_KEY"):
        privacy_key(Settings(), tmp_path, make=False)
    assert list(tmp_path.iterdir()) == []
    made = privacy_key(Settings(), tmp_path, make=True)
    assert privacy_key(Settings(), tmp_path, make=False) == made


@pytest.mark.parametrize("make", [False, True])
def test_a_key_that_stands_is_read_and_nothing_written(tmp_path: Path, *, make: bool) -> None:
    made = privacy_key(Settings(), tmp_path, make=True)
    os.utime(tmp_path, (0, 0))
    # A disk may be full when a worker is started again: what it needs is there already.
    assert privacy_key(Settings(), tmp_path, make=make) == made
    assert tmp_path.stat().st_mtime == 0


def test_a_key_that_finds_no_room_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(file: Path, _: bytes) -> NoReturn:
        file.touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(DiskFull, match=rf"{FILE} cannot be written"):
        privacy_key(Settings(), tmp_path, make=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stages", [["desk", "views"], ["ledger"]])
def test_who_hashes_nobody_leaves_no_key_that_intake_would_take_for_the_centres(
    tmp_path: Path, stages: list[str]
) -> None:
    folder, settings = DataFolder(tmp_path), Settings(data_dir=tmp_path)
    thrown_away = {key_for(settings, folder, None, stages), key_for(settings, folder, None, stages)}
    assert {len(key) for key in thrown_away} == {32}
    assert len(thrown_away) == 2
    assert list(folder.keys.iterdir()) == []
    with pytest.raises(UserError, match="set LIANQIN_PRIVACY_KEY"):
        key_for(settings, folder, None, ["intake", *stages])
