"""How fast a replay plays."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from openalgo_desktop.core.errors import DataError


class Pace(StrEnum):
    """What a speed counts."""

    BARS = "bars/s"  # bars of the step in a second
    REAL = "x"  # seconds of the market in a second


class Speed(msgspec.Struct, frozen=True):
    """``Speed(2)`` is two bars a second, ``Speed(10, Pace.REAL)`` ten times the market's own."""

    rate: float = 1.0
    pace: Pace = Pace.BARS

    @classmethod
    def parse(cls, text: str) -> Speed:
        """Of ``0.5``, ``2 bars/s``, ``10x``; raises :class:`DataError` with a sentence."""
        word = text.strip().lower()
        pace = Pace.BARS
        for ending in Pace:
            if word.endswith(ending.value):
                word, pace = word.removesuffix(ending.value).strip(), ending
                break
        try:
            rate = float(word)
        except ValueError:
            rate = 0.0
        low, high = LIMITS[pace]
        if not low <= rate <= high:
            raise DataError(
                f"Speed: {text.strip()!r} is none. Give 0.1 to 100 bars/s, or 0.1x to 3600x."
            )
        return cls(rate, pace)

    @property
    def text(self) -> str:
        """``2 bars/s``, ``10x``."""
        space = " " if self.pace is Pace.BARS else ""
        return f"{self.rate:g}{space}{self.pace.value}"


LIMITS = {Pace.BARS: (0.1, 100.0), Pace.REAL: (0.1, 3600.0)}
#: What a menu offers.
SPEEDS = (
    *(Speed(rate) for rate in (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 100.0)),
    *(Speed(rate, Pace.REAL) for rate in (1.0, 10.0, 60.0, 300.0)),
)
