"""What a table shows and its feed does not tell: asked for what is in sight, taken when it came."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QAbstractItemView

from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import TickExtras
from openalgo_desktop.ui.engine.bridge import Bridge

#: It is looked what is in sight so long after something changed, milliseconds.
SETTLE_MS = 300
Take = Callable[[TickExtras], object]


class DayFacts(QObject):
    """One of a ``view``; ``lacking`` gives the instruments in sight that lack something, with what
    takes it."""

    def __init__(
        self,
        bridge: Bridge,
        owner: str,
        view: QAbstractItemView,
        lacking: Callable[[], Iterable[tuple[Key, Take]]],
    ) -> None:
        super().__init__(view)
        self._door, self._owner = bridge.day_facts, owner
        self._view, self._lacking = view, lacking
        self._stopped = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SETTLE_MS)
        self._timer.timeout.connect(self._look)

    def soon(self, *_: object) -> None:
        """Something came, or others are in sight."""
        if not self._stopped and not self._timer.isActive():
            self._timer.start()

    def stop(self) -> None:
        """Nothing is wanted any more."""
        self._stopped = True
        self._timer.stop()
        self._door.want(self._owner, ())

    def _look(self) -> None:
        wanted: list[Key] = []
        if not self._view.visibleRegion().isEmpty():
            for key, take in self._lacking():
                facts = self._door.of(key)
                if facts is None:
                    wanted.append(key)
                else:
                    take(facts)
        self._door.want(self._owner, wanted)
