"""State, paper accounts, journal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text

from openalgo_desktop.core.api_rows import NEVER, Alert, Approval
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import Action, JournalState, Mode, Product
from openalgo_desktop.core.errors import StorageError
from openalgo_desktop.core.ports import JournalEntry, PaperRow
from openalgo_desktop.core.trade_journal import Execution, TradeNote
from openalgo_desktop.storage.alerts import AlertRepository
from openalgo_desktop.storage.approvals import ApprovalRepository
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.journal import Journal
from openalgo_desktop.storage.paper import PaperRepository
from openalgo_desktop.storage.state import KeyValueStore
from openalgo_desktop.storage.trade_journal import ExecutionRepository, TradeNotes


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'test.db'}")
    await database.start()
    yield database
    await database.stop()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 24, 10, 0, 0, 123456, tzinfo=IST))


async def test_state_values_come_back_as_they_were(db: Database):
    state = KeyValueStore(db)
    value = {"a": [1, 2.5, None, True, "₹"], "b": {"c": ""}}
    await state.put("ui", "x", value)
    await state.put("ui", "x", {**value, "n": 1})
    later = state.put_later("settings")
    later("log.level", "DEBUG")
    later("log.level", "INFO")
    await db.flush()
    assert await state.get("ui", "x") == {**value, "n": 1}
    assert await state.all("settings") == {"log.level": "INFO"}
    await state.delete("ui", "x")
    assert await state.get("ui", "x") is None
    assert await state.all("nothing") == {}


async def test_paper_rows_per_account_and_table_in_order_of_first_save(db: Database):
    paper = PaperRepository(db)
    await paper.save("a", {"orders": [PaperRow("2", b'{"n":1}'), PaperRow("1", b'{"n":2}')]})
    await paper.save("b", {"orders": [PaperRow("2", b'{"n":9}')]})
    await paper.save(
        "a", {"orders": [PaperRow("2", b'{"n":3}')], "ledger": [PaperRow("x", b'{"cash":"10.05"}')]}
    )
    assert await paper.load("a") == {
        "orders": [{"n": 3}, {"n": 2}],
        "ledger": [{"cash": "10.05"}],
    }
    await paper.save("a", {"orders": [PaperRow("1", None), PaperRow("7", b'{"n":7}')]})
    assert (await paper.load("a"))["orders"] == [{"n": 3}, {"n": 7}]
    await paper.clear("a", ["orders"])
    assert await paper.load("a") == {"ledger": [{"cash": "10.05"}]}
    assert await paper.load("b") == {"orders": [{"n": 9}]}


def entry(clock: ManualClock, tag: str, **changes: object) -> JournalEntry:
    request = {"symbol": "SBIN", "price": 800.05}
    made = JournalEntry(tag, "place", "sim:1", Mode.LIVE, "api:main", request, clock.now())
    return msgspec.structs.replace(made, **changes)


async def test_journal_entry_comes_back_as_it_was(db: Database, clock: ManualClock):
    journal = Journal(db, clock)
    first = entry(clock, "T1")
    await journal.intent(first)
    assert await journal.find("T1") == first
    assert await journal.find("T2") is None
    with pytest.raises(StorageError, match="UNIQUE"):
        await journal.intent(first)


async def test_journal_open_entries_are_the_unsettled_ones_oldest_first(
    db: Database, clock: ManualClock
):
    journal = Journal(db, clock)
    for tag in ("T3", "T1", "T2"):
        await journal.intent(entry(clock, tag))
        clock.advance(1)
    await journal.settle("T1", JournalState.ACKNOWLEDGED, "77", "ok")
    await journal.settle("T2", JournalState.UNKNOWN, message="timeout")
    rows = await journal.open_entries()
    assert [(row.tag, row.state) for row in rows] == [
        ("T3", JournalState.INTENT),
        ("T2", JournalState.UNKNOWN),
    ]
    assert rows[1].updated_at == clock.now()
    assert [row.tag for row in await journal.recent(2)] == ["T1", "T2"]


@pytest.mark.parametrize(
    ("first", "second", "stays"),
    [
        (JournalState.ACKNOWLEDGED, JournalState.UNKNOWN, JournalState.ACKNOWLEDGED),
        (JournalState.ACKNOWLEDGED, JournalState.REJECTED, JournalState.ACKNOWLEDGED),
        (JournalState.REJECTED, JournalState.UNKNOWN, JournalState.REJECTED),
        (JournalState.REJECTED, JournalState.ACKNOWLEDGED, JournalState.ACKNOWLEDGED),
        (JournalState.UNKNOWN, JournalState.REJECTED, JournalState.REJECTED),
    ],
)
async def test_knowledge_of_an_order_only_grows(
    db: Database,
    clock: ManualClock,
    first: JournalState,
    second: JournalState,
    stays: JournalState,
):
    journal = Journal(db, clock)
    await journal.intent(entry(clock, "T1"))
    await journal.settle("T1", first, "5")
    await journal.settle("T1", second)
    found = await journal.find("T1")
    assert found is not None and (found.state, found.order_id) == (stays, "5")


async def test_journal_of_a_burst_is_one_commit(db: Database, clock: ManualClock):
    journal = Journal(db, clock)
    before = db.commits
    await asyncio.gather(*(journal.intent(entry(clock, f"T{i}")) for i in range(200)))
    assert db.commits - before == 1
    assert len(await journal.open_entries()) == 200


async def test_open_entries_do_not_scan_years_of_settled_ones(db: Database, clock: ManualClock):
    from openalgo_desktop.storage.tables import OPEN_STATES, order_journal

    statement = f"EXPLAIN QUERY PLAN SELECT * FROM {order_journal.name} WHERE {OPEN_STATES.text}"
    plan = await db.read(lambda connection: connection.execute(text(statement)).all())
    assert "ix_order_journal_open" in plan[0][3]


async def test_alerts_are_held_once_and_known_to_be_sent_by_the_journal(
    db: Database, clock: ManualClock
):
    store, journal = AlertRepository(db), Journal(db, clock)
    payload = {"symbol": "SBIN", "exchange": "NSE", "product": "MIS", "action": "BUY"}
    rows = [
        Alert(0, "placeorder", payload, "webhook:a", name, clock.now()) for name in ("b1", "b2")
    ]
    first, second = await store.add(rows)
    await store.begin(first, clock.now())
    await store.begin(second, clock.now())
    began, also = await store.unfinished()
    assert not await store.was_sent(began)
    entry = JournalEntry(
        tag="T1",
        kind="place",
        account_id="sandbox:x",
        mode=Mode.SANDBOX,
        source="webhook:a",
        request={**payload, "action": "SELL", "quantity": 1},
        created_at=clock.now(),
    )
    await journal.intent(entry)
    assert not await store.was_sent(began)  # another side: not this alert
    await journal.intent(msgspec.structs.replace(entry, tag="T2", request=payload))
    assert await store.was_sent(began)
    await store.finish(first, "order 1")
    request = Approval(0, also.kind, also.payload, also.source, also.received_at, NEVER)
    held = await store.hold([(second, request)])
    assert await ApprovalRepository(db).pending() == held
    assert await store.unfinished() == []
    assert [name for name, _ in await store.seen_since(clock.now())] == ["b1", "b2"]
    clock.advance(1)
    await store.forget_before(clock.now())
    assert await store.seen_since(rows[0].received_at) == []


async def test_journal_finds_orders_by_id_or_tag_and_refused_placements(
    db: Database, clock: ManualClock
):
    journal = Journal(db, clock)
    for tag in ("T1", "T2", "T3", "T4"):
        await journal.intent(entry(clock, tag))
        clock.advance(1)
    await journal.settle("T1", JournalState.ACKNOWLEDGED, "77")
    await journal.settle("T2", JournalState.REJECTED, "", "no money")
    account = (await journal.recent(1))[0].account_id
    rows = await journal.of_orders(account, ["77", "99"], ["T3", "T1", "foreign"])
    assert [row.tag for row in rows] == ["T1", "T3"]
    assert await journal.of_orders("another:1", ["77"], ["T1"]) == []
    assert [row.tag for row in await journal.refused(3)] == ["T2"]
    assert await journal.refused(2) == []  # only the newest are looked at


def execution(order: str, quantity: int, day: int = 24) -> Execution:
    return Execution(
        account_id="zerodha:A", mode=Mode.LIVE, symbol="SBIN", exchange="NSE",
        product=Product.MIS, action=Action.SELL, quantity=quantity, price=Decimal("800.05"),
        at=datetime(2026, 11, day, 10, 0, 0, 5, tzinfo=IST), order_id=order, trade_id="t1",
        strategy="gap", charges=Decimal("12.34"), multiplier=Decimal("100"),
    )  # fmt: skip


async def test_executions_come_back_as_they_were_and_are_kept_once(db: Database):
    kept = ExecutionRepository(db)
    kept.add("t1", execution("1", 5))
    kept.add("t1", execution("1", 5))
    kept.add("t1", execution("2", 5))
    kept.add("t1", execution("1", 7, day=25))
    await db.flush()
    assert await kept.all() == [execution("1", 5), execution("2", 5), execution("1", 7, day=25)]
    assert await kept.of_day(date(2026, 11, 25)) == [execution("1", 7, day=25)]
    assert await kept.of_strategy("gap") == await kept.all()
    assert await kept.of_strategy("none") == []
    kept.replace_order([("a", execution("1", 3)), ("b", execution("1", 4))])
    await db.flush()
    assert [row.quantity for row in await kept.all()] == [5, 3, 4, 7]


async def test_notes_of_trades(db: Database, clock: ManualClock):
    notes = TradeNotes(db, clock)
    await notes.put("trip", TradeNote(("gap", "news"), "too early ₹"))
    await notes.put("trip", TradeNote(("gap",), "late"))
    await notes.put("other", TradeNote((), "x"))
    assert await notes.all() == {"trip": TradeNote(("gap",), "late"), "other": TradeNote((), "x")}
    await notes.put("trip", TradeNote())
    assert list(await notes.all()) == ["other"]
