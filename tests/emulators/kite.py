"""Zerodha's Kite Connect on loopback: REST and the binary ticker, over the simulated market.

Written from https://kite.trade/docs/connect/v3/ and knowing nothing of our adapter, so that the
two can disagree. ``python -m tests.emulators.kite --port 15001`` runs it alone.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import hashlib
import io
import json
import secrets
import struct
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from openalgo_desktop.core.clock import IST, Clock, SystemClock
from openalgo_desktop.core.conversion import ConvertRequest
from openalgo_desktop.core.enums import Action, FeedMode, Interval, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import AppError, InsufficientFunds, OrderError
from openalgo_desktop.core.model import Instrument, Key, ModifyRequest, Order, OrderRequest
from openalgo_desktop.core.ticks import Tick
from tests.emulators.base import BrokerEmulator, Socket

API_KEY = "kitekey0001"
API_SECRET = "kitesecret0001"
USER = "AB1234"

_SEGMENT = {
    "NSE": 1, "NFO": 2, "CDS": 3, "BSE": 4, "BFO": 5, "BCD": 6, "MCX": 7,
    "NSE_INDEX": 9, "BSE_INDEX": 9, "MCX_INDEX": 9, "NCO": 12,
}  # fmt: skip
_DIVISOR = {3: 10_000_000, 6: 10_000, 12: 10_000}
_INDEX_NAMES = {
    "NIFTY": "NIFTY 50",
    "BANKNIFTY": "NIFTY BANK",
    "FINNIFTY": "NIFTY FIN SERVICE",
    "MIDCPNIFTY": "NIFTY MID SELECT",
    "NIFTYNXT50": "NIFTY NEXT 50",
    "INDIAVIX": "INDIA VIX",
    "SENSEX50": "SNSX50",
}
_STATUS = {
    OrderStatus.OPEN: "OPEN",
    OrderStatus.TRIGGER_PENDING: "TRIGGER PENDING",
    OrderStatus.COMPLETE: "COMPLETE",
    OrderStatus.CANCELLED: "CANCELLED",
    OrderStatus.REJECTED: "REJECTED",
    OrderStatus.EXPIRED: "CANCELLED",
}
_INTERVALS = {
    "minute": Interval.M1,
    "3minute": Interval.M3,
    "5minute": Interval.M5,
    "10minute": Interval.M10,
    "15minute": Interval.M15,
    "30minute": Interval.M30,
    "60minute": Interval.H1,
    "day": Interval.DAY,
}
_MODES = {"ltp": FeedMode.LTP, "quote": FeedMode.QUOTE, "full": FeedMode.DEPTH}
_COLUMNS = (
    "instrument_token", "exchange_token", "tradingsymbol", "name", "last_price", "expiry",
    "strike", "tick_size", "lot_size", "instrument_type", "segment", "exchange",
)  # fmt: skip
_MONTH_CODE = "123456789OND"


class KiteError(Exception):
    """An error answer."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status, self.kind = status, kind


def _answer(data: Any) -> web.Response:
    return web.json_response({"status": "success", "data": data})


def _refusal(status: int, kind: str, message: str) -> web.Response:
    body = {"status": "error", "message": message, "data": None, "error_type": kind}
    headers = {"Retry-After": "1"} if status == 429 else {}
    return web.json_response(body, status=status, headers=headers)


def _time(moment: datetime | None) -> str | None:
    return moment.astimezone(IST).strftime("%Y-%m-%d %H:%M:%S") if moment else None


