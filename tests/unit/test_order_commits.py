"""What an order costs the disk: one durable commit in the sandbox, and nothing answered before."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler

from openalgo_desktop.core.enums import Action, JournalState, Mode, PriceType, Product
from openalgo_desktop.core.errors import OrderStateUnknown, StorageError
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.core.ports import JournalEntry
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.runtime.terminal import Terminal
from openalgo_desktop.storage import journal
from openalgo_desktop.storage.paper import PaperRepository
from openalgo_desktop.storage.tables import paper_rows

ORDER = OrderRequest("SBIN", "NSE", Action.BUY, 1, PriceType.MARKET, Product.MIS)


@pytest.fixture
async def terminal(tmp_path: Path) -> AsyncIterator[Terminal]:
    overrides = {"api.enabled": False, "simulator.always_open": True}
    options = TerminalOptions(data_dir=tmp_path, overrides=overrides, sim_frozen=True)
    terminal = Terminal(options)
    await terminal.start()
    assert terminal.desk.mode is Mode.SANDBOX
    yield terminal
    await terminal.stop()


async def stored_orders(terminal: Terminal) -> int:
    def work(connection: Connection) -> int:
        query = select(paper_rows.c.key).where(paper_rows.c.name == "orders")
        return len(connection.execute(query).all())

    return await terminal.db.read(work)


async def test_an_order_of_the_sandbox_is_one_commit_that_has_intent_and_order(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    for patience in ("_SHARED", "_ANSWER"):  # however slow the machine is, nothing goes by itself
        monkeypatch.setattr(journal, patience, 60.0)
    await terminal.db.flush()
    before = terminal.db.commits
    for number in range(1, 4):
        placed = await terminal.desk.place(ORDER, "test")
        assert placed.order_id
        assert await stored_orders(terminal) == number
        assert len(await terminal.journal.recent(10)) == number
        # The answer of the order before is in the commit of this one.
        assert terminal.db.commits - before == number
    await terminal.db.flush()
    states = {entry.state for entry in await terminal.journal.recent(10)}
    assert states == {JournalState.ACKNOWLEDGED}


async def test_a_database_that_could_not_store_is_asked_before_anything_is_entered(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(entry: JournalEntry, *, shared: bool = False) -> None:
        asked.append(shared)
        raise StorageError("disk full")

    asked: list[bool] = []
    monkeypatch.setattr(terminal.journal, "intent", full)
    monkeypatch.setattr(terminal.db, "well", False)
    with pytest.raises(StorageError, match="disk full"):
        await terminal.desk.place(ORDER, "test")
    assert await terminal.desk.read.orders() == []
    terminal.db.well = True
    with pytest.raises(OrderStateUnknown):  # it may be there, and is not said to be accepted
        await terminal.desk.place(ORDER, "test")
    assert asked == [False, True]


async def test_the_first_order_finds_its_statements_compiled(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    await terminal.journal.rehearse()
    await PaperRepository(terminal.db).rehearse()
    assert await terminal.journal.recent(10) == []
    assert await terminal.db.read(lambda c: c.execute(select(paper_rows.c.account_id)).all()) != []
    rows = await PaperRepository(terminal.db).load("rehearsal")
    assert rows == {}
    compiled: list[str] = []
    compiler = SQLiteCompiler.__init__

    def counted(self: SQLiteCompiler, *args: Any, **named: Any) -> None:
        compiler(self, *args, **named)
        compiled.append(str(self))

    monkeypatch.setattr(SQLiteCompiler, "__init__", counted)
    await terminal.desk.place(ORDER, "test")
    await terminal.db.flush()
    assert compiled == []
