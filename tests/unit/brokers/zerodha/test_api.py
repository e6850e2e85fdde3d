"""Hooks of Zerodha that the recordings do not reach."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qs

import httpx
import msgspec
import pytest

from openalgo_desktop.brokers.kit.account.session import Session
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.kit.spec import MasterFile
from openalgo_desktop.brokers.zerodha import BROKER
from openalgo_desktop.brokers.zerodha.api import KiteApi
from openalgo_desktop.brokers.zerodha.master import read_row
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.conversion import ConvertRequest
from openalgo_desktop.core.enums import (
    Action,
    GttType,
    OrderStatus,
    PriceType,
    Product,
)
from openalgo_desktop.core.errors import DataError, InvalidOrder, OrderNotFound
from openalgo_desktop.core.gtt import GttRequest
from openalgo_desktop.core.model import Instrument, ModifyRequest

SBIN = Instrument("SBIN", "NSE", token="779521::::3045", brsymbol="SBIN", brexchange="NSE")
NOW = datetime(2026, 12, 1, 13, 30, tzinfo=IST)
ORDER = {
    "order_id": "1",
    "status": "OPEN",
    "variety": "regular",
    "exchange": "NSE",
    "tradingsymbol": "SBIN",
    "order_type": "LIMIT",
    "transaction_type": "BUY",
    "product": "CNC",
    "quantity": 10,
    "price": 800.0,
    "trigger_price": 0,
    "disclosed_quantity": 0,
    "filled_quantity": 4,
    "average_price": 799.5,
    "order_timestamp": "2026-12-01 10:00:00",
    "tag": "T1",
}


class Kite:
    """Kite as a function: replies by path, requests kept."""

    def __init__(self, **replies: Any) -> None:
        self.replies = {"/orders": [ORDER]} | replies
        self.sent: list[httpx.Request] = []
        session = Session({"api_key": "key", "access_token": "token"})
        rest = RestClient(
            BROKER.spec, session, ManualClock(NOW), transport=httpx.MockTransport(self._serve)
        )
        self.api = KiteApi(BROKER.spec, rest, BrokerIndex([SBIN]), ManualClock(NOW))

    def _serve(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        reply = self.replies.get(request.url.path, {"order_id": "1", "trigger_id": 7})
        return httpx.Response(200, json={"status": "success", "data": reply})

    @property
    def last(self) -> tuple[str, str, dict[str, str]]:
        """Method, path and form of the last request."""
        request = self.sent[-1]
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        return request.method, request.url.path, form


@pytest.mark.parametrize("variety", ["regular", "amo", "co", "iceberg"])
async def test_an_order_is_changed_under_its_own_variety(variety: str) -> None:
    kite = Kite(**{"/orders": [ORDER | {"variety": variety}]})
    await kite.api.orders()
    await kite.api.cancel("1")
    assert kite.last[:2] == ("DELETE", f"/orders/{variety}/1")
    await kite.api.modify(ModifyRequest("1", price=801.0))
    method, path, form = kite.last
    assert (method, path) == ("PUT", f"/orders/{variety}/1")
    assert form["price"] == "801" and form["quantity"] == "10" and form["order_type"] == "LIMIT"


async def test_a_modification_takes_the_rest_from_the_book() -> None:
    kite = Kite()
    await kite.api.modify(ModifyRequest("1", quantity=20))
    assert [r.url.path for r in kite.sent] == ["/orders", "/orders/regular/1"]
    assert kite.last[2] == {
        "order_type": "LIMIT",
        "quantity": "20",
        "price": "800",
        "trigger_price": "0",
        "disclosed_quantity": "0",
        "validity": "DAY",
    }
    with pytest.raises(OrderNotFound):
        await kite.api.modify(ModifyRequest("2", quantity=20))


@pytest.mark.parametrize(
    ("text", "status", "settling"),
    [
        ("COMPLETE", OrderStatus.COMPLETE, False),
        ("CANCELLED AMO", OrderStatus.CANCELLED, False),
        ("TRIGGER PENDING", OrderStatus.TRIGGER_PENDING, False),
        ("AMO REQ RECEIVED", OrderStatus.OPEN, False),
        ("MODIFY PENDING", OrderStatus.OPEN, True),
        ("PUT ORDER REQ RECEIVED", OrderStatus.OPEN, True),
        ("UPDATE", OrderStatus.OPEN, True),
        ("SOMETHING NEW", OrderStatus.UNKNOWN, False),
    ],
)
def test_statuses(text: str, status: OrderStatus, settling: bool) -> None:
    (order,) = Kite().api.read_orders([ORDER | {"status": text}])
    assert (order.status, order.settling) == (status, settling)


def test_what_is_not_in_the_vocabulary_is_shown() -> None:
    row = ORDER | {"product": "MTF", "tradingsymbol": "NEWNAME", "pending_quantity": 6}
    (order,) = Kite().api.read_orders([row])
    assert (order.product, order.symbol) == ("MTF", "NEWNAME")
    assert (order.pending_quantity, order.filled_quantity) == (6, 4)
    assert order.placed_at == datetime(2026, 12, 1, 10, 0, tzinfo=IST)


SINGLE = GttRequest(
    trigger_type=GttType.SINGLE,
    symbol="SBIN",
    exchange="NSE",
    action=Action.BUY,
    quantity=5,
    product=Product.CNC,
    price=790.0,
    trigger_below=791.0,
    last_price=800.0,
)


async def test_a_market_leg_becomes_a_protected_limit() -> None:
    kite = Kite()
    market = msgspec.structs.replace(SINGLE, price_type=PriceType.MARKET, price=0.0)
    ack = await kite.api.gtt_place(market, "T")
    assert ack.order_id == "7"
    (leg,) = json.loads(kite.last[2]["orders"])
    assert (leg["order_type"], leg["price"]) == ("LIMIT", 794.95)  # 791 + 0.5 %, on the tick


async def test_the_last_price_is_asked_when_it_is_not_given() -> None:
    kite = Kite(**{"/quote": {"NSE:SBIN": {"last_price": 812.3, "ohlc": {}}}})
    await kite.api.gtt_place(msgspec.structs.replace(SINGLE, last_price=0.0), "T")
    assert [r.url.path for r in kite.sent] == ["/quote", "/gtt/triggers"]
    assert json.loads(kite.last[2]["condition"])["last_price"] == 812.3


@pytest.mark.parametrize(
    "changes",
    [
        {"trigger_below": 0.0},
        {"trigger_above": 800.0},
        {"trigger_type": GttType.OCO},
        {"trigger_type": GttType.OCO, "trigger_below": 810.0, "trigger_above": 790.0},
    ],
)
async def test_triggers_that_do_not_fit_are_refused_here(changes: dict[str, Any]) -> None:
    kite = Kite()
    with pytest.raises(InvalidOrder):
        await kite.api.gtt_place(msgspec.structs.replace(SINGLE, **changes), "T")
    assert kite.sent == []


async def test_history_ends_with_the_range() -> None:
    kite = Kite()
    bars = await kite.api.history(
        ("NSE", "SBIN"), next(iter(kite.api.intervals())), date(2026, 12, 2), date(2026, 12, 1)
    )
    assert len(bars) == 0 and kite.sent == []


@pytest.mark.parametrize(
    ("row", "symbol", "exchange", "kind"),
    [
        ("1,1,BAJAJ-AUTO,BAJAJ AUTO,0,,0,0.05,1,EQ,NSE,NSE", "BAJAJ-AUTO", "NSE", "EQ"),
        ("1,1,M&M26DECFUT,M&M,0,2026-12-29,0,0.1,200,FUT,NFO-FUT,NFO",
         "M&M29DEC26FUT", "NFO", "FUT"),
        ("1,1,NIFTY NEXT 50,NIFTY NEXT 50,0,,0,0,0,EQ,INDICES,NSE",
         "NIFTYNXT50", "NSE_INDEX", "INDEX"),
        ("1,1,USDINR26DEC84.25CE,USDINR,0,2026-12-29,84.25,0.0025,1000,CE,CDS-OPT,CDS",
         "USDINR29DEC2684.25CE", "CDS", "CE"),
        ("1,1,GOLD GUINEA26DECFUT,GOLD GUINEA,0,2026-12-29,0,1,8,FUT,NCO-FUT,NCO",
         "GOLDGUINEA29DEC26FUT", "NCO", "FUT"),
    ],
)  # fmt: skip
def test_rows_of_the_master(row: str, symbol: str, exchange: str, kind: str) -> None:
    names = "instrument_token exchange_token tradingsymbol name last_price expiry strike tick_size"
    columns = [*names.split(), "lot_size", "instrument_type", "segment", "exchange"]
    instrument = read_row(dict(zip(columns, row.split(","), strict=True)), MasterFile(path="/"))
    assert instrument is not None
    assert (instrument.symbol, instrument.exchange) == (symbol, exchange)
    assert instrument.instrument_type == kind
    assert instrument.lot_size >= 1 and instrument.tick_size > 0


def test_segments_that_are_not_offered_are_left_out() -> None:
    row = {"exchange": "XYZ", "segment": "XYZ", "instrument_type": "EQ", "tradingsymbol": "A"}
    assert read_row(row, MasterFile(path="/")) is None


async def test_no_result_of_the_day_from_a_part_of_the_positions() -> None:
    row = {"exchange": "NSE", "tradingsymbol": "SBIN", "product": "MIS", "quantity": 0,
           "average_price": 0, "pnl": 500, "buy_value": 1000, "sell_value": 1500}  # fmt: skip
    kite = Kite(**{"/user/margins": {}, "/portfolio/positions": {"net": [row]}})
    assert (await kite.api.funds()).m2m_realised == 500
    odd = {**row, "sell_value": "x"}
    kite = Kite(**{"/user/margins": {}, "/portfolio/positions": {"net": [row, odd]}})
    with pytest.raises(DataError, match="cannot be read whole"):
        await kite.api.funds()


@pytest.mark.parametrize(("carried", "kind"), [(0, "day"), (10, "overnight"), (4, "")])
async def test_a_conversion_says_whether_the_units_were_carried_over(
    carried: int, kind: str
) -> None:
    row = {"tradingsymbol": "SBIN", "exchange": "NSE", "product": "CNC", "quantity": 10}
    kite = Kite(**{"/portfolio/positions": {"net": [row | {"overnight_quantity": carried}]}})
    asked = ConvertRequest("SBIN", "NSE", Action.BUY, 10, Product.CNC, Product.MIS, 10)
    if not kind:
        with pytest.raises(InvalidOrder, match="carried over in part"):
            await kite.api.convert(asked, "T1")
        assert {request.method for request in kite.sent} == {"GET"}
        return
    assert (await kite.api.convert(asked, "T1")).order_id == "T1"
    assert kite.last == (
        "PUT",
        "/portfolio/positions",
        {
            "tradingsymbol": "SBIN", "exchange": "NSE", "transaction_type": "BUY",
            "position_type": kind, "quantity": "10", "old_product": "CNC", "new_product": "MIS",
        },
    )  # fmt: skip


async def test_what_is_pledged_and_paid_today_is_told() -> None:
    held = {"tradingsymbol": "SBIN", "exchange": "NSE", "quantity": 10, "collateral_quantity": 4}
    segment = {"net": 100.0, "utilised": {"debits": 30.0}, "available": {"collateral": 0}}
    paid = segment | {
        "available": {"collateral": 0, "intraday_payin": 50.0},
        "utilised": {"debits": 30.0, "payout": 0},
    }
    kite = Kite(
        **{
            "/portfolio/holdings": [held, held | {"collateral_quantity": None}],
            "/user/margins": {"equity": paid, "commodity": segment | {"utilised": {"debits": 5.0}}},
            "/portfolio/positions": {"net": []},
        }
    )
    assert [row.pledged for row in await kite.api.holdings()] == [4, None]
    funds = await kite.api.funds()
    assert (funds.payin, funds.payout) == (50.0, 0.0)
    assert funds.used_by == {"Equity": 30.0, "Commodity": 5.0}
    kite.replies["/user/margins"] = {"equity": segment}
    funds = await kite.api.funds()
    assert (funds.payin, funds.payout) == (None, None)  # unknown, not 0
