"""Harmonic and chart patterns, Elliott waves.

The ratios are the ones by which each pattern is published: lengths of legs in price.
"""

from __future__ import annotations

from openalgo_desktop.core.charting.drawings.model import Family, Ratio, Style, Tool

_PATTERN = Style(colour="link-1", fill="link-1", opacity=0.12)
_WAVES = Style(colour="link-3")
_RATIOS_XABCD = (
    Ratio("AB/XA", (1, 2), (0, 1)),
    Ratio("BC/AB", (2, 3), (1, 2)),
    Ratio("CD/BC", (3, 4), (2, 3)),
    Ratio("AD/XA", (1, 4), (0, 1)),
)

F = Family.PATTERNS
TOOLS = (
    Tool(
        "xabcd",
        "XABCD pattern",
        F,
        "pattern",
        5,
        style=_PATTERN,
        variant="triangles",
        labels=("X", "A", "B", "C", "D"),
        ratios=_RATIOS_XABCD,
        words=("harmonic", "gartley", "bat", "butterfly", "crab"),
    ),
    Tool(
        "cypher",
        "Cypher pattern",
        F,
        "pattern",
        5,
        style=_PATTERN,
        variant="triangles",
        labels=("X", "A", "B", "C", "D"),
        ratios=(
            Ratio("AB/XA", (1, 2), (0, 1)),
            Ratio("XC/XA", (0, 3), (0, 1)),
            Ratio("CD/XC", (3, 4), (0, 3)),
        ),
        words=("harmonic",),
    ),
    Tool(
        "abcd",
        "ABCD pattern",
        F,
        "pattern",
        4,
        style=_PATTERN,
        labels=("A", "B", "C", "D"),
        ratios=(Ratio("BC/AB", (1, 2), (0, 1)), Ratio("CD/BC", (2, 3), (1, 2))),
        words=("harmonic",),
    ),
    Tool(
        "three-drives",
        "Three drives pattern",
        F,
        "pattern",
        7,
        style=_PATTERN,
        labels=("", "1", "A", "2", "B", "3", ""),
        ratios=(
            Ratio("2/A", (2, 3), (1, 2)),
            Ratio("3/B", (4, 5), (3, 4)),
        ),
        words=("harmonic",),
    ),
    Tool(
        "head-and-shoulders",
        "Head and shoulders",
        F,
        "shoulders",
        7,
        style=_PATTERN,
        labels=("", "Left shoulder", "", "Head", "", "Right shoulder", ""),
        help="Seven turns; the neckline goes through the third and the fifth",
    ),
    Tool(
        "triangle-pattern",
        "Triangle pattern",
        F,
        "triangle_pattern",
        4,
        style=_PATTERN,
        labels=("A", "B", "C", "D"),
        help="Four turns; the edges meet where the triangle ends",
    ),
    Tool(
        "elliott-impulse",
        "Elliott impulse wave",
        F,
        "pattern",
        6,
        style=_WAVES,
        labels=("(0)", "(1)", "(2)", "(3)", "(4)", "(5)"),
        ratios=(
            Ratio("2/1", (1, 2), (0, 1)),
            Ratio("3/1", (2, 3), (0, 1)),
            Ratio("4/3", (3, 4), (2, 3)),
        ),
        words=("12345",),
    ),
    Tool(
        "elliott-correction",
        "Elliott correction wave",
        F,
        "pattern",
        4,
        style=_WAVES,
        labels=("(0)", "(A)", "(B)", "(C)"),
        ratios=(Ratio("B/A", (1, 2), (0, 1)), Ratio("C/A", (2, 3), (0, 1))),
        words=("ABC",),
    ),
    Tool(
        "elliott-triangle",
        "Elliott triangle wave",
        F,
        "pattern",
        6,
        style=_WAVES,
        labels=("(0)", "(A)", "(B)", "(C)", "(D)", "(E)"),
        words=("ABCDE",),
    ),
    Tool(
        "elliott-double",
        "Elliott double combo",
        F,
        "pattern",
        4,
        style=_WAVES,
        labels=("(0)", "(W)", "(X)", "(Y)"),
        ratios=(Ratio("Y/W", (2, 3), (0, 1)),),
        words=("WXY",),
    ),
    Tool(
        "elliott-triple",
        "Elliott triple combo",
        F,
        "pattern",
        6,
        style=_WAVES,
        labels=("(0)", "(W)", "(X)", "(Y)", "(X)", "(Z)"),
        ratios=(Ratio("Y/W", (2, 3), (0, 1)), Ratio("Z/W", (4, 5), (0, 1))),
        words=("WXYXZ",),
    ),
)
