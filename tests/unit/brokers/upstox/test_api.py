"""What Upstox does in its own way: triggers, lots, candles of today, quotes, the day's result."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from openalgo_desktop.brokers.kit.account.session import Session
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.registry import Registry
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import Action, GttType, Interval, PriceType, Product
from openalgo_desktop.core.errors import (
    DataError,
    GttNotFound,
    InvalidOrder,
    NotSupported,
    OrderNotWorking,
    OrderStateUnknown,
    RejectedByBroker,
)
from openalgo_desktop.core.gtt import GttRequest
from openalgo_desktop.core.model import Instrument, OrderRequest
from tests.contract.rig import open_rig

UPSTOX = Registry(()).get("upstox")
NOW = datetime(2026, 12, 1, 13, 30, tzinfo=IST)


def row(symbol: str, exchange: str, segment: str, token: str, lot: int = 1) -> Instrument:
    return Instrument(
        symbol, exchange, lot_size=lot, token=f"{segment}|{token}", brexchange=segment
    )


SBIN = row("SBIN", "NSE", "NSE_EQ", "INE062A01020")
CRUDE = row("CRUDEOIL18DEC26FUT", "MCX", "MCX_FO", "440001", 100)
DOLLAR = row("USDINR29DEC26FUT", "CDS", "NCD_FO", "2040")
WORLD = row("US500", "GLOBAL_INDEX", "GLOBAL_INDICATOR", "^GSPC")


class Desk:
    """The adapter over answers by the beginning of the path; the requests that left."""

    def __init__(self, answers: Mapping[str, Any], status: int = 200) -> None:
        self.sent: list[httpx.Request] = []

        def serve(request: httpx.Request) -> httpx.Response:
            self.sent.append(request)
            data = next(d for path, d in answers.items() if request.url.path.startswith(path))
            if status == 200:
                return httpx.Response(200, json={"status": "success", "data": data})
            return httpx.Response(status, json={"status": "error", "errors": [data]})

        session = Session({"access_token": "t"})
        session.open = True
        clock = ManualClock(NOW)
        rest = RestClient(UPSTOX.spec, session, clock, transport=httpx.MockTransport(serve))
        index = BrokerIndex((SBIN, CRUDE, DOLLAR, WORLD))
        self.api: Any = UPSTOX.api(UPSTOX.spec, rest, index, clock)

    @property
    def body(self) -> Any:
        """What the last request said."""
        return json.loads(self.sent[-1].content)


# -- triggers ---------------------------------------------------------------------------------
ENTRY = {
    "strategy": "ENTRY", "status": "SCHEDULED", "message": None, "trigger_type": "ABOVE",
    "trigger_price": 100, "transaction_type": "BUY", "order_id": None,
}  # fmt: skip
STOP = {**ENTRY, "strategy": "STOPLOSS", "trigger_type": "IMMEDIATE", "trigger_price": 90,
        "transaction_type": "SELL"}  # fmt: skip
TARGET = {**STOP, "strategy": "TARGET", "trigger_price": 120}


def trigger(*rules: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A row as the documentation shows it."""
    return {
        "type": "SINGLE" if len(rules) == 1 else "MULTIPLE",
        "exchange": "NSE_EQ",
        "quantity": 2,
        "product": "D",
        "rules": list(rules),
        "trading_symbol": "SBIN",
        "instrument_token": SBIN.token,
        "gtt_order_id": "GTT-C25090600141213",
        "expires_at": 1781029799000000,
        "created_at": 1749466010000000,
        **more,
    }


async def book(*rows: dict[str, Any]) -> Any:
    return await Desk({"/v3/order/gtt": list(rows)}).api.gtt_orders()


async def test_an_entry_that_waits() -> None:
    (gtt,) = await book(trigger(ENTRY, {**STOP, "status": "INACTIVE"}))
    assert (gtt.trigger_type, gtt.action, gtt.quantity) == (GttType.SINGLE, Action.BUY, 2)
    assert (gtt.symbol, gtt.exchange, gtt.product) == ("SBIN", "NSE", Product.CNC)
    (leg,) = gtt.legs
    assert (leg.trigger_price, leg.price, leg.below) == (100, 100, False)
    assert gtt.created_at == datetime(2025, 6, 9, 16, 16, 50, tzinfo=IST)
    assert gtt.expires_at is not None and gtt.expires_at.date() == date(2026, 6, 9)


