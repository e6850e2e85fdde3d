"""Where a broker's objects hold what we call quantity, price, status ...: learned from recordings,
by what agrees in all of them. So a replay can read a request and write a row of a book without
knowing the broker."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias
from urllib.parse import unquote

from tests.wire.compare import as_number, equal_numbers

#: Keys and indexes from the outside in.
Path_: TypeAlias = tuple[str | int, ...]
#: A wire object and what it means in uniform form.
Pair: TypeAlias = tuple[Any, Mapping[str, Any]]

NUMBERS = ("quantity", "price", "trigger_price", "disclosed_quantity")
WORDS = ("action", "product", "pricetype", "exchange", "order_status")
#: Fields whose words the broker may have several of for one of ours.
_MANY = frozenset({"order_status"})
#: Fields of which the wire may have one word for two: a protected limit stands in for a market
#: order, and what is carried overnight may be called the same for shares and futures. The plain one
#: is meant.
_SHARED = frozenset({"pricetype", "product"})
#: Fields for which the wire may have two, of which one alone says too little.
_PAIRED = frozenset({"exchange"})
_PLAIN = ("LIMIT", "SL", "MARKET", "SL-M")
#: A number is where this share of the pairs agrees (some count some instruments in lots).
_SHARE = 0.6


def leaves(value: Any, path: Path_ = ()) -> Iterable[tuple[Path_, Any]]:
    """Every value that is no table or list, with its path."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    else:
        yield path, value


def at(value: Any, path: Path_) -> Any:
    """The value at a path; None where there is none."""
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def put(value: Any, path: Path_, new: Any) -> None:
    """Set the value at a path that exists, in the type that it had."""
    for part in path[:-1]:
        value = value[part]
    old = value[path[-1]]
    if isinstance(old, str):
        value[path[-1]] = str(new)
    elif isinstance(old, int) and float(new).is_integer():
        value[path[-1]] = int(new)
    else:
        value[path[-1]] = new


