"""Trend."""

from __future__ import annotations

import math
from itertools import pairwise

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
    foot,
    minus,
    rate,
    rma,
    sign,
    sma,
    top,
    total,
    true_range,
)  # fmt: skip


def signalled(x: List, n: int = 9) -> list[List]:
    return [minus(x, ema(x, n)), x, ema(x, n)]


def macd(x: List, fast: int = 12, slow: int = 26) -> List:
    return minus(ema(x, fast), ema(x, slow))


def ppo(x: List, fast: int = 12, slow: int = 26) -> List:
    return each(lambda a, b: 100 * (a / b - 1), ema(x, fast), ema(x, slow))


def directional(b: Bars, n: int) -> list[List]:
    plus, less = [NAN], [NAN]
    for i in range(1, len(b.c)):
        up, down = b.h[i] - b.h[i - 1], b.l[i - 1] - b.l[i]
        plus.append(up if up > down and up > 0 else 0.0)
        less.append(down if down > up and down > 0 else 0.0)
    reach = rma(true_range(b), n)
    p, m = (scaled(by(rma(x, n), reach), 100) for x in (plus, less))
    return [p, m, each(lambda x, y: 100 * div(abs(x - y), x + y), p, m)]


def adx(b: Bars) -> list[List]:
    p, m, dx = directional(b, 14)
    return [rma(dx, 14), p, m]


def adxr(b: Bars) -> list[List]:
    x = adx(b)[0]
    return [each(lambda u, v: (u + v) / 2, x, ago(x, 13)), x]


def aroon(b: Bars, n: int = 14) -> list[List]:
    up, down = [NAN] * n, [NAN] * n
    for i in range(n, len(b.h)):
        highs, lows = b.h[i - n : i + 1], b.l[i - n : i + 1]
        up.append(100 * max(k for k, v in enumerate(highs) if v == max(highs)) / n)
        down.append(100 * max(k for k, v in enumerate(lows) if v == min(lows)) / n)
    return [up, down]


def vortex(b: Bars, n: int = 14) -> list[List]:
    reach = total(true_range(b), n)
    plus = each(lambda h, low: abs(h - low), b.h, ago(b.l, 1))
    less = each(lambda low, h: abs(low - h), b.l, ago(b.h, 1))
    return [by(total(plus, n), reach), by(total(less, n), reach)]


def trix(x: List) -> list[List]:
    line = rate(ema(ema(ema(x, 18), 18), 18), 1)
    return [line, ema(line, 9)]


def choppiness(b: Bars, n: int = 14) -> List:
    reach = minus(top(b.h, n), foot(b.l, n))
    return each(
        lambda t, r: 100 * math.log10(t / r) / math.log10(n), total(true_range(b), n), reach
    )


def impulse(b: Bars) -> List:
    average, bars = ema(b.c, 13), signalled(macd(b.c))[0]
    result = []
    for x, y in zip(change(average), change(bars), strict=True):
        known = not math.isnan(x + y)
        result.append(sign(x) if known and sign(x) == sign(y) else 0.0 if known else NAN)
    return result


def sar(b: Bars) -> list[List]:
    """Wilder's rules, told as he does: tomorrow's stop is known today."""
    h, low = b.h, b.l
    falls = low[0] - low[1]
    long = not (falls > 0 and falls > h[1] - h[0])
    stop, best, factor = (low[0], h[1], 0.02) if long else (h[0], low[1], 0.02)
    stops, ways = [NAN], [NAN]
    for i in range(1, len(h)):
        if i > 1:
            stop = stop + factor * (best - stop)
            two = (i - 1, i - 2) if i > 2 else (1,)
            stop = (
                min([stop, *(low[k] for k in two)]) if long else max([stop, *(h[k] for k in two)])
            )
        near = (i - 1, i) if i > 1 else (1,)
        if long and low[i] <= stop:
            long, stop, factor = False, max([best, *(h[k] for k in near)]), 0.02
            best = low[i]
        elif not long and h[i] >= stop:
            long, stop, factor = True, min([best, *(low[k] for k in near)]), 0.02
            best = h[i]
        elif (long and h[i] > best) or (not long and low[i] < best):
            best, factor = (h[i] if long else low[i]), min(0.2, factor + 0.02)
        stops.append(stop)
        ways.append(1.0 if long else -1.0)
    return [stops, ways]


def volatility_stop(b: Bars) -> list[List]:
    away = scaled(rma(true_range(b), 20), 2)
    up, down, way, best, stop = [], [], 0, NAN, NAN
    for c, a in zip(b.c, away, strict=True):
        if not math.isnan(a):
            if way == 0:
                way, best, stop = 1, c, c - a
            best = max(best, c) if way > 0 else min(best, c)
            stop = max(stop, best - a) if way > 0 else min(stop, best + a)
            if (way > 0 and c < stop) or (way < 0 and c > stop):
                way, best = -way, c
                stop = c - way * a
        up.append(stop if way > 0 else NAN)
        down.append(stop if way < 0 else NAN)
    return [up, down]


