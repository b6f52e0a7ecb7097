"""Unions of contracts, told apart by `type`: what was written as it should be is read in C, in a third of the time.

msgspec reads a record into a row; a function written out from the contract's fields, as `Maker` does it, makes the
contract of it. What msgspec refuses goes to pydantic, which takes it all the same or says what is wrong: the two are
held to the same answers (`tests/schemas/test_tagged.py`).
"""

from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, Generic, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from pydantic import TypeAdapter

from schemas.codec import Contract

T = TypeVar("T")


class Tagged(Contract[T]):
    """Reads one union of contracts. Those without a `type` of their own, or with other contracts in unions, no."""

    def __init__(self, adapter: TypeAdapter[T], *made: type[Any]) -> None:
        super().__init__(adapter)
        shapes = [_Shape(one) for one in made]
        self._made_of = {shape.row: shape.made_of for shape in shapes}
        self._rows: Callable[[bytes], Any] = msgspec.json.Decoder(Union[tuple(self._made_of)]).decode  # noqa: UP007 - as below

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
            inner = next((part for part in (hint, *get_args(hint)) if is_dataclass(part)), None)
            if inner is not None:
                shape = _Shape(inner)  # type: ignore[arg-type]  # it is a class, as hints hold no instances
                known[f"made_{name}"] = shape.made_of
                hint = _with(shape.row, hint)
            columns.append((name, hint, *_default(one)))
            given.append(f"    it.{name} = {_taken(name, hint, deep=inner is not None)}\n")
        self.row: Any = msgspec.defstruct(
            made.__name__, columns, kw_only=True, gc=False, forbid_unknown_fields=True, **tag
        )
        exec(f"def made_of(row):\n    it = new(made)\n{''.join(given)}    return it\n", known)  # noqa: S102 - as dataclasses do, of its own fields
        self.made_of: Callable[[Any], T] = known["made_of"]


def _default(one: Field[Any]) -> tuple[Any, ...]:
    if one.default is not MISSING:
        return (one.default,)
    return () if one.default_factory is MISSING else (msgspec.field(default_factory=one.default_factory),)


def _with(row: Any, hint: Any) -> Any:
    """A field's type with a row in place of its contract."""
    if get_origin(hint) is tuple:
        return tuple[row, ...]
    return Union[row, None] if get_args(hint) else row  # noqa: UP007 - `|` knows no types made at run time


def _taken(name: str, hint: Any, *, deep: bool) -> str:
    """How the value of a field is taken over: as it is, or made of its row."""
    value = f"row.{name}"
    if not deep:
        return value
    if get_origin(hint) is tuple:
        return f"tuple([made_{name}(one) for one in {value}])"
    return f"None if {value} is None else made_{name}({value})" if get_args(hint) else f"made_{name}({value})"
