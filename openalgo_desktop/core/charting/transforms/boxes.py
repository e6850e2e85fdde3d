"""How large a box, a brick or a reversal is: a number of rupees, per cent, or the ATR."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.studies import Param, ParamKind, Value

#: Part of a box that is the error of a float.
_WHOLE = 1e-7
FIXED, PERCENT, ATR = "fixed", "percent", "atr"


def params(what: str, percent: float = 1.0) -> tuple[Param, ...]:
    """The parameters that ask for a size; ``what`` is its name ("Box")."""
    return (
        Param(
            "size",
            f"{what} by",
            ATR,
            ParamKind.CHOICE,
            choices=(ATR, FIXED, PERCENT),
            help="ATR and per cent are measured once, when the bars are loaded: the size stays.",
        ),
        Param("length", "ATR length", 14, ParamKind.INT, 1, 500),
        Param("fixed", f"{what}, rupees", 10.0, ParamKind.FLOAT, 0.0001, 1e7),
        Param("percent", f"{what}, %", percent, ParamKind.FLOAT, 0.01, 50),
    )


def measured(values: Mapping[str, Value], bars: Columns, tick: float) -> float:
    """The size in rupees, whole ticks and at least one. Of ATR and per cent it is that of the
    last bar but one, which is closed; where that is nothing one tick, and 0 without a tick."""
    settled = bars.cut(0, max(1, bars.size - 1))
    wanted = float(values["fixed"])
    if values["size"] == PERCENT:
        price = abs(float(settled.close[-1])) if settled.size else 0.0  # a spread may be below 0
        wanted = price * float(values["percent"]) / 100
    elif values["size"] == ATR:
        wanted = average_true_range(settled, int(values["length"]))
    if not math.isfinite(wanted) or wanted <= 0:
        wanted = tick
    return max(tick, round(wanted / tick) * tick) if tick > 0 else wanted


def path(bars: Columns) -> float:
    """How far the price went at least, rupees: from close to close, up and down."""
    return float(np.nansum(np.abs(np.diff(bars.close))))


def average_true_range(bars: Columns, length: int) -> float:
    """Wilder's average true range of the last bar, rupees (New Concepts in Technical Trading
    Systems, 1978), from the last 20 lengths, beyond which nothing is left of a value; with fewer
    bars than ``length`` their plain mean. NaN of no bars."""
    if not bars.size:
        return math.nan
    part = bars.cut(max(0, bars.size - 20 * length - 1))
    before = np.concatenate([[part.close[0]], part.close[:-1]])
    true = np.maximum(part.high, before) - np.minimum(part.low, before)
    found = float(np.mean(true[:length]))
    for value in true[length:].tolist():
        found += (value - found) / length
    return found


def boxes_below(price: float, box: float) -> int:
    """Whole boxes at or below the price; what is whole but for the error of a float is whole."""
    boxes = price / box
    near = round(boxes)
    return near if abs(boxes - near) < _WHOLE else math.floor(boxes)


def boxes_above(price: float, box: float) -> int:
    """Whole boxes at or above the price."""
    return -boxes_below(-price, box)
