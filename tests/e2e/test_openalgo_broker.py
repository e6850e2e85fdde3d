"""OpenAlgo server as a broker, against a second instance of this program on loopback.

First the adapter alone against a running program, then two whole programs: one trades through the
other, loses it, and finds it again.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from openalgo_desktop.brokers.kit.account.account import KitAccount
from openalgo_desktop.brokers.openalgo import BROKER
from openalgo_desktop.core.clock import SystemClock
from openalgo_desktop.core.enums import (
    AccountState,
    Action,
    FeedMode,
    GttType,
    Interval,
    OrderStatus,
    PriceType,
    Product,
)
from openalgo_desktop.core.errors import (
    AppError,
    BadCredentials,
    InsufficientFunds,
    NetError,
    OrderNotFound,
    OrderNotWorking,
    OrderStateUnknown,
    RejectedByBroker,
)
from openalgo_desktop.core.gtt import GttRequest
from openalgo_desktop.core.model import ModifyRequest, OrderRequest, OrderUpdate
from openalgo_desktop.core.ticks import Tick
from tests.e2e.driver import NO_LIMITS, ROOT, Program, command_line, free_port
from tests.memory import MemorySecrets
from tests.waiting import until, wait_for

SBIN, NIFTY = ("NSE", "SBIN"), ("NSE_INDEX", "NIFTY")
DEADLINE = 60.0


def login_of(program: Program) -> dict[str, str]:
    return {
        "rest_url": program.rest_url, "ws_url": program.ws_url, "api_key": program.api_key,
    }  # fmt: skip


# -- the adapter ---------------------------------------------------------------------------------
class Rig:
    """An account at the frozen program, and what it was told."""

    def __init__(self, account: KitAccount) -> None:
        self.account = account
        self.gateway: Any = account.gateway
        self.market = account.market
        self.updates: list[OrderUpdate] = []
        self.ticks: list[Tick] = []
        account.gateway.set_listener(self.updates.append)
        account.market.set_sink(self.ticks.append)

    def states(self, order_id: str) -> list[tuple[str, int]]:
        return [
            (u.order.status.value, u.order.filled_quantity)
            for u in self.updates
            if u.order.order_id == order_id
        ]


@pytest.fixture
async def rig(frozen: Program, tmp_path: Path) -> AsyncIterator[Rig]:
    frozen.control(reset="sandbox", prices={"NSE:SBIN": 800.0})
    # the server's day is 2026-11-22
    clock = SystemClock(datetime.fromisoformat("2026-11-22T21:00:00+05:30"))
    account = KitAccount(BROKER, clock, MemorySecrets(), tmp_path)
    made = Rig(account)
    await account.login(login_of(frozen))
    await account.instruments()
    await until(lambda: account.status.state is AccountState.CONNECTED, "feed")
    yield made
    await account.disconnect()


def buy(**changes: Any) -> OrderRequest:
    values: dict[str, Any] = {
        "symbol": "SBIN", "exchange": "NSE", "action": Action.BUY, "quantity": 10,
        "price_type": PriceType.LIMIT, "product": Product.MIS, "price": 790.0, "strategy": "Two",
    }  # fmt: skip
    return OrderRequest(**(values | changes))


async def test_market_order_fills_and_is_told_once(rig: Rig, frozen: Program) -> None:
    ack = await rig.gateway.place(buy(price_type=PriceType.MARKET, price=0.0), "O1")
    await until(lambda: ("complete", 10) in rig.states(ack.order_id), "fill")
    (order,) = [o for o in await rig.gateway.orders() if o.order_id == ack.order_id]
    assert (order.status, order.strategy, order.tag) == (OrderStatus.COMPLETE, "Two", "")
    (trade,) = [t for t in await rig.gateway.trades() if t.order_id == ack.order_id]
    assert trade.quantity == 10 and trade.price == order.average_price
    (position,) = await rig.gateway.positions()
    assert (position.symbol, position.quantity) == ("SBIN", 10)
    funds = await rig.gateway.funds()
    assert funds.utilised > 0
    states = rig.states(ack.order_id)
    assert len(states) == len(set(states))
    assert sum(u.trade.quantity for u in rig.updates if u.trade is not None) == 10


async def test_resting_order_is_changed_cancelled_and_then_refuses(rig: Rig) -> None:
    ack = await rig.gateway.place(buy(), "O1")
    await until(lambda: rig.states(ack.order_id), "open")
    await rig.gateway.modify(ModifyRequest(ack.order_id, price=785.0, quantity=12))
    (order,) = [o for o in await rig.gateway.orders() if o.order_id == ack.order_id]
    assert (order.price, order.quantity, order.status) == (785.0, 12, OrderStatus.OPEN)
    await rig.gateway.cancel(ack.order_id)
    await until(lambda: rig.states(ack.order_id)[-1] == ("cancelled", 0), "cancelled")
    with pytest.raises(OrderNotWorking):
        await rig.gateway.cancel(ack.order_id)
    with pytest.raises(OrderNotFound):
        await rig.gateway.cancel("99999999999999")


async def test_stop_order_triggers_when_the_price_gets_there(rig: Rig, frozen: Program) -> None:
    ack = await rig.gateway.place(
        buy(price_type=PriceType.SL, trigger_price=805.0, price=806.0), "O1"
    )
    await until(lambda: rig.states(ack.order_id) == [("trigger pending", 0)], "waiting")
    frozen.control(prices={"NSE:SBIN": 805.5})
    await until(lambda: ("complete", 10) in rig.states(ack.order_id), "triggered and filled")


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (buy(quantity=10_000_000, price_type=PriceType.MARKET, price=0.0), InsufficientFunds),
        (buy(product=Product.CNC, action=Action.SELL, price_type=PriceType.MARKET, price=0.0),
         RejectedByBroker),
    ],
)  # fmt: skip
async def test_refusals_are_the_servers_words(
    rig: Rig, request_: OrderRequest, kind: type[AppError]
) -> None:
    with pytest.raises(kind):
        await rig.gateway.place(request_, "O1")


async def test_triggers_that_outlive_the_day(rig: Rig) -> None:
    request = GttRequest(
        GttType.OCO, "SBIN", "NSE", Action.SELL, 5, Product.CNC, trigger_below=700.0,
        trigger_above=900.0, stoploss=699.0, target=900.0, last_price=800.0, strategy="Two",
    )  # fmt: skip
    bought = await rig.gateway.place(
        buy(product=Product.CNC, price_type=PriceType.MARKET, price=0.0), "O0"
    )
    await until(lambda: ("complete", 10) in rig.states(bought.order_id), "shares to sell")
    ack = await rig.gateway.gtt_place(request, "O1")
    (gtt,) = await rig.gateway.gtt_orders()
    assert (gtt.trigger_id, gtt.trigger_type, gtt.quantity) == (ack.order_id, GttType.OCO, 5)
    assert [leg.trigger_price for leg in gtt.legs] == [700.0, 900.0]
    await rig.gateway.gtt_cancel(ack.order_id)
    assert await rig.gateway.gtt_orders() == []


async def test_stream_modes_and_the_last_price(rig: Rig, frozen: Program) -> None:
    assert await rig.market.subscribe({SBIN: FeedMode.LTP, NIFTY: FeedMode.QUOTE}) == {}
    await until(lambda: {t.key for t in rig.ticks} == {SBIN, NIFTY}, "first ticks")
    assert {t.mode for t in rig.ticks if t.key == SBIN} == {FeedMode.LTP}
    await rig.market.subscribe({SBIN: FeedMode.DEPTH})
    await until(lambda: any(t.mode is FeedMode.DEPTH for t in rig.ticks), "depth")
    frozen.control(prices={"NSE:SBIN": 811.0})
    await until(lambda: any(t.key == SBIN and t.ltp == 811.0 for t in rig.ticks), "the new price")
    tick = next(t for t in reversed(rig.ticks) if t.key == SBIN)
    assert tick.mode is FeedMode.DEPTH and tick.depth is not None
    assert (tick.bid, tick.ask) == (810.95, 811.05)
    assert tick.close > 0 and tick.high >= 811.0
    await rig.market.unsubscribe([SBIN, NIFTY])
    figures = rig.account.details()["feed"]
    assert figures["bad_frames"] == 0 and figures["sockets"] == [0]


async def test_snapshots_and_history(rig: Rig) -> None:
    answers = await rig.market.quotes([SBIN, NIFTY, ("NSE", "NOPE")])
    sbin = answers[SBIN]
    assert isinstance(sbin, Tick) and sbin.ltp == 800.0 and sbin.bid == 799.95
    assert isinstance(answers["NSE", "NOPE"], AppError)
    book = (await rig.market.depth(SBIN)).depth
    assert book is not None and len(book.buy) == len(book.sell) == 5
    end = date(2026, 11, 20)
    bars = await rig.market.history(SBIN, Interval.M5, end - timedelta(days=40), end)
    assert len(bars) > 1000 and list(bars.time) == sorted(set(bars.time.tolist()))
    days = await rig.market.history(SBIN, Interval.DAY, end - timedelta(days=40), end)
    assert all(moment % 86_400 == 0 for moment in days.time.tolist())
    assert Interval.M5 in rig.market.intervals()


async def test_master_is_the_servers(rig: Rig, frozen: Program) -> None:
    rows = {row.key: row for row in await rig.account.instruments()}
    (sent,) = [
        row
        for row in json.loads((ROOT / "tests/data/fixture_symbols.json").read_text())
        if (row["exchange"], row["symbol"]) == SBIN
    ]
    assert rows[SBIN].lot_size == sent["lotsize"] and rows[SBIN].tick_size == sent["tick_size"]
    option = next(row for row in rows.values() if row.instrument_type == "CE")
    assert option.strike > 0 and option.expiry is not None


async def test_wrong_key_and_wrong_address(frozen: Program, tmp_path: Path) -> None:
    account = KitAccount(BROKER, SystemClock(), MemorySecrets(), tmp_path, passive=True)
    with pytest.raises(BadCredentials) as caught:
        await account.login(login_of(frozen) | {"api_key": "0" * 64})
    assert caught.value.field == "api_key"
    with pytest.raises(NetError):
        await account.login(login_of(frozen) | {"rest_url": "http://127.0.0.1:9"})
    assert account.status.state is AccountState.LOGIN_NEEDED
    await account.disconnect()


async def test_lost_acknowledgement_is_unknown_and_the_book_has_it(
    frozen: Program, rig: Rig
) -> None:
    """The answer of a placement is cut off on the way: never sent again, found in the book."""
    upstream = frozen.rest_url.removeprefix("http://").split(":")
    sent: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(upstream[0], int(upstream[1]))
        data = await reader.read(65536)
        sent.append(data)
        back.write(data)
        await back.drain()
        answer = await there.read(65536)
        if b"/placeorder" not in data:
            writer.write(answer)
            await writer.drain()
        writer.close()
        back.close()

    server = await asyncio.start_server(proxy, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    rig.account.rest.hosts["rest"] = f"http://127.0.0.1:{port}"
    try:
        asked_at = rig.account.clock.now()
        with pytest.raises(OrderStateUnknown) as caught:
            await rig.gateway.place(buy(quantity=7), "O7")
        assert caught.value.tag == "O7"
        orders = [o for o in await rig.gateway.orders() if o.quantity == 7]
        assert len(orders) == 1
        assert orders[0].placed_at is not None
        assert abs(orders[0].placed_at - asked_at) < timedelta(seconds=120)
        assert sum(b"/placeorder" in data for data in sent) == 1
    finally:
        server.close()


# -- two whole programs --------------------------------------------------------------------------
class Pair:
    """A server with fixed ports, and a terminal that uses it as its broker."""

    def __init__(self, folder: Path) -> None:
        rest, ws = free_port(), free_port()
        self.server = Program(
            folder / "server", "--mode", "live", "--rest-port", str(rest), "--ws-port", str(ws),
            "--sim-frozen", "--sim-control",
        ).start()  # fmt: skip
        self.terminal = Program(
            folder / "terminal", "--broker", "openalgo", "--mode", "live",
            settings=(*NO_LIMITS, "trading.reconcile_interval=1"),
        )  # fmt: skip
        self.terminal.data_dir.mkdir()
        done = subprocess.run(
            [*command_line("login"), "openalgo", "--stdin",
             "--data-dir", str(self.terminal.data_dir)],
            input=json.dumps(login_of(self.server)).encode(),
            env=self.terminal._env,
            capture_output=True,
            timeout=150,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()
        assert self.server.api_key.encode() not in done.stdout + done.stderr
        self.terminal.start()

    def stop(self) -> None:
        for program in (self.terminal, self.server):
            program.stop()

    def book(self, program: Program) -> list[dict[str, Any]]:
        return list(program.call("orderbook")["data"]["orders"])


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    made = Pair(tmp_path_factory.mktemp("pair"))
    yield made
    made.stop()


ORDER = {
    "strategy": "Chain", "symbol": "SBIN", "exchange": "NSE", "action": "BUY",
    "pricetype": "LIMIT", "product": "MIS", "quantity": 5,
}  # fmt: skip


def price_below(program: Program, part: float) -> float:
    quote = program.call("quotes", symbol="SBIN", exchange="NSE")["data"]
    return round(quote["ltp"] * part)


def test_an_order_walks_through_both(pair: Pair) -> None:
    price = price_below(pair.terminal, 0.95)
    orderid = pair.terminal.call("placeorder", **ORDER, price=price)["orderid"]
    (theirs,) = [row for row in pair.book(pair.server) if row["orderid"] == orderid]
    (ours,) = [row for row in pair.book(pair.terminal) if row["orderid"] == orderid]
    for name in ("symbol", "action", "quantity", "price", "pricetype", "product", "order_status"):
        assert theirs[name] == ours[name], name
    assert ours["order_status"] == "open"
    pair.terminal.call("cancelorder", strategy="Chain", orderid=orderid)
    (theirs,) = [row for row in pair.book(pair.server) if row["orderid"] == orderid]
    assert theirs["order_status"] == "cancelled"


def test_ticks_and_order_updates_walk_back(pair: Pair) -> None:
    with connect(pair.terminal.ws_url) as ws:
        ws.send(json.dumps({"action": "authenticate", "api_key": pair.terminal.api_key}))
        ws.send(json.dumps({"action": "subscribe_orders"}))
        ws.send(json.dumps({"action": "subscribe", "symbol": "SBIN", "exchange": "NSE", "mode": 1}))
        price = price_below(pair.server, 1.0)  # moves stay inside the frozen day range
        orderid = pair.terminal.call("placeorder", **ORDER, price=price - 5)["orderid"]
        pair.server.control(prices={"NSE:SBIN": price - 8.0})
        seen: list[str] = []
        ticked = False
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end and not (ticked and "complete" in seen):
            frame = json.loads(ws.recv(DEADLINE))
            if frame.get("type") == "market_data":
                ticked = ticked or frame["data"]["ltp"] == price - 8.0
            if frame.get("type") == "order_update" and frame["orderid"] == orderid:
                seen.append(frame["order_status"])
    assert ticked
    assert seen[-1] == "complete" and len(seen) == len(set(seen))
    (position,) = [
        row for row in pair.terminal.call("positionbook")["data"] if row["symbol"] == "SBIN"
    ]
    assert position["quantity"] == 5


def test_server_dies_and_comes_back_with_nothing_lost_and_nothing_doubled(pair: Pair) -> None:
    price = price_below(pair.server, 0.9)
    kept = pair.terminal.call("placeorder", **ORDER, price=price)["orderid"]
    pair.server.kill()
    with pair.terminal.http() as http:
        status, body = http.post(
            "/api/v1/placeorder", {"apikey": pair.terminal.api_key, **ORDER, "price": price + 1}
        )
    assert status >= 400 and body["status"] == "error"
    pair.server.start()
    # cancelled behind the terminal's back, while it was away
    pair.server.call("cancelorder", strategy="Other", orderid=kept)

    def seen() -> bool:
        with pair.terminal.http() as http:
            status, body = http.post("/api/v1/orderbook", {"apikey": pair.terminal.api_key})
        rows = body["data"]["orders"] if status == 200 else []
        return any(r["orderid"] == kept and r["order_status"] == "cancelled" for r in rows)

    wait_for(seen, "the cancellation is known")
    assert [r["price"] for r in pair.book(pair.server)].count(price + 1) == 0
    with connect(pair.terminal.ws_url) as ws:
        ws.send(json.dumps({"action": "authenticate", "api_key": pair.terminal.api_key}))
        ws.send(json.dumps({"action": "subscribe", "symbol": "SBIN", "exchange": "NSE", "mode": 1}))
        frames = (json.loads(ws.recv(DEADLINE)) for _ in range(100))
        wait_for(lambda: next(frames).get("type") == "market_data", "ticks flow again")
    orderid = pair.terminal.call("placeorder", **ORDER, price=price)["orderid"]
    assert [r["orderid"] for r in pair.book(pair.server)].count(orderid) == 1
    pair.terminal.call("cancelorder", strategy="Chain", orderid=orderid)


def test_the_key_is_nowhere_in_the_terminals_files(pair: Pair) -> None:
    key = pair.server.api_key.encode()
    found = [
        str(path)
        for path in pair.terminal.data_dir.rglob("*")
        if path.is_file() and key in path.read_bytes()
    ]
    assert found == []
    assert pair.server.api_key not in pair.terminal.output
