"""Request ids: the first answer again, whatever happened in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest

from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.errors import InvalidOrder, OrderStateUnknown, StorageError
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.state import KeyValueStore
from openalgo_desktop.trading.idempotency import WINDOW, RequestMemory

BODY = {"symbol": "SBIN", "quantity": 1}


class Rig:
    def __init__(self, db: Database) -> None:
        self.clock = ManualClock(datetime(2026, 11, 24, 10, 0, tzinfo=IST))
        self.db = db
        self.store = KeyValueStore(db)
        self.memory = RequestMemory(self.clock, self.store)
        self.runs = 0
        self.hold = asyncio.Event()
        self.hold.set()

    async def run(self) -> dict[str, int]:
        self.runs += 1
        number = self.runs
        await self.hold.wait()
        return {"orderid": number}

    async def restart(self) -> None:
        await self.db.flush()
        self.memory = RequestMemory(self.clock, self.store)
        await self.memory.start()


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    database = Database(f"sqlite:///{tmp_path / 'test.db'}")
    await database.start()
    made = Rig(database)
    await made.memory.start()
    yield made
    await database.stop()


async def test_same_id_gets_the_first_answer_for_a_minute(rig: Rig):
    first = await rig.memory.once("api:main", "id-1", BODY, rig.run)
    rig.clock.advance(WINDOW - 1)
    assert await rig.memory.once("api:main", "id-1", BODY, rig.run) == first == {"orderid": 1}
    rig.clock.advance(2)
    assert await rig.memory.once("api:main", "id-1", BODY, rig.run) == {"orderid": 2}


async def test_ids_belong_to_their_source(rig: Rig):
    await rig.memory.once("api:main", "id-1", BODY, rig.run)
    await rig.memory.once("api:other", "id-1", BODY, rig.run)
    await rig.memory.once("api:main", "id-2", BODY, rig.run)
    assert rig.runs == 3


async def test_a_second_caller_waits_for_the_first(rig: Rig):
    rig.hold.clear()
    calls = [
        asyncio.create_task(rig.memory.once("api:main", "id-1", BODY, rig.run)) for _ in range(5)
    ]
    async with asyncio.timeout(60):
        while not rig.runs:
            await asyncio.sleep(0.001)
    rig.hold.set()
    assert await asyncio.gather(*calls) == [{"orderid": 1}] * 5
    assert rig.runs == 1


async def test_an_id_with_another_body_is_refused(rig: Rig):
    await rig.memory.once("api:main", "id-1", BODY, rig.run)
    with pytest.raises(InvalidOrder, match="another request"):
        await rig.memory.once("api:main", "id-1", {**BODY, "quantity": 2}, rig.run)
    assert rig.runs == 1


async def test_answers_survive_a_restart(rig: Rig):
    first = await rig.memory.once("api:main", "id-1", BODY, rig.run)
    await rig.restart()
    assert await rig.memory.once("api:main", "id-1", BODY, rig.run) == first
    assert rig.runs == 1


async def test_an_id_whose_run_was_killed_is_unknown_not_sent_again(rig: Rig):
    rig.hold.clear()
    call = asyncio.create_task(rig.memory.once("api:main", "id-1", BODY, rig.run))
    async with asyncio.timeout(60):
        while not rig.runs:
            await asyncio.sleep(0.001)
    await rig.restart()  # the first run never wrote its answer
    with pytest.raises(OrderStateUnknown, match="order book"):
        await rig.memory.once("api:main", "id-1", BODY, rig.run)
    assert rig.runs == 1
    rig.clock.advance(WINDOW + 1)
    await rig.restart()
    assert await rig.store.all("requests") == {}
    rig.hold.set()
    await call


async def test_nothing_runs_when_the_id_cannot_be_stored(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    async def full(*_: object) -> None:
        raise StorageError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(rig.store, "put", full)
        with pytest.raises(StorageError):
            await rig.memory.once("api:main", "id-1", BODY, rig.run)
    assert rig.runs == 0
    assert await rig.memory.once("api:main", "id-1", BODY, rig.run) == {"orderid": 1}


@pytest.mark.parametrize("bad", ["x" * 129, "a\nb"])
async def test_bad_ids_name_the_field(rig: Rig, bad: str):
    with pytest.raises(InvalidOrder) as caught:
        await rig.memory.once("api:main", bad, BODY, rig.run)
    assert caught.value.field == "request_id"


async def test_a_jump_of_the_wall_clock_makes_no_second_order(rig: Rig):
    first = await rig.memory.once("api:main", "id-1", BODY, rig.run)
    rig.clock.leap(WINDOW + 1)
    assert await rig.memory.once("api:main", "id-1", BODY, rig.run) == first
    rig.clock.leap(-3600)
    assert await rig.memory.once("api:main", "id-1", BODY, rig.run) == first
    await rig.restart()  # an id of "tomorrow": the clock was put back while we were off
    assert await rig.memory.once("api:main", "id-1", BODY, rig.run) == first
    rig.clock.advance(WINDOW + 1)
    assert await rig.memory.once("api:main", "id-1", BODY, rig.run) == {"orderid": 2}
