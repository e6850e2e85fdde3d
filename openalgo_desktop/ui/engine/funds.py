"""The door to the history of funds: a line for each day of each account.

The last figures of the day stay; no account tells those of days before. The paper account files
its own days, so those on which nobody looked are there, too.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject, QTimer

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.funds_days import FundsDay, funds_day
from openalgo_desktop.ui.engine.books import Books

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal

SCOPE = "funds-days"
#: Figures are written so long after they came, and no more often; milliseconds.
SETTLE_MS = 3000


class FundsDoor(QObject):
    """Follows the funds of the books."""

    def __init__(self, terminal: Terminal, books: Books, parent: QObject) -> None:
        super().__init__(parent)
        self._terminal, self._books = terminal, books
        self._put = terminal.state.put_later(SCOPE)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SETTLE_MS)
        self._timer.timeout.connect(self.keep)
        books.funds_changed.connect(self._soon)

    def close(self) -> None:
        """Keep what was not kept yet, and listen no more."""
        if self._timer.isActive():
            self._timer.stop()
            self.keep()
        self._books.funds_changed.disconnect(self._soon)

    def _soon(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _owner(self) -> str:
        """Whose line it is: mode and account."""
        mode = self._terminal.desk.mode
        if mode is Mode.SANDBOX:
            return mode.value
        gateway = self._terminal.accounts[self._terminal.accounts.orders].gateway
        return f"{mode.value}:{gateway.account_id}"

    def _today(self) -> FundsDay | None:
        if not self._books.funds_known:
            return None
        return funds_day(self._terminal.clock.now().date(), self._books.funds)

    def keep(self) -> None:
        """Write the line of today."""
        if (today := self._today()) is not None:
            self._put(f"{self._owner()}|{today.day.isoformat()}", msgspec.to_builtins(today))

    async def days(self) -> list[FundsDay]:
        """The days of the account of the mode, newest first, today as it is now."""
        owner, found = self._owner(), dict[date, FundsDay]()
        if self._terminal.desk.mode is Mode.SANDBOX:
            for row in self._terminal.sandbox.state.days.values():
                found[row.day] = FundsDay(
                    row.day,
                    row.available,
                    row.used_margin,
                    row.realised,
                    row.positions_unrealised + row.holdings_unrealised,
                )
        for key, value in (await self._terminal.state.all(SCOPE)).items():
            if key.rpartition("|")[0] == owner:
                line = msgspec.convert(value, FundsDay)
                found[line.day] = line
        if owner == self._owner() and (today := self._today()) is not None:
            found[today.day] = today
        return [found[day] for day in sorted(found, reverse=True)]
