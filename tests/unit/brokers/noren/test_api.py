"""What Noren's members do beyond the recordings: sums, quotes, statuses, words of errors."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx
import pytest

from openalgo_desktop.brokers.flattrade import BROKER as FLATTRADE
from openalgo_desktop.brokers.kit.account.gateway import KitGateway
from openalgo_desktop.brokers.kit.account.session import Session
from openalgo_desktop.brokers.kit.broker import Broker
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.shoonya import BROKER as SHOONYA
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.conversion import ConvertRequest
from openalgo_desktop.core.enums import Action, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import (
    AppError,
    DataError,
    InvalidOrder,
    NetError,
    OrderError,
    OrderStateUnknown,
    RateLimited,
    RejectedByBroker,
)
from openalgo_desktop.core.model import Instrument, OrderRequest, OrderUpdate
from openalgo_desktop.core.ticks import Tick

NOW = datetime(2025, 11, 20, 10, 15, tzinfo=IST)
ROWS = [
    Instrument("SBIN", "NSE", token="3045", brsymbol="SBIN-EQ", brexchange="NSE"),
    Instrument("BAD", "NSE", token="9999", brsymbol="BAD-EQ", brexchange="NSE"),
    Instrument("SLOW", "NSE", token="8888", brsymbol="SLOW-EQ", brexchange="NSE"),
    Instrument("GOLD05DEC25FUT", "MCX", token="112", brsymbol="GOLD05DEC25", brexchange="MCX",
               instrument_type="FUT", lot_size=100, contract_value=0.1),
]  # fmt: skip
SBIN, BAD, SLOW = (("NSE", name) for name in ("SBIN", "BAD", "SLOW"))
ORDER = OrderRequest("SBIN", "NSE", Action.BUY, 1, PriceType.LIMIT, Product.MIS, price=100.0)
Serve = Callable[[str, dict[str, Any]], Any]


def api_of(broker: Broker, serve: Serve) -> Any:
    """The calls of an account whose server is a function of the path's end and the jData."""

    async def answer(request: httpx.Request) -> httpx.Response:
        text = request.content.decode().partition("jData=")[2].partition("&jKey=")[0]
        found = serve(request.url.path.rpartition("/")[2], json.loads(text))
        if asyncio.iscoroutine(found):
            found = await found
        return found if isinstance(found, httpx.Response) else httpx.Response(200, json=found)

    session = Session({"access_token": "A", "jkey": "J", "client_id": "FA1"})
    session.open = True
    clock = ManualClock(NOW)
    rest = RestClient(broker.spec, session, clock, transport=httpx.MockTransport(answer))
    return broker.api(broker.spec, rest, BrokerIndex(ROWS), clock)


def refusal(text: str) -> dict[str, str]:
    return {"stat": "Not_Ok", "emsg": text}


# -- sums -----------------------------------------------------------------------------------
POSITION = {
    "exch": "NSE", "tsym": "SBIN-EQ", "token": "3045", "prd": "I", "netqty": "10",
    "netavgprc": "100", "lp": "105", "urmtom": "50", "rpnl": "-20", "prcftr": "1.000000",
}  # fmt: skip


def books(*rows: dict[str, str]) -> Serve:
    return lambda path, body: {"stat": "Ok", "cash": "1000"} if path == "Limits" else list(rows)


async def test_results_of_the_day_are_the_sums_of_the_book() -> None:
    funds = await api_of(FLATTRADE, books(POSITION, {**POSITION, "urmtom": "0"})).funds()
    assert (funds.m2m_realised, funds.m2m_unrealised) == (-40, 100)


