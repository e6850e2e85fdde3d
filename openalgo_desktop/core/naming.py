"""Instruments as people name them: ``NIFTY 02 DEC 24,400 CE`` for ``NIFTY02DEC2624400CE``.

Shares and indices keep their symbol. An option always tells its day, a future only where its
underlying has another one in that month; the year is told when the month is not one of the
twelve from now on (``28 DEC '27``). The contract's symbol stays what is copied and sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import NamedTuple

from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument, Key
from openalgo_desktop.core.money import group_indian, group_western, plain
from openalgo_desktop.core.symbols import MONTHS, ParsedSymbol, parse
from openalgo_desktop.core.symbols import contracts as contracts_in

#: How digits are grouped: a plain number as text in, with commas out.
Grouping = Callable[[str], str]

_FUTURE = "FUT"


class Name(NamedTuple):
    """``full`` is for lists and messages, ``short`` for places that name the underlying already
    (``02 DEC 24,400 CE``, ``DEC FUT``); of a share both are its symbol. ``rank`` sorts by
    underlying, expiry, strike and kind: the symbol would put a DEC before a NOV."""

    full: str
    short: str
    underlying: str
    rank: tuple[str, int, float, str]


def expiry_text(expiry: date, today: date, day: bool = True) -> str:
    """``02 DEC``, or ``DEC`` without the ``day``; with ``'27`` behind it where the month is not
    one of the twelve that begin with that of ``today``."""
    month = MONTHS[expiry.month - 1]
    ahead = 12 * (expiry.year - today.year) + expiry.month - today.month
    year = "" if 0 <= ahead < 12 else f" '{expiry.year % 100:02d}"
    return f"{expiry.day:02d} {month}{year}" if day else f"{month}{year}"


def _parts(instrument: Instrument) -> ParsedSymbol:
    """The fields of a row; its symbol is read only where they are missing."""
    kind, expiry, name = instrument.instrument_type, instrument.expiry, instrument.name
    if kind not in ("CE", "PE", _FUTURE) or expiry is None or not name:
        return parse(instrument.symbol)
    if instrument.is_option and instrument.strike <= 0:
        return parse(instrument.symbol)
    return ParsedSymbol(name, kind, expiry, instrument.strike)


def _name(parts: ParsedSymbol, today: date, siblings: Iterable[date], grouping: Grouping) -> Name:
    base, kind, expiry, strike = parts
    if expiry is None:
        return Name(base, base, base, (base, 0, 0.0, ""))
    if kind == _FUTURE:
        month = (expiry.year, expiry.month)
        crowded = any((day.year, day.month) == month and day != expiry for day in siblings)
        short = f"{expiry_text(expiry, today, day=crowded)} {kind}"
    else:
        short = f"{expiry_text(expiry, today)} {grouping(plain(strike))} {kind}"
    return Name(f"{base} {short}", short, base, (base, expiry.toordinal(), strike, kind))


def name_of(
    instrument: Instrument,
    today: date,
    siblings: Iterable[date] = (),
    grouping: Grouping = group_indian,
) -> Name:
    """The name of a row of the symbol master. ``siblings`` are the expiries of all futures of
    its underlying: with two in one month the day tells which."""
    return _name(_parts(instrument), today, siblings, grouping)


def name_of_symbol(symbol: str, today: date, grouping: Grouping = group_indian) -> Name:
    """The name of a symbol that the master does not have (any more)."""
    return _name(parse(symbol), today, (), grouping)


class Names:
    """Names by (exchange, symbol), each made once a day; a look-up costs a microsecond.

    :meth:`forget` is for a new symbol master or another grouping.
    """

    def __init__(self, instruments: InstrumentTable, clock: Clock) -> None:
        self._instruments = instruments
        self._clock = clock
        self._grouping: Grouping = group_indian
        self._known: dict[Key, Name] = {}
        self._today = clock.now().date()

    def group(self, setting: str) -> None:
        """Group strikes ``indian`` (1,20,000) or ``western`` (120,000)."""
        self._grouping = group_western if setting == "western" else group_indian
        self.forget()

    def forget(self) -> None:
        """Make all names anew when they are asked for."""
        self._known.clear()

    def of(self, key: Key) -> Name:
        """The name of an instrument; one that the master does not have is read from its symbol."""
        today = self._clock.now().date()
        if today != self._today:
            self._today = today
            self.forget()
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._made(key, today)
        return found

    def full(self, key: Key) -> str:
        """``NIFTY 02 DEC 24,400 CE``."""
        return self.of(key).full

    def spoken(self, text: str) -> str:
        """A sentence with the contracts in it as people name them."""
        return contracts_in(
            text,
            lambda symbol: name_of_symbol(symbol, self._clock.now().date(), self._grouping).full,
        )

    def _made(self, key: Key, today: date) -> Name:
        row = self._instruments.get(key)
        if row is None:
            return name_of_symbol(key[1], today, self._grouping)
        crowd: list[date] = []
        if row.instrument_type == _FUTURE and row.expiry is not None:
            since = min(today, row.expiry.replace(day=1))
            crowd = self._instruments.expiries(row.name, row.exchange, True, since)
        return name_of(row, today, crowd, self._grouping)
