"""Our own books, kept from order updates, and their comparison with the broker's every minute.

The own book is what the risk rules ask (no network on the way of an order), and a second witness:
where it disagrees with the broker, and still does a moment later, a human is told.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import date

import msgspec

from openalgo_desktop.core.clock import IST, Clock
from openalgo_desktop.core.enums import AccountState, Mode, OrderStatus, Product
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.events import AccountChanged, BooksDiffer, Bus, OrderUpdated
from openalgo_desktop.core.model import Difference, Order, OrderRequest, Position, Trade
from openalgo_desktop.core.ports import TickSource, TradingGateway

log = logging.getLogger(__name__)

PositionKey = tuple[str, str, Product]
#: A difference counts when it is still there after this time: updates may be on their way.
CONFIRM_AFTER = 1.0


class _Net(msgspec.Struct):
    """Net quantity, average and realised profit of one instrument in one strategy, today."""

    quantity: int = 0
    average: float = 0.0
    realised: float = 0.0

    def fill(self, quantity: int, price: float, multiplier: float) -> None:
        """Signed ``quantity`` at ``price``: closes first, the rest opens."""
        against = self.quantity * quantity < 0
        closed = min(abs(quantity), abs(self.quantity)) if against else 0
        sign = 1 if self.quantity > 0 else -1
        self.realised += (price - self.average) * closed * sign * multiplier
        opened = abs(quantity) - closed
        left = abs(self.quantity) - closed
        if opened:
            self.average = (self.average * left + price * opened) / (left + opened)
        elif not left:
            self.average = 0.0
        self.quantity += quantity


class OwnBook:
    """Orders and positions of one account as we know them from its updates."""

    def __init__(self, account_id: str, mode: Mode) -> None:
        self.account_id = account_id
        self.mode = mode
        self.orders: dict[str, Order] = {}
        self._working: dict[str, Order] = {}  # those that may still fill, by id
        self.positions: dict[PositionKey, Position] = {}
        self.strategies: dict[str, dict[PositionKey, _Net]] = {}
        self.day: date | None = None
        self._trades: set[str] = set()

    # -- keeping ----------------------------------------------------------------------------
    def adopt(
        self, orders: Iterable[Order], positions: Iterable[Position], trades: Iterable[Trade]
    ) -> None:
        """Take the broker's books as ours."""
        self.orders, self._working = {}, {}
        for order in orders:
            self.put(order)
        self.adopt_positions(positions)
        self.strategies = {}
        self._trades = set()
        for trade in trades:
            self._book(trade)

    def put(self, order: Order) -> None:
        """Know this state of an order."""
        self.orders[order.order_id] = order
        if order.status.is_final or order.status is OrderStatus.UNKNOWN:
            self._working.pop(order.order_id, None)
        else:
            self._working[order.order_id] = order

    def adopt_positions(self, positions: Iterable[Position]) -> None:
        """Take the broker's positions (their averages and charges are better than ours)."""
        self.positions = {_position_key(row): row for row in positions}

    def seen(self, orders: Iterable[Order]) -> None:
        """Somebody was shown these: what we do not know yet, we know now."""
        for order in orders:
            if order.order_id not in self.orders and order.status is not OrderStatus.UNKNOWN:
                self.put(msgspec.structs.replace(order))

    def update(self, order: Order, trade: Trade | None) -> None:
        """An order changed; ``trade`` is set on a fill. A repeated update changes nothing."""
        known = self.orders.get(order.order_id)
        if known is None or not _is_older(order, known):
            self.put(order)
        if trade is not None and self._book(trade):
            self._fill(trade)

    def news(self, order: Order, trade: Trade | None) -> Order | None:
        """What an update says that is not known yet: the order to show with it, or None.

        Brokers repeat updates and mix up their order; nobody above has to know.
        """
        new_trade = trade is not None and trade.trade_id not in self._trades
        known = self.orders.get(order.order_id)
        if known is None:
            return order
        if _is_older(order, known):
            return msgspec.structs.replace(known) if new_trade else None
        return order if new_trade or order != known else None

    def _book(self, trade: Trade) -> bool:
        """File the trade under its strategy; False when it was known."""
        if trade.trade_id in self._trades:
            return False
        self._trades.add(trade.trade_id)
        net = self.strategies.setdefault(trade.strategy, {}).setdefault(
            (trade.exchange, trade.symbol, trade.product), _Net()
        )
        net.fill(trade.quantity * trade.action.sign, trade.price, self._multiplier(trade))
        return True

    def _multiplier(self, trade: Trade) -> float:
        row = self.positions.get((trade.exchange, trade.symbol, trade.product))
        return row.multiplier if row is not None else 1.0

    def _fill(self, trade: Trade) -> None:
        key = (trade.exchange, trade.symbol, trade.product)
        row = self.positions.get(key)
        if row is None:
            row = Position(trade.symbol, trade.exchange, trade.product, 0, 0.0)
        net = _Net(row.quantity, row.average_price, row.realised_today)
        net.fill(trade.quantity * trade.action.sign, trade.price, row.multiplier)
        self.positions[key] = msgspec.structs.replace(
            row,
            quantity=net.quantity,
            average_price=net.average,
            realised_today=net.realised,
        )

    # -- asking -----------------------------------------------------------------------------
    def closes(self, request: OrderRequest) -> bool:
        """Whether the order only reduces its position, orders already resting included."""
        row = self.positions.get((request.exchange, request.symbol, request.product))
        if row is None or row.quantity * request.action.sign >= 0:
            return False
        resting = sum(
            order.pending_quantity
            for order in self._working.values()
            if order.action is request.action
            and (order.exchange, order.symbol, order.product)
            == (request.exchange, request.symbol, request.product)
        )
        return resting + request.quantity <= abs(row.quantity)

    def open_positions(self, symbol: str = "") -> int:
        """Positions that are not flat; of ``EXCHANGE:SYMBOL`` only when given."""
        return sum(
            1
            for row in self.positions.values()
            if row.quantity and symbol in ("", f"{row.exchange}:{row.symbol}")
        )

    def day_profit(self, ticks: TickSource, symbol: str = "") -> float:
        """Today's profit in rupees at last prices; of one symbol only when given."""
        return sum(
            msgspec.structs.replace(row, ltp=_ltp(ticks, row)).pnl
            for row in self.positions.values()
            if symbol in ("", f"{row.exchange}:{row.symbol}")
        )

    def strategy_positions(self, strategy: str) -> int:
        """Positions that a strategy opened today and still holds."""
        return sum(1 for net in self.strategies.get(strategy, {}).values() if net.quantity)

    def strategy_profit(self, ticks: TickSource, strategy: str) -> float:
        """Today's profit in rupees of what a strategy traded today."""
        total = 0.0
        for key, net in self.strategies.get(strategy, {}).items():
            total += net.realised
            tick = ticks.latest(key[:2])
            if net.quantity and tick is not None:
                row = self.positions.get(key)
                multiplier = row.multiplier if row is not None else 1.0
                total += (tick.ltp - net.average) * net.quantity * multiplier
        return total

    # -- comparing --------------------------------------------------------------------------
    def compare(
        self, orders: list[Order], positions: list[Position], is_ours: Callable[[Order], bool]
    ) -> list[Difference]:
        """Disagreements with the broker's books. ``is_ours`` knows our own orders."""
        theirs = {order.order_id: order for order in orders}
        found = [
            Difference("order missing", order.order_id, order.status.value, "not in its book")
            for order in self.orders.values()
            if order.order_id not in theirs and order.status is not OrderStatus.UNKNOWN
        ]
        found += [
            Difference("order from elsewhere", order.order_id, "not known", order.status.value)
            for order in orders
            if order.order_id not in self.orders and not is_ours(order)
        ]
        ours = {key: row.quantity for key, row in self.positions.items()}
        real = {_position_key(row): row.quantity for row in positions}
        for key in sorted(ours.keys() | real.keys()):
            here, there = ours.get(key, 0), real.get(key, 0)
            if here != there:
                found.append(Difference("position", ":".join(key), f"{here:+d}", f"{there:+d}"))
        return found

    def missed(
        self, orders: list[Order], is_ours: Callable[[Order], bool], *, sure: bool
    ) -> list[Order]:
        """Orders of ours whose state at the broker is another than the one that we know.

        Unless ``sure`` (it was so before, too), a state that looks older is left out: our update
        may have overtaken the book on its way.
        """
        newer = []
        for order in orders:
            known = self.orders.get(order.order_id)
            if known is None:
                if is_ours(order):
                    newer.append(order)
            elif _shown(order) != _shown(known) and (sure or not _is_older(order, known)):
                newer.append(order)
        return newer


