"""Fyers' API v3 on loopback: REST, symbol files, the HSM feed, 50-level books, order updates.

Written from myapi.fyers.in/docsv3 and PyPI ``fyers-apiv3`` (its clients are our servers), knowing
nothing of our adapter.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import secrets
import struct
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from openalgo_desktop.core.clock import IST, Clock
from openalgo_desktop.core.conversion import ConvertRequest
from openalgo_desktop.core.enums import Action, FeedMode, Interval, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import AppError, InsufficientFunds, OrderError
from openalgo_desktop.core.model import Instrument, Key, ModifyRequest, Order, OrderRequest
from openalgo_desktop.core.ticks import Tick
from tests.emulators.base import BrokerEmulator, Socket

APP_ID = "ABCD1234XY-100"
SECRET = "fyerssecret0001"
PIN = "4321"
USER = "XA00001"

_CODES = {
    "NSE": (10, 10), "NFO": (10, 11), "CDS": (10, 12), "NCO": (10, 20), "BSE": (12, 10),
    "BFO": (12, 11), "MCX": (11, 20),
}  # fmt: skip
_SEGMENTS = {
    "NSE": "nse_cm", "NFO": "nse_fo", "CDS": "cde_fo", "NCO": "nse_com", "BSE": "bse_cm",
    "BFO": "bse_fo", "MCX": "mcx_fo",
}  # fmt: skip
_FILES = {
    "NSE_CM.csv": "NSE", "BSE_CM.csv": "BSE", "NSE_FO.csv": "NFO", "BSE_FO.csv": "BFO",
    "NSE_CD_sym_master.json": "CDS", "MCX_COM_sym_master.json": "MCX",
    "NSE_COM_sym_master.json": "NCO",
}  # fmt: skip
_PRODUCTS = {"CNC": Product.CNC, "MARGIN": Product.NRML, "INTRADAY": Product.MIS}
_TYPES = {1: PriceType.LIMIT, 2: PriceType.MARKET, 3: PriceType.SLM, 4: PriceType.SL}
_STATES = {
    OrderStatus.CANCELLED: 1, OrderStatus.COMPLETE: 2, OrderStatus.REJECTED: 5,
    OrderStatus.OPEN: 6, OrderStatus.TRIGGER_PENDING: 6, OrderStatus.EXPIRED: 7,
}  # fmt: skip
_RESOLUTIONS = {
    **{f"{n}S": Interval(f"{n}s") for n in (5, 10, 15, 30, 45)},
    **{str(n): Interval(f"{n}m") for n in (1, 2, 3, 5, 10, 15, 20, 30)},
    **{str(60 * n): Interval(f"{n}h") for n in (1, 2, 3, 4)},
    "1D": Interval.DAY,
}
#: Names of the OMS for those of the book: order_mapper of map.json, the other way round.
_PUSHED = {
    "id": "id", "id_exchange": "exchOrdId", "qty": "qty", "qty_remaining": "remainingQuantity",
    "qty_filled": "filledQty", "price_limit": "limitPrice", "price_stop": "stopPrice",
    "price_traded": "tradedPrice", "ord_type": "type", "fy_token": "fyToken",
    "exchange": "exchange", "segment": "segment", "symbol": "symbol", "oms_msg": "message",
    "time_oms": "orderDateTime", "validity": "orderValidity", "product_type": "productType",
    "tran_side": "side", "org_ord_status": "status", "ordertag": "orderTag",
}  # fmt: skip
_ABSENT = -(1 << 31)
_HSM, _ORDERS, _BOOKS = "/hsm/v1-5/prod", "/trade/v3", "/versova"


class FyersError(Exception):
    """An error answer."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.status = code, status


def _refusal(code: int, message: str, status: int, **more: Any) -> web.Response:
    return web.json_response(
        {"s": "error", "code": code, "message": message, **more}, status=status
    )


def _time(moment: datetime | None) -> str:
    return moment.astimezone(IST).strftime("%d-%b-%Y %H:%M:%S") if moment else ""


def _varint(value: int) -> bytes:
    out = bytearray()
    while True:
        value, low = value >> 7, value & 127
        out.append(low | (128 if value else 0))
        if not value:
            return bytes(out)


def _bytes(number: int, value: bytes) -> bytes:
    """A length-delimited field of Protocol Buffers."""
    return bytes((number << 3 | 2,)) + _varint(len(value)) + value


def _boxed(number: int, value: int) -> bytes:
    """A wrapped number: 0 is an empty message."""
    return _bytes(number, b"\x08" + _varint(value) if value else b"")


