"""The keys of a chart."""

from __future__ import annotations

from openalgo_desktop.ui.kit.keys import DockKey
from openalgo_desktop.ui.rooms.charts.interval_words import EXAMPLES

K = DockKey
CHART = (
    K("next-line", "Choose the next order, stop, target or alert", "N"),
    K("end-line", "Cancel the chosen order, or end the chosen line", "Delete", sends=True),
    K("picture", "Save as picture", "Alt+S"),
    K(
        "interval",
        "Type an interval, then Enter; Escape leaves it",
        " / ".join(EXAMPLES),
        fixed=True,
    ),
    K("give-up", "Give up what is being dragged or typed", "Escape", fixed=True),
)
