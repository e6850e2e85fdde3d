"""Tools of ours about words and days: constants, version, history with fewer words, holidays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from openalgo_desktop import __version__
from openalgo_desktop.automation.mcp.envelope import Outcome, Said
from openalgo_desktop.automation.mcp.ports import Ask, OwnTool
from openalgo_desktop.core.enums import Action, Exchange, Interval, PriceType, Product
from openalgo_desktop.core.tools import ToolRow, Toolset

CONSTANTS_URI = "openalgo://constants"
#: Candles when the model does not say, and at most.
BARS, MOST_BARS = 20, 500
#: Calendar days in which so many candles lie: of a day and longer by the candle, and for intraday
#: ones a week of days with holidays and the minutes of the shortest session.
_DAYS_OF: Mapping[str, float] = {"D": 1.6, "W": 7.2, "M": 31.5, "Q": 94.0, "Y": 370.0}
_SESSION_MINUTES, _HOLIDAYS, _MOST_DAYS = 375, 7, 19_000

_EXCHANGE: dict[str, Any] = {"type": "string", "enum": [e.value for e in Exchange]}
_SYMBOL: dict[str, Any] = {
    "type": "string",
    "description": "OpenAlgo symbol, such as SBIN or NIFTY29DEC26FUT",
}
_DAY: dict[str, Any] = {"type": "string", "format": "date", "description": "YYYY-MM-DD"}
BARS_SCHEMA: dict[str, Any] = {
    "type": "integer",
    "minimum": 1,
    "maximum": MOST_BARS,
    "default": BARS,
    "description": "How many of the newest are answered",
}
INSTRUMENT: dict[str, Any] = {"symbol": _SYMBOL, "exchange": _EXCHANGE | {"default": "NSE"}}
INTERVALS = [i.value for i in Interval]


def arguments(properties: Mapping[str, Any], *required: str) -> dict[str, Any]:
    """The schema of a tool's arguments."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


def reads(
    name: str, doc: str, toolset: Toolset, schema: dict[str, Any], *, ours: bool = False
) -> ToolRow:
    """The row of a tool that reads."""
    return ToolRow(name, doc, toolset, schema, idempotent=True, ours=ours)


# -- words ----------------------------------------------------------------------------------
def constants() -> dict[str, list[str]]:
    """What the fields of orders take."""
    return {
        "exchange": [e.value for e in Exchange],
        "product": [p.value for p in Product],
        "price_type": [p.value for p in PriceType],
        "action": [a.value for a in Action],
        "interval": INTERVALS,
    }


async def _constants(ask: Ask, data: dict[str, Any]) -> Said:
    known = constants()
    wrong = {
        name: f"{value!r} must be one of: {', '.join(known[name])}"
        for name, value in data.items()
        if value not in known[name]
    }
    more: dict[str, Any] = {"constants": known, "valid": not wrong}
    return Said(Outcome.OK, more=more | ({"wrong": wrong} if wrong else {}))


async def _version(ask: Ask, data: dict[str, Any]) -> Said:
    return Said(
        Outcome.OK, more={"engine": ask.program, "server": f"OpenAlgo Desktop {__version__}"}
    )


# -- days -----------------------------------------------------------------------------------
async def _check_holiday(ask: Ask, data: dict[str, Any]) -> Said:
    timings = await ask("get_timings", date=data["date"])
    if timings.is_error:
        return timings
    rows = timings.data.get("data") or []
    sessions = [row for row in rows if row.get("exchange") == data["exchange"]]
    more = {"date": data["date"], "exchange": data["exchange"], "open": bool(sessions)}
    return Said(Outcome.OK, data={"sessions": sessions}, more=more)


def first_day(interval: str, bars: int, last: date) -> date:
    """A day from which so many candles until ``last`` are there, holidays and weekends
    included."""
    if (factor := _DAYS_OF.get(interval)) is not None:
        days = bars * factor + _HOLIDAYS
    else:
        minutes = bars * Interval(interval).seconds / 60
        days = minutes / _SESSION_MINUTES * 1.6 + _HOLIDAYS
    return last - timedelta(days=min(_MOST_DAYS, int(days) + 1))


async def candles(ask: Ask, data: Mapping[str, Any], bars: int) -> Said:
    """History of the instrument in ``data`` in which at least so many candles lie, where there
    are so many; a range in ``data`` wins."""
    try:
        last = date.fromisoformat(data.get("end_date") or ask.today)
        start = data.get("start_date")
        if start:
            # Only the newest are answered: no more than they may need is asked for.
            first = max(date.fromisoformat(start), first_day(data["interval"], 10 * bars, last))
        elif data.get("lookback_days"):
            first = last - timedelta(days=int(data["lookback_days"]))
        else:
            first = first_day(data["interval"], bars, last)
    except ValueError:
        return Said(Outcome.NOT_SENT, "start_date, end_date: write a day as YYYY-MM-DD.")
    return await ask(
        "history",
        symbol=data["symbol"],
        exchange=data["exchange"],
        interval=data["interval"],
        start_date=first.isoformat(),
        end_date=last.isoformat(),
        source=data.get("source", "api"),
    )


async def _history(ask: Ask, data: dict[str, Any]) -> Said:
    said = await candles(ask, data, data["bars"])
    return replace(said, items=data["bars"], last=True)


_RANGE: dict[str, Any] = {
    "interval": {"type": "string", "enum": INTERVALS, "default": "D"},
    "bars": BARS_SCHEMA,
    "lookback_days": {
        "type": "integer",
        "minimum": 0,
        "maximum": _MOST_DAYS,
        "description": "Calendar days before end_date; without it as many as the bars need",
    },
    "start_date": _DAY,
    "end_date": _DAY | {"description": "YYYY-MM-DD; today when left out"},
    "source": {"type": "string", "enum": ["api", "db"], "default": "api"},
}

OWN: tuple[OwnTool, ...] = (
    OwnTool(
        reads(
            "get_historical_data",
            "Candles of an instrument, oldest first; the newest `bars` of the range are answered.",
            Toolset.MARKET,
            arguments(INSTRUMENT | _RANGE, "symbol"),
        ),
        _history,
    ),
    OwnTool(
        reads(
            "check_holiday",
            "Whether an exchange trades on a day, and its sessions.",
            Toolset.REFERENCE,
            arguments({"date": _DAY, "exchange": _EXCHANGE | {"default": "NSE"}}, "date"),
        ),
        _check_holiday,
    ),
    OwnTool(
        reads(
            "validate_order_constants",
            "What exchange, product, price_type, action and interval may be; checks given ones.",
            Toolset.REFERENCE,
            arguments({name: {"type": "string"} for name in constants()}),
            ours=True,
        ),
        _constants,
    ),
    OwnTool(
        reads(
            *("get_openalgo_version", "Versions of the engine.", Toolset.REFERENCE, arguments({})),
            ours=True,
        ),
        _version,
    ),
)
