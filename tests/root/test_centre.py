"""Where `up` says that its processes listen."""

import pytest

from agents.centre import addresses
from agents.errors import UserError
from agents.local import probe
from agents.readiness import wait_open


@pytest.fixture(autouse=True)
def _few_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few that two draws would soon be the same."""
    monkeypatch.setattr(probe, "_FREE_PORTS", range(1, 5))
    monkeypatch.setattr(probe, "is_free", lambda _: True)


def test_each_process_of_a_start_has_a_port_of_its_own() -> None:
    pages, front = addresses(["worker-1", "worker-2", "ledger"], "127.0.0.1")
    urls = [*pages.values(), f"{front}/metrics"]
    assert sorted(urls) == [f"http://127.0.0.1:{port}/metrics" for port in range(1, 5)]


@pytest.mark.parametrize(
    ("host", "asked"),
    [
        ("127.0.0.2", "127.0.0.2"),
        ("10.1.2.3", "10.1.2.3"),
        ("centre.example", "centre.example"),
        ("::1", "[::1]"),
        ("0.0.0.0", "127.0.0.1"),  # noqa: S104 - what a user may set
        ("::", "127.0.0.1"),
    ],
)
def test_a_page_is_asked_where_it_listens(host: str, asked: str) -> None:
    pages, front = addresses(["ledger"], host)
    assert pages["ledger"].rpartition(":")[0] == f"http://{asked}"
    assert front.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("host", ["a b", "a..b", "x" * 300])
async def test_a_host_that_can_be_none_is_not_up_yet(host: str) -> None:
    # The worker that is to listen there says what is wrong with it.
    pages, _ = addresses(["ledger"], host)
    with pytest.raises(UserError, match="not ready after 0 s"):
        await wait_open(pages.values(), 8, within_s=0.1)
