"""Trading sessions, weekends and holidays. Pure: the holiday list is handed in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta

import msgspec

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.errors import ConfigError

#: Regular windows, IST, in the order of the timings endpoint.
_CASH = (time(9, 15), time(15, 30))
_FNO = (time(9, 15), time(15, 40))
_CURRENCY = (time(9, 0), time(17, 0))
_COMMODITY = (time(9, 0), time(23, 55))
_ALWAYS = (time(0, 0), time(23, 59, 59))
REGULAR_SESSIONS: dict[str, tuple[time, time]] = {
    "NSE": _CASH,
    "BSE": _CASH,
    "NFO": _FNO,
    "BFO": _FNO,
    "MCX": _COMMODITY,
    "BCD": _CURRENCY,
    "CDS": _CURRENCY,
    "NCO": _COMMODITY,
    "CRYPTO": _ALWAYS,
}
#: Segments whose hours are those of another one.
_SAME_HOURS = {
    "NSE_INDEX": "NSE",
    "BSE_INDEX": "BSE",
    "MCX_INDEX": "MCX",
    "NCDEX": "MCX",
    "GLOBAL_INDEX": "CRYPTO",
}
SATURDAY = 5
#: ``Holiday.holiday_type`` of a day with sessions of its own.
SPECIAL, SETTLEMENT = "SPECIAL_SESSION", "SETTLEMENT_HOLIDAY"


#: An opening and a closing moment (aware, IST).
Window = tuple[datetime, datetime]


class Opening(msgspec.Struct, frozen=True, array_like=True):
    """A special window of one exchange, ``HH:MM`` IST."""

    exchange: str
    start: str
    end: str


class Holiday(msgspec.Struct, frozen=True):
    """A day that is not regular. ``holiday_type`` is TRADING_HOLIDAY, SETTLEMENT_HOLIDAY or
    SPECIAL_SESSION; ``open`` are the windows of exchanges that trade nevertheless. On a day of
    special sessions those that are not named are closed, unless ``others_regular``."""

    date: date
    description: str
    holiday_type: str
    closed: tuple[str, ...] = ()
    open: tuple[Opening, ...] = ()
    others_regular: bool = False


class _HolidayFile(msgspec.Struct):
    holidays: list[Holiday]


class MarketCalendar:
    """Answers when an exchange trades: the one owner of sessions. Days without an entry follow
    the regular windows; the user's own days (:meth:`amend`) stand above the listed ones."""

    def __init__(self, holidays: Iterable[Holiday] = ()) -> None:
        self._listed = {day.date: day for day in holidays}
        self._days = self._listed

    def amend(self, own: Iterable[Holiday]) -> None:
        """Take the user's own days, in place of those taken before; of two entries of one day
        the later adds its sessions to the first."""
        days = dict(self._listed)
        for day in own:
            days[day.date] = _joined(days.get(day.date), day)
        self._days = days

    @classmethod
    def from_json(cls, text: str | bytes) -> MarketCalendar:
        """From the text of ``calendar/holidays.json``; raises :class:`ConfigError`."""
        return cls(days_of_file(text))

    def holidays(self, year: int) -> list[Holiday]:
        """Entries of a year, ascending."""
        return sorted(
            (d for d in self._days.values() if d.date.year == year),
            key=lambda holiday: holiday.date,
        )

    def day(self, day: date) -> Holiday | None:
        """What is listed for a day; None on a regular one."""
        return self._days.get(day)

    def session(self, exchange: str, day: date) -> Window | None:
        """First opening and last closing moment (aware, IST) of that day, or None when it is
        closed. A day may have a pause between (:meth:`windows`)."""
        found = self.windows(exchange, day)
        return (found[0][0], found[-1][1]) if found else None

    def windows(self, exchange: str, day: date) -> Sequence[Window]:
        """The sessions of a day, first ones first: on a Saturday on which exchanges try their
        second site there are two, with an hour or more between them."""
        name = _SAME_HOURS.get(exchange, exchange)
        regular = REGULAR_SESSIONS.get(name)
        if regular is None:
            return ()
        if name == "CRYPTO":
            return (_window(day, *regular),)
        special = self._days.get(day)
        if special is not None:
            listed = "MCX" if name == "NCO" else name
            openings = [row for row in special.open if row.exchange == listed]
            if openings:
                return sorted(self.opening(day, row) for row in openings)
            alone = special.holiday_type == SPECIAL and not special.others_regular
            if listed in special.closed or alone:
                return ()
        return () if day.weekday() >= SATURDAY else (_window(day, *regular),)

    @staticmethod
    def regular_session(exchange: str, day: date) -> Window | None:
        """The hours of a normal day, whatever the calendar says of ``day``; None for an exchange
        without regular hours."""
        regular = REGULAR_SESSIONS.get(_SAME_HOURS.get(exchange, exchange))
        return None if regular is None else _window(day, *regular)

    @staticmethod
    def opening(day: date, opening: Opening) -> Window:
        """The moments of a special window."""
        return _window(day, time.fromisoformat(opening.start), time.fromisoformat(opening.end))

    def is_trading_day(self, day: date, exchange: str = "NSE") -> bool:
        """Whether the exchange has a session of at least half the regular length: an hour of
        Muhurat trading makes no trading day, a full session on a Saturday does."""
        windows = self.windows(exchange, day)
        special = self._days.get(day)
        if not windows or special is None or special.holiday_type != SPECIAL:
            return bool(windows)
        regular = _window(day, *REGULAR_SESSIONS[_SAME_HOURS.get(exchange, exchange)])
        traded = sum((end - start for start, end in windows), timedelta())
        return 2 * traded >= regular[1] - regular[0]

    def from_open(self, exchange: str, day: date, at: time) -> datetime:
        """When on ``day`` comes what regularly comes at ``at``, counted from the opening: on a
        day that opens at 17:00 what is due 15 minutes after the opening comes at 17:15. Without
        a session it is that time of the day."""
        window, moment = self.session(exchange, day), datetime.combine(day, at, IST)
        if window is None:
            return moment
        regular = _window(day, *REGULAR_SESSIONS[_SAME_HOURS.get(exchange, exchange)])
        return moment + (window[0] - regular[0])

    def to_close(self, exchange: str, day: date, at: time) -> datetime:
        """The same counted from the close (square-off, cut-off, last entry), but never before
        the opening."""
        window, moment = self.session(exchange, day), datetime.combine(day, at, IST)
        if window is None:
            return moment
        regular = _window(day, *REGULAR_SESSIONS[_SAME_HOURS.get(exchange, exchange)])
        return max(window[0], moment + (window[1] - regular[1]))

    def next_trading_day(self, day: date, exchange: str = "NSE") -> date:
        """The first trading day after ``day``."""
        return self._step(day, exchange, 1)

    def previous_trading_day(self, day: date, exchange: str = "NSE") -> date:
        """The last trading day before ``day``."""
        return self._step(day, exchange, -1)

    def _step(self, day: date, exchange: str, step: int) -> date:
        if _SAME_HOURS.get(exchange, exchange) not in REGULAR_SESSIONS:
            raise ConfigError(f"Exchange {exchange} has no calendar.")
        day += timedelta(days=step)
        while not self.is_trading_day(day, exchange):
            day += timedelta(days=step)
        return day

    def is_open(self, exchange: str, moment: datetime) -> bool:
        """Whether the exchange trades at ``moment`` (aware); the closing moment is closed."""
        local = moment.astimezone(IST)
        return any(start <= local < end for start, end in self.windows(exchange, local.date()))

    def all_closed(self, moment: datetime) -> bool:
        """Whether none of the exchanges that close at all trades at ``moment`` (aware)."""
        hours = REGULAR_SESSIONS.items()
        return not any(self.is_open(name, moment) for name, window in hours if window != _ALWAYS)

    def timings(self, day: date) -> list[tuple[str, datetime, datetime]]:
        """All exchanges that trade on ``day`` with their windows; on a listed day only those that
        its entry names."""
        special = self._days.get(day)
        names: Iterable[str] = REGULAR_SESSIONS
        if special is not None and not special.others_regular:
            names = dict.fromkeys(opening.exchange for opening in special.open)
        return [(name, *window) for name in names for window in self.windows(name, day)]


