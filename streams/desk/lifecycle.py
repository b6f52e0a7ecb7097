"""The life of a ticket (闭环) as one table: which action is legal at which stage and standing. Pure."""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final

from schemas.codes import Action, Stage, Standing

ORDER: Final[tuple[Stage, ...]] = tuple(Stage)
RANK: Final[Mapping[Stage, int]] = {stage: rank for rank, stage in enumerate(ORDER)}

LATER_TOLD: Final = frozenset(
    {Stage.SIGNED, Stage.CONTACTED, Stage.ARRIVED, Stage.HANDLED, Stage.VERIFIED, Stage.CALLED_BACK}
)
"""Stages that, where they passed unreported, may still be told of: by whoever worked where there is no network."""


class Rule(Enum):
    """Whether an action is legal."""

    NO = "not legal now"
    YES = "legal, as far as the ticket's stage and standing go"
    RECORD = "the stage has passed: legal where it was inferred, and only recorded"
    CLOSER = "legal for a source whose closing is authoritative"
    ROOT = "the ticket is a child: asked again of its root"


_Stages = tuple[Stage, Stage]
"""From and to, inclusive."""

_OPEN: Final = (Stage.OPENED, Stage.CALLED_BACK)
_ANY: Final = (Stage.OPENED, Stage.RATED)
_HELD: Final = (Stage.DISPATCHED, Stage.ARRIVED)
_UNDER_WAY: Final = (Stage.ACCEPTED, Stage.ARRIVED)
_DONE: Final = (Stage.HANDLED, Stage.CALLED_BACK)
_CLOSED: Final = (Stage.CLOSED, Stage.RATED)

MOVES: Final[Mapping[Action, Stage]] = {
    Action.ACCEPTED: Stage.ACCEPTED,
    Action.SIGNED: Stage.SIGNED,
    Action.CONTACTED: Stage.CONTACTED,
    Action.ARRIVED: Stage.ARRIVED,
    Action.HANDLED: Stage.HANDLED,
    Action.VERIFIED: Stage.VERIFIED,
    Action.CALLED_BACK: Stage.CALLED_BACK,
}
"""Actions that claim nothing but that a stage is reached."""

# A later stage implies the earlier ones (`MOVES` are legal from any earlier stage). What goes back does so by an action
# of its own. `closed` follows a verified result, unless the source closes by itself: nobody else may skip the check.
_RUNNING: Final[Mapping[Action, _Stages]] = {
    Action.DISPATCHED: (Stage.OPENED, Stage.ARRIVED),
    Action.CLOSED: (Stage.VERIFIED, Stage.CALLED_BACK),
    Action.RATED: (Stage.CLOSED, Stage.CLOSED),
    Action.REWORKED: _DONE,
    Action.REOPENED: _CLOSED,
    Action.VOIDED: _OPEN,
    Action.RETURN_REQUESTED: _HELD,
    Action.EXTENSION_REQUESTED: _UNDER_WAY,
    Action.SUSPENSION_REQUESTED: _UNDER_WAY,
    Action.RETURN_APPROVED: _ANY,  # whether anything was asked for is looked at next
    Action.RETURN_REFUSED: _ANY,
    Action.EXTENSION_APPROVED: _ANY,
    Action.EXTENSION_REFUSED: _ANY,
    Action.SUSPENSION_APPROVED: _ANY,
    Action.SUSPENSION_REFUSED: _ANY,
    Action.ASSISTED: _HELD,
    Action.CONDITION_MET: _OPEN,
    Action.DIVERTED: _HELD,
    Action.DIVERSION_RETURNED: _HELD,
    Action.URGED: _OPEN,
    Action.MERGE_CONFIRMED: _OPEN,
    Action.MERGE_REFUSED: _ANY,
}
_SUSPENDED: Final[Mapping[Action, _Stages]] = {
    Action.VOIDED: _OPEN,
    Action.RESUMED: _ANY,
    Action.URGED: _OPEN,
    Action.MERGE_CONFIRMED: _OPEN,
    Action.MERGE_REFUSED: _ANY,
}


def _running(stage: Stage, action: Action) -> Rule:
    target = MOVES.get(action)
    if target is not None and RANK[stage] < RANK[target]:
        return Rule.YES
    if target in LATER_TOLD and stage is not target:
        return Rule.RECORD
    rule = _within(_RUNNING, stage, action)
    if rule is Rule.NO and action is Action.CLOSED and RANK[stage] < RANK[Stage.CLOSED]:
        return Rule.CLOSER
    return rule


def _suspended(stage: Stage, action: Action) -> Rule:
    return _within(_SUSPENDED, stage, action)


def _merged(stage: Stage, action: Action) -> Rule:
    if action is Action.CLOSED and RANK[stage] < RANK[Stage.CLOSED]:
        return Rule.CLOSER
    if action in (Action.URGED, Action.MERGE_CONFIRMED):
        return Rule.ROOT
    return Rule.YES if action in (Action.MERGE_REFUSED, Action.UNMERGED) else Rule.NO


def _voided(_stage: Stage, _action: Action) -> Rule:
    return Rule.NO


def _within(table: Mapping[Action, _Stages], stage: Stage, action: Action) -> Rule:
    legal = table.get(action)
    if legal is None or not RANK[legal[0]] <= RANK[stage] <= RANK[legal[1]]:
        return Rule.NO
    return Rule.YES


_BY_STANDING: Final[Mapping[Standing, Callable[[Stage, Action], Rule]]] = {
    Standing.RUNNING: _running,
    Standing.SUSPENDED: _suspended,
    Standing.MERGED: _merged,
    Standing.VOIDED: _voided,
}

TABLE: Final[Mapping[tuple[Stage, Standing, Action], Rule]] = {
    (stage, standing, action): rule(stage, action)
    for stage in Stage
    for standing, rule in _BY_STANDING.items()
    for action in Action
}
"""The whole product."""

_PASSED: Final[Mapping[tuple[Stage, Stage], tuple[Stage, ...]]] = {
    (stage, claimed): ORDER[RANK[stage] + 1 : RANK[claimed]] for stage in ORDER for claimed in ORDER
}
_NEXT: Final[Mapping[Stage, Stage | None]] = dict(zip(ORDER, (*ORDER[1:], None), strict=True))


def implied(stage: Stage, claimed: Stage) -> tuple[Stage, ...]:
    """The stages between the two, in order: they pass in the same event, inferred."""
    return _PASSED[stage, claimed]


def following(stage: Stage) -> Stage | None:
    """The stage after this one."""
    return _NEXT[stage]
