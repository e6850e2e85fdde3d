"""A paper account: orders over the matching engine. Pure and synchronous.

Everything is driven from outside: requests, ticks and the time come in, order updates come out,
changed rows wait in the state to be stored. The simulator's live account and the sandbox are both
this.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal

from openalgo_desktop.core.enums import Action, OrderStatus, PriceType, Product, Validity
from openalgo_desktop.core.errors import OrderNotWorking, RejectedByBroker
from openalgo_desktop.core.model import Instrument, ModifyRequest, Order, OrderRequest
from openalgo_desktop.core.ports import InstrumentLookup
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.exchange.accounting import Accounting
from openalgo_desktop.exchange.checks import check_modify
from openalgo_desktop.exchange.ledger import ZERO, decimal, paise
from openalgo_desktop.exchange.margin import MarginTable
from openalgo_desktop.exchange.matching import Fill, FillModel, Matcher, Outcome, Refused, Resting
from openalgo_desktop.exchange.records import PaperOrder
from openalgo_desktop.exchange.state import PaperState

#: Shown beside an immediate-or-cancel order that did not fill whole.
IOC_ENDED = "IOC: what did not trade at once was cancelled."


def _changed(row: PaperOrder) -> datetime:
    """When a stored order changed last."""
    at = row.order.updated_at or row.order.placed_at
    assert at is not None
    return at


class PaperBook(Accounting):
    """One account's orders and what the market does to them.

    ``lane`` (0 or 1) keeps the order ids of two accounts of one program apart.
    """

    def __init__(
        self,
        account_id: str,
        instruments: InstrumentLookup,
        model: FillModel,
        margin: MarginTable | None = None,
        lane: int = 0,
    ) -> None:
        super().__init__(account_id, instruments, margin or MarginTable())
        self.matcher = Matcher(model)
        self._lane = lane
        self._last_id = (date.min, 0)

    def open(self, state: PaperState) -> None:
        """Take over a stored state; working orders rest again."""
        self.state = state
        self.updates.clear()
        self._working.clear()
        self.matcher = Matcher(self.matcher.model)
        for row in tuple(state.orders.values()):
            if row.order.status.is_working:
                self._watch(row)
                if row.order.validity is Validity.IOC:  # the program ended while it was on its way
                    self._finish(row, OrderStatus.CANCELLED, _changed(row), IOC_ENDED)
                    continue
                resting = self._resting(row)
                resting.fresh = False
                self.matcher.submit(resting, None)

    # -- placing ----------------------------------------------------------------------------
    def place(
        self,
        request: OrderRequest,
        tag: str,
        instrument: Instrument,
        tick: Tick | None,
        now: datetime,
        *,
        session: date | None = None,
        closed: bool = False,
        hold: bool = False,
        gtt: str = "",
    ) -> PaperOrder:
        """Check money and shares, reserve, and let the order meet the market.

        ``tick`` is the market now (None: no quote). In a ``closed`` market the order waits for
        the first tick of the session; ``hold`` keeps it on its way until :meth:`arrive`. Raises
        :class:`OrderError` with the reason; a refused sale of shares leaves a rejected row.
        """
        basis = self._basis(request, tick)
        self._check_shares(request, tag, basis, now)
        key = (request.exchange, request.symbol, request.product.value)
        covered = min(request.quantity, self.free_cover(key, request.action))
        needed = self.margin.required(
            instrument, request.action, request.product, request.quantity - covered, basis
        )
        self.require(needed)
        row = PaperOrder(
            self._new_order(request, tag, basis, now),
            basis=basis,
            covered=covered,
            session=session,
            gtt=gtt,
        )
        order = row.order
        if order.price_type.has_trigger:
            order.status = OrderStatus.TRIGGER_PENDING
        self.state.orders[order.order_id] = row
        self._reserve(row, paise(needed), now)
        self._watch(row)
        self._tell(row)
        resting = self._resting(row)
        resting.active = not hold
        self._apply(self.matcher.submit(resting, None if closed else tick), now)
        if tick is None and not (hold or closed):
            resting.fresh = False
        if not hold:
            self._end_immediate(row, now)
        return row

    def _end_immediate(self, row: PaperOrder, now: datetime) -> None:
        """What an immediate-or-cancel order did not get at once it does not get."""
        if row.order.validity is Validity.IOC and row.order.status.is_working:
            self._finish(row, OrderStatus.CANCELLED, now, IOC_ENDED)

    def _basis(self, request: OrderRequest, tick: Tick | None) -> Decimal:
        """The price an order is margined at: limit, trigger, or for MARKET the last price."""
        if request.price_type is PriceType.LIMIT:
            return decimal(request.price)
        if request.price_type.has_trigger:
            return decimal(request.trigger_price)
        if tick is not None and tick.ltp > 0:
            return decimal(tick.ltp)
        position = self.state.positions.get(
            (request.exchange, request.symbol, request.product.value)
        )
        if position is None or position.mark <= 0:
            raise RejectedByBroker(
                f"Cannot place MARKET order for {request.symbol} - unable to fetch current price. "
                "Please try again later or use LIMIT order with a specific price."
            )
        return decimal(position.mark)

    def _check_shares(self, request: OrderRequest, tag: str, basis: Decimal, now: datetime) -> None:
        if request.product is not Product.CNC or request.action is not Action.SELL:
            return
        key = (request.exchange, request.symbol, request.product.value)
        position = self.state.positions.get(key)
        holding = self.state.holdings.get((request.exchange, request.symbol))
        day = position.quantity if position is not None else 0
        held = holding.quantity if holding is not None else 0
        resting = sum(
            row.order.pending_quantity
            for row in self.working(key)
            if row.order.action is Action.SELL
        )
        available = day + held - resting
        if available >= request.quantity:
            return
        symbol = request.symbol
        if not day and not held:
            reason = (
                f"Cannot sell {symbol} in CNC. No positions or holdings available. CNC (delivery) "
                "requires existing shares. Use MIS for intraday short selling."
            )
        else:
            in_orders = f", In open orders: {resting}" if resting else ""
            reason = (
                f"Cannot sell {request.quantity} shares of {symbol} in CNC. Only {available} "
                f"shares available (Position: {day}, Holdings: {held}{in_orders})"
            )
        row = self.reject(request, tag, now, reason, basis)
        raise RejectedByBroker(reason, order_id=row.order.order_id)

    def reject(
        self,
        request: OrderRequest,
        tag: str,
        now: datetime,
        reason: str,
        basis: Decimal = ZERO,
    ) -> PaperOrder:
        """File an order that was refused."""
        row = PaperOrder(self._new_order(request, tag, basis, now), basis=basis)
        row.order.status = OrderStatus.REJECTED
        row.order.rejection_reason = reason
        self.state.orders[row.order.order_id] = row
        self._tell(row)
        return row

    def _new_order(self, request: OrderRequest, tag: str, basis: Decimal, now: datetime) -> Order:
        at_market = request.price_type is PriceType.MARKET
        return Order(
            order_id=self._next_id(now),
            symbol=request.symbol,
            exchange=request.exchange,
            action=request.action,
            quantity=request.quantity,
            price_type=request.price_type,
            product=request.product,
            price=float(basis) if at_market else request.price,
            trigger_price=request.trigger_price,
            disclosed_quantity=request.disclosed_quantity,
            validity=request.validity,
            placed_at=now,
            updated_at=now,
            strategy=request.strategy,
            tag=tag,
            account_id=self.account_id,
        )

    def _next_id(self, now: datetime) -> str:
        """YYMMDD and eight digits: the millisecond of the day, moved on when it is taken, so that
        ids are unique also over restarts and after the clock was set back."""
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        number = int((now - midnight).total_seconds() * 1000)
        number += (number - self._lane) % 2
        day, last = self._last_id
        if day == now.date():
            number = max(number, last + 2)
        date = f"{now.year % 100:02d}{now.month:02d}{now.day:02d}"
        while (order_id := f"{date}{number:08d}") in self.state.orders:
            number += 2
        self._last_id = (now.date(), number)
        return order_id

    def _resting(self, row: PaperOrder) -> Resting:
        order = row.order
        return Resting(
            order_id=order.order_id,
            key=order.key,
            action=order.action,
            price_type=order.price_type,
            quantity=order.quantity - order.filled_quantity,
            price=order.price if order.price_type.has_price else 0.0,
            trigger=0.0 if row.live else order.trigger_price,
            tick_size=self.instrument(order.key).tick_size,
        )

    # -- changing ---------------------------------------------------------------------------
    def modify(
        self,
        request: ModifyRequest,
        instrument: Instrument,
        tick: Tick | None,
        now: datetime,
        *,
        closed: bool = False,
        hold: bool = False,
    ) -> PaperOrder:
        """Change a working order and re-margin it; raises :class:`OrderError` and changes nothing
        when it may not be changed or money is short.

        A price moved towards less margin keeps the larger reserve until the fill, as in the
        reference; a smaller quantity gives its part back at once.
        """
        row = self.find(request.order_id)
        order = row.order
        if not order.status.is_working:
            raise OrderNotWorking(f"Cannot modify order in {order.status.value} status")
        wanted = check_modify(order, request, instrument)
        self._check_more_shares(row, wanted.quantity)
        remaining = wanted.quantity - order.filled_quantity
        covered = min(remaining, row.covered + self.free_cover(row.position_key, order.action))
        basis = row.basis
        if wanted.price_type is not PriceType.MARKET:
            basis = max(basis, self._basis(wanted, tick))
        needed = self.margin.required(
            instrument, order.action, order.product, remaining - covered, basis
        )
        if paise(needed) > row.margin:
            self.require(needed - row.margin)
        old = self.matcher.remove(order.order_id)
        moved = (wanted.price, wanted.price_type) != (order.price, order.price_type)
        grown = wanted.quantity > order.quantity
        self._reserve(row, paise(needed), now)
        row.basis, row.covered = basis, covered
        if wanted.price_type is not order.price_type:
            row.live = False
        order.quantity, order.price_type = wanted.quantity, wanted.price_type
        order.disclosed_quantity = wanted.disclosed_quantity
        if wanted.price_type is not PriceType.MARKET:
            order.price = wanted.price
        order.trigger_price = wanted.trigger_price
        waits = order.price_type.has_trigger and not row.live
        order.status = OrderStatus.TRIGGER_PENDING if waits else OrderStatus.OPEN
        order.updated_at = now
        self._tell(row)
        resting = self._resting(row)
        resting.active = not hold
        if old is not None and not moved and not grown:
            resting.ahead, resting.fresh = old.ahead, old.fresh
        else:
            resting.fresh = True
        self._apply(self.matcher.submit(resting, None if closed else tick), now)
        if not hold:
            self._end_immediate(row, now)
        self._cover_again(row.position_key, now)
        return row

    def _check_more_shares(self, row: PaperOrder, quantity: int) -> None:
        """A resting sale of shares may not grow beyond what is there."""
        order = row.order
        if order.product is not Product.CNC or order.action is not Action.SELL:
            return
        more = quantity - order.quantity
        position = self.state.positions.get(row.position_key)
        holding = self.state.holdings.get(order.key)
        there = (position.quantity if position else 0) + (holding.quantity if holding else 0)
        resting = sum(
            other.order.pending_quantity
            for other in self.working(row.position_key)
            if other.order.action is Action.SELL
        )
        if more > there - resting:
            raise RejectedByBroker(
                f"Cannot sell {quantity} shares of {order.symbol} in CNC. "
                f"Only {order.quantity + there - resting} shares available"
            )

    def cancel(self, order_id: str, now: datetime, reason: str = "") -> PaperOrder:
        """Cancel a working order; its reserve goes back. ``reason`` is shown in the book."""
        row = self.find(order_id)
        if not row.order.status.is_working:
            raise OrderNotWorking(f"Cannot cancel order in {row.order.status.value} status")
        self._finish(row, OrderStatus.CANCELLED, now, reason)
        return row

    def _finish(self, row: PaperOrder, status: OrderStatus, now: datetime, reason: str) -> None:
        self.matcher.remove(row.order.order_id)
        super()._finish(row, status, now, reason)

    # -- ticks ------------------------------------------------------------------------------
    def on_tick(self, tick: Tick, now: Callable[[], datetime]) -> bool:
        """Let the resting orders of an instrument meet a tick; whether anything happened."""
        outcomes = self.matcher.on_tick(tick)
        if not outcomes:
            return False
        self._apply(outcomes, now())
        return True

    def arrive(self, order_id: str, tick: Tick | None, now: datetime) -> None:
        """A held order reaches the market (after its latency)."""
        resting = self.matcher.get(order_id)
        if resting is not None:
            resting.active = True
            self._apply(self.matcher.wake(order_id, tick), now)
            self._end_immediate(self.state.orders[order_id], now)

    def _apply(self, outcomes: Sequence[Outcome], now: datetime) -> None:
        for outcome in outcomes:
            row = self.state.orders[outcome.order_id]
            if not row.order.status.is_working:
                continue
            if isinstance(outcome, Fill):
                self._fill(row, outcome.quantity, outcome.price, now)
            elif isinstance(outcome, Refused):
                self._finish(row, OrderStatus.REJECTED, now, outcome.reason)
            else:
                row.live = True
                row.order.status, row.order.updated_at = OrderStatus.OPEN, now
                self._tell(row)
