"""Every reader of a contract, over examples made bad: a value that is the same when it is read again, or an error."""

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

import orjson
from pydantic import TypeAdapter

from agents.desk import command_in
from agents.views import read_event
from schemas.codec import Contract, ValidationError, encode
from schemas.commands import COMMAND
from schemas.dead_letter import dead_letter_of
from schemas.envelope import envelope_of
from schemas.events import EVENT
from schemas.intake import intake_headers
from schemas.state import LOG_TIME, POLICY, WAITING, Ticket
from schemas.views import ASSIGNMENT, CANDIDATE, CURRENT, REMINDED, REPLY, VIEWS_TIME
from streams.ledger.rows import dead_letter_row, event_row
from streams.ownership.place import from_metadata
from tests.fuzz import mutate, nasty
from tests.fuzz.finding import hold
from tests.intake.kit import Row

EXAMPLES: Final = Path(__file__).parents[2] / "schemas/examples"
Headers = Sequence[tuple[str, bytes]]

READERS: Final[dict[str, Contract[Any]]] = {
    "commands": COMMAND,
    "events": EVENT,
    "state.policy": POLICY,
    "state.ticket": Contract(TypeAdapter(Ticket)),  # as its example is written; the changelog has it packed
    "state.time": LOG_TIME,
    "state.waiting": WAITING,
    "views.assignment": ASSIGNMENT,
    "views.candidate": CANDIDATE,
    "views.reminder": REMINDED,
    "views.reply": REPLY,
    "views.ticket": CURRENT,
    "views.time": VIEWS_TIME,
}


def _reader(file: Path) -> str:
    folder, name = file.parent.parent.name, file.name.split(".")[0]
    return folder if folder in READERS else f"{folder}.{name}"


BODIES: Final = [
    (_reader(file), file.read_bytes())
    for file in sorted(EXAMPLES.glob("*/v1/*.json"))
    if not file.name.endswith(".headers.json")
]
HEADERS: Final = [orjson.loads(file.read_bytes()) for file in sorted(EXAMPLES.glob("*/v1/*.headers.json"))]


def body(random: Random, of: str = "") -> tuple[str, bytes]:
    """A contract's name, and an example of it made bad; of one contract alone where it is named."""
    name, raw = random.choice([one for one in BODIES if one[0] == of] if of else BODIES)
    if not of and random.random() < 0.05:
        name = random.choice(list(READERS))
    if random.random() < 0.3:
        return name, mutate.broken(random, raw, random.choice(BODIES)[1])
    return name, mutate.document(random, raw)


def headers(random: Random) -> list[tuple[str, bytes]]:
    """An example of a record's headers, made bad."""
    made = [(name, str(value).encode()) for name, value in random.choice(HEADERS)]
    for _ in range(random.choice((0, 1, 1, 3))):
        if not made:
            break
        at = random.randrange(len(made))
        name, value = made[at]
        roll = random.random()
        if roll < 0.2:
            made.pop(at)
        elif roll < 0.6:
            made[at] = name, mutate.word(random)[:3000].encode()
        elif roll < 0.9:
            made[at] = name, mutate.broken(random, value, random.choice(nasty.BYTES))
        else:
            made.append((name, value))
    return made


def check_body(name: str, raw: bytes) -> None:
    """Read it by its contract, as pydantic does. A command, which tools may write, must be the same when read again."""
    contract = READERS[name]
    try:
        value = contract.decode(raw)
    except ValidationError:
        return
    hold(repr(value) == repr(contract.read(raw)), f"{name}: not what pydantic reads")
    if contract is COMMAND:
        hold(contract.decode(encode(value)) == value, f"{name}: not the same when it is read again")


def check_headers(made: Headers, raw: bytes) -> None:
    """Each reader of headers raises what it says, and nothing else; the ledger's rows never raise."""
    row = Row(value=raw, headers=made)
    intake_headers(made)
    for read in (envelope_of, dead_letter_of):
        _or(read, made, KeyError, ValueError)
    read_event(row)
    event_row(row)
    dead_letter_row(row)
    command_in(raw)
    for _, value in made:
        from_metadata(5, value.decode(errors="replace"))


def _or(read: Callable[[Any], object], value: object, *expected: type[Exception]) -> None:
    try:
        read(value)
    except expected:
        return
