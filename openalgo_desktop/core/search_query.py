"""What a trader means by the words of the symbol search: names, kind, expiry, strike, exchange.

``bnf fut``, ``nifty 26 dec``, ``nifty 25000 ce``, ``NIFTY29DEC2625000CE`` and ``NSE:SBIN`` are
all read here. Text cannot decide everything (is 26 a day, a year or the start of a strike?): what
is open stays open in :class:`Wanted`, and the finder decides by what is listed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import msgspec

from openalgo_desktop.core.symbols import MONTHS

_MONTH_NAMES = (
    "JANUARY",
    "FEBRUARY",
    "MARCH",
    "APRIL",
    "MAY",
    "JUNE",
    "JULY",
    "AUGUST",
    "SEPTEMBER",
    "OCTOBER",
    "NOVEMBER",
    "DECEMBER",
)
_KINDS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("FUT", "FUTS", "FUTURE", "FUTURES"), ("FUT",)),
    **dict.fromkeys(("CE", "CALL", "CALLS"), ("CE",)),
    **dict.fromkeys(("PE", "PUT", "PUTS"), ("PE",)),
    **dict.fromkeys(("OPT", "OPTION", "OPTIONS"), ("CE", "PE")),
}
#: Kinds that are still being typed, after a strike.
_BEGUN = {"C": ("CE",), "P": ("PE",)}
#: Words that name an exchange, and the exchanges they allow.
EXCHANGES: dict[str, frozenset[str]] = {
    "NSE": frozenset({"NSE", "NSE_INDEX", "NFO", "CDS", "NCO"}),
    "BSE": frozenset({"BSE", "BSE_INDEX", "BFO", "BCD"}),
    **{name: frozenset({name}) for name in ("NFO", "BFO", "MCX", "CDS", "BCD", "NCO", "NCDEX")},
    "INDEX": frozenset({"NSE_INDEX", "BSE_INDEX", "MCX_INDEX", "GLOBAL_INDEX"}),
    "EQ": frozenset({"NSE", "BSE"}),
}
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_MONTH = "|".join(MONTHS)
_DATE = re.compile(rf"(\d{{1,2}})?({_MONTH})(\d{{2}}|\d{{4}})?")
_STRIKE_KIND = re.compile(r"(\d+(?:\.\d+)?)(CE|PE|C|P)")
_SYMBOL = re.compile(
    rf"(.*?[A-Z0-9&])(\d{{2}})({_MONTH})(\d{{2}})?((?<=\d)\d+(?:\.\d+)?)?(CE|PE|FUT|FU|C|P)?"
)
_GLUED = re.compile(r"(.*?[A-Z&])(\d+(?:\.\d+)?)?(CE|PE|FUT)?")


class Wanted(msgspec.Struct):
    """The parts of a query. ``dates`` are numbers beside a month: a day, a year, or, when no
    expiry has them, a strike. ``numbers`` are strikes, or the beginning of one."""

    words: list[str] = msgspec.field(default_factory=list)
    kinds: tuple[str, ...] = ()
    month: int = 0
    dates: list[int] = msgspec.field(default_factory=list)
    numbers: list[str] = msgspec.field(default_factory=list)
    exchanges: frozenset[str] | None = None

    @property
    def derivative(self) -> bool:
        """Whether only contracts with an expiry can be meant."""
        return bool(self.kinds or self.month)


class Aliases:
    """Names that traders use and no master has: phrase -> bases, most likely first."""

    def __init__(self, names: dict[str, list[str]] | None = None) -> None:
        self._names = {phrase.upper(): bases for phrase, bases in (names or {}).items()}

    @classmethod
    def from_json(cls, text: str) -> Aliases:
        """From the text of ``resources/search/aliases.json``."""
        return cls(msgspec.json.decode(text, type=dict[str, list[str]]))

    def exact(self, words: Sequence[str]) -> list[str]:
        """Bases of the whole phrase."""
        return self._names.get(" ".join(words), [])

    def begun(self, words: Sequence[str]) -> list[str]:
        """Bases of phrases that begin so; three letters at least."""
        start = " ".join(words)
        if len(start) < 3:
            return []
        found = (base for name, bases in self._names.items() if name.startswith(start)
                 for base in bases)  # fmt: skip
        return list(dict.fromkeys(found))


def _month(word: str) -> int:
    """Month number of a name of which three letters at least are there; 0 for other words."""
    if len(word) < 3:
        return 0
    return next((n for n, name in enumerate(_MONTH_NAMES, 1) if name.startswith(word)), 0)


def _split(word: str, is_base: Callable[[str], bool], starts_base: Callable[[str], bool]) -> str:
    """A word that holds several parts, with blanks between them."""
    if match := _DATE.fullmatch(word):
        return " ".join(part for part in match.groups() if part)
    if match := _STRIKE_KIND.fullmatch(word):
        return f"{match[1]} {match[2]}"
    if starts_base(word):
        return word
    if (match := _SYMBOL.fullmatch(word)) and is_base(match[1]):
        return " ".join(part for part in match.groups() if part)
    if (match := _GLUED.fullmatch(word)) and (match[2] or match[3]) and is_base(match[1]):
        return " ".join(part for part in match.groups() if part)
    return word


def tokens(query: str) -> list[str]:
    """The words of a query, upper case."""
    return query.upper().replace(":", " ").replace(",", " ").split()


def read(query: str, is_base: Callable[[str], bool], starts_base: Callable[[str], bool]) -> Wanted:
    """The parts of ``query``. ``is_base`` knows underlyings and their other names,
    ``starts_base`` whether a symbol begins with that text."""
    parts = " ".join(_split(word, is_base, starts_base) for word in tokens(query)).split()
    wanted = Wanted()
    near_month: set[int] = set()
    for place, word in enumerate(parts):
        alone = len(parts) == 1
        if place and (month := _month(word)) and not wanted.month:
            wanted.month = month
            near_month |= {place - 1, place + 1}
        elif kinds := () if alone else _kinds(word, parts[place - 1] if place else ""):
            wanted.kinds += kinds
        elif not alone and word in EXCHANGES and (place or not is_base(word)):
            wanted.exchanges = EXCHANGES[word]
        elif place == 0 and not alone and _month(word) and not _other_words(parts[1:]):
            wanted.month = _month(word)
            near_month |= {1}
        elif not _NUMBER.fullmatch(word):
            wanted.words.append(word)
    for place, word in enumerate(parts):
        if not _NUMBER.fullmatch(word):
            continue
        if place in near_month and "." not in word and (len(word) <= 2 or word.startswith("20")):
            wanted.dates.append(int(word))
        else:
            wanted.numbers.append(word)
    return wanted


def _kinds(word: str, before: str) -> tuple[str, ...]:
    begun = _BEGUN.get(word, ()) if _NUMBER.fullmatch(before) else ()
    return _KINDS.get(word, begun)


def _other_words(parts: Sequence[str]) -> bool:
    return any(
        not _NUMBER.fullmatch(word) and word not in _KINDS and word not in EXCHANGES
        for word in parts
    )
