"""Which times are known, as ranges ``(from, before)`` of whole seconds, ascending and apart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

Range: TypeAlias = tuple[int, int]


def united(ranges: Iterable[Range]) -> tuple[Range, ...]:
    """Ranges in any order, joined where they touch."""
    found: list[Range] = []
    for start, end in sorted(ranges):
        if start >= end:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return tuple(found)


def missing(known: Iterable[Range], start: int, end: int) -> list[Range]:
    """What of ``start`` to ``end`` no range of ``known`` (ascending and apart) has."""
    found: list[Range] = []
    for first, last in known:
        if last <= start:
            continue
        if first >= end:
            break
        if first > start:
            found.append((start, first))
        start = last
    if start < end:
        found.append((start, end))
    return found
