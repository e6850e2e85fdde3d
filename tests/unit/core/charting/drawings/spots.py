"""Where each tool leaves a stroke or a text, reckoned by hand on the linear pane of ``pane.py``.

Its spots are A (105, 320), B (205, 240), C (305, 280), D (405, 160), E (455, 200), F (505, 120) and
G (585, 180) in pixels: 120, 140, 130, 160, 150, 170 and 155 rupees.
"""

from __future__ import annotations

from math import atan2, cos, hypot, sin, sqrt

import numpy as np

from tests.unit.core.charting.drawings.pane import bars

_LONG = hypot(100, 80)
_GOLD = (1 + sqrt(5)) / 2
_TURN = (atan2(-80, 100) + atan2(-40, 200)) / 2
_ARC = (_LONG + hypot(200, 40)) / 4
_AB, _BC = (155, 280), (255, 260)

ON: dict[str, tuple[tuple[float, float], ...]] = {
    "trend": (_AB,),
    "ray": (_AB, (305, 160)),
    "extended": (_AB, (305, 160), (55, 360)),
    "horizontal": ((50, 320), (700, 320)),
    "horizontal-ray": ((105, 320), (700, 320)),
    "vertical": ((105, 50), (105, 380)),
    "cross": ((105, 50), (700, 320)),
    "arrow-line": (_AB, (205, 240)),
    "info-line": (_AB,),
    "trend-angle": (_AB,),
    "parallel-channel": (_AB, (180, 380)),
    "flat-channel": (_AB, (130, 280)),
    "disjoint-channel": (_AB, (155, 240), (180, 260)),
    "pitchfork": ((405, 200), (355, 180), (455, 220)),
    "schiff-pitchfork": ((405, 240),),
    "modified-schiff-pitchfork": ((355, 240), (305, 220)),
    "inside-pitchfork": ((355, 240), (330, 230)),
    "pitchfan": ((405, 200), (305, 160)),
    "fib-retracement": ((120, 280), (120, 240), (120, 289.44)),
    "fib-extension": ((250, 200), (250, 240)),
    "fib-channel": ((155, 340), (180, 260)),
    "fib-time-zones": ((405, 50), (105, 50)),
    "fib-trend-time": ((355, 50), (405, 50)),
    "fib-circles": ((155 + 100 / sqrt(2), 280), (155, 280 - 80 / sqrt(2))),
    "fib-spiral": ((205, 240), (105 - 80 / _GOLD, 320 - 100 / _GOLD)),
    "fib-fan": ((305, 240), (180, 200)),
    "fib-arcs": ((205, 240 + _LONG / 2), (205, 240 + _LONG * 0.618)),
    "fib-wedge": ((105 + _ARC * cos(_TURN), 320 + _ARC * sin(_TURN)), _AB),
    "gann-box": ((120, 280), (155, 300)),
    "gann-square": ((120, 280), (155, 300)),
    "gann-square-fixed": ((120, 270),),
    "gann-fan": ((255, 200), (180, 200)),
    "rectangle": ((155, 320), (155, 240), (105, 280), (205, 280)),
    "ellipse": ((205, 280), (155, 240)),
    "circle": ((105 + _LONG, 320), (105, 320 - _LONG)),
    "triangle": (_BC, (205, 300)),
    "polyline": (_AB, _BC, (355, 220)),
    "path": (_AB, _BC, (355, 220)),
    "curve": ((305, 280), (205, 240)),
    "double-curve": ((305, 280), (405, 160)),
    "arc": ((305, 280), (105, 320)),
    "brush": (_AB, _BC),
    "highlighter": (_AB, _BC),
    "note": ((105, 320),),
    "anchored-note": ((200, 200),),
    "callout": ((105, 320),),
    "balloon": ((105, 320),),
    "signpost": ((105, 300),),
    "price-label": ((105, 320),),
    "price-note": ((130, 300),),
    "flag": ((105, 310),),
    "arrow-up": ((105, 320), (110, 346)),
    "arrow-down": ((105, 320), (110, 294)),
    "arrow-left": ((105, 320), (131, 325)),
    "arrow-right": ((105, 320), (79, 325)),
    "arrow-marker": ((205, 240),),
    "price-range": ((130, 320), (130, 240), (155, 300)),
    "date-range": ((130, 280),),
    "date-price-range": ((130, 320), (130, 280)),
    "ruler": ((130, 320), (130, 280)),
    "long-position": ((110, 320), (110, 240), (110, 280)),
    "short-position": ((110, 320), (110, 240), (110, 280)),
    "forecast": (_AB,),
    "projection": (_AB, (355, 240)),
    "cyclic-lines": ((105, 50), (505, 50)),
    "time-cycles": ((155, 270), (255, 270)),
    "sine-line": ((305, 320), (155, 280)),
    **dict.fromkeys(("xabcd", "cypher", "abcd", "three-drives"), (_AB, _BC, (355, 220))),
    "head-and-shoulders": (_AB, (380, 240)),
    "triangle-pattern": ((205, 300), (305, 200)),
    **dict.fromkeys(
        (
            "elliott-impulse",
            "elliott-correction",
            "elliott-triangle",
            "elliott-double",
            "elliott-triple",
        ),
        (_AB, _BC, (355, 220)),
    ),
}
ON["rotated-rectangle"] = ((155 + 12000 / _LONG * 80 / _LONG, 280 + 12000 / _LONG * 100 / _LONG),)


