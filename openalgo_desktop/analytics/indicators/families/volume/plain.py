"""The volume itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from openalgo_desktop.analytics.indicators.kit import words as w
from openalgo_desktop.analytics.indicators.kit.node import Node
from openalgo_desktop.analytics.indicators.kit.outputs import histogram, line
from openalgo_desktop.analytics.indicators.kit.params import choice, length, source
from openalgo_desktop.analytics.indicators.kit.shelf import Inputs, Shelf
from openalgo_desktop.core.charting.studies import Draw, Level, Output

STUDIES = Shelf("Volume")
_NEEDS = ("volume",)


@STUDIES.study(
    "volume",
    "Volume",
    "Vol",
    (
        Output("volume", "Volume", Draw.COLUMNS, "muted", places=0),
        line("average", "Average", "study-2", places=0),
    ),
    (length(20), choice("kind", "Average", "SMA", w.AVERAGES)),
    low=0,
    needs=_NEEDS,
    source="volume of the bar, and its average",
)
def _volume(i: Inputs) -> Sequence[Node]:
    return i.volume, w.average(i.text("kind"), i.volume, i.whole())


@STUDIES.study(
    "relative-volume",
    "Relative volume",
    "RVOL",
    (Output("relative", "Relative volume", Draw.COLUMNS, places=2),),
    (length(20),),
    levels=(Level(1),),
    low=0,
    needs=_NEEDS,
    source="volume by its mean of the n bars before",
)
def _relative(i: Inputs) -> Node:
    return i.volume / w.ago(w.sma(i.volume, i.whole()), 1)


@STUDIES.study(
    "volume-oscillator",
    "Volume oscillator",
    "VO",
    (line("oscillator", "Oscillator %", places=2),),
    (length(5, "fast", "Fast length"), length(10, "slow", "Slow length")),
    levels=(Level(0),),
    needs=_NEEDS,
    source="fast EMA less slow EMA of the volume in percent of the slow one",
)
def _oscillator(i: Inputs) -> Node:
    slow = w.ema(i.volume, i.whole("slow"))
    return (w.ema(i.volume, i.whole("fast")) - slow) / slow * 100


@STUDIES.study(
    "volume-roc",
    "Volume rate of change",
    "VROC",
    (line("vroc", "VROC %", places=2),),
    (length(14),),
    levels=(Level(0),),
    needs=_NEEDS,
    source="change of the volume over n bars in percent",
)
def _roc(i: Inputs) -> Node:
    return w.change(i.volume, i.whole()) / w.ago(i.volume, i.whole()) * 100


@STUDIES.study(
    "net-volume",
    "Net volume",
    "Net vol",
    (histogram("net", "Net volume"),),
    (source(),),
    levels=(Level(0),),
    needs=_NEEDS,
    source="volume with the sign of the change",
)
def _net(i: Inputs) -> Node:
    x = i.source()
    return i.volume * w.side(x, w.ago(x, 1))


@STUDIES.study(
    "up-down-volume",
    "Up and down volume",
    "U/D vol",
    (
        Output("up", "Up", Draw.HISTOGRAM, "up", places=0),
        Output("down", "Down", Draw.HISTOGRAM, "down", falling="down", places=0),
        line("delta", "Delta", "study-2", places=0),
    ),
    (length(14),),
    levels=(Level(0),),
    needs=_NEEDS,
    source="volume parted by the place of the close in the bar, and the sum of the difference over "
    "n bars; an estimate, trades are not seen",
)
def _up_down(i: Inputs) -> Sequence[Node]:
    reach = i.high - i.low
    part = w.each(lambda r, c, low: np.where(r == 0, 0.5 + 0 * c, (c - low) / r),
                  reach, i.close, i.low)  # fmt: skip
    up, down = i.volume * part, i.volume * (part - 1.0)
    return up, down, w.total(up + down, i.whole())


@STUDIES.study(
    "market-facilitation",
    "Market facilitation index",
    "MFI BW",
    (Output("index", "Range by volume", Draw.COLUMNS, places=6),),
    low=0,
    needs=_NEEDS,
    source="Williams 1995: high - low by volume",
)
def _facilitation(i: Inputs) -> Node:
    return (i.high - i.low) / i.volume
