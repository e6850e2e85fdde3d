"""The app lock: password, one-time code, waiting after wrong answers, idle time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime

import pytest
from argon2 import PasswordHasher

from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.errors import BadCredentials, ConfigError
from openalgo_desktop.core.events import Bus, LockChanged
from openalgo_desktop.core.secret import Secret
from openalgo_desktop.core.totp import totp
from openalgo_desktop.storage import applock
from openalgo_desktop.storage.applock import AppLock
from tests.unit.storage.test_keys import MemorySecrets

GOOD, WRONG = Secret("correct horse"), Secret("wrong horse")


class Rig:
    def __init__(self) -> None:
        self.clock = ManualClock(datetime(2026, 11, 24, 10, 0, tzinfo=IST))
        self.vault = MemorySecrets()
        self.bus = Bus()
        self.told: list[bool] = []
        self.bus.subscribe(LockChanged, lambda event: self.told.append(event.locked))
        self.idle = 0.0
        self.lock = self.make()

    def make(self) -> AppLock:
        lock = AppLock(self.vault, self.clock, self.bus, lambda: self.idle)
        lock._hasher = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)  # quick
        return lock

    async def enable_code(self) -> str:
        secret, address = self.lock.new_code_secret()
        assert secret.reveal() in address.reveal()
        code = totp(secret.reveal(), self.clock.time())
        await self.lock.enable_code(secret, code, GOOD)
        return secret.reveal()


@pytest.fixture
async def rig(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    monkeypatch.setattr(applock, "_LOOK", 0.005)
    made = Rig()
    await made.lock.start()
    yield made
    await made.lock.stop()


async def test_off_until_a_password_is_set(rig: Rig):
    rig.lock.lock()
    assert not rig.lock.enabled and not rig.lock.locked and rig.told == []
    await rig.lock.require(Secret(""))


async def test_a_password_locks_every_start_and_guards_every_question(rig: Rig):
    await rig.lock.set_password(GOOD)
    again = rig.make()
    await again.start()
    assert again.locked
    with pytest.raises(BadCredentials, match="Wrong password"):
        await again.unlock(WRONG)
    assert again.locked
    await again.unlock(GOOD)
    assert not again.locked and rig.told == [False]
    with pytest.raises(BadCredentials):  # before live mode, although it is unlocked
        await again.require(WRONG)
    await again.stop()
    stored = rig.vault.values["lock.password"].reveal()
    assert stored.startswith("$argon2id$") and GOOD.reveal() not in stored


async def test_wrong_answers_wait_longer_each_time_even_for_the_right_one(rig: Rig):
    await rig.lock.set_password(GOOD)
    for _ in range(applock.FREE_TRIES + 1):
        with pytest.raises(BadCredentials, match="Wrong"):
            await rig.lock.require(WRONG)
    with pytest.raises(BadCredentials, match="try again in 1 s"):
        await rig.lock.require(GOOD)
    rig.clock.advance(1)
    with pytest.raises(BadCredentials, match="Wrong"):
        await rig.lock.require(WRONG)
    with pytest.raises(BadCredentials, match="try again in 2 s"):
        await rig.lock.require(GOOD)
    rig.clock.advance(2)
    await rig.lock.require(GOOD)


async def test_one_time_code_is_needed_works_once_and_may_be_half_a_minute_off(rig: Rig):
    await rig.lock.set_password(GOOD)
    secret = await rig.enable_code()
    assert rig.lock.wants_code
    code = totp(secret, rig.clock.time())
    await rig.lock.require(GOOD, code)
    for bad in (code, "", "000000"):
        with pytest.raises(BadCredentials, match="one-time code"):
            await rig.lock.require(GOOD, bad)
    rig.clock.advance(60)
    with pytest.raises(BadCredentials):
        await rig.lock.require(WRONG, totp(secret, rig.clock.time()))
    rig.clock.advance(300)
    await rig.lock.require(GOOD, totp(secret, rig.clock.time() - 30))


async def test_code_must_be_proved_before_it_is_asked(rig: Rig):
    with pytest.raises(ConfigError, match="password"):
        await rig.enable_code()
    await rig.lock.set_password(GOOD)
    with pytest.raises(BadCredentials, match="clock"):
        await rig.lock.enable_code(Secret("JBSWY3DPEHPK3PXP"), "12", GOOD)
    assert not rig.lock.wants_code


async def test_locks_after_idle_time_and_not_before(rig: Rig):
    await rig.lock.set_password(GOOD)
    rig.idle = 15.0
    rig.clock.advance(14 * 60)
    rig.lock.touch()
    rig.clock.advance(14 * 60)
    await asyncio.sleep(0.03)
    assert not rig.lock.locked
    rig.clock.advance(60)
    async with asyncio.timeout(60):
        while not rig.lock.locked:
            await asyncio.sleep(0.005)
    assert rig.told == [True]


async def test_changing_and_removing_need_the_password(rig: Rig):
    with pytest.raises(ConfigError, match="8 characters"):
        await rig.lock.set_password(Secret("short"))
    await rig.lock.set_password(GOOD)
    with pytest.raises(BadCredentials):
        await rig.lock.set_password(Secret("another horse"))
    with pytest.raises(BadCredentials):
        await rig.lock.remove(WRONG)
    await rig.lock.set_password(Secret("another horse"), GOOD)
    rig.lock.lock()
    await rig.lock.remove(Secret("another horse"))
    assert not rig.lock.enabled and not rig.lock.locked and rig.vault.values == {}
