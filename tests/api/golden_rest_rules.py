"""Differences of REST answers that are kept on purpose; a part of the table of ``golden_rules``."""

from __future__ import annotations

from typing import Any

from tests.api import golden_checks as checks
from tests.api import golden_money as money
from tests.api.golden_case import Case
from tests.api.golden_compare import Freedom
from tests.api.golden_rule import Rule, error

KEY = "{{APIKEY}}"
BAD_KEY = error("Invalid openalgo apikey")
_CANDLE = ("open", "high", "low", "close", "volume")
#: Start of the regular sessions in seconds after midnight, by exchange.
_OPENS = {
    **dict.fromkeys(("NSE", "BSE", "NFO", "BFO"), 33_300),
    **dict.fromkeys(("MCX", "NCO", "CDS", "BCD"), 32_400),
    "CRYPTO": 0,
}
_IST_MS = 19_800_000
_LIVE_ROW = ("strategy", "rejection_reason", "filled_quantity", "pending_quantity")


def _wrong_key(case: Case) -> bool:
    sent = case.fields.get("apikey", case.query.get("apikey", KEY))
    return isinstance(sent, str) and sent != KEY


def _ist_windows(body: Any) -> Any:
    """Regular windows of the recording, moved from UTC to IST."""
    for row in body["data"]:
        if row["start_time"] // 1000 % 86_400 == _OPENS[row["exchange"]]:
            row["start_time"] -= _IST_MS
            row["end_time"] -= _IST_MS
    return body


def _flat_rows(body: Any) -> Any:
    """A closed row has nothing unrealised."""
    for row in body["data"]:
        if row["quantity"] == 0:
            row["unrealized_pnl"] = 0.0
    return body


def _no_limit(body: Any) -> Any:
    """No freeze limit is 0, not 1 unit."""
    for row in body["data"] if isinstance(body["data"], list) else [body["data"]]:
        if row["freeze_qty"] == 1:
            row["freeze_qty"] = 0
    return body


def _intervals(body: Any) -> Any:
    """What the simulator serves."""
    body["data"] = {
        "seconds": ["1s", "5s", "10s", "15s", "30s", "45s"],
        "minutes": ["1m", "2m", "3m", "5m", "10m", "15m", "20m", "30m"],
        "hours": ["1h", "2h", "3h", "4h"],
        "days": ["D"],
        "weeks": ["W"],
        "months": ["M"],
    }
    return body


def _with_all(body: Any, case: Case) -> Any:
    """A successful answer of the symbol master; the row stands for every row."""
    if case.query.get("format") == "csv":
        return {"_text": ""}
    row = {
        **dict.fromkeys(("symbol", "brsymbol", "name", "exchange", "brexchange", "token"), ""),
        "expiry": "",
        "strike": 0.0,
        "lotsize": 1,
        "instrumenttype": "",
        "tick_size": 0.0,
    }
    return {
        "status": "success",
        "message": f"Found {checks.master_size()} instruments",
        "data": [row],
    }


def _no_times(body: Any) -> Any:
    body["data"]["created_at"] = body["data"]["updated_at"] = None
    return body


def _parse_problem(case: Case) -> bool:
    return case.status == 500 and "Failed to parse option symbol" in str(case.message)


def _in_master(case: Case) -> bool:
    return case.status == 500 and "instrument token" in str(case.message)


def _names_exchange(case: Case) -> bool:
    return ":" in case.path.partition("?")[0]


def _trading_days(body: Any, case: Case) -> Any:
    exchange = checks.asked(case).get("exchange", "NSE")
    body["data"] = checks.on_trading_days(body["data"], exchange)
    return body


def _with_budget_day(body: Any) -> Any:
    """1 Feb 2026, a Sunday with full sessions (the exchanges' circulars)."""
    day = 1769884200000  # midnight IST, epoch milliseconds
    hours = (("NSE", 555, 930), ("BSE", 555, 930), ("NFO", 555, 940), ("BFO", 555, 940))
    row = {
        "date": "2026-02-01",
        "description": "Union Budget (full session)",
        "holiday_type": "SPECIAL_SESSION",
        "closed_exchanges": [],
        "open_exchanges": [
            {"exchange": name, "start_time": day + a * 60_000, "end_time": day + b * 60_000}
            for name, a, b in (*hours, ("MCX", 540, 1020))
        ],
    }
    body["data"] = sorted([*body["data"], row], key=lambda one: one["date"])
    return body


