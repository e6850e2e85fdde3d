"""The context menu of a row of a watchlist. Nothing of it sends an order."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMenu

from openalgo_desktop.core import watchlists
from openalgo_desktop.core.enums import Action
from openalgo_desktop.core.model import Key
from openalgo_desktop.ui.kit.widgets import copy_text
from openalgo_desktop.ui.rooms.market.basket_line import to_basket
from openalgo_desktop.ui.rooms.market.watch_rows import WatchRow

if TYPE_CHECKING:
    from openalgo_desktop.ui.rooms.market.watchlist import WatchlistDock


def fill(dock: WatchlistDock, menu: QMenu, row: WatchRow) -> None:
    """The items for a row or a heading."""
    key = row.key
    if row.tradable:
        dock.add_item(menu, "Buy", lambda: dock.trade(key, Action.BUY))
        dock.add_item(menu, "Sell", lambda: dock.trade(key, Action.SELL))
        menu.addSeparator()
    if row.instrument is not None:
        _fill_places(dock, menu, row)
    if not row.item.is_heading:
        dock.add_item(menu, "Copy symbol", lambda: copy_text(key[1]))
        dock.add_item(menu, "Note…", lambda: dock.ask_note(row))
        _fill_flags(dock, menu, row)
    _fill_moves(dock, menu, key)
    dock.add_item(menu, "Section above…", dock.ask_heading)
    dock.add_item(menu, "Remove", lambda: dock.remove_rows(row))


def _fill_places(dock: WatchlistDock, menu: QMenu, row: WatchRow) -> None:
    key = row.key
    dock.add_item(menu, "Show in linked docks", lambda: dock.pick(key))
    for kind, title in (("chart", "Chart"), ("ladder", "Ladder"), ("chain", "Option chain")):
        if kind != "ladder" or row.tradable:
            dock.add_item(menu, title, partial(dock.bridge.dock_wanted.emit, kind, key))
    if row.tradable and row.instrument is not None:
        line = partial(to_basket, dock.bridge, row.instrument, Action.BUY)
        dock.add_item(menu, "Add to basket", line)
    dock.add_item(menu, "Alert…", lambda: dock.bridge.alerts.wanted.emit(key, 0.0))
    menu.addSeparator()


def _fill_flags(dock: WatchlistDock, menu: QMenu, row: WatchRow) -> None:
    flags = menu.addMenu("Flag")
    flags.setObjectName(f"{dock.name}-menu-flags")
    for flag in (0, *watchlists.FLAGS):
        item = dock.add_item(
            flags, f"◆{flag}" if flag else "None", partial(dock.mark, row.key, flag=flag)
        )
        item.setCheckable(True)
        item.setChecked(row.item.flag == flag)


def _fill_moves(dock: WatchlistDock, menu: QMenu, key: Key) -> None:
    moves = menu.addMenu("Move to")
    moves.setObjectName(f"{dock.name}-menu-moves")
    for place, group in enumerate(dock.groups):
        if place != dock.current:
            dock.add_item(moves, group.name, partial(dock.move_to, key, place))
    dock.add_item(moves, "New group", lambda: dock.move_to_new(key))
