"""Requests and answers of the OpenAlgo adapter against a server that is a function."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from openalgo_desktop.brokers.kit.account.account import KitAccount
from openalgo_desktop.brokers.kit.master.reading import read_file
from openalgo_desktop.brokers.openalgo import BROKER, SPEC
from openalgo_desktop.brokers.openalgo.api import feed_url, server_url
from openalgo_desktop.brokers.registry import Registry
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import (
    AccountState,
    Action,
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
    InvalidOrder,
    NotSupported,
    OrderNotFound,
    OrderNotWorking,
    OrderStateUnknown,
    RateLimited,
    RejectedByBroker,
    RiskBlocked,
    SessionExpired,
)
from openalgo_desktop.core.gtt import GttRequest
from openalgo_desktop.core.model import ModifyRequest, OrderRequest
from openalgo_desktop.core.ticks import Part, Tick
from tests.memory import MemorySecrets

KEY = "5f" * 32
CSV = (
    "symbol,brsymbol,name,exchange,brexchange,token,expiry,strike,lotsize,"
    "instrumenttype,tick_size\r\n"
)
MASTER = {
    "NSE": ["SBIN,SBIN-EQ,STATE BANK,NSE,NSE,3045,,-1.0,1,EQ,0.05",
            "M&M,M&M-EQ,MAHINDRA,NSE,NSE,2031,,0,1,,0.05"],
    "NSE_INDEX": ["NIFTY,NIFTY 50,NIFTY,NSE_INDEX,NSE,26000,,0,0,EQ,0.0"],
    "NFO": ["NIFTY24DEC2626500CE,X,NIFTY,NFO,NFO,1,24-DEC-26,26500.0,65,OPTIDX,0.05",
            "NIFTY24DEC26FUT,Y,NIFTY,NFO,NFO,2,24-DEC-26,-0.01,65,FUT,0.1"],
}  # fmt: skip
Reply = tuple[int, Any]


class Server:
    """Answers by endpoint; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.replies: dict[str, Reply | Callable[[dict[str, Any]], Reply]] = {
            "ping": (200, {"status": "success", "data": {"message": "pong", "broker": "x"}}),
            "intervals": (200, {"status": "success", "data": {
                "seconds": [], "minutes": ["1m", "5m"], "hours": ["1h"], "days": ["D"],
                "weeks": [], "months": []}}),
            "orderbook": (200, {"status": "success", "data": {"orders": [], "statistics": {}}}),
        }  # fmt: skip

    def __call__(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.removeprefix("/api/v1/")
        if name == "instruments":
            exchange = request.url.params["exchange"]
            assert request.url.params["apikey"] == KEY
            if exchange == "NCO":
                return httpx.Response(400, json={"status": "error", "message": "unknown"})
            return httpx.Response(200, text=CSV + "\r\n".join(MASTER.get(exchange, [])))
        body = json.loads(request.content)
        self.asked.append((name, body))
        reply = self.replies.get(name, (404, {"status": "error", "message": "Not found"}))
        status, content = reply(body) if callable(reply) else reply
        if isinstance(content, str):
            return httpx.Response(status, text=content)
        return httpx.Response(status, json=content)

    def last(self, name: str) -> dict[str, Any]:
        return next(body for asked, body in reversed(self.asked) if asked == name)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def secrets() -> MemorySecrets:
    return MemorySecrets()


@pytest.fixture
def fresh(server: Server, secrets: MemorySecrets, tmp_path: Path) -> KitAccount:
    """Not logged in, and without a feed."""
    return KitAccount(
        BROKER,
        ManualClock(datetime(2026, 12, 1, 10, tzinfo=IST)),
        secrets,
        tmp_path,
        transport=httpx.MockTransport(server),
        passive=True,
    )


@pytest.fixture
async def account(fresh: KitAccount) -> AsyncIterator[KitAccount]:
    await fresh.login({"api_key": KEY, "rest_url": "algo.example.in:5001"})
    await fresh.instruments()
    yield fresh
    await fresh.disconnect()


# -- login ---------------------------------------------------------------------------------------
async def test_login_finds_both_addresses(account: KitAccount, secrets: MemorySecrets) -> None:
    assert account.status.state is AccountState.CONNECTED
    assert account.account_id == "openalgo:algo.example.in:5001"
    assert account.session.get("rest_url") == "http://algo.example.in:5001"
    assert account.session.get("ws_url") == "ws://algo.example.in:8765"
    assert account.market.intervals() == (Interval.M1, Interval.M5, Interval.H1, Interval.DAY)
    assert KEY not in repr(account.session) + repr(secrets.values)


@pytest.mark.parametrize("analyze", [True, False])
async def test_login_tells_that_the_server_simulates(
    fresh: KitAccount, server: Server, caplog: pytest.LogCaptureFixture, analyze: bool
) -> None:
    state = {"mode": "analyze" if analyze else "live", "analyze_mode": analyze, "total_logs": 1}
    server.replies["analyzer"] = (200, {"status": "success", "data": state})
    await fresh.login({"api_key": KEY, "rest_url": "http://h:1"})
    warned = [r for r in caplog.records if "analyze mode" in r.getMessage()]
    assert len(warned) == analyze
    await fresh.disconnect()


async def test_wrong_key_names_the_login(fresh: KitAccount, server: Server) -> None:
    server.replies["ping"] = (403, {"status": "error", "message": "Invalid openalgo apikey"})
    with pytest.raises(BadCredentials, match="Invalid openalgo apikey") as caught:
        await fresh.login({"api_key": KEY, "rest_url": "http://h:1"})
    assert caught.value.field == "api_key"
    assert fresh.status.state is AccountState.LOGIN_NEEDED
    await fresh.disconnect()


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("", "http://127.0.0.1:5000"),
        (" https://algo.in/ ", "https://algo.in"),
        ("http://10.0.0.7:5000/api/v1/", "http://10.0.0.7:5000"),
        ("algo.in:8080", "http://algo.in:8080"),
        ("https://host/openalgo/", "https://host/openalgo"),
    ],
)
def test_addresses_as_people_paste_them(text: str, url: str) -> None:
    assert server_url(text) == url


