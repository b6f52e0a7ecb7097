"""Which rules judged a ticket, and when: the policies of a log, with the years that kept ones took over. Pure."""

from schemas.policy import Policy
from streams.desk.policies import keeps, knowing
from streams.desk.rules import Rules


class Judges:
    """Takes the policies in the order of the log."""

    def __init__(self) -> None:
        self.newest: Rules | None = None
        self._by_version: dict[str, list[tuple[int, Rules]]] = {}

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
        self.newest = new

    def rules(self, version: str, at: int) -> Rules | None:
        """The rules of that version as they were then; `None` where the log does not hold them."""
        judged = self._by_version.get(version)
        if judged is None:
            return None
        return next((rules for since, rules in reversed(judged) if since <= at), judged[0][1])
