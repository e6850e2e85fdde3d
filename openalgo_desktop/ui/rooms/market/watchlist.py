"""The watchlist: groups of instruments with live prices, sections, notes and flags."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QCoreApplication, QMimeData, Qt
from PySide6.QtGui import QDropEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QWidget

from openalgo_desktop.core import watchlists
from openalgo_desktop.core.enums import Action, FeedMode
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.money import decimals
from openalgo_desktop.core.watchlists import WatchGroup, WatchItem
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.frames import Ticks
from openalgo_desktop.ui.kit.ask_text import ask_text
from openalgo_desktop.ui.kit.book_view import BookView
from openalgo_desktop.ui.kit.day_facts import DayFacts
from openalgo_desktop.ui.kit.search import SymbolSearch
from openalgo_desktop.ui.kit.symbol_drag import drag
from openalgo_desktop.ui.kit.tables import FastTableModel
from openalgo_desktop.ui.rooms.market import watch_menu
from openalgo_desktop.ui.rooms.market.watch_days import lacking
from openalgo_desktop.ui.rooms.market.watch_drag import drag_data, items_of
from openalgo_desktop.ui.rooms.market.watch_groups import GroupedDock
from openalgo_desktop.ui.rooms.market.watch_rows import WatchRow, columns
from openalgo_desktop.ui.rooms.market.watch_sample import EmptyList, sample
from openalgo_desktop.ui.rooms.market.watch_table import WatchView

EMPTY = "Type a symbol, or drop one here"


class WatchlistDock(GroupedDock):
    """Groups as tabs; the lists belong to the dock and are kept with the workspace."""

    name = "watchlist"
    title = "Watchlist"
    empty_text = EMPTY
    linkable = True
    follows_click = True
    many = True
    drags = True
    priority = 0
    min_interval = 0.02  # with 60 frames a second every other one: thirty looks are enough

    def __init__(self, bridge: Bridge, name: str = "", parent: QWidget | None = None) -> None:
        self.columns = columns(bridge)
        super().__init__(bridge, name, parent)
        self.add_field = SymbolSearch(bridge, f"{self.name}-add", "Add symbol")
        self.add_field.chosen.connect(self.add)
        head = QHBoxLayout()
        head.setContentsMargins(6, 4, 6, 4)
        head.addWidget(self.add_field)
        self.content.insertLayout(1, head)
        self.nothing = EmptyList(self.name, EMPTY, self._fill)
        self.content.insertWidget(self.content.indexOf(self.view), self.nothing, 1)
        self._connect()
        self._show_tabs()

    def make_view(self, model: FastTableModel[WatchRow]) -> BookView:
        self.table = WatchView(model)
        return self.table

    def _connect(self) -> None:
        table = self.table
        table.typed.connect(self._on_typed)
        table.dropped.connect(
            lambda event, row: self._on_drop(event, self._place_of(row), self.current)
        )
        table.horizontalHeader().sortIndicatorChanged.connect(lambda *_: self.show_group())
        self.tabs.dropped.connect(lambda event, tab: self._on_drop(event, None, tab))
        seen = partial(lacking, self.view, self.model, self.row_changed)
        self.days = DayFacts(self.bridge, self.name, self.view, seen)
        self.listen(self.bridge.day_facts.changed, self.days.soon)
        self.listen(self.bridge.feed.refused, self._on_refused)
        self.listen(self.bridge.feed.aged, self._on_aged)
        self.listen(self.bridge.instruments_loaded, lambda _count: self.show_group(anew=True))

    # -- rows -------------------------------------------------------------------------------
    def row_id(self, row: WatchRow) -> Key:
        return row.key

    @property
    def _sorted(self) -> bool:
        return self.model.store.sort_column is not None

    def show_group(self, *, anew: bool = False) -> None:
        """Rows of the list. Sorted by a column, sections mean nothing and are left out."""
        known = {} if anew else {row.key: row for row in self.rows}
        rows = []
        for item in self.group_shown.items:
            if item.is_heading and self._sorted:
                continue
            row = known.get(item.key)
            if row is None:
                row = self._make(item)
            elif row.item is not item:
                row.item = item
                self.row_changed(row)
            rows.append(row)
        self.set_rows(rows)
        self.want({row.key: FeedMode.QUOTE for row in rows if row.instrument is not None})
        self._show_nothing()

    def _make(self, item: WatchItem) -> WatchRow:
        instrument = None if item.is_heading else self.bridge.instrument(item.key)
        places = decimals(instrument.tick_size) if instrument is not None else 2
        row = WatchRow(item, instrument, places)
        self._look(row)
        return row

    def _show_nothing(self) -> None:
        empty = not self.group_shown.items
        self._empty.hide()
        self.nothing.setVisible(empty)
        self.view.setVisible(not empty)

    def keys(self) -> list[Key]:
        """Instruments of the shown list in order."""
        return self.group_shown.keys

    def first_key(self) -> Key | None:
        """The first instrument that can be traded, else the first of all."""
        known = [row for row in self.rows if row.instrument is not None]
        tradable = [row for row in known if row.tradable]
        return next((row.key for row in (*tradable, *known)), None)

    def set_keys(self, keys: list[Key]) -> None:
        """Replace the shown list; notes and flags of what stays are kept."""
        known = {item.key: item for item in self.group_shown.items}
        self.put_group([known.get(item.key, item) for item in watchlists.of_keys(keys)])

    def add_all(self, keys: Sequence[Key], at: int | None = None) -> None:
        """Put instruments into the shown list."""
        self.put_group(watchlists.put(self.group_shown.items, watchlists.of_keys(keys), at))

    def add(self, key: Key) -> None:
        """Append an instrument, or find it, and select it."""
        if key not in self.keys():
            self.add_all([key])
        self.pick(key)
        self.select_row(key)
        row = self.row_of(key)
        if row is not None:
            self.view.scrollTo(self.model.index(self.model.view_row(self.rows.index(row)), 0))

    def remove(self, key: Key) -> None:
        """Take a row from the shown list."""
        self.put_group(watchlists.without(self.group_shown.items, {key}))

    def _fill(self) -> None:
        self.add_all(sample(self.bridge))

    # -- dragging ---------------------------------------------------------------------------
    def _place_of(self, view_row: int) -> int | None:
        """The place in the list of what is before a view row; None (the end) where rows are
        sorted by a column."""
        if self._sorted or view_row >= len(self.rows):
            return None
        return self.group_shown.items.index(self.model.row_at(view_row).item)

    def drag_rows(self) -> None:
        rows = self.selected_rows()
        if not rows:
            return
        group, keys = self.group_shown, {row.key for row in rows}
        actions = Qt.DropAction.CopyAction | Qt.DropAction.MoveAction
        taken = drag(self.view, drag_data(rows), actions)
        if taken == Qt.DropAction.MoveAction:
            self.leave(group.name, keys)

    def leave(self, name: str, keys: set[Key]) -> None:
        """Rows of a list went elsewhere."""
        for place, group in enumerate(self.groups):
            if group.name == name:
                self.put_group(watchlists.without(group.items, keys), place)

    def _on_drop(self, event: QDropEvent, at: int | None, place: int) -> None:
        own = event.source() is self.view
        move = event.dropAction() == Qt.DropAction.MoveAction
        taken = self.drop(event.mimeData(), at, place, move=move, own=own)
        if taken is None:
            event.ignore()
        else:
            event.setDropAction(taken)
            event.accept()

    def drop(
        self, data: QMimeData, at: int | None, place: int, *, move: bool, own: bool
    ) -> Qt.DropAction | None:
        """Take what is dropped into the list at ``place``, before the row ``at``. Rows of a
        watchlist move there unless they are to be copied; what comes from elsewhere is added.
        ``own`` rows were dragged here. Gives what was done: after a move whoever dragged them
        takes them away. None: there was nothing for us in it."""
        items, ours = items_of(data, self._exists)
        if not items:
            return None
        # In its own list a row moves by being put.
        leaves = ours and move and not (own and place == self.current)
        self.put_group(watchlists.put(self.groups[place].items, items, at), place)
        return Qt.DropAction.MoveAction if leaves else Qt.DropAction.CopyAction

    def _exists(self, key: Key) -> bool:
        return self.bridge.instrument(key) is not None

    # -- prices -----------------------------------------------------------------------------
    def take(self, ticks: Ticks) -> None:
        if self.is_hidden():  # shown anew by the next look
            return
        if len(ticks) < len(self.rows):
            for key, tick in ticks.items():
                if (row := self.row_of(key)) is not None:
                    self._price(row, tick)
            return
        for row in self.rows:
            if (found := ticks.get(row.key)) is not None:
                self._price(row, found)

    def _price(self, row: WatchRow, tick: Any) -> None:
        row.tick, row.stale, row.age = tick, False, ""
        self.row_changed(row)

    def _look(self, row: WatchRow) -> bool:
        """Take what is known of the row now; True when that is something else than before."""
        if row.instrument is None:
            return False
        key, feed = row.key, self.bridge.feed
        refusal, stale = feed.refusal(key), feed.is_stale(key)
        age = feed.note(key) if stale and not refusal else ""
        now = (self.bridge.latest(key), refusal, stale, age)
        if now[0] is row.tick and now[1:] == (row.refusal, row.stale, row.age):
            return False
        row.tick, row.refusal, row.stale, row.age = now
        return True

    def _on_aged(self) -> None:
        """Parts that no longer come grow old without a tick that says so."""
        if not self.is_hidden():
            self._look_all()

    def _look_all(self) -> None:
        for row in self.rows:
            if self._look(row):
                self.row_changed(row)

    def showEvent(self, event: QShowEvent) -> None:
        self._look_all()
        super().showEvent(event)

    def _on_refused(self, key: Key) -> None:
        if (row := self.row_of(key)) is not None and self._look(row):
            self.row_changed(row)

    def _on_feed(self, stale: bool) -> None:
        self._look_all()
        super()._on_feed(stale)

    def flush(self) -> None:
        super().flush()
        self.days.soon()

    def release(self) -> None:
        self.days.stop()
        super().release()

    def row_stale(self, row: WatchRow) -> bool:
        return row.stale

    # -- interaction ------------------------------------------------------------------------
    def show_symbol(self, key: Key) -> None:
        self.select_row(key)

    def activated(self, row: WatchRow) -> None:
        if row.instrument is not None:
            self.pick(row.key)

    def act(self, row: WatchRow, name: str) -> None:
        self.trade(row.key, Action(name.upper()))

    def row_keys(self) -> Mapping[str, Callable[[WatchRow], object]]:
        return {
            "remove": self.remove_rows,
            "note": self.ask_note,
            "up": partial(self._shift, -1),
            "down": partial(self._shift, 1),
        }

    def key_of(self, row: WatchRow) -> Key | None:
        return row.key if row.tradable else None

    def symbol_now(self) -> Key | None:
        """Of the row; letters on anything else are typed into the search."""
        row = self.selected_row()
        return self.key_of(row) if row is not None else None

    def remove_rows(self, row: WatchRow) -> None:
        """Take a row and what is selected beside it from the list."""
        gone = {one.key for one in self.selected_rows()} | {row.key}
        place = self.rows.index(row)
        self.put_group(watchlists.without(self.group_shown.items, gone))
        if self.rows:  # the next Delete takes the next row
            self.select_row(self.rows[min(place, len(self.rows) - 1)].key)

    def _on_typed(self, event: QKeyEvent) -> None:
        """Typing in the table searches."""
        self.add_field.setFocus()
        QCoreApplication.sendEvent(self.add_field, event)

    def _shift(self, by: int, row: WatchRow) -> None:
        if not self._sorted:
            self.put_group(watchlists.shifted(self.group_shown.items, row.key, by))
            self.select_row(row.key)

    def trade(self, key: Key, side: Action) -> None:
        """The ticket on that side; nothing is sent."""
        self.pick(key)
        self.bridge.trade_wanted.emit(key, side)

    # -- menu -------------------------------------------------------------------------------
    def fill_menu(self, menu: QMenu, row: WatchRow) -> None:
        watch_menu.fill(self, menu, row)

    def mark(self, key: Key, *, note: str | None = None, flag: int | None = None) -> None:
        """Another note or flag of a row."""
        self.put_group(watchlists.marked(self.group_shown.items, key, note=note, flag=flag))

    def ask_note(self, row: WatchRow) -> None:
        """Ask for the note of a row; a heading has none."""
        if row.item.is_heading:
            return

        def take(text: str) -> None:
            self.mark(row.key, note=text)

        name = self.bridge.name(row.key)
        self.spawn(ask_text(self, f"Note on {name}", "Note", row.item.note, take), "note")

    def move_to(self, key: Key, place: int) -> None:
        """Move a row to another list."""
        item = next((item for item in self.group_shown.items if item.key == key), None)
        if item is not None and place != self.current:
            self.put_group(watchlists.put(self.groups[place].items, [item]), place)
            self.remove(key)

    def move_to_new(self, key: Key) -> None:
        """Move a row to a list that is made for it."""
        source = self.current
        self.add_group()
        place, self.current = self.current, source
        self.move_to(key, place)
        self.choose_group(place)

    # -- state ------------------------------------------------------------------------------
    def save_state(self) -> dict[str, object]:
        return super().save_state() | {
            "groups": watchlists.to_json(self.groups),
            "current": self.current,
        }

    def restore_state(self, state: Mapping[str, object]) -> None:
        super().restore_state(state)
        groups = watchlists.from_json(state)
        if groups is None:
            groups = [WatchGroup(watchlists.FIRST, watchlists.of_keys(sample(self.bridge)))]
        self.groups = groups
        current = state.get("current")
        in_range = isinstance(current, int) and 0 <= current < len(groups)
        self.current = current if in_range and isinstance(current, int) else 0
        self._show_tabs()
        self.show_group()
