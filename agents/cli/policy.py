"""`lianqin policy`: whether a district's pack is right, what differs between two, and publishing it while all runs."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agents.access import cluster_of
from agents.cli.options import AsJson, DataDir, settings
from agents.errors import UserError
from agents.local.folder import DataFolder
from agents.packing.checks import mapping_problems
from agents.packing.diff import Difference, differences, told
from agents.packing.files import PackError, lines
from agents.packs import Examined, examine, load_mapping
from agents.policy import hold_to_clock, partitions_of, publish, renewed, standing, taken, titled
from agents.printable import printable
from agents.settings import Settings
from schemas.codes import Clock
from schemas.policy import Policy
from schemas.topics import DESK
from streams.ownership.cluster import Cluster
from streams.ownership.settings import OwnerSettings

LIVE: Final = "live"
NO: Final = 1

policy = typer.Typer(help="The rules of a district: check its pack, compare, publish.", no_args_is_help=True)
District = Annotated[
    str | None, typer.Option(help="A shipped one by its name, or a folder (with a slash). [default: pukou]")
]


@policy.command()
def check(
    district: District = None,
    surge: Annotated[str | None, typer.Option(help="With this surge laid over it.")] = None,
    mapping: Annotated[Path | None, typer.Option(help="Check this mapping file too, against the district.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check a district's pack and its sources; print what it holds, or each mistake as `file:line: field: what`.

    Needs no broker. Exit codes: 0 it can be published (perhaps with warnings), 1 it cannot.

    Example: `lianqin policy check --district ./districts/ours --surge flood`
    """
    chosen = settings(None, district=district)
    try:
        examined = examine(chosen.district)
        rules = examined.policy(chosen.clock, surge)
        if mapping is not None:
            _check_mapping(examined, mapping)
    except PackError as error:
        _refused(str(error), as_json=as_json)
        raise typer.Exit(NO) from None
    found = _summary(examined, rules)
    if as_json:
        _json({"ok": True, "errors": [], "warnings": list(examined.warnings), **found})
        return
    _show(found)
    for warning in examined.warnings:
        typer.echo(printable(f"warning: {warning}"))


