"""What time a record has, and what dates it may claim. Pure; milliseconds since the epoch."""

from schemas.codes import Clock
from schemas.commands import Command, Feedback, PolicyPublished, Report, Tick
from schemas.policy import Policy
from streams.desk.draft import Draft
from streams.desk.facts import Entry


def time_of(draft: Draft, entry: Entry, command: Command | None) -> int:
    """Log time once this record is applied; it never goes back. The clock is that of the policy in force.

    The first policy names the clock it comes under itself. Before it log time stands still.
    """
    policy = draft.policy
    if policy is None and isinstance(command, PolicyPublished):
        policy = command.policy
    if policy is None:
        return draft.time
    own = entry.appended_at if policy.clock is Clock.WALL else _told(command)
    return draft.time if own is None else max(own, draft.time)


def dated(policy: Policy, occurred_at: int, at: int) -> int:
    """When a thing may be said to have happened: not after its arrival, and back-dated no further than allowed."""
    if occurred_at >= at:
        return at
    earliest = at - policy.back_date_s * 1000
    return occurred_at if occurred_at > earliest else earliest


def _told(command: Command | None) -> int | None:
    return command.time if isinstance(command, Report | Feedback | Tick) else None
