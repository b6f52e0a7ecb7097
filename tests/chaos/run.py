"""Chaos: `python -m tests.chaos.run --seed 7 --records 200000`; the last line tells, and the exit code.

Starts `lianqin up` on a folder of its own, with a worker of each stage beside it, and sends reports while workers are
killed with -9, told to end and frozen past the session time-out, one by one and all at once. `--brokers 3` puts it on
a cluster whose brokers are killed too, `--clickhouse` before a ClickHouse that is away, slow, refuses or hangs up,
`--disk 900` on a disk that runs full.
Then it waits for quiet, and an independent reader accounts for every record.
"""

import argparse
import json
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from confluent_kafka import KafkaException

from tests.chaos.alone import Alone
from tests.chaos.centre import NotReady, Up
from tests.chaos.clickhouse import ClickHouse
from tests.chaos.cluster import Cluster
from tests.chaos.disk import SmallDisk
from tests.chaos.faults import ON_BROKERS, ON_CLICKHOUSE, Felt, Striker, Wanted, plan
from tests.chaos.growth import Growth
from tests.chaos.hands import OnCentre, Stand
from tests.chaos.kafka import Ends
from tests.chaos.load import Load
from tests.chaos.meddling import caught
from tests.chaos.policy import shorten
from tests.chaos.sending import Pace, Sent, send
from tests.chaos.silence import Pauses, Silence
from tests.chaos.verify import Verdict, verify

FAULT_EVERY_S: Final = 10.0
CHAOS_PER_SECOND: Final = 500
SOAK_PER_SECOND: Final = 100
SOAK_FAULT_EVERY_S: Final = 300.0
"""A process must live for a while, or nothing can be said of its growth."""
SOAK_AWAY_S: Final = 150.0
REPORTS_SHARE: Final = 0.8
"""About so many of all records are reports; the others close or are broken."""
AUDIT_WITHIN_S: Final = 300.0
LOGS: Final = ("*.log", "data/logs/*.log", "brokers/*/broker.log")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One run. `records`: reports; closings and broken records come beside them."""

    seed: int
    records: int
    wanted: Wanted
    fault_every_s: float = FAULT_EVERY_S
    brokers: int = 1
    clickhouse: bool = False
    disk_mb: int = 0
    """The data folder lies on a disk of this size."""
    meddle: bool = False
    """At the end, spoil ClickHouse by two rows: reader and audit must name both."""

    def per_second(self, total: int) -> float:
        """So many of all records a second that each fault strikes while they flow."""
        return total / (self.wanted.total * self.fault_every_s + 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What came of it."""

    asked: Asked
    verdict: Verdict
    felt: Felt
    pauses: Pauses
    growth: Growth
    audit_ok: bool
    refused: Sequence[str]
    """Workers that gave up; nothing that was done calls for a person."""
    uncaught: Sequence[str] = ()
    """What was spoilt at the end, and not found."""

    @property
    def ok(self) -> bool:
        """All whole, every fault struck during the flow, and the program's own audit says the same."""
        struck = self.felt.struck.total() == self.asked.wanted.total and self.felt.after_the_flow == 0
        return self.verdict.ok and self.audit_ok and struck and not self.refused and not self.uncaught

    @property
    def line(self) -> str:
        """The line that tells."""
        asked, found = self.asked, self.verdict.findings
        sequences = _or_count(found.of("sequence"), "sequences whole", "breaks in sequences")
        deadlines = _or_count(found.of("deadline", "time"), "deadlines right", "deadlines wrong")
        planted = _or_count(found.of("fate", "unfounded"), "fates as planted", "fates wrong")
        views = _or_count(found.of("views"), "views right", "views wrong")
        clickhouse = _or_count(found.of("clickhouse"), "ClickHouse equal", "differences in ClickHouse")
        return (
            f"chaos seed={asked.seed} records={asked.records} brokers={asked.brokers} {self._struck}: "
            f"{found.of('lost')} lost, {found.of('twice')} twice, {sequences}, {planted}, {deadlines}, "
            f"{views}, {clickhouse}, audit {'ok' if self.audit_ok else 'NOT ok'}{self._meddled}"
        )

    @property
    def _struck(self) -> str:
        struck = self.felt.struck
        parts = [f"kills={struck['kill']}", f"terms={struck['term']}", f"freezes={struck['freeze']}"]
        parts += [f"{kind}={struck[kind]}" for kind in (*ON_BROKERS, *ON_CLICKHOUSE, "full") if struck[kind]]
        return " ".join(parts)

    @property
    def _meddled(self) -> str:
        if not self.asked.meddle:
            return ""
        return f", {'NOT ' if self.uncaught else ''}caught a row taken away and one put in twice"