def _y(price: float) -> float:
    return 400 - (price - 100) * 4


def _regression() -> tuple[tuple[float, float], ...]:
    """The least squares of the closes from bar 10 to bar 20, and two deviations beside them."""
    places, closes = np.arange(10, 21), bars().close[10:21]
    slope, base = np.polyfit(places, closes, 1)
    wide = 2 * np.std(closes - slope * places - base)
    return tuple(
        (10 * place + 5, float(_y(base + slope * place + more)))
        for place in (12, 18)
        for more in (-wide, 0.0, wide)
    )


def _bars_again() -> tuple[tuple[float, float], ...]:
    """Bars 10 to 20 from bar 30 on, moved so that the first opens at 130: their opens left, their
    closes right, their highs and lows."""
    columns, found = bars(), []
    move = 130 - columns.open[10]
    for number in (0, 5, 10):
        x, place = 10 * (30 + number) + 5, 10 + number
        spots = ((-3, columns.open), (3, columns.close), (0, columns.high), (0, columns.low))
        found += [(x + right, float(_y(column[place] + move))) for right, column in spots]
    return tuple(found)


ON["regression-trend"] = _regression()
ON["bars-pattern"] = _bars_again()

#: Left upper corners of what is only written.
WRITTEN = {"text": (105.0, 320.0), "anchored-text": (200.0, 200.0)}

#: Prices at bar 15 (half-way from A to B) by name.
AT_15: dict[str, dict[str, float]] = {
    "trend": {"line": 130},
    "ray": {"line": 130},
    "extended": {"line": 130},
    "horizontal": {"line": 120},
    "horizontal-ray": {"line": 120},
    "cross": {"line": 120},
    "arrow-line": {"line": 130},
    "parallel-channel": {"upper": 130, "lower": 100, "middle": 115},
    "flat-channel": {"upper": 130, "lower": 130},
    "disjoint-channel": {"upper": 140, "lower": 130},
    "fib-retracement": {"0": 140, "0.5": 130, "0.618": 127.64, "1": 120, "1.618": 107.64},
    "fib-channel": {"0": 130, "0.5": 115, "1": 100},
    "gann-box": {"0": 120, "0.5": 130, "1": 140},
    "gann-fan": {"1x1": 130, "2x1": 140, "1x2": 125},
    "rectangle": {"upper": 140, "lower": 120},
    "long-position": {"entry": 120, "stop": 140, "target": 130},
    "forecast": {"line": 130},
}
