"""Link groups: docks of one colour show the same instrument.

Group 0 is none: a dock in it follows nobody and leads nobody. A group carries the instrument and,
for docks that ask for it, the interval of the chart.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.model import Key

#: No group, and the groups there are.
NONE = 0
GROUPS = range(1, 7)
#: Where a dock is that nobody has linked otherwise.
MAIN = 1


class Links(QObject):
    """What each group shows."""

    symbol_changed = Signal(object, int)  # Key, group
    interval_changed = Signal(object, int)  # Interval, group
    moment_hovered = Signal(object, int, object)  # epoch seconds or None, group, who says it
    range_moved = Signal(float, float, int, object)  # epoch seconds at the edges, group, who

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._keys: dict[int, Key] = {}
        self._intervals: dict[int, Interval] = {}

    def key(self, group: int) -> Key | None:
        """The instrument of ``group``."""
        return self._keys.get(group)

    def interval(self, group: int) -> Interval | None:
        """The interval of ``group``, when some chart has set one."""
        return self._intervals.get(group)

    def select(self, key: Key, group: int) -> None:
        """Make the docks of ``group`` show ``key``."""
        if group != NONE:
            self._keys[group] = key
            self.symbol_changed.emit(key, group)

    def set_interval(self, interval: Interval, group: int) -> None:
        """Make the charts of ``group`` that follow its interval show ``interval``."""
        if group != NONE and self._intervals.get(group) is not interval:
            self._intervals[group] = interval
            self.interval_changed.emit(interval, group)

    def keys(self) -> dict[int, Key]:
        """All groups that show something."""
        return dict(self._keys)
