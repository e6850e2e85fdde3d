"""Who may go live."""

from __future__ import annotations

from openalgo_desktop.config.operations import WHO
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AuthError
from openalgo_desktop.storage.applock import AppLock
from openalgo_desktop.storage.vault import Vault

#: What a keyring that does not give our key means for the run.
LOCKED_VAULT = (
    "Live accounts are locked and only the sandbox runs, with an API key for this run alone."
)


class ModeGuard:
    """Raises :class:`AuthError` for a switch of the mode that must not be."""

    def __init__(self, vault: Vault, lock: AppLock) -> None:
        self._vault = vault
        self._lock = lock

    def check_bound(self, mode: Mode) -> None:
        """What is bound to live mode was allowed that when it was bound, and goes on while the
        window is locked; not without the vault."""
        if mode is Mode.LIVE and self._vault.locked:
            raise AuthError(f"{LOCKED_VAULT} {self._vault.locked}")

    def check(self, mode: Mode, by: str) -> None:
        """A locked program does not go live, whoever asks; with an app lock only the window and
        the owner's command go live, where the password is asked."""
        self.check_bound(mode)
        if mode is not Mode.LIVE or by == "start":
            return
        if by == WHO:  # its door has asked the password
            return
        if self._lock.locked:
            raise AuthError("The program is locked: unlock the window before going live.")
        if self._lock.enabled and by != "window":
            raise AuthError(
                "The app lock guards live mode: go live in the window, or with "
                "`openalgo-desktop mode live`."
            )
