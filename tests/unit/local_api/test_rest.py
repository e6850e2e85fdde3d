"""REST of the local API: the corridor of a request and the shapes of answers."""

from __future__ import annotations

import copy
import json
import logging
import socket
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from openalgo_desktop.core.enums import Action, FeedMode, Mode, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import ConfigError, InsufficientFunds, RejectedByBroker
from openalgo_desktop.core.model import Key, Position
from openalgo_desktop.core.ticks import Part, Tick
from tests.unit.local_api.rest_world import World, order, running
from tests.waiting import until

ORDER = {
    "strategy": "test",
    "symbol": "SBIN",
    "exchange": "NSE",
    "action": "BUY",
    "quantity": "10",
    "pricetype": "LIMIT",
    "product": "MIS",
    "price": "799.5",
}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with running() as it:
        yield it


# -- the corridor ---------------------------------------------------------------------------
async def test_both_slash_forms_answer_without_redirect(world: World) -> None:
    for path in ("ping", "ping/"):
        status, body = await world.post(path)
        assert (status, body) == (
            200,
            {"status": "success", "data": {"message": "pong", "broker": "simulator"}},
        )


async def test_unknown_path_and_wrong_method_are_404(world: World) -> None:
    assert await world.post("nothing") == (
        404,
        {"status": "error", "message": "Not found", "path": "/api/v1/nothing"},
    )
    answer = await world.http.get("/api/v1/placeorder")
    assert answer.status_code == 404
    assert answer.json()["path"] == "/api/v1/placeorder"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:5000", "127.0.0.1.evil.example"])
async def test_foreign_host_is_refused(world: World, host: str) -> None:
    status, body = await world.post("ping", headers={"Host": host})
    assert status == 403
    assert "api.allowed_hosts" in body["message"]


async def test_allowed_host_by_setting(world: World) -> None:
    world.settings.set("api.allowed_hosts", "trader.example")
    assert (await world.post("ping", headers={"Host": "trader.example:5000"}))[0] == 200


async def test_foreign_origin_is_refused_and_configured_one_gets_cors(world: World) -> None:
    evil = {"Origin": "https://evil.example"}
    assert (await world.post("ping", headers=evil))[0] == 403
    body = json.dumps({"apikey": "good"})
    plain = evil | {"Content-Type": "text/plain"}
    assert (await world.http.post("/api/v1/ping", content=body, headers=plain)).status_code == 415
    preflight = await world.http.options("/api/v1/ping", headers=evil)
    assert "Access-Control-Allow-Origin" not in preflight.headers
    world.settings.set("api.cors_origins", "https://evil.example")
    answer = await world.http.post("/api/v1/ping", json={"apikey": "good"}, headers=evil)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "https://evil.example"


@pytest.mark.parametrize(
    ("content", "media", "status"),
    [
        ('{"apikey": "good"}', "application/json; charset=utf-8", 200),
        ('{"apikey": "good"}', "text/plain", 200),
        ('{"apikey": "good"}', "application/x-www-form-urlencoded", 415),
        ('{"apikey": "good"}', None, 415),
        ("hello", "text/plain", 415),
        ("{not json", "application/json", 400),
        ("null", "application/json", 400),
        ("[]", "application/json", 400),
        ("[" * 100_000, "application/json", 400),
    ],
)
async def test_bodies(world: World, content: str, media: str | None, status: int) -> None:
    headers = {"Content-Type": media} if media else {}
    answer = await world.http.post("/api/v1/ping", content=content.encode(), headers=headers)
    assert answer.status_code == status
    assert isinstance(answer.json(), dict)


