"""What quotas and promotion read in the strategy book of a terminal that has traded."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from openalgo_desktop.automation.host.life.book import BookResults
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Action, Mode, Product
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.core.strategies.hosted import TradeRecord
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.runtime.terminal import Terminal
from tests.begun import begin
from tests.waiting import until

SANDBOX = Mode.SANDBOX
TUESDAY = datetime(2026, 11, 24, 11, 0, tzinfo=IST)


@pytest.fixture
async def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Terminal]:
    monkeypatch.setenv("OPENALGO_VAULT", "file")
    begin(tmp_path)
    overrides = {"api.enabled": False}
    running = Terminal(
        TerminalOptions(
            data_dir=tmp_path, overrides=overrides, sim_frozen=True, clock_start=TUESDAY
        )
    )
    await running.start()
    yield running
    await running.stop()


async def test_a_round_trip(terminal: Terminal) -> None:
    results = BookResults(terminal.strategy_book)
    await until(lambda: terminal.strategy_book.ready)
    assert results.today("cross", SANDBOX) is None
    assert await results.record("cross", SANDBOX) == TradeRecord()
    for action in (Action.BUY, Action.SELL):
        request = OrderRequest("SBIN", "NSE", action, 5, product=Product.MIS, strategy="cross")
        await terminal.desk.bound(SANDBOX).place(request, "api:cross")
    await until(lambda: results.today("cross", SANDBOX) is not None)
    await until(lambda: terminal.strategy_book.summary("cross", SANDBOX).fills == 2)  # type: ignore[union-attr]
    today = results.today("cross", SANDBOX)
    record = await results.record("cross", SANDBOX)
    assert today is not None and record.net_pnl is not None and record.charges is not None
    # A still market: what was bought and sold again cost the spread and the charges.
    assert record.charges > 0 and record.net_pnl <= -record.charges
    assert Decimal(str(today.day_net)) == record.net_pnl
    assert (record.days, record.orders, record.trades) == (1, 2, 2)
    assert record.first_day == record.last_day == "2026-11-24"
    assert results.orders("cross", SANDBOX) == 2
    # The host reads the same.
    assert (await terminal.host._facts.records("cross", SANDBOX)) == record
