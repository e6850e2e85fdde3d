"""Greeks of single options, as clients ask for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time
from typing import Any, NamedTuple

import msgspec
import numpy as np

from openalgo_desktop.analytics.chain import ChainBook, PriceMemo
from openalgo_desktop.analytics.contracts import (
    ContractError,
    Underlying,
    expiry_moment,
)
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.money import priced
from openalgo_desktop.core.numbers import is_digits
from openalgo_desktop.core.options_math import (
    MIN_YEARS,
    SECONDS_PER_YEAR,
    greeks,
    implied_volatility,
)
from openalgo_desktop.core.symbols import MONTHS, ParsedSymbol, format_expiry, parse, spot_exchange
from openalgo_desktop.core.ticks import Tick

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


class _Unlisted(ContractError):
    """The master does not have the option or its underlying; ``short`` is how a batch, whose
    prices come together, says it."""

    def __init__(self, error: AppError, problem: str, short: str) -> None:
        super().__init__(error.http_status, problem + error.message)
        self.short = short


class GreeksDesk:
    """Answers greeks requests from current prices."""

    def __init__(self, book: ChainBook, instruments: InstrumentTable, clock: Clock) -> None:
        self._book = book
        self._instruments = instruments
        self._clock = clock

    async def one(self, request: GreeksRequest) -> dict[str, Any]:
        """The answer for one option; raises :class:`ContractError`."""
        parts, seconds = self._parse(request)
        answer = self._head(request, parts, seconds)
        if seconds <= 0:
            raise ContractError(400, f"Option has expired on {answer['expiry_date']}")
        task = await self._task(request, parts, seconds, PriceMemo(self._book))
        return answer | valued([task], request.rate or 0.0)[0]

    async def _task(
        self, request: GreeksRequest, parts: ParsedSymbol, seconds: float, prices: PriceMemo
    ) -> Task:
        """The prices that the greeks of one option rest on."""
        option = await self._quote(request, prices)
        forward = request.forward or await self._forward(request, parts, prices)
        return Task(parts.kind == "CE", parts.strike, forward, option.ltp, seconds)

    def _parse(self, request: GreeksRequest) -> tuple[ParsedSymbol, float]:
        problem = f"Failed to get option Greeks: Failed to parse option symbol {request.symbol}: "
        parts = parse(request.symbol.upper())  # whether it is listed so is asked with its price
        if parts.kind not in ("CE", "PE") or parts.expiry is None:
            raise ContractError(400, f"{problem}Invalid option symbol format: {request.symbol}")
        at: time | None = None
        if request.expiry_time:
            try:
                hours, minutes = request.expiry_time.split(":")
                if not (is_digits(hours) and is_digits(minutes)):
                    raise ValueError(request.expiry_time)
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

    async def _quote(self, request: GreeksRequest, prices: PriceMemo) -> Tick:
        return await self._tick((request.exchange, request.symbol), prices, "option")

    async def _tick(self, key: Key, prices: PriceMemo, what: str) -> Tick:
        """The price of the option or of the ``underlying``, above 0."""
        problem, missing = f"Failed to fetch {what} price: ", f"{what.title()} LTP not available"
        try:
            self._instruments.require(key[1], key[0])
        except AppError as error:
            raise _Unlisted(error, problem, missing) from None
        found: Tick | AppError
        try:
            found = (await prices.ticks([key]))[key]
        except AppError as error:
            found = error
        if not isinstance(found, Tick):
            raise ContractError(found.http_status, problem + found.message)
        if not found.ltp:
            raise ContractError(404, missing)
        return found

    async def _forward(
        self, request: GreeksRequest, parts: ParsedSymbol, prices: PriceMemo
    ) -> float:
        """As :meth:`ChainBook.forward`; the price of another underlying where one is named."""
        assert parts.expiry is not None
        own = self._own_key(request, parts)
        named = self._named_key(request, parts, own)
        key = named or own
        tick = await self._tick(key, prices, "underlying")
        if named is not None:
            return tick.ltp
        underlying = Underlying(
            parts.base, parts.base, request.exchange, key, parts.expiry, format_expiry(parts.expiry)
        )
        return await prices.forward(underlying)

    def _own_key(self, request: GreeksRequest, parts: ParsedSymbol) -> Key:
        """Where the price of the contract's own underlying comes from."""
        today = self._clock.now().date()
        return self._book.contracts.price_key(parts.base, request.exchange, today)

    @staticmethod
    def _named_key(request: GreeksRequest, parts: ParsedSymbol, own: Key) -> Key | None:
        """The underlying that the request names; None where it is the contract's own."""
        symbol = request.underlying_symbol or parts.base
        exchange = request.underlying_exchange
        if symbol == parts.base and exchange in ("", own[0], request.exchange):
            return None
        return (exchange or spot_exchange(symbol, request.exchange), symbol)

    async def many(self, requests: Sequence[GreeksRequest]) -> list[dict[str, Any]]:
        """Answers in request order; a failure is a row with status ``error``. All options are
        asked for in one batch and solved in one pass, as those of a chain."""
        prices = PriceMemo(self._book)
        await prices.ticks(
            [key for r in requests if self._instruments.get(key := (r.exchange, r.symbol))]
        )
        rows: list[dict[str, Any]] = []
        tasks: dict[float, list[tuple[int, Task]]] = {}
        for place, request in enumerate(requests):
            try:
                parts, seconds = self._parse(request)
                rows.append(self._head(request, parts, seconds))
                if seconds <= 0:
                    rows[place] |= _expired(rows[place]["expiry_date"])
                    continue
                task = await self._task(request, parts, seconds, prices)
                tasks.setdefault(request.rate or 0.0, []).append((place, task))
            except AppError as error:
                rows[place:] = [_failed(request, error)]
        for rate, some in tasks.items():
            found = valued([task for _, task in some], rate)
            for (place, _), values in zip(some, found, strict=True):
                rows[place] |= values
        return rows


