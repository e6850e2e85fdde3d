"""When the schedule of a hosted program lets it run. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date, datetime, time, timedelta

import msgspec

from openalgo_desktop.core.calendar import SATURDAY, MarketCalendar, Window
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.strategies.hosted import AtWindowEnd, Hours, PausedBecause

DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
#: A schedule that does not run within so many days never runs.
HORIZON = 400
MAX_WINDOWS = 10
MAX_LATE = 24 * 60
#: A window that ends with a square-off ends so long before the market does, for exits need one.
BEFORE_CLOSE = timedelta(minutes=2)

#: Expiry dates of an underlying; empty when it has none that is known.
Expiries = Callable[[str], Collection[date]]


class Verdict(msgspec.Struct, frozen=True):
    """Whether it runs now. ``window`` is the one that is open, None around the clock."""

    runs: bool
    window: Window | None = None
    why: PausedBecause | None = None


def checked_hours(hours: Hours, exchange: str, expiries: Expiries, now: datetime) -> Hours:
    """``hours`` as they are kept. Raises :class:`ConfigError` that names the field and the fix,
    also for a schedule that never runs."""
    if MarketCalendar.regular_session(exchange, now.date()) is None:
        raise ConfigError(f"exchange: {exchange!r} has no trading hours; use NSE, NFO, MCX...")
    if not 0 <= hours.late_minutes <= MAX_LATE:
        raise ConfigError(f"late_minutes: {hours.late_minutes} must be 0 to {MAX_LATE}.")
    days = tuple(day.strip().upper()[:3] for day in hours.days)
    for given, day in zip(hours.days, days, strict=True):
        if day not in DAYS:
            raise ConfigError(f"days: {given!r} is none of {', '.join(DAYS)}.")
    windows = tuple(sorted({_window(pair) for pair in hours.windows}))
    if len(windows) > MAX_WINDOWS:
        raise ConfigError(f"windows: {len(windows)} are more than {MAX_WINDOWS}.")
    kept = msgspec.structs.replace(
        hours,
        days=tuple(day for day in DAYS if day in days),
        windows=windows,
        expiry_only=hours.expiry_only.strip().upper(),
    )
    if kept.enabled:
        _will_run(kept, exchange, expiries, now)
    return kept


def _window(pair: Sequence[str]) -> tuple[str, str]:
    try:
        start, end = (time.fromisoformat(text.strip().zfill(5)) for text in pair)
    except ValueError:
        text = "-".join(pair)
        raise ConfigError(f"windows: write {text!r} like 09:15-15:30 (IST).") from None
    if start >= end:
        raise ConfigError(
            f"windows: {pair[0]}-{pair[1]} ends before it starts; for a night give two windows, or "
            "all_day to run around the clock."
        )
    return start.strftime("%H:%M"), end.strftime("%H:%M")


def _will_run(hours: Hours, exchange: str, expiries: Expiries, now: datetime) -> None:
    """Raises where it never runs, with what to change."""
    if hours.all_day:
        return
    if not hours.days:
        raise ConfigError("days: a schedule without days never runs; give some, such as MON,TUE.")
    if not hours.windows:
        raise ConfigError("windows: a schedule without a window never runs; give one, 09:15-15:30.")
    if hours.expiry_only and not any(day >= now.date() for day in expiries(hours.expiry_only)):
        raise ConfigError(
            f"expiry_only: no expiry of {hours.expiry_only!r} is known, so it would never run. "
            "Give an underlying of options or futures, such as NIFTY or MCX:CRUDEOIL."
        )
    regular = MarketCalendar()  # a special session now and then is not enough
    if next_start(hours, exchange, regular, expiries, now) is None:
        raise ConfigError(_never(hours, exchange, now))


def _never(hours: Hours, exchange: str, now: datetime) -> str:
    session = MarketCalendar.regular_session(exchange, now.date())
    assert session is not None
    when = f"{session[0]:%H:%M}-{session[1]:%H:%M}"
    return (
        f"windows: {exchange} trades {when} on working days, and this schedule "
        f"({', '.join(hours.days)}; {', '.join('-'.join(pair) for pair in hours.windows)}) has no "
        "minute in common with it, so it would never run. Change days or windows, or use all_day."
    )


def windows_on(
    hours: Hours, exchange: str, calendar: MarketCalendar, expiries: Expiries, day: date
) -> tuple[list[Window], PausedBecause | None]:
    """The windows of a day, cut to its sessions, in order; why there is none."""
    sessions = calendar.windows(exchange, day)
    weekend = day.weekday() >= SATURDAY
    if not sessions:
        return [], PausedBecause.WEEKEND if weekend else PausedBecause.HOLIDAY
    special = weekend and calendar.day(day) is not None
    if not special and DAYS[day.weekday()] not in hours.days:
        return [], PausedBecause.WEEKEND if weekend else PausedBecause.NOT_ITS_DAY
    if hours.expiry_only and day not in expiries(hours.expiry_only):
        return [], PausedBecause.NO_EXPIRY
    early = BEFORE_CLOSE if hours.at_end is AtWindowEnd.SQUARE_OFF else timedelta()
    found = [
        (max(start, first), min(end, last - early))
        for start, end in (_moments(pair, day) for pair in hours.windows)
        for first, last in sessions
    ]
    return _merged(pair for pair in found if pair[0] < pair[1]), PausedBecause.AFTER_MARKET


def _moments(pair: tuple[str, str], day: date) -> Window:
    start, end = (datetime.combine(day, time.fromisoformat(text), IST) for text in pair)
    return start, end


def _merged(windows: Iterable[Window]) -> list[Window]:
    merged: list[Window] = []
    for start, end in sorted(windows):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def verdict(
    hours: Hours, exchange: str, calendar: MarketCalendar, expiries: Expiries, now: datetime
) -> Verdict:
    """Whether it runs at ``now`` (aware); the end of a window is outside."""
    if hours.all_day:
        return Verdict(True)
    local = now.astimezone(IST)
    found, why = windows_on(hours, exchange, calendar, expiries, local.date())
    for window in found:
        if window[0] <= local < window[1]:
            return Verdict(True, window)
    if any(local < start for start, _ in found):
        why = PausedBecause.BEFORE_MARKET
    return Verdict(False, None, why)


def next_start(
    hours: Hours, exchange: str, calendar: MarketCalendar, expiries: Expiries, now: datetime
) -> datetime | None:
    """When its next window begins; None around the clock, and where none does."""
    if hours.all_day:
        return None
    local = now.astimezone(IST)
    for ahead in range(HORIZON):
        day = local.date() + timedelta(days=ahead)
        found, _ = windows_on(hours, exchange, calendar, expiries, day)
        for start, _end in found:
            if start > local:
                return start
    return None


def ended_since(
    hours: Hours,
    exchange: str,
    calendar: MarketCalendar,
    expiries: Expiries,
    since: datetime,
    now: datetime,
) -> bool:
    """Whether a window ended after ``since``, at ``now`` at the latest: what ran has to pause."""
    if hours.all_day or since >= now:
        return False
    first, last = since.astimezone(IST).date(), now.astimezone(IST).date()
    first = max(first, last - timedelta(days=7))
    for back in range((last - first).days + 1):
        found, _ = windows_on(hours, exchange, calendar, expiries, last - timedelta(days=back))
        if any(since < end <= now for _, end in found):
            return True
    return False
