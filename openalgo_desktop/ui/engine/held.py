"""What is held, by instrument: positions and holdings with the prices of the stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from PySide6.QtCore import QObject, Signal

from openalgo_desktop.core.model import Holding, Key, Position
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.ui.engine import known
from openalgo_desktop.ui.engine.by_key import ByKey
from openalgo_desktop.ui.engine.frames import Ticks
from openalgo_desktop.ui.engine.held_sums import HeldSums


class Prices(Protocol):
    """What the books need of the market."""

    @property
    def losses(self) -> int: ...
    def fresh(self, key: Key) -> Tick | None: ...


class HeldBooks(QObject):
    """Positions and holdings of the mode that is shown. A tick costs the rows of its instrument,
    and whoever shows one instrument is told of what changed there (``held_changed``)."""

    positions_changed = Signal()
    holdings_changed = Signal()
    held_changed = Signal(object)  # frozenset[Key]: positions of these, or prices at them, changed
    prices_moved = Signal()  # positions and holdings carry newer prices

    def __init__(self, prices: Prices, parent: QObject) -> None:
        super().__init__(parent)
        self._prices = prices
        self._positions: list[Position] = []
        self._held: ByKey[Position] = ByKey()
        self._sums = HeldSums(self._held, self.is_live, lambda: prices.losses)
        self._other: frozenset[Key] = frozenset()  # whose positions are others than those told of
        self._holdings: list[Holding] = []
        self._kept: ByKey[Holding] = ByKey()
        self._moved: set[Key] = set()

    @property
    def positions(self) -> list[Position]:
        """All of them; :meth:`positions_of` for those of one instrument."""
        return self._positions

    @positions.setter
    def positions(self, rows: list[Position]) -> None:
        self._positions = rows
        other = self._held.show(rows)
        self._other |= other
        self._sums.show(rows, other)

    def positions_of(self, key: Key) -> Sequence[Position]:
        """Positions of one instrument, flat ones too; cheap enough for each chart and event."""
        return self._held.of(key)

    @property
    def holdings(self) -> list[Holding]:
        """All of them."""
        return self._holdings

    @holdings.setter
    def holdings(self, rows: list[Holding]) -> None:
        self._holdings = rows
        self._kept.show(rows)

    def _tell_held(self) -> None:
        keys, self._other = self._other | (self._moved & self._held.keys), frozenset()
        if keys:
            self.held_changed.emit(frozenset(keys))

    def _price(self, rows: Sequence[Position | Holding]) -> None:
        """The stream is newer than the account's own last prices."""
        for row in rows:
            if row.quantity and (last := known.price(self._prices.fresh(row.key))) is not None:
                row.ltp = last

    # -- live prices (a frame client, served before the docks) --------------------------------
    priority = 0
    min_interval = 0.2

    def take(self, ticks: Ticks) -> None:
        """Live prices go into positions and holdings, shown or not."""
        for key in (ticks.keys() & self._held.keys) | (ticks.keys() & self._kept.keys):
            last = known.price(ticks[key])
            if last is None:
                continue
            for position in self._held.of(key):
                position.ltp = last
            for holding in self._kept.of(key):
                holding.ltp = last
            self._sums.renew(key)
            self._moved.add(key)

    def wants_flush(self) -> bool:
        """Whether a price moved since the last flush."""
        return bool(self._moved)

    def flush(self) -> None:
        """Say that profits moved."""
        self._tell_held()
        self._moved.clear()
        self.prices_moved.emit()

    @property
    def day_pnl(self) -> tuple[float, float]:
        """Today's realised and the open profit of all positions, rupees."""
        return self._sums.day_pnl

    @property
    def open_count(self) -> int:
        """Positions that are not flat."""
        return self._sums.open_count

    def is_live(self, row: Position | Holding) -> bool:
        """Whether a row is worth what it shows now: closed, or at a price that may be traded on."""
        return not row.quantity or bool(row.ltp and self._prices.fresh(row.key) is not None)

    @property
    def not_live(self) -> Sequence[Position]:
        """Positions whose open profit is not known, or is that of an old price."""
        return self._sums.not_live
