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

_OPTION = {"underlying": "NIFTY", "exchange": "NSE_INDEX", "expiry_date": "29DEC26"}
_GTT: dict[str, Any] = {
    **_STRATEGY,
    **_SYMBOL,
    "trigger_type": "SINGLE",
    "action": "BUY",
    "product": "CNC",
    "quantity": 1,
    "pricetype": "LIMIT",
    "price": 701,
    "triggerprice_sl": 700,
}
_LEGS = [
    {"offset": "OTM1", "option_type": "CE", "action": "SELL", "quantity": 65},
    {"offset": "OTM3", "option_type": "CE", "action": "BUY", "quantity": 65},
]
_MADE = {"strategy_id": 1}
_DAYS = {"start_date": "2026-11-19", "end_date": "2026-11-20"}

EXAMPLES: dict[str, dict[str, Any]] = {
    "placeorder": _STRATEGY | _ORDER,
    "placesmartorder": _STRATEGY | _ORDER | {"position_size": 1},
    "modifyorder": _STRATEGY
    | _ORDER
    | {"orderid": "ORDERID", "pricetype": "LIMIT", "price": 701, "quantity": 2}
    | {"disclosed_quantity": 0, "trigger_price": 0},
    "cancelorder": _STRATEGY | {"orderid": "ORDERID"},
    "cancelallorder": _STRATEGY,
    "closeposition": _STRATEGY,
    "basketorder": _STRATEGY | {"orders": [_ORDER, _ORDER | {"symbol": "INFY", "action": "SELL"}]},
    "splitorder": _STRATEGY | _ORDER | {"quantity": 25, "splitsize": 10},
    "optionsorder": _STRATEGY
    | _OPTION
    | {"offset": "ATM", "option_type": "CE", "action": "BUY", "quantity": 65, "product": "NRML"},
    "optionsmultiorder": _STRATEGY | _OPTION | {"legs": _LEGS},
    "orderstatus": _STRATEGY | {"orderid": "ORDERID"},
    "openposition": _STRATEGY | _SYMBOL | {"product": "MIS"},
    "margin": {"positions": [_ORDER | {"quantity": "10", "price": "0"}]},
    "placegttorder": _GTT,
    "modifygttorder": _GTT | {"trigger_id": "TRIGGER_ID", "price": 691, "triggerprice_sl": 690},
    "cancelgttorder": _STRATEGY | {"trigger_id": "TRIGGER_ID"},
    "quotes": _SYMBOL,
    "depth": _SYMBOL,
    "symbol": _SYMBOL,
    "multiquotes": {"symbols": [_SYMBOL, {"symbol": "NIFTY", "exchange": "NSE_INDEX"}]},
    "history": _SYMBOL | {"interval": "1h"} | _DAYS,
    "search": {"query": "NIFTY FUT", "exchange": "NFO"},
    "expiry": {"symbol": "NIFTY", "exchange": "NFO", "instrumenttype": "options"},
    "optionsymbol": _OPTION | {"offset": "ATM", "option_type": "CE"},
    "optionchain": _OPTION | {"strike_count": 2},
    "syntheticfuture": _OPTION,
    "optiongreeks": {"symbol": "NIFTY29DEC2626000CE", "exchange": "NFO"},
    "multioptiongreeks": {"symbols": [{"symbol": "NIFTY29DEC2626000CE", "exchange": "NFO"}]},
    "market/holidays": {"year": 2026},
    "market/timings": {"date": "2026-11-20"},
    "analyzer/toggle": {"mode": True},
    "chart": {"theme": "dark"},
    "strategy/list": {"status": "stopped"},
    "strategy/status": _MADE,
    "strategy/start": _MADE | {"mode": "sandbox"},
    "strategy/stop": _MADE,
    "strategy/close_all": _MADE,
    "strategy/close_leg": _MADE | {"leg_id": 1},
    "strategy/runs": _MADE | {"limit": 10},
    "strategy/orders": _MADE,
    "strategy/events": _MADE | {"kind": "run_started", "limit": 10},
    "telegram/notify": {"username": "trader", "message": "The strategy has started."},
    "telegram/broadcast": {"message": "The market opens in 5 minutes."},
    "telegram/config": {"rate_limit_per_minute": 30, "broadcast_enabled": True},
    "telegram/preferences": {"telegram_id": 4711, "daily_summary": False},
    "/strategy/webhook/*": {"symbol": "SBIN", "action": "BUY"},
    "/chartink/webhook/*": {
        "scan_name": "my BUY scan",
        "stocks": "SBIN,INFY",
        "trigger_prices": "800.0,1600.0",
        "triggered_at": "10:15 am",
    },
    "/simulator/control": {"prices": {"NSE:SBIN": 811.0}},
}
