"""NorenOMS on loopback: jData over REST, JSON over a WebSocket, the symbol files, over the
simulated market. One server software, several brokers: a :class:`Dialect` says what differs.

Written from https://pi.flattrade.in/docs, the NorenApi of PyPI ``norenrestapi`` and
https://github.com/Shoonya-Dev/ShoonyaApi-py, knowing nothing of our adapter, so that the two can
disagree. ``python -m tests.emulators.noren --port 15002`` runs it alone, as Shoonya.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from openalgo_desktop.core.clock import IST, Clock, SystemClock
from openalgo_desktop.core.conversion import ConvertRequest
from openalgo_desktop.core.enums import Action, FeedMode, Interval, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import (
    Instrument,
    Key,
    ModifyRequest,
    Order,
    OrderRequest,
    Position,
)
from openalgo_desktop.core.ticks import Tick
from tests.emulators.base import BrokerEmulator, Socket
from tests.emulators.noren_files import INDEX_NAMES, SHOONYA, ZIPPED, Dialect, NorenFiles, money

APP_KEY = "norenkey0001"
API_SECRET = "norensecret0001"
USER = "FA12345"

NO_DATA = 'Error Occurred : 5 "no data"'
NO_SESSION = "Session Expired :  Invalid Session Key"

_STATUS = {
    OrderStatus.OPEN: "OPEN",
    OrderStatus.TRIGGER_PENDING: "TRIGGER_PENDING",
    OrderStatus.COMPLETE: "COMPLETE",
    OrderStatus.CANCELLED: "CANCELED",
    OrderStatus.REJECTED: "REJECTED",
    OrderStatus.EXPIRED: "CANCELED",
}
_REPORT = {
    OrderStatus.OPEN: "New",
    OrderStatus.TRIGGER_PENDING: "TriggerPending",
    OrderStatus.COMPLETE: "Fill",
    OrderStatus.CANCELLED: "Canceled",
    OrderStatus.REJECTED: "Rejected",
    OrderStatus.EXPIRED: "Canceled",
}
_PRODUCT = {"C": Product.CNC, "M": Product.NRML, "I": Product.MIS}
_PRICE_TYPE = {
    "MKT": PriceType.MARKET,
    "LMT": PriceType.LIMIT,
    "SL-LMT": PriceType.SL,
    "SL-MKT": PriceType.SLM,
}
_ACTION = {"B": Action.BUY, "S": Action.SELL}
PRODUCT_TEXT = {ours: text for text, ours in _PRODUCT.items()}
PRICE_TYPE_TEXT = {ours: text for text, ours in _PRICE_TYPE.items()}
ACTION_TEXT = {ours: text for text, ours in _ACTION.items()}
_INTERVALS = {
    "1": Interval.M1, "3": Interval.M3, "5": Interval.M5, "10": Interval.M10,
    "15": Interval.M15, "30": Interval.M30, "60": Interval.H1, "120": Interval.H2,
    "240": Interval.H4,
}  # fmt: skip


class NorenError(Exception):
    """An answer ``Not_Ok``."""


def clock_time(moment: datetime | None) -> str:
    """``10:15:00 20-11-2025``."""
    return moment.astimezone(IST).strftime("%H:%M:%S %d-%m-%Y") if moment else ""


def day_time(moment: datetime | None) -> str:
    """``20-11-2025 10:15:00``."""
    return moment.astimezone(IST).strftime("%d-%m-%Y %H:%M:%S") if moment else ""


class NorenEmulator(NorenFiles, BrokerEmulator):
    """One app of one user."""

    orders_at_once = False

    def __init__(
        self,
        clock: Clock,
        dialect: Dialect = SHOONYA,
        *,
        rate: float = 200.0,
        universe: Path | None = None,
        redirect: str = "",
    ) -> None:
        super().__init__(clock, rate=rate, universe=universe)
        self.dialect = dialect
        self.feed_path = dialect.feed
        self.redirect = redirect
        self._codes: set[str] = set()
        self._tokens: dict[str, datetime] = {}
        self._by_token: dict[tuple[str, str], Key] = {}
        self._by_name: dict[tuple[str, str], Key] = {}
        self._alerts: dict[str, dict[str, Any]] = {}
        self._shown: dict[tuple[int, Key], dict[str, str]] = {}  # last of each socket

    async def start(self, port: int = 0) -> None:
        await super().start(port)
        for key, row in self.rows.items():
            if row.exchange.removesuffix("_INDEX") not in ZIPPED:
                continue
            self._by_token[self.exchange(row), row.token] = key
            self._by_name[self.exchange(row), self.name(row)] = key

    def hosts(self) -> dict[str, str]:
        return {
            "rest": self.url + self.dialect.rest,
            "stream": self.ws_url + self.dialect.feed.rstrip("/"),
            "site": self.url,
            "auth": self.url,
        }

    # -- names ------------------------------------------------------------------------------
    def find(self, exchange: str, name: str) -> Instrument:
        """The instrument of a trading symbol."""
        key = self._by_name.get((exchange, name))
        if key is None:
            raise NorenError(f"Invalid Trading Symbol : {name}")
        return self.rows[key]

    # -- session ----------------------------------------------------------------------------
    def new_code(self) -> str:
        """What the browser would bring back."""
        code = secrets.token_hex(12)
        self._codes.add(code)
        return code

    def new_token(self) -> str:
        """A session, for the rest of the trading day."""
        token = secrets.token_hex(16)
        now = self.clock.now().astimezone(IST)
        end = now.replace(hour=3, minute=0, second=0, microsecond=0)
        self._tokens[token] = end if end > now else end + timedelta(days=1)
        return token

    def expire_sessions(self) -> None:
        """All sessions end now."""
        self._tokens.clear()

    def valid(self, token: str) -> bool:
        """Whether a session is open."""
        end = self._tokens.get(token)
        return end is not None and self.clock.now() < end

    async def _authorize(self, request: web.Request) -> web.StreamResponse:
        """The page of the broker; here everybody agrees at once."""
        raise web.HTTPFound(f"{self.redirect}?{urlencode({'code': self.new_code()})}")

    def _take_code(self, code: str, checksum: Any, text: str) -> str:
        if code not in self._codes or checksum != hashlib.sha256(text.encode()).hexdigest():
            raise NorenError("Invalid Input : INVALID_CODE")
        self._codes.discard(code)
        return self.new_token()

    async def _gen_token(self, request: web.Request) -> web.Response:
        try:
            fields, _ = jdata(await request.text())
            code = str(fields.get("code", ""))
            token = self._take_code(code, fields.get("checksum"), f"{APP_KEY}{API_SECRET}{code}")
        except NorenError as error:
            return self.no(str(error))
        return web.json_response(
            {"stat": "Ok", "access_token": token, "refresh_token": "r", "USERID": USER,
             "actid": USER, "susertoken": "s"}
        )  # fmt: skip

    async def _api_token(self, request: web.Request) -> web.Response:
        """Flattrade's exchange of the code: JSON, and the secret last."""
        fields = await request.json()
        code = str(fields.get("request_code", ""))
        try:
            if fields.get("api_key") != APP_KEY:
                raise NorenError("Invalid API Key")
            text = f"{APP_KEY}{code}{API_SECRET}"
            token = self._take_code(code, fields.get("api_secret"), text)
        except NorenError as error:
            return self.no(str(error))
        return web.json_response({"stat": "Ok", "status": "Ok", "token": token, "client": USER})

    def no(self, message: str, status: int = 200) -> web.Response:
        """A refusal."""
        body = {"stat": "Not_Ok", "request_time": clock_time(self.clock.now()), "emsg": message}
        return web.json_response(body, status=status)

    def refuse(self, status: int) -> web.Response:
        texts = {401: NO_SESSION, 403: NO_SESSION, 429: "Request exceeds Limit"}
        return self.no(texts.get(status, f"fault {status}"), status)

    def is_write(self, request: web.Request) -> bool:
        return request.path.rpartition("/")[2] in _WRITES

    # -- orders -----------------------------------------------------------------------------
    async def place_order(self, fields: Mapping[str, Any]) -> Any:
        row = self.find(fields["exch"], fields["tsym"])
        self.arrived.append(_unified(fields))
        order_id = await self.take(
            OrderRequest(
                symbol=row.symbol,
                exchange=row.exchange,
                action=_ACTION[fields["trantype"]],
                quantity=int(fields["qty"]),
                price_type=_PRICE_TYPE[fields["prctyp"]],
                product=_PRODUCT[fields["prd"]],
                price=float(fields["prc"]),
                trigger_price=float(fields.get("trgprc") or 0),
                disclosed_quantity=int(fields.get("dscqty") or 0),
            ),
            str(fields.get("remarks", "")),
        )
        return {"stat": "Ok", "request_time": self._now(), "norenordno": order_id}

    async def _known(self, order_id: str, doing: str) -> Order:
        for order in await self.orders():
            if order.order_id == order_id:
                return order
        raise NorenError(f"Rejected : ORA:Order not found to {doing}")

    async def modify_order(self, fields: Mapping[str, Any]) -> Any:
        order = await self._known(fields["norenordno"], "modify")
        self.arrived.append(_unified(fields))
        kind = _PRICE_TYPE[fields["prctyp"]]
        if "trgprc" in fields and not kind.has_trigger:
            raise NorenError("Rejected : ORA:Trigger price invalid for this order")
        await self.retake(
            ModifyRequest(
                order_id=order.order_id,
                # What is not sent, a broker leaves or clears: either would show.
                quantity=int(fields.get("qty") or 0),
                disclosed_quantity=int(fields.get("dscqty") or 0),
                price=float(fields.get("prc") or 0),
                trigger_price=float(fields.get("trgprc") or 0),
                price_type=kind,
            )
        )
        return {"stat": "Ok", "request_time": self._now(), "result": order.order_id}

    async def cancel_order(self, fields: Mapping[str, Any]) -> Any:
        order = await self._known(fields["norenordno"], "Cancel")
        await self.drop(order.order_id)
        return {"stat": "Ok", "request_time": self._now(), "result": order.order_id}

    async def convert_product(self, fields: Mapping[str, Any]) -> Any:
        self.arrived.append(_unified(fields))
        if fields["postype"] != "DAY":  # nothing here was carried over
            raise NorenError("Invalid Input : Invalid Position Type")
        row = self.find(fields["exch"], fields["tsym"])
        asked = ConvertRequest(
            symbol=row.symbol,
            exchange=row.exchange,
            action=_ACTION[fields["trantype"]],
            quantity=int(fields["qty"]),
            product=_PRODUCT[fields["prevprd"]],
            to=_PRODUCT[fields["prd"]],
        )
        await self.account.gateway.convert(asked, "")
        return {"stat": "Ok", "request_time": self._now()}

    def _now(self) -> str:
        return clock_time(self.clock.now())

    def order_row(self, order: Order) -> dict[str, Any]:
        """A row of the order book."""
        row = self.rows[order.key]
        result = {
            "stat": "Ok",
            "norenordno": order.order_id,
            "uid": USER,
            "actid": USER,
            "exch": self.exchange(row),
            "tsym": self.name(row),
            "token": row.token,
            "qty": str(order.quantity),
            "trantype": ACTION_TEXT[order.action],
            "prctyp": PRICE_TYPE_TEXT[order.price_type],
            "ret": "DAY",
            "prd": PRODUCT_TEXT[order.product],
            "mult": "1",
            "prcftr": money(row.contract_value),
            "pp": "2",
            "ls": str(row.lot_size),
            "ti": money(row.tick_size),
            "prc": money(order.price),
            "trgprc": money(order.trigger_price),
            "rprc": money(order.price),
            "dscqty": str(order.disclosed_quantity),
            "status": _STATUS.get(order.status, "PENDING"),
            "st_intrn": _STATUS.get(order.status, "PENDING"),
            "fillshares": str(order.filled_quantity),
            "norentm": clock_time(order.updated_at or order.placed_at),
            "exch_tm": day_time(order.updated_at or order.placed_at),
            "remarks": order.tag,
            "exchordid": f"12{order.order_id[-11:]}",
        }
        if order.placed_at is not None:
            result["ordenttm"] = str(int(order.placed_at.timestamp()))
        if order.filled_quantity:
            result["avgprc"] = money(order.average_price)
        if order.rejection_reason:
            result["rejreason"] = order.rejection_reason
        return result

    async def order_book(self, fields: Mapping[str, Any]) -> Any:
        return [self.order_row(order) for order in await self.orders()]

    async def trade_book(self, fields: Mapping[str, Any]) -> Any:
        orders = {order.order_id: order for order in await self.orders()}
        rows = []
        for trade in await self.account.gateway.trades():
            row, order = self.rows[trade.key], orders.get(trade.order_id)
            rows.append(
                {
                    "stat": "Ok",
                    "norenordno": trade.order_id,
                    "uid": USER,
                    "actid": USER,
                    "exch": self.exchange(row),
                    "tsym": self.name(row),
                    "token": row.token,
                    "prd": PRODUCT_TEXT[trade.product],
                    "trantype": ACTION_TEXT[trade.action],
                    "qty": str(order.quantity if order else trade.quantity),
                    "flid": trade.trade_id,
                    "flqty": str(trade.quantity),
                    "flprc": money(trade.price),
                    "fltm": day_time(trade.traded_at),
                    "norentm": clock_time(trade.traded_at),
                    "avgprc": money(order.average_price if order else trade.price),
                }
            )
        return rows

    def position_row(self, held: Position) -> dict[str, Any]:
        """A row of the position book."""
        row = self.rows[held.key]
        open_result = held.unrealised
        return {
            "stat": "Ok",
            "uid": USER,
            "actid": USER,
            "exch": self.exchange(row),
            "tsym": self.name(row),
            "token": row.token,
            "prd": PRODUCT_TEXT[held.product],
            "ls": str(row.lot_size),
            "ti": money(row.tick_size),
            "mult": "1",
            "prcftr": money(row.contract_value),
            "daybuyqty": str(held.buy_quantity),
            "daysellqty": str(held.sell_quantity),
            "daybuyavgprc": money(held.average_price),
            "cfbuyqty": "0",
            "cfsellqty": "0",
            "netqty": str(int(held.quantity)),
            "netavgprc": money(held.average_price if held.quantity else 0.0),
            "lp": money(held.ltp),
            "urmtom": money(open_result if held.quantity else 0.0),
            "rpnl": money(held.pnl - (open_result if held.quantity else 0.0)),
        }

    async def position_book(self, fields: Mapping[str, Any]) -> Any:
        return [self.position_row(held) for held in await self.account.gateway.positions()]

    async def holdings(self, fields: Mapping[str, Any]) -> Any:
        rows = []
        for held in await self.account.gateway.holdings():
            row = self.rows[held.key]
            name = {"exch": self.exchange(row), "token": row.token, "tsym": self.name(row)}
            rows.append(
                {
                    "stat": "Ok",
                    "exch_tsym": [name],
                    "prd": "C",
                    "holdqty": str(held.quantity - held.t1_quantity),
                    "btstqty": str(held.t1_quantity),
                    "usedqty": "0",
                    "npoadqty": "0",
                    "dpqty": "0",
                    "upldprc": money(held.average_price),
                }
            )
        return rows

    async def limits(self, fields: Mapping[str, Any]) -> Any:
        funds = await self.account.gateway.funds()
        return {
            "stat": "Ok",
            "cash": money(funds.available_cash + funds.utilised),
            "payin": "0.00",
            "brkcollamt": money(funds.collateral),
            "marginused": money(funds.utilised),
            "rpnl": money(-funds.m2m_realised),
            "unmtom": money(funds.m2m_unrealised),
        }

    def leg_margin(self, leg: Mapping[str, Any]) -> float:
        """What one order would block."""
        row = self.find(leg["exch"], leg["tsym"])
        value = (float(leg["prc"]) or 100.0) * int(leg["qty"])
        return value if row.expiry is None else value * 0.13

    async def basket_margin(self, fields: Mapping[str, Any]) -> Any:
        total = sum(self.leg_margin(leg) for leg in (fields, *fields.get("basketlists", ())))
        return {"stat": "Ok", "marginused": money(total), "marginusedtrade": money(total * 0.9)}

    async def order_margin(self, fields: Mapping[str, Any]) -> Any:
        funds = await self.account.gateway.funds()
        return {
            "stat": "Ok",
            "cash": money(funds.available_cash),
            "marginused": money(funds.utilised),
            "ordermargin": money(self.leg_margin(fields)),
        }

    # -- triggers ---------------------------------------------------------------------------
    async def place_alert(self, fields: Mapping[str, Any]) -> Any:
        pair = fields["ai_t"] == "LMT_BOS_O"
        self.find(fields["exch"], fields["tsym"])
        for leg in _legs(fields):
            if leg["prctyp"] != "LMT" or not float(leg["prc"]):
                raise NorenError("Invalid Input : prc")
        number = str(fields.get("al_id") or f"{26112900000000 + len(self._alerts)}")
        if "al_id" in fields and number not in self._alerts:
            raise NorenError("Invalid Oi")
        self._alerts[number] = {**fields, "al_id": number}
        done = "replaced" if "al_id" in fields else "created"
        if pair:
            return {"request_time": self._now(), "stat": f"OI {done}", "al_id": number}
        return [{"request_time": self._now(), "stat": f"Oi {done}", "Al_id": number}]

    async def cancel_alert(self, fields: Mapping[str, Any]) -> Any:
        if self._alerts.pop(str(fields["al_id"]), None) is None:
            raise NorenError("Invalid Oi")
        return [{"request_time": self._now(), "stat": "Oi delete success",
                 "Al_id": fields["al_id"]}]  # fmt: skip

    async def alert_book(self, fields: Mapping[str, Any]) -> Any:
        """Placed flat, shown with the order in a table of its own."""
        rows = []
        for alert in self._alerts.values():
            row = {"stat": "Ok", "norentm": self._now(), **alert}
            if alert["ai_t"] != "LMT_BOS_O":
                row["place_order_params"] = {
                    name: row.pop(name) for name in ("trantype", "prctyp", "prd", "qty", "prc")
                }
                row["oivariable"] = [{"d": row.pop("d"), "var_name": "x"}]
            rows.append(row)
        return rows

    # -- market -----------------------------------------------------------------------------
    def by_token(self, fields: Mapping[str, Any]) -> Key:
        """The instrument of exchange and token."""
        key = self._by_token.get((str(fields["exch"]), str(fields["token"])))
        if key is None:
            raise NorenError(NO_DATA)
        return key

    def packet(self, tick: Tick) -> dict[str, str]:
        """The fields of a quote or of a full packet of the feed."""
        row = self.rows[tick.exchange, tick.symbol]
        fields = {
            "lp": money(tick.ltp),
            "pc": f"{tick.change_percent:.2f}",
            "o": money(tick.open),
            "h": money(tick.high),
            "l": money(tick.low),
            "c": money(tick.close),
            "ti": money(row.tick_size),
            "ls": str(row.lot_size),
            "pp": "2",
        }
        if row.is_index:
            return fields
        fields |= {
            "v": str(tick.volume),
            "ap": money(tick.average_price),
            "ltq": str(tick.last_quantity),
            "tbq": str(tick.total_buy_quantity),
            "tsq": str(tick.total_sell_quantity),
            "uc": money(tick.upper_circuit),
            "lc": money(tick.lower_circuit),
        }
        if row.expiry is not None:
            fields["oi"] = str(tick.oi)
        book = tick.depth
        for side, letter in (("buy", "b"), ("sell", "s")):
            levels = getattr(book, side)[:5] if book else ()
            for number in range(1, 6):
                level = levels[number - 1] if number <= len(levels) else None
                fields[f"{letter}p{number}"] = money(level.price) if level else "0.00"
                fields[f"{letter}q{number}"] = str(level.quantity) if level else "0"
                fields[f"{letter}o{number}"] = str(level.orders) if level else "0"
        return fields

    async def get_quotes(self, fields: Mapping[str, Any]) -> Any:
        key = self.by_token(fields)
        now = self.clock.now().astimezone(IST)
        row = self.rows[key]
        return {
            "stat": "Ok",
            "request_time": self._now(),
            "exch": self.exchange(row),
            "tsym": self.name(row),
            "token": row.token,
            "ltt": f"{now:%H:%M:%S}",
            "ltd": f"{now:%d-%m-%Y}",
            **self.packet(await self.account.market.depth(key)),
        }

    async def time_series(self, fields: Mapping[str, Any]) -> Any:
        key, interval = self.by_token(fields), _INTERVALS[fields["intrv"]]
        start, end = int(fields["st"]), int(fields["et"])
        bars = await self.account.market.history(key, interval, _ist_date(start), _ist_date(end))
        rows = [
            {
                "stat": "Ok",
                "time": day_time(datetime.fromtimestamp(epoch, IST)),
                "ssboe": str(epoch),
                "into": money(float(bars.open[i])),
                "inth": money(float(bars.high[i])),
                "intl": money(float(bars.low[i])),
                "intc": money(float(bars.close[i])),
                "intv": str(int(bars.volume[i])),
                "intoi": "0",
                "oi": str(int(bars.oi[i])),
            }
            for i, epoch in enumerate(bars.time.tolist())
            if start <= epoch <= end
        ]
        if rows:  # minutes before the market opens are rows of zeros
            zero = dict.fromkeys(("into", "inth", "intl", "intc", "intv", "oi"), "0")
            rows.insert(0, {**rows[0], "ssboe": str(int(rows[0]["ssboe"]) - 300), **zero})
        return rows[::-1]

    async def day_chart(self, fields: Mapping[str, Any]) -> Any:
        """Rows as texts, newest first, without today's."""
        exchange, _, name = str(fields["sym"]).partition(":")
        today = self.clock.now().astimezone(IST).date()
        key = self._by_chart_name(exchange, name)
        start, end = _ist_date(int(fields["from"])), _ist_date(int(fields["to"]))
        bars = await self.account.market.history(
            key, Interval.DAY, start, min(end, today - timedelta(days=1))
        )
        rows = [
            json.dumps(
                {
                    "time": f"{datetime.fromtimestamp(epoch, IST):%d-%b-%Y}".upper(),
                    "into": money(float(bars.open[i])),
                    "inth": money(float(bars.high[i])),
                    "intl": money(float(bars.low[i])),
                    "intc": money(float(bars.close[i])),
                    "ssboe": str(epoch),
                    "intv": f"{bars.volume[i]}.00",
                }
            )
            for i, epoch in enumerate(bars.time.tolist())
        ]
        return rows[-1201:][::-1]

    def _by_chart_name(self, exchange: str, name: str) -> Key:
        for symbol, (_, chart, _) in INDEX_NAMES.items():
            if exchange == "NSE" and name == chart:
                return ("NSE_INDEX", symbol)
        key = self._by_name.get((exchange, name))
        if key is None or self.rows[key].is_index:
            raise NorenError(NO_DATA)
        return key

    # -- routes -----------------------------------------------------------------------------
    def add_routes(self, router: web.UrlDispatcher) -> None:
        for name, call in self._calls().items():
            router.add_post(f"{self.dialect.rest}/{name}", self._guarded(name, call))
        router.add_get("/OAuthlogin/authorize/oauth", self._authorize)
        router.add_post(f"{self.dialect.rest}/GenAcsTok", self._gen_token)
        router.add_post("/trade/apitoken", self._api_token)
        router.add_get("/{exchange}_symbols.txt.zip", self.zipped)
        router.add_get("/scripmaster/{name}.csv", self.plain)

    def _calls(self) -> dict[str, Callable[[Mapping[str, Any]], Awaitable[Any]]]:
        return {
            "PlaceOrder": self.place_order,
            "ModifyOrder": self.modify_order,
            "CancelOrder": self.cancel_order,
            "ProductConversion": self.convert_product,
            "OrderBook": self.order_book,
            "TradeBook": self.trade_book,
            "PositionBook": self.position_book,
            "Holdings": self.holdings,
            "Limits": self.limits,
            "GetBasketMargin": self.basket_margin,
            "GetOrderMargin": self.order_margin,
            "PlaceGTTOrder": self.place_alert,
            "ModifyGTTOrder": self.place_alert,
            "CancelGTTOrder": self.cancel_alert,
            "PlaceOCOOrder": self.place_alert,
            "ModifyOCOOrder": self.place_alert,
            "CancelOCOOrder": self.cancel_alert,
            "GetPendingGTTOrder": self.alert_book,
            "GetQuotes": self.get_quotes,
            "TPSeries": self.time_series,
            "EODChartData": self.day_chart,
            "Logout": self._logout,
        }

    async def _logout(self, fields: Mapping[str, Any]) -> Any:
        self._tokens.clear()
        return {"stat": "Ok", "request_time": self._now()}

    def _guarded(
        self, name: str, call: Callable[[Mapping[str, Any]], Awaitable[Any]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        in_body = self.dialect.key == "body" or (
            self.dialect.key == "charts" and name in ("TPSeries", "EODChartData")
        )

        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                fields, key = jdata(await request.text())
                if not in_body:
                    key = request.headers.get("Authorization", "").removeprefix("Bearer ")
                elif "Authorization" in request.headers:
                    raise NorenError("Invalid Input : jKey and Bearer")
                if not self.valid(key):
                    raise NorenError(NO_SESSION)
                if fields.get("uid") != USER:
                    raise NorenError("Session Expired : Invalid User Id")
                result = await call(fields)
            except NorenError as error:
                return self.no(str(error))
            except AppError as error:
                return self.no(f"Rejected : {error.message}")
            except (KeyError, ValueError) as error:
                return self.no(f"Invalid Input : {error}")
            return web.json_response(result) if result else self.no(NO_DATA)

        return answer

    # -- feed -------------------------------------------------------------------------------
    async def on_text(self, socket: Socket, text: str) -> None:
        message = json.loads(text)
        kind = message.get("t")
        if kind == "a":
            good = self.valid(str(message.get("accesstoken"))) and message.get("uid") == USER
            self.emit(socket, json.dumps({"t": "ak", "uid": USER, "s": "OK" if good else "NOT_OK"}))
            if good and not self.dialect.orders_asked:
                socket.orders = True
        elif kind == "h":
            self.emit(socket, json.dumps({"t": "hk", "ft": str(int(self.clock.time()))}))
        elif kind == "o":
            socket.orders = True
        elif kind in ("t", "d", "u", "ud"):
            pairs = [name.split("|") for name in str(message["k"]).split("#")]
            keys = [k for pair in pairs if (k := self._by_token.get((pair[0], pair[1])))]
            if kind == "t":
                await self.want(socket, dict.fromkeys(keys, FeedMode.QUOTE))
            elif kind == "d":
                await self.want(socket, dict.fromkeys(keys, FeedMode.DEPTH))
            else:
                ended = FeedMode.QUOTE if kind == "u" else FeedMode.DEPTH
                await self.unwant(socket, [k for k in keys if socket.modes.get(k) is ended])

    async def want(self, socket: Socket, modes: Mapping[Key, FeedMode]) -> None:
        """Acknowledged by a full packet each."""
        socket.modes.update(modes)
        await self._subscribe_market()
        for key, mode in modes.items():
            tick = await self.account.market.depth(key)
            self._send_packet(socket, key, tick, mode, full=True)

    def _tick(self, tick: Tick) -> None:
        key = (tick.exchange, tick.symbol)
        for socket in self.sockets:
            if (mode := socket.modes.get(key)) is not None:
                self._send_packet(socket, key, tick, mode, full=False)

    def _send_packet(
        self, socket: Socket, key: Key, tick: Tick, mode: FeedMode, *, full: bool
    ) -> None:
        """A full packet, or the fields that changed since the last one."""
        row = self.rows[key]
        fields = self.packet(tick)
        if mode is FeedMode.QUOTE:
            deep = ("tbq", "tsq", "uc", "lc", "ltq")
            fields = {
                n: v for n, v in fields.items() if n not in deep and not n.endswith(tuple("2345"))
            }
        head = {"e": self.exchange(row), "tk": row.token}
        letter = "d" if mode is FeedMode.DEPTH else "t"
        last = self._shown.get((id(socket), key), {})
        self._shown[id(socket), key] = {**({} if full else last), **fields}
        told = {"ft": str(int(self.clock.time()))}
        if full:
            frame = {"t": f"{letter}k", **head, "ts": self.name(row), **fields, **told}
        else:
            changed = {n: v for n, v in fields.items() if last.get(n) != v}
            frame = {"t": f"{letter}f", **head, **changed, **told}
        self.emit(socket, json.dumps(frame))

    def order_frame(self, order: Order) -> str:
        row = {k: v for k, v in self.order_row(order).items() if k not in ("stat", "ordenttm")}
        report = _REPORT.get(order.status, "NewAck")
        if order.filled_quantity and order.status is OrderStatus.OPEN:
            report = "Fill"
        return json.dumps({"t": "om", **row, "pcode": row["prd"], "reporttype": report})


_WRITES = frozenset(
    {
        "PlaceOrder", "ModifyOrder", "CancelOrder", "PlaceGTTOrder", "ModifyGTTOrder",
        "CancelGTTOrder", "PlaceOCOOrder", "ModifyOCOOrder", "CancelOCOOrder",
        "ProductConversion",
    }
)  # fmt: skip


def jdata(text: str) -> tuple[dict[str, Any], str]:
    """The fields and the key of a body, split at ``&`` as the server does it."""
    parts = dict(part.partition("=")[::2] for part in text.split("&"))
    try:
        fields = json.loads(parts.get("jData", ""))
    except ValueError:
        raise NorenError("Invalid Input : jData is not valid json object") from None
    return fields, parts.get("jKey", "")


def _unified(fields: Mapping[str, Any]) -> dict[str, Any]:
    """An order as it came, with the names that all emulators have."""
    return {
        **fields,
        "quantity": fields.get("qty", "0"),
        "price": fields.get("prc", "0"),
        "trigger_price": fields.get("trgprc", "0"),
        "disclosed_quantity": fields.get("dscqty", "0"),
    }


def _legs(fields: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    named = ("place_order_params", "place_order_params_leg2")
    return [fields[name] for name in named if name in fields] or [fields]


def _ist_date(epoch: int) -> date:
    return datetime.fromtimestamp(epoch, IST).date()


async def _main(port: int, redirect: str) -> None:
    emulator = NorenEmulator(SystemClock(), redirect=redirect)
    await emulator.start(port)
    try:
        print(f"{emulator.url}  {emulator.ws_url}  key {APP_KEY}  secret {API_SECRET}")
        await asyncio.Event().wait()
    finally:
        await emulator.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--redirect", default="http://127.0.0.1:5000/shoonya/callback")
    options = parser.parse_args()
    asyncio.run(_main(options.port, options.redirect))