def _window(day: date, start: time, end: time) -> Window:
    """A session that ends at or before its start ends on the next day."""
    last = day if end > start else day + timedelta(days=1)
    return datetime.combine(day, start, IST), datetime.combine(last, end, IST)


def _joined(known: Holiday | None, day: Holiday) -> Holiday:
    """An own day over what is listed for it: own sessions in place of those of the exchange."""
    if known is None or day.holiday_type != SPECIAL:
        return day
    named = {opening.exchange for opening in day.open}
    kept = tuple(opening for opening in known.open if opening.exchange not in named)
    closed = tuple(name for name in known.closed if name not in named)
    return msgspec.structs.replace(known, closed=closed, open=kept + day.open)


def days_of_file(text: str | bytes) -> list[Holiday]:
    """The days of a calendar file; raises :class:`ConfigError` that says what is wrong."""
    try:
        days = msgspec.json.decode(text, type=_HolidayFile).holidays
        for day in days:
            for opening in day.open:
                MarketCalendar.opening(day.date, opening)
    except (msgspec.DecodeError, ValueError) as error:
        raise ConfigError(
            f"The holiday calendar cannot be read: {error}", detail=str(error)
        ) from None
    return days


def own_holidays(text: str) -> list[Holiday]:
    """Holidays as a user writes them: ``2027-03-12; 2027-03-15 NSE BSE`` (without exchanges all
    but CRYPTO are closed). Raises :class:`ConfigError` that names the entry."""
    found = []
    for entry, day, words in _entries(text):
        names = words or [name for name in REGULAR_SESSIONS if name != "CRYPTO"]
        _known_exchanges(entry, names)
        found.append(Holiday(day, "Own holiday", "TRADING_HOLIDAY", closed=tuple(names)))
    return found