@pytest.mark.parametrize("text", ["ftp://x", "http://", "http://h:port"])
def test_wrong_address_names_its_field(text: str) -> None:
    with pytest.raises(BadCredentials) as caught:
        server_url(text)
    assert caught.value.field == "rest_url"


@pytest.mark.parametrize(
    ("rest", "feed"),
    [
        ("http://127.0.0.1:5000", "ws://127.0.0.1:8765"),
        ("https://algo.in", "wss://algo.in/ws"),
        ("http://[::1]:5000", "ws://[::1]:8765"),
    ],
)
def test_usual_place_of_the_feed(rest: str, feed: str) -> None:
    assert feed_url(rest) == feed


def test_registered() -> None:
    assert Registry([]).get("openalgo").spec is SPEC


# -- master --------------------------------------------------------------------------------------
async def test_master_of_all_exchanges(account: KitAccount) -> None:
    rows = {row.key: row for row in await account.instruments()}
    assert set(rows) == {
        ("NSE", "SBIN"), ("NSE", "M&M"), ("NSE_INDEX", "NIFTY"),
        ("NFO", "NIFTY24DEC2626500CE"), ("NFO", "NIFTY24DEC26FUT"),
    }  # fmt: skip
    call, future = rows["NFO", "NIFTY24DEC2626500CE"], rows["NFO", "NIFTY24DEC26FUT"]
    assert (call.instrument_type, call.strike, call.lot_size) == ("CE", 26500.0, 65)
    assert call.expiry == future.expiry == date(2026, 12, 24)
    assert (future.instrument_type, future.strike) == ("FUT", 0.0)
    assert rows["NSE_INDEX", "NIFTY"].instrument_type == "INDEX"
    assert rows["NSE", "SBIN"].strike == 0.0 and rows["NSE", "M&M"].instrument_type == "EQ"


def test_master_row_of_a_crypto_perpetual(tmp_path: Path) -> None:
    path = tmp_path / "CRYPTO.csv"
    path.write_text(CSV + "BTCUSDFUT,BTCUSD,BTC,CRYPTO,CRYPTO,27,,0,1,PERPFUT,0.5\n")
    file = next(f for f in SPEC.master.files if f.exchange == "CRYPTO")
    (row,) = read_file(SPEC.master, file, path)
    assert (row.symbol, row.instrument_type, row.expiry) == ("BTCUSDFUT", "PERPFUT", None)