@policy.command()
def diff(
    before: Annotated[str, typer.Argument(help="`live`: on the log; else a district, as in `pukou+flood`.")] = LIVE,
    after: Annotated[str | None, typer.Argument(help="The same. [default: the centre's district]")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Say what differs between two sets of rules, field by field.

    A district is its name or its folder (with a slash), `+SURGE` lays a surge over it, `live` is what was published
    last. Exit codes: 0 nothing differs, 1 something does.

    Example: `lianqin policy diff pukou pukou+flood`, or `lianqin policy diff live ./districts/ours`
    """
    chosen = settings(data_dir)
    desk = _desk(chosen) if LIVE in {before, after} else None
    one, other = (_rules(name, chosen, desk) for name in (before, after or _district(chosen)))
    found = differences(one, other)
    if as_json:
        _json({"before": one.version, "after": other.version, "differences": [item._asdict() for item in found]})
    else:
        for item in found:
            typer.echo(printable(_line(item)))
        typer.echo(f"{len(found):,} differences: {titled(one)} → {titled(other)}")
    if found:
        raise typer.Exit(NO)


@policy.command("publish")
def publish_(
    data_dir: DataDir = None,
    surge: Annotated[str | None, typer.Option(help="Switch this surge on.")] = None,
    off: Annotated[bool, typer.Option("--off", help="Switch the surge off that is on.")] = False,
    within: Annotated[float, typer.Option(min=0, help="Seconds to wait until the desk has taken it.")] = 60.0,
) -> None:
    """Publish the district's rules to a running centre: they hold from here on, and nothing is restarted.

    The pack is read anew. A surge that is on stays on; `--surge` switches one on instead, `--off` switches it off.
    What is wrong with the pack is told and nothing is published. Sources are read when a worker starts: a changed
    mapping needs a restart.

    Exit codes: 0 in force on all partitions, 1 published and not taken in time, 2 refused (nothing was published).

    Example: `lianqin policy publish --surge flood`, and when it is over `lianqin policy publish --off`
    """
    if surge is not None and off:
        msg = "--surge and --off contradict each other: --surge alone takes the place of the surge that is on"
        raise UserError(msg)
    chosen = settings(data_dir)
    asked = _Asked(surge=surge, off=off, within_s=within)
    if not asyncio.run(_publish(_desk(chosen), asked)):
        raise typer.Exit(NO)


@dataclass(frozen=True, slots=True)
class _Desk:
    """The log of a running centre."""

    cluster: Cluster
    prefix: str
    clock: Clock
    district: str

    @property
    def topic(self) -> str:
        return self.prefix + DESK


@dataclass(frozen=True, slots=True)
class _Asked:
    surge: str | None
    off: bool
    within_s: float


def _desk(chosen: Settings) -> _Desk:
    run = DataFolder(chosen.data_dir).read_run()
    cluster = cluster_of(chosen)
    if run is None:
        return _Desk(cluster, chosen.kafka.prefix, chosen.clock, chosen.district)
    asked = "clock" in chosen.model_fields_set
    return _Desk(cluster, run.prefix, chosen.clock if asked else Clock(run.clock), run.district)


def _district(chosen: Settings) -> str:
    run = DataFolder(chosen.data_dir).read_run()
    return run.district if run is not None else chosen.district


async def _publish(desk: _Desk, asked: _Asked) -> bool:
    """Whether it is in force."""
    examined = examine(desk.district)
    await hold_to_clock(desk.cluster, desk.topic, desk.clock)
    stands = await standing(desk.cluster, desk.topic)
    wanted = _wanted(stands, examined, desk.clock, asked)
    for warning in examined.warnings:
        typer.echo(printable(f"warning: {warning}"), err=True)
    if stands is not None and stands.version == wanted.version:
        typer.echo(f"nothing to publish: {titled(wanted)} is what was published last")
        return True
    offsets = await publish(desk.cluster, desk.topic, await partitions_of(desk.cluster, desk.topic), wanted)
    owners = OwnerSettings(bootstrap=desk.cluster.bootstrap, prefix=desk.prefix, security=desk.cluster.security)
    missing = await taken(owners, desk.topic, f"{desk.prefix}desk", offsets, asked.within_s)
    if missing:
        where = ", ".join(map(str, missing))
        typer.echo(
            f"{titled(wanted)} is published and stays so, but after {asked.within_s:g} s the desk has not taken it on "
            f"partitions {where}: is a worker with the desk stage running?",
            err=True,
        )
        return False
    typer.echo(f"{titled(wanted)} is in force on all {len(offsets)} partitions")
    return True


def _wanted(stands: Policy | None, examined: Examined, clock: Clock, asked: _Asked) -> Policy:
    if asked.surge is not None:
        return examined.policy(clock, asked.surge)
    if asked.off:
        return examined.policy(clock)
    wanted = renewed(stands, examined, clock)
    if wanted is stands and wanted.surge not in examined.pack.surges:
        msg = f"surge {wanted.surge} is on and the pack has no surges/{wanted.surge}.yaml: put it back, or give --off"
        raise UserError(msg)
    return wanted


def _rules(name: str, chosen: Settings, desk: _Desk | None) -> Policy:
    if name == LIVE and desk is not None:
        found = asyncio.run(standing(desk.cluster, desk.topic))
        if found is None:
            msg = f"no policy was ever published on {desk.cluster.bootstrap}: start `lianqin up`, or publish one"
            raise UserError(msg)
        return found
    district, _, surge = name.partition("+")
    return examine(district).policy(desk.clock if desk is not None else chosen.clock, surge or None)


def _check_mapping(examined: Examined, file: Path) -> None:
    mapping = load_mapping(file)
    found = list(mapping_problems(examined.pack, mapping))
    if found:
        raise PackError("\n".join(lines(file, [(one.loc, one.text) for one in found])))


def _summary(examined: Examined, rules: Policy) -> dict[str, object]:
    pack = examined.pack
    years = pack.calendar.years
    return {
        "district": pack.name,
        "title": pack.district.title,
        "version": rules.version,
        "surge": rules.surge,
        "surges": sorted(pack.surges),
        "areas": len(pack.district.areas),
        "grids": sum(1 for _ in pack.grids.codes()),
        "units": {"active": sum(unit.active for unit in rules.units.values()), "all": len(rules.units)},
        "categories": len(rules.categories),
        "routes": len(rules.routes),
        "diversions": {one.name: f"{one.version}, {len(one.categories)} categories" for one in rules.diversions},
        "limits": len(rules.limits),
        "ladder": {rung.step.value: rung.percent for rung in rules.ladder},
        "calendar": {
            "first": min(years, default=None),
            "last": max(years, default=None),
            "day_s": pack.calendar.day_s(),
        },
        "points": {code: entry.points for code, entry in pack.points.actions.items()},
        "sources": sorted(examined.sources),
    }


def _show(found: dict[str, object]) -> None:
    table = Table(show_header=False, box=None)
    for name, value in found.items():
        table.add_row(name, Text(printable(told(value)) if value is not None else "none"))
    Console().print(table)


def _refused(text: str, *, as_json: bool) -> None:
    if as_json:
        _json({"ok": False, "errors": text.splitlines(), "warnings": []})
    else:
        typer.echo(printable(text), err=True)


def _line(item: Difference) -> str:
    if item.before is None:
        return f"{item.field}: + {told(item.after)}"
    if item.after is None:
        return f"{item.field}: - {told(item.before)}"
    return f"{item.field}: {told(item.before)} → {told(item.after)}"


def _json(document: object) -> None:
    typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
