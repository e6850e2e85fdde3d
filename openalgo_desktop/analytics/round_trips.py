"""Executions into round trips, first in, first out. Pure.

One row for what an order closed in a day, as the statistics of the sandbox count, each by account,
mode, symbol and product. Positions that changed product are followed: a conversion that we know
carries its entries along; of others, what MIS left over from an earlier day closes with the
CNC or NRML order that has no entry of its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import TypeAlias

import msgspec

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Action, Mode, Product
from openalgo_desktop.core.symbols import parse
from openalgo_desktop.core.trade_journal import Because, Execution, RoundTrip

#: Mode, account, exchange, symbol, product.
BookKey: TypeAlias = tuple[Mode, str, str, str, Product]
_ZERO = Decimal(0)
_PAISA = Decimal("0.01")
_PRICE = Decimal("0.0001")


class _Lot(msgspec.Struct):
    """An entry that is still open, or what is left of it; ``cost`` are its charges a unit."""

    left: int
    price: Decimal
    at: datetime | None
    cost: Decimal
    strategy: str
    day: date


class _Book(msgspec.Struct):
    """One position: ``sign`` of what is open. ``average`` and ``realised`` are as an account that
    works with averages counts, since the position was last flat; ``taken`` as this journal does.
    A settlement tells its profit against the average."""

    lots: deque[_Lot]
    sign: int = 0
    quantity: int = 0
    average: Decimal = _ZERO
    realised: Decimal = _ZERO
    taken: Decimal = _ZERO


class _Sums(msgspec.Struct):
    """A round trip while its exit order fills."""

    quantity: int = 0
    paid: Decimal = _ZERO
    got: Decimal = _ZERO
    gross: Decimal = _ZERO
    charges: Decimal = _ZERO
    known: bool = True

    def enter(self, lots: Iterable[_Lot]) -> None:
        """Count entries that are closed."""
        for lot in lots:
            self.quantity += lot.left
            self.paid += lot.price * lot.left
            self.charges += lot.cost * lot.left


class RoundTrips:
    """Round trips in the order in which they were closed; executions are added oldest first."""

    def __init__(self) -> None:
        self.trips: list[RoundTrip] = []
        self._places: dict[str, int] = {}
        self._sums: dict[str, _Sums] = {}
        self._books: dict[BookKey, _Book] = {}

    def add(self, row: Execution) -> None:
        """Count an execution."""
        if row.because is Because.RESET:
            gone = [key for key in self._books if key[:2] == (row.mode, row.account_id)]
            for key in gone:
                del self._books[key]
            return
        key = (row.mode, row.account_id, row.exchange, row.symbol, row.product)
        if row.because is Because.CONVERTED:
            self._convert(key, row)
            return
        book = self._books.setdefault(key, _Book(deque()))
        if row.because is Because.SETTLED:
            self._settle(book, row)
            return
        sign = row.action.sign
        left = row.quantity
        if book.quantity and book.sign != sign:
            closed = min(left, book.quantity)
            self._close(book, row, closed)
            left -= closed
        elif not book.quantity and row.because is Because.TRADE:
            left -= self._close_converted(row, left)
        if left and row.product is Product.CNC and row.action is Action.SELL and not book.quantity:
            self._unknown_entry(row, left)
        elif left:
            _open(book, row, left)

    def expire(self, today: date) -> None:
        """Close what is still open in contracts that expired before ``today`` and of which nobody
        told a settlement: its result is not known."""
        for key, book in self._books.items():
            if not book.quantity:
                continue
            mode, account_id, exchange, symbol, product = key
            expiry = parse(symbol).expiry
            if expiry is None or expiry >= today:
                continue
            at = datetime(expiry.year, expiry.month, expiry.day, 15, 30, tzinfo=IST)
            trip_id = "|".join((f"{expiry}", "expired", *key))
            sums = self._sums_of(trip_id)
            sums.known = False
            sums.enter(book.lots)
            row = Execution(
                account_id=account_id, mode=mode, symbol=symbol, exchange=exchange,
                product=product, action=Action.SELL if book.sign > 0 else Action.BUY,
                quantity=book.quantity, price=_ZERO, at=at, because=Because.SETTLED,
            )  # fmt: skip
            self._show(trip_id, row, list(book.lots), priced=False)
            self._books[key] = _Book(deque())

    # -- closing ----------------------------------------------------------------------------
    def _close(self, book: _Book, row: Execution, quantity: int) -> None:
        """Take ``quantity`` units, which there are, from the oldest entries."""
        sums = self._sums_of(_trip_id(row))
        taken = _take(book, quantity)
        gross = sum(((row.price - lot.price) * lot.left for lot in taken), _ZERO)
        gross *= book.sign * row.multiplier
        sums.enter(taken)
        sums.got += row.price * quantity
        sums.gross += gross
        sums.charges += row.charges * quantity / row.quantity
        book.taken += gross
        book.realised += (row.price - book.average) * quantity * book.sign * row.multiplier
        _shrink(book, quantity)
        self._show(_trip_id(row), row, taken)

    def _settle(self, book: _Book, row: Execution) -> None:
        """Close all of a position whose profit is told."""
        if not book.quantity:
            return
        quantity, sign = book.quantity, book.sign
        gross = book.realised + row.profit - book.taken
        lots = _take(book, quantity)
        sums = self._sums_of(_trip_id(row))
        sums.enter(lots)
        sums.gross += gross
        sums.charges += row.charges
        sums.got += sums.paid + gross / row.multiplier * sign
        _shrink(book, quantity)
        self._show(_trip_id(row), msgspec.structs.replace(row, action=_against(sign)), lots)

    def _convert(self, key: BookKey, row: Execution) -> None:
        """Carry entries, as far as they are known, to the other product; what the account realised
        otherwise than this journal goes along by their share."""
        book = self._books.get(key)
        if row.to is None or book is None or not book.quantity or book.sign != row.action.sign:
            return
        other = self._books.setdefault((*key[:4], row.to), _Book(deque()))
        if other.quantity and other.sign != book.sign:
            return
        quantity = min(row.quantity, book.quantity)
        share = Decimal(quantity) / book.quantity
        paid = other.average * other.quantity + book.average * quantity
        day = row.at.astimezone(IST).date()
        other.lots += [msgspec.structs.replace(lot, day=day) for lot in _take(book, quantity)]
        other.quantity, other.sign = other.quantity + quantity, book.sign
        other.average = paid / other.quantity
        realised, taken = book.realised * share, book.taken * share
        other.realised, other.taken = other.realised + realised, other.taken + taken
        book.realised, book.taken = book.realised - realised, book.taken - taken
        _shrink(book, quantity)

    def _close_converted(self, row: Execution, quantity: int) -> int:
        """Units of ``row`` that close what MIS left over from an earlier day; it was converted."""
        if row.product is Product.MIS:
            return 0
        other = self._books.get((row.mode, row.account_id, row.exchange, row.symbol, Product.MIS))
        if other is None or not other.quantity or other.sign == row.action.sign:
            return 0
        day = row.at.astimezone(IST).date()
        old = sum(lot.left for lot in other.lots if lot.day < day)
        closed = min(old, quantity)
        if closed:
            self._close(other, row, closed)
        return closed

    def _unknown_entry(self, row: Execution, quantity: int) -> None:
        sums = self._sums_of(_trip_id(row))
        sums.known = False
        sums.quantity += quantity
        sums.got += row.price * quantity
        sums.charges += row.charges * quantity / row.quantity
        self._show(_trip_id(row), row, [])

    # -- rows -------------------------------------------------------------------------------
    def _sums_of(self, trip_id: str) -> _Sums:
        return self._sums.setdefault(trip_id, _Sums())

    def _show(self, trip_id: str, row: Execution, lots: list[_Lot], *, priced: bool = True) -> None:
        """Write the round trip as its sums stand; ``lots`` are the entries just closed."""
        sums, place = self._sums[trip_id], self._places.get(trip_id)
        before = None if place is None else self.trips[place]
        entries = [lot.at for lot in lots if lot.at is not None]
        entry_at = min(entries, default=None) if len(entries) == len(lots) else None
        strategy = next((lot.strategy for lot in lots if lot.strategy), row.strategy)
        if before is not None:
            entry_at, strategy = before.entry_at, before.strategy
        has_entry = sums.known or not priced
        trip = RoundTrip(
            trip_id=trip_id,
            account_id=row.account_id,
            mode=row.mode,
            symbol=row.symbol,
            exchange=row.exchange,
            product=row.product,
            side=Action.BUY if row.action is Action.SELL else Action.SELL,
            quantity=sums.quantity,
            entry_price=_mean(sums.paid, sums.quantity) if has_entry else None,
            exit_price=_mean(sums.got, sums.quantity) if priced else None,
            entry_at=entry_at,
            exit_at=row.at,
            gross=sums.gross.quantize(_PAISA) if sums.known else None,
            charges=sums.charges.quantize(_PAISA),
            strategy=strategy,
            settled=row.because is Because.SETTLED,
        )
        if place is None:
            self._places[trip_id] = len(self.trips)
            self.trips.append(trip)
        else:
            self.trips[place] = trip


def round_trips(rows: Iterable[Execution], today: date) -> list[RoundTrip]:
    """All round trips of executions, oldest first."""
    made = RoundTrips()
    for row in rows:
        made.add(row)
    made.expire(today)
    return made.trips


def _trip_id(row: Execution) -> str:
    """Stable: notes hang on it. An order id is good for one day only."""
    day = row.at.astimezone(IST).date()
    ref = row.order_id or f"{row.because.value} {row.at.astimezone(IST):%H:%M:%S.%f}"
    parts = (row.mode.value, row.account_id, row.exchange, row.symbol, row.product.value)
    return "|".join((day.isoformat(), ref, *parts))


def _against(sign: int) -> Action:
    return Action.SELL if sign > 0 else Action.BUY


def _mean(value: Decimal, quantity: int) -> Decimal:
    return (value / quantity).quantize(_PRICE)


def _open(book: _Book, row: Execution, quantity: int) -> None:
    known = row.because is Because.TRADE
    cost = row.charges / row.quantity
    at = row.at if known else None
    day = row.at.astimezone(IST).date()
    book.lots.append(_Lot(quantity, row.price, at, cost, row.strategy, day))
    held = book.quantity + quantity
    book.average = (book.average * book.quantity + row.price * quantity) / held
    book.quantity, book.sign = held, row.action.sign


def _take(book: _Book, quantity: int) -> list[_Lot]:
    """Remove ``quantity`` units from the oldest entries; what was taken of each."""
    taken: list[_Lot] = []
    while quantity:
        lot = book.lots[0]
        size = min(lot.left, quantity)
        taken.append(msgspec.structs.replace(lot, left=size))
        quantity -= size
        lot.left -= size
        if not lot.left:
            book.lots.popleft()
    return taken


def _shrink(book: _Book, quantity: int) -> None:
    book.quantity -= quantity
    if not book.quantity:
        book.sign = 0
        book.average = book.realised = book.taken = _ZERO
