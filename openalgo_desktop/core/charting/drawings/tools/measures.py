"""Measures and forecasts."""

from __future__ import annotations

from openalgo_desktop.core.charting.drawings.model import Dash, Family, Number, Style, Tool

_RANGE = Style(colour="accent", fill="accent", opacity=0.1, width=1.0)
_POSITION = Style(colour="muted", width=1.0, opacity=0.16)
_RISK = (
    Number("risk", "Risk, rupees", 1000.0),
    Number("lot", "Lot size", 1.0, 1.0, 1e6),
    Number("value", "Rupees of a unit at 1 rupee", 1.0, 1e-4, 1e6),
)

M, F = Family.MEASURES, Family.FORECASTS
TOOLS = (
    Tool("price-range", "Price range", M, "measure", 2, style=_RANGE, variant="price"),
    Tool("date-range", "Date range", M, "measure", 2, style=_RANGE, variant="time"),
    Tool("date-price-range", "Date and price range", M, "measure", 2, style=_RANGE),
    Tool(
        "ruler",
        "Measure",
        M,
        "measure",
        2,
        style=_RANGE,
        passing=True,
        variant="ruler",
        help="Gone with the next click",
        words=("measure",),
    ),
    Tool(
        "long-position",
        "Long position",
        F,
        "position",
        3,
        style=_POSITION,
        variant="long",
        numbers=_RISK,
        clicks=2,
        help="Entry, stop and target, the multiple of the risk (R), the quantity that risks so "
        "many rupees and its result. It sends nothing",
        words=("risk", "reward", "R"),
        sign="L",
    ),
    Tool(
        "short-position",
        "Short position",
        F,
        "position",
        3,
        style=_POSITION,
        variant="short",
        numbers=_RISK,
        clicks=2,
        help="Entry, stop and target, the multiple of the risk (R), the quantity that risks so "
        "many rupees and its result. It sends nothing",
        words=("risk", "reward", "R"),
        sign="S",
    ),
    Tool(
        "forecast",
        "Forecast",
        F,
        "forecast",
        2,
        style=Style(colour="link-3", dash=Dash.DASH),
        help="From a bar to an expected price, with what has to happen in between",
    ),
    Tool(
        "bars-pattern",
        "Bars pattern",
        F,
        "bars_pattern",
        3,
        style=Style(colour="link-4", width=1.0),
        help="The bars between the first two points, drawn again from the third",
    ),
    Tool(
        "projection",
        "Projection",
        F,
        "projection",
        3,
        style=Style(colour="link-3", fill="link-3", opacity=0.1),
        help="The move between the first two points again, from the third",
    ),
)
