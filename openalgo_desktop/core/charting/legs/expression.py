"""What a combination is: numbers and legs, joined by + - * /."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import msgspec
import numpy as np

from openalgo_desktop.core.model import Key


class Number(msgspec.Struct, frozen=True):
    """A number that was written."""

    value: float


class Leg(msgspec.Struct, frozen=True):
    """The price of an instrument, rupees."""

    key: Key


class Negative(msgspec.Struct, frozen=True):
    """The same with the other sign."""

    part: Node


class Joined(msgspec.Struct, frozen=True):
    """Two parts and what joins them: one of ``+-*/``."""

    sign: str
    left: Node
    right: Node


Node: TypeAlias = Number | Leg | Negative | Joined


class Linear(msgspec.Struct, frozen=True):
    """A sum of legs with factors, and a constant: what an expression without products and
    quotients of legs is."""

    factors: Mapping[Key, float]
    constant: float = 0.0

    def times(self, factor: float) -> Linear:
        """Everything ``factor`` times."""
        scaled = {key: factor * value for key, value in self.factors.items()}
        return Linear(scaled, factor * self.constant)

    def plus(self, other: Linear) -> Linear:
        """The sum of both."""
        factors = dict(self.factors)
        for key, value in other.factors.items():
            factors[key] = factors.get(key, 0.0) + value
        return Linear(factors, self.constant + other.constant)


class Expression(msgspec.Struct, frozen=True):
    """A combination; ``text`` is what was written, as it is shown. Which instruments it means
    says :attr:`identity`: a name may be one of several exchanges."""

    text: str
    root: Node

    @property
    def keys(self) -> tuple[Key, ...]:
        """The instruments of its legs, each once, as they come."""
        return tuple(dict.fromkeys(_keys(self.root)))

    @property
    def linear(self) -> Linear | None:
        """Its factors; None where a leg is multiplied with or divides something that has one."""
        return _linear(self.root)

    @property
    def exact_extremes(self) -> bool:
        """Whether high and low of its bars follow from those of its legs: of one leg with a
        factor and a constant they do; of others two highs need not meet."""
        return len(self.keys) == 1 and self.linear is not None

    @property
    def identity(self) -> str:
        """The same for the same arithmetic of the same instruments: each leg with its exchange.
        :func:`parse` reads it, so it is what is kept."""
        return self.written(lambda key: f'"{key[0]}:{key[1]}"')

    def written(self, name: Callable[[Key], str]) -> str:
        """As it would be typed with these names of the legs."""
        return _written(self.root, name)

    def value(self, price: Callable[[Key], Any]) -> Any:
        """The value at the prices of the legs: floats, or arrays of one length. NaN where a leg
        is not known (NaN) and where something is divided by 0."""
        return _value(self.root, price)


def sum_of(text: str, *keys: Key) -> Expression:
    """The sum of instruments: a straddle is that of its call and its put."""
    first, *others = (Leg(key) for key in keys)
    root: Node = first
    for leg in others:
        root = Joined("+", root, leg)
    return Expression(text, root)


def _keys(node: Node) -> Iterator[Key]:
    match node:
        case Leg(key):
            yield key
        case Negative(part):
            yield from _keys(part)
        case Joined(_, left, right):
            yield from _keys(left)
            yield from _keys(right)


#: What binds tighter has the higher number; a sign before a part as much as a product.
_BINDS = {"+": 1, "-": 1, "*": 2, "/": 2}


def _written(node: Node, name: Callable[[Key], str]) -> str:
    match node:
        case Number(value):
            return np.format_float_positional(value, trim="-")
        case Leg(key):
            return name(key)
        case Negative(part):
            inner = _written(part, name)
            return f"-{inner}" if isinstance(part, Number | Leg) else f"-({inner})"
        case Joined(sign, left, right):
            one, two = _written(left, name), _written(right, name)
            if isinstance(left, Joined) and _BINDS[left.sign] < _BINDS[sign]:
                one = f"({one})"
            if isinstance(right, Joined) and _BINDS[right.sign] <= _BINDS[sign]:
                two = f"({two})"
            return f"{one}{sign}{two}"


def _value(node: Node, price: Callable[[Key], Any]) -> Any:
    match node:
        case Number(value):
            return value
        case Leg(key):
            return price(key)
        case Negative(part):
            return -_value(part, price)
        case Joined(sign, left, right):
            one, two = _value(left, price), _value(right, price)
            if sign == "+":
                return one + two
            if sign == "-":
                return one - two
            return one * two if sign == "*" else one / np.where(two == 0, np.nan, two)


def _linear(node: Node) -> Linear | None:
    match node:
        case Number(value):
            return Linear({}, value)
        case Leg(key):
            return Linear({key: 1.0})
        case Negative(part):
            found = _linear(part)
            return None if found is None else found.times(-1.0)
        case Joined(sign, left, right):
            one, two = _linear(left), _linear(right)
            if one is None or two is None:
                return None
            return _joined(sign, one, two)


def _joined(sign: str, one: Linear, two: Linear) -> Linear | None:
    if sign in "+-":
        return one.plus(two.times(1.0 if sign == "+" else -1.0))
    if sign == "/":
        return None if two.factors or not two.constant else one.times(1.0 / two.constant)
    if one.factors and two.factors:
        return None
    return one.times(two.constant) if one.factors else two.times(one.constant)