async def test_body_size_is_bounded(world: World) -> None:
    content = json.dumps({"apikey": "good", "x": "y" * 5_000_000})
    answer = await world.http.post(
        "/api/v1/ping", content=content, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 413


async def test_wrong_key(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    for _ in range(20):
        assert await world.post("orderbook", key="wrong") == (
            403,
            {"status": "error", "message": "Invalid openalgo apikey"},
        )
    assert len([r for r in caplog.records if "wrong API key" in r.message]) == 1


async def test_verified_key_takes_the_fast_path(world: World) -> None:
    for _ in range(5):
        assert (await world.post("ping"))[0] == 200
    assert world.keys.verified == 1


async def test_key_in_header(world: World) -> None:
    status, _ = await world.post("ping", key=None, headers={"X-API-KEY": "good"})
    assert status == 200


async def test_rights(world: World) -> None:
    assert (await world.post("orderbook", key="read"))[0] == 200
    assert await world.post("placeorder", ORDER, key="read") == (
        403,
        {"status": "error", "message": "API key 'reader' may only read."},
    )
    assert (await world.post("placeorder", ORDER, key="paper"))[0] == 200
    assert (await world.post("analyzer/toggle", {"mode": False}, key="paper"))[0] == 403
    world.desk.mode = Mode.LIVE
    assert (await world.post("placeorder", ORDER, key="paper"))[0] == 403
    assert (await world.post("funds", key="bound"))[0] == 403
    assert (await world.post("quotes", {"symbol": "SBIN", "exchange": "NSE"}, key="bound"))[
        0
    ] == 200


async def test_rate_limit_has_one_form_and_wrong_keys_have_their_own_window() -> None:
    async with running(**{"limits.api": "3 per second"}) as world:
        assert [(await world.post("ping"))[0] for _ in range(3)] == [200, 200, 200]
        status, body = await world.post("ping")
        assert status == 429
        assert body == {
            "status": "error",
            "message": "Rate limit exceeded. Please slow down your requests.",
            "retry_after": 1,
        }
    async with running(**{"limits.api": "3 per minute"}) as world:
        await world.post("ping")
        assert [(await world.post("ping", key="bad"))[0] for _ in range(4)][-1] == 429
        assert (await world.post("ping"))[0] == 200


async def test_busy_port_names_port_and_setting() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError) as caught:
            async with running(**{"api.rest_port": port}):
                pass
    assert str(port) in caught.value.message
    assert "api.rest_port" in caught.value.message


async def test_unexpected_failure_is_a_500_without_details(world: World) -> None:
    world.desk.fail = ZeroDivisionError("secret detail")
    status, body = await world.post("placeorder", ORDER)
    assert status == 500
    assert body["message"] == "An unexpected error occurred in the API endpoint"


# -- validation -----------------------------------------------------------------------------
async def test_text_form_lists_missing_fields_in_schema_order(world: World) -> None:
    status, body = await world.post("placeorder", key=None)
    names = ("apikey", "strategy", "exchange", "symbol", "action", "quantity")
    missing = ["Missing data for required field."]
    assert (status, body) == (
        400,
        {"status": "error", "message": str(dict.fromkeys(names, missing))},
    )


async def test_object_form(world: World) -> None:
    status, body = await world.post("quotes", {"symbol": "SBIN", "exchange": "nse", "zz": 1})
    assert status == 400
    assert body["message"]["zz"] == ["Unknown field."]
    assert body["message"]["exchange"][0].startswith("Must be one of: NSE, NFO, CDS, BSE, BFO")


async def test_mode_in_validation_errors_only_where_clients_know_it(world: World) -> None:
    assert "mode" not in (await world.post("placeorder"))[1]
    assert (await world.post("cancelorder"))[1]["mode"] == "analyze"
    assert "mode" not in (await world.post("orderbook", {"zz": 1}))[1]
    world.desk.mode = Mode.LIVE
    assert "mode" not in (await world.post("cancelorder"))[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"quantity": 0}, "{'quantity': ['Quantity must be a positive number.']}"),
        (
            {"quantity": 1.5},
            "{'quantity': ['Fractional quantity (1.5) is not allowed for non-crypto exchanges.']}",
        ),
        (
            {"price": "NaN"},
            "{'price': ['Special numeric values (nan or infinity) are not permitted.']}",
        ),
        ({"action": "Buy"}, "{'action': ['Must be one of: BUY, SELL, buy, sell.']}"),
        ({"price": True}, "{'price': ['Not a valid number.']}"),
        ({"strategy": 5}, "{'strategy': ['Not a valid string.']}"),
        ({"disclosed_quantity": "10.0"}, "{'disclosed_quantity': ['Not a valid integer.']}"),
        ({"disclosed_quantity": 1.5}, "{'disclosed_quantity': ['Not a valid integer.']}"),
        ({"quantity": "1_000"}, "{'quantity': ['Not a valid number.']}"),
        ({"quantity": "١٢"}, "{'quantity': ['Not a valid number.']}"),
        ({"disclosed_quantity": "١"}, "{'disclosed_quantity': ['Not a valid integer.']}"),
        ({"strategy": "x" * 256}, "{'strategy': ['Longer than maximum length 255.']}"),
        ({"target": 1}, "{'target': ['Unknown field.']}"),
    ],
)
async def test_order_fields(world: World, change: dict[str, Any], message: str) -> None:
    assert await world.post("placeorder", ORDER | change) == (
        400,
        {"status": "error", "message": message},
    )
    assert world.desk.placed == []


