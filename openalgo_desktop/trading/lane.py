"""The corridor of orders in one mode: validate -> risk -> approve -> journal -> gateway -> journal.

Two kinds of it stand on the same parts: the desk, whose mode is that of the switch, and a *bound*
lane, whose mode never changes. A walk asks nothing but its own lane for mode, gateway and books, so
a switch that is moved while it goes on can neither stop a bound one nor carry it over.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import (
    AsyncIterator,
    Callable,
    Coroutine,
    Iterator,
    Mapping,
    Sequence,
)
from typing import Any

import msgspec

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import (
    AppError,
    NotConnected,
    OrderError,
    OrderNotWorking,
)
from openalgo_desktop.core.events import OrderRefused
from openalgo_desktop.core.model import (
    Instrument,
    Key,
    ModifyRequest,
    Order,
    OrderAck,
    OrderRequest,
)
from openalgo_desktop.core.ports import TradingGateway
from openalgo_desktop.exchange.checks import check_order
from openalgo_desktop.trading.books import BookKeeper
from openalgo_desktop.trading.closing import Closing
from openalgo_desktop.trading.exits import Exits
from openalgo_desktop.trading.lane_parts import Approval, Parts, StrategyUnits
from openalgo_desktop.trading.limits import one_request
from openalgo_desktop.trading.origins import Slice
from openalgo_desktop.trading.policies import OrderPolicies
from openalgo_desktop.trading.reading import AccountReader, asked
from openalgo_desktop.trading.reconcile import Reconciler
from openalgo_desktop.trading.results import Placed
from openalgo_desktop.trading.risk import KILL_SOURCE, RiskGate
from openalgo_desktop.trading.sending import OrderSender
from openalgo_desktop.trading.underway import UnderWay


class Lane(ABC):
    """Places, modifies and cancels orders of its mode and serves the books of it."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.exits = Exits(self, parts.under_way)
        self.closing = Closing(self, self.exits)
        self.read = AccountReader(self, parts.sender.origins, parts.books, parts.reconciler)

    # -- what it stands on ------------------------------------------------------------------
    @property
    def risk(self) -> RiskGate:
        """The risk step of every order."""
        return self._parts.risk

    @property
    def reconciler(self) -> Reconciler:
        """Settles orders whose state is unknown."""
        return self._parts.reconciler

    @property
    def sender(self) -> OrderSender:
        """Journals and sends; knows which orders are ours."""
        return self._parts.sender

    @property
    def books(self) -> BookKeeper:
        """The own books of both modes."""
        return self._parts.books

    @property
    def under_way(self) -> UnderWay:
        """Positions together with the orders that still move them."""
        return self._parts.under_way

    @property
    def approval(self) -> Approval | None:
        """The step of the action centre."""
        return self._parts.approval

    @property
    def policies(self) -> OrderPolicies | None:
        """Slices and protection."""
        return self._parts.policies

    @property
    def strategies(self) -> StrategyUnits:
        """What strategies hold by their book."""
        return self._parts.strategies

    # -- mode -------------------------------------------------------------------------------
    @property
    @abstractmethod
    def mode(self) -> Mode:
        """Where the next order goes."""

    @abstractmethod
    def still(self, mode: Mode | None, *, standing: bool = False) -> Mode:
        """The mode of this lane; raises when it is not the one that the caller began in. What is
        ``standing`` keeps its own where the mode can move."""

    @abstractmethod
    def _guard_new(self) -> None:
        """Raises where no new order of this lane may leave."""

    def _marks(self) -> dict[str, Any]:
        """What the journal row of an order says beside the order itself."""
        return {}

    @property
    def gateway(self) -> TradingGateway:
        """The gateway of the mode."""
        return self.gateway_of(self.mode)

    @property
    def broker(self) -> str:
        """Broker id of the live account (market data comes from it in both modes)."""
        live = self._parts.gateways.get(Mode.LIVE)
        return live.broker if live is not None else ""

    def gateway_of(self, mode: Mode) -> TradingGateway:
        """The gateway of a mode; raises :class:`NotConnected`."""
        try:
            return self._parts.gateways[mode]
        except KeyError:
            raise NotConnected(
                "No live account is connected. Log in to a broker or use the sandbox."
                if mode is Mode.LIVE
                else "The sandbox is not running."
            ) from None

    # -- orders -----------------------------------------------------------------------------
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
    ) -> Placed:
        """Send an order. Raises :class:`OrderError` with the reason when it was refused, and
        :class:`OrderStateUnknown` when nobody knows whether it arrived. With ``mode`` it is
        refused when the switch stands elsewhere by now.

        ``closing`` is said by :class:`Exits` only: the order takes a position down that is held,
        so it goes out in slices where it must and passes the limits. A ``standing`` one is of an
        exit plan: it goes out in its own mode wherever the switch stands. ``plan`` is the exit
        plan that its fills belong to; the journal keeps it. ``account``: the order was worked out
        from what this account holds, and is refused when orders go to another one by now.
        """
        mode = self.still(mode, standing=standing)
        account = self._same_account(mode, account)
        with self.refusals("place", request, source, mode):
            if not closing:
                self._guard_new()
            row = self._parts.shape.row_of(request, closing)
            parts = self._parts.shape.parts(request, row, closing)
            if len(parts) > 1 and not closing:
                await self.risk.check_whole(request, source, mode)
        kept = self._marks() | ({"plan": plan} if plan else {})
        if len(parts) == 1:
            return await self._place_one(
                request, row, source, mode, account, closing=closing, standing=standing, part=kept
            )
        token = one_request.set(one_request.get() or object())  # equal slices are meant
        try:
            return await self._place_parts(
                parts, row, source, mode, account, closing, standing, kept
            )
        finally:
            one_request.reset(token)

    def _same_account(self, mode: Mode, account: str = "") -> str:
        """The account of a mode; raises when it is not the one that was meant."""
        now = self.gateway_of(mode).account_id
        if account not in ("", now):
            raise OrderError(f"Orders go to the account {now} by now; it was not sent.")
        return now

    async def _place_one(
        self,
        request: OrderRequest,
        row: Instrument,
        source: str,
        mode: Mode,
        account: str,
        *,
        closing: bool,
        standing: bool,
        part: dict[str, Any],
    ) -> Placed:
        """An order as it leaves; ``part`` is kept in the journal beside it."""
        gateway = self.gateway_of(self.still(mode, standing=standing))
        self._same_account(mode, account)
        prompt = request.is_prompt
        with self.refusals("place", request, source, mode):
            if self.policies is not None:
                held = self.under_way.last_price(gateway, request.key) if closing else 0.0
                request = await self.policies.protect(
                    request, row, gateway, closing=closing, held_at=held
                )
            check_order(request, row, closing=closing)
            if not closing:
                self._parts.shape.check_offer(request, row, source, gateway)
            await self.risk.check(request, source, mode, closing=closing)
        # (what stands was approved when its plan was made, and a stop cannot wait)
        if self.approval is not None and source != KILL_SOURCE and not standing:
            await self.approval(request, source)
        tag = self._parts.tags.next()
        fields = msgspec.to_builtins(request) | part
        entry = self.sender.entry(tag, "place", mode, gateway, source, fields)
        return await self.sender.send(
            entry,
            mode,
            gateway,
            lambda: gateway.place(request, tag),
            prompt=prompt,
            closing=closing,
        )

    @contextlib.asynccontextmanager
    async def exit_prices(
        self, keys: Sequence[Key], held_at: Mapping[Key, float], gateway: TradingGateway
    ) -> AsyncIterator[None]:
        """While positions are being closed together; see :meth:`OrderPolicies.prepare`."""
        if self.policies is None:
            yield
            return
        policies = self.policies
        try:
            await policies.prepare(keys, held_at, gateway)
            yield
        finally:
            policies.prepared_over()

    def slice_of(self, order: Order) -> Slice | None:
        """Which part of an order above the freeze quantity ``order`` is, if it is one."""
        return self.sender.origins.slice_of(order)

    @contextlib.contextmanager
    def refusals(
        self, kind: str, request: msgspec.Struct, source: str, mode: Mode | None = None
    ) -> Iterator[None]:
        """Publishes what is refused inside, which no journal row will tell of, as of ``mode``."""
        try:
            yield
        except AppError as error:
            mode = self.mode if mode is None else mode
            gateway = self._parts.gateways.get(mode)
            self._parts.bus.publish(
                OrderRefused(
                    source=source,
                    kind=kind,
                    request=msgspec.to_builtins(request),
                    reason=error.message,
                    account_id=gateway.account_id if gateway is not None else "",
                    mode=mode,
                )
            )
            raise

    async def _place_parts(
        self,
        parts: Sequence[OrderRequest],
        row: Instrument,
        source: str,
        mode: Mode,
        account: str,
        closing: bool,
        standing: bool,
        kept: dict[str, Any],
    ) -> Placed:
        """The slices of an order above the freeze quantity, one after the other; the first
        refusal ends it and says what is already out."""
        ids: list[str] = []
        parent = self._parts.tags.next()
        for number, part in enumerate(parts, 1):
            fields = kept | {"parent": parent, "part": number, "parts": len(parts)}
            try:
                placed = await self._place_one(
                    part,
                    row,
                    source,
                    mode,
                    account,
                    closing=closing,
                    standing=standing,
                    part=fields,
                )
            except AppError as error:
                if ids:
                    error.sent = tuple(ids)
                    error.message += (
                        f" Already sent: {len(ids)} of {len(parts)} parts ({', '.join(ids)})."
                    )
                raise
            ids.append(placed.order_id)
        text = f"Sent in {len(ids)} parts: {', '.join(ids)}"
        return Placed(ids[0], mode, text, tuple(ids))

    async def modify(
        self,
        request: ModifyRequest,
        source: str,
        mode: Mode | None = None,
        *,
        standing: bool = False,
    ) -> Placed:
        """Change a working order: the order that is wanted is checked like a new one, in every
        mode, and a complete request goes to the gateway. Raises :class:`InvalidOrder` naming the
        field, :class:`OrderNotFound`, and the errors of :meth:`place`; ``mode`` and ``standing``
        as there."""
        mode = self.still(mode, standing=standing)
        gateway = self.gateway_of(mode)
        with self.refusals("modify", request, source, mode):
            if not standing:
                self._guard_new()
            self.risk.check_blocked(source)
            order = await self._working_order(request.order_id, mode, gateway)
            full = await self._parts.shape.wanted(order, request, gateway, source)
            await self.risk.check_modify(order, full, source, mode)
        entry = self.sender.entry(
            self._parts.tags.next(), "modify", mode, gateway, source, msgspec.to_builtins(full)
        )
        entry = msgspec.structs.replace(entry, order_id=request.order_id)
        return await self.sender.send(entry, mode, gateway, lambda: gateway.modify(full))

    async def _working_order(self, order_id: str, mode: Mode, gateway: TradingGateway) -> Order:
        """The order to change; asked from the gateway when our book does not know it."""
        order = self.books.book(mode).orders.get(order_id)
        if order is None:  # placed elsewhere since the last comparison: no way round the limits
            order = await asked(mode, gateway.order(order_id))
        if order.status.is_final:
            raise OrderNotWorking(f"Cannot modify order in {order.status.value} status")
        return order

    async def cancel(
        self, order_id: str, source: str, mode: Mode | None = None, *, standing: bool = False
    ) -> Placed:
        """Cancel a working order; ``mode`` and ``standing`` as in :meth:`place`."""
        mode = self.still(mode, standing=standing)
        return await self.cancel_at(self.gateway_of(mode), order_id, source, mode)

    async def cancel_at(
        self, gateway: TradingGateway, order_id: str, source: str, mode: Mode
    ) -> Placed:
        """Cancel an order at the gateway it is known to be at, whichever account took its place
        since."""
        entry = self.sender.entry(
            self._parts.tags.next(), "cancel", mode, gateway, source, {"order_id": order_id}
        )
        entry = msgspec.structs.replace(entry, order_id=order_id)
        return await self.sender.send(entry, mode, gateway, lambda: gateway.cancel(order_id))

    # -- sending ----------------------------------------------------------------------------
    async def send(
        self,
        kind: str,
        request: msgspec.Struct,
        source: str,
        call: Callable[[TradingGateway, str], Coroutine[Any, Any, OrderAck]],
        order_id: str = "",
        mode: Mode | None = None,
        tag: str = "",
    ) -> Placed:
        """Journal and send an order write of another kind (good-till-triggered orders).

        ``call`` gets the gateway of the current mode and our own tag (``tag`` where it was taken
        before, from :meth:`next_tag`); ``mode`` as in :meth:`place`.
        """
        mode = self.still(mode)
        gateway = self.gateway_of(mode)
        if not kind.endswith("cancel"):
            with self.refusals(kind, request, source, mode):
                self._guard_new()
                self.risk.check_blocked(source)
        tag = tag or self._parts.tags.next()
        fields = msgspec.to_builtins(request) | self._marks()
        entry = self.sender.entry(tag, kind, mode, gateway, source, fields)
        entry = msgspec.structs.replace(entry, order_id=order_id)
        return await self.sender.send(entry, mode, gateway, lambda: call(gateway, tag))

    def next_tag(self) -> str:
        """A tag for a write that somebody has to know of before it leaves."""
        return self._parts.tags.next()
