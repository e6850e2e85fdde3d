"""Upstox' API on loopback: REST of versions 2 and 3, the protobuf feed and the portfolio stream.

Written from https://upstox.com/developer/api-documentation/ and the maker's message definition,
knowing nothing of our adapter. ``DEEP`` levels a side come in mode ``full_d30``.
"""

from __future__ import annotations

import gzip
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from openalgo_desktop.core.clock import IST, Clock
from openalgo_desktop.core.conversion import ConvertRequest
from openalgo_desktop.core.enums import Action, FeedMode, Interval, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import AppError, InsufficientFunds, OrderNotWorking
from openalgo_desktop.core.model import Instrument, Key, ModifyRequest, Order, OrderRequest
from openalgo_desktop.core.ticks import Depth, Tick
from tests.emulators.base import BrokerEmulator, Socket
from tests.unit.brokers.kit.protobuf_tables import UPSTOX

API_KEY = "upstox-api-key-0001"
API_SECRET = "upstoxsecret0001"
REDIRECT = "http://127.0.0.1:5000/upstox/callback"
USER = "7ABCDE"
DEEP = 30

_SEGMENT = {
    "NSE": "NSE_EQ", "BSE": "BSE_EQ", "NFO": "NSE_FO", "BFO": "BSE_FO", "CDS": "NCD_FO",
    "BCD": "BCD_FO", "MCX": "MCX_FO", "NSE_INDEX": "NSE_INDEX", "BSE_INDEX": "BSE_INDEX",
}  # fmt: skip
_INDEX_NAMES = {"NIFTY": "Nifty 50", "BANKNIFTY": "Nifty Bank", "SENSEX50": "SNSX50"}
_STATUS = {
    OrderStatus.OPEN: "open",
    OrderStatus.TRIGGER_PENDING: "trigger pending",
    OrderStatus.COMPLETE: "complete",
    OrderStatus.CANCELLED: "cancelled",
    OrderStatus.REJECTED: "rejected",
    OrderStatus.EXPIRED: "cancelled",
}
_INTERVALS = {
    "minutes": {n: Interval(f"{n}m") for n in ("1", "2", "3", "5", "10", "15", "20", "30")},
    "hours": {n: Interval(f"{n}h") for n in ("1", "2", "3", "4")},
    "days": {"1": Interval.DAY}, "weeks": {"1": Interval.WEEK}, "months": {"1": Interval.MONTH},
}  # fmt: skip
_MODES = {
    "ltpc": FeedMode.LTP, "full": FeedMode.DEPTH, "full_d30": FeedMode.DEPTH,
}  # fmt: skip
_LIVE, _MARKET_INFO = 1, 2
_Response = UPSTOX.message("FeedResponse")
_MARKET_FEED, _ORDER_FEED = "/market-feed", "/portfolio-feed"


