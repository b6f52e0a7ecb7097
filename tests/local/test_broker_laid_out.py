"""What is laid out for the local broker before it runs, and what is said when that fails. No broker runs here."""

import errno
import os
from pathlib import Path
from typing import NoReturn

import pytest

from agents.errors import DiskFull
from agents.local import brokerfile, probe
from agents.local.broker import BrokerOptions, LocalBroker
from agents.local.brokerfile import Ports
from agents.local.errors import BrokerError


@pytest.fixture
def java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script in the place of Java; it does nothing until a test writes it anew."""
    script = tmp_path / "bin" / "java"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(script.parent), prepend=os.pathsep)
    return script


@pytest.fixture
def laid(tmp_path: Path, java: Path) -> LocalBroker:
    """A broker of jars that are not there, too."""
    assert java.exists()
    libs = tmp_path / "libs"
    libs.mkdir()
    (libs / "kafka_2.13-0.jar").touch()
    return LocalBroker(tmp_path / "kafka", BrokerOptions(libs=libs))


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("plain", "plain"),
        ("with space", "with space"),
        ("联勤", r"\u8054\u52e4"),
        ("é", r"\u00e9"),
        ("\N{CJK UNIFIED IDEOGRAPH-20000}", r"\ud840\udc00"),
        (os.fsdecode(b"\xff"), r"\udcff"),
        ("back\\slash", r"back\\slash"),
    ],
    ids=ascii,
)
def test_a_path_is_written_as_java_reads_it(name: str, written: str) -> None:
    text = brokerfile.properties(Ports(1, 2), Path("/data") / name, {"ssl.keystore.location": f"/etc/{name}"})
    assert f"\nlog.dirs=/data/{written}\n" in text
    assert text.isascii()


def test_a_full_disk_is_no_refusal(laid: LocalBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", fail)
    with pytest.raises(DiskFull, match=r"kafka cannot be written \(No space left on device\): make room there"):
        laid.prepare()


TRACE = """\
some.setting = the last Exception of many
[main] ERROR kafka.tools - Cannot do it
Exception in thread "main" java.lang.RuntimeException: it cannot be done
\tat java.base/sun.nio.fs.UnixException.translateToIOException(UnixException.java:100)
Caused by: java.nio.file.FileSystemException: /data/meta.properties: Not a directory
\tat java.base/sun.nio.fs.UnixException.rethrowAsIOException(UnixException.java:106)
\tat kafka.tools.StorageTool.main(StorageTool.scala)
\t... 5 more
"""
TELLING = "Caused by: java.nio.file.FileSystemException: /data/meta.properties: Not a directory"


@pytest.mark.parametrize(
    ("said", "quoted"),
    [(TRACE, TELLING), ("first\nlast\n\n", "last"), ("", "it said nothing")],
    ids=["trace", "words", "none"],
)
def test_a_format_that_fails_is_told_by_the_line_that_says_why(
    laid: LocalBroker, java: Path, said: str, quoted: str
) -> None:
    java.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{said}END\nexit 1\n")
    with pytest.raises(BrokerError) as refused:
        laid.prepare()
    assert str(refused.value).endswith(f"/kafka cannot be formatted: {quoted}")


def test_a_broker_that_ends_is_told_by_the_line_that_says_why(
    laid: LocalBroker, java: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "serving_cluster", lambda _: None)
    java.write_text(f"#!/bin/sh\ncat <<'END'\n{TRACE}END\n")
    data = laid.log.parent / "data"
    data.mkdir(parents=True)
    (data / "meta.properties").write_text("cluster.id=x\n")
    with pytest.raises(BrokerError) as refused:
        laid.start()
    assert f"the broker ended while starting: {TELLING} (its log" in str(refused.value)


def test_a_comma_in_the_path_is_refused_before_anything_is_made(laid: LocalBroker, tmp_path: Path) -> None:
    libs = laid.log.parents[1] / "libs"
    with pytest.raises(BrokerError, match="has a comma"):
        LocalBroker(tmp_path / "a,b" / "kafka", BrokerOptions(libs=libs)).prepare()
    assert not (tmp_path / "a,b").exists()
