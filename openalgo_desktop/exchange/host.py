"""Runs a paper account on live ticks: a :class:`TradingGateway` over a :class:`PaperBook`.

Order updates are pushed before the call that caused them returns, and that call returns when its
rows are stored: what was acknowledged survives a kill. Ticks only change memory; their rows are
stored by the writer task in batches.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence, Set
from copy import copy
from datetime import date, datetime
from decimal import Decimal
from itertools import takewhile
from typing import TypedDict

from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.conversion import ConvertRequest, check_conversion
from openalgo_desktop.core.enums import FeedMode, Validity
from openalgo_desktop.core.errors import (
    AppError,
    InvalidOrder,
    NotSupported,
    OrderNotFound,
)
from openalgo_desktop.core.model import (
    BookRows,
    Funds,
    Holding,
    Key,
    Margin,
    ModifyRequest,
    Order,
    OrderAck,
    OrderRequest,
    OrderUpdate,
    Position,
    Trade,
)
from openalgo_desktop.core.ports import InstrumentLookup, PaperStore, TickSource
from openalgo_desktop.core.ticks import PARTS_OF, Tick
from openalgo_desktop.core.traits import Traits
from openalgo_desktop.exchange.checks import check_fields, check_order, normalised
from openalgo_desktop.exchange.ledger import ZERO
from openalgo_desktop.exchange.no_gtt import NoGtt
from openalgo_desktop.exchange.order_book import OrderBook
from openalgo_desktop.exchange.paper import PaperBook
from openalgo_desktop.exchange.records import PaperOrder, PaperPosition
from openalgo_desktop.exchange.row_writer import RowWriter
from openalgo_desktop.exchange.state import PaperState
from openalgo_desktop.exchange.watching import PriceWatch

log = logging.getLogger(__name__)

#: Positions shown before others get the loop: some 3 ms.
_TURN = 300
#: Orders that are looked at in one go; about a millisecond.
_SCANNED = 2000


class Terms(TypedDict):
    """The traits that every paper account has."""

    validities: frozenset[Validity]
    discloses: bool


#: Immediate-or-cancel is carried out; a disclosed quantity is kept and shown, nothing more.
PAPER_TERMS: Terms = {"validities": frozenset(Validity), "discloses": True}


class PaperGateway(NoGtt):
    """Orders and books of one paper account; subclasses add rules and timed events."""

    traits = Traits(recall=True, converts=True, **PAPER_TERMS)
    #: What the tick source is asked for.
    feed_mode = FeedMode.QUOTE

    def __init__(
        self,
        book: PaperBook,
        broker: str,
        clock: Clock,
        instruments: InstrumentLookup,
        ticks: TickSource,
        store: PaperStore,
    ) -> None:
        self.book = book
        self._broker = broker
        self._clock = clock
        self._instruments = instruments
        self._ticks = ticks
        self._store = store
        self._listener: Callable[[OrderUpdate], None] = lambda update: None
        self.watching = PriceWatch(ticks, self.on_tick, self.needs_feed, lambda: self.feed_mode)
        self.writer = RowWriter(book.account_id, store, lambda: book.state)
        self._order_book = OrderBook(book)
        self._arrivals: set[asyncio.Task[None]] = set()
        self.latency = 0.0  # seconds until an order reaches the market

    @property
    def account_id(self) -> str:
        """The account's id; every row carries it."""
        return self.book.account_id

    @property
    def broker(self) -> str:
        """``sandbox``, or the simulator's broker id."""
        return self._broker

    @property
    def state(self) -> PaperState:
        """The account's rows (read only)."""
        return self.book.state

    def set_listener(self, listener: Callable[[OrderUpdate], None]) -> None:
        """Who is told of every order change."""
        self._listener = listener

    # -- life -------------------------------------------------------------------------------
    async def start(self, capital: Decimal) -> None:
        """Load the account (a new one gets ``capital``) and watch what it needs."""
        rows = await self._store.load(self.account_id)
        # A year of trading is a second of work: not on the loop.
        self.book.open(await asyncio.to_thread(PaperState.from_rows, rows))
        self.writer.start()
        if self.state.meta.last_reset is None:
            self.book.fund(capital, self._clock.now())
            await self.stored()
        self.rewatch()

    async def stop(self) -> None:
        """Write what waits and let go of the feed."""
        for task in tuple(self._arrivals):
            task.cancel()
        await asyncio.gather(*self._arrivals, return_exceptions=True)
        self.watching.stop()
        await self.writer.stop()

    # -- orders -----------------------------------------------------------------------------
    async def place(self, request: OrderRequest, tag: str) -> OrderAck:
        """Place an order; raises :class:`OrderError` with the reason when it is refused."""
        check_fields(request)
        instrument = self._instruments.get(request.key)
        gone = instrument is None
        if instrument is None:
            self._require_held(request)
            instrument = self.book.instrument(request.key)
        check_order(request, instrument)
        request = normalised(request)
        tick = await self.quote(request.key)
        if gone and tick is None:
            tick = self._last_mark(request)
        now = self._clock.now()
        self.admit(request, now)
        if request.validity is Validity.IOC and not self.is_open(request.exchange, now):
            raise InvalidOrder(
                f"The {request.exchange} market is closed: an IOC order cannot wait for its open.",
                field="validity",
            )
        row = self.enter(request, tag, tick, now, gone=gone)
        await self.stored()
        return OrderAck(row.order.order_id)

    def _require_held(self, request: OrderRequest) -> None:
        """Of what left the symbol master only a position is closed."""
        key = (request.exchange, request.symbol, request.product.value)
        row = self.state.positions.get(key)
        held = row.quantity if row is not None else 0
        if held * request.action.sign >= 0 or abs(held) < request.quantity:
            raise InvalidOrder(
                f"Symbol {request.symbol} not found on {request.exchange}", field="symbol"
            )

    def _last_mark(self, request: OrderRequest) -> Tick:
        """What left the master has no market any more: it is worth what it was worth last."""
        key = (request.exchange, request.symbol, request.product.value)
        price = self.price(request.key, self.state.positions[key].mark)
        return Tick(symbol=request.symbol, exchange=request.exchange, ltp=price)

    def admit(self, request: OrderRequest, now: datetime) -> None:
        """Rules of the account before money is looked at; raises :class:`OrderError`."""

    def enter(
        self,
        request: OrderRequest,
        tag: str,
        tick: Tick | None,
        now: datetime,
        gtt: str = "",
        *,
        gone: bool = False,
    ) -> PaperOrder:
        """Put a checked order into the book and tell everybody. What is ``gone`` from the symbol
        master has no hours and no way to go: it trades at ``tick``."""
        key, held = request.key, self.latency > 0 and not gone
        try:
            row = self.book.place(
                request,
                tag,
                self.book.instrument(key),
                tick,
                now,
                session=self.session_of(request.exchange, now),
                closed=not (gone or self.is_open(request.exchange, now)),
                hold=held,
                gtt=gtt,
            )
        finally:
            self.publish(key)
            if tick is not None and key in self.watching:
                # A position is worth the last price at once, not the fill's until the next tick.
                self.watching.last.setdefault(key, tick.ltp)
        if held:
            self._arrive_later(row.order.order_id, key)
        return row

    def _arrive_later(self, order_id: str, key: Key) -> None:
        task = asyncio.create_task(self._arrive(order_id, key), name=f"arrival of {order_id}")
        self._arrivals.add(task)
        task.add_done_callback(self._arrivals.discard)

    async def _arrive(self, order_id: str, key: Key) -> None:
        await asyncio.sleep(self.latency)
        tick = await self.quote(key) if self.is_open(key[0], self._clock.now()) else None
        self.book.arrive(order_id, tick, self._clock.now())
        self.publish(key)

    async def modify(self, request: ModifyRequest) -> OrderAck:
        """Change a working order."""
        order = self.book.find(request.order_id).order
        instrument = self.book.instrument(order.key)
        tick = await self.quote(order.key)
        now, held = self._clock.now(), self.latency > 0
        closed = not self.is_open(order.exchange, now)
        try:
            self.book.modify(request, instrument, tick, now, closed=closed, hold=held)
        finally:
            self.publish(order.key)
        if held:
            self._arrive_later(request.order_id, order.key)
        await self.stored()
        return OrderAck(request.order_id, "Order modified successfully")

    async def cancel(self, order_id: str) -> OrderAck:
        """Cancel a working order."""
        row = self.book.cancel(order_id, self._clock.now())
        self.publish(row.order.key)
        await self.stored()
        return OrderAck(order_id, "Order cancelled successfully")

    async def convert(self, request: ConvertRequest, tag: str) -> OrderAck:
        """Move units of a position to another product; raises :class:`OrderError`."""
        check_conversion(request, self.book.instrument(request.key))
        await self.quote(request.key)  # what margins depend on is fresh
        try:
            self.book.convert(request, self._clock.now())
        finally:
            self.publish(request.key)
        await self.stored()
        return OrderAck(tag)

    def session_of(self, exchange: str, now: datetime) -> date | None:
        """The trading day that an order placed now is good for; None: until it is cancelled."""
        return None

    def is_open(self, exchange: str, now: datetime) -> bool:
        """Whether orders meet the market at ``now``."""
        return True

    async def quote(self, key: Key) -> Tick | None:
        """The market now, or None when nobody can say."""
        try:
            return await self._ticks.snapshot(key, PARTS_OF[self.feed_mode])
        except AppError as error:
            log.info("no quote of %s:%s: %s", *key, error.message)
            return None

    # -- ticks ------------------------------------------------------------------------------
    def on_tick(self, tick: Tick) -> None:
        """A watched instrument ticked."""
        key = (tick.exchange, tick.symbol)
        self.watching.last[key] = tick.ltp
        if self.book.matcher.has_orders(key) and self.book.on_tick(tick, self._clock.now):
            self.publish(key)

    def publish(self, *keys: Key) -> None:
        """Push pending updates, store changed rows soon, watch what is needed now."""
        updates, self.book.updates = self.book.updates, []
        self.watching.look(keys)
        if self.state.dirty:
            self.writer.changed()
        start = self.session_start() if updates and self._order_book.is_read else None
        for update in updates:
            if start is not None:
                self._order_book.take(update.order, start)
            self._listener(update)

    def rewatch(self) -> None:
        """Watch all instruments with resting orders or open positions, and no others."""
        keys = {row.order.key for row in self.book.all_working()}
        keys |= {row.key for row in self.state.positions.values()} | set(self.watching.keys)
        self.watching.look(keys)

    def needs_feed(self, key: Key) -> bool:
        """Whether anything of the account moves with the instrument's price."""
        if self.book.matcher.has_orders(key):
            return True
        positions = self.state.positions
        for product in ("MIS", "NRML", "CNC"):
            row = positions.get((*key, product))
            if row is not None and row.quantity:
                return True
        return False

    def price(self, key: Key, mark: float) -> float:
        """The last price of an instrument: streamed, else last asked for, else ``mark``."""
        return self.watching.price(key, mark)

    # -- books ------------------------------------------------------------------------------
    def session_start(self) -> datetime:
        """Since when order and trade book list; the IST day."""
        return self._clock.now().replace(hour=0, minute=0, second=0, microsecond=0)

    async def orders(self) -> BookRows[Order]:
        """Orders of the session, and every order that still works; oldest first. The rows are
        kept ready and shared: a changed order is a new row."""
        return BookRows(self._order_book.rows(self.session_start()).values())

    async def order(self, order_id: str) -> Order:
        """One row of :meth:`orders`; raises :class:`OrderNotFound`."""
        row = self._order_book.rows(self.session_start()).get(order_id)
        if row is None:
            raise OrderNotFound(order_id)
        return row

    async def recall(self, tags: Set[str], order_ids: Set[str]) -> list[Order]:
        """Orders with these tags or ids, of any session: for the reconciler after a restart."""
        found: list[Order] = []
        for number, row in enumerate(list(self.state.orders.values()), 1):
            if number % _SCANNED == 0:
                await asyncio.sleep(0)
            order = row.order
            if (order.tag and order.tag in tags) or order.order_id in order_ids:
                found.append(copy(order))
        return found

    async def margin(self, legs: Sequence[OrderRequest]) -> Margin:
        """What these orders together would block now."""
        raise NotSupported(f"{self.broker} does not estimate margins.")

    async def trades(self) -> BookRows[Trade]:
        """Trades of the session, oldest first."""
        start = self.session_start()
        recent = takewhile(lambda t: t.traded_at >= start, reversed(self.state.trades.values()))
        return BookRows(list(recent)[::-1])

    async def positions(self) -> BookRows[Position]:
        """Net positions; closed rows stay with quantity 0. Others get the loop in between."""
        rows = list(self.shown_positions())
        shown: BookRows[Position] = BookRows()
        for number, row in enumerate(rows, 1):
            # A closed row stays at the price of its last trade.
            price = self.price(row.key, row.mark) if row.quantity else row.mark
            shown.append(row.view(price, self.account_id))
            if number % _TURN == 0:
                await asyncio.sleep(0)
        return shown

    def shown_positions(self) -> Iterable[PaperPosition]:
        """Rows of the position book."""
        return self.state.positions.values()

    async def holdings(self) -> BookRows[Holding]:
        """Delivered shares."""
        return BookRows(
            Holding(
                symbol=row.symbol,
                exchange=row.exchange,
                quantity=row.quantity,
                average_price=float(row.average),
                ltp=self.price(row.key, row.mark),
                settlement_date=row.settled,
                account_id=self.account_id,
            )
            for row in self.state.holdings.values()
        )

    def unrealised(self) -> Decimal:
        """Open profit of all positions at the last prices, rupees."""
        return sum(
            (row.unrealised(self.price(row.key, row.mark)) for row in self.shown_positions()), ZERO
        )

    async def funds(self) -> Funds:
        """Money of the account."""
        meta, ledger = self.state.meta, self.state.ledger
        return Funds(
            available_cash=float(ledger.cash),
            m2m_realised=float(meta.realised_today),
            m2m_unrealised=float(self.unrealised()),
            utilised=float(ledger.reserved),
            realised_total=float(meta.realised),
            last_reset=meta.last_reset,
            reset_count=meta.reset_count,
            account_id=self.account_id,
        )

    # -- storing ----------------------------------------------------------------------------
    async def stored(self) -> None:
        """Return when everything that changed so far is durable; raises :class:`StorageError`."""
        await self.writer.stored()
