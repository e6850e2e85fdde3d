"""Market profile (TPO): which prices were traded in which half hours of a session.

Each stretch of 30 minutes from the opening has a letter; a row has the letters of the stretches
whose range touches it. Initial balance: the range of the first two. A single print is a row with
one letter between rows that have more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from openalgo_desktop.analytics.indian.kept import NAN, Kept, empty
from openalgo_desktop.analytics.indian.periods import Period, check_fits, runs_of
from openalgo_desktop.analytics.indian.value_area import row_height, value_area
from openalgo_desktop.core.charting.columns import Columns, Floats
from openalgo_desktop.core.charting.sessions import day_numbers
from openalgo_desktop.core.charting.studies import Profile
from openalgo_desktop.core.charting.surroundings import Surroundings
from openalgo_desktop.core.errors import DataError

Flags: TypeAlias = npt.NDArray[np.bool_]

LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BALANCE: Final = 2  # stretches of the initial balance


class TpoWish(NamedTuple):
    """Minutes of a letter, rows at most, height of a row in rupees (0: chosen), part of the value
    area, and how many of the last sessions are drawn."""

    minutes: int
    rows: int
    height: float
    share: float
    shown: int


class Ranges:
    """Low and high of each stretch of one session, by its number."""

    def __init__(self) -> None:
        self.of: dict[int, tuple[float, float]] = {}

    def add(self, stretch: int, low: float, high: float) -> None:
        """A bar of a stretch."""
        if math.isnan(low + high):
            return
        known = self.of.get(stretch)
        self.of[stretch] = (
            (low, high) if known is None else (min(low, known[0]), max(high, known[1]))
        )

    def copy(self) -> Ranges:
        """One to try a bar on that still forms."""
        other = Ranges()
        other.of = dict(self.of)
        return other

    def balance(self) -> tuple[float, float]:
        """Low and high of the first two stretches."""
        first = [self.of[n] for n in range(_BALANCE) if n in self.of]
        if not first:
            return NAN, NAN
        return min(low for low, _ in first), max(high for _, high in first)


def tpo_profile(
    ranges: Ranges, wish: TpoWish, tick: float, first: int, last: int
) -> Profile | None:
    """Letters by rows: parts are the counts of rows with more than one letter (and of those at the
    ends), and of single prints."""
    if not ranges.of:
        return None
    table = np.array([ranges.of[n] for n in sorted(ranges.of)])
    low, high = float(table[:, 0].min()), float(table[:, 1].max())
    height = wish.height or row_height(high - low, wish.rows, tick)
    base = int(np.floor(low / height + 1e-9))
    count = int(np.floor(high / height + 1e-9)) - base + 1
    from_row = np.floor(table[:, 0] / height + 1e-9).astype(int) - base
    to_row = np.floor(table[:, 1] / height + 1e-9).astype(int) - base
    rows = np.arange(count)
    touched = (rows >= from_row[:, None]) & (rows <= to_row[:, None])
    sizes = touched.sum(axis=0).astype(np.float64)
    area = value_area(sizes, wish.share)
    if area is None:
        return None
    letters = [LETTERS[n % len(LETTERS)] for n in sorted(ranges.of)]
    texts = ["".join(letters[n] for n in np.flatnonzero(column)) for column in touched.T]
    prices = (base + rows).astype(np.float64) * height
    single = single_prints(sizes)
    parts = (np.where(single, 0.0, sizes), np.where(single, sizes, 0.0))
    point = float(prices[area.point]) + height / 2.0
    edges = (float(prices[area.low]), float(prices[area.high]) + height)
    return Profile(first, last, height, prices, parts, point, *edges, tuple(texts))


def single_prints(sizes: Floats) -> Flags:
    """Rows with one letter that have rows with more on both sides somewhere: those at the ends are
    tails."""
    more = np.flatnonzero(sizes > 1)
    if not len(more):
        return np.zeros(len(sizes), bool)
    place = np.arange(len(sizes))
    found: Flags = (sizes == 1) & (place > more[0]) & (place < more[-1])
    return found


class Tpo(Kept):
    """Point of control and value area of the session before; initial balance of the present one
    once it is over, and its double to both sides; profiles of the last sessions."""

    def __init__(self, wish: TpoWish, around: Surroundings) -> None:
        check_fits(Period.DAY, around.span)
        if not 0 < around.span.seconds <= 60 * wish.minutes:
            raise DataError(
                f"TPO: bars of {around.span.text} are longer than a letter of {wish.minutes} "
                "minutes. Choose a shorter interval of the chart."
            )
        super().__init__(5)
        self._wish, self._around = wish, around
        self._ranges = self._tried = Ranges()
        self._day, self._first, self._end = -1, 0, 0
        self._before: tuple[float, float, float] = (NAN, NAN, NAN)
        self._done: list[Profile] = []
        self._shown: list[Profile] | None = None
        self._seen = 0

    @property
    def profiles(self) -> Sequence[Profile]:
        """Of the last sessions, oldest first."""
        if self._shown is None:  # read more often than it changes
            current = self._of(self._tried, self._end)
            shown = [*self._done, *([current] if current is not None else [])]
            self._shown = shown[-self._wish.shown :]
        return self._shown

    def _of(self, ranges: Ranges, last: int) -> Profile | None:
        return tpo_profile(ranges, self._wish, self._around.tick, self._first, last)

    def _stretch(self, time: int, day: int) -> int:
        opened = self._around.sessions.opens(day, time)
        return max(0, (time - opened) // (60 * self._wish.minutes))

    def _begin(self, day: int, first: int) -> None:
        if self._day >= 0:
            profile = self._of(self._ranges, self._end)
            known = profile is not None and self._seen > 1
            if profile is not None:
                self._done = [*self._done, profile][-max(1, self._wish.shown) :]
                self._before = (profile.point, profile.value_high, profile.value_low)
            if not known:
                self._before = (NAN, NAN, NAN)
        self._day, self._first, self._seen = day, first, self._seen + 1
        self._ranges = Ranges()

    def _all(self, bars: Columns) -> Sequence[Floats]:
        found = empty(5, bars.size)
        self._shown = None
        self._day, self._done, self._seen = -1, [], 0
        self._before = (NAN, NAN, NAN)
        self._ranges = self._tried = Ranges()
        days = day_numbers(bars.time)
        for first, end in runs_of(days):
            day = int(days[first])
            self._begin(day, first)
            opened = self._around.sessions.opens(day, int(bars.time[first]))
            stretch = np.maximum(0, (bars.time[first:end] - opened) // (60 * self._wish.minutes))
            closed = (end - 1 if end == bars.size else end) - first
            for start, stop in runs_of(stretch[:closed]):
                low, high = bars.low[first + start : first + stop], bars.high[first + start :]
                top = float(np.fmax.reduce(high[: stop - start]))
                self._ranges.add(int(stretch[start]), float(np.fmin.reduce(low)), top)
            for column, value in zip(found, self._before, strict=False):
                column[first:end] = value
            low_edge, high_edge = self._ranges.balance()
            over = stretch >= _BALANCE
            found[3][first:end][over], found[4][first:end][over] = high_edge, low_edge
            self._end = first + closed - 1
        if bars.size:
            self._row(bars, bars.size - 1)
        return found

    def _row(self, bars: Columns, place: int) -> Sequence[float]:
        time = int(bars.time[place])
        day = int(day_numbers(bars.time[place : place + 1])[0])
        if day != self._day:
            self._begin(day, place)
        self._end = place
        self._shown = None
        stretch = self._stretch(time, day)
        self._tried = self._ranges.copy()
        self._tried.add(stretch, float(bars.low[place]), float(bars.high[place]))
        low, high = self._ranges.balance() if stretch >= _BALANCE else (NAN, NAN)
        return [*self._before, high, low]

    def _close(self, bars: Columns, place: int) -> None:
        day = int(day_numbers(bars.time[place : place + 1])[0])
        stretch = self._stretch(int(bars.time[place]), day)
        self._ranges.add(stretch, float(bars.low[place]), float(bars.high[place]))
