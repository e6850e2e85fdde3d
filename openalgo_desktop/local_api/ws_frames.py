"""Outgoing WebSocket frames: market data in both spellings, order updates, RFC 6455 framing.

A server's frames are not masked and we use no compression, so the bytes of one frame serve every
client that is to get it.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from openalgo_desktop.core.enums import FeedMode, Mode, PriceType
from openalgo_desktop.core.events import OrderUpdated
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.money import priced
from openalgo_desktop.core.ticks import Level, Part, Tick

#: Levels a side that every broker gives.
DEPTH_LEVELS = 5

_TEXT_FRAME = 0x81  # final fragment, opcode text
_encoder = msgspec.json.Encoder()


def text_frame(payload: bytes) -> bytes:
    """``payload`` as one unmasked text frame (RFC 6455 section 5.2)."""
    size = len(payload)
    if size < 126:
        return bytes((_TEXT_FRAME, size)) + payload
    if size < 65536:
        return bytes((_TEXT_FRAME, 126)) + size.to_bytes(2, "big") + payload
    return bytes((_TEXT_FRAME, 127)) + size.to_bytes(8, "big") + payload


def json_frame(message: Any) -> bytes:
    """``message`` as JSON in one text frame."""
    return text_frame(_encoder.encode(message))


class _LtpData(msgspec.Struct, gc=False):
    symbol: str
    exchange: str
    mode: str
    ltp: float
    ltt: int
    timestamp: int


#: A value that is not known is left out of its frame: 0 would be read as a price.
_Float: TypeAlias = float | UnsetType
_Int: TypeAlias = int | UnsetType


class _QuoteData(_LtpData, gc=False):
    open: _Float
    high: _Float
    low: _Float
    close: _Float
    volume: _Int
    last_quantity: _Int
    last_trade_quantity: _Int
    average_price: _Float
    avg_trade_price: _Float
    change: _Float
    change_percent: _Float
    price_change: _Float
    price_change_percent: _Float
    oi: _Int
    open_interest: _Int
    total_buy_quantity: _Int
    total_sell_quantity: _Int
    upper_circuit: _Float
    lower_circuit: _Float
    bid_price: _Float
    ask_price: _Float
    bid_size: _Int
    ask_size: _Int


_LTP_FIELDS: Final = frozenset(_LtpData.__struct_fields__)
_TOUCH_FIELDS: Final = frozenset({"bid_price", "ask_price", "bid_size", "ask_size"})
_OI_FIELDS: Final = frozenset({"oi", "open_interest"})


def _part_of(name: str) -> int:
    if name in _LTP_FIELDS:
        return Part.LTP
    if name in _TOUCH_FIELDS:
        return Part.TOUCH
    return Part.OI if name in _OI_FIELDS else Part.DAY


_PARTS: Final = tuple(_part_of(name) for name in _QuoteData.__struct_fields__)


class _Level(msgspec.Struct, gc=False):
    price: float
    quantity: int
    orders: int


class _Book(msgspec.Struct, gc=False):
    buy: list[_Level]
    sell: list[_Level]


class _DepthData(_QuoteData, gc=False):
    depth: _Book | UnsetType


class _MarketData(msgspec.Struct, gc=False):
    type: str
    symbol: str
    exchange: str
    mode: int
    broker: str
    data: _LtpData


_NO_LEVEL = _Level(0.0, 0, 0)


def _side(levels: tuple[Level, ...], count: int) -> list[_Level]:
    side = [_Level(float(row.price), row.quantity, row.orders) for row in levels[:count]]
    return side + [_NO_LEVEL] * (count - len(side))


def _quote_fields(tick: Tick, symbol: str, mode: FeedMode) -> tuple[Any, ...]:
    change, percent = priced(tick.change), round(tick.change_percent, 2)
    fields = (
        *_ltp_fields(tick, symbol, mode),
        float(tick.open),
        float(tick.high),
        float(tick.low),
        float(tick.close),
        tick.volume,
        tick.last_quantity,
        tick.last_quantity,
        float(tick.average_price),
        float(tick.average_price),
        change,
        percent,
        change,
        percent,
        tick.oi,
        tick.oi,
        tick.total_buy_quantity,
        tick.total_sell_quantity,
        float(tick.upper_circuit),
        float(tick.lower_circuit),
        float(tick.bid),
        float(tick.ask),
        tick.bid_quantity,
        tick.ask_quantity,
    )
    if not (unknown := tick.unknown):
        return fields
    return tuple(
        UNSET if part & unknown else value for part, value in zip(_PARTS, fields, strict=True)
    )


def _ltp_fields(tick: Tick, symbol: str, mode: FeedMode) -> tuple[Any, ...]:
    timestamp = tick.timestamp or tick.ltt
    return (
        symbol,
        tick.exchange,
        mode.data_text,
        float(tick.ltp),
        tick.ltt or timestamp,
        timestamp,
    )


def market_frame(tick: Tick, symbol: str, mode: FeedMode, levels: int, broker: str) -> bytes:
    """The ``market_data`` frame of ``tick`` for subscribers of ``mode``; ``symbol`` as the client
    wrote it (perhaps with a depth suffix), ``levels`` of the book a side."""
    data: _LtpData
    if mode is FeedMode.LTP:
        data = _LtpData(*_ltp_fields(tick, symbol, mode))
    elif mode is FeedMode.QUOTE:
        data = _QuoteData(*_quote_fields(tick, symbol, mode))
    else:
        buy = tick.depth.buy if tick.depth is not None else ()
        sell = tick.depth.sell if tick.depth is not None else ()
        book: _Book | UnsetType = UNSET
        if not tick.unknown & Part.BOOK:
            book = _Book(_side(buy, levels), _side(sell, levels))
        fields = (*_quote_fields(tick, symbol, mode), book)
        data = _DepthData(*fields)
    message = _MarketData("market_data", symbol, tick.exchange, int(mode), broker, data)
    return text_frame(_encoder.encode(message))


def refusal_frame(stream_symbol: str, key: Key, reason: str, broker: str) -> bytes:
    """The feed will not stream an instrument after all: the row that the answer to ``subscribe``
    would have had, in a frame of its own."""
    row = {
        "symbol": stream_symbol,
        "exchange": key[0],
        "status": "error",
        "message": reason,
        "broker": broker,
    }
    return json_frame(
        {
            "type": "subscribe",
            "status": "partial",
            "message": "A subscription was refused by the market feed",
            "subscriptions": [row],
            "broker": broker,
        }
    )


def order_message(event: OrderUpdated, user_id: str, last_price: float) -> dict[str, Any]:
    """The 18 keys of an order update. A sandbox MARKET order carries the last price while open
    and the fill price when complete, as existing clients expect."""
    order = event.order
    price = order.price
    if event.mode is Mode.SANDBOX and order.price_type is PriceType.MARKET:
        price = order.average_price or price or last_price
    return {
        "type": "order_update",
        "user_id": user_id,
        "mode": event.mode.api_text,
        "broker": event.broker,
        "orderid": order.order_id,
        "symbol": order.symbol,
        "exchange": order.exchange,
        "action": order.action.value,
        "quantity": order.quantity,
        "price": float(price),
        "trigger_price": float(order.trigger_price),
        "pricetype": order.price_type.value,
        "product": order.product.value,
        "order_status": order.status.value,
        "filled_quantity": order.filled_quantity,
        "pending_quantity": order.pending_quantity,
        "average_price": float(order.average_price),
        "rejection_reason": order.rejection_reason,
    }
