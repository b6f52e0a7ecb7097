"""`lianqin worker`: one process that runs stages, until it is told to stop."""

import asyncio
import logging
import secrets
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import typer
from aiokafka.errors import KafkaConnectionError

from agents import app, journal
from agents.brokers import cluster_at, knock, see
from agents.cli.options import DataDir, settings
from agents.cli.writing import writing
from agents.errors import Away, UserError
from agents.keys import privacy_key
from agents.local.folder import DataFolder, LedgerAccess, RunFile
from agents.places import load_intake
from agents.policy import hold_to_clock
from agents.reach import server_at
from agents.settings import Settings
from schemas.codes import Clock
from schemas.roles import ROLES
from schemas.topics import DESK, STAGES
from streams.ledger.access import Embedded, Way
from streams.ledger.front import FrontOptions
from streams.ownership.settings import OwnerSettings


def worker(
    data_dir: DataDir = None,
    stages: Annotated[str, typer.Option(help="Which stages this process runs, with commas.")] = ",".join(STAGES),
    name: Annotated[str, typer.Option(help="Its own folder for what Faust writes; one a process.")] = "worker",
    clock: Annotated[
        Clock | None, typer.Option(help="Must be the log's. [default: as `up` was started, or wall]")
    ] = None,
) -> None:
    """Run stages in this process. `up` starts these; by hand it is how a district scales out.

    Finds the broker by LIANQIN_KAFKA__BOOTSTRAP, else through the data folder. Any number may run at once; with
    the embedded ClickHouse one of them runs the ledger. SIGTERM: the batch in hand is committed, then it ends.

    Intake hashes persons with the centre's privacy key: LIANQIN_PRIVACY_KEY, unless `up` runs on the same folder.

    Example: `LIANQIN_KAFKA__BOOTSTRAP=host:9092 lianqin worker --stages desk,views`
    """
    journal.begin()
    chosen = settings(data_dir, clock=clock)
    folder = DataFolder(chosen.data_dir)
    plan = _plan(chosen, folder, folder.read_run(), _stages(stages), name)
    try:
        asyncio.run(_begin(plan))
    except KafkaConnectionError as error:
        # No refusal: a broker that is being started again must not make `up` give its workers up.
        msg = f"no broker answers ({error}): start one with `lianqin up`, or set LIANQIN_KAFKA__BOOTSTRAP"
        raise Away(msg) from error
    logging.getLogger("aiokafka").setLevel(logging.WARNING)  # from here on it goes to a log
    app.run(plan)


async def _begin(plan: app.Plan) -> None:
    """Make sure that the brokers let us in, that the log runs on our clock, and that this user may do its stages' work.

    Views and ledger go by no clock. Who may not sit in a stage's group would be asking for ever.
    """
    cluster, prefix = plan.owners.cluster, plan.owners.prefix
    await knock(cluster)
    if {"intake", "desk"} & set(plan.stages):
        await hold_to_clock(cluster, prefix + DESK, plan.clock)
    roles = [role for role in ROLES if role.name in plan.stages]
    topics = {prefix + topic for role in roles for topic in (*role.reads, *role.writes)}
    await see(cluster, topics, {prefix + group for role in roles for group in role.commits})


def _stages(text: str) -> list[str]:
    chosen = [stage.strip() for stage in text.split(",") if stage.strip()]
    unknown = sorted(set(chosen) - set(STAGES))
    if unknown or not chosen:
        msg = f"no stage is called {', '.join(unknown) or text!r}: --stages takes {', '.join(STAGES)}"
        raise UserError(msg)
    return chosen


def _plan(chosen: Settings, folder: DataFolder, run: RunFile | None, stages: list[str], name: str) -> app.Plan:
    bootstrap = chosen.kafka.bootstrap or (run.bootstrap if run else None)
    if bootstrap is None:
        msg = f"no broker: set LIANQIN_KAFKA__BOOTSTRAP, or start `lianqin up --data-dir {chosen.data_dir}`"
        raise UserError(msg)
    district = run.district if run else chosen.district
    way = _way(chosen, folder)
    return app.Plan(
        owners=OwnerSettings(
            bootstrap=bootstrap,
            prefix=chosen.kafka.prefix,
            instance=chosen.kafka.instance,
            security=cluster_at(bootstrap, chosen.kafka.security).security,
        ),
        partitions=chosen.kafka.partitions,
        clock=_clock(chosen, run),
        datadir=_own_folder(folder, name),
        stages=stages,
        sources=load_intake(district, key_for(chosen, folder, run, stages)),
        ledger=way,
        front=_front(run.ledger) if run and run.ledger and isinstance(way, Embedded) else None,
        metrics=chosen.metrics,
        intake=chosen.intake,
    )


def _own_folder(folder: DataFolder, name: str) -> Path:
    own = folder.faust / name
    with writing(own, "--name"):
        own.mkdir(parents=True, exist_ok=True)
    return own


def key_for(chosen: Settings, folder: DataFolder, run: RunFile | None, stages: Collection[str]) -> bytes:
    """The privacy key: a set one, or that of the folder, which the workers beside `up` may make.

    Who hashes nobody gets one to throw away: one that is left would be the centre's to the next intake here.
    """
    if "intake" not in stages and chosen.privacy_key is None:
        return secrets.token_bytes(32)
    return privacy_key(chosen, folder.keys, make=run is not None)


def _clock(chosen: Settings, run: RunFile | None) -> Clock:
    asked = "clock" in chosen.model_fields_set
    return chosen.clock if asked or run is None else Clock(run.clock)


def _way(chosen: Settings, folder: DataFolder) -> Way:
    return Embedded(Path(folder.chdb)) if chosen.ledger.dsn is None else server_at(chosen.ledger)


def _front(access: LedgerAccess) -> FrontOptions:
    port = int(access.url.rpartition(":")[2])
    return FrontOptions(user=access.user, password=access.password, port=port)
