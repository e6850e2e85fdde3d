"""Charts: the dock, its lines and orders, intervals."""

from __future__ import annotations

from openalgo_desktop.ui.kit.keys import CANDLES, SYMBOL
from openalgo_desktop.ui.kit.kinds import DockKind, Place
from openalgo_desktop.ui.rooms.charts import keys

KINDS = (
    DockKind(
        "chart",
        "Chart",
        "dock.ChartDock",
        Place.CENTRE,
        many=True,
        keys=keys.CHART,
        shares=(CANDLES, SYMBOL),
    ),
)
