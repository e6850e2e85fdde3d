"""Symbol search as a trader expects it: what is traded most and expires next comes first.

The index knows underlyings, not contracts: some 20,000 names in place of 150,000 rows. A query is
matched with names; the contracts of the best ones come from the tables of the symbol master, by
expiry and by distance from the money.
"""

from __future__ import annotations

import heapq
import re
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import chain, islice
from operator import attrgetter
from typing import Any

import msgspec

from openalgo_desktop.core.gently import gently, sorted_gently
from openalgo_desktop.core.keyed import Keyed
from openalgo_desktop.core.model import Instrument, Key
from openalgo_desktop.core.search_order import ORDER
from openalgo_desktop.core.search_query import Aliases, Wanted, read, tokens
from openalgo_desktop.core.symbols import parse

#: Price of an underlying (exchange and name of its contracts), None when unknown; rupees.
Spot = Callable[[str, str], float | None]
Options = Mapping[date, Mapping[tuple[float, str], Instrument]]
Futures = Mapping[date, Instrument]
Base = tuple[str, str]

#: Contracts of one expiry before the next expiry has its turn.
_PER_EXPIRY = 20
#: Contracts of the named underlying, and of one that only resembles it, where no kind is asked.
_NAMED, _SIMILAR = (3, 6), (1, 0)
#: Underlyings whose strikes are compared with a number that is still being typed.
_GUESSED = 6
_GUESSED_EXPIRIES = 4
#: Underlyings that are meant by a query without a name: 25000 CE.
_UNNAMED = 100
#: Digits of an exchange's code of a share, at least: 500112.
_CODE = 4
#: Names that are compared with all words of a query: those after them are less important.
_EXAMINED = 3000
_WORD = re.compile(r"[A-Z0-9&]+")
_LAST = "\U0010ffff"
#: How well a name fits, best first.
_EXACT, _PREFIX, _NAME, _WORDS, _INSIDE = range(5)


class _Family(msgspec.Struct, frozen=True):
    """Contracts of one underlying on one exchange; expiries ascending."""

    exchange: str
    base: str
    futures: Futures
    options: Options
    expiries: tuple[date, ...]


class _Base(msgspec.Struct):
    """Everything of one name. ``rank`` orders names that fit equally well."""

    name: str
    spots: list[Instrument] = msgspec.field(default_factory=list)
    families: list[_Family] = msgspec.field(default_factory=list)
    words: str = ""
    rank: int = 0

    @property
    def items(self) -> list[Instrument | _Family]:
        """All of it, by exchange."""
        both: list[Instrument | _Family] = [*self.spots, *self.families]
        return sorted(both, key=_place)


