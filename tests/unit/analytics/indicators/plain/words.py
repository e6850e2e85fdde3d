"""What the plain forms are written with: lists, one loop each, NaN for what is not known."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

NAN = math.nan
List = list[float]


@dataclass
class Bars:
    """Columns as lists."""

    time: list[int]
    o: List
    h: List
    l: List  # noqa: E741
    c: List
    v: List
    oi: List

    @property
    def hl2(self) -> List:
        return [(h + low) / 2 for h, low in zip(self.h, self.l, strict=True)]

    @property
    def hlc3(self) -> List:
        return [sum(p) / 3 for p in zip(self.h, self.l, self.c, strict=True)]


def div(a: float, b: float) -> float:
    return a / b if b != 0 else NAN


def each(f: Callable[..., float], *lists: List) -> List:
    return [f(*values) for values in zip(*lists, strict=True)]


def minus(a: List, b: List) -> List:
    return each(lambda x, y: x - y, a, b)


def by(a: List, b: List) -> List:
    return each(div, a, b)


def ago(x: List, n: int) -> List:
    return [x[i - n] if i >= n else NAN for i in range(len(x))]


def change(x: List, n: int = 1) -> List:
    return minus(x, ago(x, n))


def rate(x: List, n: int) -> List:
    return each(lambda a, b: 100 * (a / b - 1), x, ago(x, n))


def over(x: List, n: int, f: Callable[[List], float]) -> List:
    """``f`` of every whole window without gaps."""
    result = []
    for i in range(len(x)):
        part = x[i - n + 1 : i + 1] if i >= n - 1 else [NAN]
        result.append(NAN if any(math.isnan(v) for v in part) else float(f(part)))
    return result


def sma(x: List, n: int) -> List:
    return over(x, n, lambda p: math.fsum(p) / n)


def total(x: List, n: int) -> List:
    return over(x, n, math.fsum)


def top(x: List, n: int) -> List:
    return over(x, n, max)


def foot(x: List, n: int) -> List:
    return over(x, n, min)


def pstdev(x: List, n: int) -> List:
    def one(p: Sequence[float]) -> float:
        m = math.fsum(p) / n
        return math.sqrt(math.fsum((v - m) ** 2 for v in p) / n)

    return over(x, n, one)


def smoothed(x: List, n: int, factor: float) -> List:
    """From the mean of the first n known values on."""
    result, seed, y = [], [], NAN
    for v in x:
        if math.isnan(v):
            result.append(NAN)
            continue
        if len(seed) < n:
            seed.append(v)
            y = math.fsum(seed) / n if len(seed) == n else NAN
        else:
            y = factor * v + (1 - factor) * y
        result.append(y)
    return result


def ema(x: List, n: int) -> List:
    return smoothed(x, n, 2 / (n + 1))


def rma(x: List, n: int) -> List:
    return smoothed(x, n, 1 / n)


def wma(x: List, n: int) -> List:
    return over(x, n, lambda p: sum((k + 1) * v for k, v in enumerate(p)) / (n * (n + 1) / 2))


def true_range(b: Bars) -> List:
    return each(
        lambda h, low, before: (
            max(h - low, abs(h - before), abs(low - before)) if not math.isnan(before) else NAN
        ),
        b.h,
        b.l,
        ago(b.c, 1),
    )


def rsi(x: List, n: int) -> List:
    gain = rma([max(v, 0.0) if not math.isnan(v) else NAN for v in change(x)], n)
    loss = rma([max(-v, 0.0) if not math.isnan(v) else NAN for v in change(x)], n)
    return each(lambda g, s: 100 - 100 / (1 + g / s) if s else (100.0 if g else NAN), gain, loss)


def stochastic(x: List, h: List, low: List, n: int) -> List:
    return each(lambda v, a, b: 100 * div(v - b, a - b), x, top(h, n), foot(low, n))


def line(x: List, n: int) -> list[tuple[float, float]]:
    """Intercept (at the first bar of the window) and slope of the least squares line."""
    result = []
    for i in range(len(x)):
        p = x[i - n + 1 : i + 1] if i >= n - 1 else [NAN]
        if any(math.isnan(v) for v in p):
            result.append((NAN, NAN))
            continue
        mx, my = (n - 1) / 2, math.fsum(p) / n
        sxy = math.fsum((k - mx) * (v - my) for k, v in enumerate(p))
        slope = sxy / math.fsum((k - mx) ** 2 for k in range(n))
        result.append((my - slope * mx, slope))
    return result


def end(x: List, n: int) -> List:
    return [a + s * (n - 1) for a, s in line(x, n)]


def running(x: List) -> List:
    """Running sum over what is known."""
    result, y = [], 0.0
    for v in x:
        y += 0 if math.isnan(v) else v
        result.append(NAN if math.isnan(v) else y)
    return result


def sign(x: float) -> float:
    return NAN if math.isnan(x) else float((x > 0) - (x < 0))
