"""Made strategies on disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from openalgo_desktop.core.enums import Action, Mode, Product
from openalgo_desktop.core.strategies.model import Definition, SignalLeg
from openalgo_desktop.core.strategies.rows import Run, RunEvent, RunOrder
from openalgo_desktop.core.strategies.words import (
    EventKind,
    OrderKind,
    OrderState,
    RunStatus,
    Severity,
    StopReason,
    StrategyKind,
)
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.strategies import StrategyRepository

NOW = datetime(2026, 11, 30, 4, 0, tzinfo=UTC)
FLIP = Definition(
    name="Flip",
    kind=StrategyKind.SIGNAL,
    legs=(SignalLeg(leg_id=1, symbol="SBIN", exchange="NSE", quantity=10),),
    overall_sl=Decimal("2500.5"),
)


@pytest.fixture
async def store() -> AsyncIterator[StrategyRepository]:
    db = Database("sqlite://")
    await db.start()
    yield StrategyRepository(db)
    await db.stop()


def run_of(strategy_id: int, mode: Mode = Mode.SANDBOX) -> Run:
    return Run(
        run_id=0, strategy_id=strategy_id, mode=mode, account_id="sandbox:x", broker="sandbox",
        started_at=NOW,
    )  # fmt: skip


async def test_three_starts_at_once_begin_one_run(store: StrategyRepository):
    made = await store.add(FLIP, NOW)
    assert (made.definition, made.status, made.has_webhook) == (FLIP, RunStatus.STOPPED, False)
    claims = await asyncio.gather(*(store.claim(run_of(made.strategy_id)) for _ in range(3)))
    (run_id,) = [claim for claim in claims if claim is not None]
    now = await store.strategy(made.strategy_id)
    assert now is not None and (now.status, now.current_run_id) == (RunStatus.RUNNING, run_id)
    assert [run.run_id for run in await store.runs(made.strategy_id, 10)] == [run_id]


async def test_what_runs_is_not_changed_and_is_free_after_its_end(store: StrategyRepository):
    made = await store.add(FLIP, NOW)
    number = made.strategy_id
    run_id = await store.claim(run_of(number))
    assert run_id is not None
    other = msgspec.structs.replace(FLIP, name="Other")
    assert not await store.define(number, other, NOW)
    assert not await store.live(number, "a", NOW)
    assert not await store.remove(number, NOW)
    run = msgspec.structs.replace(
        run_of(number), run_id=run_id, stopped_at=NOW, stop_reason=StopReason.EOD,
        pnl_realized=Decimal("12.5"),
    )  # fmt: skip
    await store.keep(run, b'{"peak": 1}')
    assert await store.open_runs() == [(run, b'{"peak": 1}')]
    await store.finish(run, b"{}", RunStatus.STOPPED)
    assert await store.open_runs() == [] and await store.run(run_id) == run
    after = await store.strategy(number)
    assert after is not None and after.current_run_id is None
    assert after.last_finalized_run == run_id
    assert await store.define(number, other, NOW) and await store.remove(number, NOW)
    assert await store.strategies() == [] and await store.strategy(number) is None
    assert await store.runs(number, 5) == [run]  # the record stays
    assert await store.runs_since(number, NOW) == [run]
    assert await store.runs_since(number, NOW + timedelta(days=1)) == []


async def test_live_is_claimed_only_where_it_is_enabled(store: StrategyRepository):
    made = await store.add(FLIP, NOW)
    assert await store.claim(run_of(made.strategy_id, Mode.LIVE)) is None
    assert await store.live(made.strategy_id, "another", NOW)
    assert await store.claim(run_of(made.strategy_id, Mode.LIVE)) is None
    assert await store.live(made.strategy_id, "sandbox:x", NOW)
    assert await store.claim(run_of(made.strategy_id, Mode.LIVE)) is not None


async def test_a_strategy_is_found_by_the_digest_of_its_token(store: StrategyRepository):
    made = await store.add(FLIP, NOW)
    await store.token(made.strategy_id, "ab" * 32, NOW)
    found = await store.of_token("ab" * 32)
    assert found is not None and found.strategy_id == made.strategy_id and found.has_webhook
    assert await store.of_token("cd" * 32) is None
    assert await store.remove(made.strategy_id, NOW)
    assert await store.of_token("ab" * 32) is None


async def test_orders_and_events_come_back_as_they_were(store: StrategyRepository):
    order = RunOrder(
        row_id=0, run_id=7, leg_id=1, kind=OrderKind.ENTRY, position_ref="p1", broker_order_id="",
        symbol="SBIN", exchange="NSE", action=Action.BUY, quantity=10, product=Product.MIS,
        status=OrderState.PENDING, placed_at=NOW,
    )  # fmt: skip
    row_id = await store.add_order(order, 3)
    done = msgspec.structs.replace(
        order, row_id=row_id, broker_order_id="42", status=OrderState.COMPLETE, filled=10
    )
    await store.put_order(done)
    await store.add_order(msgspec.structs.replace(order, run_id=8), 3)
    assert await store.orders(3, 7) == [done]
    assert [row.run_id for row in await store.orders(3, None)] == [7, 8]
    event = RunEvent(
        event_id=0, strategy_id=3, run_id=7, at=NOW, kind=EventKind.LEG_SL_HIT,
        severity=Severity.WARN, leg_id=1, message="hit", payload={"price": Decimal("1.5")},
    )  # fmt: skip
    first = await store.tell(event)
    await store.tell(msgspec.structs.replace(event, kind=EventKind.RUN_STOPPED, run_id=8))
    assert [row.run_id for row in await store.events(3, None, None, None, 10)] == [8, 7]
    (back,) = await store.events(3, 7, EventKind.LEG_SL_HIT, Severity.WARN, 10)
    assert (back.event_id, back.payload) == (first.event_id, {"price": "1.5"})
    assert await store.events(3, 7, None, Severity.CRITICAL, 10) == []
