"""The injected clock. Market logic is in Asia/Kolkata; nothing else in the program reads time."""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

#: Indian Standard Time has had no offset change since 1945, so a fixed offset is exact and fast.
IST = timezone(timedelta(hours=5, minutes=30), "IST")
#: The same zone by name, for libraries that want one.
KOLKATA = ZoneInfo("Asia/Kolkata")
IST_OFFSET_SECONDS = 19_800
_TWO = tuple(f"{number:02d}" for number in range(60))


class Clock(Protocol):
    """What the terminal knows of time."""

    def time(self) -> float:
        """Epoch seconds (UTC) of the terminal's wall clock."""

    def monotonic(self) -> float:
        """Seconds of a clock that never jumps; for durations only."""

    def now(self) -> datetime:
        """The wall clock as an aware datetime in IST."""


class SystemClock:
    """The machine's clock, optionally shifted (``--clock ISO``: starts there and runs on)."""

    def __init__(self, start: datetime | None = None) -> None:
        self._offset = 0.0
        if start is not None:
            self.jump(start)

    def jump(self, to: datetime) -> None:
        """Make ``to`` (aware; a naive value is read as IST) the present moment."""
        aware = to if to.tzinfo else to.replace(tzinfo=IST)
        self._offset = aware.timestamp() - time.time()

    def time(self) -> float:
        return time.time() + self._offset

    def monotonic(self) -> float:
        return time.monotonic()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.time(), IST)


class PacedClock(SystemClock):
    """A clock that runs ``pace`` times as fast as the machine's, from ``start`` on: the wall clock
    and the monotonic one. For rehearsals, where a day goes by in minutes."""

    def __init__(self, start: datetime, pace: float) -> None:
        self.pace = pace
        self.anchor, self._before = time.monotonic(), 0.0
        self.jump(start)

    def jump(self, to: datetime) -> None:
        self.begin(to, 0.0)

    def begin(self, to: datetime, hold: float) -> None:
        """As ``jump``; both clocks stand still for the first ``hold`` seconds of the machine."""
        aware = to if to.tzinfo else to.replace(tzinfo=IST)
        self._before = self.monotonic()
        #: When it goes on by the machine's monotonic clock, and the epoch seconds it shows then.
        self.anchor, self.epoch = time.monotonic() + hold, aware.timestamp()

    def time(self) -> float:
        return self.epoch + self._gone()

    def monotonic(self) -> float:
        return self._before + self._gone()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.time(), IST)

    def _gone(self) -> float:
        return max(0.0, time.monotonic() - self.anchor) * self.pace


class ManualClock:
    """A clock that stands still until told; for tests and replay."""

    def __init__(self, start: datetime) -> None:
        self._time = (start if start.tzinfo else start.replace(tzinfo=IST)).timestamp()
        self._monotonic = 0.0

    def advance(self, seconds: float) -> None:
        """Move both clocks forward."""
        self._time += seconds
        self._monotonic += seconds

    def jump(self, to: datetime) -> None:
        """Set the wall clock; the monotonic clock follows forward jumps only."""
        target = (to if to.tzinfo else to.replace(tzinfo=IST)).timestamp()
        self._monotonic += max(0.0, target - self._time)
        self._time = target

    def leap(self, seconds: float) -> None:
        """Put the wall clock forward or back, as a correction of the machine's clock does; the
        monotonic clock does not notice."""
        self._time += seconds

    def time(self) -> float:
        return self._time

    def monotonic(self) -> float:
        return self._monotonic

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._time, IST)


class JumpWatch:
    """Tells when the wall clock did not run with the monotonic one: it was set, or the computer
    slept. A correction of less than ``tolerance`` seconds between two looks is none."""

    def __init__(self, clock: Clock, tolerance: float = 2.0) -> None:
        self._clock = clock
        self._tolerance = tolerance
        self._gap = clock.time() - clock.monotonic()

    def look(self) -> float:
        """Seconds that the wall clock jumped since the last look, forward or back; mostly 0."""
        gap = self._clock.time() - self._clock.monotonic()
        jump, self._gap = gap - self._gap, gap
        return jump if abs(jump) >= self._tolerance else 0.0


def from_epoch(epoch: float) -> datetime:
    """An epoch second as an aware datetime in IST."""
    return datetime.fromtimestamp(epoch, IST)


def ist_date(epoch: float) -> date:
    """The IST calendar date of an epoch second."""
    return datetime.fromtimestamp(epoch, IST).date()


def api_timestamp(moment: datetime) -> str:
    """``YYYY-MM-DD HH:MM:SS`` in IST: the time format of the books."""
    local = moment if moment.tzinfo is IST else moment.astimezone(IST)
    clock = f"{_TWO[local.hour]}:{_TWO[local.minute]}:{_TWO[local.second]}"
    return f"{_day_text(local.toordinal())} {clock}"  # books have thousands: a sixth of strftime


@lru_cache(512)
def _day_text(ordinal: int) -> str:
    return date.fromordinal(ordinal).isoformat()


def age_text(seconds: float) -> str:
    """How long ago, in at most two units: ``12 s``, ``5 min 3 s``, ``2 h 5 min``, ``3 d 4 h``."""
    units = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))
    left = int(seconds)
    parts: list[str] = []
    for unit, size in units:
        count, left = divmod(left, size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])
