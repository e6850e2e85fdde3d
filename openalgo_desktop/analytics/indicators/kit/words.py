"""The words that definitions of studies are written in; all take and give nodes.

Averages begin where they are whole: the first value of ``ema`` and ``rma`` is the mean of the first
``n`` values, at the n-th (as TA-Lib and ChartSchool do), that of a window its n-th.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from openalgo_desktop.analytics.indicators.kit import rolling
from openalgo_desktop.analytics.indicators.kit.node import Map, Node, Shift, Window
from openalgo_desktop.analytics.indicators.kit.recursive import Blend, Cumulated, Ema, Held
from openalgo_desktop.core.charting.columns import Floats

#: Differences up to this part of the value are rounding: neither above nor below.
SAME = 1e-11


# -- bar by bar ---------------------------------------------------------------------------------
def each(f: Callable[..., Any], *nodes: Node) -> Node:
    """``f`` bar by bar; it has to work on arrays and on numbers alike."""
    return Map(f, *nodes)


def where(condition: Node, then: Node | float, otherwise: Node | float) -> Node:
    """``then`` where ``condition`` is neither 0 nor unknown; unknown where it is."""
    both = [Map(lambda x, v=value: x * 0 + v, condition) if not isinstance(value, Node) else value
            for value in (then, otherwise)]  # fmt: skip
    return Map(_where, condition, *both)


def _where(c: Any, a: Any, b: Any) -> Any:
    return np.where(np.isnan(c), np.nan, np.where(c != 0, a, b))


def _flag(f: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
    return np.where(np.isnan(a) | np.isnan(b), np.nan, f(a, b))


def above(a: Node, b: Node | float) -> Node:
    """1 where ``a`` is above ``b`` by more than rounding, else 0."""
    return Map(lambda x: _flag(lambda p, _: p > 0, x, x), side(a, b))


def below(a: Node, b: Node | float) -> Node:
    """1 where ``a`` is below ``b`` by more than rounding, else 0."""
    return Map(lambda x: _flag(lambda p, _: p < 0, x, x), side(a, b))


def side(a: Node, b: Node | float) -> Node:
    """1 where ``a`` is above ``b``, -1 where it is below, 0 where they are the same but for
    rounding."""
    return Map(_side, a, b) if isinstance(b, Node) else Map(lambda x: _side(x, b), a)


def _side(a: Any, b: Any) -> Any:
    near = SAME * np.maximum(np.abs(a), np.abs(b))
    return np.where(np.abs(a - b) <= near, 0.0, np.sign(a - b))


def larger(a: Node, b: Node) -> Node:
    """The larger of two."""
    return Map(np.maximum, a, b)


def smaller(a: Node, b: Node) -> Node:
    """The smaller of two."""
    return Map(np.minimum, a, b)


def known(x: Node, otherwise: float = 0.0) -> Node:
    """``x``, and ``otherwise`` where it is unknown."""
    return Map(lambda v: np.where(np.isnan(v), otherwise, v), x)


def known_flat(x: Node, price: Node) -> Node:
    """``x``, and 0 where it is unknown though there is a price: a bar without a range."""
    return Map(lambda v, p: np.where(np.isnan(v) & ~np.isnan(p), 0.0, v), x, price)


def held(x: Node) -> Node:
    """The last known value."""
    return Held(x)


def blend(x: Node, share: Node | float, start: float = np.nan) -> Node:
    """``y += share * (x - y)`` from ``start``; without one the first is ``x``."""
    return Blend(x, share if isinstance(share, Node) else x * 0 + share, start)


# -- looking back -------------------------------------------------------------------------------
def ago(x: Node, bars: int) -> Node:
    """The value so many bars before."""
    return Shift(x, bars) if bars else x


def change(x: Node, bars: int = 1) -> Node:
    """Difference from the value so many bars before."""
    return x - ago(x, bars)


def change_from(x: Node, base: Node) -> Node:
    """Difference from ``base`` in parts of it."""
    return (x - base) / base


def rises(x: Node, level: Node) -> Node:
    """1 where ``x`` is above its value before, -1 below, 0 where they differ only by rounding of
    ``level``, the price that ``x`` is made of."""
    return Map(_rises, x, ago(x, 1), level)


def _rises(now: Any, before: Any, level: Any) -> Any:
    near = SAME * np.abs(level)
    return np.where(np.abs(now - before) <= near, 0.0, np.sign(now - before))


def crossed(a: Node, b: Node | float) -> Node:
    """1 where ``a`` crosses ``b`` upwards, -1 downwards, else unknown (no mark). Equal values are
    no crossing until they part; only the bar before is looked at."""
    now = side(a, b)
    return Map(_crossed, now, ago(now, 1))


def _crossed(now: Any, before: Any) -> Any:
    up, down = (now > 0) & (before <= 0), (now < 0) & (before >= 0)
    return np.where(up, 1.0, np.where(down, -1.0, np.nan))


# -- windows ------------------------------------------------------------------------------------
def total(x: Node, n: int) -> Node:
    """Sum of the last ``n``."""
    return Window(lambda v: rolling.total(v, n), n, x, tail=np.sum)


def sma(x: Node, n: int) -> Node:
    """Mean of the last ``n``."""
    return Window(lambda v: rolling.mean(v, n), n, x, tail=_mean)


def _mean(v: Floats) -> float:
    return float(v[0] + np.add.reduce(v - v[0]) / v.size)


def variance(x: Node, n: int) -> Node:
    """Population variance of the last ``n``."""
    return Window(lambda v: rolling.variance(v, n), n, x, tail=_variance)


def _variance(v: Floats) -> float:
    d = v - v[0]
    d -= np.add.reduce(d) / v.size
    return float(np.dot(d, d)) / v.size


def third_moment(x: Node, n: int) -> Node:
    """Third central moment of the last ``n``, divided by n."""

    def tail(v: Floats) -> float:
        d = v - v[0]
        d -= np.add.reduce(d) / n
        return float(np.add.reduce(d * d * d)) / n

    return Window(lambda v: rolling.moments(v, n, 3)[2], n, x, tail=tail)


def stdev(x: Node, n: int) -> Node:
    """Population standard deviation of the last ``n``."""
    return Map(np.sqrt, variance(x, n))


def highest(x: Node, n: int) -> Node:
    """Largest of the last ``n``."""
    return Window(lambda v: rolling.highest(v, n), n, x, tail=np.max)


def lowest(x: Node, n: int) -> Node:
    """Smallest of the last ``n``."""
    return Window(lambda v: rolling.lowest(v, n), n, x, tail=np.min)


def since_highest(x: Node, n: int) -> Node:
    """Bars since the largest of the last ``n``, the latest of equal ones."""
    return Window(lambda v: rolling.since_highest(v, n), n, x, tail=_since)


def _since(v: Floats) -> float:
    return np.nan if np.isnan(v).any() else float(np.argmax(v[::-1]))


def weighted(x: Node, weights: Floats) -> Node:
    """Sum of the last values times ``weights``, the last weight for the current bar."""
    whole = float(weights.sum())

    def tail(v: Floats) -> float:
        return float(np.dot(v - v[-1], weights) + v[-1] * whole)

    return Window(lambda v: rolling.weighted(v, weights), weights.size, x, tail=tail)


def deviation(x: Node, n: int) -> Node:
    """Mean absolute deviation of the last ``n``."""
    return Window(lambda v: rolling.deviation(v, n), n, x, tail=_deviation)


def _deviation(v: Floats) -> float:
    return float(np.add.reduce(np.abs(v - _mean(v)))) / v.size


def rank(x: Node, n: int) -> Node:
    """Percent of the ``n`` values before this one that are not above it."""
    return Window(lambda v: rolling.rank(v, n), n + 1, x, tail=_rank)


def _rank(v: Floats) -> float:
    return np.nan if np.isnan(v).any() else 100 * float((v[:-1] <= v[-1]).sum()) / (v.size - 1)


def quantile(x: Node, n: int, part: float) -> Node:
    """The value below which ``part`` (0 to 1) of the last ``n`` lies."""

    def tail(v: Floats) -> float:
        found = np.sort(v)
        low = int(part * (n - 1))
        high = min(low + 1, n - 1)
        if np.isnan(found[-1]):
            return np.nan
        return float(found[low] + (part * (n - 1) - low) * (found[high] - found[low]))

    return Window(lambda v: rolling.quantile(v, n, part), n, x, tail=tail)


def median(x: Node, n: int) -> Node:
    """Median of the last ``n``."""
    return quantile(x, n, 0.5)


def regression(x: Node, n: int, back: float = 0.0) -> Node:
    """The least squares line of the last ``n`` values, read ``back`` bars before its end."""
    place = np.arange(n) - (n - 1) / 2
    weights = 1 / n + place * (place[-1] - back) / (float(np.sum(place**2)) or 1.0)
    return weighted(x, np.asarray(weights, np.float64))


def slope(x: Node, n: int) -> Node:
    """Slope of the least squares line of the last ``n`` values, per bar."""
    place = np.arange(n) - (n - 1) / 2
    weights = place / (float(np.sum(place**2)) or 1.0)
    return weighted(x, np.asarray(weights, np.float64))


def standard_error(x: Node, n: int) -> Node:
    """Standard error of the least squares line: root of the squared residuals over n - 2."""
    spread = variance(x, n)
    explained = slope(x, n)
    width = (n * n - 1) / 12  # variance of the places
    return Map(
        lambda v, b: np.sqrt(np.maximum(v - b * b * width, 0.0) * n / (n - 2)), spread, explained
    )


def covariance(x: Node, y: Node, n: int) -> Node:
    """Population covariance of the last ``n`` values of both."""
    return Window(lambda a, b: rolling.covariance(a, b, n), n, x, y, tail=_covariance)


def _covariance(a: Floats, b: Floats) -> float:
    return float(np.dot(a - a[0] - np.mean(a - a[0]), b - b[0])) / a.size


# -- averages -----------------------------------------------------------------------------------
def ema(x: Node, n: int) -> Node:
    """Exponential average, factor 2/(n+1)."""
    return Ema(x, n, n)


def rma(x: Node, n: int) -> Node:
    """Wilder's average, factor 1/n."""
    return Ema(x, 2 * n - 1, n)


