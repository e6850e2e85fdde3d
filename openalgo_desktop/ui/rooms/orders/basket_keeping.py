"""Baskets that are kept: by name in the terminal, as CSV files beside it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtWidgets import QMenu

from openalgo_desktop.core.basket import Problem, read_csv, write_csv
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.ui.kit.confirm import confirm
from openalgo_desktop.ui.kit.save_file import ask_csv_path, ask_path
from openalgo_desktop.ui.kit.widgets import slug

if TYPE_CHECKING:
    from openalgo_desktop.ui.rooms.orders.basket import BasketDock

#: A file larger than this is no basket, bytes.
LARGEST_FILE = 1_000_000


def menu_item(
    menu: QMenu, owner: str, text: str, call: Callable[[], object], checked: bool | None = None
) -> None:
    """One item of a menu of ``owner``; with ``checked`` one that is ticked or not."""
    action = menu.addAction(text.replace("&", "&&"))
    action.setObjectName(f"{owner}-item-{slug(text)}")
    if checked is not None:
        action.setCheckable(True)
        action.setChecked(checked)
    action.triggered.connect(lambda _checked=False: call())


class BasketKeeping:
    """What the dock's menu *Open* and its button *Save* do. ``current`` is the name under which
    the basket was kept or opened, ``names`` are all there are."""

    def __init__(self, dock: BasketDock) -> None:
        self._dock = dock
        self.current = ""
        self.names: list[str] = []

    def fill_menu(self, menu: QMenu) -> None:
        """New, the kept ones, files."""
        menu.clear()
        menu_item(menu, self._dock.name, "New basket", self._dock.clear)
        menu.addSeparator()
        for name in self.names:
            menu_item(menu, self._dock.name, name, partial(self.open_saved, name))
        if self.names:
            menu.addSeparator()
        menu_item(
            menu,
            self._dock.name,
            "Open a CSV file…",
            lambda: self._dock.spawn(self._import(), "basket import"),
        )
        menu_item(
            menu,
            self._dock.name,
            "Write a CSV file…",
            lambda: self._dock.spawn(self._export(), "basket csv"),
        )
        if self.current in self.names:
            menu.addSeparator()
            menu_item(menu, self._dock.name, f"Delete {self.current}", self.delete_saved)

    async def load_names(self) -> None:
        """Read the names that there are."""
        self.names = await self._dock.bridge.baskets.names()

    def save(self) -> None:
        """Keep the basket under the name in the field."""
        self._dock.spawn(self._save(self._dock.name_field.text().strip()), "save basket")

    async def _save(self, name: str) -> None:
        if (
            name in self.names
            and name != self.current
            and not await confirm(
                self._dock, "Replace it?", f"There is a basket named {name} already.", "Replace"
            )
        ):
            return
        try:
            await self._dock.bridge.baskets.save(name, self._dock.basket())
        except ConfigError as error:
            self._dock.show_problems([error.message])
            return
        self.current = name
        self._dock.show_problems([])
        await self.load_names()

    def open_saved(self, name: str) -> None:
        """Show a kept basket."""
        self._dock.spawn(self._open_saved(name), "open basket")

    async def _open_saved(self, name: str) -> None:
        try:
            self._dock.fill(await self._dock.bridge.baskets.load(name), name)
        except ConfigError as error:
            self._dock.show_problems([error.message])

    def delete_saved(self) -> None:
        """Forget the kept basket; its lines stay."""
        self._dock.spawn(self._delete_saved(self.current), "delete basket")

    async def _delete_saved(self, name: str) -> None:
        if await confirm(
            self._dock, "Delete the basket?", f"{name} is forgotten; its lines stay here.", "Delete"
        ):
            await self._dock.bridge.baskets.delete(name)
            self.current = ""
            await self.load_names()

    async def _import(self) -> None:
        path = await ask_path(self._dock, "Open a basket", "CSV files", "csv", save=False)
        if path is not None:
            self.read_file(path)

    def read_file(self, path: Path) -> None:
        """Take the lines of a CSV file; with a problem in it nothing is taken."""
        try:
            if path.stat().st_size > LARGEST_FILE:
                raise ValueError("it is too large")
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            self._dock.show_problems([f"{path.name} cannot be read: {why or error}."])
            return
        lines, problems = read_csv(text, self._dock.bridge.instrument)
        if problems:
            self._dock.show_problems(
                [f"{path.name} was not taken.", *map(Problem.__str__, problems)]
            )
            return
        self._dock.fill(
            msgspec.structs.replace(self._dock.basket(), lines=tuple(lines)), path.stem[:40]
        )
        self.current = ""  # a kept one of that name is another

    async def _export(self) -> None:
        path = await ask_csv_path(self._dock, f"{self._dock.name_field.text() or 'basket'}.csv")
        if path is not None:
            try:
                path.write_text(write_csv(self._dock.basket().lines), encoding="utf-8")
            except OSError as error:
                self._dock.show_problems([f"{path.name} cannot be written: {error.strerror}."])
