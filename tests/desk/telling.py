"""Stories for tests: after how long which record, and what the desk says; each told three ways."""

from collections.abc import Sequence

from schemas.codes import Action
from schemas.commands import Command
from schemas.envelope import derived_id
from schemas.policy import Policy
from schemas.state import Ticket
from streams.desk.evolve import evolve
from streams.desk.memory import DeskMemory
from tests.desk.logs import POLICY, Log, bytes_of, decide_batch, folded, remembered

Step = tuple[int, Command | bytes, list[str]]
"""Milliseconds from the beginning, the record, and what is said of it."""
Story = Sequence[Step]


def ticket_of_step(step: int, area: str = "north", number: int = 1) -> str:
    """The id of the ticket that the story's step opened, counted from 1: the policy comes before it."""
    name = f"{area}.{derived_id(f'desk/3/{step}').replace('-', '')[:16]}"
    return name if number == 1 else f"{name}-{number}"


def check(story: Story, policy: Policy = POLICY) -> Log:
    """One record at a time, folded anew from the changelog before each; then in one batch; then from events alone."""
    log = Log(policy=policy)
    said = []
    for after, command, _ in story:
        said.append(log.add(command, after))
        again = folded(log.state)
        assert remembered(again) == remembered(log.memory)
        log.memory = again
    assert said == [expected for _, _, expected in story]
    _check_in_one_batch(log)
    _check_events_alone(log)
    return log


def _check_in_one_batch(log: Log) -> None:
    together = DeskMemory()
    draft, decisions = decide_batch(together, log.entries)
    assert bytes_of([fact for decision in decisions for fact in decision.facts]) == bytes_of(log.facts)
    draft.take()
    assert remembered(together) == remembered(log.memory)


def _check_events_alone(log: Log) -> None:
    tickets: dict[str, Ticket] = {}
    for fact in log.facts:
        subject = fact.envelope.subject
        if subject is not None:
            tickets[subject] = evolve(tickets.get(subject), fact)
    for name, ticket in log.memory.tickets.items():
        assert tickets[name] == ticket
        own = [fact.envelope.sequence for fact in log.facts if fact.envelope.subject == name and fact.envelope.sequence]
        assert own == list(range(1, ticket.sequence + 1)), "numbered without a gap"


def applied(action: Action, *said: str) -> list[str]:
    """What is said of feedback that is applied."""
    return [*said, f"command.settled {action.value} applied"]


def refused(action: Action, why: str) -> list[str]:
    """What is said of feedback that is refused."""
    return [f"command.settled {action.value} refused {why}"]
