"""The docks of the main window."""

from __future__ import annotations

from openalgo_desktop.ui.bridge import Bridge
from openalgo_desktop.ui.docks.api_monitor import ApiMonitorDock
from openalgo_desktop.ui.docks.approvals import ApprovalsDock
from openalgo_desktop.ui.docks.audit import AuditDock
from openalgo_desktop.ui.docks.base import Dock
from openalgo_desktop.ui.docks.chart import ChartDock
from openalgo_desktop.ui.docks.depth import DepthDock
from openalgo_desktop.ui.docks.funds import FundsDock
from openalgo_desktop.ui.docks.holdings import HoldingsDock
from openalgo_desktop.ui.docks.log import LogDock
from openalgo_desktop.ui.docks.orders import OrdersDock
from openalgo_desktop.ui.docks.positions import PositionsDock
from openalgo_desktop.ui.docks.sandbox import SandboxDock
from openalgo_desktop.ui.docks.ticket import TicketDock
from openalgo_desktop.ui.docks.trades import TradesDock
from openalgo_desktop.ui.docks.watchlist import WatchlistDock

DOCKS: tuple[type[Dock], ...] = (
    WatchlistDock,
    ChartDock,
    DepthDock,
    TicketDock,
    PositionsDock,
    OrdersDock,
    TradesDock,
    HoldingsDock,
    FundsDock,
    SandboxDock,
    ApprovalsDock,
    ApiMonitorDock,
    AuditDock,
    LogDock,
)


def build_docks(bridge: Bridge) -> dict[str, Dock]:
    """One of each, by name."""
    return {kind.name: kind(bridge) for kind in DOCKS}
