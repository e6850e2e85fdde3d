"""Zerodha's published example replies (github.com/zerodha/kiteconnect-mocks) give the documented
values. Those of the books are cases ``*_official_mock`` of the recorded vectors; here are the
others, reduced to the fields that carry a value."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from openalgo_desktop.brokers.kit.account.account import KitAccount
from openalgo_desktop.brokers.zerodha import BROKER
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import Action, OrderStatus, PriceType, Product
from openalgo_desktop.core.model import Instrument, OrderRequest
from openalgo_desktop.core.ticks import Part, Tick
from tests.contract.rig import MemorySecrets

#: order_margins.json, basket_margins.json, generate_session.json
ORDER_MARGIN = [{
    "type": "equity", "tradingsymbol": "INFY", "exchange": "NSE", "span": 0, "exposure": 0,
    "option_premium": 0, "additional": 0, "bo": 0, "cash": 0, "var": 1498, "leverage": 1,
    "total": 1498,
}]  # fmt: skip
BASKET_MARGIN = {
    "initial": {"span": 132257.58, "exposure": 56597.19, "total": 188854.77},
    "final": {"span": 26000.519999999986, "exposure": 9452.689999999999,
              "total": 35453.209999999985},
    "orders": [
        {"tradingsymbol": "NIFTY23JANFUT", "exchange": "NFO", "span": 132257.58,
         "exposure": 28239.12, "total": 160496.7},
        {"tradingsymbol": "NIFTY23FEBFUT", "exchange": "NFO", "span": 0, "exposure": 28358.07,
         "total": 28358.07},
    ],
}  # fmt: skip
SESSION = {
    "user_type": "individual", "user_name": "Kite Connect", "user_shortname": "Connect",
    "broker": "ZERODHA", "user_id": "XX0000", "api_key": "XXXXXX", "access_token": "XXXXXX",
    "public_token": "XXXXXXXX", "refresh_token": "", "login_time": "2021-01-01 16:15:14",
}  # fmt: skip
REPLIES: dict[str, Any] = {
    "/margins/orders": ORDER_MARGIN,
    "/margins/basket": BASKET_MARGIN,
    "/session/token": SESSION,
    "/user/profile": SESSION,
}
#: postback.json
POSTBACK = {
    "order_id": "220303000308932", "exchange_order_id": "1000000001482421", "status": "COMPLETE",
    "status_message": None, "order_timestamp": "2022-03-03 09:24:25",
    "exchange_update_timestamp": "2022-03-03 09:24:25", "variety": "regular", "exchange": "NSE",
    "tradingsymbol": "SBIN", "instrument_token": 779521, "order_type": "MARKET",
    "transaction_type": "BUY", "product": "CNC", "quantity": 1, "disclosed_quantity": 0,
    "price": 0, "trigger_price": 0, "average_price": 470, "filled_quantity": 1,
    "pending_quantity": 0, "cancelled_quantity": 0, "tag": None,
}  # fmt: skip


@pytest.fixture
async def account(tmp_path: Path) -> Any:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"status": "success", "data": REPLIES[request.url.path]})

    clock = ManualClock(datetime(2021, 1, 1, 16, 15, tzinfo=IST))
    made = KitAccount(
        BROKER, clock, MemorySecrets(), tmp_path, transport=httpx.MockTransport(answer),
        passive=True,
    )  # fmt: skip
    made.index.load(
        Instrument(symbol=name, exchange=exchange, brsymbol=broker, brexchange=exchange)
        for name, exchange, broker in (
            ("INFY", "NSE", "INFY"), ("SBIN", "NSE", "SBIN"),
            ("NIFTY25JAN23FUT", "NFO", "NIFTY23JANFUT"),
            ("NIFTY23FEB23FUT", "NFO", "NIFTY23FEBFUT"),
        )
    )  # fmt: skip
    await made.login({"api_key": "k", "api_secret": "s", "request_token": "r"})
    yield made
    await made.disconnect()


#: quote.json, without what is not read; an index has no depth, as documented.
QUOTES: dict[str, Any] = {
    "NSE:INFY": {
        "instrument_token": 408065, "timestamp": "2021-06-08 15:45:56",
        "last_trade_time": "2021-06-08 15:45:52", "last_price": 1412.95, "last_quantity": 5,
        "buy_quantity": 0, "sell_quantity": 5191, "volume": 7360198, "average_price": 1412.47,
        "oi": 0, "ohlc": {"open": 1396, "high": 1421.75, "low": 1395.55, "close": 1389.65},
        "depth": {"buy": [{"price": 0, "quantity": 0, "orders": 0}] * 5,
                  "sell": [{"price": 1412.95, "quantity": 5191, "orders": 13}]
                  + [{"price": 0, "quantity": 0, "orders": 0}] * 4},
    },
    "NFO:NIFTY23JANFUT": {
        "last_price": 18000.0, "volume": 1,
        "ohlc": {"open": 18000.0, "high": 18000.0, "low": 18000.0, "close": 18000.0},
    },
}  # fmt: skip


def leg(symbol: str, exchange: str, action: Action, product: Product) -> OrderRequest:
    return OrderRequest(symbol, exchange, action, 75, PriceType.MARKET, product)


async def test_session(account: KitAccount) -> None:
    assert account.status.client_id == "XX0000"
    assert account.session.get("access_token") == "XXXXXX"
    assert account.session.ends == datetime(2021, 1, 2, 6, tzinfo=IST)


async def test_margin_of_an_order(account: KitAccount) -> None:
    gateway: Any = account.gateway
    margin = await gateway.margin([leg("INFY", "NSE", Action.BUY, Product.CNC)])
    assert (margin.total, margin.span, margin.exposure) == (1498.0, 0.0, 0.0)


async def test_margin_of_a_basket_is_the_final_one(account: KitAccount) -> None:
    gateway: Any = account.gateway
    margin = await gateway.margin(
        [
            leg("NIFTY25JAN23FUT", "NFO", Action.BUY, Product.NRML),
            leg("NIFTY23FEB23FUT", "NFO", Action.SELL, Product.NRML),
        ]
    )
    assert margin.total == pytest.approx(35453.21, abs=0.005)
    assert margin.span == pytest.approx(26000.52, abs=0.005)
    assert margin.exposure == pytest.approx(9452.69, abs=0.005)


async def test_a_quote_with_an_empty_side_is_known_and_one_without_a_book_is_not(
    account: KitAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(REPLIES, "/quote", QUOTES)
    share, future = ("NSE", "INFY"), ("NFO", "NIFTY25JAN23FUT")
    answers = await account.market.quotes([share, future])
    tick, bare = answers[share], answers[future]
    assert isinstance(tick, Tick) and isinstance(bare, Tick)
    assert tick.unknown == 0 and (tick.bid, tick.ask) == (0.0, 1412.95)  # nobody bids
    assert bare.unknown == Part.TOUCH | Part.OI


async def test_postback(account: KitAccount) -> None:
    told: list[Any] = []
    account.gateway.set_listener(told.append)
    account.gateway.pushed(POSTBACK)
    (update,) = told
    order = update.order
    assert (order.order_id, order.symbol, order.exchange) == ("220303000308932", "SBIN", "NSE")
    assert (order.action, order.price_type, order.product) == (
        Action.BUY, PriceType.MARKET, Product.CNC,
    )  # fmt: skip
    assert (order.status, order.quantity, order.filled_quantity, order.pending_quantity) == (
        OrderStatus.COMPLETE, 1, 1, 0,
    )  # fmt: skip
    assert order.average_price == 470.0 and order.tag == ""
    assert order.placed_at == datetime(2022, 3, 3, 9, 24, 25, tzinfo=IST)
    assert update.trade is not None and (update.trade.quantity, update.trade.price) == (1, 470.0)
