"""Every installed package is pinned, and stands under a licence that may be used."""

from importlib.metadata import distributions

import pytest

from tests.supply.licences import ALLOWED, licences_of
from tests.supply.pins import OURSELVES, installed, pinned, plain, unpinned

PACKAGES = {plain(one.metadata["Name"]): one for one in distributions()}


def test_what_is_installed_is_pinned() -> None:
    assert unpinned(installed(), pinned()) == []


@pytest.mark.parametrize(
    ("have", "told"),
    [
        ({"a": "1"}, []),
        ({"a": "2"}, ["a 2: constraints.txt has 1"]),
        ({"b": "1"}, ["b 1: constraints.txt has nothing"]),
    ],
)
def test_what_is_not_is_named(have: dict[str, str], told: list[str]) -> None:
    assert unpinned(have, {"a": "1"}) == told


@pytest.mark.parametrize("name", sorted(PACKAGES.keys() - OURSELVES))
def test_a_package_stands_under_a_licence_that_may_be_used(name: str) -> None:
    found = licences_of(PACKAGES[name])
    assert found
    assert found <= ALLOWED
