"""Texts from outside (a file's header, a broker's words) as a terminal may be given them."""

from typing import Final

_KEPT: Final = frozenset("\n\u3000")
"""Line ends, and the space of Chinese texts, which Python does not call printable."""


def printable(text: str) -> str:
    """The text; what would move the cursor, clear the screen or turn the writing round is escaped."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in _KEPT else ascii(one)[1:-1] for one in text)
