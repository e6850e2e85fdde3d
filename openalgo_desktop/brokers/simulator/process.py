"""The seeded price process. Every value is a pure function of (seed, asset, time).

Time is cut into process days that run from 09:15 IST to 09:15 IST. A *factor* is a mean-reverting
random walk over process days, filled by a Brownian bridge over minutes whose variance has the
shape of an Indian session (busy open, busy close, quiet night). An *asset* is the exponential of a
weighted sum of factors: all equities share the market factor, so they move with the index. Inside
a minute, a path of quarter-seconds runs from the minute's open to its close and touches its high
and low exactly: live prices, second bars and minute bars are views of the same numbers, so
history joins the live price without a seam.

The only thing that is not a function of the seed is a *shock*: a jump that the user asked for.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

MINUTES = 1440  # in a process day
SESSION_MINUTES = 375  # 09:15 to 15:30
POINTS = 240  # path points in a minute
POINTS_PER_SECOND = 4
_DAY = 86_400
#: Epoch seconds of 09:15 IST, 1970-01-01: process day p starts at ``p * 86400 + _OPEN``.
_OPEN = 3 * 3600 + 45 * 60
FIRST_DAY = date(2014, 1, 1)
_LAST_DAY = date(2040, 12, 31)
_FIRST = (FIRST_DAY - date(1970, 1, 1)).days
_LAST = (_LAST_DAY - date(1970, 1, 1)).days
#: Days of a factor that are worked out in one go beyond the one that is asked for.
_AHEAD = 40
_SESSION_SHARE = 0.8  # of a day's variance
_WEEKEND = 0.4  # a day without session moves this much of a normal one
_EXCESS = 0.6  # how far a minute's range leaves its body, in minute volatilities
_NIGHT_VOLUME = 0.75  # of an average session minute: about that of a quiet noon

K = TypeVar("K", bound=tuple[Hashable, ...])
V = TypeVar("V")


class Cache(OrderedDict[K, V]):
    """A dict that forgets its least recently used entries."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size

    def fetch(self, key: K, make: Callable[[], V]) -> V:
        """The value of ``key``, made when missing."""
        try:
            value = self[key]
        except KeyError:
            value = self[key] = make()
            if len(self) > self._size:
                self.popitem(last=False)
        else:
            self.move_to_end(key)
        return value

    def drop(self, first: Hashable) -> None:
        """Forget the keys that begin with ``first``."""
        for key in [key for key in self if key[0] == first]:
            del self[key]


class Cell(NamedTuple):
    """A moment on the grid: process day, minute of that day, point of that minute."""

    day: int
    minute: int
    point: int


def cell_of(epoch: float) -> Cell:
    """The grid cell of an epoch second (UTC)."""
    day, second = divmod(epoch - _OPEN, _DAY)
    minute, rest = divmod(second, 60)
    return Cell(int(day), int(minute), min(POINTS - 1, int(rest * POINTS_PER_SECOND)))


def minute_epoch(day: int, minute: int) -> int:
    """Epoch second at which a minute of a process day starts."""
    return day * _DAY + _OPEN + minute * 60


def day_of(day: date) -> int:
    """The process day that starts at 09:15 of ``day``."""
    return (day - date(1970, 1, 1)).days


def date_of(day: int) -> date:
    """The IST date on which a process day starts."""
    return date(1970, 1, 1) + timedelta(days=day)


def rng(seed: int, *parts: object) -> np.random.Generator:
    """A generator that depends on the seed and the parts only (not on hash randomisation)."""
    text = "|".join(map(str, (seed, *parts))).encode()
    key = int.from_bytes(blake2b(text, digest_size=16).digest(), "little")
    return np.random.Generator(np.random.Philox(key=key))


def _minute_weights() -> Array:
    """Standard deviation of each minute; squares sum to 1."""
    m = np.arange(SESSION_MINUTES)
    session = 1.0 + 2.2 * np.exp(-m / 18.0) + 0.9 * np.exp(-(SESSION_MINUTES - m) / 25.0)
    session *= math.sqrt(_SESSION_SHARE / float(np.sum(session**2)))
    rest = MINUTES - SESSION_MINUTES
    night = np.full(rest, math.sqrt((1.0 - _SESSION_SHARE) / rest))
    return np.concatenate([session, night])


def _volume_weights() -> Array:
    """Share of the day's volume in each minute; the session sums to 1."""
    m = np.arange(SESSION_MINUTES)
    session = 1.0 + 3.0 * np.exp(-m / 15.0) + 2.2 * np.exp(-(SESSION_MINUTES - m) / 20.0)
    session /= float(np.sum(session))
    night = np.full(MINUTES - SESSION_MINUTES, _NIGHT_VOLUME / SESSION_MINUTES)
    return np.concatenate([session, night])


