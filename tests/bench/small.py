"""Measuring the small job on lianqin, exactly once, and on stock Faust, at least once."""

import sys
from collections.abc import Sequence
from typing import Final

from schemas.topics import Topic
from tests.bench import small_faust, small_job, small_lianqin
from tests.bench.cpu import CpuWatch
from tests.bench.logs import Progress, fill, read
from tests.bench.rate import Rate, steady
from tests.bench.stand import Child, Stand, Tell

_PATIENCE_S: Final = 60.0
_COMPACTED: Final = {"cleanup.policy": "compact"}


def lianqin(stand: Stand, records: int, tell: Tell) -> Rate:
    """Exactly once: an owner a partition, a Faust agent that decides."""
    plain = [Topic(name=n, holds="", key="") for n in (small_lianqin.IN, small_lianqin.OUT, small_lianqin.SEATS)]
    topics = [*plain, Topic(name=small_lianqin.STATE, holds="", key="", config=_COMPACTED)]
    module = ("tests.bench.small_lianqin", small_lianqin.IN, small_lianqin.OUT, small_lianqin.GROUP)
    return _measured(stand, "small-lianqin", module, topics, records, tell)


def faust(stand: Stand, records: int, tell: Tell) -> Rate:
    """At least once, as Faust's documentation has it."""
    topics = [Topic(name=n, holds="", key="") for n in (small_faust.IN, small_faust.OUT)]
    module = ("tests.bench.small_faust", small_faust.IN, small_faust.OUT, small_faust.APP)
    return _measured(stand, "small-faust", module, topics, records, tell)


def _measured(
    stand: Stand, name: str, module: tuple[str, str, str, str], topics: Sequence[Topic], records: int, tell: Tell
) -> Rate:
    program, source, target, group = module
    stand.topics(topics, prefix="", partitions=small_job.PARTITIONS)
    fill(stand.bootstrap, source, small_job.rows(records))
    child = Child(name, [sys.executable, "-m", program, stand.bootstrap, str(stand.folder / name)])
    progress = Progress(stand.bootstrap, group, [source])
    try:
        with stand.running(child) as pids, CpuWatch(pids) as watch:
            progress.wait(records, tell, within_s=_PATIENCE_S)
    finally:
        progress.close()
    outputs = [(message.key(), message.timestamp()[1]) for message in read(stand.bootstrap, target)]
    distinct = len({key for key, _, _ in small_job.rows(records)})
    if len(outputs) != distinct or len({key for key, _ in outputs}) != distinct:
        msg = f"{name}: {len(outputs)} outputs of {distinct} different reports"
        raise RuntimeError(msg)
    return steady([at for _, at in outputs], watch, records)
