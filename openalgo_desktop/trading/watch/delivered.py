"""Shares that a strategy bought on an earlier day: they are holdings by now and no position, and
its stops go on. Never more is sold than the plan bought: what a human holds besides stays."""

from __future__ import annotations

from openalgo_desktop.core.clock import IST, Clock
from openalgo_desktop.core.enums import Product
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.exits import ExitPlan
from openalgo_desktop.core.ports import TradingGateway
from openalgo_desktop.trading.holdings import in_holdings


class Delivered:
    """By plan; what was read last is kept, for positions move often and holdings do not."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._read: dict[str, int] = {}

    def may_be(self, plan: ExitPlan) -> bool:
        """Whether what it protects may be in the holdings: shares bought for a strategy on an
        earlier day. A plan that a human made follows the position, as a human sells by hand."""
        today = self._clock.now().astimezone(IST).date()
        return (
            plan.product is Product.CNC
            and plan.side > 0
            and plan.source.startswith("strategy:")
            and plan.created_at.astimezone(IST).date() < today
        )

    async def read(self, plan: ExitPlan, gateway: TradingGateway) -> int:
        """Units in the holdings now; 0 for a plan that has none there. Raises the error of the
        book."""
        if not self.may_be(plan):
            return 0
        found = self._read[plan.plan_id] = await in_holdings(gateway, plan.key)
        return found

    async def latest(self, plan: ExitPlan, gateway: TradingGateway) -> int:
        """As :meth:`read`; where the book cannot be read, what it said last: an exit waits for no
        book of holdings, and a broker sells no more of them than there are."""
        try:
            return await self.read(plan, gateway)
        except AppError:
            if plan.plan_id not in self._read:
                raise
            return self._read[plan.plan_id]

    def held(self, plan: ExitPlan, units: int) -> int:
        """Signed units of the plan where the position is ``units``, by what was read last."""
        if not self.may_be(plan):
            return units
        return max(units, min(plan.held, units + self._read.get(plan.plan_id, 0)))

    def forget(self, plan_id: str) -> None:
        """It is over."""
        self._read.pop(plan_id, None)