def _failed(request: GreeksRequest, error: AppError) -> dict[str, Any]:
    return {
        "status": "error",
        "symbol": request.symbol,
        "exchange": request.exchange,
        "message": error.short if isinstance(error, _Unlisted) else error.message,
    }


def _expired(day: str) -> dict[str, Any]:
    return {
        "spot_price": 0.0,
        "option_price": 0.0,
        "implied_volatility": 0,
        "greeks": dict.fromkeys(("delta", "gamma", "theta", "vega", "rho"), 0),
        "note": f"Option has expired on {day}",
    }


class Task(NamedTuple):
    """One option to value: prices in rupees, ``seconds`` to its expiry."""

    call: bool
    strike: float
    forward: float
    premium: float
    seconds: float


def valued(tasks: Sequence[Task], rate_percent: float) -> list[dict[str, Any]]:
    """Volatility and greeks by Black-76 on the forward, rounded as clients expect; one pass over
    all of them."""
    if not tasks:
        return []
    rate = rate_percent / 100.0
    calls = np.array([task.call for task in tasks])
    strikes, forwards, premiums, seconds = np.array([task[1:] for task in tasks]).T
    years = np.maximum(seconds / SECONDS_PER_YEAR, MIN_YEARS)
    sigma = np.asarray(implied_volatility(premiums, forwards, strikes, years, rate, calls))
    solved = np.isfinite(sigma) & (sigma > 0)
    g = greeks(forwards, strikes, years, np.where(solved, sigma, 0.2), rate, calls)
    columns = [sigma * 100.0, g.delta, g.gamma, g.theta, g.vega, g.rho]
    numbers = zip(*(np.asarray(column).tolist() for column in columns), strict=True)
    return [
        _solved(task, *row) if good else _without_time_value(task)
        for task, row, good in zip(tasks, numbers, solved.tolist(), strict=True)
    ]


def _solved(
    task: Task,
    iv: float,
    delta: float,
    gamma: float,
    theta: float,
    vega: float,
    rho: float,
) -> dict[str, Any]:
    return {
        "spot_price": priced(task.forward),
        "option_price": priced(task.premium),
        "implied_volatility": round(iv, 2),
        "greeks": {
            "delta": round(delta, 4),
            "gamma": round(gamma, 6),
            "theta": round(theta, 4),
            "vega": round(vega, 4),
            "rho": round(rho, 6),
        },
    }


def _without_time_value(task: Task) -> dict[str, Any]:
    gain = task.forward - task.strike if task.call else task.strike - task.forward
    intrinsic = max(0.0, gain)
    moves = (1 if task.call else -1) if intrinsic > 0 else 0
    return {
        "spot_price": priced(task.forward),
        "option_price": priced(task.premium),
        "implied_volatility": 0,
        "greeks": {"delta": moves, "gamma": 0, "theta": 0, "vega": 0, "rho": 0},
        "intrinsic_value": priced(intrinsic),
        "time_value": priced(task.premium - intrinsic),
        "note": "The price holds no time value that a volatility could explain.",
    }


def _long_date(day: date) -> str:
    return f"{day.day:02d}-{MONTHS[day.month - 1].title()}-{day.year}"
