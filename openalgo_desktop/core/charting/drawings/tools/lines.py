"""Lines."""

from __future__ import annotations

from openalgo_desktop.core.charting.drawings.model import Family, Style, Tool

_LINE = Style()
_RAY = Style(right=True)
_BOTH = Style(left=True, right=True)

F = Family.LINES
TOOLS = (
    Tool("trend", "Trend line", F, "line", 2, style=_LINE, key="Alt+Shift+T", help="Two points"),
    Tool("ray", "Ray", F, "line", 2, style=_RAY, help="Goes on beyond its second point"),
    Tool("extended", "Extended line", F, "line", 2, style=_BOTH, help="Goes on at both ends"),
    Tool(
        "horizontal",
        "Horizontal line",
        F,
        "horizontal",
        1,
        style=_BOTH,
        key="Alt+Shift+H",
        help="A price over all bars",
        words=("support", "resistance", "level"),
    ),
    Tool("horizontal-ray", "Horizontal ray", F, "horizontal", 1, style=_RAY, help="From a bar on"),
    Tool("vertical", "Vertical line", F, "vertical", 1, key="Alt+Shift+V", help="A moment"),
    Tool("cross", "Cross line", F, "cross", 1, style=_BOTH, help="A price and a moment"),
    Tool("arrow-line", "Arrow", F, "arrow", 2, help="A line with a head at its second point"),
    Tool(
        "info-line",
        "Info line",
        F,
        "line",
        2,
        variant="info",
        help="A trend line with its distance in price, per cent, bars and time",
        sign="i",
    ),
    Tool("trend-angle", "Trend angle", F, "line", 2, variant="angle", help="With its angle"),
)