def _or_count(n: int, right: str, wrong: str) -> str:
    return right if n == 0 else f"{n} {wrong}"


def run(asked: Asked, folder: Path, tell: Callable[[str], None]) -> Ran:
    """One run on a folder that is not there yet."""
    with ExitStack() as stack:
        disk = stack.enter_context(SmallDisk(folder.with_name("disk"), asked.disk_mb)) if asked.disk_mb else None
        folder = disk.folder / folder.name if disk else folder
        cluster = stack.enter_context(Cluster(folder.with_name("brokers"))) if asked.brokers > 1 else None
        home = folder.with_name("clickhouse")
        clickhouse = stack.enter_context(ClickHouse(home)) if asked.clickhouse else None
        env = {**(cluster.env if cluster else {}), **(clickhouse.env if clickhouse else {})}
        up = stack.enter_context(Up(folder, "--workers", "1", "--clock", "wall", env=env))
        alone = stack.enter_context(Alone(folder, env))
        try:
            return _run(asked, Stand(up, alone, cluster, clickhouse, disk), tell)
        except Exception as error:
            # The folder may be gone when somebody reads of it.
            for log in (one for pattern in LOGS for one in sorted(folder.parent.glob(pattern))):
                error.add_note(f"{log.name} ends with: {_said(log)}")
            raise


def _run(asked: Asked, stand: Stand, tell: Callable[[str], None]) -> Ran:
    up = stand.up
    tell(f"ready: {up.bootstrap}")
    prefix = str(up.run["prefix"])
    shorten(up.bootstrap, prefix)
    growth = Growth(up.bootstrap, prefix, lambda: stand.pids)
    with growth:
        felt, pauses = _fire(asked, stand, prefix, tell)
    ledger = stand.clickhouse.access if stand.clickhouse else up.ledger
    verdict = verify(up.bootstrap, prefix, ledger, tell)
    audited = up.ask("audit", "--json", "--timeout", str(AUDIT_WITHIN_S), timeout_s=2 * AUDIT_WITHIN_S)
    audit_ok = audited.returncode == 0 and json.loads(audited.stdout)["ok"] is True
    if not audit_ok:
        tell(f"audit ended with {audited.returncode}: {audited.stdout[-2000:]} {audited.stderr[-500:]}")
    ran = Ran(
        asked=asked,
        verdict=verdict,
        felt=felt,
        pauses=pauses,
        growth=growth,
        audit_ok=audit_ok,
        refused=stand.alone.refused,
    )
    return replace(ran, uncaught=caught(up, prefix, ledger, tell)) if asked.meddle else ran


def _fire(asked: Asked, stand: Stand, prefix: str, tell: Callable[[str], None]) -> tuple[Felt, Pauses]:
    """Send and strike; returns when all is sent and the last fault is over."""
    bootstrap = stand.up.bootstrap
    total = sum(1 for _ in Load(asked.seed, asked.records))
    sent, load, pace = Sent(), Load(asked.seed, asked.records), Pace(asked.per_second(total))
    faults = plan(asked.seed, total, asked.wanted)
    tell(f"{total:,} records will be sent, {pace.per_second:.0f} a second, and {len(faults)} faults strike meanwhile")
    output, silence = Ends(bootstrap, [f"{prefix}tickets"]), Silence(bootstrap, f"{prefix}tickets", sent)
    sending = threading.Thread(target=send, args=(bootstrap, prefix, load, sent, pace), name="sending", daemon=True)
    striker = Striker(OnCentre(stand), output, sent, silence, tell)
    with silence:
        sending.start()
        striker.carry_out(faults, sending.is_alive)
    sent.open_to(None)
    sending.join()
    tell("all is sent, the last fault is over")
    if sent.refused or sent.acknowledged != sent.records:
        msg = f"{sent.records - sent.acknowledged} records were not acknowledged: {sent.refused[:3]}"
        raise RuntimeError(msg)
    return striker.felt, silence.pauses


