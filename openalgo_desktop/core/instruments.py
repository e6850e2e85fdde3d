"""The symbol master in memory: lookups both ways, strikes, expiries, search.

One dict of frozen structs plus small indexes. What searches need is built by :meth:`of`, in the
thread that reads a large master, or at the first search. 100,000 rows load in about 0.2 s.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date

from openalgo_desktop.core.errors import SymbolUnknown
from openalgo_desktop.core.finder import Finder, Spot
from openalgo_desktop.core.model import Instrument, Key
from openalgo_desktop.core.search_query import Aliases, tokens
from openalgo_desktop.core.symbols import spot_exchange
from openalgo_desktop.core.text_index import TextIndex

_BUILDING = threading.Lock()


@contextmanager
def _considerate() -> Iterator[None]:
    """A large table is built in this thread: keep the others going meanwhile.

    A full collection stops every thread until it has walked all objects, tens of milliseconds
    for 100,000 rows, and building triggers several: there is none meanwhile, and as the rows
    live for the day and have no cycles they are then moved out of the collector's sight. The
    interpreter changes hands every millisecond instead of every five.
    """
    with _BUILDING:
        enabled, interval = gc.isenabled(), sys.getswitchinterval()
        gc.disable()
        sys.setswitchinterval(0.001)
        try:
            yield
        finally:
            sys.setswitchinterval(interval)
            gc.freeze()
            if enabled:
                gc.enable()


class Rows:
    """Rows of a master by their key."""

    def __init__(self) -> None:
        self._rows: dict[Key, Instrument] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, key: Key) -> Instrument | None:
        """The row of (exchange, symbol), or None."""
        return self._rows.get(key)

    def require(self, symbol: str, exchange: str) -> Instrument:
        """The row, or :class:`SymbolUnknown`."""
        row = self._rows.get((exchange, symbol))
        if row is None:
            raise SymbolUnknown(symbol, exchange)
        return row


class InstrumentTable(Rows):
    """All instruments of the data account; replaced as a whole by :meth:`load`."""

    def __init__(self) -> None:
        super().__init__()
        self._ids: dict[Key, int] = {}
        self._options: dict[tuple[str, str], dict[date, dict[tuple[float, str], Instrument]]] = {}
        self._futures: dict[tuple[str, str], dict[date, Instrument]] = {}
        self._finder: Finder | None = None
        self._texts: TextIndex | None = None
        #: Traders' names of underlyings, for :meth:`find`.
        self.aliases = Aliases()

    def load(self, rows: Iterable[Instrument]) -> None:
        """Replace all rows. A key that comes twice keeps its last row."""
        table = {row.key: row for row in rows}
        options: dict[tuple[str, str], dict[date, dict[tuple[float, str], Instrument]]] = {}
        futures: dict[tuple[str, str], dict[date, Instrument]] = {}
        for row in table.values():
            if row.expiry is None:
                continue
            base = (row.exchange, row.name)
            if row.is_option:
                chain = options.setdefault(base, {}).setdefault(row.expiry, {})
                chain[row.strike, row.instrument_type] = row
            else:
                futures.setdefault(base, {})[row.expiry] = row
        self._rows, self._options, self._futures = table, options, futures
        self._ids = {key: number for number, key in enumerate(table, 1)}
        self._finder = self._texts = None

    @classmethod
    def of(cls, rows: Iterable[Instrument]) -> InstrumentTable:
        """A filled table, ready to search; for large masters to be called in a thread, then
        :meth:`adopt`."""
        table = cls()
        with _considerate():
            table.load(rows)
        table.prepare()
        return table

    def adopt(self, other: InstrumentTable) -> None:
        """Take over the contents of a table that was filled elsewhere; costs nothing."""
        self._rows, self._ids = other._rows, other._ids
        self._options, self._futures = other._options, other._futures
        self._finder, self._texts = other._finder, other._texts

    def rows(self, exchange: str | None = None) -> Iterator[Instrument]:
        """All rows, or those of one exchange, in load order."""
        for row in self._rows.values():
            if exchange is None or row.exchange == exchange:
                yield row

    def row_id(self, key: Key) -> int:
        """A number that identifies the row until the next load; 0 when unknown."""
        return self._ids.get(key, 0)

    # -- derivatives ------------------------------------------------------------------------
    def expiries(self, name: str, exchange: str, futures: bool, today: date) -> list[date]:
        """Expiry dates of an underlying, ascending, ``today`` or later; the name must be exact."""
        base = (exchange, name)
        known: Iterable[date] = (
            self._futures.get(base, {}) if futures else self._options.get(base, {})
        )
        return sorted(day for day in known if day >= today)

    def strikes(self, name: str, exchange: str, expiry: date) -> list[float]:
        """Strikes that have a call or a put, ascending."""
        chain = self._options.get((exchange, name), {}).get(expiry, {})
        return sorted({strike for strike, _ in chain})

    def option(
        self, name: str, exchange: str, expiry: date, strike: float, option_type: str
    ) -> Instrument | None:
        """The call (``CE``) or put (``PE``) of that strike, or None."""
        chain = self._options.get((exchange, name), {}).get(expiry, {})
        return chain.get((float(strike), option_type))

    def price_keys(self, name: str, exchange: str, today: date) -> list[Key]:
        """Where the price of an underlying of contracts on ``exchange`` may be read: its spot,
        then its nearest future; only what the master has."""
        near = self.near_future(name, exchange, today)
        keys = [(spot_exchange(name, exchange), name), *([near] if near else [])]
        return [key for key in keys if key in self._rows]

    def near_future(self, name: str, exchange: str, today: date) -> Key | None:
        """The future of an underlying that expires next, ``today`` or later."""
        futures = self._futures.get((exchange, name), {})
        near = min((day for day in futures if day >= today), default=None)
        return None if near is None else futures[near].key

    # -- search -----------------------------------------------------------------------------
    def search(self, query: str, exchange: str | None = None, limit: int = 500) -> list[Instrument]:
        """Rows that contain every term of ``query`` in symbol, broker symbol, name or token, or
        have it as strike; without regard to case.

        Ranking: exact symbol, symbol prefix, symbol substring, other; then shorter, then
        alphabetical, then the main exchange before the other one (NSE before BSE).
        """
        return self._text().search(query, exchange, limit)

    def find(self, query: str, today: date, spot: Spot, limit: int = 50) -> list[Instrument]:
        """What a trader means by ``query`` (``bnf fut``, ``nifty 25000 ce``), best first: see
        :mod:`openalgo_desktop.core.finder`. ``today`` is the IST date, ``spot`` the price of an
        underlying where it is known. A millisecond or two: what no name explains comes back
        empty, and :meth:`search` looks for it everywhere."""
        if not tokens(query) or limit <= 0:
            return []
        return self._find().find(query, today, spot, self.aliases, limit)

    def prepare(self) -> None:
        """Build what searches need; for large masters to be called in a thread."""
        with _considerate():
            self._find()
            self._text()

    def _find(self) -> Finder:
        if self._finder is None:
            self._finder = Finder(self._rows.values(), self._futures, self._options)
        return self._finder

    def _text(self) -> TextIndex:
        if self._texts is None:
            self._texts = TextIndex(self._rows.values())
        return self._texts
