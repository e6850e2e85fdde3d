"""Tools that compute: indicators, snapshots, levels, signs, screens, correlation.

They ask ``history`` as any tool does and compute with the studies of the charts, in a thread. What
they say is arithmetic about past prices; none of it is advice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import numpy as np

from openalgo_desktop.automation.mcp import studies
from openalgo_desktop.automation.mcp.envelope import Outcome, Said
from openalgo_desktop.automation.mcp.ports import Ask, OwnTool
from openalgo_desktop.automation.mcp.reference import (
    BARS_SCHEMA,
    INSTRUMENT,
    INTERVALS,
    arguments,
    candles,
    reads,
)
from openalgo_desktop.automation.mcp.snapshots import (
    MOMENTUM,
    TREND,
    VOLATILITY,
    OneStudy,
    signs,
    snapshot,
)
from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.tools import Toolset

#: Candles that are looked at when the model does not say, and at most; a trading year of days.
LOOKBACK, MOST_LOOKBACK = 252, 2000
#: Instruments and intervals of one call at most: each is a request.
MOST_SYMBOLS, MOST_INTERVALS = 20, 6
_FEWEST = 2
_FORMING = "The newest bar may still be forming."


# -- what is asked --------------------------------------------------------------------------
async def _bars(ask: Ask, data: Mapping[str, Any]) -> Columns | Said:
    """The candles of the instrument in ``data``, or why there are none."""
    said = await candles(ask, data, data["lookback_bars"])
    if said.is_error:
        return said
    rows = said.data.get("data") or []
    if len(rows) < _FEWEST:
        return Said(Outcome.REFUSED, f"There are {len(rows)} candles: too few to compute of.")
    return studies.columns(rows[-data["lookback_bars"] :])


def _told(data: Mapping[str, Any], bars: Columns, found: Any) -> Said:
    about = {name: data[name] for name in ("symbol", "exchange", "interval")}
    last = {"last_close": float(bars.close[-1]), "last_bar": int(bars.time[-1])}
    answer = about | {"bars": bars.size} | last | found
    return Said(Outcome.OK, data=answer, more={"hint": _FORMING})


def _key(data: Mapping[str, Any]) -> tuple[str, str]:
    return (data["exchange"], data["symbol"])


# -- tools ----------------------------------------------------------------------------------
async def _list(ask: Ask, data: dict[str, Any]) -> Said:
    specs = await asyncio.to_thread(studies.known)
    words = str(data.get("query") or "").lower().split()
    rows = [
        {
            "indicator": spec.study,
            "title": spec.title,
            "params": {p.name: p.default for p in spec.params if p.name != "interval"},
            "outputs": [output.name for output in spec.outputs],
        }
        for spec in specs
        if all(word in f"{spec.study} {spec.title} {spec.family}".lower() for word in words)
    ]
    return Said(Outcome.OK, more={"indicators": rows})


async def _indicator(ask: Ask, data: dict[str, Any]) -> Said:
    bars = await _bars(ask, data)
    if isinstance(bars, Said):
        return bars

    def work() -> list[dict[str, Any]]:
        params = data.get("params") or {}
        arrays = studies.computed(data["indicator"], params, bars, _key(data), data["interval"])
        first = max(0, bars.size - data["bars"])
        return [
            {
                "timestamp": int(bars.time[at]),
                "close": float(bars.close[at]),
                **{
                    name: studies.rounded(studies.last_value(values[: at + 1]))
                    for name, values in arrays.items()
                },
            }
            for at in range(first, bars.size)
        ]

    try:
        rows = await asyncio.to_thread(work)
    except AppError as error:
        return Said(Outcome.NOT_SENT, error.message)
    return _told(data, bars, {"indicator": data["indicator"], "values": rows})


def _snapshot_of(rows: tuple[OneStudy, ...]) -> Any:
    async def make(ask: Ask, data: dict[str, Any]) -> Said:
        bars = await _bars(ask, data)
        if isinstance(bars, Said):
            return bars
        return _told(
            data, bars, await asyncio.to_thread(snapshot, rows, bars, _key(data), data["interval"])
        )

    return make


async def _levels(ask: Ask, data: dict[str, Any]) -> Said:
    bars = await _bars(ask, data)
    if isinstance(bars, Said):
        return bars

    def work() -> dict[str, Any]:
        key, interval = _key(data), data["interval"]
        pivots = studies.computed("pivots", {"period": data["period"]}, bars, key, interval)
        swings = studies.computed("pivot-points", {}, bars, key, interval)
        close = float(bars.close[-1])
        highs, lows = _prices(swings["high"]), _prices(swings["low"])
        return {
            "pivots": studies.newest(pivots),
            "resistance": sorted({p for p in (*highs, *lows) if p > close})[:5],
            "support": sorted({p for p in (*highs, *lows) if p < close}, reverse=True)[:5],
            "range": {"high": float(bars.high.max()), "low": float(bars.low.min())},
        }

    return _told(data, bars, await asyncio.to_thread(work))


def _prices(values: Any) -> list[float]:
    return [round(float(value), 2) for value in values[np.isfinite(values)]]


async def _signals(ask: Ask, data: dict[str, Any]) -> Said:
    bars = await _bars(ask, data)
    if isinstance(bars, Said):
        return bars
    found = await asyncio.to_thread(signs, bars, _key(data), data["interval"])
    return _told(data, bars, {"signs": found})


async def _timeframes(ask: Ask, data: dict[str, Any]) -> Said:
    found: dict[str, Any] = {}
    for interval in dict.fromkeys(data["intervals"]):
        one = data | {"interval": interval}
        bars = await _bars(ask, one)
        if isinstance(bars, Said):
            reason = bars.message or (bars.data or {}).get("message")
            found[interval] = {"missing": str(reason)}
            continue
        found[interval] = {
            "last_close": float(bars.close[-1]),
            "signs": await asyncio.to_thread(signs, bars, _key(one), interval),
        }
    about = {"symbol": data["symbol"], "exchange": data["exchange"]}
    return Said(Outcome.OK, data=about | {"intervals": found}, more={"hint": _FORMING})


async def _screen(ask: Ask, data: dict[str, Any]) -> Said:
    rows: list[dict[str, Any]] = []
    for place in data["symbols"]:
        one = data | place
        bars = await _bars(ask, one)
        if isinstance(bars, Said):
            reason = bars.message or (bars.data or {}).get("message")
            rows.append(dict(place) | {"missing": str(reason)})
            continue
        try:
            arrays = await asyncio.to_thread(
                studies.computed,
                *(data["indicator"], data.get("params") or {}, bars, _key(one), data["interval"]),
            )
        except AppError as error:
            return Said(Outcome.NOT_SENT, error.message)
        output = data.get("output") or next(iter(arrays))
        if output not in arrays:
            return Said(Outcome.NOT_SENT, f"output: must be one of: {', '.join(arrays)}.")
        value = studies.rounded(studies.last_value(arrays[output]))
        rows.append(
            dict(place)
            | {"close": float(bars.close[-1]), "value": value}
            | {"matches": _matches(value, data)}
        )
    matching = [row for row in rows if row.get("matches")]
    return Said(Outcome.OK, data={"matching": matching, "all": rows}, more={"hint": _FORMING})


def _matches(value: float | None, data: Mapping[str, Any]) -> bool:
    if value is None:
        return False
    low, high = data.get("above"), data.get("below")
    return (low is None or value > low) and (high is None or value < high)


async def _correlation(ask: Ask, data: dict[str, Any]) -> Said:
    first = await _bars(ask, data)
    if isinstance(first, Said):
        return first
    there = {"symbol": data["benchmark"], "exchange": data["benchmark_exchange"]}
    second = await _bars(ask, data | there)
    if isinstance(second, Said):
        return second
    _, one, two = np.intersect1d(first.time, second.time, return_indices=True)
    mine, other = first.close[one], second.close[two]
    if len(mine) < 4 or not (np.all(mine > 0) and np.all(other > 0)):
        return Said(Outcome.REFUSED, "There are too few bars that both have.")
    x, y = np.diff(mine) / mine[:-1], np.diff(other) / other[:-1]
    spread, both = float(np.var(y, ddof=1)), float(np.cov(x, y, ddof=1)[0, 1])
    scale = float(np.std(x, ddof=1) * np.std(y, ddof=1))
    found = {
        "benchmark": there,
        "returns": len(x),
        "correlation": round(both / scale, 4) if scale else None,
        "beta": round(both / spread, 4) if spread else None,
    }
    return _told(data, first, found)


# -- the table ------------------------------------------------------------------------------
_INTERVAL: dict[str, Any] = {"type": "string", "enum": INTERVALS, "default": "D"}
_LOOKBACK: dict[str, Any] = {
    "type": "integer",
    "minimum": 30,
    "maximum": MOST_LOOKBACK,
    "default": LOOKBACK,
    "description": "Bars that are looked at",
}
_INDICATOR: dict[str, Any] = {
    "indicator": {"type": "string", "description": "Such as rsi; list_indicators has all"},
    "params": {
        "type": "object",
        "description": 'Such as {"length": 9}; what is left out has its default',
        "additionalProperties": {"type": ["number", "string", "boolean"]},
    },
}
_BASE = INSTRUMENT | {"interval": _INTERVAL, "lookback_bars": _LOOKBACK}
_PLACE = {
    "type": "object",
    "properties": {"symbol": INSTRUMENT["symbol"], "exchange": INSTRUMENT["exchange"]},
    "required": ["symbol", "exchange"],
    "additionalProperties": False,
}


def _tool(name: str, doc: str, schema: dict[str, Any], make: Any, *, ours: bool = False) -> OwnTool:
    return OwnTool(reads(name, doc, Toolset.RESEARCH, schema, ours=ours), make)


OWN: tuple[OwnTool, ...] = (
    _tool(
        "list_indicators",
        "Indicators that calculate_indicator computes, with their parameters.",
        arguments({"query": {"type": "string", "description": "Words of its name or family"}}),
        _list,
        ours=True,
    ),
    _tool(
        "calculate_indicator",
        "An indicator of an instrument; the newest `bars` values are answered.",
        arguments(_BASE | _INDICATOR | {"bars": BARS_SCHEMA}, "symbol", "indicator"),
        _indicator,
    ),
    _tool(
        "get_trend_snapshot",
        "Moving averages, MACD, ADX, supertrend and Aroon of the newest bar.",
        arguments(_BASE, "symbol"),
        _snapshot_of(TREND),
    ),
    _tool(
        "get_momentum_snapshot",
        "RSI, stochastic, CCI, Williams %R, rate of change and ultimate oscillator of the newest "
        "bar.",
        arguments(_BASE, "symbol"),
        _snapshot_of(MOMENTUM),
    ),
    _tool(
        "get_volatility_snapshot",
        "ATR, Bollinger and Keltner bands and historical volatility of the newest bar.",
        arguments(_BASE, "symbol"),
        _snapshot_of(VOLATILITY),
    ),
    _tool(
        "get_support_resistance",
        "Pivots of the period before, and swing highs and lows around the last price.",
        arguments(
            _BASE
            | {
                "period": {
                    "type": "string",
                    "enum": ["day", "week", "month"],
                    "default": "day",
                    "description": "Of which the pivots are",
                }
            },
            "symbol",
        ),
        _levels,
    ),
    _tool(
        "get_technical_signals",
        "What widely used rules say of the newest bar. It is arithmetic, no advice.",
        arguments(_BASE, "symbol"),
        _signals,
    ),
    _tool(
        "get_multi_timeframe",
        "The same rules on several intervals.",
        arguments(
            INSTRUMENT
            | {
                "intervals": {
                    "type": "array",
                    "items": {"type": "string", "enum": INTERVALS},
                    "minItems": 1,
                    "maxItems": MOST_INTERVALS,
                    "default": ["15m", "1h", "D"],
                },
                "lookback_bars": _LOOKBACK,
            },
            "symbol",
        ),
        _timeframes,
    ),
    _tool(
        "screen_symbols",
        "Which of some instruments have an indicator above or below a value.",
        arguments(
            {
                "symbols": {
                    "type": "array",
                    "items": _PLACE,
                    "minItems": 1,
                    "maxItems": MOST_SYMBOLS,
                },
                **_INDICATOR,
                "output": {"type": "string", "description": "Which of its lines; the first"},
                "above": {"type": "number"},
                "below": {"type": "number"},
                "interval": _INTERVAL,
                "lookback_bars": _LOOKBACK,
            },
            *("symbols", "indicator"),
        ),
        _screen,
    ),
    _tool(
        "get_correlation_beta",
        "Correlation and beta of the returns of an instrument against a benchmark.",
        arguments(
            _BASE
            | {
                "benchmark": {"type": "string", "default": "NIFTY"},
                "benchmark_exchange": INSTRUMENT["exchange"] | {"default": "NSE_INDEX"},
            },
            "symbol",
        ),
        _correlation,
    ),
)
