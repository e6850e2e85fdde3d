"""Tick and lot arithmetic, freeze split, Indian digit grouping.

Ticks are counted in integers of 1/10000 rupee, so that results are the floats nearest to the
decimal price (800.05, never 800.0500000000001) and equal for scalars and arrays.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

import numpy as np
import numpy.typing as npt

#: Most decimals of a price: currencies are quoted with four.
PRICE_PLACES = 4
_SCALE: int = 10**PRICE_PLACES
#: Off by less than this part of a tick is float noise, not an off-tick price.
_NOISE = 1e-6


def _tick_units(tick: float) -> int:
    """The tick as a whole number of 1/10000 rupee; a paisa when the instrument has none."""
    return max(1, round(tick * _SCALE)) if tick > 0 else _SCALE // 100


def to_tick(price: float, tick: float) -> float:
    """``price`` rounded to the nearest multiple of ``tick`` (both rupees).

    A tick of 0 (indices) rounds to a paisa.
    """
    units = _tick_units(tick)
    return round(price * _SCALE / units) * units / _SCALE


def to_tick_array(prices: npt.NDArray[np.float64], tick: float) -> npt.NDArray[np.float64]:
    """Vector form of :func:`to_tick`, with identical results."""
    units = _tick_units(tick)
    return np.asarray(np.rint(prices * _SCALE / units) * units / _SCALE, dtype=np.float64)


def is_on_tick(price: float, tick: float) -> bool:
    """Whether ``price`` is a multiple of ``tick``; anything is when the tick is 0."""
    if tick <= 0:
        return True
    count = price * _SCALE / _tick_units(tick)
    return abs(count - round(count)) <= max(_NOISE, abs(count) * 1e-12)


def nearest_ticks(price: float, tick: float) -> tuple[float, float]:
    """The multiples of ``tick`` at or below and at or above ``price``; equal when on the tick."""
    if is_on_tick(price, tick):
        value = to_tick(price, tick) if tick > 0 else price
        return value, value
    units = _tick_units(tick)
    below = int(price * _SCALE // units)
    return below * units / _SCALE, (below + 1) * units / _SCALE


@lru_cache(maxsize=256)
def decimals(tick: float) -> int:
    """Digits after the point that prices of this tick need; at least 2 (currencies have 4)."""
    if tick <= 0:
        return 2
    exponent = Decimal(_tick_units(tick)).scaleb(-4).normalize().as_tuple().exponent
    return max(2, -int(exponent))


@lru_cache(1 << 14)  # rounding costs most of a row, and a book has the same prices again and again
def priced(value: float) -> float:
    """A price or an average with the decimals that any instrument has: without float noise, and
    without the digits of a division. Never a negative zero."""
    return round(value, PRICE_PLACES) + 0.0


def price_text(value: float) -> str:
    """A price as text: two decimals, and more where it has them."""
    text = f"{priced(value):.{PRICE_PLACES}f}"
    return text[:-2] if text.endswith("00") else text.rstrip("0")


def plain(value: float) -> str:
    """Shortest decimal form with every digit: ``26500``, ``292.5``, ``30000.03``, ``1200000``."""
    text = format(Decimal(repr(float(value))), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def split_freeze(quantity: int, freeze: int, lot: int = 1) -> list[int]:
    """``quantity`` in slices of at most ``freeze`` units, each a multiple of ``lot``.

    A freeze of 0 or 1 means that no limit is known. Raises :class:`ValueError` for a quantity
    that is not positive.
    """
    if quantity <= 0:
        raise ValueError("quantity must be positive")
    step = freeze // lot * lot if lot > 0 else freeze
    if freeze <= 1 or step <= 0 or quantity <= freeze:
        return [quantity]
    full, rest = divmod(quantity, step)
    return [step] * full + ([rest] if rest else [])


def group_indian(value: float | int | str, places: int | None = None) -> str:
    """``1234567.5`` as ``12,34,567.5``; with ``places`` rounded to that many digits.

    A text keeps its fraction as written.
    """
    text = value if isinstance(value, str) else format(Decimal(repr(value)), "f")
    if places is not None:
        text = f"{Decimal(text):.{places}f}"
    sign = "-" if text.startswith("-") else ""
    whole, point, fraction = text.lstrip("+-").partition(".")
    head, tail = whole[:-3], whole[-3:]
    groups = [tail]
    while head:
        groups.append(head[-2:])
        head = head[:-2]
    return f"{sign}{','.join(reversed(groups))}{point}{fraction}"


def group_western(text: str) -> str:
    """``1234567.5`` as ``1,234,567.5``; the fraction stays as written."""
    whole, point, fraction = text.partition(".")
    return f"{int(whole):,}{point}{fraction}"
