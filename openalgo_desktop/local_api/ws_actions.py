"""What a WebSocket client may ask: one handler per action, texts and codes as clients know them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import msgspec

from openalgo_desktop.core.encodings import utf8_json
from openalgo_desktop.core.enums import AccountState, FeedMode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.numbers import is_digits
from openalgo_desktop.local_api.context import ApiContext
from openalgo_desktop.local_api.ws_client import Client
from openalgo_desktop.local_api.ws_fanout import Fanout, OrderStream
from openalgo_desktop.local_api.ws_frames import DEPTH_LEVELS, json_frame

log = logging.getLogger(__name__)

#: Symbols handled before the loop gets a turn; a frame may carry thousands.
_SLICE = 150
#: Digits that a number of levels may have: the longest numbers cannot be read at all.
_DEPTH_DIGITS = 9
_NOTHING_TO_UNSUBSCRIBE = "Either symbols or unsubscribe_all is required"
_NOTHING_TO_SUBSCRIBE = "At least one symbol must be specified"

Message = dict[str, Any]
_MODES_BY_LABEL = {mode.label.lower(): mode for mode in FeedMode}


class Refused(Exception):
    """An error frame: ``{status, code, message}``, without a type."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def parse_mode(value: Any) -> FeedMode:
    """The mode of a request: 1, 2, 3, or a label in any case. Raises :class:`Refused`."""
    if isinstance(value, bool):
        raise Refused("INVALID_MODE", f"Mode must be int or str, got bool ({value})")
    if isinstance(value, int):
        try:
            return FeedMode(value)
        except ValueError:
            raise Refused(
                "INVALID_MODE",
                f"Invalid mode {value}; expected 1 (LTP), 2 (Quote), or 3 (Depth)",
            ) from None
    if isinstance(value, str):
        mode = _MODES_BY_LABEL.get(value.strip().lower())
        if mode is not None:
            return mode
        raise Refused(
            "INVALID_MODE",
            f"Invalid mode '{value[:80]}'; expected 'LTP', 'Quote', or 'Depth' (case-insensitive)",
        )
    raise Refused("INVALID_MODE", f"Mode must be int or str, got {type(value).__name__}")


