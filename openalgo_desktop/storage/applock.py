"""The app lock: a password (Argon2id), if wanted with a one-time code, in front of the window.

It locks after idle time and guards what can cost money: arming and live mode. Hash and TOTP
secret are in the vault. Wrong answers wait longer each time.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import secrets
from collections.abc import Callable
from urllib.parse import quote

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.errors import BadCredentials, ConfigError
from openalgo_desktop.core.events import Bus, LockChanged
from openalgo_desktop.core.ports import SecretStore
from openalgo_desktop.core.secret import Secret, same_text
from openalgo_desktop.core.totp import PERIOD, totp

log = logging.getLogger(__name__)

PASSWORD, TOTP = "lock.password", "lock.totp"
MIN_LENGTH = 8
#: Wrong answers in a row before each further one waits 1, 2, 4 ... at most 300 seconds.
FREE_TRIES = 3
MAX_WAIT = 300.0
_LOOK = 1.0  # idle time is looked at so often, seconds


class AppLock:
    """Off until a password is set. ``idle`` gives the minutes until it locks, 0 is never."""

    def __init__(
        self, vault: SecretStore, clock: Clock, bus: Bus, idle: Callable[[], float]
    ) -> None:
        self._vault = vault
        self._clock = clock
        self._bus = bus
        self._idle = idle
        self._hasher = PasswordHasher()
        self._hash: Secret | None = None
        self._totp: Secret | None = None
        self._used_step = -1  # a one-time code works once
        self._wrong = 0
        self._wait_until = 0.0
        self._touched = clock.monotonic()
        self._task: asyncio.Task[None] | None = None
        self.locked = False

    # -- life -------------------------------------------------------------------------------
    async def start(self) -> None:
        """Locked from the start when a password is set."""
        self._hash = await self._vault.get(PASSWORD)
        self._totp = await self._vault.get(TOTP)
        self.locked = self.enabled
        self._task = asyncio.create_task(self._watch(), name="app-lock")

    async def stop(self) -> None:
        """Watch no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    @property
    def enabled(self) -> bool:
        """Whether a password is set."""
        return self._hash is not None

    @property
    def wants_code(self) -> bool:
        """Whether a one-time code is asked beside the password."""
        return self._totp is not None

    # -- locking ----------------------------------------------------------------------------
    def touch(self) -> None:
        """The user did something."""
        self._touched = self._clock.monotonic()

    def lock(self) -> None:
        """Lock now; nothing without a password."""
        if self.enabled and not self.locked:
            self.locked = True
            self._bus.publish(LockChanged(locked=True))

    async def unlock(self, password: Secret, code: str = "") -> None:
        """Open; raises :class:`BadCredentials`."""
        await self.require(password, code)
        if self.locked:
            self.locked = False
            self._bus.publish(LockChanged(locked=False))

    async def require(self, password: Secret, code: str = "") -> None:
        """The question before arming or live mode, also while unlocked. Raises
        :class:`BadCredentials`; passes when no password is set."""
        stored = self._hash
        if stored is None:
            return
        wait = self._wait_until - self._clock.monotonic()
        if wait > 0:
            raise BadCredentials(f"Too many wrong answers; try again in {wait:.0f} s.")
        good = await asyncio.to_thread(self._matches, stored, password)
        # Both are always looked at, so that a wrong answer does not say which one was wrong.
        step = self._code_step(code)
        if not good or (self._totp is not None and step is None):
            self._count_wrong()
            raise BadCredentials(
                "Wrong password or one-time code." if self.wants_code else "Wrong password.",
                field="password",
            )
        if step is not None:
            self._used_step = step
        self._wrong = 0
        self.touch()

    def _matches(self, stored: Secret, password: Secret) -> bool:
        try:
            return self._hasher.verify(stored.reveal(), password.reveal())
        except (VerificationError, InvalidHashError):
            return False

    def _code_step(self, code: str) -> int | None:
        """The half minute of a right code: this one or its neighbours, each only once."""
        if self._totp is None:
            return None
        now = self._clock.time()
        for shift in (0, -1, 1):
            step = int(now) // PERIOD + shift
            wanted = totp(self._totp.reveal(), step * PERIOD)
            if step > self._used_step and same_text(wanted, code.strip()):
                return step
        return None

    def _count_wrong(self) -> None:
        self._wrong += 1
        if self._wrong > FREE_TRIES:
            wait = min(MAX_WAIT, 2.0 ** (self._wrong - FREE_TRIES - 1))
            self._wait_until = self._clock.monotonic() + wait
        log.warning("wrong answer at the app lock (%d in a row)", self._wrong)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_LOOK)
            limit = 60.0 * self._idle()
            if limit and self._clock.monotonic() - self._touched >= limit:
                self.lock()

    # -- setting up -------------------------------------------------------------------------
    async def set_password(self, new: Secret, old: Secret | None = None, code: str = "") -> None:
        """Set or change the password; a change needs the old one. Raises
        :class:`BadCredentials`, :class:`ConfigError`."""
        await self.require(old or Secret(""), code)
        if len(new.reveal()) < MIN_LENGTH:
            raise ConfigError(f"password: at least {MIN_LENGTH} characters.")
        self._hash = Secret(await asyncio.to_thread(self._hasher.hash, new.reveal()))
        await self._vault.set(PASSWORD, self._hash)

    async def remove(self, password: Secret, code: str = "") -> None:
        """Switch the lock off."""
        await self.require(password, code)
        for name in (PASSWORD, TOTP):
            await self._vault.delete(name)
        self._hash = self._totp = None
        if self.locked:
            self.locked = False
            self._bus.publish(LockChanged(locked=False))

    def new_code_secret(self) -> tuple[Secret, Secret]:
        """A fresh TOTP secret, and the ``otpauth`` address that an authenticator app reads."""
        text = base64.b32encode(secrets.token_bytes(20)).decode()
        label = quote("OpenAlgo Desktop")
        return Secret(text), Secret(f"otpauth://totp/{label}?secret={text}&issuer={label}")

    async def enable_code(self, secret: Secret, code: str, password: Secret) -> None:
        """Ask for a one-time code from now on; ``code`` proves that the app has the secret."""
        if not self.enabled:
            raise ConfigError("password: set one before the one-time code.")
        await self.require(password)
        wanted = totp(secret.reveal(), self._clock.time())
        if not same_text(wanted, code.strip()):
            raise BadCredentials("The one-time code is wrong. Is the clock right?", field="code")
        self._totp = secret
        await self._vault.set(TOTP, secret)
