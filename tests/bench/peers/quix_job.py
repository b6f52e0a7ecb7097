"""The small job on Quix Streams, in a virtual environment of its own: `python -m tests.bench.peers.quix_job JOB`.

A stateful filter on a StreamingDataFrame, as Quix documents the dropping of repeats. Reports travel as bytes and are
decoded once. Settings are those of `Application`.
"""

import sys
from typing import Any

import orjson
from quixstreams import Application, State

from tests.bench.job import Job


def _is_new(value: bytes, state: State) -> bool:
    own_id = orjson.loads(value)["id"]
    if state.exists(own_id):
        return False
    state.set(own_id, True)
    return True


def application(job: Job) -> Application:
    """The application; its changelog is Quix's own to make."""
    return Application(
        broker_address=job.bootstrap,
        consumer_group=job.name,
        state_dir=job.folder,
        auto_offset_reset="earliest",
        loglevel="WARNING",
        **job.settings,
    )


def main(job: Job) -> None:
    """Run until SIGTERM."""
    app = application(job)
    kinds: dict[str, Any] = {"key_serializer": "bytes", "value_serializer": "bytes"}
    reports = app.topic(job.source, key_deserializer="bytes", value_deserializer="bytes")
    forwarded = app.topic(job.target, **kinds)
    app.dataframe(reports).filter(_is_new, stateful=True).to_topic(forwarded)
    app.run()


if __name__ == "__main__":
    main(Job.heard(sys.argv[1]))
