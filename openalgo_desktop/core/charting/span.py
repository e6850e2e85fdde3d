"""How long a bar of a chart is. The API's intervals are a part of what a chart offers."""

from __future__ import annotations

import re
from enum import StrEnum

import msgspec

from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.errors import DataError

_TEXT = re.compile(r"^(\d{0,4})([smhDWMQY]?)$")
_SECONDS = {"s": 1, "m": 60, "h": 3600}
#: Longest intraday bar: a session of MCX, seconds.
_LONGEST = 15 * 3600
#: Of days and longer so many units at most, about ten years: a longer bar has no second one.
_MOST = {"D": 2500, "W": 520, "M": 120, "Q": 40, "Y": 10}


class SpanUnit(StrEnum):
    """What a span counts; the values are the letters of its text."""

    SECOND = "s"
    MINUTE = "m"
    HOUR = "h"
    DAY = "D"
    WEEK = "W"
    MONTH = "M"
    QUARTER = "Q"
    YEAR = "Y"


class Span(msgspec.Struct, frozen=True):
    """``count`` units: ``Span(SpanUnit.MINUTE, 7)`` is a bar of seven minutes, ``7m``."""

    unit: SpanUnit
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Span:
        """Of ``5m``, ``45s``, ``2h``, ``D``, ``3D``, ``W``; a bare number is minutes. Raises
        :class:`DataError` with a sentence."""
        match = _TEXT.match(text.strip())
        if match is None or not match[0]:
            raise DataError(f"Interval: {text!r} is none. Give 45s, 7m, 2h, D, 3D or W.")
        count = int(match[1] or 1)
        found = cls(SpanUnit(match[2] or "m"), count)
        if not count or found.seconds > _LONGEST:
            raise DataError("Interval: give 1 second to 15 hours, or days and longer.")
        if count > _MOST.get(match[2], count):
            longest = ", ".join(f"{most}{unit}" for unit, most in _MOST.items())
            raise DataError(f"Interval: {text.strip()} is too long. The longest are {longest}.")
        return found

    @classmethod
    def of(cls, interval: Interval) -> Span:
        """The span of an interval of the API."""
        return cls.parse(interval.value)

    @property
    def text(self) -> str:
        """``7m``, ``D``, ``3D``; of an interval of the API its value."""
        one = self.count == 1 and self.unit.value in "DWMQY"
        return self.unit.value if one else f"{self.count}{self.unit.value}"

    @property
    def seconds(self) -> int:
        """Length of an intraday bar in seconds; 0 for a day and longer."""
        return self.count * _SECONDS.get(self.unit.value, 0)

    @property
    def is_intraday(self) -> bool:
        """Whether a day has several bars."""
        return self.unit.value in _SECONDS

    @property
    def interval(self) -> Interval | None:
        """The same interval in the API, where there is one."""
        try:
            return Interval(self.text)
        except ValueError:
            return None
