"""Momentum."""

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
    end,
    foot,
    minus,
    over,
    pstdev,
    rate,
    rma,
    rsi,
    sign,
    sma,
    smoothed,
    stochastic,
    top,
    total,
    true_range,
    wma,
)  # fmt: skip


def oscillator(x: List, smooth: int, signal: int) -> list[List]:
    k = sma(x, smooth)
    return [k, sma(k, signal)]


def cci(b: Bars, n: int) -> List:
    def one(p: List) -> float:
        m = math.fsum(p) / n
        return div(p[-1] - m, 0.015 * math.fsum(abs(v - m) for v in p) / n)

    return over(b.hlc3, n, one)


def cmo(x: List, n: int) -> List:
    def one(p: List) -> float:
        up, down = math.fsum(v for v in p if v > 0), -math.fsum(v for v in p if v < 0)
        return 100 * div(up - down, up + down)

    return over(change(x), n, one)


def ultimate(b: Bars) -> List:
    before = ago(b.c, 1)
    pressure = each(
        lambda c, low, p: c - min(low, p) if not math.isnan(p) else NAN, b.c, b.l, before
    )
    seven, fourteen, more = (by(total(pressure, n), total(true_range(b), n)) for n in (7, 14, 28))
    return each(lambda x, y, z: 100 * (4 * x + 2 * y + z) / 7, seven, fourteen, more)


def connors(x: List) -> List:
    streaks, run = [NAN], 0
    for i in range(1, len(x)):
        way = int(sign(x[i] - x[i - 1]))
        run = 0 if way == 0 else run + way if run * way > 0 else way
        streaks.append(float(run))
    percent = rate(x, 1)
    rank = over(percent, 101, lambda p: float(sum(v <= p[-1] for v in p[:-1])))
    return each(lambda a, b, c: (a + b + c) / 3, rsi(x, 3), rsi(streaks, 2), rank)


def tsi(x: List) -> list[List]:
    moved = change(x)
    sizes = [abs(v) for v in moved]
    line = scaled(by(ema(ema(moved, 25), 13), ema(ema(sizes, 25), 13)), 100)
    return [line, ema(line, 13)]


def smi(b: Bars) -> list[List]:
    high, low = top(b.h, 10), foot(b.l, 10)
    away = each(lambda c, h, v: c - (h + v) / 2, b.c, high, low)
    a, r = (ema(ema(x, 3), 3) for x in (away, minus(high, low)))
    line = each(lambda x, y: 200 * div(x, y), a, r)
    return [line, ema(line, 10)]


def vigor(b: Bars) -> list[List]:
    def four(x: List) -> List:
        return over(x, 4, lambda p: (p[0] + 2 * p[1] + 2 * p[2] + p[3]) / 6)

    line = by(total(four(minus(b.c, b.o)), 10), total(four(minus(b.h, b.l)), 10))
    return [line, four(line)]


def kst(x: List) -> list[List]:
    parts = [sma(rate(x, r), s) for r, s in ((10, 10), (15, 10), (20, 10), (30, 15))]
    line = each(lambda a, b, c, d: a + 2 * b + 3 * c + 4 * d, *parts)
    return [line, sma(line, 9)]


def fisher(x: List, n: int) -> list[List]:
    result, v, y = [], 0.0, 0.0
    high, low = top(x, n), foot(x, n)
    for p, h, lo in zip(x, high, low, strict=True):
        if math.isnan(h) or h == lo:
            result.append(NAN)
            continue
        v = 0.33 * 2 * ((p - lo) / (h - lo) - 0.5) + 0.67 * v
        v = max(-0.999, min(0.999, v))
        y = 0.5 * math.log((1 + v) / (1 - v)) + 0.5 * y
        result.append(y)
    return [result, ago(result, 1)]


def volatility_index(x: List, n: int = 10, smooth: int = 14) -> List:
    spread, moved = pstdev(x, n), change(x)
    up = ema(each(lambda s, m: s if m > 0 else s * 0, spread, moved), smooth)
    down = ema(each(lambda s, m: s if m < 0 else s * 0, spread, moved), smooth)
    return each(lambda u, d: 100 * div(u, u + d), up, down)


def qqe(x: List) -> list[List]:
    smooth = ema(rsi(x, 14), 5)
    width = scaled(rma(rma([abs(v) for v in change(smooth)], 14), 14), 4.236)
    result, stop = [], NAN
    for i, (r, w) in enumerate(zip(smooth, width, strict=True)):
        if math.isnan(w):
            result.append(NAN)
            continue
        before = smooth[i - 1]
        if math.isnan(stop):
            stop = r - w
        elif r > stop:
            stop = max(stop, r - w) if before > stop else r - w
        else:
            stop = min(stop, r + w) if before < stop else r + w
        result.append(stop)
    return [smooth, result]


