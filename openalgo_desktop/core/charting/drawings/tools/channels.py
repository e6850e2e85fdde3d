"""Channels and pitchforks."""

from __future__ import annotations

from openalgo_desktop.core.charting.drawings.model import Family, Level, Style, Tool

_CHANNEL = Style(fill="accent", opacity=0.1)
_FORK = Style(
    colour="link-2",
    opacity=0.08,
    fill="link-2",
    levels=(
        Level(0.25, "link-6", False),
        Level(0.5, "link-3"),
        Level(0.75, "link-6", False),
        Level(1.0, "accent"),
        Level(1.5, "link-4", False),
        Level(2.0, "link-5", False),
    ),
)

C, P = Family.CHANNELS, Family.PITCHFORKS
TOOLS = (
    Tool(
        "parallel-channel",
        "Parallel channel",
        C,
        "parallel",
        3,
        style=_CHANNEL,
        help="A line and a point of the other edge; the middle is dashed",
    ),
    Tool(
        "regression-trend",
        "Regression trend",
        C,
        "regression",
        2,
        style=Style(fill="accent", opacity=0.1, levels=(Level(2.0, "up"), Level(-2.0, "down"))),
        help="Least squares through the closes from one bar to another, with standard deviations",
        words=("linear regression",),
    ),
    Tool(
        "flat-channel",
        "Flat top or bottom",
        C,
        "flat",
        3,
        style=_CHANNEL,
        help="A line, and the price of its flat side",
    ),
    Tool(
        "disjoint-channel",
        "Disjoint channel",
        C,
        "disjoint",
        3,
        style=_CHANNEL,
        help="The other edge has the opposite slope",
    ),
    Tool(
        "pitchfork",
        "Pitchfork",
        P,
        "pitchfork",
        3,
        style=_FORK,
        variant="andrews",
        help="The median line from the first point through the middle of the others",
        words=("andrews", "median line"),
    ),
    Tool(
        "schiff-pitchfork",
        "Schiff pitchfork",
        P,
        "pitchfork",
        3,
        style=_FORK,
        variant="schiff",
        help="Begins at half the price between the first two points, at the first one's time",
    ),
    Tool(
        "modified-schiff-pitchfork",
        "Modified Schiff pitchfork",
        P,
        "pitchfork",
        3,
        style=_FORK,
        variant="modified",
        help="Begins in the middle between the first two points",
    ),
    Tool(
        "inside-pitchfork",
        "Inside pitchfork",
        P,
        "pitchfork",
        3,
        style=_FORK,
        variant="inside",
        help="Begins in the middle between the first two points, with the slope from there to "
        "the middle of the last two, its tines half as far",
    ),
    Tool(
        "pitchfan",
        "Pitchfan",
        P,
        "pitchfan",
        3,
        style=_FORK,
        help="Lines from the first point through parts of the way between the others",
    ),
)
