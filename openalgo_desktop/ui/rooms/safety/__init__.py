"""Approvals, audit, risk, kill report, lock, log."""

from __future__ import annotations

from openalgo_desktop.ui.kit.keys import TABLE
from openalgo_desktop.ui.kit.kinds import DockKind, Place

KINDS = (
    DockKind(
        "approvals", "Action centre", "approvals.ApprovalsDock", Place.BOTTOM, shares=(TABLE,)
    ),
    DockKind("audit", "Audit", "audit.AuditDock", Place.BOTTOM, shares=(TABLE,)),
    DockKind("log", "Log", "log.LogDock", Place.BOTTOM),
    DockKind("risk", "Risk", "risk.RiskDock", Place.BOTTOM),
    DockKind("performance", "Performance", "performance.PerformanceDock", Place.BOTTOM),
)
