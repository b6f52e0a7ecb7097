"""The closed loop's own figures as a few named lines: the terminal and the page show the same ones."""

from collections.abc import Iterator, Mapping

from agents.reporting import words
from schemas.codes import Stage, Step
from streams.ledger.loop import Kept, Loop

Line = tuple[str, str]
"""What it is, and its figures in words."""

_STEPS = {Step.WARNED: "预警", Step.PASSED: "超时", Step.YELLOW: "黄牌", Step.RED: "红牌", Step.ESCALATED: "升级"}


def lines(loop: Loop) -> Iterator[Line]:
    """Only what happened: a line without any figure is left out."""
    stages: dict[str, Kept] = {stage.value: loop.stages[stage.value] for stage in Stage if stage.value in loop.stages}
    steps: dict[str, int] = {f"{step.value} {word}": loop.steps.get(step.value, 0) for step, word in _STEPS.items()}
    went_back = {
        "returned 退单": loop.returns,
        "reworked 返工": loop.reworks,
        "wrong dispatch 错误派遣": loop.wrong_dispatches,
        "reopened 重开": loop.reopens,
        "recurred 回潮": loop.recurrences,
    }
    waited = {"suspended 挂账": loop.suspensions} | {f"extended, {how}": n for how, n in loop.extensions.items()}
    asked = {f"{what} asked": n for what, n in loop.requests.items()}
    asked |= {f"{what} refused": n for what, n in loop.refusals.items()}
    named = (
        ("stages on time 环节按时", _rates(stages)),
        ("conditions on time 阶段性条件", _rates(loop.conditions)),
        ("ladder 预警督办", _counts(steps)),
        ("went back", _counts(went_back)),
        ("more time", _counts(waited)),
        ("requests 申请", _counts(asked)),
        ("diverted 分流", _counts(loop.diversions)),
        ("pairs 疑似重复", _counts(loop.candidates)),
        ("satisfied 满意", _satisfied(loop)),
        ("alarms", _counts(loop.alarms)),
        ("left out of all figures", _counts(loop.left_out)),
    )
    return (line for line in named if line[1])


def _rates(kept: Mapping[str, Kept]) -> str:
    return ", ".join(f"{name} {words.rate(one.rate)} of {words.count(one.ended)}" for name, one in kept.items())


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {words.count(n)}" for name, n in counts.items() if n)


def _satisfied(loop: Loop) -> str:
    return f"{words.rate(loop.satisfied_rate)} of {words.count(loop.rated)} rated" if loop.rated else ""
