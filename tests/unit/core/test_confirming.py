"""When the window asks."""

from __future__ import annotations

import pytest

from openalgo_desktop.config.settings import SETTINGS
from openalgo_desktop.core.acts import Act, Asking
from openalgo_desktop.core.confirming import ConfirmFacts, ConfirmLimits, why_ask

LIMITS = ConfirmLimits(value=5_000_000, lots=20, percent=3, spread=5)
SMALL = ConfirmFacts(value=100_000, lots=1, percent=0.5, spread=1)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (ConfirmFacts(value=5_000_001), "value of ₹ 50,00,001 is above ₹ 50,00,000"),
        (ConfirmFacts(lots=21), "21 lots, more than 20"),
        (ConfirmFacts(percent=3.4), "3.4 % worse than the market, more than 3 %"),
        (ConfirmFacts(spread=8.0), "8.0 % apart"),
        (ConfirmFacts(outside_circuit=True), "outside the circuit"),
        (ConfirmFacts(unpriced=True), "no fresh price"),
        (ConfirmFacts(unmeasured=True), "no fresh price to compare"),
    ],
)
def test_each_limit_asks_by_itself(facts: ConfirmFacts, words: str) -> None:
    (reason,) = why_ask(Asking.LIMITS, facts, LIMITS)
    assert words in reason
    assert why_ask(Asking.NEVER, facts, LIMITS) == ()
    assert why_ask(Asking.ALWAYS, facts, LIMITS) == (reason,)


def test_what_is_usual_is_asked_only_where_the_user_wants_it_always() -> None:
    assert why_ask(Asking.LIMITS, SMALL, LIMITS) == ()
    assert why_ask(Asking.NEVER, SMALL, LIMITS) == ()
    assert len(why_ask(Asking.ALWAYS, SMALL, LIMITS)) == 1


def test_at_a_limit_nobody_is_asked_and_a_limit_of_0_is_off() -> None:
    at = ConfirmFacts(value=5_000_000, lots=20, percent=3, spread=5)
    assert why_ask(Asking.LIMITS, at, LIMITS) == ()
    far = ConfirmFacts(value=1e12, lots=500, percent=90, spread=200, unpriced=True, unmeasured=True)
    assert why_ask(Asking.LIMITS, far, ConfirmLimits()) == ()


@pytest.mark.parametrize("asking", list(Asking))
def test_a_stop_that_fires_at_once_is_asked_about_whatever_the_policy(asking: Asking) -> None:
    assert "at once" in why_ask(asking, ConfirmFacts(passed_stop=True), LIMITS)[0]


def test_each_act_has_its_setting() -> None:
    for act in Act:
        row = SETTINGS[f"confirm.{act.value}"]
        assert {Asking(choice) for choice in row.choices} == set(Asking)
        assert Asking(row.default) in (Asking.LIMITS, Asking.ALWAYS)  # never is chosen by hand
