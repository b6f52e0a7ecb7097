"""Whether workers are ready: every partition of every stage is open, as their own metrics say."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import ip_address
from typing import Final

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from agents.errors import UserError
from schemas.topics import STAGES
from streams.metrics import PARTITIONS_OPEN

LOOK_EVERY_S: Final = 0.2


def page_at(host: str, port: int) -> str:
    """The metrics page of a worker on this machine that listens on `host`."""
    with suppress(ValueError):  # a name
        address = ip_address(host)
        if address.is_unspecified:
            host = "127.0.0.1"
        elif address.version == 6:
            host = f"[{host}]"
    return f"http://{host}:{port}/metrics"


async def wait_open(urls: Iterable[str], partitions: int, *, within_s: float) -> None:
    """Return when the workers at these metrics pages hold all partitions open; `UserError` when it takes too long."""
    pages = list(urls)
    try:
        async with asyncio.timeout(within_s), aiohttp.ClientSession() as session:
            # Nobody could set an event: the workers are other processes.
            while (open_now := await _open_partitions(session, pages)) != dict.fromkeys(STAGES, partitions):  # noqa: ASYNC110
                await asyncio.sleep(LOOK_EVERY_S)
    except TimeoutError as error:
        msg = f"not ready after {within_s:.0f} s ({open_now} of {partitions} partitions open): see the logs folder"
        raise UserError(msg) from error


async def _open_partitions(session: aiohttp.ClientSession, urls: Iterable[str]) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for text in await asyncio.gather(*(_page(session, url) for url in urls)):
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == PARTITIONS_OPEN.name:
                    counted[sample.labels["stage"]] += int(sample.value)
    return dict(counted)


async def _page(session: aiohttp.ClientSession, url: str) -> str:
    try:
        async with session.get(url, timeout=aiohttp.ClientTimeout(total=2)) as answer:
            return await answer.text()
    except (aiohttp.ClientError, TimeoutError, UnicodeError):
        return ""  # not up yet; a host that can be none its worker refuses
