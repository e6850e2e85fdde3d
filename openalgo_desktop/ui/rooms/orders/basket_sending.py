"""Sends a basket, once, and says what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from openalgo_desktop.core.acts import Act
from openalgo_desktop.core.basket import Basket, LineResult, sequence
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Order, OrderRequest
from openalgo_desktop.core.money import decimals
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.confirm import confirm
from openalgo_desktop.ui.kit.refusals import told
from openalgo_desktop.ui.rooms.orders.basket_line import BasketLine
from openalgo_desktop.ui.rooms.orders.ticket_text import one_line

if TYPE_CHECKING:
    from openalgo_desktop.ui.rooms.orders.basket import BasketDock


class BasketSending:
    """Of one dock; one sending at a time (``busy``)."""

    def __init__(self, dock: BasketDock) -> None:
        self._dock = dock
        self._bridge = dock.bridge
        self.busy = False

    async def send(self, lines: Sequence[BasketLine], basket: Basket, mode: Mode) -> None:
        """Send ``basket``, whose orders are those of ``lines``, after a look at it where the
        settings want one."""
        try:
            why = self._bridge.orders.why_ask(Act.BASKET, basket.lines, mode)
            if why and not await self._agreed(basket, why, mode):
                return
            for line in lines:
                line.show_result(LineResult())

            def on_line(place: int, result: LineResult) -> None:
                lines[place].show_result(result)
                self.show_order_of(lines[place])  # its fill may have been told before

            results = await self._bridge.baskets.send(basket, mode, on_line)
            self._tell(results)
        except AppError as error:
            self._dock.show_problems([told(error)])
        finally:
            self.busy = False

    async def _agreed(self, basket: Basket, why: Sequence[str], mode: Mode) -> bool:
        rows = [
            f"{number}.  {self._words(basket.lines[place])}"
            for number, place in enumerate(sequence(basket), 1)
        ]
        text = "\n".join([*why, "", self._dock.totals.text()]).strip()
        count = len(rows)
        return await confirm(
            self._dock,
            f"Send {count} order{'s' if count != 1 else ''} to {mode.value.upper()}?",
            text,
            f"Send to {mode.value.upper()}",
            rows,
            danger=mode is Mode.LIVE,
        )

    def _words(self, line: OrderRequest) -> str:
        row = self._bridge.instrument(line.key)
        places = decimals(row.tick_size) if row is not None else 2
        lot = row.lot_size if row is not None else 1
        return one_line(line, lot, places, self._bridge.name(line.key))

    def _tell(self, results: Sequence[LineResult]) -> None:
        bad = sum(result.state.is_bad for result in results)
        if not bad:
            self._dock.show_problems([])
            return
        out = f"{len(results) - bad} of {len(results)} orders are out. What is open now may be "
        out += "unhedged: look at it, then send the others or close it."
        self._dock.show_problems([out if bad < len(results) else "No order was sent."])

    def show_order_of(self, line: BasketLine) -> None:
        """How the orders of a line stand."""
        ids = line.result.order_ids if line.result is not None else ()
        known = [self._bridge.books.orders.get(one) for one in ids]
        if any(known):
            line.show_order(", ".join(_state(order) for order in known if order is not None))


def _state(order: Order) -> str:
    if order.filled_quantity:
        done = f"{fmt.quantity(order.filled_quantity)} of {fmt.quantity(order.quantity)} filled"
        return f"{done} at {fmt.exact(order.average_price)}"
    text = order.status.value
    return f"{text}: {order.rejection_reason}" if order.rejection_reason else text
