"""The way of a price through one bar of which only open, high, low and close are known.

An assumption, told wherever replay is explained: from the open to the nearer extreme, to the other
one, to the close. The first three stand at the beginning, a third and two thirds of the bar, the
close at its end.
"""

from __future__ import annotations

from typing import TypeAlias

#: Open, first extreme, second extreme, close; rupees.
Path: TypeAlias = tuple[float, float, float, float]
#: Prices of a path.
POINTS = 4


def path_of(open_: float, high: float, low: float, close: float) -> Path:
    """The path of a bar. Where the open is as far from both extremes, a rising bar goes down
    first and a falling one up."""
    up, down = high - open_, open_ - low
    low_first = down < up or (down == up and close >= open_)
    return (open_, low, high, close) if low_first else (open_, high, low, close)


def seen(begin: float, end: float, now: float) -> int:
    """How many prices of the path of a bar that began at ``begin`` are known at ``now`` (epoch
    seconds). The open comes after the moment ``begin``, so that a bar that ends there and the one
    that follows do not come together; the close is known when the bar has ended."""
    if now <= begin:
        return 0
    if now >= end:
        return POINTS
    third = (end - begin) / 3
    return 1 + (now > begin + third) + (now > begin + 2 * third)


def moment(begin: float, end: float, point: int) -> float:
    """When a price of the path comes, epoch seconds."""
    return end if point == POINTS - 1 else begin + point * (end - begin) / 3
