"""Webhook strategies, alerts and what else works by itself."""

from __future__ import annotations

from openalgo_desktop.ui.kit.keys import SYMBOL, TABLE
from openalgo_desktop.ui.kit.kinds import DockKind, Place
from openalgo_desktop.ui.rooms.automation import keys

KINDS = (
    DockKind(
        "alerts",
        "Alerts",
        "alerts.AlertsDock",
        Place.BOTTOM,
        keys=keys.ALERTS,
        shares=(TABLE, SYMBOL),
    ),
    DockKind(
        "strategies",
        "Strategies",
        "strategies.dock.StrategiesDock",
        Place.BOTTOM,
        keys=keys.STRATEGIES,
        shares=(TABLE,),
    ),
)
