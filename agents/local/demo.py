"""The demonstration: two cities' past through Kafka, a worker killed on the way, and the account at the end.

`python -m agents.local.demo` runs the same commands that a user would, and says in plain words what happens.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer
from rich.console import Console

import deploy
from agents.errors import REFUSED, UserError
from agents.local import children
from agents.local.folder import DataFolder
from agents.reach import ledger_at, place_of
from agents.settings import Settings
from schemas.topics import HISTORY
from streams.ledger import queries
from streams.ledger.errors import LedgerError

PROGRAM: Final = Path(sys.executable).parent / "lianqin"
SAMPLES: Final = Path(deploy.__file__).parent / "samples"
OWN: Final = Path(".lianqin-demo")
MARK: Final = "made-by-the-demo"
READY_WITHIN_S: Final = 120.0
KILL_AFTER: Final = 12_000
"""Records that are settled when the worker is killed."""
LOOK_EVERY_S: Final = 0.2
INTERRUPTED: Final = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """One source of the demonstration."""

    source: str
    title: str

    @property
    def file(self) -> Path:
        """What ships with the product."""
        return SAMPLES / f"{self.source}.csv.gz"


BOSTON: Final = City(source="boston311", title="Boston's service requests, 2013 to 2014, with their closings")
SAN_MATEO: Final = City(source="sanmateo", title="San Mateo County's fire and medical dispatches, spring 2022")


class Failed(UserError):
    """Something did not go as it should; the text says what."""


@dataclass(slots=True)
class Demo:
    """One demonstration on one data folder."""

    folder: Path
    console: Console
    began: float = field(default_factory=time.monotonic)
    feeding: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        """All of it; 0 where the account is whole."""
        self.say("Starting Kafka, two workers and the ledger with its ClickHouse, all on this machine …")
        with self._centre() as up:
            self.say(f"Ready. Data in {self.folder}, process {up.pid}.")
            self._feed(BOSTON, kill="worker-1", up=up.pid)
            self._feed(SAN_MATEO)
            self.say("The closed loop in figures:")
            page = self.folder / "report.html"
            self._check(self._lianqin("report", "--html", str(page)), "report")
            self.say("The proof of account: every record of every source, in Kafka and in ClickHouse.")
            audited = self._lianqin("audit")
            self.say("Stopping everything …")
        self._farewell(page, whole=audited == 0)
        return 0 if audited == 0 else 1

    def say(self, text: str) -> None:
        """One line, with the seconds since the beginning."""
        self.console.print(
            f"[bold cyan]{time.monotonic() - self.began:4.0f} s[/]  {text}", highlight=False, soft_wrap=True
        )

    @contextmanager
    def _centre(self) -> Iterator[subprocess.Popen[bytes]]:
        log = self.folder.with_name(f"{self.folder.name}.log")
        log.unlink(missing_ok=True)
        up = children.spawn([str(PROGRAM), "up", "--clock", "log", "--workers", "2", *self._where()], log=log)
        try:
            _wait_ready(up, log)
            yield up
        finally:
            if self.feeding is not None:
                children.stop(self.feeding, within_s=5)
            children.stop(up, within_s=60)
            log.unlink(missing_ok=True)

    def _where(self) -> list[str]:
        return ["--data-dir", str(self.folder)]

    def _lianqin(self, *arguments: str) -> int:
        return subprocess.run([str(PROGRAM), *arguments, *self._where()], check=False).returncode  # noqa: S603 - ours

    def _check(self, code: int, what: str) -> None:
        if code != 0:
            msg = f"`lianqin {what}` ended with {code}"
            raise Failed(msg)

    def _feed(self, city: City, *, kill: str | None = None, up: int = 0) -> None:
        self.say(f"Feeding {city.title} …")
        command = [str(PROGRAM), "feed", city.source, str(city.file), *self._where()]
        self.feeding = subprocess.Popen(command)  # noqa: S603 - ours
        if kill is not None:
            self._kill_on_the_way(kill, up, self.feeding)
        self._check(self.feeding.wait(), "feed")
        self.feeding = None

    def _kill_on_the_way(self, name: str, up: int, feeding: subprocess.Popen[bytes]) -> None:
        settled = self._settled()
        while settled < KILL_AFTER and feeding.poll() is None:
            time.sleep(LOOK_EVERY_S)
            settled = self._settled()
        pid = worker_pid(up, name)
        if feeding.poll() is not None or pid is None:
            msg = f"{name} was not there to be killed while records flow"
            raise Failed(msg)
        os.kill(pid, signal.SIGKILL)
        self.say(
            f"[bold red]Killed {name} (process {pid}) with -9[/] after {settled:,} records: the other takes over, "
            "`up` starts it again, and nothing is lost or done twice."
        )

    def _settled(self) -> int:
        place_here = place_of(Settings(data_dir=self.folder))
        with suppress(LedgerError, UserError), place_here as place, ledger_at(place) as client:
            prefix = place.run.prefix if place.run is not None else ""
            return queries.settled(client, prefix + HISTORY, 0, 0, sys.maxsize)
        return 0

    def _farewell(self, page: Path, *, whole: bool) -> None:
        verdict = "[bold green]Whole: 0 missing, 0 twice.[/]" if whole else "[bold red]The account is not whole.[/]"
        self.say(f"{verdict} The page is {page}; look at it in a browser.")
        self.say(
            f"The data stays in {self.folder}: `lianqin report --data-dir {self.folder}` works on, delete it freely."
        )


def _wait_ready(up: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + READY_WITHIN_S
    while "lianqin ready" not in log.read_text(errors="replace"):
        if up.poll() is not None:
            raise Failed(children.last_line(log) or "`lianqin up` ended without a word")
        if time.monotonic() > until:
            msg = f"not ready after {READY_WITHIN_S:.0f} s: see {log}"
            raise Failed(msg)
        time.sleep(LOOK_EVERY_S)


def worker_pid(up: int, name: str) -> int | None:
    """The worker of that name among the children of `up`, where it lives."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            command = (folder / "cmdline").read_text().split("\0")
            if int(parent) == up and command[command.index("--name") + 1] == name:
                return int(folder.name)
    return None


def fresh(folder: Path) -> Path:
    """The folder, empty; what an earlier demonstration left there goes, anything else is not touched."""
    if (folder / MARK).exists():
        with DataFolder(folder).lock():
            shutil.rmtree(folder)
    if folder.exists() and any(folder.iterdir()):
        msg = f"{folder} is not empty and not an earlier demonstration's: choose another with --data-dir"
        raise Failed(msg)
    root = DataFolder(folder).root
    (root / MARK).touch()
    return root


def _terminate(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def main(
    data_dir: Annotated[Path, typer.Option(help="Made anew; stays when the demonstration is over.")] = OWN,
) -> None:
    """Feed two cities' past through Kafka, kill a worker on the way, show the report, prove the account.

    Exit codes: 0 whole, 1 not whole, 2 it could not be carried out.
    """
    console = Console()
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code = Demo(fresh(data_dir), console).run()
    except UserError as error:
        console.print(f"demo: {error}", markup=False, highlight=False, soft_wrap=True)
        code = REFUSED
    except KeyboardInterrupt:
        console.print("stopped")
        code = INTERRUPTED
    raise typer.Exit(code)


if __name__ == "__main__":
    typer.run(main)
