"""Which rules judged a ticket, and when: the policies of a log, with the years that kept ones took over. Pure."""

from collections.abc import Sequence

from schemas.policy import Policy
from streams.desk.policies import keeps, knowing
from streams.desk.rules import Rules


class Judges:
    """Takes the policies in the order of the log."""

    def __init__(self) -> None:
        self.newest: Rules | None = None
        self._by_version: dict[str, list[tuple[int, Rules]]] = {}
        self._in_force: list[tuple[int, Rules]] = []

    def known(self, at: int, rules: Rules) -> None:
        """These rules judge tickets from then on."""
        self._by_version.setdefault(rules.policy.version, []).append((at, rules))

    def publish(self, at: int, policy: Policy) -> None:
        """A policy comes into force."""
        new = Rules(policy)
        for version, judged in self._by_version.items():
            kept = judged[-1][1]
            if version != policy.version and keeps(kept) and (now := knowing(kept, new)) is not kept:
                judged.append((at, now))
        self.known(at, new)
        self.in_force(at, new)

    def in_force(self, at: int, rules: Rules) -> None:
        """These are the ones in force from then on."""
        self._in_force.append((at, rules))
        self.newest = rules

    def rules(self, version: str, at: int) -> Sequence[Rules]:
        """Who may have judged a ticket of that version then, the likeliest first; none where the log holds nobody.

        The version's own rules; where others were published at that very moment, also as they were before, since time
        does not say which came first. Then those in force: they judge a ticket whose own rules the desk has forgotten.
        """
        return [*_held(self._by_version.get(version, []), at), *_held(self._in_force, at)]


def _held(rules: Sequence[tuple[int, Rules]], at: int) -> Sequence[Rules]:
    """Those that held at that moment, the newest first; the first there are where none did yet."""
    known = [(since, one) for since, one in rules if since <= at] or rules[:1]
    before = [one for since, one in known if since < at]
    return [*(one for since, one in reversed(known) if since >= at), *before[-1:]]
