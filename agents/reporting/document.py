"""The report as one JSON document: its field names are an interface, programs read them."""

from datetime import UTC, datetime

from streams.ledger.loop import Kept, Loop
from streams.ledger.queries import HOUR_MS, Figures, Part


def document(figures: Figures) -> dict[str, object]:
    """The figures by their names. Rates are shares of one, `null` where nothing is due yet."""
    total = figures.total
    return {
        "log_time": _utc(figures.log_time),
        "reports": figures.reports,
        "fates": figures.fates,
        "outcomes": figures.outcomes,
        "dead_letters": sum(figures.dead_letters.values()),
        "dead_letter_reasons": figures.dead_letters,
        "flags": figures.flags,
        **_part(total),
        "by_stage": figures.by_stage,
        "by_area": {name: _part(part) for name, part in figures.by_area.items()},
        "by_category": {name: _part(part) for name, part in figures.by_category.items()},
        "loop": _loop(figures.loop),
    }


def _utc(moment: datetime | None) -> str | None:
    return moment.replace(tzinfo=UTC).isoformat() if moment else None


def _part(part: Part) -> dict[str, object]:
    return {
        "tickets": part.tickets,
        "closed": part.closed,
        "open": part.open,
        "on_time_rate": part.on_time_rate,
        "hours_to_close": {"p50": hours(part.p50_ms), "p90": hours(part.p90_ms)},
        "overdue_now": part.overdue_now,
    }


def _loop(loop: Loop) -> dict[str, object]:
    return {
        "stages_on_time": {name: _kept(kept) for name, kept in loop.stages.items()},
        "conditions_on_time": {name: _kept(kept) for name, kept in loop.conditions.items()},
        "returns": loop.returns,
        "reworks": loop.reworks,
        "wrong_dispatches": loop.wrong_dispatches,
        "reopens": loop.reopens,
        "recurrences": loop.recurrences,
        "suspensions": loop.suspensions,
        "extensions": loop.extensions,
        "requests": loop.requests,
        "refusals": loop.refusals,
        "diversions": loop.diversions,
        "steps": loop.steps,
        "alarms": loop.alarms,
        "candidates": loop.candidates,
        "scores": {str(score): n for score, n in sorted(loop.scores.items())},
        "satisfied_rate": loop.satisfied_rate,
        "left_out": loop.left_out,
    }


def _kept(kept: Kept) -> dict[str, object]:
    return {"kept": kept.kept, "ended": kept.ended, "rate": kept.rate}


def hours(ms: float | None) -> float | None:
    """Milliseconds in hours, to the hundredth of a minute."""
    return None if ms is None else round(ms / HOUR_MS, 4)
