"""A policy comes into force: who is judged by it, who keeps the one it had, and what that changes. Pure.

A ticket goes by `running` of the policy that judges it. What it keeps is remembered as long as an open ticket is judged
by it, with the years that later calendars announce: those are facts, not rules.
"""

from dataclasses import replace

from schemas.codes import Outcome, Refusal
from schemas.commands import PolicyPublished
from schemas.events import CommandSettled, LimitsChanged
from schemas.policy import Calendar, Policy
from schemas.state import Deadline, Ticket
from streams.desk.deadlines import steps_said
from streams.desk.facts import NOWHERE
from streams.desk.rules import Rules
from streams.desk.taking import no_longer_provisional, recomputed
from streams.desk.turn import Turn


def adopt(turn: Turn, command: PolicyPublished) -> None:
    """A policy holds from here on; a log never changes its clock, and the same policy again changes nothing."""
    known, new = turn.draft.rules, command.policy
    rules, wrong = _compiled(new), None
    if known is not None and known.policy.clock is not new.clock:
        wrong = Refusal.WRONG_CLOCK
    elif rules is None:
        wrong = Refusal.BAD_COMMAND
    elif known is None:
        turn.draft.adopt(rules)
    elif known.policy != new:
        _replace(turn, known, rules)
    settled = CommandSettled(
        outcome=Outcome.APPLIED if wrong is None else Outcome.REFUSED,
        reason=wrong,
        command=command.type,
        source="",
        source_id="",
        ticket=None,
        flags=(),
        origin=command.origin,
    )
    turn.aside(NOWHERE, settled)


def _compiled(policy: Policy) -> Rules | None:
    """The rules; `None` where the policy contradicts itself, as by a unit that it names and does not have."""
    try:
        return Rules(policy)
    except (KeyError, ValueError):
        return None


def forget_former(turn: Turn) -> None:
    """Policies by which no open ticket is judged any more leave, and nothing is said about it."""
    former = turn.draft.former
    versions = {rules.policy.version for rules in former.values()}
    for version in sorted(versions):
        if not turn.draft.judges_some(version):
            former.put(version, None)


def _replace(turn: Turn, known: Rules, new: Rules) -> None:
    draft = turn.draft
    judges = {rules.policy.version: rules for rules in draft.former.values()} | {known.policy.version: known}
    tickets = [ticket for ticket in draft.tickets() if ticket.closed_at is None]
    tickets.sort(key=lambda ticket: (ticket.opened_at, ticket.id))
    keeping = {ticket.policy for ticket in tickets if keeps(judges.get(ticket.policy))}
    draft.adopt(new)
    for version in sorted(judges):
        kept = knowing(judges[version], new) if version in keeping and version != new.policy.version else None
        if draft.former.get(version) is not kept:
            draft.former.put(version, kept)
    for ticket in tickets:
        if ticket.policy in keeping:
            _keep(turn, ticket)
        else:
            _take(turn, ticket, judges.get(ticket.policy, known), new)


def judged_anew(turn: Turn, ticket: Ticket) -> Ticket:
    """A closed ticket that is about to be opened again: by the policy in force, whichever judged it before.

    Its own may be forgotten by now, and what it promised was kept or broken when the ticket was closed. It is said
    first, while nothing runs: what begins with the reopening is then told under the version that gives it.
    """
    rules = turn.rules
    if ticket.policy == rules.policy.version:
        return ticket
    return turn.tell(ticket, _changed(rules, rules.policy.version, ticket.deadlines))


def keeps(rules: Rules | None) -> bool:
    """Whether running tickets keep these rules when others follow."""
    return rules is not None and rules.policy.running == "keep"


def _take(turn: Turn, ticket: Ticket, former: Rules, new: Rules) -> None:
    turn.tell(ticket, _changed(new, new.policy.version, recomputed(new, former, ticket, turn.at)))


def _keep(turn: Turn, ticket: Ticket) -> None:
    rules = turn.rules_of(ticket)
    deadlines = no_longer_provisional(rules, ticket, turn.at)
    if deadlines != ticket.deadlines:
        turn.tell(ticket, _changed(rules, ticket.policy, deadlines))


def _changed(rules: Rules, policy: str, deadlines: tuple[Deadline, ...]) -> LimitsChanged:
    # Whoever reads facts alone has no ladder: which steps of another one count as said it cannot know.
    climbed = {deadline.limit: steps_said(rules, deadline) for deadline in deadlines}
    return LimitsChanged(policy=policy, deadlines=deadlines, said=climbed)


def knowing(kept: Rules, new: Rules) -> Rules:
    """The rules that tickets keep, with the years that the new policy's calendar has and theirs has not."""
    ours, theirs = kept.policy.calendar, new.policy.calendar
    if ours is None or theirs is None or set(theirs.years) <= set(ours.years):
        return kept
    return Rules(replace(kept.policy, calendar=_completed(ours, theirs)))


def _completed(ours: Calendar, theirs: Calendar) -> Calendar:
    years = tuple(year for year in theirs.years if year not in ours.years)
    return replace(
        ours,
        off=(*ours.off, *_within(theirs.off, years)),
        on=(*ours.on, *_within(theirs.on, years)),
        years=(*ours.years, *years),
    )


def _within(dates: tuple[str, ...], years: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(date for date in dates if int(date[:4]) in years)
