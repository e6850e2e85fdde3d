"""Quotes, depth and candles."""

from __future__ import annotations

from typing import Any

from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.errors import AppError, NoHistory
from openalgo_desktop.core.model import Bars, Key
from openalgo_desktop.local_api.handlers import shapes
from openalgo_desktop.local_api.table import ApiError, Call

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


async def history(call: Call) -> dict[str, Any]:
    data = call.data
    key = known_key(call, data["symbol"], data["exchange"])
    if data["source"] == "db":
        raise ApiError(
            404,
            f"No data found for {key[1]}:{key[0]} interval {data['interval']} in local database. "
            "Download data first using Historify.",
        )
    bars = await candles(call, key, data["interval"], data["start_date"], data["end_date"])
    return {"status": "success", "data": shapes.candle_rows(bars)}


async def candles(call: Call, key: Key, interval: str, start: Any, end: Any) -> Bars:
    """Candles of an inclusive date range; none when it ends before it begins."""
    hub = call.ctx.hub
    if interval not in hub.intervals():
        raise ApiError(500, f"Error fetching historical data: Unsupported timeframe: {interval}")
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