# -- orders ---------------------------------------------------------------------------------
async def test_placeorder_accepts_texts_and_lower_case_action(world: World) -> None:
    status, body = await world.post("placeorder", ORDER | {"action": "sell"})
    assert (status, body) == (200, {"status": "success", "mode": "analyze", "orderid": "1"})
    request, source = world.desk.placed[0]
    assert (request.action, request.quantity, request.price) == (Action.SELL, 10, 799.5)
    assert source == "api:default"


#: Bodies of every order endpoint, and how its fields are reached.
NESTED: dict[str, tuple[dict[str, Any], Any]] = {
    "placeorder": (ORDER, lambda body: body),
    "placesmartorder": (ORDER | {"position_size": 1}, lambda body: body),
    "splitorder": (ORDER | {"splitsize": 1}, lambda body: body),
    "modifyorder": (
        ORDER | {"orderid": "1", "price": 1, "trigger_price": 0, "disclosed_quantity": 0},
        lambda body: body,
    ),
    "basketorder": (
        {"strategy": "test", "orders": [{k: v for k, v in ORDER.items() if k != "strategy"}]},
        lambda body: body["orders"][0],
    ),
    "placegttorder": (
        ORDER
        | {"product": "CNC", "trigger_type": "SINGLE", "price": 700, "triggerprice_sl": 701}
        | {"pricetype": "LIMIT"},
        lambda body: body,
    ),
    "optionsorder": (
        {
            "strategy": "test",
            "underlying": "NIFTY",
            "exchange": "NSE_INDEX",
            "offset": "ATM",
            "option_type": "CE",
            "action": "BUY",
            "quantity": 75,
        },
        lambda body: body,
    ),
}


@pytest.mark.parametrize("path", NESTED)
@pytest.mark.parametrize(
    ("name", "value"),
    [("quantity", "1_0"), ("quantity", "١"), ("price", "1_0"), ("action", "B" * 999)],
)
async def test_every_order_endpoint_reads_numbers_and_texts_alike(
    world: World, path: str, name: str, value: str
) -> None:
    body, part = copy.deepcopy(NESTED[path])
    part(body)[name] = value
    status, answer = await world.post(path, body)
    assert status == 400
    assert name in str(answer)
    assert world.desk.placed == []


@pytest.mark.parametrize(("action", "size"), [("BUY", -0.5), ("SELL", 0.5), ("BUY", "1.5")])
async def test_a_fractional_position_size_is_refused(
    world: World, action: str, size: float | str
) -> None:
    body = ORDER | {"action": action, "position_size": size}
    status, answer = await world.post("placesmartorder", body)
    assert status == 400
    assert "Fractional position_size" in answer["message"]
    assert world.desk.placed == []
    assert (await world.post("placesmartorder", body | {"position_size": "5.0"}))[0] == 200
    assert world.desk.placed[0][0].quantity == 5


