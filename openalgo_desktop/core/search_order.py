"""Which of two exchanges that list the same is shown first; sorting that lets others work."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, TypeVar

T = TypeVar("T")

_NAMES = (
    "NSE_INDEX",
    "BSE_INDEX",
    "MCX_INDEX",
    "GLOBAL_INDEX",
    "NSE",
    "BSE",
    "NFO",
    "BFO",
    "MCX",
    "NCDEX",
    "NCO",
    "CDS",
    "BCD",
    "CRYPTO",
)
#: Place of an exchange: spot prices first, NSE before BSE, MCX before NCO, CDS before BCD.
ORDER = {name: place for place, name in enumerate(_NAMES)}
#: Items that are sorted in one go, a few milliseconds: no other thread runs meanwhile.
_PIECE = 2000


def sorted_gently(items: Iterable[T], key: Callable[[T], Any]) -> list[T]:
    """As :func:`sorted`, for large tables in a thread: the interpreter is given back between
    pieces and while they are merged."""
    rest, pieces = iter(items), list[list[T]]()
    while piece := sorted(islice(rest, _PIECE), key=key):
        pieces.append(piece)
    return pieces[0] if len(pieces) == 1 else list(heapq.merge(*pieces, key=key))
