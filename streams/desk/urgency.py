"""How urgent a report is (轻重缓急): the highest of what the source, the category and the words say. Pure."""

from typing import Final

from schemas.codes import Urgency
from schemas.commands import Report
from schemas.policy import Policy

_RANK: Final = {urgency: rank for rank, urgency in enumerate(Urgency)}
"""Less is more urgent."""
_ROUTINE: Final = (_RANK[Urgency.ROUTINE], Urgency.ROUTINE)


class Urgencies:
    """What one policy says of urgency: of each category, and which words raise it."""

    __slots__ = ("_categories", "_words")

    def __init__(self, policy: Policy) -> None:
        self._categories = {
            name: (_RANK[category.urgency], category.urgency) for name, category in policy.categories.items()
        }
        words: dict[Urgency, list[str]] = {urgency: [] for urgency in Urgency}
        for word, urgency in policy.keywords.items():
            words[urgency].append(word)
        self._words = tuple((_RANK[urgency], urgency, tuple(words[urgency])) for urgency in Urgency if words[urgency])

    def of(self, report: Report) -> Urgency:
        """The highest level that anything asks for; routine where nothing does. Keywords can only raise it."""
        rank, urgency = self._categories.get(report.category, _ROUTINE)
        own = report.urgency
        if own is not None and _RANK[own] < rank:
            urgency, rank = own, _RANK[own]
        text = report.text
        for raised, to, words in self._words:  # the most urgent first: of what comes later nothing raises it further
            if raised >= rank:
                break
            for word in words:
                if word in text:
                    return to
        return urgency
