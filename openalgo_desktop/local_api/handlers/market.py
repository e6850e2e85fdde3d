"""Quotes, depth and candles."""

from __future__ import annotations

import asyncio
import math
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.errors import AppError, NoHistory, SymbolUnknown
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Bars, Tick
from openalgo_desktop.local_api.context import ApiContext
from openalgo_desktop.local_api.handlers import shapes
from openalgo_desktop.local_api.table import TEXT_TYPE, ApiError, Call, Pieces, Reply

#: Candles and days of one history request at most.
MAX_CANDLES = 500_000
MAX_DAYS = 20_000
SESSION_SECONDS = 22_500
#: How far after today a range may end; sources reckon with days around it.
_AHEAD = timedelta(days=400)
#: Candles that are encoded before other work gets its turn; about 2 ms.
_CHUNK = 1000
#: Keys of the intervals answer, by the last letter of the interval.
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "D": "days", "W": "weeks", "M": "months"}


def known_key(call: Call, symbol: str, exchange: str) -> Key:
    """The key of a known instrument; raises :class:`SymbolUnknown`."""
    return call.ctx.instruments.require(symbol, exchange).key


async def quotes(call: Call) -> dict[str, Any]:
    key = known_key(call, call.data["symbol"], call.data["exchange"])
    return {"status": "success", "data": shapes.quote_data(await call.ctx.hub.snapshot(key))}


async def depth(call: Call) -> dict[str, Any]:
    key = known_key(call, call.data["symbol"], call.data["exchange"])
    return {"status": "success", "data": shapes.depth_data(await call.ctx.hub.depth(key))}


async def history(call: Call) -> Reply:
    data = call.data
    key = known_key(call, data["symbol"], data["exchange"])
    if data["source"] == "db":
        raise ApiError(
            404,
            f"No data found for {key[1]}:{key[0]} interval {data['interval']} in local database. "
            "Download data first using Historify.",
        )
    interval, start, end = data["interval"], data["start_date"], data["end_date"]
    _check_order(start, end, "start_date", "end_date")
    if (end - start).days > (longest := longest_range(interval)):
        raise ApiError(
            400, f"The range is too long for interval {interval}: {longest} days at most."
        )
    return await _answer(await candles(call, key, interval, start, end))


def _check_order(start: date, end: date, first: str, last: str) -> None:
    if start > end:
        raise ApiError(
            400, f"The range is reversed: {first} {start} is after {last} {end}. Swap them."
        )


def longest_range(interval: str) -> int:
    """Days that one request may span: some 500,000 candles of a cash session."""
    seconds = Interval(interval).seconds
    return math.ceil(MAX_CANDLES * seconds / SESSION_SECONDS) if seconds else MAX_DAYS


async def _answer(bars: Bars) -> Reply:
    """Candles as JSON, made in parts so that a long answer does not hold up others."""
    parts: list[bytes] = []
    for first in range(0, len(bars), _CHUNK):
        rows = shapes.candle_rows(bars, first, first + _CHUNK)
        parts.append(msgspec.json.encode(rows)[1:-1])
        await asyncio.sleep(0)
    return Reply(Pieces.of(b'{"status":"success","data":[', parts, b"]}"))


async def candles(call: Call, key: Key, interval: str, start: Any, end: Any) -> Bars:
    """Candles of an inclusive date range; none when it ends before it begins."""
    hub = call.ctx.hub
    if interval not in hub.intervals():
        raise ApiError(500, f"Error fetching historical data: Unsupported timeframe: {interval}")
    end = min(end, call.ctx.clock.now().date() + _AHEAD)
    if end < start:
        return Bars.empty()
    try:
        return await hub.history(key, Interval(interval), start, end)
    except NoHistory:
        return Bars.empty()
    except AppError as error:
        raise ApiError(
            error.http_status, f"Error fetching historical data: {error.message}"
        ) from error


async def intervals(call: Call) -> dict[str, Any]:
    groups: dict[str, list[str]] = {name: [] for name in _UNITS.values()}
    for interval in sorted(call.ctx.hub.intervals(), key=lambda i: i.seconds):
        group = _UNITS.get(interval.value[-1])
        if group is not None:
            groups[group].append(interval.value)
    return {"status": "success", "data": groups}


async def multiquotes(call: Call) -> dict[str, Any]:
    bad: list[dict[str, Any]] = []
    good: list[Key] = []
    for item in call.data["symbols"]:
        try:
            key = known_key(call, item["symbol"], item["exchange"])
        except SymbolUnknown as error:
            bad.append(
                {"symbol": item["symbol"], "exchange": item["exchange"], "error": error.message}
            )
            continue
        if key not in good:
            good.append(key)
    if not good:
        raise ApiError(400, bad[0]["error"], invalid_symbols=bad)
    ticks = await call.services.chains.ticks(good)
    rows: list[dict[str, Any]] = []
    for exchange, symbol in good:
        row: dict[str, Any] = {"symbol": symbol, "exchange": exchange}
        tick = ticks.get((exchange, symbol))
        if isinstance(tick, Tick):
            row["data"] = shapes.quote_data(tick)
        else:
            row["error"] = tick.message if tick is not None else "No quote available"
        rows.append(row)
    return {"status": "success", "results": bad + rows}


# -- ticker ---------------------------------------------------------------------------------
#: Longest range in days before ``to``.
_TICKER_DAYS = {"D": 3650, "W": 3650, "M": 3650}
_TICKER_DAYS_INTRADAY = 30


def ticker_fields(ctx: ApiContext, query: dict[str, Any], path: str) -> dict[str, Any]:
    """Fields of the history schema from a ticker request."""
    exchange, colon, symbol = path.partition(":")
    if not colon or ":" in symbol or not exchange or not symbol:
        raise ApiError(400, "Give the symbol as EXCHANGE:SYMBOL, for example NSE:SBIN.")
    fields = {name: query[name] for name in ("interval", "format") if name in query}
    return fields | {
        "apikey": query.get("apikey"),
        "symbol": symbol,
        "exchange": exchange,
        "start_date": query.get("from"),
        "end_date": query.get("to"),
    }


async def ticker(call: Call) -> Reply:
    data = call.data
    key = known_key(call, data["symbol"], data["exchange"])
    interval, end = data["interval"], data["end_date"]
    _check_order(data["start_date"], end, "from", "to")
    longest = _TICKER_DAYS.get(interval, _TICKER_DAYS_INTRADAY)
    first = date.fromordinal(max(1, end.toordinal() - longest))
    bars = await candles(call, key, interval, max(data["start_date"], first), end)
    if data["format"] != "txt":
        return await _answer(bars)
    name = f"{key[0]}:{key[1]}"
    intraday = Interval(interval).is_intraday
    lines = [_text_candle(name, row, intraday) for row in shapes.candle_rows(bars)]
    return Reply("\n".join(lines).encode(), content_type=TEXT_TYPE)


def _text_candle(name: str, row: dict[str, float | int], intraday: bool) -> str:
    # A day and longer is labelled by its date at midnight UTC.
    at = datetime.fromtimestamp(row["timestamp"], IST if intraday else UTC)
    stamp = at.strftime("%Y-%m-%d,%H:%M:%S" if intraday else "%Y-%m-%d")
    prices = ",".join(str(row[field]) for field in ("open", "high", "low", "close", "volume"))
    return f"{name},{stamp},{prices}"
