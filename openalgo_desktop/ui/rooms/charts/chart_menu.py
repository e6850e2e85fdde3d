"""What is done with a chart: the menu of a right click, the items of its dots, its files."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QMenu

from openalgo_desktop.core.model import Key
from openalgo_desktop.ui.rooms.charts.export import save_csv
from openalgo_desktop.ui.rooms.charts.menu import PriceMenu

if TYPE_CHECKING:
    from openalgo_desktop.ui.rooms.charts.cell import ChartCell


class ChartMenu:
    """One of a chart. What it offers at a price is of what is drawn there: without that there
    is no menu and no price."""

    def __init__(self, cell: ChartCell) -> None:
        self._cell, self._host = cell, cell.host
        self.prices = PriceMenu(cell, cell.hand)
        cell.view.price_picked.connect(self.pick)
        cell.view.menu_wanted.connect(self.open)

    def pick(self, price: float) -> None:
        """Ctrl+click: the price goes to the ticket."""
        cell = self._cell
        if cell.replay.active:
            cell.replay.refuse()
        elif cell.key is not None and cell.data.is_drawn:
            cell.bridge.pick_price(cell.key, price, explicit=True)

    def open(self, price: float, at: QPoint) -> None:
        """Right click: what can be done at this price (NaN in a pane that has none), and with the
        chart. Arithmetic cannot be traded."""
        cell, host = self._cell, self._host
        if not cell.data.is_drawn:
            return
        menu = host.menu()
        # What it offers is of now or of the past: it ends when that changes.
        cell.replay.changed.connect(menu.close)
        if cell.key is not None and isfinite(price):
            self._fill_price(menu, cell.key, price)
        host.add_item(menu, "Fit", cell.view.go_to_now)
        shown = cell.drawings.box_shown
        host.add_check(menu, "Drawing tools", shown, partial(cell.drawings.show_box, not shown))
        host.add_item(menu, "Indicators…", cell.open_studies)
        host.add_check(menu, "Data window", cell.data_window.shown, cell.data_window.turn)
        host.add_item(menu, "Save as picture…", self.ask_picture)
        menu.popup(at)

    def _fill_price(self, menu: QMenu, key: Key, price: float) -> None:
        cell = self._cell
        instrument = cell.bridge.instrument(key)
        if instrument is None:
            return
        if cell.replay.active:
            cell.replay.fill_menu(menu, instrument, price)
        else:
            self.prices.fill(menu, instrument, price)
            menu.addSeparator()
            self._host.add_item(menu, "Bar replay…", cell.replay.begin)
        menu.addSeparator()

    def tool_items(self) -> list[tuple[str, Callable[[], object]]]:
        """What else can be done with the chart, for the menu of its dots."""
        cell = self._cell
        return [
            ("Replay…", cell.replay.begin),
            ("Fit", cell.view.go_to_now),
            ("Data window", cell.data_window.turn),
            ("Save as picture…", self.ask_picture),
            ("Save bars in view as CSV…", partial(self._ask_csv, in_view=True)),
            ("Save all bars as CSV…", self._ask_csv),
        ]

    def ask_picture(self) -> None:
        """Ask where to, and save what is seen."""
        cell = self._cell
        saving = self._host.save_picture_of(cell, cell.head.for_a_picture())
        cell.spawn(saving, "save picture")

    def _ask_csv(self, *, in_view: bool = False) -> None:
        cell = self._cell
        cell.spawn(save_csv(self._host, cell.view, in_view=in_view), "save CSV")
