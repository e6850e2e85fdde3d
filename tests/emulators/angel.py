"""Angel One's SmartAPI on loopback: REST, Smart Stream and order updates over the simulated market.

Written from https://smartapi.angelone.in/docs and PyPI ``smartapi-python``, knowing nothing of our
adapter.
"""

from __future__ import annotations

import json
import secrets
import struct
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from openalgo_desktop.core.clock import IST, Clock
from openalgo_desktop.core.conversion import ConvertRequest
from openalgo_desktop.core.enums import Action, FeedMode, Interval, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import AppError, OrderError
from openalgo_desktop.core.model import Instrument, Key, ModifyRequest, Order, OrderRequest
from openalgo_desktop.core.ticks import Level, Tick
from openalgo_desktop.core.totp import totp
from tests.emulators.base import BrokerEmulator, Socket

API_KEY = "angelkey0001"
USER = "A123456"
PIN = "4711"
TOTP_SECRET = "JBSWY3DPEHPK3PXP"

_TYPES = {"NSE": 1, "NFO": 2, "BSE": 3, "BFO": 4, "MCX": 5, "CDS": 13}
_MODES = {1: FeedMode.LTP, 2: FeedMode.QUOTE, 3: FeedMode.DEPTH}
_KINDS = {
    "MARKET": PriceType.MARKET, "LIMIT": PriceType.LIMIT, "STOPLOSS_LIMIT": PriceType.SL,
    "STOPLOSS_MARKET": PriceType.SLM,
}  # fmt: skip
_PRODUCTS = {"DELIVERY": Product.CNC, "INTRADAY": Product.MIS, "CARRYFORWARD": Product.NRML}
_KIND_OF = {kind: text for text, kind in _KINDS.items()}
_PRODUCT_OF = {product: text for text, product in _PRODUCTS.items()}
_CODES = {
    OrderStatus.OPEN: "AB01", OrderStatus.CANCELLED: "AB02", OrderStatus.REJECTED: "AB03",
    OrderStatus.COMPLETE: "AB05", OrderStatus.TRIGGER_PENDING: "AB10",
}  # fmt: skip
_INTERVALS = {
    "ONE_MINUTE": (Interval.M1, 30), "THREE_MINUTE": (Interval.M3, 60),
    "FIVE_MINUTE": (Interval.M5, 100), "TEN_MINUTE": (Interval.M10, 100),
    "FIFTEEN_MINUTE": (Interval.M15, 200), "THIRTY_MINUTE": (Interval.M30, 200),
    "ONE_HOUR": (Interval.H1, 400), "ONE_DAY": (Interval.DAY, 2000),
}  # fmt: skip
_INDEX = {"NIFTY": "Nifty 50", "BANKNIFTY": "Nifty Bank"}
_ORDERS = "/rest/secure/angelbroking/order/v1"
_WRITES = frozenset({
    "placeOrder", "modifyOrder", "cancelOrder", "convertPosition", "createRule", "modifyRule",
    "cancelRule",
})  # fmt: skip
_UPDATES = "/smart-order-update"


