"""Who may use the tools of MCP: the key of ``openalgo-desktop mcp``, and what a key means there."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple, Protocol

from openalgo_desktop import __version__
from openalgo_desktop.config.settings import Settings
from openalgo_desktop.core.api_rows import ApiKey
from openalgo_desktop.core.clock import SystemClock
from openalgo_desktop.core.enums import KeyRights, Mode
from openalgo_desktop.core.errors import AuthError, ConfigError
from openalgo_desktop.core.tools import MCP_STRATEGY, Writes
from openalgo_desktop.local_api.server import LocalApi
from openalgo_desktop.storage.keys import ApiKeys
from openalgo_desktop.storage.vault import Vault

#: Name of the key that is made for the command, and where the vault has its text.
KEY_NAME, KEY_IN_VAULT = "mcp", "mcp.key"
#: Orders and changes that it may send within a minute: more than a person reads.
PER_MINUTE = 30


class _Bounds(NamedTuple):
    """What that key is made with. One that may write is of one strategy: it cancels and closes what
    is that strategy's own. One for the sandbox lives there, whatever the mode is."""

    rights: KeyRights
    strategy: str = ""
    mode: Mode | None = None
    per_minute: int = 0


_BOUNDS = {
    Writes.OFF: _Bounds(KeyRights.READ),
    Writes.SANDBOX: _Bounds(KeyRights.SANDBOX, MCP_STRATEGY, Mode.SANDBOX, PER_MINUTE),
    Writes.LIVE: _Bounds(KeyRights.TRADE, MCP_STRATEGY, None, PER_MINUTE),
}
_REVOKED = (
    f"The API key {KEY_NAME!r} was revoked. For a new one switch the setting mcp.stdio off and on "
    "again, or give another key in OPENALGO_API_KEY."
)


class Owned(Protocol):
    """The parts of a terminal that are looked at."""

    settings: Settings
    clock: SystemClock
    vault: Vault
    keys: ApiKeys
    api: LocalApi | None


def _bounds_of(key: ApiKey) -> _Bounds:
    return _Bounds(key.rights, key.strategy, key.mode, key.per_minute)


class McpAccess:
    """Keys and rights of MCP in one terminal."""

    def __init__(self, owned: Owned) -> None:
        self._owned = owned
        self._making = asyncio.Lock()  # two first calls must not make two keys

    async def facts(self, text: str) -> dict[str, Any]:
        """What a call needs to know: address, key, rights, what is switched on. Without a key
        that of the command counts. Raises :class:`AppError` with a sentence."""
        owned = self._owned
        if owned.api is None:
            raise ConfigError("The local API is off (setting api.enabled): nothing can be asked.")
        if text:
            key = await owned.keys.verify(text)
            if key is None:
                raise AuthError("The API key is wrong or revoked: openalgo-desktop keys list.")
        else:
            key, text = await self._own_key()
        return {
            "rest_url": owned.api.rest_url,
            "key": text,
            "rights": key.rights.value,
            "writes": str(owned.settings["mcp.writes"]),
            "toolsets": str(owned.settings["mcp.toolsets"]),
            "today": owned.clock.now().date().isoformat(),
            "program": f"OpenAlgo Desktop {__version__}",
        }

    async def verify(self, text: str) -> bool:
        """Whether ``text`` is an API key that works."""
        return await self._owned.keys.verify(text) is not None

    async def _own_key(self) -> tuple[ApiKey, str]:
        owned = self._owned
        if not owned.settings["mcp.stdio"]:
            raise AuthError(
                "The owner switched off `openalgo-desktop mcp` (setting mcp.stdio). A key in "
                "OPENALGO_API_KEY works all the same."
            )
        bounds = _BOUNDS[Writes(owned.settings["mcp.writes"])]
        async with self._making:
            known = await owned.vault.get(KEY_IN_VAULT)
            if known is not None:
                key = await owned.keys.verify(known.reveal())
                if key is None:  # the owner wanted it gone: it does not come back by itself
                    raise AuthError(_REVOKED)
                if _bounds_of(key) == bounds:
                    return key, known.reveal()
                await owned.keys.revoke(key.key_id)
            key, made = await owned.keys.create(
                KEY_NAME,
                bounds.rights,
                strategy=bounds.strategy,
                mode=bounds.mode,
                per_minute=bounds.per_minute,
            )
            await owned.vault.set(KEY_IN_VAULT, made)
            return key, made.reveal()

    async def drop_own_key(self) -> None:
        """Revoke the key of the command and forget it, unless it has the rights of now. The next
        call, where it is allowed, makes another one."""
        owned = self._owned
        async with self._making:
            known = await owned.vault.get(KEY_IN_VAULT)
            if known is None:
                return
            key = await owned.keys.verify(known.reveal())
            if key is not None:
                bounds = _BOUNDS[Writes(owned.settings["mcp.writes"])]
                if owned.settings["mcp.stdio"] and _bounds_of(key) == bounds:
                    return
                await owned.keys.revoke(key.key_id)
            await owned.vault.delete(KEY_IN_VAULT)
