"""What Fyers does in its own way: quantities, states, triggers, conversions, quotes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import httpx
import msgspec
import pytest

from openalgo_desktop.brokers.kit.account.session import Session
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.registry import Registry
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.conversion import ConvertRequest
from openalgo_desktop.core.enums import Action, GttType, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import (
    AppError,
    DataError,
    InsufficientFunds,
    InvalidOrder,
    OrderStateUnknown,
    RejectedByBroker,
)
from openalgo_desktop.core.gtt import GttRequest
from openalgo_desktop.core.model import Instrument, ModifyRequest, OrderRequest
from openalgo_desktop.core.ticks import Part, Tick

FYERS = Registry(()).get("fyers")
NOW = datetime(2026, 12, 1, 13, 30, tzinfo=IST)


def row(symbol: str, exchange: str, ticker: str, lot: int = 1) -> Instrument:
    return Instrument(symbol, exchange, lot_size=lot, tick_size=0.05, brsymbol=ticker)


SBIN = row("SBIN", "NSE", "NSE:SBIN-EQ")
NIFTY = row("NIFTY29DEC26FUT", "NFO", "NSE:NIFTY26DECFUT", 75)
CRUDE = row("CRUDEOIL18DEC26FUT", "MCX", "MCX:CRUDEOIL26DECFUT", 100)
DOLLAR = row("USDINR29DEC26FUT", "CDS", "NSE:USDINR26DECFUT", 1000)
OPTIONS = [row(f"NIFTY29DEC26{n}CE", "NFO", f"NSE:NIFTY26DEC{n}CE", 75) for n in range(6)]


class Desk:
    """The adapter over answers by the end of the path; the requests that left."""

    def __init__(self, answers: Mapping[str, Any], status: int = 200) -> None:
        self.sent: list[httpx.Request] = []

        def serve(request: httpx.Request) -> httpx.Response:
            self.sent.append(request)
            data = next(d for path, d in answers.items() if request.url.path.endswith(path))
            return httpx.Response(status, json={"s": "ok", "code": 200, "message": "", **data})

        session = Session({"api_key": "app", "access_token": "t"})
        session.open = True
        clock = ManualClock(NOW)
        rest = RestClient(FYERS.spec, session, clock, transport=httpx.MockTransport(serve))
        index = BrokerIndex((SBIN, NIFTY, CRUDE, DOLLAR, *OPTIONS))
        self.api: Any = FYERS.api(FYERS.spec, rest, index, clock)

    @property
    def body(self) -> Any:
        """What the last request said."""
        return json.loads(self.sent[-1].content)


def order(instrument: Instrument, quantity: int, product: Product = Product.NRML) -> OrderRequest:
    return OrderRequest(
        instrument.symbol, instrument.exchange, Action.BUY, quantity, PriceType.LIMIT, product, 90.0
    )


# -- orders -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("instrument", "units", "wire"), [(NIFTY, 150, 150), (CRUDE, 300, 3), (DOLLAR, 2000, 2)]
)
async def test_units_leave_and_come_back_as_fyers_counts(
    instrument: Instrument, units: int, wire: int
) -> None:
    codes = {"NFO": (10, 11), "MCX": (11, 20), "CDS": (10, 12)}[instrument.exchange]
    book = {
        "id": "1", "symbol": instrument.brsymbol, "exchange": codes[0], "segment": codes[1],
        "side": 1, "qty": wire, "remainingQuantity": wire, "type": 1, "productType": "MARGIN",
        "status": 6, "limitPrice": 90.0,
    }  # fmt: skip
    desk = Desk({"/orders/sync": {"id": "1"}, "/orders": {"orderBook": [book]}})
    await desk.api.place(order(instrument, units), "T1")
    assert desk.body["qty"] == wire and desk.body["orderTag"] == "T1"
    (mine,) = await desk.api.orders()
    assert (mine.quantity, mine.pending_quantity) == (units, units)
    if units != wire:  # what is no whole contract does not leave
        with pytest.raises(InvalidOrder, match="multiples of lot size"):
            await desk.api.place(order(instrument, units + 1), "T1")


@pytest.mark.parametrize("disclosed", [0, 10])
async def test_a_disclosed_quantity_can_be_taken_back(disclosed: int) -> None:
    """Source: Modify Orders: what is not given stays as it was."""
    book = {
        "id": "1", "symbol": "NSE:SBIN-EQ", "exchange": 10, "segment": 10, "side": 1, "qty": 100,
        "remainingQuantity": 100, "type": 1, "productType": "INTRADAY", "status": 6,
        "limitPrice": 90.0, "disclosedQty": disclosed,
    }  # fmt: skip
    desk = Desk({"/orders/sync": {"id": "1"}, "/orders": {"orderBook": [book]}})
    await desk.api.orders()
    change = ModifyRequest(
        "1", quantity=100, price=91.0, trigger_price=0.0, price_type=PriceType.LIMIT,
        disclosed_quantity=0, symbol="SBIN", exchange="NSE", action=Action.BUY,
        product=Product.MIS,
    )  # fmt: skip
    await desk.api.modify(change)
    assert desk.body.get("disclosedQty") == (0 if disclosed else None)
    await desk.api.modify(msgspec.structs.replace(change, disclosed_quantity=20))
    assert desk.body["disclosedQty"] == 20


@pytest.mark.parametrize("code", [201, "201"])
@pytest.mark.parametrize("state", ["ok", "error"])
async def test_code_201_leaves_an_order_unknown(state: str, code: int | str) -> None:
    answer = {"s": state, "code": code, "message": "in transit", "id": "7"}
    desk = Desk({"/orders/sync": answer})
    with pytest.raises(OrderStateUnknown, match="in transit") as caught:
        await desk.api.place(order(SBIN, 1, Product.MIS), "T9")
    assert caught.value.tag == "T9"


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("RED:Margin Shortfall:INR 5 Available:INR 1", InsufficientFunds),
        ("RED:Scrip is in ban period", RejectedByBroker),
    ],
)
async def test_an_order_that_was_created_and_rejected_is_an_error(
    message: str, kind: type[AppError]
) -> None:
    answer = {"s": "error", "code": -99, "message": message, "id": "808"}
    with pytest.raises(kind, match=message):
        await Desk({"/orders/sync": answer}).api.place(order(SBIN, 1, Product.MIS), "T1")


PUSH = {
    "id": "5", "symbol": "NSE:SBIN-EQ", "exchange": 10, "segment": 10, "tran_side": -1, "qty": 9,
    "qty_remaining": 5, "qty_filled": 4, "price_limit": 90.0, "price_stop": 91.0,
    "price_traded": 90.5, "ord_type": 4, "product_type": "INTRADAY", "org_ord_status": 6,
    "ordertag": "1:mine", "time_oms": "01-Dec-2026 10:00:00", "validity": "IOC",
}  # fmt: skip


def test_a_push_has_the_words_of_the_oms() -> None:
    (pushed,) = Desk({}).api.read_orders([PUSH])
    assert pushed.status is OrderStatus.OPEN and pushed.action is Action.SELL
    assert (pushed.quantity, pushed.filled_quantity, pushed.average_price) == (9, 4, 90.5)
    assert (pushed.tag, str(pushed.validity), pushed.product) == ("mine", "IOC", Product.MIS)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, OrderStatus.TRIGGER_PENDING),
        ({"qty_filled": 4}, OrderStatus.OPEN),  # a stop that fills has fired
        ({"ord_type": 1}, OrderStatus.OPEN),
        ({"price_stop": 0}, OrderStatus.OPEN),
        ({"org_ord_status": 4}, OrderStatus.OPEN),
        ({"org_ord_status": 7}, OrderStatus.CANCELLED),
        ({"org_ord_status": 90}, OrderStatus.UNKNOWN),
    ],
)
def test_states(changes: dict[str, Any], status: OrderStatus) -> None:
    waiting = {**PUSH, "qty_filled": 0, "ordertag": "2:Untagged"}
    (pushed,) = Desk({}).api.read_orders([waiting | changes])
    assert pushed.status is status and pushed.tag == ""


@pytest.mark.parametrize(("carried", "flag"), [(0, 0), (10, 1)])
async def test_a_conversion_says_whether_units_were_carried(carried: int, flag: int) -> None:
    held = {
        "id": "NSE:SBIN-EQ-INTRADAY", "symbol": "NSE:SBIN-EQ", "exchange": 10, "segment": 10,
        "productType": "INTRADAY", "netQty": 10, "netAvg": 90.0, "cfBuyQty": carried,
        "cfSellQty": 0,
    }  # fmt: skip
    other = {**held, "productType": "CNC", "netQty": 3}
    desk = Desk({"/positions": {"netPositions": [other, held]}})
    asked = ConvertRequest("SBIN", "NSE", Action.BUY, 10, Product.MIS, Product.CNC, 10)
    await desk.api.convert(asked, "T1")
    assert desk.body == {
        "symbol": "NSE:SBIN-EQ-INTRADAY", "positionSide": 1, "convertQty": 10,
        "convertFrom": "INTRADAY", "convertTo": "CNC", "overnight": flag,
    }  # fmt: skip
    held["cfBuyQty"] = 4
    with pytest.raises(InvalidOrder, match="carried over in part"):
        await desk.api.convert(asked, "T1")


async def test_shares_that_are_not_delivered_yet() -> None:
    names = {"symbol": "NSE:SBIN-EQ", "exchange": 10, "segment": 10, "costPrice": 700.0, "ltp": 1.0}
    rows = [{**names, "holdingType": "HLD", "quantity": 5, "qty_t1": 2},
            {**names, "holdingType": "T1", "quantity": 2, "qty_t1": 2}]  # fmt: skip
    held, bought = await Desk({"/holdings": {"holdings": rows}}).api.holdings()
    assert (held.quantity, held.t1_quantity) == (5, 0)
    assert (bought.quantity, bought.t1_quantity) == (2, 2)


# -- triggers ---------------------------------------------------------------------------------
def trigger(kind: GttType, **more: Any) -> GttRequest:
    return GttRequest(kind, "CRUDEOIL18DEC26FUT", "MCX", Action.SELL, 200, Product.NRML, **more)


async def test_of_a_pair_the_leg_above_is_the_first() -> None:
    desk = Desk({"/gtt/orders/sync": {"id": "25"}})
    pair = trigger(
        GttType.OCO, trigger_below=80.0, trigger_above=120.0, stoploss=79.0, target=119.0
    )
    assert (await desk.api.gtt_place(pair, "T1")).order_id == "25"
    assert desk.body == {
        "symbol": "MCX:CRUDEOIL26DECFUT", "side": -1, "productType": "MARGIN", "orderTag": "T1",
        "orderInfo": {
            "leg1": {"price": 119.0, "triggerPrice": 120.0, "qty": 2},
            "leg2": {"price": 79.0, "triggerPrice": 80.0, "qty": 2},
        },
    }  # fmt: skip
    await desk.api.gtt_modify("25", pair)
    assert desk.body.keys() == {"id", "orderInfo"} and desk.sent[-1].method == "PATCH"


async def test_a_trigger_without_a_limit_is_protected_and_intraday_is_refused() -> None:
    desk = Desk({"/gtt/orders/sync": {"id": "25"}})
    await desk.api.gtt_place(
        trigger(GttType.SINGLE, trigger_below=80.0, price_type=PriceType.MARKET), "T1"
    )
    leg = desk.body["orderInfo"]["leg1"]
    assert leg["triggerPrice"] == 80.0 and 70 < leg["price"] < 80
    request = GttRequest(GttType.SINGLE, "SBIN", "NSE", Action.BUY, 1, Product.MIS, price=9.0,
                         trigger_below=9.0)  # fmt: skip
    with pytest.raises(InvalidOrder, match="intraday"):
        await desk.api.gtt_place(request, "T1")


GTT = {
    "id": "25", "symbol": "MCX:CRUDEOIL26DECFUT", "exchange": 11, "segment": 20, "tran_side": -1,
    "product_type": "MARGIN", "qty": 2, "qty2": 2, "price_limit": 119.0, "price_trigger": 120.0,
    "price2_limit": 79.0, "price2_trigger": 80.0, "gtt_oco_ind": 2, "ord_status": 6, "ltp": 100.0,
    "create_time": "24-Jan-2026 16:13:31",
}  # fmt: skip


async def test_the_book_of_triggers() -> None:
    single = {**GTT, "id": "26", "gtt_oco_ind": 1}
    unpriced = {**single, "id": "27", "ltp": 0}
    done = {**GTT, "id": "28", "ord_status": 1}
    depth = {"d": {"MCX:CRUDEOIL26DECFUT": {"ltp": 150.0, "bids": [], "ask": []}}}
    desk = Desk({"/gtt/orders": {"orderBook": [GTT, single, unpriced, done]}, "/depth": depth})
    pair, above, below = await desk.api.gtt_orders()
    assert pair.quantity == 200 and [leg.trigger_price for leg in pair.legs] == [80.0, 120.0]
    assert [leg.below for leg in pair.legs] == [True, False]
    assert not above.legs[0].below and below.legs[0].below  # it is below the quote of 150


async def test_a_trigger_of_another_product_or_of_unequal_legs_is_no_usual_one() -> None:
    financed = {**GTT, "product_type": "MTF"}
    unequal = {**GTT, "id": "30", "qty2": 3}
    desk = Desk({"/gtt/orders": {"orderBook": [financed, unequal]}})
    found = await desk.api.gtt_orders()
    assert [str(gtt.product) for gtt in found] == ["MTF"]
    assert len(found.unreadable) == 1 and "quantities of its legs" in found.unreadable[0]


# -- quotes -----------------------------------------------------------------------------------
async def test_a_few_contracts_get_open_interest_and_many_do_not() -> None:
    rows = [{"n": o.brsymbol, "s": "ok", "v": {"lp": 5.0, "bid": 4.0, "ask": 6.0}} for o in OPTIONS]
    rows[0] = {"n": OPTIONS[0].brsymbol, "s": "error", "v": {"errmsg": "invalid symbol"}}
    depth = {"d": {o.brsymbol: {"oi": 75, "ltp": 5.0} for o in OPTIONS}}
    desk = Desk({"/quotes": {"d": rows}, "/depth": depth})
    keys = [o.key for o in OPTIONS]
    many = await desk.api.quotes(keys)
    assert len(desk.sent) == 1 and isinstance(many[keys[0]], DataError)
    tick = many[keys[1]]
    assert isinstance(tick, Tick) and tick.unknown & Part.OI and (tick.bid, tick.ask) == (4.0, 6.0)
    few = await desk.api.quotes(keys[:3])
    tick = few[keys[1]]
    assert len(desk.sent) == 4 and isinstance(tick, Tick) and tick.oi == 75


async def test_what_has_no_quote_has_no_price_of_nothing() -> None:
    rows = [{"n": SBIN.brsymbol, "s": "ok", "v": {}}, {"n": NIFTY.brsymbol, "s": "ok",
            "v": {"lp": 5.0, "bid": 4.0, "ask": 6.0}}]  # fmt: skip
    desk = Desk({"/quotes": {"d": rows}, "/depth": {"d": {}}})
    found = await desk.api.quotes([SBIN.key, NIFTY.key])
    assert isinstance(found[SBIN.key], DataError)
    tick = found[NIFTY.key]  # its open interest is not to be had, its price is
    assert isinstance(tick, Tick) and tick.ltp == 5.0 and tick.unknown & Part.OI
    assert isinstance((await desk.api.quotes([SBIN.key]))[SBIN.key], DataError)


async def test_the_margin_is_that_of_the_orders() -> None:
    """Source: Multiorder Margin Calculator, Response attributes."""
    told = {"margin_avail": 9e5, "margin_total": 47_973.0, "margin_new_order": 321_472.0}
    desk = Desk({"/multiorder/margin": {"data": told}})
    assert (await desk.api.margin([order(CRUDE, 100)])).total == 47_973.0
    assert desk.body["data"][0]["qty"] == 1


async def test_funds_without_a_balance_are_not_nothing() -> None:
    desk = Desk({"/funds": {"fund_limit": []}, "/positions": {"netPositions": []}})
    with pytest.raises(DataError, match="balance"):
        await desk.api.funds()


# -- login ------------------------------------------------------------------------------------
@pytest.mark.parametrize("token", ["", "plain", "a.b.c", "a.!!.c"])
async def test_a_token_without_claims_gives_none(token: str) -> None:
    assert await Desk({}).api.claims({"access_token": token}) == {}
