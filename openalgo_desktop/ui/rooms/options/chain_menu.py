"""The menus of a chain: of one option, and of the whole chain. Nothing of them sends an order."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMenu

from openalgo_desktop.core.enums import Action
from openalgo_desktop.ui.kit.widgets import copy_text
from openalgo_desktop.ui.rooms.options.chain_head import SPANS, fill_columns
from openalgo_desktop.ui.rooms.options.chain_rows import Side

if TYPE_CHECKING:
    from openalgo_desktop.ui.rooms.options.chain import ChainDock

#: Docks that can show an option.
PLACES = (("chart", "Chart"), ("straddle", "Straddle chart"), ("ladder", "Ladder"))


def fill_side(dock: ChainDock, menu: QMenu, side: Side) -> None:
    """The items for an option that is listed."""
    assert side.leg is not None
    key, row, orders = side.leg.key, side.leg.row, dock.orders
    dock.add_item(menu, "Buy", lambda: orders.ticket(key, Action.BUY))
    dock.add_item(menu, "Sell", lambda: orders.ticket(key, Action.SELL))
    if side.held:
        dock.add_item(menu, "Exit position", lambda: orders.leave(row))
    menu.addSeparator()
    dock.add_item(menu, "Add buy to basket", lambda: orders.to_basket(row, Action.BUY))
    dock.add_item(menu, "Add sell to basket", lambda: orders.to_basket(row, Action.SELL))
    menu.addSeparator()
    for kind, title in PLACES:
        dock.add_item(menu, title, partial(dock.bridge.dock_wanted.emit, kind, key))
    dock.add_item(menu, "Alert…", lambda: dock.bridge.alerts.wanted.emit(key, 0.0))
    dock.add_item(menu, "Show in linked docks", lambda: dock.pick(key))
    dock.add_item(menu, "Copy contract", lambda: copy_text(row.symbol))
    dock.add_item(menu, "Copy table", lambda: copy_text(dock.model.as_text()))
    for text, call in dock.exports():
        dock.add_item(menu, text, call)


def fill_chain(dock: ChainDock, menu: QMenu) -> None:
    """Columns, and what is streamed and counted."""
    menu.clear()
    fill_columns(menu, dock.table.plan, dock.name, dock.arrange)
    menu.addSeparator()
    dock.add_check(menu, "Open interest in lots", dock.oi_in_lots, dock.toggle_lots)
    dock.add_check(menu, "IV on the future", dock.by_future, dock.toggle_future)
    menu.addSeparator()
    for span, words in SPANS:
        dock.add_check(menu, words, span == dock.span, partial(dock.set_span, span))
