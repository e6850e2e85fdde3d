"""Firstock's Connect API on loopback: JSON in its own words over Noren's OMS.

Written from https://firstock.in/api/docs and PyPI ``firstock``, knowing nothing of our adapter.
How triggers are acknowledged and listed is not documented: here they come back as they were
placed, with their id.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from openalgo_desktop.core.clock import IST, Clock
from openalgo_desktop.core.enums import FeedMode, Interval
from openalgo_desktop.core.errors import AppError, InsufficientFunds, OrderError
from openalgo_desktop.core.model import Instrument, Key, Order
from openalgo_desktop.core.ticks import Tick
from tests.emulators.base import Socket
from tests.emulators.noren import NO_DATA, NorenEmulator, NorenError
from tests.emulators.noren_files import Dialect, money

USER = "FA12345"
PASSWORD = "firstock-pass-1"
API_KEY = "firstockkey0001"
CODE = "123456"
_DIALECT = Dialect(rest="/V1", feed="/V2/ws", key="body", master="csv")

#: Noren's names of fields by Firstock's.
_ORDER = {
    "orderNumber": "norenordno", "exchange": "exch", "tradingSymbol": "tsym", "token": "token",
    "transactionType": "trantype", "priceType": "prctyp", "product": "prd", "quantity": "qty",
    "price": "prc", "triggerPrice": "trgprc", "fillShares": "fillshares",
    "averagePrice": "avgprc", "status": "status", "rejectReason": "rejreason",
    "orderTime": "norentm", "remarks": "remarks", "retention": "ret", "lotSize": "ls",
    "fillId": "flid", "fillQuantity": "flqty", "fillPrice": "flprc", "fillTime": "fltm",
}  # fmt: skip
_POSITION = {
    "exchange": "exch", "tradingSymbol": "tsym", "token": "token", "product": "prd",
    "netQuantity": "netqty", "netAveragePrice": "netavgprc", "lastTradedPrice": "lp",
    "unrealizedMTOM": "urmtom", "RealizedPNL": "rpnl", "dayBuyQuantity": "daybuyqty",
    "daySellQuantity": "daysellqty",
}  # fmt: skip
_QUOTE = {
    "lastTradedPrice": "lp", "dayOpenPrice": "o", "dayHighPrice": "h", "dayLowPrice": "l",
    "dayClosePrice": "c", "volume": "v", "VWAP": "ap", "lastTradedQuantity": "ltq",
    "totalBuyQuantity": "tbq", "totalSellQuantity": "tsq", "openInterest": "oi",
}  # fmt: skip
_PACKET = {
    "i_last_traded_price": "lp", "i_open_price": "o", "i_high_price": "h", "i_low_price": "l",
    "i_closing_price": "c", "i_average_trade_price": "ap", "i_upper_circuit_limit": "uc",
    "i_lower_circuit_limit": "lc",
}  # fmt: skip
_COUNTS = {
    "i_volume_traded_today": "v", "i_last_trade_quantity": "ltq", "i_total_buy_quantity": "tbq",
    "i_total_sell_quantity": "tsq", "i_open_interest": "oi",
}  # fmt: skip
_INTERVALS = {
    "1mi": Interval.M1, "3mi": Interval.M3, "5mi": Interval.M5, "10mi": Interval.M10,
    "15mi": Interval.M15, "30mi": Interval.M30, "60mi": Interval.H1, "120mi": Interval.H2,
    "240mi": Interval.H4, "1d": Interval.DAY,
}  # fmt: skip
_NO_VALUE = 9223372036854775808


def _renamed(row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """A row in Firstock's words."""
    return {ours: row[theirs] for ours, theirs in names.items() if theirs in row}


def _noren(body: Mapping[str, Any]) -> dict[str, Any]:
    """An order in Noren's words; ``&`` comes as ``%26``."""
    fields = {_ORDER[name]: value for name, value in body.items() if name in _ORDER}
    if "tsym" in fields:
        if "&" in fields["tsym"]:
            raise NorenError("Invalid Trading Symbol")
        fields["tsym"] = fields["tsym"].replace("%26", "&")
    return fields