# -- orders --------------------------------------------------------------------------------------
ORDER = OrderRequest(
    "SBIN", "NSE", Action.BUY, 10, PriceType.SL, Product.MIS, price=812.5, trigger_price=812.0,
    disclosed_quantity=3, strategy="Mine",
)  # fmt: skip


async def test_place(account: KitAccount, server: Server) -> None:
    server.replies["placeorder"] = (200, {"status": "success", "orderid": "77"})
    ack = await account.gateway.place(ORDER, "Otag1")
    assert ack.order_id == "77"
    assert server.last("placeorder") == {
        "apikey": KEY, "strategy": "Mine", "symbol": "SBIN", "exchange": "NSE", "action": "BUY",
        "product": "MIS", "pricetype": "SL", "quantity": 10, "price": 812.5,
        "trigger_price": 812.0, "disclosed_quantity": 3,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ((400, {"status": "error", "message": "RMS: rule 7"}), RejectedByBroker),
        ((400, {"status": "error", "message": "{'price': ['Not a valid number.']}"}),
         RejectedByBroker),
        ((400, {"status": "error", "message": "Insufficient funds. Required: ₹8000.0"}),
         InsufficientFunds),
        ((403, {"status": "error", "message": "Invalid openalgo apikey"}), SessionExpired),
        ((403, {"status": "error", "message": "Kill switch is on"}), RiskBlocked),
        ((429, {"status": "error", "message": "Rate limit exceeded."}), RateLimited),
        ((500, {"status": "error", "message": "Failed to place order"}), OrderStateUnknown),
        ((504, {"status": "error", "message": "unknown"}), OrderStateUnknown),
        ((200, "<html>"), OrderStateUnknown),
        ((200, {"status": "success"}), OrderStateUnknown),
        ((200, {"status": "success", "message": "Order queued for approval in Action Center",
                "mode": "semi_auto", "pending_order_id": 17}), RejectedByBroker),
    ],
)  # fmt: skip
async def test_what_becomes_of_a_placement(
    account: KitAccount, server: Server, reply: Reply, kind: type[AppError]
) -> None:
    server.replies["placeorder"] = reply
    with pytest.raises(kind) as caught:
        await account.gateway.place(ORDER, "Otag1")
    assert type(caught.value) is kind
    assert sum(name == "placeorder" for name, _ in server.asked) == 1  # never sent twice
    if isinstance(caught.value, OrderStateUnknown):
        assert caught.value.tag == "Otag1"
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "request_",
    [
        OrderRequest("NIFTY", "NSE_INDEX", Action.BUY, 1),
        OrderRequest("SBIN", "NSE", Action.BUY, 1, product=Product.NRML),
        OrderRequest("SBIN", "NSE", Action.BUY, 1, PriceType.SLM),
    ],
)
async def test_refused_before_the_wire(
    account: KitAccount, server: Server, request_: OrderRequest
) -> None:
    before = len(server.asked)
    with pytest.raises(InvalidOrder):
        await account.gateway.place(request_, "O1")
    assert len(server.asked) == before


ROW = {
    "orderid": "77", "symbol": "SBIN", "exchange": "NSE", "action": "BUY", "quantity": 10,
    "price": 812.5, "trigger_price": 0.0, "pricetype": "LIMIT", "product": "MIS",
    "order_status": "open", "timestamp": "2026-12-01 09:59:02",
}  # fmt: skip


def book(*rows: dict[str, Any]) -> Reply:
    return 200, {"status": "success", "data": {"orders": list(rows), "statistics": {}}}


async def test_modify_sends_the_whole_order(account: KitAccount, server: Server) -> None:
    server.replies["orderbook"] = book(ROW)
    server.replies["modifyorder"] = (200, {"status": "success", "orderid": "77"})
    await account.gateway.modify(ModifyRequest("77", price=810.0))
    assert server.last("modifyorder") == {
        "apikey": KEY, "strategy": "OpenAlgo Desktop", "orderid": "77", "symbol": "SBIN",
        "exchange": "NSE", "action": "BUY", "product": "MIS", "pricetype": "LIMIT",
        "quantity": 10, "price": 810.0, "trigger_price": 0.0, "disclosed_quantity": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ((404, {"status": "error", "message": "Order 77 not found"}), OrderNotFound),
        ((400, {"status": "error", "message": "Cannot cancel order in complete status"}),
         OrderNotWorking),
    ],
)  # fmt: skip
async def test_cancel_refusals(
    account: KitAccount, server: Server, reply: Reply, kind: type[AppError]
) -> None:
    server.replies["cancelorder"] = reply
    with pytest.raises(kind):
        await account.gateway.cancel("77")
    assert server.last("cancelorder") == {
        "apikey": KEY, "strategy": "OpenAlgo Desktop", "orderid": "77",
    }  # fmt: skip


