"""REST of the local API: smart, bulk and option orders, chains, files, webhooks, action centre."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import pytest

from openalgo_desktop.core.api_rows import NEVER, QUEUED_MODE, Alert
from openalgo_desktop.core.enums import Action, AlertState, FeedMode, Mode, Product
from openalgo_desktop.core.errors import InsufficientFunds, StorageError
from openalgo_desktop.core.events import Notice
from openalgo_desktop.core.model import Position
from openalgo_desktop.local_api import webhook_queue
from openalgo_desktop.local_api.table import ApiError
from openalgo_desktop.local_api.validation import new_schema
from openalgo_desktop.local_api.webhook_queue import order_payload
from openalgo_desktop.trading.idempotency import RequestMemory
from openalgo_desktop.trading.webhooks import (
    NOT_STORED,
    SymbolMap,
    WebhookKind,
    WebhookMode,
    WebhookOrder,
    WebhookStrategy,
    market_order,
)
from tests.unit.local_api.rest_world import STRIKES, World, running
from tests.waiting import until

SMART = {
    "strategy": "test",
    "symbol": "SBIN",
    "exchange": "NSE",
    "action": "BUY",
    "quantity": 5,
    "product": "MIS",
}
ATM = {"offset": "ATM", "option_type": "CE"}
NIFTY = {"underlying": "NIFTY", "exchange": "NSE_INDEX", "expiry_date": "29DEC26"}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with running() as it:
        yield it


# -- smart, basket, split -------------------------------------------------------------------
@pytest.mark.parametrize(
    ("current", "target", "quantity", "sent"),
    [
        (0, 0, 5, (Action.BUY, 5)),
        (0, 10, 5, (Action.BUY, 10)),
        (0, -10, 5, (Action.SELL, 10)),
        (10, 0, 0, (Action.SELL, 10)),
        (-10, 0, 5, (Action.BUY, 10)),
        (10, -10, 5, (Action.SELL, 20)),
        (-10, -4, 5, (Action.BUY, 6)),
        (10, 10, 5, "Positions Already Matched. No Action needed."),
        (0, 0, 0, "No OpenPosition Found. Not placing Exit order."),
    ],
)
async def test_smart_order(
    world: World, current: int, target: int, quantity: int, sent: tuple[Action, int] | str
) -> None:
    if current:
        world.desk.rows = [Position("SBIN", "NSE", Product.MIS, current, 800.0)]
    status, body = await world.post(
        "placesmartorder", SMART | {"quantity": quantity, "position_size": target}
    )
    assert status == 200
    if isinstance(sent, str):
        assert body == {"status": "success", "mode": "analyze", "message": sent}
        assert world.desk.placed == []
        return
    assert body == {"status": "success", "mode": "analyze", "orderid": "1"}
    order = world.desk.placed[0][0]
    assert (order.action, order.quantity) == sent


async def test_basket_sends_buys_first_and_goes_on_after_a_refusal(world: World) -> None:
    world.desk.fail_symbols["NIFTY29DEC26FUT"] = InsufficientFunds("Insufficient funds")
    item = {"symbol": "SBIN", "exchange": "NSE", "quantity": 1}
    future = {"symbol": "NIFTY29DEC26FUT", "exchange": "NFO", "quantity": 65}
    _, body = await world.post(
        "basketorder",
        {
            "strategy": "s",
            "orders": [item | {"action": "SELL"}, future | {"action": "BUY"}],
        },
    )
    assert body == {
        "status": "success",
        "mode": "analyze",
        "results": [
            {"symbol": "NIFTY29DEC26FUT", "status": "error", "message": "Insufficient funds"},
            {
                "symbol": "SBIN",
                "exchange": "NSE",
                "product": "MIS",
                "status": "success",
                "orderid": "1",
                "batch_order": True,
                "is_last_order": True,
            },
        ],
    }
    status, body = await world.post(
        "basketorder", {"strategy": "s", "orders": [item | {"action": "X"}]}
    )
    assert status == 400
    assert body["message"].startswith("{'orders': {0: {'action': ['Must be one of:")


async def test_a_switch_of_the_mode_stops_what_is_still_to_be_sent(world: World) -> None:
    sent = world.desk.place

    async def switching(*args: Any, **more: Any) -> Any:
        placed = await sent(*args, **more)
        world.desk.mode = Mode.LIVE
        return placed

    world.desk.place = switching  # type: ignore[method-assign]
    _, body = await world.post("splitorder", SMART | {"quantity": 20, "splitsize": 10})
    assert [row["status"] for row in body["results"]] == ["success", "error"]
    assert len(world.desk.placed) == 1


async def test_split(world: World) -> None:
    order = SMART | {"quantity": "25", "splitsize": "10"}
    _, body = await world.post("splitorder", order)
    assert [row["quantity"] for row in body["results"]] == [10, 10, 5]
    assert (body["total_quantity"], body["split_size"]) == (25, 10)
    status, body = await world.post("splitorder", order | {"quantity": 1010})
    assert (status, body["message"]) == (
        400,
        "Total number of orders would exceed maximum limit of 100",
    )


# -- options --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("offset", "kind", "symbol"),
    [
        ("ATM", "CE", "NIFTY29DEC2626000CE"),
        ("itm2", "pe", "NIFTY29DEC2626100PE"),
        ("OTM5", "CE", "NIFTY29DEC2626250CE"),
    ],
)
async def test_option_symbol(world: World, offset: str, kind: str, symbol: str) -> None:
    _, body = await world.post("optionsymbol", NIFTY | {"offset": offset, "option_type": kind})
    assert body == {
        "status": "success",
        "symbol": symbol,
        "exchange": "NFO",
        "lotsize": 65,
        "tick_size": 0.05,
        "freeze_qty": 1800,
        "underlying_ltp": 26000.0,
    }


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({"expiry_date": None}, 400, "Expiry date required."),
        ({"expiry_date": "30DEC26"}, 404, "No strikes found for NIFTY expiring 30DEC26."),
        ({"offset": "OTM40"}, 400, "Offset OTM40 is out of range for available strikes."),
        ({"underlying": "NOPE"}, 400, "Failed to fetch LTP for NOPE. Symbol 'NOPE' not found"),
        ({"strike_int": 7}, 404, "Option symbol NIFTY29DEC2625998CE not found in NFO."),
    ],
)
async def test_option_symbol_problems(
    world: World, change: dict[str, Any], status: int, message: str
) -> None:
    body = NIFTY | {"offset": "ATM", "option_type": "CE"} | change
    got, answer = await world.post("optionsymbol", body)
    assert got == status
    assert answer["message"].startswith(message)
    assert "mode" not in answer


async def test_wrong_key_names_the_underlying(world: World) -> None:
    body = NIFTY | {"offset": "ATM", "option_type": "CE"}
    assert await world.post("optionsymbol", body, key="wrong") == (
        403,
        {
            "status": "error",
            "message": "Failed to fetch LTP for NIFTY. Invalid openalgo apikey",
        },
    )
    assert (await world.post("optiongreeks", {"symbol": "X", "exchange": "NFO"}, key="wrong"))[
        0
    ] == 401


async def test_options_order(world: World) -> None:
    body = NIFTY | {
        "strategy": "s",
        "offset": "ATM",
        "option_type": "ce",
        "action": "buy",
        "quantity": "65",
    }
    _, answer = await world.post("optionsorder", body)
    assert answer == {
        "status": "success",
        "mode": "analyze",
        "orderid": "1",
        "symbol": "NIFTY29DEC2626000CE",
        "exchange": "NFO",
        "underlying": "NIFTY",
        "underlying_ltp": 26000.0,
        "offset": "ATM",
        "option_type": "CE",
    }
    _, answer = await world.post("optionsorder", body | {"quantity": 130, "splitsize": 65})
    assert "orderid" not in answer
    assert [row["orderid"] for row in answer["results"]] == ["2", "3"]


async def test_multi_order_buys_first_and_keeps_leg_order(world: World) -> None:
    leg = {"option_type": "CE", "quantity": 65, "product": "NRML"}
    body = NIFTY | {
        "strategy": "s",
        "legs": [
            leg | {"offset": "OTM2", "action": "SELL"},
            leg | {"offset": "OTM4", "action": "BUY"},
            leg | {"offset": "OTM49", "action": "BUY"},
        ],
    }
    _, answer = await world.post("optionsmultiorder", body)
    assert [row["leg"] for row in answer["results"]] == [1, 2, 3]
    assert [order.action for order, _ in world.desk.placed] == [Action.BUY, Action.SELL]
    assert answer["results"][0]["mode"] == "analyze"
    assert answer["results"][2] == {
        "leg": 3,
        "offset": "OTM49",
        "option_type": "CE",
        "action": "BUY",
        "status": "error",
        "message": "Offset OTM49 is out of range for available strikes. "
        "Please use a smaller offset.",
    }
    assert answer["underlying_ltp"] == 26000.0


async def test_chain_asks_once_then_reads_the_stream(world: World) -> None:
    _, body = await world.post("optionchain", NIFTY | {"strike_count": 2})
    assert [row["strike"] for row in body["chain"]] == [25900, 25950, 26000, 26050, 26100]
    assert [row["ce"]["label"] for row in body["chain"]] == ["ITM2", "ITM1", "ATM", "OTM1", "OTM2"]
    assert [row["pe"]["label"] for row in body["chain"]] == ["OTM2", "OTM1", "ATM", "ITM1", "ITM2"]
    assert "delta" not in body["chain"][0]["ce"]
    assert body["forward_price"] is None
    asked = [keys for keys in world.source.asked if len(keys) > 1]
    assert [len(keys) for keys in asked] == [10]
    await until(lambda: world.hub.latest(("NFO", "NIFTY29DEC2626000CE")) is not None)
    _, body = await world.post("optionchain", NIFTY | {"strike_count": 2, "with_greeks": True})
    assert [keys for keys in world.source.asked if len(keys) > 1] == asked
    leg = body["chain"][2]["ce"]
    assert body["forward_price"] == 26000.0
    assert leg["implied_volatility"] > 0
    assert 0.4 < leg["delta"] < 0.6
    _, body = await world.post("optionchain", NIFTY)
    assert len(body["chain"]) == len(STRIKES)
    embedded = {"underlying": "NIFTY29DEC26FUT", "exchange": "NFO", "expiry_date": "01DEC26"}
    _, body = await world.post("optionchain", embedded)
    assert (body["underlying"], body["expiry_date"]) == ("NIFTY", "29DEC26")


async def test_synthetic_future_and_greeks(world: World) -> None:
    world.source.prices["NFO", "NIFTY29DEC2626000CE"] = 396.25
    world.source.prices["NFO", "NIFTY29DEC2626000PE"] = 376.25
    _, body = await world.post("syntheticfuture", NIFTY)
    assert body["synthetic_future_price"] == 26020.0
    option = {"symbol": "NIFTY29DEC2626000CE", "exchange": "NFO"}
    _, body = await world.post("optiongreeks", option)
    assert body["spot_price"] == 26020.0
    assert body["interest_rate"] == 0
    _, rated = await world.post("optiongreeks", option | {"interest_rate": "6.5"})
    assert rated["interest_rate"] == 6.5
    assert rated["implied_volatility"] > body["implied_volatility"]
    assert set(body["greeks"]) == {"delta", "gamma", "theta", "vega", "rho"}
    _, body = await world.post(
        "multioptiongreeks", {"symbols": [option, {"symbol": "NOPE", "exchange": "NFO"}]}
    )
    assert body["status"] == "partial"
    assert body["summary"] == {"total": 2, "success": 1, "failed": 1}
    assert body["data"][1]["status"] == "error"


# -- data -----------------------------------------------------------------------------------
async def test_multiquotes(world: World) -> None:
    good = {"symbol": "SBIN", "exchange": "NSE"}
    bad = {"symbol": "NOPE", "exchange": "NSE"}
    _, body = await world.post("multiquotes", {"symbols": [good, bad, good]})
    assert [row["symbol"] for row in body["results"]] == ["NOPE", "SBIN"]
    assert "error" in body["results"][0]
    status, body = await world.post("multiquotes", {"symbols": [bad]})
    assert status == 400
    assert body["invalid_symbols"][0]["symbol"] == "NOPE"


async def test_ticker(world: World) -> None:
    query = {"apikey": "good", "interval": "5m", "from": "2026-11-20", "to": "2026-11-20"}
    answer = await world.http.get("/api/v1/ticker/NSE:SBIN", params=query)
    assert answer.json()["data"][0]["timestamp"] == 1795146300
    answer = await world.http.get("/api/v1/ticker/NSE:SBIN", params=query | {"format": "txt"})
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.text.splitlines()[0] == "NSE:SBIN,2026-11-20,09:15:00,800.0,801.0,799.0,800.0,10"
    answer = await world.http.get(
        "/api/v1/ticker/NSE:SBIN", params=query | {"format": "txt", "apikey": "wrong"}
    )
    assert (answer.status_code, answer.text) == (403, "Invalid openalgo apikey\n")
    answer = await world.http.get("/api/v1/ticker/NSE:SBIN", params={"apikey": "good"})
    assert answer.json()["message"] == {
        "start_date": ["Field may not be null."],
        "end_date": ["Field may not be null."],
    }
    assert (await world.http.get("/api/v1/ticker/SBIN", params=query)).status_code == 400


async def test_instruments(world: World) -> None:
    answer = await world.http.get(
        "/api/v1/instruments", params={"apikey": "good", "exchange": "NSE"}
    )
    assert answer.json()["message"] == "Found 1 instruments"
    answer = await world.http.get("/api/v1/instruments", params={"apikey": "good"})
    assert len(answer.json()["data"]) == len(world.instruments)
    answer = await world.http.get(
        "/api/v1/instruments", params={"apikey": "good", "exchange": "NSE", "format": "csv"}
    )
    assert answer.headers["Content-Disposition"] == "attachment; filename=instruments_NSE.csv"
    assert answer.content.startswith(b"symbol,brsymbol,name,exchange,brexchange,token,expiry,")
    assert answer.content.count(b"\r\n") == 2
    answer = await world.http.get("/api/v1/instruments")
    assert answer.json()["message"] == {"apikey": ["Field may not be null."]}


async def test_calendar(world: World) -> None:
    _, body = await world.post("market/timings", {"date": "2026-11-20"})
    assert body["data"][0] == {
        "exchange": "NSE",
        "start_time": 1795146300000,
        "end_time": 1795168800000,
    }
    status, body = await world.post("market/timings", {"date": "20-11-2026"})
    assert (status, body["message"]) == (400, "Invalid date format. Use YYYY-MM-DD")
    _, body = await world.post("market/holidays")
    assert body["year"] == 2026
    assert any(day["date"] == "2026-01-26" for day in body["data"])


async def test_dates_and_times_are_of_ascii_digits(world: World) -> None:
    for path, name in (
        ("market/timings", "date"),
        ("history", "start_date"),
        ("history", "end_date"),
    ):
        body = {"symbol": "SBIN", "exchange": "NSE", "interval": "5m", "date": "2026-11-20"}
        body |= {"start_date": "2026-11-20", "end_date": "2026-11-20"}
        if path == "market/timings":
            body = {}
        status, answer = await world.post(path, body | {name: "２０２６-11-20"})
        assert status == 400 and "date" in str(answer["message"]), (path, name, answer)
    assert (await world.post("optionsymbol", NIFTY | ATM))[0] == 200
    status, _ = await world.post("optionsymbol", NIFTY | ATM | {"expiry_date": "２９DEC26"})
    assert status == 404
    greeks = {"symbol": "NIFTY29DEC2624000CE", "exchange": "NFO", "expiry_time": "１５:30"}
    status, answer = await world.post("optiongreeks", greeks)
    assert status == 400 and "expiry_time" in answer["message"], answer


@pytest.mark.parametrize("interval", ["5m", "D"])
async def test_a_range_may_end_at_the_end_of_time(world: World, interval: str) -> None:
    body = {"symbol": "SBIN", "exchange": "NSE", "interval": interval}
    days = {"start_date": "9999-12-30", "end_date": "9999-12-31"}
    assert await world.post("history", body | days) == (200, {"status": "success", "data": []})


@pytest.mark.parametrize("value", [1e308, 10**400, "1e300"])
async def test_numbers_that_no_arithmetic_holds_name_their_field(world: World, value: Any) -> None:
    gtt = {"strategy": "t", "symbol": "SBIN", "exchange": "NSE", "action": "BUY", "product": "CNC"}
    gtt |= {"trigger_type": "SINGLE", "quantity": 1, "price": 700.0, "triggerprice_sl": 700.0}
    step = value if isinstance(value, int) else 10**400
    for path, body, name in (
        ("optionsymbol", NIFTY | ATM | {"strike_int": step}, "strike_int"),
        ("placegttorder", gtt | {"triggerprice_sl": value}, "triggerprice_sl"),
        ("placesmartorder", SMART | {"position_size": value}, "position_size"),
        ("placeorder", SMART | {"quantity": value}, "quantity"),
    ):
        status, answer = await world.post(path, body)
        assert status == 400 and name in str(answer) and "too large" in str(answer), (path, answer)
    assert world.desk.placed == []


async def test_zero_is_a_request_id_and_a_list_is_none(world: World) -> None:
    memory = RequestMemory(world.clock, world.state)
    world.api.dispatcher._ctx = dataclasses.replace(world.ctx, requests=memory)
    await world.api.dispatcher.services.webhooks.save(strategy(intraday=False))
    order = SMART | {"pricetype": "MARKET"}
    first = await world.post("placeorder", order | {"request_id": 0})
    assert first[0] == 200
    assert await world.post("placeorder", order | {"request_id": 0}) == first
    assert len(world.desk.placed) == 1
    for odd in (False, [], {}, ["a"]):
        status, answer = await world.post("placeorder", order | {"request_id": odd})
        assert status == 400 and "request_id" in answer["message"], odd
        body = {"symbol": "SBIN", "action": "BUY", "alert_id": odd}
        assert (await hook(world, body))[0] == 400
    for size in (1, 2):
        body = {"symbol": "SBIN", "action": "BUY", "alert_id": 0, "position_size": size}
        assert (await hook(world, body))[1].get("duplicate", False) is (size == 2)
    await until(lambda: len(world.desk.placed) == 2)


async def test_chart_preferences(world: World) -> None:
    assert (await world.http.get("/api/v1/chart")).json()["message"] == "Missing apikey parameter"
    assert (await world.post("chart", {}, key=None))[1]["message"] == "No data provided"
    values = {"theme": "dark", "layout": {"a": [1, 2]}, "nothing": None}
    assert (await world.post("chart", values))[0] == 200
    answer = await world.http.get("/api/v1/chart", params={"apikey": "good"})
    assert answer.json()["data"] == values
    status, body = await world.post("chart", {f"k{n}": n for n in range(51)})
    assert (status, body["message"]) == (400, "Too many preference keys (max 50)")
    name = "abcdefghijklmnopqrst" + "u" * 31  # 51 letters, of which 20 are shown
    status, body = await world.post("chart", {name: 1})
    assert (status, body["message"]) == (
        400,
        "Preference key too long: abcdefghijklmnopqrst... (max 50 chars)",
    )
    assert (await world.post("chart", {name[:50]: 1}))[0] == 200


async def test_pnl_symbols_only_in_the_sandbox(world: World) -> None:
    world.desk.rows = [Position("SBIN", "NSE", Product.MIS, 10, 800.05, 800.0)]
    _, body = await world.post("pnl/symbols")
    assert body["data"][0]["pnl"] == -0.5
    assert (await world.post("pnl/symbols", key="wrong"))[1] == {
        "status": "error",
        "message": "Invalid API key",
        "mode": "analyze",
    }
    world.desk.mode = Mode.LIVE
    assert (await world.post("pnl/symbols", key=None))[0] == 400


async def test_what_comes_later(world: World) -> None:
    assert (await world.post("portfolio/backtest"))[0] == 501
    assert (await world.post("sip/backtest"))[0] == 501
    assert (await world.post("whatsapp/notify"))[0] == 409
    assert (await world.post("whatsapp/notify", key="wrong"))[0] == 401


async def test_without_a_strategy_engine_its_endpoints_say_so(world: World) -> None:
    status, answer = await world.post("strategy/start", {"strategy_id": 1, "mode": "sandbox"})
    assert (status, answer["message"]) == (503, "The strategy engine does not run in this session.")
    status, answer = await world.post(f"/strategy/webhook/oaws_{'x' * 43}", {}, key=None)
    assert (status, answer["result"]) == (503, "rejected_engine_error")


# -- webhooks -------------------------------------------------------------------------------
def strategy(**changes: Any) -> WebhookStrategy:
    values: dict[str, Any] = {
        "webhook_id": "id-1",
        "name": "alerts",
        "symbols": (SymbolMap("SBIN", "NSE", 7),),
    }
    return WebhookStrategy(**(values | changes))


async def hook(world: World, body: dict[str, Any], path: str = "strategy") -> tuple[int, Any]:
    return await world.post(f"/{path}/webhook/id-1", body, key=None)


async def test_strategy_webhook_places_in_the_background(world: World) -> None:
    store = world.api.dispatcher.services.webhooks
    await store.save(strategy())
    assert await hook(world, {"symbol": "SBIN", "action": "buy", "position_size": "3"}) == (
        200,
        {"message": "Order queued successfully for SBIN"},
    )
    await until(lambda: len(world.desk.placed) == 1)
    order, source = world.desk.placed[0]
    assert (order.action, order.quantity, source) == (Action.BUY, 3, "webhook:alerts")
    world.desk.rows = [Position("SBIN", "NSE", Product.MIS, 3, 800.0)]
    await hook(world, {"symbol": "SBIN", "action": "SELL"})
    await until(lambda: len(world.desk.placed) == 2)
    order, _ = world.desk.placed[1]
    assert (order.action, order.quantity) == (Action.SELL, 3)


@pytest.mark.parametrize(
    ("changes", "body", "status", "text"),
    [
        ({"webhook_id": "other"}, {"symbol": "SBIN"}, 404, "Invalid webhook ID"),
        ({"active": False}, {"symbol": "SBIN", "action": "BUY"}, 400, "Strategy is inactive"),
        ({}, {}, 400, "No data received"),
        ({}, {"symbol": "SBIN"}, 400, "Missing required fields: symbol, action"),
        ({}, {"symbol": "TCS", "action": "BUY"}, 400, "No mapping found for symbol TCS"),
        (
            {},
            {"symbol": "SBIN", "action": "HOLD"},
            400,
            "Invalid action for LONG mode. Use BUY to enter, SELL to exit",
        ),
        (
            {"mode": WebhookMode.BOTH},
            {"symbol": "SBIN", "action": "BUY", "position_size": "-1"},
            400,
            "For BUY orders in BOTH mode, position_size must be >= 0",
        ),
        *(
            (
                {"mode": WebhookMode.BOTH},
                {"symbol": "SBIN", "action": action, "position_size": size},
                400,
                f"Fractional position_size ({size}) is not allowed",
            )
            for action, size in (("BUY", -0.5), ("SELL", "0.5"), ("BUY", 1.5))
        ),
        *(
            (
                {},
                {"symbol": "SBIN", "action": "BUY", "position_size": size},
                400,
                "position_size must be a number",
            )
            for size in ("1_0", "١", True, [1])
        ),
        (
            {"start": "10:30", "end": "11:00"},
            {"symbol": "SBIN", "action": "BUY"},
            400,
            "Entry orders not allowed before start time",
        ),
        (
            {"end": "09:30", "square_off": "10:30"},
            {"symbol": "SBIN", "action": "BUY"},
            400,
            "Entry orders not allowed after end time",
        ),
    ],
)
async def test_strategy_webhook_refusals(
    world: World, changes: dict[str, Any], body: dict[str, Any], status: int, text: str
) -> None:
    await world.api.dispatcher.services.webhooks.save(strategy(**changes))
    assert await hook(world, body) == (status, {"error": text})
    assert world.desk.placed == []


async def test_an_alert_is_stored_before_the_answer_and_refused_when_it_cannot_be(
    world: World,
) -> None:
    await world.api.dispatcher.services.webhooks.save(strategy())
    world.alerts.fail = StorageError("disk full")
    body = {"symbol": "SBIN", "action": "BUY"}
    status, answer = await hook(world, body)
    assert (status, answer["error"].startswith("The alert was not stored")) == (503, True)
    assert (await hook(world, body))[0] == 200  # nothing was queued: the sender's retry counts
    assert len(world.alerts.rows) == 1
    await until(lambda: world.alerts.rows[1].state is AlertState.DONE)
    assert world.alerts.rows[1].result == "order 1"
    assert len(world.desk.placed) == 1


@pytest.mark.parametrize("field", ["", "alert_id", "request_id", "header"])
async def test_the_same_alert_makes_one_order(world: World, field: str) -> None:
    """By its id within a day, whatever it says; by its body within the set window."""
    await world.api.dispatcher.services.webhooks.save(strategy(intraday=False))
    body: dict[str, Any] = {"symbol": "SBIN", "action": "BUY"}
    headers = {"Idempotency-Key": "a-1"} if field == "header" else {}
    own = {} if field in ("", "header") else {field: "a-1"}
    for number in range(3):
        said = body | own | ({} if not field else {"position_size": number + 1})
        status, answer = await world.post("/strategy/webhook/id-1", said, key=None, headers=headers)
        assert status == 200
        assert answer.get("duplicate", False) is (number > 0)
        world.clock.leap(7200)  # the wall clock is no measure of it
    await until(lambda: world.desk.placed)
    window = 86_400 if field else world.settings["webhooks.same_alert_seconds"]
    world.clock.advance(window - 1)
    assert (await world.post("/strategy/webhook/id-1", said, key=None, headers=headers))[1][
        "duplicate"
    ]
    world.clock.advance(1)
    answer = (await world.post("/strategy/webhook/id-1", said, key=None, headers=headers))[1]
    assert "duplicate" not in answer
    await until(lambda: len(world.desk.placed) == 2)


async def test_alerts_at_the_same_moment_share_the_first_answer(world: World) -> None:
    await world.api.dispatcher.services.webhooks.save(strategy())
    body = {"symbol": "SBIN", "action": "BUY"}
    answers = await asyncio.gather(*(hook(world, body) for _ in range(5)))
    assert sorted(answer.get("duplicate", False) for _, answer in answers) == [False] + [True] * 4
    assert len(world.alerts.rows) == 1


async def test_a_window_of_zero_makes_each_alert_its_own() -> None:
    async with running(**{"webhooks.same_alert_seconds": 0}) as world:
        await world.api.dispatcher.services.webhooks.save(strategy())
        for _ in range(2):
            await hook(world, {"symbol": "SBIN", "action": "BUY"})
        await until(lambda: len(world.desk.placed) == 2)


@pytest.mark.parametrize("was_sent", [False, True])
async def test_what_an_earlier_run_left_waits_for_a_human(was_sent: bool) -> None:
    """An alert that was being sent waits too, unless the journal has it."""
    world = World()
    world.alerts.sent = was_sent
    request = order_payload(
        WebhookOrder(market_order(strategy(), SymbolMap("SBIN", "NSE", 7), Action.BUY, 7)),
        Mode.SANDBOX,
    )
    came = world.clock.now()
    world.alerts.rows = {
        1: Alert(1, "placeorder", request, "webhook:alerts", "b1", came),
        2: Alert(2, "placeorder", request, "webhook:alerts", "b2", came, AlertState.SENDING, came),
    }
    world.clock.advance(3600)
    await world.api.start()
    try:
        held = world.approvals.adopted
        assert len(held) == (1 if was_sent else 2)
        assert {(row.created_at, row.expires_at, row.kind) for row in held} == {
            (came, NEVER, "placeorder")
        }
        assert held[0].prices == {"NSE:SBIN": 0.0}  # unknown: the human is asked once more
        assert world.desk.placed == []
        assert world.alerts.rows[2].state is (AlertState.DONE if was_sent else AlertState.HELD)
    finally:
        await world.api.stop()


@pytest.mark.parametrize("how", ["switched off", "deleted"])
async def test_entries_of_a_strategy_that_ended_meanwhile_are_not_sent(
    world: World, how: str
) -> None:
    """What was taken before waits in its lane; an exit gets out."""
    store = world.api.dispatcher.services.webhooks
    await store.save(strategy(intraday=False))
    world.desk.rows = [Position("SBIN", "NSE", Product.MIS, 3, 800.0)]
    held = asyncio.Event()
    find = store.get

    async def get(webhook_id: str) -> WebhookStrategy | None:
        await held.wait()
        return await find(webhook_id)

    world.api.dispatcher.services.webhook_queue._find = get
    for body in ({"action": "SELL"}, {"action": "BUY", "position_size": 5}):
        assert (await hook(world, {"symbol": "SBIN"} | body))[0] == 200
    if how == "deleted":
        await store.delete("id-1")
    else:
        await store.save(strategy(intraday=False, active=False))
    held.set()
    await until(lambda: all(row.state is AlertState.DONE for row in world.alerts.rows.values()))
    assert world.alerts.rows[2].result == f"error: the strategy was {how} after the alert came."
    sent = [(order.action, order.quantity) for order, _ in world.desk.placed]
    assert sent == [(Action.SELL, 3)]


async def test_what_a_full_disk_held_up_waits_for_a_human_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that waited through it: it is old when the disk takes something again."""
    monkeypatch.setattr(webhook_queue, "_AGAIN", 0.001)
    told: list[str] = []
    world.ctx.bus.subscribe(Notice, lambda event: told.append(event.text))
    await world.api.dispatcher.services.webhooks.save(strategy(intraday=False))
    world.alerts.full = True
    for size in (1, 2):
        body = {"symbol": "SBIN", "action": "BUY", "position_size": size}
        assert (await hook(world, body))[0] == 200
    await until(lambda: any("2 webhook order(s) were not sent" in text for text in told))
    assert world.approvals.adopted == []
    world.alerts.full = False
    await until(lambda: len(world.approvals.adopted) == 2)
    assert {row.reason for row in world.approvals.adopted} == {NOT_STORED}
    assert {row.state for row in world.alerts.rows.values()} == {AlertState.HELD}
    assert world.desk.placed == []
    assert (await hook(world, {"symbol": "SBIN", "action": "BUY", "position_size": 3}))[0] == 200
    await until(lambda: [order.quantity for order, _ in world.desk.placed] == [3])