class Finder:
    """The index of one symbol master. Made once, never changed; safe to make in a thread."""

    def __init__(
        self,
        rows: Iterable[Instrument],
        futures: Keyed[Base, dict[date, Instrument]],
        options: Keyed[Base, dict[date, dict[tuple[float, str], Instrument]]],
    ) -> None:
        bases: Keyed[str, _Base] = Keyed()
        self._codes: Keyed[str, Instrument] = Keyed()
        for row in gently(rows):
            if row.expiry is None:
                for code in row.token.split("::::"):
                    if len(code) >= _CODE:
                        self._codes.setdefault(code, row)
                name = row.symbol.upper()
                base = bases.get(name)
                if base is None:
                    base = bases[name] = _Base(name)
                base.spots.append(row)
        both = chain(futures, (base for base in options if base not in futures))
        for exchange, name in gently(both):
            of_futures = futures.get((exchange, name)) or {}
            of_options = options.get((exchange, name)) or {}
            expiries = tuple(sorted({*of_futures, *of_options}))
            title = name or parse(next(iter(of_futures.values())).symbol).base
            base = bases.setdefault(title.upper(), _Base(title.upper()))
            base.families.append(_Family(exchange, name, of_futures, of_options, expiries))
        for base in gently(bases.values()):
            _finish(base)
        ordered = sorted_gently(bases.values(), key=_importance)
        for rank, base in enumerate(gently(ordered)):
            base.rank = rank
        self._bases = bases
        self._listed = [base for base in gently(ordered) if base.families]
        self._names = sorted_gently(bases, key=str)
        words: Keyed[str, list[_Base]] = Keyed()
        for base in gently(ordered):
            for word in set(base.words.split()):
                words.setdefault(word, []).append(base)
        self._words = words
        self._sorted_words = sorted_gently(words, key=str)
        lines = [f"{base.name}\x1f{base.words}" for base in gently(ordered)]
        self._everything = "\n".join(lines)
        self._ordered = ordered
        self._starts = _line_starts(lines)

    def parts(self) -> list[Any]:
        """What it is made of, whole before part from the end on, for who takes it apart."""
        tables = (self._bases, self._words, self._codes)
        lists = (self._ordered, self._listed, self._names, self._sorted_words, self._starts)
        return [*self._ordered, *(part for table in tables for part in table.parts()), *lists]

    # -- the search -------------------------------------------------------------------------
    def find(
        self, query: str, today: date, spot: Spot, aliases: Aliases, limit: int
    ) -> list[Instrument]:
        """Instruments that ``query`` may mean, best first; none when no name fits."""
        wanted = read(query, lambda word: self._knows(word, aliases), self._starts_a_name)
        found: dict[Key, Instrument] = {}
        for row in self._rows(wanted, query, today, spot, aliases, limit):
            found.setdefault(row.key, row)
            if len(found) >= limit:
                break
        return list(found.values())

    def _rows(
        self, w: Wanted, query: str, today: date, spot: Spot, aliases: Aliases, limit: int
    ) -> Iterator[Instrument]:
        if not w.words:
            if (row := self._codes.get(query.strip())) is not None:
                yield row
                return
            some = [(_EXACT, base) for base in self._listed[:_UNNAMED]]
            yield from self._contracts(some, w, today, spot)
            return
        if w.derivative:
            bases = self._match(w.words, aliases, limit, listed=True)
            yield from self._contracts(bases, w, today, spot)
            # A company may be called so: FUTURE RETAIL.
            yield from self._named(w, tokens(query), today, spot, aliases, limit)
        elif w.numbers:
            # A number is part of a name (NIFTY 50) or a strike.
            bases = self._match(w.words, aliases, limit, listed=True)
            strikes = list(islice(self._contracts(bases, w, today, spot), limit))
            words = [*w.words, *w.numbers]
            if strikes and repr(strikes[0].strike) in (repr(float(n)) for n in w.numbers):
                yield from strikes
            yield from self._named(w, words, today, spot, aliases, 6 if strikes else limit)
            yield from strikes
        else:
            yield from self._named(w, w.words, today, spot, aliases, limit)

    def _named(
        self,
        w: Wanted,
        words: Sequence[str],
        today: date,
        spot: Spot,
        aliases: Aliases,
        limit: int,
    ) -> Iterator[Instrument]:
        """Shares, indices and the nearest contracts of what is called so."""
        bases = self._match(words, aliases, limit, listed=False)
        plain = Wanted(exchanges=w.exchanges)
        for score, base in bases:
            futures, options = _NAMED if score == _EXACT else _SIMILAR
            for item in base.items:
                if not _allowed(item.exchange, w):
                    continue
                if isinstance(item, Instrument):
                    yield item
                else:
                    yield from islice(_futures(item, today, plain), futures)
                    yield from islice(_options(item, today, plain, spot), options)
        for _, base in bases:
            for family in base.families:
                if _allowed(family.exchange, w):
                    yield from _futures(family, today, plain)
                    yield from _options(family, today, plain, spot)

    def _contracts(
        self, bases: Sequence[tuple[int, _Base]], w: Wanted, today: date, spot: Spot
    ) -> Iterator[Instrument]:
        """Contracts of these; of those that begin like a number only where it is no strike."""
        exact = False
        for _, family in _families(bases, w):
            if not w.kinds or "FUT" in w.kinds:
                yield from _futures(family, today, w)
            if w.kinds != ("FUT",):
                for row in _options(family, today, w, spot):
                    exact = True
                    yield row
        if exact or w.kinds == ("FUT",):
            return
        best = min((score for score, _ in bases), default=_EXACT)
        for score, family in islice(_families(bases, w), _GUESSED):
            if score == best:
                yield from _options(family, today, w, spot, begun=True)

    # -- names ------------------------------------------------------------------------------
    def _knows(self, word: str, aliases: Aliases) -> bool:
        return word in self._bases or bool(aliases.exact([word]))

    def _starts_a_name(self, text: str) -> bool:
        place = bisect_left(self._names, text)
        return place < len(self._names) and self._names[place].startswith(text)

    def _match(
        self, words: Sequence[str], aliases: Aliases, limit: int, *, listed: bool
    ) -> list[tuple[int, _Base]]:
        """Names that fit, best first; with ``listed`` only those with contracts."""
        if not words:
            return [(_WORDS, base) for base in self._listed] if listed else []
        joined, found = "".join(words), dict[str, int]()
        exact = [joined, *aliases.exact(words)]
        for name in exact:
            found.setdefault(name, _EXACT)
        for name in self._prefixed(joined):
            found.setdefault(name, _PREFIX)
        for name in aliases.begun(words):
            found.setdefault(name, _NAME)
        if len(found) < limit or len(joined) > 2:
            for name, score in self._by_words(words, 4 * limit):
                found.setdefault(name, score)
        if len(found) < limit and len(joined) > 1:
            for name in self._containing(words, limit):
                found.setdefault(name, _INSIDE)
        hits = (
            (score, base.rank if score else exact.index(name), base)
            for name, score in found.items()
            if (base := self._bases.get(name)) is not None and (base.families or not listed)
        )
        ordered = sorted(hits, key=lambda hit: hit[:2])[:limit]
        return [(score, base) for score, _, base in ordered]

    def _prefixed(self, text: str) -> Sequence[str]:
        first = bisect_left(self._names, text)
        return self._names[first : bisect_left(self._names, text + _LAST)]

    def _by_words(self, words: Sequence[str], limit: int) -> Iterator[tuple[str, int]]:
        """Names whose words begin with all of ``words``, the most important ones first."""
        longest = max(words, key=len)
        first = bisect_left(self._sorted_words, longest)
        last = bisect_left(self._sorted_words, longest + _LAST)
        lists = [self._words[word] for word in self._sorted_words[first:last]]
        phrase, before, left = " ".join(words), "", limit
        for base in islice(heapq.merge(*lists, key=attrgetter("rank")), _EXAMINED):
            if base.name == before:
                continue
            before, text = base.name, f" {base.words}"
            if all(f" {other}" in text for other in words):
                yield base.name, _NAME if f" {phrase}" in text else _WORDS
                left -= 1
                if not left:
                    return

    def _containing(self, words: Sequence[str], limit: int) -> Iterator[str]:
        """Names that have all of ``words`` anywhere, the most important ones first."""
        text, starts = self._everything, self._starts
        longest = max(words, key=len)
        place, left, examined = text.find(longest), limit, 0
        while place >= 0 and left and examined < _EXAMINED:
            line = bisect_left(starts, place + 1) - 1
            end = starts[line + 1] if line + 1 < len(starts) else len(text)
            if all(text.find(word, starts[line], end) >= 0 for word in words):
                yield self._ordered[line].name
                left -= 1
            examined += 1
            place = text.find(longest, end)


