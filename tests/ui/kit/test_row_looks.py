"""Looks at the rows of a table cost what they are of, or go in turns of the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from openalgo_desktop.core.model import Key
from openalgo_desktop.ui.engine import turns
from openalgo_desktop.ui.engine.turns import STEP
from openalgo_desktop.ui.kit.row_looks import RowLooks
from tests.costs import calls
from tests.waiting import until


class Dock:
    """Rows are names, each of an instrument of its own."""

    title = "Rows"

    def __init__(self, count: int) -> None:
        self.rows = [f"r{number}" for number in range(count)]
        self.stale: set[str] = set()
        self.painted: list[str] = []
        self.looks: RowLooks[Any] = RowLooks(self)  # type: ignore[arg-type]

    def key_of(self, row: str) -> Key | None:
        return ("NSE", row)

    def row_id(self, row: str) -> str:
        return row

    def row_of(self, name: str) -> str | None:
        return name if name in self.rows else None

    def row_stale(self, row: str) -> bool:
        return row in self.stale

    def row_changed(self, row: str) -> None:
        self.painted.append(row)

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        return asyncio.create_task(work, name=name)


def test_a_tick_finds_its_rows_however_many_there_are() -> None:
    work = []
    for count in (10, 1000):
        dock = Dock(count)
        keys = {("NSE", "r2"), ("NSE", "other")}
        assert dock.looks.at(keys) == ["r2"]  # the index is made once
        work.append(calls(lambda looks=dock.looks, keys=keys: looks.at(keys)))
    assert work[0] == work[1]
    dock.rows.remove("r2")
    assert dock.looks.at(keys) == []
    dock.rows.append("new")
    dock.looks.forget()
    assert dock.looks.at({("NSE", "new")}) == ["new"]


async def test_old_prices_are_painted_once_more_when_they_are_fresh_again(
    monkeypatch: Any,
) -> None:
    monkeypatch.setattr(turns, "TURN", 0.0)  # others have the loop after each step
    for count in (STEP, 3 * STEP):
        dock = Dock(count)
        dock.stale = {"r1", f"r{count - 1}"}
        dock.looks.start(dock.looks.ages())
        dock.looks.start(dock.looks.ages())  # while one goes on: nothing
        if count > STEP:
            assert not dock.painted
            await until(lambda dock=dock: not dock.looks._load.under_way)
        else:
            dock.painted = dock.painted[:2]
        assert set(dock.painted) == dock.stale and len(dock.painted) == 2
        dock.stale, dock.painted = {"r1"}, []
        dock.looks.start(dock.looks.ages())
        await until(lambda dock=dock: not dock.looks._load.under_way)
        assert set(dock.painted) == {"r1", f"r{count - 1}"}
