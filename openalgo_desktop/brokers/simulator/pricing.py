"""From asset prices to instrument prices: spot, futures at carry, options by Black-76.

Each transform is monotone in the asset's price within a minute, so that the high of a bar is the
transform of the asset's high, and live prices lie inside their bars by construction. Options are
priced undiscounted on the forward (interest enters through the forward only) with one smile for
calls and puts: call minus put is forward minus strike up to tick rounding.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from openalgo_desktop.brokers.simulator.process import (
    POINTS,
    Array,
    Cell,
    Counts,
    PriceProcess,
    cell_of,
    date_of,
    day_of,
    minute_epoch,
)
from openalgo_desktop.brokers.simulator.sessions import ist_midnight
from openalgo_desktop.brokers.simulator.universe import Contract
from openalgo_desktop.core import options_math
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.money import to_tick, to_tick_array
from openalgo_desktop.core.symbols import expiry_time

CARRY_RATE = 0.065  # per year, of futures over spot
VIX = "INDIAVIX"
_VOL_OF = {"BANKNIFTY": 1.2, "SENSEX": 1.0, "NIFTY": 1.0}
_STOCK_VOL = 1.8  # options on single stocks, against the index
_SKEW, _SMILE = -0.055, 0.012
_MIN_SIGMA = 0.05


def _expiry_epoch(instrument: Instrument) -> int:
    if instrument.expiry is None:
        return 0
    at = expiry_time(instrument.exchange)
    return ist_midnight(instrument.expiry) + at.hour * 3600 + at.minute * 60


class Candles(NamedTuple):
    """Minute bars of an instrument; prices on tick, volume and open interest in units."""

    time: Counts
    open: Array
    high: Array
    low: Array
    close: Array
    volume: Counts
    oi: Counts


class Pricer:
    """Prices of one contract."""

    def __init__(self, contract: Contract, process: PriceProcess) -> None:
        self.contract = contract
        self.instrument = contract.instrument
        self._process = process
        self._asset = contract.asset
        instrument = contract.instrument
        self._tick = instrument.tick_size
        self._lot = max(1, instrument.lot_size)
        self._call = instrument.instrument_type == "CE"
        self.is_option = instrument.is_option
        self._expiry = _expiry_epoch(instrument)
        self._basis: float | None = None  # fixed ratio to spot, of a universe file
        self._fixed_sigma: float | None = None
        #: (epoch, factor): the user moved this contract alone.
        self._moves: list[tuple[float, float]] = []
        self._sigma_cache: tuple[int, float] = (-1, 0.0)
        self._volume_scale, self._oi_scale = self._scales()

    # -- parameters -------------------------------------------------------------------------
    def _scales(self) -> tuple[float, float]:
        """Traded volume against the asset's, and typical open interest in units."""
        kind, spec = self.instrument.instrument_type, self._process.spec(self._asset)
        if self.instrument.is_index:
            return 0.0, 0.0
        if kind == "FUT":
            return 0.35, spec.volume * 1.5
        if self.is_option:
            x = math.log(self.instrument.strike / spec.price) / 0.04
            interest = math.exp(-0.5 * min(x * x, 16.0))
            return 2.5 * interest, spec.volume * (0.2 + 2.0 * interest)
        return 1.0, 0.0

    def set_basis(self, ratio: float) -> None:
        """Fix futures and forwards at ``ratio`` times spot."""
        self._basis = ratio

    def set_sigma(self, sigma: float) -> None:
        """Fix the volatility."""
        self._fixed_sigma = sigma

    def move(self, epoch: float, factor: float) -> None:
        """Multiply this contract's prices by ``factor`` from ``epoch`` on."""
        self._moves.append((epoch, factor))

    def _carry(self, day: int) -> float:
        if self._basis is not None:
            return self._basis
        expiry = self.instrument.expiry
        if expiry is None:
            return 1.0
        return math.exp(CARRY_RATE * max(0, day_of(expiry) - day) / 365.0)

    def sigma(self, day: int) -> float:
        """Volatility of the contract's strike on a process day."""
        if self._fixed_sigma is not None:
            return self._fixed_sigma
        if self._sigma_cache[0] != day:
            self._sigma_cache = (day, self._make_sigma(day))
        return self._sigma_cache[1]

    def _make_sigma(self, day: int) -> float:
        level = self._process.spec(self._asset).implied
        if not level:
            level = self._process.open_level(VIX, day) / 100.0 if VIX in self._process else 0.13
            level *= _VOL_OF.get(self._asset, _STOCK_VOL)
        forward = self._process.open_level(self._asset, day) * self._carry(day)
        expiry = self.instrument.expiry or date_of(day)
        years = max(2, day_of(expiry) - day) / 365.0
        x = math.log(self.instrument.strike / forward) / (level * math.sqrt(years))
        x = max(-5.0, min(5.0, x))
        return max(_MIN_SIGMA, level * (1.0 + _SKEW * x + _SMILE * x * x))

    # -- prices -----------------------------------------------------------------------------
    def price(self, raw: float, day: int, minute: int) -> float:
        """Rounded price at an asset price, within a minute."""
        value = raw * self._carry(day)
        if self.is_option:
            years = (
                max(0.0, self._expiry - minute_epoch(day, minute)) / options_math.SECONDS_PER_YEAR
            )
            value = float(
                options_math.price(
                    value, self.instrument.strike, years, self.sigma(day), 0.0, self._call
                )
            )
        return self._on_tick(value)

    def _on_tick(self, value: float) -> float:
        return max(to_tick(value, self._tick), self._tick)

    def _prices(self, raw: Array, day: int, minutes: Counts) -> Array:
        value = raw * self._carry(day)
        if self.is_option:
            starts = minute_epoch(day, 0) + 60.0 * minutes
            years = np.maximum(0.0, self._expiry - starts) / options_math.SECONDS_PER_YEAR
            value = np.asarray(
                options_math.price(
                    value, self.instrument.strike, years, self.sigma(day), 0.0, self._call
                )
            )
        return np.maximum(to_tick_array(value, self._tick), self._tick)

    def at(self, epoch: float) -> float:
        """The last price at a moment."""
        day, minute, point = cell_of(epoch)
        raw = float(self._process.path(self._asset, day, minute)[point])
        price = self.price(raw, day, minute)
        for start, factor in self._moves:
            if (day, minute, point) >= cell_of(start):
                price = self._on_tick(price * factor)
        return price

    def path(self, day: int, minute: int) -> Array:
        """The 240 quarter-second prices of a minute."""
        raw = self._process.path(self._asset, day, minute)
        prices = self._prices(raw, day, np.full(POINTS, minute, np.int64))
        for start, factor in self._moves:
            cell = cell_of(start)
            if cell[:2] == (day, minute):
                prices[cell.point :] = self._moved(prices[cell.point :], factor)
            elif cell[:2] < (day, minute):
                prices = self._moved(prices, factor)
        return prices

    def running(self, cell: Cell) -> tuple[float, float, float]:
        """Open, high and low of the running minute up to ``cell``."""
        if self._moves:
            path = self.path(cell.day, cell.minute)[: cell.point + 1]
            return float(path[0]), float(path.max()), float(path.min())
        raw = self._process.path(self._asset, cell.day, cell.minute)[: cell.point + 1]
        first, top, bottom = (
            self.price(float(value), cell.day, cell.minute)
            for value in (raw[0], raw.max(), raw.min())
        )
        return first, max(top, bottom), min(top, bottom)

    def _moved(self, prices: Array, factor: float) -> Array:
        return np.maximum(to_tick_array(prices * factor, self._tick), self._tick)

    # -- bars -------------------------------------------------------------------------------
    def minutes(self, day: int, first: int, last: int) -> Candles:
        """Complete minute bars ``first`` to ``last`` (exclusive) of a process day."""
        raw = self._process.minutes(self._asset, day)
        index = np.arange(first, last, dtype=np.int64)
        columns = [self._prices(column[first:last], day, index) for column in raw[:4]]
        opens, highs, lows, closes = columns
        if self.is_option and not self._call:
            highs, lows = lows, highs
        volume = self._lots(raw.volume[first:last] * self._volume_scale)
        candles = Candles(
            minute_epoch(day, 0) + 60 * index,
            opens,
            highs,
            lows,
            closes,
            volume,
            self._interest(day, index),
        )
        if self._moves:
            self._apply_moves(candles, day, first)
        return candles

    def _apply_moves(self, candles: Candles, day: int, first: int) -> None:
        for start, factor in self._moves:
            after = candles.time > start
            for column in candles[1:5]:
                column[after] = self._moved(column[after], factor)
        for start, _ in self._moves:
            cell = cell_of(start)
            row = cell.minute - first
            if cell.day == day and 0 <= row < len(candles.time):
                path = self.path(day, cell.minute)
                candles.open[row], candles.close[row] = path[0], path[-1]
                candles.high[row], candles.low[row] = path.max(), path.min()

    def _lots(self, units: npt.NDArray[np.floating[Any]]) -> Counts:
        return np.asarray(units // self._lot, dtype=np.int64) * self._lot

    def minute_volume(self, cell: Cell) -> int:
        """Units that trade in the whole minute of ``cell``."""
        raw = self._process.minutes(self._asset, cell.day).volume[cell.minute : cell.minute + 1]
        return int(self._lots(raw * self._volume_scale)[0])

    def volume_path(self, minute_volume: int) -> Counts:
        """Units traded since the start of a minute, after each of its 240 points."""
        share = np.arange(1, POINTS + 1, dtype=np.int64) * minute_volume // POINTS
        return share // self._lot * self._lot

    def volume_until(self, minute_volume: int, point: int) -> int:
        """One value of :meth:`volume_path`."""
        return (point + 1) * minute_volume // POINTS // self._lot * self._lot

    def _interest(self, day: int, minutes: Counts) -> Counts:
        """Open interest: a slow wave, another phase for each contract."""
        if not self._oi_scale:
            return np.zeros(len(minutes), np.int64)
        phase = int(self.instrument.token) % 97 if self.instrument.token.isdigit() else 0
        wave: Array = np.sin((day + minutes / 1440.0) / 3.7 + phase)
        return self._lots(self._oi_scale * (1.0 + 0.2 * wave))

    def interest(self, cell: Cell) -> int:
        """Open interest in a minute, units."""
        return int(self._interest(cell.day, np.array([cell.minute]))[0])
