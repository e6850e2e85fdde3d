"""The symbol master in memory: lookups both ways, strikes, expiries, search.

One dict of frozen structs plus small indexes. What searches need is built by :meth:`of`, in the
thread that reads a large master, or at the first search. 100,000 rows load in about 0.2 s.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from openalgo_desktop.core.errors import SymbolUnknown
from openalgo_desktop.core.finder import Base, Finder, Spot
from openalgo_desktop.core.gently import gently, let_go, uncollected
from openalgo_desktop.core.keyed import Keyed
from openalgo_desktop.core.model import Instrument, Key
from openalgo_desktop.core.search_query import Aliases, tokens
from openalgo_desktop.core.symbols import parse, spot_exchange
from openalgo_desktop.core.text_index import TextIndex


class Rows:
    """Rows of a master by their key."""

    def __init__(self) -> None:
        self._rows: Keyed[Key, Instrument] = Keyed()

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
        self._order: list[Instrument] = []
        self._ids: Keyed[Key, int] = Keyed()
        self._options: Keyed[Base, dict[date, dict[tuple[float, str], Instrument]]] = Keyed()
        self._futures: Keyed[Base, dict[date, Instrument]] = Keyed()
        self._finder: Finder | None = None
        self._texts: TextIndex | None = None
        #: Traders' names of underlyings, for :meth:`find`.
        self.aliases = Aliases()

    def load(self, rows: Iterable[Instrument]) -> None:
        """Replace all rows. A key that comes twice keeps its last row."""
        table: Keyed[Key, Instrument] = Keyed()
        ids: Keyed[Key, int] = Keyed()
        order: list[Instrument] = []
        for row in gently(rows):
            key = row.key
            table[key] = row
            number = ids.setdefault(key, len(order) + 1)
            if number > len(order):
                order.append(row)
            else:
                order[number - 1] = row
        options: Keyed[Base, dict[date, dict[tuple[float, str], Instrument]]] = Keyed()
        futures: Keyed[Base, dict[date, Instrument]] = Keyed()
        for row in gently(order):
            if row.expiry is None:
                continue
            base = (row.exchange, row.name)
            if row.is_option:
                chain = options.setdefault(base, {}).setdefault(row.expiry, {})
                chain[row.strike, row.instrument_type] = row
            else:
                futures.setdefault(base, {})[row.expiry] = row
        self._rows, self._order, self._ids = table, order, ids
        self._options, self._futures = options, futures
        self._finder = self._texts = None

    @classmethod
    def of(cls, rows: Iterable[Instrument]) -> InstrumentTable:
        """A filled table, ready to search; for large masters to be called in a thread, then
        :meth:`adopt`."""
        table = cls()
        with uncollected():
            table.load(rows)
        table.prepare()
        return table

    def adopt(self, other: InstrumentTable) -> None:
        """Take over the contents of a table that was filled elsewhere, and give it ours; costs
        nothing. What is given is to be let go of in a thread (:meth:`let_go`)."""
        self._rows, other._rows = other._rows, self._rows
        self._order, other._order = other._order, self._order
        self._ids, other._ids = other._ids, self._ids
        self._options, other._options = other._options, self._options
        self._futures, other._futures = other._futures, self._futures
        self._finder, other._finder = other._finder, self._finder
        self._texts, other._texts = other._texts, self._texts

    def let_go(self) -> None:
        """Drop all contents bit by bit; in a thread. Who still reads them keeps what they read."""
        with uncollected():
            self._let_go()

    def _let_go(self) -> None:
        texts = self._texts.parts() if self._texts is not None else []
        finder = self._finder.parts() if self._finder is not None else []
        chains = [chain for days in gently(self._options.values()) for chain in days.values()]
        families = [*gently(self._futures.values()), *gently(self._options.values())]
        tables = (self._options, self._futures, self._rows, self._ids)
        parts = [part for table in tables for part in table.parts()]
        rows = [self._order, *self._order]
        del tables
        self.adopt(InstrumentTable())
        let_go(texts, finder, parts, families, chains, rows[::-1])

    def rows(self, exchange: str | None = None) -> Iterator[Instrument]:
        """All rows, or those of one exchange, in load order."""
        for row in self._order:
            if exchange is None or row.exchange == exchange:
                yield row

    def row_id(self, key: Key) -> int:
        """A number that identifies the row until the next load; 0 when unknown."""
        return self._ids.get(key) or 0

    # -- derivatives ------------------------------------------------------------------------
    def expiries(self, name: str, exchange: str, futures: bool, today: date) -> list[date]:
        """Expiry dates of an underlying, ascending, ``today`` or later; the name must be exact."""
        base = (exchange, name)
        known = self._futures.get(base) if futures else self._options.get(base)
        return sorted(day for day in known or () if day >= today)

    def strikes(self, name: str, exchange: str, expiry: date) -> list[float]:
        """Strikes that have a call or a put, ascending."""
        chain = (self._options.get((exchange, name)) or {}).get(expiry, {})
        return sorted({strike for strike, _ in chain})

    def option(
        self, name: str, exchange: str, expiry: date, strike: float, option_type: str
    ) -> Instrument | None:
        """The call (``CE``) or put (``PE``) of that strike, or None."""
        chain = (self._options.get((exchange, name)) or {}).get(expiry, {})
        return chain.get((float(strike), option_type))

    def price_keys(self, name: str, exchange: str, today: date) -> list[Key]:
        """Where the price of an underlying of contracts on ``exchange`` may be read: its spot,
        then its nearest future; only what the master has."""
        near = self.near_future(name, exchange, today)
        keys = [(spot_exchange(name, exchange), name), *([near] if near else [])]
        return [key for key in keys if key in self._rows]

    def future(self, name: str, exchange: str, expiry: date) -> Instrument | None:
        """The future of an underlying that expires on that day, or None."""
        return (self._futures.get((exchange, name)) or {}).get(expiry)

    def near_future(self, name: str, exchange: str, today: date) -> Key | None:
        """The future of an underlying that expires next, ``today`` or later."""
        futures = self._futures.get((exchange, name)) or {}
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
        with uncollected():
            self._find()
            self._text()

    def _find(self) -> Finder:
        if self._finder is None:
            self._finder = Finder(self._order, self._futures, self._options)
        return self._finder

    def _text(self) -> TextIndex:
        if self._texts is None:
            self._texts = TextIndex(self._order)
        return self._texts


def is_over(symbol: str, row: Instrument | None, today: date) -> bool:
    """Whether a contract expired before ``today``: by its row of the symbol master, or by its name,
    since masters forget what has expired."""
    last = row.expiry if row is not None else parse(symbol).expiry
    return last is not None and last < today