# -- books ---------------------------------------------------------------------------------------
async def test_order_rows_of_a_sparse_and_of_a_rich_server(
    account: KitAccount, server: Server
) -> None:
    done = ROW | {"orderid": "78", "order_status": "complete", "pricetype": "MARKET", "price": 0}
    stop = ROW | {
        "orderid": "79", "order_status": "trigger pending", "pricetype": "SL-M",
        "trigger_price": 800.0, "filled_quantity": 0, "pending_quantity": 10, "strategy": "S1",
        "average_price": 0.0, "rejection_reason": "",
    }  # fmt: skip
    odd = ROW | {"orderid": "80", "order_status": "on its way"}
    server.replies["orderbook"] = book(ROW, done, stop, odd)
    first, second, third, fourth = await account.gateway.orders()
    assert first.status is OrderStatus.OPEN and first.pending_quantity == 10
    assert first.placed_at == datetime(2026, 12, 1, 9, 59, 2, tzinfo=IST)
    assert first.tag == ""  # so the reconciler goes by attributes and time
    assert (second.filled_quantity, second.pending_quantity) == (10, 0)
    assert (third.status, third.strategy) == (OrderStatus.TRIGGER_PENDING, "S1")
    assert fourth.status is OrderStatus.UNKNOWN  # never a guess


async def test_push_is_completed_from_the_book(account: KitAccount, server: Server) -> None:
    told = []
    account.gateway.set_listener(told.append)
    server.replies["orderbook"] = book(ROW | {"strategy": "S1"})
    await account.gateway.orders()
    push = {k: v for k, v in ROW.items() if k != "timestamp"} | {
        "type": "order_update", "user_id": "u", "mode": "live", "broker": "x",
        "filled_quantity": 4, "pending_quantity": 6, "average_price": 812.0,
        "rejection_reason": "",
    }  # fmt: skip
    account.gateway.pushed(push)
    account.gateway.pushed(push)  # servers may say it twice
    (update,) = told
    assert update.order.placed_at == datetime(2026, 12, 1, 9, 59, 2, tzinfo=IST)
    assert update.order.strategy == "S1"
    assert update.trade is not None and (update.trade.quantity, update.trade.price) == (4, 812.0)


async def test_trades_positions_holdings_funds(account: KitAccount, server: Server) -> None:
    trade = {
        "orderid": "77", "symbol": "SBIN", "exchange": "NSE", "action": "BUY", "product": "MIS",
        "quantity": 4, "average_price": 812.0, "trade_value": 3248.0, "timestamp": "09:59:03",
    }  # fmt: skip
    server.replies |= {
        "tradebook": (200, {"status": "success", "data": [trade, trade | {"quantity": 6}]}),
        "positionbook": (200, {"status": "success", "data": [
            {"symbol": "SBIN", "exchange": "NSE", "product": "MIS", "quantity": -10,
             "average_price": "812.50", "ltp": 810.0, "pnl": 30.0}]}),
        "holdings": (200, {"status": "success", "data": {"holdings": [
            {"symbol": "M&M", "exchange": "NSE", "product": "CNC", "quantity": 6,
             "average_price": 3005.0, "ltp": 3110.5, "pnl": 633.0, "pnlpercent": 3.51}],
            "statistics": {}}}),
        "funds": (200, {"status": "success", "data": {
            "availablecash": "250314.55", "collateral": "10.00", "m2mrealized": "412.50",
            "m2munrealized": "-87.30", "utiliseddebits": "18240.00"}}),
    }  # fmt: skip
    trades = await account.gateway.trades()
    assert [(t.trade_id, t.quantity) for t in trades] == [("77-1", 4), ("77-2", 6)]
    assert trades[0].traded_at == datetime(2026, 12, 1, 9, 59, 3, tzinfo=IST)
    (position,) = await account.gateway.positions()
    assert (position.quantity, position.average_price) == (-10, 812.5)
    assert position.pnl == pytest.approx(30.0)
    (holding,) = await account.gateway.holdings()
    assert (holding.symbol, holding.pnl) == ("M&M", pytest.approx(633.0))
    funds = await account.gateway.funds()
    assert (funds.available_cash, funds.collateral, funds.utilised) == (250314.55, 10.0, 18240.0)
    assert (funds.m2m_realised, funds.m2m_unrealised) == (412.5, -87.3)


