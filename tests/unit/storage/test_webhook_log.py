"""The log of webhooks on disk: bounded for each strategy, with the outcome of queued orders."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import msgspec
import pytest
from sqlalchemy import insert, text

from openalgo_desktop.core.api_rows import Alert
from openalgo_desktop.core.errors import StorageError
from openalgo_desktop.core.strategies.webhook import HookResult
from openalgo_desktop.core.webhook_log import KEPT, WebhookEvent, made_key
from openalgo_desktop.storage.alerts import AlertRepository
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.tables import to_micros, webhook_events
from openalgo_desktop.storage.webhook_log import WebhookLogRepository

NOW = datetime(2026, 11, 25, 4, 30, tzinfo=UTC)
EVENT = WebhookEvent(
    received_at=NOW,
    strategy=made_key(1),
    name="Straddle",
    action="start",
    mode="sandbox",
    client="127.0.0.1",
    said='{"action":"start"}',
    result=HookResult.TAKEN,
)


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    database = Database("sqlite://")
    await database.start()
    yield database
    await database.stop()


async def test_a_row_is_taken_and_ended(database: Database) -> None:
    log = WebhookLogRepository(database)
    number = await log.add(EVENT)
    (row,) = await log.taken()
    assert row == msgspec.structs.replace(EVENT, event_id=number)
    await log.finish(number, HookResult.OK, 200, "Strategy start accepted", 7)
    assert await log.taken() == []
    (row,) = await log.recent(made_key(1), 5)
    assert (row.result, row.status, row.run_id, row.message) == (
        HookResult.OK,
        200,
        7,
        "Strategy start accepted",
    )


async def test_a_thousand_rows_of_each_are_kept(database: Database) -> None:
    log = WebhookLogRepository(database)
    first = await log.add(EVENT)
    row = {
        "received_at": to_micros(NOW), "strategy": "", "name": "", "action": "", "mode": "",
        "client": "", "said": "", "result": "rejected_token", "status": 404, "message": "",
    }  # fmt: skip
    await database.write(lambda link: link.execute(insert(webhook_events), [row] * (KEPT + 50)))
    stranger = msgspec.structs.replace(EVENT, strategy="", result=HookResult.TOKEN)
    last = await log.add(stranger)
    rows = await log.recent("", 5000)
    assert len(rows) == KEPT
    assert (rows[0].event_id, rows[-1].event_id) == (last, last - KEPT + 1)
    assert [row.event_id for row in await log.recent(made_key(1), 5)] == [first]
    assert [row.event_id for row in await log.latest(1)] == [last]


async def test_the_outcome_of_its_orders_stands_beside_an_alert(database: Database) -> None:
    log, queue = WebhookLogRepository(database), AlertRepository(database)
    order = Alert(0, "placeorder", {}, "webhook:alerts", "b1", NOW)
    queued = msgspec.structs.replace(EVENT, result=HookResult.QUEUED)
    numbers = await queue.add([order, order], queued)
    (row,) = await log.latest(1)
    assert (row.first_order, row.last_order, row.outcome) == (*numbers, "waiting; waiting")
    await queue.finish(numbers[0], "order 5")
    assert (await log.latest(1))[0].outcome == "order 5; waiting"


async def test_orders_of_an_alert_and_its_row_are_stored_together(database: Database) -> None:
    """Whoever dies between them leaves an order that no alert asked for."""
    queue = AlertRepository(database)
    order = Alert(0, "placeorder", {}, "webhook:alerts", "b1", NOW)
    await database.write(lambda link: link.execute(text("DROP TABLE webhook_events")).rowcount)
    with pytest.raises(StorageError):
        await queue.add([order], EVENT)
    assert await queue.unfinished() == []
