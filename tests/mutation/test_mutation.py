"""The mutation run: which mutants there are, which are tried, and what becomes of them."""

import ast
import subprocess
import sys

import pytest

from tests.mutation.mutants import Mutant, mutants_of, sampled
from tests.mutation.run import PACKAGE, Account
from tests.mutation.trial import CIRCLES, KILLED, SURVIVED, Reach

STANDING = "standing.py"
PARTS = "tests/desk/test_parts.py"


@pytest.mark.parametrize(
    ("line", "kinds"),
    [
        ("x = a < b", {"boundary: a < b -> (a <= b)", "comparison: a < b -> (a >= b)"}),
        ("x = a is None", {"comparison: a is None -> (a is not None)"}),
        ("x = a and b", {"boolean: a and b -> (a or b)"}),
        ("x = not a", {"boolean: not a -> (a)"}),
        ("x = b if a else c", {"condition: b if a else c -> (c if a else b)"}),
        ("x = a + b", {"arithmetic: a + b -> (a - b)"}),
        ("x = 7", {"constant: 7 -> (8)"}),
        ("x: str = '警'", {"constant: '警' -> ('警?')"}),
        ("x = True", {"constant: True -> (False)"}),
        ("a.b = c", {"removed: a.b = c -> pass"}),
        ("a += b", {"removed: a += b -> pass"}),
        ("'''What it is.'''", set()),
        ("raise ValueError('why')", set()),
        ("__slots__ = ('a', 'b')", set()),
        ("def f() -> int: return a", {"return: return a -> return None"}),
        ("def f() -> None: return None", set()),
    ],
)
def test_what_is_changed_of_a_line(line: str, kinds: set[str]) -> None:
    assert {str(one).split(" ", 1)[1] for one in mutants_of("m.py", line.encode())} == kinds


def test_every_mutant_of_the_desk_is_a_program_and_another_one() -> None:
    for path in PACKAGE.glob("*.py"):
        source = path.read_bytes()
        before = ast.dump(ast.parse(source))
        for mutant in mutants_of(path.name, source)[::7]:
            assert ast.dump(ast.parse(mutant.of(source))) != before, mutant


def test_a_sample_is_the_same_for_the_same_seed_and_from_everywhere() -> None:
    mutants = mutants_of(STANDING, (PACKAGE / STANDING).read_bytes())
    few = sampled(mutants, 4, 1)
    assert len(set(few)) == 4
    assert few == sampled(mutants, 4, 1) != sampled(mutants, 4, 2)
    assert [mutants.index(one) * 4 // len(mutants) for one in few] in ([0, 1, 2, 3], [0, 1, 2, 2], [0, 1, 1, 2])
    assert sampled(mutants, 1000, 1) == mutants


def test_the_tests_of_a_mutant_are_those_that_come_by_quick_ones_first() -> None:
    reach = Reach({"m.py": {2: ["slow"], 3: ["slow", "quick"], 9: [""]}}, {"slow": 2.0, "quick": 1.0, "other": 0.5})
    assert reach.tests(at(2, 3)) == ["quick", "slow"]
    assert reach.tests(at(9, 9)) == ["other", "quick", "slow"]  # what runs on import concerns all
    assert reach.tests(at(5, 5)) == []


def at(first: int, last: int) -> Mutant:
    """A mutant of these lines."""
    return Mutant(module="m.py", kind="removed", line=first, first=first, last=last, start=0, end=0, old="", new="")


def test_a_run_says_what_became_of_each_and_what_is_left() -> None:
    """In a process of its own: this one has the desk in it as it is."""
    command = [sys.executable, "-m", "tests.mutation.run", "--quick", "--verbose", "--tests", PARTS]
    ran = subprocess.run(
        [*command, "--at", "evolve_ties.py", "--sample", "3"], capture_output=True, text=True, check=False
    )
    assert "3 tried, seed 1" in ran.stdout, ran.stderr
    fates = [line.split()[1:3] for line in ran.stdout.splitlines() if " evolve_ties.py:" in line]
    assert len(fates) == 3
    survived = sum(fate == SURVIVED for fate, _ in fates)
    assert f"killed {3 - survived} of 3" in ran.stdout
    assert survived
    assert ran.returncode == 1  # the tests of the parts do not look at ties


CIRCLE = f"""
from tests.mutation.mutants import Mutant
from tests.mutation.run import PACKAGE
from tests.mutation.trial import tried
for new in ("while True: pass", "raise ValueError", "pass"):
    mutant = Mutant(
        module="rules.py", kind="added", line=1, first=1, last=1, start=0, end=0, old="", new=new + chr(10)
    )
    test = "{PARTS}::test_an_overlay_goes_back_to_its_mark"
    print(tried(PACKAGE, "streams.desk", mutant, [test], 3)[0])
"""


def test_what_goes_in_a_circle_is_found_out_and_what_changes_nothing_is_not() -> None:
    ran = subprocess.run([sys.executable, "-c", CIRCLE], capture_output=True, text=True, check=False)
    assert ran.stdout.split() == [CIRCLES, KILLED, SURVIVED], ran.stderr


def test_the_table_counts_by_kind_and_by_module() -> None:
    account = Account({at(1, 1): KILLED, at(2, 2): SURVIVED, at(3, 3): CIRCLES})
    rows = [line.split() for line in account.table().splitlines()]
    assert ["removed", "3", "2", "1"] in rows
    assert ["m.py", "3", "2", "1"] in rows
    assert account.killed() == 2
