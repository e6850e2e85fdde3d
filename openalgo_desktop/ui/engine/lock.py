"""The part of the bridge that locks and opens the window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from openalgo_desktop.core.events import LockChanged
from openalgo_desktop.core.secret import Secret

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal


class LockDoor(QObject):
    """Password, one-time code and idle time; all calls raise :class:`AppError` with the reason."""

    changed = Signal(bool)  # whether it is locked now

    def __init__(self, terminal: Terminal, parent: QObject) -> None:
        super().__init__(parent)
        self._lock = terminal.lock
        self._unsubscribe = terminal.bus.subscribe(
            LockChanged, lambda event: self.changed.emit(event.locked)
        )

    def close(self) -> None:
        """Listen no more."""
        self._unsubscribe()

    @property
    def enabled(self) -> bool:
        """Whether a password is set."""
        return self._lock.enabled

    @property
    def locked(self) -> bool:
        """Whether the window is shut now."""
        return self._lock.locked

    @property
    def wants_code(self) -> bool:
        """Whether a one-time code is asked, too."""
        return self._lock.wants_code

    def touch(self) -> None:
        """The user did something."""
        self._lock.touch()

    def lock(self) -> None:
        """Lock now."""
        self._lock.lock()

    async def unlock(self, password: str, code: str) -> None:
        """Open the window."""
        await self._lock.unlock(Secret(password), code)

    async def require(self, password: str, code: str) -> None:
        """The question before live mode."""
        await self._lock.require(Secret(password), code)

    async def set_password(self, new: str, old: str, code: str) -> None:
        """Set or change the password."""
        await self._lock.set_password(Secret(new), Secret(old), code)

    async def remove(self, password: str, code: str) -> None:
        """Switch the lock off."""
        await self._lock.remove(Secret(password), code)

    def new_code_secret(self) -> str:
        """A fresh secret to type into an authenticator app."""
        return self._lock.new_code_secret()[0].reveal()

    async def enable_code(self, secret: str, code: str, password: str) -> None:
        """Ask for one-time codes from now on."""
        await self._lock.enable_code(Secret(secret), code, Secret(password))
