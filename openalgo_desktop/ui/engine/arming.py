"""The lock of one-click trading: what sends at a click or a drag asks ``bridge.arm.armed`` first.

It is off at every start, and goes off after idle minutes, at a change of mode or account, with the
kill switch and the app lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError, AuthError, OrderError, RiskBlocked
from openalgo_desktop.core.events import (
    AccountChanged,
    KillSwitchChanged,
    LockChanged,
    ModeChanged,
    SettingChanged,
)

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal

#: Whether it is still armed is looked at so often, besides at each use; milliseconds.
LOOK_MS = 5000


class ArmDoor(QObject):
    """One state for the whole window."""

    changed = Signal(bool, str)  # armed now; why it went off (empty: by hand)

    def __init__(self, terminal: Terminal, parent: QObject) -> None:
        super().__init__(parent)
        self._terminal = terminal
        self._for: tuple[Mode, str] | None = None  # mode and account that it was armed for
        self._touched = 0.0
        self._look = QTimer(self)
        self._look.setInterval(LOOK_MS)
        self._look.timeout.connect(self._expire)
        bus = terminal.bus
        self._unsubscribe = [
            bus.subscribe(ModeChanged, lambda _: self._expire()),
            bus.subscribe(AccountChanged, lambda _: self._expire()),
            bus.subscribe(SettingChanged, lambda _: self._expire()),
            bus.subscribe(LockChanged, lambda _: self._expire()),
            bus.subscribe(KillSwitchChanged, lambda _: self._expire()),
        ]

    def close(self) -> None:
        """Listen no more."""
        self._look.stop()
        self._for = None
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe.clear()

    @property
    def armed(self) -> bool:
        """Whether a click may send now; the answer is worked out at each question."""
        self._expire()
        return self._for is not None

    def arm(self, mode: Mode) -> None:
        """Arm for the mode that the user saw. Raises the reason when it is not possible."""
        if mode is not self._terminal.desk.mode:
            raise OrderError(
                f"The mode is {self._terminal.desk.mode.value.upper()} now. Arm again."
            )
        if self._terminal.lock.locked:
            raise AuthError("The window is locked.")
        if self._terminal.kill_switch.tripped:
            raise RiskBlocked("The kill switch is on: reset it before arming.")
        self._for = (mode, self._account())
        self.touch()
        self._look.start()
        self.changed.emit(True, "")

    def disarm(self, why: str = "") -> None:
        """Off; ``why`` is told to the user where he did not do it."""
        if self._for is None:
            return
        self._for = None
        self._look.stop()
        self.changed.emit(False, why)

    def touch(self) -> None:
        """A hand on the window: idle time begins anew."""
        self._touched = self._terminal.clock.monotonic()

    def _account(self) -> str:
        try:
            return self._terminal.desk.gateway.account_id
        except AppError:
            return ""

    def _expire(self) -> None:
        if self._for is not None and (why := self._why_off()):
            self.disarm(why)

    def _why_off(self) -> str:
        terminal = self._terminal
        assert self._for is not None
        mode, account = self._for
        idle = terminal.clock.monotonic() - self._touched
        minutes = float(terminal.settings["arm.idle_minutes"])
        if mode is not terminal.desk.mode:
            return f"the mode is {terminal.desk.mode.value.upper()} now"
        if account != self._account():
            return "orders go to another account now"
        if terminal.lock.locked:
            return "the window was locked"
        if terminal.kill_switch.tripped:
            return "the kill switch is on"
        if idle >= 60.0 * minutes:
            return f"nobody touched the window for {minutes:g} minutes"
        return ""
