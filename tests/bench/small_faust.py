"""The small job on stock Faust, at least once, as its documentation writes it: `... small_faust BOOTSTRAP FOLDER`.

An agent, a table with a changelog, a forward. Set as one would who cares for speed: no web server, quiet logs, the
producer compresses and lingers so that it can batch, tables in memory.
"""

import sys
from typing import Any, Final

import faust

from tests.bench.small_job import PARTITIONS

APP: Final = "bench-faust"
IN: Final = "bench.faust.reports"
OUT: Final = "bench.faust.forwarded"


class Report(faust.Record, serializer="json"):
    """One report."""

    id: str
    time: int
    category: str
    lat: float
    lon: float
    text: str


def app_for(bootstrap: str, folder: str) -> Any:
    """The Faust app."""
    app = faust.App(
        APP,
        broker=f"kafka://{bootstrap}",
        store="memory://",
        datadir=folder,
        topic_partitions=PARTITIONS,
        topic_disable_leader=True,
        web_enabled=False,
        producer_compression_type="lz4",
        producer_linger_ms=5,
        producer_max_batch_size=1 << 20,
        consumer_max_fetch_size=4 << 20,
        stream_buffer_maxsize=16_384,
    )
    reports = app.topic(IN, key_type=str, value_type=Report)
    forwarded = app.topic(OUT, key_type=str, value_type=Report)
    seen = app.Table("seen", default=bool)

    async def drop_repeats(stream: Any) -> None:
        async for report in stream:
            if not seen[report.id]:
                seen[report.id] = True
                await forwarded.send(key=report.id, value=report)

    app.agent(reports, name="drop-repeats")(drop_repeats)
    return app


if __name__ == "__main__":
    faust.Worker(app_for(sys.argv[1], sys.argv[2]), loglevel="WARN", quiet=True).execute_from_commandline()