SIGMA_SHAPE = _minute_weights()
VOLUME_SHAPE = _volume_weights()
_VARIANCE_CLOCK = np.concatenate([[0.0], np.cumsum(SIGMA_SHAPE**2)])
_LINE = np.linspace(0.0, 1.0, POINTS)


@dataclass(frozen=True, slots=True)
class FactorSpec:
    """A source of movement: daily volatility and day-to-day persistence of the level."""

    name: str
    sigma: float
    persistence: float = 0.994


@lru_cache(maxsize=256)
def _days_of(seed: int, factor: FactorSpec) -> tuple[list[float], list[float]]:
    """Steps of a factor from day to day, and its levels as far as they were wanted. All markets of
    a process share them: they follow from seed and factor alone."""
    steps = rng(seed, factor.name, "days").standard_normal(_LAST - _FIRST + 2)
    weekday = (np.arange(len(steps)) + _FIRST + 3) % 7  # 1970-01-01 was a Thursday
    steps *= factor.sigma * np.where(weekday >= 5, _WEEKEND, 1.0)
    return steps.tolist(), []


@dataclass(frozen=True, slots=True)
class AssetSpec:
    """An asset: long-run price, loadings on factors, average daily volume in units, and the yearly
    volatility that its options trade at (0: they follow the volatility index)."""

    name: str
    price: float
    loadings: tuple[tuple[FactorSpec, float], ...]
    volume: float
    implied: float = 0.0

    @property
    def sigma(self) -> float:
        """Daily volatility."""
        return math.sqrt(sum((f.sigma * weight) ** 2 for f, weight in self.loadings))


class Minutes(NamedTuple):
    """Minute bars of one process day before any rounding; ``volume`` in units."""

    open: Array
    high: Array
    low: Array
    close: Array
    volume: Counts


@dataclass(slots=True)
class _Shock:
    epoch: float
    jump: float  # of the logarithm


@dataclass(slots=True)
class _Asset:
    spec: AssetSpec
    shocks: list[_Shock] = field(default_factory=list)


