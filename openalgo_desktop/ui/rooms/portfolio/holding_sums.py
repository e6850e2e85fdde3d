"""What the holdings come to together, kept by row: a tick costs the rows of its instrument."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from openalgo_desktop.core.model import Holding, Key
from openalgo_desktop.core.sums import KeptSum


class HoldingSums:
    """Of the rows that are shown. ``day`` gives what a row made since the previous close, None
    where nobody knows it; ``is_live`` says whether it is worth what it shows."""

    def __init__(
        self, day: Callable[[Holding], float | None], is_live: Callable[[Holding], bool]
    ) -> None:
        self._day, self._is_live = day, is_live
        self.show(())

    def show(self, rows: Sequence[Holding]) -> None:
        """These are the rows now."""
        self._rows = {id(row): (place, row) for place, row in enumerate(rows)}
        self._invested: KeptSum[int] = KeptSum()
        self._value: KeptSum[int] = KeptSum()
        self._profit: KeptSum[int] = KeptSum()
        self._days: KeptSum[int] = KeptSum()
        self._known: set[int] = set()  # whose day is known
        self._old: set[int] = set()  # that are not live
        for row in rows:
            self._invested.put(id(row), [row.average_price * row.quantity])
            self.renew(row)

    def renew(self, row: Holding) -> None:
        """The price of a row, its previous close or their age are others."""
        name = id(row)
        if name not in self._rows:
            return
        self._value.put(name, [row.ltp * row.quantity])
        self._profit.put(name, [row.pnl])
        day = self._day(row)
        if day is None:
            self._known.discard(name)
            self._days.drop(name)
        else:
            self._known.add(name)
            self._days.put(name, [day])
        if self._is_live(row):
            self._old.discard(name)
        else:
            self._old.add(name)

    @property
    def invested(self) -> float:
        """Rupees that all rows cost."""
        return self._invested.value

    @property
    def value(self) -> float:
        """Rupees that those with a price are worth."""
        return self._value.value

    @property
    def profit(self) -> float:
        """Rupees that those with a price gained."""
        return self._profit.value

    @property
    def day(self) -> tuple[float, int]:
        """Rupees since the previous close, and of how many rows that is not known."""
        return self._days.value, len(self._rows) - len(self._known)

    @property
    def not_live(self) -> list[Key]:
        """Instruments of rows that are not worth what they show, in the order of the rows."""
        return [row.key for _, row in sorted((self._rows[name] for name in self._old), key=_place)]


def _place(entry: tuple[int, Holding]) -> int:
    return entry[0]
