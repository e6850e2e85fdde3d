"""What the tools of research say of the newest bar: values of common studies, and signs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from openalgo_desktop.automation.mcp import studies
from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.model import Key


@dataclass(frozen=True, slots=True)
class OneStudy:
    """A study of a snapshot: what it is called in the answer, and which outputs are told."""

    name: str
    study: str
    params: Mapping[str, Any]
    outputs: tuple[str, ...]


S = OneStudy
TREND: tuple[OneStudy, ...] = (
    *(S(f"sma_{n}", "sma", {"length": n}, ("average",)) for n in (20, 50, 200)),
    *(S(f"ema_{n}", "ema", {"length": n}, ("average",)) for n in (9, 21)),
    S("macd", "macd", {}, ("macd", "signal", "histogram")),
    S("adx", "adx", {}, ("adx", "plus", "minus")),
    S("supertrend", "supertrend", {}, ("rising", "falling")),
    S("aroon", "aroon", {}, ("up", "down")),
)
MOMENTUM: tuple[OneStudy, ...] = (
    S("rsi", "rsi", {}, ("rsi",)),
    S("stochastic", "stochastic", {}, ("k", "d")),
    S("cci", "cci", {}, ("cci",)),
    S("williams_r", "williams-r", {}, ("r",)),
    S("roc", "roc", {}, ("roc",)),
    S("ultimate", "ultimate", {}, ("uo",)),
)
VOLATILITY: tuple[OneStudy, ...] = (
    S("atr", "atr", {}, ("atr",)),
    S("natr_percent", "natr", {}, ("natr",)),
    S("bollinger", "bollinger", {}, ("upper", "middle", "lower")),
    S("bollinger_width", "bollinger-width", {}, ("width",)),
    S("keltner", "keltner", {}, ("upper", "middle", "lower")),
    S("historical_volatility", "historical-volatility", {}, ("volatility",)),
)


def snapshot(rows: tuple[OneStudy, ...], bars: Columns, key: Key, interval: str) -> dict[str, Any]:
    """The newest values of these studies, by their names."""
    found: dict[str, Any] = {}
    for row in rows:
        arrays = studies.computed(row.study, row.params, bars, key, interval)
        values = studies.newest(arrays, row.outputs)
        found[row.name] = values if len(values) > 1 else next(iter(values.values()))
    return found


def signs(bars: Columns, key: Key, interval: str) -> dict[str, str]:
    """What widely used rules say of the newest bar: ``up``, ``down``, or that they do not."""
    close = float(bars.close[-1])
    values = snapshot((*TREND, *MOMENTUM), bars, key, interval)
    macd, adx, stochastic = values["macd"], values["adx"], values["stochastic"]
    trend = values["supertrend"]

    def over(first: float | None, second: float | None) -> str:
        if first is None or second is None:
            return "not known"
        return "up" if first > second else "down" if first < second else "even"

    def edge(value: float | None, low: float, high: float) -> str:
        if value is None:
            return "not known"
        return "oversold" if value < low else "overbought" if value > high else "between"

    rising = trend["rising"] is not None
    return {
        "close_against_sma_50": over(close, values["sma_50"]),
        "close_against_sma_200": over(close, values["sma_200"]),
        "ema_9_against_ema_21": over(values["ema_9"], values["ema_21"]),
        "macd_against_signal": over(macd["macd"], macd["signal"]),
        "supertrend": "up" if rising else "down" if trend["falling"] is not None else "not known",
        "directional_movement": over(adx["plus"], adx["minus"]),
        "trend_strength": "not known" if adx["adx"] is None else _strength(adx["adx"]),
        "rsi": edge(values["rsi"], 30, 70),
        "stochastic": edge(stochastic["k"], 20, 80),
    }


def _strength(adx: float) -> str:
    return "strong" if adx >= 25 else "weak" if adx < 20 else "middling"
