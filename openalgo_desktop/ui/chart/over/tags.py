"""Where tags go that must not cover one another; those that find no room fold. No Qt here."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import ceil, floor
from typing import NamedTuple


class Place(NamedTuple):
    """The middle of a tag (pixel), and the numbers of what it stands for, from the top down: more
    than one are folded."""

    middle: int
    members: tuple[int, ...]


def rooms(
    height: int, top: float, bottom: float, kept: Sequence[tuple[int, int]] = ()
) -> list[tuple[int, int]]:
    """Parts between ``top`` and ``bottom`` beside those that are ``kept`` free (first pixel and the
    one after the last), from the top down; those too low for one tag are left out."""
    found, upper = [], ceil(top)
    for first, end in sorted(kept):
        found.append((upper, min(first, floor(bottom))))
        upper = max(upper, end)
    found.append((upper, floor(bottom)))
    return [(one, two) for one, two in found if two - one >= height]


def arrange(
    wanted: Sequence[float],
    height: int,
    free: Sequence[tuple[int, int]],
    alone: int | None = None,
    market: float | None = None,
) -> list[Place]:
    """Places of tags of one ``height`` in the ``free`` parts, each in the part that is nearest (on
    its side of the ``market``, where one is there), in the order of the ``wanted`` middles and near
    to them. Where there are more than a part has room
    for, those nearest to one another fold into one; number ``alone`` never does: where there is
    room for one tag only, it is that."""
    found: list[Place] = []
    order = sorted(range(len(wanted)), key=lambda number: (wanted[number], number))
    parts: list[list[int]] = [[] for _ in free]
    for number in order:
        y = wanted[number]
        away = [
            (market is not None and (y > market) is not (low >= market), max(low - y, y - high, 0))
            for low, high in free
        ]
        parts[away.index(min(away))].append(number)
    for at, members in enumerate(parts):  # one with a single place gives the others to the next
        if (
            alone is not None
            and alone in members
            and len(free) > 1
            and (free[at][1] - free[at][0]) // height < 2
        ):
            others, parts[at] = [number for number in members if number != alone], [alone]
            below = at + 1 < len(free)
            other = at + 1 if below else at - 1
            parts[other] = others + parts[other] if below else parts[other] + others
            break
    for (low, high), members in zip(free, parts, strict=True):
        groups = _folded(wanted, members, (high - low) // height, alone)
        middles = [floor(sum(wanted[n] for n in row) / len(row) + 0.5) for row in groups]
        first, last = low + height // 2, high - height + height // 2
        placed = spread(middles, height, first, last)
        found += [Place(middle, row) for middle, row in zip(placed, groups, strict=True)]
    return found


def _folded(
    wanted: Sequence[float], order: list[int], room: int, alone: int | None
) -> list[tuple[int, ...]]:
    """At most ``room`` groups of neighbours: the widest gaps stay gaps."""
    if len(order) <= room:
        return [(number,) for number in order]
    if alone in order:
        others = _folded(wanted, [n for n in order if n != alone], room - 1, None)
        groups = [*others, (alone,)]
        return sorted(groups, key=lambda row: sum(wanted[n] for n in row) / len(row))
    if room < 1:
        return []
    gaps = sorted(
        range(1, len(order)), key=lambda at: (wanted[order[at - 1]] - wanted[order[at]], at)
    )
    edges = [0, *sorted(gaps[: room - 1]), len(order)]
    return [tuple(order[one:two]) for one, two in pairwise(edges)]


def spread(wanted: Sequence[int], height: int, first: int, last: int) -> list[int]:
    """Middles from ``first`` to ``last``, where all have room, ``height`` apart, in the order of
    the ``wanted`` ones, which rise or nearly so."""
    placed, floor_ = [], first
    for middle in wanted:
        placed.append(max(middle, floor_))
        floor_ = placed[-1] + height
    ceiling = last
    for index in range(len(placed) - 1, -1, -1):
        placed[index] = ceiling = min(placed[index], ceiling)
        ceiling -= height
    return placed