async def test_the_exits_that_follow_an_entry_are_a_pair() -> None:
    done = {**ENTRY, "status": "COMPLETED", "order_id": "250228010168535"}
    (gtt,) = await book(trigger(done, TARGET, STOP))
    assert (gtt.trigger_type, gtt.action) == (GttType.OCO, Action.SELL)
    assert [(leg.trigger_price, leg.below) for leg in gtt.legs] == [(90, True), (120, False)]
    buys = [{**rule, "transaction_type": "BUY"} for rule in (STOP, TARGET)]
    (gtt,) = await book(trigger(done, *buys))
    assert [leg.below for leg in gtt.legs] == [False, True]


async def test_what_is_over_is_no_trigger_and_lots_are_units() -> None:
    over = [{**rule, "status": "CANCELLED"} for rule in (ENTRY, STOP, TARGET)]
    assert await book(trigger({**over[0], "status": "FAILED"}, *over[1:])) == []
    (gtt,) = await book(
        trigger(ENTRY, instrument_token=CRUDE.token, exchange="MCX_FO", product="I")
    )
    assert (gtt.exchange, gtt.quantity, gtt.product) == ("MCX", 200, Product.MIS)
    (gtt,) = await book(trigger(ENTRY, product="MTF"))
    assert str(gtt.product) == "MTF"


async def test_a_trigger_leaves_as_one_entry_rule() -> None:
    ack = {"gtt_order_ids": ["GTT-1"]}
    held = trigger(ENTRY, instrument_token=CRUDE.token, gtt_order_id="GTT-1")
    desk = Desk({"/v3/order/gtt/": ack, "/v3/order/gtt": [held]})
    asked = GttRequest(
        GttType.SINGLE, CRUDE.symbol, "MCX", Action.SELL, 200, Product.NRML,
        price=5900, trigger_below=5900,
    )  # fmt: skip
    assert (await desk.api.gtt_place(asked, "tag")).order_id == "GTT-1"
    rule = {"strategy": "ENTRY", "trigger_type": "BELOW", "trigger_price": 5900}
    about = {"instrument_token": CRUDE.token, "transaction_type": "SELL", "product": "D"}
    assert desk.body == {"type": "SINGLE", "quantity": 2, "rules": [rule], **about}
    await desk.api.gtt_modify("GTT-1", asked)
    assert desk.body == {
        "type": "SINGLE", "quantity": 2, "rules": [rule], "gtt_order_id": "GTT-1",
    }  # fmt: skip
    await desk.api.gtt_cancel("GTT-1")
    assert (desk.sent[-1].method, desk.body) == ("DELETE", {"gtt_order_id": "GTT-1"})


async def test_a_trigger_with_exits_of_its_own_is_not_changed() -> None:
    desk = Desk({"/v3/order/gtt": [trigger(ENTRY, {**STOP, "status": "INACTIVE"})]})
    asked = GttRequest(
        GttType.SINGLE, "SBIN", "NSE", Action.BUY, 2, Product.CNC, price=101, trigger_above=101
    )
    with pytest.raises(InvalidOrder, match="at Upstox"):
        await desk.api.gtt_modify("GTT-C25090600141213", asked)
    assert [request.method for request in desk.sent] == ["GET"]


