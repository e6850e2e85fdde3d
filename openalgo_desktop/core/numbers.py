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


#: A number as traders write it: plain, in lakhs (12,34,567) or in thousands (1,234,567).
_WRITTEN = re.compile(
    r"(?:[0-9]+|[0-9]{1,2}(?:,[0-9]{2})*,[0-9]{3}|[0-9]{1,3}(?:,[0-9]{3})+)?(?:\.[0-9]*)?"
)
_UNFINISHED = re.compile(r"[+-]?[0-9,]*(?:\.[0-9]*)?")


class NotClear(ValueError):
    """A text that is no number, or could be two; its text is a sentence for the user."""


def written(text: str) -> float:
    """The number of a text that a trader typed, whatever the locale of the machine.

    A point begins the decimals, a comma only parts digits, in lakhs or in thousands:
    ``1,23,456.5`` and ``123,456.5``. Raises :class:`NotClear`, whose text says how to write it:
    ``899,50`` may mean 899.50 or 89,950, so it means neither.
    """
    found = text.strip().removeprefix("₹").strip()
    digits = found.removeprefix("-") if found.startswith("-") else found.removeprefix("+")
    if not any(map(is_digits, digits)) or len(found) > _MAX_DIGITS:
        raise NotClear("Write a number, such as 1250.50." if found else "Write a number.")
    if _WRITTEN.fullmatch(digits) is None:
        raise NotClear(_advice(found, digits))
    try:
        value = number(digits.replace(",", ""))
    except TooLarge:
        raise NotClear("The number is too large.") from None
    return -value if found.startswith("-") else value


def may_become(text: str) -> bool:
    """Whether a text is a number that is still being typed: nothing but digits, commas, a sign
    before them and a point."""
    return _UNFINISHED.fullmatch(text.strip()) is not None


def _advice(found: str, digits: str) -> str:
    whole, comma, rest = digits.rpartition(",")
    if comma and is_digits(rest) and is_digits(whole.replace(".", "").replace(",", "")):
        joined = (whole + rest).replace(".", "").replace(",", "")
        decimals = f"{whole.replace('.', '').replace(',', '')}.{rest}"
        return f"{found} can be read in two ways: write {decimals} or {joined}."
    if set(digits) <= set("0123456789.,"):
        return f"{found} is not clear: write the digits without commas, decimals behind a point."
    return f"{found} is not a number: write it as 1250.50."
