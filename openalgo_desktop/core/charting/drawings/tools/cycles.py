"""Cycles, and the studies that a gesture anchors."""

from __future__ import annotations

from openalgo_desktop.core.charting.drawings.model import Family, Style, Tool

_LINES = Style(colour="link-1", width=1.0)

C, V = Family.CYCLES, Family.STUDIES
TOOLS = (
    Tool(
        "cyclic-lines",
        "Cyclic lines",
        C,
        "cyclic",
        2,
        style=_LINES,
        help="Vertical lines that repeat the distance of two bars",
    ),
    Tool("time-cycles", "Time cycles", C, "time_cycles", 2, style=_LINES, help="Half circles"),
    Tool(
        "sine-line",
        "Sine line",
        C,
        "sine",
        2,
        style=_LINES,
        help="From a turn to the opposite one",
    ),
    Tool(
        "anchored-vwap",
        "Anchored VWAP",
        V,
        "line",
        1,
        study="vwap-anchored",
        params=("anchor",),
        help="The volume-weighted average price from a bar on",
        sign="VW",
    ),
    Tool(
        "fixed-range-profile",
        "Fixed range volume profile",
        V,
        "line",
        2,
        study="fixed-profile",
        params=("start", "end"),
        help="Volume at prices between two bars",
        sign="VP",
    ),
    Tool(
        "anchored-profile",
        "Anchored volume profile",
        V,
        "line",
        1,
        study="fixed-profile",
        params=("start",),
        help="Volume at prices from a bar on",
        sign="AP",
    ),
)
