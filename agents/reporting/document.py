"""The report as one JSON document: its field names are an interface, programs read them."""

from datetime import UTC, datetime

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


def hours(ms: float | None) -> float | None:
    """Milliseconds in hours, to the hundredth of a minute."""
    return None if ms is None else round(ms / HOUR_MS, 4)
