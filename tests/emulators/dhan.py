"""DhanHQ v2 on loopback: REST, the binary market feeds (5, 20 and 200 levels) and the order
socket, over the simulated market; or its sandbox, which has orders and books only.

Written from https://dhanhq.co/docs/v2/ and PyPI ``dhanhq`` 2.3.0, knowing nothing of our adapter.
Trade times on the feed are Indian wall clock written as an epoch: what its SDK prints them as.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import secrets
import struct
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from openalgo_desktop.core.clock import IST, Clock
from openalgo_desktop.core.conversion import ConvertRequest
from openalgo_desktop.core.enums import Action, FeedMode, Interval, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import AppError, InsufficientFunds
from openalgo_desktop.core.model import Instrument, Key, ModifyRequest, Order, OrderRequest
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.core.totp import totp
from tests.emulators.base import BrokerEmulator, Socket

CLIENT = "1100003626"
APP_ID, APP_SECRET = "dhanapp01", "dhansecret01"
PIN, CODE = "482913", "123456"
TOTP_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

#: Segment, its code on the feed, and the two columns of the instrument list.
_SEGMENTS = {
    "NSE": ("NSE_EQ", 1, "NSE", "E"),
    "BSE": ("BSE_EQ", 4, "BSE", "E"),
    "NFO": ("NSE_FNO", 2, "NSE", "D"),
    "BFO": ("BSE_FNO", 8, "BSE", "D"),
    "CDS": ("NSE_CURRENCY", 3, "NSE", "C"),
    "BCD": ("BSE_CURRENCY", 7, "BSE", "C"),
    "MCX": ("MCX_COMM", 5, "MCX", "M"),
    "NSE_INDEX": ("IDX_I", 0, "NSE", "I"),
    "BSE_INDEX": ("IDX_I", 0, "BSE", "I"),
}
_PRODUCTS = {"CNC": Product.CNC, "INTRADAY": Product.MIS, "MARGIN": Product.NRML}
_PRODUCT_TEXT = {ours: theirs for theirs, ours in _PRODUCTS.items()}
_KINDS = {
    "MARKET": PriceType.MARKET,
    "LIMIT": PriceType.LIMIT,
    "STOP_LOSS": PriceType.SL,
    "STOP_LOSS_MARKET": PriceType.SLM,
}
_KIND_TEXT = {ours: theirs for theirs, ours in _KINDS.items()}
_STATUS = {
    OrderStatus.OPEN: "PENDING",
    OrderStatus.TRIGGER_PENDING: "PENDING",
    OrderStatus.COMPLETE: "TRADED",
    OrderStatus.CANCELLED: "CANCELLED",
    OrderStatus.REJECTED: "REJECTED",
    OrderStatus.EXPIRED: "EXPIRED",
}
_INTERVALS = {"1": Interval.M1, "5": Interval.M5, "15": Interval.M15, "60": Interval.H1}
_MODES = {15: FeedMode.LTP, 17: FeedMode.QUOTE, 21: FeedMode.DEPTH}
_COLUMNS = (
    "SEM_EXM_EXCH_ID", "SEM_SEGMENT", "SEM_SMST_SECURITY_ID", "SEM_INSTRUMENT_NAME",
    "SEM_EXPIRY_CODE", "SEM_TRADING_SYMBOL", "SEM_LOT_UNITS", "SEM_CUSTOM_SYMBOL",
    "SEM_EXPIRY_DATE", "SEM_STRIKE_PRICE", "SEM_OPTION_TYPE", "SEM_TICK_SIZE",
    "SEM_EXPIRY_FLAG", "SEM_EXCH_INSTRUMENT_TYPE", "SEM_SERIES", "SM_SYMBOL_NAME",
)  # fmt: skip
_DEEP = {"/depth20/twentydepth": 20, "/depth200/twohundreddepth": 200}
_WALL_CLOCK = 19_800


class DhanError(Exception):
    """An error answer: trading ones have a code DH-9xx, those of data a number."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code

    @property
    def body(self) -> dict[str, Any]:
        if self.code.isdigit():
            return {"status": "failed", "data": {self.code: str(self)}}
        return {"errorType": "Error", "errorCode": self.code, "errorMessage": str(self)}