@pytest.mark.parametrize("kind", [WebhookMode.LONG, WebhookMode.BOTH])
async def test_a_live_exit_gets_out_of_a_full_disk_that_holds_entries_up(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: WebhookMode
) -> None:
    """Whether it waits behind an entry (both to a position size) or beside it."""
    monkeypatch.setattr(webhook_queue, "_AGAIN", 0.001)
    told: list[str] = []
    world.ctx.bus.subscribe(Notice, lambda event: told.append(event.text))
    await world.api.dispatcher.services.webhooks.save(strategy(intraday=False, mode=kind))
    world.desk.mode = Mode.LIVE
    world.desk.rows = [Position("SBIN", "NSE", Product.MIS, 3, 800.0)]
    world.alerts.full = True
    for action, size in (("BUY", 5), ("SELL", 0)):
        body = {"symbol": "SBIN", "action": action, "position_size": size}
        assert (await hook(world, body))[0] == 200
    await until(lambda: any("1 webhook order(s) were not sent" in text for text in told))
    await until(lambda: world.desk.placed != [])
    sent = [(order.action, order.quantity) for order, _ in world.desk.placed]
    assert sent == [(Action.SELL, 3)]
    world.alerts.full = False
    await until(lambda: len(world.approvals.adopted) == 1)  # the entry


