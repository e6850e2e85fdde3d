"""Which contract each leg is, when it is entered. A choice from unknown prices is refused."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec

from openalgo_desktop.analytics.chain import Leg as ChainLeg
from openalgo_desktop.analytics.contracts import Underlying, at_the_money
from openalgo_desktop.automation.strategies.ground import Ground
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.errors import AppError, OrderError
from openalgo_desktop.core.exit_rules import exact
from openalgo_desktop.core.instruments import is_over
from openalgo_desktop.core.model import Instrument, Key
from openalgo_desktop.core.strategies import choice
from openalgo_desktop.core.strategies.choice import Offer
from openalgo_desktop.core.strategies.leg_rules import needs_underlying
from openalgo_desktop.core.strategies.model import (
    BatchLeg,
    Definition,
    Leg,
    Segment,
    SignalLeg,
)
from openalgo_desktop.core.symbols import format_expiry, option_exchange

#: Strikes on each side of the money whose premiums and deltas are looked at.
STRIKES = 40


class Wanted(msgspec.Struct, frozen=True):
    """What a leg is to be: the contract, units, +1 to buy or -1 to sell first. ``fallback`` says
    that its expiry is not the one that was wanted, since there is none."""

    leg: Leg
    row: Instrument
    units: int
    side: int
    underlying: tuple[Key, Decimal] | None = None
    fallback: str = ""


class Resolver:
    """Resolves the legs of definitions."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def all(self, d: Definition) -> list[Wanted]:
        """All legs of a batch. Raises :class:`OrderError` that names the leg, and then none is."""
        return [await self.leg(d, leg) for leg in d.legs]

    async def leg(self, d: Definition, leg: Leg, *, side: int = 0) -> Wanted:
        """One leg, on another ``side`` than its own where it is given."""
        try:
            match leg:
                case BatchLeg():
                    return await self._batch(d, leg, side or leg.side)
                case SignalLeg():
                    return self._signal(leg, side or 1)
        except AppError as error:
            raise OrderError(f"Leg {leg.leg_id}: {error.message}") from error

    async def same(self, d: Definition, leg: Leg, key: Key, side: int) -> Wanted:
        """A leg in a contract that it had before."""
        row = self._ground.instruments.require(key[1], key[0])
        if is_over(row.symbol, row, self._today()):
            raise OrderError(f"Leg {leg.leg_id}: {row.symbol} has expired.")
        match leg:
            case BatchLeg():
                units = choice.units_of(leg, row)
                under = await self._under(d, leg)
            case SignalLeg():
                units, under = leg.quantity, None
        return Wanted(leg, row, units, side, under)

    def _today(self) -> date:
        return self._ground.clock.now().astimezone(IST).date()

    def underlying_key(self, d: Definition) -> Key:
        """Where the price of the underlying comes from."""
        contracts = self._ground.chains.contracts
        return contracts.price_key(d.underlying, d.underlying_exchange, self._today())

    async def _under(self, d: Definition, leg: BatchLeg) -> tuple[Key, Decimal] | None:
        if not needs_underlying(leg.rules):
            return None
        key = self.underlying_key(d)
        tick = await self._ground.chains.contracts.price(key)
        return key, exact(tick.ltp)

    async def _batch(self, d: Definition, leg: BatchLeg, side: int) -> Wanted:
        under = await self._under(d, leg)
        if leg.segment is Segment.CASH:
            row = self._ground.instruments.require(d.underlying, d.underlying_exchange)
            return Wanted(leg, row, choice.units_of(leg, row), side, under)
        exchange = option_exchange(d.underlying_exchange)
        if leg.segment is Segment.FUTURES:
            row, fallback = self._contract(d.underlying, exchange, leg)
        else:
            row, fallback = await self._option(d, leg, exchange)
        return Wanted(leg, row, choice.units_of(leg, row), side, under, fallback)

    def _contract(
        self, name: str, exchange: str, leg: BatchLeg | SignalLeg
    ) -> tuple[Instrument, str]:
        days = self._ground.instruments.expiries(name, exchange, True, self._today())
        expiry, late = choice.expiry_of(leg.expiry, days)
        row = self._ground.instruments.future(name, exchange, expiry)
        if row is None:
            raise OrderError(f"There is no future of {name} on {exchange}.")
        return row, _fallback(leg.expiry.value, expiry) if late else ""

    async def _option(self, d: Definition, leg: BatchLeg, exchange: str) -> tuple[Instrument, str]:
        instruments, chains = self._ground.instruments, self._ground.chains
        days = instruments.expiries(d.underlying, exchange, False, self._today())
        expiry, late = choice.expiry_of(leg.expiry, days)
        underlying = Underlying(
            asked=d.underlying,
            base=d.underlying,
            options=exchange,
            quoted=self.underlying_key(d),
            expiry=expiry,
            expiry_text=format_expiry(expiry),
        )
        strikes = chains.contracts.strikes(underlying, leg.option_type)
        spot = (await chains.contracts.price(underlying.quoted)).ltp
        straddle = None
        figures: dict[float, Offer] = {}
        mode = leg.strike_mode
        if mode in choice.BY_CHAIN or mode in choice.BY_STRADDLE:
            wide = STRIKES if mode in choice.BY_CHAIN else 0
            chain = await chains.build(underlying, wide, True)
            for strike in chain.strikes:
                found = strike.ce if leg.option_type == "CE" else strike.pe
                if found is not None:
                    figures[strike.strike] = _offer(found)
                if strike.strike == chain.atm:
                    straddle = _together(strike.ce, strike.pe)
        offers = [
            figures.get(strike, Offer(row))
            for strike in strikes
            if (mode not in choice.BY_CHAIN or strike in figures)
            and (row := instruments.option(d.underlying, exchange, expiry, strike, leg.option_type))
        ]
        atm = strikes[at_the_money(strikes, spot)]
        row = choice.choose(leg, offers, spot=spot, atm=atm, straddle=straddle)
        return row, _fallback(leg.expiry.value, expiry) if late else ""

    def _signal(self, leg: SignalLeg, side: int) -> Wanted:
        if leg.segment is Segment.FUTURES:
            row = self._ground.instruments.get((leg.exchange, leg.symbol))
            if row is None or row.expiry is None:
                exchange = option_exchange(leg.exchange)
                row, fallback = self._contract(leg.symbol, exchange, leg)
                return Wanted(leg, row, leg.quantity, side, None, fallback)
        row = self._ground.instruments.require(leg.symbol, leg.exchange)
        return Wanted(leg, row, leg.quantity, side)


def _fallback(wish: str, expiry: date) -> str:
    return f"There is no expiry {wish}: {format_expiry(expiry)} was taken."


def _offer(leg: ChainLeg) -> Offer:
    tick = leg.tick
    premium = tick.ltp if tick is not None and tick.ltp > 0 else None
    delta = abs(leg.greeks[1]) if leg.greeks is not None and premium is not None else None
    return Offer(leg.row, premium, delta)


def _together(call: ChainLeg | None, put: ChainLeg | None) -> float | None:
    rows = [_offer(leg).premium if leg is not None else None for leg in (call, put)]
    known = [premium for premium in rows if premium is not None]
    return sum(known) if len(known) == 2 else None
