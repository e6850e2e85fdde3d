"""The key of each run: made when it starts, bound to strategy, mode, account and quota, worthless
when it ends. Its text is nowhere but in the environment of the process."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from openalgo_desktop.core.api_rows import ApiKey
from openalgo_desktop.core.enums import KeyRights, Mode
from openalgo_desktop.core.secret import Secret

#: Names of these keys begin so; nobody else makes such.
PREFIX = "hosted:"
_RIGHTS = {Mode.SANDBOX: KeyRights.SANDBOX, Mode.LIVE: KeyRights.TRADE}


def key_of(run_id: str) -> str:
    """The name of a run's key."""
    return PREFIX + run_id


class Keys(Protocol):
    """The part of the key store that is needed here."""

    async def create(
        self,
        name: str,
        rights: KeyRights,
        account_id: str = "",
        *,
        strategy: str = "",
        mode: Mode | None = None,
        per_minute: int = 0,
    ) -> tuple[ApiKey, Secret]: ...
    async def revoke(self, key_id: int) -> None: ...
    async def all(self) -> Sequence[ApiKey]: ...


class RunKeys:
    """Keys by run."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    async def make(
        self, run_id: str, name: str, mode: Mode, account_id: str, per_minute: int
    ) -> Secret:
        """The key of a run of the program ``name``."""
        _, secret = await self._keys.create(
            key_of(run_id),
            _RIGHTS[mode],
            account_id,
            strategy=name,
            mode=mode,
            per_minute=per_minute,
        )
        return secret

    async def revoke(self, run_id: str) -> None:
        """Nothing where it has none."""
        for key in await self._keys.all():
            if key.name == key_of(run_id):
                await self._keys.revoke(key.key_id)

    async def sweep(self, living: Collection[str]) -> None:
        """Revoke the keys of all runs but the ``living``; an engine that died leaves some."""
        kept = set(map(key_of, living))
        for key in await self._keys.all():
            if key.name.startswith(PREFIX) and key.name not in kept:
                await self._keys.revoke(key.key_id)
