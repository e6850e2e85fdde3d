"""Prices, volatilities and greeks against ``opengreeks`` (another maker's Black-76 in Rust).

Its wheels need Python 3.12, so it runs in a side environment where one is found.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from openalgo_desktop.core import options_math as om
from tests import side_env

REQUIREMENTS = ("opengreeks==0.2.0", "numpy==2.4.6")
SCRIPT = Path(__file__).resolve().parents[2] / "side" / "greeks.py"
PYTHON = side_env.newer_python((3, 12))
COUNT = 3000


@pytest.mark.skipif(PYTHON is None, reason="no Python 3.12 or newer on this machine")
def test_thousands_of_options() -> None:
    rng = np.random.default_rng(20261125)
    forward = rng.uniform(50, 60_000, COUNT)
    strike = forward * rng.uniform(0.7, 1.4, COUNT)
    years = rng.uniform(0.003, 2.0, COUNT)
    rate = rng.choice([0.0, 0.03, 0.065, 0.1], COUNT)
    sigma = rng.uniform(0.05, 1.2, COUNT)
    calls = rng.random(COUNT) > 0.5
    columns = [c.tolist() for c in (forward, strike, years, rate, sigma, calls)]
    done = subprocess.run(
        [side_env.python_of(REQUIREMENTS, PYTHON), str(SCRIPT)],
        input=json.dumps(list(zip(*columns, strict=True))),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    theirs = json.loads(done.stdout)
    assert len(theirs) == COUNT
    price = np.array([float(om.price(*row)) for row in _price_rows(columns)])
    np.testing.assert_allclose(price, _of(theirs, "price"), rtol=1e-6, atol=1e-6 * forward.max())
    units = {"delta": 1.0, "gamma": 1.0 / forward, "theta": forward / 365, "vega": forward / 100}
    for value in sorted(set(rate.tolist())):
        group = rate == value
        ours = om.greeks(
            forward[group], strike[group], years[group], sigma[group], value, calls[group]
        )
        for name in ("delta", "gamma", "theta", "vega", "rho"):
            unit = np.broadcast_to(units.get(name, forward / 100), (COUNT,))[group]
            difference = np.abs(np.asarray(getattr(ours, name)) - _of(theirs, name)[group])
            assert float(np.max(difference / unit)) < 1e-5, name
        found = np.asarray(
            om.implied_volatility(
                price[group], forward[group], strike[group], years[group], value, calls[group]
            )
        )
        intrinsic = np.maximum((forward - strike) * np.where(calls, 1, -1), 0)
        readable = (price - intrinsic * np.exp(-rate * years) > 1e-4 * forward)[group]
        np.testing.assert_allclose(found[readable], sigma[group][readable], rtol=1e-4)
        np.testing.assert_allclose(
            found[readable], _of(theirs, "sigma")[group][readable], rtol=1e-4
        )
        assert int(readable.sum()) > int(group.sum()) // 2


def _price_rows(columns: list[list[Any]]) -> list[tuple[Any, ...]]:
    """Arguments of ``price``: forward, strike, years, sigma, rate, call."""
    return [(f, k, t, s, r, c) for f, k, t, r, s, c in zip(*columns, strict=True)]


def _of(rows: list[dict[str, Any]], name: str) -> np.ndarray:
    return np.array([np.nan if row[name] is None else row[name] for row in rows])