class Actions:
    """Handles the messages of all clients."""

    def __init__(
        self,
        ctx: ApiContext,
        fanout: Fanout,
        orders: OrderStream,
        authenticated: Callable[[Client], None],
    ) -> None:
        self._ctx = ctx
        self._fanout = fanout
        self._orders = orders
        self._authenticated = authenticated
        self._decoder = msgspec.json.Decoder()
        self._handlers: dict[str, Callable[[Client, Message], Awaitable[None]]] = {
            "authenticate": self._authenticate,
            "auth": self._authenticate,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "unsubscribe_all": self._unsubscribe_all,
            "subscribe_orders": self._subscribe_orders,
            "unsubscribe_orders": self._unsubscribe_orders,
            "get_broker_info": self._broker_info,
            "get_supported_brokers": self._supported_brokers,
            "ping": self._ping,
        }
        self._open_to_all = {"authenticate", "auth", "get_supported_brokers", "ping"}

    async def handle(self, client: Client, raw: str | bytes) -> None:
        """Answer one message; every refusal leaves the connection open."""
        message: Message = {}
        try:
            message = self._decode(raw)
            action = message["action"] if "action" in message else message.get("type")
            handler = self._handlers.get(action) if isinstance(action, str) else None
            if handler is None:
                raise Refused("INVALID_ACTION", f"Invalid action: {str(action)[:80]}")
            if client.key is None and action not in self._open_to_all:
                raise Refused("NOT_AUTHENTICATED", "You must authenticate first")
            await handler(client, message)
        except Refused as refused:
            self._refuse(client, message, refused.code, refused.message)
        except AppError as error:
            self._refuse(client, message, "SERVER_ERROR", error.message)
        except Exception:
            log.exception("a WebSocket message could not be handled")
            text = "The message could not be handled; the log has the reason"
            self._refuse(client, message, "PROCESSING_ERROR", text)

    def _refuse(self, client: Client, request: Message, code: str, text: str) -> None:
        self._answer(client, request, {"status": "error", "code": code, "message": text})

    def _decode(self, raw: str | bytes) -> Message:
        """A text frame, or a binary one with JSON in it (UTF-16 cannot come otherwise)."""
        try:
            data = raw.removeprefix("\ufeff") if isinstance(raw, str) else utf8_json(raw)
            message = self._decoder.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise Refused("INVALID_JSON", "Invalid JSON message") from None
        if not isinstance(message, dict):
            raise Refused("SERVER_ERROR", "A message must be a JSON object")
        return message

    @staticmethod
    def _answer(client: Client, request: Message, answer: Message) -> None:
        if "request_id" in request:
            answer["request_id"] = request["request_id"]
        client.push(json_frame(answer))

    # -- who ------------------------------------------------------------------------------
    async def _authenticate(self, client: Client, message: Message) -> None:
        text = message.get("api_key") or message.get("apikey")
        if not text:
            raise Refused("AUTHENTICATION_ERROR", "API key is required")
        key = None
        if isinstance(text, str):
            key = self._ctx.keys.cached(text) or await self._ctx.keys.verify(text)
        if key is None:
            raise Refused("AUTHENTICATION_ERROR", "Invalid API key")
        client.key = key
        self._authenticated(client)
        # Answered at once, whatever the feed does: subscriptions wait at the hub until it is up.
        client.push(
            json_frame(
                {
                    "type": "auth",
                    "status": "success",
                    "message": "Authentication successful",
                    "broker": self._ctx.broker,
                    "user_id": self._ctx.user_id,
                    "supported_features": {"ltp": True, "quote": True, "depth": True},
                }
            )
        )

    async def _ping(self, client: Client, message: Message) -> None:
        answer: Message = {
            "type": "pong",
            "status": "success",
            "server_timestamp": int(self._ctx.clock.time() * 1000),
        }
        if "timestamp" in message:
            answer["client_timestamp"] = message["timestamp"]
        if "_pingId" in message:
            answer["_pingId"] = message["_pingId"]
        client.push(json_frame(answer))

    async def _broker_info(self, client: Client, message: Message) -> None:
        status = self._ctx.account_status()
        connected = status.state is AccountState.CONNECTED
        client.push(
            json_frame(
                {
                    "type": "broker_info",
                    "status": "success",
                    "broker": status.broker,
                    "adapter_status": "connected" if connected else "disconnected",
                    "user_id": self._ctx.user_id,
                }
            )
        )

    async def _supported_brokers(self, client: Client, message: Message) -> None:
        brokers = list(self._ctx.brokers)
        client.push(
            json_frame(
                {
                    "type": "supported_brokers",
                    "status": "success",
                    "brokers": brokers,
                    "count": len(brokers),
                }
            )
        )

    # -- order stream -----------------------------------------------------------------------
    async def _subscribe_orders(self, client: Client, message: Message) -> None:
        self._answer(
            client,
            message,
            {
                "type": "subscribe_orders",
                "status": "success",
                "message": "Subscribed to order updates",
            },
        )
        self._orders.add(client)

    async def _unsubscribe_orders(self, client: Client, message: Message) -> None:
        self._orders.remove(client)
        self._answer(
            client,
            message,
            {
                "type": "unsubscribe_orders",
                "status": "success",
                "message": "Unsubscribed from order updates",
            },
        )

    # -- market data ------------------------------------------------------------------------
    @staticmethod
    def _items(message: Message, nothing: str) -> list[Message]:
        """The symbols of a request: the list, or the single form when there is no list."""
        items = message.get("symbols") or message.get("instruments")
        if not items:
            if not (message.get("symbol") and message.get("exchange")):
                raise Refused("INVALID_PARAMETERS", nothing)
            return [message]
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise Refused(
                "SERVER_ERROR", "symbols must be a list of objects with symbol and exchange"
            )
        return items

    async def _subscribe(self, client: Client, message: Message) -> None:
        mode = parse_mode(message.get("mode", "Quote"))
        items = self._items(message, _NOTHING_TO_SUBSCRIBE)
        depth = message.get("depth", DEPTH_LEVELS)
        rows: list[Message] = []
        accepted: list[tuple[Key, str, int]] = []
        async for item in _in_slices(items):
            symbol, exchange = item.get("symbol"), item.get("exchange")
            if not symbol or not exchange:
                continue
            rows.append(self._subscribe_row(symbol, exchange, mode, depth, accepted))
        failed = any(row["status"] == "error" for row in rows)
        # The answer goes first, then the ticks: registering comes after it.
        self._answer(
            client,
            message,
            {
                "type": "subscribe",
                "status": "partial" if failed else "success",
                "subscriptions": rows,
                "message": "Subscription processing complete",
                "broker": self._ctx.broker,
            },
        )
        async for key, symbol, levels in _in_slices(accepted):
            self._fanout.subscribe(client, key, symbol, mode, levels)

    def _subscribe_row(
        self,
        symbol: Any,
        exchange: Any,
        mode: FeedMode,
        depth: Any,
        accepted: list[tuple[Key, str, int]],
    ) -> Message:
        row: Message = {"symbol": symbol, "exchange": exchange, "broker": self._ctx.broker}
        base, levels = self._resolve(symbol, exchange, depth)
        if base is None:
            text = f"Symbol {symbol} not found for exchange {exchange}"
            return {**row, "status": "error", "message": text}
        if isinstance(levels, bool) or not isinstance(levels, int) or levels < 1:
            text = f"Invalid depth level {levels}. Must be {DEPTH_LEVELS}"
            return {**row, "status": "error", "message": text}
        # Scripts ask for deeper books by the suffix; ``depth`` is answered with five at most.
        deep = base != symbol and mode is FeedMode.DEPTH
        levels = self._fanout.offered(levels) if deep else min(levels, DEPTH_LEVELS)
        accepted.append(((exchange, base), symbol, levels))
        return {**row, "status": "success", "mode": mode.label, "depth": levels}

    def _resolve(self, symbol: Any, exchange: Any, depth: Any) -> tuple[str | None, Any]:
        """The instrument's symbol (None: unknown) and the wanted levels; ``SBIN:20`` names both."""
        if not isinstance(symbol, str) or not isinstance(exchange, str):
            return None, depth
        if self._ctx.instruments.get((exchange, symbol)) is not None:
            return symbol, depth
        base, colon, suffix = symbol.rpartition(":")
        if not colon or not is_digits(suffix) or len(suffix) > _DEPTH_DIGITS:
            return None, depth
        if self._ctx.instruments.get((exchange, base)) is not None:
            return base, int(suffix)
        return None, depth

    async def _unsubscribe(self, client: Client, message: Message) -> None:
        if message.get("type") == "unsubscribe_all":
            await self._unsubscribe_all(client, message)
            return
        items = self._items(message, _NOTHING_TO_UNSUBSCRIBE)
        # The mode beside the list is that of items without one; a bad one is an error frame.
        common = parse_mode(message["mode"]) if "mode" in message else None
        done: list[Message] = []
        failed: list[Message] = []
        async for item in _in_slices(items):
            symbol, exchange = item.get("symbol"), item.get("exchange")
            if not symbol or not exchange:
                continue
            row: Message = {"symbol": symbol, "exchange": exchange, "broker": self._ctx.broker}
            try:
                self._unsubscribe_item(client, item, common, str(symbol), str(exchange))
            except Refused as refused:
                failed.append({**row, "status": "error", "message": refused.message})
            else:
                done.append({**row, "status": "success"})
        self._unsubscribed(client, message, done, failed)

    def _unsubscribe_item(
        self, client: Client, item: Message, common: FeedMode | None, symbol: str, exchange: str
    ) -> None:
        wanted = parse_mode(item["mode"]) if "mode" in item else common
        if wanted is not None:
            self._fanout.unsubscribe(client, exchange, symbol, wanted)
        elif not self._fanout.unsubscribe(client, exchange, symbol, FeedMode.QUOTE):
            # Documented as "mode 2"; a client that holds another mode means that one.
            for mode in FeedMode:
                self._fanout.unsubscribe(client, exchange, symbol, mode)

    async def _unsubscribe_all(self, client: Client, message: Message) -> None:
        done = [
            {
                "symbol": symbol,
                "exchange": exchange,
                "status": "success",
                "broker": self._ctx.broker,
            }
            for exchange, symbol, _ in client.subscriptions
        ]
        async for exchange, symbol, mode in _in_slices(list(client.subscriptions)):
            self._fanout.unsubscribe(client, exchange, symbol, mode)
        self._unsubscribed(client, message, done, [])

    def _unsubscribed(
        self, client: Client, message: Message, done: list[Message], failed: list[Message]
    ) -> None:
        status = "success" if not failed else "partial" if done else "error"
        self._answer(
            client,
            message,
            {
                "type": "unsubscribe",
                "status": status,
                "message": "Unsubscription processing complete",
                "successful": done,
                "failed": failed,
                "broker": self._ctx.broker,
            },
        )


async def _in_slices(items: Iterable[Any]) -> Any:
    """The items, giving the loop a turn now and then."""
    for number, item in enumerate(items, 1):
        yield item
        if number % _SLICE == 0:
            await asyncio.sleep(0)
