"""How the closed loop (闭环) was kept: stages on time, what went back, what was asked for, cards, matches, ratings.

All of it is of tickets that count (see `Figures`); only pairs of tickets are counted whatever became of the two.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from streams.ledger.access import Client
from streams.ledger.asking import rows

SATISFIED: Final = 4
"""A rating of at least this (满意, 非常满意)."""


@dataclass(frozen=True, slots=True)
class Kept:
    """How many limits of one kind ended, and how many of these were kept."""

    kept: int
    ended: int

    @property
    def rate(self) -> float | None:
        """The share that was kept; `None` where none ended."""
        return self.kept / self.ended if self.ended else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """The closed loop's own figures."""

    stages: dict[str, Kept]
    """By the stage that was reached when a stage limit ended (各环节按时)."""
    conditions: dict[str, Kept]
    """By staged condition (阶段性条件)."""
    returns: int
    """退单."""
    reworks: int
    """返工."""
    wrong_dispatches: int
    """错误派遣: dispatched again, to another unit."""
    reopens: int
    """重开."""
    suspensions: int
    """挂账."""
    extensions: dict[str, int]
    """延时: `automatic`, `approved`."""
    requests: dict[str, int]
    """What handlers asked operators for, by kind."""
    refusals: dict[str, int]
    """Of these, what was refused."""
    diversions: dict[str, int]
    """分流, `police to service` and the other way; `returned`: those that came back."""
    steps: dict[str, int]
    """预警, 超时, 督办, 升级: how often limits reached each step of the ladder."""
    alarms: dict[str, int]
    candidates: dict[str, int]
    """Pairs of tickets: proposed, confirmed, refused, parted, linked."""
    recurrences: int
    """回潮: tickets of what had been closed not long before."""
    scores: dict[int, int]
    """Newest ratings of tickets, 1 (worst) to 5."""
    left_out: dict[str, int]
    """Tickets that count nowhere: `drill`, `voided`, `merged`."""

    @property
    def rated(self) -> int:
        """How many tickets were rated."""
        return sum(self.scores.values())

    @property
    def satisfied_rate(self) -> float | None:
        """The share of ratings of at least 4 (满意率); `None` without any."""
        return sum(n for score, n in self.scores.items() if score >= SATISFIED) / self.rated if self.rated else None


_TICKETS: Final = """
SELECT sumIf(returns, counted), sumIf(reworks, counted), sumIf(wrong_dispatches, counted), sumIf(reopens, counted),
       sumIf(suspensions, counted), countIf(recurrence_of != '' AND counted),
       countIf(drill), countIf(NOT drill AND standing = 'voided'),
       countIf(NOT drill AND standing = 'merged'),
       sumMapIf([assumeNotNull(score)], [toUInt64(1)], counted AND score IS NOT NULL)
FROM tickets
"""

_KEPT: Final = """
SELECT condition != '' AS of_condition, if(condition != '', condition, stage) AS name, countIf(kept = 1), count()
FROM events FINAL
WHERE kept IS NOT NULL AND NOT drill AND ticket NOT IN (SELECT ticket FROM left_out)
GROUP BY of_condition, name ORDER BY of_condition, name
"""

_HAPPENED: Final = """
SELECT multiIf(step != '', 'step', alarm != '', 'alarm', from_side != '', 'diversion', granted IS NOT NULL, 'extension',
               type = 'lianqin.request.made.v1', 'request', 'refusal') AS kind,
       multiIf(step != '', step, alarm != '', alarm, returned = 1, 'returned',
               from_side != '', concat(from_side, ' to ', to_side),
               granted IS NOT NULL, if(automatic = 1, 'automatic', 'approved'), request) AS name,
       count()
FROM events FINAL
WHERE (step != '' OR alarm != '' OR from_side != '' OR granted IS NOT NULL OR request != '')
  AND NOT drill AND ticket NOT IN (SELECT ticket FROM left_out)
GROUP BY kind, name ORDER BY kind, name
"""

_PAIRS: Final = """
SELECT finding, if(finding = 'linked', intDiv(count() + 1, 2), count()) FROM candidates WHERE NOT drill GROUP BY finding
"""


def loop(client: Client) -> Loop:
    """The figures as they stand."""
    of_tickets = rows(client, _TICKETS)[0]
    kept, happened = rows(client, _KEPT), rows(client, _HAPPENED)
    returns, reworks, wrong, reopens, suspensions, recurrences, drills, voided, merged, scores = of_tickets
    return Loop(
        stages={row[1]: Kept(row[2], row[3]) for row in kept if not row[0]},
        conditions={row[1]: Kept(row[2], row[3]) for row in kept if row[0]},
        returns=returns,
        reworks=reworks,
        wrong_dispatches=wrong,
        reopens=reopens,
        suspensions=suspensions,
        extensions=_of_kind(happened, "extension"),
        requests=_of_kind(happened, "request"),
        refusals=_of_kind(happened, "refusal"),
        diversions=_of_kind(happened, "diversion"),
        steps=_of_kind(happened, "step"),
        alarms=_of_kind(happened, "alarm"),
        candidates={row[0]: row[1] for row in rows(client, _PAIRS)},
        recurrences=recurrences,
        scores=dict(zip(*scores, strict=True)),
        left_out={"drill": drills, "voided": voided, "merged": merged},
    )


def _of_kind(happened: Sequence[Sequence[Any]], kind: str) -> dict[str, int]:
    return {row[1]: row[2] for row in happened if row[0] == kind}
