"""The one way in which numbers and texts of people and programs are read.

Python reads more than a trader means: ``1_000``, digits of other scripts, ``nan``. Here a number
is ASCII: a sign, digits, a point, an exponent. Nothing is guessed.
"""

from __future__ import annotations

import math
import re

#: Longest text of a field (names, symbols, ids); it comes back in every row of the books.
MAX_TEXT = 255
#: Largest size of a number: far above any price or quantity, and far below what arithmetic on it
#: cannot hold.
MAX_NUMBER = 1e20
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
#: A number is never longer; a longer text is not even looked at.
_MAX_DIGITS = 64


class TooLarge(ValueError):
    """A number that nothing here is counted in."""


def number(value: object) -> float:
    """A finite number from a number or its text (spaces around it do not matter); raises
    :class:`ValueError`, :class:`TooLarge` above :data:`MAX_NUMBER`. Truth values are no numbers."""
    if isinstance(value, str):
        text = value.strip(" \t\r\n")
        if len(text) > _MAX_DIGITS or _NUMBER.fullmatch(text) is None:
            raise ValueError("not a number")
        found = float(text)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        try:
            found = float(value)
        except OverflowError:
            raise TooLarge("the number is too large") from None
    else:
        raise ValueError("not a number")
    if math.isnan(found) or (math.isinf(found) and not isinstance(value, str)):
        raise ValueError("not a number")
    if abs(found) > MAX_NUMBER:
        raise TooLarge("the number is too large")
    return found


def whole(value: object) -> int:
    """A whole number, also as ``10.0`` or ``"10.0"``; raises :class:`ValueError`."""
    if isinstance(value, int) and not isinstance(value, bool):
        if abs(value) > MAX_NUMBER:
            raise TooLarge("the number is too large")
        return value
    found = number(value)
    if found != int(found):
        raise ValueError("not a whole number")
    return int(found)


def is_digits(text: str) -> bool:
    """Whether the text is nothing but digits 0 to 9."""
    return text.isascii() and text.isdigit()
