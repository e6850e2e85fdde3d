"""Our own order tags: at most 20 letters and digits, never reused, also over restarts."""

from __future__ import annotations

import secrets
from random import Random

from openalgo_desktop.core.clock import Clock

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_RANDOM = 36**6


def base36(number: int) -> str:
    """Digits and lower-case letters."""
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text or "0"


class TagMaker:
    """Time in microseconds (strictly rising within a run) plus six random characters.

    The random part keeps tags of two runs apart even when the clock was set back.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0
        # Asking the system for each tag is a sixth of the cost of an order on some machines, and
        # nobody has to be unable to guess a tag: once a run does.
        self._random = Random(secrets.randbits(128))

    def next(self) -> str:
        """A fresh tag, 18 characters."""
        self._last = max(int(self._clock.time() * 1e6), self._last + 1)
        return f"O{base36(self._last)}{base36(self._random.randrange(_RANDOM)):0>6}"[:20]
