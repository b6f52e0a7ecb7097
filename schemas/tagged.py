"""Unions of contracts, told apart by `type`: what was written as it should be is read in C, in a third of the time.

msgspec reads a record into a row; a function written out from the contract's fields, as `Maker` does it, makes the
contract of it. What msgspec refuses goes to pydantic, which takes it all the same or says what is wrong: the two are
held to the same answers (`tests/schemas/test_tagged.py`).
"""

from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from typing import Any, Generic, Literal, TypeVar, Union, get_origin, get_type_hints

import msgspec
from pydantic import TypeAdapter

from schemas.codec import Contract
from schemas.rows import inner, through, with_row

T = TypeVar("T")


class Tagged(Contract[T]):
    """Reads one union of contracts, `adapter`'s. Those in `made`, each with a `type` of its own, are read fast."""

    def __init__(self, adapter: TypeAdapter[T], *made: type[Any]) -> None:
        super().__init__(adapter)
        shapes = [_Shape(one) for one in made]
        self._made_of = {shape.row: shape.made_of for shape in shapes}
        known: Any = Union[tuple(self._made_of)]  # noqa: UP007 - `|` knows no types made at run time
        self._rows: Callable[[bytes], Any] = msgspec.json.Decoder(known).decode

    def decode(self, raw: bytes) -> T:
        """The value in `raw`; raises `pydantic.ValidationError` where it is none."""
        try:
            row = self._rows(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return super().decode(raw)
        value: T = self._made_of[type(row)](row)
        return value


class _Shape(Generic[T]):
    """A contract, its row, and the way from one to the other. A contract in it is alone, `| None` or in a tuple."""

    def __init__(self, made: type[T]) -> None:
        hints = get_type_hints(made, include_extras=True)
        known: dict[str, Any] = {"made": made, "new": object.__new__}
        columns: list[Any] = []
        given = []
        tag: dict[str, Any] = {}
        for one in fields(made):  # type: ignore[arg-type]  # every contract is a dataclass
            name, hint = one.name, hints[one.name]
            if get_origin(hint) is Literal and one.default is not MISSING:
                known["tag"] = one.default
                tag = {"tag_field": name, "tag": one.default}
                given.append(f"    it.{name} = tag\n")
                continue
            if (part := inner(hint)) is not None:
                shape = _Shape(part)
                known[f"made_{name}"] = shape.made_of
                hint = with_row(shape.row, hint)
            columns.append((name, hint, *_default(one)))
            given.append(f"    it.{name} = {through('made', 'row', name, hint, known)}\n")
        self.row: Any = msgspec.defstruct(
            made.__name__, columns, kw_only=True, gc=False, forbid_unknown_fields=True, **tag
        )
        exec(f"def made_of(row):\n    it = new(made)\n{''.join(given)}    return it\n", known)  # noqa: S102 - as dataclasses do, of its own fields
        self.made_of: Callable[[Any], T] = known["made_of"]


def _default(one: Field[Any]) -> tuple[Any, ...]:
    if one.default is not MISSING:
        return (one.default,)
    return () if one.default_factory is MISSING else (msgspec.field(default_factory=one.default_factory),)
