"""The user's hands on the window: keys, command palette, panels by keyboard, the ticket by key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QLineEdit,
    QMainWindow,
)

from openalgo_desktop.config.settings import SETTINGS
from openalgo_desktop.core.acts import Act
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Key
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import theme
from openalgo_desktop.ui.kit.confirm import confirm
from openalgo_desktop.ui.kit.dialogs import ask
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.kit.kinds import key_groups, kinds
from openalgo_desktop.ui.kit.replayed import NOT_HERE, focus_is_replayed
from openalgo_desktop.ui.rooms.market.watchlist import WatchlistDock
from openalgo_desktop.ui.rooms.orders.ticket import TicketDock
from openalgo_desktop.ui.shell.actions import ACTIONS, WORKSPACES
from openalgo_desktop.ui.shell.docking import Docking, kind_id
from openalgo_desktop.ui.shell.hotkey_editor import HotkeyDialog
from openalgo_desktop.ui.shell.hotkeys import SCOPE, STORED, Hotkeys
from openalgo_desktop.ui.shell.keys_help import KeysDialog
from openalgo_desktop.ui.shell.palette import CommandEntry, Palette
from openalgo_desktop.ui.shell.workspaces import Workspaces

RECENT = "palette"
#: Actions that the palette does not offer: it never sends, it is one itself, workspaces are
#: listed by their names.
NOT_OFFERED = frozenset({"send-ticket", "search", "commands"}) | {
    f"workspace-{number}" for number in range(1, WORKSPACES + 1)
}
#: What gets the focus when a panel does, the first that there is.
_HANDLES = (QAbstractItemView, QAbstractSpinBox, QLineEdit)


class Hands(QObject):
    """Owned by the main window."""

    def __init__(
        self,
        window: QMainWindow,
        bridge: Bridge,
        docking: Docking,
        workspaces: Workspaces,
        settings: Callable[[str], None],
    ) -> None:
        super().__init__(window)
        self._window, self._bridge = window, bridge
        self._docking, self._workspaces, self._settings = docking, workspaces, settings
        self._sending = False
        self._actions: Mapping[str, QAction] = {}
        self.hotkeys: Hotkeys
        self.palette = Palette(window, bridge, self.entries)
        self.palette.symbol_chosen.connect(self._show_symbol)
        self.palette.symbol_added.connect(self.add_to_watchlist)
        self.palette.remembered.connect(self._save_recent)

    def handlers(self) -> dict[str, Callable[[], object]]:
        """What the actions of the hands do, by name."""
        return {
            "search": self.palette.open,
            "commands": lambda: self.palette.open(only_commands=True),
            "hotkeys": self.edit_keys,
            "keys-help": self.show_keys,
            "send-ticket": self.send_ticket,
            "arm": self.toggle_arm,
            "next-dock": self.next_dock,
            "previous-dock": lambda: self.next_dock(-1),
            "show-orders": lambda: self.show_kind("orders"),
            "approvals": lambda: self.show_kind("approvals"),
            **{f"workspace-{n}": partial(self.show_workspace, n) for n in range(1, WORKSPACES + 1)},
        }

    def take_actions(self, actions: Mapping[str, QAction]) -> None:
        """The actions are there: they get their keys."""
        self._actions = actions
        self.hotkeys = Hotkeys(actions, self._save_keys, key_groups().values())
        self.hotkeys.changed.connect(self._on_key)
        self._docking.opened.connect(lambda dock: dock.hotkeys.use(self.hotkeys.key))

    # -- what is remembered -------------------------------------------------------------------
    async def restore(self) -> None:
        """Own keys and what the palette ran last."""
        stored = await self._bridge.load_state(SCOPE, STORED)
        for problem in self.hotkeys.load(stored):
            self._bridge.notice.emit("warning", problem)
        recent = await self._bridge.load_state(RECENT, "recent")
        if isinstance(recent, list):
            self.palette.recent = [ident for ident in recent if isinstance(ident, str)]

    def _save_keys(self, own: dict[str, str]) -> None:
        self._bridge.spawn(self._bridge.save_state(SCOPE, STORED, own), "save keys")

    def _save_recent(self, recent: list[str]) -> None:
        self._bridge.spawn(self._bridge.save_state(RECENT, "recent", recent), "save palette")

    # -- keys ---------------------------------------------------------------------------------
    def _on_key(self, name: str) -> None:
        """Open panels answer to another key at once."""
        group = self.hotkeys.rows[name].group
        for dock in self._docking.docks.values() if group is not None else ():
            if group is not None and kind_id(dock.name) in group.panels:
                dock.hotkeys.use(self.hotkeys.key)

    def edit_keys(self) -> None:
        """The hotkey editor."""
        dialog = HotkeyDialog(self._window, self.hotkeys, self._bridge.spawn)
        self._bridge.spawn(ask(dialog), "keys")

    def show_keys(self) -> None:
        """The keys of the panel with the focus."""
        self._bridge.spawn(self._show_keys(), "keys help")

    async def _show_keys(self) -> None:
        dock = self.focused_dock()
        title, keys = (dock.title, dock.hotkeys.lines()) if dock is not None else ("", [])
        dialog = KeysDialog(self._window, title, keys, self.hotkeys)
        if await ask(dialog, modal=False) and dialog.change_wanted:
            self.edit_keys()

    # -- panels -------------------------------------------------------------------------------
    def focused_dock(self) -> Dock | None:
        """The panel with the focus."""
        widget = QApplication.focusWidget()
        while widget is not None:
            for dock in self._docking.docks.values():
                if dock is widget:
                    return dock
            widget = widget.parentWidget()
        return None

    def next_dock(self, step: int = 1) -> None:
        """Raise and focus the next panel of the window with the focus, from left to right and top
        to bottom; those behind tabs too."""
        focused = self.focused_dock()
        window = self._docking.window_of(focused) if focused is not None else self._window
        docks = [d for d in self._docking.docks.values() if self._docking.window_of(d) is window]
        if not docks:
            return
        docks.sort(key=lambda dock: _place_of(dock, window))
        at = docks.index(focused) if focused in docks else -1 if step > 0 else 0
        self.focus(docks[(at + step) % len(docks)])

    def focus(self, dock: Dock) -> None:
        """Bring a panel to the front and put the focus into it."""
        dock.show()
        dock.raise_()
        dock.activateWindow()
        surface = dock.hotkeys.surface
        if surface is not None and surface is not dock and surface.isVisibleTo(dock):
            surface.setFocus(Qt.FocusReason.TabFocusReason)  # where the keys of the panel work
            return
        for kind in _HANDLES:
            for child in dock.body.findChildren(kind):
                if child.isVisibleTo(dock) and child.isEnabled():
                    child.setFocus(Qt.FocusReason.TabFocusReason)
                    return
        dock.body.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        dock.body.setFocus(Qt.FocusReason.TabFocusReason)

    def show_kind(self, kind: str) -> Dock:
        """The first panel of a kind, opened when there is none, in front."""
        found = self._docking.of_kind(kind)
        dock = found[0] if found else self._docking.open(kind)
        self.focus(dock)
        return dock

    def show_workspace(self, number: int) -> None:
        """The workspace of that number, from 1."""
        names = self._workspaces.names()
        if number <= len(names):
            self._workspaces.switch(names[number - 1])

    def add_to_watchlist(self, key: Key) -> None:
        """Put a symbol into the first watchlist."""
        dock = self.show_kind("watchlist")
        assert isinstance(dock, WatchlistDock)
        dock.add(key)

    def _show_symbol(self, key: Key) -> None:
        """What was found is for the panel with the focus and its link group, else for group 1."""
        dock = self.focused_dock()
        if dock is not None and dock.linkable:
            dock.pick(key)
        else:
            self._bridge.select(key)

    # -- the ticket by key --------------------------------------------------------------------
    def send_ticket(self) -> None:
        """Send the order of the ticket that has the focus. From elsewhere only the one that is in
        sight, and unless one-click trading is armed (or the policy asks anyway) after a question
        that shows the order. From a chart that replays the past nothing is sent."""
        if focus_is_replayed():
            self._bridge.notice.emit("warning", NOT_HERE)
            return
        dock = self.focused_dock()
        if isinstance(dock, TicketDock):
            dock.submit()
            return
        seen = [d for d in self._docking.of_kind("ticket") if not d.is_hidden()]
        tickets = [d for d in seen if isinstance(d, TicketDock)]
        if len(tickets) != 1:
            text = (
                "Several order tickets are in sight: go into the one that is to be sent."
                if tickets
                else "No order ticket is in sight. Buy and Sell open one."
            )
            self._bridge.notice.emit("warning", text)
        elif tickets[0].instrument is None:
            self._bridge.notice.emit("warning", "The order ticket has no symbol.")
        elif not self._sending:
            self._sending = True
            task = self._bridge.spawn(self._send(tickets[0]), "send ticket")
            task.add_done_callback(lambda _: self._sent())

    def _sent(self) -> None:
        self._sending = False

    async def _send(self, ticket: TicketDock) -> None:
        mode, request = self._bridge.mode, ticket.request()
        if request is None:  # no side yet: the ticket says so
            ticket.submit()
            return
        if self._bridge.arm.armed or self._bridge.orders.why_ask(Act.PLACE, [request], mode):
            ticket.submit()
            return
        where = "in the SANDBOX" if mode is Mode.SANDBOX else "LIVE, with real money"
        what = ticket.spoken(request)
        yes = await confirm(
            self._window,
            "Send this order?",
            f"{what}\n\nIt is sent {where}. (Within the ticket, or armed with F9, the key sends "
            "without this question.)",
            "Send",
            danger=mode is Mode.LIVE,
        )
        if not yes:
            return
        if not ticket.is_about(request) or self._bridge.mode is not mode:
            self._bridge.notice.emit(
                "warning", "Not sent: the ticket or the mode changed meanwhile."
            )
            return
        ticket.submit(request)

    def toggle_arm(self) -> None:
        """Arm one-click trading, or disarm it."""
        arm = self._bridge.arm
        if arm.armed:
            arm.disarm()
            return
        try:
            arm.arm(self._bridge.mode)
        except AppError as error:
            self._bridge.notice.emit("warning", error.message)

    # -- palette ------------------------------------------------------------------------------
    def entries(self) -> list[CommandEntry]:
        """Everything that the palette can run now."""
        found = [
            CommandEntry(
                row.name,
                row.text,
                self._actions[row.name].trigger,
                row.menu,
                self.hotkeys.text(row.name),
                row.words,
            )
            for row in ACTIONS
            if row.name not in NOT_OFFERED
        ]
        for kind in kinds().values():
            verb = "New" if kind.many else "Open"
            found.append(
                CommandEntry(
                    f"dock:{kind.id}", f"{verb} {kind.title}", self._opener(kind.id), "Panel"
                )
            )
        for number, name in enumerate(self._workspaces.names(), 1):
            key = self.hotkeys.text(f"workspace-{number}") if number <= WORKSPACES else ""
            found.append(
                CommandEntry(
                    f"workspace:{name}",
                    name,
                    partial(self._workspaces.switch, name),
                    "Workspace",
                    key,
                )
            )
        for name in theme.names():
            found.append(
                CommandEntry(
                    f"theme:{name}",
                    name.replace("-", " ").capitalize(),
                    partial(self._bridge.set_setting, "ui.theme", name),
                    "Theme",
                    words="colours",
                )
            )
        found += [
            CommandEntry(
                f"setting:{row.key}",
                row.help,
                partial(self._settings, row.key),
                f"Setting, {row.group}",
                words=row.key.replace(".", " ").replace("_", " "),
            )
            for row in SETTINGS.values()
        ]
        return found

    def _opener(self, kind: str) -> Callable[[], object]:
        if kinds()[kind].many:
            return lambda: self.focus(self._docking.open(kind))
        return lambda: self.show_kind(kind)


def _place_of(dock: Dock, window: QMainWindow) -> tuple[int, int, int, str]:
    """Where a panel is: floating ones last, then by column and row. Panels of one place (tabs) have
    the corner of the one in front, whichever that is."""
    if dock.isFloating():
        return (1, dock.x(), dock.y(), dock.name)
    group = [dock, *window.tabifiedDockWidgets(dock)]
    corners = [(d.x(), d.y()) for d in group if d.x() >= 0 and d.y() >= 0 and d.isVisible()]
    return (0, *max(corners, default=(0, 0)), dock.name)