class BookKeeper:
    """Keeps the own book of every gateway and compares it every ``interval`` seconds."""

    def __init__(
        self,
        clock: Clock,
        bus: Bus,
        gateways: Mapping[Mode, TradingGateway],
        is_ours: Callable[[Order], bool],
        interval: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._bus = bus
        self._gateways = gateways
        self._is_ours = is_ours
        self._interval = interval
        self._books: dict[Mode, OwnBook] = {}
        self._shown: dict[Mode, tuple[Difference, ...]] = {}
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._stops = [
            bus.subscribe(OrderUpdated, self._on_update),
            bus.subscribe(AccountChanged, self._on_account),
        ]

    async def start(self) -> None:
        """Begin with the brokers' books, then compare."""
        for mode in tuple(self._gateways):
            await self.rebase(mode, tell=False)
        self._task = asyncio.create_task(self._loop(), name="book-keeper")

    async def stop(self) -> None:
        """Stop comparing."""
        for stop in self._stops:
            stop()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def wake(self) -> None:
        """Another account serves a mode: compare soon."""
        self._wake.set()

    def book(self, mode: Mode) -> OwnBook:
        """The own book of the account that serves ``mode``; empty before its first rebase."""
        gateway = self._gateways.get(mode)
        book = self._books.get(mode)
        account_id = gateway.account_id if gateway is not None else ""
        if book is None or book.account_id != account_id:
            book = self._books[mode] = OwnBook(account_id, mode)
        return book

    def differences(self, mode: Mode) -> tuple[Difference, ...]:
        """What a human has to review."""
        return self._shown.get(mode, ())

    async def rebase(self, mode: Mode, *, tell: bool = True) -> None:
        """Take the broker's books as ours: at start, after a reset, and as the one-click review.

        Orders of ours that nobody was told of are published (``tell``).
        """
        gateway = self._gateways.get(mode)
        if gateway is None:
            return
        book = self.book(mode)
        try:
            orders, positions, trades = await asyncio.gather(
                gateway.orders(), gateway.positions(), gateway.trades()
            )
        except AppError as error:
            log.warning("books of %s not available: %s", gateway.account_id, error)
            return
        if tell:
            self._tell_missed(book, gateway, orders, sure=True)
        book.adopt(orders, positions, trades)
        book.day = self._clock.now().date()
        self._show(mode, gateway.account_id, ())

    async def compare(self, mode: Mode) -> tuple[Difference, ...]:
        """Compare now; publishes changes of the list of differences."""
        gateway = self._gateways.get(mode)
        if gateway is None:
            return ()
        book = self.book(mode)
        if book.day != self._clock.now().date():  # brokers empty their books overnight
            await self.rebase(mode)
            return ()
        first, stale = await self._difference(book, gateway, sure=False)
        if first or stale:
            await asyncio.sleep(CONFIRM_AFTER)
            again, _ = await self._difference(book, gateway, sure=True)
            first = [one for one in again if one in first]
        self._show(mode, gateway.account_id, tuple(first))
        return self.differences(mode)

    async def _difference(
        self, book: OwnBook, gateway: TradingGateway, *, sure: bool
    ) -> tuple[list[Difference], bool]:
        """Differences now, and whether an order looks older at the broker than here."""
        orders, positions = await asyncio.gather(gateway.orders(), gateway.positions())
        self._tell_missed(book, gateway, orders, sure=sure)
        found = book.compare(orders, positions, self._is_ours)
        if not any(one.kind == "position" for one in found):
            book.adopt_positions(positions)
        return found, bool(book.missed(orders, self._is_ours, sure=True))

    def _tell_missed(
        self, book: OwnBook, gateway: TradingGateway, orders: list[Order], *, sure: bool
    ) -> None:
        for order in book.missed(orders, self._is_ours, sure=sure):
            book.put(msgspec.structs.replace(order))
            log.info("order %s: an update was missed, now %s", order.order_id, order.status.value)
            self._bus.publish(
                OrderUpdated(
                    account_id=book.account_id,
                    mode=book.mode,
                    broker=gateway.broker,
                    order=msgspec.structs.replace(order),
                )
            )

    def _show(self, mode: Mode, account_id: str, found: tuple[Difference, ...]) -> None:
        if self._shown.get(mode, ()) == found:
            return
        self._shown[mode] = found
        for one in found:
            log.warning("books of %s differ: %s", account_id, one.text)
        self._bus.publish(BooksDiffer(account_id=account_id, mode=mode, differences=found))

    def _on_update(self, event: OrderUpdated) -> None:
        self.book(event.mode).update(msgspec.structs.replace(event.order), event.trade)

    def _on_account(self, event: AccountChanged) -> None:
        """A log-in or a new connection: compare at once, the rules need the books."""
        if event.status.state is AccountState.CONNECTED:
            self.wake()

    async def _loop(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._interval()):
                    await self._wake.wait()
            self._wake.clear()
            for mode in tuple(self._gateways):
                try:
                    await self.compare(mode)
                except AppError as error:
                    log.warning("books of %s mode not compared: %s", mode.value, error)
                except Exception:
                    log.exception("comparing the books failed; trying again")


def _position_key(row: Position) -> PositionKey:
    return (row.exchange, row.symbol, row.product)


def _ltp(ticks: TickSource, row: Position) -> float:
    tick = ticks.latest(row.key)
    return tick.ltp if tick is not None else row.ltp


def _shown(order: Order) -> tuple[object, ...]:
    """What of an order can change."""
    return (
        order.status,
        order.quantity,
        order.filled_quantity,
        order.price,
        order.trigger_price,
        order.price_type,
    )


def _is_older(order: Order, known: Order) -> bool:
    """Updates may come twice and out of order: a final state and more fills are newer."""
    if known.status.is_final:
        return not order.status.is_final or order.filled_quantity < known.filled_quantity
    if order.filled_quantity != known.filled_quantity:
        return order.filled_quantity < known.filled_quantity
    if order.updated_at is None or known.updated_at is None:
        return False
    return order.updated_at.astimezone(IST) < known.updated_at.astimezone(IST)
