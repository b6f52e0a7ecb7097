"""Contracts as dataclasses that never change: written by msgspec, read strictly by pydantic.

A dataclass costs a quarter of a pydantic model to make, and the desk makes five a report; pydantic still reads and
checks whatever comes from outside. Times are integers: milliseconds since the epoch, UTC.
"""

from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Final, Generic, ParamSpec, TypeVar, dataclass_transform

import msgspec
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

STRICT: Final = ConfigDict(extra="forbid", allow_inf_nan=False)
"""For a contract's `__pydantic_config__`: unknown fields are refused, and so are NaN and infinity."""

Whole = Annotated[int, Field(ge=-(2**63), lt=2**63), msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""What a JSON writer can write back: a larger one would be read and then stop whoever writes it."""

T = TypeVar("T")
P = ParamSpec("P")


@dataclass_transform(frozen_default=True, kw_only_default=True)
def contract(made: type[T]) -> type[T]:
    """A dataclass with slots, keywords only, that mypy holds to be frozen.

    At run time it is not: a frozen one takes three times as long to make, and the desk makes a dozen a report.
    """
    return dataclass(slots=True, kw_only=True)(made)


class Maker(Generic[P, T]):
    """Makes what is made several times a report: `of` takes what the class takes, at a half to a third of the price.

    A class that is called packs its arguments into a dict twice over; a function does not. And it is called as a
    method, since a plain call of more than fifteen named arguments packs them, too.
    """

    __slots__ = ("of",)

    def __init__(self, made: Callable[P, T]) -> None:
        self.of: Callable[P, T] = _written_out(made)


def _written_out(made: Any) -> Any:
    """A function that sets the fields of a contract, or of a named tuple, one after the other."""
    known: dict[str, Any] = {"made": made}
    if issubclass(made, tuple):
        names = made._fields
        known |= {"new": tuple.__new__} | {f"default_{name}": value for name, value in made._field_defaults.items()}
        body = f"    return new(made, ({''.join(f'{name}, ' for name in names)}))"
    else:
        names = [field.name for field in fields(made)]
        known |= {"new": object.__new__}
        known |= {f"default_{field.name}": field.default for field in fields(made) if field.default is not MISSING}
        body = "\n".join(["    it = new(made)", *(f"    it.{name} = {name}" for name in names), "    return it"])
    star = "" if issubclass(made, tuple) else "*, "
    taken = ", ".join(f"{name}=default_{name}" if f"default_{name}" in known else name for name in names)
    exec(f"def of({star}{taken}):\n{body}\n", known)  # noqa: S102 - as dataclasses do, of the class's own field names
    return known["of"]


@cache
def _copier(made: type[Any]) -> Any:
    """A function that copies a contract of that class, field by field."""
    body = "".join(f"    it.{field.name} = old.{field.name}\n" for field in fields(made))
    known: dict[str, Any] = {"made": made, "new": object.__new__}
    exec(f"def copied(old):\n    it = new(made)\n{body}    return it\n", known)  # noqa: S102 - as above
    return known["copied"]


if TYPE_CHECKING:
    from dataclasses import replace  # mypy knows which fields it takes
else:

    def replace(old, **changes):
        """The contract with other values in some fields: `dataclasses.replace` in a quarter of the time."""
        it = _copier(type(old))(old)
        for name, value in changes.items():
            setattr(it, name, value)
        return it


class Contract(Generic[T]):
    """Reads and writes one contract, or one union of contracts."""

    def __init__(self, adapter: TypeAdapter[T]) -> None:
        self.adapter = adapter
        self.read = adapter.validator.validate_json

    def decode(self, raw: bytes) -> T:
        """The value in `raw`; raises `pydantic.ValidationError` where it is none."""
        value: T = self.read(raw)
        return value


encode: Final[Callable[[object], bytes]] = msgspec.json.Encoder().encode
"""The JSON of any contract, UTF-8, fields in the order the contract names them."""

__all__ = [
    "STRICT",
    "Contract",
    "Maker",
    "ValidationError",
    "Whole",
    "contract",
    "encode",
    "replace",
]
