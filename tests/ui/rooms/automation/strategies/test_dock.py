"""The strategies dock: made strategies from the form to the stop, programs from the file to the
promotion; nothing trades before a question was answered with yes."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QDialog

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Action, Mode
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.core.strategies.model import Definition, SignalLeg
from openalgo_desktop.core.strategies.rows import MadeStrategy, RunEvent
from openalgo_desktop.core.strategies.words import EventKind, RunStatus, StrategyKind
from openalgo_desktop.ui.kit.confirm import ConfirmDialog
from openalgo_desktop.ui.rooms.automation.strategies.dock import StrategiesDock
from openalgo_desktop.ui.rooms.automation.strategies.hooks import PayloadsDialog
from openalgo_desktop.ui.rooms.automation.strategies.program_editor import ProgramEditor
from openalgo_desktop.ui.rooms.automation.strategies.program_form import ProgramSettings
from openalgo_desktop.ui.rooms.automation.strategies.start import LIVE, SANDBOX, StartDialog
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import Drive, click, priced
from tests.waiting import until

pytestmark = pytest.mark.docks("orders")
D = TypeVar("D", bound=QDialog)

CROSS = Definition(
    name="Cross",
    kind=StrategyKind.SIGNAL,
    legs=(SignalLeg(leg_id=1, symbol="SBIN", exchange="NSE", quantity=10),),
)
PROGRAM = "print('hello')\n"


@pytest.fixture
def drive(drive: Drive) -> Drive:
    """At eleven on a trading day: entries have hours."""
    return partial(drive, clock=datetime(2026, 11, 24, 11, 0, tzinfo=IST))


async def opened(session: Session) -> StrategiesDock:
    await priced(session)
    dock = session.window.docking.open("strategies")
    assert isinstance(dock, StrategiesDock)
    dock.setFloating(True)
    dock.resize(1100, 480)
    await until(lambda: not dock.is_hidden() and not dock._reading, "the dock is read")
    return dock


async def rows(dock: StrategiesDock, *names: str) -> None:
    await until(lambda: [row.name for row in dock.rows] == list(names), f"rows {names}")


async def made(session: Session, dock: StrategiesDock) -> MadeStrategy:
    strategy = await session.bridge.strategies.create(CROSS)
    await rows(dock, CROSS.name)
    dock.select_row(f"made:{strategy.strategy_id}")
    return strategy


def chosen(dock: StrategiesDock) -> str:
    row = dock.selected_row()
    return "" if row is None else row.ident


async def dialog(dock: StrategiesDock, kind: type[D]) -> D:
    def found() -> list[D]:
        return [one for one in dock.findChildren(kind) if one.isVisible()]

    await until(found, f"the {kind.__name__}")
    return found()[0]


async def gone(one: QDialog, dock: StrategiesDock) -> None:
    kind = type(one)
    await until(
        lambda: not [row for row in dock.findChildren(kind) if row.isVisible()], "it is closed"
    )


def test_a_strategy_is_made_in_the_form_and_sends_nothing(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        assert dock._empty.isVisible() and not dock.start_button.isEnabled()
        form = dock.new()
        click(form.save)  # no name, no legs
        assert form.basics.fields["name"].error() == "Give the strategy a name."
        assert "at least one leg" in form.message.text()
        form.basics.show_values({"name": "Straddle"})
        form.tabs.setCurrentIndex(1)
        click(form.legs.add)
        form.legs.batch.editor("sl").setValue(30)  # type: ignore[attr-defined]
        form.legs.batch.editor("strike_mode").setCurrentIndex(  # type: ignore[attr-defined]
            form.legs.batch.editor("strike_mode").findData("delta")  # type: ignore[attr-defined]
        )
        click(form.save)
        shown = form.legs.batch.fields["value"]
        assert "needs a value above 0" in shown.error() and shown.isVisible()
        form.legs.batch.editor("value").setValue(0.3)  # type: ignore[attr-defined]
        assert (
            form.legs.list.item(0).text().startswith("1.  Sell 1 lot NIFTY weekly delta near 0.3")
        )
        click(form.save)
        await rows(dock, "Straddle")
        (row,) = dock.rows
        assert (row.kind, row.state, row.mode) == ("Batch", "Stopped", None)
        assert row.made is not None and row.made.definition.legs[0].rules.sl is not None
        assert not row.made.live_enabled
        assert session.bridge.books.orders == {}

    drive(scenario)


def test_a_start_is_asked_and_begins_in_the_sandbox(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        strategy = await made(session, dock)
        click(dock.start_button)
        question = await dialog(dock, StartDialog)
        assert question.mode is Mode.SANDBOX and not question.where.button(LIVE).isEnabled()
        assert "allow it for this strategy first" in question.words.text()
        assert question.yes.text() == "Start in the sandbox"
        question.reject()
        await gone(question, dock)
        door = session.bridge.strategies
        assert (await door.get(strategy.strategy_id)).status is RunStatus.STOPPED

        await door.enable_live(strategy.strategy_id, True)
        await until(lambda: dock.rows[0].made and dock.rows[0].made.live_enabled, "live is allowed")
        click(dock.start_button)
        question = await dialog(dock, StartDialog)
        assert question.mode is Mode.SANDBOX
        question.where.choose(LIVE)
        assert question.yes.text() == "Start LIVE" and question.yes.property("role") == "danger"
        assert session.bridge.desk.account_of(Mode.LIVE) in question.words.text()
        question.where.choose(SANDBOX)
        click(question.yes)
        await until(lambda: dock.rows[0].runs, "it runs")
        (row,) = dock.rows
        assert (row.state, row.mode) == ("Running", Mode.SANDBOX)
        dock.select_row(row.ident)
        await until(lambda: dock.detail.legs.store.rows, "its legs")
        assert dock.stop_button.isEnabled() and not dock.start_button.isEnabled()
        assert dock.title_bar.subject.text() == "1 running"

        click(dock.stop_button)
        asked = await dialog(dock, ConfirmDialog)
        assert asked.question.text() == "It holds nothing."
        click(asked.yes)
        await until(lambda: not dock.rows[0].runs, "it stopped")
        assert dock.rows[0].mode is None

    drive(scenario)


def test_a_yes_for_one_live_account_starts_in_no_other(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        strategy = await made(session, dock)
        door = session.bridge.strategies
        await door.enable_live(strategy.strategy_id, True)
        await until(lambda: dock.rows[0].made and dock.rows[0].made.live_enabled, "live is allowed")
        told: list[str] = []
        session.bridge.notice.connect(lambda _level, text: told.append(text))
        dock.start(dock.rows[0])
        question = await dialog(dock, StartDialog)
        question.where.choose(LIVE)
        monkeypatch.setattr(session.bridge.desk, "account_of", lambda mode: "other:2")
        click(question.yes)
        await until(lambda: any("another account" in text for text in told), "the refusal")
        assert (await door.get(strategy.strategy_id)).status is RunStatus.STOPPED

    drive(scenario)


def test_news_of_one_strategy_reads_that_one_and_no_other(drive: Drive) -> None:
    async def scene(session: Session) -> None:
        dock = await opened(session)
        strategy = await made(session, dock)
        number = strategy.strategy_id
        door = session.bridge.strategies
        asked: list[str] = []

        def counting(name: str) -> None:
            real = getattr(door, name)

            async def call(*given: int) -> object:
                asked.append(name)
                return await real(*given)

            setattr(door, name, call)

        await until(lambda: not dock._reading)
        counting("made")
        counting("get")
        for event_id in range(40):
            door.told.emit(
                RunEvent(
                    event_id=event_id,
                    strategy_id=number,
                    run_id=None,
                    at=strategy.updated_at,
                    kind=EventKind.WEBHOOK_LOCKED,
                )
            )
        # Told behind our back, as a webhook or a command does it.
        await session.terminal.strategies.enable_live(number, True, "test")
        await until(lambda: (row := dock.row_of(f"made:{number}")) is not None
                    and row.made is not None and row.made.live_enabled)  # fmt: skip
        # A name in the books that is shown on no page: the rows are read again for it, once.
        await until(lambda: not dock._telling and not dock._reading)
        seen = asked.count("made")
        assert "get" in asked and len(asked) < 12
        dock._on_book(session.bridge.mode, frozenset({CROSS.name}))
        await until(lambda: not dock._reading)
        assert asked.count("made") == seen

    drive(scene)


def test_live_is_allowed_by_a_question(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        strategy = await made(session, dock)
        dock.made.allow_live(strategy)
        asked = await dialog(dock, ConfirmDialog)
        assert "real money" in asked.question.text() and asked.review is not None
        click(asked.no)
        await gone(asked, dock)
        door = session.bridge.strategies
        assert not (await door.get(strategy.strategy_id)).live_enabled
        dock.delete(dock.rows[0])
        click((await dialog(dock, ConfirmDialog)).yes)
        await rows(dock)

    drive(scenario)


def drop(dock: StrategiesDock, path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    dock.dropEvent(
        QDropEvent(
            QPoint(5, 5),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
    )


def test_a_program_is_dropped_edited_and_promoted(drive: Drive, tmp_path: Path) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        path = tmp_path / "breakout.py"
        path.write_text(PROGRAM, encoding="utf-8")
        drop(dock, path)
        asked = await dialog(dock, ConfirmDialog)
        assert "trades in the sandbox until you promote it" in asked.question.text()
        click(asked.yes)
        await rows(dock, "breakout")
        (row,) = dock.rows
        assert row.program is not None and not row.runs
        await until(lambda: chosen(dock) == row.ident, "it is selected")
        await until(lambda: "never run" in dock.detail.output.lines.toPlainText(), "its output")

        dock.edit(row)
        editor = await dialog(dock, ProgramEditor)
        await until(lambda: editor.text.toPlainText() == PROGRAM, "its text")
        typed(editor, "a = 1\nif a\n")
        click(editor.save)
        await until(lambda: "line 2" in editor.message.text(), "the line that is wrong")
        assert editor.text.textCursor().blockNumber() == 1
        typed(editor, "a = 2\n")
        click(editor.save)
        await until(lambda: editor.message.text() == "Saved.", "saved")
        copy = Path(row.program.hosted.folder) / row.program.hosted.entry
        assert copy.read_text(encoding="utf-8") == "a = 2\n"
        assert path.read_text(encoding="utf-8") == PROGRAM  # the copy was edited
        copy.write_text("a = 3\n", encoding="utf-8")
        typed(editor, "a = 4\n")
        click(editor.save)
        await until(
            lambda: "changed elsewhere" in editor.message.text(), "the other's change stays"
        )
        assert copy.read_text(encoding="utf-8") == "a = 3\n"
        editor.close()
        asked = await until_child(editor, ConfirmDialog)
        click(asked.yes)

        click(dock.start_button)
        question = await dialog(dock, StartDialog)
        assert "promote it first" in question.words.text()
        question.reject()
        await gone(question, dock)
        dock.programs.promote(row.program)
        asked = await dialog(dock, ConfirmDialog)
        assert asked.review is not None
        assert asked.review.item(0).text().startswith("It has not traded in the sandbox yet")
        click(asked.yes)
        await until(lambda: dock.rows[0].program and dock.rows[0].program.promoted, "promoted")
        copy.write_text("a = 5\n", encoding="utf-8")
        seen = await session.bridge.programs.promotion(row.program.hosted.strategy_id)
        assert (seen.promoted, seen.again) == (False, True)

        dock.delete(dock.rows[0])
        click((await dialog(dock, ConfirmDialog)).yes)
        await rows(dock)
        assert not copy.exists() and path.exists()

    drive(scenario)


def typed(editor: ProgramEditor, text: str) -> None:
    """As by hand: the document is another one then."""
    editor.text.selectAll()
    editor.text.insertPlainText(text)


async def until_child(parent: QDialog, kind: type[D]) -> D:
    def found() -> list[D]:
        return [one for one in parent.findChildren(kind) if one.isVisible()]

    await until(found, f"the {kind.__name__}")
    return found()[0]


def test_settings_of_a_program(drive: Drive, tmp_path: Path) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        path = tmp_path / "pairs.py"
        path.write_text(PROGRAM, encoding="utf-8")
        view = await session.bridge.programs.add(path)
        await rows(dock, "pairs")
        dock.programs.settings(view)
        form = await dialog(dock, ProgramSettings)
        assert [form.tabs.tabText(at) for at in range(3)] == ["Hours", "Limits", "Running"]
        hours, quotas = form.forms[0], form.forms[1]
        hours.show_values({"enabled": True, "windows": "09:15-25:00"})
        click(form.save)
        await until(form.message.text, "the refusal")
        assert "25:00" in form.message.text()
        hours.show_values({"windows": "09:20-11:30, 13:00-15:00", "days": ("MON", "FRI")})
        quotas.show_values({"orders_per_minute": 5, "day_loss": 2500})
        click(form.save)
        await until(
            lambda: (
                session.bridge.programs.get(view.hosted.strategy_id).hosted.quotas.day_loss == 2500
            ),
            "they are kept",
        )
        row = session.bridge.programs.get(view.hosted.strategy_id).hosted
        assert row.hours.windows == (("09:20", "11:30"), ("13:00", "15:00"))
        assert row.hours.days == ("MON", "FRI") and row.hours.enabled
        assert row.hours.mode is Mode.SANDBOX and row.quotas.orders_per_minute == 5
        assert msgspec.structs.replace(row, hours=view.hosted.hours, quotas=view.hosted.quotas) == (
            view.hosted
        )

    drive(scenario)


def test_alerts_are_tried_and_listed(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        strategy = await made(session, dock)
        dock.made.paste(strategy)
        shown = await dialog(dock, PayloadsDialog)
        titles = [shown.list.item(at).text() for at in range(shown.list.count())]
        assert titles[:2] == ["long_entry: SBIN", "long_exit: SBIN"]
        assert shown.address.text().endswith("/strategy/webhook/TOKEN")
        assert shown.body.toPlainText() == '{"action":"long_entry","leg_id":1}'
        click(shown.turn)
        click((await until_child(shown, ConfirmDialog)).yes)
        await until(lambda: "/oaws_" in shown.address.text(), "the new address")
        click(shown.test)
        await until(shown.test.isEnabled, "the answer")
        assert shown.message.text().startswith("200"), shown.message.text()
        shown.accept()
        await gone(shown, dock)
        await until(lambda: dock.rows and dock.rows[0].runs, "the signal opened its run")
        assert dock.rows[0].mode is Mode.SANDBOX
        dock.select_row(dock.rows[0].ident)
        dock.detail.page.choose("Alerts")
        await until(lambda: dock.detail.alerts.store.rows, "the alert")
        (event,) = dock.detail.alerts.store.rows
        assert (event.action, event.status) == ("long_entry", 200)

    drive(scenario)


def test_a_name_that_only_orders_bear_has_a_book(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        order = OrderRequest("SBIN", "NSE", Action.BUY, 10, strategy="My sheet")
        await session.terminal.desk.place(order, "api:default")
        await rows(dock, "My sheet")
        (row,) = dock.rows
        assert (row.kind, row.page) == ("Script", "Scripts")
        dock.select_row(row.ident)
        await until(lambda: dock.detail.book.positions.store.rows, "what it holds")
        (held,) = dock.detail.book.positions.store.rows
        assert (held.symbol, held.quantity) == ("SBIN", 10)
        assert dock.detail.book.mode is Mode.SANDBOX
        dock.detail.book.where.choose("Live")
        assert dock.detail.book.positions.store.rows == []
        assert dock.detail.book.about.text() == "It has not traded here."

    drive(scenario)
