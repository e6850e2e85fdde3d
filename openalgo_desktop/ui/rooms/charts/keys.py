"""The keys of a chart."""

from __future__ import annotations

from openalgo_desktop.core.charting.drawings.tools import tools
from openalgo_desktop.ui.kit.keys import DockKey
from openalgo_desktop.ui.rooms.charts.interval_words import EXAMPLES

K = DockKey
CHART = (
    K("next-line", "Choose the next order, stop, target or alert", "N"),
    K(
        "end-line",
        "Delete the chosen drawings; else cancel the chosen order, or end the chosen line",
        "Delete",
        sends=True,
    ),
    *(K(f"draw-{row.tool}", row.title, row.key) for row in tools().values() if row.key),
    K("undo", "Undo a change of the chart; never an order", "Ctrl+Z"),
    K("redo", "Do it again", "Ctrl+Y", also=("Ctrl+Shift+Z",)),
    K("objects", "List of the drawings", "Ctrl+Shift+D"),
    K("studies", "Indicators: find, add, set", "/"),
    K("data-window", "Values of the bar beside the chart", "Alt+D"),
    K("replay", "Replay bars of the past on this chart", "Alt+Shift+R"),
    K("picture", "Save as picture", "Alt+S"),
    K("alone", "Show the active chart alone in its panel, or all again", "Alt+Return"),
    K(
        "interval",
        "Type an interval, then Enter; Escape leaves it",
        " / ".join(EXAMPLES),
        fixed=True,
    ),
    K("give-up", "Give up what is being dragged or typed", "Escape", fixed=True),
)
