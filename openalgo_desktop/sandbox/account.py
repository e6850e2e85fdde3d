"""The sandbox: a paper account that trades on live ticks of the data account."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.conversion import ConvertRequest
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.model import (
    BookRows,
    Funds,
    Holding,
    Key,
    Margin,
    OrderAck,
    OrderRequest,
    Position,
    Trade,
)
from openalgo_desktop.core.ports import InstrumentLookup, PaperStore, TickSource
from openalgo_desktop.core.ticks import Part, Tick
from openalgo_desktop.core.traits import Traits
from openalgo_desktop.exchange.charges import ChargeTable
from openalgo_desktop.exchange.fills import BookModel, TouchModel
from openalgo_desktop.exchange.host import PAPER_TERMS
from openalgo_desktop.exchange.ledger import Entry, EntryKind, paise
from openalgo_desktop.exchange.matching import FillModel
from openalgo_desktop.exchange.paper import PaperBook
from openalgo_desktop.exchange.records import PaperPosition
from openalgo_desktop.exchange.span import SpanParameters
from openalgo_desktop.sandbox.charge_posts import ChargePosts
from openalgo_desktop.sandbox.charging import Charging
from openalgo_desktop.sandbox.gtt import GttDesk
from openalgo_desktop.sandbox.gtt_calls import GttCalls
from openalgo_desktop.sandbox.hours import Hours, SettingValues
from openalgo_desktop.sandbox.lifecycle import Lifecycle
from openalgo_desktop.sandbox.marks import Marks
from openalgo_desktop.sandbox.portfolio import PortfolioMargin
from openalgo_desktop.sandbox.report import Reporter
from openalgo_desktop.sandbox.statistics import Summary

log = logging.getLogger(__name__)

BROKER = "sandbox"
TABLES = ("orders", "trades", "positions", "holdings", "ledger", "meta")

#: The clock is looked at this often for timed events; seconds.
_POLL = 1.0
#: A resting order whose instrument ticked this long ago is checked by a quote; seconds.
_SILENT = 30.0
#: Prices of holdings are asked for again after this; seconds.
_HOLDING_PRICE = 5.0
#: What a triggered order meets must not be older; seconds.
_FRESH = 2.0
#: At most so many quotes per check.
_QUOTES = 20
#: How long the answer "is it open" is kept on the tick path; seconds.
_OPEN_FOR = 0.5


async def _nobody() -> None:
    """Nobody listens."""


#: Instruments that are looked at before others get the loop.
_TURN = 500


class Sandbox(GttCalls):
    """The paper account of one broker account (:class:`TradingGateway`).

    ``market_always_open`` says whether the data account's market has no hours; then, unless
    settings say otherwise, neither has the sandbox.
    """

    traits = Traits(gtt=True, margin=True, frees=True, recall=True, converts=True, **PAPER_TERMS)

    def __init__(
        self,
        account_id: str,
        clock: Clock,
        instruments: InstrumentLookup,
        ticks: TickSource,
        store: PaperStore,
        settings: SettingValues,
        *,
        calendar: MarketCalendar | None = None,
        market_always_open: Callable[[], bool] = lambda: False,
    ) -> None:
        self._settings = settings
        self._margin = PortfolioMargin(
            lambda name: float(settings[f"sandbox.{name}_leverage"]),
            SpanParameters.from_json(resource_text("charges/span.json")),
            lambda: bool(settings["sandbox.margin_model"] == "span"),
            clock.now,
            ticks,
        )
        book = PaperBook(account_id, instruments, TouchModel(), self._margin)
        super().__init__(book, BROKER, clock, instruments, ticks, store)
        self._margin.attach(book, self.price)
        self.hours = Hours(
            calendar or MarketCalendar.from_json(resource_text("calendar/holidays.json")),
            settings,
            market_always_open,
        )
        self.gtts = GttDesk(
            book,
            lambda: bool(settings["sandbox.gtt_oco_margin_mode"] == "sum"),
            lambda request, tag, quote, gtt: self.enter(
                request, tag, quote, self._clock.now(), gtt
            ),
        )
        self.charging = Charging(
            ChargeTable(resource_text("charges/rates.json")), settings.__getitem__
        )
        book.charger = self.charging
        self._charges = ChargePosts(book, self.charging)
        self.lifecycle = Lifecycle(book, self, self.hours, settings, self.gtts, self._charges)
        self._reporter = Reporter()
        self._open: dict[str, tuple[float, bool]] = {}
        self._seen: dict[Key, float] = {}
        self._marks = Marks(lambda: self.state, self.price)
        self._task: asyncio.Task[None] | None = None
        #: Told after timed events changed the books without orders.
        self.on_changed: Callable[[], Awaitable[None]] = _nobody
        self.apply_settings()

    # -- settings ---------------------------------------------------------------------------
    @property
    def capital(self) -> Decimal:
        """Starting capital, rupees."""
        return paise(Decimal(str(self._settings["sandbox.starting_capital"])))

    def apply_settings(self, key: str = "sandbox.", value: object = None) -> None:
        """Take over fill model, latency and feed mode; call after a setting changed."""
        if not key.startswith("sandbox."):
            return
        values = self._settings
        by_book = values["sandbox.fill_model"] == "book"
        model: FillModel = TouchModel()
        if by_book:
            model = BookModel(
                float(values["sandbox.book_slippage_bps"]),
                float(values["sandbox.book_queue_share"]),
            )
        self.book.matcher.model = model
        self.latency = float(values["sandbox.book_latency_ms"]) / 1000.0 if by_book else 0.0
        mode = FeedMode.DEPTH if by_book else FeedMode.QUOTE
        if mode is not self.feed_mode:
            self.feed_mode = mode
            self.watching.stop()
            self.rewatch()
        if key == "sandbox.starting_capital" and value is not None:
            self._change_capital()
        if key == "sandbox.margin_model":
            self.book.remargin(self._clock.now())
            self.publish()
        self._open.clear()

    def _change_capital(self) -> None:
        """A new starting capital moves the free cash by the difference; profit stays."""
        meta = self.state.meta
        change = self.capital - meta.capital
        self.state.ledger.post(self._clock.now(), EntryKind.CAPITAL, change)
        meta.capital = self.capital
        self.state.mark_meta()
        self.publish()

    # -- life -------------------------------------------------------------------------------
    async def start(self, capital: Decimal | None = None) -> None:
        """Load the account (or open it with the starting capital), catch up with what was missed
        while the program was closed, and go on with the clock."""
        await super().start(self.capital if capital is None else capital)
        self.gtts.load()
        subscribe = getattr(self._settings, "subscribe", None)
        if subscribe is not None:
            subscribe(self.apply_settings)
        await self.catch_up()
        self._task = asyncio.create_task(self._run(), name="sandbox clock")

    async def catch_up(self) -> None:
        """Timed events of the time the program was closed; then GTTs against today's prices."""
        now = self._clock.now()
        self._charges.resume(now)
        await self.lifecycle.run_due(now)
        for key in self.gtts.instruments():
            if self.is_open(key[0], now):
                tick = await self.quote(key)
                if tick is not None:
                    self.on_tick(tick)
        self.rewatch()
        await self.stored()

    async def stop(self) -> None:
        """Stop the clock, write what waits and let go of the feed."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self.mark()
        await super().stop()

    async def run_due(self) -> None:
        """Run timed events that the clock has passed (also called after it was jumped)."""
        self._open.clear()
        if await self.lifecycle.run_due(self._clock.now()):
            await self.stored()
            await self.on_changed()

    async def _run(self) -> None:
        marked = checked = self._clock.monotonic()
        while True:
            await asyncio.sleep(_POLL)
            try:
                await self.run_due()
                now = self._clock.monotonic()
                every = int(self._settings["sandbox.mtm_update_interval"])
                if every and now - marked >= every:
                    marked = now
                    await self._marks.look()
                    while self._marks.store():
                        await self.stored()
                if now - checked >= int(self._settings["sandbox.order_check_interval"]):
                    checked = now
                    await self._check_silent(now)
            except Exception:
                log.exception("timed work of the sandbox failed; going on")

    async def _check_silent(self, now: float) -> None:
        """Ask for quotes of instruments whose feed is silent while something rests on them."""
        asked = 0
        for number, key in enumerate(self.watching.keys, 1):
            if not number % _TURN:
                await asyncio.sleep(0)
            waiting = self.book.matcher.has_orders(key) or self.gtts.watches(key)
            if not waiting or now - self._seen.get(key, 0.0) < _SILENT:
                continue
            self._seen[key] = now
            tick = await self.quote(key)
            if tick is not None:
                self.on_tick(tick)
            asked += 1
            if asked >= _QUOTES:
                return

    async def reset(self) -> None:
        """Delete every order, trade, position, holding, GTT and day and start over with the
        starting capital."""
        now = self._clock.now()
        count = self.state.meta.reset_count + 1
        for row in self.book.all_working():
            self.book.cancel(row.order.order_id, now)
        self.publish()
        await self.stored()
        await self._store.clear(self.account_id, TABLES)
        self.book.open(type(self.state)())
        self.book.fund(self.capital, now)
        self.state.meta.reset_count = count
        self.state.meta.through = now
        self.gtts.load()
        self.charging.resume((), self.book.instrument)
        self.rewatch()
        await self.stored()

    # -- rules ------------------------------------------------------------------------------
    def admit(self, request: OrderRequest, now: datetime) -> None:
        """The MIS cut-off."""
        key = (request.exchange, request.symbol, request.product.value)
        self.hours.check_mis(request, self.book.free_cover(key, request.action), now)

    async def convert(self, request: ConvertRequest, tag: str) -> OrderAck:
        """Move units of a position to another product; to MIS under the cut-off of an order."""
        await self.run_due()  # what is squared off by now is not there to convert
        asked = OrderRequest(
            request.symbol, request.exchange, request.action, request.quantity, product=request.to
        )
        self.hours.check_mis(asked, 0, self._clock.now())
        return await super().convert(request, tag)

    def session_of(self, exchange: str, now: datetime) -> date | None:
        """Day orders only."""
        return self.hours.trading_day(exchange, now)

    def is_open(self, exchange: str, now: datetime) -> bool:
        """Whether orders match now; outside hours they wait for the open."""
        return self.hours.is_open(exchange, now)

    # -- ticks ------------------------------------------------------------------------------
    def on_tick(self, tick: Tick) -> None:
        """A watched instrument ticked: resting orders first, then GTTs."""
        key = (tick.exchange, tick.symbol)
        self.watching.last[key] = tick.ltp
        moment = self._clock.monotonic()
        self._seen[key] = moment
        rests, triggers = self.book.matcher.has_orders(key), self.gtts.watches(key)
        if not (rests or triggers) or not self._open_now(tick.exchange, moment):
            return
        acted = rests and self.book.on_tick(tick, self._clock.now)
        if triggers:
            # This tick may lack the bid and ask that another one just brought.
            quote = self._ticks.fresh(key, Part.LTP | Part.TOUCH, _FRESH) or tick
            acted = self.gtts.on_tick(tick, quote, self._clock.now) or acted
        if acted:
            self.publish(key)

    def _open_now(self, exchange: str, moment: float) -> bool:
        at, is_open = self._open.get(exchange, (-1.0, False))
        if not at <= moment < at + _OPEN_FOR:
            is_open = self.hours.is_open(exchange, self._clock.now())
            self._open[exchange] = (moment, is_open)
        return is_open

    def needs_feed(self, key: Key) -> bool:
        """Also where a GTT waits."""
        return self.gtts.watches(key) or super().needs_feed(key)

    def rewatch(self) -> None:
        """Watch what orders, positions and GTTs need."""
        self.watching.look(self.gtts.instruments())
        super().rewatch()

    # -- books ------------------------------------------------------------------------------
    def session_start(self) -> datetime:
        """When the running session began; books list what came since."""
        return self.hours.boundary(self._clock.now())

    async def positions(self) -> BookRows[Position]:
        """Open positions, and what was closed in the running session."""
        await self._marks.look()
        return await super().positions()

    async def holdings(self) -> BookRows[Holding]:
        """Delivered shares. They are not streamed, so their prices are asked for, at most every
        few seconds."""
        now = self._clock.monotonic()
        old = [
            key
            for key in self.state.holdings
            if self._ticks.latest(key) is None
            and now - self._seen.get(key, -_HOLDING_PRICE) >= _HOLDING_PRICE
        ]
        for key, tick in zip(old, await asyncio.gather(*map(self.quote, old)), strict=True):
            self._seen[key] = now
            if tick is not None and tick.ltp > 0:
                self.watching.last[key] = tick.ltp
        await self._marks.look()
        return await super().holdings()

    def forget_prices(self) -> None:
        """Ask for the prices of what is not streamed anew, for they were moved."""
        self._seen.clear()

    def shown_positions(self) -> Iterable[PaperPosition]:
        """Rows of the position book; not those that a timed event is about to take away."""
        now, start = self._clock.now(), self.session_start()
        for row in self.state.positions.values():
            touched = row.updated is not None and row.updated >= start
            if touched or (row.quantity and not self.lifecycle.overdue(row, now)):
                yield row

    def mark(self) -> None:
        """Remember the last prices and store them, see :class:`Marks`."""
        if self._marks.take():
            self.writer.changed()

    async def quote(self, key: Key) -> Tick | None:
        """The market now; portfolio margin also wants the underlying's."""
        instrument = self.book.instrument(key)
        if self._margin.applies(instrument):
            await self._margin.prepare(instrument)
        return await super().quote(key)

    async def margin(self, legs: Sequence[OrderRequest]) -> Margin:
        """What these orders together would block now; raises :class:`SymbolUnknown`."""
        prices: dict[Key, float] = {}
        for leg in legs:
            self._instruments.require(leg.symbol, leg.exchange)
            tick = await self.quote(leg.key)
            prices[leg.key] = tick.ltp if tick is not None else 0.0
        return self._margin.estimate(legs, lambda key, mark: prices.get(key) or mark)

    async def funds(self) -> Funds:
        """Money; the automatic reset is done first when it is due."""
        if self.lifecycle.reset_if_due(self._clock.now()):
            self.publish()
            self.rewatch()
        return await super().funds()

    @property
    def used(self) -> bool:
        """Whether anybody has traded with the account, since a reset or before it."""
        state = self.state
        rows = (state.orders, state.positions, state.holdings, state.gtts)
        return any(rows) or state.meta.reset_count > 0

    def summary(self) -> Summary:
        """Statistics since the last manual reset."""
        return self._reporter.summary(self.state, self._clock.now().date(), self.price)

    def all_trades(self) -> list[Trade]:
        """Executions since the last manual reset, of all sessions."""
        return list(self.state.trades.values())

    def results(self) -> list[Entry]:
        """Entries of the ledger that realised, charged or funded, since the last manual reset."""
        return self.state.ledger.results