class AngelError(Exception):
    """A refusal; ``code`` as the documentation's list of errors has it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def _answer(data: Any) -> web.Response:
    return web.json_response({"status": True, "message": "SUCCESS", "errorcode": "", "data": data})


def _refusal(code: str, message: str, status: int = 200) -> web.Response:
    body = {"status": False, "message": message, "errorcode": code, "data": None}
    return web.json_response(body, status=status)


def _time(moment: datetime | None) -> str:
    return f"{moment.astimezone(IST):%d-%b-%Y %H:%M:%S}" if moment else ""


def _exchange(row: Instrument) -> str:
    return row.exchange.removesuffix("_INDEX")


def _divisor(row: Instrument) -> int:
    return 10_000_000 if row.exchange == "CDS" else 100


def _name(row: Instrument) -> str:
    """The trading symbol of the scrip master."""
    if row.is_index:
        return _INDEX.get(row.symbol, row.symbol)
    if row.expiry is None:
        return f"{row.symbol}-EQ" if row.exchange == "NSE" else row.symbol
    if row.exchange == "NFO":
        return row.symbol
    end = "FUT" if row.instrument_type == "FUT" else f"{row.strike:g}{row.instrument_type}"
    return f"{row.name}{row.expiry:%y%b%d}{end}".upper()


class AngelEmulator(BrokerEmulator):
    """One app (``API_KEY``) of one client."""

    feed_path = "/smart-stream"
    orders_at_once = False

    def __init__(self, clock: Clock, *, rate: float = 200.0, universe: Path | None = None) -> None:
        super().__init__(clock, rate=rate, universe=universe)
        self.redirect = ""
        self._tokens: dict[str, str] = {}  # jwt -> its feed token
        self._refresh: set[str] = set()
        self._by_token: dict[tuple[str, str], Key] = {}
        self._varieties: dict[str, str] = {}
        self._rules: dict[str, dict[str, Any]] = {}
        self._deep: dict[int, set[Key]] = {}  # by socket

    async def start(self, port: int = 0) -> None:
        await super().start(port)
        self._by_token = {(_exchange(row), row.token): key for key, row in self.rows.items()}
        assert len(self._by_token) == len(self.rows)

    def hosts(self) -> dict[str, str]:
        sockets = dict.fromkeys(("stream", "orders"), self.ws_url)
        return {"rest": self.url, "files": self.url, **sockets}

    def _find(self, exchange: str, token: str) -> Instrument:
        key = self._by_token.get((exchange, token))
        if key is None:
            raise AngelError("AB1009", "Symbol Not Found")
        return self.rows[key]

    def is_write(self, request: web.Request) -> bool:
        return request.path.rpartition("/")[2] in _WRITES

    def refuse(self, status: int) -> web.Response:
        if status == 429:
            text = "Access denied because of exceeding access rate"
            return web.Response(status=403, text=text)
        return _refusal({401: "AG8001", 403: "AG8001"}.get(status, ""), f"fault {status}", status)

    # -- log-in -----------------------------------------------------------------------------
    def expire_sessions(self) -> None:
        """All sessions end now."""
        self._tokens.clear()

    def _new_session(self) -> dict[str, str]:
        jwt, feed, refresh = (secrets.token_hex(12) for _ in range(3))
        self._tokens[jwt] = feed
        self._refresh.add(refresh)
        return {"jwtToken": jwt, "refreshToken": refresh, "feedToken": feed}

    async def _login(self, request: web.Request) -> web.Response:
        body = await request.json()
        if request.headers.get("X-PrivateKey") != API_KEY:
            return _refusal("AG8004", "Invalid API Key")
        if (body["clientcode"], body["password"]) != (USER, PIN):
            return _refusal("AB1007", "Invalid clientcode or password")
        now = self.clock.time()
        if body["totp"] not in (totp(TOTP_SECRET, now), totp(TOTP_SECRET, now - 30)):
            return _refusal("AB1050", "Invalid totp")
        return _answer(self._new_session())

    async def _renew(self, request: web.Request) -> web.Response:
        token = str((await request.json())["refreshToken"])
        if token not in self._refresh or "Authorization" not in request.headers:
            return _refusal("AB8050", "Invalid Refresh Token")
        self._refresh.discard(token)
        return _answer(self._new_session())

    async def _publisher(self, request: web.Request) -> web.StreamResponse:
        """The page of the broker; here everybody agrees at once."""
        if request.query["api_key"] != API_KEY:
            raise web.HTTPForbidden
        made, state = self._new_session(), request.query.get("state", "")
        query = {"auth_token": made["jwtToken"], "feed_token": made["feedToken"], "state": state}
        raise web.HTTPFound(f"{self.redirect}?{urlencode(query)}")

    async def _profile(self, body: Mapping[str, Any]) -> Any:
        return {"clientcode": USER, "name": "Test", "exchanges": list(_TYPES), "products": []}

    async def _logout(self, body: Mapping[str, Any]) -> Any:
        assert body["clientcode"] == USER
        self._tokens.clear()
        return ""

    # -- orders -----------------------------------------------------------------------------
    def _arrived(self, body: Mapping[str, Any]) -> None:
        ours = {"trigger_price": "triggerprice", "disclosed_quantity": "disclosedquantity"}
        self.arrived.append({**body, **{n: body[t] for n, t in ours.items() if t in body}})

    async def _place(self, body: Mapping[str, Any]) -> Any:
        self._arrived(body)
        row = self._find(body["exchange"], body["symboltoken"])
        kind, tag = _KINDS[body["ordertype"]], body.get("ordertag", "")
        if body["tradingsymbol"] != _name(row):
            raise AngelError("AB1009", "Symbol Not Found")
        if (body["variety"] == "STOPLOSS") != kind.has_trigger:
            raise AngelError("AB1008", "Invalid Order Variety")
        if len(tag) >= 20:
            raise AngelError("AB4008", "ordertag length should be less than 20 characters")
        order_id = await self.take(
            OrderRequest(
                symbol=row.symbol,
                exchange=row.exchange,
                action=Action(body["transactiontype"]),
                quantity=int(body["quantity"]),
                price_type=kind,
                product=_PRODUCTS[body["producttype"]],
                price=float(body["price"]),
                trigger_price=float(body["triggerprice"]),
                disclosed_quantity=int(body.get("disclosedquantity") or 0),
            ),
            tag,
        )
        self._varieties[order_id] = body["variety"]
        return {"script": row.symbol, "orderid": order_id, "uniqueorderid": f"u{order_id}"}

    def _order_id(self, body: Mapping[str, Any]) -> str:
        order_id = str(body["orderid"])
        if order_id not in self._varieties:
            raise AngelError("AB1013", "Order not found")
        if self._varieties[order_id] != body["variety"]:
            raise AngelError("AB1008", "Invalid Order Variety")
        return order_id

    async def _modify(self, body: Mapping[str, Any]) -> Any:
        order_id = self._order_id(body)
        self._arrived(body)
        self._find(body["exchange"], body["symboltoken"])
        await self.retake(
            ModifyRequest(
                order_id=order_id,
                # What is not sent, a broker leaves or clears: either would show.
                quantity=int(body.get("quantity") or 0),
                disclosed_quantity=int(body.get("disclosedquantity") or 0),
                price=float(body.get("price") or 0),
                trigger_price=float(body.get("triggerprice") or 0),
                price_type=_KINDS[body["ordertype"]],
            )
        )
        return {"orderid": order_id, "uniqueorderid": f"u{order_id}"}

    async def _cancel(self, body: Mapping[str, Any]) -> Any:
        order_id = self._order_id(body)
        await self.drop(order_id)
        return {"orderid": order_id, "uniqueorderid": f"u{order_id}"}

    def _order(self, order: Order) -> dict[str, Any]:
        row = self.rows[order.key]
        status = {OrderStatus.EXPIRED: OrderStatus.CANCELLED}.get(order.status, order.status)
        return {
            "variety": self._varieties.get(order.order_id, "NORMAL"),
            "ordertype": _KIND_OF[order.price_type],
            "producttype": _PRODUCT_OF[order.product],
            "duration": "DAY",
            "price": order.price,
            "triggerprice": order.trigger_price,
            "quantity": str(order.quantity),
            "disclosedquantity": str(order.disclosed_quantity),
            "squareoff": 0.0,
            "stoploss": 0.0,
            "tradingsymbol": _name(row),
            "transactiontype": str(order.action),
            "exchange": _exchange(row),
            "symboltoken": row.token,
            "ordertag": order.tag,
            "lotsize": str(row.lot_size),
            "averageprice": order.average_price,
            "filledshares": str(order.filled_quantity),
            "unfilledshares": str(order.pending_quantity if order.status.is_working else 0),
            "orderid": order.order_id,
            "text": order.rejection_reason,
            "status": str(status),
            "orderstatus": str(status),
            "updatetime": _time(order.updated_at or order.placed_at),
            "exchtime": _time(order.placed_at),
            "exchorderupdatetime": _time(order.updated_at),
            "uniqueorderid": f"u{order.order_id}",
        }

    async def _orders(self, body: Mapping[str, Any]) -> Any:
        return [self._order(order) for order in await self.orders()] or None

    async def _trades(self, body: Mapping[str, Any]) -> Any:
        return [
            {
                "exchange": _exchange(self.rows[trade.key]),
                "producttype": _PRODUCT_OF[trade.product],
                "tradingsymbol": _name(self.rows[trade.key]),
                "tradevalue": f"{trade.price * trade.quantity:.2f}",
                "transactiontype": str(trade.action),
                "fillprice": f"{trade.price}",
                "fillsize": str(trade.quantity),
                "orderid": trade.order_id,
                "fillid": trade.trade_id,
                "filltime": f"{trade.traded_at.astimezone(IST):%H:%M:%S}",
            }
            for trade in await self.account.gateway.trades()
        ]

    async def _positions(self, body: Mapping[str, Any]) -> Any:
        return [
            {
                "exchange": _exchange(row := self.rows[held.key]),
                "symboltoken": row.token,
                "producttype": _PRODUCT_OF[held.product],
                "tradingsymbol": _name(row),
                "symbolname": row.name,
                "buyqty": str(held.buy_quantity),
                "sellqty": str(held.sell_quantity),
                "cfbuyqty": "0",
                "cfsellqty": "0",
                "avgnetprice": str(held.average_price),
                "netqty": str(held.quantity),
                "pnl": str(held.pnl),
                "ltp": str(held.ltp),
            }
            for held in await self.account.gateway.positions()
        ]

    async def _convert(self, body: Mapping[str, Any]) -> Any:
        self._arrived(body)
        row = self._find(body["exchange"], body["symboltoken"])
        asked = ConvertRequest(
            symbol=row.symbol,
            exchange=row.exchange,
            action=Action(body["transactiontype"]),
            quantity=int(body["quantity"]),
            product=_PRODUCTS[body["oldproducttype"]],
            to=_PRODUCTS[body["newproducttype"]],
        )
        assert body["type"] == "DAY" and body["tradingsymbol"] == _name(row)
        await self.account.gateway.convert(asked, "")
        return None

    async def _holdings(self, body: Mapping[str, Any]) -> Any:
        rows = [
            {
                "tradingsymbol": _name(self.rows[held.key]),
                "exchange": _exchange(self.rows[held.key]),
                "symboltoken": self.rows[held.key].token,
                "t1quantity": held.t1_quantity,
                "realisedquantity": held.quantity - held.t1_quantity,
                "quantity": held.quantity - held.t1_quantity,
                "product": "DELIVERY",
                "collateralquantity": None,
                "averageprice": held.average_price,
                "ltp": held.ltp,
            }
            for held in await self.account.gateway.holdings()
        ]
        return {"holdings": rows or None, "totalholding": None}

    async def _funds(self, body: Mapping[str, Any]) -> Any:
        funds = await self.account.gateway.funds()
        left = funds.available_cash + funds.collateral - funds.utilised
        return {
            "net": f"{left}",
            "availablecash": f"{left}",
            "availableintradaypayin": "0",
            "collateral": "0",
            "m2munrealized": "0",
            "m2mrealized": "0",
            "utiliseddebits": f"{funds.utilised}",
            "utilisedspan": None,
            "utilisedpayout": f"{left - funds.collateral}",
        }

    async def _margin(self, body: Mapping[str, Any]) -> Any:
        total = span = 0.0
        for leg in body["positions"]:
            row = self._find(leg["exchange"], leg["token"])
            value = (leg["price"] or 100.0) * leg["qty"] * row.contract_value
            total += value if row.expiry is None else value * 0.13
            span += 0.0 if row.expiry is None else value * 0.1
        return {"totalMarginRequired": total, "marginComponents": {"spanMargin": span}}

    # -- triggers ---------------------------------------------------------------------------
    async def _rule(self, body: Mapping[str, Any]) -> Any:
        number = str(body.get("id") or 1_000_000 + len(self._rules))
        if "id" in body and number not in self._rules:
            raise AngelError("AB9000", "Rule not found")
        self._find(body["exchange"], body["symboltoken"])
        if not float(body["price"]) or not float(body["triggerprice"]):
            raise AngelError("AB9010", "Invalid price")
        if body.get("gttType") == "OCO" and not body["stoplosstriggerprice"]:
            raise AngelError("AB9010", "Invalid stop-loss")
        now = f"{self.clock.now():%Y-%m-%dT%H:%M:%SZ}"
        self._rules[number] = {
            "status": "NEW", "createddate": now, **self._rules.get(number, {}), **body,
            "id": number, "updateddate": now, "clientid": USER,
            "expirydate": f"{self.clock.now() + timedelta(int(body['timeperiod'])):%Y-%m-%d}",
        }  # fmt: skip
        return {"id": number}

    def _known_rule(self, body: Mapping[str, Any]) -> dict[str, Any]:
        rule = self._rules.get(str(body["id"]))
        if rule is None:
            raise AngelError("AB9000", "Rule not found")
        return rule

    async def _cancel_rule(self, body: Mapping[str, Any]) -> Any:
        rule = self._known_rule(body)
        names = ("symboltoken", "exchange")
        if any(rule[name] != body[name] for name in names):
            raise AngelError("AB9000", "Rule not found")
        rule["status"] = "CANCELLED"
        return {"id": rule["id"]}

    async def _rule_details(self, body: Mapping[str, Any]) -> Any:
        return self._known_rule(body)

    async def _rule_list(self, body: Mapping[str, Any]) -> Any:
        rows = [rule for rule in self._rules.values() if rule["status"] in body["status"]]
        first = (body["page"] - 1) * body["count"]
        return rows[::-1][first : first + body["count"]] or None

    # -- market -----------------------------------------------------------------------------
    async def _scrips(self, request: web.Request) -> web.Response:
        rows = []
        for row in self.rows.values():
            kind, scale = "", _divisor(row)
            if row.is_index:
                kind = "AMXIDX"
            elif row.expiry is not None:
                kind = "FUTIDX" if row.instrument_type == "FUT" else "OPTIDX"
            rows.append({
                "token": row.token,
                "symbol": _name(row),
                "name": row.symbol if row.is_index else row.name,
                "expiry": f"{row.expiry:%d%b%Y}".upper() if row.expiry else "",
                "strike": f"{row.strike * scale if row.is_option else -1:f}",
                "lotsize": str(row.lot_size),
                "instrumenttype": kind,
                "exch_seg": _exchange(row),
                "tick_size": f"{row.tick_size * scale:f}",
            })  # fmt: skip
        return web.json_response(rows)

    async def _quotes(self, body: Mapping[str, Any]) -> Any:
        found, missing = [], []
        for exchange, tokens in body["exchangeTokens"].items():
            for token in tokens:
                try:
                    found.append(await self._quote(self._find(exchange, token)))
                except AngelError as error:
                    missing.append({
                        "exchange": exchange, "symbolToken": token, "message": str(error),
                        "errorCode": error.code,
                    })  # fmt: skip
        return {"fetched": found, "unfetched": missing}

    async def _quote(self, row: Instrument) -> dict[str, Any]:
        tick = await self.account.market.depth(row.key)
        assert tick.depth is not None
        return {
            "exchange": _exchange(row),
            "tradingSymbol": _name(row),
            "symbolToken": row.token,
            "ltp": tick.ltp,
            "open": tick.open,
            "high": tick.high,
            "low": tick.low,
            "close": tick.close,
            "lastTradeQty": tick.last_quantity,
            "exchFeedTime": _time(self.clock.now()),
            "exchTradeTime": _time(self.clock.now()),
            "avgPrice": tick.average_price,
            "tradeVolume": tick.volume,
            "opnInterest": tick.oi,
            "lowerCircuit": tick.lower_circuit,
            "upperCircuit": tick.upper_circuit,
            "totBuyQuan": tick.total_buy_quantity,
            "totSellQuan": tick.total_sell_quantity,
            "52WeekLow": tick.low,
            "52WeekHigh": tick.high,
            "depth": {
                side: [
                    {"price": level.price, "quantity": level.quantity, "orders": level.orders}
                    for level in getattr(tick.depth, side)[:5]
                ]
                for side in ("buy", "sell")
            },
        }

    async def _candles(self, body: Mapping[str, Any]) -> Any:
        row = self._find(body["exchange"], body["symboltoken"])
        interval, days = _INTERVALS[body["interval"]]
        start, end = (
            datetime.strptime(body[name], "%Y-%m-%d %H:%M").replace(tzinfo=IST).date()
            for name in ("fromdate", "todate")
        )
        if (end - start).days >= days:
            raise AngelError("AB1004", "Something Went Wrong, Please Try After Sometime")
        bars = await self.account.market.history(row.key, interval, start, end)
        rows = []
        for at, epoch in enumerate(bars.time.tolist()):
            moment = datetime.fromtimestamp(epoch, IST)
            if interval is Interval.DAY:
                moment = moment.replace(hour=0, minute=0, second=0)
            prices = (bars.open, bars.high, bars.low, bars.close)
            rows.append([
                moment.isoformat(), *(float(column[at]) for column in prices),
                int(bars.volume[at]), int(bars.oi[at]),
            ])  # fmt: skip
        return rows

    async def _history(self, body: Mapping[str, Any]) -> Any:
        return [row[:6] for row in await self._candles(body)] or None

    async def _interest(self, body: Mapping[str, Any]) -> Any:
        if body["exchange"] in ("NSE", "BSE"):
            raise AngelError("AB1009", "No open interest")
        return [{"time": row[0], "oi": row[6]} for row in await self._candles(body)]

    # -- routes -----------------------------------------------------------------------------
    def add_routes(self, router: web.UrlDispatcher) -> None:
        secure, gtt = "/rest/secure/angelbroking", "/rest/secure/angelbroking/gtt/v1"
        router.add_get(_UPDATES, self._feed)
        router.add_get("/publisher-login", self._publisher)
        router.add_get("/OpenAPI_File/files/OpenAPIScripMaster.json", self._scrips)
        router.add_post("/rest/auth/angelbroking/user/v1/loginByPassword", self._login)
        router.add_post("/rest/auth/angelbroking/jwt/v1/generateTokens", self._renew)
        calls: dict[str, Callable[[Mapping[str, Any]], Awaitable[Any]]] = {
            f"{secure}/user/v1/getProfile": self._profile,
            f"{secure}/user/v1/logout": self._logout,
            f"{_ORDERS}/placeOrder": self._place,
            f"{_ORDERS}/modifyOrder": self._modify,
            f"{_ORDERS}/cancelOrder": self._cancel,
            f"{_ORDERS}/convertPosition": self._convert,
            f"{_ORDERS}/getOrderBook": self._orders,
            f"{_ORDERS}/getTradeBook": self._trades,
            f"{_ORDERS}/getPosition": self._positions,
            f"{secure}/portfolio/v1/getAllHolding": self._holdings,
            f"{secure}/user/v1/getRMS": self._funds,
            f"{secure}/margin/v1/batch": self._margin,
            f"{secure}/market/v1/quote/": self._quotes,
            f"{secure}/historical/v1/getCandleData": self._history,
            f"{secure}/historical/v1/getOIData": self._interest,
            f"/gtt-service{gtt}/createRule": self._rule,
            f"/gtt-service{gtt}/modifyRule": self._rule,
            f"/gtt-service{gtt}/cancelRule": self._cancel_rule,
            f"{gtt}/ruleDetails": self._rule_details,
            f"{gtt}/ruleList": self._rule_list,
        }
        for path, call in calls.items():
            method = "GET" if path.rpartition("/")[2].startswith("get") else "POST"
            method = "POST" if "historical" in path else method
            router.add_route(method, path, self._guarded(call))

    def _guarded(
        self, call: Callable[[Mapping[str, Any]], Awaitable[Any]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            scheme, _, jwt = request.headers.get("Authorization", "").partition(" ")
            if request.headers.get("X-PrivateKey") != API_KEY or scheme != "Bearer":
                return _refusal("AG8004", "Invalid API Key")
            if jwt not in self._tokens:
                body = {"success": False, "message": "Invalid Token", "errorCode": "AG8001"}
                return web.json_response(body)
            try:
                return _answer(await call(await request.json() if request.can_read_body else {}))
            except AngelError as error:
                return _refusal(error.code, str(error))
            except OrderError as error:
                return _refusal("AB1012", error.message)
            except AppError as error:
                return _refusal("AB2002", error.message)
            except (KeyError, ValueError) as error:
                return _refusal("AB1002", f"Missing or invalid field: {error}")

        return answer

    # -- feeds ------------------------------------------------------------------------------
    async def check_socket(self, request: web.Request) -> None:
        told = request.headers
        if request.path == _UPDATES:
            good = told.get("Authorization", "").removeprefix("Bearer ") in self._tokens
        else:
            feed = self._tokens.get(told.get("Authorization", ""))
            names = ("x-api-key", "x-client-code", "x-feed-token")
            good = [told.get(name) for name in names] == [API_KEY, USER, feed]
        if not good:
            raise web.HTTPUnauthorized(text="Invalid token")

    async def on_open(self, socket: Socket, request: web.Request) -> None:
        if request.path == _UPDATES:
            socket.orders = True
            await socket.send(self._update("AB00", {}))

    async def on_text(self, socket: Socket, text: str) -> None:
        if text == "ping":
            await socket.send("pong")
            return
        message = json.loads(text)
        mode = message["params"]["mode"]
        names = {number: name for name, number in _TYPES.items()}
        keys = []
        for group in message["params"]["tokenList"]:
            for token in group["tokens"]:
                key = self._by_token.get((names[group["exchangeType"]], token))
                if key is None or (mode == 4 and group["exchangeType"] != 1):
                    told = {"errorCode": "E1002", "errorMessage": "Invalid Request"}
                    await socket.send(
                        json.dumps({"correlationID": message["correlationID"], **told})
                    )
                    return
                keys.append(key)
        deep = self._deep.setdefault(id(socket), set())
        if mode == 4:
            for key in keys:
                (deep.add if message["action"] else deep.discard)(key)
        elif message["action"]:
            await self.want(socket, dict.fromkeys(keys, _MODES[mode]))
        else:
            await self.unwant(socket, [k for k in keys if socket.modes.get(k) == _MODES[mode]])

    def _update(self, code: str, row: Mapping[str, Any]) -> str:
        return json.dumps({
            "user-id": USER, "status-code": "200", "order-status": code, "error-message": "",
            "orderData": dict(row),
        })  # fmt: skip

    def order_frame(self, order: Order) -> str:
        return self._update(_CODES.get(order.status, "AB09"), self._order(order))

    def _tick(self, tick: Tick) -> None:
        super()._tick(tick)
        for socket in self.sockets:
            if tick.depth is not None and tick.key in self._deep.get(id(socket), ()):
                self.emit(socket, self.book_frame(tick))

    def _head(self, mode: int, row: Instrument) -> bytes:
        return struct.pack(
            "<BB25sqq", mode, _TYPES[_exchange(row)], row.token.encode(), 1,
            int(self.clock.time() * 1000),
        )  # fmt: skip

    def book_frame(self, tick: Tick) -> bytes:
        """Mode 4: the visible levels and further ones behind them."""
        row = self.rows[tick.key]
        frame = self._head(4, row)
        assert tick.depth is not None
        for levels, sign in ((tick.depth.buy, -1), (tick.depth.sell, 1)):
            last = levels[-1]
            more = [
                Level(last.price + sign * n * row.tick_size, last.quantity + n, 1)
                for n in range(1, 21 - len(levels))
            ]
            for level in (*levels, *more):
                frame += struct.pack(
                    "<iih", level.quantity, round(level.price * 100), min(level.orders, 32767)
                )
        return frame

    def tick_frame(self, tick: Tick, mode: FeedMode) -> bytes:
        row = self.rows[tick.key]

        def scaled(*values: float) -> list[int]:
            return [round(value * _divisor(row)) for value in values]

        frame = self._head(int(mode), row) + struct.pack("<q", *scaled(tick.ltp))
        if mode is FeedMode.LTP:
            return frame
        frame += struct.pack(
            "<qqqddqqqq", tick.last_quantity, *scaled(tick.average_price), tick.volume,
            tick.total_buy_quantity, tick.total_sell_quantity,
            *scaled(tick.open, tick.high, tick.low, tick.close),
        )  # fmt: skip
        if mode is FeedMode.QUOTE:
            return frame
        frame += struct.pack("<qqd", int(self.clock.time()), tick.oi, 0.0)
        for flag, side in ((1, "buy"), (0, "sell")):
            levels = list(getattr(tick.depth, side)) if tick.depth is not None else []
            for level in (levels + [Level(0.0, 0, 0)] * 5)[:5]:
                frame += struct.pack(
                    "<Hqqh", flag, level.quantity, *scaled(level.price), min(level.orders, 32767)
                )
        limits = (tick.upper_circuit, tick.lower_circuit, tick.high, tick.low)
        return frame + struct.pack("<qqqq", *scaled(*limits))
