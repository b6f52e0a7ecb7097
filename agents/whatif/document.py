"""What differs, as one JSON document: its field names are an interface, programs read them."""

from datetime import date, timedelta
from typing import Any

from agents.explaining.telling import document as story
from agents.whatif.figures import Figures, Pair, Part
from agents.whatif.translating import Way
from schemas.codes import Step

_EPOCH = date(1970, 1, 1)


def document(part: Part, policy: str, ticket: str | None) -> dict[str, Any]:
    """`log` is the log's own rules, `other` the ones that were asked for. Rates are shares of one."""
    found: dict[str, Any] = {
        "policy": policy,
        "differs": differs(part),
        "records": part.records,
        "all_tickets": _pair(part.all),
        "tickets_of_both": _pair(part.both),
        "only_under_log": part.only_ours,
        "only_under_other": part.only_theirs,
        "fare_differently": part.differently,
        "named": [{"ticket": one.ticket, "how": one.how} for one in part.named],
        "feedback": {
            **{way.value: part.ways[way] for way in Way},
            "outcomes": [
                {"log": ours, "other": theirs, "commands": count}
                for (ours, theirs), count in sorted(part.outcomes.items())
            ],
        },
    }
    if ticket is not None:
        ours, theirs = part.stories
        found["stories"] = {"log": story(ticket, ours), "other": story(ticket, theirs)}
    return found


def differs(part: Part) -> bool:
    """Whether anything does: also a limit's step or a report's fate alone."""
    outcomes = any(ours != theirs for ours, theirs in part.outcomes)
    return part.all.ours != part.all.theirs or bool(part.differently) or outcomes


def _pair(pair: Pair) -> dict[str, Any]:
    return {"log": _figures(pair.ours), "other": _figures(pair.theirs)}


def _figures(one: Figures) -> dict[str, Any]:
    return {
        "tickets": one.tickets,
        "closed": one.closed,
        "open": one.open,
        "overdue": one.overdue,
        "on_time_rate": one.on_time_rate,
        "stages_on_time": {
            name: {"kept": one.kept[name], "ended": ended, "rate": one.rate(name)}
            for name, ended in sorted(one.ended.items())
        },
        "fates": dict(sorted(one.fates.items())),
        "candidates": one.candidates,
        "steps": {step.value: one.steps[step.value] for step in Step},
        "steps_by_day": {
            step: {(_EPOCH + timedelta(day)).isoformat(): n for day, n in sorted(days.items())}
            for step, days in sorted(one.days.items())
        },
        "units": dict(one.units.most_common()),
    }