@pytest.mark.parametrize(
    ("row", "error", "text"),
    [
        (trigger(ENTRY, product="I"), InvalidOrder, "product"),
        (trigger({**ENTRY, "status": "HALTED"}), GttNotFound, "GTT-C"),
        (trigger({**ENTRY, "status": "CANCELLED"}), GttNotFound, "GTT-C"),
        (trigger(ENTRY, rules=None), GttNotFound, "GTT-C"),
        (trigger(ENTRY, gtt_order_id="GTT-2"), GttNotFound, "GTT-C"),
    ],
)
async def test_a_change_that_upstox_cannot_make_does_not_leave(
    row: dict[str, Any], error: Any, text: str
) -> None:
    """The request has no product: its yes would be one to something else."""
    desk = Desk({"/v3/order/gtt": [row]})
    asked = GttRequest(
        GttType.SINGLE, "SBIN", "NSE", Action.BUY, 2, Product.CNC, price=101, trigger_above=101
    )
    with pytest.raises(error, match=text):
        await desk.api.gtt_modify("GTT-C25090600141213", asked)
    assert [request.method for request in desk.sent] == ["GET"]


async def test_a_state_that_nobody_knows_is_not_over() -> None:
    found = await book(trigger({**ENTRY, "status": "HALTED"}), trigger(ENTRY))
    assert len(found) == 1 and "HALTED" in found.unreadable[0]


@pytest.mark.parametrize("more", [{"price": 5890}, {"price_type": PriceType.MARKET}, {}])
async def test_another_limit_than_the_trigger_does_not_leave(more: dict[str, Any]) -> None:
    desk = Desk({})
    asked = GttRequest(GttType.SINGLE, "SBIN", "NSE", Action.SELL, 1, trigger_above=5900, **more)
    with pytest.raises(InvalidOrder, match="limit order at the trigger price"):
        await desk.api.gtt_place(asked, "tag")
    assert desk.sent == []


# -- orders -----------------------------------------------------------------------------------
def order(instrument: Instrument, quantity: int, **more: Any) -> OrderRequest:
    product = Product.MIS
    return OrderRequest(
        instrument.symbol, instrument.exchange, Action.BUY, quantity, PriceType.LIMIT, product,
        100.0, **more,
    )  # fmt: skip


async def test_commodities_leave_in_lots_and_currencies_wait_for_the_doctor() -> None:
    desk = Desk({"/v3/order/place": {"order_ids": ["1", "2"]}})
    assert (await desk.api.place(order(CRUDE, 300), "tag")).order_id == "1"
    assert desk.sent[-1].url.host == "api-hft.upstox.com"
    assert desk.body["quantity"] == 3
    assert "market_protection" not in desk.body and desk.body["slice"] is False
    with pytest.raises(InvalidOrder, match="doctor upstox"):
        await desk.api.place(order(DOLLAR, 1), "tag")
    assert len(desk.sent) == 1


async def test_a_currency_that_the_doctor_confirmed_leaves_and_comes_back(tmp_path: Path) -> None:
    """The master's lots of 1 and the margin of one agree: a unit is a contract."""
    async with open_rig("upstox", tmp_path) as rig:
        await rig.login()
        rig.account.api.sizes.proofs = {}
        dollar = rig.row("CDS", "FUT")
        asked = OrderRequest(
            dollar.symbol, "CDS", Action.BUY, 2, PriceType.LIMIT, Product.NRML, dollar.tick_size
        )
        with pytest.raises(InvalidOrder, match="doctor upstox"):
            await rig.account.gateway.place(asked, "Otest1")
        answers = await rig.account.confirm_sizes()
        assert [(answer.exchange, answer.good) for answer in answers] == [
            ("BCD", True), ("CDS", True),
        ]  # fmt: skip
        await rig.account.gateway.place(asked, "Otest1")
        assert rig.emulator.arrived[-1]["quantity"] == 2
        (found,) = await rig.account.gateway.orders()
        assert (found.symbol, found.exchange, found.quantity) == (dollar.symbol, "CDS", 2)


@pytest.mark.parametrize(
    ("code", "text", "error"),
    [
        ("UDAPI100040", "Order already cancelled/rejected/completed", OrderNotWorking),
        ("UDAPI100010", "Order not found", RejectedByBroker),
    ],
)
async def test_a_refused_cancellation_says_why(code: str, text: str, error: Any) -> None:
    desk = Desk({"/v3/order/cancel": {"errorCode": code, "message": text}}, status=400)
    with pytest.raises(error, match=text):
        await desk.api.cancel("424242")


