"""Rows that contain all terms of a query, in the order that API clients know.

The texts of an exchange lie in a few long strings, shortest symbol first. A scan of one meets the
hits in the order they are wanted in, so it stops as soon as there are enough.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from operator import attrgetter
from typing import Any

from openalgo_desktop.core.gently import gently, sorted_gently
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.money import plain
from openalgo_desktop.core.search_order import ORDER

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_SEPARATOR = "\x1f"
_STRIKE = "\x1f="
#: Rows of a part: a scan of one takes about a millisecond, and no other thread runs meanwhile.
_PART = 20_000
_strike = lru_cache(4096)(plain)  # many contracts, few strikes


class TextIndex:
    """The search texts of one symbol master. Made once, never changed; safe to make in a thread."""

    def __init__(self, rows: Iterable[Instrument]) -> None:
        lengths: dict[str, dict[int, list[Instrument]]] = {}
        for row in gently(rows):
            lengths.setdefault(row.exchange, {}).setdefault(len(row.symbol), []).append(row)
        self._parts: list[tuple[str, _Part]] = []
        for exchange, groups in lengths.items():
            ordered = (
                row
                for length in sorted(groups)
                for row in sorted_gently(groups[length], key=attrgetter("symbol"))
            )
            while some := list(islice(ordered, _PART)):
                self._parts.append((exchange, _Part(some)))

    def parts(self) -> list[Any]:
        """What it is made of, for who takes it apart."""
        return [part for _, part in self._parts]

    def search(self, query: str, exchange: str | None, limit: int) -> list[Instrument]:
        """As :meth:`InstrumentTable.search`."""
        terms = [_Term(word) for word in query.upper().split()]
        if not terms or limit <= 0:
            return []
        whole = query.strip().upper()
        parts = [part for name, part in self._parts if exchange in (None, name)]
        found: list[tuple[int, int, str, int, Instrument]] = []

        def take(hits: list[tuple[int, Instrument]]) -> None:
            for rank, row in hits:
                place = ORDER.get(row.exchange, len(ORDER))
                found.append((rank, len(row.symbol), row.symbol, place, row))

        if len(terms) > 1:
            for part in parts:
                take(part.with_all(whole, terms))
        else:
            for part in parts:
                take(part.begun(whole, terms, limit))
            for part in parts if len(found) < limit else ():
                take(part.others(terms, limit))
        found.sort(key=lambda hit: hit[:4])
        return [hit[4] for hit in found[:limit]]


class _Term:
    """A word of a query; one that is a number is also the strike of that value."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.needles = [word]
        if _NUMBER.fullmatch(word) and float(word) > 0 and len(word) < 16:
            # Where the word is how the strike is written, the symbol has it too.
            self.needles.append(f"{_STRIKE}{plain(float(word))}\n")

    def inside(self, text: str, start: int, end: int) -> bool:
        return any(text.find(needle, start, end) >= 0 for needle in self.needles)


class _Part:
    """Some rows of one exchange, shortest symbol first."""

    def __init__(self, rows: list[Instrument]) -> None:
        self._rows = rows
        lines = [_line(row) for row in gently(rows)]
        starts, place = array("I"), 0
        for line in gently(lines):
            starts.append(place)
            place += len(line)
        starts.append(place)
        self._starts = starts
        self._text = "".join(lines)

    def begun(self, whole: str, terms: list[_Term], limit: int) -> list[tuple[int, Instrument]]:
        """Rank and row of the best ``limit`` symbols that begin with the first term."""
        found: list[tuple[int, Instrument]] = []
        for line in self._lines([f"\n{terms[0].word}"], terms):
            row = self._rows[line]
            found.append((0 if row.symbol.upper() == whole else 1, row))
            if len(found) >= limit:
                break
        return found

    def others(self, terms: list[_Term], limit: int) -> list[tuple[int, Instrument]]:
        """Rank and row of the best ``limit`` that have the one term elsewhere."""
        word = terms[0].word
        inside: list[tuple[int, Instrument]] = []
        elsewhere: list[tuple[int, Instrument]] = []
        for line in self._lines(terms[0].needles, terms):
            row = self._rows[line]
            symbol = row.symbol.upper()
            if symbol.startswith(word):
                continue
            if word in symbol:
                inside.append((2, row))
                if len(inside) >= limit:
                    break
            elif len(elsewhere) < limit:
                elsewhere.append((3, row))
        return inside + elsewhere

    def with_all(self, whole: str, terms: list[_Term]) -> list[tuple[int, Instrument]]:
        """Rank and row of everything that has all of several terms."""
        counts = {term.word: self._count(term) for term in terms}
        rarest = min(terms, key=lambda term: counts[term.word])
        if not counts[rarest.word]:
            return []
        found: list[tuple[int, Instrument]] = []
        for line in self._lines(rarest.needles, terms):
            row = self._rows[line]
            found.append((_rank(row.symbol.upper(), whole, terms), row))
        return found

    def _count(self, term: _Term) -> int:
        return sum(self._text.count(needle) for needle in term.needles)

    def _lines(self, needles: list[str], terms: list[_Term]) -> Iterator[int]:
        """Rows with one of ``needles`` and all ``terms``, ascending."""
        text, starts = self._text, self._starts
        places = [text.find(needle) for needle in needles]
        while (place := min((p for p in places if p >= 0), default=-1)) >= 0:
            line = bisect_right(starts, place) - 1
            end = starts[line + 1]
            if all(term.inside(text, starts[line], end) for term in terms):
                yield line
            places = [
                text.find(needle, end) if 0 <= p < end else p
                for p, needle in zip(places, needles, strict=True)
            ]


def _rank(symbol: str, whole: str, terms: list[_Term]) -> int:
    if symbol == whole:
        return 0
    if symbol.startswith(terms[0].word):
        return 1
    return 2 if any(term.word in symbol for term in terms) else 3


def _line(row: Instrument) -> str:
    text = _SEPARATOR.join((row.symbol, row.brsymbol, row.name, row.token)).upper()
    strike = f"{_STRIKE}{_strike(row.strike)}" if row.strike else ""
    return f"\n{text.replace(chr(10), ' ')}{strike}\n"