def own_sessions(text: str) -> list[Holiday]:
    """Special sessions as a user writes them: ``2027-02-06 NSE NFO 09:15-15:30``, separated by
    semicolons; an exchange may have several that day, others stay as they are. Raises
    :class:`ConfigError`."""
    found: dict[date, tuple[Opening, ...]] = {}
    for entry, day, words in _entries(text):
        start, dash, end = words[-1].partition("-") if words else ("", "", "")
        names = words[:-1]
        _known_exchanges(entry, names)
        openings = tuple(Opening(name, start, end) for name in names)
        try:
            if not (dash and openings):
                raise ValueError(entry)
            for opening in openings:
                MarketCalendar.opening(day, opening)
        except ValueError:
            raise ConfigError(
                f"Special session {entry!r}: write it like 2027-02-06 NSE NFO 09:15-15:30."
            ) from None
        found[day] = (*found.get(day, ()), *openings)
    return [
        Holiday(day, "Special session", SPECIAL, open=openings, others_regular=True)
        for day, openings in found.items()
    ]


def _entries(text: str) -> Iterator[tuple[str, date, list[str]]]:
    for part in text.split(";"):
        words = part.replace(",", " ").upper().split()
        if not words:
            continue
        try:
            yield part.strip(), date.fromisoformat(words[0]), words[1:]
        except ValueError:
            raise ConfigError(
                f"Calendar entry {part.strip()!r}: begin with the date, like 2027-02-06."
            ) from None


def _known_exchanges(entry: str, names: Iterable[str]) -> None:
    for name in names:
        if name not in REGULAR_SESSIONS:
            known = ", ".join(REGULAR_SESSIONS)
            raise ConfigError(f"Calendar entry {entry!r}: exchange {name} is none of {known}.")
