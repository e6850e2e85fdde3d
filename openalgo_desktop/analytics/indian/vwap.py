"""The volume weighted average price from the start of a session, week or month, or an anchor.

VWAP = sum(p v) / sum(v); bands lie at multiples of the volume weighted deviation,
sqrt(sum(v p p) / sum(v) - VWAP^2).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from openalgo_desktop.analytics.indian.kept import NAN, Kept, empty
from openalgo_desktop.analytics.indian.periods import Period, period_numbers, runs_of
from openalgo_desktop.core.charting.columns import Columns, Floats, Ints

#: VWAP, upper and lower band of 1, 2, 3 deviations, distance of the close in per cent.
OUTPUTS = 8


class Price(NamedTuple):
    """Where the price of a bar comes from: of all bars, and of the one at a place."""

    all: Callable[[Columns], Floats]
    at: Callable[[Columns, int], float]

    @classmethod
    def of(cls, all_of: Callable[[Columns], Floats]) -> Price:
        """From columns of the bars: one bar costs one bar."""
        return cls(all_of, lambda bars, place: float(all_of(bars.cut(place, place + 1))[0]))

    @classmethod
    def given(cls, give: Callable[[Columns], Floats]) -> Price:
        """From another study, whose array is there for all bars."""
        return cls(give, lambda bars, place: float(give(bars)[place]))


class Vwap(Kept):
    """``numbers`` gives the stretch of
    each bar (below 0: none, nothing is known there). ``multiples`` of the three pairs of bands."""

    def __init__(
        self,
        price: Price,
        numbers: Callable[[Ints], Ints],
        multiples: Sequence[float] = (1.0, 2.0, 3.0),
    ) -> None:
        super().__init__(OUTPUTS)
        self._price = price
        self._numbers = numbers
        self._multiples = tuple(multiples)
        self._number = -1
        # Sums before the last bar. Prices count from ``_zero``, the first of the stretch: squares
        # of differences lose no digits.
        self._zero = self._volume = self._money = self._squares = 0.0

    def _all(self, bars: Columns) -> Sequence[Floats]:
        found = empty(OUTPUTS, bars.size)
        numbers, price = self._numbers(bars.time), self._price.all(bars)
        self._number = -1
        for first, end in runs_of(numbers):
            if numbers[first] >= 0:
                self._stretch(int(numbers[first]), price[first:end], bars.cut(first, end))
                volume, money, squares = self._sums
                rows = self._lines(self._zero, volume, money, squares, bars.close[first:end])
                for column, values in zip(found, rows, strict=True):
                    column[first:end] = values
        return found

    def _stretch(self, number: int, price: Floats, bars: Columns) -> None:
        """Running sums of one stretch; the state becomes that before its last bar."""
        self._number, self._zero = number, float(price[0])
        away = price - self._zero
        self._sums = tuple(
            np.cumsum(part) for part in (bars.volume, bars.volume * away, bars.volume * away * away)
        )
        before = [float(part[-2]) if len(part) > 1 else 0.0 for part in self._sums]
        self._volume, self._money, self._squares = before

    def _lines(
        self, zero: float, volume: Floats, money: Floats, squares: Floats, close: Floats
    ) -> list[Floats]:
        known = np.where(volume > 0, volume, NAN)
        mean = money / known
        spread = np.sqrt(np.maximum(squares / known - mean * mean, 0.0))
        average = zero + mean
        bands = [average + sign * n * spread for n in self._multiples for sign in (1.0, -1.0)]
        return [average, *bands, 100.0 * (close / average - 1.0)]

    def _row(self, bars: Columns, place: int) -> Sequence[float]:
        number, price, volume = self._bar(bars, place)
        if number < 0:
            return [NAN] * OUTPUTS
        zero, sums = self._with(number, price, volume)
        total, money, squares = sums
        if not total > 0:
            return [NAN] * OUTPUTS
        mean = money / total
        spread = math.sqrt(max(squares / total - mean * mean, 0.0))
        average = zero + mean
        bands = [average + sign * n * spread for n in self._multiples for sign in (1.0, -1.0)]
        return [average, *bands, 100.0 * (float(bars.close[place]) / average - 1.0)]

    def _bar(self, bars: Columns, place: int) -> tuple[int, float, float]:
        one = bars.cut(place, place + 1)
        return int(self._numbers(one.time)[0]), self._price.at(bars, place), float(one.volume[0])

    def _with(
        self, number: int, price: float, volume: float
    ) -> tuple[float, tuple[float, float, float]]:
        """The sums with one more bar."""
        if number != self._number:
            return price, (volume, 0.0, 0.0)
        away = price - self._zero
        part = volume * away
        sums = (self._volume + volume, self._money + part, self._squares + part * away)
        return self._zero, sums

    def _close(self, bars: Columns, place: int) -> None:
        number, price, volume = self._bar(bars, place)
        if number < 0:
            return
        self._zero, sums = self._with(number, price, volume)
        self._number = number
        self._volume, self._money, self._squares = sums


def of_period(period: Period) -> Callable[[Ints], Ints]:
    """Stretches that are days, weeks or months."""
    return lambda time: period_numbers(time, period)


def since(anchor: int) -> Callable[[Ints], Ints]:
    """One stretch, from the bar that begins at ``anchor`` or after; epoch seconds."""

    def numbers(time: Ints) -> Ints:
        return np.where(time >= anchor, 0, -1).astype(np.int64)

    return numbers
