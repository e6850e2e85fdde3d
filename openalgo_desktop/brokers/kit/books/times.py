"""Times in the replies of Indian brokers."""

from __future__ import annotations

import functools
from datetime import date, datetime, time
from typing import Any

from openalgo_desktop.brokers.kit.rest.values import OddValue, absent, shown
from openalgo_desktop.core.clock import IST, Clock

#: Time texts seen at Indian brokers, all IST unless they say otherwise.
_FORMATS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%d-%b-%Y %H:%M:%S",
    "%d-%m-%Y %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%H:%M:%S %d-%m-%Y",
    "%d %b %Y, %I:%M:%S %p",
)
#: Texts of a time that never was: zero of SQL, of Go and of .NET.
_NEVER = ("0", "0000-00-00", "0001-01-01")
#: Zero of Unix and of the exchanges' own clocks as a date: nothing was traded yet, or it is an
#: index.
_ZERO = (date(1970, 1, 1), date(1980, 1, 1))
#: Epoch seconds that can be meant (2001 to 2286); a thousand times as much is milliseconds.
_EPOCH = (10**9, 10**10)
_YEARS = (2000, 2200)
_DATE_DIGITS = 8


def moment(value: Any, clock: Clock) -> datetime | None:
    """An aware time from a reply: text in any known form, a clock time of today, epoch seconds or
    milliseconds; None when the reply leaves it open. Raises :class:`OddValue` for any other."""
    if absent(value) or value == 0:
        return None
    text = str(value).strip()
    if text == _NEVER[0] or text.startswith(_NEVER[1:]):
        return None
    if (epoch := _epoch(text)) is not None:
        return datetime.fromtimestamp(epoch, IST)
    # A long number is no date, even where it could be read as one.
    parsed = None if text.isdigit() and len(text) > _DATE_DIGITS else _parsed(text, clock)
    if parsed is not None and parsed.date() in _ZERO:
        return None
    if parsed is None or not _YEARS[0] <= parsed.year < _YEARS[1]:
        raise OddValue(f"{shown(value)} is no time that is known here")
    return parsed


def _epoch(text: str) -> float | None:
    """Seconds since 1970 of a number that can be one."""
    if not text.replace(".", "", 1).isdigit() or len(text.partition(".")[0]) < 9:
        return None
    number = float(text)
    for scale in (1, 1000):
        if _EPOCH[0] <= number / scale < _EPOCH[1]:
            return number / scale
    return None


def _parsed(text: str, clock: Clock) -> datetime | None:
    if (whole := _dated(text)) is not None:
        return whole
    try:
        return datetime.combine(clock.now().date(), time.fromisoformat(text), IST)
    except ValueError:
        return None


@functools.lru_cache(maxsize=8192)  # a book is read again and again, and its times stay
def _dated(text: str) -> datetime | None:
    """A text that has a date."""
    try:
        parsed = datetime.fromisoformat(text)
        return parsed if parsed.tzinfo else parsed.replace(tzinfo=IST)
    except ValueError:
        pass
    for form in _FORMATS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=IST)
        except ValueError:
            continue
    return None
