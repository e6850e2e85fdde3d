"""An OpenAlgo server on loopback: REST and WebSocket over the simulated market.

Written from the API's documentation (https://docs.openalgo.in) in the shapes of a *live* server:
sparse books, funds as texts, no order tags. It knows nothing of our adapter or our own server.
"""

from __future__ import annotations

import csv
import io
import json
import secrets
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

from aiohttp import web

from openalgo_desktop.core.clock import IST, Clock
from openalgo_desktop.core.enums import Action, FeedMode, Interval, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import AppError, OrderNotFound
from openalgo_desktop.core.model import Key, ModifyRequest, Order, OrderRequest
from openalgo_desktop.core.ticks import Tick
from tests.emulators.base import BrokerEmulator, Socket

USER = "trader"
_INTERVALS = ("1m", "5m", "15m", "1h", "D")
_COLUMNS = (
    "symbol", "brsymbol", "name", "exchange", "brexchange", "token", "expiry", "strike",
    "lotsize", "instrumenttype", "tick_size",
)  # fmt: skip
_WRITES = frozenset(
    f"/api/v1/{name}"
    for name in (
        "placeorder", "modifyorder", "cancelorder", "placegttorder", "modifygttorder",
        "cancelgttorder",
    )
)  # fmt: skip
_MODE_NAMES = {"ltp": 1, "quote": 2, "depth": 3}


