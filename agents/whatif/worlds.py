"""One partition's log through two desks at once: the one with the log's rules, and the one with others."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from agents.explaining.story import Story
from agents.feeding.ports import Progress
from agents.replaying.playing import Player
from agents.replaying.replay import Course, Job, Turn, sizes
from agents.replaying.spreading import Count, spread
from agents.whatif.counting import Counting
from agents.whatif.figures import Part, part_of, together
from agents.whatif.translating import Translator
from schemas.codes import Clock
from schemas.commands import Command, Feedback, PolicyPublished, Tick
from schemas.events import TicketOpened
from schemas.policy import Policy
from streams.desk.facts import Decision, Entry, Fact
from streams.desk.memory import DeskMemory

WAITS: Final = "waits"
"""Of a command that is not settled yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked. `since`: log time from which the other rules hold; none: from the beginning."""

    rules: Mapping[Clock, Policy]
    """The other rules, for either clock: the log says which it has."""
    since: int | None = None
    ticket: str | None = None
    """Whose story is told under both."""


def whatif(job: Job, asked: Asked, processes: int, bar: Progress) -> Part:
    """What differs on all partitions, in at most so many processes."""
    found = spread(partial(part, job, asked), sizes(job), processes, bar)
    return together(found[partition] for partition in sorted(found))


def part(job: Job, asked: Asked, partition: int, count: Count) -> Part:
    """What differs on one partition."""
    worlds = _Worlds(job, asked, partition)
    for turn in worlds.course.turns(count):
        worlds.turn(turn)
    if worlds.holder == asked.ticket:
        return worlds.ended()
    # Only now it is known which ticket has its report there: that one's story is told from its beginning.
    again = _Worlds(job, asked, partition, worlds.holder)
    for turn in again.course.turns(lambda: None):
        again.turn(turn)
    return again.ended()


class _World:
    """One desk, what is counted of it, and the stories that may be asked for."""

    def __init__(self, player: Player) -> None:
        self.player = player
        self.counting = Counting()
        self.story = Story()
        for ticket in player.draft.tickets():  # of a snapshot
            self.counting.known(ticket)

    def turn(self, entry: Entry, command: Command | None, ticket: str | None) -> Decision:
        """A record's turn; `ticket`: whose story is told."""
        decision = self.player.turn(entry, command).decision
        for fact in decision.facts:
            self.counting.take(fact)
            if ticket is not None and fact.envelope.subject == ticket:
                self._tell(fact)
        return decision

    def _tell(self, fact: Fact) -> None:
        if self.story.ticket is None and not isinstance(fact.event, TicketOpened):
            return  # it was opened before the snapshot
        draft = self.player.draft
        known = draft.ticket(fact.envelope.subject or "")
        rules = draft.rules if known is None else draft.former.get(known.policy) or draft.rules
        self.story.tell(fact, [] if rules is None else [rules])


class _Worlds:
    def __init__(self, job: Job, asked: Asked, partition: int, holder: str | None = None) -> None:
        self.course = Course(job, partition)
        self.holder = holder or asked.ticket
        """The ticket whose story is told of the other desk: the same, or the one that its report joined there."""
        self._asked = asked
        self._ours = _World(self.course.player)
        self._theirs = _World(Player(DeskMemory() if job.snapshot is None else job.snapshot.memory(partition)))
        self._translator = Translator()
        self._outcomes: Counter[tuple[str, str]] = Counter()
        self._waiting: dict[str, tuple[int, str]] = {}
        """Commands that one of the two has settled, which of them, and as what."""
        self._holds = False
        """Whether the other rules hold already."""
        self._records = 0

    def turn(self, turn: Turn) -> None:
        """One record, under both."""
        self._records += 1
        command = self._carried(turn)
        self._ours.turn(turn.entry, turn.command, self._asked.ticket)
        self._theirs.turn(turn.entry, command, self.holder)
        self._look_for_holder()
        self._settle()

    def ended(self) -> Part:
        """What it came to."""
        for world in (self._ours, self._theirs):
            world.counting.end(world.player.draft)
        for number, outcome in self._waiting.values():
            self._outcomes[(outcome, WAITS) if number == 0 else (WAITS, outcome)] += 1
        return part_of(
            self._ours.counting,
            self._theirs.counting,
            records=self._records,
            ways=self._translator.ways,
            outcomes=self._outcomes,
            stories=(tuple(self._ours.story.chapters), tuple(self._theirs.story.chapters)),
        )

    def _carried(self, turn: Turn) -> Command | None:
        """The record as the other desk gets it; first the other rules, where they begin to hold."""
        command = turn.command
        if not self._holds and (self._asked.since is None or turn.at >= self._asked.since):
            self._holds = True
            if not isinstance(command, PolicyPublished) and self._theirs.player.draft.rules is not None:
                self._begin(turn)
        if self._holds and isinstance(command, PolicyPublished):
            return replace(command, policy=self._policy(command))
        if isinstance(command, Feedback) and self._holds:
            return self._translator.of(command, self._ours.player.draft, self._theirs.player.draft)
        return command

    def _begin(self, turn: Turn) -> None:
        """The other rules come into force between two records: no offset of the log is like theirs, and so no id."""
        asked, before = self._asked, -2 * turn.entry.offset
        when = self._theirs.player.draft.time if asked.since is None else asked.since
        between = turn.entry._replace(offset=before - 1, appended_at=when, raw=b"")
        self._theirs.turn(between, Tick(time=when), self.holder)
        published = PolicyPublished(policy=self._policy(turn.command))
        self._theirs.turn(between._replace(offset=before - 2), published, self.holder)

    def _policy(self, command: Command | None) -> Policy:
        """The other rules, by the log's clock."""
        rules = self._ours.player.draft.rules
        if rules is not None:
            return self._asked.rules[rules.policy.clock]
        return self._asked.rules[command.policy.clock if isinstance(command, PolicyPublished) else Clock.WALL]

    def _look_for_holder(self) -> None:
        ticket, theirs = self._asked.ticket, self._theirs.player.draft
        known = None if ticket is None else self._ours.player.draft.ticket(ticket)
        if known is None or theirs.ticket(known.id) is not None or not known.reports:
            return
        first = known.reports[0]
        holder = theirs.by_report(known.area, first.source, first.source_id)
        if holder is not None:
            self.holder = holder.id

    def _settle(self) -> None:
        """Commands that both have settled by now; one that waits for its report is settled later."""
        for number, world in enumerate((self._ours, self._theirs)):
            for name, outcome in world.counting.outcomes.items():
                told = self._waiting.pop(name, None)
                if told is None:
                    self._waiting[name] = (number, outcome)
                else:
                    self._outcomes[(outcome, told[1]) if number == 0 else (told[1], outcome)] += 1
            world.counting.outcomes.clear()
