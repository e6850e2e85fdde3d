"""Statistics and prices; numpy's own polyfit, corrcoef and percentile for some."""

from __future__ import annotations

import math
import statistics

import numpy as np

from tests.unit.analytics.indicators.plain.averages import errors, scaled
from tests.unit.analytics.indicators.plain.words import (
    NAN,
    Bars,
    List,
    ago,
    change,
    div,
    each,
    line,
    minus,
    over,
    pstdev,
    rate,
    sma,
)  # fmt: skip


def fitted(x: List, n: int, at: float) -> List:
    return over(x, n, lambda p: float(np.polyval(np.polyfit(np.arange(n) - at, p, 1), 0)))


def slope(x: List, n: int) -> List:
    return [s for _, s in line(x, n)]


def r_squared(x: List, n: int = 14) -> List:
    return over(x, n, lambda p: float(np.corrcoef(p, np.arange(n))[0, 1] ** 2))


def pairs(x: List, y: List, n: int, f) -> List:  # type: ignore[no-untyped-def]
    result = []
    for i in range(len(x)):
        a, b = x[max(0, i - n + 1) : i + 1], y[max(0, i - n + 1) : i + 1]
        whole = len(a) == n and not any(map(math.isnan, a + b))
        result.append(float(f(a, b)) if whole else NAN)
    return result


def beta(b: Bars) -> List:
    x, y = scaled(rate(b.c, 1), 0.01), scaled(rate(b.o, 1), 0.01)
    return pairs(x, y, 20, lambda p, q: np.cov(p, q, bias=True)[0, 1] / np.var(q))


def skew(x: List, n: int = 20) -> List:
    def one(p: List) -> float:
        m, s = statistics.fmean(p), statistics.pstdev(p)
        return math.fsum(((v - m) / s) ** 3 for v in p) / n

    return over(x, n, one)


def forecast(x: List) -> List:
    told = [a + 14 * s for a, s in line(x, 14)]
    return each(lambda v, t: 100 * (v - t) / v, x, ago(told, 1))


def inside_outside(b: Bars) -> list[List]:
    inside, outside = [NAN], [NAN]
    for i in range(1, len(b.h)):
        within = b.h[i] < b.h[i - 1] and b.l[i] > b.l[i - 1]
        beyond = b.h[i] > b.h[i - 1] and b.l[i] < b.l[i - 1]
        inside.append(-1.0 if within else NAN)
        outside.append(1.0 if beyond else NAN)
    return [inside, outside]


def narrow(b: Bars, n: int = 7) -> List:
    reach = minus(b.h, b.l)
    return over(reach, n, lambda p: 1.0 if p[-1] < min(p[:-1]) - 1e-9 else NAN)


def gaps(b: Bars) -> list[List]:
    result = [NAN]
    for i in range(1, len(b.o)):
        days = [(t + 19_800) // 86_400 for t in b.time[i - 1 : i + 1]]
        up, down = b.o[i] > b.h[i - 1], b.o[i] < b.l[i - 1]
        base = b.h[i - 1] if up else b.l[i - 1]
        counts = days[0] != days[1] and (up or down)
        result.append(100 * (b.o[i] / base - 1) if counts else NAN)
    return [[math.copysign(1, v) if not math.isnan(v) else NAN for v in result], result]


def streak(x: List) -> List:
    result, run = [NAN], 0
    for d in change(x)[1:]:
        way = (d > 0) - (d < 0)
        run = run + way if run * way >= 0 and way else way
        result.append(float(run))
    return result


PLAIN = {
    "linreg": lambda b: [fitted(b.c, 14, 13), fitted(b.c, 14, 14)],
    "linreg-slope": lambda b: [slope(b.c, 14)],
    "linreg-intercept": lambda b: [fitted(b.c, 14, 0)],
    "linreg-angle": lambda b: [[math.degrees(math.atan(v)) for v in slope(b.c, 14)]],
    "forecast-oscillator": lambda b: [forecast(b.c)],
    "r-squared": lambda b: [r_squared(b.c)],
    "standard-error": lambda b: [errors(b.c, 21)],
    "correlation": lambda b: [pairs(b.c, b.o, 20, lambda p, q: np.corrcoef(p, q)[0, 1])],
    "beta": lambda b: [beta(b)],
    "z-score": lambda b: [each(lambda v, m, s: div(v - m, s), b.c, sma(b.c, 20), pstdev(b.c, 20))],
    "median": lambda b: [over(b.hl2, 9, statistics.median)],
    "percentile": lambda b: [over(b.c, 20, lambda p: float(np.percentile(p, 80)))],
    "percent-rank": lambda b: [over(b.c, 101, lambda p: float(sum(v <= p[-1] for v in p[:-1])))],
    "skewness": lambda b: [skew(b.c)],
    "variance": lambda b: [over(b.c, 20, statistics.pvariance)],
    "typical-price": lambda b: [b.hlc3],
    "median-price": lambda b: [b.hl2],
    "weighted-close": lambda b: [each(lambda h, low, c: (h + low + 2 * c) / 4, b.h, b.l, b.c)],
    "average-price": lambda b: [each(lambda *p: sum(p) / 4, b.o, b.h, b.l, b.c)],
    "inside-outside": inside_outside,
    "narrow-range": lambda b: [narrow(b)],
    "gaps": gaps,
    "streak": lambda b: [streak(b.c)],
}
