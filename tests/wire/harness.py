"""Runs one recorded case against an adapter of the registry: serves the replies, collects the
requests, and gives results in the uniform form of the recordings."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from datetime import date, datetime
from typing import Any

import httpx
import msgspec

from openalgo_desktop.brokers.kit.account.api import BrokerApi
from openalgo_desktop.brokers.kit.account.login import LoginRunner
from openalgo_desktop.brokers.kit.account.session import Session
from openalgo_desktop.brokers.kit.broker import Broker
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.kit.spec import Ask, Browser
from openalgo_desktop.core.clock import IST, ManualClock, api_timestamp
from openalgo_desktop.core.enums import Action, GttType, Interval, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import (
    Bars,
    Gtt,
    GttRequest,
    Holding,
    Instrument,
    ModifyRequest,
    Order,
    OrderRequest,
    Position,
    Tick,
    Trade,
    closing_order,
)
from openalgo_desktop.core.symbols import parse_expiry
from openalgo_desktop.trading.smart import smart_order
from openalgo_desktop.trading.underway import View
from tests.wire.vectors import VectorFile

TAG = "Owirevectortag0001"


def instrument(row: dict[str, Any]) -> Instrument:
    """A symbol row of the recordings."""
    return Instrument(
        symbol=row["symbol"],
        exchange=row["exchange"],
        name=row.get("name") or "",
        instrument_type=row.get("instrumenttype") or "EQ",
        lot_size=int(row.get("lotsize") or 1),
        tick_size=float(row.get("tick_size") or 0.05),
        expiry=parse_expiry(row["expiry"]) if row.get("expiry") else None,
        strike=float(row.get("strike") or 0),
        token=str(row.get("token") or ""),
        brsymbol=row.get("brsymbol") or "",
        brexchange=row.get("brexchange") or "",
        contract_value=float(row.get("contract_value") or 1),
    )


def session_values(broker: Broker, recorded: dict[str, Any]) -> dict[str, str]:
    """Values of a logged-in session, named as the adapter names them.

    A session of one value is the whole stored token where the recording does not name its parts.
    """
    values = {k: v for k, v in recorded.items() if isinstance(v, str) and v}
    values |= {k: str(v) for k, v in (recorded.get("token_parts") or {}).items() if v}
    token = recorded.get("auth_token")
    for login in broker.spec.logins:
        for name in login.session:
            if name not in values and token:
                values[name] = token
    return values


class Wire:
    """One adapter with recorded replies instead of a network."""

    def __init__(self, broker: Broker, file: VectorFile, replies: list[dict[str, Any]]) -> None:
        clock = file.data.get("clock")
        self.clock = ManualClock(datetime.fromisoformat(clock) if clock else datetime.now(IST))
        self.broker = broker
        self.index = BrokerIndex(instrument(row) for row in file.data.get("symbols") or ())
        self.sent: list[httpx.Request] = []
        self._replies = list(replies)
        self.session = Session(session_values(broker, file.data.get("session") or {}))
        self.session.open = True
        self.rest = RestClient(
            broker.spec, self.session, self.clock, transport=httpx.MockTransport(self._serve)
        )
        self.api: BrokerApi = broker.api(broker.spec, self.rest, self.index, self.clock)

    async def _serve(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        if not self._replies:
            return httpx.Response(500, text="no reply was recorded for this request")
        reply = self._replies.pop(0)
        headers = reply.get("headers") or {}
        body = reply.get("body")
        # A limit of one call a second must not slow the recordings down.
        self.clock.advance(61)
        if isinstance(body, str):
            return httpx.Response(reply["status"], text=body, headers=headers)
        content = json.dumps(body).encode() if body is not None else b""
        headers = {"content-type": "application/json", **headers}
        return httpx.Response(reply["status"], content=content, headers=headers)

    async def run(self, op: str, given: dict[str, Any]) -> Any:
        """The uniform result of an operation; an error as ``{"error": text}``."""
        try:
            return await OPS[op](self, given)
        except AppError as error:
            return {"error": error.message, "class": type(error).__name__}
        finally:
            await self.rest.close()


# -- requests in unified vocabulary ---------------------------------------------------------
def order_request(given: dict[str, Any]) -> OrderRequest:
    """The unified order of an input."""
    return OrderRequest(
        symbol=given["symbol"],
        exchange=given["exchange"],
        action=Action(given["action"]),
        quantity=int(given["quantity"]),
        price_type=PriceType(given.get("pricetype", "MARKET")),
        product=Product(given.get("product", "MIS")),
        price=float(given.get("price") or 0),
        trigger_price=float(given.get("trigger_price") or 0),
        disclosed_quantity=int(given.get("disclosed_quantity") or 0),
        strategy=str(given.get("strategy", "")),
    )


def modify_request(given: dict[str, Any]) -> ModifyRequest:
    """The unified modification of an input."""

    def of(name: str, kind: Callable[[Any], Any]) -> Any:
        return kind(given[name]) if given.get(name) is not None else None

    return ModifyRequest(
        order_id=str(given["orderid"]),
        quantity=of("quantity", int),
        price=of("price", float),
        trigger_price=of("trigger_price", float),
        price_type=of("pricetype", PriceType),
        disclosed_quantity=of("disclosed_quantity", int),
        symbol=given.get("symbol"),
        exchange=given.get("exchange"),
        action=of("action", Action),
        product=of("product", Product),
    )


def gtt_request(given: dict[str, Any]) -> GttRequest:
    """The unified trigger of an input."""
    kind = GttType(given["trigger_type"])
    single = float(given.get("trigger_price") or 0)
    last = float(given.get("last_price") or 0)
    falls = single <= last if last else True
    return GttRequest(
        trigger_type=kind,
        symbol=given["symbol"],
        exchange=given["exchange"],
        action=Action(given["action"]),
        quantity=int(given["quantity"]),
        product=Product(given["product"]),
        price_type=PriceType(given["pricetype"]),
        price=float(given.get("price") or 0),
        trigger_below=float(given.get("triggerprice_sl") or 0) or (single if falls else 0.0),
        trigger_above=float(given.get("triggerprice_tg") or 0) or (0.0 if falls else single),
        stoploss=float(given.get("stoploss") or 0),
        target=float(given.get("target") or 0),
        last_price=last,
    )


# -- results in uniform form ----------------------------------------------------------------
def _time(moment: datetime | None) -> str:
    return api_timestamp(moment) if moment else ""


def order_row(order: Order) -> dict[str, Any]:
    """A row of the order book, or an order update."""
    return {
        "symbol": order.symbol,
        "exchange": str(order.exchange),
        "action": str(order.action),
        "quantity": order.quantity,
        "price": order.price,
        "trigger_price": order.trigger_price,
        "pricetype": str(order.price_type),
        "product": str(order.product),
        "orderid": order.order_id,
        "order_status": str(order.status),
        "timestamp": _time(order.placed_at),
        "filled_quantity": order.filled_quantity,
        "pending_quantity": order.pending_quantity,
        "average_price": order.average_price,
        "rejection_reason": order.rejection_reason,
    }


def trade_row(trade: Trade) -> dict[str, Any]:
    """A row of the trade book."""
    return {
        "symbol": trade.symbol,
        "exchange": str(trade.exchange),
        "product": str(trade.product),
        "action": str(trade.action),
        "quantity": trade.quantity,
        "average_price": trade.price,
        "trade_value": trade.value,
        "orderid": trade.order_id,
        "tradeid": trade.trade_id,
        "timestamp": _time(trade.traded_at),
    }


def position_row(position: Position) -> dict[str, Any]:
    """A row of the position book."""
    return {
        "symbol": position.symbol,
        "exchange": str(position.exchange),
        "product": str(position.product),
        "quantity": position.quantity,
        "average_price": position.average_price,
        "ltp": position.ltp,
        "pnl": position.pnl,
    }


def holding_row(holding: Holding) -> dict[str, Any]:
    """A row of the holdings."""
    return {
        "symbol": holding.symbol,
        "exchange": str(holding.exchange),
        "quantity": holding.quantity,
        "product": str(holding.product),
        "average_price": holding.average_price,
        "ltp": holding.ltp,
        "pnl": holding.pnl,
        "pnlpercent": holding.pnl_percent,
    }


def quote(tick: Tick) -> dict[str, Any]:
    """A quote."""
    return {
        "bid": tick.bid,
        "ask": tick.ask,
        "bid_quantity": tick.bid_quantity,
        "ask_quantity": tick.ask_quantity,
        "open": tick.open,
        "high": tick.high,
        "low": tick.low,
        "ltp": tick.ltp,
        "prev_close": tick.close,
        "volume": tick.volume,
        "oi": tick.oi,
    }


def depth(tick: Tick) -> dict[str, Any]:
    """A quote with the visible book."""
    assert tick.depth is not None

    def side(levels: Any) -> list[dict[str, Any]]:
        return [msgspec.structs.asdict(level) for level in levels]

    return quote(tick) | {
        "bids": side(tick.depth.buy),
        "asks": side(tick.depth.sell),
        "ltq": tick.last_quantity,
        "totalbuyqty": tick.total_buy_quantity,
        "totalsellqty": tick.total_sell_quantity,
    }


def candle_rows(bars: Bars) -> list[list[float]]:
    """Candles as rows."""
    columns = (bars.time, bars.open, bars.high, bars.low, bars.close, bars.volume, bars.oi)
    return [list(row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def gtt_row(gtt: Gtt) -> dict[str, Any]:
    """A row of the trigger book."""
    return {
        "trigger_id": gtt.trigger_id,
        "trigger_type": gtt.trigger_type.book_text,
        "status": str(gtt.status),
        "symbol": gtt.symbol,
        "exchange": str(gtt.exchange),
        "trigger_prices": [leg.trigger_price for leg in gtt.legs],
        "last_price": gtt.last_price,
        "legs": [
            {
                "action": str(gtt.action),
                "quantity": gtt.quantity,
                "price": leg.price,
                "pricetype": str(gtt.price_type),
                "product": str(gtt.product),
            }
            for leg in gtt.legs
        ],
        "created_at": _time(gtt.created_at),
        "updated_at": _time(gtt.updated_at),
        "expires_at": _time(gtt.expires_at),
    }


# -- operations -----------------------------------------------------------------------------
async def _login(wire: Wire, given: dict[str, Any]) -> Any:
    """The login whose steps want what the input gives."""
    logins = wire.broker.spec.logins

    def fits(login: Any) -> int:
        names = {field.name for field in login.fields}
        for step in login.steps:
            if isinstance(step, Browser):
                names |= set(step.gives) | set(step.gives.values())
        return len(names & set(given))

    login = max(logins, key=fits)
    renamed = dict(given)
    for step in login.steps:
        if isinstance(step, Browser):
            renamed |= {
                ours: given[theirs] for theirs, ours in step.gives.items() if theirs in given
            }
    asked = {f.name for step in login.steps if isinstance(step, Ask) for f in step.fields}
    known = {k: v for k, v in wire.session.context().items() if k in asked}
    runner = LoginRunner(wire.broker.spec, wire.rest, Session(), wire.clock, wire.api.login_hook)
    values = await runner.run(login, {**known, **renamed}, None)
    return {
        "auth_token": values[login.session[0]],
        "feed_token": values.get("feed_token"),
        "client_id": values.get("client_id"),
    }


async def _place(wire: Wire, given: dict[str, Any]) -> Any:
    return {"orderid": (await wire.api.place(order_request(given), TAG)).order_id}


async def _modify(wire: Wire, given: dict[str, Any]) -> Any:
    return {"orderid": (await wire.api.modify(modify_request(given))).order_id}


async def _cancel(wire: Wire, given: dict[str, Any]) -> Any:
    return {"orderid": (await wire.api.cancel(str(given["orderid"]))).order_id}


async def _cancel_all(wire: Wire, given: dict[str, Any]) -> Any:
    """As the corridor does it: the working rows of the book, one by one."""
    cancelled, failed = [], []
    for order in await wire.api.orders():
        if order.status.is_working and not order.settling:
            try:
                await wire.api.cancel(order.order_id)
                cancelled.append(order.order_id)
            except AppError:
                failed.append(order.order_id)
    return {"cancelled": cancelled, "failed": failed}


async def _net(wire: Wire, request: OrderRequest) -> int:
    return sum(
        p.quantity
        for p in await wire.api.positions()
        if (p.symbol, p.exchange, p.product) == (request.symbol, request.exchange, request.product)
    )


async def _smart(wire: Wire, given: dict[str, Any]) -> Any:
    """The order that leads to the wanted position, by the corridor's own rule."""
    request = order_request({"quantity": 0, **given})
    target = int(given.get("position_size") or 0)
    step = smart_order(request, target, View(await _net(wire, request)))
    if isinstance(step, str):
        return {"orderid": None, "no_action": True}
    return {"orderid": (await wire.api.place(step, TAG)).order_id}


