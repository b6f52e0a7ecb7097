"""No client of Kafka is made without what says who it is; looked for in the source, where a new one would be missed."""

import ast
from collections.abc import Iterator
from pathlib import Path

from aiokafka.consumer import fetcher

from streams.ownership import clients as _made_known  # noqa: F401 - it teaches them
from streams.ownership.batches import Batches

ROOT = Path(__file__).parents[2]
CLIENTS = {"AIOKafkaConsumer", "AIOKafkaProducer", "AIOKafkaAdminClient"}


def made() -> Iterator[tuple[str, ast.Call]]:
    """Each place where the product makes a client."""
    for part in ("agents", "streams"):
        for file in (ROOT / part).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CLIENTS:
                    yield f"{file.relative_to(ROOT)}:{node.lineno}", node


def test_every_client_is_told_all_of_the_cluster() -> None:
    found = dict(made())
    assert len(found) >= 10
    for place, call in found.items():
        spread = [ast.unparse(one.value) for one in call.keywords if one.arg is None]
        assert [text for text in spread if text.endswith("cluster.options")], place
        assert "bootstrap_servers" not in {one.arg for one in call.keywords}, place


def test_every_consumer_is_made_where_it_is_taught_to_read_every_batch() -> None:
    consumers = {place.partition(":")[0] for place, call in made() if ast.unparse(call.func) == "AIOKafkaConsumer"}
    assert consumers == {"streams/ownership/clients.py"}
    assert fetcher.MemoryRecords is Batches


def test_faust_is_told_as_well() -> None:
    (app,) = (
        node
        for node in ast.walk(ast.parse((ROOT / "agents" / "leasing.py").read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "faust.App"
    )
    told = {one.arg: ast.unparse(one.value) for one in app.keywords}
    assert told["broker_credentials"] == "_credentials(settings.security)"
    assert told["web_enabled"] == "False"
