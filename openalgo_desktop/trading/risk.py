"""The risk step in front of every order, whatever its source."""

from __future__ import annotations

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import RiskBlocked
from openalgo_desktop.core.model import ModifyRequest, Order, OrderRequest
from openalgo_desktop.trading.limits import RiskRules

#: The kill switch's own closing orders; no door can give this source.
KILL_SOURCE = "kill switch"


class RiskGate:
    """``block`` is the switch that refuses all new orders; ``rules`` are the user's limits."""

    def __init__(self) -> None:
        self.rules: RiskRules | None = None
        self._blocked = ""

    @property
    def blocked(self) -> str:
        """Why new orders are refused; empty when they are not."""
        return self._blocked

    def block(self, reason: str) -> None:
        """Refuse new orders and changes from now on; cancelling stays possible."""
        self._blocked = reason

    def unblock(self) -> None:
        """Accept new orders again."""
        self._blocked = ""

    def check_blocked(self, source: str, *, closing: bool = False) -> None:
        """Raise :class:`RiskBlocked` while the switch is on. It never keeps in what the desk
        worked out to be ``closing`` a position."""
        if self._blocked and source != KILL_SOURCE and not closing:
            raise RiskBlocked(f"New orders are blocked: {self._blocked}")

    async def check(
        self, request: OrderRequest, source: str, mode: Mode, *, closing: bool = False
    ) -> None:
        """Raise :class:`RiskBlocked` if the switch or any rule refuses ``request``, judged by the
        books of ``mode``. A rule never keeps in what is ``closing`` a position."""
        self.check_blocked(source, closing=closing)
        if self.rules is not None and source != KILL_SOURCE and not closing:
            await self.rules.check(request, mode)
            self.check_blocked(source)  # it may have been pulled while a price was asked

    async def check_whole(self, request: OrderRequest, source: str, mode: Mode) -> None:
        """The limits on size for an order that goes out in slices."""
        self.check_blocked(source)
        if self.rules is not None and source != KILL_SOURCE:
            await self.rules.check_whole(request, mode)

    async def check_modify(
        self, order: Order, request: ModifyRequest, source: str, mode: Mode
    ) -> None:
        """The same for a change of a working order."""
        self.check_blocked(source)
        if self.rules is not None:
            await self.rules.check_modify(order, request, mode)
            self.check_blocked(source)  # it may have been pulled while a price was asked
