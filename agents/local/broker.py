"""Apache Kafka as one process on this machine: broker and controller, in a folder of its own."""

import base64
import fcntl
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Final, Self

from agents.errors import DiskFull, is_full
from agents.local import brokerfile, children, fencing, probe
from agents.local.brokerfile import VOTERS, Ports
from agents.local.errors import BrokerError

_REPOSITORY: Final = Path(__file__).resolve().parents[2]
_ATTEMPTS: Final = 3

_JVM_FLAGS: Final = (
    "-XX:+UseParallelGC",
    "-XX:TieredStopAtLevel=1",  # the better compiler takes more than its code gives back in a million reports
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-UsePerfData",  # it would leave files in /tmp after a kill
    "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
)

ENVIRONMENT: Final[Mapping[str, str]] = (
    {"LC_ALL": "C.UTF-8"} if sys.platform == "linux" and sys.getfilesystemencoding() == "utf-8" else {}
)
"""What its processes are started with beside ours. Java goes by the locale for the names of files: in that of a bare
machine (C) it knows ASCII alone, where Python writes UTF-8 all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerOptions:
    """What may be chosen about the local broker.

    Without `port` the folder's last one is taken again if it is free, else any free one. `libs`
    holds Kafka's jars (default: `LIANQIN_KAFKA_LIBS`, else the checkout's `build/kafka/libs`). `log` gets
    what the broker says (default: `broker.log` in its folder). `settings` are lines of `server.properties` that
    win over ours, and `cluster_id` is what a new folder is formatted with: for one of several brokers. `listeners`,
    as `SASL_SSL://host:port`, come beside the plain one.
    """

    port: int | None = None
    libs: Path | None = None
    log: Path | None = None
    heap_mb: int = 768
    ready_within_s: float = 60.0
    stop_within_s: float = 15.0
    jvm_flags: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    cluster_id: str | None = None
    listeners: tuple[str, ...] = ()


class LocalBroker:
    """A broker on one folder. Its calls block: from a coroutine use `asyncio.to_thread`.

    `start` and `stop` may alternate; what was written stays in the folder, also over a kill -9. Who
    supervises the process himself takes its command line from `prepare`, starts it with `ENVIRONMENT` beside his own,
    and then waits with `wait_ready`.
    """

    def __init__(self, folder: Path, options: BrokerOptions | None = None) -> None:
        self._folder = folder.absolute()
        self._options = options or BrokerOptions()
        self._ports: Ports | None = None
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """`host:port` for clients; known once prepared or started."""
        return f"127.0.0.1:{self._known_ports().client}"

    @property
    def log(self) -> Path:
        """What the broker said, appended over restarts."""
        return self._options.log or self._folder / "broker.log"

    @property
    def pid(self) -> int | None:
        """The running broker's process, for who freezes or kills it on purpose."""
        return self._child.pid if self._child and self.running else None

    @property
    def running(self) -> bool:
        """True while the process that `start` made lives."""
        return self._child is not None and self._child.poll() is None

    def start(self) -> None:
        """Come up and serve, or raise BrokerError with what to do. Starting twice is starting once."""
        for attempt in range(1, _ATTEMPTS + 1):
            if self.running:
                return
            self._child = children.spawn(self.prepare(), log=self.log, env={**os.environ, **ENVIRONMENT})
            try:
                self.wait_ready(alive=lambda: self.running)
            except BrokerError:
                self.kill()
                # Between the choice of a port and its use somebody else may have taken it.
                if attempt == _ATTEMPTS or self._options.port or self._ports_are_free():
                    raise
            except BaseException:
                self.kill()
                raise

    def stop(self) -> None:
        """Shut down in order (SIGTERM); SIGKILL to that very process if it does not go."""
        if self._child is not None:
            children.stop(self._child, within_s=self._options.stop_within_s)
            self._child = None

    def kill(self) -> None:
        """End the process without a word to it, as a power cut would."""
        if self._child is not None:
            children.kill(self._child)
            self._child = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def prepare(self) -> list[str]:
        """Check what is needed, lay the folder out, choose ports; the command line that runs the broker."""
        if "," in str(self._folder):
            msg = f"the path {self._folder} has a comma, by which Kafka parts one folder from the next: choose another"
            raise BrokerError(msg)
        java = _java()
        libs = _libs(self._options.libs)
        classpath = f"{libs}/*"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._refuse_if_in_use()
            self._fresh_temporary_folder()
            self._ports = self._choose_ports()
            properties = self._write_properties("server.properties", data="data")
            if not (self._folder / "data").exists():
                self._format([java, *_archived_classes(libs), "-cp", classpath])
        except OSError as error:
            if is_full(error):
                what = f"the broker's folder {self._folder}"
                raise DiskFull(what, error) from error
            msg = (
                f"the broker's folder {self._folder} cannot be used ({error.strerror}): "
                "make it writable or choose another data folder"
            )
            raise BrokerError(msg) from error
        heap = f"-Xmx{self._options.heap_mb}m"
        temporary = f"-Djava.io.tmpdir={self._folder / 'tmp'}"
        flags = [heap, temporary, *_JVM_FLAGS, *_archived_classes(libs), *self._options.jvm_flags]
        return [*self._fencing(), java, *flags, "-cp", classpath, "kafka.Kafka", str(properties)]

    def _fencing(self) -> list[str]:
        """What a broker that is alone is started through."""
        if VOTERS in self._options.settings:
            return []
        listener = f"CONTROLLER://127.0.0.1:{self._known_ports().controller}"
        settings = {**fencing.SETTINGS, "listeners": listener, "advertised.listeners": listener}
        properties = self._write_properties("fencing.properties", data="data", settings=settings)
        return [sys.executable, "-m", "agents.local.fencing", str(self._folder / "data"), str(properties)]

    def wait_ready(self, *, alive: Callable[[], bool]) -> None:
        """Return when the broker answers a metadata request; BrokerError when it ended or takes too long."""
        port, own = self._known_ports().client, brokerfile.cluster_id(self._folder / "data")
        deadline = time.monotonic() + self._options.ready_within_s
        # By its cluster's id: on a port lost to somebody else's broker, that one would answer.
        while probe.serving_cluster(port) != own:
            if not alive():
                msg = f"the broker ended while starting: {_why(children.last_lines(self.log))} (its log: {self.log})"
                raise BrokerError(msg)
            if time.monotonic() > deadline:
                msg = (
                    f"the broker does not answer on {self.bootstrap} after "
                    f"{self._options.ready_within_s:.0f} s: see its log {self.log}"
                )
                raise BrokerError(msg)
            time.sleep(0.05)

    def _refuse_if_in_use(self) -> None:
        with suppress(FileNotFoundError), (self._folder / "data" / ".lock").open("r+b") as lock:
            try:
                # Kafka's own lock, tried before anything of a running broker is touched.
                fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                msg = f"another broker runs on {self._folder}: stop it or choose another data folder"
                raise BrokerError(msg) from error

    def _known_ports(self) -> Ports:
        if self._ports is None:
            msg = "the broker has no address yet: start it first"
            raise BrokerError(msg)
        return self._ports

    def _ports_are_free(self) -> bool:
        ports = self._known_ports()
        return probe.is_free(ports.client) and probe.is_free(ports.controller)

    def _choose_ports(self) -> Ports:
        file = self._folder / "ports.json"
        last = brokerfile.read_ports(file)
        asked = self._options.port
        if asked is not None and not probe.is_free(asked):
            msg = f"port {asked} is taken: stop what listens there or ask for another port"
            raise BrokerError(msg)
        client = asked or (last.client if last and probe.is_free(last.client) else probe.free_port())
        keep = last is not None and last.controller != client and probe.is_free(last.controller)
        controller = last.controller if last and keep else probe.free_port(but=client)
        ports = Ports(client, controller)
        brokerfile.write_ports(file, ports)
        return ports

    def _write_properties(self, name: str, *, data: str, settings: Mapping[str, str] = MappingProxyType({})) -> Path:
        file = self._folder / name
        chosen = {**self._options.settings, **settings}
        file.write_text(
            brokerfile.properties(self._known_ports(), self._folder / data, chosen, self._options.listeners)
        )
        return file

    def _format(self, java: list[str]) -> None:
        # Under another name until it is whole: a folder half made by a kill is made again.
        unfinished = self._folder / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        properties = self._write_properties("format.properties", data=unfinished.name)
        flags = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData"]
        tool = ["kafka.tools.StorageTool", "format", "--cluster-id", self._options.cluster_id or _new_cluster_id()]
        command = [java[0], *flags, *java[1:], *tool, "--config", str(properties)]
        result = subprocess.run(  # noqa: S603 - ours
            command, capture_output=True, text=True, errors="replace", check=False, env={**os.environ, **ENVIRONMENT}
        )
        if result.returncode != 0:
            why = _why((result.stdout + result.stderr).splitlines())
            msg = f"the broker's folder {self._folder} cannot be formatted: {why}"
            raise BrokerError(msg)
        unfinished.rename(self._folder / "data")
        properties.unlink()

    def _fresh_temporary_folder(self) -> None:
        # Compression libraries unpack themselves there, and a killed broker leaves them behind.
        temporary = self._folder / "tmp"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()


