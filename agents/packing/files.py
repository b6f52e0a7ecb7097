"""One YAML file into one model. What is wrong is named by file, line and field."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, NoReturn, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from agents.errors import UserError

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")
Loc = Sequence[int | str]

# The parser in C reads the same and is ten times as fast; not every build of PyYAML has it.
_Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


_DEEPEST: Final = 30
"""Lists and mappings in one another; a file of a pack has eight."""
_LARGEST: Final = 100_000
"""Words of a file, its aliases (*name) written out; the largest of the shipped ones has two thousand."""


class PackError(UserError):
    """A pack or mapping cannot be used; one line per problem: `file:line: field: what is wrong`."""


class Gathering:
    """Reads several files to the end, so that all that is wrong is told at once."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def read(self, work: Callable[[], T]) -> T | None:
        """What `work` gives; None where it raises `PackError`."""
        try:
            return work()
        except PackError as error:
            self.problems.append(str(error))
            return None

    def done(self) -> None:
        """Raise `PackError` with everything that was wrong."""
        if self.problems:
            raise PackError("\n".join(self.problems))


def read(file: Path, model: type[M]) -> M:
    """The file as the model; `PackError` where it cannot be."""
    text = _text(file)
    node = _node(file, text)
    twice = list(_twice(node, ()))
    if twice:
        raise PackError("\n".join(_lines(file, node, twice)))
    try:
        return model.model_validate(_plain(file, text))
    except ValidationError as error:
        found = [
            (e["loc"], _message(e["type"], e["msg"])) for e in error.errors(include_url=False, include_input=False)
        ]
        raise PackError("\n".join(_lines(file, node, found))) from None


def lines(file: Path, found: Iterable[tuple[Loc, str]]) -> list[str]:
    """One line a problem: `file:line: field: what is wrong`."""
    found = list(found)
    return _lines(file, _node(file, _text(file)), found) if found else []


def _message(kind: str, text: str) -> str:
    return text.removeprefix("Value error, ") if kind == "value_error" else text


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        msg = f"{file}: cannot be read ({error.strerror})"
        raise PackError(msg) from None
    except UnicodeDecodeError:
        msg = f"{file}: is not UTF-8"
        raise PackError(msg) from None


def _plain(file: Path, text: str) -> object:
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - both are safe loaders
    except (yaml.YAMLError, ValueError) as error:  # a date like 2026-13-01 is read as one, and is none
        msg = f"{file}: is not YAML: {error}"
        raise PackError(msg) from None


def _node(file: Path, text: str) -> yaml.Node | None:
    try:
        _check_plain(file, text)
        return yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else 1
        msg = f"{file}:{line}: is not YAML: {error.problem}"
        raise PackError(msg) from None
    except yaml.YAMLError:
        msg = f"{file}: is not YAML"
        raise PackError(msg) from None


def _check_plain(file: Path, text: str) -> None:
    """Refuse what no pack needs and a few lines of which fill the memory or the stack: depth, what grows; and tags."""
    open_: list[tuple[str | None, int]] = [(None, 0)]
    sizes: dict[str, int] = {}
    line = 1
    for event in yaml.parse(text, Loader=_Loader):
        line = line if event.start_mark is None else event.start_mark.line + 1
        _grow(event, open_, sizes)
        if isinstance(event, yaml.AliasEvent) and event.anchor not in sizes:
            _not_plain(file, line, "an alias of what it stands in")
        if len(open_) > _DEEPEST:
            _not_plain(file, line, f"lists and mappings deeper than {_DEEPEST}")
        if open_[-1][1] > _LARGEST:
            _not_plain(file, line, f"by its aliases more than {_LARGEST:,} words")
        if getattr(event, "tag", None):
            _not_plain(file, line, "a tag (!name): leave it out")


def _grow(event: yaml.Event, open_: list[tuple[str | None, int]], sizes: dict[str, int]) -> None:
    """Count how much stands in what is open, aliases written out; `sizes` is that of each anchor that is complete."""
    anchor: str | None = getattr(event, "anchor", None)
    if isinstance(event, yaml.CollectionStartEvent):
        open_.append((anchor, 1))
        return
    size = (
        sizes.get(anchor or "", 0) if isinstance(event, yaml.AliasEvent) else int(isinstance(event, yaml.ScalarEvent))
    )
    if isinstance(event, yaml.CollectionEndEvent):
        anchor, size = open_.pop()
    if anchor is not None and not isinstance(event, yaml.AliasEvent):
        sizes[anchor] = size
    name, sum_ = open_[-1]
    open_[-1] = name, sum_ + size


def _not_plain(file: Path, line: int, what: str) -> NoReturn:
    msg = f"{file}:{line}: {what}"
    raise PackError(msg)


def _twice(node: yaml.Node | None, loc: tuple[int | str, ...]) -> Iterable[tuple[Loc, str]]:
    """Keys that stand twice in one mapping: YAML takes the last one without a word."""
    if isinstance(node, yaml.SequenceNode):
        for place, item in enumerate(node.value):
            yield from _twice(item, (*loc, place))
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                yield (*loc, name), "stands twice"
            seen.add(name)
            yield from _twice(value, (*loc, name))


def _lines(file: Path, node: yaml.Node | None, found: Iterable[tuple[Loc, str]]) -> list[str]:
    told = []
    for loc, text in found:
        field = ".".join(str(part) for part in loc) or "the file"
        told.append(f"{file}:{_line(node, loc)}: {field}: {text}")
    return told


def _line(node: yaml.Node | None, loc: Loc) -> int:
    """The line of the innermost part of `loc` that stands in the file, from 1."""
    line = 1
    for part in loc:
        found = _child(node, part)
        if found is not None:  # else a name that pydantic put in, or a field that is missing
            key, node = found
            line = key.start_mark.line + 1
    return line


def _child(node: yaml.Node | None, part: int | str) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part]
    if isinstance(node, yaml.MappingNode):
        for key, value in reversed(node.value):
            if key.value == str(part):
                return key, value
    return None
