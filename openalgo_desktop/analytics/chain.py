"""The option chain, assembled from streamed prices and the symbol master.

The first request asks for what is not streamed in one batch and subscribes the whole chain; later
ones read memory. A chain nobody asked for lately is unsubscribed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date

import msgspec
import numpy as np

from openalgo_desktop.analytics.contracts import (
    ContractError,
    Contracts,
    PriceProblem,
    Underlying,
    at_the_money,
    expiry_moment,
)
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument, Key
from openalgo_desktop.core.money import plain
from openalgo_desktop.core.options_math import (
    MIN_YEARS,
    SECONDS_PER_YEAR,
    greeks,
    implied_volatility,
)
from openalgo_desktop.core.ticks import Part, Tick
from openalgo_desktop.market.channel import Channel
from openalgo_desktop.market.hub import MarketHub

#: A chain stays subscribed this long after its last request; seconds.
LEASE_SECONDS = 120.0
#: Chains kept warm at most.
MAX_LEASES = 8


class Leg(msgspec.Struct, frozen=True, gc=False):
    """One option of the chain; greeks are None when they were not asked or cannot be had."""

    row: Instrument
    label: str
    tick: Tick | None
    greeks: tuple[float, float, float, float, float] | None = None  # iv %, delta, gamma, ...


class Strike(msgspec.Struct, frozen=True):
    """Both options of one strike."""

    strike: float
    ce: Leg | None
    pe: Leg | None


class Chain(msgspec.Struct, frozen=True):
    """An option chain at one moment."""

    underlying: Underlying
    price: Tick
    expiry: date
    expiry_epoch: int
    atm: float
    forward: float | None
    strikes: list[Strike]


class _Lease(msgspec.Struct):
    channel: Channel
    until: float


class PriceMemo:
    """Prices of one request: each instrument is looked up once, each forward made once."""

    def __init__(self, book: ChainBook) -> None:
        self._book = book
        self._found: dict[Key, Tick | AppError] = {}
        self._forwards: dict[Underlying, float] = {}

    async def ticks(self, keys: Sequence[Key]) -> dict[Key, Tick | AppError]:
        """As :meth:`ChainBook.ticks`, last prices only."""
        missing = [key for key in keys if key not in self._found]
        if missing:
            self._found |= await self._book.ticks(missing, Part.LTP)
        return {key: self._found[key] for key in keys}

    async def forward(self, underlying: Underlying) -> float:
        """As :meth:`ChainBook.forward`."""
        if underlying not in self._forwards:
            self._forwards[underlying] = await self._book.forward(underlying, self)
        return self._forwards[underlying]


class ChainBook:
    """Builds chains and keeps recent ones streamed."""

    def __init__(self, hub: MarketHub, instruments: InstrumentTable, clock: Clock) -> None:
        self._hub = hub
        self._instruments = instruments
        self._clock = clock
        self.contracts = Contracts(instruments, hub)
        self._leases: dict[tuple[str, str, date], _Lease] = {}
        self._timer: asyncio.TimerHandle | None = None

    def close(self) -> None:
        """Unsubscribe all chains."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for lease in self._leases.values():
            lease.channel.close()
        self._leases.clear()

    async def ticks(
        self, keys: Sequence[Key], need: int = Part.QUOTE
    ) -> dict[Key, Tick | AppError]:
        """Current prices of many instruments: those that stream every part in ``need`` from
        memory, the rest in one request."""
        found: dict[Key, Tick | AppError] = {}
        missing: list[Key] = []
        for key in keys:
            tick = self._hub.fresh(key, need)
            if tick is not None:
                found[key] = tick
            else:
                missing.append(key)
        if missing:
            found |= await self._hub.quotes(missing)
        return found

    async def build(
        self,
        underlying: Underlying,
        strike_count: int | None,
        with_greeks: bool,
        rate_percent: float = 0.0,
    ) -> Chain:
        """The chain of one expiry, ``strike_count`` strikes on each side of the money (all when
        None). Raises :class:`ContractError`."""
        price = await self._price(underlying)
        strikes = self.contracts.strikes(underlying)
        assert underlying.expiry is not None
        middle = at_the_money(strikes, price.ltp)
        atm = strikes[middle]
        first = 0 if strike_count is None else max(0, middle - strike_count)
        last = len(strikes) if strike_count is None else middle + strike_count + 1
        pairs = [
            (strike, self._option(underlying, strike, "CE"), self._option(underlying, strike, "PE"))
            for strike in strikes[first:last]
        ]
        keys = [row.key for _, *rows in pairs for row in rows if row is not None]
        if not keys:
            raise ContractError(404, "No valid option symbols found for the given parameters")
        self._keep_warm((underlying.options, underlying.base, underlying.expiry), keys)
        ticks = await self.ticks(keys)
        expires = int(expiry_moment(underlying.expiry, underlying.options).timestamp())
        forward = None
        values: dict[Key, tuple[float, float, float, float, float]] = {}
        if with_greeks:
            both = next((pair[1:] for pair in pairs if pair[0] == atm), (None, None))
            forward = parity(atm, *(ticks.get(row.key) if row else None for row in both))
            forward = forward or price.ltp
            rows = [row for _, *both in pairs for row in both if row is not None]
            values = chain_greeks(
                rows, ticks, forward, expires - self._clock.time(), rate_percent / 100.0
            )
        return Chain(
            underlying,
            price,
            underlying.expiry,
            expires,
            atm,
            forward,
            [
                Strike(
                    strike,
                    _leg(ce, ticks, values, _label(first + index - middle, "CE")),
                    _leg(pe, ticks, values, _label(first + index - middle, "PE")),
                )
                for index, (strike, ce, pe) in enumerate(pairs)
            ],
        )

    async def synthetic(
        self, underlying: Underlying, prices: PriceMemo | None = None
    ) -> tuple[Tick, float, float]:
        """Price of the underlying, at-the-money strike, and strike + call - put."""
        price = await self._price(underlying)
        strikes = self.contracts.strikes(underlying)
        atm = strikes[at_the_money(strikes, price.ltp)]
        rows = [self._option(underlying, atm, kind) for kind in ("CE", "PE")]
        keys = [row.key for row in rows if row is not None]
        ticks = await (prices.ticks(keys) if prices else self.ticks(keys, Part.LTP))
        found = [ticks.get(row.key) if row is not None else None for row in rows]
        forward = parity(atm, *found)
        if forward is not None:
            return price, atm, forward
        for row, tick, name in zip(rows, found, ("Call", "Put"), strict=True):
            if not isinstance(tick, Tick) or not tick.ltp:
                symbol = row.symbol if row is not None else f"{underlying.base} {plain(atm)}"
                raise ContractError(500, f"Could not fetch LTP for {name} option: {symbol}")
        raise AssertionError("a forward is missing though both options have a price")

    async def forward(self, underlying: Underlying, prices: PriceMemo | None = None) -> float:
        """The price that greeks of an expiry rest on: its synthetic future; the price of the
        underlying where the options at the money have none. Chain, greeks and the synthetic
        future itself agree on it."""
        try:
            return (await self.synthetic(underlying, prices))[2]
        except PriceProblem:
            raise
        except ContractError:
            return (await self._price(underlying)).ltp

    async def _price(self, underlying: Underlying) -> Tick:
        key = underlying.quoted
        need = Part.LTP | Part.DAY  # the answer has the previous close too
        tick = self._hub.fresh(key, need)
        if tick is not None and tick.ltp:
            return tick
        return await self.contracts.price(key, need)

    def _option(self, underlying: Underlying, strike: float, kind: str) -> Instrument | None:
        assert underlying.expiry is not None
        return self._instruments.option(
            underlying.base, underlying.options, underlying.expiry, strike, kind
        )

    def _keep_warm(self, chain: tuple[str, str, date], keys: Sequence[Key]) -> None:
        now = self._clock.monotonic()
        lease = self._leases.pop(chain, None)
        if lease is None:
            lease = _Lease(self._hub.open_channel(), 0.0)
        lease.until = now + LEASE_SECONDS
        self._leases[chain] = lease  # the latest request is last
        for key in keys:
            # Where a broker's quotes come without bid and ask, the book brings them.
            heard = self._hub.latest(key)
            poor = heard is not None and heard.mode == FeedMode.QUOTE and heard.unknown
            lease.channel.add(key, FeedMode.DEPTH if poor else FeedMode.QUOTE)
        lease.channel.drain()
        self._sweep()

    def _sweep(self) -> None:
        """Unsubscribe what nobody asked for lately, and look again later."""
        now = self._clock.monotonic()
        for name, old in tuple(self._leases.items()):
            if old.until <= now or len(self._leases) > MAX_LEASES:
                old.channel.close()
                del self._leases[name]
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._leases:
            wait = min(lease.until for lease in self._leases.values()) - now
            self._timer = asyncio.get_running_loop().call_later(max(1.0, wait), self._sweep)


