"""Reads a combination as it is typed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import NamedTuple

from openalgo_desktop.core.charting.legs.expression import (
    Expression,
    Joined,
    Leg,
    Negative,
    Node,
    Number,
)
from openalgo_desktop.core.errors import DataError
from openalgo_desktop.core.model import Key

#: Tells what a name is, with its exchange before it (``NFO:...``) or without; None for no symbol.
Known = Callable[[str], Key | None]

_LONGEST = 400
#: A name in quotes counts as one character: it costs one look, and what is kept has the exchange
#: of each leg in it. Of all that no more than this.
_LONGEST_KEPT = 64 * _LONGEST
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_DEEPEST = 40
_MOST_LEGS = 20
#: Signs that are written in place of ours.
_SIGNS = str.maketrans({"\u2212": "-", "\u2013": "-", "\u00d7": "*", "\u00f7": "/"})
_NUMBER = re.compile(r"\d+(?:\.\d*)?|\.\d+", re.ASCII)
#: All that a symbol may be written of; - and & may also end it.
_NAME = re.compile(r"[A-Za-z0-9](?:[\w&.:-]*\w)?", re.ASCII)
_EXAMPLE = "NIFTY25NOV25FUT - NIFTY"


class _Token(NamedTuple):
    """``kind`` is the sign itself, ``number``, ``leg`` or ``end``; ``at`` counts from 1."""

    kind: str
    text: str
    at: int
    node: Node | None = None


def parse(text: str, known: Known) -> Expression:
    """The combination that ``text`` is: symbols, numbers, ``+ - * /`` and parentheses.

    A name is taken as long as there is a symbol of it, so that ``BAJAJ-AUTO`` is one where there
    is one; in quotes it is taken as it is. Raises :class:`DataError` with a sentence that names
    the place.
    """
    if len(text) > _LONGEST_KEPT or len(_QUOTED.sub("q", text)) > _LONGEST:
        raise _wrong(f"it is longer than {_LONGEST} characters")
    reader = _Reader(_tokens(text.translate(_SIGNS), known))
    expression = Expression(text.strip(), reader.whole())
    legs = len(expression.keys)
    if not legs:
        raise _wrong(f"there is no symbol in it. Write it like {_EXAMPLE}")
    if legs > _MOST_LEGS:
        raise _wrong(f"it has {legs} symbols, and {_MOST_LEGS} are the most")
    return expression


def _wrong(what: str) -> DataError:
    return DataError(f"Combination: {what}.")


def _tokens(text: str, known: Known) -> list[_Token]:
    found, at = [], 0
    while at < len(text):
        letter = text[at]
        if letter.isspace():
            at += 1
            continue
        if letter in "+-*/()":
            token = _Token(letter, letter, at + 1)
            at += 1
        elif letter in "\"'":
            token, at = _quoted(text, at, known)
        else:
            token = _name(text, at, known)
            at += len(token.text)
        found.append(token)
    found.append(_Token("end", "", len(text) + 1))
    return found


def _quoted(text: str, at: int, known: Known) -> tuple[_Token, int]:
    end = text.find(text[at], at + 1)
    if end < 0:
        raise _wrong(f"the quote at character {at + 1} is not closed")
    name = text[at + 1 : end].strip()
    key = known(name)
    if key is None:
        raise _wrong(f"{name or 'nothing'} at character {at + 1} is no known symbol")
    return _Token("leg", name, at + 1, Leg(key)), end + 1


def _name(text: str, at: int, known: Known) -> _Token:
    """The longest symbol at that place, else a number."""
    match = _NAME.match(text, at)
    longest = match[0] if match is not None else ""
    ends = {len(longest), *(place.start() for place in re.finditer(r"[&.:-]", longest))}
    for end in sorted(ends, reverse=True):
        name = longest[:end]
        key = known(name) or known(name.upper()) if name else None
        if key is not None:
            return _Token("leg", name, at + 1, Leg(key))
    number = _NUMBER.match(text, at)
    if number is not None and not text[number.end() : number.end() + 1].isalnum():
        value = float(number[0])
        if not math.isfinite(value):
            raise _wrong(f"the number at character {at + 1} is too large")
        return _Token("number", number[0], at + 1, Number(value))
    if not longest:
        raise _wrong(f"{text[at]!r} at character {at + 1} has no meaning here")
    raise _wrong(
        f"{longest} at character {at + 1} is no known symbol. Give the exchange before it "
        f"(NFO:{longest}), or quotes around a name with signs in it"
    )


class _Reader:
    """One token ahead, no way back."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = iter(tokens)
        self._next = next(self._tokens)
        self._depth = 0

    def whole(self) -> Node:
        node = self._sum()
        if self._next.kind == ")":
            raise _wrong(f"the ) at character {self._next.at} closes nothing")
        if self._next.kind != "end":
            text, at = self._next.text, self._next.at
            raise _wrong(f"+ - * or / is missing before {text} at character {at}")
        return node

    def _take(self) -> _Token:
        token = self._next
        self._next = next(self._tokens, token)
        return token

    def _sum(self) -> Node:
        node = self._product()
        while self._next.kind in ("+", "-"):
            node = Joined(self._take().kind, node, self._product())
        return node

    def _product(self) -> Node:
        node = self._signed()
        while self._next.kind in ("*", "/"):
            node = Joined(self._take().kind, node, self._signed())
        return node

    def _signed(self) -> Node:
        negative = False
        while self._next.kind in ("+", "-"):
            negative ^= self._take().kind == "-"
        node = self._part()
        return Negative(node) if negative else node

    def _part(self) -> Node:
        token = self._take()
        if token.node is not None:
            return token.node
        if token.kind != "(":
            where = "the end" if token.kind == "end" else f"character {token.at}"
            raise _wrong(f"a symbol or a number is missing at {where}")
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _wrong(f"there are more than {_DEEPEST} parentheses in one another")
        node = self._sum()
        if self._next.kind != ")":
            raise _wrong(f"the ( at character {token.at} is not closed")
        self._take()
        self._depth -= 1
        return node
