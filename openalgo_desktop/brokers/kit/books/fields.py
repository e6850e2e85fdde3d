"""The values of one row of a broker's reply, by the field map of its spec."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from openalgo_desktop.brokers.kit.books.times import moment
from openalgo_desktop.brokers.kit.rest.values import (
    OddValue,
    absent,
    count,
    number,
    pick,
    shown,
    unit_of,
)
from openalgo_desktop.core.clock import Clock


class Fields:
    """The values of one source row by a field map; what cannot be read is an :class:`OddValue`
    that names the field. Amounts are rupees, also where the path says ``:paise``; quantities are
    what the broker counts, but units where it says ``:lots``, by ``lot``."""

    __slots__ = ("_clock", "_paths", "_raw", "lot")

    def __init__(self, raw: Any, paths: Mapping[str, str], clock: Clock) -> None:
        if not isinstance(raw, Mapping):
            raise OddValue(f"{shown(raw)} is no table of fields")
        self._raw, self._paths, self._clock = raw, paths, clock
        self.lot = 1

    def get(self, name: str, default: Any = None) -> Any:
        """The value as it came; ``default`` where the row or the map has none."""
        path = self._paths.get(name)
        return default if path is None else pick(self._raw, unit_of(path)[0], default)

    def _unit(self, name: str) -> str:
        path = self._paths.get(name)
        return "" if path is None else unit_of(path)[1]

    def has(self, name: str) -> bool:
        """Whether the map has the field."""
        return name in self._paths

    def text(self, name: str) -> str:
        """The value as text, '' when it is open."""
        return str(self.get(name, ""))

    def need(self, name: str) -> Any:
        """The value of a field without which the row means nothing."""
        value = self.get(name)
        if absent(value):
            raise OddValue(f"{name} is missing")
        return value

    def number(self, name: str, needed: bool = False) -> float:
        """A price or amount; 0 when it is open."""
        value = self.need(name) if needed else self.get(name)
        try:
            amount = number(value)
        except OddValue as error:
            raise OddValue(f"{name}: {error.message}") from None
        return amount / 100 if self._unit(name) == "paise" else amount

    def count(self, name: str, needed: bool = False) -> int:
        """A quantity; 0 when it is open."""
        value = self.need(name) if needed else self.get(name)
        try:
            found = count(value)
        except OddValue as error:
            raise OddValue(f"{name}: {error.message}") from None
        return found * self.lot if self._unit(name) == "lots" else found

    def whole(self, name: str) -> int:
        """A quantity of the market, where fractions (coins) are cut."""
        found = self.number(name)
        return int(found * self.lot if self._unit(name) == "lots" else found)

    def time(self, name: str) -> datetime | None:
        """A time, None when it is open."""
        try:
            return moment(self.get(name), self._clock)
        except OddValue as error:
            raise OddValue(f"{name}: {error.message}") from None