def asked_for(arguments: Sequence[str]) -> tuple[Asked, Path | None]:
    """The command line; with `--minutes` or `--hours` the records and faults are as many as fit in."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.run", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--records", type=int, default=200_000, help="reports to send")
    parser.add_argument("--kills", type=int, default=16, help="single workers killed with -9")
    parser.add_argument("--terms", type=int, default=4, help="single workers told to end")
    parser.add_argument("--freezes", type=int, default=5, help="single workers frozen past the session time-out")
    parser.add_argument("--together", type=int, default=3, help="all workers at once: killed, told to end, frozen")
    parser.add_argument("--brokers", type=int, default=1, choices=(1, 3), help="3: a cluster, whose brokers are killed")
    parser.add_argument("--broker-kills", type=int, help="default: none on one broker, 3 on three")
    parser.add_argument("--clickhouse", action="store_true", help="a ClickHouse of its own, which is struck too")
    parser.add_argument("--away", type=float, default=20.0, help="seconds that ClickHouse is away, about")
    parser.add_argument("--disk", type=int, default=0, help="MB: a disk of this size, which is filled; needs root")
    parser.add_argument("--minutes", type=float, help="go on for so long instead, a fault every 10 s")
    parser.add_argument("--hours", type=float, help="the same with a fault every 5 minutes: tells what grows")
    parser.add_argument("--keep", type=Path, help="a folder for data and logs, which stays")
    given = parser.parse_args(arguments)
    broker_kills = given.broker_kills if given.broker_kills is not None else 3 * (given.brokers > 1)
    wanted = Wanted(
        kills=given.kills,
        terms=given.terms,
        freezes=given.freezes,
        together=given.together,
        on_brokers=broker_kills,
        on_clickhouse=4 * given.clickhouse,
        full=given.disk > 0,
        away_s=given.away,
    )
    asked = Asked(
        seed=given.seed,
        records=given.records,
        wanted=wanted,
        brokers=given.brokers,
        clickhouse=given.clickhouse,
        disk_mb=given.disk,
        meddle=given.clickhouse,
    )
    if given.hours is not None:
        asked = replace(asked, wanted=replace(asked.wanted, away_s=SOAK_AWAY_S))
        asked = lasting(asked, given.hours * 3600, SOAK_PER_SECOND, SOAK_FAULT_EVERY_S)
    elif given.minutes is not None:
        asked = lasting(asked, given.minutes * 60, CHAOS_PER_SECOND, FAULT_EVERY_S)
    return asked, given.keep


def lasting(asked: Asked, seconds: float, per_second: float, fault_every_s: float) -> Asked:
    """The same mixture of faults, as many as fit in."""
    wanted = asked.wanted
    share = max(1.0, seconds / fault_every_s) / wanted.total

    def part(count: int) -> int:
        return round(count * share) or (count > 0)

    return replace(
        asked,
        records=round(seconds * per_second * REPORTS_SHARE),
        fault_every_s=fault_every_s,
        wanted=replace(
            wanted,
            kills=part(wanted.kills),
            terms=part(wanted.terms),
            freezes=part(wanted.freezes),
            together=part(wanted.together),
            on_brokers=part(wanted.on_brokers),
            on_clickhouse=part(wanted.on_clickhouse),
        ),
    )


def main(arguments: Sequence[str]) -> int:
    """Run, tell, and say by the exit code whether all was whole."""
    asked, keep = asked_for(arguments)
    began = time.monotonic()

    def tell(text: str) -> None:
        sys.stdout.write(f"{time.monotonic() - began:6.1f} s  {text}\n")
        sys.stdout.flush()

    root = keep or Path(tempfile.mkdtemp(prefix="lianqin-chaos-"))
    root.mkdir(parents=True, exist_ok=True)
    try:
        ran = run(asked, root / "data", tell)
    except (NotReady, TimeoutError, RuntimeError, KafkaException) as error:
        tell(f"{error}; `up` said: {_said(root / 'data.log')}; data and logs stay in {root}")
        sys.stdout.write(f"chaos seed={asked.seed} records={asked.records}: NOT carried out\n")
        return 1
    _tell_all(ran, tell)
    sys.stdout.write(ran.line + "\n")
    if not ran.ok:
        tell(f"data and logs stay in {root}")
        return 1
    if keep is None:
        shutil.rmtree(root)
    return 0


def _said(log: Path) -> str:
    return log.read_text(errors="replace")[-1000:] if log.exists() else ""


def _tell_all(ran: Ran, tell: Callable[[str], None]) -> None:
    verdict, pauses = ran.verdict, ran.pauses
    for line in (*verdict.findings.named, *ran.uncaught, *ran.growth.lines(), *pauses.lines()):
        tell(line)
    if ran.felt.after_the_flow:
        tell(f"{ran.felt.after_the_flow} faults struck when all was sent already")
    if ran.refused:
        tell(f"workers that refused to go on: {', '.join(ran.refused)}")
    worst = {kind: seconds for kind in ran.felt.struck if (seconds := pauses.worst(kind)) is not None}
    tell(
        f"{verdict.inputs:,} records in, {verdict.events:,} events and dead letters out, {verdict.tickets:,} tickets, "
        f"{verdict.views:,} records of views, {verdict.rows:,} rows; deadlines fired: {dict(verdict.fired)}; longest "
        f"silence of a partition after each kind of fault: "
        f"{', '.join(f'{kind} {seconds:.1f} s' for kind, seconds in worst.items()) or 'none'}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
