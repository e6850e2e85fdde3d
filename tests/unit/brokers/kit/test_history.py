"""Candles: an operation of its own for an interval, and today's bar where the broker has none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import httpx
import msgspec
import pytest

from openalgo_desktop.brokers.kit.account.api import BrokerApi
from openalgo_desktop.brokers.kit.account.session import Session
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.kit.spec import IntervalRule, Op
from openalgo_desktop.brokers.zerodha import BROKER
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.errors import NetError
from openalgo_desktop.core.model import Instrument

SBIN = Instrument("SBIN", "NSE", token="1::::1", brsymbol="SBIN", brexchange="NSE")
NOW = datetime(2026, 11, 24, 11, 0, tzinfo=IST)
YESTERDAY = ["2026-11-23T00:00:00+0530", 790, 805, 785, 800, 5000]
TODAY = ["2026-11-24T00:00:00+0530", 1, 2, 1, 2, 3]
QUOTE = {
    "last_price": 812.0,
    "last_trade_time": "2026-11-24 10:59:59",
    "ohlc": {"open": 801.0, "high": 815.0, "low": 799.0, "close": 800.0},
    "volume": 1234,
}


def midnight(day: int) -> int:
    return int(datetime(2026, 11, day, tzinfo=UTC).timestamp())


async def daily(
    quote: Any, end: date = date(2026, 11, 24), candles: Any = (YESTERDAY,), status: int = 200
) -> tuple[list[list[float]], list[str]]:
    """Daily bars from the 23rd on, and the paths that were asked."""
    asked: list[str] = []

    def serve(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if request.url.path == "/quote":
            body = {"status": "success", "data": {"NSE:SBIN": quote} if quote else {}}
            return httpx.Response(status, json=body)
        return httpx.Response(200, json={"status": "success", "data": {"candles": list(candles)}})

    rule = IntervalRule("day", 100, "history_day", today_from_quote=True)
    can = msgspec.structs.replace(BROKER.spec.capabilities, intervals={Interval.DAY: rule})
    ops = {**BROKER.spec.ops, "history_day": Op(method="GET", path="/days")}
    spec = msgspec.structs.replace(BROKER.spec, capabilities=can, ops=ops)
    clock = ManualClock(NOW)
    session = Session({"api_key": "k", "access_token": "t"})
    rest = RestClient(spec, session, clock, transport=httpx.MockTransport(serve))
    api = BrokerApi(spec, rest, BrokerIndex([SBIN]), clock)
    bars = await api.history(SBIN.key, Interval.DAY, date(2026, 11, 23), end)
    await rest.close()
    columns: list[Callable[[], list[float]]] = [
        c.tolist for c in (bars.time, bars.open, bars.high, bars.low, bars.close, bars.volume)
    ]
    return [list(row) for row in zip(*(c() for c in columns), strict=True)], asked


async def test_todays_bar_is_made_of_the_quote() -> None:
    rows, asked = await daily(QUOTE)
    assert rows == [
        [midnight(23), 790, 805, 785, 800, 5000],
        [midnight(24), 801, 815, 799, 812, 1234],
    ]
    assert asked == ["/days", "/quote"]


async def test_a_range_that_ends_before_today_costs_no_quote() -> None:
    rows, asked = await daily(QUOTE, date(2026, 11, 23))
    assert len(rows) == 1 and asked == ["/days"]


async def test_the_broker_s_own_bar_of_today_stays() -> None:
    rows, asked = await daily(QUOTE, candles=(YESTERDAY, TODAY))
    assert rows[1] == [midnight(24), 1, 2, 1, 2, 3] and asked == ["/days"]


@pytest.mark.parametrize(
    "quote",
    [
        None,
        {**QUOTE, "last_trade_time": "2026-11-23 15:29:59"},  # no trading today
        {**QUOTE, "ohlc": {"open": 0, "high": 0, "low": 0, "close": 800.0}},
    ],
)
async def test_no_bar_of_a_day_without_trades(quote: Any) -> None:
    rows, _ = await daily(quote)
    assert len(rows) == 1


async def test_a_quote_that_fails_on_the_way_fails_the_request() -> None:
    with pytest.raises(NetError):
        await daily(QUOTE, status=502)
