"""Contracts as msgspec's rows: what their fields become there, and how a value is taken over from one to the other."""

from dataclasses import is_dataclass
from typing import Any, Union, get_args, get_origin


def inner(hint: Any) -> type[Any] | None:
    """The contract in a field's type, where there is one: alone, `| None` or in a tuple."""
    return next((part for part in (hint, *get_args(hint)) if is_dataclass(part)), None)  # type: ignore[return-value]  # hints hold no instances


def with_row(row: Any, hint: Any) -> Any:
    """A field's type with a row in place of its contract."""
    if get_origin(hint) is tuple:
        return tuple[row, ...]
    return Union[row, None] if get_args(hint) else row  # noqa: UP007 - `|` knows no types made at run time


def through(way: str, it: str, name: str, hint: Any, known: dict[str, Any]) -> str:
    """Code that takes a field's value over from `it`: as it is, or by the `way` of the contract in it."""
    value, called = f"{it}.{name}", f"{way}_{name}"
    if called not in known:
        return value
    if get_origin(hint) is tuple:
        return f"tuple([{called}(one) for one in {value}])"
    return f"None if {value} is None else {called}({value})" if get_args(hint) else f"{called}({value})"
