"""Drawings in a chart's dock: layer, tool box, style bar, list, and what is asked beside them.

Nothing here sends: *Ticket from this…* fills the ticket, an alert tells.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from math import isfinite
from typing import Any

from msgspec.structs import replace
from PySide6.QtCore import QObject, QPoint, QRect, Signal
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QMenu

from openalgo_desktop.core.alerts import AlertWhen, AlertWish, OfDrawing
from openalgo_desktop.core.charting.drawings.model import Drawing, Family
from openalgo_desktop.core.charting.drawings.plan import plan_of
from openalgo_desktop.core.charting.drawings.tools import by_family, title, tools
from openalgo_desktop.core.charting.drawings.values import levels_at, names_of
from openalgo_desktop.core.charting.history import Change, History
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.enums import Action, PriceType
from openalgo_desktop.core.errors import DataError
from openalgo_desktop.core.model import Instrument, Key
from openalgo_desktop.core.money import to_tick
from openalgo_desktop.core.ticketing import TicketWish
from openalgo_desktop.ui.chart import ChartView
from openalgo_desktop.ui.chart.drawings.board import Board
from openalgo_desktop.ui.chart.drawings.icons import icon_of
from openalgo_desktop.ui.chart.drawings.layer import DrawingsLayer
from openalgo_desktop.ui.chart.drawings.object_list import ObjectList
from openalgo_desktop.ui.chart.drawings.settings import DrawingDialog
from openalgo_desktop.ui.chart.drawings.style_bar import StyleBar
from openalgo_desktop.ui.chart.drawings.tool_box import ToolBox
from openalgo_desktop.ui.chart.view import SCROLL
from openalgo_desktop.ui.engine.alerts import AlertDraft
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.drawings import FIRST
from openalgo_desktop.ui.kit.ask_text import ask_text
from openalgo_desktop.ui.kit.dialogs import ask
from openalgo_desktop.ui.kit.replayed import NOT_HERE, is_replayed
from openalgo_desktop.ui.kit.widgets import shortcut_text, slug

#: A narrower chart has no tool box; the keys work. Pixels.
LEAST_WIDTH = 480
#: Nor has a low one, where the box would take more columns than this.
MOST_COLUMNS = 2
Spawn = Callable[[Coroutine[Any, Any, Any], str], object]


class ChartDrawings(QObject):
    """One of a chart. ``history`` has the steps of the whole chart: the dock notes its own there
    and puts ``apply_own`` for their parts."""

    study_wanted = Signal(str, object)  # id of a study, its parameters: add it to the chart

    def __init__(
        self,
        bridge: Bridge,
        view: ChartView,
        name: str,
        spawn: Spawn,
        make_menu: Callable[[], QMenu],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._bridge, self._view, self._name = bridge, view, name
        self._spawn, self._make_menu = spawn, make_menu
        self._box_wanted = True
        self.apply_own: Callable[[Sequence[Change]], None] = lambda _changes: None
        self.history = History(self._apply)
        self.board = Board(bridge.drawings, self.history, self)
        self.layer = DrawingsLayer(self.board, self)
        self.box = ToolBox(self.board, name)
        self.bar = StyleBar(self.board, name, view)
        self.objects: ObjectList | None = None
        view.add_layer(self.layer, self.layer.base_changed, self.layer.top_changed)
        self.bar.area = self._area
        view.put_left(self.box)
        view.resized.connect(self._fit)
        self.board.chosen_changed.connect(self._leave_line)
        layer, bar = self.layer, self.bar
        layer.price_picked.connect(view.price_picked)
        layer.menu_wanted.connect(self._show_menu)
        layer.study_wanted.connect(self.study_wanted)
        self.box.objects_wanted.connect(self.turn_objects)
        for text_wanted in (layer.text_wanted, bar.text_wanted):
            text_wanted.connect(lambda ident: self._ask(ident, only_text=True))
        layer.first_text_wanted.connect(self._ask_first)
        for settings_wanted in (layer.settings_wanted, bar.settings_wanted):
            settings_wanted.connect(self._ask)
        bar.alert_wanted.connect(self._on_alert)
        bar.ticket_wanted.connect(self._on_ticket)
        bar.template_name_wanted.connect(self._ask_template)

    def release(self) -> None:
        """The chart goes away."""
        self.board.release()

    def _apply(self, changes: Sequence[Change]) -> None:
        self._bridge.drawings.apply(changes)
        self.apply_own(changes)

    def _leave_line(self) -> None:
        """A key must mean one thing: the chosen drawings, or a chosen order's line."""
        if self.board.chosen:
            self._view.leave_line()

    def _scroll(self, way: int) -> None:
        """An arrow: the chosen drawings by a bar, without one the chart."""
        if not self.layer.nudge(way, 0):
            self._view.scroll_by(way * SCROLL)

    def _area(self) -> QRect:
        """Where the prices are, of the view: the bar covers no legend of a pane below them."""
        view = self._view
        if not view.has_bars:
            return view.rect()
        pane = view.canvas.stage.prices.rect.toAlignedRect()
        return pane.translated(view.canvas.pos())

    def _fit(self) -> None:
        self.bar.place()
        self.box.setVisible(self.has_room and self._box_wanted)

    @property
    def has_room(self) -> bool:
        """Whether the chart has room for the tool box."""
        low = self.box.columns_in(self._view.height()) > MOST_COLUMNS
        return self._view.width() >= LEAST_WIDTH and not low

    def fill_tools(self, menu: QMenu) -> None:
        """All tools, a menu for each family: for a chart without the box."""
        search = menu.addAction("Find a tool…")
        search.setObjectName(f"{self._name}-draw-search")
        search.triggered.connect(lambda: self.box.find_at(QCursor.pos()))
        for family, rows in by_family().items():
            if not rows or not self.box.offers(family):
                continue
            below = menu.addMenu(family.value)
            below.setObjectName(f"{self._name}-draw-{slug(family.value)}")
            fill = partial(self._fill_family, below, family)
            below.aboutToShow.connect(fill)

    def _fill_family(self, menu: QMenu, family: Family) -> None:
        menu.clear()
        for row in by_family()[family]:
            key = f"\t{shortcut_text(row.key)}" if row.key else ""
            action = menu.addAction(icon_of(row), f"{row.title}{key}")
            action.setObjectName(f"{self._name}-draw-{row.tool}")
            action.triggered.connect(lambda _on=False, row=row: self.board.take(row))

    # -- the chart --------------------------------------------------------------------------
    def set_chart(self, key: Key | None, span: Span | None) -> None:
        """The chart shows this symbol and interval now."""
        self.layer.cancel()
        instrument = self._bridge.instrument(key) if key is not None else None
        self.board.numbers = {} if instrument is None else _figures(instrument)
        self.board.set_chart(key, span)

    def offer_studies(self) -> None:
        """Offer the tools that anchor a study; who calls it answers ``study_wanted``."""
        self.box.offer_studies()

    def show_box(self, shown: bool) -> None:
        """Show the tool box, or leave the room to the chart."""
        self._box_wanted = shown
        self._fit()

    @property
    def box_shown(self) -> bool:
        """Whether the tool box is wanted."""
        return self._box_wanted

    def turn_objects(self) -> None:
        """Show the list of drawings, or hide it."""
        if self.objects is None:
            self.objects = ObjectList(self.board, self._name)
            self.objects.settings_wanted.connect(self._ask)
            self.objects.closed.connect(self.objects.hide)
            self.objects.hide()
            self._view.put_right(self.objects)
        self.objects.setVisible(self.objects.isHidden())

    # -- keys -------------------------------------------------------------------------------
    def answers(self) -> dict[str, Callable[[], object]]:
        """What is done at the keys of drawings, by their ids."""
        keyed = [row for row in tools().values() if row.key]
        return {
            **{f"draw-{row.tool}": partial(self.board.take, row) for row in keyed},
            "undo": self.board.undo,
            "redo": self.board.redo,
            "objects": self.turn_objects,
            "back": partial(self._scroll, -1),
            "forward": partial(self._scroll, 1),
        }

    def let_go(self) -> bool:
        """Choose no drawing any more; False when none was."""
        had = bool(self.board.chosen)
        self.board.choose(())
        return had

    # -- menus and dialogs ------------------------------------------------------------------
    def _show_menu(self, ident: str, place: QPoint) -> None:
        row = self._row(ident)
        if row is None:
            return
        menu, board = self._make_menu(), self.board
        add = partial(_add, menu, self._name)
        tool = board.tool_of(row)
        if tool.geometry == "position":
            add("Ticket from this…", lambda: self._on_ticket(row))
        if names_of(row):
            add("Alert on it…", lambda: self._on_alert(row))
        menu.addSeparator()
        add("Text…", lambda: self._ask(ident, only_text=True))
        add("Settings…", lambda: self._ask(ident))
        add("Copy", lambda: self._copy(row))
        add("To the front", lambda: board.bring(row, len(board.all) - 1))
        add("To the back", lambda: board.bring(row, 0))
        menu.addSeparator()
        add("Unlock" if row.locked else "Lock", lambda: board.lock_chosen(not row.locked))
        add("Hide", board.hide_chosen)
        if not row.locked:
            add("Delete", self.layer.delete_chosen)
        menu.popup(self._view.canvas.mapToGlobal(place))

    def _row(self, ident: str) -> Drawing | None:
        key = self.board.key
        return self._bridge.drawings.get(key, ident) if key is not None else None

    def _copy(self, row: Drawing) -> None:
        made = self.board.copy([row])
        self.board.put(f"Copy {title(row)}", made)
        self.board.choose(one.ident for one in made)
        self.layer.nudge(2, 0)

    def _ask(self, ident: str, only_text: bool = False) -> None:
        row, key = self._row(ident), self.board.key
        if row is None or key is None:
            return
        places = self._view.canvas.places
        dialog = DrawingDialog(
            self._view, row, places, partial(self._take_back, key, row), only_text
        )
        self._spawn(ask(dialog), "drawing")

    def _ask_first(self, ident: str) -> None:
        """What a new drawing says. Placing it and its text are one step; cancelled, nothing was."""
        row, key = self._row(ident), self.board.key
        if row is not None and key is not None:
            self._spawn(self._first_text(key, row), "text of a drawing")

    async def _first_text(self, key: Key, row: Drawing) -> None:
        said: list[Drawing] = []
        dialog = DrawingDialog(self._view, row, self._view.canvas.places, said.append, True)
        try:
            await ask(dialog)
        finally:
            self.board.give_up(key, row)
        if said and self.board.key == key:
            self.board.put(f"Draw {self.board.tool_of(row).title}", said)
            if not self.board.stay:
                self.board.choose([row.ident])

    def _take_back(self, key: Key, old: Drawing, made: Drawing) -> None:
        """What the form says, unless the chart has another symbol or the drawing is gone."""
        if self.board.key == key and self._row(old.ident) is not None and made != old:
            self.board.put(f"Change {title(made)}", [made])

    def _ask_template(self, row: Drawing) -> None:
        door = self._bridge.drawings

        def take(text: str) -> None:
            name = text.strip()[:40]
            if name in ("", FIRST):  # the star stands for what new ones look like
                raise DataError("Name: give it one by which you know it again.")
            door.save_template(row.tool, name, row.style)

        def exists(name: str) -> bool:
            return name[:40] != FIRST and name[:40] in door.templates(row.tool)

        self._spawn(ask_text(self._view, "Template", "Name", "", take, exists), "template")

    # -- elsewhere --------------------------------------------------------------------------
    def _on_ticket(self, row: Drawing) -> None:
        """The ticket filled with the entry and the quantity; nothing is sent."""
        key = self.board.key
        instrument = self._bridge.instrument(key) if key is not None else None
        if instrument is None or instrument.is_index:
            return
        if is_replayed(self._view):
            self._bridge.notice.emit("warning", NOT_HERE)
            return
        # Of a drawing that was kept without it the figure is the instrument's.
        row = replace(row, numbers={**_figures(instrument), **row.numbers})
        plan = plan_of(row, self.board.tool_of(row))
        quantity = int(plan.quantity) if isfinite(plan.quantity) else 0
        self._bridge.ticket_wanted.emit(
            TicketWish(
                key=instrument.key,
                action=Action.BUY if plan.long else Action.SELL,
                quantity=quantity,
                price_type=PriceType.LIMIT,
                price=to_tick(plan.entry, instrument.tick_size),
            )
        )

    def _on_alert(self, row: Drawing) -> None:
        """The form of an alert that the price crosses the drawing; of one with several lines the
        one that is nearest to the last price. It follows what becomes of the drawing."""
        key, series, span = self.board.key, self._view.canvas.series, self.board.span
        if key is None or span is None or not len(series):
            return
        last = series.bar(len(series) - 1)[3]
        found = levels_at(row, float(series.time[-1]), series.index_of, series.columns())
        near = min(found, key=lambda line: abs(line[1] - last), default=None)
        line = near[0] if near is not None else next(iter(names_of(row)), "")
        wish = AlertWish(
            exchange=key[0],
            symbol=key[1],
            when=AlertWhen.CROSSES,
            against=OfDrawing(row.ident, line),
            span=span.text,
        )
        self._bridge.alerts.draft_wanted.emit(AlertDraft(wish))

    # -- state ------------------------------------------------------------------------------
    def save_state(self) -> dict[str, object]:
        """For a layout; the drawings are kept by symbol."""
        return self.board.save_state() | {"box": self._box_wanted}

    def restore_state(self, state: Mapping[str, object]) -> None:
        """Take what :meth:`save_state` gave."""
        self.board.restore_state(state)
        self.show_box(state.get("box") is not False)


def _figures(instrument: Instrument) -> dict[str, float]:
    """What drawings of an instrument know of it, by the names of the tools' numbers."""
    return {"lot": float(instrument.lot_size), "value": instrument.contract_value or 1.0}


def _add(menu: QMenu, name: str, text: str, call: Callable[[], object]) -> None:
    action = menu.addAction(text)
    action.setObjectName(f"{name}-drawing-{slug(text)}")
    action.triggered.connect(lambda _on=False: call())
