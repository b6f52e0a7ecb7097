"""The life of a ticket (闭环) as a table: which stage may be claimed when, and what passes with it. Pure."""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from schemas.codes import Stage


class Rule(Enum):
    """Whether a claim is legal."""

    NO = "not legal now"
    YES = "legal for whoever reports it; the stages between are implied"
    CLOSER = "legal for a source whose closing is authoritative; the stages between are implied"


_NO, _YES, _OWN = Rule.NO, Rule.YES, Rule.CLOSER

# A later stage reported first implies the earlier ones; nothing goes back, and nothing is claimed twice. Two stages are
# never implied by a handler: `closed` follows a verified result, unless the source closes by itself, and `rated`
# follows `closed`, since nobody can rate what is not finished.
_ROWS: Final[Mapping[Stage, tuple[Rule, ...]]] = {
    # claimed:        opened accepted dispatched signed handled verified closed rated
    Stage.OPENED: (_NO, _YES, _YES, _YES, _YES, _YES, _OWN, _NO),
    Stage.ACCEPTED: (_NO, _NO, _YES, _YES, _YES, _YES, _OWN, _NO),
    Stage.DISPATCHED: (_NO, _NO, _NO, _YES, _YES, _YES, _OWN, _NO),
    Stage.SIGNED: (_NO, _NO, _NO, _NO, _YES, _YES, _OWN, _NO),
    Stage.HANDLED: (_NO, _NO, _NO, _NO, _NO, _YES, _OWN, _NO),
    Stage.VERIFIED: (_NO, _NO, _NO, _NO, _NO, _NO, _YES, _NO),
    Stage.CLOSED: (_NO, _NO, _NO, _NO, _NO, _NO, _NO, _YES),
    Stage.RATED: (_NO, _NO, _NO, _NO, _NO, _NO, _NO, _NO),
}

ORDER: Final[tuple[Stage, ...]] = tuple(Stage)
TABLE: Final[Mapping[tuple[Stage, Stage], Rule]] = {
    (stage, claimed): rule for stage, row in _ROWS.items() for claimed, rule in zip(ORDER, row, strict=True)
}
_PASSED: Final[Mapping[tuple[Stage, Stage], tuple[Stage, ...]]] = {
    (stage, claimed): ORDER[ORDER.index(stage) + 1 : ORDER.index(claimed)] for stage in ORDER for claimed in ORDER
}
_NEXT: Final[Mapping[Stage, Stage | None]] = dict(zip(ORDER, (*ORDER[1:], None), strict=True))


def legal(stage: Stage, claimed: Stage, *, closes: bool) -> bool:
    """Whether a ticket at `stage` may reach `claimed`; `closes`: by a source whose closing is authoritative."""
    rule = TABLE[stage, claimed]
    return rule is Rule.YES or (rule is Rule.CLOSER and closes)


def implied(stage: Stage, claimed: Stage) -> tuple[Stage, ...]:
    """The stages between the two, in order: they pass in the same event, inferred."""
    return _PASSED[stage, claimed]


def following(stage: Stage) -> Stage | None:
    """The stage that a ticket must reach next."""
    return _NEXT[stage]