def parity(
    strike: float, call: Tick | AppError | None, put: Tick | AppError | None
) -> float | None:
    """The synthetic future: strike + call - put; None without both prices."""
    if isinstance(call, Tick) and isinstance(put, Tick) and call.ltp and put.ltp:
        return strike + call.ltp - put.ltp
    return None


def chain_greeks(
    rows: Sequence[Instrument],
    ticks: dict[Key, Tick | AppError],
    forward: float,
    seconds: float,
    rate: float,
) -> dict[Key, tuple[float, float, float, float, float]]:
    """Implied volatility (per cent), delta, gamma, theta, vega of each option with a price; one
    pass over all of them."""
    priced = [
        (row, tick.ltp)
        for row in rows
        if isinstance(tick := ticks.get(row.key), Tick) and tick.ltp > 0
    ]
    if not priced or forward <= 0:
        return {}
    premium = np.array([ltp for _, ltp in priced])
    strikes = np.array([row.strike for row, _ in priced])
    calls = np.array([row.instrument_type == "CE" for row, _ in priced])
    years = np.full(len(priced), max(seconds / SECONDS_PER_YEAR, MIN_YEARS))
    sigma = np.asarray(implied_volatility(premium, forward, strikes, years, rate, calls))
    solved = np.isfinite(sigma) & (sigma > 0)
    safe = np.where(solved, sigma, 0.2)
    values = greeks(forward, strikes, years, safe, rate, calls)
    # No time value: the option moves with the forward, or not at all.
    certain = np.where(calls, 1.0 * (forward > strikes), -1.0 * (forward < strikes))
    columns = (
        np.where(solved, np.round(sigma * 100.0, 2), 0.0),
        np.where(solved, np.round(values.delta, 4), certain),
        np.where(solved, np.round(values.gamma, 6), 0.0),
        np.where(solved, np.round(values.theta, 4), 0.0),
        np.where(solved, np.round(values.vega, 4), 0.0),
    )
    lists = [np.asarray(column, dtype=np.float64).tolist() for column in columns]
    return {
        row.key: found for (row, _), found in zip(priced, zip(*lists, strict=True), strict=True)
    }


def _label(distance: int, kind: str) -> str:
    if distance == 0:
        return "ATM"
    below = distance < 0
    return f"{'ITM' if below == (kind == 'CE') else 'OTM'}{abs(distance)}"


def _leg(
    row: Instrument | None,
    ticks: dict[Key, Tick | AppError],
    values: dict[Key, tuple[float, float, float, float, float]],
    label: str,
) -> Leg | None:
    if row is None:
        return None
    tick = ticks.get(row.key)
    return Leg(row, label, tick if isinstance(tick, Tick) else None, values.get(row.key))
