"""Converting a position to another product from the position book."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QMenu

from openalgo_desktop.core.acts import Act
from openalgo_desktop.core.conversion import converts_to
from openalgo_desktop.core.enums import Mode, Product
from openalgo_desktop.core.model import Position
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.confirm import confirm
from openalgo_desktop.ui.kit.table_dock import TableDock
from openalgo_desktop.ui.rooms.portfolio import closing
from openalgo_desktop.ui.rooms.portfolio.position_rows import Line

_MEANING = {
    Product.MIS: "intraday: it is squared off before the close",
    Product.CNC: "delivery: it is paid for in full",
    Product.NRML: "carried overnight, with the margin that takes",
}


class PositionConverting:
    """Of one dock."""

    def __init__(self, dock: TableDock[Line]) -> None:
        self._dock = dock
        self._bridge = dock.bridge

    def fill_menu(self, menu: QMenu, row: Position) -> None:
        """The item of a position that can be converted; greyed with the reason where its account
        offers none."""
        to = converts_to(row)
        if to is None:
            return
        if self._bridge.desk.converts:
            self._dock.add_item(menu, f"Convert to {to.value}…", partial(self.convert, row, to))
        else:
            text = f"Convert to {to.value}: not offered by this account"
            item = self._dock.add_item(menu, text, lambda: None)
            item.setEnabled(False)

    def convert(self, row: Position, to: Product) -> None:
        """Convert all of a position; asks as the settings say."""
        mode = self._bridge.mode
        self._dock.spawn(self._convert(row, to, mode), "convert position", sends=True)

    async def _convert(self, row: Position, to: Product, mode: Mode) -> None:
        name = self._bridge.name(row.key)
        what = f"{fmt.quantity(abs(row.quantity))} {name} {row.product.value}"
        why = closing.asks(self._bridge, Act.CONVERT, row, abs(row.quantity), mode)
        if why:
            where = "in the sandbox" if mode is Mode.SANDBOX else "LIVE, with real money"
            text = f"{what} becomes {to.value} ({_MEANING[to]}) {where}."
            plans = self._bridge.watch.of_position(row.symbol, row.exchange, row.product, mode)
            if plans:
                why = (*why, "Its stops and targets that are watched here move along.")
            words = "\n".join((text, *why))
            if not await confirm(self._dock, "Convert the position?", words, "Convert", (), True):
                return
        await self._bridge.desk.convert(row.key, row.product, to, mode)
        self._bridge.notice.emit("info", f"{what} is {to.value} now.")