# -- margin and triggers -------------------------------------------------------------------------
async def test_margin_wants_texts(account: KitAccount, server: Server) -> None:
    total = {"total_margin_required": 91420.6, "span_margin": 70110.2, "exposure_margin": 21310.4}
    server.replies["margin"] = (200, {"status": "success", "data": total})
    margin = await account.gateway.margin([ORDER, ORDER])  # type: ignore[attr-defined]
    assert (margin.total, margin.span, margin.exposure) == (91420.6, 70110.2, 21310.4)
    leg = {
        "symbol": "SBIN", "exchange": "NSE", "action": "BUY", "product": "MIS", "pricetype": "SL",
        "quantity": "10", "price": "812.5", "trigger_price": "812",
    }  # fmt: skip
    assert server.last("margin") == {"apikey": KEY, "positions": [leg, leg]}
    server.replies["margin"] = (501, {"status": "error", "message": "not implemented"})
    with pytest.raises(NotSupported):
        await account.gateway.margin([ORDER])  # type: ignore[attr-defined]


async def test_gtt(account: KitAccount, server: Server) -> None:
    gateway: Any = account.gateway
    server.replies |= {
        "placegttorder": (200, {"status": "success", "trigger_id": "GTT-1"}),
        "cancelgttorder": (200, {"status": "success", "trigger_id": "GTT-1"}),
        "gttorderbook": (200, {"status": "success", "data": [{
            "trigger_id": "7", "trigger_type": "two-leg", "status": "active", "symbol": "SBIN",
            "exchange": "NSE", "trigger_prices": [398.0, 455.5], "last_price": 421.35,
            "legs": [{"action": "SELL", "quantity": 40, "price": 397.2, "pricetype": "LIMIT",
                      "product": "CNC"},
                     {"action": "SELL", "quantity": 40, "price": 456.0, "pricetype": "LIMIT",
                      "product": "CNC"}],
            "created_at": "2026-11-20 09:41:07", "updated_at": "", "expires_at": ""}]}),
    }  # fmt: skip
    request = GttRequest(
        GttType.OCO, "SBIN", "NSE", Action.SELL, 40, trigger_below=398.0, trigger_above=455.5,
        stoploss=397.2, target=456.0, strategy="S1",
    )  # fmt: skip
    assert (await gateway.gtt_place(request, "O1")).order_id == "GTT-1"
    assert server.last("placegttorder") == {
        "apikey": KEY, "strategy": "S1", "symbol": "SBIN", "exchange": "NSE",
        "trigger_type": "OCO", "action": "SELL", "product": "CNC", "quantity": 40,
        "pricetype": "LIMIT", "price": 0.0, "triggerprice_sl": 398.0, "triggerprice_tg": 455.5,
        "stoploss": 397.2, "target": 456.0,
    }  # fmt: skip
    single = GttRequest(GttType.SINGLE, "SBIN", "NSE", Action.BUY, 1, price=390.0,
                        trigger_below=391.0)  # fmt: skip
    await gateway.gtt_place(single, "O2")
    assert "stoploss" not in server.last("placegttorder")
    (gtt,) = await gateway.gtt_orders()
    assert (gtt.trigger_id, gtt.trigger_type, gtt.quantity) == ("7", GttType.OCO, 40)
    assert [(leg.trigger_price, leg.below, leg.price) for leg in gtt.legs] == [
        (398.0, True, 397.2), (455.5, False, 456.0),
    ]  # fmt: skip
    await gateway.gtt_cancel("GTT-1")
    assert server.last("cancelgttorder")["trigger_id"] == "GTT-1"


# -- market data ---------------------------------------------------------------------------------
QUOTE = {"ltp": 812.5, "open": 805.0, "high": 815.9, "low": 803.1, "prev_close": 804.2,
         "volume": 7345210, "bid": 812.45, "ask": 812.55, "oi": 0}  # fmt: skip


