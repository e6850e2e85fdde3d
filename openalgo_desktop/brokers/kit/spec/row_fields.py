"""Fields of the row maps: what ``kit.books.rows`` and the calls beside it read.

A test compares this with their source; a map that names another field is refused.
"""

from __future__ import annotations

from collections.abc import Mapping

from openalgo_desktop.core.model import Funds
from openalgo_desktop.core.ticks import TickExtras

#: Who a row is about. ``segment`` where an exchange has two words on the wire.
_ABOUT = ("brsymbol", "token", "exchange", "segment")
_OHLC = ("open", "high", "low", "close")

#: Kind of row -> fields that its map may have.
ROW_FIELDS: Mapping[str, frozenset[str]] = {
    kind: frozenset(fields)
    for kind, fields in {
        "ack": ("order_id", "trigger_id"),
        "order": (
            *_ABOUT, "order_id", "action", "quantity", "price_type", "product", "price",
            "trigger_price", "disclosed_quantity", "validity", "status", "filled_quantity",
            "pending_quantity", "average_price", "rejection_reason", "placed_at", "updated_at",
            "tag",
        ),
        "trade": (
            *_ABOUT, "trade_id", "order_id", "action", "product", "quantity", "price",
            "traded_at",
        ),
        "position": (
            *_ABOUT, "product", "quantity", "average_price", "ltp", "buy_quantity",
            "sell_quantity", "multiplier", "pnl", "realised", "unrealised",
        ),
        "holding": (*_ABOUT, "quantity", "t1_quantity", "pledged", "average_price", "ltp"),
        "funds": tuple(
            name for name in Funds.__struct_fields__ if name not in ("account_id", "used_by")
        ),
        "margin": ("total", "span", "exposure"),
        "quote": (
            *_OHLC, "ltp", "ltt", "volume", "last_quantity", "average_price", "oi", "bid", "ask",
            "bid_quantity", "ask_quantity", "total_buy_quantity", "total_sell_quantity",
            "upper_circuit", "lower_circuit", "buy", "sell", "key", *TickExtras.__struct_fields__,
        ),
        "level": ("price", "quantity", "orders"),
        "candle": (*_OHLC, "time", "volume", "oi", "list"),
    }.items()
}  # fmt: skip
#: Fields without which a row means nothing.
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "order": (
        "order_id",
        "exchange",
        "action",
        "quantity",
        "price_type",
        "product",
        "status",
        "price",
        "filled_quantity",
        "average_price",
    ),
    "trade": ("order_id", "exchange", "action", "product", "quantity", "price"),
    "position": ("exchange", "product", "quantity", "average_price"),
    "holding": ("exchange", "quantity", "average_price"),
}
