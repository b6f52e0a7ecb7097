"""What a process says of itself on stderr: warnings and errors, the same one only now and then.

While a broker is away each client asks again every few milliseconds, and says so each time: an hour of that would fill
a disk, and hide what else is said.
"""

import logging
import time
from collections.abc import Callable
from typing import Final

from agents.printable import printable

_EVERY_S: Final = 10.0
_KNOWN: Final = 1_000
"""Different texts that are remembered; beyond them all are forgotten, and may be said again."""


def begin() -> None:
    """Write the journal from here on."""
    handler = logging.StreamHandler()
    handler.addFilter(Sparing())
    handler.setFormatter(Printable("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


class Printable(logging.Formatter):
    """Escapes what records from outside would do to a terminal that shows the journal."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, and the traceback where there is one."""
        return printable(super().format(record))


class Sparing(logging.Filter):
    """Lets a text through once in ten seconds, and then says how often it was kept back."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now_s = now_s
        self._said: dict[str, tuple[float, int]] = {}
        """When it was said last, and how often it was kept back since."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is said."""
        text, now = record.getMessage(), self._now_s()
        last, kept = self._said.get(text, (-_EVERY_S, 0))
        if now - last < _EVERY_S:
            self._said[text] = (last, kept + 1)
            return False
        if len(self._said) >= _KNOWN:
            self._said.clear()
        self._said[text] = (now, 0)
        if kept:
            record.msg, record.args = f"{text} ({kept:,} times more in the last {now - last:.0f} s)", None
        return True
