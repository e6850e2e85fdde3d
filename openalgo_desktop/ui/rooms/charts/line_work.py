"""The hand on the lines of a chart: dragging, what a change would mean, the question, ending.

A line that is let go moves at once while clicks are armed (an alert always: it sends nothing);
else it is asked about at the line. Lines of a replay are the practice account's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openalgo_desktop.core.alerts import PriceAlert
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.exits import AnyPlan
from openalgo_desktop.core.model import Instrument, Key, Order
from openalgo_desktop.core.money import to_tick
from openalgo_desktop.ui.chart import PriceLine
from openalgo_desktop.ui.chart.apply_bubble import ApplyBubble
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.rooms.charts.lines import ChartLines
from openalgo_desktop.ui.rooms.charts.margin_hint import MarginHint

if TYPE_CHECKING:
    from openalgo_desktop.ui.rooms.charts.cell import ChartCell


class LineWork:
    """One of a chart. ``asked`` is the line, its price and the mode seen while a question stands
    at it."""

    def __init__(self, cell: ChartCell) -> None:
        self._cell, self._bridge, self._view = cell, cell.bridge, cell.view
        self.lines = ChartLines(cell.bridge, cell.hand, cell.spawn, cell)
        self.asked: tuple[str, float, Mode] | None = None
        self.due = False  # others, to be shown when the chart is seen
        self.bubble = ApplyBubble(cell.view, cell.name)
        self.margin = MarginHint(cell, self._on_margin, cell)
        self.bubble.applied.connect(self.apply)
        self.bubble.dropped.connect(self.give_up)
        view = cell.view
        view.line_dragged.connect(self._on_dragged)
        view.line_moved.connect(self.moved)
        view.line_closed.connect(self._on_closed)

    def listen(self) -> None:
        """Follow orders, positions, plans and alerts until the chart is gone."""
        cell, bridge = self._cell, self._bridge
        cell.listen(bridge.books.orders_changed, cell.show_lines)
        cell.listen(bridge.books.orders_updated, self._on_orders)
        cell.listen(bridge.books.held_changed, self._on_held)
        cell.listen(bridge.feed.aged, self._on_aged)
        cell.listen(bridge.watch.changed, self._on_plan)
        cell.listen(bridge.alerts.changed, self._on_plan)
        cell.listen(bridge.gtts.changed, self._on_held)
        cell.listen(bridge.mode_changed, self._on_other)
        cell.listen(bridge.account_changed, self._on_other)

    def _on_other(self, _other: object) -> None:
        """Another mode or account: its lines; nothing comes of a gesture of the one before."""
        self.give_up()
        self._cell.show_lines()

    def _on_held(self, keys: frozenset[Key]) -> None:
        """Positions, their results or the broker's GTTs changed; those of other instruments cost
        nothing here."""
        if self._cell.key in keys:
            self._cell.show_lines()

    def _on_aged(self) -> None:
        """A result at an old price is none."""
        key = self._cell.key
        if key is not None and self._cell.hand.positions(key):
            self._cell.show_lines()

    def _on_plan(self, plan: AnyPlan | PriceAlert) -> None:
        if plan.key == self._cell.key:
            self._cell.show_lines()

    def _on_orders(self, orders: list[Order]) -> None:
        """Orders changed; those of other instruments cost nothing here."""
        if any(order.key == self._cell.key for order in orders):
            self._cell.show_lines()

    def show(self) -> None:
        """Bring the lines up to date; a question about one that is gone ends."""
        self.due = False
        cell, instrument = self._cell, self._instrument()
        lines: list[PriceLine] = [] if instrument is None else self.lines.of(instrument)
        if cell.replay.active:
            lines = cell.replay.lines_now()
        if not cell.data.is_drawn:
            lines = []
        self._view.set_lines(lines)
        cell.own.show_plans(() if cell.key is None else self.lines.plans(cell.key))
        if self.asked is not None and self.asked[0] not in {line.line_id for line in lines}:
            self.give_up()

    def _instrument(self) -> Instrument | None:
        key = self._cell.key
        return self._bridge.instrument(key) if key is not None else None

    def give_up(self) -> None:
        """Nothing comes of what is dragged or asked about."""
        self.asked = None
        self.margin.forget()
        self.bubble.hide()
        self._view.set_ghost(None)

    # -- dragging ---------------------------------------------------------------------------
    def _on_dragged(self, line_id: str, price: float) -> None:
        """A line is on its way, from tick to tick: what it would need more or less there."""
        instrument, line = self._instrument(), self._line(line_id)
        if instrument is None or line is None:
            return
        level = max(to_tick(price, instrument.tick_size), instrument.tick_size)
        self._view.set_ghost(line, level)  # what is read is what would be sent
        if not self._cell.replay.active:
            self._ask_margin(line_id, level)

    def _line(self, line_id: str) -> PriceLine | None:
        return next((row for row in self._view.shown_lines if row.line_id == line_id), None)

    def _ask_margin(self, line_id: str, level: float) -> None:
        pair = self.lines.change_of(line_id, level)
        if pair is not None:
            self.margin.show(*pair, self._bridge.mode)

    def _on_margin(self, words: str) -> None:
        self._view.set_ghost_note(words)
        if self.asked is not None:
            self.bubble.add(words)

    def moved(self, line_id: str, price: float) -> None:
        """A line was let go: armed it moves at once, else it is asked about there."""
        instrument, replay = self._instrument(), self._cell.replay
        line = self._line(line_id)
        self.give_up()
        if instrument is None or line is None:
            return
        level = max(to_tick(price, instrument.tick_size), instrument.tick_size)
        if level == line.price:
            return
        if replay.active:
            replay.move_line(line_id, level)
            return
        if self._cell.hand.armed or self.lines.is_alert(line_id):
            self.lines.move(line_id, level, self._bridge.mode)
            return
        self.asked = (line_id, level, self._bridge.mode)
        self._view.set_ghost(line, level)
        at = self._view.place_of(level)
        self.bubble.ask(f"→ {fmt.price(level, self._cell.places)}", at.x() - 8, at.y())
        self._ask_margin(line_id, level)

    def _on_closed(self, line_id: str) -> None:
        if self._cell.replay.active:
            self._cell.replay.close_line(line_id)
        else:
            self.lines.close(line_id, self._bridge.mode)

    def apply(self) -> None:
        """What was asked about is meant."""
        asked = self.asked
        self.give_up()
        if asked is not None:
            line_id, price, mode = asked
            self.lines.move(line_id, price, mode, asked=True)
