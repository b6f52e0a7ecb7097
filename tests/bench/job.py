"""What a program that does the small job is told: one JSON text on its command line. The standard library alone."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Drop the repeats of `source`, forward the rest to `target`.

    `name` is the program's group or application id and begins the names of all topics it keeps for itself; `folder` is
    its own; `settings` are in the program's own words.
    """

    bootstrap: str
    name: str
    folder: str
    source: str
    target: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def told(self) -> str:
        """As it stands on a command line."""
        return json.dumps(asdict(self))

    @classmethod
    def heard(cls, text: str) -> Self:
        """What `told` said."""
        return cls(**json.loads(text))