async def test_quotes(account: KitAccount, server: Server) -> None:
    server.replies["multiquotes"] = (200, {"status": "success", "results": [
        {"symbol": "M&M", "exchange": "NSE", "error": "no quote today"},
        {"symbol": "SBIN", "exchange": "NSE", "data": QUOTE}]})  # fmt: skip
    keys = [("NSE", "SBIN"), ("NSE", "M&M"), ("NSE", "NOPE")]
    answers = await account.market.quotes(keys)
    tick = answers["NSE", "SBIN"]
    assert isinstance(tick, Tick)
    assert (tick.ltp, tick.close, tick.bid, tick.ask) == (812.5, 804.2, 812.45, 812.55)
    assert all(isinstance(answers[key], AppError) for key in keys[1:])
    server.replies["multiquotes"] = (400, {"status": "error", "message": "all wrong"})
    assert isinstance((await account.market.quotes(keys[:1]))[keys[0]], AppError)


@pytest.mark.parametrize(
    "changes",
    [{"bid": 0, "ask": 0}, {"bid": None, "ask": None}, {"bid": 0.0, "ask": None}],
    ids=["zeros", "nulls", "mixed"],
)
async def test_a_quote_without_bid_and_ask_says_that_they_are_unknown(
    account: KitAccount, server: Server, changes: dict[str, Any]
) -> None:
    def answer(body: dict[str, Any]) -> Reply:
        rows = [{**item, "data": {**QUOTE, **changes}} for item in body["symbols"]]
        return 200, {"status": "success", "results": rows}

    server.replies["multiquotes"] = answer
    share, index = ("NSE", "SBIN"), ("NSE_INDEX", "NIFTY")
    answers = await account.market.quotes([share, index])
    tick = answers[share]
    assert isinstance(tick, Tick) and tick.unknown == Part.TOUCH
    known = answers[index]
    assert isinstance(known, Tick) and known.unknown == 0  # an index has none, that is known
    server.replies["multiquotes"] = lambda body: (
        200,
        {"status": "success", "results": [{**body["symbols"][0], "data": {**QUOTE, "bid": 0}}]},
    )
    one_sided = (await account.market.quotes([share]))[share]
    assert isinstance(one_sided, Tick) and one_sided.unknown == 0  # nobody bids: a fact


async def test_depth(account: KitAccount, server: Server) -> None:
    server.replies["depth"] = (200, {"status": "success", "data": {
        **{k: v for k, v in QUOTE.items() if k not in ("bid", "ask")}, "ltq": 25,
        "totalbuyqty": 512300, "totalsellqty": 498120,
        "bids": [{"price": 812.45, "quantity": 340}],
        "asks": [{"price": 812.55, "quantity": 120}]}})  # fmt: skip
    tick = await account.market.depth(("NSE", "SBIN"))
    assert tick.depth is not None and len(tick.depth.buy) == len(tick.depth.sell) == 5
    assert (tick.depth.buy[0].price, tick.depth.sell[0].quantity) == (812.45, 120)
    assert (tick.last_quantity, tick.total_buy_quantity) == (25, 512300)


async def test_history_in_pieces(account: KitAccount, server: Server) -> None:
    def candles(body: dict[str, Any]) -> Reply:
        start = datetime.fromisoformat(body["start_date"] + "T09:15:00+05:30")
        row = {"open": 1.0, "high": 2.0, "low": 0.5, "close": 1.5, "volume": 10}
        return 200, {"status": "success", "data": [
            {"timestamp": int(start.timestamp()), **row},
            {"timestamp": int(start.timestamp()) + 60, **row, "oi": 3}]}  # fmt: skip

    server.replies["history"] = candles
    bars = await account.market.history(
        ("NSE", "SBIN"), Interval.M1, date(2026, 10, 1), date(2026, 11, 15)
    )
    asked = [body for name, body in server.asked if name == "history"]
    assert [(b["start_date"], b["end_date"]) for b in asked] == [
        ("2026-10-01", "2026-10-30"), ("2026-10-31", "2026-11-15"),
    ]  # fmt: skip
    assert asked[0]["interval"] == "1m"
    assert len(bars) == 4 and list(bars.oi) == [0, 3, 0, 3]
    assert list(bars.time) == sorted(bars.time)


async def test_lost_session_is_a_state(account: KitAccount, server: Server) -> None:
    server.replies["funds"] = (403, {"status": "error", "message": "Invalid openalgo apikey"})
    with pytest.raises(SessionExpired):
        await account.gateway.funds()
    assert account.status.state is AccountState.LOGIN_NEEDED
