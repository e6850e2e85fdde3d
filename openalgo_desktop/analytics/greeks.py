"""Greeks of single options, as clients ask for them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, time
from typing import Any

import msgspec

from openalgo_desktop.analytics.chain import ChainBook, PriceMemo
from openalgo_desktop.analytics.contracts import (
    NO_SPOT,
    ContractError,
    Underlying,
    expiry_moment,
)
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Key, Tick
from openalgo_desktop.core.options_math import (
    MIN_YEARS,
    SECONDS_PER_YEAR,
    greeks,
    implied_volatility,
)
from openalgo_desktop.core.symbols import MONTHS, ParsedSymbol, format_expiry, parse, spot_exchange

_DAY = 86_400.0


class GreeksRequest(msgspec.Struct, frozen=True):
    """One option and how to value it. ``rate`` is per cent, 0 when absent."""

    symbol: str
    exchange: str
    rate: float | None = None
    forward: float = 0.0
    underlying_symbol: str = ""
    underlying_exchange: str = ""
    expiry_time: str = ""


class GreeksDesk:
    """Answers greeks requests from current prices."""

    def __init__(self, book: ChainBook, instruments: InstrumentTable, clock: Clock) -> None:
        self._book = book
        self._instruments = instruments
        self._clock = clock

    async def one(self, request: GreeksRequest) -> dict[str, Any]:
        """The answer for one option; raises :class:`ContractError`."""
        return await self._one(request, PriceMemo(self._book), expired_ok=False)

    async def _one(
        self, request: GreeksRequest, prices: PriceMemo, *, expired_ok: bool
    ) -> dict[str, Any]:
        parts, seconds = self._parse(request)
        answer = self._head(request, parts, seconds)
        if seconds <= 0:
            return self._expired(answer, parts, expired_ok)
        option = await self._quote(request, prices)
        forward = request.forward or await self._forward(request, parts, prices)
        return answer | valued(parts, forward, option.ltp, seconds, request.rate or 0.0)

    def _parse(self, request: GreeksRequest) -> tuple[ParsedSymbol, float]:
        problem = f"Failed to get option Greeks: Failed to parse option symbol {request.symbol}: "
        parts = parse(request.symbol)
        if parts.kind not in ("CE", "PE") or parts.expiry is None:
            raise ContractError(400, f"{problem}Invalid option symbol format: {request.symbol}")
        at: time | None = None
        if request.expiry_time:
            try:
                hours, minutes = request.expiry_time.split(":")
                at = time(int(hours), int(minutes))
            except ValueError:
                raise ContractError(
                    400,
                    f"{problem}Invalid expiry_time format: {request.expiry_time}. Use HH:MM format "
                    "(e.g., '15:30', '19:00')",
                ) from None
        moment = expiry_moment(parts.expiry, request.exchange, at)
        return parts, moment.timestamp() - self._clock.time()

    @staticmethod
    def _head(request: GreeksRequest, parts: ParsedSymbol, seconds: float) -> dict[str, Any]:
        assert parts.expiry is not None
        return {
            "status": "success",
            "symbol": request.symbol,
            "exchange": request.exchange,
            "underlying": parts.base,
            "strike": parts.strike,
            "option_type": parts.kind,
            "expiry_date": _long_date(parts.expiry),
            "days_to_expiry": round(max(0.0, seconds) / _DAY, 4),
            "interest_rate": 0 if request.rate is None else request.rate,
        }

    @staticmethod
    def _expired(answer: dict[str, Any], parts: ParsedSymbol, expired_ok: bool) -> dict[str, Any]:
        note = f"Option has expired on {answer['expiry_date']}"
        if not expired_ok:
            raise ContractError(400, note)
        return answer | {
            "spot_price": 0.0,
            "option_price": 0.0,
            "implied_volatility": 0,
            "greeks": dict.fromkeys(("delta", "gamma", "theta", "vega", "rho"), 0),
            "note": note,
        }

    async def _quote(self, request: GreeksRequest, prices: PriceMemo) -> Tick:
        key = (request.exchange, request.symbol)
        tick = await self._tick(key, prices, "Failed to fetch option price: ")
        if not tick.ltp:
            raise ContractError(404, "Option LTP not available")
        return tick

    async def _tick(self, key: Key, prices: PriceMemo, problem: str) -> Tick:
        try:
            self._instruments.require(key[1], key[0])
            found = (await prices.ticks([key]))[key]
        except AppError as error:
            raise ContractError(error.http_status, problem + error.message) from None
        if isinstance(found, Tick):
            return found
        raise ContractError(found.http_status, problem + found.message)

    async def _forward(
        self, request: GreeksRequest, parts: ParsedSymbol, prices: PriceMemo
    ) -> float:
        """The synthetic future of the expiry; else the price of the underlying."""
        key = self._underlying_key(request, parts)
        tick = await self._tick(key, prices, "Failed to fetch underlying price: ")
        if not tick.ltp:
            raise ContractError(404, "Underlying LTP not available")
        if request.underlying_symbol or parts.expiry is None:
            return tick.ltp
        underlying = Underlying(
            parts.base, parts.base, request.exchange, key, parts.expiry, format_expiry(parts.expiry)
        )
        try:
            _, _, forward = await self._book.synthetic(underlying, prices)
        except ContractError:
            return tick.ltp
        return forward

    def _underlying_key(self, request: GreeksRequest, parts: ParsedSymbol) -> Key:
        symbol = request.underlying_symbol or parts.base
        if request.underlying_exchange:
            return (request.underlying_exchange, symbol)
        if not request.underlying_symbol and request.exchange in NO_SPOT:
            today = self._clock.now().date()
            near = self._book.contracts.underlying(
                parts.base, request.exchange, format_expiry(parts.expiry or today), today
            )
            return near.quoted
        return (spot_exchange(symbol, request.exchange), symbol)

    async def many(self, requests: Sequence[GreeksRequest]) -> list[dict[str, Any]]:
        """Answers in request order; a failure is a row with status ``error``."""
        # All options in one batch; what they share (the two at-the-money ones) is asked once.
        prices = PriceMemo(self._book)
        await prices.ticks(
            [key for r in requests if self._instruments.get(key := (r.exchange, r.symbol))]
        )
        rows: list[dict[str, Any]] = []
        for request in requests:
            try:
                rows.append(await self._one(request, prices, expired_ok=True))
            except AppError as error:
                rows.append(
                    {
                        "status": "error",
                        "symbol": request.symbol,
                        "exchange": request.exchange,
                        "message": error.message,
                    }
                )
        return rows


def valued(
    parts: ParsedSymbol, forward: float, premium: float, seconds: float, rate_percent: float
) -> dict[str, Any]:
    """Volatility and greeks by Black-76 on ``forward``, rounded as clients expect."""
    call = parts.kind == "CE"
    rate = rate_percent / 100.0
    years = max(seconds / SECONDS_PER_YEAR, MIN_YEARS)
    result: dict[str, Any] = {"spot_price": round(forward, 2), "option_price": round(premium, 2)}
    sigma = float(implied_volatility(premium, forward, parts.strike, years, rate, call))
    if not math.isfinite(sigma) or sigma <= 0.0:
        intrinsic = max(0.0, forward - parts.strike if call else parts.strike - forward)
        moves = (1 if call else -1) if intrinsic > 0 else 0
        return result | {
            "implied_volatility": 0,
            "greeks": {"delta": moves, "gamma": 0, "theta": 0, "vega": 0, "rho": 0},
            "intrinsic_value": round(intrinsic, 2),
            "time_value": round(premium - intrinsic, 2),
            "note": "The price holds no time value that a volatility could explain.",
        }
    g = greeks(forward, parts.strike, years, sigma, rate, call)
    return result | {
        "implied_volatility": round(sigma * 100.0, 2),
        "greeks": {
            "delta": round(float(g.delta), 4),
            "gamma": round(float(g.gamma), 6),
            "theta": round(float(g.theta), 4),
            "vega": round(float(g.vega), 4),
            "rho": round(float(g.rho), 6),
        },
    }


def _long_date(day: date) -> str:
    return f"{day.day:02d}-{MONTHS[day.month - 1].title()}-{day.year}"
