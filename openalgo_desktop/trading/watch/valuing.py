"""What is held in an own book and what it gave today, of all of it or of a label, worked out in
turns of the loop: a thousand positions must not hold up a stop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from math import fsum

import msgspec

from openalgo_desktop.core.enums import Product
from openalgo_desktop.core.model import Key, Position
from openalgo_desktop.trading.books import in_turns
from openalgo_desktop.trading.ownbook import OwnBook, PositionKey
from openalgo_desktop.trading.watch.shelf import TURN

Price = Callable[[Key], float | None]


class BookMoves(Exception):
    """The book changed while it was walked."""


async def value(book: OwnBook, label: str, price: Price) -> float | None:
    """Rupees, as :meth:`OwnBook.day_profit` or :meth:`OwnBook.strategy_profit` gives them of a book
    that stands still; None where the price of something held is not known. Raises
    :class:`BookMoves`."""
    rupees: list[float] = []
    async for part in _parts(book, label):
        for place in part:
            found = _worth(book, label, place, price)
            if found is None:
                return None
            rupees += found
    return fsum(rupees)


async def held(book: OwnBook, label: str) -> set[Key]:
    """Instruments of which something is held. Raises :class:`BookMoves`."""
    found: set[Key] = set()
    async for part in _parts(book, label):
        found.update(place[:2] for place in part if _units(book, label, place))
    return found


def holds(book: OwnBook, label: str, key: Key) -> bool:
    """Whether something is held of one instrument."""
    return any(_units(book, label, (*key, product)) for product in Product)


async def _parts(book: OwnBook, label: str) -> AsyncIterator[Sequence[PositionKey]]:
    """The places of a book in turns, while it is the same one and no update came."""
    positions, nets, changes = book.positions, book.strategies.get(label), book.changes
    places = tuple(nets or ()) if label else tuple(positions)
    async for part in in_turns(places, TURN):
        same = book.positions is positions and book.strategies.get(label) is nets
        if not same or book.changes != changes:
            raise BookMoves
        yield part


def _units(book: OwnBook, label: str, place: PositionKey) -> int:
    rows = book.strategies.get(label, {}) if label else book.positions
    row = rows.get(place)
    return 0 if row is None else row.quantity


def worth(row: Position, last: float) -> float:
    """What a position gave today at a price, rupees."""
    return msgspec.structs.replace(row, ltp=last).pnl if row.quantity else row.realised_today


def _worth(book: OwnBook, label: str, place: PositionKey, price: Price) -> tuple[float, ...] | None:
    """What one position gave today, rupees, in parts; None while its price is not known."""
    key = place[:2]
    last = price(key) if _units(book, label, place) else 0.0
    if last is None:
        return None
    if not label:
        return (worth(book.positions[place], last),)
    net = book.strategies[label][place]
    return (net.realised, book.open_profit(place, net, last)) if net.quantity else (net.realised,)
