"""`lianqin topics`: the topic list, making what is missing, and who may do what on it."""

import asyncio
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Column, Table

from agents.access import cluster_of
from agents.acls import commands, document
from agents.cli.options import AsJson, DataDir, settings
from agents.settings import KafkaSettings
from agents.strimzi import written
from agents.topics import make_topics, partitions_of
from schemas.topics import ALL, DAY_MS, Topic


def topics(
    data_dir: DataDir = None,
    create: Annotated[
        bool, typer.Option(help="Make the missing ones on the broker, and mend the settings of the others.")
    ] = False,
    acls: Annotated[
        bool, typer.Option("--acls", help="Print who may do what, as `kafka-acls` commands; needs no broker.")
    ] = False,
    strimzi: Annotated[
        bool, typer.Option("--strimzi", help="Print topics and users as Strimzi's resources; needs no broker.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the topics: what each holds, its key, partitions and retention.

    Subscribers read with `isolation.level=read_committed`.

    Example: `lianqin topics --json`, `LIANQIN_KAFKA__BOOTSTRAP=host:9092 lianqin topics --create`, or
    `lianqin topics --acls | BOOTSTRAP=host:9093 ADMIN=admin.properties sh`
    """
    chosen = settings(data_dir)
    if create:
        asyncio.run(make_topics(cluster_of(chosen), chosen.kafka, mends=True))
    if strimzi:
        typer.echo(written(chosen.kafka), nl=False)
    elif acls:
        _show_rights(chosen.kafka.prefix, as_json=as_json)
    elif as_json:
        typer.echo(orjson.dumps([_row(topic, chosen.kafka) for topic in ALL], option=orjson.OPT_INDENT_2).decode())
    else:
        _show_topics(chosen.kafka)


def _show_topics(kafka: KafkaSettings) -> None:
    # Never cut a name short: it is what a subscriber copies.
    table = Table(
        Column("topic", no_wrap=True), "holds", "key", Column("partitions", justify="right"), "kept", box=None
    )
    for topic in ALL:
        name, partitions = kafka.prefix + topic.name, partitions_of(topic, kafka)
        table.add_row(name, topic.holds, topic.key, str(partitions), _kept(topic))
    Console().print(table)


def _show_rights(prefix: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(orjson.dumps(document(prefix), option=orjson.OPT_INDENT_2).decode())
        return
    for line in commands(prefix):
        typer.echo(line)


def _row(topic: Topic, kafka: KafkaSettings) -> dict[str, object]:
    return {
        "name": kafka.prefix + topic.name,
        "holds": topic.holds,
        "key": topic.key,
        "partitions": partitions_of(topic, kafka),
        "config": topic.config,
    }


def _kept(topic: Topic) -> str:
    if topic.config.get("cleanup.policy") == "compact":
        return "compacted"
    return f"{int(topic.config['retention.ms']) // DAY_MS} d"