def _line_starts(lines: Iterable[str]) -> array[int]:
    """Where each of these lines begins in the text of all."""
    starts, place = array("L"), 0
    for line in gently(lines):
        starts.append(place)
        place += len(line) + 1
    return starts


def _place(item: Instrument | _Family) -> int:
    return ORDER.get(item.exchange, len(ORDER))


def _finish(base: _Base) -> None:
    base.spots.sort(key=_place)
    base.families.sort(key=lambda family: (_place(family), family.base))
    names = {row.name.upper(): None for row in base.spots if row.name}
    words = [word for text in (base.name, *names) for word in _WORD.findall(text)]
    base.words = " ".join(dict.fromkeys(words))


def _importance(base: _Base) -> tuple[bool, bool, bool, int, str]:
    """Names with contracts first, of these indices and what has options; then shorter ones."""
    return (
        not base.families,
        not any(row.is_index for row in base.spots),
        not any(family.options for family in base.families),
        len(base.name),
        base.name,
    )


def _families(bases: Iterable[tuple[int, _Base]], w: Wanted) -> Iterator[tuple[int, _Family]]:
    for score, base in bases:
        for family in base.families:
            if _allowed(family.exchange, w):
                yield score, family


def _allowed(exchange: str, w: Wanted) -> bool:
    return w.exchanges is None or exchange in w.exchanges


# -- contracts ----------------------------------------------------------------------------------
def _expiries(family: _Family, today: date, w: Wanted) -> tuple[list[date], list[str]]:
    """Expiries that are meant, nearest first (a day that was named before a year), and the
    numbers that are strikes. Past ones count only where the master has no others."""
    coming = [day for day in family.expiries if day >= today] or list(family.expiries)
    if not w.month:
        return coming, w.numbers
    coming = [day for day in coming if day.month == w.month]
    dated = [
        day
        for day in coming
        if all(number in (day.day, day.year % 100, day.year) for number in w.dates)
    ]
    if not dated:
        return coming, [*map(str, w.dates), *w.numbers]
    return sorted(dated, key=lambda day: w.dates[:1] != [day.day]) if w.dates else dated, w.numbers


def _futures(family: _Family, today: date, w: Wanted) -> Iterator[Instrument]:
    days, strikes = _expiries(family, today, w)
    if not strikes:
        yield from (family.futures[day] for day in days if day in family.futures)


def _options(
    family: _Family, today: date, w: Wanted, spot: Spot, *, begun: bool = False
) -> Iterator[Instrument]:
    """Options nearest to the money, expiry by expiry; of a query with numbers those of that
    strike, or (``begun``) of strikes that begin so."""
    days, numbers = _expiries(family, today, w)
    kinds = [kind for kind in ("CE", "PE") if not w.kinds or kind in w.kinds]
    if numbers and not begun:
        exact = [float(number) for number in numbers]
        for day in days:
            yield from _at(family.options.get(day, {}), exact, kinds)
        return
    middle: float | None = None
    for day in days[:_GUESSED_EXPIRIES] if begun else days:
        listed = family.options.get(day)
        if not listed:
            continue
        strikes = sorted({strike for strike, _ in listed})
        if middle is None:
            middle = spot(family.exchange, family.base) or strikes[len(strikes) // 2]
        near = _nearest(strikes, middle)
        if numbers:
            near = [k for k in near if any(repr(k).startswith(number) for number in numbers)]
        yield from islice(_at(listed, near, kinds), _PER_EXPIRY)


def _nearest(strikes: list[float], middle: float) -> list[float]:
    return sorted(strikes, key=lambda strike: (abs(strike - middle), strike))


def _at(
    listed: Mapping[tuple[float, str], Instrument], strikes: Iterable[float], kinds: Sequence[str]
) -> Iterator[Instrument]:
    for strike in strikes:
        for kind in kinds:
            if (row := listed.get((strike, kind))) is not None:
                yield row
