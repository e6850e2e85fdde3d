"""Where tags go that must not cover one another. No Qt here."""

from __future__ import annotations

from collections.abc import Sequence


def spread(
    wanted: Sequence[float],
    height: float,
    top: float,
    bottom: float,
    fixed: int | None = None,
) -> list[float]:
    """Middles of tags of one ``height``, as near to the ``wanted`` ones as may be without
    overlapping, in the same order. The tag number ``fixed`` keeps its place. Those that find no
    room between ``top`` and ``bottom`` share the edge."""
    placed = list(wanted)
    if not placed:
        return placed
    order = sorted(range(len(placed)), key=lambda index: (placed[index], index))
    low, high = top + height / 2, bottom - height / 2
    pivot = order.index(fixed) if fixed is not None else -1
    if pivot < 0:  # from the top down, and back where that went too far
        floor = low
        for index in order:
            placed[index] = floor = max(placed[index], floor)
            floor += height
        ceiling = high
        for index in reversed(order):
            placed[index] = ceiling = min(placed[index], ceiling)
            ceiling -= height
        return [max(low, place) for place in placed]
    ceiling = placed[order[pivot]]
    for index in reversed(order[:pivot]):
        ceiling = placed[index] = max(low, min(placed[index], ceiling - height))
    floor = placed[order[pivot]]
    for index in order[pivot + 1 :]:
        floor = placed[index] = min(high, max(placed[index], floor + height))
    return placed