class FirstockEmulator(NorenEmulator):
    """One user."""

    orders_at_once = True

    def __init__(self, clock: Clock, *, rate: float = 200.0, universe: Path | None = None) -> None:
        super().__init__(clock, _DIALECT, rate=rate, universe=universe)

    def hosts(self) -> dict[str, str]:
        return {"rest": f"{self.url}/V1", "stream": self.ws_url}

    # -- answers ----------------------------------------------------------------------------
    def failed(self, message: str, name: str = "BAD_REQUEST", status: int = 400) -> web.Response:
        """A refusal."""
        error = {"field": "", "message": message}
        body = {"status": "failed", "code": str(status), "name": name, "error": error}
        return web.json_response(body, status=status)

    def refuse(self, status: int) -> web.Response:
        names = {401: "INVALID_JKEY", 403: "INVALID_JKEY", 429: "RATE_LIMIT_EXCEEDED"}
        return self.failed(f"fault {status}", names.get(status, "INTERNAL_SERVER_ERROR"), status)

    def is_write(self, request: web.Request) -> bool:
        return request.path.rpartition("/")[2] in _WRITES

    # -- log-in -----------------------------------------------------------------------------
    async def _login(self, request: web.Request) -> web.Response:
        body = await request.json()
        wanted = {
            "userId": USER,
            "password": hashlib.sha256(PASSWORD.encode()).hexdigest(),
            "TOTP": CODE,
            "vendorCode": f"{USER}_API",
            "apiKey": API_KEY,
        }
        if body != wanted:
            return self.failed("Invalid password", "INVALID_CREDENTIALS", 401)
        data = {"actid": USER, "userName": "Test", "susertoken": self.new_token(), "email": "x@y"}
        return web.json_response({"status": "success", "message": "Login", "data": data})

    # -- calls ------------------------------------------------------------------------------
    async def _place(self, body: Mapping[str, Any]) -> Any:
        answer = await self.place_order(_noren(body))
        return {"orderNumber": answer["norenordno"], "requestTime": answer["request_time"]}

    async def _modify(self, body: Mapping[str, Any]) -> Any:
        fields = _noren(body)
        if not float(fields.get("trgprc") or 0):
            fields.pop("trgprc", None)
        answer = await self.modify_order(fields)
        return {"orderNumber": answer["result"], "requestTime": answer["request_time"]}

    async def _cancel(self, body: Mapping[str, Any]) -> Any:
        """One that comes too late is a success with a reason."""
        fields = _noren(body)
        try:
            await self.cancel_order(fields)
        except OrderError:
            return {"orderNumber": fields["norenordno"],
                    "rejreason": "SAF:order is not open to cancel"}  # fmt: skip
        return {"orderNumber": fields["norenordno"], "requestTime": self._now()}

    async def _orders(self, body: Mapping[str, Any]) -> Any:
        rows = await self.order_book(body)
        return [{"averagePrice": "0.00", **_renamed(row, _ORDER)} for row in rows]

    async def _trades(self, body: Mapping[str, Any]) -> Any:
        return [_renamed(row, _ORDER) for row in await self.trade_book(body)]

    async def _positions(self, body: Mapping[str, Any]) -> Any:
        return [_renamed(row, _POSITION) for row in await self.position_book(body)]

    async def _holdings(self, body: Mapping[str, Any]) -> Any:
        return [
            {
                "exchangeTradingSymbol": [_renamed(name, _ORDER) for name in row["exch_tsym"]],
                "holdQuantity": row["holdqty"],
                "BTSTQuantity": row["btstqty"],
                "usedQuantity": "0",
                "uploadPrice": row["upldprc"],
            }
            for row in await self.holdings(body)
        ]

    async def _limit(self, body: Mapping[str, Any]) -> Any:
        limits = await self.limits(body)
        return {n: limits[n] for n in ("cash", "payin", "brkcollamt", "marginused")}

    async def _order_margin(self, body: Mapping[str, Any]) -> Any:
        return {"marginOnNewOrder": self.leg_margin(_noren(body)), "remarks": "ok"}

    async def _basket_margin(self, body: Mapping[str, Any]) -> Any:
        legs = [_noren(leg) for leg in (body, *body["BasketList_Params"])]
        total = sum(self.leg_margin(leg) for leg in legs)
        return {"MarginOnNewOrder": total, "PreviousMargin": 0, "TradedMargin": total}

    # -- triggers ---------------------------------------------------------------------------
    async def _place_trigger(self, body: Mapping[str, Any]) -> Any:
        field = "OCOid" if "OrderParamsLeg1" in body else "GTTid"
        number = str(body.get(field) or f"{26112900000000 + len(self._alerts)}")
        if field in body and number not in self._alerts:
            raise NorenError("Invalid id")
        kept = {n: v for n, v in body.items() if n not in ("userId", "jKey")}
        self._alerts[number] = {**kept, field: number}
        return {field: number, "requestTime": self._now()}

    async def _cancel_trigger(self, body: Mapping[str, Any]) -> Any:
        number = str(body.get("GTTid") or body.get("OCOid"))
        if self._alerts.pop(number, None) is None:
            raise NorenError("Invalid id")
        return {"requestTime": self._now()}

    async def _triggers(self, body: Mapping[str, Any]) -> Any:
        return list(self._alerts.values())

    # -- market -----------------------------------------------------------------------------
    async def _quote_of(self, body: Mapping[str, Any]) -> dict[str, Any]:
        row = self.find(body["exchange"], body["tradingSymbol"])
        packet = self.packet(await self.account.market.depth(row.key))
        book = {
            f"best{side}{what}{n}": packet[f"{letter}{field}{n}"]
            for side, letter in (("Buy", "b"), ("Sell", "s"))
            for what, field in (("Price", "p"), ("Quantity", "q"))
            for n in range(1, 6)
            if f"{letter}{field}{n}" in packet
        }
        names = {"exchange": body["exchange"], "tradingSymbol": body["tradingSymbol"]}
        return {**names, "token": row.token, **_renamed(packet, _QUOTE), **book}

    async def _quotes(self, body: Mapping[str, Any]) -> Any:
        rows = []
        for name in body["data"]:
            try:
                rows.append({"result": await self._quote_of(name), **name})
            except NorenError:
                rows.append({**name, "error": "not found"})
        return rows

    async def _series(self, body: Mapping[str, Any]) -> Any:
        row, interval = self.find(body["exchange"], body["tradingSymbol"]), body["interval"]
        start, end = (
            datetime.strptime(body[name], "%H:%M:%S %d-%m-%Y").replace(tzinfo=IST)
            for name in ("startTime", "endTime")
        )
        if (end - start).days > 30:
            raise NorenError("At most 30 days")
        kind = _INTERVALS[interval]
        last = end.date()
        if kind is Interval.DAY:
            last = min(last, self.clock.now().astimezone(IST).date() - timedelta(days=1))
        bars = await self.account.market.history(row.key, kind, start.date(), last)
        return [
            {
                "time": datetime.fromtimestamp(epoch, IST).strftime("%Y-%m-%dT%H:%M:%S"),
                "epochTime": str(epoch),
                "open": float(bars.open[i]),
                "high": float(bars.high[i]),
                "low": float(bars.low[i]),
                "close": float(bars.close[i]),
                "volume": int(bars.volume[i]),
                "oi": int(bars.oi[i]),
            }
            for i, epoch in enumerate(bars.time.tolist())
        ]

    async def _index_list(self, body: Mapping[str, Any]) -> Any:
        return [
            {"exchange": self.exchange(row), "token": row.token, "tradingSymbol": self.name(row),
             "symbol": self.name(row), "idxname": self.name(row)}
            for row in self.rows.values()
            if row.is_index
        ]  # fmt: skip

    async def _symbols(self, request: web.Request) -> web.Response:
        exchange = request.match_info["exchange"]
        out = io.StringIO()
        writer = csv.writer(out)
        is_cash = exchange in ("NSE", "BSE")
        names = ["TradingSymbol", "CompanyName", "ISIN"] if is_cash else [
            "Symbol", "TradingSymbol", "Expiry", "Instrument", "OptionType", "StrikePrice"
        ]  # fmt: skip
        writer.writerow(["Exchange", "Token", "LotSize", *names, "TickSize", "FreezeQty"])
        for row in self.rows.values():
            if row.exchange == exchange:
                writer.writerow(
                    [exchange, row.token, row.lot_size, *self._columns(row),
                     money(row.tick_size), 0]
                )  # fmt: skip
        return web.Response(text=out.getvalue(), content_type="text/csv")

    def _columns(self, row: Instrument) -> list[str]:
        if row.expiry is None:
            return [self.name(row), row.name, "INE"]
        option = "XX" if row.instrument_type == "FUT" else row.instrument_type
        expiry = f"{row.expiry:%d-%b-%Y}".upper()
        return [row.name, self.name(row), expiry, "OPT", option, f"{row.strike:g}"]

    # -- routes -----------------------------------------------------------------------------
    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/V1/login", self._login)
        router.add_get("/V1/symbols/{exchange}", self._symbols)
        calls: dict[str, Callable[[Mapping[str, Any]], Awaitable[Any]]] = {
            "logout": self._logout, "userDetails": self._limit, "placeOrder": self._place,
            "modifyOrder": self._modify, "cancelOrder": self._cancel, "orderBook": self._orders,
            "tradeBook": self._trades, "positionBook": self._positions,
            "holdingsDetails": self._holdings, "limit": self._limit,
            "orderMargin": self._order_margin, "basketMargin": self._basket_margin,
            "placeGttOrder": self._place_trigger, "modifyGttOrder": self._place_trigger,
            "cancelGttOrder": self._cancel_trigger, "GttOrderBook": self._triggers,
            "placeOcoOrder": self._place_trigger, "modifyOcoOrder": self._place_trigger,
            "cancelOcoOrder": self._cancel_trigger, "getQuote": self._quote_of,
            "getMultiQuotes": self._quotes, "timePriceSeries": self._series,
            "indexList": self._index_list,
        }  # fmt: skip
        for name, call in calls.items():
            router.add_post(f"/V1/{name}", self._answering(call))

    def _answering(
        self, call: Callable[[Mapping[str, Any]], Awaitable[Any]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            body = await request.json()
            if body.get("userId") != USER or not self.valid(str(body.get("jKey"))):
                return self.failed("JKey is invalid", "INVALID_JKEY", 401)
            try:
                data = await call(body)
            except NorenError as error:
                if str(error) == NO_DATA:
                    return self.failed("no data", "NO_DATA", 200)
                return self.failed(str(error))
            except InsufficientFunds as error:
                return self.failed(f"Insufficient margin: {error.message}", "ORDER_REJECTED")
            except AppError as error:
                return self.failed(error.message, "ORDER_REJECTED")
            except (KeyError, ValueError) as error:
                return self.failed(f"required field is empty or missing: {error}", "MISSING_FIELD")
            if not data:
                return self.failed("no data", "NO_DATA", 200)
            return web.json_response({"status": "success", "message": "ok", "data": data})

        return answer

    # -- feed -------------------------------------------------------------------------------
    async def on_open(self, socket: Socket, request: web.Request) -> None:
        """The first message says whether the address's log-in was good."""
        good = self.valid(request.query.get("jKey", "")) and request.query.get("userId") == USER
        text = "Authentication successful" if good else "unauthenticated"
        await socket.send(json.dumps({"status": "success" if good else "failed", "message": text}))
        socket.orders = good

    async def on_text(self, socket: Socket, text: str) -> None:
        message = json.loads(text)
        pairs = [name.split(":") for name in str(message["tokens"]).split("|")]
        keys = [k for pair in pairs if (k := self._by_token.get((pair[0], pair[1])))]
        if message["action"] == "subscribe":
            await self.want(socket, dict.fromkeys(keys, FeedMode.DEPTH))
        else:
            await self.unwant(socket, keys)

    def _send_packet(
        self, socket: Socket, key: Key, tick: Tick, mode: FeedMode, *, full: bool
    ) -> None:
        """A whole packet, or the fields that changed and "no value" for others."""
        row, fields = self.rows[key], self.packet(tick)
        packet: dict[str, Any] = {
            ours: round(float(fields[theirs]) * 100)
            for ours, theirs in _PACKET.items()
            if theirs in fields
        }
        packet |= {
            ours: int(fields[theirs]) for ours, theirs in _COUNTS.items() if theirs in fields
        }
        if not row.is_index:
            for side, letter in (("best_buy", "b"), ("best_sell", "s")):
                packet[side] = [
                    {
                        "price": round(float(fields[f"{letter}p{n}"]) * 100),
                        "quantity": int(fields[f"{letter}q{n}"]),
                        "orders": int(fields[f"{letter}o{n}"]),
                    }
                    for n in range(1, 6)
                ]
        last = {} if full else self._shown.get((id(socket), key), {})
        self._shown[id(socket), key] = packet
        changed = {n: v for n, v in packet.items() if last.get(n) != v}
        told = {"i_last_trade_time": int(self.clock.time()), "i_total_open_interest": _NO_VALUE}
        self.emit(socket, json.dumps({f"{self.exchange(row)}:{row.token}": {**changed, **told}}))

    def order_frame(self, order: Order) -> str:
        row = {k: v for k, v in self.order_row(order).items() if k not in ("stat", "prd")}
        return json.dumps({**row, "pcode": self.order_row(order)["prd"]})


_WRITES = frozenset(
    {
        "placeOrder", "modifyOrder", "cancelOrder", "placeGttOrder", "modifyGttOrder",
        "cancelGttOrder", "placeOcoOrder", "modifyOcoOrder", "cancelOcoOrder",
    }
)  # fmt: skip
