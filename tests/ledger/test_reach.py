"""The way to the ledger for a command."""

import os
import socket
from pathlib import Path

import pytest
from pydantic import SecretStr

from agents import reach
from agents.errors import UserError
from agents.local.folder import DataFolder, LedgerAccess, RunFile
from agents.settings import LedgerSettings, Settings
from streams.ledger.access import Embedded, Server

ACCESS = LedgerAccess(url="http://127.0.0.1:1234", user="u", password="p")  # noqa: S106 - made up


def running(folder: DataFolder, access: LedgerAccess | None) -> None:
    run = RunFile(
        bootstrap="b:1", prefix="x.", district="d", clock="log", up_pid=os.getpid(), metrics={}, ledger=access
    )
    folder.write_run(run)


def test_a_dsn_wins_then_the_running_worker_then_the_folder(tmp_path: Path) -> None:
    chosen = Settings(data_dir=tmp_path)
    with reach.place_of(chosen) as place:
        assert place.way == Embedded(tmp_path / "chdb")
    running(DataFolder(tmp_path), ACCESS)
    with reach.place_of(chosen) as place:
        assert place.way == Server(host="127.0.0.1", port=1234, user="u", password="p")  # noqa: S106 - made up
    dsn = LedgerSettings(dsn=SecretStr("http://ch:9000/city"))
    with reach.place_of(Settings(data_dir=tmp_path, ledger=dsn)) as place:
        assert place.way == Server(host="ch", port=9000, user="default", password="", database="city")


def test_where_nothing_runs_the_folder_is_held(tmp_path: Path) -> None:
    chosen = Settings(data_dir=tmp_path)
    with reach.place_of(chosen), pytest.raises(UserError, match="in use"), reach.place_of(chosen):
        pass


def test_a_folder_that_nothing_was_written_to_is_told(tmp_path: Path) -> None:
    told = pytest.raises(UserError, match="nothing was ever")
    with reach.place_of(Settings(data_dir=tmp_path)) as place, told, reach.ledger_at(place):
        pass


@pytest.mark.connected
def test_a_worker_that_does_not_answer_is_told_with_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "PATIENCE_S", 0.6)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    running(DataFolder(tmp_path), LedgerAccess(url=f"http://127.0.0.1:{port}", user="u", password="p"))  # noqa: S106
    told = pytest.raises(UserError, match=r"ledger\.log")
    with reach.place_of(Settings(data_dir=tmp_path)) as place, told, reach.ledger_at(place):
        pass
