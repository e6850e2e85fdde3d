"""What strategies ask of the watch: a leg of theirs is an exit plan like any other.

Its stop, target and trail are looked after here, and it leaves here for every other reason too:
there is one way out, and it never exceeds what the plan holds.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import msgspec

from openalgo_desktop.core import exit_rules as rules
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import OrderNotFound
from openalgo_desktop.core.exits import ExitPlan, ExitSpec, PlanState
from openalgo_desktop.core.model import Key, OrderRequest
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.trading.desk import OrderDesk
from openalgo_desktop.trading.results import Placed
from openalgo_desktop.trading.watch.brackets import Brackets
from openalgo_desktop.trading.watch.drive import Driver
from openalgo_desktop.trading.watch.follow import Follower
from openalgo_desktop.trading.watch.prices import Prices
from openalgo_desktop.trading.watch.shelf import Shelf


class Legs:
    """The legs of all strategies."""

    def __init__(
        self,
        desk: OrderDesk,
        shelf: Shelf,
        prices: Prices,
        driver: Driver,
        follower: Follower,
        brackets: Brackets,
        heard: Callable[[Key, Decimal], None],
    ) -> None:
        self._desk = desk
        self._shelf = shelf
        self._prices = prices
        self._driver = driver
        self._follower = follower
        self._brackets = brackets
        self._heard = heard

    async def enter(
        self,
        request: OrderRequest,
        spec: ExitSpec,
        source: str,
        mode: Mode,
        *,
        plan_id: str,
        account: str,
    ) -> tuple[ExitPlan, Placed]:
        """Send the entry of a leg in the mode and account of its run, wherever the switch stands.
        Raises as :meth:`Brackets.send`."""
        lane = self._desk.bound(mode)
        return await self._brackets.send(
            lane, request, spec, source, mode, plan_id=plan_id, account=account, managed=True
        )

    def plan(self, plan_id: str) -> ExitPlan | None:
        """A leg's plan, open or ended lately."""
        try:
            found = self._shelf.get(plan_id)
        except OrderNotFound:
            return None
        match found:
            case ExitPlan():
                return found
        return None

    def held_by(self, source: str) -> list[str]:
        """Symbols that open plans of a source still protect."""
        rows = self._shelf.exits.values()
        return sorted({plan.symbol for plan in rows if plan.source == source and plan.held})

    def is_checked(self, plan: ExitPlan) -> bool:
        """Whether it was compared with the books of its account since the program came."""
        return self._follower.is_checked(plan)

    def let_out(self, plan_id: str, why: str) -> bool:
        """Bring out at the market what a plan holds, for a reason that its own legs do not know.
        Whether there was something to bring out. What is on its way already for all of it stays
        so."""
        plan = self._shelf.exits.get(plan_id)
        if plan is None or plan.held <= 0:
            return False
        firing = plan.firing
        if plan.state is PlanState.EXITING and firing is not None and firing.left == 0:
            return True
        price = self._prices.value(plan.key) or plan.entry
        self._driver.fire(plan, rules.Due(why, 0, plan.hit), price)
        return True

    async def cancel_entry(self, plan_id: str) -> bool:
        """Cancel what still works of the entry. Whether nothing of it works any more; an entry that
        has no order yet may still come."""
        plan = self._shelf.exits.get(plan_id)
        if plan is None:
            return True
        return bool(plan.entries) and await self._driver.cancel_entries(plan)

    def to_entry(self, plan_id: str) -> bool:
        """Move the stop of a plan to its entry price, unless that would loosen it or the price is
        through it already. Whether it was moved."""
        plan = self._shelf.exits.get(plan_id)
        if plan is None or plan.state is not PlanState.ACTIVE:
            return False
        moved = rules.to_entry(plan, self._prices.now(plan.key, None))
        if moved is None:
            return False
        self._shelf.put(moved)
        return True

    def watch_again(self, plan_id: str) -> bool:
        """A plan whose exit was refused too often is watched again: its legs may be reached anew.
        Whether it was one."""
        plan = self._shelf.exits.get(plan_id)
        if plan is None or plan.state is not PlanState.FAILED:
            return False
        self._shelf.put(msgspec.structs.replace(plan, state=PlanState.ACTIVE, firing=None))
        return True

    def told(self, tick: Tick) -> Decimal | None:
        """A price that was asked for while the stream is silent: it moves all plans of its
        instrument. The price, where it is one of now."""
        price = self._prices.told(tick)
        if price is not None:
            self._heard((tick.exchange, tick.symbol), price)
        return price
