"""What a user can put right: one line that says what is wrong and what to do, without a traceback."""

from typing import Final

REFUSED: Final = 2
"""Exit code of a command that will not do what it was asked as things stand."""
AWAY: Final = 70
"""Exit code of a command that found nobody there, or has a bug; started again later, it may."""


class UserError(Exception):
    """Its text is one line for the user. The command line prints it and ends with `REFUSED`."""


class Away(UserError):
    """Something that is needed does not answer now. The command line prints it and ends with `AWAY`."""