async def test_what_is_paid_and_pledged_today_is_told() -> None:
    told = {"stat": "Ok", "cash": "1000", "payin": "50.00", "payout": "0.00"}
    share = {"exch_tsym": [{"exch": "NSE", "tsym": "SBIN-EQ", "token": "3045"}], "upldprc": "700"}
    rows = [{**share, "holdqty": "6", "brkcolqty": "4"}, {**share, "holdqty": "6"}]

    def serve(path: str, body: dict[str, Any]) -> Any:
        return told if path == "Limits" else rows

    api = api_of(SHOONYA, serve)
    assert [(row.quantity, row.pledged) for row in await api.holdings()] == [(10, 4), (6, None)]
    funds = await api.funds()
    assert (funds.payin, funds.payout) == (50.0, 0.0)
    del told["payin"], told["payout"]
    assert ((await api.funds()).payin, (await api.funds()).payout) == (None, None)


@pytest.mark.parametrize("odd", [{"urmtom": "x"}, {"rpnl": "NaN"}, {"prd": ""}])
async def test_no_sum_of_a_part_of_the_book(odd: dict[str, str]) -> None:
    with pytest.raises(DataError, match="cannot be read whole"):
        await api_of(FLATTRADE, books({**POSITION, "rpnl": "-90000", **odd}, POSITION)).funds()


async def test_an_open_result_that_is_not_told_follows_from_the_contract() -> None:
    """A row without ``prcftr``: ten rupees of gold, whose units earn a tenth."""
    row = {"exch": "MCX", "tsym": "GOLD05DEC25", "token": "112", "prd": "M", "netqty": "100",
           "netavgprc": "120000", "lp": "120010", "urmtom": "0", "rpnl": "5"}  # fmt: skip
    for factor in ({}, {"prcftr": "0.100000", "mult": "1"}):
        api = api_of(FLATTRADE, books({**row, **factor}))
        (position,) = await api.positions()
        assert position.unrealised == pytest.approx(100)
        assert position.realised_today == pytest.approx(5)
        assert (await api.funds()).m2m_unrealised == pytest.approx(100)


# -- conversions ------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("days", "kind"),
    [
        ({}, "DAY"),
        ({"cfbuyqty": "10", "cfsellqty": "0"}, "CF"),
        ({"cfbuyqty": "4", "cfsellqty": "0"}, ""),
    ],
)
async def test_a_conversion_says_whether_the_units_are_of_today(
    days: dict[str, str], kind: str
) -> None:
    sent: list[dict[str, Any]] = []

    def serve(path: str, body: dict[str, Any]) -> Any:
        if path != "ProductConversion":
            return [{**POSITION, "prd": "C", "netqty": "3"}, {**POSITION, **days}]
        sent.append(body)
        return {"stat": "Ok", "request_time": "10:52:12 02-06-2020"}

    api = api_of(SHOONYA, serve)
    asked = ConvertRequest("SBIN", "NSE", Action.BUY, 10, Product.MIS, Product.CNC, 10, 3)
    if not kind:
        with pytest.raises(InvalidOrder, match="carried over in part"):
            await api.convert(asked, "T1")
        assert sent == []
        return
    assert (await api.convert(asked, "T1")).order_id == "T1"
    assert sent == [
        {
            "uid": "FA1", "actid": "FA1", "exch": "NSE", "tsym": "SBIN-EQ", "qty": "10", "prd": "C",
            "prevprd": "I", "trantype": "B", "postype": kind, "ordersource": "API",
        }
    ]  # fmt: skip


async def test_a_refused_conversion_is_refused() -> None:
    answers = {"PositionBook": [POSITION]}
    said = "Invalid Input : Invalid Position Type"
    api = api_of(SHOONYA, lambda path, body: answers.get(path, refusal(said)))
    asked = ConvertRequest("SBIN", "NSE", Action.BUY, 10, Product.MIS, Product.CNC, 10)
    with pytest.raises(OrderError, match="Invalid Position Type"):
        await api.convert(asked, "T1")


# -- quotes ---------------------------------------------------------------------------------
async def test_what_the_broker_says_of_an_instrument_is_its_own() -> None:
    def serve(path: str, body: dict[str, Any]) -> Any:
        bad = body["token"] == "9999"
        return refusal("Error Occurred : 7 bad scrip") if bad else {"stat": "Ok", "lp": "100"}

    api = api_of(SHOONYA, serve)
    found = await api.quotes([SBIN, BAD])
    assert isinstance(found[SBIN], Tick) and found[SBIN].ltp == 100
    assert isinstance(found[BAD], DataError) and "bad scrip" in found[BAD].message
    alone = await api.quotes([BAD])
    assert isinstance(alone[BAD], DataError) and "bad scrip" in alone[BAD].message


