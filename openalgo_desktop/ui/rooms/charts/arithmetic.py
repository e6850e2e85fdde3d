"""Arithmetic of symbols on a chart: what its names mean, how it is shown, kept and read again."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import msgspec
import numpy as np

from openalgo_desktop.core.charting.columns import Floats
from openalgo_desktop.core.charting.legs.expression import Expression
from openalgo_desktop.core.charting.legs.parser import parse
from openalgo_desktop.core.enums import Exchange
from openalgo_desktop.core.errors import DataError
from openalgo_desktop.core.model import Key

if TYPE_CHECKING:
    from openalgo_desktop.ui.rooms.charts.cell import ChartCell

#: Exchange of the key under which what belongs to arithmetic is kept.
NO_EXCHANGE = "="
#: Decimals of a quotient of prices while none is known, and of one at most.
RATIO_PLACES, MOST_PLACES = 5, 10
_FIRST = (Exchange.NSE_INDEX, Exchange.NSE, Exchange.NFO, Exchange.BSE_INDEX)
#: Where a symbol without an exchange is looked for, in this order.
EXCHANGES = (*_FIRST, *(one for one in Exchange if one not in _FIRST))
#: Whether there is an instrument.
Has: TypeAlias = Callable[[Key], bool]


def find(name: str, has: Has, here: str = "") -> Key | None:
    """The instrument that a name means: with its exchange before a colon, of the exchange
    ``here``, or of the first that has it."""
    exchange, colon, symbol = name.upper().rpartition(":")
    places = (exchange,) if colon else (*([here] if here else ()), *EXCHANGES)
    return next(((str(one), symbol) for one in places if has((str(one), symbol))), None)


def read(text: str, has: Has, here: str = "") -> Expression:
    """The arithmetic of a chart ``here``. Its text has the exchange before each name that would
    mean something else on a chart of nothing, so that equal titles are equal arithmetic. Raises
    :class:`DataError` that names the place."""
    found = parse(text, lambda name: find(name, has, here))
    for quote in ("", '"'):  # names with signs in them may need quotes beside signs

        def name(key: Key, quote: str = quote) -> str:
            plain = find(key[1], has) == key
            return f"{quote}{key[1] if plain else f'{key[0]}:{key[1]}'}{quote}"

        shown = found.written(name)
        try:
            if parse(shown, lambda one: find(one, has)).root == found.root:
                break
        except DataError:
            continue
    return msgspec.structs.replace(found, text=shown)


def places_of(values: Floats, least: int = 2) -> int:
    """Decimals that show five digits of most of the values of a quotient or product."""
    known = np.abs(values[np.isfinite(values) & (values != 0.0)])
    if not len(known):
        return RATIO_PLACES
    return min(MOST_PLACES, max(least, 4 - math.floor(math.log10(float(np.median(known))))))


class Arithmetic:
    """That of one chart. What was kept and cannot be read, because a leg has expired or the
    symbols are not loaded, is said, kept on, and tried again when symbols were loaded."""

    def __init__(self, cell: ChartCell) -> None:
        self._cell = cell
        self._kept = ""  # what could not be read
        cell.listen(cell.bridge.instruments_loaded, lambda _count: self._try_again())
        cell.subject_changed.connect(self._forget)

    def _has(self, key: Key) -> bool:
        return self._cell.bridge.instrument(key) is not None

    def known(self, name: str) -> Key | None:
        """The instrument that a name means on this chart."""
        here = self._cell.key
        return find(name, self._has, "" if here is None else here[0])

    def read(self, text: str) -> Expression:
        """What is typed over this chart. Raises :class:`DataError` that names the place."""
        here = self._cell.key
        return read(text, self._has, "" if here is None else here[0])

    @property
    def key(self) -> Key | None:
        """Under which drawings and studies of it are kept: one that no instrument has."""
        now = self._cell.expression
        return None if now is None else (NO_EXCHANGE, now.identity)

    def straddle(self) -> tuple[str, str] | None:
        """Call and put of the strike of the chart's option, or at the money of its instrument:
        as it is shown, and as it is meant."""
        cell = self._cell
        pair = cell.bridge.chains.pair(cell.key) if cell.key is not None else None
        if pair is None:
            return None
        legs = (pair.call, pair.put)
        meant = "+".join(f'"{row.exchange}:{row.symbol}"' for row in legs)
        return "+".join(row.symbol for row in legs), meant

    def places(self, closes: Floats | None = None) -> int:
        """Decimals of its prices: those of the legs; of a quotient or a product by its size, where
        that is known."""
        now, bridge = self._cell.expression, self._cell.bridge
        if now is None:
            return 2
        if now.linear is not None:
            return max(bridge.places(key) for key in now.keys)
        return RATIO_PLACES if closes is None else places_of(closes)

    # -- state ------------------------------------------------------------------------------
    def save(self) -> str:
        """Each leg with its exchange, whatever the chart shows when it is read again."""
        now = self._cell.expression
        return self._kept if now is None else now.identity

    def restore(self, text: str) -> None:
        """Show it. Names without an exchange, of earlier versions, are as on a chart of nothing."""
        cell = self._cell
        try:
            cell.show_arithmetic(read(text, self._has))
        except DataError as error:
            self._kept = text
            said = f"{text.replace(chr(34), '')} cannot be shown. {error.message}"
            cell.bridge.notice.emit("warning", f"Chart: {said}")
            if cell.key is None and cell.expression is None:
                cell.empty.show(True, said)

    def _try_again(self) -> None:
        kept, self._kept = self._kept, ""
        if kept:
            self.restore(kept)

    def _forget(self) -> None:
        """The chart shows something else."""
        self._kept = ""
