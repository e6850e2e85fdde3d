"""Greeks of what is held: one option at its last price, on the future of its expiry where there is
one, else on the price of its underlying. Black-76, rate 0, as the option chain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np

from openalgo_desktop.analytics.contracts import ContractError, Contracts, expiry_moment
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import DERIVATIVE_EXCHANGES
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument, Key
from openalgo_desktop.core.options_math import SECONDS_PER_YEAR, greeks, implied_volatility

#: Times shorter than this count as it; years.
MINUTE: Final = 60.0 / SECONDS_PER_YEAR


class HeldGreeks(msgspec.Struct, frozen=True):
    """Of one unit: ``theta`` rupees a calendar day, ``vega`` rupees for one point of volatility,
    ``iv`` per cent; None where there is none to tell (shares and futures)."""

    delta: float
    gamma: float = 0.0
    theta: float = 0.0
    vega: float = 0.0
    iv: float | None = None


LINEAR: Final = HeldGreeks(1.0)


class _State(NamedTuple):
    """What the greeks of an option follow from: prices in rupees, whole minutes to its expiry."""

    price: float
    forward: float
    minutes: int


class HeldOptions:
    """Solves options and remembers each until a price or the minute is another one.
    ``last`` gives a price that may be traded on, None where there is none."""

    def __init__(
        self,
        instruments: InstrumentTable,
        contracts: Contracts,
        clock: Clock,
        last: Callable[[Key], float | None],
    ) -> None:
        self._instruments = instruments
        self._contracts = contracts
        self._clock = clock
        self._last = last
        self._sources: dict[Key, Key | None] = {}
        self._known: dict[Key, tuple[_State | None, HeldGreeks | None]] = {}

    def source(self, key: Key) -> Key | None:
        """What the greeks of an option rest on, to be streamed; None for what is no option."""
        if key not in self._sources:
            row = self._instruments.get(key)
            if row is None:  # the master may come later
                return None
            self._sources[key] = self._source(row) if row.is_option else None
        return self._sources[key]

    def _source(self, row: Instrument) -> Key | None:
        if row.expiry is not None:
            future = self._instruments.future(row.name, row.exchange, row.expiry)
            if future is not None:
                return future.key
        try:
            return self._contracts.price_key(row.name, row.exchange, self._clock.now().date())
        except ContractError:
            return None

    def of(self, key: Key) -> HeldGreeks | None:
        """Of one unit, as last solved; None while that is not known, or where the price of an
        option holds no time value that a volatility could explain."""
        row = self._instruments.get(key)
        if row is None:
            return None
        if row.is_option:
            known = self._known.get(key)
            return None if known is None else known[1]
        return LINEAR if row.exchange in DERIVATIVE_EXCHANGES or row.expiry is None else None

    def solve(self, keys: Iterable[Key]) -> bool:
        """Work out those of ``keys`` whose prices moved, all in one pass; True when there are
        some."""
        due: list[tuple[Key, Instrument, _State]] = []
        moved = False
        for key in keys:
            row = self._instruments.get(key)
            if row is None or not row.is_option:
                continue
            state = self._state(row)
            known = self._known.get(key)
            if known is not None and known[0] == state:
                continue
            moved = True
            if state is None:
                self._known[key] = (None, None)
            else:
                due.append((key, row, state))
        for (key, _, state), found in zip(due, _solved(due), strict=True):
            self._known[key] = (state, found)
        return moved

    def _state(self, row: Instrument) -> _State | None:
        source = self.source(row.key)
        price = self._last(row.key)
        forward = self._last(source) if source is not None else None
        if not price or not forward or row.expiry is None or not row.strike:
            return None
        left = expiry_moment(row.expiry, row.exchange) - self._clock.now()
        minutes = int(left.total_seconds() // 60)
        return _State(price, forward, minutes) if minutes >= 0 else None


def _solved(due: Sequence[tuple[Key, Instrument, _State]]) -> list[HeldGreeks | None]:
    if not due:
        return []
    calls = np.array([row.instrument_type == "CE" for _, row, _ in due])
    strikes, ticks = np.array([(float(row.strike), row.tick_size) for _, row, _ in due]).T
    prices, forwards, minutes = np.array([state for _, _, state in due], dtype=float).T
    years = np.maximum(minutes * MINUTE, MINUTE)
    sigma = np.asarray(
        implied_volatility(prices, forwards, strikes, years, 0.0, calls, shortest=MINUTE)
    )
    intrinsic = np.maximum(np.where(calls, forwards - strikes, strikes - forwards), 0.0)
    good = np.isfinite(sigma) & (sigma > 0.0) & (prices - intrinsic >= 0.5 * ticks)
    values = greeks(
        forwards, strikes, years, np.where(good, sigma, 0.2), 0.0, calls, shortest=MINUTE
    )
    rows = np.column_stack((values.delta, values.gamma, values.theta, values.vega, sigma * 100.0))
    return [
        HeldGreeks(*figures) if solved else None
        for figures, solved in zip(rows.tolist(), good.tolist(), strict=True)
    ]
