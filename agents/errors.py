"""What a user can put right: one line that says what is wrong and what to do, without a traceback."""

import errno
from typing import Final

REFUSED: Final = 2
"""Exit code of a command that will not do what it was asked as things stand."""
AWAY: Final = 70
"""Exit code of a command that found nobody there or no room, or has a bug; started again later, it may."""


class UserError(Exception):
    """Its text is one line for the user. The command line prints it and ends with `REFUSED`."""


class Away(UserError):
    """Something that is needed does not answer now. The command line prints it and ends with `AWAY`."""


class DiskFull(Away):
    """There is no room to write; nothing is wrong with what was asked, and once somebody makes some it can be done."""

    def __init__(self, what: str, error: OSError) -> None:
        super().__init__(f"{what} cannot be written ({error.strerror}): make room there")


def is_full(error: OSError) -> bool:
    """Whether a disk has no room left, or the user none of his share."""
    return error.errno in {errno.ENOSPC, errno.EDQUOT}