async def test_an_alert_has_the_mode_of_the_moment_at_which_it_came(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The switch may be moved while its strategy is looked up."""
    await world.api.dispatcher.services.webhooks.save(strategy(intraday=False))
    find = world.api.dispatcher.services.webhooks.get
    came = world.desk.mode
    after = Mode.LIVE if came is Mode.SANDBOX else Mode.SANDBOX

    async def get(webhook_id: str) -> WebhookStrategy | None:
        world.desk.mode = after
        return await find(webhook_id)

    monkeypatch.setattr(world.api.dispatcher.services.webhooks, "get", get)
    assert (await hook(world, {"symbol": "SBIN", "action": "BUY"}))[0] == 200
    assert world.alerts.rows[1].payload[QUEUED_MODE] == came.value


async def test_chartink_webhook(world: World) -> None:
    await world.api.dispatcher.services.webhooks.save(strategy(kind=WebhookKind.CHARTINK))
    alert = {"stocks": "SBIN,TCS", "scan_name": "Breakout BUY"}
    assert await hook(world, alert, "chartink") == (
        200,
        {"status": "success", "message": "Orders queued for symbols: SBIN"},
    )
    await until(lambda: len(world.desk.placed) == 1)
    assert world.desk.placed[0][0].quantity == 7
    assert await hook(world, alert | {"stocks": "TCS"}, "chartink") == (
        200,
        {"status": "warning", "message": "No orders were queued"},
    )
    status, body = await hook(world, alert | {"scan_name": "nothing"}, "chartink")
    assert (status, body["status"]) == (400, "error")
    assert body["error"].startswith("No valid action keyword")


# -- action centre --------------------------------------------------------------------------
async def test_semi_auto_queues_placements_and_refuses_changes_while_live(world: World) -> None:
    world.approvals.sources = "api:*"
    order = SMART | {"quantity": 5}
    status, body = await world.post("placeorder", order)
    assert (status, body) == (
        200,
        {
            "status": "success",
            "message": "Order queued for approval in Action Center",
            "mode": "semi_auto",
            "pending_order_id": 1,
        },
    )
    assert world.desk.placed == []
    cancel = {"strategy": "s", "orderid": "1"}
    assert (await world.post("cancelorder", cancel))[0] == 200
    world.desk.mode = Mode.LIVE
    status, body = await world.post("cancelorder", cancel)
    assert (status, body["message"]) == (
        403,
        "Cancel order operation is not allowed in Semi-Auto mode. "
        "Please switch to Auto mode to cancel orders.",
    )
    assert (await world.post("funds"))[0] == 200
    with pytest.raises(ApiError, match="queued in sandbox mode"):
        await world.approvals.run(1)
    assert world.desk.placed == []
    world.desk.mode = Mode.SANDBOX
    answer = await world.approvals.run(1)
    assert answer == {"status": "success", "mode": "analyze", "orderid": "1"}
    assert world.desk.placed[0][1] == "api:default"


# -- the document ---------------------------------------------------------------------------
async def test_document_and_page(world: World) -> None:
    document = (await world.http.get("/openapi.json")).json()
    assert document["openapi"] == "3.1.0"
    served = {row.route for row in world.api.endpoints() if not row.route.endswith("/*")}
    assert served <= set(document["paths"])
    order = document["paths"]["/api/v1/placeorder"]["post"]
    schema = order["requestBody"]["content"]["application/json"]["schema"]
    assert schema["required"][:2] == ["apikey", "strategy"]
    assert schema["properties"]["pricetype"]["enum"] == ["MARKET", "LIMIT", "SL", "SL-M"]
    assert schema["additionalProperties"] is False
    for row in world.api.endpoints():  # an example that is refused teaches nothing
        if row.schema is not None and row.example:
            assert new_schema(row.schema).validate({"apikey": "good", **row.example}) == {}
    names = [item["name"] for item in document["paths"]["/api/v1/ticker/{id}"]["get"]["parameters"]]
    assert names == ["id", "apikey", "interval", "from", "to", "format"]
    page = await world.http.get("/docs")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "http://" not in page.text
    assert "https://" not in page.text  # bundled: nothing comes from elsewhere


# -- monitor --------------------------------------------------------------------------------
async def test_monitor_splits_the_time(world: World) -> None:
    async def slow(keys: Any) -> Any:
        await asyncio.sleep(0.05)
        return {key: world.source.tick(key, FeedMode.QUOTE) for key in keys}

    world.source.quotes = slow  # type: ignore[method-assign]
    await world.post("quotes", {"symbol": "SBIN", "exchange": "NSE"})
    await world.post("ping", key="wrong")
    refused, row = world.api.monitor.recent(2)
    assert (refused.endpoint, refused.status, refused.key) == ("ping", 403, "")
    assert (row.endpoint, row.status, row.key) == ("quotes", 200, "default")
    assert row.broker >= 49.0
    assert 0.0 <= row.queue < row.total
    assert row.ours < row.total - row.broker + 1.0
    assert world.api.monitor.serial == 2
