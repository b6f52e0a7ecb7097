"""How urgent a report is (轻重缓急): the highest of what the source, the category and the words say. Pure."""

from collections.abc import Iterator
from typing import Final

from schemas.codes import Urgency
from schemas.commands import Report
from schemas.policy import Policy

_RANK: Final = {urgency: rank for rank, urgency in enumerate(Urgency)}


def urgency_of(policy: Policy, report: Report) -> Urgency:
    """The highest level that anything asks for; routine where nothing does. Keywords can only raise it."""
    return min(_levels(policy, report), key=_RANK.__getitem__)


def _levels(policy: Policy, report: Report) -> Iterator[Urgency]:
    yield policy.urgencies.get(report.category, Urgency.ROUTINE)
    if report.urgency is not None:
        yield report.urgency
    for word, urgency in policy.keywords.items():
        if word in report.text:
            yield urgency
