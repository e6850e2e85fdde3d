"""One chart: interval picker, history, live last candle, order and position lines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from openalgo_desktop.core.charting.legs.expression import Expression
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import DataError
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.money import decimals
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.chart import ChartView
from openalgo_desktop.ui.chart.history import ChartHistory
from openalgo_desktop.ui.chart.subjects import Combination, OneInstrument, Source
from openalgo_desktop.ui.engine.frames import Ticks
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.kit.widgets import named
from openalgo_desktop.ui.rooms.charts.appearance import Appearance
from openalgo_desktop.ui.rooms.charts.arithmetic import Arithmetic
from openalgo_desktop.ui.rooms.charts.bars.asking import AskingAgain
from openalgo_desktop.ui.rooms.charts.bars.ports import Followers, Subject
from openalgo_desktop.ui.rooms.charts.chart_menu import ChartMenu
from openalgo_desktop.ui.rooms.charts.comparing import Comparing
from openalgo_desktop.ui.rooms.charts.data import ChartData, days_of
from openalgo_desktop.ui.rooms.charts.data_window import DataWindow
from openalgo_desktop.ui.rooms.charts.drawing import ChartDrawings
from openalgo_desktop.ui.rooms.charts.empty import EmptyWords
from openalgo_desktop.ui.rooms.charts.head import ChartHead
from openalgo_desktop.ui.rooms.charts.interval_entry import IntervalEntry
from openalgo_desktop.ui.rooms.charts.line_work import LineWork
from openalgo_desktop.ui.rooms.charts.moment import WantedMoment
from openalgo_desktop.ui.rooms.charts.own import OwnMarks
from openalgo_desktop.ui.rooms.charts.price_lock import PriceLock
from openalgo_desktop.ui.rooms.charts.quote_words import QuoteWords
from openalgo_desktop.ui.rooms.charts.replay.control import ReplayControl
from openalgo_desktop.ui.rooms.charts.span_picker import SpanPicker
from openalgo_desktop.ui.rooms.charts.studies import CellStudies
from openalgo_desktop.ui.rooms.charts.study.hand import StudyHand
from openalgo_desktop.ui.rooms.charts.tools import ChartTools
from openalgo_desktop.ui.rooms.charts.trading import SideButtons
from openalgo_desktop.ui.rooms.market.one_click import OneClick

T = TypeVar("T")


class ChartCell(QWidget):
    """Candles of an instrument, with everything that belongs to them. ``host`` is the dock that it
    stands in; it is a :class:`FrameClient` of its own, so that many charts share the frames."""

    picked = Signal(object)  # Key: a symbol was chosen here
    interval_picked = Signal(str)
    activated = Signal()  # the hand came here
    subject_changed = Signal()
    studies_changed = Signal()  # others, or their values are here

    priority = 2
    min_interval = 0.0

    def __init__(self, host: Dock, name: str) -> None:
        super().__init__()
        self.host, self.name = host, name
        self.bridge = bridge = host.bridge
        self._reads: set[asyncio.Task[Any]] = set()
        named(self, f"{name}-cell", "Chart")
        self.key: Key | None = None
        self.expression: Expression | None = None  # in place of a key
        self.dirty = False
        self._released = False
        self._heard: list[tuple[SignalInstance, Callable[..., object]]] = []
        self._places = 2
        self.content = QVBoxLayout(self)
        self.content.setContentsMargins(0, 0, 0, 0)
        self.content.setSpacing(0)
        self._build_head()
        self.view = named(ChartView(), f"{name}-view", "Candle chart")
        self.view.taken_up.connect(self.activated)
        self.view.resized.connect(lambda: self.appearance.look.fit(self.view))
        self.own = OwnMarks(self, self.view)
        self.work: LineWork = LineWork(self)
        self.chart_menu = ChartMenu(self)
        self.studies: CellStudies = CellStudies(bridge, self.view, self.studies_changed.emit)
        self.comparing: Comparing = Comparing(self, self.view, self._source)
        followers = Followers(self.studies, self.comparing)
        self.data: ChartData = ChartData(
            self, self.view, self.history, followers, self._show_history
        )
        self.data.drawn = self.show_lines
        self.drawings: ChartDrawings = ChartDrawings(
            bridge, self.view, name, self.spawn, host.menu, self
        )
        self.arithmetic: Arithmetic = Arithmetic(self)
        self.appearance: Appearance = Appearance(self)
        self.price_lock = PriceLock(self)
        self.data.filled = self.price_lock.apply
        self.data.measured = self._measured
        self.study_hand: StudyHand = StudyHand(self)
        self.data_window = DataWindow(self)
        self.studies_changed.connect(self._look_again)
        self.content.addWidget(self.view, 1)
        self.empty = EmptyWords(self)
        self.content.addWidget(self.empty.label, 1)
        self.entry = IntervalEntry(self, name, lambda span: True)
        self.entry.chosen.connect(self.interval.choose)
        self.empty.show(True)
        self.replay = ReplayControl(self)
        self._let_go = bridge.gtts.hold()
        self._listen_all()
        bridge.frames.add(self, host.title)

    def _build_head(self) -> None:
        self.interval = SpanPicker(self.name)
        self.interval.changed.connect(self._on_interval)
        self.words = QuoteWords(self)
        self.quote = self.words.label
        self.history = ChartHistory(self, days_of, self.load)
        self.hand = OneClick(self.bridge, self.spawn, self)
        self.sides = SideButtons(self.name, self.bridge, self.hand, self.fit_head)
        self.tools = ChartTools(self)
        self.head = ChartHead(self)
        self.tools.resized = self.fit_head
        self.content.addWidget(self.head)

    # -- life -------------------------------------------------------------------------------
    def _listen_all(self) -> None:
        bridge = self.bridge
        self.listen(bridge.feed.aged, self._look_again)
        self.asking = AskingAgain(self)
        self.work.listen()
        self.moment = WantedMoment(self)
        self.listen(bridge.arm.changed, lambda *_: self.sides.show_armed())
        self.listen(bridge.setting_changed, lambda *_: self.sides.show_armed())

    def listen(self, signal: SignalInstance, slot: Callable[..., object]) -> None:
        """Hear a signal of the bridge or its doors until :meth:`release`."""
        signal.connect(slot)
        self._heard.append((signal, slot))

    @property
    def subject_text(self) -> str:
        """What the chart shows, for people."""
        if self.expression is not None:
            return self.expression.text
        return "" if self.key is None else self.bridge.name(self.key)

    def release(self) -> None:
        """Let go of everything outside. Once is enough; more does no harm."""
        if self._released:
            return
        self._released = True
        self.replay.release()
        self._let_go()
        self.data.close()
        self.study_hand.release()
        self.studies.close()
        self.comparing.close()
        self.drawings.release()
        self.bridge.frames.remove(self)
        self.bridge.forget(self.objectName())
        for signal, slot in self._heard:
            signal.disconnect(slot)
        self._heard.clear()
        for task in self._reads:
            task.cancel()

    def spawn(
        self, work: Coroutine[Any, Any, T], name: str, *, sends: bool = False
    ) -> asyncio.Task[T]:
        """Run a coroutine as the dock does; one that ``sends`` nothing ends with the chart."""
        task = self.host.spawn(work, name, sends=sends)
        if not sends:
            self._reads.add(task)
            task.add_done_callback(self._reads.discard)
            if self._released:
                task.cancel()
        return task

    def want(self, keys: Mapping[Key, FeedMode]) -> None:
        """Ask for live prices of ``keys`` instead of the ones before."""
        if not self._released:
            self.bridge.prices.want(self.objectName(), keys)

    def is_hidden(self) -> bool:
        """Whether nobody can see it."""
        return self.visibleRegion().isEmpty()

    def wants_flush(self) -> bool:
        """Dirty, and somebody can see it."""
        return self.dirty and not self.is_hidden()

    def answers(self) -> dict[str, Callable[[], object]]:
        """What is done here at the keys of charts, by their ids."""
        view = self.view
        return {
            **view.answers(),
            "next-line": self._choose_next_line,
            "end-line": self._end_chosen,
            "picture": self.chart_menu.ask_picture,
            "studies": self.open_studies,
            "data-window": self.data_window.turn,
            **self.drawings.answers(),
            "replay": self.replay.begin,
        }

    def _choose_next_line(self) -> None:
        self.drawings.let_go()  # a key must mean one thing
        self.view.choose_next_line()

    def _end_chosen(self) -> None:
        """Delete: the chosen drawings; without one the chosen line."""
        if not self.drawings.layer.delete_chosen():
            self.view.end_chosen_line()

    # -- symbol and history -----------------------------------------------------------------
    def show_symbol(self, key: Key) -> None:
        """Show another instrument, from its history on."""
        instrument = self.bridge.instrument(key)
        if instrument is None or key == self.key:
            return
        self.entry.leave()
        self.key, self.expression = key, None
        self.leave_prices()
        self._places = decimals(instrument.tick_size)
        self.subject_changed.emit()
        self.sides.show_instrument(instrument)
        self.sides.show_armed()
        self.want({key: FeedMode.QUOTE})
        self.load()

    def leave_prices(self) -> None:
        """The prices in the view are not those of what the chart shows from now on: until its own
        are there nothing can be meant by a place."""
        self.give_up()
        self.data.forget_drawn()
        self.view.set_lines(())
        self.view.set_touch(0.0, 0.0)
        self.view.set_countdown("")

    def _on_interval(self, text: str) -> None:
        self.interval_picked.emit(text)
        self.load()

    @property
    def span(self) -> Span:
        """The interval of now."""
        return self.interval.span

    def show_interval(self, text: str) -> None:
        """Show another interval."""
        self.interval.choose(text)

    def load(self) -> None:
        """Load the history of the symbol and interval; a load under way is given up."""
        subject = self._subject()
        if subject is None or self.subject_key is None:
            return
        row = self.bridge.instrument(self.key) if self.key is not None else None
        tick = row.tick_size if row is not None else 0.0
        exchange = "" if self.expression is None else self.expression.keys[0][0]
        past = self.replay.source or self.bridge.bars
        self.asking.note_source()
        self.price_lock.note()
        self.studies.open(self.subject_key, self.span, self._places, past, exchange)
        self.comparing.open(self.span)
        self.data.open(subject, self.span, self._places, tick, mends=not self.replay.active)

    @property
    def keys(self) -> set[Key]:
        """The instruments whose prices it shows."""
        if self.expression is not None:
            return set(self.expression.keys)
        return set() if self.key is None else {self.key}

    def _source(self) -> Source:
        return self.replay.opened() or self.bridge.bars

    def _subject(self) -> Subject | None:
        if self.expression is not None:
            return Combination(self._source(), self.expression)
        return None if self.key is None else OneInstrument(self._source(), self.key)

    @property
    def subject_key(self) -> Key | None:
        """The instrument; of arithmetic a key that no instrument has."""
        return self.key if self.expression is None else self.arithmetic.key

    # -- arithmetic, comparison, look --------------------------------------------------------
    def show_expression(self, text: str) -> None:
        """Show arithmetic of symbols. Raises :class:`DataError` that names the place."""
        self.show_arithmetic(self.arithmetic.read(text))

    def show_arithmetic(self, expression: Expression) -> None:
        """Show what was read."""
        if self.expression is not None and expression.identity == self.expression.identity:
            return
        self.entry.leave()
        self.key, self.expression = None, expression
        self.leave_prices()
        self._places = self.arithmetic.places()
        self.sides.hide_all()
        self.want(dict.fromkeys(expression.keys, FeedMode.QUOTE))
        self.subject_changed.emit()
        self.load()

    def open_studies(self) -> None:
        """The dialog of indicators."""
        self.study_hand.open_picker()

    def _measured(self, bars: Bars) -> int:
        """The decimals of bars that come into the view."""
        if self.expression is not None and len(bars):
            self._places = self.arithmetic.places(bars.close)
            self.studies.set_places(self._places)
        return self._places

    def _show_history(self, span: Span, bars: Bars) -> None:
        self.drawings.set_chart(self.subject_key, span)
        self.appearance.show_again()
        self.own.show(self.key, span.seconds)
        self.moment.show()
        self.empty.show_loaded(span, bars=len(bars) > 0)
        self.show_lines()
        self.dirty = True

    # -- live -------------------------------------------------------------------------------
    def take(self, ticks: Ticks) -> None:
        """Whether a price of the chart came; its bar comes by itself."""
        if self.expression is not None:
            self.dirty = self.dirty or any(key in ticks for key in self.expression.keys)
        elif self.key in ticks:
            self.dirty = True
        if any(key in ticks for key in self.comparing.keys):
            self.dirty = True

    def flush(self) -> None:
        """Draw what changed."""
        self.dirty = False
        if self.work.due:
            self.work.show()
        if self.data.flush() and self.view.isHidden():  # no history, but the market goes on
            self.empty.show(False)
        self.words.show()
        self.view.flush()
        self.data_window.renew()

    @property
    def places(self) -> int:
        """Decimals of its prices."""
        return self._places

    def fit_head(self) -> None:
        """A part of the head is wider or says more."""
        self.head.fit()

    def _look_again(self, *_: object) -> None:
        self.dirty = True

    # -- lines ------------------------------------------------------------------------------
    def show_lines(self) -> None:
        """Working orders and the open position of the symbol as horizontal lines; of a hidden
        chart when it is seen next."""
        self.dirty = self.work.due = True
        if not self.is_hidden():
            self.work.show()

    def give_up(self) -> None:
        """Nothing comes of what is dragged or asked about."""
        self.work.give_up()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.entry.take(event):
            return
        if event.key() == Qt.Key.Key_Escape and self.work.asked is not None:
            self.give_up()
        elif event.key() == Qt.Key.Key_Escape and self.drawings.let_go():
            event.accept()
        else:
            super().keyPressEvent(event)

    # -- state ------------------------------------------------------------------------------
    def save_state(self) -> dict[str, object]:
        """What the workspace remembers of it."""
        return {
            "interval": self.interval.value(),
            "drawing": self.drawings.save_state(),
            **self.appearance.save(),
            "price-lock": self.price_lock.save(),
            "expression": self.arithmetic.save(),
            "studies": self.study_hand.save_state(),
            "data-window": self.data_window.shown,
        }

    def restore_state(self, state: Mapping[str, object]) -> None:
        """The other way round; unknown values are ignored."""
        drawing, interval = state.get("drawing"), state.get("interval")
        self.study_hand.restore_state(state.get("studies"))
        self.data_window.show(state.get("data-window") is True)
        if isinstance(drawing, Mapping):
            self.drawings.restore_state(drawing)
        if isinstance(interval, str):
            with suppress(DataError):
                self.interval.choose(interval)
        self.appearance.restore(state)
        self.price_lock.restore(state.get("price-lock"))
        expression = state.get("expression")
        if isinstance(expression, str) and expression:
            self.arithmetic.restore(expression)
