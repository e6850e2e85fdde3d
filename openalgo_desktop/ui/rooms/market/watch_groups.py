"""The lists of a watchlist dock: one is shown, the others wait behind their tabs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtWidgets import QWidget

from openalgo_desktop.core import watchlists
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.watchlists import WatchGroup, WatchItem
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.ask_text import ask_text
from openalgo_desktop.ui.kit.confirm import confirm
from openalgo_desktop.ui.kit.table_dock import TableDock
from openalgo_desktop.ui.rooms.market.watch_rows import WatchRow
from openalgo_desktop.ui.rooms.market.watch_tabs import WatchTabs


class GroupedDock(TableDock[WatchRow]):
    """Owns the lists; what is shown of one says :meth:`show_group`."""

    def __init__(self, bridge: Bridge, name: str = "", parent: QWidget | None = None) -> None:
        self.groups: list[WatchGroup] = [WatchGroup(watchlists.FIRST)]
        self.current = 0
        super().__init__(bridge, name, parent)
        self.tabs = WatchTabs(self.name, self.title)
        self.content.insertWidget(0, self.tabs)
        tabs = self.tabs
        tabs.chosen.connect(self.choose_group)
        tabs.moved.connect(self._on_tab_moved)
        tabs.add_wanted.connect(self.add_group)
        tabs.rename_wanted.connect(self._rename)
        tabs.delete_wanted.connect(self._delete)
        tabs.heading_wanted.connect(self.ask_heading)

    def show_group(self, *, anew: bool = False) -> None:
        """Show the rows of the chosen list; ``anew`` looks each instrument up again."""
        raise NotImplementedError

    @property
    def group_shown(self) -> WatchGroup:
        """The list whose tab is chosen."""
        return self.groups[self.current]

    def put_group(self, items: Sequence[WatchItem], place: int | None = None) -> None:
        """Another state of a list (default: the shown one)."""
        at = self.current if place is None else place
        self.groups[at] = WatchGroup(self.groups[at].name, tuple(items))
        if at == self.current:
            self.show_group()

    def choose_group(self, place: int) -> None:
        """Show the list of a tab."""
        if 0 <= place < len(self.groups) and place != self.current:
            self.current = place
            self._show_tabs()
            self.show_group()

    def add_group(self, name: str = "") -> None:
        """A new list, and show it."""
        taken = [group.name for group in self.groups]
        self.groups.append(WatchGroup(watchlists.free_name(name or "List", taken)))
        self.choose_group(len(self.groups) - 1)

    def rename_group(self, place: int, name: str) -> None:
        """Call a list otherwise; raises :class:`AppError` for no name."""
        if not name.strip():
            raise AppError("A group needs a name.")
        taken = [group.name for at, group in enumerate(self.groups) if at != place]
        made = watchlists.free_name(name, taken)
        self.groups[place] = WatchGroup(made, self.groups[place].items)
        self._show_tabs()

    def delete_group(self, place: int) -> None:
        """Take a list away; the last one stays."""
        if len(self.groups) < 2:
            return
        del self.groups[place]
        self.current = max(0, self.current - (1 if place <= self.current else 0))
        self._show_tabs()
        self.show_group()

    def _on_tab_moved(self, source: int, target: int) -> None:
        shown = self.group_shown
        self.groups.insert(target, self.groups.pop(source))
        self.current = next(n for n, group in enumerate(self.groups) if group is shown)

    def _show_tabs(self) -> None:
        self.tabs.show_groups([group.name for group in self.groups], self.current)

    def _rename(self, place: int) -> None:
        name, take = self.groups[place].name, partial(self.rename_group, place)
        self.spawn(ask_text(self, "Rename group", "Name", name, take), "rename group")

    def _delete(self, place: int) -> None:
        self.spawn(self._ask_delete(self.groups[place]), "delete group")

    async def _ask_delete(self, group: WatchGroup) -> None:
        """An empty list goes at once, a full one after a question."""
        count = len(group.keys)
        text = f"{group.name} has {count} symbols. They leave the list; nothing is traded."
        if count and not await confirm(self, "Delete this group?", text, "Delete"):
            return
        place = next((n for n, row in enumerate(self.groups) if row is group), None)
        if place is not None:
            self.delete_group(place)

    def ask_heading(self) -> None:
        """Ask for the text of a section."""
        self.spawn(ask_text(self, "Section", "Heading", "", self.add_heading), "add section")

    def add_heading(self, text: str) -> None:
        """A heading before the selected row, or at the end."""
        if not text.strip():
            raise AppError("A section needs a heading.")
        taken = [item.symbol for item in self.group_shown.items if item.is_heading]
        row = self.selected_row()
        at = None if row is None else self.group_shown.items.index(row.item)
        item = watchlists.heading(watchlists.free_name(text, taken))
        self.put_group(watchlists.put(self.group_shown.items, [item], at))