def wma(x: Node, n: int) -> Node:
    """Linearly weighted average: weights 1 ... n."""
    weights = np.arange(1.0, n + 1)
    return weighted(x, weights / weights.sum())


def hma(x: Node, n: int) -> Node:
    """Hull's average: WMA of sqrt(n) of twice the WMA of n/2 less the WMA of n."""
    half, root = max(1, n // 2), max(1, round(float(np.sqrt(n))))
    return wma(wma(x, half) * 2 - wma(x, n), root)


def dema(x: Node, n: int) -> Node:
    """Double exponential average."""
    once = ema(x, n)
    return once * 2 - ema(once, n)


def tema(x: Node, n: int) -> Node:
    """Triple exponential average."""
    once = ema(x, n)
    twice = ema(once, n)
    return once * 3 - twice * 3 + ema(twice, n)


def trima(x: Node, n: int) -> Node:
    """Triangular average: a mean of means."""
    first = (n + 1) // 2
    return sma(sma(x, n - first + 1), first)


def vwma(x: Node, volume: Node, n: int) -> Node:
    """Mean weighted by volume."""
    return total(x * volume, n) / total(volume, n)


#: Kinds of averages that a study can offer as a choice.
AVERAGES: dict[str, Callable[[Node, int], Node]] = {
    "SMA": sma,
    "EMA": ema,
    "WMA": wma,
    "RMA": rma,
    "HMA": hma,
    "DEMA": dema,
    "TEMA": tema,
    "TRIMA": trima,
}


def average(kind: str, x: Node, n: int) -> Node:
    """The average of that kind."""
    return AVERAGES[kind](x, n)


# -- sums since the start -----------------------------------------------------------------------
def cumulated(x: Node, reset: Node | None = None) -> Node:
    """Running sum, from each bar again where ``reset`` is not 0."""
    return Cumulated(x, reset)


def streak(flag: Node) -> Node:
    """How many bars in a row ``flag`` has been other than 0."""
    one = Map(lambda v: np.where(np.isnan(v), v, v != 0), flag)
    return Cumulated(one, Map(lambda v: np.where(v == 1, 0.0, 1.0), one))