async def test_something_went_wrong_says_nothing_of_an_order() -> None:
    said = {"errorCode": "UDAPI100500", "message": "Something went wrong"}
    desk = Desk({"/v3/order/place": said}, status=400)
    with pytest.raises(OrderStateUnknown) as caught:
        await desk.api.place(order(SBIN, 1), "tag")
    assert caught.value.tag == "tag" and len(desk.sent) == 1


@pytest.mark.parametrize("data", [None, {}, [], {"margins": [], "final_margin": None}])
async def test_a_margin_that_is_not_told_is_no_zero(data: Any) -> None:
    with pytest.raises(DataError, match="margin"):
        await Desk({"/v2/charges/margin": data}).api.margin([order(SBIN, 1)])


async def test_no_funds_at_night_is_no_zero() -> None:
    said = {"errorCode": "UDAPI100072", "message": "The service is accessible from 5:30 AM"}
    with pytest.raises(NotSupported, match="5:30"):
        await Desk({"/v3/user": said}, status=423).api.funds()


# -- positions --------------------------------------------------------------------------------
def held(quantity: int, multiplier: float) -> dict[str, Any]:
    return {
        "exchange": "MCX", "instrument_token": CRUDE.token, "product": "D", "quantity": quantity,
        "average_price": 6000.0, "last_price": 6001.0, "pnl": 200.0, "multiplier": multiplier,
        "day_buy_quantity": quantity, "day_sell_quantity": 0,
    }  # fmt: skip


@pytest.mark.parametrize("row", [held(2, 100.0), held(200, 1.0), held(2, 0.0)])
async def test_a_position_of_two_lots_whatever_its_row_counts(row: dict[str, Any]) -> None:
    (position,) = await Desk({"/v2/portfolio/short": [row]}).api.positions()
    assert (position.quantity, position.buy_quantity, position.multiplier) == (200, 200, 1.0)
    assert position.unrealised == pytest.approx(200.0)


@pytest.mark.parametrize("row", [held(2, 50.0), held(150, 1.0)])
async def test_a_position_that_contradicts_itself_is_no_row(row: dict[str, Any]) -> None:
    found = await Desk({"/v2/portfolio/short": [row]}).api.positions()
    assert found == [] and "multiplier" in found.unreadable[0]


@pytest.mark.parametrize("row", [held(2, 100.0), held(200, 1.0)])
async def test_a_position_that_left_the_master_closes_by_its_own_quantity(
    row: dict[str, Any],
) -> None:
    row |= {"instrument_token": "MCX_FO|1", "trading_symbol": "CRUDEOIL FUT 20 NOV 26"}
    desk = Desk({"/v2/portfolio/short": [row], "/v3/order/place": {"order_ids": ["1"]}})
    (position,) = await desk.api.positions()
    assert position.quantity == 200
    exit_ = OrderRequest(
        position.symbol, "MCX", Action.SELL, position.quantity, PriceType.LIMIT, Product.NRML, 1.0
    )
    await desk.api.place(exit_, "tag")
    assert (desk.body["quantity"], desk.body["instrument_token"]) == (2, "MCX_FO|1")


async def test_what_a_row_does_not_tell_is_no_zero() -> None:
    share = {"instrument_token": SBIN.token, "trading_symbol": "SBIN", "t1_quantity": 4}
    found = await Desk({"/v2/portfolio/long": [share]}).api.holdings()
    assert found == [] and "quantity" in found.unreadable[0]
    open_ = {**held(2, 100.0), "average_price": None}
    found = await Desk({"/v2/portfolio/short": [open_]}).api.positions()
    assert found == [] and "average_price" in found.unreadable[0]
    (priced,) = await Desk(
        {"/v2/portfolio/short": [{**open_, "buy_price": 5999.0}]}
    ).api.positions()
    assert priced.average_price == 5999.0


