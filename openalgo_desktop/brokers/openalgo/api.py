"""What tables cannot say of an OpenAlgo server."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, ClassVar
from urllib.parse import urlsplit

import msgspec

from openalgo_desktop.brokers.kit.account.api import BrokerApi
from openalgo_desktop.brokers.kit.account.marketdata import Candle, instrument_context, padded
from openalgo_desktop.brokers.kit.books.times import moment
from openalgo_desktop.brokers.kit.rest.values import as_rows, count, number, number_text
from openalgo_desktop.brokers.kit.spec import Gives
from openalgo_desktop.brokers.openalgo.spec import DEFAULT_URL, DEFAULT_WS_PORT, STRATEGY
from openalgo_desktop.core.enums import (
    Action,
    GttType,
    Interval,
    OrderStatus,
    PriceType,
    Product,
)
from openalgo_desktop.core.errors import (
    AppError,
    BadCredentials,
    DataError,
    NoHistory,
    OrderNotFound,
    RejectedByBroker,
    SessionExpired,
)
from openalgo_desktop.core.gtt import Gtt, GttLeg, GttRequest
from openalgo_desktop.core.model import (
    BookRows,
    Instrument,
    Key,
    ModifyRequest,
    Order,
    OrderAck,
    OrderRequest,
    Trade,
)
from openalgo_desktop.core.ticks import Bars, Part, Tick

log = logging.getLogger(__name__)
_OHLC = ("open", "high", "low", "close")
_GTT = (
    "@order", "strategy", "trigger_type", "triggerprice_sl", "triggerprice_tg", "stoploss",
    "target",
)  # fmt: skip


class OpenAlgoApi(BrokerApi):
    """A remote OpenAlgo server."""

    gives: ClassVar[Gives] = {
        "find_server": ("rest_url", "ws_url", "served_intervals", "client_id"),
        "place": ("strategy",),
        "margin": ("positions",),
        "gtt_place": _GTT,
        "gtt_modify": _GTT,
        "quotes": ("symbols",),
        "depth": ("@instrument",),
    }

    # -- login ------------------------------------------------------------------------------
    async def find_server(self, known: Mapping[str, Any]) -> Mapping[str, str]:
        """Login step: both addresses, the check that the key opens the server, and the candle
        intervals that it serves."""
        rest_url = server_url(known.get("rest_url") or self.rest.overrides.get("rest", ""))
        ws_url = known.get("ws_url") or self.rest.overrides.get("stream") or feed_url(rest_url)
        if urlsplit(ws_url).scheme not in ("ws", "wss"):
            raise BadCredentials(
                "The WebSocket address must begin with ws:// or wss://.", field="ws_url"
            )
        values = {**known, "rest_url": rest_url, "ws_url": ws_url.rstrip("/")}
        try:
            await self.rest.call(self.spec.ops["profile"], values, "login")
        except SessionExpired as error:
            raise BadCredentials(error.message, field="api_key") from None
        groups = await self.rest.call(self.spec.ops["intervals"], values, "login")
        await self._tell_mode(values)
        served = [text for group in (groups or {}).values() for text in group]
        return {
            "rest_url": values["rest_url"],
            "ws_url": values["ws_url"],
            "served_intervals": ",".join(served) or "D",
            "client_id": urlsplit(rest_url).netloc,
        }

    async def _tell_mode(self, values: Mapping[str, Any]) -> None:
        """The server has a switch of its own; whoever trades live here should know where it is."""
        try:
            state = await self.rest.call(self.spec.ops["mode"], values, "login")
        except AppError as error:
            log.info("the server does not say its mode: %s", error.message)
            return
        if isinstance(state, Mapping) and state.get("analyze_mode"):
            log.warning(
                "The OpenAlgo server %s is in analyze mode: orders sent to it are simulated there "
                "until it is switched to live.",
                urlsplit(values["rest_url"]).netloc,
            )

    # -- orders -----------------------------------------------------------------------------
    async def place(self, request: OrderRequest, tag: str) -> OrderAck:
        """The tag stays with us: the API has no place for it."""
        row = self.index.require(request.symbol, request.exchange)
        self._refuse_locally(request)
        context = self.order_context(request, row) | {"tag": tag}
        data = await self.rest.op("place", context)
        self._refuse_queued(data)
        return self._ack(data, tag, "order_id")

    def _refuse_queued(self, data: Any) -> None:
        """A server in semi-auto mode queues orders for a human and says so without an id."""
        if isinstance(data, Mapping) and "pending_order_id" in data and "orderid" not in data:
            raise RejectedByBroker(
                f"The server queued the order as no. {data['pending_order_id']} of its Action "
                "Center. It is sent when somebody approves it there; switch the server to auto "
                "mode to trade from here.",
                code="semi_auto",
            )

    def order_context(self, request: OrderRequest, row: Instrument) -> dict[str, Any]:
        """Orders are filed under the strategy of the request."""
        return super().order_context(request, row) | {"strategy": request.strategy or STRATEGY}

    async def modify(self, request: ModifyRequest) -> OrderAck:
        try:
            return await super().modify(request)
        except AppError as error:
            raise _not_found(error, request.order_id) from None

    async def cancel(self, order_id: str) -> OrderAck:
        try:
            return await super().cancel(order_id)
        except AppError as error:
            raise _not_found(error, order_id) from None

    # -- books ------------------------------------------------------------------------------
    def read_order(self, row: Mapping[str, Any]) -> Order:
        """Completes what a row leaves out: pushes have no time and no strategy, some servers no
        filled quantity."""
        order = super().read_order(row)
        before = self._seen.get(order.order_id)
        if order.placed_at is None:
            order.placed_at = before.placed_at if before is not None else self.clock.now()
            order.updated_at = self.clock.now()
        else:
            order.updated_at = None  # the book tells when an order was placed, no more
        order.strategy = str(row.get("strategy") or (before.strategy if before is not None else ""))
        if order.status is OrderStatus.COMPLETE and not order.filled_quantity:
            order.filled_quantity = order.quantity
        return order

    async def trades(self) -> BookRows[Trade]:
        """Executions; those that the server gives no id get the order's and a number."""
        trades, seen = await super().trades(), Counter[str]()
        for position, trade in enumerate(trades):
            if trade.trade_id == trade.order_id:
                seen[trade.order_id] += 1
                trade_id = f"{trade.order_id}-{seen[trade.order_id]}"
                trades[position] = msgspec.structs.replace(trade, trade_id=trade_id)
        return trades

    # -- money ------------------------------------------------------------------------------
    async def margin_call(self, items: Sequence[dict[str, Any]]) -> Any:
        """All legs in one request; this endpoint wants its numbers as texts."""
        positions = [
            {
                "symbol": item["symbol"],
                "exchange": item["exchange"],
                "action": item["wire_action"],
                "product": item["wire_product"],
                "pricetype": item["wire_price_type"],
                "quantity": number_text(item["quantity"]),
                "price": number_text(item["price"]),
                "trigger_price": number_text(item["trigger_price"]),
            }
            for item in items
        ]
        return await self.rest.op("margin", {"positions": positions})

    # -- good till triggered ----------------------------------------------------------------
    async def gtt_context(self, request: GttRequest) -> dict[str, Any]:
        self.index.require(request.symbol, request.exchange)
        oco = request.trigger_type is GttType.OCO
        return {
            "symbol": request.symbol,
            "exchange": request.exchange,
            "strategy": request.strategy or STRATEGY,
            "trigger_type": request.trigger_type.value,
            "wire_action": request.action.value,
            "wire_product": request.product.value,
            "wire_price_type": request.price_type.value,
            "quantity": request.quantity,
            "price": request.price,
            "triggerprice_sl": request.trigger_below,
            "triggerprice_tg": request.trigger_above,
            "stoploss": request.stoploss if oco else 0.0,
            "target": request.target if oco else 0.0,
        }

    def read_gtt(self, row: Mapping[str, Any]) -> Gtt | None:
        """The server lists active triggers only. Which side a single trigger is on follows from
        the last price at placement."""
        legs, triggers = row["legs"], row["trigger_prices"]
        last = number(row.get("last_price"))
        first = legs[0]
        two = len(triggers) > 1
        return Gtt(
            trigger_id=str(row["trigger_id"]),
            trigger_type=GttType.OCO if two else GttType.SINGLE,
            symbol=row["symbol"],
            exchange=row["exchange"],
            action=Action(first["action"]),
            quantity=count(first["quantity"]),
            product=Product(first["product"]),
            price_type=PriceType(first["pricetype"]),
            legs=[
                GttLeg(
                    trigger_price=number(trigger),
                    below=(position == 0) if two else number(trigger) <= last,
                    price=number(leg.get("price")),
                )
                for position, (trigger, leg) in enumerate(zip(triggers, legs, strict=False))
            ],
            last_price=last,
            created_at=moment(row.get("created_at"), self.clock),
            updated_at=moment(row.get("updated_at"), self.clock),
            expires_at=moment(row.get("expires_at"), self.clock),
            strategy=str(row.get("strategy") or ""),
            account_id=self.rows.account_id,
        )

    # -- market data ------------------------------------------------------------------------
    async def quote_call(self, batch: Sequence[Instrument]) -> Mapping[Key, Mapping[str, Any]]:
        """Rows carry a quote or an error; when all are wrong the whole answer is a refusal."""
        symbols = [{"symbol": row.symbol, "exchange": row.exchange} for row in batch]
        try:
            rows = as_rows(await self.rest.op("quotes", {"symbols": symbols}))
        except DataError:
            return {}
        return {
            (str(row.get("exchange")), str(row.get("symbol"))): row["data"]
            for row in rows
            if isinstance(row, Mapping) and isinstance(row.get("data"), Mapping)
        }

    def read_quote(self, raw: Any, row: Instrument) -> Tick | AppError:
        """Servers send a bid and ask of 0 where their broker gives none: that is not known."""
        tick = super().read_quote(raw, row)
        if isinstance(tick, AppError) or tick.bid > 0 or tick.ask > 0 or row.is_index:
            return tick
        return msgspec.structs.replace(tick, unknown=tick.unknown | Part.TOUCH)

    async def depth(self, key: Key) -> Tick:
        """The book; an index has an empty one."""
        exchange, symbol = key
        row = self.index.require(symbol, exchange)
        raw = await self.rest.op("depth", instrument_context(row))
        tick = self.read_quote(raw or {}, row)
        if isinstance(tick, AppError):
            raise tick
        return padded(tick, self.spec.capabilities.depth_levels)

    async def history(self, key: Key, interval: Interval, start: date, end: date) -> Bars:
        """Candles; an interval that the server did not name at the login is not asked for."""
        if interval not in self.intervals():
            raise NoHistory(f"The OpenAlgo server has no {interval} candles.")
        return await super().history(key, interval, start, end)

    def read_candles(self, data: Any, interval: Interval) -> Iterable[Candle]:
        """The server's times are ours: epoch seconds, days as midnight UTC."""

        def read(row: Mapping[str, Any]) -> Candle:
            open_, high, low, close = (number(row[name]) for name in _OHLC)
            volume, oi = int(number(row.get("volume"))), int(number(row.get("oi")))
            return (int(row["timestamp"]), open_, high, low, close, volume, oi)

        return self.rows.book("candle", as_rows(data), read)

    def intervals(self) -> Sequence[Interval]:
        """What the server said at the login."""
        served = self.rest.session.get("served_intervals").split(",")
        return tuple(interval for interval in Interval if interval.value in served)


def server_url(text: str) -> str:
    """The address without a path, whatever people paste; http where no scheme is given."""
    text = text.strip() or DEFAULT_URL
    if "://" not in text:
        text = f"http://{text}"
    parts = urlsplit(text)
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme not in ("http", "https") or not parts.hostname or port == -1:
        raise BadCredentials(
            f"{text!r} is no server address; it looks like {DEFAULT_URL}.", field="rest_url"
        )
    path = parts.path.rstrip("/").removesuffix("/api/v1")
    return f"{parts.scheme}://{parts.netloc}{path}"


def feed_url(rest_url: str) -> str:
    """Where the WebSocket of a server usually is: port 8765, or /ws behind an https proxy."""
    parts = urlsplit(rest_url)
    if parts.scheme == "https":
        return f"wss://{parts.netloc}/ws"
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    return f"ws://{host}:{DEFAULT_WS_PORT}"


def _not_found(error: AppError, order_id: str) -> AppError:
    text = error.message.lower()
    if isinstance(error, (RejectedByBroker, DataError)) and "not found" in text:
        return OrderNotFound(order_id)
    return error
