"""The chart dock: 1 to 16 charts, of which one is active: keys and the link group mean it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import count

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QGridLayout, QToolButton, QWidget

from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.enums import Action, Interval
from openalgo_desktop.core.model import Key
from openalgo_desktop.ui.chart import ChartView
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import icons
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.kit.names import contract_tip, exchange_text
from openalgo_desktop.ui.kit.widgets import named
from openalgo_desktop.ui.rooms.charts.cell import ChartCell
from openalgo_desktop.ui.rooms.charts.empty import EMPTY
from openalgo_desktop.ui.rooms.charts.layouts import LAYOUTS, ONE
from openalgo_desktop.ui.rooms.charts.together import Together


class ChartDock(Dock):
    """Charts of the linked symbol, or of several."""

    name = "chart"
    title = "Chart"
    linkable = True
    links_interval = True
    empty_text = EMPTY
    priority = 2

    def __init__(self, bridge: Bridge, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(bridge, name, parent)
        self.cells: list[ChartCell] = []
        self.layout_name = ONE
        self.alone = False  # the active chart has all the room, the others wait
        self.together = Together(self)
        self._grid_widget = named(QWidget(), f"{self.name}-grid", "Charts")
        self._grid = QGridLayout(self._grid_widget)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(2)
        self.content.addWidget(self._grid_widget, 1)
        self.cell = self._new_cell()
        self.answer_keys(self.cell.view, self._answers())
        self.listen(bridge.links.interval_changed, self._on_group_interval)
        self._build_button()
        self._arrange()

    def _build_button(self) -> None:
        """The button in the title bar: layouts, and what its charts have in common."""
        self.grid_button = named(QToolButton(), f"{self.name}-layout", "Arrange charts")
        icons.put(self.grid_button, "grid")
        self.grid_button.setProperty("role", "dock-button")
        self.grid_button.setAutoRaise(True)
        self.grid_button.setToolTip("1 to 16 charts, and what they have in common")
        self.grid_button.clicked.connect(self._show_layouts)
        self.title_bar.extras.addWidget(self.grid_button)

    # -- the active chart -------------------------------------------------------------------
    @property
    def view(self) -> ChartView:
        """That of the active chart."""
        return self.cell.view

    @property
    def key(self) -> Key | None:
        """The instrument of the active chart."""
        return self.cell.key

    def _new_cell(self) -> ChartCell:
        taken = {cell.name for cell in self.cells}  # by its name a chart asks for prices
        names = (self.name if n == 1 else f"{self.name}-cell-{n}" for n in count(1))
        cell = ChartCell(self, next(name for name in names if name not in taken))
        self.cells.append(cell)
        cell.installEventFilter(self)
        cell.view.installEventFilter(self)
        cell.head.installEventFilter(self)
        cell.interval_picked.connect(partial(self._on_interval, cell))
        cell.subject_changed.connect(self._show_subject)
        cell.activated.connect(partial(self.activate, cell))
        cell.picked.connect(partial(self._on_picked, cell))
        self.together.join(cell)
        if taken:
            self.hotkeys.join(cell.view)
        return cell

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A press or the focus anywhere in a chart makes it the active one."""
        if event.type() == QEvent.Type.MouseButtonDblClick:
            for cell in self.cells:
                if watched is cell.head:
                    self.activate(cell)
                    self.turn_alone()
        if event.type() in (QEvent.Type.MouseButtonPress, QEvent.Type.FocusIn):
            for cell in self.cells:
                if watched in (cell, cell.view):
                    self.activate(cell)
        return super().eventFilter(watched, event)

    def activate(self, cell: ChartCell) -> None:
        """Keys and the link group mean this chart from now on."""
        if cell is self.cell or cell not in self.cells:
            return
        self.cell = cell
        self.hotkeys.lead(cell.view)
        if self.alone:
            self._arrange()
        self._mark()
        self._show_subject()

    def _mark(self) -> None:
        for cell in self.cells:
            cell.head.show_place(several=len(self.cells) > 1, active=cell is self.cell)

    def _answers(self) -> dict[str, Callable[[], object]]:
        """Each key means the chart that is active when it is pressed."""

        def now(ident: str) -> object:
            return self.cell.answers()[ident]()

        keyed = {ident: partial(now, ident) for ident in self.cell.answers()}
        return {**keyed, "alone": self.turn_alone}

    def _trade_here(self, side: Action) -> bool:
        """A letter of an interval that is being typed is no order, and no key of a replay is one
        of an account."""
        if self.cell.replay.active and not self.cell.entry.typed:
            self.cell.replay.refuse()
            return True
        return False if self.cell.entry.typed else super()._trade_here(side)

    @property
    def shows_own(self) -> bool:
        return self.cell.expression is not None

    def symbol_now(self) -> Key | None:
        return self.cell.key

    def _show_subject(self) -> None:
        key = self.cell.key
        more = f"  1 of {len(self.cells)} charts" if self.alone else ""
        if key is not None:
            name = f"{self.bridge.name(key)}  {exchange_text(key[0])}{more}"
            self.set_subject(name, contract_tip(key))
        else:
            self.set_subject(self.cell.subject_text + more)

    # -- symbol and interval ----------------------------------------------------------------
    def show_symbol(self, key: Key) -> None:
        """Show it in the active chart, in all of them where they share their symbol."""
        for cell in self.cells if self.together.symbol else [self.cell]:
            cell.show_symbol(key)

    def _on_picked(self, cell: ChartCell, key: Key) -> None:
        self.activate(cell)
        self.pick(key)

    def _on_interval(self, cell: ChartCell, text: str) -> None:
        if self.together.interval:
            for other in self.cells:
                other.show_interval(text)
        shared = Span.parse(text).interval
        if self.interval_linked and cell is self.cell and shared is not None:
            self.bridge.links.set_interval(shared, self.group)

    def _on_group_interval(self, _interval: Interval, group: int) -> None:
        if self.interval_linked and group == self.group:
            self.follow_interval()

    def follow_interval(self) -> None:
        interval = self.bridge.links.interval(self.group)
        if interval is not None:
            self.cell.show_interval(interval.value)

    # -- arrangement ------------------------------------------------------------------------
    def _show_layouts(self) -> None:
        menu = self.menu()
        for text in LAYOUTS:
            self.add_check(menu, text, text == self.layout_name, partial(self.arrange, text))
        if len(self.cells) > 1:
            menu.addSeparator()
            key = self.hotkeys.text("alone")
            self.add_check(menu, f"Active chart alone\t{key}", self.alone, self.turn_alone)
        menu.addSeparator()
        self.together.fill(menu)
        menu.popup(self.grid_button.mapToGlobal(self.grid_button.rect().bottomLeft()))

    def turn_alone(self) -> None:
        """Give the active of several charts all the room, or each its own again. The others go on:
        nothing of them is lost."""
        self.alone = not self.alone and len(self.cells) > 1
        self._arrange()
        self._show_subject()
        self.view.setFocus()

    def arrange(self, layout: str) -> None:
        """Show the charts in another layout; new ones begin with the symbol of the active one."""
        if layout not in LAYOUTS or layout == self.layout_name:
            return
        self.layout_name, self.alone = layout, False
        wanted = len(LAYOUTS[layout])
        while len(self.cells) > wanted:
            self._drop(self.cells[-1] if self.cells[-1] is not self.cell else self.cells[-2])
        key, first = self.cell.key, len(self.cells)
        while len(self.cells) < wanted:
            self._new_cell()
        self._arrange()
        self._show_subject()
        for cell in self.cells[first:]:
            cell.restore_state(self.cell.save_state())
            if key is not None:
                cell.show_symbol(key)

    def _drop(self, cell: ChartCell) -> None:
        self.cells.remove(cell)
        self.together.leave(cell)
        self._grid.removeWidget(cell)
        cell.release()
        cell.hide()
        cell.deleteLater()

    def _arrange(self) -> None:
        for row in range(self._grid.rowCount()):
            self._grid.setRowStretch(row, 0)
        for column in range(self._grid.columnCount()):
            self._grid.setColumnStretch(column, 0)
        for cell, place in zip(self.cells, LAYOUTS[self.layout_name], strict=True):
            self._grid.addWidget(cell, *place)
            cell.setVisible(not self.alone or cell is self.cell)
            if self.alone and cell is not self.cell:
                continue
            for row in range(place.row, place.row + place.rows):
                self._grid.setRowStretch(row, 1)
            for column in range(place.column, place.column + place.columns):
                self._grid.setColumnStretch(column, 1)
        self._mark()

    def release(self) -> None:
        for cell in self.cells:
            cell.release()
        super().release()

    # -- state ------------------------------------------------------------------------------
    def save_state(self) -> dict[str, object]:
        state = super().save_state() | self.cells[0].save_state()
        if self.layout_name == ONE:
            return state
        charts = [
            cell.save_state() | {"symbol": list(cell.key) if cell.key is not None else None}
            for cell in self.cells
        ]
        return state | {
            "layout": self.layout_name,
            "charts": charts,
            "together": self.together.save_state(),
            "active": self.cells.index(self.cell),
            "alone": self.alone,
        }

    def restore_state(self, state: Mapping[str, object]) -> None:
        super().restore_state(state)
        layout, charts = state.get("layout"), state.get("charts")
        if not isinstance(layout, str) or layout not in LAYOUTS or not isinstance(charts, list):
            self.cells[0].restore_state(state)
            return
        self.together.restore_state(state.get("together"))
        self.arrange(layout)
        for cell, kept in zip(self.cells, charts, strict=False):
            if not isinstance(kept, dict):
                continue
            cell.restore_state(kept)
            match kept.get("symbol"):
                case [str(exchange), str(symbol)]:
                    cell.show_symbol((exchange, symbol))
        active = state.get("active")
        if isinstance(active, int) and 0 <= active < len(self.cells):
            self.activate(self.cells[active])
        if state.get("alone") is True and not self.alone:
            self.turn_alone()
