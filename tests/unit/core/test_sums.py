"""Sums that are kept up."""

from __future__ import annotations

from math import fsum, isnan, nan

from hypothesis import given, settings
from hypothesis import strategies as some

from openalgo_desktop.core.sums import KeptSum

FLOATS = some.floats(-1e300, 1e300)
STEPS = some.lists(some.tuples(some.integers(0, 4), some.lists(FLOATS, max_size=3)), max_size=12)


@settings(max_examples=20)
@given(STEPS)
def test_whatever_came_and_went_it_is_the_exact_sum(steps: list[tuple[int, list[float]]]) -> None:
    kept, now = KeptSum[int](), dict[int, list[float]]()
    for name, values in steps:
        if values:
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
