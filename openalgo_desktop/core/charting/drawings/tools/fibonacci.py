"""Fibonacci sets. The ratios are powers of the golden section 0.618 and their usual companions."""

from __future__ import annotations

from openalgo_desktop.core.charting.drawings.model import Family, Level, Style, Tool

_RATIOS = (
    Level(0.0, "muted"),
    Level(0.236, "link-5"),
    Level(0.382, "link-2"),
    Level(0.5, "link-3"),
    Level(0.618, "up"),
    Level(0.786, "link-1"),
    Level(1.0, "muted"),
    Level(1.272, "link-4", False),
    Level(1.414, "link-4", False),
    Level(1.618, "link-4"),
    Level(2.0, "link-5", False),
    Level(2.618, "down"),
    Level(3.618, "link-5", False),
    Level(4.236, "link-1", False),
)
_CORE = tuple(level for level in _RATIOS if level.value <= 1.0)
_ARCS = tuple(
    Level(value, colour)
    for value, colour in (
        (0.236, "link-5"),
        (0.382, "link-2"),
        (0.5, "link-3"),
        (0.618, "up"),
        (0.786, "link-1"),
        (1.0, "muted"),
        (1.618, "link-4"),
        (2.618, "down"),
    )
)
#: Distances of time zones: the numbers of Fibonacci.
_ZONES = tuple(Level(float(n), "link-1") for n in (0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89))
_TIMES = tuple(
    Level(value, "link-1") for value in (0.0, 0.382, 0.5, 0.618, 1.0, 1.382, 1.618, 2.0, 2.618)
)

_SET = Style(colour="muted", width=1.0, opacity=0.08, fill="link-1", levels=_RATIOS)
_FAN = Style(colour="muted", width=1.0, opacity=0.06, fill="link-1", levels=_CORE)
_RINGS = Style(colour="muted", width=1.0, opacity=0.05, fill="link-1", levels=_ARCS)

F = Family.FIBONACCI
TOOLS = (
    Tool(
        "fib-retracement",
        "Fib retracement",
        F,
        "retracement",
        2,
        style=_SET,
        key="Alt+Shift+F",
        help="Parts of a move; 0 is at the second point, where the move ended",
    ),
    Tool(
        "fib-extension",
        "Trend-based Fib extension",
        F,
        "extension",
        3,
        style=_SET,
        help="Parts of the move between the first two points, set off at the third",
    ),
    Tool(
        "fib-channel",
        "Fib channel",
        F,
        "fib_channel",
        3,
        style=_SET,
        help="Parallels of a line at parts of its distance to the third point",
    ),
    Tool(
        "fib-time-zones",
        "Fib time zones",
        F,
        "time_zones",
        2,
        style=Style(colour="muted", width=1.0, levels=_ZONES),
        help="Vertical lines at numbers of Fibonacci times the distance of two bars",
    ),
    Tool(
        "fib-trend-time",
        "Trend-based Fib time",
        F,
        "trend_time",
        3,
        style=Style(colour="muted", width=1.0, levels=_TIMES),
        help="Parts of the time between the first two points, set off at the third",
    ),
    Tool(
        "fib-circles",
        "Fib circles",
        F,
        "fib_circles",
        2,
        style=_RINGS,
        help="Ellipses around the middle of a move",
    ),
    Tool(
        "fib-spiral",
        "Fib spiral",
        F,
        "spiral",
        2,
        style=Style(colour="link-2", width=1.5),
        help="Grows by the golden section in each quarter turn",
        words=("golden spiral",),
    ),
    Tool(
        "fib-fan",
        "Fib speed resistance fan",
        F,
        "fib_fan",
        2,
        style=_FAN,
        help="Lines through parts of the price and of the time of a move",
    ),
    Tool(
        "fib-arcs",
        "Fib speed resistance arcs",
        F,
        "fib_arcs",
        2,
        style=_RINGS,
        help="Half circles around the end of a move, towards its beginning",
    ),
    Tool(
        "fib-wedge",
        "Fib wedge",
        F,
        "wedge",
        3,
        style=Style(colour="muted", width=1.0, opacity=0.06, fill="link-1", levels=_CORE),
        help="Arcs between two legs that begin in one point",
    ),
)
