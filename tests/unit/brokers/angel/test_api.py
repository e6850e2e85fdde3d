"""Hooks of Angel One that neither the recordings nor the contract reach."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

import httpx
import msgspec
import pytest

from openalgo_desktop.brokers.angel import BROKER
from openalgo_desktop.brokers.kit.account.login import LoginRunner
from openalgo_desktop.brokers.kit.account.session import Session
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.conversion import ConvertRequest
from openalgo_desktop.core.enums import Action, GttType, Interval, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import (
    AppError,
    BadCredentials,
    GttNotFound,
    InsufficientFunds,
    InvalidOrder,
    NotSupported,
    OrderNotFound,
    OrderStateUnknown,
    ProtocolError,
    RateLimited,
    RejectedByBroker,
    SessionExpired,
)
from openalgo_desktop.core.gtt import GttRequest
from openalgo_desktop.core.model import Instrument, ModifyRequest, OrderRequest

SBIN = Instrument("SBIN", "NSE", token="3045", brsymbol="SBIN-EQ", brexchange="NSE")
CRUDE = Instrument(
    "CRUDEOIL18DEC25FUT", "MCX", "CRUDEOIL", "FUT", 100, 1.0, date(2025, 12, 18),
    token="472790", brsymbol="CRUDEOIL25DECFUT", brexchange="MCX",
)  # fmt: skip
ORDER = {
    "variety": "AMO", "ordertype": "LIMIT", "producttype": "DELIVERY", "price": 800.0,
    "triggerprice": 0.0, "quantity": "10", "tradingsymbol": "SBIN-EQ", "symboltoken": "3045",
    "transactiontype": "BUY", "exchange": "NSE", "averageprice": 0.0, "filledshares": "0",
    "unfilledshares": "10", "orderid": "1", "status": "open", "orderstatus": "open",
    "updatetime": "21-Nov-2025 10:01:02", "ordertag": "",
}  # fmt: skip
HELD = {
    "exchange": "NSE", "symboltoken": "3045", "producttype": "INTRADAY", "tradingsymbol": "SBIN-EQ",
    "symbolname": "SBIN", "netqty": "10", "buyqty": "10", "cfbuyqty": "0", "cfsellqty": "0",
    "avgnetprice": "800", "pnl": "5", "ltp": "800.5",
}  # fmt: skip
RULE = {
    "id": 7, "status": "NEW", "tradingsymbol": "SBIN-EQ", "symboltoken": "3045", "exchange": "NSE",
    "producttype": "DELIVERY", "transactiontype": "SELL", "price": 899.0, "qty": 5,
    "triggerprice": 900.0, "createddate": "2025-11-20T14:19:51Z",
}  # fmt: skip
SECURE = "/rest/secure/angelbroking"


class Angel:
    """SmartAPI as a function: data by the end of the path, requests kept."""

    def __init__(self, **data: Any) -> None:
        self.data = {"getOrderBook": [ORDER], "ruleList": None, **data}
        self.sent: list[tuple[str, Any]] = []
        session = Session({"api_key": "K", "client_id": "C", "access_token": "T"})
        session.open = True
        clock = ManualClock(datetime(2025, 11, 21, 13, 30, tzinfo=IST))
        transport = httpx.MockTransport(self._serve)
        rest = RestClient(BROKER.spec, session, clock, transport=transport)
        self.api: Any = BROKER.api(BROKER.spec, rest, BrokerIndex([SBIN, CRUDE]), clock)

    def _serve(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else None
        self.sent.append((request.url.path, body))
        reply = self.data.get(request.url.path.rpartition("/")[2], {"orderid": "1", "id": "7"})
        if isinstance(reply, httpx.Response):
            return reply
        return httpx.Response(200, json={"status": True, "message": "SUCCESS", "data": reply})

    def page(self, rows: list[Any]) -> None:
        """A list of rules in one page."""
        pages = [rows, None]
        serve = self._serve

        def paged(request: httpx.Request) -> httpx.Response:
            if request.url.path.endswith("ruleList"):
                self.data["ruleList"] = pages[json.loads(request.content)["page"] - 1]
            return serve(request)

        self.api.rest._transport.handler = paged


def refused(code: str, message: str = "no") -> httpx.Response:
    return httpx.Response(
        200, json={"status": False, "message": message, "errorcode": code, "data": None}
    )


# -- orders ---------------------------------------------------------------------------------
async def test_a_change_and_a_cancellation_name_the_orders_own_variety() -> None:
    angel = Angel()
    await angel.api.cancel("1")
    await angel.api.modify(
        ModifyRequest("1", 5, 0.0, 790.0, PriceType.SLM, 0, "SBIN", "NSE", Action.BUY, Product.CNC)
    )
    paths = [path.rpartition("/")[2] for path, _ in angel.sent]
    assert paths == ["getOrderBook", "cancelOrder", "modifyOrder"]
    assert angel.sent[1][1] == {"variety": "AMO", "orderid": "1"}
    assert angel.sent[2][1]["variety"] == "AMO" and angel.sent[2][1]["triggerprice"] == "790"
    angel = Angel()
    with pytest.raises(OrderNotFound, match="Order 2"):
        await angel.api.cancel("2")
    assert len(angel.sent) == 1


async def test_a_placed_order_needs_no_book() -> None:
    angel = Angel(placeOrder={"orderid": "9"})
    stop = OrderRequest("SBIN", "NSE", Action.SELL, 5, PriceType.SL, Product.MIS, 790.0, 791.0,
                        disclosed_quantity=2)  # fmt: skip
    await angel.api.place(stop, "tag")
    assert angel.sent[0][1]["disclosedquantity"] == "2" and angel.sent[0][1]["ordertag"] == "tag"
    await angel.api.cancel("9")
    assert angel.sent[-1][1] == {"variety": "STOPLOSS", "orderid": "9"}
    assert len(angel.sent) == 2


async def test_a_changed_stop_order_still_waits() -> None:
    changed = {**ORDER, "status": "modified", "orderstatus": "trigger pending"}
    fresh = {**ORDER, "orderid": "2", "status": "validation pending", "orderstatus": ""}
    first, second = await Angel(getOrderBook=[changed, fresh]).api.orders()
    assert first.status is OrderStatus.TRIGGER_PENDING
    assert second.status is OrderStatus.OPEN and second.settling


BUY = OrderRequest("SBIN", "NSE", Action.BUY, 5, PriceType.LIMIT, Product.MIS, 790.0)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (refused("AB1004", "Something Went Wrong, Please Try After Sometime"), OrderStateUnknown),
        (httpx.Response(200, json={"status": True, "data": None}), OrderStateUnknown),
        (httpx.Response(403, text="Access denied because of exceeding access rate"), RateLimited),
        (httpx.Response(403, html="Access denied because of exceeding access rate"), RateLimited),
        (refused("AB1021", "Too many requests"), RateLimited),
        (refused("AB1007", "AMX Error: client has insufficient margin"), InsufficientFunds),
        (refused("AB1000", "The market is not open"), RejectedByBroker),
        (httpx.Response(200, json={"success": False, "errorCode": "AG8001", "data": ""}),
         SessionExpired),
    ],
)  # fmt: skip
async def test_what_an_answer_says_of_the_order(
    reply: httpx.Response, error: type[AppError]
) -> None:
    angel = Angel(placeOrder=reply)
    with pytest.raises(error):
        await angel.api.place(BUY, "tag")
    assert len(angel.sent) == 1
    if error is RejectedByBroker:
        with pytest.raises(RejectedByBroker, match="not open"):
            await angel.api.place(BUY, "tag")


async def test_commodities_wait_for_the_doctor() -> None:
    angel = Angel()
    crude = msgspec.structs.replace(BUY, symbol=CRUDE.symbol, exchange="MCX", quantity=100,
                                    product=Product.NRML)  # fmt: skip
    with pytest.raises(InvalidOrder, match="doctor angel"):
        await angel.api.place(crude, "tag")
    assert angel.sent == []


async def test_a_conversion_repeats_the_row_of_the_position() -> None:
    angel = Angel(getPosition=[{**HELD, "producttype": "DELIVERY"}, HELD])
    asked = ConvertRequest("SBIN", "NSE", Action.BUY, 10, Product.MIS, Product.CNC, 10)
    await angel.api.convert(asked, "tag")
    path, body = angel.sent[-1]
    assert path == f"{SECURE}/order/v1/convertPosition"
    wanted = {
        "exchange": "NSE", "symboltoken": "3045", "tradingsymbol": "SBIN-EQ", "buyqty": "10",
        "oldproducttype": "INTRADAY", "newproducttype": "DELIVERY", "transactiontype": "BUY",
        "quantity": 10, "type": "DAY", "genden": "",
    }  # fmt: skip
    assert body == body | wanted
    angel = Angel(getPosition=[{**HELD, "cfbuyqty": "10"}])
    with pytest.raises(NotSupported, match="carried over"):
        await angel.api.convert(asked, "tag")
    assert len(angel.sent) == 1


async def test_funds_that_say_nothing_are_no_zero() -> None:
    for told in (None, {"net": "1"}):
        with pytest.raises(AppError):
            await Angel(getRMS=told, getPosition=None).api.funds()
    money = {"availablecash": "100", "utiliseddebits": None, "collateral": "30"}
    funds = await Angel(getRMS={**money, "utilisedpayout": None}, getPosition=None).api.funds()
    assert (funds.available_cash, funds.collateral) == (70.0, 30.0)


# -- good till triggered --------------------------------------------------------------------
OCO = GttRequest(
    trigger_type=GttType.OCO, symbol="SBIN", exchange="NSE", action=Action.SELL, quantity=5,
    trigger_below=750.0, trigger_above=900.0, stoploss=749.0, target=899.0,
)  # fmt: skip


@pytest.mark.parametrize("action", [Action.SELL, Action.BUY])
async def test_the_rule_of_an_oco_is_the_target(action: Action) -> None:
    angel = Angel()
    await angel.api.gtt_place(msgspec.structs.replace(OCO, action=action), "tag")
    path, body = angel.sent[-1]
    assert path == f"/gtt-service{SECURE}/gtt/v1/createRule" and body["gttType"] == "OCO"
    assert (body["qty"], body["timeperiod"], body["producttype"]) == (5, 365, "DELIVERY")
    names = ("triggerprice", "price", "stoplosstriggerprice", "stoplossprice")
    sell = (900.0, 899.0, 750.0, 749.0)
    assert tuple(body[name] for name in names) == (
        sell if action is Action.SELL else (*sell[2:], *sell[:2])
    )
    row = {**RULE, **body}
    angel.page([row])
    (book,) = await angel.api.gtt_orders()
    assert book.trigger_type is GttType.OCO
    assert [(leg.trigger_price, leg.below, leg.price) for leg in book.legs] == [
        (750.0, True, 749.0),
        (900.0, False, 899.0),
    ]
    with pytest.raises(NotSupported, match="place it anew"):
        await angel.api.gtt_modify("7", OCO)


async def test_the_price_tells_on_which_side_a_single_rule_waits() -> None:
    quote = {"exchange": "NSE", "symbolToken": "3045", "ltp": 800.0}
    angel = Angel(quote={"fetched": [quote], "unfetched": []}, **{"": {"fetched": [quote]}})
    angel.page([RULE])
    (book,) = await angel.api.gtt_orders()
    assert (book.trigger_id, book.legs[0].below) == ("7", False)
    assert [body["page"] for path, body in angel.sent if path.endswith("ruleList")] == [1, 2]


async def test_an_odd_rule_hides_no_other() -> None:
    margin = {**RULE, "id": 8, "producttype": "MARGIN", "createddate": "01-Jan-1970 05:30:00"}
    over = {**RULE, "id": 9, "status": "CANCELLED"}
    angel = Angel(**{"": {"fetched": [], "unfetched": []}})
    angel.page([RULE, {**RULE, "id": 10, "triggerprice": None}, None, margin, over])
    book = await angel.api.gtt_orders()
    assert [(row.trigger_id, str(row.product)) for row in book] == [("7", "CNC"), ("8", "MARGIN")]
    assert len(book.unreadable) == 2 and "rule 10" in book.unreadable[0]


async def test_a_rule_is_cancelled_with_its_instrument() -> None:
    angel = Angel(ruleDetails=RULE)
    await angel.api.gtt_cancel("7")
    assert angel.sent[-1][1] == {"id": "7", "symboltoken": "3045", "exchange": "NSE"}
    angel = Angel(ruleDetails=None)
    with pytest.raises(GttNotFound):
        await angel.api.gtt_cancel("8")
    assert len(angel.sent) == 1


# -- market data ----------------------------------------------------------------------------
async def test_the_broker_says_why_there_is_no_quote() -> None:
    missing = {"exchange": "NSE", "symbolToken": "3045", "message": "Symbol not live"}
    angel = Angel(**{"": {"fetched": [], "unfetched": [missing]}})
    answer = (await angel.api.quotes([SBIN.key]))[SBIN.key]
    assert isinstance(answer, AppError) and answer.message == "Symbol not live"


async def test_an_index_was_never_traded_and_has_a_quote() -> None:
    """What SmartAPI says of an index: no trade, and zero of Unix as its time."""
    quote = {
        "exchange": "NSE", "symbolToken": "3045", "ltp": 24010.5, "lastTradeQty": 0,
        "exchFeedTime": "14-Apr-2026 06:40:05", "exchTradeTime": "01-Jan-1970 05:30:00",
    }  # fmt: skip
    angel = Angel(**{"": {"fetched": [None, quote], "unfetched": ["x"]}})
    tick = (await angel.api.quotes([SBIN.key]))[SBIN.key]
    assert (tick.ltp, tick.ltt) == (24010.5, 0)


async def test_an_odd_candle_is_left_out_and_no_price_is_made_of_open_interest() -> None:
    time, day = "2025-11-21T09:15:00+05:30", date(2025, 11, 21)
    candles = [[time, 1.0, 2.0, 0.5, 1.5, 10], None, [], ["2025-11-21T09:16:00+05:30", 1, 2, 0.5]]
    told = [None, {"time": time, "oi": 7000}]
    bars = await Angel(getCandleData=candles, getOIData=told).api.history(
        CRUDE.key, Interval.M1, day, day
    )
    assert (bars.close[0], bars.oi[0]) == (1.5, 7000)
    assert 7000 not in bars.close and 0 not in bars.high


async def test_days_that_have_not_come_are_not_asked_for() -> None:
    candle = ["2025-11-21T09:15:00+05:30", 1.0, 2.0, 0.5, 1.5, 10]
    angel = Angel(getCandleData=[candle])
    bars = await angel.api.history(
        SBIN.key, Interval.M1, date(2025, 10, 23), date(2025, 12, 5)
    )  # the second piece begins tomorrow
    assert len(bars) == 1
    (asked,) = [body for _, body in angel.sent]
    assert (asked["fromdate"], asked["todate"]) == ("2025-10-23 00:00", "2025-11-21 13:30")


async def test_candles_without_open_interest_are_candles() -> None:
    candle = ["2025-11-21T09:15:00+05:30", 1.0, 2.0, 0.5, 1.5, 10]
    angel = Angel(getCandleData=[candle], getOIData=refused("AB1009"))
    day = date(2025, 11, 21)
    bars = await angel.api.history(CRUDE.key, Interval.M1, day, day)
    assert (len(bars), bars.close[0], bars.oi[0]) == (1, 1.5, 0)
    path, body = angel.sent[-1]
    assert path.endswith("getOIData") and body["todate"] == "2025-11-21 13:30"  # not yet 23:59


# -- log-in ---------------------------------------------------------------------------------
async def test_a_refused_refresh_token_is_not_the_end_of_the_session() -> None:
    ended: list[str] = []
    angel = Angel(generateTokens=refused("AB8050", "Invalid Refresh Token"))
    angel.api.rest._on_expired = ended.append
    with pytest.raises(BadCredentials, match="Invalid Refresh Token") as caught:
        await angel.api.renewed({"api_key": "K", "refresh_token": "R"})
    assert caught.value.field == "refresh_token" and not ended


async def test_an_answer_with_tokens_is_in_no_error() -> None:
    cut = '{"status":true,"data":{"jwtToken":"eyJ-SECRET","refreshToken":"R2'
    angel = Angel(generateTokens=httpx.Response(200, text=cut))
    with pytest.raises(ProtocolError) as caught:
        await angel.api.renewed({"api_key": "K", "refresh_token": "R"})
    assert "SECRET" not in f"{caught.value!r} {caught.value.detail}"


@pytest.mark.parametrize("data", [None, {}, {"jwtToken": None}, "x"])
async def test_a_login_that_gives_no_token_says_so(data: Any) -> None:
    given = {"pin": "1234", "totp": "123456", "refresh_token": "R"}
    for login in BROKER.spec.logins:
        if login.needs_browser:
            continue
        angel = Angel(loginByPassword=data, generateTokens=data)
        api, rest = angel.api, angel.api.rest
        runner = LoginRunner(BROKER.spec, rest, rest.session, api.clock, api.login_hook)
        with pytest.raises(ProtocolError, match="gave no access_token"):
            await runner.run(login, given, None)
        assert len(angel.sent) == 1  # a one-time code is sent once
