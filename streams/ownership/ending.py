"""How the process ends: at once, with one clear line and a code that means something."""

import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import IntEnum
from typing import Protocol


class Code(IntEnum):
    """Exit codes."""

    DONE = 0
    REFUSED = 2
    """A person has to do something first."""
    FAILED = 70
    """Started again, the process may go on where it was."""


class Die(Protocol):
    """Ends the process; in tests it may return."""

    def __call__(self, code: int, message: str) -> None:
        """End with this code, after this one line."""
        ...


def die(code: int, message: str) -> None:
    """Say one line on stderr and end here: no handler, no `finally`, nothing more is sent."""
    line = " ".join(message.split())
    with suppress(OSError):  # a full disk must not keep the process alive
        os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, f"{line}\n".encode(errors="replace"))
    os._exit(code)


class LastResort:
    """Ends the process after a time, from a thread of its own: also when the event loop hangs."""

    def __init__(self, within_s: float, leave: Callable[[int, str], None] = die) -> None:
        self._code, self._message = Code.FAILED, f"not ended within {within_s:g} s of being asked to: ending now"
        self._timer = threading.Timer(within_s, self._leave)
        self._timer.daemon = True
        self._leave_by = leave

    def arm(self) -> None:
        """Let the time begin. Arming twice is arming once."""
        if not self._timer.is_alive():
            self._timer.start()

    def nothing_open(self) -> None:
        """All work is committed: what still hangs is only the leaving, and no error."""
        self._code = Code.DONE

    def disarm(self) -> None:
        """Take it back."""
        self._timer.cancel()

    def _leave(self) -> None:
        self._leave_by(self._code, self._message)
