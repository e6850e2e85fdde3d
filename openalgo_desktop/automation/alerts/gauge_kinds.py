"""The kinds of gauges: what each stands on, how it is read and how often."""

from __future__ import annotations

from collections.abc import Callable, Collection
from math import fsum, isfinite, nan
from typing import Protocol

from openalgo_desktop.automation.alerts.ports import Options
from openalgo_desktop.core.alert_subjects import (
    FIGURE_WORDS,
    Figure,
    OfCombination,
    OfResult,
    ResultOf,
)
from openalgo_desktop.core.charting.legs import Expression, parse
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import Mode, Product
from openalgo_desktop.core.errors import DataError, InvalidOrder
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ports import InstrumentLookup
from openalgo_desktop.trading.ownbook import OwnBook
from openalgo_desktop.trading.watch import valuing

#: Price of an instrument in rupees; None while it is not known.
LastPrice = Callable[[Key], float | None]


class Kind(Protocol):
    """One gauge. ``rounds``: it is read in each so many rounds. ``mode`` is set where it stands on
    the book of a mode, ``solves`` are options that are solved before."""

    @property
    def rounds(self) -> int: ...
    @property
    def mode(self) -> Mode | None: ...
    @property
    def solves(self) -> tuple[Key, ...]: ...
    def keys(self) -> Collection[Key]:
        """Instruments whose prices it stands on now."""

    async def read(self) -> float:
        """Its value; NaN while it is not known."""

    def trouble(self) -> str:
        """Why it is not known."""


def formula(source: OfCombination, instruments: InstrumentLookup) -> Expression:
    """What a combination is. Raises :class:`InvalidOrder` that names the place."""

    def known(name: str) -> Key | None:
        exchange, colon, symbol = name.partition(":")
        key = (exchange, symbol)
        return key if colon and instruments.get(key) is not None else None

    try:
        return parse(source.formula, known)
    except DataError as error:
        raise InvalidOrder(error.message, field="subject") from None


class Combination:
    """The price of a formula."""

    rounds, mode, solves = 1, None, ()

    def __init__(self, expression: Expression, price: LastPrice) -> None:
        self._expression = expression
        self._price = price

    def keys(self) -> Collection[Key]:
        """Its legs."""
        return self._expression.keys

    async def read(self) -> float:
        """Known while each leg is."""
        prices = {key: self._price(key) for key in self._expression.keys}
        if None in prices.values():
            return nan
        value = float(self._expression.value(lambda key: prices[key] or nan))
        return value if isfinite(value) else nan

    def trouble(self) -> str:
        """The first leg that is not known."""
        for key in self._expression.keys:
            if self._price(key) is None:
                return f"There is no fresh price of {key[1]}."
        return "It has no value."


class Price:
    """The last price, beside another gauge."""

    rounds, mode, solves = 1, None, ()

    def __init__(self, key: Key, price: LastPrice) -> None:
        self._key = key
        self._price = price

    def keys(self) -> Collection[Key]:
        """The instrument."""
        return (self._key,)

    async def read(self) -> float:
        """Rupees."""
        found = self._price(self._key)
        return nan if found is None else found

    def trouble(self) -> str:
        """It is not known."""
        return f"There is no fresh price of {self._key[1]}."


class Greek:
    """A figure of an option."""

    rounds, mode = 10, None

    def __init__(self, key: Key, figure: Figure, options: Options) -> None:
        self._key = key
        self._figure = figure
        self._options = options
        self.solves = (key,)

    def keys(self) -> Collection[Key]:
        """The option, and what its figures rest on."""
        source = self._options.source(self._key)
        return (self._key,) if source is None else (self._key, source)

    async def read(self) -> float:
        """As solved before."""
        found = self._options.of(self._key)
        if found is None:
            return nan
        values = {
            Figure.DELTA: found.delta,
            Figure.GAMMA: found.gamma,
            Figure.THETA: found.theta,
            Figure.VEGA: found.vega,
            Figure.IV: found.iv,
        }
        value = values[self._figure]
        return nan if value is None else value

    def trouble(self) -> str:
        """Nobody knows it."""
        return (
            f"{FIGURE_WORDS[self._figure]} is not known: it needs fresh prices of the option and "
            "of its underlying, and time value."
        )


class Result:
    """Today's result of an account, of an instrument or of a strategy."""

    rounds, solves = 5, ()

    def __init__(
        self,
        clock: Clock,
        key: Key,
        source: OfResult,
        book: Callable[[Mode], OwnBook],
        price: LastPrice,
    ) -> None:
        self._clock = clock
        self._key = key
        self._source = source
        self._book = book
        self._price = price
        self._held: set[Key] = set()
        self._trouble = ""
        self.mode: Mode | None = source.mode

    def keys(self) -> Collection[Key]:
        """What is held, as it was last read."""
        return self._held

    async def read(self) -> float:
        """Rupees. Not known while the account does not serve the mode, its book was not read yet,
        or a price of what is held is missing."""
        book, source = self._book(self._source.mode), self._source
        self._trouble = ""
        if book.account_id != source.account:
            self._held = set()
            self._trouble = f"The account {source.account} is not the {source.mode.value} one now."
            return nan
        if book.day != self._clock.now().date():
            self._trouble = f"The books of {source.account} were not read today yet."
            return nan
        try:
            found = await self._value(book)
        except valuing.BookMoves:
            return nan  # the update that moved it has it read again
        if found is None:
            self._trouble = "The price of something held is not known."
            return nan
        return found

    async def _value(self, book: OwnBook) -> float | None:
        source = self._source
        if source.of is not ResultOf.SYMBOL:
            self._held = await valuing.held(book, source.strategy)
            return await valuing.value(book, source.strategy, self._price)
        rows = [row for product in Product if (row := book.positions.get((*self._key, product)))]
        self._held = {self._key} if any(row.quantity for row in rows) else set()
        price = self._price(self._key) if self._held else 0.0
        if price is None:
            return None
        return fsum(valuing.worth(row, price) for row in rows)

    def trouble(self) -> str:
        """Why it is not known."""
        return self._trouble or "It is being read."