def _why(lines: Sequence[str]) -> str:
    """Of a Java program's last words the line that says what is wrong; those of a trace ("at ...") say where."""
    said = [line.strip() for line in lines if line.strip()]
    wrong = [line for line in said if ("Exception" in line or "rror" in line) and not line.startswith("at ")]
    return (wrong or said or ["it said nothing"])[-1]


def _java() -> str:
    java = shutil.which("java")
    if java is None:
        msg = "Java is missing: run `make setup`, or put Java 17's bin folder on the PATH"
        raise BrokerError(msg)
    return java


def _libs(given: Path | None) -> Path:
    asked = os.environ.get("LIANQIN_KAFKA_LIBS")
    folder = given or (Path(asked) if asked else _REPOSITORY / "build" / "kafka" / "libs")
    if not any(folder.glob("kafka_*.jar")):
        msg = f"Kafka's jars are missing from {folder}: run `make setup`"
        raise BrokerError(msg)
    return folder.absolute()


def _archived_classes(libs: Path) -> list[str]:
    # See archive.py. The JVM itself checks that it fits the jars, and else does without.
    archive = libs.parent / "kafka.jsa"
    return [f"-XX:SharedArchiveFile={archive}"] if archive.exists() else []


def _new_cluster_id() -> str:
    # As Kafka writes its own; one that starts with a dash would be read as an option.
    return "L" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[1:22]