async def _close_all(wire: Wire, given: dict[str, Any]) -> Any:
    """As the corridor does it: the opposite market order of each open row."""
    for position in await wire.api.positions():
        if position.quantity:
            await wire.api.place(closing_order(position), TAG)
    return {"ok": True}


async def _orders(wire: Wire, given: dict[str, Any]) -> Any:
    orders = await wire.api.orders()

    def total(wanted: Callable[[Order], bool]) -> int:
        return sum(map(wanted, orders))

    return {
        "rows": [order_row(order) for order in orders],
        "statistics": {
            "total_buy_orders": total(lambda o: o.action == Action.BUY),
            "total_sell_orders": total(lambda o: o.action == Action.SELL),
            "total_completed_orders": total(lambda o: o.status == OrderStatus.COMPLETE),
            "total_open_orders": total(lambda o: o.status.is_working),
            "total_rejected_orders": total(lambda o: o.status == OrderStatus.REJECTED),
        },
    }


async def _trades(wire: Wire, given: dict[str, Any]) -> Any:
    return {"rows": [trade_row(trade) for trade in await wire.api.trades()]}


async def _positions(wire: Wire, given: dict[str, Any]) -> Any:
    return {"rows": [position_row(position) for position in await wire.api.positions()]}


async def _holdings(wire: Wire, given: dict[str, Any]) -> Any:
    holdings = await wire.api.holdings()
    invested = sum(h.average_price * h.quantity for h in holdings)
    profit = sum(h.pnl for h in holdings)
    return {
        "rows": [holding_row(holding) for holding in holdings],
        "statistics": {
            "totalholdingvalue": sum(h.ltp * h.quantity for h in holdings),
            "totalinvvalue": invested,
            "totalprofitandloss": profit,
            "totalpnlpercentage": 100 * profit / invested if invested else 0.0,
        },
    }


