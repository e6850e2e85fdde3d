"""What works while the window is locked: cancel all, flatten, kill. All of it only reduces risk,
each is held down for a second, and nothing is shown but how many were cancelled and closed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QGridLayout, QWidget
from shiboken6 import isValid

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.hold_button import HoldButton
from openalgo_desktop.ui.kit.sending import sends
from openalgo_desktop.ui.kit.widgets import label, named, plain_tip, set_role, shortcut_text

NAME = "lock-emergency"
#: Name, button, key, what it does.
ROWS: tuple[tuple[str, str, str, str], ...] = (
    ("cancel", "Cancel all", "F7", "Cancel all working orders"),
    ("flatten", "Flatten", "F6", "Close all positions at market, without a list to review"),
    ("kill", "KILL", "Ctrl+F12", "Block new orders, cancel all, close all"),
)


class EmergencyPanel(QWidget):
    """Buttons below the password question; ``dialog`` gets the keys."""

    def __init__(self, bridge: Bridge, dialog: QDialog) -> None:
        super().__init__(dialog)
        self._bridge = bridge
        self._running: set[str] = set()
        named(self, NAME, "Works while locked")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 6, 0, 0)
        self.where = label("", f"{NAME}-where", "caption")
        grid.addWidget(self.where, 0, 0, 1, len(ROWS))
        self.buttons: dict[str, HoldButton] = {}
        for column, (name, text, key, tip) in enumerate(ROWS):
            button = sends(named(HoldButton(text), f"{NAME}-{name}", f"{tip}: hold for one second"))
            button.setText(f"{text}  {shortcut_text(key)}")
            button.setToolTip(plain_tip(f"{tip}. Hold for one second."))
            button.setProperty("role", "kill")
            button.held.connect(lambda name=name: self._start(name))
            shortcut = QShortcut(QKeySequence(key), dialog)
            shortcut.activated.connect(button.key_pulse)
            grid.addWidget(button, 1, column)
            self.buttons[name] = button
        self.said = label("", f"{NAME}-said", "muted")
        self.said.setWordWrap(True)
        grid.addWidget(self.said, 2, 0, 1, len(ROWS))
        bridge.mode_changed.connect(self._show_mode)
        self._show_mode(bridge.mode)

    def _show_mode(self, mode: Mode) -> None:
        where = "SANDBOX" if mode is Mode.SANDBOX else "LIVE, real money"
        self.where.setText(f"Held for a second, without the password ({where}):")

    def _say(self, text: str, role: str = "muted") -> None:
        if not isValid(self):  # unlocked meanwhile: what it came to is told all the same
            self._bridge.notice.emit("error" if role == "error" else "info", text)
            return
        self.said.setText(text)
        self.said.setAccessibleName(text)
        set_role(self.said, role)

    def _start(self, name: str) -> None:
        if name in self._running:
            return
        works: dict[str, Callable[[Mode], Awaitable[tuple[str, bool]]]] = {
            "cancel": self._cancel,
            "flatten": self._flatten,
            "kill": self._kill,
        }
        self._running.add(name)
        self._say("Sending…")
        task = self._bridge.spawn(self._run(works[name], self._bridge.mode), f"locked {name}")
        task.add_done_callback(lambda _: self._running.discard(name))

    async def _run(self, work: Callable[[Mode], Awaitable[tuple[str, bool]]], mode: Mode) -> None:
        try:
            text, well = await work(mode)
        except AppError as error:
            self._say(f"✕ {error.message}", "error")
        else:
            self._say(text, "success" if well else "error")

    async def _cancel(self, mode: Mode) -> tuple[str, bool]:
        done = await self._bridge.desk.cancel_all(mode)
        return f"{len(done.cancelled)} cancelled, {len(done.failed)} failed.", not done.failed

    async def _flatten(self, mode: Mode) -> tuple[str, bool]:
        done = await self._bridge.desk.close_all(mode)
        return f"{done.closed} closed, {done.failed} failed.", not done.failed

    async def _kill(self, _mode: Mode) -> tuple[str, bool]:
        report = await self._bridge.safety.kill()
        left = (
            ""
            if report.clean
            else (f" Still there: {report.resting} orders, {report.open_positions} positions.")
        )
        return (
            f"Kill switch on: {report.cancelled} cancelled, {report.flattened} closed.{left} New "
            "orders are blocked.",
            report.clean,
        )
