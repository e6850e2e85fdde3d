"""The order desk: the one place where orders leave.

validate -> risk -> approve -> journal (durable) -> gateway -> journal. The mode is read once per
request, here, and the gateway of that mode is the only one the request can reach. What comes after
the checks is done by :mod:`openalgo_desktop.trading.sending`.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterator,
    Mapping,
    Sequence,
)
from typing import Any

import msgspec

from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import (
    AppError,
    NotConnected,
    OrderError,
    OrderNotWorking,
)
from openalgo_desktop.core.events import (
    Bus,
    ModeChanged,
    OrderRefused,
    OrderUpdated,
    PositionsChanged,
)
from openalgo_desktop.core.model import (
    Instrument,
    Key,
    ModifyRequest,
    Order,
    OrderAck,
    OrderRequest,
    OrderUpdate,
)
from openalgo_desktop.core.ports import (
    InstrumentLookup,
    OrderJournal,
    TradingGateway,
)
from openalgo_desktop.exchange.checks import check_order
from openalgo_desktop.trading.books import BookKeeper
from openalgo_desktop.trading.closing import Closing
from openalgo_desktop.trading.exits import Exits
from openalgo_desktop.trading.limits import one_request
from openalgo_desktop.trading.origins import Slice
from openalgo_desktop.trading.ownbook import impossible
from openalgo_desktop.trading.policies import OrderPolicies
from openalgo_desktop.trading.reading import AccountReader, asked
from openalgo_desktop.trading.reconcile import Reconciler
from openalgo_desktop.trading.results import Placed
from openalgo_desktop.trading.risk import KILL_SOURCE, RiskGate
from openalgo_desktop.trading.sending import OrderSender
from openalgo_desktop.trading.shape import OrderShape
from openalgo_desktop.trading.tags import TagMaker
from openalgo_desktop.trading.underway import UnderWay

log = logging.getLogger(__name__)

#: Asks a human (or a rule) before an order goes on; raises :class:`OrderError` to refuse.
Approval = Callable[[OrderRequest, str], Awaitable[None]]


class OrderDesk:
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
        self._tags = TagMaker(clock)
        self._gateways: dict[Mode, TradingGateway] = {}
        self._mode = Mode.SANDBOX
        self.risk = RiskGate()
        self.approval: Approval | None = None
        #: May raise to keep the mode as it is.
        self.mode_guard: Callable[[Mode, str], None] = lambda mode, by: None
        self.policies: OrderPolicies | None = None
        self._shape = OrderShape(instruments, lambda: self.policies)
        self.reconciler = Reconciler(clock, bus, journal, self._gateways, reconcile_interval)
        self.sender = OrderSender(clock, bus, journal, self.reconciler, self.risk, ack_timeout)
        self.books = BookKeeper(
            clock,
            bus,
            self._gateways,
            self.sender.origins,
            reconcile_interval,
            self._contract_value,
        )
        self.sender.origins.on_named = lambda mode, order_id, strategy: self.books.book(
            mode
        ).attribute(order_id, strategy)
        self.books.on_orders = self.reconciler.saw_book
        self.under_way = UnderWay(clock, bus, self.books, self.sender)
        self.exits = Exits(self, self.under_way)
        self.closing = Closing(self, self.exits)
        self.read = AccountReader(self, self.sender.origins, self.books, self.reconciler)

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

    @property
    def gateway(self) -> TradingGateway:
        """The gateway of the current mode."""
        return self.gateway_of(self._mode)

    @property
    def broker(self) -> str:
        """Broker id of the live account (market data comes from it in both modes)."""
        live = self._gateways.get(Mode.LIVE)
        return live.broker if live is not None else ""

    def gateway_of(self, mode: Mode) -> TradingGateway:
        """The gateway of a mode; raises :class:`NotConnected`."""
        try:
            return self._gateways[mode]
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
        with self.refusals("place", request, source):
            row = self._shape.row_of(request, closing)
            parts = self._shape.parts(request, row, closing)
            if len(parts) > 1 and not closing:
                await self.risk.check_whole(request, source)
        kept = {"plan": plan} if plan else {}
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
        with self.refusals("place", request, source):
            if self.policies is not None:
                held = self.under_way.last_price(gateway, request.key) if closing else 0.0
                request = await self.policies.protect(
                    request, row, gateway, closing=closing, held_at=held
                )
            check_order(request, row, closing=closing)
            if not closing:
                self._shape.check_offer(request, row, source, gateway)
            await self.risk.check(request, source, closing=closing)
        # (what stands was approved when its plan was made, and a stop cannot wait)
        if self.approval is not None and source != KILL_SOURCE and not standing:
            await self.approval(request, source)
        tag = self._tags.next()
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
        await self.policies.prepare(keys, held_at, gateway)
        try:
            yield
        finally:
            self.policies.prepared_over()

    def slice_of(self, order: Order) -> Slice | None:
        """Which part of an order above the freeze quantity ``order`` is, if it is one."""
        return self.sender.origins.slice_of(order)

    @contextlib.contextmanager
    def refusals(self, kind: str, request: msgspec.Struct, source: str) -> Iterator[None]:
        """Publishes what is refused inside, which no journal row will tell of."""
        try:
            yield
        except AppError as error:
            gateway = self._gateways.get(self._mode)
            self._bus.publish(
                OrderRefused(
                    source=source,
                    kind=kind,
                    request=msgspec.to_builtins(request),
                    reason=error.message,
                    account_id=gateway.account_id if gateway is not None else "",
                    mode=self._mode,
                )
            )
            raise

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
        parent = self._tags.next()
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
        with self.refusals("modify", request, source):
            self.risk.check_blocked(source)
            order = await self._working_order(request.order_id, mode, gateway)
            full = await self._shape.wanted(order, request, gateway, source)
            await self.risk.check_modify(order, full, source)
        entry = self.sender.entry(
            self._tags.next(), "modify", mode, gateway, source, msgspec.to_builtins(full)
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
            self._tags.next(), "cancel", mode, gateway, source, {"order_id": order_id}
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
            with self.refusals(kind, request, source):
                self.risk.check_blocked(source)
        tag = tag or self._tags.next()
        entry = self.sender.entry(tag, kind, mode, gateway, source, msgspec.to_builtins(request))
        entry = msgspec.structs.replace(entry, order_id=order_id)
        return await self.sender.send(entry, mode, gateway, lambda: call(gateway, tag))

    def next_tag(self) -> str:
        """A tag for a write that somebody has to know of before it leaves."""
        return self._tags.next()

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

    def unsettled(self) -> int:
        """Orders whose state is unknown now."""
        return len(self.reconciler.open_entries)
