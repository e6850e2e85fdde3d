"""Named workspaces: which windows and docks there are, where, and what they show.

Each is a record in the terminal's state, saved by itself; shipped presets are the beginnings. A
record keeps one layout for each size of screen that it was used on.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMainWindow, QMenu

from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.ui.engine import links
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.kit.kinds import current_name
from openalgo_desktop.ui.kit.widgets import named
from openalgo_desktop.ui.shell import layout_tree, workspace
from openalgo_desktop.ui.shell.docking import Docking
from openalgo_desktop.ui.shell.side_window import SideWindow

log = logging.getLogger(__name__)

VERSION = 4
#: Shipped workspaces, files of ``resources/workspaces``, in the order of their numbers.
PRESETS = ("intraday", "options", "scalper", "investor", "developer", "monitor")
#: A changed layout is written after this, milliseconds.
SAVE_MS = 20_000
#: Below this width a preset is laid out for little room, pixels.
NARROW = 1100
#: Longest name of a workspace, letters.
LONGEST_NAME = 40
#: What a workspace that is read from a file has at most: bytes, windows, docks in a window. More
#: is no desk but an accident, which would hold the window for minutes.
LARGEST_FILE, MOST_WINDOWS, MOST_DOCKS = 2_000_000, 8, 60
_INDEX = "index"
#: How version 3 kept its only layout, and the docks that it always had.
_LEGACY = "last"
_LEGACY_DOCKS = [
    *("watchlist", "chart", "depth", "ticket"),
    *("positions", "orders", "trades", "holdings", "funds", "sandbox"),
    *("approvals", "api-monitor", "audit", "log"),
]

Record = dict[str, Any]


#: When the sizes of docks are looked at after a layout was brought back, milliseconds.
SETTLE_MS = (0, 50, 150, 300)


def _key(name: str) -> str:
    return f"layout:{name}"


class Workspaces(QObject):
    """Owns the windows beside the main one."""

    changed = Signal()  # names, or which is shown

    def __init__(self, bridge: Bridge, main: QMainWindow, docking: Docking) -> None:
        super().__init__(main)
        self._bridge = bridge
        self._main = main
        self._docking = docking
        self._presets = {name: layout_tree.load_preset(name) for name in PRESETS}
        self._records: dict[str, Record] = {}
        self._written: dict[str, str] = {}
        self._kept: set[str] = set()  # workspaces that were shown since the last writing
        self._switching = self._starting = False
        self.windows: list[SideWindow] = []
        #: What windows whose docks still take their sizes were brought back with.
        self._settling: dict[QMainWindow, Mapping[str, Any]] = {}
        self.current = self._presets[PRESETS[0]].title
        docking.menu_wanted.connect(self.dock_menu)
        self._timer = QTimer(self)
        self._timer.setInterval(SAVE_MS)
        self._timer.timeout.connect(self._autosave)

    # -- names ------------------------------------------------------------------------------
    def names(self) -> list[str]:
        """All workspaces: the shipped ones first, then the user's."""
        shipped = [preset.title for preset in self._presets.values()]
        return [*shipped, *(name for name in self._records if name not in shipped)]

    def about(self, name: str) -> str:
        """What a shipped workspace is for; empty for others."""
        return next((p.about for p in self._presets.values() if p.title == name), "")

    def is_shipped(self, name: str) -> bool:
        """Whether it is one of the presets: it can be reset, not renamed or deleted."""
        return any(preset.title == name for preset in self._presets.values())

    # -- life -------------------------------------------------------------------------------
    async def start(self) -> None:
        """Read what is stored and show the workspace that was shown last."""
        index = await self._bridge.load_state(workspace.SCOPE, _INDEX)
        names = index.get("names") if isinstance(index, dict) else None
        names = names if isinstance(names, list) else []
        for name in (name for name in names if isinstance(name, str)):
            record = await self._bridge.load_state(workspace.SCOPE, _key(name))
            if (known := _as_record(record)) is not None:
                self._records[name] = known
        current = index.get("current") if isinstance(index, dict) else None
        if isinstance(current, str) and current in self.names():
            self.current = current
        elif index is None:
            await self._take_legacy()
        self._starting = True
        self._show(self.current)
        self._starting = False
        self._docking.lock(isinstance(index, dict) and index.get("locked") is True)
        self._timer.start()

    async def _take_legacy(self) -> None:
        """The layout of version 3 becomes the first workspace's."""
        saved = await self._bridge.load_state(workspace.SCOPE, _LEGACY)
        if not isinstance(saved, dict):
            return
        layout, symbol = saved.get("layout"), saved.get("symbol")
        rows = [layout | {"docks": _LEGACY_DOCKS}] if isinstance(layout, dict) else []
        self._records[self.current] = {
            "version": VERSION,
            "layouts": {"": rows},
            "docks": saved.get("docks", {}),
            "links": {str(links.MAIN): symbol} if isinstance(symbol, list) else {},
        }

    async def save(self) -> None:
        """Write what changed; called when the window closes, too."""
        self._keep()
        index = {
            "current": self.current,
            "names": list(self._records),
            "locked": self.locked,
        }
        # Only what was shown since can differ: other records are not even encoded.
        names, self._kept = self._kept, set()
        rows = {
            _key(name): record
            for name, record in self._records.items()
            if name in names or _key(name) not in self._written
        }
        for key, value in (rows | {_INDEX: index}).items():
            text = json.dumps(value, sort_keys=True)
            if self._written.get(key) != text:
                await self._bridge.save_state(workspace.SCOPE, key, value)
                self._written[key] = text

    def _autosave(self) -> None:
        if not self._switching:
            self._bridge.spawn(self.save(), "save workspace")

    def stop(self) -> None:
        """No saving by itself after this."""
        self._timer.stop()

    def close(self) -> None:
        """The program ends: further windows go with it."""
        self.stop()
        for window in list(self.windows):
            self._forget(window)

    # -- what the user does -------------------------------------------------------------------
    def switch(self, name: str) -> None:
        """Show another workspace; the one that is left keeps how it was."""
        if name == self.current or name not in self.names():
            return
        self._keep()
        self.current = name
        self._show(name)
        self._bridge.spawn(self.save(), "save workspace")

    def save_as(self, name: str) -> None:
        """Go on in a copy of this workspace; raises :class:`ConfigError` for a bad name."""
        name = self._new_name(name)
        self._keep()
        self._records[name] = json.loads(json.dumps(self._records[self.current]))
        self.current = name
        self.changed.emit()
        self._autosave()

    def rename(self, name: str, to: str) -> None:
        """Give a workspace of the user another name."""
        if self.is_shipped(name):
            raise ConfigError(f"{name} is a shipped workspace: save a copy under another name.")
        to = self._new_name(to)
        self._records = {to if key == name else key: row for key, row in self._records.items()}
        if self.current == name:
            self.current = to
        self.changed.emit()
        self._autosave()

    def delete(self, name: str) -> None:
        """Forget a workspace of the user."""
        if self.is_shipped(name):
            raise ConfigError(f"{name} is a shipped workspace: it can be reset, not deleted.")
        if name == self.current:
            self.switch(self.names()[0])
        self._records.pop(name, None)
        self.changed.emit()
        self._autosave()

    def reset(self) -> None:
        """Bring a shipped workspace back as it was shipped; one of the user becomes the first
        preset. What the docks hold (symbols of watchlists) stays."""
        states = self._docking.states()
        self._settling.clear()  # what was brought back a moment ago is not meant any more
        self._lay_out_preset(self._preset_of(self.current), states)
        self.changed.emit()
        self._autosave()

    def _new_name(self, name: str) -> str:
        name = " ".join(name.split())
        if not name or len(name) > LONGEST_NAME:
            raise ConfigError(f"Name: write 1 to {LONGEST_NAME} characters.")
        if name in self.names():
            raise ConfigError(f"Name: there is a workspace {name} already.")
        return name

    @property
    def locked(self) -> bool:
        """Whether docks stay where they are."""
        return self._docking.locked

    def lock(self, locked: bool) -> None:
        """Keep docks where they are, or let them be moved."""
        self._docking.lock(locked)
        self._autosave()

    # -- files ------------------------------------------------------------------------------
    def export_to(self, path: Path) -> None:
        """Write this workspace to a file for :meth:`import_from`; nothing secret is in it."""
        self._keep()
        body = {"workspace": self.current, "record": self._records[self.current]}
        try:
            path.write_text(json.dumps(body, indent=1), encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"{path} cannot be written: {error.strerror}.") from None

    def import_from(self, path: Path) -> str:
        """Read a workspace from a file and show it; returns its name here. Raises
        :class:`ConfigError` for a file that is none."""
        try:
            if path.stat().st_size > LARGEST_FILE:
                raise ValueError("it is too large")
            body = json.loads(path.read_text(encoding="utf-8"))
            name, record = " ".join(str(body["workspace"]).split()), _as_record(body["record"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            raise ConfigError(f"{path.name} is no workspace file.") from None
        if record is None or _too_much(record):
            raise ConfigError(f"{path.name} is no workspace file.")
        version = record.get("version")
        if isinstance(version, int) and version > VERSION:
            raise ConfigError(f"{path.name} was written by a newer version of the program.")
        name = name[:LONGEST_NAME] or "Imported"
        taken, number = name, 2
        while taken in self.names():
            end = f" {number}"
            taken, number = name[: LONGEST_NAME - len(end)] + end, number + 1
        self._records[taken] = record
        self.switch(taken)
        return taken

    # -- windows ----------------------------------------------------------------------------
    def add_window(self) -> SideWindow:
        """A further top-level window, for another monitor."""
        number = 2
        taken = {window.number for window in self.windows}
        while number in taken:
            number += 1
        window = SideWindow(self._bridge, number)
        window.left.connect(self._on_left)
        self.windows.append(window)
        window.show()
        return window

    def _window(self, index: int) -> SideWindow:
        return self.windows[index] if index < len(self.windows) else self.add_window()

    def move(self, dock: Dock, window: QMainWindow) -> None:
        """Take a dock to another window."""
        self._docking.move(dock, window)

    def dock_menu(self, dock: Dock, place: QPoint) -> None:
        """The menu of a dock's title: where it can go."""
        menu = named(QMenu(dock), f"{dock.objectName()}-place-menu", f"Place of {dock.title}")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        here = self._docking.window_of(dock)
        menu.addAction("Float" if not dock.isFloating() else "Put back").triggered.connect(
            lambda: dock.setFloating(not dock.isFloating())
        )
        for window in (self._main, *self.windows):
            if window is not here:
                number = self.windows.index(window) if window in self.windows else -1
                words = "the main window" if number < 0 else f"window {self.windows[number].number}"
                menu.addAction(f"Move to {words}").triggered.connect(
                    lambda _checked=False, to=window: self.move(dock, to)
                )
        menu.addAction("Move to a new window").triggered.connect(
            lambda: self.move(dock, self.add_window())
        )
        menu.addSeparator()
        menu.addAction("Close").triggered.connect(dock.close)
        for action in menu.actions():
            action.setEnabled(not self.locked)
        menu.popup(place)

    @property
    def at_rest(self) -> bool:
        """Whether the docks of what was brought back have taken their sizes."""
        return not self._settling

    def _on_left(self, window: SideWindow) -> None:
        """The user closed a further window: its docks are gone with it."""
        for dock in self._docking.in_window(window):
            dock.close()
        self._forget(window)

    def _forget(self, window: SideWindow) -> None:
        if window in self.windows:
            self.windows.remove(window)
            self._settling.pop(window, None)
            window.dispose()

    # -- records ----------------------------------------------------------------------------
    def _keep(self) -> None:
        """Put what is shown into the record of the current workspace."""
        record = self._records.setdefault(self.current, {"version": VERSION, "layouts": {}})
        self._kept.add(self.current)
        windows: list[QMainWindow] = [self._main, *self.windows]
        rows = [workspace.capture(w, self._docking.in_window(w)) for w in windows]
        record["version"] = VERSION
        record["layouts"].pop("", None)
        record["layouts"][workspace.screen_key(self._main)] = rows
        record["docks"] = self._docking.states()
        shown = self._bridge.links.keys()
        record["links"] = {str(group): list(key) for group, key in shown.items()}

    def _show(self, name: str) -> None:
        self._switching = True
        self._main.setUpdatesEnabled(False)
        try:
            self._bring(name)
        finally:
            self._main.setUpdatesEnabled(True)
            self._switching = False
        self.changed.emit()

    def _bring(self, name: str) -> None:
        record = self._records.get(name)
        states = self._docking.states()
        self._clear()
        if record is None:
            if self._starting:
                workspace.first_place(self._main)
            self._lay_out_preset(self._preset_of(name), states)
            return
        self._docking.remember(_as_states(record.get("docks")))
        layouts = record.get("layouts", {})
        rows = layouts.get(workspace.screen_key(self._main)) or _nearest(layouts, self._main)
        self._link(record.get("links"))
        if not rows and self._starting:
            workspace.first_place(self._main)
        if not rows or not self._apply(rows):
            self._lay_out_preset(self._preset_of(name), _as_states(record.get("docks")))

    def _clear(self) -> None:
        self._settling.clear()
        self._docking.discard_all()
        for window in list(self.windows):
            self._forget(window)

    def _apply(self, rows: list[Any]) -> bool:
        for index, row in enumerate(rows):
            if not isinstance(row, Mapping) or not isinstance(row.get("docks"), list):
                return False
            window = self._main if index == 0 else self.add_window()
            docks: dict[str, Dock] = {}
            for stored in row["docks"]:
                now = current_name(str(stored))
                dock = self._docking.make(now, window) if now is not None else None
                if dock is not None:
                    docks[str(stored)] = dock
                    self._docking.put(dock)
            if not workspace.apply(window, row, docks, self._starting or index > 0):
                return False
            for dock in docks.values():
                if dock.isHidden():  # version 3 kept closed docks
                    dock.close()
            workspace.settle(window, row, docks)
            # Banners, tab and status bars take their room in the turns that follow.
            self._settling[window] = row
            self._settle_later(window, row, docks)
        return bool(self._docking.docks)

    def _settle_later(
        self,
        window: QMainWindow,
        row: Mapping[str, Any],
        docks: Mapping[str, Dock],
        turn: int = 0,
    ) -> None:
        """Each turn once: they have their sizes when the last one has passed."""

        def settle() -> None:
            here = {n: d for n, d in docks.items() if self._docking.docks.get(d.name) is d}
            if self._settling.get(window) is not row:
                return  # something else is shown there by now
            dragged = QGuiApplication.mouseButtons() is not Qt.MouseButton.NoButton
            if not dragged:
                workspace.settle(window, row, here)
            if dragged or turn + 1 == len(SETTLE_MS):
                del self._settling[window]
            else:
                self._settle_later(window, row, here, turn + 1)

        QTimer.singleShot(SETTLE_MS[turn], window, settle)

    def _preset_of(self, name: str) -> layout_tree.Preset:
        found = [preset for preset in self._presets.values() if preset.title == name]
        return found[0] if found else self._presets[PRESETS[0]]

    def _lay_out_preset(
        self, preset: layout_tree.Preset, states: Mapping[str, dict[str, Any]]
    ) -> None:
        narrow = preset.narrow if self._main.width() < NARROW else None
        main = narrow or preset.main
        pruned = [layout_tree.prune(tree, current_name) for tree in (main, *preset.windows)]
        trees = [tree for tree in pruned if tree is not None]
        # What is open and stays open goes on: an order that is half written is not lost.
        self._docking.keep_only({name for tree in trees for name in layout_tree.names(tree)})
        wanted = {name: {**states.get(name, {}), **own} for name, own in preset.docks.items()}
        self._docking.remember({**states, **wanted})
        for spare in self.windows[len(trees) - 1 :]:
            self._forget(spare)
        for index, tree in enumerate(trees):
            window = self._main if index == 0 else self._window(index - 1)
            docks = {name: self._docking.make(name, window) for name in layout_tree.names(tree)}
            layout_tree.lay_out(
                window, tree, {name: dock for name, dock in docks.items() if dock is not None}
            )
        self._show_futures(preset.futures)

    def _show_futures(self, futures: Mapping[str, str]) -> None:
        """A link group that shows nothing yet begins with a near future."""
        for group, underlying in futures.items():
            near = self._bridge.near_future(underlying, "NFO")
            if near is not None and self._bridge.links.key(int(group)) is None:
                self._bridge.links.select(near, int(group))

    def _link(self, shown: Any) -> None:
        if not isinstance(shown, Mapping):
            return
        for group, key in shown.items():
            known = self._bridge.watch_list_keys([key]) if isinstance(key, list) else []
            if known and str(group) in map(str, links.GROUPS):
                self._bridge.links.select(known[0], int(group))


def _as_record(value: Any) -> Record | None:
    """A stored workspace, without layouts that are none; None where it is no workspace."""
    if not isinstance(value, dict) or not isinstance(value.get("layouts"), dict):
        return None
    layouts = {str(k): rows for k, rows in value["layouts"].items() if isinstance(rows, list)}
    return value | {"layouts": layouts}


def _too_much(record: Record) -> bool:
    """Whether a layout has more windows or docks than anybody arranges."""
    for rows in record["layouts"].values():
        docks = [row.get("docks") for row in rows if isinstance(row, dict)]
        if len(rows) > MOST_WINDOWS or any(
            isinstance(one, list) and len(one) > MOST_DOCKS for one in docks
        ):
            return True
    return False


def _as_states(value: Any) -> dict[str, dict[str, Any]]:
    if not isinstance(value, Mapping):
        return {}
    rows: dict[str, dict[str, Any]] = {}
    for stored, state in value.items():
        name = current_name(str(stored))
        if isinstance(state, dict):
            # What no dock of this version knows is kept for one that does.
            rows[name or str(stored)] = state
    return rows


def _nearest(layouts: Mapping[str, Any], window: QMainWindow) -> Any:
    """The layout of the screen that is most like this one."""

    def size(text: str) -> tuple[int, int]:
        width, _, height = text.partition("x")
        return (int(width), int(height)) if width.isdigit() and height.isdigit() else (0, 0)

    here = size(workspace.screen_key(window))
    # What was made for much room does not fit into little.
    narrow = here[0] < NARROW
    alike = [text for text in layouts if not text or (size(text)[0] < NARROW) is narrow]
    keys = sorted(
        alike, key=lambda text: abs(size(text)[0] - here[0]) + abs(size(text)[1] - here[1])
    )
    return layouts[keys[0]] if keys else None
