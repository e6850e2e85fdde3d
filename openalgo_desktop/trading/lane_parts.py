"""What the lanes of one desk share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.events import Bus
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.core.ports import TradingGateway
from openalgo_desktop.trading.books import BookKeeper
from openalgo_desktop.trading.ownbook import PositionKey
from openalgo_desktop.trading.policies import OrderPolicies
from openalgo_desktop.trading.reconcile import Reconciler
from openalgo_desktop.trading.risk import RiskGate
from openalgo_desktop.trading.sending import OrderSender
from openalgo_desktop.trading.shape import OrderShape
from openalgo_desktop.trading.tags import TagMaker
from openalgo_desktop.trading.underway import UnderWay

#: Asks a human (or a rule) before an order goes on; raises :class:`OrderError` to refuse.
Approval = Callable[[OrderRequest, str], Awaitable[None]]


class StrategyUnits(Protocol):
    """What strategies hold by their book."""

    def units(self, mode: Mode, strategy: str) -> Mapping[PositionKey, int] | None:
        """Signed units, also of earlier days; None before the book was read."""

    async def until_read(self, mode: Mode) -> None:
        """Return when it was read for a mode; after a while in any case."""


class NoUnits:
    """Nobody keeps a book of strategies."""

    def units(self, mode: Mode, strategy: str) -> Mapping[PositionKey, int] | None:
        """Nothing is known."""
        return None

    async def until_read(self, mode: Mode) -> None:
        """It never will be."""


@dataclass(slots=True)
class Parts:
    """Handed to each lane; only the desk changes it."""

    bus: Bus
    tags: TagMaker
    gateways: dict[Mode, TradingGateway]
    risk: RiskGate
    shape: OrderShape
    reconciler: Reconciler
    sender: OrderSender
    books: BookKeeper
    under_way: UnderWay
    approval: Approval | None = None
    policies: OrderPolicies | None = None
    strategies: StrategyUnits = field(default_factory=NoUnits)
    #: May raise to keep new orders of a bound lane from leaving in this mode.
    bound_guard: Callable[[Mode], None] = lambda mode: None
