"""Gann's boxes, squares and fan."""

from __future__ import annotations

from openalgo_desktop.core.charting.drawings.model import Family, Level, Style, Tool

_PARTS = tuple(
    Level(value, colour)
    for value, colour in (
        (0.0, "muted"),
        (0.25, "link-5"),
        (0.382, "link-2"),
        (0.5, "link-3"),
        (0.618, "up"),
        (0.75, "link-1"),
        (1.0, "muted"),
    )
)
#: Slopes of the fan: price units for one time unit, 8x1 ... 1x8.
_SLOPES = tuple(
    Level(value, colour)
    for value, colour in (
        (8.0, "link-5"),
        (4.0, "down"),
        (3.0, "link-2"),
        (2.0, "link-3"),
        (1.0, "accent"),
        (1 / 2, "link-3"),
        (1 / 3, "link-2"),
        (1 / 4, "down"),
        (1 / 8, "link-5"),
    )
)
_BOX = Style(colour="muted", width=1.0, fill="link-1", opacity=0.05, levels=_PARTS)

F = Family.GANN
TOOLS = (
    Tool("gann-box", "Gann box", F, "gann_box", 2, style=_BOX, help="Parts of price and of time"),
    Tool(
        "gann-square",
        "Gann square",
        F,
        "gann_square",
        2,
        style=_BOX,
        help="A box with the fan of its corner and arcs",
    ),
    Tool(
        "gann-square-fixed",
        "Gann square, fixed",
        F,
        "gann_square",
        2,
        style=_BOX,
        variant="fixed",
        help="As high as wide on the screen",
    ),
    Tool(
        "gann-fan",
        "Gann fan",
        F,
        "gann_fan",
        2,
        style=Style(colour="muted", width=1.0, levels=_SLOPES),
        help="The line through the second point is 1x1; the others are 1x8 to 8x1 of it",
    ),
)
