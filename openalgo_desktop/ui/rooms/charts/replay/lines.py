"""Practice orders, levels and positions as lines of a chart, and its menu of a price."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtWidgets import QMenu

from openalgo_desktop.core.enums import Action
from openalgo_desktop.core.model import Instrument, Key, Order, Position
from openalgo_desktop.core.money import decimals, to_tick
from openalgo_desktop.ui.chart.lines import PriceLine
from openalgo_desktop.ui.engine.replay import Levels, ReplayDoor
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.dock import Dock

#: Begin of the ids; no id of a real line begins so.
ORDER, STOP, TARGET, HELD = "practice-order:", "practice-stop:", "practice-target:", "practice:"


class PracticeLines:
    """Of one chart. Everything here goes to the practice account of the replay."""

    def __init__(self, door: ReplayDoor) -> None:
        self._door = door

    def of(self, key: Key) -> list[PriceLine]:
        """All lines of an instrument."""
        lines = [self._order(order) for order in self._door.orders(key)]
        for row in self._door.positions(key):
            lines += self._position(row)
        return lines

    @staticmethod
    def _order(order: Order) -> PriceLine:
        waits = order.price_type.has_trigger and order.status.value == "trigger pending"
        price = order.trigger_price if waits else order.price
        side = order.action.value
        text = f"Practice {side} {fmt.quantity(order.pending_quantity)} {order.price_type.value}"
        role = side.lower()
        return PriceLine(f"{ORDER}{order.order_id}", price, text, role, True, True)

    def _position(self, row: Position) -> list[PriceLine]:
        ident = f"{row.product.value}"
        side = "long" if row.quantity > 0 else "short"
        profit = fmt.rupees(row.unrealised, signed=True)
        text = f"Practice {side} {fmt.quantity(abs(row.quantity))}  {profit}"
        lines = [PriceLine(f"{HELD}{ident}", row.average_price, text, "position", closable=True)]
        stop, target = self._door.levels(row)
        for begin, level, word, role in (
            (STOP, stop, "stop", "down"),
            (TARGET, target, "target", "up"),
        ):
            if level:
                lines.append(
                    PriceLine(f"{begin}{ident}", level, f"Practice {word}", role, True, True)
                )
        return lines

    def _held(self, key: Key, line_id: str) -> Position | None:
        product = line_id.partition(":")[2]
        return next((r for r in self._door.positions(key) if r.product.value == product), None)

    def move(self, key: Key, line_id: str, price: float) -> None:
        """A line was let go at a price (rupees, on the tick)."""
        if line_id.startswith(ORDER):
            ident = line_id.removeprefix(ORDER)
            order = next((o for o in self._door.orders(key) if o.order_id == ident), None)
            if order is not None:
                self._door.change(order, price)
            return
        row = self._held(key, line_id)
        if row is not None:
            self._door.protect(row, self._with(row, line_id, price))

    def _with(self, row: Position, line_id: str, price: float) -> Levels:
        name = "stop" if line_id.startswith(STOP) else "target"
        return self._door.levels(row)._replace(**{name: price})

    def close(self, key: Key, line_id: str) -> None:
        """The x of a line."""
        if line_id.startswith(ORDER):
            self._door.cancel(line_id.removeprefix(ORDER))
        elif line_id.startswith(HELD):
            self._door.flatten(key)
        elif (row := self._held(key, line_id)) is not None:
            self._door.protect(row, self._with(row, line_id, 0.0))

    # -- the menu of a price ------------------------------------------------------------------
    def fill(
        self,
        dock: Dock,
        menu: QMenu,
        row: Instrument,
        price: float,
        quantity: int,
        attempt: Callable[[Callable[[], object]], object],
    ) -> None:
        """What can be practised at a price; ``attempt`` carries it out and tells what went
        wrong."""
        level = max(to_tick(price, row.tick_size), row.tick_size)
        text, last = fmt.price(level, decimals(row.tick_size)), self._door.last(row.key)
        if row.is_index or last is None:
            return
        for action in Action:
            beyond = (level - last) * action.sign > 0
            place = partial(self._door.place, row.key, action, quantity)
            call = partial(place, trigger=level) if beyond else partial(place, price=level)
            kind = "stop " if beyond else ""
            words = f"Practice {kind}{action.value.lower()} {fmt.quantity(quantity)} at {text}"
            dock.add_item(menu, words, partial(attempt, call))
        for held in self._door.positions(row.key):
            gains = (level - last) * held.quantity > 0
            name = "target" if gains else "stop"
            levels = self._door.levels(held)._replace(**{name: level})
            call = partial(self._door.protect, held, levels)
            dock.add_item(menu, f"Practice {name} at {text}", partial(attempt, call))