class DhanEmulator(BrokerEmulator):
    """One user. ``live`` is the real account, else the sandbox."""

    feed_path = "/feed"
    orders_at_once = False

    def __init__(
        self, clock: Clock, *, live: bool = True, rate: float = 200.0, universe: Path | None = None
    ) -> None:
        super().__init__(clock, rate=rate, universe=universe)
        self.live = live
        self.errors: list[tuple[str, DhanError]] = []  # the next answers of paths that begin so
        self.redirect = ""  # where the page of the consent goes back to
        self._tokens: dict[str, datetime] = {}
        self._page_tokens: set[str] = set()
        self._ids: dict[Key, int] = {}
        self._by_id: dict[tuple[str, int], Key] = {}
        self._deep: dict[Socket, int] = {}
        self._forever: dict[str, dict[str, Any]] = {}

    async def start(self, port: int = 0) -> None:
        await super().start(port)
        last: dict[str, int] = {}  # an id is one of its segment only
        for key, row in self.rows.items():
            if row.exchange in _SEGMENTS:
                segment = _SEGMENTS[row.exchange][0]
                number = last[segment] = last.get(segment, 999) + 1
                self._ids[key], self._by_id[segment, number] = number, key

    def hosts(self) -> dict[str, str]:
        found = {"rest": self.url, "images": self.url}
        if self.live:
            found |= {"auth": self.url, "stream": f"{self.ws_url}/feed"}
            found |= {n: f"{self.ws_url}/{n}" for n in ("orders", "depth20", "depth200")}
        return found

    # -- log-in -----------------------------------------------------------------------------
    def new_token_id(self) -> str:
        """What the browser would bring back."""
        token = secrets.token_hex(12)
        self._page_tokens.add(token)
        return token

    def new_access_token(self) -> str:
        """A JWT of 24 hours."""
        end = self.clock.now() + timedelta(days=1)
        body = {"iss": "dhan", "exp": int(end.timestamp()), "dhanClientId": CLIENT}
        parts = [json.dumps({"alg": "HS512"}).encode(), json.dumps(body).encode()]
        parts.append(secrets.token_bytes(24))
        token = ".".join(base64.urlsafe_b64encode(p).decode().rstrip("=") for p in parts)
        self._tokens[token] = end
        return token

    def expire_sessions(self) -> None:
        """All sessions end now."""
        self._tokens.clear()

    def _valid(self, token: str, client: str) -> bool:
        end = self._tokens.get(token)
        return client == CLIENT and end is not None and self.clock.now() < end

    def _session(self) -> dict[str, Any]:
        end = (self.clock.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S.000")
        return {"dhanClientId": CLIENT, "dhanClientName": "TEST", "expiryTime": end,
                "accessToken": self.new_access_token()}  # fmt: skip

    async def _consent(self, request: web.Request) -> Any:
        self._check_app(request)
        if request.query.get("client_id") != CLIENT:
            raise DhanError(400, "DH-905", "Invalid client id")
        return {"consentAppId": "c-1", "consentAppStatus": "GENERATED", "status": "success"}

    async def _page(self, request: web.Request) -> Any:
        """Dhan's own page; here everybody agrees at once."""
        raise web.HTTPFound(f"{self.redirect}?tokenId={self.new_token_id()}")

    async def _consume(self, request: web.Request) -> Any:
        self._check_app(request)
        token = request.query.get("tokenId", "")
        if token not in self._page_tokens:
            raise DhanError(401, "DH-901", "Token id is invalid or used")
        self._page_tokens.discard(token)
        return self._session()

    def _check_app(self, request: web.Request) -> None:
        if (request.headers.get("app_id"), request.headers.get("app_secret")) != (
            APP_ID, APP_SECRET,
        ):  # fmt: skip
            raise DhanError(401, "DH-901", "Invalid app id or secret")

    async def _generate(self, request: web.Request) -> Any:
        who = tuple(request.query.get(name) for name in ("dhanClientId", "pin"))
        codes = (CODE, totp(TOTP_SECRET, self.clock.time()))
        if who != (CLIENT, PIN) or request.query.get("totp") not in codes:
            raise DhanError(401, "DH-901", "Invalid PIN or TOTP")
        return self._session()

    async def _renew(self, request: web.Request) -> Any:
        self._tokens.pop(request.headers["access-token"], None)
        return self._session()

    async def _profile(self, request: web.Request) -> Any:
        return {"dhanClientId": CLIENT, "tokenValidity": "30/03/2027 15:37", "dataPlan": "Active"}

    # -- names ------------------------------------------------------------------------------
    def name(self, row: Instrument) -> str:
        """The trading symbol; weekly options of a month share it."""
        if row.expiry is None:
            return row.symbol
        month = row.expiry.strftime("%d%b%Y" if row.exchange == "MCX" else "%b%Y")
        strike = "" if row.instrument_type == "FUT" else f"{row.strike:g}-"
        return f"{row.name}-{month}-{strike}{row.instrument_type}"

    def _find(self, body: Mapping[str, Any]) -> Instrument:
        if not isinstance(body["securityId"], str):
            raise DhanError(400, "DH-905", "securityId must be a string")
        key = self._by_id.get((body["exchangeSegment"], int(body["securityId"])))
        if key is None:
            raise DhanError(400, "DH-905", "Invalid SecurityId")
        return self.rows[key]

    def _about(self, key: Key) -> dict[str, Any]:
        row = self.rows[key]
        return {
            "dhanClientId": CLIENT,
            "exchangeSegment": _SEGMENTS[row.exchange][0],
            "securityId": str(self._ids[key]),
            "tradingSymbol": self.name(row),
        }

    def _time(self, moment: datetime | None) -> str | None:
        zone = IST if self.live else UTC
        return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") if moment else None

    # -- orders -----------------------------------------------------------------------------
    def _client(self, body: Mapping[str, Any]) -> None:
        if body.get("dhanClientId") != CLIENT:
            raise DhanError(400, "DH-905", "Invalid dhanClientId")

    def _arrive(self, body: Mapping[str, Any]) -> None:
        names = {"disclosed_quantity": "disclosedQuantity", "trigger_price": "triggerPrice"}
        wanted = ("quantity", "price", *names)
        self.arrived.append(
            {**body, **{name: body.get(names.get(name, name), 0) for name in wanted}}
        )

    async def _place(self, request: web.Request) -> Any:
        body = await request.json()
        self._client(body)
        row = self._find(body)
        self._arrive(body)
        tag = body.get("correlationId", "")
        if len(tag) > 30:
            raise DhanError(400, "DH-905", "Invalid correlationId")
        if not self.live and {"price", "triggerPrice", "disclosedQuantity", "amoTime"} - set(body):
            raise DhanError(400, "DH-905", "Missing required fields")
        order_id = await self.take(
            OrderRequest(
                symbol=row.symbol,
                exchange=row.exchange,
                action=Action(body["transactionType"]),
                quantity=int(body["quantity"]),
                price_type=_KINDS[body["orderType"]],
                product=_PRODUCTS[body["productType"]],
                price=float(body.get("price") or 0),
                trigger_price=float(body.get("triggerPrice") or 0),
                disclosed_quantity=int(body.get("disclosedQuantity") or 0),
            ),
            tag,
        )
        return {"orderId": order_id, "orderStatus": "TRANSIT"}

    async def _existing(self, request: web.Request) -> str:
        number = request.match_info["id"]
        if all(order.order_id != number for order in await self.orders()):
            raise DhanError(400, "DH-906", "Order not found")
        return number

    async def _modify(self, request: web.Request) -> Any:
        body, number = await request.json(), await self._existing(request)
        self._client(body)
        self._arrive(body)
        await self.retake(
            ModifyRequest(
                order_id=number,
                quantity=int(body["quantity"]),
                disclosed_quantity=int(body.get("disclosedQuantity") or 0),
                price=float(body.get("price") or 0),
                trigger_price=float(body.get("triggerPrice") or 0),
                price_type=_KINDS[body["orderType"]],
            )
        )
        return {"orderId": number, "orderStatus": "TRANSIT"}

    async def _cancel(self, request: web.Request) -> Any:
        number = await self._existing(request)
        await self.drop(number)
        return {"orderId": number, "orderStatus": "CANCELLED"}

    def _order(self, order: Order) -> dict[str, Any]:
        part = order.status is OrderStatus.OPEN and order.filled_quantity
        return {
            **self._about(order.key),
            "orderId": order.order_id,
            "correlationId": order.tag,
            "orderStatus": "PART_TRADED" if part else _STATUS[order.status],
            "transactionType": str(order.action),
            "productType": _PRODUCT_TEXT[order.product],
            "orderType": _KIND_TEXT[order.price_type],
            "validity": "DAY",
            "quantity": order.quantity,
            "disclosedQuantity": order.disclosed_quantity,
            "price": order.price,
            "triggerPrice": order.trigger_price,
            "legName": "NA",
            "createTime": self._time(order.placed_at),
            "updateTime": self._time(order.updated_at),
            "omsErrorDescription": order.rejection_reason or None,
            "remainingQuantity": order.quantity - order.filled_quantity,
            "averageTradedPrice": order.average_price,
            "filledQty": order.filled_quantity,
        }

    async def _orders(self, request: web.Request) -> Any:
        return [self._order(order) for order in await self.orders()]

    async def _trades(self, request: web.Request) -> Any:
        return [
            {
                **self._about(trade.key),
                "orderId": trade.order_id,
                "exchangeTradeId": trade.trade_id,
                "transactionType": str(trade.action),
                "productType": _PRODUCT_TEXT[trade.product],
                "tradedQuantity": trade.quantity,
                "tradedPrice": trade.price,
                "exchangeTime": self._time(trade.traded_at),
            }
            for trade in await self.account.gateway.trades()
        ]

    # -- positions and money ----------------------------------------------------------------
    async def _positions(self, request: web.Request) -> Any:
        return [
            {
                **self._about(p.key),
                "positionType": "LONG" if p.quantity > 0 else "SHORT" if p.quantity else "CLOSED",
                "productType": _PRODUCT_TEXT[p.product],
                "netQty": int(p.quantity),
                "costPrice": p.average_price,
                "buyQty": p.buy_quantity,
                "sellQty": p.sell_quantity,
                "realizedProfit": p.realised_today,
                "unrealizedProfit": p.unrealised,
                "multiplier": 1,
            }
            for p in await self.account.gateway.positions()
        ]

    async def _convert(self, request: web.Request) -> Any:
        body = await request.json()
        self._client(body)
        row = self._find(body)
        self.arrived.append(body)
        await self.account.gateway.convert(
            ConvertRequest(
                symbol=row.symbol,
                exchange=row.exchange,
                action=Action.BUY if body["positionType"] == "LONG" else Action.SELL,
                quantity=int(body["convertQty"]),
                product=_PRODUCTS[body["fromProductType"]],
                to=_PRODUCTS[body["toProductType"]],
            ),
            "",
        )
        return web.Response(status=202)

    async def _holdings(self, request: web.Request) -> Any:
        found = await self.account.gateway.holdings()
        if not found:
            return {"errorType": "HOLDING_ERROR", "errorCode": "DH-1111",
                    "internalErrorMessage": "No holdings available"}  # fmt: skip
        return [
            {
                **self._about(h.key),
                "exchange": "ALL",
                "totalQty": h.quantity,
                "t1Qty": h.t1_quantity,
                "avgCostPrice": h.average_price,
            }
            for h in found
        ]

    async def _funds(self, request: web.Request) -> Any:
        funds = await self.account.gateway.funds()
        return {
            "dhanClientId": CLIENT,
            "availabelBalance": funds.available_cash + funds.collateral,
            "collateralAmount": funds.collateral,
            "utilizedAmount": funds.utilised,
            "blockedPayoutAmount": 0.0,
        }

    def _leg(self, leg: Mapping[str, Any]) -> float:
        self._find(leg)
        return float(leg.get("price") or 100.0) * int(leg["quantity"]) / 5

    async def _margin(self, request: web.Request) -> Any:
        body = await request.json()
        self._client(body)
        total = self._leg(body)
        return {"totalMargin": total, "spanMargin": total, "exposureMargin": 0.0}

    async def _margins(self, request: web.Request) -> Any:
        body = await request.json()
        for sender in [body] if self.live else body["scripts"]:
            self._client(sender)
        legs = body["scripList" if self.live else "scripts"]
        total = f"{sum(map(self._leg, legs)):.2f}"
        return {"total_margin": total, "span_margin": total, "exposure_margin": "0"}

    # -- forever orders ---------------------------------------------------------------------
    async def _place_forever(self, request: web.Request) -> Any:
        body = await request.json()
        self._client(body)
        row = self._find(body)
        number = f"51322{len(self._forever):08d}"
        shared = {
            **self._about(row.key), "orderId": number, "orderStatus": "CONFIRM",
            "orderType": body["orderFlag"], "createTime": self._time(self.clock.now()),
            **{n: body[n] for n in ("transactionType", "productType", "quantity")},
        }  # fmt: skip
        pair = body["orderFlag"] == "OCO"
        legs = {"STOP_LOSS_LEG" if pair else "ENTRY_LEG": ""} | (
            {"TARGET_LEG": "1"} if pair else {}
        )
        self._forever[number] = {
            leg: {**shared, "legName": leg, "price": body["price" + n],
                  "triggerPrice": body["triggerPrice" + n], "quantity": body["quantity" + n]}
            for leg, n in legs.items()
        }  # fmt: skip
        return {"orderId": number, "orderStatus": "PENDING"}

    async def _change_forever(self, request: web.Request) -> Any:
        number = request.match_info["id"]
        legs = self._forever.get(number)
        if legs is None:
            raise DhanError(400, "DH-906", "Order not found")
        if request.method == "DELETE":
            del self._forever[number]
            return {"orderId": number, "orderStatus": "CANCELLED"}
        body = await request.json()
        self._client(body)
        if body["legName"] not in legs:
            raise DhanError(400, "DH-905", "Invalid legName")
        values = {n: body[n] for n in ("quantity", "price", "triggerPrice")}
        legs[body["legName"]] |= values
        return {"orderId": number, "orderStatus": "PENDING"}

    async def _forevers(self, request: web.Request) -> Any:
        return [leg for legs in self._forever.values() for leg in legs.values()]

    # -- market -----------------------------------------------------------------------------
    async def _instruments(self, request: web.Request) -> web.Response:
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(_COLUMNS)
        for key, number in self._ids.items():
            row = self.rows[key]
            _, _, exchange, segment = _SEGMENTS[row.exchange]
            kind, option = row.instrument_type, "XX"
            if row.expiry is not None:
                option = "XX" if kind == "FUT" else kind
                kind = ("FUT" if option == "XX" else "OPT") + ("STK" if segment == "D" else "COM")
            elif not row.is_index:
                kind = "EQUITY"
            expiry = f"{row.expiry} 14:30:00" if row.expiry else ""
            writer.writerow(
                [exchange, segment, number, kind, 0, self.name(row), f"{row.lot_size:.1f}",
                 row.name, expiry, row.strike or -0.01, option, f"{row.tick_size * 100:.4f}", "M",
                 "X", "EQ" if kind == "EQUITY" else "NA", row.name]
            )  # fmt: skip
        return web.Response(text=out.getvalue(), content_type="text/csv")

    async def _quote(self, request: web.Request) -> Any:
        result: dict[str, dict[str, Any]] = {}
        for segment, numbers in (await request.json()).items():
            for number in numbers:
                if not isinstance(number, int):
                    raise DhanError(400, "814", "Invalid request")
                if (key := self._by_id.get((segment, number))) is not None:
                    result.setdefault(segment, {})[str(number)] = await self._quoted(key)
        return {"data": result, "status": "success"}

    async def _quoted(self, key: Key) -> dict[str, Any]:
        tick = await self.account.market.depth(key)
        book = tick.depth
        sides = {"buy": book.buy if book else (), "sell": book.sell if book else ()}
        traded = self.clock.now().astimezone(IST).strftime("%d/%m/%Y %H:%M:%S")
        return {
            "last_price": tick.ltp,
            "last_quantity": tick.last_quantity,
            "last_trade_time": "01/01/1980 00:00:00" if self.rows[key].is_index else traded,
            "average_price": tick.average_price,
            "volume": tick.volume,
            "oi": tick.oi,
            "buy_quantity": tick.total_buy_quantity,
            "sell_quantity": tick.total_sell_quantity,
            "upper_circuit_limit": tick.upper_circuit,
            "lower_circuit_limit": tick.lower_circuit,
            "ohlc": {n: getattr(tick, n) for n in ("open", "high", "low", "close")},
            "depth": {
                side: [
                    {"price": level.price, "quantity": level.quantity, "orders": level.orders}
                    for level in levels
                ]
                for side, levels in sides.items()
            },
        }

    async def _candles(self, request: web.Request) -> Any:
        body = await request.json()
        row, daily = self._find(body), request.path.endswith("historical")
        interval = Interval.DAY if daily else _INTERVALS[body["interval"]]
        first, last = (date.fromisoformat(body[name][:10]) for name in ("fromDate", "toDate"))
        if not daily and (last - first).days >= 90:
            raise DhanError(400, "DH-905", "At most 90 days of intraday data")
        if daily:  # the last date is not included
            last -= timedelta(days=1)
        if not body["instrument"].startswith(("FUT", "OPT") if row.expiry else ("EQ", "IND")):
            raise DhanError(400, "DH-905", "Invalid instrument")
        bars = await self.account.market.history(row.key, interval, first, last)
        shift = -_WALL_CLOCK if daily else 0  # days begin at midnight in India
        return {
            "timestamp": [int(t) + shift for t in bars.time],
            **{n: [float(v) for v in getattr(bars, n)] for n in ("open", "high", "low", "close")},
            "volume": [int(v) for v in bars.volume],
            "open_interest": [int(v) for v in bars.oi],
        }

    # -- routes -----------------------------------------------------------------------------
    def add_routes(self, router: web.UrlDispatcher) -> None:
        order, forever = "/v2/orders", "/v2/forever/orders"
        routes: list[tuple[str, str, Callable[[web.Request], Awaitable[Any]]]] = [
            ("GET", "/api-data/api-scrip-master.csv", self._instruments),
            ("POST", order, self._place), ("PUT", order + "/{id}", self._modify),
            ("DELETE", order + "/{id}", self._cancel), ("GET", order, self._orders),
            ("GET", "/v2/trades", self._trades), ("GET", "/v2/positions", self._positions),
            ("POST", "/v2/positions/convert", self._convert),
            ("GET", "/v2/holdings", self._holdings), ("GET", "/v2/fundlimit", self._funds),
            ("POST", "/v2/margincalculator/multi", self._margins),
        ]  # fmt: skip
        if self.live:
            routes += [
                ("POST", "/app/generate-consent", self._consent),
                ("GET", "/login/consentApp-login", self._page),
                ("POST", "/app/consumeApp-consent", self._consume),
                ("POST", "/app/generateAccessToken", self._generate),
                ("GET", "/v2/RenewToken", self._renew), ("GET", "/v2/profile", self._profile),
                ("POST", "/v2/margincalculator", self._margin),
                ("POST", forever, self._place_forever), ("GET", forever, self._forevers),
                ("PUT", forever + "/{id}", self._change_forever),
                ("DELETE", forever + "/{id}", self._change_forever),
                ("POST", "/v2/marketfeed/quote", self._quote),
                ("POST", "/v2/charts/intraday", self._candles),
                ("POST", "/v2/charts/historical", self._candles),
            ]  # fmt: skip
        for method, path, handler in routes:
            router.add_route(method, path, self._guarded(handler))

    def add_feed(self, app: web.Application) -> None:
        for path in (self.feed_path, "/orders", *_DEEP) if self.live else ():
            app.router.add_get(path, self._feed)

    def is_write(self, request: web.Request) -> bool:
        first = request.path.split("/")[2:3]
        return request.method != "GET" and first in (["orders"], ["positions"], ["forever"])

    def _guarded(
        self, handler: Callable[[web.Request], Awaitable[Any]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def call(request: web.Request) -> web.StreamResponse:
            try:
                for fault in self.errors:
                    if request.path.startswith(fault[0]):
                        self.errors.remove(fault)
                        raise fault[1]
                if request.path.startswith("/v2/"):
                    who = request.headers.get("client-id") or request.headers.get("dhanClientId")
                    if not self._valid(request.headers.get("access-token", ""), str(who)):
                        data = "marketfeed" in request.path
                        raise DhanError(401, "807" if data else "DH-901", "Token is invalid")
                answer = await handler(request)
            except DhanError as error:
                return web.json_response(error.body, status=error.status)
            except InsufficientFunds as error:
                body = DhanError(400, "DH-906", f"Insufficient funds: {error.message}").body
                return web.json_response(body, status=400)
            except AppError as error:
                return web.json_response(DhanError(400, "DH-906", error.message).body, status=400)
            except (KeyError, ValueError) as error:
                body = DhanError(400, "DH-905", f"Missing required field: {error}").body
                return web.json_response(body, status=400)
            return answer if isinstance(answer, web.StreamResponse) else web.json_response(answer)

        return call

    def refuse(self, status: int) -> web.Response:
        codes = {401: "DH-901", 403: "DH-901", 429: "DH-904"}
        body = DhanError(status, codes.get(status, "DH-908"), f"fault {status}").body
        return web.json_response(body, status=status)

    # -- feeds ------------------------------------------------------------------------------
    async def on_open(self, socket: Socket, request: web.Request) -> None:
        """The address carries the log-in, except that of the order socket."""
        if request.path == "/orders":
            return
        self._deep[socket] = _DEEP.get(request.path, 0)
        query = request.query
        if not self._valid(query.get("token", ""), query.get("clientId", "")):
            head = struct.pack("<BHBI", 50, 10, 0, 0)
            if self._deep[socket]:
                head = struct.pack("<HBBII", 14, 50, 0, 0, 0)
            await socket.send(head + struct.pack("<H", 807))
            await socket.response.close()

    async def on_text(self, socket: Socket, text: str) -> None:
        message = json.loads(text)
        if login := message.get("LoginReq"):
            socket.orders = self._valid(login["Token"], login["ClientId"])
            if not socket.orders:
                await socket.response.close()
            return
        code = message["RequestCode"]
        named = [message] if self._deep.get(socket) == 200 else message["InstrumentList"]
        if len(named) > 100:
            raise AssertionError("more than 100 instruments in a message")
        keys = [
            key
            for one in named
            if (key := self._by_id.get((one["ExchangeSegment"], int(one["SecurityId"]))))
        ]
        if code == 23 and self._deep.get(socket):
            await self.want(socket, dict.fromkeys(keys, FeedMode.DEPTH))
        elif code in _MODES:
            for key in keys:
                self.emit(socket, self._previous_close(await self.account.market.depth(key)))
            await self.want(socket, dict.fromkeys(keys, _MODES[code]))
        else:  # the end of one mode
            mode = _MODES.get(code - 1)
            gone = [k for k in keys if mode is None or socket.modes.get(k) is mode]
            await self.unwant(socket, gone)

    def emit(self, socket: Socket, frame: str | bytes) -> None:
        """Deeper books go to those who asked for them on a socket of their own."""
        if isinstance(frame, _Packets):
            levels = self._deep.get(socket, 0)
            frame = self._book_frame(frame.tick, levels) if levels else bytes(frame)
        super().emit(socket, frame)

    def _head(self, code: int, size: int, tick: Tick) -> bytes:
        segment = _SEGMENTS[tick.exchange][1]
        return struct.pack("<BHBI", code, size, segment, self._ids[tick.key])

    def _previous_close(self, tick: Tick) -> bytes:
        return self._head(6, 16, tick) + struct.pack("<fI", tick.close, tick.oi)

    def tick_frame(self, tick: Tick, mode: FeedMode) -> bytes:
        """The close is empty while the market is open; the packet before had it."""
        traded = int(self.clock.time()) + _WALL_CLOCK
        if mode is FeedMode.LTP:
            return _Packets(
                self._head(2, 16, tick) + struct.pack("<fI", tick.ltp, traded), tick=tick
            )
        day = struct.pack(
            "<fHIfIII", tick.ltp, min(tick.last_quantity, 65_535), traded, tick.average_price,
            tick.volume, tick.total_sell_quantity, tick.total_buy_quantity,
        )  # fmt: skip
        prices = struct.pack("<ffff", tick.open, 0.0, tick.high, tick.low)
        if mode is FeedMode.QUOTE:
            packets = self._head(4, 50, tick) + day + prices
            if self.rows[tick.key].expiry is not None:
                packets += self._head(5, 12, tick) + struct.pack("<I", tick.oi)
            return _Packets(packets, tick=tick)
        book = b""
        for number in range(5):
            bid, ask = self._level(tick, -1, number), self._level(tick, 1, number)
            book += struct.pack("<IIHHff", bid[1], ask[1], bid[2], ask[2], bid[0], ask[0])
        interest = struct.pack("<III", tick.oi, tick.oi, tick.oi)
        return _Packets(self._head(8, 162, tick) + day + interest + prices + book, tick=tick)

    def _level(self, tick: Tick, side: int, number: int) -> tuple[float, int, int]:
        """A level of the book: those of the market, and behind them one at each tick."""
        book = tick.depth
        levels: Sequence[Any] = ((book.buy if side < 0 else book.sell) if book else ()) or ()
        if number < len(levels):
            level = levels[number]
            return level.price, level.quantity, min(level.orders, 65_535)
        if not levels:
            return 0.0, 0, 0
        beyond = number - len(levels) + 1
        step = self.rows[tick.key].tick_size
        return levels[-1].price + side * beyond * step, 100 + beyond, beyond

    def _book_frame(self, tick: Tick, levels: int) -> bytes:
        """Bids and offers, a packet each."""
        frame = b""
        for code, side in ((41, -1), (51, 1)):
            rows = [self._level(tick, side, number) for number in range(levels)]
            body = b"".join(struct.pack("<dII", *row) for row in rows)
            head = (12 + len(body), code, _SEGMENTS[tick.exchange][1], self._ids[tick.key], levels)
            frame += struct.pack("<HBBII", *head) + body
        return frame

    def order_frame(self, order: Order) -> str:
        row = self._order(order)
        names = {"LIMIT": "LMT", "MARKET": "MKT", "STOP_LOSS": "SL", "STOP_LOSS_MARKET": "SLM"}
        _, _, exchange, segment = _SEGMENTS[order.exchange]
        data = {
            "Exchange": exchange, "Segment": segment, "SecurityId": row["securityId"],
            "OrderNo": order.order_id, "TxnType": row["transactionType"][0],
            "Product": row["productType"][0], "OrderType": names[row["orderType"]],
            "Quantity": order.quantity, "tradedQty": order.filled_quantity,
            "Price": order.price, "TriggerPrice": order.trigger_price,
            "AvgTradedPrice": order.average_price, "Status": row["orderStatus"].title(),
            "ReasonDescription": order.rejection_reason or "CONFIRMED",
            "OrderDateTime": row["createTime"], "LastUpdatedTime": row["updateTime"],
            "CorrelationId": order.tag, "Symbol": row["tradingSymbol"], "Validity": "DAY",
            "DiscQuantity": order.disclosed_quantity,
        }  # fmt: skip
        return json.dumps({"Type": "order_alert", "Data": data})


class _Packets(bytes):
    """Packets with the tick that they are of."""

    tick: Tick

    def __new__(cls, data: bytes, *, tick: Tick) -> _Packets:
        made = super().__new__(cls, data)
        made.tick = tick
        return made
