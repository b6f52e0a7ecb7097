"""One thing that is wrong with a pack, or doubtful about it."""

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

Loc = tuple[int | str, ...]


class Problem(NamedTuple):
    """`file` as it is called inside the district's folder; `loc` the field in it."""

    file: str
    loc: Loc
    text: str
    warning: bool = False
    """The pack can be used all the same."""


def unknown(file: str, loc: Loc, keys: Iterable[str] | None, known: Collection[str], where: str) -> Iterator[Problem]:
    """A problem for each key that is not known; `where` says where it would have to stand."""
    for key in keys or ():
        if key not in known:
            yield Problem(file, loc, f"{key!r} is not in {where}")
