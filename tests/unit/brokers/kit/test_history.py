"""Candles: an operation per interval, pieces, and the bar of today from the quote."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import httpx
import msgspec
import pytest

from openalgo_desktop.brokers.kit.account.api import BrokerApi
from openalgo_desktop.brokers.kit.account.session import Session
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.kit.spec import IntervalRule, Op, Pages, Rate, check
from openalgo_desktop.brokers.zerodha import BROKER
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.errors import NetError
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.ticks import Bars

FRIDAY = datetime(2026, 11, 27, 11, 0, tzinfo=IST)
KEY = ("NSE", "SBIN")
SBIN = Instrument("SBIN", "NSE", token="1", brsymbol="SBIN", brexchange="NSE")
DAYS = IntervalRule("day", 100, op="days", today_from_quote=True)
RULES = {Interval.M1: IntervalRule("1", 2), Interval.DAY: DAYS}
QUOTE = {
    "last_price": 812.5,
    "volume": 900,
    "last_trade_time": "2026-11-27 10:59:58",
    "ohlc": {"open": 810.0, "high": 815.0, "low": 808.0, "close": 805.0},
}
OLD = [["2026-11-26T00:00:00+05:30", 800, 806, 799, 805, 1000, 0]]
SPAN = {"from": "$from_epoch", "to": "$to_epoch"}


class Broker:
    """A server with candles and a quote; ``asked`` has the address and query of each request."""

    def __init__(self, at: datetime = FRIDAY, **ops: Op) -> None:
        self.clock = ManualClock(at)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.days: list[Any] = list(OLD)
        self.quote_status = 200
        self.quote: Mapping[str, Any] | None = QUOTE
        spec = msgspec.structs.replace(
            BROKER.spec,
            limits={n: (Rate(1000),) for n in BROKER.spec.limits if n != "history"},
            ops={
                **BROKER.spec.ops,
                "history": Op(method="GET", path="/minutes", query=SPAN),
                "days": Op(method="GET", path="/days", query={"from": "$from_ms", "to": "$to_ms"}),
                **ops,
            },
            capabilities=msgspec.structs.replace(BROKER.spec.capabilities, intervals=RULES),
        )
        assert check(spec, BROKER.api) == []
        session = Session({"api_key": "k", "access_token": "t"})
        session.open = True
        transport = httpx.MockTransport(self._serve)
        self.rest = RestClient(spec, session, self.clock, transport=transport)
        self.api = BrokerApi(spec, self.rest, BrokerIndex([SBIN]), self.clock)

    def _serve(self, request: httpx.Request) -> httpx.Response:
        query = dict(request.url.params)
        self.asked.append((request.url.path, query))
        if request.url.path == "/quote":
            if self.quote_status != 200:
                return httpx.Response(self.quote_status)
            data: Any = {"NSE:SBIN": self.quote}
        elif request.url.path == "/days":
            data = self.days
        else:
            data = self.minutes(query)
        return httpx.Response(200, json={"status": "success", "data": data})

    def minutes(self, query: Mapping[str, str]) -> list[Any]:
        """A candle at both ends of what was asked."""
        return [[int(query["from"]), 1, 2, 1, 2, 5, 0], [int(query["to"]) - 59, 1, 2, 1, 2, 5, 0]]

    async def day_bars(self, start: date | None = None, end: date | None = None) -> Bars:
        today = self.clock.now().date()
        return await self.api.history(
            KEY, Interval.DAY, start or today - timedelta(5), end or today
        )


def day(text: str) -> int:
    """Midnight UTC of a date."""
    return int(datetime.fromisoformat(text + "T00:00:00+00:00").timestamp())


async def test_an_interval_has_its_operation_and_pieces_meet() -> None:
    broker = Broker()
    first, last = date(2026, 11, 23), date(2026, 11, 27)
    found = await broker.api.history(KEY, Interval.M1, first, last)
    spans = [(int(query["from"]), int(query["to"])) for path, query in broker.asked]
    assert [path for path, _ in broker.asked] == ["/minutes"] * 3
    assert spans[0][0] == datetime(2026, 11, 23, tzinfo=IST).timestamp()
    assert spans[-1][1] == datetime(2026, 11, 27, 23, 59, 59, tzinfo=IST).timestamp()
    for (_, end), (begin, _) in pairwise(spans):
        assert begin == end + 1  # the last day of a piece is whole, and none is asked twice
    assert len(found) == 6 and sorted(found.time) == list(found.time)
    broker.asked.clear()
    await broker.day_bars(date(2026, 11, 25), date(2026, 11, 26))
    ((path, query),) = broker.asked
    assert path == "/days"
    assert int(query["from"]) == datetime(2026, 11, 25, tzinfo=IST).timestamp() * 1000
    assert int(query["to"]) == datetime(2026, 11, 27, tzinfo=IST).timestamp() * 1000 - 1


async def test_a_piece_in_pages() -> None:
    ops = {
        "history": Op(
            method="GET",
            path="/minutes",
            query={**SPAN, "page": "$page"},
            pages=Pages(value="page"),
        )
    }
    broker = Broker(**ops)
    rows = [[1795757400 + 60 * n, 1, 2, 1, 2, 5] for n in range(3)]

    def minutes(query: Mapping[str, str]) -> list[Any]:
        page = int(query["page"])
        return rows[(page - 1) * 2 : page * 2]

    broker.minutes = minutes  # type: ignore[method-assign]
    found = await broker.api.history(KEY, Interval.M1, FRIDAY.date(), FRIDAY.date())
    assert found.time.tolist() == [row[0] for row in rows]


async def test_the_bar_of_today_is_made_from_the_quote() -> None:
    broker = Broker()
    found = await broker.day_bars()
    assert found.time.tolist() == [day("2026-11-26"), day("2026-11-27")]
    last = [found.open[-1], found.high[-1], found.low[-1], found.close[-1], found.volume[-1]]
    assert last == [810.0, 815.0, 808.0, 812.5, 900]


async def test_it_is_not_made_twice_nor_for_other_ranges() -> None:
    broker = Broker()
    broker.days.append(["2026-11-27T00:00:00+05:30", 1, 2, 1, 2, 10, 0])
    assert (await broker.day_bars()).close.tolist() == [805, 2]
    broker = Broker()
    assert len(await broker.day_bars(end=date(2026, 11, 26))) == 1
    assert len(await broker.day_bars(date(2026, 11, 28), date(2026, 11, 30))) == 1
    assert {path for path, _ in broker.asked} == {"/days"}


@pytest.mark.parametrize(
    "change",
    [
        {"last_price": 0},
        {"ohlc": {"open": 0, "high": 0, "low": 0, "close": 805.0}},  # before the open
        {"last_trade_time": "2026-11-26 15:29:59"},  # a holiday, or before the open
        None,
    ],
)
async def test_a_day_without_trade_has_no_bar(change: dict[str, Any] | None) -> None:
    broker = Broker()
    broker.quote = None if change is None else {**QUOTE, **change}
    assert (await broker.day_bars()).time.tolist() == [day("2026-11-26")]


async def test_a_quote_without_a_time_that_is_the_last_bar_again_is_no_bar() -> None:
    quote = {**QUOTE, "last_trade_time": None, "volume": 1000}
    quote["ohlc"] = {"open": 800, "high": 806, "low": 799, "close": 790}
    broker = Broker()
    broker.quote = quote
    assert len(await broker.day_bars()) == 1
    broker.quote = {**quote, "volume": 1001}
    assert len(await broker.day_bars()) == 2
    sunday = Broker(FRIDAY + timedelta(days=2))
    sunday.quote = {**quote, "volume": 1001}  # a block deal after the close
    assert len(await sunday.day_bars()) == 1
    sunday.days.clear()
    assert len(await sunday.day_bars()) == 0


def test_the_validator_wants_the_operations_and_days_only() -> None:
    spec = Broker().rest.spec
    ops = {name: op for name, op in spec.ops.items() if name != "days"}
    assert check(msgspec.structs.replace(spec, ops=ops), BROKER.api) == ["ops: days missing"]
    rules = {Interval.M1: IntervalRule("1", 2, today_from_quote=True)}
    can = msgspec.structs.replace(spec.capabilities, intervals=rules)
    said = check(msgspec.structs.replace(spec, capabilities=can), BROKER.api)
    assert any("no bar of today" in text for text in said)


async def test_a_lost_piece_is_the_loss_of_all() -> None:
    broker = Broker()
    served = broker.minutes

    def minutes(query: Mapping[str, str]) -> list[Any]:
        if len(broker.asked) == 2:
            raise httpx.ReadError("gone")
        return served(query)

    broker.minutes = minutes  # type: ignore[method-assign]
    with pytest.raises(NetError):
        await broker.api.history(KEY, Interval.M1, date(2026, 11, 23), date(2026, 11, 27))


async def test_a_quote_that_fails_on_the_way_fails_the_request() -> None:
    broker = Broker()
    broker.quote_status = 502
    with pytest.raises(NetError):
        await broker.day_bars()
