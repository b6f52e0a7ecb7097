"""The working calendar of the real years 2024 to 2026, as the State Council announced them (节假日安排)."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from schemas.policy import Calendar

SHANGHAI = ZoneInfo("Asia/Shanghai")
MORNING, AFTERNOON = (9 * 60, 12 * 60), (13 * 60 + 30, 17 * 60 + 30)
DAY_S = 7 * 3600
"""A working day of these periods, in seconds."""


def _days(*spans: str) -> tuple[str, ...]:
    """`2025-01-28..2025-02-04` and single days, day by day."""
    days: list[str] = []
    for span in spans:
        first, _, last = span.partition("..")
        day, end = date.fromisoformat(first), date.fromisoformat(last or first)
        while day <= end:
            days.append(day.isoformat())
            day += timedelta(days=1)
    return tuple(days)


CHINA = Calendar(
    zone="Asia/Shanghai",
    periods=(MORNING, AFTERNOON),
    years=(2024, 2025, 2026),
    off=_days(
        *("2024-01-01", "2024-02-10..2024-02-17", "2024-04-04..2024-04-06", "2024-05-01..2024-05-05", "2024-06-10"),
        *("2024-09-15..2024-09-17", "2024-10-01..2024-10-07"),
        *("2025-01-01", "2025-01-28..2025-02-04", "2025-04-04..2025-04-06", "2025-05-01..2025-05-05"),
        *("2025-05-31..2025-06-02", "2025-10-01..2025-10-08"),
        *("2026-01-01..2026-01-03", "2026-02-15..2026-02-23", "2026-04-04..2026-04-06", "2026-05-01..2026-05-05"),
        *("2026-06-19..2026-06-21", "2026-09-25..2026-09-27", "2026-10-01..2026-10-07"),
    ),
    on=_days(
        *(
            "2024-02-04",
            "2024-02-18",
            "2024-04-07",
            "2024-04-28",
            "2024-05-11",
            "2024-09-14",
            "2024-09-29",
            "2024-10-12",
        ),
        *("2025-01-26", "2025-02-08", "2025-04-27", "2025-09-28", "2025-10-11"),
        *("2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"),
    ),
)


def moment(written: str, zone: ZoneInfo = SHANGHAI) -> int:
    """`2025-01-26 09:00` on the wall of the zone, in milliseconds."""
    return int(datetime.fromisoformat(written).replace(tzinfo=zone).timestamp() * 1000)
