"""Where the volume goes: with the rises or with the falls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from openalgo_desktop.analytics.indicators.kit import words as w
from openalgo_desktop.analytics.indicators.kit.node import Node
from openalgo_desktop.analytics.indicators.kit.outputs import histogram, line
from openalgo_desktop.analytics.indicators.kit.params import length, number, source
from openalgo_desktop.analytics.indicators.kit.recursive import Held
from openalgo_desktop.analytics.indicators.kit.shelf import Inputs, Shelf
from openalgo_desktop.core.charting.studies import Level

STUDIES = Shelf("Volume")
_NEEDS = ("volume",)


@STUDIES.study(
    "obv",
    "On balance volume",
    "OBV",
    (line("obv", "OBV", places=0), line("average", "Average", "study-2", places=0)),
    (length(20, label="Average length"), source()),
    needs=_NEEDS,
    source="Granville 1963: volume added on a rise, taken off on a fall; starts at 0",
)
def _obv(i: Inputs) -> Sequence[Node]:
    x = i.source()
    obv = w.cumulated(_signed(x) * i.volume)
    return obv, w.sma(obv, i.whole())


def _signed(x: Node) -> Node:
    """1 on a rise, -1 on a fall, 0 at the first bar."""
    return w.each(
        lambda s, v: np.where(np.isnan(s) & ~np.isnan(v), 0.0, s), w.side(x, w.ago(x, 1)), x
    )


def money_flow(i: Inputs) -> Node:
    """Place of the close in the bar, -1 to 1, times the volume; 0 for a bar without a range."""
    return w.each(_flow, i.high, i.low, i.close) * i.volume


def _flow(high: Any, low: Any, close: Any) -> Any:
    return np.where(high == low, 0 * close, ((close - low) - (high - close)) / (high - low))


@STUDIES.study(
    "ad-line",
    "Accumulation/distribution line",
    "A/D",
    (line("ad", "A/D", places=0),),
    needs=_NEEDS,
    source="Chaikin: running sum of the money flow volume; TA-Lib AD",
)
def _ad(i: Inputs) -> Node:
    return w.cumulated(money_flow(i))


@STUDIES.study(
    "chaikin-oscillator",
    "Chaikin oscillator",
    "CO",
    (line("oscillator", "Oscillator", places=0),),
    (length(3, "fast", "Fast length"), length(10, "slow", "Slow length")),
    levels=(Level(0),),
    needs=_NEEDS,
    source="Chaikin: EMA 3 - EMA 10 of the accumulation/distribution line, each with its own start",
)
def _chaikin(i: Inputs) -> Node:
    line_ = w.cumulated(money_flow(i))
    return w.ema(line_, i.whole("fast")) - w.ema(line_, i.whole("slow"))


@STUDIES.study(
    "cmf",
    "Chaikin money flow",
    "CMF",
    (line("cmf", "CMF", places=3),),
    (length(20),),
    levels=(Level(0),),
    low=-1,
    high=1,
    needs=_NEEDS,
    source="Chaikin: sum of the money flow volume by the sum of the volume",
)
def _cmf(i: Inputs) -> Node:
    return w.total(money_flow(i), i.whole()) / w.total(i.volume, i.whole())


@STUDIES.study(
    "mfi",
    "Money flow index",
    "MFI",
    (line("mfi", "MFI", places=2),),
    (length(14),),
    levels=(Level(80, "Overbought"), Level(20, "Oversold")),
    low=0,
    high=100,
    needs=_NEEDS,
    source="Quong and Soudack 1989: turnover of typical prices that rose by all of it; TA-Lib MFI",
)
def _mfi(i: Inputs) -> Node:
    x, n = i.column("hlc3"), i.whole()
    way, flow = w.side(x, w.ago(x, 1)), x * i.volume
    up = w.total(w.each(lambda f, s: f * np.where(np.isnan(s), s, s > 0), flow, way), n)
    down = w.total(w.each(lambda f, s: f * np.where(np.isnan(s), s, s < 0), flow, way), n)
    return up / (up + down) * 100


@STUDIES.study(
    "pvt",
    "Price volume trend",
    "PVT",
    (line("pvt", "PVT", places=0),),
    (source(),),
    needs=_NEEDS,
    source="running sum of the change in part of the price times the volume",
)
def _pvt(i: Inputs) -> Node:
    x = i.source()
    return w.cumulated(w.change(x) / w.ago(x, 1) * i.volume)


def _index(i: Inputs, more: bool) -> Node:
    """1000, moved by the change of the price on bars of more (less) volume than the one before."""
    x, volume = i.source(), i.volume
    grows = w.side(volume, w.ago(volume, 1)) * (1.0 if more else -1.0)
    factor = w.each(lambda s, c, b: np.where((s > 0) & (b != 0), np.log(c / b), 0.0 * (c - b) * s),
                    grows, x, w.ago(x, 1))  # fmt: skip
    return w.each(np.exp, w.cumulated(factor)) * 1000


@STUDIES.study(
    "nvi",
    "Negative volume index",
    "NVI",
    (line("nvi", "NVI", places=2), line("average", "Average", "study-2", places=2)),
    (length(255), source()),
    needs=_NEEDS,
    source="Dysart 1936: from 1000 by the changes of bars with less volume than the one before",
)
def _nvi(i: Inputs) -> Sequence[Node]:
    x = _index(i, more=False)
    return x, w.ema(x, i.whole())


@STUDIES.study(
    "pvi",
    "Positive volume index",
    "PVI",
    (line("pvi", "PVI", places=2), line("average", "Average", "study-2", places=2)),
    (length(255), source()),
    needs=_NEEDS,
    source="Dysart 1936: from 1000 by the changes of bars with more volume than the one before",
)
def _pvi(i: Inputs) -> Sequence[Node]:
    x = _index(i, more=True)
    return x, w.ema(x, i.whole())


@STUDIES.study(
    "force-index",
    "Force index",
    "Force",
    (line("force", "Force", places=0),),
    (length(13), source()),
    levels=(Level(0),),
    needs=_NEEDS,
    source="Elder 1993: EMA of the change times the volume",
)
def _force(i: Inputs) -> Node:
    return w.ema(w.change(i.source()) * i.volume, i.whole())


@STUDIES.study(
    "ease-of-movement",
    "Ease of movement",
    "EOM",
    (line("eom", "EOM", places=4),),
    (length(14), number("divisor", "Volume divisor", 1e8, 1, 1e12)),
    levels=(Level(0),),
    needs=_NEEDS,
    source="Arms: mean of the change of the middle by (volume / divisor / range)",
)
def _ease(i: Inputs) -> Node:
    box = i.volume / i.number("divisor") / (i.high - i.low)
    moved = w.change(i.column("hl2"))
    return w.sma(w.known_flat(moved / box, moved + i.volume), i.whole())


@STUDIES.study(
    "klinger",
    "Klinger volume oscillator",
    "KVO",
    (line("kvo", "KVO", places=0), line("signal", "Signal", "study-2", places=0)),
    (
        length(34, "fast", "Fast length"),
        length(55, "slow", "Slow length"),
        length(13, "signal", "Signal length"),
    ),
    levels=(Level(0),),
    needs=_NEEDS,
    source="Klinger 1997: EMA 34 - EMA 55 of the volume force, volume |2 (range / range of the "
    "trend) - 1| 100 with the sign of the trend of high + low + close",
)
def _klinger(i: Inputs) -> Sequence[Node]:
    reach = i.high - i.low
    price = i.column("hlc3")
    moved = w.side(price, w.ago(price, 1))
    way = Held(w.each(lambda s: np.where(s == 0, np.nan, s), moved))  # equal: as before
    turned = w.each(lambda a, b: (a != b).astype(float), way, w.ago(way, 1))
    # range since the trend turned, with that of the bar before it
    within = w.cumulated(reach, turned)
    before = Held(w.each(lambda t, r: np.where(t != 0, r, np.nan), turned, w.ago(reach, 1)))
    part = reach / (within + before)
    force = i.volume * abs(part * 2 - 1.0) * way * 100
    kvo = w.ema(force, i.whole("fast")) - w.ema(force, i.whole("slow"))
    return kvo, w.ema(kvo, i.whole("signal"))


@STUDIES.study(
    "twiggs-money-flow",
    "Twiggs money flow",
    "TMF",
    (histogram("tmf", "TMF"),),
    (length(21),),
    levels=(Level(0),),
    needs=_NEEDS,
    source="Twiggs: Chaikin money flow over true ranges, both smoothed by Wilder's average",
)
def _twiggs(i: Inputs) -> Node:
    before, n = w.ago(i.close, 1), i.whole()
    top, foot = w.larger(i.high, before), w.smaller(i.low, before)
    flow = w.each(_flow, top, foot, i.close) * i.volume
    return w.rma(flow, n) / w.rma(i.volume + before * 0, n)
