"""The whole engine without a window: prices of the simulator, bars built of them, a drawing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from openalgo_desktop.core.alert_acts import SendOrder
from openalgo_desktop.core.alerts import AlertState, AlertWhen, AlertWish, OfDrawing, OfStudy
from openalgo_desktop.core.charting.drawings.model import Anchor, Drawing, Style
from openalgo_desktop.core.enums import Action, Mode
from openalgo_desktop.core.model import Key, Order, OrderRequest
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.runtime.terminal import Terminal
from tests.waiting import until

SBIN: Key = ("NSE", "SBIN")
EMA = OfStudy("ema", "average", {"length": 9})


async def begun(folder: Path) -> Terminal:
    options = TerminalOptions(
        data_dir=folder, overrides={"api.enabled": False}, sim_frozen=True, sim_control=True
    )
    made = Terminal(options)
    await made.start()
    return made


@pytest.fixture
async def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Terminal]:
    monkeypatch.setenv("OPENALGO_VAULT", "file")
    made = await begun(tmp_path)
    yield made
    await made.stop()


async def price(terminal: Terminal, value: float) -> None:
    await terminal.control({"prices": {"NSE:SBIN": value}})


async def test_an_order_goes_through_the_corridor_of_its_mode_and_waits_where_it_must(
    terminal: Terminal,
):
    alerts, last = terminal.alerts, round((await terminal.hub.snapshot(SBIN)).ltp)
    account = terminal.sandbox.account_id
    request = OrderRequest("SBIN", "NSE", Action.BUY, 1)
    await price(terminal, last)
    for level in (5, 15):
        await alerts.add(
            AlertWish(
                *SBIN, AlertWhen.ABOVE, Decimal(last + level),
                acts=(SendOrder(request, Mode.SANDBOX, account),),
            )
        )  # fmt: skip
    await price(terminal, last)
    await until(lambda: not len(alerts._doubt))
    await price(terminal, last + 10)
    await until(lambda: [row.quantity for row in book(terminal)] == [1])
    await until(lambda: alerts.teller.rows()[0].notes)  # answered: the intent is on disk
    (row,) = await terminal.journal.sent_by(source(terminal), terminal.started)
    assert (row.mode, row.account_id) == (Mode.SANDBOX, account)
    terminal.settings.set("approvals.sources", "alert:*")
    await price(terminal, last + 20)
    await until(lambda: bool(terminal.approvals.pending()))
    assert len(book(terminal)) == 1
    (asked,) = terminal.approvals.pending()
    await terminal.approvals.approve(asked.approval_id, "test", accept_drift=True)
    await until(lambda: len(book(terminal)) == 2)
    await until(lambda: len(alerts.teller.rows()[0].notes) == 1)
    assert list(alerts.teller.rows()[0].notes.values()) == [
        f"waits in the action centre as request {asked.approval_id}"
    ]


def book(terminal: Terminal) -> list[Order]:
    return list(terminal.desk.books.book(Mode.SANDBOX).orders.values())


def source(terminal: Terminal) -> str:
    actors = terminal.alerts.actors
    assert actors is not None
    return next(iter(actors._rows.values())).source


async def test_alerts_on_a_study_and_a_drawing_tell_without_a_window(
    terminal: Terminal, tmp_path: Path
):
    alerts, book = terminal.alerts, terminal.drawings
    last = round((await terminal.hub.snapshot(SBIN)).ltp)
    both = Style(left=True, right=True)
    drawing = Drawing("d1", "horizontal", (Anchor(0.0, last + 10.0),), both)
    book.apply(book.changes(SBIN, [("d1", drawing)]))
    line = await alerts.add(
        AlertWish(*SBIN, AlertWhen.CROSSES_UP, against=OfDrawing("d1"), span="1m")
    )
    study = await alerts.add(
        AlertWish(
            *SBIN,
            AlertWhen.ABOVE,
            Decimal(last + 15),
            subject=EMA,
            span="1m",
            message="{{ticker}} {{interval}} {{price}}",
        )
    )
    await price(terminal, last)
    await until(lambda: not alerts.trouble(line), alerts.trouble(line))
    await until(lambda: not alerts.trouble(study), alerts.trouble(study))
    await price(terminal, last + 11.0)
    await until(lambda: alerts.get(line.alert_id).count)
    assert alerts.get(study.alert_id).is_active
    await price(terminal, last + 300.0)
    await until(lambda: alerts.get(study.alert_id).count)
    assert alerts.get(study.alert_id).state is AlertState.FIRED
    told = alerts.teller.rows()
    assert [row.alert_id for row in told] == [study.alert_id, line.alert_id]
    assert told[0].text == f"SBIN 1m {last + 300:.2f}"
    assert told[1].line == last + 10 and "crosses up Horizontal line (1m)" in told[1].text
    await until(lambda: all(row.refused for row in alerts.teller.rows()))  # no window is there
    await terminal.stop()
    again = await begun(tmp_path)
    try:
        assert [row.text for row in again.alerts.teller.rows()] == [row.text for row in told]
        assert {row.state for row in again.alerts.all()} == {AlertState.FIRED}
    finally:
        await again.stop()
