"""The money side of a paper account: what a fill, a cancel, a settlement does to the ledger.

Invariants (checked by a property test): cash and reserve are the sums of their entries; the
reserve is the sum of the margins of positions, working orders and GTTs; no margin is negative;
a position is the sum of its trades, settlements and conversions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from datetime import date, datetime
from decimal import Decimal

import msgspec

from openalgo_desktop.core.conversion import ConvertRequest
from openalgo_desktop.core.enums import CASH_EXCHANGES, Action, OrderStatus, Product
from openalgo_desktop.core.errors import InsufficientFunds, InvalidOrder, OrderNotFound
from openalgo_desktop.core.model import Instrument, Key, OrderUpdate, Trade
from openalgo_desktop.core.ports import InstrumentLookup
from openalgo_desktop.exchange.ledger import (
    STARTS_OVER,
    ZERO,
    EntryKind,
    decimal,
    exact_price,
    paise,
)
from openalgo_desktop.exchange.margin import MarginTable
from openalgo_desktop.exchange.netting import apply_fill, close_out, closing_part, move
from openalgo_desktop.exchange.records import (
    PaperHolding,
    PaperOrder,
    PaperPosition,
    PositionKey,
)
from openalgo_desktop.exchange.state import PaperState

#: Gives the charges of a trade in rupees.
Charger = Callable[[Trade, Instrument], Decimal]

_NO_COVER = (
    "The position this order would close is gone, and there is not enough money to open a new one."
)


class Accounting:
    """State of one account with the rules of its money; orders are the subclass's."""

    def __init__(self, account_id: str, instruments: InstrumentLookup, margin: MarginTable) -> None:
        self.account_id = account_id
        self.instruments = instruments
        self.margin = margin
        self.state = PaperState()
        self.charger: Charger | None = None
        self.updates: list[OrderUpdate] = []
        self._working: dict[PositionKey, dict[str, PaperOrder]] = {}

    def fund(self, capital: Decimal, at: datetime) -> None:
        """Start over with ``capital``: one entry, realised figures at zero."""
        ledger, meta = self.state.ledger, self.state.meta
        ledger.post(at, EntryKind.CAPITAL, capital - ledger.cash, -ledger.reserved, ref=STARTS_OVER)
        meta.capital = capital
        meta.realised = meta.realised_today = meta.charges = meta.charges_today = ZERO
        meta.last_reset = at
        self.state.mark_meta()

    # -- reading ----------------------------------------------------------------------------
    def working(self, key: PositionKey) -> list[PaperOrder]:
        """Working orders of a position, oldest first."""
        return list(self._working.get(key, {}).values())

    def all_working(self) -> list[PaperOrder]:
        """Every working order of the account."""
        return [row for rows in self._working.values() for row in rows.values()]

    def busy_keys(self) -> Iterable[PositionKey]:
        """Positions that have a working order."""
        return self._working.keys()

    def instrument(self, key: Key) -> Instrument:
        """The master's row, or a bare one when it left the master (an expired contract)."""
        return self.instruments.get(key) or Instrument(key[1], key[0])

    def position(self, key: Key, product: Product) -> PaperPosition:
        """The row of a position, made when there is none."""
        position_key = (*key, product.value)
        row = self.state.positions.get(position_key)
        if row is None:
            row = PaperPosition.of(self.instrument(key), product)
            self.state.positions[position_key] = row
        return row

    def find(self, order_id: str) -> PaperOrder:
        """The order; raises :class:`OrderNotFound`."""
        row = self.state.orders.get(order_id)
        if row is None:
            raise OrderNotFound(order_id)
        return row

    def justified(self) -> Decimal:
        """What the reserve must be: the margins of orders, positions and GTTs."""
        state = self.state
        orders = sum((row.margin for row in self.all_working()), ZERO)
        positions = sum((row.margin for row in state.positions.values()), ZERO)
        gtts = sum((decimal(gtt.margin) for gtt in state.gtts.values()), ZERO)
        return orders + positions + gtts

    # -- reserve ----------------------------------------------------------------------------
    def require(self, needed: Decimal) -> None:
        """Raise :class:`InsufficientFunds` unless ``needed`` rupees are free."""
        available = self.state.ledger.cash
        rounded = paise(needed)
        if rounded > 0 and rounded > available:
            shown = needed if needed == rounded else rounded  # as the price was written: 160000.0
            raise InsufficientFunds(
                f"Insufficient funds. Required: ₹{shown:f}, Available: ₹{available:.2f}, "
                f"Shortage: ₹{rounded - available:f}"
            )

    def _required(self, row: PaperOrder) -> Decimal:
        order = row.order
        return paise(
            self.margin.required(
                self.instrument(order.key), order.action, order.product, row.uncovered, row.basis
            )
        )

    def _reserve(self, row: PaperOrder, margin: Decimal, now: datetime) -> None:
        """Make ``margin`` the reserve of an order."""
        order = row.order
        premium = order.action is Action.BUY and self.instrument(order.key).is_option
        self.state.ledger.block(now, margin - row.margin, order.order_id, premium=premium)
        row.margin = margin
        row.blocked = max(row.blocked, margin)

    def free_cover(self, key: PositionKey, action: Action) -> int:
        """Units of a position that an order of that side would close and no other order has."""
        position = self.state.positions.get(key)
        if position is None or position.quantity * action.sign >= 0:
            return 0
        taken = sum(row.covered for row in self.working(key) if row.order.action is action)
        return max(0, abs(position.quantity) - taken)

    def _cover_again(self, key: PositionKey, now: datetime) -> None:
        """Divide the position among the orders that close it, oldest first. What is no longer
        covered is margined; an order that cannot be paid for is cancelled: no exit goes naked."""
        position = self.state.positions.get(key)
        quantity = position.quantity if position is not None else 0
        free = abs(quantity)
        changed: list[PaperOrder] = []
        for row in self.working(key):
            against = row.order.action.sign * quantity < 0
            cover = min(row.order.pending_quantity, free) if against else 0
            free -= cover
            if cover != row.covered:
                row.covered = cover
                changed.append(row)
        changed.sort(key=lambda row: self._required(row) > row.margin)  # releases first
        for row in changed:
            if not row.order.status.is_working:
                continue
            needed = self._required(row)
            if needed - row.margin > max(ZERO, self.state.ledger.cash):
                self._finish(row, OrderStatus.CANCELLED, now, _NO_COVER)
                continue
            self._reserve(row, needed, now)
            self.state.mark_order(row)

    def _finish(self, row: PaperOrder, status: OrderStatus, now: datetime, reason: str) -> None:
        """End a working order without a fill; its reserve goes back."""
        order = row.order
        row.covered = order.quantity
        self._reserve(row, ZERO, now)
        row.covered = 0
        order.status, order.updated_at = status, now
        order.rejection_reason = reason
        self._unwatch(row)
        self._tell(row)
        self._cover_again(row.position_key, now)

    # -- fills ------------------------------------------------------------------------------
    def _fill(self, row: PaperOrder, quantity: int, price: float, now: datetime) -> None:
        """An execution: position, realised profit, reserve, charges, trade, order."""
        order, exact = row.order, decimal(price)
        instrument = self.instrument(order.key)
        position = self.position(order.key, order.product)
        closing = closing_part(position.quantity, order.action, quantity)
        covered = min(closing, row.covered)
        row.covered -= covered
        order.filled_quantity += quantity
        row.value += exact * quantity
        premium = position.quantity > 0 and instrument.is_option
        netting = apply_fill(
            position, order.action, quantity, exact, now, self.state.holdings.get(order.key)
        )
        freed = row.margin - self._required(row)
        # Units that closed something another order was to close leave their reserve free.
        from_reserve = netting.opened + (closing - covered)
        moved = paise(freed * netting.opened / from_reserve) if from_reserve and freed > 0 else ZERO
        row.margin -= freed
        position.margin += moved
        ledger = self.state.ledger
        opens_premium = order.action is Action.BUY and instrument.is_option
        ledger.block(now, moved - freed, order.order_id, premium=opens_premium)
        ledger.block(now, -netting.released, order.order_id, premium=premium)
        if netting.closed or netting.realised:
            self._realise(netting.realised, now, order.order_id)
        self.state.mark_meta()  # charges and the next numbers are in it
        trade = self._charge(self._trade(row, quantity, price, now), instrument, position, now)
        self.state.add_trade(trade)
        self.state.mark_position(position)
        self._rebase(order.key, now)
        self._executed(row, price, now, trade)
        self._cover_again(row.position_key, now)

    def _rebase(self, key: Key, now: datetime) -> None:
        """Give each position of an underlying its share of a margin that depends on all of them.
        A hedge that went may make more due than there is: cash then shows the call."""
        self._allot(self.margin.allotment(key), now)

    def _allot(self, margins: dict[PositionKey, Decimal], now: datetime) -> None:
        for key, margin in margins.items():
            row = self.state.positions[key]
            if margin != row.margin:
                self.state.ledger.block(now, margin - row.margin, "|".join(key))
                row.margin = margin
                self.state.mark_position(row)

    def remargin(self, now: datetime) -> None:
        """Reserve anew for open derivative positions: the way margin is computed has changed.
        Working orders keep what they reserved until they fill."""
        for key, row in self.state.positions.items():
            if not row.quantity or row.exchange in CASH_EXCHANGES:
                continue
            action = Action.BUY if row.quantity > 0 else Action.SELL
            instrument, size = self.instrument(row.key), abs(row.quantity)
            shares = self.margin.allotment(row.key)
            if not shares:
                alone = self.margin.required(instrument, action, row.product, size, row.average)
                shares = {key: paise(alone)}
            self._allot(shares, now)

    def _realise(self, amount: Decimal, now: datetime, ref: str, *, today: bool = True) -> None:
        self.state.ledger.post(now, EntryKind.REALISED, amount, ref=ref)
        meta = self.state.meta
        meta.realised += amount
        if today:
            meta.realised_today += amount
        self.state.mark_meta()

    def _charge(
        self, trade: Trade, instrument: Instrument, position: PaperPosition, now: datetime
    ) -> Trade:
        """Take the charges of a trade; the trade that names them."""
        if self.charger is None:
            return trade
        amount = paise(self.charger(trade, instrument))
        self.state.ledger.post(now, EntryKind.CHARGE, -amount, ref=trade.trade_id)
        position.charges += amount
        self.state.meta.charges += amount
        self.state.meta.charges_today += amount
        return msgspec.structs.replace(trade, charges=float(amount))

    def _trade(self, row: PaperOrder, quantity: int, price: float, now: datetime) -> Trade:
        self.state.meta.last_trade += 1
        trade_id = f"TRADE-{now:%Y%m%d-%H%M%S}-{self.state.meta.last_trade:08x}"
        return Trade.of(row.order, trade_id, quantity, price, now)

    def _executed(self, row: PaperOrder, price: float, now: datetime, trade: Trade) -> None:
        order = row.order
        filled = order.filled_quantity
        whole = row.value == decimal(price) * filled
        order.average_price = price if whole else float(exact_price(row.value / filled))
        order.updated_at = now
        if filled >= order.quantity:
            order.status = OrderStatus.COMPLETE
            self._unwatch(row)
        else:
            order.status = OrderStatus.OPEN
        self._tell(row, trade)

    # -- settlements ------------------------------------------------------------------------
    def settle(self, key: PositionKey, price: Decimal, now: datetime, *, today: bool) -> None:
        """Close a position at ``price`` without a trade; ``today`` counts the profit as the
        account's profit of today."""
        position = self.state.positions[key]
        if not position.quantity:
            return
        premium = position.quantity > 0 and position.instrument_type in ("CE", "PE")
        netting = close_out(position, price, now)
        ref = "|".join(key)
        self.state.ledger.block(now, -netting.released, ref, premium=premium)
        self._realise(netting.realised, now, ref, today=today)
        self.state.mark_position(position)
        self._rebase(position.key, now)
        self._cover_again(key, now)

    def deliver(self, key: PositionKey, day: date, now: datetime) -> None:
        """Settle a CNC row: bought shares become a holding and are paid for, sold ones leave the
        holding and their cost comes back (their profit was booked at the sale)."""
        state = self.state
        position = state.positions[key]
        stock = position.key
        holding = state.holdings.get(stock)
        state.ledger.block(now, -position.margin, "|".join(key))
        if position.quantity > 0:
            if holding is None:
                holding = PaperHolding(stock[1], stock[0], 0, ZERO, settled=day)
                state.holdings[stock] = holding
            holding.quantity += position.quantity
            holding.cost += position.cost
            holding.mark = position.mark
            state.ledger.post(now, EntryKind.SETTLEMENT, -position.cost, ref="|".join(key))
            state.mark_holding(holding)
        elif position.quantity < 0 and holding is not None:
            holding.quantity += position.quantity
            holding.cost -= position.delivered
            holding.mark = position.mark
            state.ledger.post(now, EntryKind.SETTLEMENT, position.delivered, ref="|".join(key))
            state.mark_holding(holding)
            if holding.quantity <= 0:
                state.drop_holding(stock)
        state.drop_position(key)
        self._cover_again(key, now)

    def convert(self, request: ConvertRequest, now: datetime) -> None:
        """Move units of a position to another product at their average and reserve for them what
        that product needs. Raises :class:`InvalidOrder` and :class:`InsufficientFunds`."""
        source_key = (*request.key, request.product.value)
        target_key = (*request.key, request.to.value)
        source = self._convertible(source_key, request)
        other = self.state.positions.get(target_key)
        if other is not None and other.quantity * request.action.sign < 0:
            raise InvalidOrder(
                f"The {request.to} position of {request.symbol} is on the other side: close it "
                "first.",
                field="to",
            )
        instrument, units = self.instrument(request.key), request.quantity
        share = paise(source.margin * units / abs(source.quantity))
        needed = share
        if not self.margin.allotment(request.key):
            needed = paise(
                self.margin.required(instrument, request.action, request.to, units, source.average)
            )
        self.require(needed - share)
        target = self.position(request.key, request.to)
        released = move(source, target, units, now)
        target.margin += needed
        premium = request.action is Action.BUY and instrument.is_option
        ref = "|".join(target_key)
        self.state.ledger.block(now, needed - released, ref, premium=premium)
        self.state.mark_position(source)
        self.state.mark_position(target)
        self._rebase(request.key, now)
        self._cover_again(source_key, now)
        self._cover_again(target_key, now)

    def _convertible(self, key: PositionKey, request: ConvertRequest) -> PaperPosition:
        """The position that has the units, free of orders that are to close them."""
        row = self.state.positions.get(key)
        held = row.quantity * request.action.sign if row is not None else 0
        if row is None or held <= 0 or row.from_holdings:
            raise InvalidOrder(
                f"There is no open {request.product} position of {request.symbol} to convert.",
                field="product",
            )
        if request.quantity > held:
            raise InvalidOrder(
                f"Only {held} units of {request.symbol} are held in {request.product}.",
                field="quantity",
            )
        against = Action.SELL if row.quantity > 0 else Action.BUY
        if request.quantity > self.free_cover(key, against):
            raise InvalidOrder(
                f"Orders rest that are to close this position of {request.symbol}: cancel them "
                "before it is converted.",
                field="quantity",
            )
        return row

    # -- bookkeeping ------------------------------------------------------------------------
    def _watch(self, row: PaperOrder) -> None:
        self._working.setdefault(row.position_key, {})[row.order.order_id] = row

    def _unwatch(self, row: PaperOrder) -> None:
        rows = self._working.get(row.position_key, {})
        rows.pop(row.order.order_id, None)
        if not rows:
            self._working.pop(row.position_key, None)

    def _tell(self, row: PaperOrder, trade: Trade | None = None) -> None:
        self.state.mark_order(row)
        self.updates.append(OrderUpdate(self.account_id, copy(row.order), trade))
