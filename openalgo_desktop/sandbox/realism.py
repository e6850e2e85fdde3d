"""How real the paper account of the window is: portfolio margin and charges from the start.

Clients of the API rely on the leverage table and on trades without charges, so the settings keep
those defaults. A window that finds a fresh paper account switches the real ones on; the owner of an
account that was used before is asked once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from openalgo_desktop.config.settings import Settings
from openalgo_desktop.storage.state import KeyValueStore

#: What the real account would have.
REAL: Mapping[str, Any] = {"sandbox.margin_model": "span", "sandbox.charges": True}
_SCOPE, _KEY = "sandbox", "realism"


class Realism:
    """``used`` says whether the paper account has traded."""

    def __init__(self, settings: Settings, state: KeyValueStore, used: Callable[[], bool]) -> None:
        self._settings = settings
        self._state = state
        self._used = used

    async def begin(self) -> bool:
        """Call it when a window opens. Whether the owner has to be asked; who set one of the
        settings himself has answered."""
        if await self._state.get(_SCOPE, _KEY) is not None:
            return False
        if any(map(self._settings.is_set, REAL)):
            await self._remember("set by hand")
            return False
        if self._used():
            return True
        await self.answer(True)
        return False

    async def answer(self, real: bool) -> None:
        """What the owner wants; he is not asked again."""
        if real:
            for key, value in REAL.items():
                self._settings.set(key, value)
        await self._remember("real" if real else "simple")

    async def _remember(self, what: str) -> None:
        await self._state.put(_SCOPE, _KEY, what)
