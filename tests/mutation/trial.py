"""A trial (试验): tests against the desk with one mutant in it, in a process of its own. The tree stays as it is."""

import json
import os
import resource
import signal
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest
from coverage import Coverage
from hypothesis import HealthCheck, Phase, settings

from tests.mutation.mutants import Mutant

QUIET: Final = ("-x", "-q", "-p", "no:cacheprovider", "--no-header", "--hypothesis-profile=mutation")
ALREADY: Final = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
"""Hypothesis has been imported before pytest begins."""
PASSED: Final = 0
FAILED: Final = (1, 2)
"""A test failed, or could not even be collected."""
LIMIT_S: Final = 60
"""A mutant that takes more of the processor goes round in a circle: it is found out as well."""
MOST_BYTES: Final = 4 << 30
"""Nor may it eat the machine."""
KILLED: Final = "killed"
SURVIVED: Final = "survived"
CIRCLES: Final = "circles"


@dataclass(slots=True)
class Reach:
    """Which tests come by a line, and how long each takes."""

    lines: dict[str, dict[int, list[str]]] = field(default_factory=dict)
    took: dict[str, float] = field(default_factory=dict)

    def tests(self, mutant: Mutant) -> list[str]:
        """The tests that come by a mutant, quick ones first; what runs on import concerns all."""
        lines = self.lines.get(mutant.module, {})
        met = {test for line in range(mutant.first, mutant.last + 1) for test in lines.get(line, ())}
        return sorted(self.took if "" in met else met, key=lambda test: (self.took.get(test, 0.0), test))


class _Measured:
    """Notes for each test where it comes by and how long it takes."""

    def __init__(self, coverage: Coverage) -> None:
        self._coverage = coverage
        self.took: dict[str, float] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """What follows is this test's."""
        self._coverage.switch_context(item.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Its parts add up."""
        self.took[report.nodeid] = self.took.get(report.nodeid, 0.0) + report.duration


class _Chosen:
    """Lets the chosen tests run, in their order, and notes the first that fails."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._order = {test: number for number, test in enumerate(tests)}
        self.failed = ""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave the others out."""
        items[:] = sorted((item for item in items if item.nodeid in self._order), key=lambda it: self._order[it.nodeid])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember what found the mutant out."""
        if report.failed and not self.failed:
            self.failed = report.nodeid


class _Changed(SourceFileLoader):
    """Gives one module another source, and keeps no compiled form of it."""

    def __init__(self, name: str, path: Path, source: bytes) -> None:
        super().__init__(name, str(path))
        self._source = source

    def get_data(self, path: str) -> bytes:
        """The other source."""
        return self._source

    def path_stats(self, path: str) -> Mapping[str, Any]:
        """Nothing that a compiled form could be kept by."""
        raise OSError


class _Finder(MetaPathFinder):
    """Finds that module, and nothing else."""

    def __init__(self, loader: _Changed) -> None:
        self._loader = loader

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The loader's own module."""
        return spec_from_loader(fullname, self._loader) if fullname == self._loader.name else None


def measured(package: Path, tests: Sequence[str]) -> Reach:
    """The tests on the package as it is; they must pass."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        _ends(lambda: _measure(package, tests, write))
    os.close(write)
    with os.fdopen(read) as pipe:
        answer = pipe.read()
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != PASSED or not answer:
        msg = "the tests fail without a mutant; see what pytest says of them"
        raise RuntimeError(msg)
    lines, took = json.loads(answer)
    return Reach({module: {int(line): met for line, met in one.items()} for module, one in lines.items()}, dict(took))


def tried(package: Path, name: str, mutant: Mutant, tests: Sequence[str], limit_s: int = LIMIT_S) -> tuple[str, str]:
    """What became of a mutant, and which test found it out. `name` is the package's for imports."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        resource.setrlimit(resource.RLIMIT_CPU, (limit_s, limit_s + 5))
        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _ends(lambda: _try(package, name, mutant, tests, write))
    os.close(write)
    with os.fdopen(read) as pipe:
        failed = pipe.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code == -signal.SIGXCPU:
        return CIRCLES, failed
    if code not in (PASSED, *FAILED):
        msg = f"no trial: the process of {mutant} ended with {code}"
        raise RuntimeError(msg)
    return (SURVIVED if code == PASSED else KILLED), failed


def _measure(package: Path, tests: Sequence[str], write: int) -> int:
    coverage = Coverage(data_file=None, include=[str(package / "*.py")], config_file=False)
    plugin = _Measured(coverage)
    coverage.start()
    code = _pytest(tests, plugin)
    coverage.stop()
    data = coverage.get_data()
    lines: dict[str, dict[int, list[str]]] = defaultdict(dict)
    for file in data.measured_files():
        lines[Path(file).name] = data.contexts_by_lineno(file)
    with os.fdopen(write, "w") as pipe:
        json.dump((lines, plugin.took), pipe)
    return code


def _try(package: Path, name: str, mutant: Mutant, tests: Sequence[str], write: int) -> int:
    path = package / mutant.module
    sys.meta_path.insert(0, _Finder(_Changed(f"{name}.{path.stem}", path, mutant.of(path.read_bytes()))))
    plugin = _Chosen(tests)
    code = _pytest(sorted({test.split("::")[0] for test in tests}), plugin)
    with os.fdopen(write, "w") as pipe:
        pipe.write(plugin.failed)
    return code


def _pytest(arguments: Sequence[str], plugin: object) -> int:
    """Chance is the same for all mutants, and a failure need not be made small."""
    settings.register_profile(
        "mutation",
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=tuple(HealthCheck),
    )
    return int(pytest.main([*QUIET, *ALREADY, *arguments], plugins=[plugin]))


def _ends(job: Callable[[], int]) -> None:
    """The child's whole life: quiet, and never back into the parent's code."""
    code = 70
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        code = job()
    finally:
        os._exit(code)
