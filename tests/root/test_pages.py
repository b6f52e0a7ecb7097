"""The pages, where the locale's own encoding is not UTF-8: a GBK terminal, say."""

import os
import subprocess
import sys
from typing import Final

import pytest

WHAT_IF: Final = """
from agents.whatif.figures import Part
from agents.whatif.page import page
text = page(Part(), "ours", None)
"""
EVALUATION: Final = """
from agents.evaluating.labels import Labels
from agents.evaluating.page import page
from agents.evaluating.scoring import Scoring
from tests.desk.logs import POLICY
text = page(Scoring(Labels({}, 0, frozenset(), {}), POLICY).figures("boston311"), None)
"""
REPORT: Final = """
from dataclasses import fields
from agents.reporting.page import page
from streams.ledger.loop import Loop
from streams.ledger.queries import NOTHING, Figures
from streams.ledger.series import Series
loop = Loop(**{one.name: {} if "dict" in str(one.type) else 0 for one in fields(Loop)})
others = ("fates", "outcomes", "dead_letters", "flags", "by_stage", "by_area", "by_category")
figures = Figures(log_time=None, total=NOTHING, loop=loop, **{name: {} for name in others})
text = page(figures, Series(step="day", points=[], closing=[]))
"""


@pytest.mark.parametrize("code", [WHAT_IF, EVALUATION, REPORT], ids=["what if", "evaluation", "report"])
def test_a_page_is_made_whatever_the_encoding_of_the_locale(code: str) -> None:
    env = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    show = 'print("lianqin \\u8054\\u52e4" in text)'
    said = subprocess.run(
        [sys.executable, "-c", code + show], env=env, capture_output=True, text=True, check=False, timeout=60
    )
    assert said.stdout == "True\n", said.stderr
