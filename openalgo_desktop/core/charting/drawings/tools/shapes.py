"""Shapes and brushes."""

from __future__ import annotations

from openalgo_desktop.core.charting.drawings.model import Family, Style, Tool

_FILLED = Style(colour="link-4", fill="link-4", opacity=0.14)
_OPEN = Style(colour="link-4")

S, B = Family.SHAPES, Family.BRUSHES
TOOLS = (
    Tool("rectangle", "Rectangle", S, "rectangle", 2, style=_FILLED, words=("zone", "box")),
    Tool(
        "rotated-rectangle",
        "Rotated rectangle",
        S,
        "rotated",
        3,
        style=_FILLED,
        help="The middle line of its length, then how wide it is",
    ),
    Tool("ellipse", "Ellipse", S, "ellipse", 2, style=_FILLED, help="In the box of two corners"),
    Tool("circle", "Circle", S, "circle", 2, style=_FILLED, help="Its middle and a point of it"),
    Tool("triangle", "Triangle", S, "polygon", 3, style=_FILLED),
    Tool(
        "polyline",
        "Polyline",
        S,
        "polyline",
        2,
        0,
        style=_FILLED,
        help="Any number of points; ends at its first point, or by a double or right click",
    ),
    Tool(
        "path",
        "Path",
        S,
        "path",
        2,
        0,
        style=_OPEN,
        help="Any number of points with an arrow at the last; a double or right click ends it",
    ),
    Tool("curve", "Curve", S, "curve", 3, style=_OPEN, help="Two ends, then the bow"),
    Tool("double-curve", "Double curve", S, "curve", 4, style=_OPEN, help="Two ends, two bows"),
    Tool("arc", "Arc", S, "arc", 3, style=_FILLED, help="Two ends, then a point of the arc"),
    Tool("brush", "Brush", B, "stroke", 2, 0, style=Style(colour="link-2", width=2.0), hand=True),
    Tool(
        "highlighter",
        "Highlighter",
        B,
        "stroke",
        2,
        0,
        style=Style(colour="link-2", width=16.0, opacity=0.3),
        hand=True,
        variant="marker",
    ),
)