class KiteEmulator(BrokerEmulator):
    """One app (``API_KEY``, ``API_SECRET``) of one user."""

    def __init__(
        self,
        clock: Clock,
        *,
        rate: float = 200.0,
        universe: Path | None = None,
        redirect: str = "",
    ) -> None:
        super().__init__(clock, rate=rate, universe=universe)
        self.redirect = redirect
        self._request_tokens: set[str] = set()
        self._tokens: dict[str, datetime] = {}  # access token -> its end
        self._by_token: dict[int, Key] = {}
        self._token: dict[Key, int] = {}
        self._by_name: dict[tuple[str, str], Key] = {}
        self._varieties: dict[str, str] = {}
        self._gtts: dict[int, dict[str, Any]] = {}

    async def start(self, port: int = 0) -> None:
        await super().start(port)
        for number, (key, row) in enumerate(self.rows.items(), 1000):
            segment = _SEGMENT.get(row.exchange)
            if segment is None:
                continue
            token = number << 8 | segment
            self._by_token[token], self._token[key] = key, token
            self._by_name[self._exchange(row), self._name(row)] = key

    # -- names ------------------------------------------------------------------------------
    def _exchange(self, row: Instrument) -> str:
        return row.exchange.removesuffix("_INDEX")

    def _name(self, row: Instrument) -> str:
        """Kite's trading symbol."""
        if row.is_index:
            return _INDEX_NAMES.get(row.symbol, row.symbol)
        if row.expiry is None:
            return row.symbol
        year = row.expiry.year % 100
        if row.instrument_type == "FUT":
            return f"{row.name}{year:02d}{row.expiry:%b}FUT".upper()
        code = _MONTH_CODE[row.expiry.month - 1]
        return f"{row.name}{year:02d}{code}{row.expiry.day:02d}{row.strike:g}{row.instrument_type}"

    def _find(self, exchange: str, name: str) -> Instrument:
        key = self._by_name.get((exchange, name))
        if key is None:
            raise KiteError(400, "InputException", f"Invalid tradingsymbol `{name}`.")
        return self.rows[key]

    # -- login ------------------------------------------------------------------------------
    def new_request_token(self) -> str:
        """What the browser would bring back."""
        token = secrets.token_hex(12)
        self._request_tokens.add(token)
        return token

    def new_access_token(self) -> str:
        """A session; it ends at the next 6 a.m. of the emulator's clock."""
        token = secrets.token_hex(16)
        now = self.clock.now()
        end = now.replace(hour=6, minute=0, second=0, microsecond=0)
        self._tokens[token] = end if end > now else end + timedelta(days=1)
        return token

    def expire_sessions(self) -> None:
        """All sessions end now."""
        self._tokens.clear()

    def _valid(self, api_key: str, token: str) -> bool:
        end = self._tokens.get(token)
        return api_key == API_KEY and end is not None and self.clock.now() < end

    def _check(self, request: web.Request) -> None:
        if request.headers.get("X-Kite-Version") != "3":
            raise KiteError(400, "InputException", "X-Kite-Version is missing.")
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        api_key, _, token = value.partition(":")
        if scheme != "token" or not self._valid(api_key, token):
            raise KiteError(403, "TokenException", "Incorrect `api_key` or `access_token`.")

    async def _connect_login(self, request: web.Request) -> web.StreamResponse:
        """The page of the broker; here everybody agrees at once."""
        back = dict(parse_qsl(request.query.get("redirect_params", "")))
        query = {
            "request_token": self.new_request_token(),
            "action": "login",
            "status": "success",
            **back,
        }
        raise web.HTTPFound(f"{self.redirect}?{urlencode(query)}")

    async def _session(self, request: web.Request) -> web.Response:
        form = await request.post()
        token = str(form.get("request_token", ""))
        text = f"{form.get('api_key')}{token}{API_SECRET}"
        good = form.get("api_key") == API_KEY and token in self._request_tokens
        if not good or form.get("checksum") != hashlib.sha256(text.encode()).hexdigest():
            return _refusal(403, "TokenException", "Token is invalid or has expired.")
        self._request_tokens.discard(token)
        access = self.new_access_token()
        return _answer(
            {**self._profile(), "api_key": API_KEY, "access_token": access, "public_token": "p",
             "login_time": _time(self.clock.now())}
        )  # fmt: skip

    def _profile(self) -> dict[str, Any]:
        return {
            "user_id": USER,
            "user_name": "Test User",
            "user_shortname": "Test",
            "email": "user@example.com",
            "broker": "ZERODHA",
            "exchanges": ["NSE", "NFO", "BSE", "BFO", "MCX", "CDS"],
            "products": ["CNC", "NRML", "MIS"],
            "order_types": ["MARKET", "LIMIT", "SL", "SL-M"],
        }

    async def _logout(self, request: web.Request) -> Any:
        self._tokens.pop(request.query.get("access_token", ""), None)
        return True

    # -- orders -----------------------------------------------------------------------------
    async def _place(self, request: web.Request) -> Any:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.arrived.append(form)
        row = self._find(form["exchange"], form["tradingsymbol"])
        tag = form.get("tag", "")
        if tag and not (tag.isalnum() and len(tag) <= 20):
            raise KiteError(400, "InputException", "Invalid `tag`.")
        size = self._size(row)
        order_id = await self.take(
            OrderRequest(
                symbol=row.symbol,
                exchange=row.exchange,
                action=Action(form["transaction_type"]),
                quantity=int(form["quantity"]) * size,
                price_type=PriceType(form["order_type"]),
                product=Product(form["product"]),
                price=float(form.get("price") or 0),
                trigger_price=float(form.get("trigger_price") or 0),
                disclosed_quantity=int(form.get("disclosed_quantity") or 0) * size,
            ),
            tag,
        )
        self._varieties[order_id] = request.match_info["variety"]
        return {"order_id": order_id}

    def _size(self, row: Instrument) -> int:
        """Units of what Kite counts as one: a contract on MCX."""
        return row.lot_size if row.exchange == "MCX" else 1

    def _order_id(self, request: web.Request) -> str:
        order_id, variety = request.match_info["order_id"], request.match_info["variety"]
        if self._varieties.get(order_id) != variety:
            raise KiteError(400, "OrderException", "Order does not exist.")
        return order_id

    async def _modify(self, request: web.Request) -> Any:
        order_id = self._order_id(request)
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.arrived.append({"order_id": order_id, **form})
        order = next(o for o in await self.orders() if o.order_id == order_id)
        size = self._size(self.rows[order.key])
        await self.retake(
            ModifyRequest(
                order_id=order_id,
                # What is not sent, a broker leaves or clears: either would show.
                quantity=int(form.get("quantity") or 0) * size,
                disclosed_quantity=int(form.get("disclosed_quantity") or 0) * size,
                price=float(form.get("price") or 0),
                trigger_price=float(form.get("trigger_price") or 0),
                price_type=PriceType(form.get("order_type") or "MARKET"),
            )
        )
        return {"order_id": order_id}

    async def _cancel(self, request: web.Request) -> Any:
        order_id = self._order_id(request)
        await self.drop(order_id)
        return {"order_id": order_id}

    def _order(self, order: Order) -> dict[str, Any]:
        row = self.rows[order.key]
        size = self._size(row)
        pending = order.pending_quantity if order.status.is_working else 0
        cancelled = order.quantity - order.filled_quantity
        return {
            "placed_by": USER,
            "order_id": order.order_id,
            "exchange_order_id": f"1{order.order_id[-12:]}",
            "parent_order_id": None,
            "status": _STATUS.get(order.status, "OPEN PENDING"),
            "status_message": order.rejection_reason or None,
            "status_message_raw": None,
            "order_timestamp": _time(order.placed_at),
            "exchange_update_timestamp": _time(order.updated_at),
            "exchange_timestamp": _time(order.placed_at),
            "variety": self._varieties.get(order.order_id, "regular"),
            "exchange": self._exchange(row),
            "tradingsymbol": self._name(row),
            "instrument_token": self._token[order.key],
            "order_type": str(order.price_type),
            "transaction_type": str(order.action),
            "validity": "DAY",
            "product": str(order.product),
            "quantity": order.quantity // size,
            "disclosed_quantity": order.disclosed_quantity // size,
            "price": order.price,
            "trigger_price": order.trigger_price,
            "average_price": order.average_price,
            "filled_quantity": order.filled_quantity // size,
            "pending_quantity": pending // size,
            "cancelled_quantity": cancelled // size if order.status is OrderStatus.CANCELLED else 0,
            "market_protection": 0,
            "meta": {},
            "tag": order.tag or None,
        }

    async def _orders(self, request: web.Request) -> Any:
        return [self._order(order) for order in await self.orders()]

    async def _trades(self, request: web.Request) -> Any:
        return [
            {
                "trade_id": trade.trade_id,
                "order_id": trade.order_id,
                "exchange": self._exchange(self.rows[trade.key]),
                "tradingsymbol": self._name(self.rows[trade.key]),
                "instrument_token": self._token[trade.key],
                "product": str(trade.product),
                "average_price": trade.price,
                "quantity": trade.quantity // self._size(self.rows[trade.key]),
                "transaction_type": str(trade.action),
                "fill_timestamp": _time(trade.traded_at),
                "order_timestamp": trade.traded_at.astimezone(IST).strftime("%H:%M:%S"),
                "exchange_timestamp": _time(trade.traded_at),
            }
            for trade in await self.account.gateway.trades()
        ]

    async def _positions(self, request: web.Request) -> Any:
        net = [
            {
                "tradingsymbol": self._name(self.rows[p.key]),
                "exchange": self._exchange(self.rows[p.key]),
                "instrument_token": self._token[p.key],
                "product": str(p.product),
                "quantity": int(p.quantity / self._size(self.rows[p.key])),
                "overnight_quantity": 0,
                "multiplier": self.rows[p.key].contract_value * self._size(self.rows[p.key]),
                "average_price": p.average_price,
                "last_price": p.ltp,
                "pnl": p.pnl,
                "buy_quantity": p.buy_quantity // self._size(self.rows[p.key]),
                "sell_quantity": p.sell_quantity // self._size(self.rows[p.key]),
                "buy_value": 0,
                "sell_value": p.realised_today if not p.quantity else 0,
            }
            for p in await self.account.gateway.positions()
        ]
        return {"net": net, "day": net}

    async def _convert(self, request: web.Request) -> Any:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.arrived.append(form)
        if form["position_type"] != "day":  # nothing here was carried over
            raise KiteError(400, "InputException", "Invalid position type.")
        row = self._find(form["exchange"], form["tradingsymbol"])
        asked = ConvertRequest(
            symbol=row.symbol,
            exchange=row.exchange,
            action=Action(form["transaction_type"]),
            quantity=int(form["quantity"]) * self._size(row),
            product=Product(form["old_product"]),
            to=Product(form["new_product"]),
        )
        await self.account.gateway.convert(asked, "")
        return True

    async def _holdings(self, request: web.Request) -> Any:
        return [
            {
                "tradingsymbol": self._name(self.rows[h.key]),
                "exchange": self._exchange(self.rows[h.key]),
                "product": "CNC",
                "quantity": h.quantity - h.t1_quantity,
                "t1_quantity": h.t1_quantity,
                "average_price": h.average_price,
                "last_price": h.ltp,
                "pnl": h.pnl,
            }
            for h in await self.account.gateway.holdings()
        ]

    async def _margins(self, request: web.Request) -> Any:
        funds = await self.account.gateway.funds()
        empty = {"enabled": False, "net": 0, "available": {}, "utilised": {}}
        equity = {
            "enabled": True,
            "net": funds.available_cash + funds.collateral - funds.utilised,
            "available": {"cash": funds.available_cash, "collateral": funds.collateral},
            "utilised": {"debits": funds.utilised},
        }
        return {"equity": equity, "commodity": empty}

    async def _order_margin(self, request: web.Request) -> Any:
        return [self._leg_margin(leg) for leg in await request.json()]

    async def _basket_margin(self, request: web.Request) -> Any:
        legs = [self._leg_margin(leg) for leg in await request.json()]
        total = {name: sum(leg[name] for leg in legs) for name in ("total", "span", "exposure")}
        return {"initial": total, "final": total, "orders": legs}

    def _leg_margin(self, leg: dict[str, Any]) -> dict[str, Any]:
        row = self._find(leg["exchange"], leg["tradingsymbol"])
        units = leg["quantity"] * self._size(row)
        value = (leg["price"] or 100.0) * units * row.contract_value
        if row.expiry is None:
            return {"type": "equity", "total": value, "span": 0, "exposure": 0}
        span, exposure = value * 0.1, value * 0.03
        return {"type": "equity", "total": span + exposure, "span": span, "exposure": exposure}

    # -- triggers ---------------------------------------------------------------------------
    async def _gtt(self, request: web.Request) -> Any:
        number = int(request.match_info.get("id", 0)) or 100_000 + len(self._gtts)
        if "id" in request.match_info and number not in self._gtts:
            raise KiteError(404, "GeneralException", "Trigger does not exist.")
        if request.method == "DELETE":
            self._gtts[number]["status"] = "deleted"
            return {"trigger_id": number}
        form = await request.post()
        condition, orders = json.loads(str(form["condition"])), json.loads(str(form["orders"]))
        wanted = 2 if form["type"] == "two-leg" else 1
        if len(condition["trigger_values"]) != wanted or len(orders) != wanted:
            raise KiteError(400, "InputException", "Trigger values and orders do not match.")
        if any(order["order_type"] != "LIMIT" for order in orders):
            raise KiteError(400, "InputException", "Only LIMIT orders are allowed.")
        now = self.clock.now()
        created = self._gtts.get(number, {}).get("created_at", _time(now))
        self._gtts[number] = {
            "id": number,
            "user_id": USER,
            "type": form["type"],
            "created_at": created,
            "updated_at": _time(now),
            "expires_at": _time(now + timedelta(days=365)),
            "status": "active",
            "condition": condition,
            "orders": [order | {"result": None} for order in orders],
        }
        return {"trigger_id": number}

    async def _gtt_book(self, request: web.Request) -> Any:
        return sorted(self._gtts.values(), key=lambda gtt: -int(gtt["id"]))

    # -- market -----------------------------------------------------------------------------
    async def _instruments(self, request: web.Request) -> web.Response:
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(_COLUMNS)
        for key, token in self._token.items():
            row = self.rows[key]
            exchange = self._exchange(row)
            kind = "EQ" if row.is_index else row.instrument_type
            segment = exchange
            if row.is_index:
                segment = "INDICES"
            elif row.expiry is not None:
                segment += "-FUT" if kind == "FUT" else "-OPT"
            lot = 1 if row.exchange in ("MCX", "CDS", "BCD") else row.lot_size
            writer.writerow(
                [token, token >> 8, self._name(row), row.name, 0, row.expiry or "", row.strike,
                 row.tick_size, lot, kind, segment, exchange]
            )  # fmt: skip
        return web.Response(text=out.getvalue(), content_type="text/csv")

    async def _known(self, request: web.Request) -> dict[str, Key]:
        found = {}
        for text in request.query.getall("i", []):
            exchange, _, name = text.partition(":")
            if key := self._by_name.get((exchange, name)):
                found[text] = key
        return found

    async def _quote(self, request: web.Request) -> Any:
        result = {}
        for text, key in (await self._known(request)).items():
            tick = await self.account.market.depth(key)
            quote = {
                "instrument_token": self._token[key],
                "timestamp": _time(self.clock.now()),
                "last_price": tick.ltp,
                "net_change": 0,
                "ohlc": {
                    "open": tick.open,
                    "high": tick.high,
                    "low": tick.low,
                    "close": tick.close,
                },
            }
            if not self.rows[key].is_index:
                quote |= {
                    "last_trade_time": _time(self.clock.now()),
                    "last_quantity": tick.last_quantity,
                    "buy_quantity": tick.total_buy_quantity,
                    "sell_quantity": tick.total_sell_quantity,
                    "volume": tick.volume,
                    "average_price": tick.average_price,
                    "oi": tick.oi,
                    "lower_circuit_limit": tick.lower_circuit,
                    "upper_circuit_limit": tick.upper_circuit,
                    "depth": self._depth(tick),
                }
            result[text] = quote
        return result

    def _depth(self, tick: Tick) -> dict[str, Any]:
        def side(levels: Any) -> list[dict[str, Any]]:
            rows = [
                {"price": level.price, "quantity": level.quantity, "orders": level.orders}
                for level in levels[:5]
            ]
            return rows + [{"price": 0, "quantity": 0, "orders": 0}] * (5 - len(rows))

        book = tick.depth
        return {"buy": side(book.buy if book else ()), "sell": side(book.sell if book else ())}

    async def _ltp(self, request: web.Request) -> Any:
        known = await self._known(request)
        answers = await self.account.market.quotes(list(known.values()))
        return {
            text: {"instrument_token": self._token[key], "last_price": tick.ltp}
            for text, key in known.items()
            if isinstance(tick := answers[key], Tick)
        }

    async def _history(self, request: web.Request) -> Any:
        key = self._by_token.get(int(request.match_info["token"]))
        interval = _INTERVALS.get(request.match_info["interval"])
        if key is None or interval is None:
            raise KiteError(400, "InputException", "Invalid instrument token or interval.")
        start = date.fromisoformat(request.query["from"][:10])
        end = date.fromisoformat(request.query["to"][:10])
        if (end - start).days >= (2000 if interval is Interval.DAY else 60):
            raise KiteError(400, "InputException", "interval exceeds max limit: 60 days")
        bars = await self.account.market.history(key, interval, start, end)
        candles = []
        for index in range(len(bars)):
            epoch = int(bars.time[index])
            if interval is Interval.DAY:
                moment = datetime.fromtimestamp(epoch, IST).replace(hour=0, minute=0, second=0)
            else:
                moment = datetime.fromtimestamp(epoch, IST)
            candles.append(
                [moment.strftime("%Y-%m-%dT%H:%M:%S+0530"), float(bars.open[index]),
                 float(bars.high[index]), float(bars.low[index]), float(bars.close[index]),
                 int(bars.volume[index]), int(bars.oi[index])]
            )  # fmt: skip
        return {"candles": candles}

    # -- routes -----------------------------------------------------------------------------
    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/connect/login", self._connect_login)
        router.add_post("/session/token", self._session)
        routes: list[tuple[str, str, Callable[[web.Request], Awaitable[Any]]]] = [
            ("DELETE", "/session/token", self._logout),
            ("GET", "/user/profile", self._profile_call),
            ("GET", "/user/margins", self._margins),
            ("POST", "/orders/{variety}", self._place),
            ("PUT", "/orders/{variety}/{order_id}", self._modify),
            ("DELETE", "/orders/{variety}/{order_id}", self._cancel),
            ("GET", "/orders", self._orders),
            ("GET", "/trades", self._trades),
            ("GET", "/portfolio/positions", self._positions),
            ("PUT", "/portfolio/positions", self._convert),
            ("GET", "/portfolio/holdings", self._holdings),
            ("POST", "/margins/orders", self._order_margin),
            ("POST", "/margins/basket", self._basket_margin),
            ("POST", "/gtt/triggers", self._gtt),
            ("PUT", "/gtt/triggers/{id}", self._gtt),
            ("DELETE", "/gtt/triggers/{id}", self._gtt),
            ("GET", "/gtt/triggers", self._gtt_book),
            ("GET", "/quote", self._quote),
            ("GET", "/quote/ltp", self._ltp),
            ("GET", "/instruments/historical/{token}/{interval}", self._history),
            ("GET", "/instruments", self._instruments),
        ]
        for method, path, handler in routes:
            router.add_route(method, path, self._guarded(handler))

    async def _profile_call(self, request: web.Request) -> Any:
        return self._profile()

    def _guarded(
        self, handler: Callable[[web.Request], Awaitable[Any]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def call(request: web.Request) -> web.StreamResponse:
            try:
                if request.path != "/session/token":
                    self._check(request)
                data = await handler(request)
            except KiteError as error:
                return _refusal(error.status, error.kind, str(error))
            except InsufficientFunds as error:
                return _refusal(400, "MarginException", error.message)
            except OrderError as error:
                return _refusal(400, "OrderException", error.message)
            except AppError as error:
                return _refusal(400, "InputException", error.message)
            except (KeyError, ValueError) as error:
                return _refusal(400, "InputException", f"Missing or invalid field: {error}")
            return data if isinstance(data, web.StreamResponse) else _answer(data)

        return call

    def refuse(self, status: int) -> web.Response:
        kinds = {403: "TokenException", 429: "NetworkException", 500: "GeneralException"}
        return _refusal(status, kinds.get(status, "NetworkException"), f"fault {status}")

    # -- ticker -----------------------------------------------------------------------------
    async def check_socket(self, request: web.Request) -> None:
        query = request.query
        if not self._valid(query.get("api_key", ""), query.get("access_token", "")):
            raise web.HTTPForbidden(text="Invalid api_key or access_token")

    async def on_text(self, socket: Socket, text: str) -> None:
        message = json.loads(text)
        action, value = message["a"], message["v"]
        if action == "subscribe":
            keys = [self._by_token[token] for token in value if token in self._by_token]
            await self.want(socket, dict.fromkeys(keys, FeedMode.QUOTE))
        elif action == "unsubscribe":
            await self.unwant(socket, [self._by_token[t] for t in value if t in self._by_token])
        elif action == "mode":
            mode, tokens = value
            keys = [self._by_token[token] for token in tokens if token in self._by_token]
            await self.want(socket, dict.fromkeys(keys, _MODES[mode]))

    def beat_frame(self) -> bytes:
        return b"\x00"

    def order_frame(self, order: Order) -> str:
        data = self._order(order) | {"user_id": USER, "unfilled_quantity": 0, "app_id": 1}
        return json.dumps({"type": "order", "data": data})

    def tick_frame(self, tick: Tick, mode: FeedMode) -> bytes:
        packet = self._packet(tick, mode)
        return struct.pack(">HH", 1, len(packet)) + packet

    def _packet(self, tick: Tick, mode: FeedMode) -> bytes:
        token = self._token[tick.exchange, tick.symbol]
        divisor = _DIVISOR.get(token & 0xFF, 100)

        def price(value: float) -> int:
            return round(value * divisor)

        head = struct.pack(">Ii", token, price(tick.ltp))
        if mode is FeedMode.LTP:
            return head
        now = int(self.clock.time())
        if token & 0xFF == 9:
            body = struct.pack(
                ">iiiii", *(price(v) for v in (tick.high, tick.low, tick.open, tick.close)), 0
            )
            return head + body + (struct.pack(">I", now) if mode is FeedMode.DEPTH else b"")
        body = struct.pack(
            ">IiIIIiiii", tick.last_quantity, price(tick.average_price), tick.volume,
            tick.total_buy_quantity, tick.total_sell_quantity,
            *(price(v) for v in (tick.open, tick.high, tick.low, tick.close)),
        )  # fmt: skip
        if mode is FeedMode.QUOTE:
            return head + body
        body += struct.pack(">IIIII", now, tick.oi, tick.oi, tick.oi, now)
        depth = self._depth(tick)
        for level in depth["buy"] + depth["sell"]:
            body += struct.pack(
                ">IiHH", level["quantity"], price(level["price"]), min(level["orders"], 65535), 0
            )
        return head + body


async def _main(port: int, redirect: str) -> None:
    emulator = KiteEmulator(SystemClock(), redirect=redirect)
    await emulator.start(port)
    try:
        print(f"{emulator.url}  {emulator.ws_url}  key {API_KEY}  secret {API_SECRET}")
        await asyncio.Event().wait()
    finally:
        await emulator.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--redirect", default="http://127.0.0.1:5000/zerodha/callback")
    options = parser.parse_args()
    asyncio.run(_main(options.port, options.redirect))