def _with_refused_preferences(body: Any, case: Case) -> Any:
    """Also what earlier requests stored, which the reference refused."""
    for row in case.before:
        if row.endpoint == "chart" and row.method == "POST" and row.status == 500:
            kept = {name: value for name, value in row.fields.items() if name != "apikey"}
            body["data"] = kept | body["data"]
    return body


_OUR_CANDLES = Freedom(free=[f"data[*].{name}" for name in _CANDLE], exact=("data[*].timestamp",))
_NOT_YET = error("Not available in this version")

REST_RULES: tuple[Rule, ...] = (
    Rule(
        "market/*",
        "wrong API key",
        "403 `Invalid openalgo apikey`",
        "the reference does not check the key here",
        when=lambda case: _wrong_key(case) and case.ok,
        status=403,
        body=BAD_KEY,
    ),
    Rule(
        "market/holidays",
        "the year 2026",
        "also 1 February, a Sunday with full sessions",
        "the reference does not list it",
        when=lambda case: case.ok and not _wrong_key(case) and "2026-01-15" in str(case.body),
        change=_with_budget_day,
    ),
    Rule(
        "market/timings",
        "regular sessions",
        "times of day in IST, whatever the zone of the machine",
        "the reference uses the zone of its machine (UTC in the recording)",
        when=lambda case: case.ok and not _wrong_key(case),
        change=_ist_windows,
    ),
    Rule(
        "history",
        "candles",
        "candles of the account's own market; holidays have none",
        "the stand-in broker of the recording made a saw-tooth on every weekday",
        when=lambda case: case.ok and bool(case.body["data"]),
        edit=_trading_days,
        freedom=_OUR_CANDLES,
        check=checks.candles,
    ),
    Rule(
        "history",
        "an interval that the broker of the recording refuses and the data account serves",
        "candles",
        "intervals are those of the data account (`intervals` lists them)",
        when=lambda case: "Unsupported timeframe" in str(case.message),
        status=200,
        change=lambda body: {
            "status": "success",
            "data": [
                dict.fromkeys((*_CANDLE,), 1.0) | {"timestamp": 1795059900, "volume": 1, "oi": 0}
            ],
        },
        freedom=Freedom(
            free=[f"data[*].{name}" for name in (*_CANDLE, "timestamp")], any_length=("data",)
        ),
        check=checks.candles,
    ),
    Rule(
        "ticker",
        "candles",
        "candles of the account's own market; holidays have none",
        "the stand-in broker of the recording made a saw-tooth on every weekday",
        when=lambda case: (
            case.ok and isinstance(case.body.get("data"), list) and _names_exchange(case)
        ),
        edit=_trading_days,
        freedom=_OUR_CANDLES,
        check=checks.candles,
    ),
    Rule(
        "ticker",
        "candles as text",
        "lines of the account's own market",
        "the stand-in broker of the recording made a saw-tooth on every weekday",
        when=lambda case: case.ok and "_text" in case.body,
        freedom=Freedom(free=("_text",)),
        check=checks.candle_lines,
    ),
    Rule(
        "ticker",
        "the path names no exchange",
        "400 `Give the symbol as EXCHANGE:SYMBOL, for example NSE:SBIN.`",
        "the reference answers with candles of NSE:RELIANCE",
        when=lambda case: not _names_exchange(case),
        status=400,
        body=error("Give the symbol as EXCHANGE:SYMBOL, for example NSE:SBIN."),
    ),
    Rule(
        "ticker",
        "unknown symbol",
        "400 with the text of quotes, depth and history",
        "the reference answers 500 with a text about tokens",
        when=_in_master,
        status=400,
        change=lambda body: error(
            "Symbol '{1}' not found for exchange '{0}'. Please verify the symbol name and ensure "
            "master contracts are downloaded.".format(
                *body["message"].rpartition(" ")[2].split(":")
            )
        ),
    ),
    Rule(
        "intervals",
        "success",
        "the intervals of the data account",
        "the recording was made with another broker, which also lists one that it refuses",
        when=lambda case: case.ok,
        change=_intervals,
    ),
    *(
        Rule(
            endpoint,
            "no freeze limit is known",
            "`freeze_qty` is 0",
            "an order of 2 is not above a limit of 1; later releases of the reference say 0 too",
            when=lambda case: case.ok,
            change=_no_limit,
        )
        for endpoint in ("symbol", "search")
    ),
    Rule(
        "instruments",
        "no `exchange`",
        "the rows of all exchanges",
        "documented as optional; the reference refuses",
        when=lambda case: (
            case.status == 400 and "exchange" not in case.query and "apikey" in case.query
        ),
        status=200,
        edit=_with_all,
        freedom=Freedom(free=("data[*].*", "_text"), any_length=("data",)),
        check=checks.all_instruments,
    ),
    Rule(
        "optionchain",
        "success",
        "`bid_qty` and `ask_qty` are those of the book",
        "the broker of the recording does not fill them",
        when=lambda case: case.ok,
        freedom=Freedom(
            free=[
                f"chain[*].{side}.{name}"
                for side in ("ce", "pe")
                for name in ("bid_qty", "ask_qty")
            ]
        ),
        check=checks.chain_sizes,
    ),
    Rule(
        "optiongreeks",
        "the symbol is no option, or `expiry_time` is no time",
        "400 with the same text",
        "the reference answers 500",
        when=_parse_problem,
        status=400,
    ),
    Rule(
        "orderstatus",
        "success in analyze mode",
        "`pricetype` beside `price_type`",
        "every other answer calls it `pricetype`",
        when=lambda case: case.ok and not case.live,
        freedom=Freedom(extra=("data.pricetype",)),
        check=money.two_names,
    ),
    Rule(
        "orderstatus",
        "success in live mode",
        "also `price_type`, filled and pending quantity, strategy and rejection reason",
        "scripts that were written in analyze mode find their fields",
        when=lambda case: case.ok and case.live,
        freedom=Freedom(extra=[f"data.{name}" for name in (*_LIVE_ROW, "price_type")]),
        check=money.live_status,
    ),
    Rule(
        "orderbook",
        "live mode",
        "also average price, filled and pending quantity, strategy and rejection reason",
        "scripts that were written in analyze mode find their fields",
        when=lambda case: case.ok and case.live,
        freedom=Freedom(extra=[f"data.orders[*].{name}" for name in (*_LIVE_ROW, "average_price")]),
        check=money.live_orders,
    ),
    Rule(
        "positionbook",
        "a closed row in analyze mode",
        "`unrealized_pnl` is 0",
        "the reference repeats the realised profit there, while its total counts 0",
        when=lambda case: case.ok and not case.live,
        change=_flat_rows,
    ),
    Rule(
        "pnl/symbols",
        "a closed row",
        "`unrealized_pnl` is 0",
        "the reference repeats the realised profit there, while its total counts 0",
        when=lambda case: case.ok,
        change=_flat_rows,
    ),
    Rule(
        "modifygttorder",
        "unknown trigger id",
        "404 `No active GTT with trigger_id '...'`",
        "the reference crashes (500)",
        when=lambda case: case.status == 500 and case.fields.get("trigger_id") == "NOPE",
        status=404,
        body=error("No active GTT with trigger_id 'NOPE'", mode="analyze"),
    ),
    Rule(
        "modifygttorder",
        "another symbol, exchange, action or type than that of the GTT",
        "400 that says what cannot be changed",
        "the reference crashes (500)",
        when=lambda case: (
            case.status == 500
            and case.raw_body is None
            and case.fields.get("trigger_id", "NOPE") != "NOPE"
        ),
        status=400,
        edit=lambda body, case: error(
            f"{checks.changed(case)}. Cancel and re-place.".replace("order", "GTT"), mode="analyze"
        ),
    ),
    Rule(
        "chart",
        "a preference that is not a text",
        "stored like any JSON value",
        "the reference answers 500 and stores nothing",
        when=lambda case: case.method == "POST" and case.status == 500,
        status=200,
        body={"status": "success", "message": "Preferences updated successfully"},
    ),
    Rule(
        "chart",
        "preferences are read after such a one was stored",
        "they are among the answer",
        "the reference stored nothing of that request",
        when=lambda case: case.method == "GET" and case.ok and bool(case.body["data"]),
        edit=_with_refused_preferences,
    ),
    Rule(
        "margin",
        "success",
        "what the sandbox will block for these orders",
        "the reference asks the broker in analyze mode too; the stand-in of the recording takes 13 "
        "per cent of the value",
        when=lambda case: case.ok,
        edit=money.margin_of,
    ),
    Rule(
        "portfolio/*",
        "any request but one with a wrong key",
        "501 `Not available in this version`",
        "comes later",
        when=lambda case: case.status != 403,
        status=501,
        body=_NOT_YET,
    ),
    Rule(
        "sip/*",
        "any request but one with a wrong key",
        "501 `Not available in this version`",
        "comes later",
        when=lambda case: case.status != 403,
        status=501,
        body=_NOT_YET,
    ),
    Rule(
        "telegram/config",
        "success",
        "no times before something is configured",
        "nothing is stored for a bot that nobody set up",
        when=lambda case: case.ok and case.method == "GET",
        change=_no_times,
    ),
)
