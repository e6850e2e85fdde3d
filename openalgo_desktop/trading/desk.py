"""The order desk: the one place where orders leave.

validate -> risk -> approve -> journal (durable) -> gateway -> journal. The mode is read once per
request, here, and the gateway of that mode is the only one the request can reach. What comes after
the checks is done by :mod:`openalgo_desktop.trading.sending`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import Mode, Product
from openalgo_desktop.core.errors import (
    AppError,
    NotConnected,
    NotSupported,
    OrderError,
    OrderNotFound,
)
from openalgo_desktop.core.events import (
    Bus,
    ModeChanged,
    OrderRefused,
    OrderUpdated,
    PositionsChanged,
)
from openalgo_desktop.core.model import (
    BookRows,
    Funds,
    Holding,
    Margin,
    ModifyRequest,
    Order,
    OrderAck,
    OrderRequest,
    OrderUpdate,
    Position,
    Trade,
    closing_order,
)
from openalgo_desktop.core.ports import (
    InstrumentLookup,
    OrderJournal,
    TradingGateway,
    supports_margin,
)
from openalgo_desktop.core.stopwatch import upstream
from openalgo_desktop.exchange.checks import check_order
from openalgo_desktop.trading.books import BookKeeper
from openalgo_desktop.trading.limits import one_request
from openalgo_desktop.trading.policies import OrderPolicies
from openalgo_desktop.trading.reconcile import Reconciler, order_of_entry
from openalgo_desktop.trading.results import CancelAll, CloseAll, Placed
from openalgo_desktop.trading.risk import RiskGate
from openalgo_desktop.trading.sending import OrderSender
from openalgo_desktop.trading.tags import TagMaker

log = logging.getLogger(__name__)
T = TypeVar("T")

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
        self.reconciler = Reconciler(clock, bus, journal, self._gateways, reconcile_interval)
        self.sender = OrderSender(clock, bus, journal, self.reconciler, self.risk, ack_timeout)
        self.books = BookKeeper(clock, bus, self._gateways, self.sender.is_ours, reconcile_interval)

    # -- life -------------------------------------------------------------------------------
    async def start(self) -> None:
        """Settle what an earlier run left open, then keep watching for unknown orders."""
        await self.sender.start()
        await self.reconciler.start()
        await self.books.start()

    async def stop(self) -> None:
        """Wait briefly for orders under way, then stop."""
        await self.sender.stop()
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
        gateway.set_listener(lambda update: self._on_update(mode, gateway.broker, update))
        self.books.wake()

    # -- mode -------------------------------------------------------------------------------
    @property
    def mode(self) -> Mode:
        """Where the next order goes."""
        return self._mode

    async def set_mode(self, mode: Mode, by: str) -> None:
        """Move the SANDBOX/LIVE switch. Raises :class:`NotConnected` without a live account."""
        self._gateway_of(mode)
        if mode is self._mode:
            return
        self.mode_guard(mode, by)
        self._mode = mode
        log.warning("mode is now %s (by %s)", mode.value, by)
        self._bus.publish(ModeChanged(mode=mode, by=by))

    @property
    def gateway(self) -> TradingGateway:
        """The gateway of the current mode."""
        return self._gateway_of(self._mode)

    @property
    def broker(self) -> str:
        """Broker id of the live account (market data comes from it in both modes)."""
        live = self._gateways.get(Mode.LIVE)
        return live.broker if live is not None else ""

    def _gateway_of(self, mode: Mode) -> TradingGateway:
        try:
            return self._gateways[mode]
        except KeyError:
            raise NotConnected(
                "No live account is connected. Log in to a broker or use the sandbox."
                if mode is Mode.LIVE
                else "The sandbox is not running."
            ) from None

    # -- orders -----------------------------------------------------------------------------
    async def place(self, request: OrderRequest, source: str, mode: Mode | None = None) -> Placed:
        """Send an order. Raises :class:`OrderError` with the reason when it was refused, and
        :class:`OrderStateUnknown` when nobody knows whether it arrived. With ``mode`` it is
        refused when the switch stands elsewhere by now."""
        mode = self._still(mode)
        gateway = self._gateway_of(mode)
        with self.refusals("place", request, source):
            row = self._instruments.require(request.symbol, request.exchange)
        if self.policies is not None:
            parts = self.policies.split(request, row)
            if len(parts) > 1:
                with self.refusals("place", request, source):
                    await self.risk.check_whole(request, source)
                token = one_request.set(one_request.get() or object())  # equal slices are meant
                try:
                    return await self._place_parts(parts, source, mode)
                finally:
                    one_request.reset(token)
        with self.refusals("place", request, source):
            if self.policies is not None:
                request = await self.policies.protect(request, row, gateway)
            check_order(request, row)
            await self.risk.check(request, source)
        if self.approval is not None:
            await self.approval(request, source)
        tag = self._tags.next()
        entry = self.sender.entry(tag, "place", mode, gateway, source, msgspec.to_builtins(request))
        return await self.sender.send(entry, mode, gateway, lambda: gateway.place(request, tag))

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

    def _still(self, mode: Mode | None) -> Mode:
        """The current mode; raises when it is not the one that the caller began in."""
        if mode is not None and mode is not self._mode:
            raise OrderError(
                f"The mode was switched to {self._mode.value} while this was being carried out; "
                "it was not sent."
            )
        return self._mode

    async def _place_parts(self, parts: Sequence[OrderRequest], source: str, mode: Mode) -> Placed:
        """The slices of an order above the freeze quantity, one after the other; the first
        refusal ends it and says what is already out."""
        done: list[Placed] = []
        for part in parts:
            try:
                done.append(await self.place(part, source, mode))
            except OrderError as error:
                if done:
                    ids = ", ".join(placed.order_id for placed in done)
                    error.message += f" Already sent: {len(done)} of {len(parts)} parts ({ids})."
                raise
        ids = ", ".join(placed.order_id for placed in done)
        return Placed(done[0].order_id, done[0].mode, f"Sent in {len(done)} parts: {ids}")

    async def modify(self, request: ModifyRequest, source: str) -> Placed:
        """Change a working order."""
        mode = self._mode
        gateway = self._gateway_of(mode)
        with self.refusals("modify", request, source):
            self.risk.check_blocked(source)
            order = self.books.book(mode).orders.get(request.order_id)
            if order is None:  # placed elsewhere since the last comparison: no way round the limits
                rows = await self._asked(gateway.orders())
                order = next((row for row in rows if row.order_id == request.order_id), None)
            if order is not None:
                await self.risk.check_modify(order, request, source)
        entry = self.sender.entry(
            self._tags.next(), "modify", mode, gateway, source, msgspec.to_builtins(request)
        )
        entry = msgspec.structs.replace(entry, order_id=request.order_id)
        return await self.sender.send(entry, mode, gateway, lambda: gateway.modify(request))

    async def cancel(self, order_id: str, source: str) -> Placed:
        """Cancel a working order."""
        mode = self._mode
        return await self._cancel(order_id, source, mode, self._gateway_of(mode))

    async def _cancel(
        self, order_id: str, source: str, mode: Mode, gateway: TradingGateway
    ) -> Placed:
        entry = self.sender.entry(
            self._tags.next(), "cancel", mode, gateway, source, {"order_id": order_id}
        )
        entry = msgspec.structs.replace(entry, order_id=order_id)
        return await self.sender.send(entry, mode, gateway, lambda: gateway.cancel(order_id))

    async def cancel_all(self, source: str) -> CancelAll:
        """Cancel every working order of the account, stops included. One that is between two
        states at the broker cannot be cancelled yet and is left."""
        mode = self._mode
        gateway = self._gateway_of(mode)
        cancelled: list[str] = []
        failed: list[tuple[str, str]] = []
        working = [
            order
            for order in await gateway.orders()
            if order.status.is_working and not order.settling
        ]
        answers = await asyncio.gather(
            *(self._cancel(order.order_id, source, mode, gateway) for order in working),
            return_exceptions=True,
        )
        for order, answer in zip(working, answers, strict=True):
            if isinstance(answer, AppError):
                failed.append((order.order_id, answer.message))
            elif isinstance(answer, BaseException):
                raise answer
            else:
                cancelled.append(order.order_id)
        return CancelAll(cancelled, failed, mode)

    async def close_position(
        self, symbol: str, exchange: str, product: Product, source: str
    ) -> Placed | None:
        """Close one net position at market; None when it is flat."""
        for position in await self.positions():
            if (position.symbol, position.exchange, position.product) == (
                symbol,
                exchange,
                product,
            ) and position.quantity:
                return await self.place(closing_order(position), source)
        return None

    async def close_all(self, source: str) -> CloseAll:
        """Close every open position at market."""
        mode = self._mode
        rows = await self._gateway_of(mode).positions()
        open_rows = [row for row in rows if row.quantity]
        errors: list[str] = []
        for row in open_rows:
            if self._mode is not mode:
                raise OrderError("The mode was switched while positions were being closed.")
            try:
                await self.place(closing_order(row), source)
            except AppError as error:
                errors.append(f"{row.symbol}: {error.message}")
        return CloseAll(len(open_rows) - len(errors), len(errors), bool(rows), mode, tuple(errors))

    # -- sending ----------------------------------------------------------------------------
    async def send(
        self,
        kind: str,
        request: msgspec.Struct,
        source: str,
        call: Callable[[TradingGateway, str], Coroutine[Any, Any, OrderAck]],
        order_id: str = "",
        mode: Mode | None = None,
    ) -> Placed:
        """Journal and send an order write of another kind (good-till-triggered orders).

        ``call`` gets the gateway of the current mode and our own tag; ``mode`` as in
        :meth:`place`.
        """
        mode = self._still(mode)
        gateway = self._gateway_of(mode)
        if not kind.endswith("cancel"):
            with self.refusals(kind, request, source):
                self.risk.check_blocked(source)
        tag = self._tags.next()
        entry = self.sender.entry(tag, kind, mode, gateway, source, msgspec.to_builtins(request))
        entry = msgspec.structs.replace(entry, order_id=order_id)
        return await self.sender.send(entry, mode, gateway, lambda: call(gateway, tag))

    # -- books ------------------------------------------------------------------------------
    def _on_update(self, mode: Mode, broker: str, update: OrderUpdate) -> None:
        order = self.books.book(mode).news(self._with_source(update.order), update.trade)
        if order is None:
            return
        self._bus.publish(
            OrderUpdated(
                account_id=update.account_id,
                mode=mode,
                broker=broker,
                order=order,
                trade=update.trade,
            )
        )
        if update.trade is not None:
            self._bus.publish(PositionsChanged(account_id=update.account_id, mode=mode))

    def _with_source(self, order: Order) -> Order:
        if not order.source:
            order.source = self.sender.sources.get(order.tag, "")
        return order

    async def orders(self) -> BookRows[Order]:
        """Order book of the current mode; unknown orders are listed too, never hidden."""
        mode, gateway = self._mode, self.gateway
        orders = await self._asked(gateway.orders())
        for order in orders:
            self._with_source(order)
        self.books.book(mode).seen(orders)
        unknown = self.reconciler.unknown(gateway.account_id, mode)
        known = {order.tag for order in orders if order.tag}
        orders.extend(order_of_entry(e) for e in unknown if e.tag not in known)
        return orders

    async def order(self, order_id: str) -> Order:
        """One order of the current mode; raises :class:`OrderNotFound`."""
        for order in await self.orders():
            if order.order_id == order_id:
                return order
        raise OrderNotFound(order_id)

    async def trades(self) -> BookRows[Trade]:
        """Trade book of the current mode."""
        return await self._asked(self.gateway.trades())

    async def positions(self) -> BookRows[Position]:
        """Position book of the current mode; closed rows stay with quantity 0."""
        return await self._asked(self.gateway.positions())

    async def holdings(self) -> BookRows[Holding]:
        """Holdings of the current mode."""
        return await self._asked(self.gateway.holdings())

    async def funds(self) -> Funds:
        """Money of the current mode."""
        return await self._asked(self.gateway.funds())

    async def margin(self, legs: Sequence[OrderRequest]) -> Margin:
        """What these orders together would block at the live account, also while orders are
        simulated. Raises :class:`NotSupported`."""
        gateway = self._gateway_of(Mode.LIVE)
        if not supports_margin(gateway):
            raise NotSupported(f"{gateway.broker} does not estimate margins.")
        with upstream():
            return await gateway.margin(legs)

    async def _asked(self, answer: Awaitable[T]) -> T:
        """A book of the current mode; waiting for it is the broker's time when it is live."""
        with upstream() if self._mode is Mode.LIVE else contextlib.nullcontext():
            return await answer

    def unsettled(self) -> int:
        """Orders whose state is unknown now."""
        return len(self.reconciler.open_entries)
