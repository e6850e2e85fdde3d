"""The menu of a price of a chart: orders, what is held, what rests, an alert.

While clicks are armed the two sides send at once, as the words of the items say; else they open the
ticket. What closes or turns a position asks first unless armed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Protocol

from PySide6.QtWidgets import QMenu

from openalgo_desktop.core.enums import Action, Mode, PriceType
from openalgo_desktop.core.model import Instrument, Order, Position
from openalgo_desktop.core.money import decimals, to_tick
from openalgo_desktop.core.ticketing import TicketWish, stop_type
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import quote
from openalgo_desktop.ui.kit.dock import Dock, Holder
from openalgo_desktop.ui.rooms.charts.trading import request_at
from openalgo_desktop.ui.rooms.market.basket_line import to_basket
from openalgo_desktop.ui.rooms.market.ladder_grid import order_price
from openalgo_desktop.ui.rooms.market.one_click import OneClick
from openalgo_desktop.ui.rooms.portfolio import closing
from openalgo_desktop.ui.rooms.portfolio.position_closing import PositionClosing

#: Own orders so near to a price, as a part of it, belong to its menu.
NEAR = 0.0005


class Cell(Holder, Protocol):
    """A chart, as its menu needs it."""

    host: Dock


class PriceMenu:
    """One of a chart. ``closes`` sends exits, ``hand`` orders at a price."""

    def __init__(self, cell: Cell, hand: OneClick) -> None:
        self._dock, self._bridge, self._hand = cell.host, cell.bridge, hand
        self.closes = PositionClosing(cell, cell.host)

    def fill(self, menu: QMenu, row: Instrument, price: float) -> None:
        """What can be done at ``price`` (rupees; the items name it on the tick)."""
        level = max(to_tick(price, row.tick_size), row.tick_size)
        if not row.is_index:
            self._orders(menu, row, level)
            menu.addSeparator()
            if self._resting(menu, row, level) | self._held(menu, row):
                menu.addSeparator()
            self._elsewhere(menu, row, level)
            menu.addSeparator()
        text = fmt.price(level, decimals(row.tick_size))
        wanted = self._bridge.alerts.wanted
        self._dock.add_item(menu, f"Alert at {text}…", lambda: wanted.emit(row.key, level))

    # -- orders -----------------------------------------------------------------------------
    def _orders(self, menu: QMenu, row: Instrument, level: float) -> None:
        text, add = fmt.price(level, decimals(row.tick_size)), self._dock.add_item
        for action in Action:
            word = action.value.title()
            if self._hand.armed:
                request = request_at(self._bridge, self._hand, row, action, level)
                size = fmt.lots_text(request.quantity, row.lot_size)
                send = partial(self._hand.place, request, self._bridge.mode)
                add(menu, f"{word} {size} at {text} now (armed)", send)
            wish = TicketWish(key=row.key, action=action, price_type=PriceType.LIMIT, price=level)
            add(menu, f"{word} at {text}…", partial(self._bridge.ticket_wanted.emit, wish))
        last = quote.price(self._bridge.latest(row.key))
        if (stop := _stop_wish(row, level, last)) is not None and stop.action is not None:
            word = f"Stop {stop.action.value.lower()} at {text}…"
            add(menu, word, partial(self._bridge.ticket_wanted.emit, stop))

    def _elsewhere(self, menu: QMenu, row: Instrument, level: float) -> None:
        text, bridge = fmt.price(level, decimals(row.tick_size)), self._bridge
        take = partial(bridge.pick_price, row.key, level, explicit=True)
        self._dock.add_item(menu, f"Take {text} into the ticket", take)
        for action in Action:
            line = partial(to_basket, bridge, row, action, PriceType.LIMIT, level)
            words = f"Add {action.value.lower()} at {text} to basket"
            self._dock.add_item(menu, words, line)

    # -- what rests -------------------------------------------------------------------------
    def _resting(self, menu: QMenu, row: Instrument, level: float) -> bool:
        working, mode = self._bridge.books.working_of(row.key), self._bridge.mode
        near = [order for order in working if abs(order_price(order) - level) <= level * NEAR]
        if len(near) < len(working):
            for order in near:
                words = f"Cancel {self._order_text(order, row)}"
                self._dock.add_item(menu, words, partial(self._cancel, [order], mode))
        if working:
            words = f"Cancel all orders here ({len(working)})"
            if len(working) == 1:
                words = f"Cancel {self._order_text(working[0], row)}"
            self._dock.add_item(menu, words, partial(self._cancel, working, mode))
        return bool(working)

    def _cancel(self, orders: Sequence[Order], mode: Mode) -> None:
        self._hand.cancel(orders, mode)

    def _order_text(self, order: Order, row: Instrument) -> str:
        units = fmt.lots_text(order.pending_quantity, row.lot_size)
        price = fmt.price(order_price(order), decimals(row.tick_size))
        return f"{order.action.value.lower()} {units} at {price}"

    # -- what is held -----------------------------------------------------------------------
    def _held(self, menu: QMenu, row: Instrument) -> bool:
        rows = self._hand.positions(row.key)
        for held in rows:
            self._position(menu, row, held, "" if len(rows) == 1 else f" {held.product.value}")
        return bool(rows)

    def _position(self, menu: QMenu, row: Instrument, held: Position, mark: str) -> None:
        add, asked, dots = (
            self._dock.add_item,
            not self._hand.armed,
            "" if self._hand.armed else "…",
        )
        half = closing.part(held.quantity, 50, row.lot_size)
        if half:
            words = f"Close half{mark} ({fmt.lots_text(half, row.lot_size)}){dots}"
            add(
                menu,
                words,
                lambda: self.closes.close(held, 50, asked=asked or not self._hand.armed),
            )
        units = fmt.lots_text(abs(held.quantity), row.lot_size)
        words = f"Close all{mark} ({units}){dots}"
        add(menu, words, lambda: self.closes.close(held, 100, asked=asked or not self._hand.armed))
        side = "short" if held.quantity > 0 else "long"
        words = f"Reverse{mark} to {side} {units}{dots}"
        add(menu, words, lambda: self.closes.reverse(held, asked=asked or not self._hand.armed))


def _stop_wish(row: Instrument, level: float, last: float | None) -> TicketWish | None:
    """A stop at a level: it buys above the market and sells below it. None while the last price
    is not known, or where the level is at it."""
    if last is None or level == last:
        return None
    action = Action.BUY if level > last else Action.SELL
    return TicketWish(key=row.key, action=action, price_type=stop_type(row), trigger_price=level)