def laguerre(x: List, g: float) -> List:
    a = b = c = d = x[0]
    result = [NAN]
    for v in x[1:]:
        a_, b_, c_ = a, b, c
        a = (1 - g) * v + g * a
        b = -g * a + a_ + g * b
        c = -g * b + b_ + g * c
        d = -g * c + c_ + g * d
        up = max(a - b, 0) + max(b - c, 0) + max(c - d, 0)
        down = max(b - a, 0) + max(c - b, 0) + max(d - c, 0)
        result.append(div(up, up + down))
    return result


def kdj(b: Bars) -> list[List]:
    k = rma(stochastic(b.c, b.h, b.l, 9), 3)
    d = rma(k, 3)
    return [k, d, each(lambda x, y: 3 * x - 2 * y, k, d)]


def wave(x: List) -> list[List]:
    away = minus(x, ema(x, 10))
    size = ema([abs(v) for v in away], 10)
    line = ema(each(lambda a, s: div(a, 0.015 * s), away, size), 21)
    return [line, sma(line, 4), minus(line, sma(line, 4))]


def schaff(x: List) -> List:
    y = minus(ema(x, 23), ema(x, 50))
    for _ in range(2):
        place = stochastic(y, y, y, 10)
        smooth, now = [], NAN
        for v in place:
            if not math.isnan(v):
                now = v if math.isnan(now) else now + 0.5 * (v - now)
            smooth.append(now)
        y = smooth
    return y


def pmo(x: List) -> list[List]:
    line = smoothed(scaled(smoothed(rate(x, 1), 35, 2 / 35), 10), 20, 2 / 20)
    return [line, ema(line, 10)]


def efficiency(x: List, n: int) -> List:
    moves = total([abs(v) for v in change(x)], n)
    return each(lambda a, g: div(abs(a), g), change(x, n), moves)


def awesome(b: Bars) -> List:
    return minus(sma(b.hl2, 5), sma(b.hl2, 34))


PLAIN = {
    "rsi": lambda b: [rsi(b.c, 14)],
    "stochastic": lambda b: oscillator(stochastic(b.c, b.h, b.l, 14), 3, 3),
    "stochastic-fast": lambda b: oscillator(stochastic(b.c, b.h, b.l, 14), 1, 3),
    "stochastic-rsi": lambda b: oscillator(stochastic(*[rsi(b.c, 14)] * 3, 14), 3, 3),
    "stochastic-source": lambda b: oscillator(stochastic(b.c, b.c, b.c, 14), 3, 3),
    "williams-r": lambda b: [
        each(lambda c, h, low: -100 * div(h - c, h - low), b.c, top(b.h, 14), foot(b.l, 14))
    ],
    "cci": lambda b: [cci(b, 20)],
    "cmo": lambda b: [cmo(b.c, 9)],
    "ultimate": lambda b: [ultimate(b)],
    "connors-rsi": lambda b: [connors(b.c)],
    "roc": lambda b: [rate(b.c, 9)],
    "momentum": lambda b: [change(b.c, 10)],
    "awesome": lambda b: [awesome(b)],
    "accelerator": lambda b: [minus(awesome(b), sma(awesome(b), 5))],
    "tsi": lambda b: tsi(b.c),
    "smi": smi,
    "vigor": vigor,
    "bop": lambda b: [
        sma(each(lambda o, h, low, c: (c - o) / (h - low) if h > low else 0.0, b.o, b.h, b.l, b.c),
            14)
    ],
    "coppock": lambda b: [wma(each(lambda p, q: p + q, rate(b.c, 14), rate(b.c, 11)), 10)],
    "kst": lambda b: kst(b.c),
    "dpo": lambda b: [minus(ago(b.c, 11), sma(b.c, 21))],
    "qstick": lambda b: [sma(minus(b.c, b.o), 8)],
    "elder-ray": lambda b: [minus(b.h, ema(b.c, 13)), minus(b.l, ema(b.c, 13))],
    "psychological": lambda b: [
        over(change(b.c), 12, lambda p: 100 * sum(v > 0 for v in p) / 12)
    ],
    "efficiency": lambda b: [efficiency(b.c, 10)],
    "pmo": lambda b: pmo(b.c),
    "fisher": lambda b: fisher(b.hl2, 9),
    "qqe": lambda b: qqe(b.c),
    "inertia": lambda b: [end(volatility_index(b.c), 20)],
    "laguerre-rsi": lambda b: [laguerre(b.c, 0.7)],
    "kdj": kdj,
    "wavetrend": lambda b: wave(b.hlc3),
    "schaff": lambda b: [schaff(b.c)],
    "relative-volatility": lambda b: [
        each(lambda p, q: (p + q) / 2, volatility_index(b.h), volatility_index(b.l))
    ],
}  # fmt: skip
