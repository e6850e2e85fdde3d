"""What the reference server really answered (golden transcripts), read by our adapter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from openalgo_desktop.brokers.kit.account.session import Session
from openalgo_desktop.brokers.kit.feed.codec import Failure, OrderRow, Ready, Refused, Reply
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.openalgo.api import OpenAlgoApi
from openalgo_desktop.brokers.openalgo.codec import OpenAlgoCodec
from openalgo_desktop.brokers.openalgo.spec import SPEC
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import Action, FeedMode, Interval, OrderStatus
from openalgo_desktop.core.errors import (
    AppError,
    AuthError,
    OrderError,
    OrderStateUnknown,
    RateLimited,
)
from openalgo_desktop.core.model import Instrument, ModifyRequest, OrderRequest
from openalgo_desktop.core.ticks import Tick

GOLDEN = Path("tests/data/golden")
VALUES = {"api_key": "k", "rest_url": "http://s", "ws_url": "ws://s", "served_intervals": "D"}
FIXTURE = [
    Instrument(symbol=row["symbol"], exchange=row["exchange"], brsymbol=row["symbol"])
    for row in json.loads(Path("tests/data/fixture_symbols.json").read_text("utf-8"))
]


def answers(endpoint: str) -> Iterator[Any]:
    """Recorded (id, status, body) of an endpoint, over all files."""
    for path in sorted(GOLDEN.glob("*.json")):
        if path.stem in ("ws", "sdk"):
            continue
        for step in json.loads(path.read_text("utf-8")):
            request = step.get("request") or {}
            if str(request.get("path", "")).rstrip("/") == f"/api/v1/{endpoint}":
                response = step["response"]
                yield pytest.param(
                    response["status"], response["body"], id=f"{path.stem}-{step['case']}"
                )


def good(endpoint: str) -> list[Any]:
    return [p for p in answers(endpoint) if p.values[0] == 200 and "_text" not in p.values[1]]


def bad(endpoint: str) -> list[Any]:
    return [p for p in answers(endpoint) if p.values[0] != 200]


def api(status: int, body: Any) -> OpenAlgoApi:
    """The adapter at a server that gives this answer to everything."""
    text = body["_text"] if isinstance(body, dict) and "_text" in body else None

    def answer(request: httpx.Request) -> httpx.Response:
        if text is not None:
            return httpx.Response(status, text=text)
        return httpx.Response(status, json=body)

    clock = ManualClock(datetime(2026, 11, 22, 21, tzinfo=IST))
    rest = RestClient(SPEC, Session(VALUES), clock, transport=httpx.MockTransport(answer))
    return OpenAlgoApi(SPEC, rest, BrokerIndex(FIXTURE), clock)


@pytest.mark.parametrize(("status", "body"), good("orderbook"))
async def test_order_books(status: int, body: Any) -> None:
    rows = body["data"]["orders"]
    orders = await api(status, body).orders()
    assert len(orders) == len(rows)
    for order, row in zip(orders, rows, strict=True):
        assert order.status is not OrderStatus.UNKNOWN
        assert (order.order_id, order.symbol, order.exchange, order.action, order.product) == (
            row["orderid"], row["symbol"], row["exchange"], row["action"], row["product"],
        )  # fmt: skip
        assert (order.quantity, order.price, order.trigger_price) == (
            row["quantity"], row["price"], row["trigger_price"],
        )  # fmt: skip
        assert (order.price_type, order.status.value) == (row["pricetype"], row["order_status"])
        assert order.placed_at is not None
        if "pending_quantity" in row:
            assert order.pending_quantity == row["pending_quantity"]
            assert order.filled_quantity == row["filled_quantity"]


@pytest.mark.parametrize(("status", "body"), good("tradebook"))
async def test_trade_books(status: int, body: Any) -> None:
    trades = await api(status, body).trades()
    assert [(t.order_id, t.symbol, t.quantity, t.price) for t in trades] == [
        (r["orderid"], r["symbol"], r["quantity"], r["average_price"]) for r in body["data"]
    ]
    assert len({t.trade_id for t in trades}) == len(trades)


@pytest.mark.parametrize(("status", "body"), good("positionbook"))
async def test_position_books(status: int, body: Any) -> None:
    positions = await api(status, body).positions()
    assert [(p.symbol, p.product, p.quantity, p.average_price) for p in positions] == [
        (r["symbol"], r["product"], r["quantity"], float(r["average_price"])) for r in body["data"]
    ]
    for position, row in zip(positions, body["data"], strict=True):
        assert position.pnl == pytest.approx(row["pnl"], abs=0.006)


@pytest.mark.parametrize(("status", "body"), good("holdings"))
async def test_holdings(status: int, body: Any) -> None:
    rows = body["data"]["holdings"]
    holdings = await api(status, body).holdings()
    assert [(h.symbol, h.quantity, h.average_price) for h in holdings] == [
        (r["symbol"], r["quantity"], r["average_price"]) for r in rows
    ]


@pytest.mark.parametrize(("status", "body"), good("funds"))
async def test_funds(status: int, body: Any) -> None:
    funds, row = await api(status, body).funds(), body["data"]
    assert (funds.available_cash, funds.utilised, funds.m2m_realised, funds.m2m_unrealised) == (
        float(row["availablecash"]), float(row["utiliseddebits"]),
        float(row["m2mrealized"]), float(row["m2munrealized"]),
    )  # fmt: skip


@pytest.mark.parametrize(("status", "body"), good("gttorderbook"))
async def test_trigger_books(status: int, body: Any) -> None:
    triggers = await api(status, body).gtt_orders()
    assert [(g.trigger_id, g.trigger_type.book_text, len(g.legs)) for g in triggers] == [
        (r["trigger_id"], r["trigger_type"], len(r["legs"])) for r in body["data"]
    ]
    for gtt, row in zip(triggers, body["data"], strict=True):
        assert [leg.trigger_price for leg in gtt.legs] == row["trigger_prices"]
        assert gtt.created_at is not None


@pytest.mark.parametrize(("status", "body"), good("multiquotes"))
async def test_quotes(status: int, body: Any) -> None:
    wanted = {(r["exchange"], r["symbol"]): r for r in body["results"]}
    found = await api(status, body).quotes(list(wanted))
    for key, row in wanted.items():
        tick = found[key]
        if "data" not in row:
            assert isinstance(tick, AppError)
            continue
        assert isinstance(tick, Tick)
        data = row["data"]
        assert (tick.ltp, tick.open, tick.close, tick.bid, tick.ask, tick.volume) == (
            data["ltp"], data["open"], data["prev_close"], data["bid"], data["ask"], data["volume"],
        )  # fmt: skip


@pytest.mark.parametrize(("status", "body"), good("depth"))
async def test_depths(status: int, body: Any) -> None:
    tick, data = await api(status, body).depth(("NSE", "SBIN")), body["data"]
    assert tick.depth is not None
    for levels, side in ((tick.depth.buy, "bids"), (tick.depth.sell, "asks")):
        assert [(x.price, x.quantity) for x in levels] == [
            (r["price"], r["quantity"]) for r in data[side]
        ]
    assert (tick.ltp, tick.last_quantity) == (data["ltp"], data["ltq"])


@pytest.mark.parametrize(("status", "body"), good("history"))
async def test_histories(status: int, body: Any) -> None:
    day = datetime(2026, 11, 20, tzinfo=IST).date()
    bars = await api(status, body).history(("NSE", "SBIN"), Interval.DAY, day, day)
    assert bars.time.tolist() == [r["timestamp"] for r in body["data"]]
    assert bars.close.tolist() == [r["close"] for r in body["data"]]


ORDER = OrderRequest("SBIN", "NSE", Action.BUY, 1)


@pytest.mark.parametrize(
    ("status", "body"), [*bad("placeorder"), *bad("placesmartorder"), *bad("placegttorder")]
)
async def test_refused_placements_are_order_errors_in_the_servers_words(
    status: int, body: Any
) -> None:
    with pytest.raises(AppError) as caught:
        await api(status, body).place(ORDER, "O1")
    if status >= 500:
        assert isinstance(caught.value, OrderStateUnknown)  # who knows
        return
    assert isinstance(caught.value, (OrderError, AuthError))
    assert not isinstance(caught.value, OrderStateUnknown)
    assert isinstance(body.get("message"), str) and body["message"] in caught.value.message


@pytest.mark.parametrize(("status", "body"), [*good("placeorder"), *good("placesmartorder")])
async def test_placements(status: int, body: Any) -> None:
    if "orderid" not in body:  # a smart order that had nothing to do
        return
    assert (await api(status, body).place(ORDER, "O1")).order_id == body["orderid"]


@pytest.mark.parametrize(("status", "body"), [*bad("modifyorder"), *bad("cancelorder")])
async def test_refused_changes(status: int, body: Any) -> None:
    whole = ModifyRequest(
        "1", 1, 1.0, 0.0, ORDER.price_type, 0, "SBIN", "NSE", ORDER.action, ORDER.product
    )
    for name, argument in (("modify", whole), ("cancel", "1")):
        adapter = api(status, body)  # a fresh one: a rate limit holds the next call back
        with pytest.raises((OrderError, AuthError, RateLimited)) as caught:
            await getattr(adapter, name)(argument)
        assert not isinstance(caught.value, OrderStateUnknown) or status >= 500


def conversations() -> list[Any]:
    path = GOLDEN / "ws.json"
    return [pytest.param(c["frames"], id=c["case"]) for c in json.loads(path.read_text("utf-8"))]


@pytest.mark.parametrize("frames", conversations())
def test_recorded_conversations(frames: list[dict[str, Any]]) -> None:
    clock = ManualClock(datetime(2026, 11, 22, 21, tzinfo=IST))
    codec = OpenAlgoCodec(BrokerIndex(FIXTURE), clock, VALUES)
    for frame in frames:
        if "recv" not in frame:
            continue
        message = frame["recv"]
        if message.get("type") == "market_data":
            key = (message["exchange"], message["symbol"])
            codec.subscribe({key: FeedMode(message["mode"])})
        events = list(codec.decode(json.dumps(message)))
        match message.get("type"):
            case "market_data":
                (tick,) = events
                assert isinstance(tick, Tick)
                data = message["data"]
                assert (tick.ltp, tick.mode) == (data["ltp"], FeedMode(message["mode"]))
                assert tick.open == data.get("open", 0.0) and tick.close == data.get("close", 0.0)
                assert (tick.depth is None) == ("depth" not in data)
                assert tick.ltt > 10**12
            case "order_update":
                assert events == [OrderRow(message)]
            case "auth":
                assert [type(e) for e in events] == [Ready, Reply]
            case "subscribe":
                failed = [s for s in message["subscriptions"] if s["status"] == "error"]
                assert [e.key for e in events if isinstance(e, Refused)] == [
                    (s["exchange"], s["symbol"]) for s in failed
                ]
            case None:
                assert [type(e) for e in events] == [Failure]
            case _:
                assert events == []
