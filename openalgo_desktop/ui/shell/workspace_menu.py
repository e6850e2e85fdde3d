"""The menu of workspaces: switch, save, reset, export, further windows, lock."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.ask_text import ask_text
from openalgo_desktop.ui.kit.confirm import confirm
from openalgo_desktop.ui.kit.save_file import ask_path
from openalgo_desktop.ui.kit.widgets import named, plain_tip, slug
from openalgo_desktop.ui.shell.workspaces import Workspaces


class WorkspaceMenu(QMenu):
    """Filled anew each time it opens."""

    def __init__(self, window: QWidget, bridge: Bridge, workspaces: Workspaces) -> None:
        super().__init__("Workspaces", window)
        named(self, "menu-workspaces", "Workspaces")
        self._window = window
        self._bridge = bridge
        self._workspaces = workspaces
        self.aboutToShow.connect(self.fill)

    def fill(self) -> None:
        """The entries as things are now."""
        self.clear()
        spaces = self._workspaces
        names = QActionGroup(self)
        for index, name in enumerate(spaces.names(), 1):
            text = name.replace("&", "&&")
            action = self.addAction(f"&{index}  {text}" if index < 10 else text)
            action.setObjectName(f"action-workspace-{slug(name)}")
            action.setCheckable(True)
            action.setChecked(name == spaces.current)
            action.setToolTip(plain_tip(spaces.about(name)))
            action.triggered.connect(lambda _checked=False, to=name: spaces.switch(to))
            names.addAction(action)
        self.addSeparator()
        self._entry("Save as…", self._save_as)
        rename = self._entry("Rename…", self._rename)
        delete = self._entry("Delete…", self._delete)
        for action in (rename, delete):
            action.setEnabled(not spaces.is_shipped(spaces.current))
        self._entry("Reset…", self._reset)
        self.addSeparator()
        self._entry("Export…", self._export)
        self._entry("Import…", self._import)
        self.addSeparator()
        window = self.addAction("New window")
        window.setObjectName("action-workspace-window")
        window.triggered.connect(spaces.add_window)
        lock = self.addAction("Lock layout")
        lock.setObjectName("action-workspace-lock")
        lock.setCheckable(True)
        lock.setChecked(spaces.locked)
        lock.toggled.connect(spaces.lock)

    def _entry(self, text: str, work: Callable[[], Coroutine[Any, Any, object]]) -> Any:
        action = self.addAction(text)
        action.setObjectName(f"action-workspace-{slug(text)}")
        action.triggered.connect(lambda: self._bridge.spawn(work(), text.rstrip(" .")))
        return action

    async def _save_as(self) -> None:
        await ask_text(self._window, "Save workspace", "Name", "", self._workspaces.save_as)

    async def _rename(self) -> None:
        now = self._workspaces.current
        await ask_text(
            self._window,
            "Rename workspace",
            "Name",
            now,
            lambda text: self._workspaces.rename(now, text),
        )

    async def _delete(self) -> None:
        now = self._workspaces.current
        if await confirm(
            self._window, "Delete workspace?", f"{now} is forgotten.", "Delete", danger=True
        ):
            self._workspaces.delete(now)

    async def _reset(self) -> None:
        if await confirm(
            self._window,
            "Reset workspace?",
            f"The panels of {self._workspaces.current} go back to their first places. Symbols of "
            "watchlists stay.",
            "Reset",
        ):
            self._workspaces.reset()

    async def _export(self) -> None:
        name = f"{slug(self._workspaces.current)}.json"
        path = await ask_path(self._window, "Export workspace", "Workspaces", "json", name)
        if path is not None:
            self._workspaces.export_to(path)
            self._bridge.notice.emit("info", f"Workspace written to {path}.")

    async def _import(self) -> None:
        path = await ask_path(self._window, "Import workspace", "Workspaces", "json", save=False)
        if path is None:
            return
        try:
            name = self._workspaces.import_from(path)
        except ConfigError as error:
            self._bridge.notice.emit("error", error.message)
        else:
            self._bridge.notice.emit("info", f"Workspace {name} is shown.")