class UpstoxError(Exception):
    """An error answer."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


def _refusal(status: int, code: str, message: str) -> web.Response:
    error = {
        "errorCode": code, "message": message, "propertyPath": None, "invalidValue": None,
        "error_code": code, "property_path": None, "invalid_value": None,
    }  # fmt: skip
    return web.json_response({"status": "error", "errors": [error]}, status=status)


def _time(moment: datetime | None) -> str:
    return moment.astimezone(IST).strftime("%Y-%m-%d %H:%M:%S") if moment else ""


class UpstoxEmulator(BrokerEmulator):
    """One app of one user."""

    feed_path = _MARKET_FEED

    def __init__(self, clock: Clock, *, rate: float = 200.0, universe: Path | None = None) -> None:
        super().__init__(clock, rate=rate, universe=universe)
        self._codes: set[str] = set()  # of logins
        self._tokens: dict[str, datetime] = {}  # access token -> its end
        self._feeds: set[str] = set()  # codes of authorized connections
        self._by_token: dict[str, Key] = {}
        self._token: dict[Key, str] = {}
        self._gtts: dict[str, dict[str, Any]] = {}
        self._deep: set[Key] = set()

    async def start(self, port: int = 0) -> None:
        await super().start(port)
        for number, (key, row) in enumerate(self.rows.items(), 1000):
            if row.exchange not in _SEGMENT:
                continue
            name = str(number)
            if row.is_index:
                name = _INDEX_NAMES.get(row.symbol, row.symbol)
            elif row.expiry is None:
                name = f"INE{number:06d}010"
            token = f"{_SEGMENT[row.exchange]}|{name}"
            self._by_token[token], self._token[key] = key, token

    def hosts(self) -> dict[str, str]:
        """The feeds are where the authorization says."""
        return {"rest": self.url, "orders": self.url, "assets": self.url}

    def _name(self, row: Instrument) -> str:
        """Upstox' trading symbol."""
        if row.expiry is None:
            return "SNSX50" if row.symbol == "SENSEX50" else row.symbol
        day = f"{row.expiry:%d %b %y}".upper()
        kind = row.instrument_type
        return (
            f"{row.name} FUT {day}" if kind == "FUT" else f"{row.name} {row.strike:g} {kind} {day}"
        )

    def _find(self, token: str) -> Instrument:
        key = self._by_token.get(token)
        if key is None:
            raise UpstoxError(400, "UDAPI100011", "Invalid Instrument key")
        return self.rows[key]

    def _size(self, row: Instrument) -> int:
        """Units of what is counted as one: commodities are counted in lots."""
        return row.lot_size if row.exchange == "MCX" else 1

    def _product(self, row: Instrument, text: str) -> Product:
        if text == "I":
            return Product.MIS
        return Product.CNC if row.exchange in ("NSE", "BSE") else Product.NRML

    # -- login ------------------------------------------------------------------------------
    def new_code(self) -> str:
        """What the browser would bring back."""
        code = secrets.token_hex(3)
        self._codes.add(code)
        return code

    def new_access_token(self) -> str:
        """A session; it ends at the next 3:30 of the emulator's clock."""
        token = secrets.token_hex(16)
        now = self.clock.now()
        end = datetime.combine(now.astimezone(IST).date(), time(3, 30), IST)
        self._tokens[token] = end if end > now else end + timedelta(days=1)
        return token

    def expire_sessions(self) -> None:
        """All sessions end now."""
        self._tokens.clear()

    def _check(self, request: web.Request) -> str:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        end = self._tokens.get(token)
        if scheme != "Bearer" or end is None or self.clock.now() >= end:
            raise UpstoxError(401, "UDAPI100050", "Invalid token used to access API")
        return token

    async def _dialog(self, request: web.Request) -> web.StreamResponse:
        """The page of the broker; here everybody agrees at once."""
        query = request.query
        if query["client_id"] != API_KEY or query["response_type"] != "code":
            return _refusal(401, "UDAPI100068", "Check your 'client_id' and 'redirect_uri'")
        back = {"code": self.new_code(), "state": query.get("state", "")}
        raise web.HTTPFound(f"{query['redirect_uri']}?{urlencode(back)}")

    async def _session(self, request: web.Request) -> web.Response:
        form = await request.post()
        code = str(form.get("code"))
        if code not in self._codes or form.get("grant_type") != "authorization_code":
            return _refusal(401, "UDAPI100057", "Invalid Auth code")
        keys = (form.get("client_id"), form.get("client_secret"))
        if keys != (API_KEY, API_SECRET) or not form.get("redirect_uri"):
            return _refusal(401, "UDAPI100069", "Check your 'client_id' and 'client_secret'")
        self._codes.discard(code)
        token = self.new_access_token()
        return web.json_response({**self._profile(), "access_token": token, "extended_token": None})

    def _profile(self) -> dict[str, Any]:
        return {
            "email": "user@example.com", "exchanges": ["NSE", "NFO", "BSE", "CDS", "BFO", "MCX"],
            "products": ["D", "CO", "I"], "broker": "UPSTOX", "user_id": USER,
            "user_name": "Test User", "order_types": ["MARKET", "LIMIT", "SL", "SL-M"],
            "user_type": "individual", "poa": False, "is_active": True,
        }  # fmt: skip

    async def _profile_call(self, request: web.Request) -> Any:
        return self._profile()

    async def _logout(self, request: web.Request) -> Any:
        self._tokens.pop(self._check(request), None)
        return True

    # -- orders -----------------------------------------------------------------------------
    async def _place(self, request: web.Request) -> Any:
        body = await request.json()
        self.arrived.append(body)
        row = self._find(body["instrument_token"])
        size = self._size(row)
        for name, kind in (("quantity", int), ("disclosed_quantity", int), ("is_amo", bool)):
            if not isinstance(body[name], kind):
                raise UpstoxError(400, "UDAPI100036", f"Invalid input: {name}")
        if len(body.get("tag", "")) > 40:
            raise UpstoxError(400, "UDAPI1049", "The tag is too long")
        order_id = await self.take(
            OrderRequest(
                symbol=row.symbol,
                exchange=row.exchange,
                action=Action(body["transaction_type"]),
                quantity=body["quantity"] * size,
                price_type=PriceType(body["order_type"]),
                product=self._product(row, body["product"]),
                price=float(body["price"]),
                trigger_price=float(body["trigger_price"]),
                disclosed_quantity=body["disclosed_quantity"] * size,
            ),
            body.get("tag", ""),
        )
        return {"order_ids": [order_id]}

    async def _known(self, order_id: str) -> Order:
        for order in await self.orders():
            if order.order_id == order_id:
                return order
        raise UpstoxError(400, "UDAPI100010", "Order not found")

    async def _modify(self, request: web.Request) -> Any:
        body = await request.json()
        self.arrived.append(body)
        order = await self._known(body["order_id"])
        size = self._size(self.rows[order.key])
        await self.retake(
            ModifyRequest(
                order_id=order.order_id,
                quantity=body.get("quantity", 0) * size,
                disclosed_quantity=body.get("disclosed_quantity", 0) * size,
                price=float(body["price"]),
                trigger_price=float(body["trigger_price"]),
                price_type=PriceType(body["order_type"]),
            )
        )
        return {"order_id": order.order_id}

    async def _cancel(self, request: web.Request) -> Any:
        order = await self._known(request.query["order_id"])
        await self.drop(order.order_id)
        return {"order_id": order.order_id}

    def _about(self, key: Key, product: Product) -> dict[str, Any]:
        """What rows of all books say of the instrument."""
        row = self.rows[key]
        name = self._name(row)
        return {
            "exchange": row.exchange, "instrument_token": self._token[key], "tradingsymbol": name,
            "trading_symbol": name, "product": "I" if product is Product.MIS else "D",
        }  # fmt: skip

    def _order(self, order: Order) -> dict[str, Any]:
        size = self._size(self.rows[order.key])
        pending = order.pending_quantity if order.status.is_working else 0
        return {
            **self._about(order.key, order.product),
            "price": order.price,
            "quantity": order.quantity // size,
            "status": _STATUS.get(order.status, "open pending"),
            "guid": None,
            "tag": order.tag or None,
            "placed_by": USER,
            "order_type": str(order.price_type),
            "validity": "DAY",
            "trigger_price": order.trigger_price,
            "disclosed_quantity": order.disclosed_quantity // size,
            "transaction_type": str(order.action),
            "average_price": order.average_price,
            "filled_quantity": order.filled_quantity // size,
            "pending_quantity": pending // size,
            "status_message": order.rejection_reason or None,
            "status_message_raw": None,
            "exchange_order_id": f"11{order.order_id[-10:]}",
            "parent_order_id": None,
            "order_id": order.order_id,
            "variety": "SIMPLE",
            "order_timestamp": _time(order.placed_at),
            "exchange_timestamp": _time(order.updated_at),
            "is_amo": False,
        }

    async def _orders(self, request: web.Request) -> Any:
        return [self._order(order) for order in await self.orders()]

    async def _trades(self, request: web.Request) -> Any:
        return [
            {
                **self._about(trade.key, trade.product),
                "order_type": "MARKET",
                "transaction_type": str(trade.action),
                "quantity": trade.quantity // self._size(self.rows[trade.key]),
                "order_id": trade.order_id,
                "trade_id": trade.trade_id,
                "average_price": trade.price,
                "exchange_timestamp": trade.traded_at.astimezone(IST).strftime("%d-%b-%Y %H:%M:%S"),
            }
            for trade in await self.account.gateway.trades()
        ]

    async def _positions(self, request: web.Request) -> Any:
        rows = []
        for held in await self.account.gateway.positions():
            row = self.rows[held.key]
            size = self._size(row)
            rows.append(
                {
                    **self._about(held.key, held.product),
                    "quantity": int(held.quantity / size),
                    "multiplier": row.contract_value * size,
                    "average_price": held.average_price if held.quantity else 0,
                    "last_price": held.ltp,
                    "pnl": held.pnl,
                    "unrealised": held.unrealised,
                    "realised": held.pnl - held.unrealised,
                    "day_buy_quantity": held.buy_quantity // size,
                    "day_sell_quantity": held.sell_quantity // size,
                    "buy_price": held.average_price,
                    "sell_price": held.average_price,
                }
            )
        return rows

    async def _convert(self, request: web.Request) -> Any:
        body = await request.json()
        self.arrived.append(body)
        row = self._find(body["instrument_token"])
        asked = ConvertRequest(
            symbol=row.symbol,
            exchange=row.exchange,
            action=Action(body["transaction_type"]),
            quantity=body["quantity"] * self._size(row),
            product=self._product(row, body["old_product"]),
            to=self._product(row, body["new_product"]),
        )
        await self.account.gateway.convert(asked, "")
        return {"status": "complete"}

    async def _holdings(self, request: web.Request) -> Any:
        return [
            {
                **self._about(held.key, Product.CNC),
                "quantity": held.quantity,
                "t1_quantity": held.t1_quantity,
                "average_price": held.average_price,
                "last_price": held.ltp,
                "pnl": held.pnl,
                "collateral_quantity": 0,
            }
            for held in await self.account.gateway.holdings()
        ]

    async def _funds(self, request: web.Request) -> Any:
        funds = await self.account.gateway.funds()
        none = {"total": 0.0}
        pledged = {
            "total": funds.collateral, "margin_from_pledge": {"total": funds.collateral},
            "margin_used": none,
        }  # fmt: skip
        cash = {
            "total": funds.available_cash, "margin_used": {"total": funds.utilised}, "pay_in": 0.0,
        }  # fmt: skip
        total = funds.available_cash + funds.collateral
        return {
            "available_to_trade": {
                "total": total, "cash_available_to_trade": cash,
                "pledge_available_to_trade": pledged,
            }
        }  # fmt: skip

    async def _margin(self, request: web.Request) -> Any:
        legs = []
        for leg in (await request.json())["instruments"]:
            row = self._find(leg["instrument_key"])
            value = leg.get("price", 100.0) * leg["quantity"] * self._size(row) * row.contract_value
            part = (0.0, 0.0, value) if row.expiry is None else (value * 0.1, value * 0.03, 0.0)
            names = ("span_margin", "exposure_margin", "equity_margin")
            legs.append({**dict(zip(names, part, strict=True)), "total_margin": sum(part)})
        total = sum(leg["total_margin"] for leg in legs)
        return {"margins": legs, "required_margin": total, "final_margin": total}

    # -- triggers ---------------------------------------------------------------------------
    async def _gtt(self, request: web.Request) -> Any:
        body = await request.json()
        number = str(body.get("gtt_order_id") or f"GTT-C25{len(self._gtts):012d}")
        if "gtt_order_id" in body and number not in self._gtts:
            raise UpstoxError(400, "UDAPI1148", "GTT order not found")
        if request.method == "DELETE":
            self._gtts[number]["rules"][0]["status"] = "CANCELLED"
            return {"gtt_order_ids": [number]}
        if body["type"] != "SINGLE" or [rule["strategy"] for rule in body["rules"]] != ["ENTRY"]:
            raise UpstoxError(400, "UDAPI1130", "One ENTRY rule is a SINGLE")
        old = self._gtts.get(number, {})
        token = body.get("instrument_token") or old["instrument_token"]
        side = body.get("transaction_type") or old["rules"][0]["transaction_type"]
        row = self._find(token)
        rules = [
            {**rule, "status": "SCHEDULED", "message": None, "transaction_type": side,
             "order_id": None}
            for rule in body["rules"]
        ]  # fmt: skip
        self._gtts[number] = {
            "type": "SINGLE",
            "exchange": _SEGMENT[row.exchange],
            "quantity": body["quantity"],
            "product": body.get("product") or old["product"],
            "rules": rules,
            "trading_symbol": self._name(row),
            "instrument_token": token,
            "gtt_order_id": number,
            "expires_at": int((self.clock.time() + 365 * 86_400) * 1e6),
            "created_at": int(self.clock.time() * 1e6),
        }
        return {"gtt_order_ids": [number]}

    async def _gtt_book(self, request: web.Request) -> Any:
        return list(self._gtts.values())

    # -- market -----------------------------------------------------------------------------
    async def _instruments(self, request: web.Request) -> web.Response:
        rows = [self._master_row(self.rows[key]) for key in self._token]
        data = gzip.compress(json.dumps(rows).encode(), mtime=0)
        return web.Response(body=data, content_type="application/gzip")

    def _master_row(self, row: Instrument) -> dict[str, Any]:
        found = {
            "segment": _SEGMENT[row.exchange],
            "name": row.name,
            "exchange": row.exchange[:3],
            "instrument_type": row.instrument_type,
            "instrument_key": self._token[row.key],
            "trading_symbol": self._name(row),
        }
        if row.is_index:
            return found
        found |= {
            "lot_size": row.lot_size,
            "tick_size": row.tick_size * 100,
            "qty_multiplier": 1.0,
            "freeze_quantity": float(row.freeze_qty // self._size(row)),
        }
        if row.expiry is not None:
            end = datetime.combine(row.expiry, time(23, 59, 59), IST)
            currency = row.exchange in ("MCX", "CDS", "BCD")
            found |= {
                "expiry": int(end.timestamp()) * 1000,
                "underlying_symbol": row.name,
                "strike_price": row.strike,
                "qty_multiplier": row.contract_value * row.lot_size if currency else 1.0,
            }
        return found

    def _asked(self, request: web.Request) -> list[Key]:
        tokens = request.query["instrument_key"].split(",")
        if len(tokens) > 500:
            raise UpstoxError(400, "UDAPI100042", "At most 500 instrument keys")
        return [key for token in tokens if (key := self._by_token.get(token))]

    async def _quotes(self, request: web.Request) -> Any:
        result = {}
        for key in self._asked(request):
            tick, row = await self.account.market.depth(key), self.rows[key]
            book = tick.depth or Depth()
            sides = {
                side: [
                    {"quantity": level.quantity, "price": level.price, "orders": level.orders}
                    for level in levels[:5]
                ]
                for side, levels in (("buy", book.buy), ("sell", book.sell))
            }
            prices = {name: getattr(tick, name) for name in ("open", "high", "low")}
            quote: dict[str, Any] = {
                "ohlc": {**prices, "close": tick.ltp},
                "timestamp": self.clock.now().isoformat(),
                "instrument_token": self._token[key],
                "symbol": self._name(row),
                "last_price": tick.ltp,
                "prev_close_price": tick.close,
                "net_change": tick.ltp - tick.close,
            }
            if not row.is_index:
                quote |= {
                    "depth": sides,
                    "volume": tick.volume,
                    "average_price": tick.average_price,
                    "oi": float(tick.oi),
                    "total_buy_quantity": float(tick.total_buy_quantity),
                    "total_sell_quantity": float(tick.total_sell_quantity),
                    "lower_circuit_limit": tick.lower_circuit,
                    "upper_circuit_limit": tick.upper_circuit,
                    "last_trade_time": str(int(self.clock.time() * 1000)),
                }
            result[f"{_SEGMENT[row.exchange]}:{self._name(row)}"] = quote
        return result

    async def _history(self, request: web.Request) -> Any:
        path = request.match_info
        start, end = (date.fromisoformat(path[name]) for name in ("from", "to"))
        most = {"minutes": 31 if int(path["step"]) <= 15 else 92, "hours": 92}.get(
            path["unit"], 3660
        )
        if (end - start).days > most or end < start:
            raise UpstoxError(400, "UDAPI1148", "Invalid date range")
        yesterday = self.clock.now().astimezone(IST).date() - timedelta(days=1)
        return await self._candles(path, start, min(end, yesterday))

    async def _today(self, request: web.Request) -> Any:
        today = self.clock.now().astimezone(IST).date()
        return await self._candles(request.match_info, today, today)

    async def _candles(self, path: Mapping[str, str], start: date, end: date) -> Any:
        key, interval = self._find(path["key"]).key, _INTERVALS[path["unit"]][path["step"]]
        bars = await self.account.market.history(key, interval, start, end)
        rows = []
        for at, epoch in enumerate(bars.time.tolist()):
            moment = datetime.fromtimestamp(epoch, IST)
            if not interval.is_intraday:
                moment = moment.replace(hour=0, minute=0)
            prices = (bars.open[at], bars.high[at], bars.low[at], bars.close[at])
            rows.append(
                [moment.isoformat(), *map(float, prices), int(bars.volume[at]), int(bars.oi[at])]
            )
        return {"candles": rows[::-1]}

    # -- routes -----------------------------------------------------------------------------
    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/v2/login/authorization/dialog", self._dialog)
        router.add_post("/v2/login/authorization/token", self._session)
        router.add_get("/market-quote/instruments/exchange/complete.json.gz", self._instruments)
        candles = "/v3/historical-candle"
        routes: list[tuple[str, str, Callable[[web.Request], Awaitable[Any]]]] = [
            ("DELETE", "/v2/logout", self._logout),
            ("GET", "/v2/user/profile", self._profile_call),
            ("GET", "/v3/user/get-funds-and-margin", self._funds),
            ("POST", "/v3/order/place", self._place),
            ("PUT", "/v3/order/modify", self._modify),
            ("DELETE", "/v3/order/cancel", self._cancel),
            ("GET", "/v2/order/retrieve-all", self._orders),
            ("GET", "/v2/order/trades/get-trades-for-day", self._trades),
            ("GET", "/v2/portfolio/short-term-positions", self._positions),
            ("PUT", "/v2/portfolio/convert-position", self._convert),
            ("GET", "/v2/portfolio/long-term-holdings", self._holdings),
            ("POST", "/v2/charges/margin", self._margin),
            ("POST", "/v3/order/gtt/place", self._gtt),
            ("PUT", "/v3/order/gtt/modify", self._gtt),
            ("DELETE", "/v3/order/gtt/cancel", self._gtt),
            ("GET", "/v3/order/gtt", self._gtt_book),
            ("GET", "/v3/market-quote/quotes", self._quotes),
            ("GET", f"{candles}/intraday/{{key}}/{{unit}}/{{step}}", self._today),
            ("GET", f"{candles}/{{key}}/{{unit}}/{{step}}/{{to}}/{{from}}", self._history),
            ("GET", "/v3/feed/market-data-feed/authorize", self._authorized(_MARKET_FEED)),
            ("GET", "/v2/feed/portfolio-stream-feed/authorize", self._authorized(_ORDER_FEED)),
        ]
        for method, path, handler in routes:
            router.add_route(method, path, self._guarded(handler))

    def _guarded(
        self, handler: Callable[[web.Request], Awaitable[Any]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def call(request: web.Request) -> web.StreamResponse:
            try:
                self._check(request)
                data = await handler(request)
            except UpstoxError as error:
                return _refusal(error.status, error.code, str(error))
            except InsufficientFunds as error:
                return _refusal(400, "UDAPI100071", f"Insufficient funds: {error.message}")
            except OrderNotWorking:
                said = "Order already cancelled/rejected/completed"
                return _refusal(400, "UDAPI100040", said)
            except AppError as error:
                return _refusal(400, "UDAPI100036", error.message)
            except (KeyError, ValueError, TypeError) as error:
                return _refusal(400, "UDAPI100036", f"Invalid input: {error}")
            return web.json_response({"status": "success", "data": data})

        return call

    def refuse(self, status: int) -> web.Response:
        other = "UDAPI100500" if status >= 500 else "UDAPI100036"
        code = "UDAPI100050" if status in (401, 403) else other
        return _refusal(status, code, f"fault {status}")

    # -- feeds ------------------------------------------------------------------------------
    def add_feed(self, app: web.Application) -> None:
        super().add_feed(app)
        app.router.add_get(_ORDER_FEED, self._feed)

    def _authorized(self, path: str) -> Callable[[web.Request], Awaitable[Any]]:
        """The address of one connection."""

        async def answer(request: web.Request) -> Any:
            if path == _ORDER_FEED and request.query["update_types"] != "order":
                raise UpstoxError(400, "UDAPI100036", "Invalid update_types")
            code = secrets.token_hex(8)
            self._feeds.add(code)
            return {"authorized_redirect_uri": f"{self.ws_url}{path}?code={code}"}

        return answer

    async def check_socket(self, request: web.Request) -> None:
        code = request.query.get("code", "")
        if code not in self._feeds:
            raise web.HTTPForbidden(text="not authorized")
        self._feeds.discard(code)

    async def on_open(self, socket: Socket, request: web.Request) -> None:
        """The market feed begins with the state of the market."""
        socket.orders = request.path == _ORDER_FEED
        if not socket.orders:
            info = _Response(type=_MARKET_INFO, currentTs=int(self.clock.time() * 1000))
            for segment in _SEGMENT.values():
                info.marketInfo.segmentStatus[segment] = 2
            self.emit(socket, info.SerializeToString())

    async def on_binary(self, socket: Socket, data: bytes) -> None:
        """Requests in text frames find no ear."""
        message = json.loads(data)
        about = message["data"]
        keys = [k for token in about["instrumentKeys"] if (k := self._by_token.get(token))]
        if message["method"] == "unsub":
            self._deep.difference_update(keys)
            await self.unwant(socket, keys)
        elif message["method"] in ("sub", "change_mode"):
            change = (
                self._deep.update if about["mode"] == "full_d30" else self._deep.difference_update
            )
            change(keys)
            await self.want(socket, dict.fromkeys(keys, _MODES[about["mode"]]))

    def order_frame(self, order: Order) -> str:
        return json.dumps({"update_type": "order", "user_id": USER, **self._order(order)})

    def tick_frame(self, tick: Tick, mode: FeedMode) -> bytes:
        response = _Response(type=_LIVE, currentTs=int(self.clock.time() * 1000))
        feed, row = response.feeds[self._token[tick.key]], self.rows[tick.key]
        if mode is FeedMode.LTP:
            self._last(feed.ltpc, tick)
            return bytes(response.SerializeToString())
        if row.is_index:
            self._last(feed.fullFeed.indexFF.ltpc, tick)
            self._bars(feed.fullFeed.indexFF.marketOHLC, tick)
            return bytes(response.SerializeToString())
        deep = tick.key in self._deep
        feed.requestMode = 3 if deep else 1
        full = feed.fullFeed.marketFF
        self._last(full.ltpc, tick)
        self._bars(full.marketOHLC, tick)
        full.atp, full.vtt, full.oi = tick.average_price, tick.volume, float(tick.oi)
        full.tbq, full.tsq = float(tick.total_buy_quantity), float(tick.total_sell_quantity)
        book = tick.depth or Depth()
        pairs = zip(book.buy, book.sell, strict=False)
        for number, (buy, sell) in enumerate([*pairs][:5]):
            full.marketLevel.bidAskQuote.add(
                bidQ=buy.quantity, bidP=buy.price, askQ=sell.quantity, askP=sell.price
            )
            last = number, buy, sell
        for step in range(1, DEEP - len(full.marketLevel.bidAskQuote) + 1) if deep else ():
            _, buy, sell = last
            far = step * row.tick_size
            full.marketLevel.bidAskQuote.add(
                bidQ=step, bidP=buy.price - far, askQ=step, askP=sell.price + far
            )
        return bytes(response.SerializeToString())

    def _last(self, ltpc: Any, tick: Tick) -> None:
        ltpc.ltp, ltpc.cp = tick.ltp, tick.close
        ltpc.ltt, ltpc.ltq = int(self.clock.time() * 1000), tick.last_quantity

    def _bars(self, bars: Any, tick: Tick) -> None:
        for interval in ("I1", "1d"):
            bars.ohlc.add(
                interval=interval, open=tick.open, high=tick.high, low=tick.low, close=tick.ltp,
                vol=tick.volume, ts=int(self.clock.time() * 1000),
            )  # fmt: skip
