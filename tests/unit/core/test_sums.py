"""Sums that are kept up."""

from __future__ import annotations

from math import fsum, isnan, nan
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as some

from openalgo_desktop.core.sums import KeptSum


@settings(max_examples=50, deadline=None)
@given(some.integers(0, 1_000_000), some.floats(-1e300, 1e300))
def test_whatever_came_and_went_it_is_the_exact_sum(seed: int, odd: float) -> None:
    kept, now, dice = KeptSum[int](), dict[int, list[float]](), Random(seed)
    for _ in range(12):
        name = dice.randint(0, 4)
        some_of = (odd, -odd, 0.05, dice.uniform(-1, 1) * 10.0 ** dice.randint(-320, 300))
        if values := dice.choices(some_of, k=dice.randint(0, 3)):
            kept.put(name, values)
            now[name] = values
        else:
            kept.drop(name)
            now.pop(name, None)
        assert kept.value == fsum(value for values in now.values() for value in values)


def test_a_value_that_is_no_number_is_told_until_it_is_gone() -> None:
    kept = KeptSum[str]()
    kept.put("a", [1.5])
    kept.put("b", [nan, 2.0])
    assert isnan(kept.value)
    kept.put("b", [2.0])
    assert kept.value == 3.5
    kept.drop("a")
    kept.drop("a")
    assert kept.value == 2.0
