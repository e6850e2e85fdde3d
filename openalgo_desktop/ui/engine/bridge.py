"""The only door between the window and the engine.

Out: dirty ticks once per frame (through the frame clock), bus events as Qt signals in order, and
the books as lists. In: commands as coroutines that the bridge owns (``spawn``). It also holds the
link groups: ``select`` makes the docks of one follow.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QObject, Signal

from openalgo_desktop.analytics.finding import find
from openalgo_desktop.core.enums import DERIVATIVE_EXCHANGES, Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.events import (
    AccountChanged,
    Event,
    FeedChanged,
    InstrumentsLoaded,
    ModeChanged,
    Notice,
    SettingChanged,
)
from openalgo_desktop.core.model import AccountStatus, Instrument, Key
from openalgo_desktop.core.money import decimals, to_tick
from openalgo_desktop.core.naming import Names
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.ui.engine.accounts import AccountDoor
from openalgo_desktop.ui.engine.alerts import AlertsDoor
from openalgo_desktop.ui.engine.api import ApiDoor
from openalgo_desktop.ui.engine.arming import ArmDoor
from openalgo_desktop.ui.engine.bars import BarsDoor
from openalgo_desktop.ui.engine.basket import BasketDoor
from openalgo_desktop.ui.engine.books import Books
from openalgo_desktop.ui.engine.chain import ChainDoor
from openalgo_desktop.ui.engine.day_facts import DayFactsDoor
from openalgo_desktop.ui.engine.day_trades import day_trades
from openalgo_desktop.ui.engine.depths import DepthsDoor
from openalgo_desktop.ui.engine.desk import DeskDoor
from openalgo_desktop.ui.engine.diagnostics import DiagnosticsDoor
from openalgo_desktop.ui.engine.drawings import DrawingsDoor
from openalgo_desktop.ui.engine.feed import FeedDoor
from openalgo_desktop.ui.engine.frames import FrameClock
from openalgo_desktop.ui.engine.funds import FundsDoor
from openalgo_desktop.ui.engine.greeks import GreeksDoor
from openalgo_desktop.ui.engine.gtts import GttBook
from openalgo_desktop.ui.engine.journal import JournalDoor
from openalgo_desktop.ui.engine.leaving import Leaving
from openalgo_desktop.ui.engine.links import MAIN, Links
from openalgo_desktop.ui.engine.lock import LockDoor
from openalgo_desktop.ui.engine.markets import MarketsDoor
from openalgo_desktop.ui.engine.ordering import OrderDoor
from openalgo_desktop.ui.engine.paper import PaperDoor
from openalgo_desktop.ui.engine.performance import PerformanceDoor
from openalgo_desktop.ui.engine.programs import ProgramsDoor
from openalgo_desktop.ui.engine.replay import ReplayDoor
from openalgo_desktop.ui.engine.risk import RiskDoor
from openalgo_desktop.ui.engine.safety import SafetyDoor
from openalgo_desktop.ui.engine.strategies import StrategiesDoor
from openalgo_desktop.ui.engine.studies import StudiesDoor
from openalgo_desktop.ui.engine.telegram import TelegramDoor
from openalgo_desktop.ui.engine.wanted import WantedPrices
from openalgo_desktop.ui.engine.watch import WatchDoor
from openalgo_desktop.ui.engine.work import WorkDoor

if TYPE_CHECKING:
    from openalgo_desktop.runtime.logs import LogRing
    from openalgo_desktop.runtime.terminal import Terminal
    from openalgo_desktop.storage.audit import AuditTrail

log = logging.getLogger(__name__)
T = TypeVar("T")

#: Source under which the journal files what the window sends.
SOURCE = "window"


class Bridge(QObject):
    """Owned by the main window; ``close`` before the terminal stops."""

    price_picked = Signal(object, float, str)  # Key, price, wanted side or ""
    trade_wanted = Signal(object, object)  # Key, Action: show the ticket for it on this side
    ticket_wanted = Signal(object)  # TicketWish: show the ticket filled like this, never send
    basket_wanted = Signal(object)  # OrderRequest: add it to the basket
    flatten_wanted = Signal()
    command_wanted = Signal(str)  # name of an action of the window
    dock_wanted = Signal(str, object)  # id of a kind, Key or None: show such a dock for it
    moment_wanted = Signal(object, object)  # Key, datetime: charts of it scroll there
    sound_wanted = Signal(str, float)  # category, per cent: play it, as a test
    order_wanted = Signal(str)  # order id: show it in the order book
    closing = Signal()
    notice = Signal(str, str)  # level, text
    mode_changed = Signal(object)  # Mode
    account_changed = Signal(object)  # AccountStatus
    feed_changed = Signal(bool, str)
    setting_changed = Signal(str, object)
    instruments_loaded = Signal(int)

    def __init__(self, terminal: Terminal, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._terminal = terminal
        self._tasks: set[asyncio.Task[Any]] = set()
        self.prices = WantedPrices(terminal.hub, self)
        self._closed = False
        self.links = Links(self)
        self.frames = FrameClock(
            self.prices.drain,
            int(self.setting("ui.frame_rate")),
            self,
            hurried=lambda: terminal.db.hurried,
        )
        self.books = Books(terminal.desk.read, terminal.hub, terminal.bus, self)
        self.day_trades = day_trades(terminal, self.books)  # hears of trades before the docks
        self.frames.add(self.books.news)
        self.frames.add(self.books)
        self.prices.follow(self.books)
        self.desk = DeskDoor(terminal, SOURCE)
        self.leaving = Leaving(self.books, lambda: self.mode, self.desk.account_of, self.name, self)
        self.feed = FeedDoor(terminal, self)
        self.depths = DepthsDoor(terminal)
        self.bars = BarsDoor(terminal)
        self.accounts = AccountDoor(terminal)
        self.api = ApiDoor(terminal)
        self.safety = SafetyDoor(terminal, self)
        self.chains = ChainDoor(terminal, self)
        self.greeks = GreeksDoor(terminal)
        self.day_facts = DayFactsDoor(terminal, self.spawn, self)
        self.account_changed.connect(lambda _: self.day_facts.again())
        self.baskets = BasketDoor(terminal, SOURCE, self.desk.check_mode)
        self.lock = LockDoor(terminal, self)
        self.journal = JournalDoor(terminal, self)
        self.funds = FundsDoor(terminal, self.books, self)
        self.performance = PerformanceDoor(terminal, self.frames, self)
        self.diagnostics = DiagnosticsDoor(terminal, self.performance)
        self.risk = RiskDoor(terminal)
        self.markets = MarketsDoor(terminal)
        self.work = WorkDoor(terminal, self)
        self.orders = OrderDoor(terminal)
        self.arm = ArmDoor(terminal, self)
        self.paper = PaperDoor(terminal, self.books, self)
        self.watch = WatchDoor(terminal, SOURCE, self.desk.check_mode, self.desk.sending, self)
        self.gtts = GttBook(self.watch, self.spawn, self)
        self.watch.gtts_sent.connect(self.gtts.read)
        self.mode_changed.connect(lambda _: self.gtts.forget())
        self.account_changed.connect(lambda _: self.gtts.forget())
        self.alerts = AlertsDoor(terminal, self)
        self.strategies = StrategiesDoor(terminal, self)
        self.programs = ProgramsDoor(terminal, self)
        self.telegram = TelegramDoor(terminal, self)
        self.studies = StudiesDoor(terminal, self)
        self.drawings = DrawingsDoor(terminal, self.spawn, self)
        self.replay = ReplayDoor(terminal, self)
        self._unsubscribe = [
            self._forward(ModeChanged, lambda e: self.mode_changed.emit(e.mode)),
            self._forward(AccountChanged, lambda e: self.account_changed.emit(e.status)),
            self._forward(FeedChanged, lambda e: self.feed_changed.emit(e.connected, e.message)),
            self._forward(SettingChanged, self._on_setting),
            self._forward(InstrumentsLoaded, lambda e: self.instruments_loaded.emit(e.count)),
            self._forward(Notice, self._on_notice),
        ]

    def _forward(self, kind: type[Event], handler: Callable[[Any], None]) -> Callable[[], None]:
        return self._terminal.bus.subscribe(kind, handler)

    def _on_notice(self, event: Notice) -> None:
        self.notice.emit(event.level, self.names.spoken(self.clean(event.text)))

    def clean(self, text: str) -> str:
        """A text that may quote a broker, without secrets: a screen is seen and photographed."""
        return self._terminal.logs.redactor.clean(text)

    def _on_setting(self, event: SettingChanged) -> None:
        if event.key == "ui.frame_rate":
            self.frames.set_rate(int(event.value))
        self.setting_changed.emit(event.key, event.value)

    # -- life -------------------------------------------------------------------------------
    def start(self) -> None:
        """Load the books and start the frames."""
        self.spawn(self.books.run(), "ui-books")
        self.frames.start()
        self.feed.start()

    async def close(self) -> None:
        """Stop frames and everything that is still running for the window."""
        self._closed = True
        self.closing.emit()
        self.frames.stop()
        self.feed.close()
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        await self.replay.close()
        self.safety.close()
        self.strategies.close()
        self.programs.close()
        self.telegram.close()
        self.studies.close()  # before the chains that it follows
        self.chains.close()
        self.baskets.close()
        self.lock.close()
        self.journal.close()
        self.funds.close()
        self.performance.close()
        self.work.close()
        self.arm.close()
        self.watch.close()
        self.alerts.close()
        self.drawings.close()
        self.books.close()
        self.prices.close()
        current = asyncio.current_task()
        tasks = [task for task in self._tasks if task is not current]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def spawn(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Run a coroutine that the bridge owns; a failure becomes a notice and a log line."""
        task = asyncio.get_event_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)
        return task

    def _task_done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or self._closed:
            return
        error = task.exception()
        if isinstance(error, AppError):
            self.notice.emit("error", self.names.spoken(error.message))
        elif error is not None:
            log.error("%s failed", task.get_name(), exc_info=error)
            self.notice.emit("error", f"{task.get_name()} failed: {error}")

    # -- ticks ------------------------------------------------------------------------------
    def forget(self, owner: str) -> None:
        """``owner`` is gone and needs nothing any more."""
        self.depths.forget(owner)
        self.prices.forget(owner)

    def latest(self, key: Key) -> Tick | None:
        """The last known tick."""
        return self._terminal.hub.latest(key)

    async def snapshot(self, key: Key) -> Tick:
        """The market of ``key`` now, asked when it is not streamed."""
        return await self._terminal.hub.snapshot(key)

    # -- linked symbol ----------------------------------------------------------------------
    def select(self, key: Key, group: int = MAIN) -> None:
        """Make the docks of a link group show ``key``."""
        if self.instrument(key) is None:
            self.notice.emit("warning", f"{self.name(key)} is not in the symbol master.")
            return
        self.links.select(key, group)

    @property
    def selected(self) -> Key | None:
        """What the main group shows."""
        return self.links.key(MAIN)

    def pick_price(self, key: Key, price: float, side: str = "", *, explicit: bool = False) -> None:
        """A price was chosen in a chart, a ladder or a book: the ticket takes it, on the tick
        (``side`` BUY, SELL or empty). Only an ``explicit`` gesture (a menu item, Ctrl+click, a
        double click) does that: a plain click must never rewrite an order."""
        instrument = self.instrument(key)
        if explicit and instrument is not None and price > 0:
            tick = instrument.tick_size
            self.price_picked.emit(key, max(to_tick(price, tick), tick), side)

    # -- instruments ------------------------------------------------------------------------
    def instrument(self, key: Key) -> Instrument | None:
        """The master row of ``key``."""
        return self._terminal.instruments.get(key)

    @property
    def names(self) -> Names:
        """All names."""
        return self._terminal.names

    def name(self, key: Key) -> str:
        """The instrument as people name it: ``NIFTY 02 DEC 24,400 CE``. Its symbol (``key[1]``)
        stays what is copied and what a tooltip tells."""
        return self._terminal.names.full(key)

    def short_name(self, key: Key) -> str:
        """The same where the underlying is told already: ``02 DEC 24,400 CE``."""
        return self._terminal.names.of(key).short

    def lot(self, key: Key) -> int:
        """Units of a lot; 1 where there are no lots or the instrument is not known."""
        instrument = self.instrument(key)
        return 1 if instrument is None else max(1, instrument.lot_size)

    def places(self, key: Key) -> int:
        """Decimals of the prices of ``key``."""
        instrument = self.instrument(key)
        return decimals(instrument.tick_size if instrument is not None else 0.0)

    def search(self, query: str, limit: int = 50) -> list[Instrument]:
        """What a trader means by ``query``, best first; quick enough for each key."""
        terminal = self._terminal
        return find(query, terminal.instruments, terminal.hub, terminal.clock, limit)

    async def search_texts(self, query: str, limit: int = 50) -> list[Instrument]:
        """Instruments with ``query`` in the broker's symbol or in the middle of a text, for when
        :meth:`search` finds nothing; in a thread."""
        return await asyncio.to_thread(self._terminal.instruments.search, query, None, limit)

    @property
    def instrument_count(self) -> int:
        """Rows of the symbol master in force."""
        return len(self._terminal.instruments)

    def near_future(self, name: str, exchange: str) -> Key | None:
        """The future of ``name`` that expires next."""
        return self._terminal.instruments.near_future(name, exchange, self.now().date())

    @staticmethod
    def is_derivative(exchange: str) -> bool:
        """Whether open interest and lots matter on ``exchange``."""
        return exchange in DERIVATIVE_EXCHANGES

    # -- commands ---------------------------------------------------------------------------
    @property
    def mode(self) -> Mode:
        """Where the next order goes."""
        return self._terminal.desk.mode

    async def set_mode(self, mode: Mode) -> None:
        """Move the SANDBOX/LIVE switch."""
        await self._terminal.desk.set_mode(mode, SOURCE)

    # -- state of the engine ----------------------------------------------------------------
    def setting(self, key: str) -> Any:
        """Current value of a setting."""
        return self._terminal.settings[key]

    def set_setting(self, key: str, value: Any) -> None:
        """Change a setting; raises :class:`ConfigError` with the reason."""
        self._terminal.settings.set(key, value)

    def unset_setting(self, key: str) -> None:
        """Back to the default of a setting."""
        self._terminal.settings.unset(key)

    def setting_origin(self, key: str) -> str:
        """Where its value comes from: ``default``, ``stored``, or what overrides it."""
        return self._terminal.settings.origin(key)

    async def load_state(self, scope: str, key: str) -> Any:
        """A value that the window stored earlier, or None."""
        return await self._terminal.state.get(scope, key)

    async def save_state(self, scope: str, key: str, value: Any) -> None:
        """Remember a JSON value."""
        await self._terminal.state.put(scope, key, value)

    def account_ids(self) -> list[str]:
        """Ids of all accounts."""
        return [account.status.account_id for account in self._terminal.accounts.all()]

    @property
    def audit(self) -> AuditTrail:
        """The audit trail, to search and export."""
        return self._terminal.audit

    def now(self) -> datetime:
        """The terminal's wall clock, IST."""
        return self._terminal.clock.now()

    def monotonic(self) -> float:
        """The terminal's clock for durations, seconds."""
        return self._terminal.clock.monotonic()

    def account_status(self) -> AccountStatus:
        """Login state of the active account."""
        return self._terminal.account.status

    def unsettled_orders(self) -> int:
        """Orders whose state is unknown."""
        return self._terminal.desk.unsettled()

    def market_open(self, exchange: str) -> bool:
        """Whether the market of ``exchange`` trades now."""
        return self._terminal.market_open(exchange)

    @property
    def logs(self) -> LogRing:
        """The ring of log lines."""
        return self._terminal.logs

    def watch_list_keys(self, rows: Iterable[object]) -> list[Key]:
        """Stored ``[exchange, symbol]`` rows that are still in the master; others are left out."""
        pairs = [row for row in rows if isinstance(row, list | tuple) and len(row) == 2]
        keys = [(str(exchange), str(symbol)) for exchange, symbol in pairs]
        return [key for key in keys if self.instrument(key) is not None]
