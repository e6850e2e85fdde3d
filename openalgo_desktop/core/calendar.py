"""Trading sessions, weekends and holidays. Pure: the holiday list is handed in."""

from __future__ import annotations

from collections.abc import Iterable
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
_SATURDAY = 5


class Opening(msgspec.Struct, frozen=True, array_like=True):
    """A special window of one exchange, ``HH:MM`` IST."""

    exchange: str
    start: str
    end: str


class Holiday(msgspec.Struct, frozen=True):
    """A day that is not regular. ``holiday_type`` is TRADING_HOLIDAY, SETTLEMENT_HOLIDAY or
    SPECIAL_SESSION; ``open`` are the windows of exchanges that trade nevertheless."""

    date: date
    description: str
    holiday_type: str
    closed: tuple[str, ...] = ()
    open: tuple[Opening, ...] = ()


class _HolidayFile(msgspec.Struct):
    holidays: list[Holiday]


class MarketCalendar:
    """Answers when an exchange trades. Days without an entry follow the regular windows."""

    def __init__(self, holidays: Iterable[Holiday] = ()) -> None:
        self._days = {day.date: day for day in holidays}

    @classmethod
    def from_json(cls, text: str | bytes) -> MarketCalendar:
        """From the text of ``calendar/holidays.json``; raises :class:`ConfigError`."""
        try:
            return cls(msgspec.json.decode(text, type=_HolidayFile).holidays)
        except msgspec.DecodeError as error:
            raise ConfigError("The holiday calendar cannot be read.", detail=str(error)) from None

    def holidays(self, year: int) -> list[Holiday]:
        """Entries of a year, ascending."""
        return sorted(
            (d for d in self._days.values() if d.date.year == year),
            key=lambda holiday: holiday.date,
        )

    def session(self, exchange: str, day: date) -> tuple[datetime, datetime] | None:
        """Opening and closing moment (aware, IST) of that day, or None when it is closed."""
        name = _SAME_HOURS.get(exchange, exchange)
        regular = REGULAR_SESSIONS.get(name)
        if regular is None:
            return None
        if name == "CRYPTO":
            return _window(day, *regular)
        special = self._days.get(day)
        if special is not None:
            listed = "MCX" if name == "NCO" else name
            for opening in special.open:
                if opening.exchange == listed:
                    return self.opening(day, opening)
            if listed in special.closed or special.holiday_type == "SPECIAL_SESSION":
                return None
        return None if day.weekday() >= _SATURDAY else _window(day, *regular)

    @staticmethod
    def regular_session(exchange: str, day: date) -> tuple[datetime, datetime] | None:
        """The hours of a normal day, whatever the calendar says of ``day``; None for an exchange
        without regular hours."""
        regular = REGULAR_SESSIONS.get(_SAME_HOURS.get(exchange, exchange))
        return None if regular is None else _window(day, *regular)

    @staticmethod
    def opening(day: date, opening: Opening) -> tuple[datetime, datetime]:
        """The moments of a special window."""
        return _window(day, time.fromisoformat(opening.start), time.fromisoformat(opening.end))

    def is_trading_day(self, day: date, exchange: str = "NSE") -> bool:
        """Whether the exchange has its regular session; a Muhurat session does not count."""
        special = self._days.get(day)
        if special is not None and special.holiday_type == "SPECIAL_SESSION":
            return False
        return self.session(exchange, day) is not None

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
        window = self.session(exchange, local.date())
        return window is not None and window[0] <= local < window[1]

    def timings(self, day: date) -> list[tuple[str, datetime, datetime]]:
        """All exchanges that trade on ``day`` with their windows; on a listed day only those that
        its entry names."""
        special = self._days.get(day)
        names = REGULAR_SESSIONS if special is None else [o.exchange for o in special.open]
        windows = ((name, self.session(name, day)) for name in names)
        return [(name, *window) for name, window in windows if window is not None]


def _window(day: date, start: time, end: time) -> tuple[datetime, datetime]:
    """A session that ends at or before its start ends on the next day."""
    last = day if end > start else day + timedelta(days=1)
    return datetime.combine(day, start, IST), datetime.combine(last, end, IST)
