"""An XTS server on loopback: trading and market data over REST, two Socket.IO feeds, over the
simulated market. One server software, several brokers: a :class:`Variant` says what differs.

Written from Symphony's xts-pythonclient-api-sdk and its documents, knowing nothing of our adapter,
so that the two can disagree. ``python -m tests.emulators.xts --port 15003`` runs it alone.
"""

from __future__ import annotations

import argparse
import asyncio
import html
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import web
from socketio.exceptions import ConnectionRefusedError as Refused

from openalgo_desktop.core.clock import IST, IST_OFFSET_SECONDS, Clock, SystemClock
from openalgo_desktop.core.conversion import ConvertRequest
from openalgo_desktop.core.enums import Action, FeedMode, Interval, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import AppError, InsufficientFunds, OrderNotWorking
from openalgo_desktop.core.model import (
    Instrument,
    Key,
    ModifyRequest,
    Order,
    OrderRequest,
    OrderUpdate,
    Position,
    Trade,
)
from openalgo_desktop.core.ticks import Tick
from tests.emulators.base import BrokerEmulator, Socket
from tests.emulators.xts_feed import (
    DEPTH,
    INTEREST,
    MODE_OF,
    Event,
    Session,
    SioServer,
    SioSocket,
    event,
    message,
    packet,
)

API_KEY, API_SECRET = "xtskey0001", "xtssecret0001"
MARKET_KEY, MARKET_SECRET = "xtsmdkey0001", "xtsmdsecret0001"
USER = "XU1234"
#: What a user types in.
KEYS = {
    "api_key": API_KEY,
    "api_secret": API_SECRET,
    "market_api_key": MARKET_KEY,
    "market_api_secret": MARKET_SECRET,
}
SECRETS = (API_KEY, API_SECRET, MARKET_KEY, MARKET_SECRET)
LOOKUP_PASSWORD = "2021HostLookUpAccess"
MOST_QUOTES = 50

SEGMENTS = {"NSE": "NSECM", "NFO": "NSEFO", "CDS": "NSECD", "BSE": "BSECM", "BFO": "BSEFO",
            "MCX": "MCXFO"}  # fmt: skip
NUMBERS = {"NSECM": 1, "NSEFO": 2, "NSECD": 3, "BSECM": 11, "BSEFO": 12, "MCXFO": 51}
_INDEX_SEGMENT = {"NSE_INDEX": "NSECM", "BSE_INDEX": "BSECM"}
_INDEX_NAMES = {
    "NIFTY": "NIFTY 50", "BANKNIFTY": "NIFTY BANK", "FINNIFTY": "NIFTY FIN SERVICE",
    "MIDCPNIFTY": "NIFTY MID SELECT", "NIFTYNXT50": "NIFTY NEXT 50", "INDIAVIX": "INDIA VIX",
    "SENSEX50": "SNSX50",
}  # fmt: skip
_KINDS = {
    "MARKET": PriceType.MARKET,
    "LIMIT": PriceType.LIMIT,
    "STOPLIMIT": PriceType.SL,
    "STOPMARKET": PriceType.SLM,
}
_KIND_TEXT = {
    PriceType.MARKET: "Market",
    PriceType.LIMIT: "Limit",
    PriceType.SL: "StopLimit",
    PriceType.SLM: "StopMarket",
}
_STATUS = {
    OrderStatus.OPEN: "New",
    OrderStatus.TRIGGER_PENDING: "New",  # of a stop order: it waits for its trigger
    OrderStatus.COMPLETE: "Filled",
    OrderStatus.CANCELLED: "Cancelled",
    OrderStatus.REJECTED: "Rejected",
    OrderStatus.EXPIRED: "Expired",
}
_COMPRESSIONS = {
    "1": Interval.S1, "60": Interval.M1, "120": Interval.M2, "180": Interval.M3,
    "300": Interval.M5, "600": Interval.M10, "900": Interval.M15, "1800": Interval.M30,
    "3600": Interval.H1, "D": Interval.DAY,
}  # fmt: skip


@dataclass(frozen=True)
class Variant:
    """What differs between brokers on this server. ``login``: direct, redirect (the page gives an
    access token) or token (the page gives the session). ``posts``: the page comes back with a
    form. ``feed``: prefix of the feed where it is not that of market data."""

    market: str = "apimarketdata"
    feed: str = ""
    login: str = "direct"
    posts: bool = False
    margin: bool = False
    market_orders: bool = True


