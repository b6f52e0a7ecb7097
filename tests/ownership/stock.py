"""Faust as it comes, for one test: an agent that raises on a record. Ends once all records went through it."""

import asyncio
import json
import logging
import sys
from typing import Any

import faust


def main() -> None:
    """Run until three records were acknowledged and committed, or for six seconds."""
    given = json.loads(sys.argv[1])
    app = faust.App(
        f"{given['prefix']}stock",
        broker=[f"kafka://{given['bootstrap']}"],
        store="memory://",
        datadir=f"{given['datadir']}/stock",
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        broker_commit_every=1,
        broker_commit_interval=0.2,
        worker_redirect_stdouts=False,
    )
    topic = app.topic(f"{given['prefix']}in", key_serializer="raw", value_serializer="raw")

    @app.agent(topic)
    async def fragile(stream: Any) -> None:
        """Say what comes, raise on `boom`."""
        async for value in stream:
            if value == b"boom":
                _say("raising")
                raise ValueError(value)
            _say(value.decode())

    worker = faust.Worker(app, override_logging=False, quiet=True)
    worker.spinner = None

    async def end() -> None:
        """Give it time to take, fail and commit."""
        await asyncio.sleep(1.5)
        # Not awaited: the worker stops its tasks first.
        worker.add_future(worker.stop())

    app.task(end)
    logging.basicConfig(level=logging.CRITICAL)
    worker.execute_from_commandline()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
