"""Which option is meant: underlying, expiry and an offset from the money."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import Protocol

import msgspec

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument, Key
from openalgo_desktop.core.money import plain
from openalgo_desktop.core.symbols import (
    expiry_time,
    format_expiry,
    option_exchange,
    option_symbol,
    parse_expiry,
    split_underlying,
    spot_exchange,
)
from openalgo_desktop.core.ticks import Part, Tick

_OFFSET = re.compile(r"(ATM|ITM|OTM)([0-9]*)", re.IGNORECASE)
#: Exchanges whose underlyings have no spot price: the near-month future stands for it.
NO_SPOT = frozenset({"MCX", "CDS", "BCD", "NCDEX", "NCO"})
EXPIRY_NEEDED = (
    "Expiry date required. Provide via expiry_date parameter or embed in underlying "
    "(e.g., NIFTY28OCT25FUT)."
)


class ContractError(AppError):
    """The option cannot be named; ``http_status`` is that of the API answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.http_status = status


class PriceProblem(ContractError):
    """The underlying has no price; ``symbol`` and ``why`` make the sentence."""

    def __init__(self, status: int, symbol: str, why: str) -> None:
        super().__init__(status, f"Failed to fetch LTP for {symbol}. {why}")
        self.symbol = symbol
        self.why = why


class Prices(Protocol):
    """What this room needs of the market hub."""

    async def snapshot(self, key: Key, need: int = Part.QUOTE) -> Tick: ...


class Underlying(msgspec.Struct, frozen=True):
    """What an option request points at. ``expiry_text`` is the expiry as the caller wrote it."""

    asked: str
    base: str
    options: str  # exchange of the options
    quoted: Key  # where its price comes from
    expiry: date | None
    expiry_text: str


def expiry_moment(expiry: date, exchange: str, at: time | None = None) -> datetime:
    """The moment an option expires, IST."""
    return datetime.combine(expiry, at or expiry_time(exchange), IST)


class Contracts:
    """Finds underlyings and option contracts in the symbol master."""

    def __init__(self, instruments: InstrumentTable, prices: Prices) -> None:
        self._instruments = instruments
        self._prices = prices

    def underlying(
        self, text: str, exchange: str, expiry_text: str | None, today: date
    ) -> Underlying:
        """Base, expiry and price source of a request. An explicit expiry wins over one that is
        embedded in the underlying; without either it raises."""
        base, embedded = split_underlying(text)
        if not expiry_text and embedded is None:
            raise ContractError(400, EXPIRY_NEEDED)
        expiry = parse_expiry(expiry_text) if expiry_text else embedded
        options = option_exchange(exchange)
        return Underlying(
            asked=text,
            base=base,
            options=options,
            quoted=self._price_source(text, base, exchange, today),
            expiry=expiry,
            expiry_text=expiry_text or (format_expiry(embedded) if embedded else ""),
        )

    def price_key(self, text: str, exchange: str, today: date) -> Key:
        """Where the price of an underlying comes from, whatever the expiry."""
        return self._price_source(text, split_underlying(text)[0], exchange, today)

    def _price_source(self, text: str, base: str, exchange: str, today: date) -> Key:
        if exchange in NO_SPOT:
            if text != base and (exchange, f"{text.removesuffix('FUT')}FUT") in self:
                return (exchange, f"{text.removesuffix('FUT')}FUT")
            if (near := self._instruments.near_future(base, exchange, today)) is not None:
                return near
            return (exchange, text)
        if exchange == "CRYPTO":
            perpetual = next(
                (
                    row
                    for row in self._instruments.rows("CRYPTO")
                    if row.name == base and row.instrument_type == "PERPFUT"
                ),
                None,
            )
            if perpetual is None:
                raise ContractError(404, f"No perpetual futures found for {base} on CRYPTO")
            return perpetual.key
        return (spot_exchange(base, exchange), base)

    def __contains__(self, key: Key) -> bool:
        return self._instruments.get(key) is not None

    async def price(self, quoted: Key, need: int = Part.LTP) -> Tick:
        """The last price of an underlying, with the other parts that are needed; raises
        :class:`PriceProblem`."""
        exchange, symbol = quoted
        try:
            self._instruments.require(symbol, exchange)
            tick = await self._prices.snapshot(quoted, need)
        except AppError as error:
            raise PriceProblem(error.http_status, symbol, error.message) from None
        if not tick.ltp:
            raise ContractError(500, f"Could not determine LTP for {symbol}.")
        return tick

    def strikes(self, underlying: Underlying, option_type: str | None = None) -> list[float]:
        """Real strikes of base and expiry, ascending; raises when there is none."""
        found: list[float] = []
        if underlying.expiry is not None:
            base, exchange, expiry = underlying.base, underlying.options, underlying.expiry
            found = self._instruments.strikes(base, exchange, expiry)
            if option_type is not None:
                found = [
                    strike
                    for strike in found
                    if self._instruments.option(base, exchange, expiry, strike, option_type)
                ]
        if not found:
            raise ContractError(
                404,
                f"No strikes found for {underlying.base} expiring {underlying.expiry_text}. "
                "Please check expiry date or update master contract.",
            )
        return found

    def option(
        self,
        underlying: Underlying,
        ltp: float,
        offset: str,
        option_type: str,
        strike_step: int | None = None,
    ) -> Instrument:
        """The contract ``offset`` strikes from the money; with ``strike_step`` by arithmetic
        instead of the master's strikes."""
        if strike_step:
            return self._by_step(underlying, ltp, offset, option_type, strike_step)
        strikes = self.strikes(underlying, option_type)
        steps = _steps(offset, option_type)
        index = at_the_money(strikes, ltp) + steps if steps is not None else -1
        if not 0 <= index < len(strikes):
            raise _out_of_range(offset)
        assert underlying.expiry is not None
        row = self._instruments.option(
            underlying.base, underlying.options, underlying.expiry, strikes[index], option_type
        )
        if row is None:
            raise _out_of_range(offset)
        return row

    def _by_step(
        self, underlying: Underlying, ltp: float, offset: str, option_type: str, step: int
    ) -> Instrument:
        steps = _steps(offset, option_type)
        if steps is None:
            raise _out_of_range(offset)
        strike = float(round(ltp / step) * step + steps * step)
        if underlying.expiry is not None:
            symbol = option_symbol(underlying.base, underlying.expiry, strike, option_type)
        else:
            symbol = f"{underlying.base}{underlying.expiry_text}{plain(strike)}{option_type}"
        row = self._instruments.get((underlying.options, symbol))
        if row is None:
            raise ContractError(
                404,
                f"Option symbol {symbol} not found in {underlying.options}. Symbol may not exist "
                "or master contract needs update.",
            )
        return row


def at_the_money(strikes: list[float], ltp: float) -> int:
    """Index of the strike nearest to ``ltp``; the lower one of two equally near."""
    return min(range(len(strikes)), key=lambda index: (abs(strikes[index] - ltp), index))


def _steps(offset: str, option_type: str) -> int | None:
    """Strikes up (+) or down (-) from at-the-money; None when the offset cannot be read."""
    match = _OFFSET.fullmatch(offset)
    if match is None or (match[1].upper() == "ATM") != (match[2] == ""):
        return None
    if not match[2]:
        return 0
    count = int(match[2])
    towards = 1 if match[1].upper() == "OTM" else -1
    return towards * count * (1 if option_type == "CE" else -1)


def _out_of_range(offset: str) -> ContractError:
    return ContractError(
        400,
        f"Offset {offset.upper()} is out of range for available strikes. "
        "Please use a smaller offset.",
    )
