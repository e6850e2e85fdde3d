"""Greeks of positions, as columns of the position book: sums over the units that are held."""

from __future__ import annotations

import time
from collections.abc import Callable

from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.model import Position
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.table_dock import Col, TableDock
from openalgo_desktop.ui.rooms.portfolio.position_rows import Line

#: Name of the greek, title, decimals, what it says.
_GREEKS = (
    ("delta", "Delta", 1, "Units of the underlying that the position moves like"),
    ("gamma", "Gamma", 3, "Change of delta when the underlying moves by one rupee"),
    ("theta", "Theta", 0, "Rupees that a calendar day takes or gives"),
    ("vega", "Vega", 0, "Rupees for one point of volatility"),
)
#: Options are solved again this often at most while one of the columns is shown, seconds.
SOLVE_EVERY = 0.5
#: Those in rupees: they count what a unit earns.
_MONEY = ("theta", "vega")


class GreekColumns:
    """Hidden until they are chosen from the header; the head of a group sums its members, which
    for one underlying is its net exposure."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def all(self) -> tuple[Col[Line], ...]:
        """Volatility of single options, then the four greeks."""
        return (self._volatility(), *(self._greek(*greek) for greek in _GREEKS))

    def _of(self, row: Position, name: str) -> float | None:
        if not row.quantity:
            return 0.0
        found = self._bridge.greeks.of(row.key)
        if found is None:
            return None
        unit = {
            "delta": found.delta,
            "gamma": found.gamma,
            "theta": found.theta,
            "vega": found.vega,
        }[name]
        return unit * row.quantity * (row.multiplier if name in _MONEY else 1.0)

    def _greek(self, name: str, title: str, places: int, says: str) -> Col[Line]:
        def value(line: Line) -> float | None:
            parts = [self._of(row, name) for row in line.members]
            known = [part for part in parts if part is not None]
            return sum(known) if len(known) == len(parts) else None

        def text(line: Line) -> str:
            found = value(line)
            if found is None or line.closed:
                return fmt.MISSING
            return fmt.signed(found, places)

        return self._column(
            name, title, value, text, f"{says}. By the last prices; a dash without them."
        )

    def _volatility(self) -> Col[Line]:
        def value(line: Line) -> float | None:
            row = line.position
            if row is None or not row.quantity:
                return None
            found = self._bridge.greeks.of(row.key)
            return None if found is None else found.iv

        def text(line: Line) -> str:
            if line.position is None:
                return ""
            found = value(line)
            return fmt.MISSING if found is None else fmt.percent(found, 1)

        return self._column("iv", "IV", value, text, "Implied volatility of the option")

    @staticmethod
    def _column(
        key: str,
        title: str,
        value: Callable[[Line], float | None],
        text: Callable[[Line], str],
        tip: str,
    ) -> Col[Line]:
        return Col(
            key,
            title,
            76,
            value,
            text,
            lambda line: "muted" if line.closed else "",
            live=True,
            hidden=True,
            tooltip=tip,
        )


class GreekWork:
    """Streams what the greeks rest on and has them solved, while one of the columns is shown."""

    def __init__(self, dock: TableDock[Line]) -> None:
        self._dock = dock
        self._bridge = dock.bridge
        keys = ("iv", *(greek[0] for greek in _GREEKS))
        self._places = [n for n, column in enumerate(dock.columns) if column.key in keys]
        self._solved = float("-inf")  # monotonic
        self._wanted: dict[tuple[str, str], FeedMode] = {}

    def look(self, *, now: bool = False) -> None:
        """Prices moved; with ``now`` the book itself is another one."""
        header = self._dock.view.horizontalHeader()
        shown = not self._dock.is_hidden() and not all(map(header.isSectionHidden, self._places))
        if shown and not now and time.monotonic() - self._solved < SOLVE_EVERY:
            return
        keys = [row.key for row in self._bridge.books.positions if row.quantity] if shown else []
        sources = {self._bridge.greeks.source(key) for key in keys} - {None}
        wanted = {key: FeedMode.LTP for key in sources if key is not None}
        if wanted != self._wanted:
            self._wanted = wanted
            self._dock.want(wanted)
        if not shown:
            return
        self._solved = time.monotonic()
        if self._bridge.greeks.solve(keys):
            for line in self._dock.rows:
                self._dock.row_changed(line)
