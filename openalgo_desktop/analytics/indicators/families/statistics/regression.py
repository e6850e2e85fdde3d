"""Lines, spreads and ranks of the last bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from openalgo_desktop.analytics.indicators.kit import words as w
from openalgo_desktop.analytics.indicators.kit.node import Node
from openalgo_desktop.analytics.indicators.kit.outputs import line
from openalgo_desktop.analytics.indicators.kit.params import length, number, source
from openalgo_desktop.analytics.indicators.kit.shelf import Inputs, Shelf
from openalgo_desktop.core.charting.studies import Level

STUDIES = Shelf("Statistics")
_TWO = (length(20, low=2), source(), source("open", "second", "Second source"))


@STUDIES.study(
    "linreg",
    "Linear regression",
    "LinReg",
    (line("end", "End of the line"), line("next", "Forecast of the next bar", "study-2")),
    (length(14, low=2), source()),
    over=True,
    source="least squares line of n values; TA-Lib LINEARREG and TSF",
    words=("time series forecast", "TSF"),
)
def _linreg(i: Inputs) -> Sequence[Node]:
    x, n = i.source(), i.whole()
    return w.regression(x, n), w.regression(x, n, -1.0)


@STUDIES.study(
    "linreg-slope",
    "Linear regression slope",
    "LR slope",
    (line("slope", "Slope", places=4),),
    (length(14, low=2), source()),
    levels=(Level(0),),
    source="slope of the least squares line, per bar; TA-Lib LINEARREG_SLOPE",
)
def _slope(i: Inputs) -> Node:
    return w.slope(i.source(), i.whole())


@STUDIES.study(
    "linreg-intercept",
    "Linear regression intercept",
    "LR start",
    (line("intercept", "Start of the line"),),
    (length(14, low=2), source()),
    over=True,
    source="the least squares line at its first bar; TA-Lib LINEARREG_INTERCEPT",
)
def _intercept(i: Inputs) -> Node:
    return w.regression(i.source(), i.whole(), i.whole() - 1.0)


@STUDIES.study(
    "linreg-angle",
    "Linear regression angle",
    "LR angle",
    (line("angle", "Degrees", places=2),),
    (length(14, low=2), source()),
    levels=(Level(0),),
    source="arc tangent of the slope, degrees; TA-Lib LINEARREG_ANGLE",
)
def _angle(i: Inputs) -> Node:
    return w.each(np.arctan, w.slope(i.source(), i.whole())) * float(180 / np.pi)


@STUDIES.study(
    "forecast-oscillator",
    "Forecast oscillator",
    "FOSC",
    (line("fosc", "FOSC %", places=3),),
    (length(14, low=2), source()),
    levels=(Level(0),),
    source="Chande: value less what the line of the n values before foretold, percent",
)
def _forecast(i: Inputs) -> Node:
    x, n = i.source(), i.whole()
    return (x - w.ago(w.regression(x, n, -1.0), 1)) / x * 100


@STUDIES.study(
    "r-squared",
    "R squared",
    "R2",
    (line("r2", "R2", places=3),),
    (length(14, low=2), source()),
    low=0,
    high=1,
    source="square of the correlation of the values with time",
)
def _r_squared(i: Inputs) -> Node:
    x, n = i.source(), i.whole()
    width = (n * n - 1) / 12
    return w.each(
        lambda v, b: np.where(v == 0, np.nan, np.minimum(b * b * width / v, 1.0)),
        w.variance(x, n),
        w.slope(x, n),
    )


@STUDIES.study(
    "standard-error",
    "Standard error",
    "StdErr",
    (line("error", "Error", places=4),),
    (length(21, low=3), source()),
    source="root of the squared distances from the least squares line over n - 2",
)
def _error(i: Inputs) -> Node:
    return w.standard_error(i.source(), i.whole())


@STUDIES.study(
    "correlation",
    "Correlation",
    "Correl",
    (line("r", "r", places=3),),
    _TWO,
    levels=(Level(0),),
    low=-1,
    high=1,
    source="Pearson's r of two sources over n bars; TA-Lib CORREL",
)
def _correlation(i: Inputs) -> Node:
    x, y, n = i.source(), i.source("second"), i.whole()
    spread = w.stdev(x, n) * w.stdev(y, n)
    return w.each(lambda r: np.clip(r, -1.0, 1.0), w.covariance(x, y, n) / spread)


@STUDIES.study(
    "beta",
    "Beta",
    "Beta",
    (line("beta", "Beta", places=3),),
    _TWO,
    levels=(Level(1),),
    source="covariance of the relative changes of both sources by the variance of the second's",
)
def _beta(i: Inputs) -> Node:
    x, y = (w.change(v) / w.ago(v, 1) for v in (i.source(), i.source("second")))
    return w.covariance(x, y, i.whole()) / w.variance(y, i.whole())


@STUDIES.study(
    "z-score",
    "Z-score",
    "Z",
    (line("z", "Z", places=3),),
    (length(20, low=2), source()),
    levels=(Level(2), Level(0), Level(-2)),
    source="distance from the mean in population deviations of n bars",
)
def _z(i: Inputs) -> Node:
    x, n = i.source(), i.whole()
    return (x - w.sma(x, n)) / w.stdev(x, n)


@STUDIES.study(
    "median",
    "Median",
    "Median",
    (line("median", "Median"),),
    (length(9), source("hl2")),
    over=True,
    source="median of n values",
)
def _median(i: Inputs) -> Node:
    return w.median(i.source(), i.whole())


@STUDIES.study(
    "percentile",
    "Percentile",
    "Pctl",
    (line("percentile", "Percentile"),),
    (length(20), number("percent", "Percent", 80, 0, 100), source()),
    over=True,
    source="the value below which so many percent of n values lie, between two of them in line",
)
def _percentile(i: Inputs) -> Node:
    return w.quantile(i.source(), i.whole(), i.number("percent") / 100)


@STUDIES.study(
    "percent-rank",
    "Percent rank",
    "PRank",
    (line("rank", "Rank", places=1),),
    (length(100, high=500), source()),
    low=0,
    high=100,
    source="percent of the n values before that are not above this one",
)
def _rank(i: Inputs) -> Node:
    return w.rank(i.source(), i.whole())


@STUDIES.study(
    "skewness",
    "Skewness",
    "Skew",
    (line("skew", "Skew", places=3),),
    (length(20, low=3), source()),
    levels=(Level(0),),
    source="third central moment by the cube of the deviation (population) of n values",
)
def _skew(i: Inputs) -> Node:
    n, x = i.whole(), i.source()
    return w.each(_cubed, w.third_moment(x, n), w.variance(x, n))


def _cubed(third: Any, variance: Any) -> Any:
    return np.where(variance == 0, np.nan, third / variance**1.5)


@STUDIES.study(
    "variance",
    "Variance",
    "Var",
    (line("variance", "Variance", places=4),),
    (length(20), source()),
    source="population variance of n values; TA-Lib VAR",
)
def _variance(i: Inputs) -> Node:
    return w.variance(i.source(), i.whole())


@STUDIES.study(
    "mean-deviation",
    "Mean absolute deviation",
    "MAD",
    (line("deviation", "Deviation", places=4),),
    (length(20), source()),
    source="mean distance of n values from their mean",
)
def _mean_deviation(i: Inputs) -> Node:
    return w.deviation(i.source(), i.whole())
