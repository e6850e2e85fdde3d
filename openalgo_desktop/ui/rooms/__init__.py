"""The docks of the main window."""

from __future__ import annotations

from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.rooms.api.api_monitor import ApiMonitorDock
from openalgo_desktop.ui.rooms.market.chart import ChartDock
from openalgo_desktop.ui.rooms.market.depth import DepthDock
from openalgo_desktop.ui.rooms.market.watchlist import WatchlistDock
from openalgo_desktop.ui.rooms.orders.orders import OrdersDock
from openalgo_desktop.ui.rooms.orders.ticket import TicketDock
from openalgo_desktop.ui.rooms.orders.trades import TradesDock
from openalgo_desktop.ui.rooms.portfolio.funds import FundsDock
from openalgo_desktop.ui.rooms.portfolio.holdings import HoldingsDock
from openalgo_desktop.ui.rooms.portfolio.positions import PositionsDock
from openalgo_desktop.ui.rooms.portfolio.sandbox import SandboxDock
from openalgo_desktop.ui.rooms.safety.approvals import ApprovalsDock
from openalgo_desktop.ui.rooms.safety.audit import AuditDock
from openalgo_desktop.ui.rooms.safety.log import LogDock

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
