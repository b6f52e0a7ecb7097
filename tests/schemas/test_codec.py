"""What makes contracts cheap makes the same contracts."""

from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any, NamedTuple

import pytest

from schemas.codec import Maker, encode
from schemas.envelope import Envelope
from schemas.events import ReportSettled, TicketDispatched, TicketOpened
from schemas.state import Attached, Deadline, Ticket


class Pair(NamedTuple):
    """A named tuple with a default."""

    one: int
    other: str = "other"


class Single(NamedTuple):
    """A named tuple of one."""

    one: int


@pytest.mark.parametrize(
    "made",
    [Ticket, Attached, Deadline, TicketOpened, TicketDispatched, ReportSettled, Envelope],
    ids=lambda m: m.__name__,
)
def test_a_maker_makes_what_the_class_makes(made: Callable[..., Any]) -> None:
    maker: Maker[..., Any] = Maker(made)
    names = [field.name for field in fields(made)]  # type: ignore[arg-type]  # each is a dataclass
    needed = [field.name for field in fields(made) if field.default is MISSING]  # type: ignore[arg-type]  # as above
    for given in (needed, names):
        values = {name: f"value of {name}" for name in given}
        it, plain = maker.of(**values), made(**values)
        assert type(it) is type(plain)
        assert it == plain
        assert encode(it) == encode(plain)


@pytest.mark.parametrize("values", [{}, {"id": "1"}, {"nothing": 1}])
def test_a_maker_asks_for_what_the_class_asks_for(values: dict[str, Any]) -> None:
    maker: Maker[..., Ticket] = Maker(Ticket)
    with pytest.raises(TypeError):
        maker.of(**values)


def test_a_maker_of_named_tuples() -> None:
    pair = Maker(Pair)
    assert pair.of(1, "2") == pair.of(one=1, other="2") == Pair(1, "2")
    assert pair.of(1) == Pair(1)
    assert type(pair.of(1)) is Pair
    assert Maker(Single).of(1) == Single(1)
