"""What is known of a file's reports: which were found, by people, to be the same matter."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from agents.errors import UserError
from agents.feeding.plan import Item
from schemas.mapping import REPORT
from streams.intake.rejected import Unusable
from streams.intake.source import Source

YES: Final = frozenset(("1", "true", "t", "yes", "y"))


@dataclass(frozen=True, slots=True)
class Labels:
    """Reports by the source's own id. A cluster is all that is tied together by parents, in however many steps."""

    parents: dict[str, str]
    """As the labels say: the child, and what it was found to be a duplicate of; both stand in the file."""
    named: int
    """How many rows name a parent, in the file or not."""
    marked: frozenset[str]
    """Those that are called duplicates, whether a parent is named or not."""
    clusters: dict[str, int]
    """The cluster of each report that has one."""


def read_labels(source: Source, items: Iterable[Item], parent: str, mark: str | None) -> Labels:
    """The labels in a file's columns; `UserError` where it has no such column. A report of no known id has none."""
    parent_at = _column(source, parent)
    mark_at = None if mark is None else _column(source, mark)
    named: dict[str, str] = {}
    marked: set[str] = set()
    ids: set[str] = set()
    for item in items:
        if item.part != REPORT or item.key is None:
            continue
        try:
            fields = source.fields(item.line)
        except Unusable:
            continue
        name, other = item.key.decode(), str(fields[parent_at]).strip()
        ids.add(name)
        if other and other != name:
            named[name] = other
        if (other and mark_at is None) or (mark_at is not None and str(fields[mark_at]).strip().lower() in YES):
            marked.add(name)
    parents = {child: other for child, other in named.items() if other in ids}
    return Labels(parents, len(named), frozenset(marked), _clusters(parents))


def _column(source: Source, name: str) -> int:
    columns = source.mapping.columns
    if name not in columns:
        msg = f"source {source.name} has no column {name!r} to take labels from: it has {', '.join(columns)}"
        raise UserError(msg)
    return columns.index(name)


def _clusters(parents: dict[str, str]) -> dict[str, int]:
    """Numbers for what hangs together, by joining the two ends of each pair."""
    up: dict[str, str] = {}

    def root(name: str) -> str:
        while up.setdefault(name, name) != name:
            up[name] = up[up[name]]
            name = up[name]
        return name

    for child, parent in parents.items():
        up[root(child)] = root(parent)
    numbers: dict[str, int] = {}
    return {name: numbers.setdefault(root(name), len(numbers)) for name in list(up)}
