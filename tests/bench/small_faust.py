"""The small job on stock Faust, at least once, as its documentation writes it: `python -m tests.bench.small_faust JOB`.

An agent, a table with a changelog, a forward. Reports travel as bytes and are decoded once, which is cheaper than
Faust's records. Settings are those of `faust.App`.
"""

import sys
from typing import Any

import faust
import orjson

from tests.bench.job import Job
from tests.bench.small_job import PARTITIONS


def app_for(job: Job) -> Any:
    """The Faust app."""
    app = faust.App(
        job.name,
        broker=f"kafka://{job.bootstrap}",
        store="memory://",
        datadir=job.folder,
        topic_partitions=PARTITIONS,
        topic_disable_leader=True,
        web_enabled=False,
        **job.settings,
    )
    reports = app.topic(job.source, key_serializer="raw", value_serializer="raw")
    forwarded = app.topic(job.target, key_serializer="raw", value_serializer="raw")
    seen = app.Table("seen", default=bool)

    async def drop_repeats(stream: Any) -> None:
        async for value in stream:
            own_id = orjson.loads(value)["id"]
            if not seen[own_id]:
                seen[own_id] = True
                await forwarded.send(key=own_id.encode(), value=value)

    app.agent(reports, name="drop-repeats")(drop_repeats)
    return app


if __name__ == "__main__":
    faust.Worker(app_for(Job.heard(sys.argv[1])), loglevel="WARN", quiet=True).execute_from_commandline()
