"""API keys: default key, verification, revocation, what is at rest."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest

from openalgo_desktop.core.api_rows import ApiKey
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import KeyRights, Mode
from openalgo_desktop.core.errors import ConfigError, StorageError
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.keys import ApiKeys
from tests.memory import MemorySecrets


class Rig:
    def __init__(self, db: Database) -> None:
        self.db = db
        self.vault = MemorySecrets()
        self.clock = ManualClock(datetime(2026, 11, 24, 10, 0, tzinfo=IST))

    def keys(self) -> ApiKeys:
        return ApiKeys(self.db, self.vault, self.clock)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    database = Database(f"sqlite:///{tmp_path / 'test.db'}")
    await database.start()
    yield Rig(database)
    await database.stop()


async def test_the_default_key_stays_over_restarts_and_can_be_shown(rig: Rig):
    keys = rig.keys()
    made = await keys.ensure_default()
    again = rig.keys()
    assert await again.ensure_default() == made == await again.default()
    known = await again.verify(made.reveal())
    assert known is not None
    assert (known.name, known.rights, known.account_id) == ("default", KeyRights.TRADE, "")
    assert known.created_at == rig.clock.now()
    assert await again.all() == [known]


async def test_cached_knows_a_key_only_after_it_was_verified(rig: Rig):
    keys = rig.keys()
    text = (await keys.ensure_default()).reveal()
    assert keys.cached(text) is None
    known = await keys.verify(text)
    assert keys.cached(text) == known is not None
    assert keys.cached(text[:-1]) is None


async def test_the_first_call_with_the_default_key_needs_no_slow_hash(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
):
    text = (await rig.keys().ensure_default()).reveal()
    keys = rig.keys()  # after a restart
    await keys.ensure_default()
    keys.know_default()
    calls: list[str] = []
    monkeypatch.setattr(keys, "_matches", lambda stored, text: calls.append(text) or False)
    known = await keys.verify(text)
    assert known is not None and known.name == "default" and calls == []
    assert await keys.revoke(known.key_id) is None
    assert await keys.verify(text) is None


async def test_a_wrong_key_never_reaches_argon2(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    keys = rig.keys()
    await keys.ensure_default()
    calls: list[str] = []
    monkeypatch.setattr(keys, "_matches", lambda stored, text: calls.append(text) or True)
    for wrong in ("", "x", "0" * 64, "ключ", "a" * 100_000):
        assert await keys.verify(wrong) is None
    assert calls == []


@pytest.mark.parametrize("name", ["", "x" * 101, "two\nlines", "right\u202eleft"])
async def test_a_name_that_would_mislead_is_refused(rig: Rig, name: str):
    with pytest.raises(ConfigError, match=r"^name:"):
        await rig.keys().create(name, KeyRights.READ)


async def test_revoked_keys_stop_working_at_once_and_after_restart(rig: Rig):
    keys = rig.keys()
    gone: list[ApiKey] = []
    keys.on_revoked(gone.append)
    made: list[ApiKey] = []
    keys.on_created(made.append)
    key, text = await keys.create("robot", KeyRights.SANDBOX, "sim:1")
    assert await keys.verify(text.reveal()) == key
    assert made == [key] and gone == []
    await keys.revoke(key.key_id)
    assert gone == [key]
    assert keys.cached(text.reveal()) is None
    assert await keys.verify(text.reveal()) is None
    assert await rig.keys().verify(text.reveal()) is None
    assert await keys.all() == []


async def test_sockets_of_a_revoked_key_are_told_also_where_the_disk_takes_nothing(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
):
    keys = rig.keys()
    key, text = await keys.create("robot", KeyRights.TRADE)
    gone: list[ApiKey] = []
    keys.on_revoked(gone.append)

    async def full(work: object) -> None:
        raise StorageError("The disk is full.")

    monkeypatch.setattr(rig.db, "write", full)
    with pytest.raises(StorageError):
        await keys.revoke(key.key_id)
    assert gone == [key] and await keys.verify(text.reveal()) is None


async def test_a_key_revoked_while_it_is_being_verified_is_not_accepted(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
):
    keys = rig.keys()
    key, text = await keys.create("robot", KeyRights.TRADE)
    monkeypatch.setattr(keys, "_matches", lambda stored, given: keys._rows.clear() or True)
    assert await keys.verify(text.reveal()) is None
    assert keys.cached(text.reveal()) is None
    assert key.name == "robot"


async def test_a_lost_vault_makes_a_new_default_key_and_retires_the_old_one(rig: Rig):
    old = await rig.keys().ensure_default()
    rig.vault.values.clear()
    keys = rig.keys()
    new = await keys.ensure_default()
    assert new != old
    assert await keys.verify(old.reveal()) is None
    assert [key.name for key in await keys.all()] == ["default"]


async def test_no_key_is_in_the_database(rig: Rig, tmp_path: Path):
    keys = rig.keys()
    texts = [(await keys.ensure_default()).reveal()]
    texts.append((await keys.create("robot", KeyRights.READ))[1].reveal())
    await rig.db.flush()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("test.db*"))
    assert b"argon2id" in stored
    assert not any(text.encode() in stored for text in texts)
    assert rig.vault.values["api.pepper"].reveal().encode() not in stored


@pytest.mark.parametrize("name", ["", "  ", "x" * 101])
async def test_a_key_needs_a_name(rig: Rig, name: str):
    with pytest.raises(ConfigError, match="name"):
        await rig.keys().create(name, KeyRights.READ)


async def test_a_bound_key_keeps_its_strategy_mode_and_limit_over_restarts(rig: Rig):
    keys = rig.keys()
    key, text = await keys.create(
        "ema", KeyRights.TRADE, "sim:1", strategy=" EMA 9/21 ", mode=Mode.LIVE, per_minute=30
    )
    assert (key.strategy, key.mode, key.per_minute, key.bound) == ("EMA 9/21", Mode.LIVE, 30, True)
    again = rig.keys()
    assert await again.verify(text.reveal()) == key == await again.find(key.key_id)
    free, _ = await again.create("free", KeyRights.TRADE)
    assert (free.strategy, free.mode, free.per_minute, free.bound) == ("", None, 0, False)
    assert (await rig.keys().all())[1] == free


async def test_a_verified_key_works_until_it_is_revoked(rig: Rig):
    keys = rig.keys()
    key, text = await keys.create("ema", KeyRights.TRADE, mode=Mode.SANDBOX)
    await keys.verify(text.reveal())
    assert keys.works(key)
    await keys.revoke(key.key_id)
    assert not keys.works(key)
    assert await keys.find(key.key_id) is None


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("strategy", {"strategy": "two\nlines"}),
        ("strategy", {"strategy": "x" * 101}),
        ("strategy", {"strategy": "AUTO_SQUARE_OFF"}),
        ("mode", {"mode": Mode.LIVE, "rights": KeyRights.SANDBOX}),
        ("per_minute", {"per_minute": -1}),
    ],
)
async def test_a_binding_that_cannot_be_is_refused_with_its_field(
    rig: Rig, field: str, values: dict[str, object]
):
    given = {"rights": KeyRights.TRADE, **values}
    with pytest.raises(ConfigError, match=rf"^{field}:"):
        await rig.keys().create("robot", **given)  # type: ignore[arg-type]
    assert await rig.keys().all() == []


async def test_who_looks_after_a_strategy_hears_of_its_calls(rig: Rig):
    keys, heard = rig.keys(), []
    keys.on_used(heard.append)
    key, text = await keys.create("bound", KeyRights.SANDBOX, strategy="cross")
    _, free = await keys.create("free", KeyRights.TRADE)
    await keys.verify(text.reveal())
    await keys.verify(free.reveal())
    assert heard == [key]
    keys.cached(text.reveal())
    keys.cached(free.reveal())
    assert heard == [key, key]
