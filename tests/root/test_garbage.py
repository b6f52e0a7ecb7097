"""How often a worker looks for garbage: as often as a fiftieth of its time allows."""

import pytest

from agents.garbage import OFTEN_S, SELDOM_S, SHARE, pause_after


@pytest.mark.parametrize(
    ("took_s", "pause_s"),
    [
        pytest.param(0.0, 0.2, id="nothing to do: five times a second"),
        pytest.param(0.004, 0.2, id="short looks: as often"),
        pytest.param(0.010, 0.5, id="10 ms every half second are the share"),
        pytest.param(0.050, 2.5, id="long ones: seldom"),
        pytest.param(1.0, 3.0, id="a fold of a million tickets: no more seldom than that"),
    ],
)
def test_a_look_comes_as_often_as_its_share_allows(took_s: float, pause_s: float) -> None:
    assert pause_after(took_s) == pytest.approx(pause_s)


def test_it_stays_within_its_share_unless_a_look_is_longer_than_the_longest_pause_allows() -> None:
    for took_ms in range(1, round(SELDOM_S * SHARE * 1000) + 1):
        pause = pause_after(took_ms / 1000)
        assert OFTEN_S <= pause <= SELDOM_S
        assert took_ms / 1000 / pause <= SHARE * (1 + 1e-9)
