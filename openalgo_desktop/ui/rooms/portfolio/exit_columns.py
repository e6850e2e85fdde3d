"""Columns of what leaves a position by itself: stop, target, trailing distance."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from openalgo_desktop.core.exits import ONLY_WHILE_RUNNING, ExitPlan
from openalgo_desktop.core.model import Order, Position
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.table_dock import Col
from openalgo_desktop.ui.rooms.portfolio.position_rows import (
    Line,
    distance_text,
    price_text,
    whole_plan,
)

Column = Col[Line]


class ExitColumns:
    """What our core watches comes first; else what rests at the broker, muted."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def all(self) -> tuple[Column, ...]:
        """In their order."""
        return (self._stop(), self._target(), self._trail())

    def _stop(self) -> Column:
        def value(line: Line) -> tuple[float | None, bool]:
            row = line.position
            if row is None:
                return None, False
            watched = self._bridge.watch.stop_price(
                row.symbol, row.exchange, row.product, self._bridge.mode
            )
            if watched is not None:
                return float(watched), True
            resting = [o.trigger_price for o in self._resting(row) if o.price_type.has_trigger]
            near = max if row.quantity > 0 else min
            return (near(resting) if resting else None), False

        return self._exit("stop", "SL", value, self._open_units)

    def _open_units(self, line: Line) -> int:
        """Units that a stop covers where it is not all of the position, else 0."""
        row = line.position
        if row is None:
            return 0
        place = (row.symbol, row.exchange, row.product, self._bridge.mode)
        if self._bridge.watch.stop_price(*place) is not None:
            covered = self._bridge.watch.stopped_units(*place)
        else:
            stops = (o for o in self._resting(row) if o.price_type.has_trigger)
            covered = sum(order.pending_quantity for order in stops)
        return covered if covered < abs(row.quantity) else 0

    def _target(self) -> Column:
        def value(line: Line) -> tuple[float | None, bool]:
            row = line.position
            if row is None:
                return None, False
            watched = self._bridge.watch.target_price(
                row.symbol, row.exchange, row.product, self._bridge.mode
            )
            if watched is not None:
                return float(watched), True
            resting = [o.price for o in self._resting(row) if not o.price_type.has_trigger]
            near = min if row.quantity > 0 else max
            return (near(resting) if resting else None), False

        return self._exit("target", "TGT", value)

    def _exit(
        self,
        key: str,
        title: str,
        value: Callable[[Line], tuple[float | None, bool]],
        part: Callable[[Line], int] = lambda line: 0,
    ) -> Column:
        """A price that leaves the position: watched by our core, or an order at the broker; behind
        it the units where it is for a ``part`` of them."""

        def text(line: Line) -> str:
            price, _ = value(line)
            if line.position is None:
                return ""
            if price is None:
                return fmt.MISSING
            said = price_text(self._bridge, line.position, price)
            units = part(line)
            return f"{said} ({self._units(line.position, units)})" if units else said

        def tip(line: Line) -> str:
            price, watched = value(line)
            if line.position is None or price is None:
                return ""
            units, row = part(line), line.position
            only = (
                f"Only for {self._units(row, units)} of {self._units(row, abs(row.quantity))}\n"
                if units
                else ""
            )
            if not watched:
                return f"{only}An order that rests at the broker"
            said = f"{only}Watched here, {ONLY_WHILE_RUNNING}"
            return f"{said}\n{self._trouble(line)}" if self._trouble(line) else said

        return Col(
            key,
            title,
            84,
            lambda line: value(line)[0],
            text,
            lambda line: "" if value(line)[1] else "muted",
            badge=lambda line: "⚠" if value(line)[1] and self._trouble(line) else "",
            tip=tip,
        )

    def _trail(self) -> Column:
        def offset(line: Line) -> tuple[Decimal, str] | None:
            row = line.position
            plan = None if row is None else whole_plan(self._plans(row))
            if row is None or plan is None or plan.spec.trail is None:
                return None
            trail = plan.spec.trail
            places = self._bridge.places(row.key)
            return trail.value, distance_text(trail.value, trail.unit, places)

        def text(line: Line) -> str:
            found = offset(line)
            return found[1] if found else "" if line.position is None else fmt.MISSING

        return Col(
            "trail",
            "Trail",
            64,
            lambda line: float(found[0]) if (found := offset(line)) else None,
            text,
            lambda line: "" if offset(line) else "muted",
            tooltip=f"Distance at which the stop follows the best price, {ONLY_WHILE_RUNNING}",
        )

    def _units(self, row: Position, units: int) -> str:
        return fmt.units_text(units, self._bridge.lot(row.key))

    def _plans(self, row: Position) -> list[ExitPlan]:
        return self._bridge.watch.of_position(
            row.symbol, row.exchange, row.product, self._bridge.mode
        )

    def _trouble(self, line: Line) -> str:
        row = line.position
        found = [] if row is None else [self._bridge.watch.trouble(p) for p in self._plans(row)]
        return "\n".join(filter(None, found))

    def _resting(self, row: Position) -> list[Order]:
        return [
            order
            for order in self._bridge.books.working_of(row.key)
            if order.rests and order.leaves(row)
        ]
