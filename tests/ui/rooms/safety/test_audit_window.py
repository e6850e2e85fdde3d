"""The audit trail in the window."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from openalgo_desktop.ui.rooms.safety.audit_dialog import AuditDialog
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import Drive, click, priced
from tests.waiting import until


def shown(dialog: AuditDialog, column: int) -> list[str]:
    items = [dialog.table.item(row, column) for row in range(dialog.table.rowCount())]
    return [item.text() for item in items if item is not None]


def test_an_order_and_a_setting_are_found_and_exported(drive: Drive, tmp_path: Path) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        window = session.window
        click(window.ticket.send)
        await until(lambda: session.bridge.books.orders, "the order")
        session.bridge.set_setting("risk.max_lots", 900)
        await session.terminal.db.flush()
        window.actions_by_name["audit"].trigger()
        await until(lambda: window.findChildren(AuditDialog), "the dialog")
        dialog = window.findChildren(AuditDialog)[0]
        await until(lambda: {"Order", "Setting"} <= set(shown(dialog, 3)), "the entries")
        dialog.text.setText("SBIN")
        await until(lambda: set(shown(dialog, 3)) == {"Order"}, "the found entry")
        assert shown(dialog, 1) == ["Window"]
        # An answer that comes after that of a later search shows nothing.
        asked, answered, audit = asyncio.Event(), asyncio.Event(), session.bridge.audit
        search = audit.search

        async def late(*question: Any, **more: Any) -> Any:
            rows = await search(*question, **more)
            asked.set()
            await answered.wait()
            return rows

        audit.search = late  # type: ignore[method-assign]
        dialog.text.setText("max_lots")
        older = asyncio.create_task(dialog.load())
        await asyncio.wait_for(asked.wait(), 30)
        audit.search = search  # type: ignore[method-assign]
        dialog.text.setText("SBIN")
        await dialog.load()
        answered.set()
        await older
        assert set(shown(dialog, 3)) == {"Order"}
        await dialog.export(tmp_path / "trail.csv")
        assert "1 entries written" in dialog.message.text()
        assert "SBIN" in (tmp_path / "trail.csv").read_text()
        dialog.text.setText("nothing like this")
        await until(lambda: dialog.table.rowCount() == 0, "the empty table")
        dialog.accept()

    drive(scenario)