async def test_funds_that_are_not_told_are_no_zero() -> None:
    desk = Desk({"/v3/user": {"available_to_trade": {}}, "/v2/portfolio": []})
    with pytest.raises(DataError, match="what cash"):
        await desk.api.funds()


# -- market data ------------------------------------------------------------------------------
def bar(at: str) -> list[Any]:
    return [f"{at}+05:30", 1.0, 2.0, 0.5, 1.5, 10, 0]


async def test_bars_of_today_come_from_their_own_request() -> None:
    today = [bar("2026-12-01T09:20:00"), bar("2026-12-01T09:15:00"), bar("2026-11-30T15:25:00")]
    answers = {
        "/v3/historical-candle/intraday": {"candles": today},
        "/v3/historical-candle": {"candles": [bar("2026-11-30T15:25:00")]},
    }
    desk = Desk(answers)
    bars = await desk.api.history(
        ("NSE", "SBIN"), Interval.M5, date(2026, 11, 30), date(2026, 12, 1)
    )
    assert len(bars) == 3 and list(bars.time) == sorted(bars.time)
    paths = [request.url.raw_path.decode() for request in desk.sent]
    name = "NSE_EQ%7CINE062A01020"
    assert paths == [
        f"/v3/historical-candle/{name}/minutes/5/2026-11-30/2026-11-30",
        f"/v3/historical-candle/intraday/{name}/minutes/5",
    ]
    desk = Desk(answers)
    bars = await desk.api.history(
        ("NSE", "SBIN"), Interval.M5, date(2026, 12, 1), date(2026, 12, 1)
    )
    assert (
        len(bars) == 2 and len(desk.sent) == 1
    )  # what a holiday shows of another day is not today's
    desk = Desk(answers)
    await desk.api.history(("NSE", "SBIN"), Interval.M5, date(2026, 11, 29), date(2026, 11, 30))
    assert len(desk.sent) == 1


async def test_an_odd_bar_of_today_does_not_cost_the_others() -> None:
    odd = [None, 7, [], {"0": "x"}, bar("2026-12-01T09:15:00")]
    desk = Desk({"/v3/historical-candle/intraday": {"candles": odd}})
    day = date(2026, 12, 1)
    assert len(await desk.api.history(("NSE", "SBIN"), Interval.M5, day, day)) == 1


@pytest.mark.parametrize("odd", [None, 7, "", [], {"instrument_token": ["x"]}])
async def test_an_odd_quote_does_not_cost_the_others(odd: Any) -> None:
    good = {"instrument_token": SBIN.token, "last_price": 812.3}
    desk = Desk({"/v3/market-quote/quotes": {"x": odd, "NSE_EQ:SBIN": good}})
    found = await desk.api.quotes([SBIN.key, CRUDE.key])
    assert found[SBIN.key].ltp == 812.3 and isinstance(found[CRUDE.key], DataError)


async def test_quotes_are_found_by_their_key_and_a_world_index_has_a_last_price() -> None:
    full = {
        "instrument_token": SBIN.token, "last_price": 812.3, "prev_close_price": 805.4,
        "ohlc": {"open": 806.0, "high": 815.0, "low": 804.5, "close": 812.3}, "year_high": 900.0,
        "last_trade_time": "1796112000000", "volume": 7,
    }  # fmt: skip
    last = {"instrument_token": WORLD.token, "last_price": 6871.2}
    desk = Desk(
        {"/v3/market-quote/quotes": {"NSE_EQ:SBIN": full}, "/v2/market-quote/ltp": {"x": last}}
    )
    keys = [SBIN.key, CRUDE.key, WORLD.key]
    found = await desk.api.quotes(keys)
    share = found[SBIN.key]
    assert (share.ltp, share.close, share.volume, share.ltt) == (812.3, 805.4, 7, 1796112000000)
    assert share.extras.week_52_high == 900.0
    assert isinstance(found[CRUDE.key], DataError)
    assert found[WORLD.key].ltp == 6871.2
    assert [r.url.params["instrument_key"] for r in desk.sent] == [
        f"{SBIN.token},{CRUDE.token}", WORLD.token,
    ]  # fmt: skip
