"""Brackets: an entry order whose fills are protected from the first one on."""

from __future__ import annotations

import secrets
from decimal import Decimal
from typing import Any, Protocol

import msgspec

from openalgo_desktop.core import exit_rules as rules
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError, OrderError, OrderStateUnknown, StorageError
from openalgo_desktop.core.exits import ExitPlan, ExitSpec, PlanState
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.core.ports import InstrumentLookup, TradingGateway
from openalgo_desktop.exchange.checks import check_tradable
from openalgo_desktop.trading.books import BookKeeper
from openalgo_desktop.trading.results import Placed
from openalgo_desktop.trading.watch.follow import Follower
from openalgo_desktop.trading.watch.prices import Prices
from openalgo_desktop.trading.watch.shelf import Shelf


class EntryLane(Protocol):
    """The corridor by which an entry leaves: the desk, or one that is bound to a mode."""

    @property
    def books(self) -> BookKeeper: ...
    def still(self, mode: Mode | None, *, standing: bool = False) -> Mode: ...
    def gateway_of(self, mode: Mode) -> TradingGateway: ...
    async def place(
        self,
        request: OrderRequest,
        source: str,
        mode: Mode | None = None,
        *,
        closing: bool = False,
        standing: bool = False,
        plan: str = "",
        account: str = "",
    ) -> Placed: ...


def new_id(clock: Clock) -> str:
    """A name for a plan: its day, and a number that no other has."""
    return f"{clock.now():%y%m%d}-{secrets.token_hex(4)}"


def new_plan(clock: Clock, mode: Mode, account_id: str, source: str, label: str) -> dict[str, Any]:
    """What all new plans have."""
    now = clock.now()
    return {
        "plan_id": new_id(clock),
        "mode": mode,
        "account_id": account_id,
        "source": source,
        "label": label,
        "created_at": now,
        "updated_at": now,
    }


class Brackets:
    """Sends entries with the plan that protects what they fill."""

    def __init__(
        self,
        clock: Clock,
        instruments: InstrumentLookup,
        shelf: Shelf,
        prices: Prices,
        follower: Follower,
    ) -> None:
        self._clock = clock
        self._instruments = instruments
        self._shelf = shelf
        self._prices = prices
        self._follower = follower

    async def send(
        self,
        lane: EntryLane,
        request: OrderRequest,
        spec: ExitSpec,
        source: str,
        mode: Mode,
        *,
        plan_id: str = "",
        account: str = "",
        managed: bool = False,
    ) -> tuple[ExitPlan, Placed]:
        """Send an entry; the plan is on disk before it leaves. Raises as :meth:`OrderDesk.place`;
        refused, there is no plan; unknown, the plan waits until it is settled.

        ``plan_id`` names the plan beforehand, ``account`` refuses any other one. A ``managed`` plan
        is a strategy's: it may have no leg at all, and one that no price can reach is no mistake.
        """
        gateway = lane.gateway_of(lane.still(mode))
        if account not in ("", gateway.account_id):
            raise OrderError(
                f"Orders go to the account {gateway.account_id} by now; it was not sent."
            )
        instrument = self._instruments.require(request.symbol, request.exchange)
        check_tradable(instrument)
        price = await self._prices.ask(request.key)
        lane.still(mode)
        guess = Decimal(str(request.price or request.trigger_price or float(price or 0)))
        names = new_plan(self._clock, mode, gateway.account_id, source, request.strategy)
        if plan_id:
            names["plan_id"] = plan_id
        plan = ExitPlan(
            **names,
            exchange=request.exchange,
            symbol=request.symbol,
            product=request.product,
            side=request.action.sign,
            spec=spec,
            quantity=request.quantity,
            held=request.quantity,  # for the check only: rupees are of the whole quantity
            entry=guess,
            tick=Decimal(str(instrument.tick_size)),
            lot=max(1, instrument.lot_size),
            multiplier=Decimal(str(instrument.contract_value)),
            state=PlanState.WAITING,
            request=request,
        )
        if not managed:
            rules.check_spec(spec)
            plan = rules.placed(plan)
            rules.check_places(plan, guess or None)
        plan = msgspec.structs.replace(plan, held=0, stop_at=None, entry=Decimal(0))
        lane.still(mode)
        self._follower.sending.add(plan.plan_id)
        try:
            plan = await self._shelf.keep(plan)
            self._follower.believe(plan)
            placed = await lane.place(
                request, source, mode, plan=plan.plan_id, account=plan.account_id
            )
        except (OrderStateUnknown, StorageError):
            raise
        except AppError as error:
            self._link(lane, plan.plan_id, error.sent)
            if not error.sent:
                current = self._shelf.exits.get(plan.plan_id, plan)
                text = f"the entry was refused: {error.message}"
                self._shelf.end(current, text, PlanState.CANCELLED)
            raise
        finally:
            self._follower.sending.discard(plan.plan_id)
        self._link(lane, plan.plan_id, placed.ids)
        found = self._shelf.get(plan.plan_id)
        assert isinstance(found, ExitPlan)
        return found, placed

    def _link(self, lane: EntryLane, plan_id: str, ids: tuple[str, ...]) -> None:
        """The entry is these orders; they may have filled before they were answered."""
        for order_id in ids:
            plan = self._shelf.exits.get(plan_id)
            if plan is None:
                return
            order = lane.books.book(plan.mode).orders.get(order_id)
            plan = self._shelf.put(self._follower.entered(plan, order_id, order))
            self._follower.compare(plan)
