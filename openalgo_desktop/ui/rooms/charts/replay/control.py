"""What a chart owns of a replay: its begin and its end, the strip, where its bars come from.

While it is active nothing of the chart reaches an account: its lines, its menu and its buttons are
those of the practice account.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMenu

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Action
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Instrument, Key
from openalgo_desktop.ui.chart.lines import PriceLine
from openalgo_desktop.ui.chart.replay_start import StartLayer
from openalgo_desktop.ui.engine.replay_bars import ReplayBars
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.replayed import set_replayed
from openalgo_desktop.ui.kit.widgets import set_role
from openalgo_desktop.ui.rooms.charts.replay.lines import PracticeLines
from openalgo_desktop.ui.rooms.charts.replay.strip import PRACTICE, ReplayBanner, ReplayStrip

if TYPE_CHECKING:
    from openalgo_desktop.ui.rooms.charts.cell import ChartCell

NO_ORDERS = "This chart replays the past: practise with the buttons of its strip."


class ReplayControl(QObject):
    """One of a chart. ``changed`` says that it began or ended."""

    changed = Signal()

    def __init__(self, cell: ChartCell) -> None:
        super().__init__(cell)
        self._cell, self._door = cell, cell.bridge.replay
        self.active = False
        self.strip: ReplayStrip | None = None  # of the chart that leads
        self.banner: ReplayBanner | None = None  # of those that follow
        self._layer: StartLayer | None = None
        self.lines = PracticeLines(self._door)
        cell.listen(self._door.changed, self._show)
        cell.listen(self._door.rebuilt, self._on_rebuilt)
        cell.listen(self._door.ended, self._on_ended)
        cell.listen(self._door.invited, self.join)

    # -- begin and end ----------------------------------------------------------------------
    def begin(self) -> None:
        """Choose where to begin; where a replay is already, the chart comes in."""
        if self._door.active:
            self.join()
        elif self.strip is None and self._cell.key is not None:
            self._choose()

    def _choose(self) -> None:
        cell = self._cell
        cell.give_up()
        self.strip = strip = ReplayStrip(cell.name, self._door.speeds())
        strip.wanted.connect(self._on_wanted)
        strip.speed_chosen.connect(lambda text: self.attempt(lambda: self._door.set_speed(text)))
        strip.start_given.connect(self._on_start)
        strip.jump_given.connect(lambda to: self._go(self._door.jump(to)))
        cell.content.insertWidget(1, strip)
        self._layer = layer = StartLayer(self)
        layer.chosen.connect(lambda at: self._on_start(datetime.fromtimestamp(at, IST), False))
        layer.moved.connect(lambda: cell.view.canvas.layer_moved(layer))
        layer.given_up.connect(self.drop)
        cell.view.canvas.add_layer(layer)
        cell.entry.leave()
        strip.when.setFocus()  # digits are a moment, not an interval of the chart

    def _on_start(self, at: datetime, everywhere: bool) -> None:
        if self.strip is not None:
            wanted = everywhere or self.strip.all.isChecked()
            self._cell.spawn(self._begin(at, wanted), "replay")

    async def _begin(self, at: datetime, everywhere: bool) -> None:
        cell = self._cell
        key, strip = cell.key, self.strip
        if key is None or strip is None:
            return
        strip.tell("Loading…")
        try:
            await self._door.begin([(key, cell.span)], at)
        except AppError as error:
            if self.strip is not None:
                self.strip.tell(error.message)
            return
        except (
            Exception
        ) as error:  # told by whoever owns the task; the strip must not go on loading
            if self.strip is not None:
                self.strip.tell(f"The replay could not begin: {error}")
            raise
        if self.strip is not strip or cell.key != key:  # given up, or another symbol, meanwhile
            await self._door.end()
            self.drop()
            return
        self._drop_layer()
        self.strip.tell("")
        self.strip.show_choosing(False)
        row = cell.bridge.instrument(cell.key)
        lot = max(1, row.lot_size if row is not None else 1)
        self.strip.quantity.setSingleStep(lot)
        self.strip.quantity.setValue(lot)
        self._enter()
        if everywhere:
            self._door.invited.emit()
        if self.strip is not None:
            self.strip.setFocus()

    def join(self) -> None:
        """Come into the replay that there is."""
        cell = self._cell
        if self.active or self.strip is not None or not self._door.active or cell.key is None:
            return
        self.banner = ReplayBanner(cell.name)
        cell.content.insertWidget(1, self.banner)
        self._enter()

    def _enter(self) -> None:
        self.active = True
        cell = self._cell
        cell.leave_prices()
        set_replayed(cell, True)
        cell.sides.setEnabled(False)
        cell.sides.show_prices(None)  # those of now are none here
        cell.view.set_touch(0.0, 0.0)
        self.changed.emit()
        cell.load()
        self._show()

    def drop(self) -> None:
        """No begin was chosen after all."""
        if not self.active:
            self._leave()

    def end(self) -> None:
        """Back to now, for all charts of the replay."""
        self._cell.spawn(self._door.end(), "end of the replay")

    def _on_ended(self, why: str) -> None:
        if not self.active:
            return
        if why and self.strip is not None:
            self._cell.bridge.notice.emit("warning", why)
        self._leave()
        self._cell.load()

    def _leave(self) -> None:
        was, self.active = self.active, False
        self._drop_layer()
        for part in (self.strip, self.banner):
            if part is not None:
                self._cell.content.removeWidget(part)
                part.hide()
                part.deleteLater()
        self.strip = self.banner = None
        set_replayed(self._cell, False)
        self._cell.sides.setEnabled(True)
        if was:
            self._cell.leave_prices()  # those of the past
            self._cell.own.show_replayed(None)
            self.changed.emit()

    def _drop_layer(self) -> None:
        layer, self._layer = self._layer, None
        if layer is not None:
            self._cell.view.canvas.remove_layer(layer)
            layer.deleteLater()

    # -- bars -------------------------------------------------------------------------------
    @property
    def source(self) -> ReplayBars | None:
        """Where the bars of the chart come from; None while they are those of now."""
        return self._door.source if self.active else None

    def opened(self) -> ReplayBars | None:
        """The source, for a chart that loads: of the one that leads, steps are in its bars."""
        source, cell = self.source, self._cell
        if source is not None and self.strip is not None and cell.key is not None:
            cell.spawn(self._door.set_step(cell.key, cell.span), "step of the replay")
        return source

    def _on_rebuilt(self) -> None:
        if self.active:
            self._cell.load()

    # -- what is shown ----------------------------------------------------------------------
    def _show(self) -> None:
        if not self.active:
            return
        door, cell = self._door, self._cell
        cell.show_lines()
        if cell.key is not None:
            cell.own.show_replayed(door.trades(cell.key))
        profit = float(door.profit)
        if self.strip is not None:
            self.strip.show_state(door.now, door.playing, door.step_text, profit)
            if self.strip.speed.currentText() != door.speed:
                self.strip.speed.setCurrentText(door.speed)
        elif self.banner is not None:
            self.banner.show_state(PRACTICE, door.now, "")

    def show_price(self) -> str:
        """The replayed price, for the head of the chart."""
        cell = self._cell
        price = None if cell.key is None else self._door.last(cell.key)
        set_role(cell.quote, "", "tone")
        return fmt.MISSING if price is None else fmt.price(price, cell.places)

    def lines_now(self) -> list[PriceLine]:
        """Practice lines of the chart's instrument."""
        key = self._cell.key
        return [] if key is None else self.lines.of(key)

    # -- what is done -----------------------------------------------------------------------
    @property
    def quantity(self) -> int:
        """Units of a practice order."""
        if self.strip is not None:
            return self.strip.quantity.value()
        key = self._cell.key
        return 1 if key is None else self._cell.bridge.lot(key)

    def attempt(self, call: Callable[[], object]) -> None:
        """Do something with the practice account; what went wrong is told."""
        try:
            call()
        except AppError as error:
            self._told(error.message)
        else:
            self._told("")

    def _told(self, text: str) -> None:
        if self.strip is not None:
            self.strip.tell(text)
        elif text:
            self._cell.bridge.notice.emit("warning", text)

    def _go(self, work: Coroutine[Any, Any, object]) -> None:
        self._cell.spawn(self._moved(work), "replay")

    async def _moved(self, work: Coroutine[Any, Any, object]) -> None:
        try:
            done = await work
        except AppError as error:
            self._told(error.message)
        else:
            self._told("There is nothing beyond." if done is False else "")

    def _on_wanted(self, word: str) -> None:
        """A button or a key of the strip."""
        door, key = self._door, self._cell.key
        if key is None:
            return
        trades: dict[str, Callable[[], object]] = {
            action.value.lower(): partial(self._trade, key, action) for action in Action
        }
        calls = trades | {
            "play": self._play_or_pause,
            "step": lambda: self._go(door.step()),
            "back": lambda: self._go(door.back()),
            "session": lambda: self._go(door.next_session()),
            "close": lambda: self.attempt(lambda: door.flatten(key)),
            "random": lambda: self.attempt(self._anywhere),
            "figures": lambda: self.attempt(self._figures),
            "end": self.end,
            "cancel": self.drop,
        }
        calls[word]()

    def _anywhere(self) -> None:
        """Begin at any day. A contract has not been there for long: only days are meant that the
        chart has bars of."""
        cell = self._cell
        row = cell.bridge.instrument(cell.key) if cell.key is not None else None
        if row is None:
            return
        times = cell.data.market.time
        since = date.min
        if row.expiry is not None and len(times):
            since = datetime.fromtimestamp(int(times[0]), IST).date()
        self._on_start(self._door.random_moment(row.exchange, since), False)

    def _trade(self, key: Key, action: Action) -> None:
        self.attempt(lambda: self._door.place(key, action, self.quantity))

    def _play_or_pause(self) -> None:
        if self._door.playing:
            self._go(self._door.pause())
        else:
            self.attempt(self._door.play)

    def _figures(self) -> None:
        found = self._door.figures()
        rate = "—" if found.win_rate is None else f"{found.win_rate} %"
        worst = fmt.rupees(float(found.max_drawdown))
        self._cell.bridge.notice.emit(
            "info",
            f"Practice: {found.trades} closed trades, {rate} won, net "
            f"{fmt.rupees(float(found.net), signed=True)} after "
            f"{fmt.rupees(float(found.charges))} charges, largest fall {worst}.",
        )

    def move_line(self, line_id: str, price: float) -> None:
        """A practice line was let go."""
        key = self._cell.key
        if key is not None:
            self.attempt(lambda: self.lines.move(key, line_id, price))
            self._cell.show_lines()

    def close_line(self, line_id: str) -> None:
        """The x of a practice line."""
        key = self._cell.key
        if key is not None:
            self.attempt(lambda: self.lines.close(key, line_id))
            self._cell.show_lines()

    def fill_menu(self, menu: QMenu, row: Instrument, price: float) -> None:
        """What can be practised at a price."""
        self.lines.fill(self._cell.host, menu, row, price, self.quantity, self.attempt)
        menu.addSeparator()
        self._cell.host.add_item(menu, "End replay", self.end)

    def release(self) -> None:
        """The chart closes: a replay that it leads ends."""
        if self.active and self.strip is not None:
            self._cell.bridge.spawn(self._door.end(), "end of the replay")
        self._leave()

    def refuse(self) -> None:
        """Something was meant for an account: it is told why nothing happens."""
        self._cell.bridge.notice.emit("warning", NO_ORDERS)
