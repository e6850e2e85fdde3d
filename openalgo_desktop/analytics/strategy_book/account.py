"""The strategies of one account: what each holds, and what it realised on each day. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import TypeAlias

from openalgo_desktop.analytics.strategy_book.line import Charging, DaySum, Line, Net
from openalgo_desktop.core.enums import Product
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.trade_journal import Because, Execution

_Held: TypeAlias = tuple[Key, Product]


class TooOld(Exception):
    """An execution of a day that is folded already: everything has to be read again."""


class AccountBook:
    """Executions go in, in any order within a day; names of strategies that changed come out."""

    def __init__(self, charging: Callable[[Key], Callable[[date], Charging]]) -> None:
        self._charging = charging
        self._lines: dict[Key, Line] = {}
        self._held: dict[str, dict[_Held, Net]] = {}
        #: By strategy and day, oldest day first.
        self.days: dict[str, dict[date, DaySum]] = {}

    def add(self, row: Execution) -> set[str]:
        """Count an execution; the same one again counts once. Raises :class:`TooOld`."""
        if row.because is not Because.RESET:
            return self._change(row.key, lambda line: line.add(row))
        changed: set[str] = set()
        for key in self._lines:
            changed |= self._change(key, lambda line: line.add(row))
        return changed

    def replace_order(self, rows: Iterable[Execution]) -> set[str]:
        """All executions of one order, in the place of what was known of it. Raises as
        :meth:`add`."""
        rows = list(rows)
        first = rows[0]
        return self._change(first.key, lambda line: line.replace_order(first.order_id, rows))

    def name(self, key: Key, order_id: str, strategy: str) -> set[str]:
        """Executions of an order of today that had no name are of this strategy."""
        line = self._lines.get(key)
        if line is None:
            return set()
        return self._change(key, lambda line: line.name(order_id, strategy) or True)

    def held(self, name: str) -> dict[_Held, tuple[Net, Line]]:
        """What a strategy holds, with the line of each."""
        found = self._held.get(name, {})
        return {place: (net, self._lines[place[0]]) for place, net in found.items()}

    def instruments(self) -> set[Key]:
        """Of which any strategy holds something."""
        return {key for places in self._held.values() for key, _ in places}

    # -- inside -----------------------------------------------------------------------------
    def _change(self, key: Key, change: Callable[[Line], bool]) -> set[str]:
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = Line(self._charging(key))
        if not change(line):
            raise TooOld
        touched = line.touched()
        for name, before in touched.items():
            self._count(name, line.day, before, line.sums.get(name))
            self._hold(name, key, line)
        return set(touched)

    def _count(self, name: str, day: date, old: DaySum | None, new: DaySum | None) -> None:
        days = self.days.setdefault(name, {})
        if (
            day not in days and days and day < next(reversed(days))
        ):  # of an instrument that is told late
            days[day] = DaySum()
            self.days[name] = days = dict(sorted(days.items()))
        sums = days.setdefault(day, DaySum())
        if old is not None:
            sums.add(old, -1)
        if new is not None:
            sums.add(new)
        if not sums.fills:
            del days[day]
            if not days:
                del self.days[name]

    def _hold(self, name: str, key: Key, line: Line) -> None:
        held = self._held.setdefault(name, {})
        for product in Product:
            place = line.places.get(product)
            net = place.nets.get(name) if place is not None else None
            if net is not None and net.quantity:
                held[key, product] = net
            else:
                held.pop((key, product), None)
        if not held:
            del self._held[name]
