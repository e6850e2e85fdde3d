"""The endpoint table as tools for language models: names, words about the arguments, hints.

The schemas are those of the endpoints (as the document of the API has them), in one form of each
thing: a number is a number, a word has its upper-case form, and the key is no argument. What the
model sends is checked against them before anything leaves; the endpoint checks it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from openalgo_desktop.core.tools import MCP_STRATEGY, ToolRow, Toolset
from openalgo_desktop.local_api.endpoints import TABLE
from openalgo_desktop.local_api.examples import EXAMPLES
from openalgo_desktop.local_api.openapi import request_schema
from openalgo_desktop.local_api.strategy_endpoints import STRATEGIES
from openalgo_desktop.local_api.table import Endpoint, Need

#: Rows of a list that are given when the model does not say, and at most.
ROWS, MOST_ROWS = 50, 500
LIMIT: Mapping[str, Any] = {
    "type": "integer",
    "minimum": 1,
    "maximum": MOST_ROWS,
    "default": ROWS,
    "description": "Rows of a list at most; the answer says how many there are",
}


@dataclass(frozen=True, slots=True)
class _Tool:
    """What the endpoint table does not say. ``without`` are fields that are no arguments."""

    name: str
    path: str
    toolset: Toolset
    more: str = ""
    without: tuple[str, ...] = ()
    rows: bool = False
    newest: str = ""
    idempotent: bool = False
    method: str = "POST"
    hidden: bool = False
    properties: Mapping[str, Any] = field(default_factory=dict)  # of an endpoint without a schema
    doc: str = ""  # instead of that of the endpoint


T = _Tool
_ORDERS, _ACCOUNT, _MARKET = Toolset.ORDERS, Toolset.ACCOUNT, Toolset.MARKET
_OPTIONS, _REFERENCE = Toolset.OPTIONS, Toolset.REFERENCE
_UNITS = "Quantities are units, not lots: a multiple of the lot size (get_symbol_info)."
_LEGS = "Each leg names its option by the offset from the money."

#: Tools that are a call of an endpoint. Two things are left out on purpose: switching between
#: sandbox and live changes where the orders of everybody go, and a run of a made strategy sends its
#: orders later, when nobody is asked. Both are for the owner's hand.
TOOLS: tuple[_Tool, ...] = (
    T("place_order", "placeorder", _ORDERS, _UNITS, without=("underlying_ltp",)),
    T("place_smart_order", "placesmartorder", _ORDERS, _UNITS),
    T("place_basket_order", "basketorder", _ORDERS, _UNITS),
    T("place_split_order", "splitorder", _ORDERS, _UNITS),
    T("place_options_order", "optionsorder", _ORDERS, _UNITS, without=("strike_int",)),
    T(
        "place_options_multi_order",
        "optionsmultiorder",
        _ORDERS,
        f"{_LEGS} {_UNITS}",
        without=("strike_int",),
    ),
    T("modify_order", "modifyorder", _ORDERS, "Give every field as it shall be.", idempotent=True),
    T("cancel_order", "cancelorder", _ORDERS, idempotent=True),
    T("cancel_all_orders", "cancelallorder", _ORDERS, idempotent=True),
    T(
        "close_all_positions",
        "closeposition",
        _ORDERS,
        "Of the owner and of other strategies, too, unless the key is bound to one strategy.",
        idempotent=True,
    ),
    T("place_gtt_order", "placegttorder", _ORDERS, _UNITS),
    T("modify_gtt_order", "modifygttorder", _ORDERS, idempotent=True),
    T("cancel_gtt_order", "cancelgttorder", _ORDERS, idempotent=True),
    T("get_open_position", "openposition", _ACCOUNT),
    T("get_order_status", "orderstatus", _ACCOUNT),
    T("get_order_book", "orderbook", _ACCOUNT, "Newest first.", rows=True, newest="timestamp"),
    T("get_trade_book", "tradebook", _ACCOUNT, "Newest first.", rows=True, newest="timestamp"),
    T("get_position_book", "positionbook", _ACCOUNT, rows=True),
    T("get_holdings", "holdings", _ACCOUNT, rows=True),
    T("get_funds", "funds", _ACCOUNT),
    T("get_gtt_order_book", "gttorderbook", _ACCOUNT, rows=True),
    T("get_symbol_pnl", "pnl/symbols", _ACCOUNT, "Sandbox only.", rows=True),
    T("calculate_margin", "margin", _ACCOUNT, "Nothing is ordered."),
    T("analyzer_status", "analyzer", _ACCOUNT, "`analyze` is the sandbox, `live` real money."),
    T("get_quote", "quotes", _MARKET),
    T("get_multi_quotes", "multiquotes", _MARKET, rows=True),
    T("history", "history", _MARKET, hidden=True),
    T("get_market_depth", "depth", _MARKET),
    T("get_symbol_info", "symbol", _MARKET),
    T("search_instruments", "search", _MARKET, rows=True),
    T("get_available_intervals", "intervals", _MARKET),
    T("get_expiry_dates", "expiry", _OPTIONS, rows=True),
    T("get_option_chain", "optionchain", _OPTIONS, "Give strike_count for those round the money."),
    T("get_option_symbol", "optionsymbol", _OPTIONS, without=("strategy", "strike_int")),
    T("get_synthetic_future", "syntheticfuture", _OPTIONS),
    T("get_option_greeks", "optiongreeks", _OPTIONS),
    T("get_multi_option_greeks", "multioptiongreeks", _OPTIONS, rows=True),
    T("get_holidays", "market/holidays", _REFERENCE, rows=True),
    T("get_timings", "market/timings", _REFERENCE, "Nothing on a holiday."),
    T(
        "get_instruments",
        "instruments",
        _REFERENCE,
        doc="The symbol master of an exchange: thousands of rows, of which the first are given. "
        "search_instruments finds one.",
        without=("format",),
        rows=True,
        method="GET",
    ),
    T(
        "get_index_symbols",
        "instruments",
        _REFERENCE,
        doc="The indices of an exchange: NSE_INDEX, BSE_INDEX, MCX_INDEX.",
        without=("format",),
        rows=True,
        method="GET",
    ),
    T("list_strategies", "strategy/list", _ACCOUNT, rows=True),
    T("get_strategy_status", "strategy/status", _ACCOUNT),
    T("get_strategy_runs", "strategy/runs", _ACCOUNT),
    T("get_strategy_orders", "strategy/orders", _ACCOUNT),
    T("get_strategy_events", "strategy/events", _ACCOUNT),
    T(
        "send_telegram_alert",
        "telegram/notify",
        Toolset.MESSAGES,
        properties={
            "username": {"type": "string", "description": "As the owner linked the chat"},
            "message": {"type": "string", "minLength": 1, "maxLength": 4096},
        },
    ),
)

#: Fields of the API, and what the argument is called where that is another name.
NAMES: Mapping[str, str] = {
    "pricetype": "price_type",
    "orderid": "order_id",
    "splitsize": "split_size",
    "instrumenttype": "instrument_type",
}
#: What the fields mean, by the names of the arguments.
WORDS: Mapping[str, str] = {
    "symbol": "OpenAlgo symbol, such as SBIN, NIFTY29DEC26FUT or NIFTY29DEC2626000CE",
    "exchange": "NSE, BSE: shares; NFO, BFO, MCX, CDS: derivatives; NSE_INDEX, BSE_INDEX: indices",
    "underlying": "Symbol of the underlying, such as NIFTY with exchange NSE_INDEX",
    "strategy": "Name under which orders and results are kept",
    "quantity": "Units, not lots",
    "price": "Rupees; of LIMIT and SL orders",
    "trigger_price": "Rupees; of SL and SL-M orders",
    "disclosed_quantity": "Units shown to the market; 0 = all",
    "product": "MIS intraday, CNC delivery of shares, NRML overnight derivatives",
    "position_size": "Wanted net position in units; negative is short, 0 closes",
    "split_size": "Units of each part; 0 = not split",
    "order_id": "As get_order_book tells it",
    "trigger_id": "As get_gtt_order_book tells it",
    "trigger_type": "SINGLE or OCO",
    "offset": "ATM, ITM1 to ITM50, OTM1 to OTM50",
    "expiry_date": "Such as 29DEC26; get_expiry_dates has them",
    "interest_rate": "Per cent a year",
    "query": "Words such as NIFTY DEC 26000 CE",
    "date": "YYYY-MM-DD",
    "strike_count": "Strikes on each side of the money",
    "triggerprice_sl": "Rupees; trigger below, or the one of a SINGLE",
    "triggerprice_tg": "Rupees; trigger above of an OCO",
    "stoploss": "Rupees; limit price of the leg below of an OCO",
    "target": "Rupees; limit price of the leg above of an OCO",
    "strategy_id": "As list_strategies tells it",
    "run_id": "As get_strategy_runs tells it; all without it",
    "limit": LIMIT["description"],
}


def tool_rows(rows: Iterable[Endpoint] = (*TABLE, *STRATEGIES)) -> tuple[ToolRow, ...]:
    """The tools whose endpoints are served; what is only answered with "not yet" is none."""
    served = {(row.method, row.path): row for row in rows if not row.stub}
    return tuple(
        _row(tool, served[tool.method, tool.path])
        for tool in TOOLS
        if (tool.method, tool.path) in served
    )


def _row(tool: _Tool, endpoint: Endpoint) -> ToolRow:
    schema = argument_schema(request_schema(endpoint), tool.without)
    if tool.properties:
        schema["properties"] |= {name: dict(part) for name, part in tool.properties.items()}
        schema["required"] = list(tool.properties)
    if tool.rows:
        schema["properties"]["limit"] = dict(LIMIT)
    if tool.name == "get_index_symbols":
        indices = [name for name in schema["properties"]["exchange"]["enum"] if "INDEX" in name]
        schema["properties"]["exchange"]["enum"] = indices
    if tool.path == "instruments":
        schema["required"] = ["exchange"]
    if example := _example(EXAMPLES.get(tool.path, {}), schema["properties"]):
        schema["examples"] = [example]
    writes = endpoint.need is Need.TRADE or tool.toolset is Toolset.MESSAGES
    return ToolRow(
        tool.name,
        f"{tool.doc or endpoint.doc} {tool.more}".strip(),
        tool.toolset,
        schema,
        endpoint.route,
        endpoint.method,
        names={name: field for field, name in NAMES.items()},
        rows=tool.rows,
        newest=tool.newest,
        master=tool.path == "instruments",
        writes=writes,
        destructive=writes and tool.toolset is not Toolset.MESSAGES,
        idempotent=tool.idempotent or not writes,
        hidden=tool.hidden,
    )


# -- schemas --------------------------------------------------------------------------------
def argument_schema(schema: Mapping[str, Any], without: Iterable[str] = ()) -> dict[str, Any]:
    """The schema of a request as that of the arguments of a tool."""
    left_out = {"apikey", *without}
    properties = {
        NAMES.get(name, name): _argument(NAMES.get(name, name), value)
        for name, value in schema.get("properties", {}).items()
        if name not in left_out
    }
    if "strategy" in properties:
        properties["strategy"]["default"] = MCP_STRATEGY
    required = [
        NAMES.get(name, name)
        for name in schema.get("required", ())
        if name not in left_out and name != "strategy"
    ]
    result: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        result["required"] = required
    return result | {"additionalProperties": False}


def _argument(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    kinds = schema.get("type", "string")
    if kinds == "object":
        return argument_schema(schema)
    if kinds == "array":
        return {**schema, "items": _argument("", schema["items"])}
    result = dict(schema)
    if isinstance(kinds, list):
        nullable = [kind for kind in kinds if kind == "null"]
        result["type"] = [kinds[0], *nullable] if nullable else kinds[0]
    if "enum" in result:
        words = result["enum"]
        result["enum"] = [w for w in words if w is None or w == w.upper() or w.upper() not in words]
        if result.get("default", words[0]) not in words:  # empty: not asked for
            del result["default"]
    text = WORDS.get(name, "")
    if text:
        more = result.get("description", "")
        result["description"] = f"{text}. {more}".rstrip(". ") if more else text
    return result


def _example(fields: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    named = {NAMES.get(name, name): _named(value) for name, value in fields.items()}
    return {name: value for name, value in named.items() if name in properties} | (
        {"strategy": MCP_STRATEGY} if "strategy" in properties and "strategy" in named else {}
    )


def _named(value: Any) -> Any:
    if isinstance(value, list):
        return [_named(item) for item in value]
    if isinstance(value, dict):
        return {NAMES.get(name, name): _named(item) for name, item in value.items()}
    return value