class PriceProcess:
    """Prices of all assets at all times."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._assets: dict[str, _Asset] = {}
        self._levels: Cache[tuple[str, int], Array] = Cache(256)
        self._base: Cache[tuple[str, int], Minutes] = Cache(192)
        self._days: Cache[tuple[str, int], Minutes] = Cache(192)
        self._paths: Cache[tuple[str, int, int], Array] = Cache(512)

    # -- assets -----------------------------------------------------------------------------
    def add(self, spec: AssetSpec) -> None:
        """Make an asset known."""
        self._assets[spec.name] = _Asset(spec)

    def spec(self, name: str) -> AssetSpec:
        """The specification of an asset."""
        return self._assets[name].spec

    def __contains__(self, name: object) -> bool:
        return name in self._assets

    def anchor(self, name: str, epoch: float, price: float) -> None:
        """Shift an asset's long-run price so that it is at ``price`` at ``epoch``."""
        asset = self._assets[name]
        factor = price / self.price(name, cell_of(epoch))
        spec = asset.spec
        asset.spec = replace(spec, price=spec.price * factor)
        self._forget(name)

    def shock(self, name: str, epoch: float, price: float) -> None:
        """Jump ``name`` to ``price`` at ``epoch``; assets that share its first factor follow in
        proportion to their loading, so moving NIFTY moves the market."""
        jump = math.log(price / self.price(name, cell_of(epoch)))
        common, weight = self._assets[name].spec.loadings[0]
        for other, asset in self._assets.items():
            share = sum(w for f, w in asset.spec.loadings if f.name == common.name) / weight
            if other == name:
                share = 1.0
            if share:
                asset.shocks.append(_Shock(epoch, jump * share))
                self._forget(other)

    def _forget(self, name: str) -> None:
        self._base.drop(name)
        self._days.drop(name)
        self._paths.drop(name)

    # -- factors ----------------------------------------------------------------------------
    def _knot(self, factor: FactorSpec, day: int) -> float:
        """Level of a factor at 09:15 of a process day."""
        moves, levels = _days_of(self._seed, factor)
        index = min(max(day - _FIRST, 0), len(moves) - 1)
        if index >= len(levels):
            level = levels[-1] if levels else 0.0
            for step in moves[len(levels) : index + _AHEAD]:
                level = factor.persistence * level + step
                levels.append(level)
        return levels[index]

    def _factor(self, factor: FactorSpec, day: int) -> Array:
        """Levels at the 1441 minute boundaries of a process day."""
        return self._levels.fetch((factor.name, day), lambda: self._make_factor(factor, day))

    def _make_factor(self, factor: FactorSpec, day: int) -> Array:
        start, end = self._knot(factor, day), self._knot(factor, day + 1)
        steps = rng(self._seed, factor.name, day).standard_normal(MINUTES) * SIGMA_SHAPE
        walk = np.concatenate([[0.0], np.cumsum(steps)]) * factor.sigma
        return np.asarray(start + walk + _VARIANCE_CLOCK * (end - start - walk[-1]))

    # -- assets in time ---------------------------------------------------------------------
    def open_level(self, name: str, day: int) -> float:
        """Price at 09:15 of a process day, without shocks; cheap."""
        spec = self._assets[name].spec
        return spec.price * math.exp(sum(w * self._knot(f, day) for f, w in spec.loadings))

    def minutes(self, name: str, day: int) -> Minutes:
        """Minute bars of a process day."""
        return self._days.fetch((name, day), lambda: self._shocked(name, day))

    def _unshocked(self, name: str, day: int) -> Minutes:
        return self._base.fetch((name, day), lambda: self._make_minutes(name, day))

    def _make_minutes(self, name: str, day: int) -> Minutes:
        spec = self._assets[name].spec
        level = np.full(MINUTES + 1, math.log(spec.price))
        for factor, weight in spec.loadings:
            level += weight * self._factor(factor, day)
        prices = np.exp(level)
        opens, closes = prices[:-1], prices[1:]
        dice = rng(self._seed, name, day, "bars")
        spread = np.abs(dice.standard_normal((2, MINUTES))) * (SIGMA_SHAPE * spec.sigma * _EXCESS)
        highs = np.maximum(opens, closes) * (1.0 + spread[0])
        lows = np.minimum(opens, closes) * (1.0 - spread[1])
        noise = dice.standard_normal(MINUTES + 1)
        busy = spec.volume * math.exp(0.3 * float(noise[-1]))
        volume = np.rint(busy * VOLUME_SHAPE * np.exp(0.5 * noise[:-1] - 0.125))
        return Minutes(opens, highs, lows, closes, volume.astype(np.int64))

    def _shocked(self, name: str, day: int) -> Minutes:
        base = self._unshocked(name, day)
        shocks = self._assets[name].shocks
        start, end = minute_epoch(day, 0), minute_epoch(day + 1, 0)
        if not any(shock.epoch < end for shock in shocks):
            return base
        boundaries = start + 60.0 * np.arange(MINUTES)
        shift = np.zeros(MINUTES)
        for shock in shocks:
            shift += np.where(boundaries > shock.epoch, shock.jump, 0.0)
        scale = np.exp(shift)
        day_bars = Minutes(
            base.open * scale, base.high * scale, base.low * scale, base.close * scale, base.volume
        )
        for shock in shocks:
            if start <= shock.epoch < end:
                minute = cell_of(shock.epoch).minute
                path = self.path(name, day, minute)
                day_bars.open[minute], day_bars.close[minute] = path[0], path[-1]
                day_bars.high[minute], day_bars.low[minute] = path.max(), path.min()
        return day_bars

    def path(self, name: str, day: int, minute: int) -> Array:
        """The 240 quarter-second prices of a minute."""
        return self._paths.fetch((name, day, minute), lambda: self._make_path(name, day, minute))

    def _make_path(self, name: str, day: int, minute: int) -> Array:
        asset, bars = self._assets[name], self._unshocked(name, day)
        first, last = float(bars.open[minute]), float(bars.close[minute])
        high, low = float(bars.high[minute]), float(bars.low[minute])
        steps = rng(self._seed, name, day, minute).standard_normal(POINTS)
        steps[0] = 0.0
        walk = np.cumsum(steps)
        size = first * asset.spec.sigma * float(SIGMA_SHAPE[minute]) / math.sqrt(POINTS)
        path: Array = np.clip(
            first + (last - first) * _LINE + (walk - _LINE * walk[-1]) * size, low, high
        )
        top = 1 + int(np.argmax(path[1:-1]))
        path[0], path[-1] = first, last
        bottom = 1 + int(np.argmin(path[1:-1]))
        if top == bottom:
            bottom = top - 1 if top > 1 else top + 1
        path[top], path[bottom] = high, low
        start = minute_epoch(day, minute)
        for shock in asset.shocks:
            if shock.epoch < start:
                path *= math.exp(shock.jump)
            elif shock.epoch < start + 60:
                path[cell_of(shock.epoch).point :] *= math.exp(shock.jump)
        return path

    def price(self, name: str, cell: Cell) -> float:
        """The price of an asset at a moment, before rounding to a tick."""
        return float(self.path(name, cell.day, cell.minute)[cell.point])
