"""Rolling windows and recursions against the window, or the bar, itself."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openalgo_desktop.analytics.indicators.kit import rolling
from openalgo_desktop.analytics.indicators.kit.recursive import affine

#: Prices in ticks, many of them equal, and gaps.
VALUES = st.lists(
    st.one_of(st.integers(1990, 2010).map(lambda k: k * 0.05), st.just(float("nan"))),
    max_size=40,
).map(lambda values: np.array(values, float))
LENGTH = st.integers(1, 9)

FORMS: dict[str, tuple[Callable[..., np.ndarray], Callable[[np.ndarray], float]]] = {
    "total": (rolling.total, np.sum),
    "mean": (rolling.mean, np.mean),
    "variance": (rolling.variance, np.var),
    "highest": (rolling.highest, np.max),
    "lowest": (rolling.lowest, np.min),
    "deviation": (rolling.deviation, lambda p: np.mean(np.abs(p - np.mean(p)))),
    "since highest": (rolling.since_highest, lambda p: float(np.argmax(p[::-1]))),
    "third moment": (
        lambda x, n: rolling.moments(x, n, 3)[2],
        lambda p: np.mean((p - np.mean(p)) ** 3),
    ),
    "median": (lambda x, n: rolling.quantile(x, n, 0.5), np.median),
    "quantile": (lambda x, n: rolling.quantile(x, n, 0.3), lambda p: np.quantile(p, 0.3)),
    "weighted": (
        lambda x, n: rolling.weighted(x, np.arange(1.0, n + 1)),
        lambda p: float(np.sum(p * np.arange(1, p.size + 1))),
    ),
    "covariance": (
        lambda x, n: rolling.covariance(x, x * x, n),
        lambda p: np.mean(p**3) - np.mean(p) * np.mean(p * p),
    ),
}


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=15, deadline=None)
@given(x=VALUES, n=LENGTH)
def test_a_rolling_form_is_that_of_each_window(form: str, x: np.ndarray, n: int) -> None:
    whole, one = FORMS[form]
    wanted = np.full(x.size, np.nan)
    for i in range(n - 1, x.size):
        part = x[i - n + 1 : i + 1]
        wanted[i] = np.nan if np.isnan(part).any() else one(part)
    assert np.allclose(whole(x, n), wanted, rtol=1e-9, atol=1e-8, equal_nan=True)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(-9, 9)), max_size=60), st.floats(-9, 9))
def test_a_recursion_in_blocks_is_that_of_each_bar(
    terms: list[tuple[float, float]], start: float
) -> None:
    y, wanted = start, []
    for b, c in terms:
        y = b * y + c
        wanted.append(y)
    table = np.array(terms, float).reshape(-1, 2)
    assert np.allclose(affine(table[:, 0], table[:, 1], start), wanted, rtol=1e-12, atol=1e-12)


@given(st.lists(st.booleans(), max_size=30))
def test_runs_are_all_known_values_and_no_other(unknown: list[bool]) -> None:
    parts = rolling.runs(np.array(unknown, bool))
    seen = [k for part in parts for k in range(part.start, part.stop)]
    assert seen == [k for k, gone in enumerate(unknown) if not gone]
