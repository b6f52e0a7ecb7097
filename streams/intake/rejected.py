"""Bad input as a value. Pure."""

from dataclasses import dataclass

from schemas.codes import Reject


@dataclass(frozen=True, slots=True)
class Rejected:
    """An input that becomes a dead letter. The hint names the field, never what stands in it."""

    reason: Reject
    hint: str
    source: str | None = None


class Unusable(Exception):
    """A field cannot be used."""

    def __init__(self, reason: Reject, hint: str) -> None:
        super().__init__(hint)
        self.reason = reason
        self.hint = hint
