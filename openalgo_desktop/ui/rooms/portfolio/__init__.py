"""Positions, holdings, funds, the paper account."""

from __future__ import annotations

from openalgo_desktop.ui.kit.keys import SYMBOL, TABLE
from openalgo_desktop.ui.kit.kinds import DockKind, Place
from openalgo_desktop.ui.rooms.portfolio import keys

KINDS = (
    DockKind(
        "positions",
        "Positions",
        "positions.PositionsDock",
        Place.BOTTOM,
        keys=keys.POSITIONS,
        shares=(TABLE, SYMBOL),
    ),
    DockKind(
        "holdings",
        "Holdings",
        "holdings.HoldingsDock",
        Place.BOTTOM,
        keys=keys.HOLDINGS,
        shares=(TABLE, SYMBOL),
    ),
    DockKind("funds", "Funds", "funds.FundsDock", Place.BOTTOM),
    DockKind(
        "journal",
        "Journal",
        "journal.JournalDock",
        Place.BOTTOM,
        keys=keys.JOURNAL,
        shares=(TABLE, SYMBOL),
    ),
    DockKind(
        "pnl-calendar",
        "P&L calendar",
        "pnl_calendar.PnlCalendarDock",
        Place.BOTTOM,
        shares=(TABLE, SYMBOL),
    ),
    DockKind("sandbox", "Sandbox", "sandbox.SandboxDock", Place.BOTTOM),
)
