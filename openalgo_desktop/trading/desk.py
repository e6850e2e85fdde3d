"""The order desk: the one place where orders leave.

Its own lane (:mod:`openalgo_desktop.trading.lane`) follows the SANDBOX/LIVE switch: the mode is
read once per request, here, and the gateway of that mode is the only one the request can reach.
:meth:`OrderDesk.bound` gives the lanes that do not follow it. What comes after the checks is done
by :mod:`openalgo_desktop.trading.sending`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import OrderError
from openalgo_desktop.core.events import (
    Bus,
    ModeChanged,
    OrderNamed,
    OrderUpdated,
    PositionsChanged,
)
from openalgo_desktop.core.model import Key, OrderUpdate
from openalgo_desktop.core.ports import (
    InstrumentLookup,
    OrderJournal,
    TradingGateway,
)
from openalgo_desktop.trading.books import BookKeeper
from openalgo_desktop.trading.bound import BoundLane
from openalgo_desktop.trading.lane import Lane
from openalgo_desktop.trading.lane_parts import Approval, Parts, StrategyUnits
from openalgo_desktop.trading.ownbook import impossible
from openalgo_desktop.trading.policies import OrderPolicies
from openalgo_desktop.trading.reconcile import Reconciler
from openalgo_desktop.trading.risk import RiskGate
from openalgo_desktop.trading.sending import OrderSender
from openalgo_desktop.trading.shape import OrderShape
from openalgo_desktop.trading.tags import TagMaker
from openalgo_desktop.trading.underway import UnderWay

log = logging.getLogger(__name__)


class OrderDesk(Lane):
    """Places, modifies and cancels orders of both modes and serves the books of the current one."""

    def __init__(
        self,
        clock: Clock,
        bus: Bus,
        instruments: InstrumentLookup,
        journal: OrderJournal,
        *,
        ack_timeout: Callable[[], float],
        reconcile_interval: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._bus = bus
        self._instruments = instruments
        self._gateways: dict[Mode, TradingGateway] = {}
        self._mode = Mode.SANDBOX
        #: May raise to keep the mode as it is.
        self.mode_guard: Callable[[Mode, str], None] = lambda mode, by: None
        risk = RiskGate()
        reconciler = Reconciler(clock, bus, journal, self._gateways, reconcile_interval)
        sender = OrderSender(clock, bus, journal, reconciler, risk, ack_timeout)
        origins = sender.origins
        books = BookKeeper(
            clock, bus, self._gateways, origins, reconcile_interval, self._contract_value
        )
        origins.on_named = self._on_named
        books.on_orders = reconciler.saw_book
        super().__init__(
            Parts(
                bus=bus,
                tags=TagMaker(clock),
                gateways=self._gateways,
                risk=risk,
                shape=OrderShape(instruments, lambda: self.policies),
                reconciler=reconciler,
                sender=sender,
                books=books,
                under_way=UnderWay(clock, bus, books, sender),
            )
        )
        self._bound = {mode: BoundLane(self._parts, mode) for mode in Mode}

    @property
    def approval(self) -> Approval | None:
        """Who is asked before an order of any lane goes on."""
        return self._parts.approval

    @approval.setter
    def approval(self, approval: Approval | None) -> None:
        self._parts.approval = approval

    @property
    def policies(self) -> OrderPolicies | None:
        """What the corridor makes of an order."""
        return self._parts.policies

    @policies.setter
    def policies(self, policies: OrderPolicies | None) -> None:
        self._parts.policies = policies

    def set_strategy_units(self, units: StrategyUnits) -> None:
        """Say who knows what a strategy holds, also of earlier days."""
        self._parts.strategies = units

    def set_bound_guard(self, guard: Callable[[Mode], None]) -> None:
        """Say what may keep new orders of bound lanes from leaving: it raises."""
        self._parts.bound_guard = guard

    def _contract_value(self, key: Key) -> float:
        row = self._instruments.get(key)
        return (row.contract_value if row is not None else 1.0) or 1.0

    # -- life -------------------------------------------------------------------------------
    async def start(self) -> None:
        """Settle what an earlier run left open, then keep watching for unknown orders."""
        await self.sender.start()
        await self.reconciler.start()
        await self.books.start()

    async def stop(self) -> None:
        """Wait briefly for orders under way, then stop."""
        await self.sender.stop()
        self.under_way.stop()
        await self.books.stop()
        await self.reconciler.stop()

    async def quiet(self) -> None:
        """Wait until no order write is under way, at most the time of an answer."""
        await self.sender.quiet()

    def set_gateway(self, mode: Mode, gateway: TradingGateway | None) -> None:
        """Say where orders of ``mode`` go."""
        if gateway is None:
            self._gateways.pop(mode, None)
            return
        self._gateways[mode] = gateway
        gateway.set_listener(lambda update: self._on_update(mode, gateway, update))
        self.books.wake()

    # -- mode -------------------------------------------------------------------------------
    @property
    def mode(self) -> Mode:
        """Where the next order goes."""
        return self._mode

    async def set_mode(self, mode: Mode, by: str) -> None:
        """Move the SANDBOX/LIVE switch. Raises :class:`NotConnected` without a live account."""
        self.gateway_of(mode)
        if mode is self._mode:
            return
        self.mode_guard(mode, by)
        self._mode = mode
        log.warning("mode is now %s (by %s)", mode.value, by)
        self._bus.publish(ModeChanged(mode=mode, by=by))

    def still(self, mode: Mode | None, *, standing: bool = False) -> Mode:
        """The current mode; raises when it is not the one that the caller began in. What is
        ``standing`` keeps its own."""
        if standing and mode is not None:
            return mode
        if mode is not None and mode is not self._mode:
            raise OrderError(
                f"The mode was switched to {self._mode.value} while this was being carried out; "
                "it was not sent."
            )
        return self._mode

    def _guard_new(self) -> None:
        """The guard of the switch has let it be where it is."""

    def bound(self, mode: Mode) -> BoundLane:
        """The corridor of one mode, wherever the switch stands: for what was given its mode once
        (a program, a run, an API key). The kill switch and the limits stop it as any other."""
        return self._bound[mode]

    # -- books ------------------------------------------------------------------------------
    def _on_update(self, mode: Mode, gateway: TradingGateway, update: OrderUpdate) -> None:
        """Also of an account that took the orders before, and stays logged in: that is told with
        its id, and is no news of the book of the one that takes them now."""
        origins, broker = self.sender.origins, gateway.broker
        order = origins.name(update.order)
        if why := impossible(order, update.trade):
            log.error("%s says of order %r what cannot be: %s", broker, order.order_id, why)
            self.books.wake()
            return
        trade = origins.named_trade(update.trade) if update.trade is not None else None
        ours = self._gateways.get(mode) is gateway
        news = self.books.book(mode).news(order, trade) if ours else order
        if news is None:
            return
        self._bus.publish(
            OrderUpdated(
                account_id=gateway.account_id,
                mode=mode,
                broker=broker,
                order=news,
                trade=trade,
            )
        )
        if update.trade is not None and ours:
            self._bus.publish(PositionsChanged(account_id=gateway.account_id, mode=mode))

    def _on_named(self, mode: Mode, order_id: str, strategy: str) -> None:
        """The answer to a placement came after updates of the order (and its fills)."""
        book = self.books.book(mode)
        order, trades = book.attribute(order_id, strategy)
        gateway = self._gateways.get(mode)
        if gateway is None or (order is None and not trades):
            return
        order = order or book.orders.get(order_id)
        if order is not None:
            self._bus.publish(
                OrderNamed(
                    account_id=gateway.account_id,
                    mode=mode,
                    broker=gateway.broker,
                    order=order,
                    trades=trades,
                )
            )

    def unsettled(self) -> int:
        """Orders whose state is unknown now."""
        return len(self.reconciler.open_entries)
