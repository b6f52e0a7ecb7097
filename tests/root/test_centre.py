"""Where `up` says that its processes listen."""

import pytest

from agents.centre import addresses
from agents.local import probe


@pytest.fixture(autouse=True)
def _few_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few that two draws would soon be the same."""
    monkeypatch.setattr(probe, "_FREE_PORTS", range(1, 5))
    monkeypatch.setattr(probe, "is_free", lambda _: True)


def test_each_process_of_a_start_has_a_port_of_its_own() -> None:
    pages, front = addresses(["worker-1", "worker-2", "ledger"])
    urls = [*pages.values(), f"{front}/metrics"]
    assert sorted(urls) == [f"http://127.0.0.1:{port}/metrics" for port in range(1, 5)]
