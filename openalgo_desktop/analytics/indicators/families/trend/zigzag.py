"""ZigZag: the one study whose last leg changes afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from openalgo_desktop.analytics.indicators.kit.outputs import line
from openalgo_desktop.analytics.indicators.kit.params import number
from openalgo_desktop.analytics.indicators.kit.shelf import Givens, Shelf
from openalgo_desktop.core.charting.columns import Columns, Floats
from openalgo_desktop.core.charting.studies import Profile, Study, StudySpec, Value

STUDIES = Shelf("Trend")


class _Leg(NamedTuple):
    """Where the last two turns are: ``way`` is that of the leg between them, 0 for none yet."""

    way: int = 0
    turn: int = -1
    turn_price: float = np.nan
    end: int = -1
    end_price: float = np.nan


class ZigZag:
    """Turns that are at least ``part`` of the price apart, joined by lines.

    The leg to the latest extreme is redrawn whenever that moves; so a closed bar's value may
    change until the next turn is confirmed. A bar costs as much as the last leg is long.
    """

    def __init__(self, part: float) -> None:
        self._part = part
        self._closed = _Leg()
        self._size = 0
        self._kept: Floats = np.empty(0)

    @property
    def values(self) -> Sequence[Floats]:
        return (self._kept[: self._size],)

    @property
    def profiles(self) -> Sequence[Profile]:
        return ()

    def load(self, bars: Columns) -> None:
        self._size = bars.size
        self._kept = np.full(bars.size + max(64, bars.size // 4), np.nan)
        self._closed = leg = _Leg()
        high, low = bars.high.tolist(), bars.low.tolist()
        floor, ceiling = self._quiet(leg)
        for index in range(bars.size - 1):
            if floor < low[index] and high[index] < ceiling:
                continue  # as most bars are
            now = self._moved(leg, index, high[index], low[index])
            if now.turn != leg.turn:
                self._draw(leg)
            leg = now
            floor, ceiling = self._quiet(leg)
        self._closed = leg
        if bars.size:
            self._renew(bars)

    def last(self, bars: Columns) -> None:
        if bars.size != self._size or not self._size:
            self.load(bars)
        else:
            self._renew(bars)

    def append(self, bars: Columns) -> None:
        if bars.size != self._size + 1 or not self._size or bars.size > self._kept.size:
            self.load(bars)
            return
        index = self._size - 1
        now = self._renew(bars, index)
        self._closed, self._size = now, self._size + 1
        self._renew(bars)

    def _renew(self, bars: Columns, index: int | None = None) -> _Leg:
        index = self._size - 1 if index is None else index
        before = self._closed
        leg = self._moved(before, index, float(bars.high[index]), float(bars.low[index]))
        self._kept[max(min(before.turn, before.end), 0) : index + 1] = np.nan
        self._draw(before)
        self._draw(leg)
        return leg

    def _draw(self, leg: _Leg) -> None:
        """The line from the turn of ``leg`` to its end."""
        if leg.way:
            count = leg.end - leg.turn + 1
            self._kept[leg.turn : leg.end + 1] = np.linspace(leg.turn_price, leg.end_price, count)

    def _quiet(self, leg: _Leg) -> tuple[float, float]:
        """Between these a bar neither goes on nor turns."""
        if not leg.way:
            return np.inf, -np.inf
        turn = leg.end_price * (1 - leg.way * self._part)
        return (turn, leg.end_price) if leg.way > 0 else (leg.end_price, turn)

    def _moved(self, leg: _Leg, index: int, high: float, low: float) -> _Leg:
        if not low <= high:  # unknown
            return leg
        if not leg.way:
            return self._first(leg, index, high, low)
        if leg.way > 0:
            if high >= leg.end_price:
                return leg._replace(end=index, end_price=high)
            if low <= leg.end_price * (1 - self._part):
                return _Leg(-1, leg.end, leg.end_price, index, low)
        else:
            if low <= leg.end_price:
                return leg._replace(end=index, end_price=low)
            if high >= leg.end_price * (1 + self._part):
                return _Leg(1, leg.end, leg.end_price, index, high)
        return leg

    def _first(self, leg: _Leg, index: int, high: float, low: float) -> _Leg:
        """Until there is a way, ``turn`` is the lowest low and ``end`` the highest high."""
        if leg.turn < 0:
            return _Leg(0, index, low, index, high)
        if low < leg.turn_price:
            leg = leg._replace(turn=index, turn_price=low)
        if high > leg.end_price:
            leg = leg._replace(end=index, end_price=high)
        if leg.end_price >= leg.turn_price * (1 + self._part) and leg.turn != leg.end:
            if leg.turn < leg.end:
                return leg._replace(way=1)
            return _Leg(-1, leg.end, leg.end_price, leg.turn, leg.turn_price)
        return leg


def _make(params: Mapping[str, Value], given: Givens) -> Study:
    return ZigZag(float(params["percent"]) / 100)


STUDIES.add(
    StudySpec(
        "zigzag",
        "ZigZag",
        "ZigZag",
        STUDIES.family,
        (line("zigzag", "ZigZag"),),
        (number("percent", "Turn, percent", 1, 0.01, 90),),
        over=True,
        source="lines between turns of at least so many percent, of highs and lows",
        repaints="The leg to the latest extreme moves until the next turn is confirmed.",
    ),
    _make,
)
