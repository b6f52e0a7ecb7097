"""What a terminal may be given stays, whatever would do something to it is escaped."""

import pytest

from agents.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("浦口区　坐席\n第二行 – ok", "浦口区　坐席\n第二行 – ok"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\x9b2J\x07\x08\x7f", r"\x9b2J\x07\x08\x7f"),
        ("a\rb\tc", r"a\rb\tc"),
        ("abc\u202egnp.exe\u200b", r"abc\u202egnp.exe\u200b"),
        ("\udcff", r"\udcff"),
    ],
)
def test_only_what_is_shown_stays(text: str, shown: str) -> None:
    assert printable(text) == shown
