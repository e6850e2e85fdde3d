"""The P&L calendar: a month of net results, and below it the trades of the chosen day."""

from __future__ import annotations

import asyncio
from datetime import date
from decimal import Decimal

from PySide6.QtWidgets import QHBoxLayout, QWidget

from openalgo_desktop.core.gently import gently
from openalgo_desktop.core.trade_journal import JournalBook, JournalDay
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.journal import GROUPS
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.widgets import label, push_button, set_role
from openalgo_desktop.ui.rooms.portfolio.journal_rows import JournalRow
from openalgo_desktop.ui.rooms.portfolio.pnl_month import MonthGrid, first_of, moved
from openalgo_desktop.ui.rooms.portfolio.trips_dock import TripsDock


def _trades(count: int) -> str:
    return "1 trade" if count == 1 else f"{fmt.quantity(count)} trades"


def _sorted_in(rows: list[JournalRow]) -> dict[date, list[JournalRow]]:
    by_day: dict[date, list[JournalRow]] = {}
    for row in gently(rows):
        by_day.setdefault(row.day, []).append(row)
    return by_day


class PnlCalendarDock(TripsDock):
    """Realised results after charges, on the day of the exit."""

    name = "pnl-calendar"
    title = "P&L calendar"
    empty_text = "No trade was closed on this day."

    def __init__(self, bridge: Bridge, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(bridge, name, parent)
        self._by_day: dict[date, list[JournalRow]] = {}
        self._days: dict[date, JournalDay] = {}
        self.day = bridge.now().date()
        self.month = first_of(self.day)
        self.grid = MonthGrid(f"{self.name}-month")
        self.grid.picked.connect(self.pick_day)
        self.grid.turned.connect(self.turn)
        self.content.insertLayout(0, self._head())
        self.content.insertWidget(1, self.grid, 3)
        self.totals = label("", f"{self.name}-totals", "muted")
        self.totals.setWordWrap(True)
        self.totals.setContentsMargins(10, 4, 6, 3)
        self.content.insertWidget(2, self.totals)
        self.content.setStretchFactor(self.view, 2)
        self.content.addWidget(self.foot)
        self._show_month()

    def _head(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(6, 4, 6, 2)
        row.setSpacing(6)
        self.heading = label("", f"{self.name}-heading", "heading")
        self.net = label("", f"{self.name}-net", "heading")
        self.net.setAccessibleName("Net result of the month")
        previous = push_button(
            "‹", f"{self.name}-previous", "Previous month", lambda: self.turn(-1)
        )
        following = push_button("›", f"{self.name}-next", "Next month", lambda: self.turn(1))
        today = push_button("Today", f"{self.name}-today", "Show today", self._show_today)
        for button in (previous, following):
            button.setFixedWidth(look.px(34))
        for button in (previous, today, following):
            row.addWidget(button)
        row.addWidget(self.heading)
        row.addStretch(1)
        row.addWidget(self.net)
        return row

    # -- days -------------------------------------------------------------------------------
    def pick_day(self, day: date) -> None:
        """Show the trades of a day, and its month."""
        self.day = day
        self.month = first_of(day)
        self._show_month()

    def turn(self, months: int) -> None:
        """Another month; the same day of it is chosen, or its first."""
        month = moved(self.month, months)
        try:
            self.pick_day(month.replace(day=self.day.day))
        except ValueError:
            self.pick_day(month)

    def _show_today(self) -> None:
        self.pick_day(self.bridge.now().date())

    def _show_month(self) -> None:
        today = self.bridge.now().date()
        self.grid.show_month(self.month, self.day, today, self._days)
        self.heading.setText(f"{self.month:%B %Y}")
        days = [day for day in self._days.values() if first_of(day.day) == self.month]
        gross = float(sum((day.gross for day in days), Decimal(0)))
        charges = float(sum((day.charges for day in days), Decimal(0)))
        net = gross - charges
        trades = sum(day.trades for day in days)
        won = sum(1 for day in days if day.net > 0)
        self.net.setText(fmt.signed_money(net) if days else "")
        set_role(self.net, fmt.sign_role(net), "tone")
        self.totals.setText(
            f"Gross {fmt.signed_money(gross)} · charges {fmt.money(charges)} · "
            f"{_trades(trades)} · {won} of {len(days)} days won"
            if days
            else "No trade was closed in this month."
        )
        rows = self._by_day.get(self.day, [])
        self.load(self.taking(rows), len(rows))
        self.view.flush()
        self.set_subject(f"{self.day:%d %b %Y}", self.grid.day_text(self.day))

    async def take_book(self, book: JournalBook, rows: list[JournalRow]) -> None:
        self._by_day = await asyncio.to_thread(_sorted_in, rows)
        self._days = (await self.bridge.journal.report(book.trips, GROUPS[0])).days
        self._show_month()
