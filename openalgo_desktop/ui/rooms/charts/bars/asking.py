"""When a chart asks for its bars again: the feed is back, the account is another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openalgo_desktop.core.enums import AccountState
from openalgo_desktop.core.model import AccountStatus, Key

if TYPE_CHECKING:
    from openalgo_desktop.ui.rooms.charts.cell import ChartCell


class AskingAgain:
    """One of a chart."""

    def __init__(self, cell: ChartCell) -> None:
        self._cell, self._bridge = cell, cell.bridge
        self.source: tuple[str, tuple[str, ...]] = ("", ())  # whose bars they are
        cell.listen(self._bridge.feed.changed, lambda _: self._on_feed(cell.keys))
        cell.listen(self._bridge.feed.refused, lambda key: self._on_feed({key} & cell.keys))
        cell.listen(self._bridge.account_changed, self._on_account)

    def note_source(self) -> None:
        """Bars of the account of now are asked for."""
        self.source = self._account()

    def _account(self) -> tuple[str, tuple[str, ...]]:
        status = self._bridge.account_status()
        return status.broker, status.hosts

    def _on_feed(self, keys: set[Key]) -> None:
        """The feed came or went, of all or of one: what was missed meanwhile is asked for."""
        cell, feed = self._cell, self._bridge.feed
        cell.dirty = True
        for key in [key for key in keys if feed.is_stale(key)]:
            cell.data.lose(key)
        if keys and not feed.stale:
            self._look_for_bars()

    def _look_for_bars(self) -> None:
        cell = self._cell
        if cell.history.failed and not cell.replay.active:
            cell.load()  # it was opened while nobody could be asked
        else:
            cell.data.mend()

    def _on_account(self, status: AccountStatus) -> None:
        """Bars of another source are other ones; those of a replay end with it."""
        cell = self._cell
        if status.state is not AccountState.CONNECTED or cell.replay.active:
            return
        if self.source != self._account():
            cell.load()
        elif cell.history.failed:
            self._look_for_bars()