async def test_live_answers_carry_no_mode(world: World) -> None:
    world.desk.mode = Mode.LIVE
    assert await world.post("placeorder", ORDER) == (200, {"status": "success", "orderid": "1"})


async def test_refusals_of_orders(world: World) -> None:
    assert await world.post("placeorder", ORDER | {"symbol": "NOPE"}) == (
        400,
        {"status": "error", "message": "Symbol NOPE not found on NSE", "mode": "analyze"},
    )
    world.desk.fail = RejectedByBroker("Cannot sell", order_id="77")
    assert await world.post("placeorder", ORDER) == (
        400,
        {"status": "error", "message": "Cannot sell", "mode": "analyze", "orderid": "77"},
    )
    world.desk.fail = InsufficientFunds("Insufficient funds.")
    world.desk.mode = Mode.LIVE
    assert await world.post("placeorder", ORDER) == (
        400,
        {"status": "error", "message": "Insufficient funds."},
    )


async def test_modify_sends_all_fields_in_both_modes(world: World) -> None:
    body = ORDER | {
        "orderid": "5",
        "pricetype": "SL",
        "disclosed_quantity": "0",
        "trigger_price": "0",
    }
    assert await world.post("modifyorder", body) == (
        200,
        {
            "status": "success",
            "mode": "analyze",
            "orderid": "5",
            "message": "Order modified successfully",
        },
    )
    world.desk.mode = Mode.LIVE
    assert (await world.post("modifyorder", body))[1] == {"status": "success", "orderid": "5"}
    for request in world.desk.modified:
        assert request.price_type is PriceType.SL
        assert request.symbol == "SBIN"


async def test_cancel_all_and_close_all(world: World) -> None:
    _, body = await world.post("cancelallorder", {"strategy": "x"})
    assert body["message"] == "Canceled 2 orders. Failed to cancel 1 orders."
    assert body["failed_cancellations"] == [
        {
            "orderid": "3",
            "message": "Order already executed",
            "reason": "Order already executed",
        }
    ]
    _, body = await world.post("closeposition", {"strategy": "x"})
    assert body["message"] == "Closed 2 positions (Failed to close 1 positions)"
    assert (body["closed_positions"], body["failed_closures"]) == (2, 1)


# -- books ----------------------------------------------------------------------------------
async def test_orderbook_newest_first_with_statistics(world: World) -> None:
    world.desk.book = [
        order("1", OrderStatus.COMPLETE, price_type=PriceType.MARKET, price=800.0),
        order("2", OrderStatus.TRIGGER_PENDING, action=Action.SELL),
    ]
    _, body = await world.post("orderbook")
    assert [row["orderid"] for row in body["data"]["orders"]] == ["2", "1"]
    assert body["data"]["orders"][1]["price"] == 800.0
    assert body["data"]["orders"][0]["order_status"] == "trigger pending"
    assert body["data"]["orders"][0]["timestamp"] == "2026-11-25 10:00:00"
    assert body["data"]["statistics"] == {
        "total_buy_orders": 1,
        "total_sell_orders": 1,
        "total_completed_orders": 1,
        "total_open_orders": 0,
        "total_rejected_orders": 0,
        "total_trigger_pending_orders": 1,
    }
    world.desk.mode = Mode.LIVE
    _, body = await world.post("orderbook")
    assert [row["orderid"] for row in body["data"]["orders"]] == ["1", "2"]
    assert body["data"]["orders"][0]["price"] == 0.0
    assert "mode" not in body
    assert "total_trigger_pending_orders" not in body["data"]["statistics"]


async def test_orderstatus(world: World) -> None:
    world.desk.book = [order("1", OrderStatus.OPEN)]
    _, body = await world.post("orderstatus", {"strategy": "x", "orderid": "1"})
    assert body["data"]["price_type"] == body["data"]["pricetype"] == "LIMIT"
    assert "rejection_reason" not in body["data"]
    assert await world.post("orderstatus", {"strategy": "x", "orderid": "9"}) == (
        404,
        {"status": "error", "message": "Order 9 not found", "mode": "analyze"},
    )


