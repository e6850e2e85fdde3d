"""The secret store: one encrypted file, whose key comes from the safest place that answers.

The file (Fernet: AES-128-CBC with HMAC-SHA256) holds all secrets, whatever their size. Its key is

* ``keyring``: random, kept by the operating system's keyring (Secret Service, Keychain,
  Credential Manager);
* ``passphrase``: Argon2id of the user's passphrase (``OPENALGO_VAULT_PASSPHRASE``);
* ``file``: Argon2id of a key file, given or made at random in the config folder (mode 0600).

The kind is chosen when the vault is made and written in its head, so that a keyring which is
locked today never makes a second, empty vault. ``OPENALGO_VAULT`` (``keyring`` or ``file``)
forces the choice.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import logging
import os
import secrets
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from openalgo_desktop.core.errors import BadCredentials, ConfigError, StorageError
from openalgo_desktop.core.secret import Secret

log = logging.getLogger(__name__)
T = TypeVar("T")

SERVICE = "openalgo-desktop"
PASSPHRASE_VARIABLE = "OPENALGO_VAULT_PASSPHRASE"
CHOICE_VARIABLE = "OPENALGO_VAULT"
#: A keyring may ask the user to unlock it; longer than this and it does not answer. Seconds.
KEYRING_TIMEOUT = 20.0
#: What D-Bus says of a service that ended before it answered, and the waits before it is asked
#: again; seconds.
_REPLACED = "disconnected from message bus"
_REPLACED_WAITS = (0.2, 1.0)
#: Argon2id: passes, memory in KiB, lanes (OWASP's second choice: 19 MiB, two passes).
ARGON2 = (2, 19_456, 1)

Kind = Literal["keyring", "passphrase", "file"]


class _Head(msgspec.Struct):
    """The vault file: what is needed to find the key, and the sealed content."""

    key: Kind
    salt: str
    data: str
    version: int = 1


class Vault:
    """Secrets by name (:class:`SecretStore`). File and keyring are asked in threads."""

    def __init__(
        self,
        config: Path,
        *,
        key_file: Path | None = None,
        keyring_timeout: float = KEYRING_TIMEOUT,
    ) -> None:
        self._path = config / "vault.json"
        self._given_key_file = key_file
        self._key_file = key_file or config / "vault.key"
        self._timeout = keyring_timeout
        # One entry per vault: two data folders must not share, or overwrite, a key.
        self._entry = "vault-" + hashlib.sha256(str(config.absolute()).encode()).hexdigest()[:16]
        self._kind: Kind | None = None
        self.locked = ""  # why there are no secrets in this run
        self._keyring_title = ""
        self._salt = b""
        self._fernet: Any = None
        self._values: dict[str, str] = {}
        self._stamp = (0, 0)  # of the file whose content is in memory
        self._lock = asyncio.Lock()
        self._watchers: list[Callable[[str], None]] = []

    # -- life -------------------------------------------------------------------------------
    async def open(self) -> None:
        """Read the vault, or decide how the first secret will be protected. Raises
        :class:`BadCredentials` for a wrong passphrase or key file, :class:`StorageError` when
        the key's place does not answer."""
        head = await asyncio.to_thread(self._read)
        if head is None:
            self._kind = await self._choose()
            return
        self._kind, self._salt = head.key, bytes.fromhex(head.salt)
        key = await self._find_key(head.key)
        self._fernet = _fernet(key)
        self._values = self._unseal(head)
        for value in self._values.values():
            self._tell(value)
        if head.key == "file" and self._passphrase():
            await self._protect_by_passphrase()

    async def open_or_lock(self) -> str:
        """Open; when the keyring has lost the key, or does not give it, the vault is *locked*: it
        is empty, keeps what is new for this run only, and its file stays as it is. Returns why,
        or an empty text. Other failures are raised as by :meth:`open`."""
        try:
            await self.open()
        except (StorageError, BadCredentials) as error:
            if self._kind != "keyring":
                raise
            self.locked = error.message
        return self.locked

    def watch(self, watcher: Callable[[str], None]) -> None:
        """Call ``watcher`` with the text of every secret known now and later: for redaction."""
        self._watchers.append(watcher)
        for value in self._values.values():
            watcher(value)

    # -- secrets ----------------------------------------------------------------------------
    async def get(self, name: str) -> Secret | None:
        """The secret of that name; what another process stored meanwhile is seen too."""
        if not self.locked and self._file_stamp() != self._stamp:
            async with self._lock:
                await self._renew()
        value = self._values.get(name)
        return None if value is None else Secret(value)

    async def set(self, name: str, value: Secret) -> None:
        """Keep a secret; returns when it is on disk."""
        self._tell(value.reveal())
        await self._change(lambda values: values.__setitem__(name, value.reveal()))

    async def delete(self, name: str) -> None:
        """Forget a secret; nothing when there is none."""
        await self._change(lambda values: values.pop(name, None))

    def protection(self) -> str:
        """What protects the secrets, and from whom not; for ``doctor``."""
        if self.locked:
            return f"locked, in memory for this run. {self.locked}"
        if self._kind == "keyring":
            return (
                f"encrypted file {self._path}, its key in the OS keyring ({self._keyring_title}). "
                "While that is unlocked, programs of this user can ask it too."
            )
        if self._kind == "passphrase":
            return (
                f"encrypted file {self._path}, its key derived from your passphrase. Programs of "
                f"this user can read the passphrase where {PASSPHRASE_VARIABLE} is set."
            )
        return (
            f"encrypted file {self._path}, its key in {self._key_file} (mode 0600). This keeps "
            "secrets out of backups of the data folder, not from programs of this user: unlock "
            f"an OS keyring or set {PASSPHRASE_VARIABLE} for that."
        )

    # -- the key ----------------------------------------------------------------------------
    @staticmethod
    def _passphrase() -> str:
        return os.environ.get(PASSPHRASE_VARIABLE, "")

    async def _choose(self) -> Kind:
        choice = os.environ.get(CHOICE_VARIABLE, "")
        if choice not in ("", "keyring", "file"):
            raise ConfigError(f"{CHOICE_VARIABLE} must be 'keyring' or 'file', not {choice!r}.")
        if self._passphrase():
            return "passphrase"
        if choice == "file" or (self._given_key_file is not None and not choice):
            return "file"
        if choice != "keyring" and not _keyring_possible():
            return "file"
        try:
            await self._keyring(lambda keyring: keyring.get_password(SERVICE, self._entry))
        except StorageError as error:
            if choice == "keyring":
                raise
            log.info("no OS keyring (%s); secrets go to an encrypted file", error.detail)
            return "file"
        return "keyring"

    async def _find_key(self, kind: Kind) -> bytes:
        """The key of an existing vault."""
        if kind == "keyring":
            stored = await self._keyring(lambda keyring: keyring.get_password(SERVICE, self._entry))
            if not stored:
                raise StorageError(
                    f"The OS keyring has no key for the vault {self._path}. If the keyring was "
                    "reset, move that file away: new keys are made, brokers need a new login."
                )
            return base64.urlsafe_b64decode(stored)
        if kind == "passphrase":
            if not self._passphrase():
                raise BadCredentials(
                    f"The secret vault needs its passphrase: set {PASSPHRASE_VARIABLE}.",
                    field="passphrase",
                )
            return await asyncio.to_thread(_derive, self._passphrase().encode(), self._salt)
        try:
            content = await asyncio.to_thread(self._key_file.read_bytes)
        except OSError as error:
            raise StorageError(
                f"The key file {self._key_file} of the secret vault cannot be read "
                f"({error.strerror}). Give it with --vault-key-file."
            ) from None
        return await asyncio.to_thread(_derive, content, self._salt)

    async def _make_key(self, kind: Kind) -> bytes:
        """The key of a new vault."""
        self._salt = secrets.token_bytes(16)
        if kind == "keyring":
            key = secrets.token_bytes(32)
            text = base64.urlsafe_b64encode(key).decode()
            await self._keyring(lambda keyring: keyring.set_password(SERVICE, self._entry, text))
            return key
        if kind == "file":
            await asyncio.to_thread(self._ensure_key_file)
        return await self._find_key(kind)

    def _ensure_key_file(self) -> None:
        if not self._key_file.exists():
            self._key_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write_private(self._key_file, secrets.token_hex(32).encode())

    async def _keyring(self, call: Callable[[Any], T]) -> T:
        """Ask the keyring in a thread; any failure and silence is a :class:`StorageError`. A
        service that was replaced in the middle (at the log-in of a desktop two of them start) is
        asked again; what is asked does no more the second time."""

        def work() -> T:
            import keyring
            from keyring.backends import fail

            backend = keyring.get_keyring()
            if isinstance(backend, fail.Keyring):
                raise RuntimeError("no backend is installed")
            self._keyring_title = str(backend.name)
            return call(backend)

        for again in (*_REPLACED_WAITS, None):
            try:
                return await asyncio.wait_for(_in_own_thread(work), self._timeout)
            except TimeoutError:
                reason = f"no answer within {self._timeout:.0f} s"
                break
            except Exception as error:
                reason = str(error) or type(error).__name__
                if again is None or _REPLACED not in reason:
                    break
            await asyncio.sleep(again)
        raise StorageError(
            f"The OS keyring does not give the key of the secret vault: {reason}. Unlock it and "
            f"start again, or set {CHOICE_VARIABLE}=file for a new vault without it.",
            detail=reason,
        )

    # -- the file ---------------------------------------------------------------------------
    def _file_stamp(self) -> tuple[int, int]:
        try:
            facts = self._path.stat()
        except OSError:
            return (0, 0)
        return (facts.st_mtime_ns, facts.st_size)

    async def _renew(self) -> None:
        """Read the file again: another process wrote it."""
        head = await asyncio.to_thread(self._read)
        if head is None:
            return
        if self._fernet is None or (head.key, head.salt) != (self._kind, self._salt.hex()):
            await self.open()
            return
        self._values = self._unseal(head)
        for value in self._values.values():
            self._tell(value)

    def _read(self) -> _Head | None:
        self._stamp = self._file_stamp()
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Head)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            raise StorageError(f"The secret vault {self._path} cannot be read: {error}.") from None

    def _unseal(self, head: _Head) -> dict[str, str]:
        from cryptography.fernet import InvalidToken

        try:
            plain = self._fernet.decrypt(head.data.encode())
        except InvalidToken:
            raise BadCredentials(
                f"The secret vault {self._path} does not open with this {head.key} key.",
                field="passphrase" if head.key == "passphrase" else "",
            ) from None
        return msgspec.json.decode(plain, type=dict[str, str])

    async def _change(self, change: Callable[[dict[str, str]], object]) -> None:
        if self.locked:
            change(self._values)
            return
        async with self._lock:
            await self._ensure_key()
            head = await asyncio.to_thread(self._read)
            if head is not None:  # another process may have added to it
                self._values = self._unseal(head)
            values = dict(self._values)
            change(values)
            await asyncio.to_thread(self._seal, values)
            self._values = values

    async def _ensure_key(self) -> None:
        if self._fernet is not None:
            return
        if self._kind is None:
            raise StorageError("The secret vault is not open.")
        try:
            key = await self._make_key(self._kind)
        except StorageError:
            if self._kind != "keyring" or os.environ.get(CHOICE_VARIABLE):
                raise
            log.warning("the OS keyring takes no secrets; they go to an encrypted file")
            self._kind = "file"
            key = await self._make_key("file")
        self._fernet = _fernet(key)

    async def _protect_by_passphrase(self) -> None:
        """A passphrase was set for a vault that had only a key file: it protects from now on."""
        async with self._lock:
            self._kind = "passphrase"
            self._fernet = _fernet(await self._make_key("passphrase"))
            await asyncio.to_thread(self._seal, self._values)
            if self._given_key_file is None:
                await asyncio.to_thread(self._key_file.unlink, missing_ok=True)
        log.info("the secret vault is now protected by the passphrase")

    def _seal(self, values: dict[str, str]) -> None:
        assert self._kind is not None
        data = self._fernet.encrypt(msgspec.json.encode(values)).decode()
        head = _Head(key=self._kind, salt=self._salt.hex(), data=data)
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_private(self._path, msgspec.json.encode(head))
        self._stamp = self._file_stamp()

    def _tell(self, value: str) -> None:
        for watcher in self._watchers:
            watcher(value)


