"""An evaluation as one JSON document: its field names are an interface, programs read them."""

from datetime import UTC, datetime

from agents.evaluating.figures import Asked, Figures, Found, Sweep, Times
from agents.reporting.document import hours


def document(figures: Figures, sweep: Sweep | None) -> dict[str, object]:
    """The figures by their names. Shares are of one, `null` where there is nothing to take a share of."""
    read = figures.read
    made: dict[str, object] = {
        "source": read.source,
        "policy": read.policy,
        "reports": read.reports,
        "unusable": read.unusable,
        "first": _utc(read.first),
        "last": _utc(read.last),
        "marked": read.marked,
        "naming_a_parent": read.named,
        "duplicates": read.wanted,
        "clusters": read.clusters,
        "fates": figures.fates,
        "automatic": _found(figures.automatic),
        "candidates": _found(figures.candidates),
        "together": _found(figures.together),
        "asked": _asked(figures.asked),
        "candidates_per_day": round(figures.per_day, 3),
        "busiest_day": figures.busiest_day,
        "hours_to_decide": _times(figures.to_decide),
        "hours_to_decide_right": _times(figures.to_decide_right),
        "missed": figures.missed,
        "by_category": {
            name: {"reports": one.reports, **_found(one.candidates), "asked": _asked(one.asked)}
            for name, one in figures.by_category.items()
        },
    }
    if sweep is not None:
        made["sweep"] = [
            {
                "metres": tried.metres,
                "hours": tried.seconds // 3600,
                **_found(tried.candidates),
                "asked": _asked(tried.asked),
                "per_day": round(tried.per_day, 3),
            }
            for tried in sweep
        ]
    return made


def _found(found: Found) -> dict[str, object]:
    return {
        "found": found.found,
        "right": found.right,
        "wanted": found.wanted,
        "met": found.met,
        "precision": _share(found.precision),
        "recall": _share(found.recall),
        "f1": _share(found.f1),
    }


def _asked(asked: Asked) -> dict[str, object]:
    return {"reports": asked.reports, "marked": asked.marked, "precision": _share(asked.precision)}


def _times(times: Times) -> dict[str, object]:
    return {"p50": hours(times.p50_ms), "p90": hours(times.p90_ms), "ended": times.ended, "open": times.open}


def _share(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


def _utc(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat()