async def test_an_error_of_all_leaves_no_request_behind() -> None:
    waiting = asyncio.Event()
    ended: list[str] = []

    async def slow() -> httpx.Response:
        waiting.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("slow")
        raise AssertionError("it was not ended")

    async def down() -> httpx.Response:
        await waiting.wait()
        return httpx.Response(502)

    api = api_of(SHOONYA, lambda path, body: slow() if body["token"] == "8888" else down())
    with pytest.raises(NetError):
        await api.quotes([SBIN, SLOW])
    assert ended == ["slow"]


# -- orders ---------------------------------------------------------------------------------
PUSH = {
    "t": "om", "norenordno": "7", "exch": "NSE", "tsym": "SBIN-EQ", "token": "3045", "prd": "I",
    "trantype": "B", "prctyp": "LMT", "qty": "10", "prc": "100", "fillshares": "0",
    "norentm": "10:15:00 20-11-2025", "remarks": "Otag",
}  # fmt: skip


def test_a_refused_change_does_not_end_the_order() -> None:
    """Its message may have a status that nobody knows; the book is asked, and the fill counts."""
    gateway = KitGateway(SHOONYA.spec, api_of(SHOONYA, books()), ManualClock(NOW), lambda: None)
    asked: list[bool] = []
    updates: list[OrderUpdate] = []
    gateway.on_odd_push = lambda: asked.append(True)
    gateway.set_listener(updates.append)
    gateway.pushed({**PUSH, "status": "OPEN", "reporttype": "New"})
    gateway.pushed({**PUSH, "status": "REPLACE_REFUSED", "reporttype": "Rejected"})
    assert asked == [True]
    gateway.pushed({**PUSH, "status": "COMPLETE", "fillshares": "10", "avgprc": "100"})
    assert [update.order.status for update in updates] == [OrderStatus.OPEN, OrderStatus.COMPLETE]


RISK = "RED:RULE:{Order value exceeds limit}"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("Request exceeds Limit", RateLimited),
        ("exceeds Limit", RateLimited),
        ('Error Occurred : 9 "exceeds limit"', RateLimited),
        ("Too many requests", RateLimited),
        (RISK, DataError),
        ("Order value exceeds limit", DataError),
    ],
)
async def test_the_rate_limit_has_its_own_sentence(text: str, error: type[AppError]) -> None:
    with pytest.raises(error):
        await api_of(SHOONYA, lambda path, body: refusal(text)).orders()


@pytest.mark.parametrize("text", [RISK, "Order value exceeds limit", "Request exceeds Limit"])
async def test_words_alone_are_no_rate_limit_of_a_write(text: str) -> None:
    with pytest.raises(RejectedByBroker, match=r"(?i)exceeds limit"):
        await api_of(SHOONYA, lambda path, body: refusal(text)).place(ORDER, "Otag")
    served = httpx.Response(429, json=refusal(text))
    with pytest.raises((RateLimited, OrderStateUnknown)):
        await api_of(SHOONYA, lambda path, body: served).place(ORDER, "Otag")


@pytest.mark.parametrize("missing", ["al_id", "tsym"])
async def test_a_trigger_without_its_id_or_symbol_is_no_trigger_called_none(missing: str) -> None:
    row = {"ai_t": "LTP_B_O", "al_id": "7", "exch": "NSE", "tsym": "SBIN-EQ", "token": "3045",
           "trantype": "B", "prctyp": "LMT", "prd": "C", "qty": "1", "prc": "90",
           "d": "91"}  # fmt: skip
    assert [gtt.trigger_id for gtt in await api_of(SHOONYA, books(row)).gtt_orders()] == ["7"]
    del row[missing]
    found = await api_of(SHOONYA, books(row)).gtt_orders()
    assert found == [] and found.partial
