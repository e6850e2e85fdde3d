"""How far two clocks are apart, from whole seconds."""

from __future__ import annotations

from email.utils import formatdate

import pytest

from openalgo_desktop.core.skew import Skew


def date(seconds: float) -> str:
    return formatdate(int(seconds), usegmt=True)


@pytest.mark.parametrize("off", [-30.0, -5.0, 0.0, 0.4, 5.0, 3600.0])
def test_never_more_is_told_than_is_true(off: float) -> None:
    skew = Skew()
    for sent in (1_000.1, 1_001.35, 1_002.6, 1_003.85):
        received = sent + 0.2
        skew.add(date(sent + 0.1 + off), sent, received)
    assert abs(skew.proved) <= abs(off)
    assert skew.proved * off >= 0.0
    if abs(off) >= 3.0:
        assert abs(skew.proved) > abs(off) - 0.6  # four answers narrow it to parts of a second


def test_slow_answers_prove_little() -> None:
    skew = Skew()
    skew.add(date(1_004.0), 1_000.0, 1_010.0)
    assert skew.proved == 0.0


def test_a_clock_that_was_set_is_believed_anew() -> None:
    skew = Skew()
    skew.add(date(1_060.0), 1_000.2, 1_000.4)
    assert skew.proved > 59.0
    skew.add(date(1_061.0), 1_061.2, 1_061.4)
    assert skew.proved == 0.0


@pytest.mark.parametrize("text", ["", "yesterday", "Mon, 99 Foo 2026"])
def test_what_is_no_date_counts_for_nothing(text: str) -> None:
    skew = Skew()
    skew.add(text, 1.0, 2.0)
    assert skew.proved == 0.0