class Refusal(Exception):
    """An error answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"status": "error", "message": message}, status=status)


class OpenAlgoEmulator(BrokerEmulator):
    """One user with one API key at a time."""

    orders_at_once = False

    def __init__(self, clock: Clock, *, rate: float = 200.0) -> None:
        super().__init__(clock, rate=rate)
        self.api_key = ""
        self._ready: set[Socket] = set()
        self._gtts: dict[str, dict[str, Any]] = {}

    # -- keys -------------------------------------------------------------------------------
    def new_key(self) -> str:
        """A fresh API key; the one before is void."""
        self.api_key = secrets.token_hex(32)
        return self.api_key

    def expire_sessions(self) -> None:
        """The key is revoked, or the server's own login at its broker is over."""
        self.api_key = ""

    def _valid(self, key: Any) -> bool:
        return bool(self.api_key) and key == self.api_key

    def is_write(self, request: web.Request) -> bool:
        """Reads are POSTs too."""
        return request.path in _WRITES

    # -- REST -------------------------------------------------------------------------------
    def refuse(self, status: int) -> web.Response:
        texts = {403: "Invalid openalgo apikey", 429: "Rate limit exceeded."}
        return _error(status, texts.get(status, f"fault {status}"))

    def add_routes(self, router: web.UrlDispatcher) -> None:
        calls: dict[str, Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]] = {
            "ping": self._ping,
            "analyzer": self._analyzer,
            "intervals": self._intervals,
            "placeorder": self._place,
            "modifyorder": self._modify,
            "cancelorder": self._cancel,
            "orderbook": self._orders,
            "tradebook": self._trades,
            "positionbook": self._positions,
            "holdings": self._holdings,
            "funds": self._funds,
            "margin": self._margin,
            "placegttorder": self._gtt_place,
            "modifygttorder": self._gtt_modify,
            "cancelgttorder": self._gtt_cancel,
            "gttorderbook": self._gtt_book,
            "multiquotes": self._quotes,
            "depth": self._depth,
            "history": self._history,
        }
        for name, call in calls.items():
            router.add_post(f"/api/v1/{name}", self._handler(call))
        router.add_get("/api/v1/instruments", self._instruments)

    def _handler(self, call: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]) -> Any:
        async def handle(request: web.Request) -> web.Response:
            body = await request.json()
            if not self._valid(body.get("apikey")):
                return _error(403, "Invalid openalgo apikey")
            try:
                return web.json_response({"status": "success", **(await call(body))})
            except Refusal as error:
                return _error(error.status, error.message)
            except OrderNotFound as error:
                return _error(404, error.message)
            except AppError as error:
                return _error(400, error.message)
            except KeyError as error:
                text = str({error.args[0]: ["Missing data for required field."]})
                return _error(400, text)

        return handle

    async def _ping(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"data": {"message": "pong", "broker": "simulator"}}

    async def _analyzer(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"data": {"mode": "live", "analyze_mode": False, "total_logs": 0}}

    async def _intervals(self, body: dict[str, Any]) -> dict[str, Any]:
        groups: dict[str, list[str]] = {
            "seconds": [], "minutes": ["1m", "5m", "15m"], "hours": ["1h"], "days": ["D"],
            "weeks": [], "months": [],
        }  # fmt: skip
        return {"data": groups}

    # -- orders -----------------------------------------------------------------------------
    def _row(self, symbol: str, exchange: str) -> Key:
        if (exchange, symbol) not in self.rows:
            raise Refusal(400, f"Symbol '{symbol}' not found for exchange '{exchange}'.")
        return (exchange, symbol)

    async def _place(self, body: dict[str, Any]) -> dict[str, Any]:
        self.arrived.append(body)
        exchange, symbol = self._row(body["symbol"], body["exchange"])
        assert isinstance(body["strategy"], str)
        order_id = await self.take(
            OrderRequest(
                symbol=symbol,
                exchange=exchange,
                action=Action(body["action"]),
                quantity=int(float(body["quantity"])),
                price_type=PriceType(body.get("pricetype", "MARKET")),
                product=Product(body.get("product", "MIS")),
                price=float(body.get("price", 0)),
                trigger_price=float(body.get("trigger_price", 0)),
                disclosed_quantity=int(body.get("disclosed_quantity", 0)),
            ),
            f"S{secrets.token_hex(6)}",
        )
        return {"orderid": order_id}

    async def _modify(self, body: dict[str, Any]) -> dict[str, Any]:
        self.arrived.append(body)
        for name in ("symbol", "exchange", "action", "product", "disclosed_quantity"):
            _ = body[name]  # all of them are required
        await self.retake(
            ModifyRequest(
                order_id=str(body["orderid"]),
                quantity=int(float(body["quantity"])),
                price=float(body["price"]),
                trigger_price=float(body["trigger_price"]),
                price_type=PriceType(body["pricetype"]),
            )
        )
        return {"orderid": body["orderid"]}

    async def _cancel(self, body: dict[str, Any]) -> dict[str, Any]:
        _ = body["strategy"]
        await self.drop(str(body["orderid"]))
        return {"orderid": body["orderid"]}

    # -- books ------------------------------------------------------------------------------
    async def _orders(self, body: dict[str, Any]) -> dict[str, Any]:
        rows = [
            {
                "orderid": o.order_id,
                "symbol": o.symbol,
                "exchange": o.exchange,
                "action": str(o.action),
                "quantity": o.quantity,
                "price": 0.0 if o.price_type is PriceType.MARKET else o.price,
                "trigger_price": o.trigger_price,
                "pricetype": str(o.price_type),
                "product": str(o.product),
                "order_status": o.status.value,
                "timestamp": o.placed_at.astimezone(IST).strftime("%d-%b-%Y %H:%M:%S")
                if o.placed_at
                else "",
                "average_price": o.average_price,
            }
            for o in await self.orders()
        ]
        return {"data": {"orders": rows, "statistics": {}}}

    async def _trades(self, body: dict[str, Any]) -> dict[str, Any]:
        return {
            "data": [
                {
                    "orderid": t.order_id,
                    "symbol": t.symbol,
                    "exchange": t.exchange,
                    "action": str(t.action),
                    "product": str(t.product),
                    "quantity": t.quantity,
                    "average_price": t.price,
                    "trade_value": round(t.price * t.quantity, 2),
                    "timestamp": t.traded_at.astimezone(IST).strftime("%H:%M:%S"),
                }
                for t in await self.account.gateway.trades()
            ]
        }

    async def _positions(self, body: dict[str, Any]) -> dict[str, Any]:
        return {
            "data": [
                {
                    "symbol": p.symbol,
                    "exchange": p.exchange,
                    "product": str(p.product),
                    "quantity": p.quantity,
                    "average_price": f"{p.average_price:.2f}",
                    "ltp": p.ltp,
                    "pnl": round(p.pnl, 2),
                }
                for p in await self.account.gateway.positions()
            ]
        }

    async def _holdings(self, body: dict[str, Any]) -> dict[str, Any]:
        rows = [
            {
                "symbol": h.symbol,
                "exchange": h.exchange,
                "product": "CNC",
                "quantity": h.quantity,
                "average_price": h.average_price,
                "ltp": h.ltp,
                "pnl": h.pnl,
                "pnlpercent": h.pnl_percent,
            }
            for h in await self.account.gateway.holdings()
        ]
        return {"data": {"holdings": rows, "statistics": {}}}

    async def _funds(self, body: dict[str, Any]) -> dict[str, Any]:
        funds = await self.account.gateway.funds()
        return {
            "data": {
                "availablecash": f"{funds.available_cash:.2f}",
                "collateral": f"{funds.collateral:.2f}",
                "m2mrealized": f"{funds.m2m_realised:.2f}",
                "m2munrealized": f"{funds.m2m_unrealised:.2f}",
                "utiliseddebits": f"{funds.utilised:.2f}",
            }
        }

    async def _margin(self, body: dict[str, Any]) -> dict[str, Any]:
        total = 0.0
        for leg in body["positions"]:
            if not isinstance(leg["quantity"], str):
                raise Refusal(400, "{'positions': {0: {'quantity': ['Not a valid string.']}}}")
            self._row(leg["symbol"], leg["exchange"])
            total += float(leg["quantity"]) * (float(leg["price"]) or 100.0) * 0.2
        return {
            "data": {
                "total_margin_required": total,
                "span_margin": total * 0.8,
                "exposure_margin": total * 0.2,
            }
        }

    # -- triggers ---------------------------------------------------------------------------
    def _gtt_row(self, trigger_id: str, body: dict[str, Any]) -> dict[str, Any]:
        self._row(body["symbol"], body["exchange"])
        oco = body["trigger_type"] == "OCO"
        lower, upper = float(body["triggerprice_sl"]), float(body["triggerprice_tg"])
        if oco and not (0 < lower < upper and body.get("stoploss") and body.get("target")):
            raise Refusal(400, "{'triggerprice_tg': ['Required for OCO (target trigger).']}")
        if not oco and not (lower or upper):
            raise Refusal(400, "SINGLE GTT requires a positive triggerprice_sl or triggerprice_tg.")
        legs = [
            {
                "action": body["action"],
                "quantity": int(body["quantity"]),
                "price": float(price),
                "pricetype": body.get("pricetype", "LIMIT"),
                "product": body["product"],
            }
            for price in ((body["stoploss"], body["target"]) if oco else (body["price"],))
        ]
        return {
            "trigger_id": trigger_id,
            "trigger_type": "two-leg" if oco else "single",
            "status": "active",
            "symbol": body["symbol"],
            "exchange": body["exchange"],
            "trigger_prices": [lower, upper] if oco else [lower or upper],
            "last_price": 0.0,
            "legs": legs,
            "created_at": self.clock.now().strftime("%Y-%m-%d %H:%M:%S"),
            "updated_at": "",
            "expires_at": "",
        }

    async def _gtt_place(self, body: dict[str, Any]) -> dict[str, Any]:
        trigger_id = f"GTT-{len(self._gtts) + 1}"
        self._gtts[trigger_id] = self._gtt_row(trigger_id, body)
        return {"trigger_id": trigger_id}

    def _known_gtt(self, body: dict[str, Any]) -> str:
        trigger_id = str(body["trigger_id"])
        if self._gtts.get(trigger_id) is None:
            raise Refusal(404, f"No active GTT with trigger_id '{trigger_id}'")
        return trigger_id

    async def _gtt_modify(self, body: dict[str, Any]) -> dict[str, Any]:
        trigger_id = self._known_gtt(body)
        self._gtts[trigger_id] = self._gtt_row(trigger_id, body)
        return {"trigger_id": trigger_id}

    async def _gtt_cancel(self, body: dict[str, Any]) -> dict[str, Any]:
        trigger_id = self._known_gtt(body)
        self._gtts[trigger_id] = {}
        return {"trigger_id": trigger_id}

    async def _gtt_book(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"data": [row for row in reversed(self._gtts.values()) if row]}

    # -- market -----------------------------------------------------------------------------
    async def _instruments(self, request: web.Request) -> web.Response:
        if not self._valid(request.query.get("apikey")):
            return _error(403, "Invalid openalgo apikey")
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(_COLUMNS)
        for row in self.rows.values():
            if row.exchange == request.query["exchange"]:
                expiry = row.expiry.strftime("%d-%b-%y").upper() if row.expiry else ""
                writer.writerow(
                    [row.symbol, f"B {row.symbol}", row.name, row.exchange, row.exchange,
                     row.token or row.symbol, expiry, row.strike if row.is_option else -1,
                     0 if row.is_index else row.lot_size, row.instrument_type,
                     0 if row.is_index else row.tick_size]
                )  # fmt: skip
        return web.Response(text=out.getvalue(), content_type="text/csv")

    async def _quotes(self, body: dict[str, Any]) -> dict[str, Any]:
        keys = [(item["exchange"], item["symbol"]) for item in body["symbols"]]
        answers = await self.account.market.quotes(keys)
        rows = []
        for key in keys:
            tick = answers[key]
            names = {"symbol": key[1], "exchange": key[0]}
            if isinstance(tick, Tick):
                rows.append(names | {"data": _quote(tick)})
            else:
                rows.append(names | {"error": tick.message})
        return {"results": rows}

    async def _depth(self, body: dict[str, Any]) -> dict[str, Any]:
        tick = await self.account.market.depth(self._row(body["symbol"], body["exchange"]))
        data = _quote(tick)
        del data["bid"], data["ask"]
        book = _book(tick)
        return {
            "data": data
            | {
                "ltq": tick.last_quantity,
                "totalbuyqty": tick.total_buy_quantity,
                "totalsellqty": tick.total_sell_quantity,
                "bids": [{k: row[k] for k in ("price", "quantity")} for row in book["buy"]],
                "asks": [{k: row[k] for k in ("price", "quantity")} for row in book["sell"]],
            }
        }

    async def _history(self, body: dict[str, Any]) -> dict[str, Any]:
        if body["interval"] not in _INTERVALS:
            raise Refusal(500, f"Unsupported timeframe: {body['interval']}")
        bars = await self.account.market.history(
            self._row(body["symbol"], body["exchange"]),
            Interval(body["interval"]),
            date.fromisoformat(body["start_date"]),
            date.fromisoformat(body["end_date"]),
        )
        names = ("open", "high", "low", "close")
        return {
            "data": [
                {
                    "timestamp": int(bars.time[n]),
                    **{name: float(getattr(bars, name)[n]) for name in names},
                    "volume": int(bars.volume[n]),
                    "oi": int(bars.oi[n]),
                }
                for n in range(len(bars))
            ]
        }

    # -- WebSocket --------------------------------------------------------------------------
    async def on_text(self, socket: Socket, text: str) -> None:
        message = json.loads(text)
        action = message.get("action") or message.get("type")
        if action == "ping":
            now = int(self.clock.time() * 1000)
            self.emit(socket, _text(type="pong", status="success", server_timestamp=now))
        elif action in ("authenticate", "auth"):
            if not self._valid(message.get("api_key")):
                self._complain(socket, "AUTHENTICATION_ERROR", "Invalid API key")
                return
            self._ready.add(socket)
            answer = _text(
                type="auth", status="success", message="Authentication successful",
                broker="simulator", user_id=USER,
                supported_features={"ltp": True, "quote": True, "depth": True},
            )  # fmt: skip
            self.emit(socket, answer)
        elif socket not in self._ready:
            self._complain(socket, "NOT_AUTHENTICATED", "You must authenticate first")
        elif action == "subscribe_orders":
            socket.orders = True
            self.emit(socket, _text(type="subscribe_orders", status="success"))
        elif action == "subscribe":
            await self._subscribe(socket, message)
        elif action == "unsubscribe":
            await self._unsubscribe(socket, message)

    def _complain(self, socket: Socket, code: str, text: str) -> None:
        self.emit(socket, _text(status="error", code=code, message=text))

    async def _subscribe(self, socket: Socket, message: dict[str, Any]) -> None:
        mode = message.get("mode", 2)
        mode = FeedMode(_MODE_NAMES[mode.lower()] if isinstance(mode, str) else mode)
        rows, wanted = [], {}
        for item in message["symbols"]:
            key = (item["exchange"], item["symbol"])
            good = key in self.rows
            if good:
                wanted[key] = mode
            rows.append(
                {"symbol": key[1], "exchange": key[0], "broker": "simulator"}
                | (
                    {"status": "success", "mode": mode.label, "depth": 5}
                    if good
                    else {"status": "error", "message": f"Symbol {key[1]} not found"}
                )
            )
        status = "success" if len(wanted) == len(rows) else "partial"
        self.emit(socket, _text(type="subscribe", status=status, subscriptions=rows))
        await self.want(socket, wanted)

    async def _unsubscribe(self, socket: Socket, message: dict[str, Any]) -> None:
        """A mode that another subscription has replaced is gone already."""
        keys = [
            (item["exchange"], item["symbol"])
            for item in message["symbols"]
            if socket.modes.get((item["exchange"], item["symbol"])) == item.get("mode", 2)
        ]
        await self.unwant(socket, keys)
        self.emit(socket, _text(type="unsubscribe", status="success", successful=[], failed=[]))

    def tick_frame(self, tick: Tick, mode: FeedMode) -> str:
        data: dict[str, Any] = {
            "ltp": tick.ltp,
            "ltt": int(self.clock.time() * 1000),
            "timestamp": int(self.clock.time() * 1000),
        }
        if mode >= FeedMode.QUOTE:
            data |= {
                "open": tick.open,
                "high": tick.high,
                "low": tick.low,
                "close": tick.close,
                "volume": tick.volume,
                "last_quantity": tick.last_quantity,
                "average_price": tick.average_price,
                "oi": tick.oi,
                "total_buy_quantity": tick.total_buy_quantity,
                "total_sell_quantity": tick.total_sell_quantity,
            }
        if mode is FeedMode.DEPTH:
            data["depth"] = _book(tick)
        return _text(
            type="market_data", symbol=tick.symbol, exchange=tick.exchange, mode=int(mode),
            broker="simulator", data=data,
        )  # fmt: skip

    def order_frame(self, order: Order) -> str:
        working = order.status in (OrderStatus.OPEN, OrderStatus.TRIGGER_PENDING)
        return _text(
            type="order_update", user_id=USER, mode="live", broker="simulator",
            orderid=order.order_id, symbol=order.symbol, exchange=order.exchange,
            action=str(order.action), quantity=order.quantity, price=order.price,
            trigger_price=order.trigger_price, pricetype=str(order.price_type),
            product=str(order.product), order_status=order.status.value,
            filled_quantity=order.filled_quantity,
            pending_quantity=order.pending_quantity if working else 0,
            average_price=order.average_price, rejection_reason=order.rejection_reason,
        )  # fmt: skip


def _text(**fields: Any) -> str:
    return json.dumps(fields)


def _quote(tick: Tick) -> dict[str, Any]:
    return {
        "ltp": tick.ltp,
        "open": tick.open,
        "high": tick.high,
        "low": tick.low,
        "prev_close": tick.close,
        "volume": tick.volume,
        "bid": tick.bid,
        "ask": tick.ask,
        "oi": tick.oi,
    }


def _book(tick: Tick) -> dict[str, list[dict[str, Any]]]:
    def side(levels: Any) -> list[dict[str, Any]]:
        rows = [
            {"price": level.price, "quantity": level.quantity, "orders": level.orders}
            for level in levels[:5]
        ]
        return rows + [{"price": 0.0, "quantity": 0, "orders": 0}] * (5 - len(rows))

    book = tick.depth
    return {"buy": side(book.buy if book else ()), "sell": side(book.sell if book else ())}