class XtsError(Exception):
    """An error answer."""

    def __init__(self, code: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.code, self.status = code, status


INVALID_TOKEN = ("e-session-0007", "Invalid Token")


def _answer(result: Any, code: str = "s-0001") -> web.Response:
    return web.json_response(
        {"type": "success", "code": code, "description": "Done", "result": result}
    )


def _refusal(status: int, code: str, description: str) -> web.Response:
    body = {"type": "error", "code": code, "description": description, "result": {}}
    headers = {"Retry-After": "1"} if status == 429 else {}
    return web.json_response(body, status=status, headers=headers)


def _unified(body: Mapping[str, Any]) -> dict[str, Any]:
    """A write as it came, its numbers under the names that all emulators use."""

    def of(name: str) -> str:
        return str(body.get(name, body.get(f"modified{name[0].upper()}{name[1:]}")))

    return {
        **body,
        "quantity": of("orderQuantity"),
        "price": of("limitPrice"),
        "trigger_price": of("stopPrice"),
        "disclosed_quantity": of("disclosedQuantity"),
    }


@lru_cache(maxsize=32_768)
def _description(row: Instrument) -> str:
    """Made once for all emulators of a process."""
    if row.expiry is None:
        return f"{row.symbol}-EQ"
    kind = "FUT" if row.instrument_type == "FUT" else f"{row.strike:g}{row.instrument_type}"
    return f"{row.name}{row.expiry:%y%b%d}".upper() + kind


def _time(moment: datetime | None) -> str:
    """With seven digits of a second and no zone, as the server writes times."""
    return f"{moment.astimezone(IST):%Y-%m-%dT%H:%M:%S.%f}0" if moment else ""


class XtsEmulator(BrokerEmulator):
    """One user with a key pair for trading and one for market data."""

    def __init__(
        self,
        clock: Clock,
        variant: Variant = Variant(),
        *,
        rate: float = 200.0,
        universe: Path | None = None,
    ) -> None:
        super().__init__(clock, rate=rate, universe=universe)
        self.variant = variant
        feed = variant.feed or variant.market
        self.feed_path = f"/{feed}/socket.io/"
        self.binary = feed == "apibinarymarketdata"
        self._access: set[str] = set()  # access tokens of the page, used once
        self._trading: set[str] = set()
        self._lookup_keys: set[str] = set()
        self._market: dict[str, Session] = {}  # by prefix: a login ends the session before it
        self._by_number: dict[tuple[int, int], Key] = {}
        self._number: dict[Key, tuple[int, int]] = {}
        self._flip = False
        self._feeds = [
            SioServer(f"{feed}/socket.io", self.faults, self._join_feed, self._joined, self._left),
            SioServer(
                "interactive/socket.io", self.faults, self._join_orders, self._joined, self._left
            ),
        ]

    async def start(self, port: int = 0) -> None:
        await super().start(port)
        counts: dict[int, int] = {}
        for key, row in self.rows.items():
            name = _INDEX_SEGMENT.get(row.exchange) or SEGMENTS.get(row.exchange)
            if name is None:
                continue
            segment = NUMBERS[name]
            # Numbers of segments overlap; those of indices lie apart within the cash segment.
            first = 26_000 if row.is_index else 1000
            place = segment * 2 + row.is_index
            counts[place] = counts.get(place, -1) + 1
            number = first + counts[place]
            assert row.is_index or number < 26_000 or segment not in (1, 11)
            self._by_number[segment, number], self._number[key] = key, (segment, number)

    async def stop(self) -> None:
        for feed in self._feeds:
            await feed.stop()
        await super().stop()

    def hosts(self) -> dict[str, str]:
        hosts = {
            "rest": f"{self.url}/interactive",
            "market": f"{self.url}/{self.variant.market}",
            "stream": self.url,
            "lookup": self.url,
        }
        if self.variant.feed:
            hosts["feed"] = f"{self.url}/{self.variant.feed}"
        return hosts

    def add_feed(self, app: web.Application) -> None:
        for feed in self._feeds:
            feed.attach(app)

    # -- sessions ---------------------------------------------------------------------------
    def new_page_session(self) -> dict[str, Any]:
        """What the page at the broker gives: a session, or a token to get one with."""
        token = secrets.token_hex(12)
        if self.variant.login == "token":
            self._trading.add(token)
            return {"token": token, "userID": USER}
        self._access.add(token)
        return {"accessToken": token, "userID": USER}

    def page_text(self) -> str:
        """The parameter ``session`` that the page comes back with."""
        return json.dumps(self.new_page_session())

    def expire_sessions(self) -> None:
        """All sessions end now."""
        self._trading.clear()
        self._market.clear()

    def take_over(self) -> None:
        """A login elsewhere takes the trading session: the order socket is told so."""
        self._trading.clear()
        for socket in self.sockets:
            if socket.orders:
                self._emit(socket, ("logout", "Session taken over"))

    def end_market_sessions(self) -> None:
        """A login elsewhere takes the market data."""
        self._market.clear()

    async def _page(self, request: web.Request) -> web.StreamResponse:
        """The page of the broker; here everybody agrees at once."""
        if request.query.get("appKey") != API_KEY:
            return web.Response(status=400, text="unknown key")
        back = request.query["returnURL"]
        session = json.dumps(self.new_page_session())
        if self.variant.posts:
            form = (
                f'<form method="post" action="{html.escape(back)}">'
                f'<input name="session" value="{html.escape(quote(json.dumps(session)))}"></form>'
            )
            return web.Response(text=form, content_type="text/html")
        raise web.HTTPFound(f"{back}?session={quote(session)}")

    async def _login(self, request: web.Request) -> Any:
        body = await request.json()
        if body.get("appKey") != API_KEY:
            raise XtsError("e-user-0001", "Invalid appKey")
        if body.get("secretKey") != API_SECRET:
            raise XtsError("e-user-0002", "Invalid secretKey")
        token = body.get("accessToken")
        if "uniqueKey" in body and body["uniqueKey"] not in self._lookup_keys:
            raise XtsError("e-user-0004", "Invalid uniqueKey")
        if token is not None:
            if token not in self._access:
                raise XtsError("e-user-0003", "Invalid accessToken")
            self._access.discard(token)
        elif self.variant.login != "direct" and "uniqueKey" not in body:
            raise XtsError("e-user-0003", "Invalid accessToken")
        elif str(body.get("source", "")).upper() != "WEBAPI":
            raise XtsError("e-user-0005", "Bad Request")
        session = secrets.token_hex(16)
        self._trading.add(session)
        return {
            "token": session,
            "userID": USER,
            "clientCodes": [USER],
            "isInvestorClient": True,
        }

    async def _lookup(self, request: web.Request) -> Any:
        body = await request.json()
        if body.get("AccessPassword") != LOOKUP_PASSWORD:
            raise XtsError("e-host-0001", "Invalid access password")
        key = secrets.token_hex(8)
        self._lookup_keys.add(key)
        return {"UniqueKey": key, "connectionString": f"{self.url}/interactive"}

    async def _market_login(self, request: web.Request) -> Any:
        body = await request.json()
        if (body.get("appKey"), body.get("secretKey")) != (MARKET_KEY, MARKET_SECRET):
            raise XtsError("e-user-0001", "Invalid appKey")
        session = Session(secrets.token_hex(16))
        self._market[request.match_info["prefix"]] = session
        return {"token": session.token, "userID": f"{USER}_MD", "appVersion": "2.0"}

    async def _logout(self, request: web.Request) -> Any:
        self._trading.discard(request.headers.get("authorization", ""))
        return {}

    async def _market_logout(self, request: web.Request) -> Any:
        del self._market[request.match_info["prefix"]]
        return {}

    async def _profile(self, request: web.Request) -> Any:
        return {"ClientId": USER, "ClientName": "Test User"}

    # -- routes -----------------------------------------------------------------------------
    def add_routes(self, router: web.UrlDispatcher) -> None:
        open_routes: list[tuple[str, str, Callable[[web.Request], Awaitable[Any]]]] = [
            ("GET", "/interactive/thirdparty", self._page),
            ("POST", "/interactive/user/session", self._login),
            ("POST", "/hostlookup", self._lookup),
            ("POST", "/{prefix}/auth/login", self._market_login),
            ("POST", f"/{self.variant.market}/instruments/master", self._master),
        ]
        trading: list[tuple[str, str, Callable[[web.Request], Awaitable[Any]]]] = [
            ("DELETE", "/user/session", self._logout),
            ("GET", "/user/profile", self._profile),
            ("GET", "/user/balance", self._balance),
            ("POST", "/orders", self._place),
            ("PUT", "/orders", self._modify),
            ("DELETE", "/orders", self._cancel),
            ("GET", "/orders", self._orders),
            ("GET", "/orders/trades", self._trades),
            ("GET", "/portfolio/positions", self._positions),
            ("GET", "/portfolio/holdings", self._holdings),
            ("PUT", "/portfolio/positions/convert", self._convert),
        ]
        if self.variant.margin:
            trading.append(("POST", "/orders/margindetails", self._margin))
        market: list[tuple[str, str, Callable[[web.Request], Awaitable[Any]]]] = [
            ("DELETE", "/auth/logout", self._market_logout),
            ("POST", "/instruments/quotes", self._quotes),
            ("POST", "/instruments/subscription", self._subscribe),
            ("PUT", "/instruments/subscription", self._unsubscribe),
            ("GET", "/instruments/ohlc", self._ohlc),
            ("GET", "/instruments/indexlist", self._index_list),
        ]
        for method, path, handler in open_routes:
            router.add_route(method, path, self._guarded(handler, lambda request: None))
        for method, path, handler in trading:
            router.add_route(
                method, f"/interactive{path}", self._guarded(handler, self._check_trading)
            )
        for method, path, handler in market:
            router.add_route(
                method, f"/{{prefix:api\\w+}}{path}", self._guarded(handler, self._check_market)
            )

    def _guarded(
        self,
        handler: Callable[[web.Request], Awaitable[Any]],
        check: Callable[[web.Request], None],
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def call(request: web.Request) -> web.StreamResponse:
            try:
                check(request)
                result = await handler(request)
            except XtsError as error:
                return _refusal(error.status, error.code, str(error))
            except InsufficientFunds as error:
                return _refusal(400, "e-orders-0005", f"RMS:Margin Exceeds, {error.message}")
            except OrderNotWorking:
                return _refusal(400, "e-orders-0006", "Order is not open")
            except AppError as error:
                return _refusal(400, "e-orders-0007", error.message)
            except (KeyError, ValueError) as error:
                return _refusal(400, "e-response-0010", f"Bad Request: {error}")
            return result if isinstance(result, web.StreamResponse) else _answer(result)

        return call

    def refuse(self, status: int) -> web.Response:
        if status in (401, 403):
            return _refusal(status, *INVALID_TOKEN)
        return _refusal(status, f"e-fault-{status}", f"fault {status}")

    def is_write(self, request: web.Request) -> bool:
        ours = ("/interactive/orders", "/interactive/portfolio")
        return request.method != "GET" and request.path.startswith(ours)

    def _check_trading(self, request: web.Request) -> None:
        if request.headers.get("authorization", "") not in self._trading:
            raise XtsError(*INVALID_TOKEN)

    def _check_market(self, request: web.Request) -> None:
        self._session_of(request)

    def _session_of(self, request: web.Request) -> Session:
        session = self._market.get(request.match_info["prefix"])
        if session is None or request.headers.get("authorization") != session.token:
            raise XtsError(*INVALID_TOKEN)
        return session

    # -- orders -----------------------------------------------------------------------------
    def _row(self, segment: str, number: Any) -> Instrument:
        key = self._by_number.get((NUMBERS[segment], int(number)))
        if key is None:
            raise XtsError("e-orders-0001", "Invalid instrument")
        return self.rows[key]

    def _size(self, row: Instrument) -> int:
        """Units of what the server counts as one: a contract on MCX."""
        return row.lot_size if row.exchange == "MCX" else 1

    async def _place(self, request: web.Request) -> Any:
        body = await request.json()
        self.arrived.append(_unified(body))
        tag = body["orderUniqueIdentifier"]
        if not 0 < len(tag) <= 20:
            raise XtsError("e-orders-0002", "Invalid orderUniqueIdentifier")
        if not self.variant.market_orders and body["orderType"] == "MARKET":
            raise XtsError("e-orders-0003", "Market orders are not allowed")
        row = self._row(body["exchangeSegment"], body["exchangeInstrumentID"])
        size = self._size(row)
        order_id = await self.take(
            OrderRequest(
                symbol=row.symbol,
                exchange=row.exchange,
                action=Action(body["orderSide"]),
                quantity=int(body["orderQuantity"]) * size,
                price_type=_KINDS[body["orderType"]],
                product=Product(body["productType"]),
                price=float(body["limitPrice"]),
                trigger_price=float(body["stopPrice"]),
                disclosed_quantity=int(body["disclosedQuantity"]) * size,
            ),
            tag,
        )
        return self._ack(order_id, tag)

    def _ack(self, order_id: str, tag: str) -> dict[str, Any]:
        return {"AppOrderID": int(order_id), "OrderUniqueIdentifier": tag, "ClientID": USER}

    async def _found(self, order_id: str) -> Order:
        for order in await self.orders():
            if order.order_id == order_id:
                return order
        raise XtsError("e-orders-0004", "Order does not exist")

    async def _modify(self, request: web.Request) -> Any:
        body = await request.json()
        self.arrived.append(_unified(body))
        if not isinstance(body["appOrderID"], int):
            raise ValueError("appOrderID")
        order = await self._found(str(body["appOrderID"]))
        size = self._size(self.rows[order.key])
        await self.retake(
            ModifyRequest(
                order_id=order.order_id,
                quantity=int(body["modifiedOrderQuantity"]) * size,
                disclosed_quantity=int(body["modifiedDisclosedQuantity"]) * size,
                price=float(body["modifiedLimitPrice"]),
                trigger_price=float(body["modifiedStopPrice"]),
                price_type=_KINDS[body["modifiedOrderType"]],
            )
        )
        return self._ack(order.order_id, body["orderUniqueIdentifier"])

    async def _cancel(self, request: web.Request) -> Any:
        order = await self._found(request.query["appOrderID"])
        tag = request.query.get("orderUniqueIdentifier")
        if tag is not None and tag != order.tag:
            raise XtsError("e-orders-0008", "Invalid orderUniqueIdentifier")
        await self.drop(order.order_id)
        return self._ack(order.order_id, order.tag)

    def _order(self, order: Order) -> dict[str, Any]:
        row = self.rows[order.key]
        size = self._size(row)
        segment, number = self._number[order.key]
        filled, left = order.filled_quantity // size, order.pending_quantity // size
        status = _STATUS.get(order.status, "PendingNew")
        if filled and order.status is OrderStatus.OPEN:
            status = "PartiallyFilled"
        return {
            "LoginID": USER,
            "ClientID": USER,
            "AppOrderID": int(order.order_id),
            "GeneratedBy": "TWSAPI",
            "ExchangeOrderID": f"1{order.order_id[-12:]}",
            "OrderCategoryType": "NORMAL",
            "ExchangeSegment": next(name for name, n in NUMBERS.items() if n == segment),
            "ExchangeInstrumentID": number,
            "TradingSymbol": _description(row),
            "OrderSide": str(order.action),
            "OrderType": _KIND_TEXT[order.price_type],
            "ProductType": str(order.product),
            "TimeInForce": "DAY",
            "OrderPrice": order.price,
            "OrderQuantity": order.quantity // size,
            "OrderStopPrice": order.trigger_price,
            "OrderDisclosedQuantity": order.disclosed_quantity // size,
            "OrderStatus": status,
            "OrderAverageTradedPrice": str(order.average_price) if order.average_price else "",
            "LeavesQuantity": left if order.status.is_working else 0,
            "CumulativeQuantity": filled,
            "OrderGeneratedDateTime": _time(order.placed_at),
            "LastUpdateDateTime": _time(order.updated_at),
            "OrderExpiryDate": "1980-01-01T00:00:00",
            "CancelRejectReason": order.rejection_reason,
            "OrderUniqueIdentifier": order.tag,
        }

    async def _orders(self, request: web.Request) -> Any:
        return [self._order(order) for order in await self.orders()]

    def _trade(self, trade: Trade, order: Order) -> dict[str, Any]:
        return {
            **self._order(order),
            "ExecutionID": trade.trade_id,
            "LastTradedPrice": trade.price,
            "LastTradedQuantity": trade.quantity // self._size(self.rows[trade.key]),
            "LastExecutionTransactTime": _time(trade.traded_at)[:19],
        }

    async def _trades(self, request: web.Request) -> Any:
        orders = {order.order_id: order for order in await self.orders()}
        trades = await self.account.gateway.trades()
        return [self._trade(trade, orders[trade.order_id]) for trade in trades]

    # -- books ------------------------------------------------------------------------------
    def _position(self, position: Position) -> dict[str, Any]:
        segment, number = self._number[position.key]
        size = self._size(self.rows[position.key])
        quantity = int(position.quantity / size)
        # The server's result is that of what it counts, without the size of a contract.
        value = position.multiplier * size
        gain = (position.ltp - position.average_price) * quantity
        return {
            "AccountID": USER,
            "TradingSymbol": _description(self.rows[position.key]),
            "ExchangeSegment": next(name for name, n in NUMBERS.items() if n == segment),
            "ExchangeInstrumentId": str(number),
            "ProductType": str(position.product),
            "Multiplier": str(value),
            "BuyAveragePrice": str(position.average_price if quantity > 0 else 0),
            "SellAveragePrice": str(position.average_price if quantity < 0 else 0),
            "Quantity": str(quantity),
            "UnrealizedMTM": str(gain * value),
            "RealizedMTM": str(position.realised_today),
            "MTM": str(gain * value + position.realised_today),
        }

    async def _positions(self, request: web.Request) -> Any:
        if request.query["dayOrNet"] not in ("NetWise", "DayWise"):
            raise ValueError("dayOrNet")
        return {"positionList": [*map(self._position, await self.account.gateway.positions())]}

    async def _convert(self, request: web.Request) -> Any:
        body = await request.json()
        self.arrived.append(body)
        if body["isDayWise"] is not False or not isinstance(body["targetQty"], str):
            raise ValueError("isDayWise, targetQty")
        row = self._row(body["exchangeSegment"], body["exchangeInstrumentID"])
        product = Product(body["oldProductType"])
        held = next(
            (
                position.quantity
                for position in await self.account.gateway.positions()
                if (position.key, position.product) == (row.key, product)
            ),
            0,
        )
        asked = ConvertRequest(
            symbol=row.symbol,
            exchange=row.exchange,
            action=Action.BUY if held >= 0 else Action.SELL,
            quantity=int(body["targetQty"]) * self._size(row),
            product=product,
            to=Product(body["newProductType"]),
        )
        await self.account.gateway.convert(asked, "")
        return {}

    async def _holdings(self, request: web.Request) -> Any:
        holdings = {
            f"INE{number:06d}0101": {
                "ISIN": f"INE{number:06d}0101",
                "HoldingQuantity": holding.quantity,
                "BuyAvgPrice": holding.average_price,
                "ExchangeNSEInstrumentId": self._number[holding.key][1]
                if holding.exchange == "NSE"
                else -1,
                "ExchangeBSEInstrumentId": self._number[holding.key][1]
                if holding.exchange == "BSE"
                else -1,
            }
            for number, holding in enumerate(await self.account.gateway.holdings())
        }
        return {"ClientId": USER, "RMSHoldings": {"Holdings": holdings}}

    async def _balance(self, request: web.Request) -> Any:
        funds = await self.account.gateway.funds()
        limits = {
            "cashAvailable": funds.available_cash,
            "collateral": funds.collateral,
            "marginUtilized": funds.utilised,
            "netMarginAvailable": funds.available_cash,
            "UnrealizedMTM": str(funds.m2m_unrealised) if funds.utilised else "NaN",
            "RealizedMTM": str(funds.m2m_realised) if funds.utilised else "NaN",
        }
        empty = {"limitHeader": "CASH|ALL|ALL", "limitObject": {"RMSSubLimits": {}}}
        whole = {"limitHeader": "ALL|ALL|ALL", "limitObject": {"RMSSubLimits": limits}}
        return {"BalanceList": [empty, whole]}

    async def _margin(self, request: web.Request) -> Any:
        body = await request.json()
        required = 0.0
        for leg in body["portfolio"]:
            row = self.rows[self._by_number[leg["exchange"], leg["exchangeInstrumentId"]]]
            value = (leg["price"] or 100.0) * leg["quantity"]
            required += value if row.expiry is None else value * 0.13
        details = {"IsValid": True, "MarginRequired": required, "ErrorMessage": ""}
        return {"brokerageDeatils": details}

    # -- masters ----------------------------------------------------------------------------
    async def _master(self, request: web.Request) -> Any:
        (segment,) = (await request.json())["exchangeSegmentList"]
        lines = [
            self._line(row, segment, self._number[row.key][1])
            for row in self.rows.values()
            if SEGMENTS.get(row.exchange) == segment
        ]
        if segment == "NSECM":
            lines.append(
                "NSECM|99999|8|BOND|BOND-N1|N1|BOND-N1|1|0|0|1|0.01|1|1|BOND|IN0|1|1|X|0|-1|-1"
            )
        return "\n".join(lines)

    def _line(self, row: Instrument, segment: str, number: int) -> str:
        series = ("EQ" if row.exchange == "NSE" else "A") if row.expiry is None else "X"
        kind = {"FUT": 1, "CE": 2, "PE": 2}.get(row.instrument_type, 8)
        name, text = row.name if row.expiry else row.symbol, _description(row)
        size = self._size(row)
        head = [segment, number, kind, name, text, series, f"{name}-{series}", number, 0, 0,
                row.freeze_qty, row.tick_size, row.lot_size // size, size]  # fmt: skip
        if row.expiry is None:
            tail: list[Any] = [row.symbol, "INE000A01010", 1, 1, name, 0, -1, -1]
        else:
            expiry = f"{row.expiry.isoformat()}T14:30:00"
            option = [row.strike, 3 if row.instrument_type == "CE" else 4] if kind == 2 else []
            tail = [-1, name, expiry, *option, text, 1, 1, text]
        return "|".join(map(str, [*head, *tail]))

    async def _index_list(self, request: web.Request) -> Any:
        segment = int(request.query["exchangeSegment"])
        names = [
            f"{_INDEX_NAMES.get(row.symbol, row.symbol)}_{self._number[key][1]}"
            for key, row in self.rows.items()
            if row.is_index and key in self._number and self._number[key][0] == segment
        ]
        return {"exchangeSegment": segment, "indexList": names}

    # -- market -----------------------------------------------------------------------------
    def _asked(self, rows: Sequence[Mapping[str, Any]]) -> list[Key]:
        """Instruments of a request; their numbers are numbers."""
        keys = []
        for row in rows:
            place = row["exchangeSegment"], row["exchangeInstrumentID"]
            if not all(isinstance(number, int) for number in place):
                raise ValueError("exchangeInstrumentID")
            if place not in self._by_number:
                raise XtsError("e-instrument-0001", "Instrument not found")
            keys.append(self._by_number[place])
        return keys

    async def _messages(self, keys: Sequence[Key], code: int) -> list[str]:
        texts = []
        for key in keys:
            tick = await self.account.market.depth(key)
            data = message(tick, code, *self._number[key], self.clock.time())
            texts.append(json.dumps(data))
        return texts

    async def _quotes(self, request: web.Request) -> Any:
        body = await request.json()
        if len(body["instruments"]) > MOST_QUOTES:
            raise XtsError("e-quotes-0001", "Too many instruments")
        keys = self._asked(body["instruments"])
        texts = await self._messages(keys, body["xtsMessageCode"])
        return {"mdp": body["xtsMessageCode"], "listQuotes": texts}

    async def _ohlc(self, request: web.Request) -> Any:
        query = request.query
        row = self._row(query["exchangeSegment"], query["exchangeInstrumentID"])
        start, end = (
            datetime.strptime(query[name], "%b %d %Y %H%M%S").replace(tzinfo=IST)
            for name in ("startTime", "endTime")
        )
        if (end - start).days >= 7:
            raise XtsError("e-history-0001", "Data of more than seven days")
        interval = _COMPRESSIONS[query["compressionValue"]]
        last = end.date() if interval.is_intraday else min(end.date(), self._yesterday())
        rows = []
        if start.date() <= last:
            bars = await self.account.market.history(row.key, interval, start.date(), last)
            columns = (bars.time, bars.open, bars.high, bars.low, bars.close, bars.volume)
            for moment, *values in zip(*(column.tolist() for column in columns), strict=True):
                stamp = moment
                if interval.is_intraday:  # the last second of the bar
                    stamp = moment + IST_OFFSET_SECONDS + interval.seconds - 1
                rows.append("|".join(map(str, [stamp, *values, 0])) + "|")
        return {
            "exchangeSegment": query["exchangeSegment"],
            "exchangeInstrumentID": query["exchangeInstrumentID"],
            "dataReponse": ",".join(rows),
        }

    def _yesterday(self) -> Any:
        """Daily bars come after the day."""
        return datetime.fromtimestamp(self.clock.time() - 86_400, IST).date()

    # -- feeds ------------------------------------------------------------------------------
    def _join_feed(self, query: Mapping[str, str]) -> Session:
        session = self._market.get(self.variant.feed or self.variant.market)
        good = session is not None and query.get("token") == session.token
        if not good or query.get("userID") != f"{USER}_MD" or query.get("publishFormat") != "JSON":
            raise Refused("Invalid Token")
        assert session is not None
        return session

    def _join_orders(self, query: Mapping[str, str]) -> None:
        if query.get("token") not in self._trading or query.get("apiType") != "INTERACTIVE":
            raise Refused("Invalid Token")

    def _joined(self, socket: SioSocket) -> None:
        self.sockets.append(socket)
        self._spread(socket)

    def _left(self, sid: str) -> None:
        self.sockets[:] = [s for s in self.sockets if getattr(s, "sid", "") != sid]

    async def drop_sockets(self) -> None:
        for socket in tuple(self.sockets):
            assert isinstance(socket, SioSocket)
            socket.cut()
        self.sockets.clear()

    def _spread(self, socket: SioSocket) -> None:
        """What a socket gets is what its session subscribed."""
        if socket.session is None:
            return
        codes = socket.session.codes
        modes = {
            key: max(MODE_OF[code] for code in of if code != INTEREST)
            for key, of in codes.items()
            if of - {INTEREST}
        }
        socket.modes.clear()
        socket.modes.update(modes)

    async def _changed(self, session: Session) -> None:
        for socket in self.sockets:
            if isinstance(socket, SioSocket) and socket.session is session:
                self._spread(socket)
        await self._subscribe_market()

    async def _subscribe(self, request: web.Request) -> Any:
        session = self._session_of(request)
        body = await request.json()
        code, keys = body["xtsMessageCode"], self._asked(body["instruments"])
        if code != INTEREST and code not in MODE_OF:
            raise ValueError("xtsMessageCode")
        if any(code in session.codes.get(key, ()) for key in keys):
            raise XtsError("e-session-0002", "Instrument Already Subscribed !")
        for key in keys:
            session.codes.setdefault(key, set()).add(code)
        await self._changed(session)
        return {"mdp": code, "listQuotes": await self._messages(keys, code)}

    async def _unsubscribe(self, request: web.Request) -> Any:
        session = self._session_of(request)
        body = await request.json()
        for key in self._asked(body["instruments"]):
            session.codes.get(key, set()).discard(body["xtsMessageCode"])
            if not session.codes.get(key):
                session.codes.pop(key, None)
        await self._changed(session)
        return {}

    def _tick(self, tick: Tick) -> None:
        key = (tick.exchange, tick.symbol)
        for socket in self.sockets:
            session = socket.session if isinstance(socket, SioSocket) else None
            for code in session.codes.get(key, ()) if session is not None else ():
                if code != DEPTH or tick.mode is FeedMode.DEPTH:
                    self._emit(socket, self._event(tick, code))

    def _event(self, tick: Tick, code: int) -> Event:
        segment, number = self._number[tick.exchange, tick.symbol]
        now = self.clock.time()
        if not self.binary:
            return event(tick, code, segment, number, now)
        self._flip = not self._flip
        data = message(tick, code, segment, number, now)
        return "xts-binary-packet", packet(data, deflated=self._flip)

    def _order_changed(self, update: OrderUpdate) -> None:
        super()._order_changed(update)
        if update.trade is not None:
            told = ("trade", json.dumps(self._trade(update.trade, update.order)))
            for socket in self.sockets:
                if socket.orders:
                    self._emit(socket, told)

    def order_frame(self, order: Order) -> Any:
        return "order", json.dumps(self._order(order))

    def emit(self, socket: Socket, frame: Any) -> None:
        self._emit(socket, frame)

    def _emit(self, socket: Socket, told: Event) -> None:
        """Queue an event; a fault cuts what it carries."""
        if self.faults.half_open:
            return
        name, data = told
        if self.faults.truncate and not socket.orders:
            self.faults.truncate -= 1
            data = data[:-3]
        self._outbox.put_nowait((socket, (name, data)))  # type: ignore[arg-type]


async def _main(port: int) -> None:
    emulator = XtsEmulator(SystemClock())
    await emulator.start(port)
    try:
        print(f"{emulator.url}  keys {API_KEY} {API_SECRET} {MARKET_KEY} {MARKET_SECRET}")
        await asyncio.Event().wait()
    finally:
        await emulator.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    asyncio.run(_main(parser.parse_args().port))
