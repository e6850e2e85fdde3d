"""Moving averages, bands and channels."""

from __future__ import annotations

import math

from tests.unit.analytics.indicators.plain.words import (
    NAN,
    Bars,
    List,
    ago,
    div,
    each,
    ema,
    end,
    foot,
    line,
    minus,
    over,
    pstdev,
    rma,
    sma,
    top,
    total,
    true_range,
    wma,
)  # fmt: skip


def dema(x: List, n: int) -> List:
    return each(lambda a, b: 2 * a - b, ema(x, n), ema(ema(x, n), n))


def tema(x: List, n: int) -> List:
    e1 = ema(x, n)
    e2 = ema(e1, n)
    return each(lambda a, b, c: 3 * a - 3 * b + c, e1, e2, ema(e2, n))


def trima(x: List, n: int) -> List:
    weights = [min(k + 1, n - k) for k in range(n)]
    return over(x, n, lambda p: sum(w * v for w, v in zip(weights, p, strict=True)) / sum(weights))


def hma(x: List, n: int) -> List:
    return wma(each(lambda a, b: 2 * a - b, wma(x, n // 2), wma(x, n)), round(math.sqrt(n)))


def vwma(b: Bars, n: int) -> List:
    turnover = each(lambda p, v: p * v, b.c, b.v)
    return [div(a, s) for a, s in zip(total(turnover, n), total(b.v, n), strict=True)]


def t3(x: List, n: int, v: float) -> List:
    e = [ema(x, n)]
    for _ in range(5):
        e.append(ema(e[-1], n))
    c1, c2 = -(v**3), 3 * v**2 + 3 * v**3
    c3, c4 = -6 * v**2 - 3 * v - 3 * v**3, 1 + 3 * v + v**3 + 3 * v**2
    return each(lambda a, b, c, d: c1 * a + c2 * b + c3 * c + c4 * d, e[5], e[4], e[3], e[2])


def alma(x: List, n: int, offset: float, sigma: float) -> List:
    w = [math.exp(-((k - offset * (n - 1)) ** 2) / (2 * (n / sigma) ** 2)) for k in range(n)]
    return over(x, n, lambda p: sum(a * v for a, v in zip(w, p, strict=True)) / sum(w))


def sine(x: List, n: int) -> List:
    w = [math.sin((k + 1) * math.pi / (n + 1)) for k in range(n)]
    return over(x, n, lambda p: sum(a * v for a, v in zip(w, p, strict=True)) / sum(w))


def kama(x: List, n: int, fast: int, slow: int) -> List:
    y = x[n - 1]
    result = [*[NAN] * (n - 1), y]
    for i in range(n, len(x)):
        gone = sum(abs(x[k] - x[k - 1]) for k in range(i - n + 1, i + 1))
        er = abs(x[i] - x[i - n]) / gone if gone else 0.0
        share = (er * (2 / (fast + 1) - 2 / (slow + 1)) + 2 / (slow + 1)) ** 2
        y += share * (x[i] - y)
        result.append(y)
    return result


def vidya(x: List, n: int, m: int) -> List:
    result, y = [NAN] * m, x[m]
    for i in range(m, len(x)):
        moves = [x[k] - x[k - 1] for k in range(i - m + 1, i + 1)]
        up, down = sum(v for v in moves if v > 0), -sum(v for v in moves if v < 0)
        k = abs(up - down) / (up + down) if up + down else 0.0
        share = 2 / (n + 1) * k
        y = share * x[i] + (1 - share) * y if i > m else x[i]
        result.append(y)
    return result


def frama(b: Bars, n: int) -> List:
    x, result, y, half = b.hl2, [NAN] * (n - 1), NAN, n // 2
    for i in range(n - 1, len(x)):

        def span(first: int, last: int) -> float:
            return (max(b.h[first:last]) - min(b.l[first:last])) / (last - first)

        n1, n2 = span(i + 1 - n, i + 1 - half), span(i + 1 - half, i + 1)
        d = (math.log(n1 + n2) - math.log(span(i + 1 - n, i + 1))) / math.log(2)
        share = min(1.0, max(0.01, math.exp(-4.6 * (d - 1))))
        y = x[i] if math.isnan(y) else share * x[i] + (1 - share) * y
        result.append(y)
    return result


def mcginley(x: List, n: int) -> List:
    result = [x[0]]
    for v in x[1:]:
        y = result[-1]
        result.append(y + (v - y) / (n * (v / y) ** 4))
    return result


def mama(x: List, fast: float, slow: float) -> list[List]:
    """Ehlers 2001, with his filters; the first bars as TA-Lib smooths them."""
    size = len(x)
    smooth, detrend, q1, i1, ji, jq = ([0.0] * size for _ in range(6))
    i2 = q2 = i2_before = re = im = period = phase = fam = mam = 0.0
    out: list[List] = [[NAN] * size, [NAN] * size]

    def hilbert(s: List, i: int, period: float) -> float:
        at = [s[i - k] if i >= k else 0.0 for k in (0, 2, 4, 6)]
        whole = 0.0962 * at[0] + 0.5769 * at[1] - 0.5769 * at[2] - 0.0962 * at[3]
        return whole * (0.075 * period + 0.54)

    for i in range(size):
        if i < 12:
            continue
        smooth[i] = (4 * x[i] + 3 * x[i - 1] + 2 * x[i - 2] + x[i - 3]) / 10
        detrend[i] = hilbert(smooth, i, period)
        q1[i] = hilbert(detrend, i, period)
        i1[i] = detrend[i - 3]
        ji[i], jq[i] = hilbert(i1, i, period), hilbert(q1, i, period)
        i2 = 0.2 * (i1[i] - jq[i]) + 0.8 * i2
        q2_new = 0.2 * (q1[i] + ji[i]) + 0.8 * q2
        new_re = 0.2 * (i2 * i2_before + q2_new * q2) + 0.8 * re if i > 12 else 0.0
        new_im = 0.2 * (i2 * q2 - q2_new * i2_before) + 0.8 * im if i > 12 else 0.0
        re, im, q2, i2_before = new_re, new_im, q2_new, i2
        before = period
        if re and im:
            period = 2 * math.pi / math.atan(im / re)
        period = min(max(period, 0.67 * before), 1.5 * before)
        period = 0.2 * min(50.0, max(6.0, period)) + 0.8 * before
        now = math.degrees(math.atan(q1[i] / i1[i])) if i1[i] else 0.0
        delta, phase = max(1.0, phase - now), now
        share = max(slow, min(fast, fast / delta))
        mam = share * x[i] + (1 - share) * mam
        fam = 0.5 * share * mam + (1 - 0.5 * share) * fam
        if i >= 32:
            out[0][i], out[1][i] = mam, fam
    return out


def about(middle: List, away: List) -> list[List]:
    upper = each(lambda m, a: m + a, middle, away)
    return [upper, middle, minus(middle, away), upper]


def scaled(x: List, factor: float) -> List:
    return [factor * v for v in x]


def bollinger(b: Bars, n: int = 20, k: float = 2) -> list[List]:
    return about(sma(b.c, n), scaled(pstdev(b.c, n), k))


def errors(x: List, n: int) -> List:
    """Standard error of the line, from the residuals themselves."""
    result = []
    for i, (a, s) in enumerate(line(x, n)):
        part = x[max(0, i - n + 1) : i + 1]
        square = math.fsum((v - a - s * k) ** 2 for k, v in enumerate(part))
        result.append(math.sqrt(square / (n - 2)) if not math.isnan(a) else NAN)
    return result


def squeeze(b: Bars) -> list[List]:
    n = 20
    inside = each(
        lambda s, t: NAN if math.isnan(s + t) else float(2 * s < 1.5 * t),
        pstdev(b.c, n),
        sma(true_range(b), n),
    )
    x = each(
        lambda c, h, low, m: c - ((h + low) / 2 + m) / 2,
        b.c,
        top(b.h, n),
        foot(b.l, n),
        sma(b.c, n),
    )
    return [end(x, n), inside, [0.0 if v == 1 else NAN for v in inside]]


def crossed(a: List, b: List) -> List:
    result = [NAN]
    for i in range(1, len(a)):
        now, before = a[i] - b[i], a[i - 1] - b[i - 1]
        up, down = now > 0 >= before, now < 0 <= before
        result.append(1.0 if up else -1.0 if down else NAN)
    return result


def acceleration(b: Bars, n: int = 20, k: float = 4) -> list[List]:
    part = each(lambda h, low: k * (h - low) / (h + low), b.h, b.l)
    upper = sma(each(lambda h, p: h * (1 + p), b.h, part), n)
    return [upper, sma(b.c, n), sma(each(lambda v, p: v * (1 - p), b.l, part), n), upper]


def donchian(b: Bars, back: int) -> list[List]:
    upper, lower = ago(top(b.h, 20), back), ago(foot(b.l, 20), back)
    return [upper, each(lambda h, low: (h + low) / 2, upper, lower), lower, upper]


def chande_kroll(b: Bars) -> list[List]:
    atr = rma(true_range(b), 10)
    short = top(minus(top(b.h, 10), atr), 9)
    return [foot(each(lambda v, a: v + a, foot(b.l, 10), atr), 9), short]


def chandelier(b: Bars) -> list[List]:
    away = scaled(rma(true_range(b), 22), 3)
    return [minus(top(b.h, 22), away), each(lambda v, a: v + a, foot(b.l, 22), away)]


def error_bands(b: Bars) -> list[List]:
    return about(sma(end(b.c, 21), 3), scaled(sma(errors(b.c, 21), 3), 2))


def regression_channel(b: Bars, n: int = 100) -> list[List]:
    return about(end(b.c, n), scaled(errors(b.c, n), 2 * math.sqrt((n - 2) / n)))


def envelope(b: Bars) -> list[List]:
    m = sma(b.c, 20)
    return [scaled(m, 1.025), m, scaled(m, 0.975), scaled(m, 1.025)]


PLAIN = {
    "sma": lambda b: [sma(b.c, 20)],
    "ema": lambda b: [ema(b.c, 20)],
    "wma": lambda b: [wma(b.c, 20)],
    "rma": lambda b: [rma(b.c, 14)],
    "dema": lambda b: [dema(b.c, 20)],
    "tema": lambda b: [tema(b.c, 20)],
    "trima": lambda b: [trima(b.c, 20)],
    "hma": lambda b: [hma(b.c, 20)],
    "zlema": lambda b: [ema(each(lambda x, y: 2 * x - y, b.c, ago(b.c, 9)), 20)],
    "vwma": lambda b: [vwma(b, 20)],
    "t3": lambda b: [t3(b.c, 5, 0.7)],
    "lsma": lambda b: [end(b.c, 25)],
    "alma": lambda b: [alma(b.c, 9, 0.85, 6)],
    "swma": lambda b: [sine(b.c, 14)],
    "kama": lambda b: [kama(b.c, 10, 2, 30)],
    "vidya": lambda b: [vidya(b.c, 14, 9)],
    "frama": lambda b: [frama(b, 16)],
    "mcginley": lambda b: [mcginley(b.c, 14)],
    "mama": lambda b: mama(b.hl2, 0.5, 0.05),
    "ma-ribbon": lambda b: [ema(b.c, 20 + 5 * k) for k in range(8)],
    "gmma": lambda b: [ema(b.c, n) for n in (3, 5, 8, 10, 12, 15, 30, 35, 40, 45, 50, 60)],
    "ma-cross": lambda b: [sma(b.c, 9), sma(b.c, 21), crossed(sma(b.c, 9), sma(b.c, 21))],
    "ma-envelope": envelope,
    "ma-channel": lambda b: [sma(b.h, 20), sma(b.c, 20), sma(b.l, 20), sma(b.h, 20)],
    "bollinger": bollinger,
    "bollinger-b": lambda b: [
        each(lambda c, u, low: (c - low) / (u - low), b.c, *bollinger(b)[::2][:2])
    ],
    "bollinger-width": lambda b: [each(lambda u, m, low: (u - low) / m, *bollinger(b)[:3])],
    "keltner": lambda b: about(ema(b.c, 20), scaled(rma(true_range(b), 10), 2)),
    "starc": lambda b: about(sma(b.c, 6), scaled(rma(true_range(b), 15), 2)),
    "atr-bands": lambda b: about(b.c, scaled(rma(true_range(b), 14), 3)),
    "donchian": lambda b: donchian(b, 0),
    "price-channel": lambda b: donchian(b, 1),
    "standard-error-bands": error_bands,
    "linreg-channel": regression_channel,
    "acceleration-bands": acceleration,
    "chandelier": chandelier,
    "chande-kroll": chande_kroll,
    "ttm-squeeze": squeeze,
}