class FyersEmulator(BrokerEmulator):
    """One app of one user."""

    feed_path = _HSM
    orders_at_once = False

    def __init__(self, clock: Clock, *, rate: float = 200.0, universe: Path | None = None) -> None:
        super().__init__(clock, rate=rate, universe=universe)
        self._codes: set[str] = set()
        self._tokens: dict[str, datetime] = {}  # access token -> its end
        self._refresh: set[str] = set()
        self._by_ticker: dict[str, Key] = {}
        self._fytoken: dict[Key, str] = {}
        self._by_topic: dict[str, Key] = {}
        self._numbers: dict[str, int] = {}  # of topics
        self._paths: dict[Socket, str] = {}
        self._levels: dict[Socket, dict[Key, bool]] = {}  # 50-level books: whether begun
        self._gtts: dict[str, dict[str, Any]] = {}
        self.accepted = 0  # acknowledgements of data frames
        self.mapped = True  # whether the names of indices can be had

    def use_mapping(self, there: bool) -> None:
        """Whether the names of indices can be had; before anybody subscribes."""
        self.mapped = there
        self._name_topics()

    async def start(self, port: int = 0) -> None:
        await super().start(port)
        for number, (key, row) in enumerate(self.rows.items(), 1000):
            if (home := self._home(row)) not in _CODES:
                continue
            first, second = _CODES[home]
            expiry = f"{row.expiry:%y%m%d}" if row.expiry else "000000"
            self._fytoken[key] = f"{first}{second}{expiry}{number}"
            self._by_ticker[self._ticker(row)] = key
        self._name_topics()

    def _name_topics(self) -> None:
        names = [(name, key) for key in self._fytoken for name in self._topics(self.rows[key])]
        self._by_topic = dict(names)
        self._numbers = {name: number for number, (name, _) in enumerate(names, 1)}

    def hosts(self) -> dict[str, str]:
        return {"rest": self.url, "public": self.url, "stream": self.ws_url, "books": self.ws_url}

    # -- names ------------------------------------------------------------------------------
    def _home(self, row: Instrument) -> str:
        return row.exchange.removesuffix("_INDEX")

    def _ticker(self, row: Instrument) -> str:
        """Fyers' symbol."""
        place = {"MCX": "MCX", "BSE": "BSE", "BFO": "BSE"}.get(self._home(row), "NSE")
        if row.is_index:
            return f"{place}:{row.symbol}-INDEX"
        if row.expiry is None:
            return f"{place}:{row.symbol}-{'A' if place == 'BSE' else 'EQ'}"
        tail = "FUT" if row.instrument_type == "FUT" else f"{row.strike:g}{row.instrument_type}"
        # Monthly and weekly codes need a calendar: here all are written alike.
        code = f"{row.expiry:%y}{'123456789OND'[row.expiry.month - 1]}{row.expiry:%d}"
        return f"{place}:{row.name}{code}{tail}"

    def _hsm_name(self, row: Instrument) -> str:
        """An index on the feed; one has a name of its own that only the mapping tells."""
        return f"The {row.symbol}" if row.symbol == "NIFTY" and self.mapped else row.symbol

    def _topics(self, row: Instrument) -> list[str]:
        segment = _SEGMENTS[self._home(row)]
        if row.is_index:
            return [f"if|{segment}|{self._hsm_name(row)}"]
        token = self._fytoken[row.key][10:]
        return [f"{kind}|{segment}|{token}" for kind in ("sf", "dp")]

    def _row(self, ticker: str) -> Instrument:
        key = self._by_ticker.get(ticker)
        if key is None:
            raise FyersError(-300, "Invalid symbol provided")
        return self.rows[key]

    def _size(self, row: Instrument) -> int:
        """Units of what Fyers counts as one."""
        return row.lot_size if row.exchange in ("MCX", "CDS", "NCO") else 1

    # -- login ------------------------------------------------------------------------------
    def new_auth_code(self) -> str:
        """What the browser would bring back."""
        code = secrets.token_hex(12)
        self._codes.add(code)
        return code

    def new_refresh_token(self) -> str:
        """For the login with the PIN."""
        token = secrets.token_hex(12)
        self._refresh.add(token)
        return token

    def new_access_token(self) -> str:
        """A JWT; it ends at the next 6 a.m. of the emulator's clock."""
        now = self.clock.now()
        end = now.replace(hour=6, minute=0, second=0, microsecond=0)
        end = end if end > now else end + timedelta(days=1)
        claims = {"fy_id": USER, "hsm_key": secrets.token_hex(8), "exp": int(end.timestamp())}
        parts = [base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=")
                 for p in ({"alg": "HS256"}, claims)]  # fmt: skip
        token = ".".join((*parts, secrets.token_hex(8)))
        self._tokens[token] = end
        return token

    def expire_sessions(self) -> None:
        """All sessions end now."""
        self._tokens.clear()

    def _valid(self, header: str) -> bool:
        app, _, token = header.partition(":")
        end = self._tokens.get(token)
        return app == APP_ID and end is not None and self.clock.now() < end

    def _hsm_keys(self) -> set[str]:
        keys = set()
        for token in self._tokens:
            body = token.split(".")[1]
            keys.add(json.loads(base64.urlsafe_b64decode(body + "=="))["hsm_key"])
        return keys

    async def _authcode(self, request: web.Request) -> web.StreamResponse:
        """The page of the broker; here everybody agrees at once."""
        query = request.query
        if query["client_id"] != APP_ID or query["response_type"] != "code":
            raise web.HTTPBadRequest
        back = {"s": "ok", "code": 200, "auth_code": self.new_auth_code(), "state": query["state"]}
        raise web.HTTPFound(f"{query['redirect_uri']}?{urlencode(back)}")

    async def _validate(self, request: web.Request) -> web.Response:
        body = await request.json()
        good = body.get("appIdHash") == hashlib.sha256(f"{APP_ID}:{SECRET}".encode()).hexdigest()
        more = {}
        if body.get("grant_type") == "authorization_code":
            good = good and body.get("code") in self._codes
            self._codes.discard(body.get("code"))
            more = {"refresh_token": self.new_refresh_token()}
        else:
            good = good and body.get("pin") == PIN and body.get("refresh_token") in self._refresh
        if not good:
            return _refusal(-413, "invalid app id hash or code", 400)
        return web.json_response(
            {"s": "ok", "code": 200, "message": "", "access_token": self.new_access_token(), **more}
        )

    async def _profile(self, request: web.Request) -> Any:
        return {"data": {"fy_id": USER, "name": "Test"}}

    async def _logout(self, request: web.Request) -> Any:
        self._tokens.pop(request.headers["Authorization"].partition(":")[2], None)
        return {}

    # -- orders -----------------------------------------------------------------------------
    async def _place(self, request: web.Request) -> Any:
        body = await request.json()
        self._note(body)
        row = self._row(body["symbol"])
        size, tag = self._size(row), body.get("orderTag", "")
        if tag and not (tag.isalnum() and len(tag) <= 30):
            raise FyersError(-50, "Invalid orderTag")
        order = OrderRequest(
            symbol=row.symbol,
            exchange=row.exchange,
            action=Action.BUY if body["side"] == 1 else Action.SELL,
            quantity=int(body["qty"]) * size,
            price_type=_TYPES[body["type"]],
            product=_PRODUCTS[body["productType"]],
            price=float(body["limitPrice"]),
            trigger_price=float(body["stopPrice"]),
            disclosed_quantity=int(body["disclosedQty"]) * size,
        )
        try:
            order_id = await self.take(order, tag)
        except InsufficientFunds as error:
            return self._rejected(order, tag, f"RED:Margin Shortfall: {error.message}")
        return {
            "code": 1101,
            "message": f"Order submitted successfully. {order_id}",
            "id": order_id,
        }

    def _rejected(self, request: OrderRequest, tag: str, reason: str) -> web.Response:
        """An order that was created and refused: an error, and a row of the book."""
        order = Order(
            order_id=f"98{len(self._taken) + 1:013d}",
            symbol=request.symbol,
            exchange=request.exchange,
            action=request.action,
            quantity=request.quantity,
            price_type=request.price_type,
            product=request.product,
            price=request.price,
            trigger_price=request.trigger_price,
            status=OrderStatus.REJECTED,
            rejection_reason=reason,
            placed_at=self.clock.now(),
            tag=tag,
        )
        self._show(order)
        return _refusal(-99, reason, 200, id=order.order_id)

    def _note(self, body: Mapping[str, Any]) -> None:
        """An order as it came, in our words."""
        names = {"qty": "quantity", "limitPrice": "price", "stopPrice": "trigger_price",
                 "disclosedQty": "disclosed_quantity"}  # fmt: skip
        self.arrived.append({names[n]: str(v) for n, v in body.items() if n in names})

    async def _known(self, order_id: str) -> Order:
        found = next((o for o in await self.orders() if o.order_id == order_id), None)
        if found is None:
            raise FyersError(-51, "Invalid order id")
        return found

    async def _modify(self, request: web.Request) -> Any:
        body = await request.json()
        self._note(body)
        order = await self._known(body["id"])
        size = self._size(self.rows[order.key])
        await self.retake(
            ModifyRequest(
                order_id=body["id"],
                quantity=int(body.get("qty") or 0) * size,
                # The optional one stays when it is not sent.
                disclosed_quantity=int(body["disclosedQty"]) * size
                if "disclosedQty" in body
                else order.disclosed_quantity,
                price=float(body.get("limitPrice") or 0),
                trigger_price=float(body.get("stopPrice") or 0),
                price_type=_TYPES[body["type"]],
            )
        )
        return {"code": 1102, "id": body["id"]}

    async def _cancel(self, request: web.Request) -> Any:
        body = await request.json()
        await self._known(body["id"])
        await self.drop(body["id"])
        return {"code": 1103, "id": body["id"]}

    def _names(self, row: Instrument) -> dict[str, Any]:
        first, second = _CODES[self._home(row)]
        return {"exchange": first, "segment": second, "symbol": self._ticker(row),
                "fyToken": self._fytoken[row.key]}  # fmt: skip

    def _order(self, order: Order) -> dict[str, Any]:
        row = self.rows[order.key]
        size = self._size(row)
        return {
            **self._names(row),
            "clientId": USER,
            "id": order.order_id,
            "exchOrdId": f"1{order.order_id[-12:]}",
            "qty": order.quantity // size,
            "remainingQuantity": (order.quantity - order.filled_quantity) // size,
            "filledQty": order.filled_quantity // size,
            "disclosedQty": order.disclosed_quantity // size,
            "limitPrice": order.price,
            "stopPrice": order.trigger_price,
            "tradedPrice": order.average_price,
            "type": next(wire for wire, ours in _TYPES.items() if ours is order.price_type),
            "side": order.action.sign,
            "productType": _product(order.product),
            "status": _STATES.get(order.status, 4),
            "message": order.rejection_reason,
            "orderDateTime": _time(order.placed_at),
            "orderValidity": "DAY",
            "orderTag": f"1:{order.tag}" if order.tag else "2:Untagged",
        }

    async def _orders(self, request: web.Request) -> Any:
        return {"orderBook": [self._order(order) for order in await self.orders()]}

    async def _trades(self, request: web.Request) -> Any:
        return {
            "tradeBook": [
                {
                    **self._names(self.rows[trade.key]),
                    "orderNumber": trade.order_id,
                    "tradeNumber": trade.trade_id,
                    "tradedQty": trade.quantity // self._size(self.rows[trade.key]),
                    "tradePrice": trade.price,
                    "side": trade.action.sign,
                    "productType": _product(trade.product),
                    "orderDateTime": _time(trade.traded_at),
                }
                for trade in await self.account.gateway.trades()
            ]
        }

    async def _positions(self, request: web.Request) -> Any:
        rows = []
        for p in await self.account.gateway.positions():
            row = self.rows[p.key]
            size = self._size(row)
            rows.append(
                {
                    **self._names(row),
                    "id": f"{self._ticker(row)}-{_product(p.product)}",
                    "netQty": int(p.quantity / size),
                    "netAvg": p.average_price,
                    "ltp": p.ltp,
                    "pl": p.pnl,
                    "productType": _product(p.product),
                    "buyQty": p.buy_quantity // size,
                    "sellQty": p.sell_quantity // size,
                    "cfBuyQty": 0,
                    "cfSellQty": 0,
                    "qtyMulti_com": row.contract_value * size,
                }
            )
        return {"netPositions": rows, "overall": {"count_total": len(rows)}}

    async def _convert(self, request: web.Request) -> Any:
        body = await request.json()
        self.arrived.append(body)
        ticker, _, held = body["symbol"].rpartition("-")
        if held != body["convertFrom"] or body["overnight"] != 0:  # nothing was carried over
            raise FyersError(-53, "Invalid position id")
        row = self._row(ticker)
        await self.account.gateway.convert(
            ConvertRequest(
                symbol=row.symbol,
                exchange=row.exchange,
                action=Action.BUY if body["positionSide"] == 1 else Action.SELL,
                quantity=int(body["convertQty"]) * self._size(row),
                product=_PRODUCTS[body["convertFrom"]],
                to=_PRODUCTS[body["convertTo"]],
            ),
            "",
        )
        return {"message": "Position Converted Successfully!!", "positionDetails": 1101}

    async def _holdings(self, request: web.Request) -> Any:
        rows = []
        for h in await self.account.gateway.holdings():
            kinds = (("HLD", h.quantity - h.t1_quantity), ("T1", h.t1_quantity))
            rows += [
                {**self._names(self.rows[h.key]), "holdingType": kind, "quantity": quantity,
                 "costPrice": h.average_price, "ltp": h.ltp, "qty_t1": h.t1_quantity,
                 "collateralQuantity": 0}
                for kind, quantity in kinds if quantity
            ]  # fmt: skip
        return {"holdings": rows, "overall": {"count_total": len(rows)}}

    async def _funds(self, request: web.Request) -> Any:
        funds = await self.account.gateway.funds()
        table = {
            1: ("Total Balance", funds.available_cash + funds.utilised),
            2: ("Utilized Amount", funds.utilised),
            3: ("Clear Balance", funds.available_cash),
            5: ("Collaterals", funds.collateral),
            10: ("Available Balance", funds.available_cash),
        }
        return {
            "fund_limit": [
                {"id": n, "title": title, "equityAmount": amount, "commodityAmount": 0}
                for n, (title, amount) in table.items()
            ]
        }

    async def _margin(self, request: web.Request) -> Any:
        total = 0.0
        for leg in (await request.json())["data"]:
            row = self._row(leg["symbol"])
            units = leg["qty"] * self._size(row)
            value = (leg["limitPrice"] or 100.0) * units * row.contract_value
            total += value if row.expiry is None else 0.13 * value
        return {"data": {"margin_avail": 1e6, "margin_total": total, "margin_new_order": 2 * total}}

    # -- triggers ---------------------------------------------------------------------------
    async def _gtt(self, request: web.Request) -> Any:
        body = await request.json()
        if request.method != "POST" and body["id"] not in self._gtts:
            raise FyersError(-51, "Invalid order id")
        if request.method == "DELETE":
            self._gtts[body["id"]] |= {"ord_status": 1, "report_type": "CANCELLED"}
            return {"code": 1103, "id": body["id"]}
        first, second = body["orderInfo"]["leg1"], body["orderInfo"].get("leg2")
        if request.method == "PATCH":
            kept = self._gtts[body["id"]]
            row = self._row(kept["symbol"])
        else:
            row = self._row(body["symbol"])
            if body["productType"] not in ("CNC", "MARGIN", "MTF"):
                raise FyersError(-50, "Invalid productType")
            names = self._names(row)
            kept = {
                **names,
                "fy_token": names["fyToken"],
                "id": f"{26112900000000 + len(self._gtts)}",
                "ord_status": 6,
                "product_type": body["productType"],
                "tran_side": body["side"],
                "create_time": _time(self.clock.now()),
            }
        last = (await self.account.market.depth(row.key)).ltp
        if second and not first["triggerPrice"] > last > second["triggerPrice"]:
            raise FyersError(-50, "leg1 must trigger above the LTP, leg2 below it")
        self._gtts[kept["id"]] = {
            **kept,
            "gtt_oco_ind": 2 if second else 1,
            "qty": first["qty"],
            "price_limit": first["price"],
            "price_trigger": first["triggerPrice"],
            "qty2": (second or first)["qty"],
            "price2_limit": second["price"] if second else 0,
            "price2_trigger": second["triggerPrice"] if second else 0,
            "ltp": last,
        }
        return {"code": 1101 if request.method == "POST" else 1102, "id": kept["id"]}

    async def _gtt_book(self, request: web.Request) -> Any:
        return {"orderBook": list(self._gtts.values())[::-1]}

    # -- market -----------------------------------------------------------------------------
    async def _depth(self, request: web.Request) -> Any:
        row = self._row(request.query["symbol"])
        if request.query.get("ohlcv_flag") != "1":
            raise FyersError(-50, "ohlcv_flag is required")
        tick = await self.account.market.depth(row.key)

        def side(levels: Iterable[Any]) -> list[dict[str, Any]]:
            return [{"price": v.price, "volume": v.quantity, "ord": v.orders} for v in levels]

        book = tick.depth
        raw = {
            "totalbuyqty": tick.total_buy_quantity, "totalsellqty": tick.total_sell_quantity,
            "bids": side(book.buy if book else ()), "ask": side(book.sell if book else ()),
            "o": tick.open, "h": tick.high, "l": tick.low, "c": tick.close, "ltp": tick.ltp,
            "ltq": tick.last_quantity, "ltt": int(self.clock.time()), "v": tick.volume,
            "atp": tick.average_price, "oi": tick.oi, "lower_ckt": tick.lower_circuit,
            "upper_ckt": tick.upper_circuit, "oiflag": bool(tick.oi),
        }  # fmt: skip
        return {"d": {self._ticker(row): raw}, "message": ""}

    async def _quotes(self, request: web.Request) -> Any:
        tickers = request.query["symbols"].split(",")
        if len(tickers) > 50:
            raise FyersError(-50, "Maximum symbol limit is 50")
        rows = []
        for ticker in tickers:
            key = self._by_ticker.get(ticker)
            if key is None:
                error = {"code": -300, "errmsg": "invalid symbol"}
                rows.append({"n": ticker, "s": "error", "v": error})
                continue
            tick = (await self.account.market.quotes([key]))[key]
            assert isinstance(tick, Tick)
            rows.append(
                {
                    "n": ticker,
                    "s": "ok",
                    "v": {
                        "lp": tick.ltp, "bid": tick.bid, "ask": tick.ask,
                        "open_price": tick.open, "high_price": tick.high,
                        "low_price": tick.low, "prev_close_price": tick.close,
                        "volume": tick.volume, "atp": tick.average_price, "symbol": ticker,
                        "tt": str(int(self.clock.time()) // 86400 * 86400),
                    },
                }
            )  # fmt: skip
        return {"d": rows}

    async def _history(self, request: web.Request) -> Any:
        query = request.query
        row, interval = self._row(query["symbol"]), _RESOLUTIONS[query["resolution"]]
        start, end = date.fromisoformat(query["range_from"]), date.fromisoformat(query["range_to"])
        most = 366 if interval is Interval.DAY else 100 if query["resolution"].isdigit() else 30
        if query.get("date_format") != "1" or (end - start).days > most:
            raise FyersError(-50, "Invalid input")
        bars = await self.account.market.history(row.key, interval, start, end)
        interest = query.get("oi_flag") == "1"
        candles = [
            [int(bars.time[i]), float(bars.open[i]), float(bars.high[i]), float(bars.low[i]),
             float(bars.close[i]), int(bars.volume[i]), *([int(bars.oi[i])] if interest else [])]
            for i in range(len(bars))
        ]  # fmt: skip
        return {"s": "ok" if candles else "no_data", "candles": candles}

    async def _master(self, request: web.Request) -> web.Response:
        name = request.match_info["file"]
        if name == "index_hsm_mapping.json":
            if not self.mapped:
                raise web.HTTPNotFound
            rows = [row for row in self.rows.values() if row.is_index and row.key in self._fytoken]
            return web.json_response({self._ticker(row): self._hsm_name(row) for row in rows})
        if name not in _FILES:
            raise web.HTTPNotFound
        rows = [self.rows[key] for key in self._fytoken]
        rows = [row for row in rows if self._home(row) == _FILES[name]]
        if name.endswith("json"):
            return web.json_response({self._ticker(row): self._json_row(row) for row in rows})
        out = io.StringIO()
        csv.writer(out).writerows(map(self._csv_row, rows))
        return web.Response(text=out.getvalue(), content_type="text/csv")

    def _expiry(self, row: Instrument) -> int | str:
        """The end of the last day's trade, epoch seconds."""
        if row.expiry is None:
            return ""
        end = datetime(row.expiry.year, row.expiry.month, row.expiry.day, 15, 30, tzinfo=IST)
        return int(end.timestamp())

    def _details(self, row: Instrument) -> tuple[str, int, str]:
        """Symbol details, instrument type, option type."""
        if row.expiry is None:
            return row.name or row.symbol, 10 if row.is_index else 0, "XX"
        kind = "FUT" if row.instrument_type == "FUT" else f"{row.strike:g} {row.instrument_type}"
        option = "XX" if kind == "FUT" else row.instrument_type
        return f"{row.name} {row.expiry:%d %b %y} {kind}", 11 if kind == "FUT" else 14, option

    def _csv_row(self, row: Instrument) -> list[Any]:
        first, second = _CODES[self._home(row)]
        details, kind, option = self._details(row)
        token = self._fytoken[row.key]
        base = row.name if row.expiry else row.symbol
        return [
            token, details, kind, row.lot_size, row.tick_size, "", "0915-1530", "2026-11-30",
            self._expiry(row), self._ticker(row), first, second, token[10:], base, 0,
            row.strike or -1.0, option, "", "None", 0, 0.0,
        ]  # fmt: skip

    def _json_row(self, row: Instrument) -> dict[str, Any]:
        details, kind, option = self._details(row)
        names = self._names(row)
        return {
            **names, "symTicker": names["symbol"], "symDetails": details, "exInstType": kind,
            "minLotSize": 1, "qtyMultiplier": row.lot_size * row.contract_value,
            "tickSize": row.tick_size,
            "expiryDate": str(self._expiry(row)), "strikePrice": row.strike or -1.0,
            "optType": option, "underSym": row.name,
        }  # fmt: skip

    # -- routes -----------------------------------------------------------------------------
    def add_feed(self, app: web.Application) -> None:
        for path in (_HSM, _ORDERS, _BOOKS):
            app.router.add_get(path, self._feed)

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/api/v3/generate-authcode", self._authcode)
        router.add_post("/api/v3/validate-authcode", self._validate)
        router.add_post("/api/v3/validate-refresh-token", self._validate)
        router.add_get("/sym_details/{file}", self._master)
        routes: list[tuple[str, str, Callable[[web.Request], Awaitable[Any]]]] = [
            ("GET", "/api/v3/profile", self._profile),
            ("POST", "/api/v3/logout", self._logout),
            ("POST", "/api/v3/orders/sync", self._place),
            ("PATCH", "/api/v3/orders/sync", self._modify),
            ("DELETE", "/api/v3/orders/sync", self._cancel),
            ("GET", "/api/v3/orders", self._orders),
            ("GET", "/api/v3/tradebook", self._trades),
            ("GET", "/api/v3/positions", self._positions),
            ("POST", "/api/v3/positions", self._convert),
            ("GET", "/api/v3/holdings", self._holdings),
            ("GET", "/api/v3/funds", self._funds),
            ("POST", "/api/v3/multiorder/margin", self._margin),
            ("GET", "/api/v3/gtt/orders", self._gtt_book),
            *(
                (method, "/api/v3/gtt/orders/sync", self._gtt)
                for method in ("POST", "PATCH", "DELETE")
            ),
            ("GET", "/data/depth", self._depth),
            ("GET", "/data/quotes", self._quotes),
            ("GET", "/data/history", self._history),
        ]
        for method, path, handler in routes:
            router.add_route(method, path, self._guarded(handler))

    def _guarded(
        self, handler: Callable[[web.Request], Awaitable[Any]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def call(request: web.Request) -> web.StreamResponse:
            if not self._valid(request.headers.get("Authorization", "")):
                return _refusal(-16, "Could not authenticate the user", 401)
            try:
                data = await handler(request)
            except FyersError as error:
                return _refusal(error.code, str(error), error.status)
            except InsufficientFunds as error:
                return _refusal(-99, f"RED:Margin Shortfall: {error.message}", 200)
            except OrderError:
                return _refusal(-52, "Not a pending order", 400)
            except AppError as error:
                return _refusal(-50, error.message, 400)
            except (KeyError, ValueError) as error:
                return _refusal(-50, f"Missing or invalid field: {error}", 400)
            if isinstance(data, web.StreamResponse):
                return data
            return web.json_response({"s": "ok", "code": 200, "message": "", **data})

        return call

    def refuse(self, status: int) -> web.Response:
        codes = {401: -16, 403: -16, 429: -429}
        return _refusal(codes.get(status, -1), f"fault {status}", status)

    def is_write(self, request: web.Request) -> bool:
        path = request.path
        return request.method != "GET" and path.endswith(("orders/sync", "/positions"))

    # -- sockets ----------------------------------------------------------------------------
    async def check_socket(self, request: web.Request) -> None:
        if request.path == _HSM:  # its log-in is a frame
            return
        if not self._valid(request.headers.get("Authorization", "")):
            raise web.HTTPForbidden

    async def on_open(self, socket: Socket, request: web.Request) -> None:
        self._paths[socket] = request.path

    async def on_text(self, socket: Socket, text: str) -> None:
        if text == "ping":
            await socket.send("pong")
            return
        message = json.loads(text)
        if self._paths[socket] == _ORDERS:
            socket.orders = message["T"] == "SUB_ORD" and "orders" in message["SLIST"]
            done = {"code": 1605, "message": "Successfully subscribed", "s": "ok"}
            await socket.send(json.dumps(done))
        elif message["type"] == 1:
            keys = [self._by_ticker[ticker] for ticker in message["data"]["symbols"]]
            begun = self._levels.setdefault(socket, {})
            for key in keys:
                if message["data"]["subs"] == 1:
                    begun[key] = False
                else:
                    begun.pop(key, None)
            if message["data"]["subs"] == 1:
                await self.want(socket, dict.fromkeys(keys, FeedMode.DEPTH))
            else:
                await self.unwant(socket, keys)

    async def on_binary(self, socket: Socket, data: bytes) -> None:
        if data == b"\x00\x01\x0b":  # its ping; that it is answered is said nowhere
            return
        kind, fields = data[2], _fields(data)
        if kind == 1:
            good = fields[1].decode() in self._hsm_keys() and fields[2] == b"P"
            answer = b"K" if good else b"N"
            self.emit(socket, _frame(1, [answer, struct.pack(">I", 5)]))
        elif kind in (4, 5):
            topics = _topics_in(fields[1])
            await self._wanted(socket, topics, begin=kind == 4)
        elif kind == 3:
            self.accepted += 1
        elif kind == 12:
            self.emit(socket, _frame(12, [b"K"]))

    async def _wanted(self, socket: Socket, topics: Sequence[str], *, begin: bool) -> None:
        """The mode of an instrument follows from its topics."""
        named = {name: self._by_topic[name] for name in topics if name in self._by_topic}
        for name, key in named.items():
            if begin:
                mode = FeedMode.DEPTH if name.startswith("dp") else FeedMode.QUOTE
                socket.modes[key] = max(mode, socket.modes.get(key, mode))
            elif name.startswith("dp"):
                socket.modes[key] = FeedMode.QUOTE
            else:
                socket.modes.pop(key, None)
        self.emit(socket, _frame(5 - begin, [b"K"]))
        if begin:
            for name, key in named.items():
                tick = await self.account.market.depth(key)
                self.emit(socket, _data([self._snapshot(name, tick)]))
        await self._subscribe_market()

    def _scale(self, key: Key) -> tuple[int, int]:
        """Precision and multiplier of the prices of an instrument."""
        return {"CDS": (4, 1), "MCX": (0, 100)}.get(key[0], (2, 1))

    def _values(self, name: str, tick: Tick) -> list[int]:
        precision, multiplier = self._scale(tick.key)

        def price(value: float) -> int:
            return round(value * 10**precision * multiplier)

        now = int(self.clock.time())
        if name.startswith("if"):
            return [price(tick.ltp), price(tick.close), now, price(tick.high), price(tick.low),
                    price(tick.open)]  # fmt: skip
        if name.startswith("dp"):
            book = tick.depth
            levels = (*(book.buy if book else ()), *(book.sell if book else ()))
            levels = levels if len(levels) == 10 else ()
            return (
                [price(level.price) for level in levels]
                + [level.quantity for level in levels]
                + [level.orders for level in levels]
            ) or [_ABSENT] * 30
        return [
            price(tick.ltp), tick.volume, now, now, tick.bid_quantity, tick.ask_quantity,
            price(tick.bid), price(tick.ask), tick.last_quantity, tick.total_buy_quantity,
            tick.total_sell_quantity, price(tick.average_price), tick.oi, price(tick.low),
            price(tick.high), 0, 0, price(tick.lower_circuit), price(tick.upper_circuit),
            price(tick.open), price(tick.close),
        ]  # fmt: skip

    def _snapshot(self, name: str, tick: Tick) -> bytes:
        values, text = self._values(name, tick), name.encode()
        precision, multiplier = self._scale(tick.key)
        body = struct.pack("<BHB", 83, self._numbers[name], len(text)) + text
        body += struct.pack(f">B{len(values)}i", len(values), *values)
        body += struct.pack(">HHB", 0, multiplier, precision)
        return body + b"".join(bytes((len(t),)) + t for t in (b"NSE", b"1", b"A-EQ"))

    def _update(self, name: str, tick: Tick) -> bytes:
        """What does not change in a day is not sent again."""
        values = self._values(name, tick)
        if name.startswith("sf"):
            values[15:] = [_ABSENT] * 6
        return struct.pack("<BHB", 85, self._numbers[name], len(values)) + struct.pack(
            f">{len(values)}i", *values
        )

    def tick_frame(self, tick: Tick, mode: FeedMode) -> bytes:
        names = self._topics(self.rows[tick.key])
        if mode is not FeedMode.DEPTH:
            names = names[:1]
        return _data([self._update(name, tick) for name in names])

    def emit(self, socket: Socket, frame: str | bytes) -> None:
        """Ticks of the base are for the market's socket; the other one has books."""
        if self._paths.get(socket) != _BOOKS:
            super().emit(socket, frame)

    def _tick(self, tick: Tick) -> None:
        super()._tick(tick)
        for socket, begun in self._levels.items():
            if tick.key in begun and tick.depth is not None and socket in self.sockets:
                super().emit(socket, self._book(tick, snapshot=not begun[tick.key]))
                begun[tick.key] = True

    def _book(self, tick: Tick, *, snapshot: bool) -> bytes:
        """Fifty levels made of five; of a change the first two only."""
        assert tick.depth is not None
        sides = []
        for levels, sign in ((tick.depth.sell, 1), (tick.depth.buy, -1)):
            out = []
            for number in range(50 if snapshot else 2):
                level = levels[min(number, len(levels) - 1)]
                price = round(level.price * 100) + sign * 5 * max(0, number - len(levels) + 1)
                out.append(
                    _boxed(1, price) + _boxed(2, level.quantity) + _boxed(3, level.orders)
                    + _boxed(4, number)
                )  # fmt: skip
            sides.append(out)
        depth = _boxed(1, tick.total_buy_quantity) + _boxed(2, tick.total_sell_quantity)
        for number, out in zip((3, 4), sides, strict=True):
            depth += b"".join(_bytes(number, level) for level in out)
        ticker = self._ticker(self.rows[tick.key]).encode()
        feed = _bytes(5, depth) + _boxed(6, int(self.clock.time())) + _bytes(11, ticker)
        entry = _bytes(1, self._fytoken[tick.key].encode()) + _bytes(2, feed)
        return b"\x08\x06" + _bytes(2, entry) + (b"\x18\x01" if snapshot else b"")

    def order_frame(self, order: Order) -> str:
        row = self._order(order)
        return json.dumps(
            {"s": "ok", "orders": {ours: row[name] for ours, name in _PUSHED.items()}}
        )


def _product(product: Product) -> str:
    return next(wire for wire, ours in _PRODUCTS.items() if ours is product)


def _frame(kind: int, values: Sequence[bytes]) -> bytes:
    body = bytes((kind, len(values)))
    for number, value in enumerate(values, 1):
        body += struct.pack(">BH", number, len(value)) + value
    return struct.pack(">H", len(body)) + body


def _data(items: Sequence[bytes]) -> bytes:
    body = struct.pack(">BIH", 6, 1, len(items)) + b"".join(items)
    return struct.pack(">H", len(body)) + body


def _fields(data: bytes) -> Mapping[int, bytes]:
    found, offset = {}, 4
    for _ in range(data[3]):
        size = struct.unpack_from(">H", data, offset + 1)[0]
        found[data[offset]] = data[offset + 3 : offset + 3 + size]
        offset += 3 + size
    return found


def _topics_in(data: bytes) -> list[str]:
    found, offset = [], 2
    for _ in range(struct.unpack_from(">H", data)[0]):
        found.append(data[offset + 1 : offset + 1 + data[offset]].decode())
        offset += 1 + data[offset]
    return found
