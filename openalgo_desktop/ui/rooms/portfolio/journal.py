"""The trade journal: round trips with tags and notes edited in place, and statistics."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import date, timedelta

from msgspec.structs import asdict
from PySide6.QtCore import QModelIndex, QTimer
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QMenu, QVBoxLayout, QWidget

from openalgo_desktop.core.trade_journal import Group, JournalBook, JournalReport, TradeNote
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.journal import GROUPS
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.book_view import BookView
from openalgo_desktop.ui.kit.fields import VerticalArea
from openalgo_desktop.ui.kit.figures import Figure, FigureGrid, figure_text
from openalgo_desktop.ui.kit.segments import Segments
from openalgo_desktop.ui.kit.table_dock import Col
from openalgo_desktop.ui.kit.table_menu import TableMenu
from openalgo_desktop.ui.kit.tables import FastTableModel
from openalgo_desktop.ui.kit.tables.cell_editor import CellEditor
from openalgo_desktop.ui.kit.widgets import label, named
from openalgo_desktop.ui.rooms.portfolio.journal_rows import JournalRow, journal_row, since, tags_of
from openalgo_desktop.ui.rooms.portfolio.trips_dock import TripsDock

#: Milliseconds from the last key in the search to the answer.
SEARCH_AFTER = 150
#: The table lists so many at most, the newest: what a sorted table takes in without a pause.
#: Period and words find the others; statistics count all.
MOST_LISTED = 2000
TRADES, STATISTICS = "Trades", "Statistics"
NOTHING = "No closed trades yet.\nEach exit becomes a line here, with its entry and its charges."
NONE_FOUND = "No closed trade in this period has these words."

FIGURES = (
    Figure("net", "Net P&L", "profit", "Realised, after charges"),
    Figure("gross", "Gross P&L", "profit"),
    Figure("charges", "Charges", "money"),
    Figure("trades", "Trades", "count"),
    Figure("win_rate", "Win rate", "share", "Trades that won after charges"),
    Figure("expectancy", "Expectancy", "profit", "Mean net result of a trade"),
    Figure("profit_factor", "Profit factor", "ratio", "Sum of wins over sum of losses"),
    Figure("average_win", "Average win", "money"),
    Figure("average_loss", "Average loss", "money"),
    Figure("best", "Best trade", "profit"),
    Figure("worst", "Worst trade", "profit"),
    Figure("max_drawdown", "Max drawdown", "money", "Deepest fall of the running net result"),
    Figure("held", "Mean holding time", "time"),
    Figure("unknown", "Result not known", "count", "Without a known entry or settlement price"),
)


def period_start(period: str, today: date) -> date | None:
    """The first day of a period that ends today; None for all of it."""
    starts: Mapping[str, Callable[[], date | None]] = {
        "Today": lambda: today,
        "Week": lambda: today - timedelta(days=today.weekday()),
        "Month": lambda: today.replace(day=1),
        "Year": lambda: today.replace(month=1, day=1),
        "All": lambda: None,
    }
    return starts[period]()


PERIODS = ("Today", "Week", "Month", "Year", "All")


def _figure(key: str, title: str, kind: str, width: int = 92) -> Col[Group]:
    def value(group: Group) -> float | None:
        found = asdict(group.figures)[key]
        return None if found is None else float(found)

    return Col(
        key,
        title,
        width,
        value,
        lambda group: figure_text(value(group), kind)[0],
        lambda group: figure_text(value(group), kind)[1],
    )


GROUP_COLUMNS: tuple[Col[Group], ...] = (
    Col("label", "Group", 130, lambda group: group.label, numeric=False),
    _figure("trades", "Trades", "count", 60),
    _figure("win_rate", "Win rate", "share", 72),
    _figure("net", "Net P&L", "profit", 104),
    _figure("expectancy", "Expectancy", "profit"),
    _figure("profit_factor", "Factor", "ratio", 64),
    _figure("max_drawdown", "Drawdown", "money"),
    _figure("charges", "Charges", "money", 84),
)


class JournalDock(TripsDock):
    """Round trips of the mode. Filters count for the table and for the statistics."""

    name = "journal"
    title = "Journal"
    empty_text = NOTHING
    _counting = False  # whether the statistics are shown in the place of the table
    _nothing_here = True

    def __init__(self, bridge: Bridge, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(bridge, name, parent)
        self._all: list[JournalRow] = []
        self._found: list[JournalRow] = []
        self._report_job: asyncio.Task[None] | None = None
        self.content.insertLayout(0, self._head())
        self.statistics = self._statistics_page()
        self.content.addWidget(self.statistics, 1)
        self.content.addWidget(self.foot)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SEARCH_AFTER)
        self._timer.timeout.connect(self.show_found)
        self._show_page(TRADES)

    # -- parts ------------------------------------------------------------------------------
    def _head(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(6, 4, 6, 4)
        row.setSpacing(8)
        self.page = Segments(f"{self.name}-page", "Page", (TRADES, STATISTICS), compact=True)
        self.page.changed.connect(self._show_page)
        self.period = Segments(f"{self.name}-period", "Period", PERIODS, compact=True)
        self.period.choose("Month")
        self.period.changed.connect(lambda _: self.show_found())
        self.words = named(QLineEdit(), f"{self.name}-search", "Search symbol, tag, note")
        self.words.setPlaceholderText("Symbol or note")
        self.words.setClearButtonEnabled(True)
        self.words.textChanged.connect(lambda _: self._timer.start())
        self.words.setMinimumWidth(90)
        row.addWidget(self.page)
        row.addWidget(self.period)
        row.addWidget(self.words, 1)
        return row

    def _statistics_page(self) -> QWidget:
        page = named(QWidget(), f"{self.name}-statistics", "Statistics of the trades")
        row = QHBoxLayout(page)
        row.setContentsMargins(0, 0, 0, 0)
        self.figures = FigureGrid(self.name, "Statistics of the trades", FIGURES)
        area = named(VerticalArea(), f"{self.name}-figures-area", "Statistics of the trades")
        area.setWidget(self.figures)
        row.addWidget(area)
        right = QVBoxLayout()
        right.setContentsMargins(0, 4, 6, 0)
        head = QHBoxLayout()
        head.addWidget(label("By", f"{self.name}-by-caption", "caption"))
        self.by = named(QComboBox(), f"{self.name}-by", "Group the trades by")
        self.by.addItems(list(GROUPS))
        self.by.currentTextChanged.connect(lambda _: self._ask_report())
        head.addWidget(self.by)
        head.addStretch(1)
        right.addLayout(head)
        self.groups: FastTableModel[Group] = FastTableModel(GROUP_COLUMNS)
        self.group_view = named(BookView(self.groups), f"{self.name}-groups", "Groups of trades")
        self.group_view.empty_text = "Nothing to group."
        TableMenu(self, self.group_view, GROUP_COLUMNS, "Trades by group")
        right.addWidget(self.group_view, 1)
        row.addLayout(right, 1)
        return page

    def _show_page(self, page: str) -> None:
        self._counting = page == STATISTICS
        self.statistics.setVisible(self._counting)
        self.set_empty(self._nothing_here)
        if self._counting:
            self._ask_report()

    def set_empty(self, empty: bool, text: str = "") -> None:
        super().set_empty(empty, text)
        self._nothing_here = empty
        if self._counting:
            self._empty.hide()
            self.view.hide()

    # -- rows -------------------------------------------------------------------------------
    async def take_book(self, book: JournalBook, rows: list[JournalRow]) -> None:
        self._all = rows
        self.show_found()

    def show_found(self) -> None:
        """Show what the period and the words leave."""
        start = period_start(self.period.value(), self.bridge.now().date())
        self._found = since(self._all, start, self.words.text())
        self.set_rows(self._found[:MOST_LISTED])
        self.set_empty(not self._found, NONE_FOUND if self._all else NOTHING)
        self._ask_report()
        self.view.flush()

    def _ask_report(self) -> None:
        if self._report_job is not None:
            self._report_job.cancel()
        self._report_job = self.spawn(self._work_out(), "statistics of trades")

    async def _work_out(self) -> None:
        trips = [row.trip for row in reversed(self._found)]
        self._show_report(await self.bridge.journal.report(trips, self.by.currentText()))

    def _show_report(self, report: JournalReport) -> None:
        figures = report.figures
        self.figures.show_values(asdict(figures))
        self.groups.set_rows(report.groups)
        self.group_view.flush()
        count = fmt.quantity(figures.trades + figures.unknown)
        listed = f", newest {fmt.quantity(MOST_LISTED)} listed"
        more = listed if len(self._found) > MOST_LISTED else ""
        net = fmt.signed_money(float(figures.net))
        what = "trade" if count == "1" else "trades"
        text = f"{count} {what}{more} · net {net}"
        self.set_subject(text if self._found else "", text)

    # -- notes ------------------------------------------------------------------------------
    def _on_activated(self, index: QModelIndex) -> None:
        """A double click on a note edits it, elsewhere it shows the symbol."""
        if index.isValid() and self.columns[index.column()].key in ("tags", "note"):
            self.edit(index)
        else:
            super()._on_activated(index)

    def row_keys(self) -> Mapping[str, Callable[[JournalRow], object]]:
        return {"note": lambda _row: self.edit(self.view.currentIndex())}

    def edit(self, index: QModelIndex, key: str = "") -> None:
        """Edit the tags or the note of a row in their place; elsewhere in the row, the tags."""
        if not index.isValid():
            return
        row = self.model.row_at(index.row())
        wanted = key or self.columns[index.column()].key
        wanted = wanted if wanted in ("tags", "note") else "tags"
        place = next(n for n, column in enumerate(self.columns) if column.key == wanted)
        text = ", ".join(row.note.tags) if wanted == "tags" else row.note.text
        identity = self.row_id(row)
        CellEditor(
            self.view,
            (index.row(), place),
            text,
            f"{wanted.capitalize()} of the trade",
            lambda typed: self._keep(identity, wanted, typed),
            (lambda: self._go_on(identity)) if wanted == "tags" else None,
        )

    def _go_on(self, identity: str) -> None:
        """Tab leads from the tags to the note."""
        source = self._source(identity)
        if source is not None:
            self.edit(self.model.index(self.model.view_row(source), 0), "note")

    def _keep(self, identity: str, key: str, typed: str) -> None:
        row = self.row_of(identity)
        if row is None:
            return
        tags, text = row.note.tags, row.note.text
        note = TradeNote(tags_of(typed), text) if key == "tags" else TradeNote(tags, typed.strip())
        if note == row.note:
            return
        self._show_note(row, note)
        self.spawn(self.bridge.journal.annotate(identity, note), "keep the note", sends=True)

    def _show_note(self, row: JournalRow, note: TradeNote) -> None:
        fresh = journal_row(self.bridge, row.trip, note)
        for rows in (self._all, self._found):
            rows[rows.index(row)] = fresh
        self.replace_row(fresh, True)
        self.view.flush()
        if self._counting:
            self._ask_report()

    def fill_menu(self, menu: QMenu, row: JournalRow) -> None:
        index = self.view.currentIndex()
        self.add_item(menu, "Edit tags", lambda: self.edit(index, "tags"))
        self.add_item(menu, "Edit note", lambda: self.edit(index, "note"))
        super().fill_menu(menu, row)

    # -- state ------------------------------------------------------------------------------
    def save_state(self) -> dict[str, object]:
        return super().save_state() | {"period": self.period.value(), "by": self.by.currentText()}

    def restore_state(self, state: Mapping[str, object]) -> None:
        super().restore_state(state)
        if (period := state.get("period")) in PERIODS:
            self.period.choose(str(period))
        self.by.setCurrentText(str(state.get("by", "")))
