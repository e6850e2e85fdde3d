"""The action centre: what waits, what is sent, what is refused; fails closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from openalgo_desktop.core.api_rows import Approval
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import Action, ApprovalStatus
from openalgo_desktop.core.errors import NoHistory, OrderError, RiskBlocked, StorageError
from openalgo_desktop.core.events import ApprovalChanged, Bus
from openalgo_desktop.core.model import Key, OrderRequest
from openalgo_desktop.core.ticks import Part, Tick
from openalgo_desktop.storage.approvals import ApprovalRepository
from openalgo_desktop.storage.database import Database
from openalgo_desktop.trading.approvals import Approvals

BODY = {"apikey": "secret-key", "symbol": "SBIN", "exchange": "NSE", "quantity": 10}
ORDER = OrderRequest("SBIN", "NSE", Action.BUY, 10)


class Prices:
    def __init__(self) -> None:
        self.ltp: dict[Key, float] = {("NSE", "SBIN"): 800.0}

    def latest(self, key: Key) -> Tick | None:
        return None

    def fresh(self, key: Key, need: int = Part.LTP, max_age: float | None = None) -> Tick | None:
        return self.latest(key)

    def watch(self, key: Key, mode: Any, listener: Any) -> Any:
        raise NotImplementedError

    async def snapshot(self, key: Key, need: int = Part.QUOTE) -> Tick:
        if key not in self.ltp:
            raise NoHistory("no price")
        return Tick(key[1], key[0], self.ltp[key])


class Rig:
    def __init__(self, db: Database) -> None:
        self.clock = ManualClock(datetime(2026, 11, 24, 10, 0, tzinfo=IST))
        self.bus = Bus()
        self.prices = Prices()
        self.store = ApprovalRepository(db)
        self.events: list[Approval] = []
        self.bus.subscribe(ApprovalChanged, lambda event: self.events.append(event.approval))
        self.ran: list[tuple[dict[str, Any], str]] = []
        self.centre = self.make()

    def make(self) -> Approvals:
        centre = Approvals(
            self.clock,
            self.bus,
            self.store,
            self.prices,
            sources=lambda: "api:*, webhook:tv",
            expiry=lambda: 60.0,
            drift=lambda: 1.0,
        )

        async def run(payload: dict[str, Any], source: str) -> dict[str, Any]:
            await centre.check(ORDER, source)
            self.ran.append((payload, source))
            return {"orderid": "7"}

        centre.run_with("placeorder", run)
        return centre

    async def status(self) -> Approval:
        return (await self.centre.recent())[0]


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    database = Database(f"sqlite:///{tmp_path / 'test.db'}")
    await database.start()
    made = Rig(database)
    await made.centre.start()
    yield made
    await made.centre.stop()
    await database.stop()


async def test_chosen_sources_wait_and_cannot_pass_by_another_door(rig: Rig):
    assert rig.centre.needed("api:main") and rig.centre.needed("webhook:tv")
    assert not rig.centre.needed("window") and not rig.centre.needed("webhook:other")
    await rig.centre.check(ORDER, "window")
    with pytest.raises(RiskBlocked, match="need approval"):
        await rig.centre.check(ORDER, "api:main")


async def test_approved_request_runs_once_and_keeps_its_answer(rig: Rig):
    number = await rig.centre.queue("placeorder", BODY, "api:main")
    assert [row.approval_id for row in rig.centre.pending()] == [number] and rig.ran == []
    answers = await asyncio.gather(
        rig.centre.approve(number, "window"),
        rig.centre.approve(number, "window"),
        return_exceptions=True,
    )
    assert answers[0] == {"orderid": "7"} and isinstance(answers[1], OrderError)
    body = {name: value for name, value in BODY.items() if name != "apikey"}
    assert rig.ran == [(body, "api:main")]
    row = await rig.status()
    assert (row.status, row.decided_by, row.result) == (
        ApprovalStatus.APPROVED,
        "window",
        '{"orderid":"7"}',
    )
    assert [event.status for event in rig.events] == [
        ApprovalStatus.PENDING,
        ApprovalStatus.APPROVED,
        ApprovalStatus.APPROVED,
    ]
    assert rig.centre.needed("api:main"), "the permit ended with the request"


async def test_rejected_request_is_never_sent(rig: Rig):
    number = await rig.centre.queue("placeorder", BODY, "api:main")
    await rig.centre.reject(number, "too big", "window")
    with pytest.raises(OrderError, match="decided before"):
        await rig.centre.approve(number, "window")
    assert rig.ran == [] and rig.centre.pending() == []
    row = await rig.status()
    assert (row.status, row.reason) == (ApprovalStatus.REJECTED, "too big")


async def test_request_expires_by_itself_and_at_the_click(rig: Rig):
    first = await rig.centre.queue("placeorder", BODY, "api:main")
    rig.clock.advance(61)
    with pytest.raises(RiskBlocked, match="expired"):
        await rig.centre.approve(first, "window")
    await rig.centre.queue("placeorder", BODY, "api:main")
    rig.clock.advance(61)
    await rig.centre.expire()
    assert rig.ran == [] and rig.centre.pending() == []
    assert {row.status for row in await rig.centre.recent()} == {ApprovalStatus.EXPIRED}


@pytest.mark.parametrize("price", [808.5, 791.0, None])
async def test_drift_or_no_price_stops_until_it_is_accepted(rig: Rig, price: float | None):
    number = await rig.centre.queue("placeorder", BODY, "api:main")
    if price is None:
        rig.prices.ltp.clear()
    else:
        rig.prices.ltp[("NSE", "SBIN")] = price
    with pytest.raises(RiskBlocked, match="NSE:SBIN"):
        await rig.centre.approve(number, "window")
    assert rig.ran == [] and len(rig.centre.pending()) == 1
    await rig.centre.approve(number, "window", accept_drift=True)
    assert len(rig.ran) == 1


async def test_queue_survives_a_restart(rig: Rig):
    number = await rig.centre.queue("placeorder", BODY, "api:main")
    await rig.centre.stop()
    rig.centre = rig.make()
    await rig.centre.start()
    assert await rig.centre.approve(number, "window") == {"orderid": "7"}


async def test_nothing_is_sent_when_the_decision_cannot_be_stored(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
):
    number = await rig.centre.queue("placeorder", BODY, "api:main")

    async def full(row: Approval) -> None:
        raise StorageError("disk full")

    monkeypatch.setattr(rig.store, "update", full)
    with pytest.raises(StorageError):
        await rig.centre.approve(number, "window")
    assert rig.ran == [] and [row.approval_id for row in rig.centre.pending()] == [number]


async def test_a_kind_that_nobody_runs_stays_pending(rig: Rig):
    number = await rig.centre.queue("rocketorder", BODY, "api:main")
    with pytest.raises(OrderError, match="rocketorder"):
        await rig.centre.approve(number, "window")
    assert len(rig.centre.pending()) == 1


async def test_bundles_watch_every_instrument(rig: Rig):
    rig.prices.ltp[("NSE", "INFY")] = 1500.0
    body = {"orders": [{"symbol": s, "exchange": "NSE"} for s in ("SBIN", "INFY")]}
    await rig.centre.queue("basketorder", body, "api:main")
    assert rig.centre.pending()[0].prices == {"NSE:SBIN": 800.0, "NSE:INFY": 1500.0}


async def test_a_jump_of_the_wall_clock_neither_expires_nor_keeps_a_request(rig: Rig):
    first = await rig.centre.queue("placeorder", BODY, "api:main")
    rig.clock.leap(3600)
    await rig.centre.expire()
    assert [row.approval_id for row in rig.centre.pending()] == [first]
    rig.clock.leap(-7200)
    rig.clock.advance(61)
    await rig.centre.expire()
    assert rig.centre.pending() == []
