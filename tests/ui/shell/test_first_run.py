"""The first steps: a live sandbox chart by keyboard alone; never again unasked."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.ui.kit.widgets import controls, name_inner_controls
from openalgo_desktop.ui.rooms.charts.dock import ChartDock
from openalgo_desktop.ui.shell.first_run import FirstRunDialog, is_due
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import Drive, click
from tests.waiting import until

pytestmark = pytest.mark.docks("watchlist", "chart")


async def steps(session: Session) -> FirstRunDialog:
    window = session.window
    window.actions_by_name["first-run"].trigger()
    await until(lambda: window.findChildren(FirstRunDialog), "the first steps")
    dialog = window.findChildren(FirstRunDialog)[0]
    await until(dialog.isVisible, "the first steps to be shown")
    return dialog


def test_enter_alone_leads_to_a_live_sandbox_chart(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        window = session.window
        assert await is_due(session.bridge)
        dialog = await steps(session)
        for step in range(5):
            await until(lambda step=step: dialog.index == step, f"step {step + 1}")  # type: ignore[misc]
            assert f"Step {step + 1} of 5" in dialog.step.text()
            QTest.keyClick(dialog, Qt.Key.Key_Return)
        await until(lambda: not window.findChildren(FirstRunDialog), "the end")
        chart = window.docking.of_kind("chart")[0]
        assert isinstance(chart, ChartDock)
        selected = session.bridge.selected
        assert selected is not None and session.bridge.mode is Mode.SANDBOX
        first = session.bridge.latest(selected)
        await until(lambda: session.bridge.latest(selected) not in (None, first), "a new price")
        await until(lambda: len(chart.view.canvas.series), "candles")
        assert not await is_due(session.bridge)

    drive(scenario)


def test_escape_skips_and_they_do_not_come_again(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dialog = await steps(session)
        QTest.keyClick(dialog, Qt.Key.Key_Escape)
        await until(lambda: not session.window.findChildren(FirstRunDialog), "the end")
        assert not await is_due(session.bridge)

    async def later(session: Session) -> None:
        assert not await is_due(session.bridge)
        assert await steps(session)  # Help has them again

    drive(scenario)
    drive(later)


def test_a_window_that_was_used_before_is_not_asked(drive: Drive) -> None:
    async def use(session: Session) -> None:
        assert await is_due(session.bridge)

    async def again(session: Session) -> None:
        assert not await is_due(session.bridge)

    drive(use)
    drive(again)


def test_what_is_chosen_holds_at_once(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        bridge, dialog = session.bridge, await steps(session)
        name_inner_controls(dialog)
        unnamed = [
            control
            for control in controls(dialog)
            if not (control.objectName() and control.accessibleName())
        ]
        assert unnamed == []
        grouping = dialog.look.grouping
        grouping.setCurrentIndex(grouping.findData("western"))
        grouping.activated.emit(grouping.currentIndex())
        assert bridge.setting("ui.grouping") == "western"
        click(dialog.next)
        dialog.broker.own.click()
        dialog.broker.filter.setText("zero")
        shown = [
            dialog.broker.list.item(row)
            for row in range(dialog.broker.list.count())
            if not dialog.broker.list.item(row).isHidden()
        ]
        assert [item.data(Qt.ItemDataRole.UserRole) for item in shown] == ["zerodha"]
        dialog.broker.list.setCurrentItem(shown[0])
        await until(lambda: dialog.broker.redirect.text().endswith("/zerodha/callback"), "address")
        assert dialog.broker.needs.text()
        click(dialog.next)
        await until(lambda: dialog.index == 2, "the log-in")
        assert dialog.login.log_in.isVisible() and "not logged in" in dialog.login.said.text()
        dialog.go_back()
        dialog.broker.sandbox.click()
        click(dialog.next)
        await until(lambda: dialog.index == 2, "the sandbox")
        assert "no log-in" in dialog.login.said.text()
        click(dialog.next)
        names = session.window.workspaces.names()
        dialog.symbols.list.setCurrentRow(1)
        assert session.window.workspaces.current == names[1]
        assert "is here" in dialog.symbols.said.text()
        click(dialog.next)
        dialog.safety.loss.selectAll()
        QTest.keyClicks(dialog.safety.loss, "899,50")
        dialog.go_on()
        assert dialog.isVisible() and "two ways" in dialog.message.text()
        dialog.safety.lots.setValue(4)
        dialog.safety.lots.editingFinished.emit()
        dialog.safety.first.setValue(3)
        dialog.safety.first.editingFinished.emit()
        assert bridge.setting("ui.default_lots") == 3
        dialog.safety.loss.setValue(5000.0)
        dialog.safety.loss.editingFinished.emit()
        assert bridge.setting("risk.max_lots") == 4 and bridge.setting("risk.day_loss") == 5000.0
        click(dialog.next)
        await until(lambda: not session.window.findChildren(FirstRunDialog), "the end")

    drive(scenario)


def test_the_symbol_master_on_its_way_shows_how_much_is_here(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dialog = await steps(session)
        dialog.show_step(3)
        page = dialog.symbols
        assert page.progress.maximum() == 1 and "symbols" in page.progress.text()
        details = {"busy": "symbol master: downloading 63 %", "downloaded": 0.63, "skew": 0.0}
        session.terminal.account.details = lambda: details  # type: ignore[method-assign]
        session.bridge.feed.aged.emit()
        assert (page.progress.value(), page.progress.maximum()) == (63, 100)
        assert "downloading 63 %" in page.said.text()
        details.update(busy="", downloaded=None)
        session.bridge.feed.aged.emit()
        assert page.progress.maximum() == 1
        QTest.keyClick(dialog, Qt.Key.Key_Escape)
        await until(lambda: not session.window.findChildren(FirstRunDialog), "the end")

    drive(scenario)
