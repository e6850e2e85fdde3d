"""The instrument table of one broker, both ways: unified symbol <-> the broker's symbol, token."""

from __future__ import annotations

from collections.abc import Iterable

from openalgo_desktop.core.gently import gently, let_go, uncollected
from openalgo_desktop.core.instruments import Rows
from openalgo_desktop.core.keyed import Keyed
from openalgo_desktop.core.model import Instrument, Key

#: The end of a broker's symbol in the series in which a share usually trades.
_REGULAR = "-EQ"


class BrokerIndex(Rows):
    """Lookups that an adapter needs. Uniqueness is (exchange, symbol) and (exchange, token): the
    same token may come twice on different exchanges."""

    def __init__(self, rows: Iterable[Instrument] = ()) -> None:
        super().__init__()
        self._by_symbol: Keyed[Key, Instrument] = Keyed()
        self._by_token: Keyed[Key, Instrument] = Keyed()
        self._load(rows)

    def load(self, rows: Iterable[Instrument]) -> list[Instrument]:
        """Replace all rows; large ones in a thread. Where two have one symbol or one token of an
        exchange, the first stays; of a share's series that have one symbol the regular one
        (``-EQ``). The others are left out and given back."""
        with uncollected():
            return self._load(rows)

    def _load(self, rows: Iterable[Instrument]) -> list[Instrument]:
        table: Keyed[Key, Instrument] = Keyed()
        by_symbol: Keyed[Key, Instrument] = Keyed()
        by_token: Keyed[Key, Instrument] = Keyed()
        twice: list[Instrument] = []
        shared: set[Key] = set()
        for row in gently(rows):
            exchange, token, brsymbol = row.exchange, row.token, row.brsymbol
            if token and by_token.setdefault((exchange, token), row) is not row:
                twice.append(row)
                continue
            first = table.setdefault((exchange, row.symbol), row)
            if first is not row:
                out = row
                if brsymbol.endswith(_REGULAR) and not first.brsymbol.endswith(_REGULAR):
                    out, table[exchange, row.symbol] = first, row
                    if by_symbol.get((exchange, first.brsymbol)) is first:
                        del by_symbol[exchange, first.brsymbol]
                if out.token:
                    del by_token[exchange, out.token]
                twice.append(out)
                if out is row:
                    continue
            if brsymbol:
                known = by_symbol.setdefault((exchange, brsymbol), row)
                if known is not row and row.symbol == brsymbol:
                    by_symbol[exchange, brsymbol] = row  # it bears the name, the other shares it
                elif known is not row:
                    shared.add((exchange, brsymbol))
        for key in shared:  # a name of several, and of none in particular, is nobody's
            if (one := by_symbol.get(key)) is not None and one.symbol != key[1]:
                del by_symbol[key]
        old = [*self._rows.parts(), *self._by_symbol.parts(), *self._by_token.parts()]
        self._rows, self._by_symbol, self._by_token = table, by_symbol, by_token
        let_go(old)
        return twice

    def by_brsymbol(self, brsymbol: str, exchange: str) -> Instrument | None:
        """The row of the broker's symbol."""
        return self._by_symbol.get((exchange, brsymbol))

    def by_token(self, token: str, exchange: str) -> Instrument | None:
        """The row of the broker's token."""
        return self._by_token.get((exchange, token))

    def found(self, brsymbol: str, token: str, exchange: str) -> Instrument | None:
        """The instrument of a book row, by token or by the broker's symbol."""
        row = self.by_token(token, exchange) if token else None
        return row or (self.by_brsymbol(brsymbol, exchange) if brsymbol else None)

    def unified(self, brsymbol: str, token: str, exchange: str) -> str:
        """Our symbol of a book row; the broker's text when the master does not know it."""
        row = self.found(brsymbol, token, exchange)
        return row.symbol if row is not None else brsymbol or token
