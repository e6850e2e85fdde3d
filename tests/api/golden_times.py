"""When a run may have made a time: between the clock's start and now, in the layout recorded."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

IST = timezone(timedelta(hours=5, minutes=30))
#: Where the program's clock stands when a transcript does not say when it was recorded. All
#: recordings were made within half an hour of it.
RECORDED_AT = datetime(2026, 11, 22, 21, 0, tzinfo=IST)
_MIDDLE = RECORDED_AT + timedelta(minutes=8)  # of the half hour
#: What the clock of the program and that of the tests may disagree in, and the rounding to whole
#: seconds; seconds.
SLACK = 2.0
_EXPIRY = re.compile(r"\d\d-[A-Z][a-z]{2}-\d{4}")
_LAYOUTS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%S.%f",
)
_MILLISECONDS_FROM = 100_000_000_000  # an epoch of seconds is smaller until the year 5138


@dataclass
class Window:
    """The moments at which the program's clock stood in this run."""

    first: datetime = RECORDED_AT
    last: datetime = RECORDED_AT

    def holds(self, moment: datetime) -> bool:
        """Whether the run was at ``moment``."""
        slack = timedelta(seconds=SLACK)
        return self.first - slack <= moment <= self.last + slack

    def text(self, expected: Any, actual: Any) -> bool:
        """A date and time in the recorded layout (a fraction may be absent), of this run.

        How far the recorded text is from the moment of the recording (hours for another zone, a
        year for an expiry) is kept.
        """
        if not isinstance(expected, str) or not isinstance(actual, str):
            return False
        if _shape(expected) != _shape(actual):
            return False
        recorded, ours = _parsed(expected), _parsed(actual)
        if recorded is None or ours is None:
            return recorded is ours  # a form that only the recording uses: a rule speaks of it
        away = round((recorded - _MIDDLE) / timedelta(minutes=30)) * timedelta(minutes=30)
        return self.holds(ours - away)

    def epoch(self, expected: Any, actual: Any) -> bool:
        """A whole number of seconds or milliseconds like the recorded one, of this run."""
        if type(expected) is not int or type(actual) is not int:
            return False
        milliseconds = expected >= _MILLISECONDS_FROM
        if (actual >= _MILLISECONDS_FROM) is not milliseconds:
            return False
        return self.holds(datetime.fromtimestamp(actual / (1000 if milliseconds else 1), IST))

    def time(self, expected: Any, actual: Any) -> bool:
        """Either form."""
        form = self.text if isinstance(expected, str) else self.epoch
        return form(expected, actual)


def _shape(text: str) -> str:
    return re.sub(r"\.\d+$", "", re.sub(r"\d", "9", text))


def _parsed(text: str) -> datetime | None:
    for layout in _LAYOUTS:
        try:
            return datetime.strptime(text, layout).replace(tzinfo=IST)
        except ValueError:
            continue
    return None


class RunClock:
    """The program's clock as the tests set it; ``control`` passes a new moment on. It ran from
    :data:`RECORDED_AT` since the program was ``started`` (monotonic; None: now)."""

    def __init__(self, control: Callable[..., Any], started: float | None = None) -> None:
        self._control = control
        self._window = Window()
        self._moment, self._at = RECORDED_AT, time.monotonic() if started is None else started

    def stand(self, moment: datetime, **more: Any) -> None:
        """Set the clock, from where it runs on."""
        self._window = self.window
        self._moment, self._at = moment, time.monotonic()
        self._window.first = min(self._window.first, moment)
        self._control(clock=moment.isoformat(), **more)

    def stand_where_recorded(self, body: Any) -> None:
        """Numbers that move with time: stand at the second in which they were recorded."""
        moment = moment_of(body)
        if moment is not None:
            self.stand(moment)

    @property
    def window(self) -> Window:
        """The moments of this run up to now; a clock set back does not take away later ones."""
        now = self._moment + timedelta(seconds=time.monotonic() - self._at)
        self._window.last = max(self._window.last, now)
        return self._window


def moment_of(body: Any) -> datetime | None:
    """When an answer was recorded, if it tells: ``server_ts``, or days to an expiry."""
    if isinstance(body, dict):
        if isinstance(body.get("server_ts"), int):
            return datetime.fromtimestamp(body["server_ts"], IST)
        days, expiry = body.get("days_to_expiry"), body.get("expiry_date")
        if isinstance(days, float) and isinstance(expiry, str) and _EXPIRY.fullmatch(expiry):
            end = datetime.strptime(expiry, "%d-%b-%Y").replace(hour=15, minute=30, tzinfo=IST)
            return end - timedelta(days=days)
        values: list[Any] = list(body.values())
    elif isinstance(body, list):
        values = body
    else:
        return None
    for value in values:
        moment = moment_of(value)
        if moment is not None:
            return moment
    return None
