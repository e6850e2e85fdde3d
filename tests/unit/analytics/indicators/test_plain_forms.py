"""Values of studies against plain forms that share no code with them, and against TA-Lib."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import talib

from openalgo_desktop.analytics.indicators import registry
from tests.unit.analytics.indicators import series
from tests.unit.analytics.indicators.plain import averages, momentum, statistics, trend, volume
from tests.unit.analytics.indicators.plain.words import Bars

PLAIN = {
    **averages.PLAIN,
    **momentum.PLAIN,
    **statistics.PLAIN,
    **trend.PLAIN,
    **volume.PLAIN,
}
#: Families that are here with all of their studies.
CLASSIC = {
    "Moving averages",
    "Bands and channels",
    "Momentum",
    "Volatility",
    "Statistics",
    "Price",
}
B = series.bars(340, 21)
LISTS = Bars(*(column.tolist() for column in B))


def differences(study: str, wanted: list[list[float]]) -> list[str]:
    running = registry.make(study)
    running.load(B)
    outputs = registry.spec(study).outputs
    result = []
    for output, a, w in zip(outputs, running.values, wanted, strict=True):
        b = np.array(w, float)
        scale = np.nanmax(np.abs(b), initial=1e-3, where=~np.isnan(b))
        near = np.isclose(a, b, rtol=1e-9, atol=1e-10 * scale, equal_nan=True)
        if not near.all():
            k = int(np.argmin(near))
            result.append(f"{output.name}[{k}] {a[k]!r} not {b[k]!r} ({(~near).sum()})")
    return result


@pytest.mark.parametrize("study", PLAIN)
def test_the_plain_form_gives_the_same(study: str) -> None:
    assert not differences(study, PLAIN[study](LISTS))


def test_every_classic_study_has_a_plain_form() -> None:
    ids = {spec.study for spec in registry.specs()}
    theirs = {spec.study for spec in registry.specs() if spec.family in CLASSIC}
    assert theirs - set(PLAIN) == {"candle-patterns"}  # against TA-Lib in test_registry.py
    assert set(PLAIN) <= ids and len(PLAIN) >= 149


# -- TA-Lib's own functions, whole, after their first values --------------------------------------
H, L, C, V = B.high, B.low, B.close, B.volume
TA_LIB: dict[str, Callable[[], Any]] = {
    "sma": lambda: talib.SMA(C, 20),
    "ema": lambda: talib.EMA(C, 20),
    "wma": lambda: talib.WMA(C, 20),
    "dema": lambda: talib.DEMA(C, 20),
    "tema": lambda: talib.TEMA(C, 20),
    "trima": lambda: talib.TRIMA(C, 20),
    "t3": lambda: talib.T3(C, 5, 0.7),
    "lsma": lambda: talib.LINEARREG(C, 25),
    "mama": lambda: talib.MAMA((H + L) / 2, 0.5, 0.05),
    "bollinger": lambda: talib.BBANDS(C, 20, 2, 2),
    "rsi": lambda: talib.RSI(C, 14),
    "stochastic-fast": lambda: talib.STOCHF(H, L, C, 14, 3),
    "stochastic": lambda: talib.STOCH(H, L, C, 14, 3, 0, 3, 0),
    "williams-r": lambda: talib.WILLR(H, L, C, 14),
    "cci": lambda: talib.CCI(H, L, C, 20),
    "ultimate": lambda: talib.ULTOSC(H, L, C),
    "roc": lambda: talib.ROC(C, 9),
    "momentum": lambda: talib.MOM(C, 10),
    "trix": lambda: talib.TRIX(C, 18),
    "dmi": lambda: (talib.PLUS_DI(H, L, C, 14), talib.MINUS_DI(H, L, C, 14)),
    "aroon": lambda: talib.AROON(H, L, 14)[::-1],
    "aroon-oscillator": lambda: talib.AROONOSC(H, L, 14),
    "sar": lambda: talib.SAR(H, L, 0.02, 0.2),
    "atr": lambda: talib.ATR(H, L, C, 14),
    "natr": lambda: talib.NATR(H, L, C, 14),
    "true-range": lambda: talib.TRANGE(H, L, C),
    "standard-deviation": lambda: talib.STDDEV(C, 20),
    "variance": lambda: talib.VAR(C, 20),
    "mfi": lambda: talib.MFI(H, L, C, V, 14),
    "ad-line": lambda: talib.AD(H, L, C, V),
    "linreg": lambda: (talib.LINEARREG(C, 14), talib.TSF(C, 14)),
    "linreg-slope": lambda: talib.LINEARREG_SLOPE(C, 14),
    "linreg-intercept": lambda: talib.LINEARREG_INTERCEPT(C, 14),
    "linreg-angle": lambda: talib.LINEARREG_ANGLE(C, 14),
    "correlation": lambda: talib.CORREL(C, B.open, 20),
    "adx": lambda: talib.ADX(H, L, C, 14),
    "adxr": lambda: talib.ADXR(H, L, C, 14),
    "kama": lambda: talib.KAMA(C, 10),
}
#: Where TA-Lib begins its averages otherwise; both have forgotten the start by then.
FADES = {"dmi": 330, "adx": 330, "adxr": 330}


@pytest.mark.parametrize("study", TA_LIB)
def test_ta_lib_gives_the_same(study: str) -> None:
    running = registry.make(study)
    running.load(B)
    found = TA_LIB[study]()
    for mine, theirs in zip(
        running.values, found if isinstance(found, tuple) else [found], strict=False
    ):
        known = ~np.isnan(theirs)
        known[: FADES.get(study, 0)] = False
        assert known.any()
        assert np.allclose(mine[known], theirs[known], rtol=1e-7, atol=1e-7)
