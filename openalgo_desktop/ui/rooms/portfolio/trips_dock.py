"""What the docks of round trips share: they read the journal when they are seen and it has news."""

from __future__ import annotations

import asyncio
from datetime import datetime

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QMenu, QWidget

from openalgo_desktop.core.model import Key
from openalgo_desktop.core.trade_journal import JournalBook
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.table_dock import TableDock
from openalgo_desktop.ui.kit.widgets import label
from openalgo_desktop.ui.rooms.portfolio.journal_rows import (
    JournalRow,
    about,
    journal_rows,
    note_columns,
    trip_columns,
)


class TripsDock(TableDock[JournalRow]):
    """Subclasses place ``foot`` and show what :meth:`take_book` gives them."""

    linkable = True

    def __init__(self, bridge: Bridge, name: str = "", parent: QWidget | None = None) -> None:
        self.columns = (*trip_columns(bridge), *note_columns())
        super().__init__(bridge, name, parent)
        self.foot = label("", f"{self.name}-about", "muted")
        self.foot.setContentsMargins(10, 3, 10, 4)
        self.foot.setWordWrap(True)
        self._news = True
        self._job: asyncio.Task[None] | None = None
        self.listen(bridge.journal.changed, self._on_news)

    async def take_book(self, book: JournalBook, rows: list[JournalRow]) -> None:
        """The journal was read; ``rows`` are all of it, newest first."""
        raise NotImplementedError

    def row_id(self, row: JournalRow) -> str:
        return row.trip.trip_id

    def reload(self) -> None:
        """Read the journal anew."""
        self._news = True
        if self._job is None or self._job.done():
            self._job = self.spawn(self._read(), f"read the journal for {self.title}")

    def _on_news(self) -> None:
        if self.is_hidden():
            self._news = True
        else:
            self.reload()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._news:
            self.reload()

    async def _read(self) -> None:
        while self._news:  # what comes meanwhile is read after it
            self._news = False
            book = await self.bridge.journal.book()
            rows = await asyncio.to_thread(journal_rows, self.bridge, book)
            self.foot.setText(about(book))
            await self.take_book(book, rows)

    def key_of(self, row: JournalRow) -> Key | None:
        return row.trip.key

    def activated(self, row: JournalRow) -> None:
        self.pick(row.trip.key)

    def fill_menu(self, menu: QMenu, row: JournalRow) -> None:
        trip = row.trip
        self.add_item(menu, "Show in linked docks", lambda: self.pick(trip.key))
        if trip.entry_at is not None:
            entry = trip.entry_at
            self.add_item(menu, "Chart at the entry", lambda: self._show_chart(trip.key, entry))
        self.add_item(menu, "Chart at the exit", lambda: self._show_chart(trip.key, trip.exit_at))

    def _show_chart(self, key: Key, at: datetime) -> None:
        self.bridge.dock_wanted.emit("chart", key)
        self.bridge.moment_wanted.emit(key, at)