async def test_positionbook_and_openposition(world: World) -> None:
    world.desk.rows = [
        Position("SBIN", "NSE", Product.MIS, 10, 800.05, 800.0),
        Position("TCS", "NSE", Product.MIS, 0, 0.0, 3000.0, realised_today=12.345),
    ]
    _, body = await world.post("positionbook")
    first, closed = body["data"]
    assert first["pnl"] == first["unrealized_pnl"] == -0.5
    assert first["pnlpercent"] == pytest.approx(-0.006249609399412537)
    assert (closed["average_price"], closed["pnlpercent"], closed["unrealized_pnl"]) == (0, 0, 0)
    assert closed["pnl"] == pytest.approx(12.345, abs=0.0051)
    assert body["total_pnl"] == body["total_pnl_today"]
    position = {"strategy": "x", "symbol": "SBIN", "exchange": "NSE", "product": "MIS"}
    assert (await world.post("openposition", position))[1] == {
        "status": "success",
        "mode": "analyze",
        "quantity": 10,
    }
    assert (await world.post("openposition", position | {"product": "CNC"}))[1]["quantity"] == 0
    world.desk.mode = Mode.LIVE
    _, body = await world.post("positionbook")
    assert body["data"][0]["average_price"] == "800.05"
    assert set(body) == {"status", "data"}


async def test_funds_are_numbers_in_the_sandbox_and_texts_live(world: World) -> None:
    _, body = await world.post("funds")
    assert body["data"]["availablecash"] == 1000.5
    assert body["data"]["last_reset"] == "2026-11-25 10:00:00"
    assert body["data"]["totalpnl"] == 4.0
    world.desk.mode = Mode.LIVE
    assert (await world.post("funds"))[1] == {
        "status": "success",
        "data": {
            "availablecash": "1000.50",
            "collateral": "0.00",
            "m2mrealized": "4.25",
            "m2munrealized": "-2.00",
            "utiliseddebits": "500.00",
        },
    }


async def test_holdings_and_trades(world: World) -> None:
    _, body = await world.post("holdings")
    assert body["data"]["statistics"] == {
        "totalholdingvalue": 18663.0,
        "totalinvvalue": 18030.0,
        "totalprofitandloss": 633.0,
        "totalpnlpercentage": 3.51,
    }
    _, body = await world.post("tradebook")
    assert body["data"][0]["trade_value"] == 8000.5
    assert body["data"][0]["tradeid"] == "T1"


# -- market data and symbols ----------------------------------------------------------------
async def test_quotes_and_depth(world: World) -> None:
    _, body = await world.post("quotes", {"symbol": "SBIN", "exchange": "NSE"})
    assert body["data"] == {
        "ltp": 800.0,
        "open": 800.0,
        "high": 805.0,
        "low": 795.0,
        "prev_close": 799.0,
        "volume": 1000,
        "bid": 799.95,
        "ask": 800.05,
        "oi": 0,
    }
    _, body = await world.post("depth", {"symbol": "SBIN", "exchange": "NSE"})
    assert len(body["data"]["bids"]) == len(body["data"]["asks"]) == 5
    assert body["data"]["bids"][0] == {"price": 799.95, "quantity": 5}
    assert body["data"]["asks"][4] == {"price": 0, "quantity": 0}


