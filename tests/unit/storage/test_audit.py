"""The audit trail: what is recorded, searching, export, speed with years in it."""

from __future__ import annotations

import csv
import stat
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, insert, text

from openalgo_desktop.core.api_rows import ApiKey
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import AccountState, JournalState, KeyRights, Mode
from openalgo_desktop.core.errors import StorageError
from openalgo_desktop.core.events import (
    AccountChanged,
    Bus,
    KillSwitchChanged,
    ModeChanged,
    OrderRefused,
    SettingChanged,
)
from openalgo_desktop.core.model import AccountStatus
from openalgo_desktop.core.ports import JournalEntry
from openalgo_desktop.core.redact import Redactor
from openalgo_desktop.core.reports import AuditEntry
from openalgo_desktop.storage.audit import AuditTrail
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.journal import Journal
from openalgo_desktop.storage.tables import audit_trail, order_journal, to_micros
from openalgo_desktop.trading.audit import AuditRecorder

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=IST)


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'test.db'}")
    await database.start()
    yield database
    await database.stop()


async def test_orders_and_events_are_one_list_newest_first(db: Database):
    clock, bus = ManualClock(NOW), Bus()
    trail = AuditTrail(db)
    recorder = AuditRecorder(clock, bus, trail)
    journal = Journal(db, clock)
    bus.publish(ModeChanged(mode=Mode.LIVE, by="window"))
    clock.advance(1)
    request = {"symbol": "SBIN", "quantity": 10}
    await journal.intent(
        JournalEntry("T1", "place", "zerodha:AB1", Mode.LIVE, "api:robot", request, clock.now())
    )
    await journal.settle("T1", JournalState.REJECTED, "77", "RMS: margin")
    clock.advance(1)
    bus.publish(KillSwitchChanged(tripped=True, by="window"))
    bus.publish(SettingChanged(key="risk.max_lots", value=3))
    bus.publish(SettingChanged(key="ui.theme", value="light"))
    status = AccountStatus("zerodha:AB1", "zerodha", "AB1", "Zerodha", AccountState.LOGIN_NEEDED)
    bus.publish(AccountChanged(status=status))
    recorder.key_revoked(ApiKey(3, "robot", KeyRights.TRADE, "", NOW))
    recorder.close()
    bus.publish(ModeChanged(mode=Mode.SANDBOX, by="late"))
    await db.flush()
    rows = await trail.search()
    assert {(row.who, row.what, row.subject) for row in rows[:4]} == {
        ("window", "kill switch on", ""),
        ("window", "setting", "risk.max_lots"),
        ("program", "account", "login needed"),
        ("window", "key revoked", "robot"),
    }
    order = rows[4]
    assert (order.who, order.what, order.subject, order.answer, order.mode) == (
        "api:robot",
        "order place",
        "77",
        "rejected RMS: margin",
        "live",
    )
    assert order.at == NOW + timedelta(seconds=1) and "SBIN" in order.detail
    assert (rows[5].what, rows[5].subject, len(rows)) == ("mode", "live", 6)


async def test_an_order_refused_before_the_journal_is_in_the_trail(db: Database):
    bus, trail = Bus(), AuditTrail(db)
    recorder = AuditRecorder(ManualClock(NOW), bus, trail)
    bus.publish(
        OrderRefused(
            source="webhook:w1",
            kind="place",
            request={"symbol": "SBIN", "quantity": 99},
            reason="Risk limit: quantity 99 is above the limit of 10.",
            account_id="sandbox:sim",
            mode=Mode.SANDBOX,
        )
    )
    recorder.close()
    await db.flush()
    (row,) = await trail.search("sbin")
    assert (row.at, row.who, row.what, row.mode) == (NOW, "webhook:w1", "order place", "sandbox")
    assert row.answer == "refused Risk limit: quantity 99 is above the limit of 10."
    assert row.account_id == "sandbox:sim" and '"quantity":99' in row.detail


