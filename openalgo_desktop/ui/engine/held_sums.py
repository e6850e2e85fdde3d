"""What the positions come to together, kept by instrument: a tick costs the rows of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from openalgo_desktop.core.model import Key, Position
from openalgo_desktop.core.sums import KeptSum
from openalgo_desktop.ui.engine.by_key import ByKey


class HeldSums:
    """Kept by the owner of the rows, who tells of each change of them. ``is_live`` says whether a
    row is worth what it shows, ``losses`` how often prices ceased to be fresh: only then, or when
    it is another row, is one no longer live."""

    def __init__(
        self,
        held: ByKey[Position],
        is_live: Callable[[Position], bool],
        losses: Callable[[], int],
    ) -> None:
        self._held, self._is_live, self._losses = held, is_live, losses
        self._realised: KeptSum[Key] = KeptSum()
        self._open: KeptSum[Key] = KeptSum()
        self._units: dict[Key, int] = {}  # open positions
        self._places: Mapping[int, int] = {}  # of each row (its id) in the book
        self._doubtful: set[Key] = set()  # all instruments with a row that is not live
        self._lost = losses()
        self._not_live: list[Position] | None = None
        #: How many positions are not flat.
        self.open_count = 0

    def show(self, rows: Sequence[Position], changed: Iterable[Key]) -> None:
        """The book is another one; the rows of these instruments are."""
        before, self._places = self._places, {id(row): place for place, row in enumerate(rows)}
        # An object that was here before may carry another price, and equals itself.
        again = {row.key for row in rows if id(row) in before}
        for key in again.union(changed):
            self.renew(key)
        self._not_live = None  # the rows are other objects

    def renew(self, key: Key) -> None:
        """The rows of an instrument, or the price in them, are others."""
        rows = self._held.of(key)
        self.open_count -= self._units.pop(key, 0)
        self._not_live_of(key, rows)
        if not rows:
            self._realised.drop(key)
            self._open.drop(key)
            return
        self._realised.put(key, [row.realised_today for row in rows])
        self._open.put(key, [row.unrealised for row in rows])
        if units := sum(row.quantity != 0 for row in rows):
            self._units[key] = units
            self.open_count += units

    def _not_live_of(self, key: Key, rows: Sequence[Position]) -> None:
        if not all(map(self._is_live, rows)):
            self._doubtful.add(key)
        elif key in self._doubtful:
            self._doubtful.discard(key)
        else:
            return
        self._not_live = None

    @property
    def day_pnl(self) -> tuple[float, float]:
        """Today's realised and the open profit of all positions, rupees."""
        return self._realised.value, self._open.value

    @property
    def not_live(self) -> Sequence[Position]:
        """Those that are not worth what they show, in the order of the book."""
        if (lost := self._losses()) != self._lost:
            self._lost = lost
            self._doubtful = set(self._held.keys)
            self._not_live = None
        if self._not_live is None:
            found = [
                row
                for key in tuple(self._doubtful)
                for row in self._held.of(key)
                if not self._is_live(row)
            ]
            self._not_live = sorted(found, key=lambda row: self._places[id(row)])
            self._doubtful = {row.key for row in found}
        return self._not_live
