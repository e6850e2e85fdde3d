"""The door to bar replay: charts of the past, and the practice account that trades them.

One replay at a time in the program, of one chart or of all. Nothing that goes through this door
reaches a broker or the sandbox: what is behind it knows neither. A replay is not kept over a
restart; a switch of the mode, the lock and the kill switch pause it, another data account ends it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from PySide6.QtCore import QObject, Signal

from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Action, PriceType, Product
from openalgo_desktop.core.errors import DataError, NotConnected
from openalgo_desktop.core.events import (
    AccountChanged,
    Event,
    KillSwitchChanged,
    LockChanged,
    ModeChanged,
)
from openalgo_desktop.core.model import Key, ModifyRequest, Order, OrderRequest, Position, Trade
from openalgo_desktop.core.offered import products
from openalgo_desktop.core.trade_journal import TradeFigures
from openalgo_desktop.ui.engine.replay_bars import ReplayBars

if TYPE_CHECKING:
    from openalgo_desktop.research.replay.practice import Practice
    from openalgo_desktop.research.replay.session import Replay
    from openalgo_desktop.runtime.terminal import Terminal

#: Rupees that the practice account begins with.
CAPITAL = Decimal(1_000_000)


class Levels(NamedTuple):
    """Where a practice position is closed, rupees; 0 is nowhere."""

    stop: float = 0.0
    target: float = 0.0


NO_LEVELS = Levels()


class ReplayDoor(QObject):
    """Calls raise :class:`AppError` with a sentence; those that move it do nothing while there is
    no replay. ``close`` with the bridge."""

    began = Signal()
    ended = Signal(str)  # why, where it was not the user
    changed = Signal()  # moment, account or speed
    rebuilt = Signal()  # bars have to be read anew
    invited = Signal()  # every chart shall come in

    def __init__(self, terminal: Terminal, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._terminal = terminal
        self._session: Replay | None = None
        self._bars: ReplayBars | None = None
        self._account = ""
        self._tasks: set[asyncio.Task[None]] = set()
        self._beginning = asyncio.Lock()
        kinds: tuple[type[Event], ...] = (
            ModeChanged,
            LockChanged,
            KillSwitchChanged,
            AccountChanged,
        )
        self._unsubscribe = [terminal.bus.subscribe(kind, self._on_event) for kind in kinds]

    # -- life -------------------------------------------------------------------------------
    async def begin(self, charts: Sequence[tuple[Key, Span]], at: datetime) -> None:
        """Begin at a moment of the past with these charts; a replay that was there ends."""
        async with self._beginning:
            await self._begin(charts, at)
        self.began.emit()
        self.changed.emit()

    async def _begin(self, charts: Sequence[tuple[Key, Span]], at: datetime) -> None:
        from openalgo_desktop.research.replay.session import Replay

        await self.end()
        terminal = self._terminal
        intraday = min(span.seconds or 86_400 for _, span in charts) < 86_400
        session = Replay(
            terminal.bars,
            terminal.clock,
            terminal.calendar,
            lambda price_at: self._practice(price_at, intraday),
        )
        try:
            await session.begin(charts, at.timestamp())
        except BaseException:
            await session.close()
            raise
        self._session, self._account = session, terminal.account.status.account_id
        self._bars = ReplayBars(session.source, lambda: session.now, terminal.clock.now().date())
        session.changed.append(self.changed.emit)
        session.rebuilt.append(self._on_rebuilt)

    def _practice(self, price_at: Callable[[Key, float], float | None], intraday: bool) -> Practice:
        from openalgo_desktop.exchange.charges import ChargeTable
        from openalgo_desktop.research.replay.charging import PracticeCharges
        from openalgo_desktop.research.replay.practice import Practice

        settings, charges = self._terminal.settings, None
        if settings["sandbox.charges"]:
            table = ChargeTable(resource_text("charges/rates.json"))
            charges = PracticeCharges(table, settings["sandbox.brokerage_plan"])
        rows = self._terminal.instruments
        return Practice(rows, price_at, CAPITAL, charges, intraday=intraday)

    def _on_rebuilt(self) -> None:
        if self._bars is not None:
            self._bars.begin_again()
        self.rebuilt.emit()

    async def end(self, why: str = "") -> None:
        """Back to now; what was practised is gone."""
        session, self._session, self._bars = self._session, None, None
        if session is not None:
            self.ended.emit(why)
            await session.close()

    def _on_event(self, event: Event) -> None:
        session = self._session
        if session is None:
            return
        changed = self._terminal.account.status.account_id != self._account
        if isinstance(event, AccountChanged) and changed:
            self._later(self.end("The replay ended: prices come from another account now."))
        elif not isinstance(event, AccountChanged) and session.playing:
            self._later(session.pause())

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name="replay")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Listen no more, and end what plays."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        await self.end()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def active(self) -> bool:
        """Whether there is a replay."""
        return self._session is not None

    @property
    def source(self) -> ReplayBars | None:
        """The bars of its charts; None while there is no replay."""
        return self._bars

    def _running(self) -> Replay:
        if self._session is None:
            raise NotConnected("There is no replay: begin one in the menu of a chart.")
        return self._session

    # -- the clock --------------------------------------------------------------------------
    @property
    def now(self) -> datetime | None:
        """The moment of the replay, IST."""
        return None if self._session is None else self._session.now

    @property
    def playing(self) -> bool:
        """Whether it moves by itself."""
        return self._session is not None and self._session.playing

    @property
    def step_text(self) -> str:
        """What a step is: ``5m``."""
        span = None if self._session is None else self._session.step_span
        return "" if span is None else span.text

    async def add(self, key: Key, span: Span) -> None:
        """A chart comes in."""
        await self._running().add(key, span)

    async def set_step(self, key: Key, span: Span) -> None:
        """Count steps in these bars."""
        await self._running().set_step(key, span)

    async def step(self) -> bool:
        """One bar on; False at the present."""
        return await self._running().step()

    async def back(self) -> bool:
        """One bar back, charts and account as they were; False where nothing is before."""
        return await self._running().back()

    async def next_session(self) -> bool:
        """To the opening of the next day."""
        return await self._running().next_session()

    async def jump(self, to: datetime) -> None:
        """To a moment."""
        await self._running().jump(to.timestamp())

    def play(self) -> None:
        """Move by itself."""
        self._running().play()

    async def pause(self) -> None:
        """Stand still."""
        if self._session is not None:
            await self._session.pause()

    @staticmethod
    def speeds() -> tuple[str, ...]:
        """What a menu offers."""
        from openalgo_desktop.research.replay.speed import SPEEDS

        return tuple(speed.text for speed in SPEEDS)

    @property
    def speed(self) -> str:
        """The speed of now."""
        return "" if self._session is None else self._session.speed.text

    def set_speed(self, text: str) -> None:
        """Take a speed: ``2 bars/s``, ``10x``."""
        from openalgo_desktop.research.replay.speed import Speed

        self._running().speed = Speed.parse(text)
        self.changed.emit()

    def random_moment(self, exchange: str, since: date = date.min) -> datetime:
        """The opening of a trading day chosen by chance, none before ``since``."""
        from openalgo_desktop.research.replay.session import Replay

        terminal = self._terminal
        today, dice = terminal.clock.now().date(), random.Random()
        moment = Replay.random_moment(terminal.calendar, exchange, today, dice, since)
        return datetime.fromtimestamp(moment, IST)

    # -- the practice account ---------------------------------------------------------------
    def last(self, key: Key) -> float | None:
        """The last replayed price."""
        return None if self._session is None else self._session.last(key)

    def place(
        self,
        key: Key,
        action: Action,
        quantity: int,
        price: float = 0.0,
        trigger: float = 0.0,
        levels: Levels = NO_LEVELS,
    ) -> None:
        """A practice order: at market, a limit, a stop or a stop with a limit, by its prices."""
        from openalgo_desktop.research.replay.practice import Exit, Place

        kinds = {
            (False, False): PriceType.MARKET,
            (True, False): PriceType.LIMIT,
            (False, True): PriceType.SLM,
            (True, True): PriceType.SL,
        }
        kind = kinds[price > 0, trigger > 0]
        product = self.product(key)
        request = OrderRequest(key[1], key[0], action, quantity, kind, product, price, trigger)
        self._running().do(Place(request, Exit(*levels)))

    def product(self, key: Key) -> Product:
        """Intraday ones by minutes, overnight ones of derivatives by days."""
        session, row = self._running(), self._terminal.instruments.get(key)
        offered = products(row) if row is not None else ()
        if not offered:
            raise DataError(f"{key[1]} cannot be traded, not even in practice.")
        nightly = not session.practice.intraday and Product.NRML in offered
        return Product.NRML if nightly else offered[0]

    def change(self, order: Order, price: float) -> None:
        """Bring a working order to another price."""
        from openalgo_desktop.research.replay.practice import Change

        stop = order.price_type.has_trigger
        limit = price if order.price_type is PriceType.LIMIT else None
        if order.price_type is PriceType.SL:
            limit = order.price + price - order.trigger_price
        request = ModifyRequest(order.order_id, price=limit, trigger_price=price if stop else None)
        self._running().do(Change(request))

    def cancel(self, order_id: str) -> None:
        """End a working order."""
        from openalgo_desktop.research.replay.practice import Cancel

        self._running().do(Cancel(order_id))

    def protect(self, position: Position, levels: Levels) -> None:
        """Other levels for an open position."""
        from openalgo_desktop.research.replay.practice import Exit, Protect

        place = (*position.key, position.product.value)
        self._running().do(Protect(place, Exit(*levels)))

    def flatten(self, key: Key) -> None:
        """Close what is held of an instrument at its last replayed price."""
        self._running().close_positions(key)

    def orders(self, key: Key) -> list[Order]:
        """Working practice orders of an instrument."""
        if self._session is None:
            return []
        return [order for order in self._session.practice.working if order.key == key]

    def positions(self, key: Key) -> list[Position]:
        """Open practice positions of an instrument."""
        session = self._session
        if session is None:
            return []
        rows = session.practice.positions(session.reel.now)
        return [row for row in rows if row.key == key and row.quantity]

    def trades(self, key: Key) -> list[Trade]:
        """What was practised with an instrument, oldest first."""
        if self._session is None:
            return []
        return [trade for trade in self._session.practice.trades if trade.key == key]

    def levels(self, position: Position) -> Levels:
        """Where a position is closed."""
        place = (*position.key, position.product.value)
        exit_ = self._running().practice.exit_of(place)
        return Levels(exit_.stop, exit_.target)

    @property
    def profit(self) -> Decimal:
        """Of the practice account, realised and open, after charges, rupees."""
        return Decimal(0) if self._session is None else self._session.profit

    def figures(self) -> TradeFigures:
        """Its statistics."""
        return self._running().figures()
