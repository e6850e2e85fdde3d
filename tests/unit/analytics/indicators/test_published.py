"""Values that others have published."""

from __future__ import annotations

import numpy as np
import pytest

from openalgo_desktop.analytics.indicators import registry
from openalgo_desktop.core.charting.columns import Columns

ListLike = list[float] | list[int]


def columns(close: ListLike, **more: ListLike) -> Columns:
    """Daily bars; what is not given is the close."""
    size = len(close)
    prices = [np.array(more.get(name, close), float) for name in ("open", "high", "low")]
    volume = np.array(more.get("volume", [0.0] * size), float)
    time = np.arange(size, dtype=np.int64) * 86_400
    return Columns(time, *prices, np.array(close, float), volume, np.zeros(size))


def value(study: str, bars: Columns, output: int = 0, **params: float) -> np.ndarray:
    running = registry.make(study, params)
    running.load(bars)
    return running.values[output]


# -- StockCharts, ChartSchool: the tables of the pages on RSI, moving averages -------
QQQQ = [
    44.3389, 44.0902, 44.1497, 43.6124, 44.3278, 44.8264, 45.0955, 45.4245, 45.8433, 46.0826,
    45.8931, 46.0328, 45.6140, 46.2820, 46.2820, 46.0028, 46.0328, 46.4116, 46.2222, 45.6439,
    46.2122, 46.2521, 45.7137, 46.4515, 45.7835, 45.3548, 44.0288, 44.1783, 44.2181, 44.5672,
    43.4205, 42.6628, 43.1314,
]  # fmt: skip
RSI_14 = [
    70.53, 66.32, 66.55, 69.41, 66.36, 57.97, 62.93, 63.26, 56.06, 62.38, 54.71, 50.42, 39.99,
    41.46, 41.87, 45.46, 37.30, 33.08, 37.77,
]  # fmt: skip
INTEL = [
    22.27, 22.19, 22.08, 22.17, 22.18, 22.13, 22.23, 22.43, 22.24, 22.29, 22.15, 22.39, 22.38,
    22.61, 23.36, 24.05, 23.75, 23.83, 23.95, 23.63,
]  # fmt: skip
EMA_10 = [22.22, 22.21, 22.24, 22.27, 22.33, 22.52, 22.80, 22.97, 23.13, 23.28, 23.34]


def test_rsi_of_chartschool() -> None:
    found = value("rsi", columns(QQQQ))
    assert np.isnan(found[:14]).all()
    assert found[14:] == pytest.approx(RSI_14, abs=0.006)


def test_ema_of_chartschool() -> None:
    found = value("ema", columns(INTEL), length=10)
    assert np.isnan(found[:9]).all()
    assert found[9:] == pytest.approx(EMA_10, abs=0.006)


# -- Tulip Indicators: the example on each indicator's page, the last of its values; it prints three
# decimals, and its exponential averages start otherwise, so none that stand on them is here -------
TULIP = columns(
    [81.59, 81.06, 82.87, 83.00, 83.61, 83.15, 82.84, 83.99, 84.55, 84.36, 85.53, 86.54, 86.89,
     87.77, 87.29],
    open=[81.85, 81.20, 81.55, 82.91, 83.10, 83.41, 82.71, 82.70, 84.20, 84.25, 84.03, 85.45,
          86.18, 88.00, 87.60],
    high=[82.15, 81.89, 83.03, 83.30, 83.85, 83.90, 83.33, 84.30, 84.84, 85.00, 85.90, 86.58,
          86.98, 88.00, 87.87],
    low=[81.29, 80.64, 81.31, 82.65, 83.07, 83.11, 82.49, 82.30, 84.15, 84.11, 84.03, 85.39,
         85.76, 87.17, 87.01],
    volume=[5653100, 6447400, 7690900, 3831400, 4455100, 3798000, 3936200, 4732000, 4841300,
            3915300, 6830800, 6694100, 5293600, 7985800, 4807900],
)  # fmt: skip
#: study, output, parameters, the published last value
PAGES: list[tuple[str, int, dict[str, float | str], float]] = [
    ("sma", 0, {"length": 5}, 86.804),
    ("wma", 0, {"length": 5}, 87.121),
    ("rma", 0, {"length": 5}, 85.838),
    ("trima", 0, {"length": 5}, 86.901),
    ("hma", 0, {"length": 5}, 87.916),
    ("vwma", 0, {"length": 5}, 86.805),
    ("kama", 0, {"length": 5}, 86.673),
    ("bollinger", 0, {"length": 5}, 88.319),
    ("bollinger", 2, {"length": 5}, 85.289),
    ("rsi", 0, {"length": 5}, 78.498),
    ("stochastic", 0, {"length": 5}, 91.091),
    ("stochastic", 1, {"length": 5}, 94.359),
    ("williams-r", 0, {"length": 5}, -17.884),
    ("cmo", 0, {"length": 5}, 75.321),
    ("momentum", 0, {"length": 5}, 2.930),
    ("roc", 0, {"length": 5}, 3.473),
    ("qstick", 0, {"length": 5}, 0.552),
    ("bop", 0, {"length": 1}, -0.360),
    ("fisher", 0, {"length": 5}, 3.185),
    ("fisher", 1, {"length": 5}, 3.117),
    ("ultimate", 0, {"fast": 2, "middle": 3, "slow": 5}, 65.450),
    ("aroon", 0, {"length": 5}, 80.0),
    ("aroon", 1, {"length": 5}, 20.0),
    ("aroon-oscillator", 0, {"length": 5}, 60.0),
    ("vhf", 0, {"length": 5}, 0.576),
    ("mfi", 0, {"length": 5}, 84.647),
    ("ad-line", 0, {}, 19463313.184),
    ("obv", 0, {}, 29450200.0),
    ("nvi", 0, {}, 1004.101),
    ("pvi", 0, {}, 1065.492),
    ("true-range", 0, {}, 0.860),
    ("standard-deviation", 0, {"length": 5}, 0.758),
    ("variance", 0, {"length": 5}, 0.574),
    ("mean-deviation", 0, {"length": 5}, 0.615),
    ("linreg", 0, {"length": 5}, 87.754),
    ("linreg", 1, {"length": 5}, 88.229),
    ("linreg-slope", 0, {"length": 5}, 0.475),
    ("forecast-oscillator", 0, {"length": 5}, -1.583),
    ("typical-price", 0, {}, 87.390),
    ("median-price", 0, {}, 87.440),
    ("weighted-close", 0, {}, 87.365),
    ("average-price", 0, {}, 87.442),
]


@pytest.mark.parametrize(("study", "output", "params", "last"), PAGES)
def test_the_examples_of_tulip_indicators(
    study: str, output: int, params: dict[str, float], last: float
) -> None:
    assert value(study, TULIP, output, **params)[-1] == pytest.approx(last, abs=0.00051)
