"""Base of docks that are one fast table: rows, selection, context menu, empty state."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPoint,
    Qt,
    Signal,
)
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QMenu,
    QPushButton,
    QWidget,
)

from openalgo_desktop.core.model import Key
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.turns import STEP, parts
from openalgo_desktop.ui.kit import table_exports
from openalgo_desktop.ui.kit.book_view import BookView
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.kit.dock_keys import Answer
from openalgo_desktop.ui.kit.long_load import LongLoad
from openalgo_desktop.ui.kit.row_looks import RowLooks
from openalgo_desktop.ui.kit.sending import trades_on_click
from openalgo_desktop.ui.kit.symbol_drag import drag, mime_of
from openalgo_desktop.ui.kit.tables import Column as Col
from openalgo_desktop.ui.kit.tables import FastTableModel
from openalgo_desktop.ui.kit.tables.header import HeaderColumns
from openalgo_desktop.ui.kit.tool_row import ToolRow
from openalgo_desktop.ui.kit.widgets import label, named, plain_tip

R = TypeVar("R")

#: Up to so many rows, rows come and go at once; in a longer book at most this often, seconds, and
#: in turns of the loop.
AT_ONCE, RELOAD_EVERY = 500, 0.25
READING = "Reading…"


class TableDock(Dock, Generic[R]):
    """Subclasses give ``columns``, :meth:`row_id` and what happens on a row."""

    columns: tuple[Col[Any], ...] = ()
    book = ""  # the name of the account's book that it shows, if any
    many = False  # several rows can be selected
    drags = False  # rows can be dragged to where instruments are taken: see ``key_of``
    follows_click = False  # one click is enough to make linked docks follow the row
    selection_changed = Signal()

    def __init__(self, bridge: Bridge, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(bridge, name, parent)
        self.rows: list[R] = []
        self._from_end: dict[Hashable, int] = {}  # see _source
        self.looks = RowLooks(self)
        self._whole = False  # the book is another one than the rows show
        self.long_load = LongLoad(self, self._loaded)
        self._reloaded = 0.0
        self.model: FastTableModel[R] = FastTableModel(self.columns)
        self.view = named(self.make_view(self.model), f"{self.name}-table", f"{self.title} table")
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.view.customContextMenuRequested.connect(self._on_menu)
        self.view.doubleClicked.connect(self._on_activated)
        self.view.clicked.connect(self._on_clicked)
        self.view.action_clicked.connect(self._on_action)
        mode = QAbstractItemView.SelectionMode
        self.view.setSelectionMode(mode.ExtendedSelection if self.many else mode.SingleSelection)
        self.header_columns = HeaderColumns(self.view, self.columns, self.view.widths)
        self._answer_keys()
        self.view.draggable = self.drags
        self.view.drag_wanted.connect(self.drag_rows)
        self.view.selectionModel().selectionChanged.connect(
            lambda *_: self.selection_changed.emit()
        )
        if any(column.actions is not None for column in self.columns):
            trades_on_click(self.view.viewport())  # Close, Cancel and the like in the rows
        self.model.store.is_stale = self.row_stale
        self.listen(bridge.setting_changed, self._on_setting)
        self.listen(bridge.feed.changed, self._on_feed)
        self.gaps = label("", f"{self.name}-gaps", "warning")
        self.gaps.setContentsMargins(10, 3, 10, 3)
        self.gaps.hide()
        self.listen(bridge.books.gaps_changed, self._show_gaps)
        if self.book:
            self.listen(bridge.books.left, self._leave)
        self.content.addWidget(self.gaps)
        self.content.addWidget(self.view, 1)
        self.place_empty_over(self.view)
        self.set_empty(True)

    def add_head(self, left: Sequence[QWidget], *buttons: QPushButton) -> None:
        """Tools above the table: ``left``, and at the right buttons for a selected row, off until
        there is one."""
        for button in buttons:
            button.setEnabled(False)
        self.content.insertWidget(0, ToolRow(f"{self.name}-tools", left, buttons))

    def choose_row(self, identity: Hashable) -> bool:
        """Select the row of that identity and bring it into sight; whether it is shown."""
        source = self._source(identity)
        if source is None:
            return False
        index = self.model.index(self.model.view_row(source), 0)
        self.view.setCurrentIndex(index)
        self.view.scrollTo(index)
        return True

    # -- to implement -----------------------------------------------------------------------
    def make_view(self, model: FastTableModel[R]) -> BookView:
        """The table; docks whose table can do more give another one."""
        return BookView(model)

    def row_id(self, row: R) -> Hashable:
        """What identifies a row over reloads."""
        raise NotImplementedError

    def key_of(self, row: R) -> Key | None:
        """The instrument of a row: to drag it, and for the keys of a symbol."""
        return None

    def activated(self, row: R) -> None:
        """Double click or Enter on a row."""

    def row_stale(self, row: R) -> bool:
        """Whether the prices of a row are too old; docks with prices implement it."""
        return False

    def act(self, row: R, name: str) -> None:
        """A link in a row was clicked; ``name`` is that of its :class:`RowAction`."""

    def row_keys(self) -> Mapping[str, Callable[[R], object]]:
        """What is done with the current row at the keys of the kind, by their ids."""
        return {}

    def fill_menu(self, menu: QMenu, row: R) -> None:
        """Items of the context menu of a row."""

    def drag_rows(self) -> None:
        """Drag the instruments of the selected rows to another dock."""
        keys = [key for row in self.selected_rows() if (key := self.key_of(row)) is not None]
        if keys:
            drag(self.view, mime_of(keys), Qt.DropAction.CopyAction)

    # -- rows -------------------------------------------------------------------------------
    def reload(self) -> None:
        """Show the book as it is now; docks of books implement it."""

    def load(self, work: Iterator[None], count: int) -> None:
        """Do the ``work`` of a reload of ``count`` rows: at once where the book is short, else in
        turns of the loop. The rows of before stay until it is done."""
        self.long_load.stop()
        if count <= AT_ONCE:
            for _ in work:
                pass
            return
        if not self.rows:
            self.set_empty(True, READING)
        self.long_load.start(work)

    def _loaded(self) -> None:
        self._reloaded = time.monotonic()

    def _leave(self) -> None:
        """The rows are those of the other mode: nobody sees them again, not for one frame."""
        self.long_load.stop()
        self.set_rows([])
        self._whole = self.dirty = True

    def refresh(self) -> None:
        """The book is another one: reload, or while nobody sees the dock, when it is seen next."""
        if self.is_hidden():
            self._whole = self.dirty = True
        else:
            self._reload_now()

    def reload_soon(self) -> None:
        """Rows came or went: reload, in a long book a few times a second at most."""
        if len(self.rows) <= AT_ONCE:
            self.refresh()
        else:
            self._whole = self.dirty = True

    def _reload_now(self) -> None:
        self._whole = False
        self._reloaded = time.monotonic()
        self.reload()

    def set_rows(self, rows: Sequence[R]) -> None:
        """Replace the rows. The selection stays on the same row identity; where the same rows
        came in the same order, only those that differ are painted again."""
        for _ in self.taking(rows):
            pass

    def taking(self, rows: Sequence[R]) -> Iterator[None]:
        """As :meth:`set_rows`, in steps; the rows are others after the last one, all at once."""
        fresh = list(rows)
        from_end: dict[Hashable, int] = {}
        rest = len(fresh)
        for part in parts(fresh):
            rest -= len(part)
            places = range(rest + len(part) - 1, rest - 1, -1)
            from_end.update(zip(map(self.row_id, part), places, strict=True))
            yield
        if len(fresh) == len(self.rows) and from_end == self._from_end:
            for source, row in enumerate(fresh):
                if row is not self.rows[source]:
                    self.rows[source] = row
                    self.model.replace(source, row)
                if source % STEP == STEP - 1:
                    yield
            self.looks.forget()  # they may be of other instruments
            self.set_empty(not self.rows, self._nothing())
            self.dirty = True
            return
        keys: list[Any] = []
        column = self.model.store.sort_column
        if column is not None:
            for part in parts(fresh):
                keys += self.model.store.keys_of(part)
                yield
        if column != self.model.store.sort_column:  # clicked meanwhile
            keys = []
        kept = self._chosen()
        self.rows = fresh
        self._from_end = from_end
        self.looks.forget()
        self.model.set_rows(self.rows, keys)
        self.set_empty(not self.rows, self._nothing())
        self._choose(*kept)
        self.dirty = True

    def add_front(self, rows: Sequence[R]) -> None:
        """New rows before all others, without touching those."""
        kept = self._chosen()
        count = len(self.rows)
        for index, row in enumerate(reversed(rows)):
            self._from_end[self.row_id(row)] = count + index
        self.rows[:0] = rows
        self.looks.forget()
        self.model.insert_front(rows)
        self.set_empty(not self.rows)
        self._choose(*kept)
        self.dirty = True

    def replace_row(self, row: R, shown: bool) -> bool:
        """Show ``row`` in the place of its former state; False when it comes or goes instead."""
        source = self._source(self.row_id(row))
        if source is None or not shown:
            return source is None and not shown
        if self.key_of(row) != self.key_of(self.rows[source]):
            self.looks.forget()
        self.rows[source] = row
        self.model.replace(source, row)
        self.dirty = True
        return True

    def _source(self, identity: Hashable) -> int | None:
        """Where a row is. Kept as the distance from the end, which rows before it do not move."""
        distance = self._from_end.get(identity)
        return None if distance is None else len(self.rows) - 1 - distance

    def row_of(self, identity: Hashable) -> R | None:
        """The row with this identity."""
        source = self._source(identity)
        return None if source is None else self.rows[source]

    def view_row_of(self, identity: Hashable) -> int | None:
        """Where the row with this identity is shown."""
        source = self._source(identity)
        return None if source is None else self.model.view_row(source)

    def row_changed(self, row: R) -> None:
        """A row has new values: it is painted again in the dock's next turn."""
        source = self._source(self.row_id(row))
        assert source is not None
        self.model.touch(source)
        self.dirty = True

    def _on_feed(self, stale: bool) -> None:
        self.view.set_stale(stale)
        self.model.refresh_all()
        self.dirty = True

    def _on_setting(self, key: str, _value: object) -> None:
        if key == "ui.grouping":
            self.model.refresh_all()
            self.dirty = True

    def flush(self) -> None:
        waited = time.monotonic() - self._reloaded >= RELOAD_EVERY
        if self._whole and waited and not self.long_load.under_way:
            self._reload_now()
        self.view.flush()
        self.dirty = self._whole

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self.book and (self._whole or not self._reloaded):
            self._reload_now()  # the book was read meanwhile: the dock must not look empty
        self.model.refresh_all()  # a hidden dock hears no prices
        self.dirty = True

    # -- gaps -------------------------------------------------------------------------------
    def _nothing(self) -> str:
        """The empty text: a book that is incomplete is not empty."""
        gaps = self.bridge.books.gaps.get(self.book)
        return (
            self.empty_text if gaps is None else f"{gaps.text}\n{self.bridge.clean(gaps.reasons)}"
        )

    def _show_gaps(self, name: str) -> None:
        if name != self.book:
            return
        gaps = self.bridge.books.gaps.get(name)
        self.gaps.setVisible(gaps is not None)
        self.gaps.setText("" if gaps is None else gaps.text)
        self.gaps.setToolTip(plain_tip("" if gaps is None else self.bridge.clean(gaps.reasons)))
        self.set_empty(not self.rows, self._nothing())

    def selected_row(self) -> R | None:
        """The current row where it is selected, else the first that is."""
        indexes = self.view.selectionModel().selectedRows()
        if not indexes:
            return None
        current = self.view.currentIndex().row()
        places = sorted(index.row() for index in indexes)
        return self.model.row_at(current if current in places else places[0])

    def selected_rows(self) -> list[R]:
        """All selected rows, from top to bottom."""
        places = sorted(index.row() for index in self.view.selectionModel().selectedRows())
        return [self.model.row_at(place) for place in places]

    def select_row(self, identity: Hashable) -> None:
        """Select a row by identity; nothing happens when it is not there."""
        self._choose([identity], identity)

    def _chosen(self) -> tuple[list[Hashable], Hashable | None]:
        """Identities of the selected rows, and of the one where the keyboard is."""
        current = self.selected_row()
        rows = [self.row_id(row) for row in self.selected_rows()]
        return rows, None if current is None else self.row_id(current)

    def _choose(self, identities: Iterable[Hashable], current: Hashable | None) -> None:
        """Select these rows, where they are. Not ``selectRow``: that would scroll to the row at
        each reload."""
        places = [self._source(identity) for identity in identities]
        indexes = [self.model.index(self.model.view_row(n), 0) for n in places if n is not None]
        if not indexes:
            return
        flag, model = QItemSelectionModel.SelectionFlag, self.view.selectionModel()
        chosen = QItemSelection()
        for index in indexes:
            chosen.select(index, index)
        here = self._source(current) if current is not None else None
        self.view.setAutoScroll(False)
        if here is not None:
            model.setCurrentIndex(self.model.index(self.model.view_row(here), 0), flag.NoUpdate)
        self.view.setAutoScroll(True)
        model.select(chosen, flag.ClearAndSelect | flag.Rows)

    # -- interaction ------------------------------------------------------------------------
    def _on_activated(self, index: QModelIndex) -> None:
        if index.isValid():
            self.activated(self.model.row_at(index.row()))

    def _on_clicked(self, index: QModelIndex) -> None:
        if index.isValid() and self.follows_click:
            self.activated(self.model.row_at(index.row()))

    def _on_action(self, name: str, view_row: int) -> None:
        row, self.view.pressed_row = self.view.pressed_row, None
        now = self.model.row_at(view_row)
        if row is not None and self.row_id(row) == self.row_id(now):
            self.act(now, name)

    # -- keys -------------------------------------------------------------------------------
    def _answer_keys(self) -> None:
        answers: dict[str, Answer] = {
            ident: partial(self._on_row, call) for ident, call in self.row_keys().items()
        }
        if self.hotkeys.has("show"):
            answers["show"] = lambda: self._on_activated(self.view.currentIndex())
        self.answer_keys(self.view, answers)

    def _on_row(self, call: Callable[[R], object]) -> object:
        """A key on the selected row; without one it means nothing."""
        row = self.selected_row()
        return None if row is None else call(row)

    def symbol_now(self) -> Key | None:
        row = self.selected_row()
        return self.key_of(row) if row is not None else super().symbol_now()

    def _on_menu(self, position: QPoint) -> None:
        index = self.view.indexAt(position)
        menu = self.menu()
        if index.isValid():
            row = self.model.row_at(index.row())
            if not self.view.selectionModel().isRowSelected(index.row(), QModelIndex()):
                self.view.selectRow(index.row())
            self.fill_menu(menu, row)
            menu.addSeparator()
            rows = "Copy rows" if len(self.selected_rows()) > 1 else "Copy row"
            self.add_item(menu, rows, lambda: table_exports.copy_rows(self.view))
        copy = table_exports.copy_table
        self.add_item(menu, "Copy table", lambda: self.spawn(copy(self.view), "copy table"))
        for text, call in self.exports():
            self.add_item(menu, text, call)
        menu.popup(self.view.viewport().mapToGlobal(position))

    def exports(self) -> list[tuple[str, Callable[[], object]]]:
        return table_exports.offers(self, self.view, self.title)

    # -- state ------------------------------------------------------------------------------
    def save_state(self) -> dict[str, object]:
        return super().save_state() | {"columns": self.header_columns.save()}

    def restore_state(self, state: Mapping[str, object]) -> None:
        super().restore_state(state)
        columns = state.get("columns")
        if isinstance(columns, dict):
            self.header_columns.restore(columns)


__all__ = ["Col", "TableDock"]
