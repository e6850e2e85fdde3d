"""Measures that several studies are made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from openalgo_desktop.analytics.indicators.kit import words as w
from openalgo_desktop.analytics.indicators.kit.node import Node
from openalgo_desktop.analytics.indicators.kit.shelf import Inputs
from openalgo_desktop.analytics.indicators.kit.words import SAME


def rsi(x: Node, n: int) -> Node:
    """Wilder's relative strength, 0 to 100; unknown while nothing has moved."""
    moved = w.change(x)
    gain = w.rma(w.each(lambda v: np.maximum(v, 0.0), moved), n)
    loss = w.rma(w.each(lambda v: np.maximum(-v, 0.0), moved), n)
    return gain / (gain + loss) * 100


def stochastic(x: Node, high: Node, low: Node, n: int) -> Node:
    """Place of ``x`` between the lowest low and the highest high of n bars, 0 to 100; unknown where
    they are the same but for rounding."""
    return w.each(_place, x, w.highest(high, n), w.lowest(low, n)) * 100


def _place(x: Any, top: Any, foot: Any) -> Any:
    flat = top - foot <= SAME * np.maximum(np.abs(top), np.abs(foot))
    return np.where(flat, np.nan, (x - foot) / (top - foot))


def true_range(i: Inputs) -> Node:
    """Wilder's true range, rupees; unknown at the first bar, which has no close before it."""
    return w.each(_true_range, i.high, i.low, w.ago(i.close, 1))


def _true_range(high: Any, low: Any, before: Any) -> Any:
    return np.maximum(high, before) - np.minimum(low, before)


def atr(i: Inputs, n: int) -> Node:
    """Wilder's average of the true range, rupees."""
    return w.rma(true_range(i), n)


def volatility_index(x: Node, deviation: int, n: int) -> Node:
    """Dorsey's relative volatility index of one source: the RSI with standard deviations in place
    of changes, EMA of n bars, 0 to 100."""
    spread, moved = w.stdev(x, deviation), w.side(x, w.ago(x, 1))
    up = w.ema(w.each(lambda s, m: s * (m > 0), spread, moved), n)
    down = w.ema(w.each(lambda s, m: s * (m < 0), spread, moved), n)
    return up / (up + down) * 100
