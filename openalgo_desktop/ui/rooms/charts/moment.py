"""A moment that somebody wants to see on a chart (a trade of the journal, an event)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from openalgo_desktop.core.model import Key

if TYPE_CHECKING:
    from openalgo_desktop.ui.rooms.charts.cell import ChartCell


class WantedMoment:
    """One of a chart; of a history under way it waits until that is here."""

    def __init__(self, cell: ChartCell) -> None:
        self._cell = cell
        self._at: datetime | None = None
        cell.listen(cell.bridge.moment_wanted, self._on_wanted)

    @property
    def waiting(self) -> bool:
        """Whether one is to be shown when the history is here."""
        return self._at is not None

    def _on_wanted(self, key: Key, at: datetime) -> None:
        if key == self._cell.key:
            self._at = at
            if not self._cell.history.loading:
                self.show()

    def show(self) -> None:
        """The history is here: go there, or say that it is not loaded."""
        at, self._at = self._at, None
        if at is not None and not self._cell.view.show_time(at.timestamp()):
            self._cell.history.message.show_text(f"No bar of {at:%d %b %Y %H:%M} is loaded")
