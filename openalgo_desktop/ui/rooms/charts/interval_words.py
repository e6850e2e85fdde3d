"""What is typed over a chart for each interval: minutes, or the letter of hour, day and week."""

from __future__ import annotations

from openalgo_desktop.core.enums import Interval

WORDS: dict[str, Interval] = {
    "1": Interval.M1,
    "3": Interval.M3,
    "5": Interval.M5,
    "15": Interval.M15,
    "30": Interval.M30,
    "H": Interval.H1,
    "D": Interval.DAY,
    "W": Interval.WEEK,
}
