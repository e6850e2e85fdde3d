"""Words of a broker for ours: maps that are read both ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

from openalgo_desktop.core.enums import Exchange

K = TypeVar("K")

#: A broker's word: a text, or an exchange's two wire fields (exchange, segment).
Wire = Any


class TwoWay(Generic[K]):
    """A unified value and the broker's text for it, both ways.

    ``also`` lists further texts of the broker that mean the same value (read only), so the
    pairs themselves stay one to one; :func:`check` refuses maps that are not. ``per`` holds the
    words of exchanges that have their own; :meth:`of` gives the map that holds on an exchange.
    The words of exchanges may be pairs of texts, where the wire has two fields for them.
    """

    __slots__ = ("also", "pairs", "per", "read", "send")

    def __init__(
        self,
        pairs: Mapping[K, Wire],
        also: Mapping[Wire, K] | None = None,
        per: Mapping[Exchange, TwoWay[K]] | None = None,
    ) -> None:
        self.pairs = dict(pairs)
        self.also = dict(also or {})
        self.per = dict(per or {})
        self.send: dict[K, Wire] = dict(self.pairs)
        self.read: dict[Wire, K] = {wire: ours for ours, wire in self.pairs.items()} | self.also

    def of(self, exchange: str) -> TwoWay[K]:
        """The map that holds on an exchange."""
        return self.per.get(exchange, self) if self.per else self  # type: ignore[call-overload]

    def problems(self, name: str) -> list[str]:
        """Why the pairs are not one to one."""
        found = []
        if len(set(self.pairs.values())) != len(self.pairs):
            found.append(f"{name}: two unified values share one text of the broker")
        if clash := set(self.also) & set(self.pairs.values()):
            found.append(f"{name}: {sorted(map(str, clash))} is in the pairs and in also")
        for exchange, own in self.per.items():
            found += own.problems(f"{name} of {exchange}")
        return found


def identity(values: Sequence[K], also: Mapping[Any, K] | None = None) -> TwoWay[K]:
    """The map of a broker that uses our texts."""
    return TwoWay({value: str(value) for value in values}, also)


def wire_fields(wire: Wire) -> tuple[str, str]:
    """An exchange's word as (exchange, segment); the segment is empty where there is one field."""
    if isinstance(wire, tuple):
        return wire[0], wire[1]
    return wire, ""