async def _in_own_thread(work: Callable[[], T]) -> T:
    """Like ``to_thread``, but a call that never returns does not hold up the program's end."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(set_it: Callable[[Any], None], value: Any) -> None:
        def on_loop() -> None:
            if not future.done():
                set_it(value)

        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(on_loop)

    def run() -> None:
        try:
            value = work()
        except Exception as error:
            settle(future.set_exception, error)
        else:
            settle(future.set_result, value)

    threading.Thread(target=run, name="keyring", daemon=True).start()
    return await future


def _fernet(key: bytes) -> Any:
    from cryptography.fernet import Fernet

    return Fernet(base64.urlsafe_b64encode(key))


def _derive(secret: bytes, salt: bytes) -> bytes:
    from argon2.low_level import Type, hash_secret_raw

    passes, memory, lanes = ARGON2
    return hash_secret_raw(secret.strip(), salt, passes, memory, lanes, 32, Type.ID)


def _write_private(path: Path, content: bytes) -> None:
    """Replace a file whole and durably, mode 0600."""
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _keyring_possible() -> bool:
    """Cheap look before the slow import: on Linux a keyring needs a session bus."""
    if not sys.platform.startswith("linux"):
        return True
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    return bool(os.environ.get("DBUS_SESSION_BUS_ADDRESS")) or (
        bool(runtime) and Path(runtime, "bus").exists()
    )