async def test_what_nobody_knows_is_null_in_quotes_and_not_0(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tick = world.source.tick

    def poor(key: Key, mode: FeedMode) -> Tick:
        gaps = Part.TOUCH | Part.OI
        return msgspec.structs.replace(tick(key, mode), bid=0.0, ask=0.0, oi=0, unknown=gaps)

    monkeypatch.setattr(world.source, "tick", poor)
    sbin = {"symbol": "SBIN", "exchange": "NSE"}
    one = (await world.post("quotes", sbin))[1]["data"]
    many = (await world.post("multiquotes", {"symbols": [sbin]}))[1]["results"][0]["data"]
    for data in (one, many):
        assert (data["bid"], data["ask"], data["oi"]) == (None, None, None)
        assert (data["ltp"], data["high"], data["volume"]) == (800.0, 805.0, 1000)
    assert (await world.post("depth", sbin))[1]["data"]["oi"] is None

    def price_only(key: Key, mode: FeedMode) -> Tick:
        return Tick(key[1], key[0], 800.0, mode, unknown=Part.ALL & ~Part.LTP)

    monkeypatch.setattr(world.source, "tick", price_only)
    day = ("open", "high", "low", "prev_close", "volume")
    for path in ("quotes", "depth"):
        data = (await world.post(path, sbin))[1]["data"]
        assert (data["ltp"], *(data[name] for name in day)) == (800.0, *[None] * 5)


async def test_a_streamed_quote_without_bid_and_ask_is_completed_from_the_source(
    world: World,
) -> None:
    world.hub.watch(("NSE", "SBIN"), FeedMode.QUOTE, lambda tick: None)
    await until(lambda: world.hub.subscribed == 1)
    world.hub.publish(
        Tick("SBIN", "NSE", 801.0, FeedMode.QUOTE, volume=2000, unknown=Part.TOUCH | Part.OI)
    )
    world.clock.advance(3)  # what was streamed with a book is old by now
    world.hub.publish(
        Tick("SBIN", "NSE", 801.0, FeedMode.QUOTE, volume=2000, unknown=Part.TOUCH | Part.OI)
    )
    world.source.asked.clear()
    _, body = await world.post("quotes", {"symbol": "SBIN", "exchange": "NSE"})
    assert (body["data"]["bid"], body["data"]["ask"]) == (799.95, 800.05)
    assert world.source.asked == [[("NSE", "SBIN")]]


@pytest.mark.parametrize("path", ["quotes", "depth"])
async def test_unknown_symbol(world: World, path: str) -> None:
    assert await world.post(path, {"symbol": "sbin", "exchange": "NSE"}) == (
        400,
        {
            "status": "error",
            "message": "Symbol 'sbin' not found for exchange 'NSE'. Please verify the symbol name "
            "and ensure master contracts are downloaded.",
        },
    )


async def test_history(world: World) -> None:
    body = {
        "symbol": "SBIN",
        "exchange": "NSE",
        "interval": "5m",
        "start_date": "2026-11-20",
        "end_date": "2026-11-20",
    }
    _, answer = await world.post("history", body)
    assert answer["data"][0] == {
        "timestamp": 1795146300,
        "open": 800.0,
        "high": 801.0,
        "low": 799.0,
        "close": 800.0,
        "volume": 10,
        "oi": 0,
    }
    status, answer = await world.post("history", body | {"end_date": "2026-11-19"})
    assert (status, answer["message"]) == (
        400,
        "The range is reversed: start_date 2026-11-20 is after end_date 2026-11-19. Swap them.",
    )
    assert await world.post("history", body | {"interval": "2m"}) == (
        500,
        {
            "status": "error",
            "message": "Error fetching historical data: Unsupported timeframe: 2m",
        },
    )
    assert (await world.post("history", body | {"source": "db"}))[0] == 404
    status, answer = await world.post("history", body | {"start_date": "20-11-2026"})
    assert (status, answer["message"]) == (400, {"start_date": ["Not a valid date."]})


async def test_intervals(world: World) -> None:
    assert (await world.post("intervals"))[1]["data"] == {
        "seconds": [],
        "minutes": ["1m", "5m"],
        "hours": ["1h"],
        "days": ["D"],
        "weeks": [],
        "months": [],
    }


async def test_symbol_services(world: World) -> None:
    _, body = await world.post("symbol", {"symbol": "SBIN", "exchange": "NSE"})
    assert body["data"]["freeze_qty"] == 0
    assert body["data"]["id"] == 1
    _, body = await world.post("symbol", {"symbol": "NIFTY", "exchange": "NSE_INDEX"})
    assert (body["data"]["lotsize"], body["data"]["tick_size"]) == (0, 0.0)
    assert await world.post("symbol", {"symbol": "X", "exchange": "NSE"}) == (
        404,
        {"status": "error", "message": "Symbol X not found in exchange NSE"},
    )
    _, body = await world.post("search", {"query": "nifty 26000", "exchange": "NFO"})
    assert body["message"] == "Found 2 matching symbols"
    assert "id" not in body["data"][0]
    # What no text contains is read as a trader means it.
    _, body = await world.post("search", {"query": "nifty 26000 put"})
    assert body["data"][0]["symbol"].endswith("26000PE")
    _, body = await world.post("search", {"query": "nifty 26000 put", "exchange": "BSE"})
    assert body["data"] == []
    _, body = await world.post("search", {"query": "QQQ"})
    assert (body["message"], body["data"]) == ("No matching symbols found", [])
    _, body = await world.post(
        "expiry", {"symbol": "nifty", "exchange": "NFO", "instrumenttype": "options"}
    )
    assert body == {
        "status": "success",
        "message": "Found 1 expiry dates for NIFTY options in NFO",
        "data": ["29-DEC-26"],
    }


# -- system ---------------------------------------------------------------------------------
async def test_analyzer(world: World) -> None:
    assert (await world.post("analyzer"))[1]["data"]["analyze_mode"] is True
    _, body = await world.post("analyzer/toggle", {"mode": "off"})
    assert body["data"]["message"] == "Analyzer mode switched to live"
    assert world.desk.mode is Mode.LIVE


async def test_control(world: World) -> None:
    status, _ = await world.post("/simulator/control", {"prices": {"NSE:SBIN": 811.0}})
    assert status == 200
    assert world.controlled == [{"prices": {"NSE:SBIN": 811.0}}]
    assert (await world.post("/simulator/control", {"prices": {}}, key="wrong"))[0] == 403


async def test_margin_of_an_index_is_refused_by_position(world: World) -> None:
    leg = {
        "symbol": "NIFTY",
        "exchange": "NSE_INDEX",
        "action": "BUY",
        "product": "NRML",
        "pricetype": "MARKET",
        "quantity": "65",
    }
    status, body = await world.post("margin", {"positions": [leg]})
    assert status == 400
    assert body["message"].startswith("Position 1: NIFTY is an index and cannot be traded.")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("placeorder", ORDER),
        ("modifyorder", NESTED["modifyorder"][0]),
        ("cancelorder", {"strategy": "x", "orderid": "1"}),
        ("cancelallorder", {"strategy": "x"}),
        ("closeposition", {"strategy": "x"}),
        ("basketorder", NESTED["basketorder"][0]),
        ("splitorder", ORDER | {"splitsize": 2}),
        ("cancelgttorder", {"strategy": "x", "trigger_id": "1"}),
    ],
)
async def test_a_switch_while_the_key_is_verified_sends_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, path: str, body: dict[str, Any]
) -> None:
    """A key for the sandbox alone must not reach the live account through a wait."""
    verify = world.keys.verify
    handled: list[str] = []

    async def slow(text: str) -> Any:
        world.desk.mode = Mode.LIVE
        return await verify(text)

    monkeypatch.setattr(world.keys, "verify", slow)
    for name in ("place", "modify", "cancel", "cancel_all", "close_all"):
        real = getattr(world.desk, name)

        async def watched(*args: Any, _name: str = name, _real: Any = real, **more: Any) -> Any:
            handled.append(_name)
            return await _real(*args, **more)

        monkeypatch.setattr(world.desk, name, watched)
    status, answer = await world.post(path, dict(body), key="paper")
    assert status >= 400 and "switched" in answer["message"]
    assert handled == [] and world.desk.placed == []
