"""API keys: Argon2id with a pepper from the vault; a fast keyed look-up in front.

A wrong key costs one HMAC. A right one costs Argon2 once, in a thread; after that a keyed hash in
memory knows it. Only the default key can be shown again (its text is in the vault); the text of
any other key is shown when it is made and never again.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import secrets
from collections.abc import Callable
from typing import Any

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, insert, select, update

from openalgo_desktop.core.api_rows import ApiKey
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import KeyRights, Mode
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.model import SQUARE_OFF_STRATEGY
from openalgo_desktop.core.ports import SecretStore
from openalgo_desktop.core.secret import Secret
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.tables import api_keys, from_micros, to_micros

log = logging.getLogger(__name__)

PEPPER = "api.pepper"
DEFAULT_KEY = "api.default_key"
DEFAULT_NAME = "default"
_TABLE = api_keys


class _Row(msgspec.Struct, frozen=True):
    key: ApiKey
    hash: str


class ApiKeys:
    """The keys of the local API. Rows are held in memory: this process alone changes them."""

    def __init__(self, db: Database, vault: SecretStore, clock: Clock) -> None:
        self._db = db
        self._vault = vault
        self._clock = clock
        # 256 random bits need no expensive hash; this is OWASP's light Argon2id.
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
        self._pepper = b""
        self._rows: dict[str, _Row] = {}  # look-up column -> row
        self._live: set[int] = set()  # numbers of the keys that were verified and not revoked
        self._session = secrets.token_bytes(32)
        self._verified: dict[bytes, tuple[bytes, ApiKey]] = {}
        self._default: Secret | None = None
        self._listeners: list[Callable[[ApiKey], None]] = []
        self._made: list[Callable[[ApiKey], None]] = []
        self._used: list[Callable[[ApiKey], None]] = []
        self._lock = asyncio.Lock()
        self._loaded = False

    # -- the default key --------------------------------------------------------------------
    async def ensure_default(self) -> Secret:
        """The default key, made (with trade rights) when there is none that works."""
        await self._load()
        async with self._lock:
            default = await self._vault.get(DEFAULT_KEY)
            if default is None or self._lookup(default.reveal()) not in self._rows:
                await self._retire_default()
                _, default = await self._create(DEFAULT_NAME, KeyRights.TRADE, "")
                await self._vault.set(DEFAULT_KEY, default)
            self._default = default
            return default

    def know_default(self) -> None:
        """Take the default key for verified: our own vault gave its text, and the whole of that
        finds the row. So the first order of a session does not pay for the slow hash."""
        text = self._default.reveal() if self._default is not None else ""
        if (row := self._rows.get(self._lookup(text))) is not None:
            self._know(text, row.key)

    async def default(self) -> Secret | None:
        """The text of the default key, to show or copy."""
        if self._default is None:
            self._default = await self._vault.get(DEFAULT_KEY)
        return self._default

    async def _retire_default(self) -> None:
        """The text of an earlier default key is lost, so nobody can use it any more."""
        for row in tuple(self._rows.values()):
            if row.key.name == DEFAULT_NAME:
                log.warning("the text of the default API key was lost; a new one is made")
                await self._revoke(row.key)

    # -- checking ---------------------------------------------------------------------------
    def cached(self, text: str) -> ApiKey | None:
        """The key of ``text`` if it was verified before in this run; fast."""
        digest = self._digest(text)
        found = self._verified.get(digest)
        if found is None or not hmac.compare_digest(found[0], digest):
            return None
        return self._use(found[1])

    def _use(self, key: ApiKey) -> ApiKey:
        if key.strategy:
            for listener in self._used:
                listener(key)
        return key

    async def verify(self, text: str) -> ApiKey | None:
        """The key of ``text``, or None for one that is wrong or revoked."""
        if (known := self.cached(text)) is not None:
            return known
        await self._load()
        lookup = self._lookup(text)
        row = self._rows.get(lookup)
        if row is None or not await asyncio.to_thread(self._matches, row.hash, text):
            return None
        if self._rows.get(lookup) is not row:  # revoked in the meantime
            return None
        return self._use(self._know(text, row.key))

    def _know(self, text: str, key: ApiKey) -> ApiKey:
        digest = self._digest(text)
        self._verified[digest] = (digest, key)
        self._live.add(key.key_id)
        return key

    def _matches(self, stored: str, text: str) -> bool:
        try:
            return self._hasher.verify(stored, self._peppered(text))
        except (VerificationError, InvalidHashError):
            return False

    # -- making and revoking ----------------------------------------------------------------
    async def create(
        self,
        name: str,
        rights: KeyRights,
        account_id: str = "",
        *,
        strategy: str = "",
        mode: Mode | None = None,
        per_minute: int = 0,
    ) -> tuple[ApiKey, Secret]:
        """A new key; its text is given only here. With ``strategy`` or ``mode`` it is bound
        (:class:`ApiKey`). Raises :class:`ConfigError` that names the field."""
        _check_words("name", name)
        if not name.strip():
            raise ConfigError("name: an API key needs a name of at most 100 characters.")
        _check_words("strategy", strategy)
        if strategy.strip() == SQUARE_OFF_STRATEGY:
            raise ConfigError(f"strategy: {SQUARE_OFF_STRATEGY} is the name of what we close.")
        if mode is Mode.LIVE and rights is KeyRights.SANDBOX:
            raise ConfigError("mode: a key that may trade in the sandbox only cannot be live.")
        if per_minute < 0:
            raise ConfigError("per_minute: a number of orders from 0 (no limit) on.")
        await self._load()
        async with self._lock:
            return await self._create(
                name.strip(),
                rights,
                account_id,
                strategy=strategy.strip(),
                mode=mode,
                per_minute=per_minute,
            )

    async def _create(
        self,
        name: str,
        rights: KeyRights,
        account_id: str,
        *,
        strategy: str = "",
        mode: Mode | None = None,
        per_minute: int = 0,
    ) -> tuple[ApiKey, Secret]:
        text = secrets.token_hex(32)
        lookup = self._lookup(text)
        stored = await asyncio.to_thread(self._hasher.hash, self._peppered(text))
        now = self._clock.now()
        values = {
            "name": name,
            "rights": rights.value,
            "account_id": account_id,
            "lookup": lookup,
            "hash": stored,
            "created_at": to_micros(now),
            "strategy": strategy,
            "mode": mode.value if mode is not None else "",
            "per_minute": per_minute,
        }

        def work(connection: Connection) -> int:
            made = connection.execute(insert(_TABLE).values(**values)).inserted_primary_key
            assert made is not None
            return int(made[0])

        number = await self._db.write(work)
        key = ApiKey(number, name, rights, account_id, now, strategy, mode, per_minute)
        self._rows[lookup] = _Row(key, stored)
        for listener in tuple(self._made):
            listener(key)
        return key, Secret(text)

    async def revoke(self, key_id: int) -> None:
        """Make a key worthless at once, also where it is connected already."""
        await self._load()
        async with self._lock:
            for row in tuple(self._rows.values()):
                if row.key.key_id == key_id:
                    await self._revoke(row.key)

    async def _revoke(self, key: ApiKey) -> None:
        # Out of memory first: no request may pass while the row is being written.
        self._live.discard(key.key_id)
        self._rows = {k: row for k, row in self._rows.items() if row.key.key_id != key.key_id}
        self._verified = {
            k: known for k, known in self._verified.items() if known[1].key_id != key.key_id
        }
        statement = (
            update(_TABLE)
            .where(_TABLE.c.id == key.key_id)
            .values(revoked_at=to_micros(self._clock.now()))
        )
        try:
            await self._db.write(lambda connection: connection.execute(statement).rowcount)
        finally:  # worthless in this run also where the disk takes nothing: its sockets end
            for listener in tuple(self._listeners):
                listener(key)

    def on_revoked(self, listener: Callable[[ApiKey], None]) -> None:
        """Call ``listener`` with each key that is revoked."""
        self._listeners.append(listener)

    def on_used(self, listener: Callable[[ApiKey], None]) -> None:
        """Call ``listener`` with each key of a strategy that somebody showed: it gave a sign of
        life. It has to be quick."""
        self._used.append(listener)

    def on_created(self, listener: Callable[[ApiKey], None]) -> None:
        """Call ``listener`` with each key that is made."""
        self._made.append(listener)

    async def find(self, key_id: int) -> ApiKey | None:
        """A key that works, by its number."""
        await self._load()
        return next((row.key for row in self._rows.values() if row.key.key_id == key_id), None)

    def works(self, key: ApiKey) -> bool:
        """Whether a key that was verified in this run is not revoked since."""
        return key.key_id in self._live

    async def all(self) -> list[ApiKey]:
        """Keys that work, oldest first."""
        await self._load()
        return sorted((row.key for row in self._rows.values()), key=lambda key: key.key_id)

    # -- inside -----------------------------------------------------------------------------
    async def _load(self) -> None:
        if self._loaded:
            return
        async with self._lock:
            if self._loaded:
                return
            pepper = await self._vault.get(PEPPER)
            if pepper is None:
                pepper = Secret(secrets.token_hex(32))
                await self._vault.set(PEPPER, pepper)
            self._pepper = pepper.reveal().encode()
            query = select(_TABLE).where(_TABLE.c.revoked_at.is_(None))
            rows = await self._db.read(lambda connection: connection.execute(query).all())
            self._rows = {row.lookup: _row(row) for row in rows}
            self._loaded = True

    def _peppered(self, text: str) -> bytes:
        return hmac.digest(self._pepper, b"hash:" + text.encode(), "sha256")

    def _lookup(self, text: str) -> str:
        return hmac.digest(self._pepper, b"find:" + text.encode(), "sha256").hex()

    def _digest(self, text: str) -> bytes:
        return hashlib.blake2b(text.encode(), key=self._session, digest_size=16).digest()


def _row(row: Any) -> _Row:
    key = ApiKey(
        row.id,
        row.name,
        KeyRights(row.rights),
        row.account_id,
        from_micros(row.created_at),
        row.strategy,
        Mode(row.mode) if row.mode else None,
        row.per_minute,
    )
    return _Row(key, row.hash)


def _check_words(field: str, words: str) -> None:
    if len(words) > 100:
        raise ConfigError(f"{field}: at most 100 characters.")
    if not words.isprintable():
        raise ConfigError(f"{field}: use visible characters only, no line breaks or control marks.")
