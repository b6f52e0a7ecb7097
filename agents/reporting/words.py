"""Figures as people read them."""

from typing import Final

NONE: Final = "–"


def count(n: int) -> str:
    """With thin marks for thousands."""
    return f"{n:,}"


def rate(share: float | None) -> str:
    """A share as per cent."""
    return NONE if share is None else f"{100 * share:.1f} %"


def span(ms: float | None) -> str:
    """A length of time in the unit that suits it."""
    if ms is None:
        return NONE
    minutes = ms / 60_000
    if minutes < 90:
        return f"{minutes:.0f} min"
    if minutes < 48 * 60:
        return f"{minutes / 60:.1f} h"
    return f"{minutes / 1440:.1f} d"
