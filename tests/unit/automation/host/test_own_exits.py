"""A stop closes what the strategy itself holds, and nothing else, in the sandbox of a terminal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from openalgo_desktop.automation.host.life.own_exits import OwnExits
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Action, Mode, PriceType, Product
from openalgo_desktop.core.errors import RejectedByBroker, RiskBlocked
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.core.strategies.hosted import Quotas
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.runtime.terminal import Terminal
from tests.begun import begin

SANDBOX = Mode.SANDBOX
TUESDAY = datetime(2026, 11, 24, 11, 0, tzinfo=IST)


async def started(folder: Path, at: datetime) -> Terminal:
    overrides = {"api.enabled": False}
    options = TerminalOptions(data_dir=folder, overrides=overrides, sim_frozen=True, clock_start=at)
    running = Terminal(options)
    await running.start()
    return running


@pytest.fixture
async def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Terminal]:
    monkeypatch.setenv("OPENALGO_VAULT", "file")
    begin(tmp_path)
    running = await started(tmp_path, TUESDAY)
    yield running
    await running.stop()


async def place(terminal: Terminal, strategy: str, units: int, **fields: Any) -> None:
    action = Action.BUY if units > 0 else Action.SELL
    symbol = fields.pop("symbol", "SBIN")
    fields = {"product": Product.MIS} | fields
    request = OrderRequest(symbol, "NSE", action, abs(units), strategy=strategy, **fields)
    await terminal.desk.bound(SANDBOX).place(request, f"api:{strategy}")


def held(terminal: Terminal) -> dict[str, int]:
    rows = terminal.desk.books.book(SANDBOX).positions.values()
    return {row.symbol: row.quantity for row in rows if row.quantity}


def working(terminal: Terminal) -> list[str]:
    orders = terminal.desk.books.book(SANDBOX).orders.values()
    return [row.strategy for row in orders if row.status.is_working]


async def test_its_own_is_closed_and_nothing_else(terminal: Terminal) -> None:
    await place(terminal, "cross", 10)
    await place(terminal, "cross", -4, symbol="INFY")
    await place(terminal, "by hand", 3)
    for name in ("cross", "by hand"):
        await place(terminal, name, 1, price_type=PriceType.LIMIT, price=300.0)
    terminal.settings.set("approvals.sources", "*")  # an exit waits for no human
    account = terminal.desk.gateway_of(SANDBOX).account_id
    assert await OwnExits(terminal.desk).close("cross", SANDBOX, account) == ()
    assert held(terminal) == {"SBIN": 3}
    assert working(terminal) == ["by hand"]
    closing = [
        row for row in terminal.desk.books.book(SANDBOX).orders.values() if row.strategy == "cross"
    ]
    assert len(closing) == 5  # three of its own, two exits


async def test_shares_of_yesterday_are_sold_out_of_the_holdings(
    terminal: Terminal, tmp_path: Path
) -> None:
    await place(terminal, "cross", 10, product=Product.CNC)
    await place(terminal, "by hand", 7, product=Product.CNC)
    await terminal.stop()
    next_day = await started(tmp_path, TUESDAY + timedelta(days=1))
    try:
        account = next_day.desk.gateway_of(SANDBOX).account_id
        assert held(next_day) == {}  # they are delivered
        await place(next_day, "by hand", -3, product=Product.CNC)  # sets nothing off
        exits = OwnExits(next_day.desk)
        assert await exits.close("cross", SANDBOX, account) == ()
        assert held(next_day) == {"SBIN": -13}  # until it has settled
        assert await exits.close("cross", SANDBOX, account) == ()
        closed = await next_day.desk.bound(SANDBOX).closing.close_all("window")
        assert closed.closed == closed.failed == 0  # nobody buys them back
        assert held(next_day) == {"SBIN": -13}
    finally:
        await next_day.stop()


async def test_what_others_set_off_is_not_told_as_closed(terminal: Terminal) -> None:
    await place(terminal, "long", 10)
    await place(terminal, "short", -6)
    account = terminal.desk.gateway_of(SANDBOX).account_id
    told = await OwnExits(terminal.desk).close("short", SANDBOX, account)
    assert len(told) == 1 and told[0].startswith("-6 SBIN (MIS) of its book are set off")
    assert held(terminal) == {"SBIN": 4}
    assert await OwnExits(terminal.desk).close("long", SANDBOX, account) == ()
    assert held(terminal) == {}


async def test_quotas_hold_orders_on_their_way_and_let_out(
    terminal: Terminal, tmp_path: Path
) -> None:
    script = tmp_path / "cross.py"
    script.write_text("pass\n")
    await terminal.host.add(script)
    await terminal.host.change("cross", quotas=Quotas(orders_per_day=1))
    await place(terminal, "cross", 10)
    with pytest.raises(
        RiskBlocked, match="cross may only close today: it has sent its quota of 1 orders"
    ):
        await place(terminal, "cross", 1)
    await place(terminal, "by hand", 1)
    await place(terminal, "cross", -4)
    assert held(terminal) == {"SBIN": 7}
    await terminal.host.change("cross", quotas=Quotas(open_positions=1))
    with pytest.raises(RiskBlocked, match="it would be open position 2, the limit is 1"):
        await place(terminal, "cross", 1, symbol="INFY")


async def test_nothing_is_sent_in_another_account(terminal: Terminal) -> None:
    await place(terminal, "cross", 10)
    (told,) = await OwnExits(terminal.desk).close("cross", SANDBOX, "sandbox:other")
    assert "nothing was sent" in told
    assert held(terminal) == {"SBIN": 10}


async def test_what_was_refused_is_told(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    await place(terminal, "cross", 10)

    async def refuse(*_: Any) -> None:
        raise RejectedByBroker("No more orders today.")

    monkeypatch.setattr(terminal.sandbox, "place", refuse)
    (told,) = await OwnExits(terminal.desk, settle=0.3).close("cross", SANDBOX, "")
    assert told == "+10 SBIN (MIS) may still be open: No more orders today."
