"""Volume and volatility."""

from __future__ import annotations

import math

from tests.unit.analytics.indicators.plain.averages import scaled
from tests.unit.analytics.indicators.plain.words import (
    NAN,
    Bars,
    List,
    ago,
    by,
    change,
    div,
    each,
    ema,
    minus,
    over,
    pstdev,
    rate,
    rma,
    running,
    sign,
    sma,
    top,
    total,
    true_range,
)  # fmt: skip


def obv(b: Bars) -> list[List]:
    result = [0.0]
    for i in range(1, len(b.c)):
        result.append(result[-1] + sign(b.c[i] - b.c[i - 1]) * b.v[i])
    return [result, sma(result, 20)]


def place(h: float, low: float, c: float) -> float:
    return ((c - low) - (h - c)) / (h - low) if h != low else 0.0


def flow(b: Bars) -> List:
    return each(lambda h, low, c, v: place(h, low, c) * v, b.h, b.l, b.c, b.v)


def mfi(b: Bars, n: int = 14) -> List:
    x = b.hlc3
    result = [NAN] * n
    for i in range(n, len(x)):
        up = math.fsum(x[k] * b.v[k] for k in range(i - n + 1, i + 1) if x[k] - x[k - 1] > 1e-9)
        down = math.fsum(x[k] * b.v[k] for k in range(i - n + 1, i + 1) if x[k - 1] - x[k] > 1e-9)
        result.append(100 * div(up, up + down))
    return result


def index(b: Bars, sign_: int) -> list[List]:
    result = [NAN]
    y = 1000.0
    for i in range(1, len(b.c)):
        if (b.v[i] - b.v[i - 1]) * sign_ > 0:
            y *= b.c[i] / b.c[i - 1]
        result.append(y)
    return [result, ema(result, 255)]


def ease(b: Bars) -> List:
    middle = b.hl2
    one = [NAN]
    for i in range(1, len(middle)):
        box = b.v[i] / 1e8
        reach = b.h[i] - b.l[i]
        one.append((middle[i] - middle[i - 1]) * reach / box if reach and box else 0.0)
    return sma(one, 14)


def klinger(b: Bars) -> list[List]:
    force, way, cm = [NAN], NAN, NAN
    for i in range(1, len(b.c)):
        now = sign(round(b.h[i] + b.l[i] + b.c[i] - b.h[i - 1] - b.l[i - 1] - b.c[i - 1], 6)) or way
        dm, before = b.h[i] - b.l[i], b.h[i - 1] - b.l[i - 1]
        cm = cm + dm if now == way else before + dm
        way = now
        force.append(b.v[i] * abs(2 * dm / cm - 1) * way * 100)
    line = minus(ema(force, 34), ema(force, 55))
    return [line, ema(line, 13)]


def twiggs(b: Bars, n: int = 21) -> List:
    flows, volumes = [NAN], [NAN]
    for i in range(1, len(b.c)):
        h, low = max(b.h[i], b.c[i - 1]), min(b.l[i], b.c[i - 1])
        flows.append(place(h, low, b.c[i]) * b.v[i])
        volumes.append(b.v[i])
    return by(rma(flows, n), rma(volumes, n))


def up_down(b: Bars) -> list[List]:
    part = each(lambda h, low, c: (c - low) / (h - low) if h != low else 0.5, b.h, b.l, b.c)
    up = each(lambda v, p: v * p, b.v, part)
    down = each(lambda v, p: -v * (1 - p), b.v, part)
    return [up, down, total(each(lambda x, y: x + y, up, down), 14)]


def chaikin_oscillator(b: Bars) -> List:
    line = running(flow(b))
    return minus(ema(line, 3), ema(line, 10))


def ulcer(x: List, n: int = 14) -> List:
    fall = each(lambda v, t: (100 * (v - t) / t) ** 2, x, top(x, n))
    return [math.sqrt(v) for v in sma(fall, n)]


def historical(x: List, n: int = 20) -> List:
    logs = each(lambda a, b: math.log(a / b), x, ago(x, 1))
    return [100 * v * math.sqrt(252 * n / (n - 1)) for v in pstdev(logs, n)]


def parkinson(b: Bars, n: int = 20) -> List:
    squares = each(lambda h, low: math.log(h / low) ** 2, b.h, b.l)
    return [100 * math.sqrt(252 * v / (4 * math.log(2))) for v in sma(squares, n)]


def vo(b: Bars) -> List:
    return each(lambda f, s: 100 * (f / s - 1), ema(b.v, 5), ema(b.v, 10))


PLAIN = {
    "obv": obv,
    "ad-line": lambda b: [running(flow(b))],
    "chaikin-oscillator": lambda b: [chaikin_oscillator(b)],
    "cmf": lambda b: [by(total(flow(b), 20), total(b.v, 20))],
    "mfi": lambda b: [mfi(b)],
    "pvt": lambda b: [running(each(lambda r, v: r / 100 * v, rate(b.c, 1), b.v))],
    "nvi": lambda b: index(b, -1),
    "pvi": lambda b: index(b, 1),
    "force-index": lambda b: [ema(each(lambda d, v: d * v, change(b.c), b.v), 13)],
    "ease-of-movement": lambda b: [ease(b)],
    "klinger": klinger,
    "twiggs-money-flow": lambda b: [twiggs(b)],
    "volume": lambda b: [b.v, sma(b.v, 20)],
    "relative-volume": lambda b: [by(b.v, ago(sma(b.v, 20), 1))],
    "volume-oscillator": lambda b: [vo(b)],
    "volume-roc": lambda b: [each(lambda x, y: 100 * div(x - y, y), b.v, ago(b.v, 14))],
    "net-volume": lambda b: [each(lambda d, v: sign(d) * v, change(b.c), b.v)],
    "up-down-volume": up_down,
    "market-facilitation": lambda b: [by(minus(b.h, b.l), b.v)],
    "atr": lambda b: [rma(true_range(b), 14)],
    "natr": lambda b: [scaled(by(rma(true_range(b), 14), b.c), 100)],
    "true-range": lambda b: [true_range(b)],
    "average-range": lambda b: [sma(minus(b.h, b.l), 14)],
    "standard-deviation": lambda b: [pstdev(b.c, 20)],
    "historical-volatility": lambda b: [historical(b.c)],
    "parkinson": lambda b: [parkinson(b)],
    "chaikin-volatility": lambda b: [rate(ema(minus(b.h, b.l), 10), 10)],
    "ulcer-index": lambda b: [ulcer(b.c)],
    "volatility-ratio": lambda b: [by(true_range(b), ago(sma(true_range(b), 14), 1))],
    "mean-deviation": lambda b: [
        over(b.c, 20, lambda p: math.fsum(abs(v - math.fsum(p) / 20) for v in p) / 20)
    ],
}
