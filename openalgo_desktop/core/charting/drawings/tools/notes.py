"""Text, notes and arrows."""

from __future__ import annotations

from openalgo_desktop.core.charting.drawings.model import Family, Style, Tool

_TEXT = Style(colour="text", font=13)
_BOX = Style(colour="accent", fill="accent", opacity=0.9, font=12)

N, A = Family.NOTES, Family.ARROWS
TOOLS = (
    Tool("text", "Text", N, "text", 1, style=_TEXT, text="Text", written=True),
    Tool(
        "anchored-text",
        "Anchored text",
        N,
        "text",
        1,
        style=_TEXT,
        text="Text",
        written=True,
        screen=True,
        help="Stays where it is on the screen",
    ),
    Tool(
        "note",
        "Note",
        N,
        "note",
        1,
        style=_BOX,
        text="Note",
        written=True,
        help="A pin, its text above",
    ),
    Tool(
        "anchored-note",
        "Anchored note",
        N,
        "note",
        1,
        style=_BOX,
        text="Note",
        written=True,
        screen=True,
        help="A pin that stays where it is on the screen",
    ),
    Tool("callout", "Callout", N, "callout", 2, style=_BOX, text="Callout", written=True),
    Tool("balloon", "Balloon", N, "balloon", 1, style=_BOX, text="Comment", written=True),
    Tool("signpost", "Signpost", N, "signpost", 1, style=_BOX, text="Sign", written=True),
    Tool("price-label", "Price label", N, "price_label", 1, style=_BOX, help="Says its price"),
    Tool(
        "price-note",
        "Price note",
        N,
        "price_note",
        2,
        style=_BOX,
        help="Says the price of its first point at the second",
    ),
    Tool("flag", "Flag mark", N, "flag", 1, style=Style(colour="link-2", fill="link-2")),
    Tool(
        "arrow-up",
        "Arrow mark up",
        A,
        "mark",
        1,
        style=Style(colour="up", fill="up", opacity=1.0),
        variant="up",
    ),
    Tool(
        "arrow-down",
        "Arrow mark down",
        A,
        "mark",
        1,
        style=Style(colour="down", fill="down", opacity=1.0),
        variant="down",
    ),
    Tool(
        "arrow-left",
        "Arrow mark left",
        A,
        "mark",
        1,
        style=Style(colour="accent", fill="accent", opacity=1.0),
        variant="left",
    ),
    Tool(
        "arrow-right",
        "Arrow mark right",
        A,
        "mark",
        1,
        style=Style(colour="accent", fill="accent", opacity=1.0),
        variant="right",
    ),
    Tool(
        "arrow-marker",
        "Arrow marker",
        A,
        "marker",
        2,
        style=Style(colour="accent", fill="accent", opacity=0.7),
        help="A broad arrow from the first point to the second",
    ),
)
