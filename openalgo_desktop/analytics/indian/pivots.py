"""Pivot points of the five common schools, from open, high, low and close of one period.

Each gives the pivot, then R1 to R5, then S1 to S5; what a school does not define is not known.
Floor traders: P = (H + L + C) / 3, R1 = 2P - L, R2 = P + (H - L), R3 to R5 = H + 2, 3, 4 (P - L);
supports are the mirror image. Fibonacci: P ± 0.382, 0.618, 1 of the range. Camarilla (Nick Scott):
C ± range x 1.1 / 12, 6, 4, 2, and R5 = C x H / L. Woodie: P = (H + L + 2C) / 4, R1 to R3 as floor
traders, R4 = R3 + (H - L). DeMark: X = H + L + C plus L after a fall, H after a rise, C otherwise;
P = X / 4, R1 = X / 2 - L, S1 = X / 2 - H.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from openalgo_desktop.core.charting.columns import Floats

#: Names of the outputs, in order.
LEVELS: Final = ("pivot", *(f"r{n}" for n in range(1, 6)), *(f"s{n}" for n in range(1, 6)))


def _levels(pivot: Floats, up: Sequence[Floats], down: Sequence[Floats]) -> list[Floats]:
    unknown = np.full(len(pivot), np.nan)
    fill = [unknown] * 5
    return [pivot, *[*up, *fill][:5], *[*down, *fill][:5]]


def _floor(pivot: Floats, high: Floats, low: Floats) -> tuple[list[Floats], list[Floats]]:
    size = high - low
    up = [2 * pivot - low, pivot + size, high + 2 * (pivot - low)]
    down = [2 * pivot - high, pivot - size, low - 2 * (high - pivot)]
    return up, down


def classic(open_: Floats, high: Floats, low: Floats, close: Floats) -> list[Floats]:
    """Floor traders' pivots."""
    pivot = (high + low + close) / 3.0
    up, down = _floor(pivot, high, low)
    up += [high + n * (pivot - low) for n in (3, 4)]
    down += [low - n * (high - pivot) for n in (3, 4)]
    return _levels(pivot, up, down)


def woodie(open_: Floats, high: Floats, low: Floats, close: Floats) -> list[Floats]:
    """Woodie's: the close counts twice."""
    pivot = (high + low + 2.0 * close) / 4.0
    up, down = _floor(pivot, high, low)
    size = high - low
    return _levels(pivot, [*up, up[2] + size], [*down, down[2] - size])


def fibonacci(open_: Floats, high: Floats, low: Floats, close: Floats) -> list[Floats]:
    """Retracements of the range around the pivot."""
    pivot, size = (high + low + close) / 3.0, high - low
    shares = (0.382, 0.618, 1.0)
    return _levels(pivot, [pivot + s * size for s in shares], [pivot - s * size for s in shares])


def camarilla(open_: Floats, high: Floats, low: Floats, close: Floats) -> list[Floats]:
    """Camarilla's around the close."""
    size = 1.1 * (high - low)
    parts = (12.0, 6.0, 4.0, 2.0)
    far = close * high / low
    up = [close + size / part for part in parts]
    down = [close - size / part for part in parts]
    return _levels((high + low + close) / 3.0, [*up, far], [*down, 2.0 * close - far])


def demark(open_: Floats, high: Floats, low: Floats, close: Floats) -> list[Floats]:
    """DeMark's one level on each side."""
    added = np.where(close < open_, low, np.where(close > open_, high, close))
    total = high + low + close + added
    return _levels(total / 4.0, [total / 2.0 - low], [total / 2.0 - high])


SCHOOLS: Final[Mapping[str, Callable[[Floats, Floats, Floats, Floats], list[Floats]]]] = {
    "classic": classic,
    "fibonacci": fibonacci,
    "camarilla": camarilla,
    "woodie": woodie,
    "demark": demark,
}