async def _funds(wire: Wire, given: dict[str, Any]) -> Any:
    funds = await wire.api.funds()
    return {
        "availablecash": funds.available_cash,
        "collateral": funds.collateral,
        "m2munrealized": funds.m2m_unrealised,
        "m2mrealized": funds.m2m_realised,
        "utiliseddebits": funds.utilised,
    }


async def _margin(wire: Wire, given: dict[str, Any]) -> Any:
    margin = await wire.api.margin([order_request(leg) for leg in given["positions"]])
    return {
        "total_margin_required": margin.total,
        "span_margin": margin.span,
        "exposure_margin": margin.exposure,
        "total_charges": margin.charges,
    }


async def _quotes(wire: Wire, given: dict[str, Any]) -> Any:
    key = (given["exchange"], given["symbol"])
    answer = (await wire.api.quotes([key]))[key]
    if isinstance(answer, AppError):
        raise answer
    return quote(answer)


async def _multiquotes(wire: Wire, given: dict[str, Any]) -> Any:
    keys = [(row["exchange"], row["symbol"]) for row in given["symbols"]]
    rows = []
    for (exchange, symbol), answer in (await wire.api.quotes(keys)).items():
        row: dict[str, Any] = {"symbol": symbol, "exchange": exchange}
        if isinstance(answer, AppError):
            row["error"] = answer.message
        else:
            row["data"] = quote(answer)
        rows.append(row)
    return {"rows": rows}


