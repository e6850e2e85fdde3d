"""The door to the trade journal: round trips of the mode, their figures, tags and notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from openalgo_desktop.analytics.trade_statistics import GROUPINGS
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.events import ModeChanged, OrderUpdated, PositionsChanged, SettingChanged
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.trade_journal import (
    Execution,
    JournalBook,
    JournalReport,
    RoundTrip,
    TradeNote,
)

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal

#: Fills within this time are one piece of news, milliseconds.
NEWS_AFTER = 500
#: What trades can be grouped by.
GROUPS: tuple[str, ...] = tuple(GROUPINGS)


class JournalDoor(QObject):
    """``changed`` says that there may be more round trips, or those of another mode."""

    changed = Signal()

    def __init__(self, terminal: Terminal, parent: QObject) -> None:
        super().__init__(parent)
        self._terminal = terminal
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(NEWS_AFTER)
        self._timer.timeout.connect(self.changed)
        bus = terminal.bus
        self._stops = [
            bus.subscribe(OrderUpdated, self._on_order),
            bus.subscribe(PositionsChanged, lambda event: self._soon(event.mode)),
            bus.subscribe(ModeChanged, lambda event: self._soon(event.mode)),
            bus.subscribe(SettingChanged, self._on_setting),
        ]

    def close(self) -> None:
        """Listen no more."""
        self._timer.stop()
        for stop in self._stops:
            stop()
        self._stops.clear()

    def _on_order(self, event: OrderUpdated) -> None:
        if event.trade is not None:
            self._soon(event.mode)

    def _on_setting(self, event: SettingChanged) -> None:
        if event.key == "sandbox.brokerage_plan":
            self._soon(self._terminal.desk.mode)

    def _soon(self, mode: Mode) -> None:
        # A timer that runs is left to run: under a flood it would never end.
        if mode is self._terminal.desk.mode and not self._timer.isActive():
            self._timer.start()

    async def book(self) -> JournalBook:
        """All round trips of the mode, oldest first, with notes. In a thread where it is much."""
        terminal = self._terminal
        mode = terminal.desk.mode
        trips = await terminal.trade_journal.trips(mode)
        live = mode is Mode.LIVE
        account = terminal.accounts[terminal.accounts.orders].gateway.account_id
        since = terminal.executions.since(account) if live else None
        notes = dict(await terminal.trade_journal.notes())
        plan = str(terminal.settings["sandbox.brokerage_plan"])
        return JournalBook(mode, trips, notes, since, plan)

    async def fills(self, key: Key) -> list[Execution]:
        """Executions of an instrument in the mode of now, of all days that are known, oldest
        first; in live mode of all accounts."""
        return await self._terminal.trade_journal.fills(self._terminal.desk.mode, key)

    async def report(self, trips: Sequence[RoundTrip], by: str) -> JournalReport:
        """Figures of these round trips, of their groups, by day; in a thread."""
        return await self._terminal.trade_journal.report(trips, by)

    async def annotate(self, trip_id: str, note: TradeNote) -> None:
        """Keep tags and text of a round trip."""
        await self._terminal.trade_journal.annotate(trip_id, note)