def middle(b: Bars, n: int) -> List:
    return each(lambda h, low: (h + low) / 2, top(b.h, n), foot(b.l, n))


def ichimoku(b: Bars) -> list[List]:
    a = each(lambda x, y: (x + y) / 2, middle(b, 9), middle(b, 26))
    return [middle(b, 9), middle(b, 26), a, middle(b, 52), b.c, a]


def gator(b: Bars) -> list[List]:
    jaw, teeth, lips = (ago(rma(b.hl2, n), s) for n, s in ((13, 8), (8, 5), (5, 3)))
    return [
        each(lambda x, y: abs(x - y), jaw, teeth),
        each(lambda x, y: -abs(x - y), teeth, lips),
    ]


def peaks(x: List, left: int, right: int) -> List:
    result = [NAN] * len(x)
    for i in range(left, len(x) - right):
        others = x[i - left : i] + x[i + 1 : i + right + 1]
        if all(x[i] > v for v in others):
            result[i + right] = x[i]
    return result


def negative(x: List) -> List:
    return [-v for v in x]


def fractals(b: Bars) -> list[List]:
    up, down = peaks(b.h, 2, 2), peaks(negative(b.l), 2, 2)
    return [[NAN * v if math.isnan(v) else m for v in x] for m, x in ((-1.0, up), (1.0, down))]


def rainbow(x: List) -> list[List]:
    chain = [sma(x, 2)]
    for _ in range(9):
        chain.append(sma(chain[-1], 2))
    reach = minus(top(x, 10), foot(x, 10))
    chain = [[NAN] * 10 + one[10:] for one in chain]  # until the last of them begins
    first = each(lambda v, r, *m: 100 * div(v - sum(m) / 10, r), x, reach, *chain)
    return [first, each(lambda r, *m: 100 * div(max(m) - min(m), r), reach, *chain)]


def zigzag(b: Bars, part: float = 0.01) -> list[List]:
    """All turns first, from the whole history; then the lines."""
    low = high = 0
    turns: list[tuple[int, float]] = []
    way = 0
    for i in range(len(b.h)):
        if way == 0:
            low = i if b.l[i] < b.l[low] else low
            high = i if b.h[i] > b.h[high] else high
            if b.h[high] >= b.l[low] * (1 + part) and low != high:
                way = 1 if low < high else -1
                ends = [(low, b.l[low]), (high, b.h[high])]
                turns = ends if way > 0 else ends[::-1]
        elif way > 0:
            if b.h[i] >= turns[-1][1]:
                turns[-1] = (i, b.h[i])
            elif b.l[i] <= turns[-1][1] * (1 - part):
                turns.append((i, b.l[i]))
                way = -1
        elif b.l[i] <= turns[-1][1]:
            turns[-1] = (i, b.l[i])
        elif b.h[i] >= turns[-1][1] * (1 + part):
            turns.append((i, b.h[i]))
            way = 1
    result = [NAN] * len(b.h)
    for (i, x), (j, y) in pairwise(turns):
        for k in range(i, j + 1):
            result[k] = x + (y - x) * (k - i) / (j - i)
    return [result]


def mass(b: Bars) -> List:
    once = ema(minus(b.h, b.l), 9)
    return total(by(once, ema(once, 9)), 25)


def vhf(x: List, n: int = 28) -> List:
    return by(minus(top(x, n), foot(x, n)), total([abs(v) for v in change(x)], n))


PLAIN = {
    "macd": lambda b: signalled(macd(b.c)),
    "ppo": lambda b: signalled(ppo(b.c)),
    "pvo": lambda b: signalled(ppo(b.v)),
    "apo": lambda b: [macd(b.c)],
    "adx": adx,
    "dmi": lambda b: directional(b, 14)[:2],
    "adxr": adxr,
    "aroon": aroon,
    "aroon-oscillator": lambda b: [minus(*aroon(b))],
    "vortex": vortex,
    "trix": lambda b: trix(b.c),
    "mass-index": lambda b: [mass(b)],
    "choppiness": lambda b: [choppiness(b)],
    "elder-impulse": lambda b: [impulse(b)],
    "vhf": lambda b: [vhf(b.c)],
    "sar": sar,
    "volatility-stop": volatility_stop,
    "ichimoku": ichimoku,
    "alligator": lambda b: [rma(b.hl2, n) for n in (13, 8, 5)],
    "gator": gator,
    "fractals": fractals,
    "pivot-points": lambda b: [peaks(b.h, 5, 5), negative(peaks(negative(b.l), 5, 5))],
    "rainbow": lambda b: rainbow(b.c),
    "zigzag": zigzag,
}
