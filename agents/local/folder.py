"""The data folder: what one `lianqin up` keeps, its lock, and the file that tells others how to reach it."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, Literal

from pydantic import TypeAdapter, ValidationError

from agents.errors import DiskFull, is_full
from agents.local.errors import FolderError

DEFAULT: Final = Path(".lianqin")


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerAccess:
    """Where the running ledger answers queries."""

    url: str
    user: str
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFile:
    """How `feed`, `report` and `audit` find what `up` started."""

    bootstrap: str
    prefix: str
    district: str
    clock: Literal["wall", "log"]
    up_pid: int
    metrics: dict[str, str] = field(default_factory=dict)
    ledger: LedgerAccess | None = None


@dataclass(frozen=True, slots=True)
class _Written:
    """A run file and when its `up` began, so that another process with the same pid is not taken for it."""

    run: RunFile
    began_ticks: int


_WRITTEN: Final = TypeAdapter(_Written)


class DataFolder:
    """A data folder that exists and can be written; FolderError, or DiskFull, says what to do when it cannot."""

    def __init__(self, root: Path = DEFAULT) -> None:
        self.root = root.absolute()
        self.kafka = self.root / "kafka"
        self.chdb = self.root / "chdb"
        self.faust = self.root / "faust"
        self.logs = self.root / "logs"
        self.keys = self.root / "keys"
        self.report = self.root / "report"
        self._make()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder for this process; FolderError at once when another one holds it.

        The kernel lets go of it when the process ends, however it ends.
        """
        with self._path("lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                msg = (
                    f"the data folder {self.root} is in use by process {_holder(file)}: "
                    "stop that one, or choose another with --data-dir"
                )
                raise FolderError(msg) from error
            _sign(file)
            yield

    def write_run(self, run: RunFile) -> None:
        """Put the run file in place, whole or not at all; only its owner may read it (it has a password)."""
        text = _WRITTEN.dump_json(_Written(run, _began_ticks(run.up_pid) or 0), indent=2)
        # mkstemp makes it 0600 from the beginning.
        handle, name = tempfile.mkstemp(dir=self.root, prefix=".run-")
        with os.fdopen(handle, "wb") as file:
            file.write(text + b"\n")
        Path(name).replace(self._path("run.json"))

    def read_run(self) -> RunFile | None:
        """The run file of an `up` that still runs; None when there is none, or it is stale."""
        file = self._path("run.json")
        try:
            written = _WRITTEN.validate_json(file.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError as error:
            msg = f"{file} is not a run file of this version: delete it and start `lianqin up` again"
            raise FolderError(msg) from error
        return written.run if _began_ticks(written.run.up_pid) == written.began_ticks else None

    def remove_run(self) -> None:
        """Take the run file away: nothing runs here any more."""
        self._path("run.json").unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self.root / name

    def _make(self) -> None:
        try:
            # Reports hold personal data: the folder is its owner's alone.
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            for part in (self.kafka, self.chdb, self.faust, self.logs, self.keys, self.report):
                part.mkdir(mode=0o700, exist_ok=True)
            # Asking for permission is not enough: a full or read-only disk shows in a write alone.
            with tempfile.TemporaryFile(dir=self.root) as trial:
                trial.write(b"x")
        except OSError as error:
            if is_full(error):
                what = f"the data folder {self.root}"
                raise DiskFull(what, error) from error
            msg = (
                f"the data folder {self.root} cannot be written ({error.strerror}): "
                "make it writable or choose another with --data-dir"
            )
            raise FolderError(msg) from error


def stands(root: Path) -> bool:
    """Whether there is such a folder; FolderError where its name can be no folder's, or nobody may look."""
    try:
        return root.exists()
    except OSError as error:
        msg = f"the data folder {root} cannot be read ({error.strerror}): choose another with --data-dir"
        raise FolderError(msg) from error


def _sign(file: IO[str]) -> None:
    file.seek(0)
    file.truncate()
    file.write(f"{os.getpid()}\n")
    file.flush()


def _holder(file: IO[str]) -> str:
    file.seek(0)
    return file.read().strip() or "unknown"


def _began_ticks(pid: int) -> int | None:
    """When a process began, in the kernel's clock ticks; None when it is not alive."""
    with suppress(OSError):
        # After the program's name in brackets, which may hold anything: state, then 18 more, then this.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if fields[0] == "Z" else int(fields[19])
    return None
