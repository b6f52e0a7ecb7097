"""Chaos: `python -m tests.chaos.run --seed 7 --records 200000`; the last line tells, and the exit code.

Starts `lianqin up` on a folder of its own, sends reports while workers are killed with -9 and frozen past the
session time-out, waits for quiet, and lets an independent reader account for every record.
"""

import argparse
import json
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from confluent_kafka import KafkaException

from tests.chaos.centre import NotReady, Up
from tests.chaos.faults import Felt, Striker, Wanted, plan
from tests.chaos.kafka import Ends
from tests.chaos.load import Load
from tests.chaos.policy import shorten
from tests.chaos.sending import Pace, Sent, send
from tests.chaos.verify import Verdict, verify

FAULT_EVERY_S: Final = 10.0
SOAK_PER_SECOND: Final = 500
REPORTS_SHARE: Final = 0.8
"""About so many of all records are reports; the others close or are broken."""
AUDIT_WITHIN_S: Final = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One run. `records`: reports; closings and broken records come beside them."""

    seed: int
    records: int
    wanted: Wanted

    def per_second(self, total: int) -> float:
        """So many of all records a second that each fault strikes while they flow."""
        return total / (self.wanted.total * FAULT_EVERY_S + 5)


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of it."""

    asked: Asked
    verdict: Verdict
    felt: Felt
    audit_ok: bool

    @property
    def ok(self) -> bool:
        """All whole, every fault struck during the flow, and the program's own audit says the same."""
        struck = self.felt.struck.total() == self.asked.wanted.total and self.felt.after_the_flow == 0
        return self.verdict.ok and self.audit_ok and struck

    @property
    def line(self) -> str:
        """The line that tells."""
        asked, found, struck = self.asked, self.verdict.findings, self.felt.struck
        sequences = _or_count(found.of("sequence"), "sequences whole", "breaks in sequences")
        deadlines = _or_count(found.of("deadline", "time"), "deadlines right", "deadlines wrong")
        planted = _or_count(found.of("fate", "unfounded"), "fates as planted", "fates wrong")
        views = _or_count(found.of("views"), "views right", "views wrong")
        clickhouse = _or_count(found.of("clickhouse"), "ClickHouse equal", "differences in ClickHouse")
        brokers = f" broker_kills={struck['broker']}" if struck["broker"] else ""
        return (
            f"chaos seed={asked.seed} records={asked.records} kills={struck['kill']} freezes={struck['freeze']}"
            f"{brokers}: {found.of('lost')} lost, {found.of('twice')} twice, {sequences}, {planted}, {deadlines}, "
            f"{views}, {clickhouse}, audit {'ok' if self.audit_ok else 'NOT ok'}"
        )


def _or_count(n: int, right: str, wrong: str) -> str:
    return right if n == 0 else f"{n} {wrong}"


def run(asked: Asked, folder: Path, tell: Callable[[str], None]) -> Ran:
    """One run on a folder that is not there yet."""
    with Up(folder, "--workers", "2", "--clock", "wall") as up:
        tell(f"ready: {up.bootstrap}")
        prefix = str(up.run["prefix"])
        shorten(up.bootstrap, prefix)
        felt = _fire(asked, up, prefix, tell)
        verdict = verify(up.bootstrap, prefix, up.ledger, tell)
        audited = up.ask("audit", "--json", "--timeout", str(AUDIT_WITHIN_S), timeout_s=2 * AUDIT_WITHIN_S)
        audit_ok = audited.returncode == 0 and json.loads(audited.stdout)["ok"] is True
        if not audit_ok:
            tell(f"audit ended with {audited.returncode}: {audited.stdout[-2000:]} {audited.stderr[-500:]}")
        return Ran(asked, verdict, felt, audit_ok)


def _fire(asked: Asked, up: Up, prefix: str, tell: Callable[[str], None]) -> Felt:
    """Send and strike; returns when all is sent and the last fault is over."""
    total = sum(1 for _ in Load(asked.seed, asked.records))
    sent, load, pace = Sent(), Load(asked.seed, asked.records), Pace(asked.per_second(total))
    faults = plan(asked.seed, total, asked.wanted)
    tell(f"{total:,} records will be sent, {pace.per_second:.0f} a second, and {len(faults)} faults strike meanwhile")
    output = Ends(up.bootstrap, [f"{prefix}tickets"])
    sending = threading.Thread(target=send, args=(up.bootstrap, prefix, load, sent, pace), name="sending", daemon=True)
    striker = Striker(up, output, sent, tell)
    sending.start()
    striker.carry_out(faults, sending.is_alive)
    sent.open_to(None)
    sending.join()
    tell("all is sent, the last fault is over")
    if sent.refused or sent.acknowledged != sent.records:
        msg = f"{sent.records - sent.acknowledged} records were not acknowledged: {sent.refused[:3]}"
        raise RuntimeError(msg)
    return striker.felt


def asked_for(arguments: Sequence[str]) -> tuple[Asked, Path | None]:
    """The command line; with `--minutes` the records and faults are as many as fit in."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.run", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--records", type=int, default=200_000, help="reports to send")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--freezes", type=int, default=5)
    parser.add_argument("--broker-kills", type=int, default=0, help="kill the broker itself so often, too")
    parser.add_argument("--minutes", type=float, help="go on for so long instead")
    parser.add_argument("--keep", type=Path, help="a folder for data and logs, which stays")
    given = parser.parse_args(arguments)
    wanted, records = Wanted(kills=given.kills, freezes=given.freezes, broker_kills=given.broker_kills), given.records
    if given.minutes is not None:
        faults = max(5, round(given.minutes * 60 / FAULT_EVERY_S))
        records = round(given.minutes * 60 * SOAK_PER_SECOND * REPORTS_SHARE)
        wanted = Wanted(kills=faults - faults // 5, freezes=faults // 5, broker_kills=given.broker_kills)
    return Asked(seed=given.seed, records=records, wanted=wanted), given.keep


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
        tell(f"{error}; `up` said: {(root / 'data.log').read_text()[-1000:]}; data and logs stay in {root}")
        sys.stdout.write(f"chaos seed={asked.seed} records={asked.records}: NOT carried out\n")
        return 1
    for difference in ran.verdict.findings.named:
        tell(difference)
    if ran.felt.after_the_flow:
        tell(f"{ran.felt.after_the_flow} faults struck when all was sent already")
    tell(_figures(ran))
    sys.stdout.write(ran.line + "\n")
    if not ran.ok:
        tell(f"data and logs stay in {root}")
        return 1
    if keep is None:
        shutil.rmtree(root)
    return 0


def _figures(ran: Ran) -> str:
    verdict, felt = ran.verdict, ran.felt
    return (
        f"{verdict.inputs:,} records in, {verdict.events:,} events and dead letters out, {verdict.tickets:,} tickets, "
        f"{verdict.views:,} records of views, {verdict.rows:,} rows; deadlines fired: {dict(verdict.fired)}; "
        f"output on every partition again after at most "
        f"{felt.worst('kill')}, {felt.worst('freeze')}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
