"""Positions, holdings, funds, the paper account."""

from __future__ import annotations

from openalgo_desktop.ui.kit.kinds import DockKind, Place

KINDS = (
    DockKind("positions", "Positions", "positions.PositionsDock", Place.BOTTOM),
    DockKind("holdings", "Holdings", "holdings.HoldingsDock", Place.BOTTOM),
    DockKind("funds", "Funds", "funds.FundsDock", Place.BOTTOM),
    DockKind("journal", "Journal", "journal.JournalDock", Place.BOTTOM),
    DockKind("pnl-calendar", "P&L calendar", "pnl_calendar.PnlCalendarDock", Place.BOTTOM),
    DockKind("sandbox", "Sandbox", "sandbox.SandboxDock", Place.BOTTOM),
)
