"""Says when prices are too old to be trusted, so that every dock shows them grey."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

#: A feed that said nothing for longer is stale while the market is open, seconds.
STALE_AFTER = 5.0
LOOK_MS = 500

FeedState = tuple[bool, float | None, int]  # connected, age of the last tick, instruments


class FeedWatch(QObject):
    """Looks twice a second. ``changed`` carries whether prices are stale."""

    changed = Signal(bool)

    def __init__(
        self,
        state: Callable[[], FeedState],
        market_open: Callable[[], bool],
        now: Callable[[], float],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._state = state
        self._market_open = market_open
        self._now = now
        self._began = now()
        self.stale = False
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self.look)

    def start(self) -> None:
        """Begin; a feed that never spoke is given its time from here."""
        self._began = self._now()
        self._timer.start()

    def stop(self) -> None:
        """Look no more."""
        self._timer.stop()

    def look(self) -> None:
        """Compare with the state before; tell of a change."""
        stale = self._judge()
        if stale != self.stale:
            self.stale = stale
            self.changed.emit(stale)

    def _judge(self) -> bool:
        connected, age, subscribed = self._state()
        if not connected:
            return True
        if not subscribed or not self._market_open():
            return False
        return (self._now() - self._began if age is None else age) > STALE_AFTER
