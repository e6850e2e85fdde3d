"""The context menu of a ladder: what can be done at a price, how the ladder looks and sends.

Nothing of it sends an order; cancelling an own one is the only thing that leaves from here.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMenu

from openalgo_desktop.core.enums import Action
from openalgo_desktop.core.money import decimals
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.widgets import slug
from openalgo_desktop.ui.rooms.market.ladder_grid import GROUPS
from openalgo_desktop.ui.rooms.market.ladder_marks import COLOURS
from openalgo_desktop.ui.rooms.market.ladder_picture import OWN, SIDES, Cell

if TYPE_CHECKING:
    from openalgo_desktop.ui.rooms.market.ladder import LadderDock


def fill(dock: LadderDock, menu: QMenu, cell: Cell) -> None:
    """The items for a cell of the ladder of an instrument."""
    assert dock.instrument is not None
    price = dock.view.grid.price(cell.number)
    text = fmt.price(price, decimals(dock.instrument.tick_size))
    _fill_own(dock, menu, cell, text)
    for action in Action:
        dock.add_item(
            menu, f"{action.value.title()} at {text}…", partial(dock.to_ticket, action, price)
        )
    for action in Action:
        line = partial(dock.to_basket, action, price)
        dock.add_item(menu, f"Add {action.value.lower()} at {text} to basket", line)
    key = dock.instrument.key
    dock.add_item(menu, f"Alert at {text}…", lambda: dock.bridge.alerts.wanted.emit(key, price))
    _fill_marks(dock, menu, cell, text)
    menu.addSeparator()
    _fill_sending(dock, menu)
    menu.addSeparator()
    _fill_look(dock, menu)
    menu.addSeparator()
    dock.add_item(menu, "Chart", lambda: dock.bridge.dock_wanted.emit("chart", key))
    dock.add_item(menu, "Count volume anew", dock.count_anew)


def _fill_own(dock: LadderDock, menu: QMenu, cell: Cell, text: str) -> None:
    side = SIDES.get(cell.column) if cell.column in OWN else None
    own = dock.view.market.own.get((side, cell.number)) if side is not None else None
    if own:
        orders = "order" if len(own) == 1 else f"{len(own)} orders"
        mode = dock.bridge.mode
        dock.add_item(menu, f"Cancel {orders} at {text}", lambda: dock.hand.cancel(own, mode))
        menu.addSeparator()


def _fill_marks(dock: LadderDock, menu: QMenu, cell: Cell, text: str) -> None:
    colours = menu.addMenu(f"Mark {text}")
    colours.setObjectName(f"{dock.name}-menu-marks")
    chosen = dock.view.marks.get(cell.number, 0)
    for mark in (0, *COLOURS):
        dock.add_check(
            colours,
            f"Colour {mark}" if mark else "None",
            mark == chosen,
            partial(dock.mark, cell.number, mark),
        )


def _fill_sending(dock: LadderDock, menu: QMenu) -> None:
    """What the next orders are like."""
    sizes = menu.addMenu("Size")
    sizes.setObjectName(f"{dock.name}-menu-{slug('Size')}")
    bar = dock.bar
    for index, lots in enumerate(bar.presets):
        words = f"{fmt.quantity(lots)} {'lot' if lots == 1 else 'lots'}"
        dock.add_check(sizes, words, lots == bar.lots.value(), partial(bar.choose_size, index))
    stop, target = bar.bracket()
    dock.add_check(menu, "Orders carry stop and target", bool(stop or target), bar.toggle_bracket)


def _fill_look(dock: LadderDock, menu: QMenu) -> None:
    dock.add_item(menu, "Centre", lambda: dock.run("centre"))
    dock.add_check(menu, "Centre by itself", dock.auto_centre, dock.toggle_centre)
    for group in GROUPS:
        words = "Each tick" if group == 1 else f"{group} ticks a row"
        dock.add_check(menu, words, dock.view.grid.group == group, partial(dock.regroup, group))
