"""Bodies to begin with, for the request builder, the page and the document; without the key."""

from __future__ import annotations

from typing import Any

_STRATEGY = {"strategy": "Python"}
_ORDER: dict[str, Any] = {
    "symbol": "SBIN",
    "exchange": "NSE",
    "action": "BUY",
    "quantity": 1,
    "pricetype": "MARKET",
    "product": "MIS",
}
_SYMBOL = {"symbol": "SBIN", "exchange": "NSE"}

EXAMPLES: dict[str, dict[str, Any]] = {
    "placeorder": _STRATEGY | _ORDER,
    "placesmartorder": _STRATEGY | _ORDER | {"position_size": 1},
    "basketorder": _STRATEGY | {"orders": [_ORDER, _ORDER | {"symbol": "INFY", "action": "SELL"}]},
    "splitorder": _STRATEGY | _ORDER | {"quantity": 25, "splitsize": 10},
    "margin": {"positions": [_ORDER | {"quantity": "10", "price": "0"}]},
    "placegttorder": {
        **_STRATEGY,
        **_SYMBOL,
        "trigger_type": "SINGLE",
        "action": "BUY",
        "product": "CNC",
        "quantity": 1,
        "pricetype": "LIMIT",
        "price": 701,
        "triggerprice_sl": 700,
    },
    "quotes": _SYMBOL,
    "depth": _SYMBOL,
    "symbol": _SYMBOL,
    "multiquotes": {"symbols": [_SYMBOL, {"symbol": "NIFTY", "exchange": "NSE_INDEX"}]},
    "search": {"query": "NIFTY FUT", "exchange": "NFO"},
    "expiry": {"symbol": "NIFTY", "exchange": "NFO", "instrumenttype": "options"},
    "/simulator/control": {"prices": {"NSE:SBIN": 811.0}},
}