async def _depth(wire: Wire, given: dict[str, Any]) -> Any:
    return depth(await wire.api.depth((given["exchange"], given["symbol"])))


async def _history(wire: Wire, given: dict[str, Any]) -> Any:
    bars = await wire.api.history(
        (given["exchange"], given["symbol"]),
        Interval(given["interval"]),
        date.fromisoformat(given["start_date"]),
        date.fromisoformat(given["end_date"]),
    )
    return {"rows": candle_rows(bars)}


async def _gtt_place(wire: Wire, given: dict[str, Any]) -> Any:
    return {"trigger_id": (await wire.api.gtt_place(gtt_request(given), TAG)).order_id}


async def _gtt_modify(wire: Wire, given: dict[str, Any]) -> Any:
    ack = await wire.api.gtt_modify(str(given["trigger_id"]), gtt_request(given))
    return {"trigger_id": ack.order_id}


async def _gtt_cancel(wire: Wire, given: dict[str, Any]) -> Any:
    return {"trigger_id": (await wire.api.gtt_cancel(str(given["trigger_id"]))).order_id}


async def _gtt_book(wire: Wire, given: dict[str, Any]) -> Any:
    return {"rows": [gtt_row(gtt) for gtt in await wire.api.gtt_orders()]}


async def _recorded(wire: Wire, given: dict[str, Any]) -> Any:
    """Intermediate steps of logins have names of their own: the adapter's ``wire_step`` hook."""
    step = getattr(wire.api, "wire_step", None)
    if step is None:
        raise AppError(f"{wire.broker.spec.title} has no login step of its own.")
    return await step(given)


OPS: dict[str, Callable[[Wire, dict[str, Any]], Coroutine[Any, Any, Any]]] = {
    "login": _login,
    "login_step": _recorded,
    "session_info": _recorded,
    "place_order": _place,
    "modify_order": _modify,
    "cancel_order": _cancel,
    "cancel_all_orders": _cancel_all,
    "close_all_positions": _close_all,
    "smart_order": _smart,
    "order_book": _orders,
    "trade_book": _trades,
    "positions": _positions,
    "holdings": _holdings,
    "funds": _funds,
    "margin": _margin,
    "quotes": _quotes,
    "multiquotes": _multiquotes,
    "depth": _depth,
    "history": _history,
    "gtt_place": _gtt_place,
    "gtt_modify": _gtt_modify,
    "gtt_cancel": _gtt_cancel,
    "gtt_book": _gtt_book,
}