class Lens:
    """Reads and writes one kind of wire object. ``symbols`` are the rows of the recording's
    symbol table."""

    def __init__(self, pairs: Sequence[Pair], symbols: Sequence[Mapping[str, Any]]) -> None:
        self._symbols = symbols
        self._flat = [(dict(leaves(wire)), ours) for wire, ours in pairs]
        self.paths = sorted({path for flat, _ in self._flat for path in flat}, key=str)
        self.numbers = {name: found for name in NUMBERS if (found := self._numbers(name))}
        #: Words of two fields that are clear together (exchange and segment): written, never read.
        self._beside: dict[Path_, dict[str, Any]] = {}
        self.words = self._apart({name: words for name in WORDS if (words := self._words(name))})
        self.ids = self._equal("orderid")
        self.names = self._names()

    # -- learning ---------------------------------------------------------------------------
    def _equal(self, name: str) -> list[Path_]:
        known = [(flat, str(ours[name])) for flat, ours in self._flat if ours.get(name)]
        return [
            path
            for path in self.paths
            if known and all(str(flat.get(path)) == text for flat, text in known)
        ]

    def _numbers(self, name: str) -> list[Path_]:
        """Paths that have that number wherever they say something: those that agree most often,
        and others by their name (a pending quantity is that of an order that has no fill)."""
        priced = name in ("price", "trigger_price")
        known = [
            (flat, as_number(ours[name]))
            for flat, ours in self._flat
            if ours.get(name) is not None
            # What stands in for a market order has a price of its own.
            and not (priced and ours.get("pricetype") in ("MARKET", "SL-M"))
        ]
        shares: dict[Path_, float] = {}
        for path in self.paths:
            seen = [(as_number(flat[path]), ours) for flat, ours in known if path in flat]
            same = [pair for pair in seen if _same(*pair)]
            if any(ours for _, ours in same) and len(same) >= _SHARE * len(seen):
                shares[path] = len(same) / len(seen)
        best = max(shares.values(), default=0.0)
        return [path for path, share in shares.items() if share == best or _named(name, path)]

    def _words(self, name: str) -> dict[Path_, dict[str, Any]]:
        """Paths that are called so, with the wire's word for each of ours: the first recorded
        one where there are several."""
        found: dict[Path_, dict[str, Any]] = {}
        for path in (path for path in self.paths if _named(name, path)):
            pairs: dict[tuple[str, Any], None] = {
                (str(ours[name]), flat[path]): None
                for flat, ours in self._flat
                if ours.get(name) and path in flat and _is_word(flat[path])
            }
            words = dict(reversed(pairs))
            clear = len({wire for _, wire in pairs}) == len(pairs)  # a word means one of ours
            single = len(words) == len(pairs)  # one of ours has one word
            apart = len(set(words.values())) >= 2
            if apart and ((single and (clear or name in _SHARED)) or (clear and name in _MANY)):
                found[path] = words
            elif apart and single and name in _PAIRED:
                self._beside[path] = words
        return found

    def _apart(self, words: dict[str, dict[Path_, dict[str, Any]]]) -> Any:
        """A path that means one thing clearly (a word for each of ours) says nothing else, too."""

        def clear(table: dict[str, Any]) -> bool:
            return len(set(table.values())) == len(table)

        taken = {p for tables in words.values() for p, table in tables.items() if clear(table)}
        for name, tables in list(words.items()):
            kept = {p: table for p, table in tables.items() if clear(table) or p not in taken}
            if kept:
                words[name] = kept
        return words

    def _names(self) -> dict[Path_, str]:
        """Paths that name the instrument, and by which of its names (see :func:`names_of`)."""
        known = [
            (flat, names_of(row))
            for flat, ours in self._flat
            if (row := self._symbol(ours.get("symbol"), ours.get("exchange"))) is not None
        ]
        found: dict[Path_, str] = {}
        for path in self.paths:
            for kind in NAMES:
                if known and all(
                    path in flat and unquote(str(flat[path])) == names[kind]
                    for flat, names in known
                ):
                    found.setdefault(path, kind)
        return found

    def _symbol(self, symbol: Any, exchange: Any) -> Mapping[str, Any] | None:
        same = (r for r in self._symbols if (r["symbol"], r["exchange"]) == (symbol, exchange))
        return next(same, None)

    # -- use --------------------------------------------------------------------------------
    def read(self, wire: Any) -> dict[str, Any]:
        """What a wire object says, in uniform form; only what was learned."""
        flat = dict(leaves(wire))
        found: dict[str, Any] = {}
        for name, paths in self.numbers.items():
            if (path := next((path for path in paths if path in flat), None)) is not None:
                found[name] = as_number(flat[path])
        for name, words in self.words.items():
            for path, table in words.items():
                if fitting := [ours for ours, word in table.items() if word == flat.get(path)]:
                    found[name] = min(fitting, key=_rank)
        if (path := next((path for path in self.ids if path in flat), None)) is not None:
            found["orderid"] = str(flat[path])
        return found | self._instrument(flat, found.get("exchange"))

    def _instrument(self, flat: Mapping[Path_, Any], exchange: str | None) -> dict[str, Any]:
        """The instrument that the names of a wire object mean."""
        for row in self._symbols:
            names = names_of(row)
            if (
                self.names
                and exchange in (None, row["exchange"])
                and all(unquote(str(flat.get(p))) == names[kind] for p, kind in self.names.items())
            ):
                return {"symbol": row["symbol"], "exchange": row["exchange"]}
        return {}

    def write(self, wire: Any, before: Mapping[str, Any], after: Mapping[str, Any]) -> Any:
        """``wire``, which means ``before``, changed to mean ``after`` as far as was learned."""
        result = copy.deepcopy(wire)
        flat = dict(leaves(wire))
        for name, paths in self.numbers.items():
            for path in paths:
                if path in flat and name in after and as_number(flat[path]) is not None:
                    put(result, path, after[name])
        told = "exchange" in self.words or len(self._beside) > 1
        beside = [("exchange", self._beside)] if told else []
        for name, words in (*self.words.items(), *beside):
            for path, table in words.items():
                word = table.get(after.get(name) or "")
                if path in flat and word is not None and before.get(name) != after.get(name):
                    put(result, path, word)
        for path in self.ids:
            if path in flat:
                put(result, path, after["orderid"])
        row = self._symbol(after.get("symbol"), after.get("exchange"))
        if row is not None:
            for path, kind in self.names.items():
                put(result, path, names_of(row)[kind])
        return result

    def extend(self, other: Lens) -> None:
        """Take over words of another kind of object that speaks as this one does."""
        for name, tables in self.words.items():
            for mine in tables.values():
                for theirs in other.words.get(name, {}).values():
                    both = set(mine) & set(theirs)
                    if both and all(mine[ours] == theirs[ours] for ours in both):
                        mine |= {ours: word for ours, word in theirs.items() if ours not in mine}

    def knows(self, name: str, word: str) -> bool:
        """Whether it has a word for one of ours."""
        return any(word in table for table in self.words.get(name, {}).values())


#: What an instrument is called on a wire.
NAMES = ("brsymbol", "token", "first_token", "last_token", "symbol")


def names_of(row: Mapping[str, Any]) -> dict[str, str]:
    """The names of a row of the symbol table; a token may have two parts."""
    token = str(row["token"])
    return {
        "brsymbol": str(row["brsymbol"]),
        "token": token,
        "first_token": token.partition("::::")[0],
        "last_token": token.rpartition("::::")[2],
        "symbol": str(row["symbol"]),
    }


def _same(a: float | None, b: float | None) -> bool:
    return a is not None and b is not None and equal_numbers(a, b)


def _rank(ours: str) -> int:
    return _PLAIN.index(ours) if ours in _PLAIN else len(_PLAIN)


def _is_word(value: Any) -> bool:
    """Whether a value may be one of a few words: no long number, id or time."""
    if isinstance(value, (bool, float)) or value in (None, ""):
        return False
    return sum(letter.isdigit() for letter in str(value)) < 4


#: Parts of the names by which brokers call these fields.
_HINTS = {
    "quantity": ("qty", "quantity"),
    "price": ("price", "prc", "rate"),
    "trigger_price": ("trigger", "trig", "trg", "stop"),
    "disclosed_quantity": ("disclosed", "disc", "dsc"),
    "order_status": ("status", "stat"),
    "action": ("trantype", "side", "transaction", "action", "buysell"),
    "product": ("product", "prod", "prd"),
    "pricetype": ("type", "typ"),
    "exchange": ("exch", "segment"),
}


def _named(name: str, path: Path_) -> bool:
    """Whether a path is called like this field, and like no other one better (``productType``)."""
    text = str(path[-1]).lower() if path else ""

    def length(field: str) -> int:
        return max((len(hint) for hint in _HINTS[field] if hint in text), default=0)

    others = WORDS if name in WORDS else NUMBERS
    return 0 < length(name) == max(map(length, others))
