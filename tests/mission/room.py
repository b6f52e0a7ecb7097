"""The command room of the stories: time goes on, calls come in, units report, and every fact is there to be read."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from tests.chaos.centre import Up
from tests.chaos.kafka import Place
from tests.mission import sources
from tests.mission.sources import CHINA, HANDLERS, clock
from tests.whole.live import Became, Live

FIRST_MONDAY: Final = datetime(2024, 10, 14, 9, 0, tzinfo=CHINA)
HOLIDAY_WEEKS: Final = frozenset(
    {
        "2024-12-30", "2025-01-20", "2025-01-27", "2025-02-03", "2025-03-31", "2025-04-21", "2025-04-28", "2025-05-26",
        "2025-09-22", "2025-09-29", "2025-10-06",
    }
)  # fmt: skip
"""Mondays of weeks with a holiday or a worked weekend in or after them."""
WITHIN_S: Final = 40.0

Fact = tuple[dict[str, str], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Came:
    """A record that came in, and what became of it."""

    place: Place
    became: Became

    @property
    def ticket(self) -> str:
        """The ticket it is about."""
        return self.became.ticket

    @property
    def fate(self) -> str:
        """What it is settled as."""
        return self.became.fate


class Room:
    """All that a story does goes through the sources' own shapes and the log of the past."""

    def __init__(self, centre: Up) -> None:
        self.centre = centre
        self._live = Live(centre.bootstrap, centre.run["prefix"])
        self._monday = FIRST_MONDAY - timedelta(weeks=1)
        self._number = 0
        self.now = 0

    def next_monday(self) -> None:
        """Go on to nine o'clock of the next Monday of a plain week that lies ahead."""
        while True:
            self._monday += timedelta(weeks=1)
            plain = self._monday.strftime("%Y-%m-%d") not in HOLIDAY_WEEKS
            if plain and round(self._monday.timestamp() * 1000) > self.now:
                break
        self.now = round(self._monday.timestamp() * 1000)

    def at(self, text: str) -> None:
        """Go on to a moment: `2025-09-30 16:00`, by the clock on the wall of the room."""
        moment = round(datetime.fromisoformat(text).replace(tzinfo=CHINA).timestamp() * 1000)
        assert moment >= self.now, "time does not go back"
        self.now = moment
        self.tick()

    def pass_time(self, **span: float) -> None:
        """Time passes (`minutes=`, `hours=`, `days=`), and whatever is due in it falls due."""
        self.now += round(timedelta(**span).total_seconds() * 1000)
        self.tick()

    def tick(self) -> None:
        """Let the log know what time it is."""
        self._send("", b"", marker="end")

    def number(self) -> str:
        """An id that nobody had."""
        self._number += 1
        return f"M{self._number:06d}"

    def alarm(self, **chosen: Any) -> Came:
        """Somebody calls 110."""
        return self._came(sources.POLICE, sources.alarm, chosen)

    def patrol(self, **chosen: Any) -> Came:
        """A grid officer reports."""
        return self._came(sources.GRID, sources.patrol, chosen)

    def citizen(self, **chosen: Any) -> Came:
        """A citizen reports."""
        return self._came(sources.CITIZEN, sources.citizen, chosen)

    def work_order(self, **chosen: Any) -> Came:
        """12345 sends a work order."""
        return self._came(sources.HOTLINE, sources.work_order, chosen)

    def unit_says(self, ticket: str, action: str, **chosen: Any) -> Came:
        """A handling unit says what was done with a ticket; `action` in its platform's words."""
        self.now += 1000
        at = chosen.pop("at", self.now)
        value = sources.handling(at, action, ticket=ticket, **chosen)
        return self._settled(self._send(HANDLERS, value, part="feedback"))

    def facts(self, ticket: str) -> list[Fact]:
        """All facts of a ticket so far, in order."""
        self._live.read()
        return self._live.facts(ticket)

    def types(self, ticket: str) -> list[str]:
        """What was said of a ticket, without its settlements, as `ticket.opened`."""
        words = [headers["ce_type"].removeprefix("lianqin.").removesuffix(".v1") for headers, _ in self.facts(ticket)]
        return [word for word in words if not word.endswith(".settled")]

    def wait_for(self, ticket: str, word: str, times: int = 1) -> list[Fact]:
        """Wait until something was said of a ticket so often; the facts that say it."""
        return self._until(lambda: self.of(ticket, word), times, f"{word} of {ticket}")

    def on(self, topic: str, ticket: str, ready: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        """What stands on another topic about a ticket, once it is `ready`."""
        until = time.monotonic() + WITHIN_S
        while True:
            found = [value for key, value in self._live.other(topic) if key == ticket and value is not None]
            if ready(found):
                return found
            assert time.monotonic() < until, f"never on {topic}: {found}"
            time.sleep(0.1)

    def close(self) -> None:
        """The shift is over."""
        self._live.close()

    def wait_until(self, true: Callable[[], bool]) -> None:
        """Wait until something is true."""
        until = time.monotonic() + WITHIN_S
        while not true():
            assert time.monotonic() < until, "never true"
            time.sleep(0.05)

    def of(self, ticket: str, word: str) -> list[Fact]:
        """The facts of one type about a ticket so far."""
        return [fact for fact in self.facts(ticket) if fact[0]["ce_type"] == f"lianqin.{word}.v1"]

    def _until(self, look: Callable[[], list[Fact]], times: int, what: str) -> list[Fact]:
        until = time.monotonic() + WITHIN_S
        while len(found := look()) < times:
            assert time.monotonic() < until, f"never said: {what}"
            time.sleep(0.05)
        return found

    def _came(self, source: str, write: Callable[..., bytes], chosen: dict[str, Any]) -> Came:
        self.now += 1000
        number = str(chosen.pop("number", None) or self.number())
        return self._settled(self._send(source, write(self.now, number, **chosen)))

    def _settled(self, place: Place) -> Came:
        (became,) = self._live.settled(place)
        return Came(place, became)

    def _send(self, source: str, value: bytes, part: str = "report", marker: str = "") -> Place:
        headers = {"lianqin-source": source, "lianqin-part": part, "lianqin-time": str(self.now)}
        if marker:
            headers["lianqin-marker"] = marker
        return self._live.send("intake.history", value, {name: text.encode() for name, text in headers.items()})

    def clock(self) -> str:
        """What the clock on the wall shows."""
        return clock(self.now).strftime("%Y-%m-%d %H:%M")
