"""`make audit-deps`: what the product is made of, as CycloneDX; is all pinned, allowed, and not known to be bad.

The tools stand in a venv of their own, so that they are not in what they look at. Exit code 1: something is not pinned,
stands under a licence that is not allowed, or is known to be vulnerable.
"""

import json
import subprocess
import sys
import venv
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, Final

from tests.supply.licences import ALLOWED, licences_of
from tests.supply.pins import OURSELVES, ROOT, installed, pinned, plain, unpinned

TOOLS: Final = ("cyclonedx-bom", "pip-audit")
SBOM: Final = ROOT / "build" / "sbom"
MAVEN_TOOL: Final = "org.cyclonedx:cyclonedx-maven-plugin:2.9.3:makeBom"
FOR_JARS: Final = ALLOWED | {"EPL-2.0", "CDDL-1.0", "CDDL-1.1", "MPL-1.1", "Go License"}
"""The jars are a broker beside us, started as a program: nothing of ours is linked with them."""


def tools() -> Path:
    """Where the tools are; installed where they are not yet."""
    folder = ROOT / "build" / "audit"
    if not (folder / "bin" / "pip-audit").exists():
        venv.create(folder, with_pip=True, clear=True)
        _run(
            str(folder / "bin" / "python"),
            "-m",
            "pip",
            "install",
            "-q",
            "--disable-pip-version-check",
            "-c",
            "constraints.txt",
            *TOOLS,
        )
    return folder / "bin"


def python_bom(at: Path) -> list[dict[str, Any]]:
    """Write the packages' list; its entries."""
    file = SBOM / "python.cdx.json"
    _run(
        str(at / "cyclonedx-py"),
        "environment",
        "--pyproject",
        "pyproject.toml",
        "--output-reproducible",
        "-o",
        str(file),
        sys.executable,
    )
    return _components(file)


def java_bom() -> list[dict[str, Any]]:
    """Write the list of the local broker's jars; its entries."""
    _run(
        "mvn",
        "--batch-mode",
        "--no-transfer-progress",
        "-q",
        "-f",
        "deploy/kafka/pom.xml",
        MAVEN_TOOL,
        f"-DoutputDirectory={SBOM}",
        "-DoutputName=kafka.cdx",
        "-DoutputFormat=json",
        "-DincludeTestScope=false",
    )
    return _components(SBOM / "kafka.cdx.json")


def not_allowed(jars: list[dict[str, Any]]) -> list[str]:
    """Packages and jars of which no offered licence may be used."""
    found = []
    for one in distributions():
        name, licences = plain(one.metadata["Name"]), licences_of(one)
        if name not in OURSELVES and not (licences and licences <= ALLOWED):
            found.append(f"{name}: {', '.join(sorted(licences)) or 'no licence named'}")
    for jar in jars:
        # Several are a choice.
        offered = {_name(one) for one in jar.get("licenses", [])}
        if not offered & FOR_JARS and not any(one.strip("()").split(" OR ")[0] in FOR_JARS for one in offered):
            found.append(f"{jar['name']}: {', '.join(sorted(offered)) or 'no licence named'}")
    return found


def vulnerable(at: Path) -> tuple[int, list[str]]:
    """How many packages somebody was found to know about, and what is known against them."""
    file = SBOM / "vulnerabilities.json"
    file.unlink(missing_ok=True)
    # Its exit code says the same whether all is well or nobody was asked: its document tells them apart.
    command = [
        str(at / "pip-audit"),
        "-r",
        "constraints.txt",
        "--no-deps",
        "--disable-pip",
        "--progress-spinner",
        "off",
    ]
    subprocess.run([*command, "-f", "json", "-o", str(file)], cwd=ROOT, capture_output=True, check=False)
    asked = json.loads(file.read_text())["dependencies"] if file.exists() else []
    known = [one for one in asked if "skip_reason" not in one]
    return len(known), [f"{one['name']} {one['version']}: {bad['id']}" for one in known for bad in one["vulns"]]


def main() -> int:
    """Do all of it; the exit code."""
    SBOM.mkdir(parents=True, exist_ok=True)
    at = tools()
    packages, jars = python_bom(at), java_bom()
    _say(f"{len(packages)} packages in {SBOM / 'python.cdx.json'}, {len(jars)} jars in {SBOM / 'kafka.cdx.json'}")
    wrong = unpinned(installed(), pinned())
    _say(f"{len(wrong)} of {len(installed())} installed packages are not as pinned")
    licences = not_allowed(jars)
    _say(f"{len(licences)} packages or jars stand under a licence that is unknown or not allowed")
    known, bad = vulnerable(at)
    if known:
        _say(f"{len(bad)} vulnerabilities known, of {known} of {len(pinned())} pinned packages that were asked about")
    else:
        _say("vulnerabilities: NOT ASKED, no service that knows of them answers here; run it where one does")
    for line in (*wrong, *licences, *bad):
        _say(f"  {line}")
    return 1 if wrong or licences or bad else 0


def _components(file: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(file.read_text())["components"]
    return found


def _name(licence: dict[str, Any]) -> str:
    inner = licence.get("license", {})
    return str(inner.get("id") or inner.get("name") or licence.get("expression"))


def _run(*command: str) -> None:
    subprocess.run(command, cwd=ROOT, check=True)


def _say(line: str) -> None:
    sys.stdout.write(f"audit-deps: {line}\n")


if __name__ == "__main__":
    sys.exit(main())
