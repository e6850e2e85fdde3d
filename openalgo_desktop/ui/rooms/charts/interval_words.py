"""What is typed over a chart for an interval: minutes, or a number with the letter of its unit."""

from __future__ import annotations

import re

from openalgo_desktop.core.charting.span import Span, SpanUnit
from openalgo_desktop.core.errors import DataError

#: What begins an interval.
STARTS = frozenset("123456789HDWMQY")
#: As they are shown where nothing that was typed has a meaning.
EXAMPLES = ("5", "45S", "2H", "D", "3D", "W", "M")
#: Nothing that has a meaning is longer.
LONGEST = 5
_COUNTED = re.compile(r"\d{1,4}[SHDWMQY]?", re.ASCII)
_SMALL = str.maketrans("SH", "sh")  # M is a month: minutes have no letter
_NAMES = {
    SpanUnit.SECOND: "second",
    SpanUnit.MINUTE: "minute",
    SpanUnit.HOUR: "hour",
    SpanUnit.DAY: "day",
    SpanUnit.WEEK: "week",
    SpanUnit.MONTH: "month",
    SpanUnit.QUARTER: "quarter",
    SpanUnit.YEAR: "year",
}


def meant(text: str) -> Span | None:
    """The interval of ``7``, ``45S``, ``2H``, ``3D``, ``W``, ``M``; None of what is none."""
    try:
        found = Span.parse(text.upper().translate(_SMALL))
    except DataError:
        return None
    return _short(found)


def trouble(text: str) -> str:
    """Why that is no interval: of a number with a unit what is wrong with it, else examples."""
    if _COUNTED.fullmatch(text.upper()):
        try:
            Span.parse(text.upper().translate(_SMALL))
        except DataError as error:
            return error.message.removeprefix("Interval: ")
    return f"no interval: {', '.join(EXAMPLES)}"


def _short(span: Span) -> Span:
    """60 minutes are an hour, 90 seconds stay: the longest unit that has it whole."""
    units = (SpanUnit.HOUR, SpanUnit.MINUTE)
    for unit in units:
        length = Span(unit).seconds
        if span.is_intraday and span.seconds % length == 0:
            return Span(unit, span.seconds // length)
    return span


def named(span: Span) -> str:
    """In words: ``7 minutes``, ``1 day``."""
    return f"{span.count} {_NAMES[span.unit]}{'' if span.count == 1 else 's'}"