async def test_search_by_text_who_and_time(db: Database):
    trail = AuditTrail(db)
    for hour, (who, what) in enumerate([("window", "mode"), ("api:a", "x%y"), ("api:b", "xzy")]):
        trail.record(AuditEntry(NOW + timedelta(hours=hour), who, what))
    await db.flush()

    async def found(*args: str, **options: object) -> list[str]:
        return [row.who for row in await trail.search(*args, **options)]  # type: ignore[arg-type]

    assert await found("API") == ["api:b", "api:a"]
    assert await found("x%y") == ["api:a"]  # a text, not a pattern
    assert await found(who="window") == ["window"]
    assert await found(start=NOW + timedelta(hours=1), end=NOW + timedelta(hours=2)) == ["api:a"]
    assert await found(limit=1) == ["api:b"]


async def test_export_is_a_private_csv_without_formulas(db: Database, tmp_path: Path):
    trail = AuditTrail(db)
    trail.record(AuditEntry(NOW, "api:a", "=HYPERLINK(1)", "s", 'quote " and , and ₹'))
    trail.record(AuditEntry(NOW + timedelta(hours=1), "window", "mode"))
    await db.flush()
    path = tmp_path / "trail.csv"
    assert await trail.export_csv(path, "") == 2
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["at"] for row in rows] == ["2026-11-24 10:00:00", "2026-11-24 11:00:00"]
    assert rows[0]["what"] == "'=HYPERLINK(1)" and rows[0]["detail"] == 'quote " and , and ₹'
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(StorageError, match="cannot be written"):
        await trail.export_csv(tmp_path / "no" / "trail.csv")


async def test_secrets_are_taken_out_before_they_are_stored(db: Database):
    redactor = Redactor()
    redactor.add("hunter2-hunter2")
    trail = AuditTrail(db, redactor.clean)
    trail.record(AuditEntry(NOW, "w", "x", "s", "token=abc123", "said hunter2-hunter2"))
    await db.flush()
    (row,) = await trail.search()
    assert "abc123" not in row.detail and "hunter2" not in row.answer


class Steps:
    """Steps of SQLite's machine, in hundreds: the same on every computer."""

    def __init__(self, db: Database) -> None:
        self._count = 0
        event.listen(db._engine, "begin", self._watch)

    def _watch(self, connection: Connection) -> None:
        connection.connection.driver_connection.set_progress_handler(self._heard, 100)

    def _heard(self) -> int:
        self._count += 1
        return 0

    def taken(self) -> int:
        """Since the last look."""
        count, self._count = self._count, 0
        return count


async def test_years_of_rows_do_not_slow_an_order_or_a_page(db: Database):
    """60,000 rows: a page of the last week comes from the index, a write stays quick."""
    first = to_micros(NOW) - 60_000 * 60_000_000
    trail_row = dict.fromkeys(("subject", "detail", "answer", "account_id", "mode"), "")
    book_row = dict.fromkeys(("account_id", "order_id", "message"), "")

    def fill(connection):
        connection.execute(
            insert(audit_trail),
            [
                {"at": first + i * 60_000_000, "who": "w", "what": "x", **trail_row}
                for i in range(30_000)
            ],
        )
        connection.execute(
            insert(order_journal),
            [
                {
                    "tag": f"T{i}", "kind": "place", "mode": "live", "source": "api:a",
                    "request": "{}", "created_at": first + i * 60_000_000,
                    "state": "acknowledged", **book_row,
                }
                for i in range(30_000)
            ],
        )  # fmt: skip

    await db.write(fill)
    trail, steps = AuditTrail(db), Steps(db)
    await trail.search("nowhere")  # all of it
    whole = steps.taken()
    end = NOW - timedelta(days=25)
    rows = await trail.search("api", start=end - timedelta(days=7), end=end, limit=100)
    page = steps.taken()
    assert len(rows) == 100 and page < whole / 4  # a sixth
    plan = await db.read(
        lambda connection: connection.execute(
            text("EXPLAIN QUERY PLAN SELECT * FROM audit_trail WHERE at >= 1 AND at < 2")
        ).all()
    )
    assert "ix_audit_trail_at" in plan[0][3]
    journal = Journal(db, ManualClock(NOW))
    await journal.intent(JournalEntry("N", "place", "a", Mode.LIVE, "w", {}, NOW))
    assert steps.taken() < 20
    assert [row.tag for row in await journal.open_entries()] == ["N"]
