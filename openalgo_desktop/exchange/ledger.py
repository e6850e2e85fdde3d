"""The money of a paper account: cash, reserve, and an entry for every rupee that moves.

Amounts are Decimal rupees, rounded to the paisa once, when the entry is made.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

import msgspec

from openalgo_desktop.core.money import PRICE_PLACES

ZERO = Decimal(0)
_PAISA = Decimal("0.01")
_PRICE = Decimal(1).scaleb(-PRICE_PLACES)


def exact_price(value: Decimal) -> Decimal:
    """A price or an average with the decimals of any instrument: :func:`core.money.priced`
    for the ledger."""
    return value.quantize(_PRICE, ROUND_HALF_UP)


def paise(amount: Decimal) -> Decimal:
    """Rounded to the paisa, halves away from zero."""
    return amount.quantize(_PAISA, ROUND_HALF_UP)


def decimal(number: float | int | str | Decimal) -> Decimal:
    """The decimal that the number prints as: 800.05 is exactly 800.05."""
    return number if isinstance(number, Decimal) else Decimal(str(number))


class EntryKind(StrEnum):
    """Why money moved."""

    CAPITAL = "capital"  # start, reset, change of the starting capital
    BLOCK = "block"  # cash to reserve: margin of an order or a GTT
    RELEASE = "release"  # reserve to cash
    PREMIUM = "premium"  # cash to reserve (and back): premium of a bought option
    REALISED = "realised"  # profit or loss of what was closed
    CHARGE = "charge"
    SETTLEMENT = "settlement"  # price of delivered shares paid (-) or received (+)


#: ``ref`` of the CAPITAL entry with which an account starts over: what it held is gone.
STARTS_OVER = "starts over"

#: Entries that change what the account is worth by other than prices.
_RESULTS = frozenset({EntryKind.CAPITAL, EntryKind.REALISED, EntryKind.CHARGE})


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One movement: ``cash`` and ``reserve`` change by these rupees. ``ref`` is the order, trade
    or position it belongs to."""

    number: int
    at: datetime
    kind: EntryKind
    cash: Decimal
    reserve: Decimal
    ref: str = ""


class Ledger:
    """Balances and the entries they are the sum of. Entries not yet stored wait in ``fresh``;
    capital, realised profit and charges stay in ``results`` for the statistics."""

    def __init__(self) -> None:
        self.cash = ZERO
        self.reserved = ZERO
        self.number = 0
        self.totals: dict[EntryKind, Decimal] = {}
        self.fresh: list[Entry] = []
        self.results: list[Entry] = []

    def load(self, entries: Iterable[Entry]) -> None:
        """Start from stored entries."""
        for entry in entries:
            self._add(entry)

    def _add(self, entry: Entry) -> None:
        self.cash += entry.cash
        self.reserved += entry.reserve
        self.number = max(self.number, entry.number)
        self.totals[entry.kind] = self.totals.get(entry.kind, ZERO) + entry.cash
        if entry.kind in _RESULTS:
            self.results.append(entry)

    def post(
        self,
        at: datetime,
        kind: EntryKind,
        cash: Decimal,
        reserve: Decimal = ZERO,
        ref: str = "",
    ) -> None:
        """Move money. Rounds to the paisa; nothing is written for nothing, but for a trade that
        was closed without profit or loss: the statistics count it."""
        cash, reserve = paise(cash), paise(reserve)
        if not cash and not reserve and kind is not EntryKind.REALISED:
            return
        entry = Entry(self.number + 1, at, kind, cash, reserve, ref)
        self._add(entry)
        self.fresh.append(entry)

    def block(self, at: datetime, amount: Decimal, ref: str, *, premium: bool = False) -> None:
        """Cash to reserve; a negative amount goes back."""
        kind = EntryKind.PREMIUM if premium else EntryKind.BLOCK
        if amount < 0 and not premium:
            kind = EntryKind.RELEASE
        self.post(at, kind, -amount, amount, ref)
