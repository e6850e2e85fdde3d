"""Alerts: dock, form, menus, lines of the chart; they tell once and send nothing."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu
from shiboken6 import isValid

from openalgo_desktop.core.alert_acts import PostTo, SendOrder
from openalgo_desktop.core.alert_subjects import OfOrders, OfResult
from openalgo_desktop.core.alerts import AlertState, AlertWhen, AlertWish, PriceAlert
from openalgo_desktop.core.enums import Action, Mode
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.ui.rooms.automation.alert_dialog import AlertDialog
from openalgo_desktop.ui.rooms.automation.alerts import AlertsDock
from openalgo_desktop.ui.rooms.charts.dock import ChartDock
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import SBIN, Drive, click, priced
from tests.waiting import until

pytestmark = pytest.mark.docks("chart", "orders")


async def opened(session: Session) -> AlertsDock:
    await priced(session)
    dock = session.window.docking.open("alerts")
    assert isinstance(dock, AlertsDock)
    dock.setFloating(True)
    dock.resize(1200, 400)
    await until(lambda: not dock.is_hidden(), "the dock on the screen")
    return dock


async def shown(dock: AlertsDock, count: int) -> None:
    await until(lambda: len(dock.rows) == count, f"{count} rows, there are {dock.rows}")
    await until(lambda: not dock.dirty, "painted")


def texts(dock: AlertsDock, row: int) -> dict[str, str]:
    cells = dock.model.store.cells(row)
    return {column.key: text for column, text in zip(dock.columns, cells.texts, strict=True)}


async def make(
    session: Session, when: AlertWhen = AlertWhen.ABOVE, level: str = "90000", note: str = ""
) -> PriceAlert:
    wish = AlertWish(*SBIN, when, Decimal(level), note=note)
    return await session.bridge.alerts.add(wish)


def form(session: Session) -> AlertDialog:
    (found,) = [d for d in session.window.findChildren(AlertDialog) if d.isVisible()]
    return found


def test_empty_and_what_it_says(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        assert dock.rows == [] and dock._empty.isVisible()
        assert "No alerts." in dock._empty.text()
        assert "only while the program runs" in dock.hint.text()
        assert dock.new_button.isEnabled() and not dock.delete_button.isEnabled()

    drive(scenario)


def test_rows_follow_the_price_and_one_fires_once(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        told: list[PriceAlert] = []
        played: list[str] = []
        session.bridge.alerts.fired.connect(told.append)
        session.window.sounds.play = played.append  # type: ignore[method-assign]
        made = await make(session, AlertWhen.BELOW, "100", "a note")
        day = await make(session, AlertWhen.DAY_ABOVE, "15")
        await shown(dock, 2)
        assert texts(dock, 1)["condition"] == "LTP at or below 100.00"
        assert texts(dock, 0)["condition"] == "Chg % at or above 15.00%"
        assert texts(dock, 1)["state"] == "Watching" and texts(dock, 1)["fired"] == "–"
        await until(lambda: texts(dock, 0)["current"].endswith("%"), "the change of the day")
        orders = len(session.bridge.books.orders)
        for price in (99.0, 105.0, 98.0):
            await session.terminal.account.control({"prices": {"NSE:SBIN": price}})
            await until(
                lambda price=price: abs(session.bridge.latest(SBIN).ltp - price) < 3, "the price"
            )
        await until(lambda: told, "told")
        await shown(dock, 2)
        assert [row.alert_id for row in told] == [made.alert_id] and played == ["alert"]
        assert session.bridge.alerts.get(made.alert_id).count == 1
        assert "at 9" in texts(dock, 1)["fired"] and texts(dock, 1)["state"] == "Fired"
        assert session.window.toasts.has(f"alert-{made.alert_id}")
        assert len(session.bridge.books.orders) == orders  # it sends nothing
        assert session.bridge.alerts.get(day.alert_id).state is AlertState.ACTIVE
        dock.filter.choose("Waiting")
        await shown(dock, 1)

    drive(scenario)


def test_alerts_of_no_instrument_have_rows_and_words(drive: Drive) -> None:
    """Results, orders and moments: nothing is streamed for them, and the form leaves them alone."""

    async def scenario(session: Session) -> None:
        dock = await opened(session)
        alerts, account = session.bridge.alerts, session.terminal.sandbox.account_id
        result = OfResult(Mode.SANDBOX, account)
        order = SendOrder(OrderRequest(*reversed(SBIN), Action.BUY, 1), Mode.SANDBOX, account)
        await alerts.add(AlertWish("", "", AlertWhen.BELOW, Decimal(-5000), subject=result))
        orders = OfOrders(Mode.SANDBOX)
        await alerts.add(
            AlertWish("", "", AlertWhen.HAPPENS, again=True, subject=orders, note="filled")
        )
        acts = (
            order,
            PostTo("https://example.com/x"),
        )  # more than the form of alerts that act has lines for
        made = await alerts.add(AlertWish(*SBIN, AlertWhen.ABOVE, Decimal(90000), acts=acts))
        await shown(dock, 3)
        assert [texts(dock, row)["condition"] for row in range(3)] == [
            "LTP at or above 90,000.00",
            "an order is filled (sandbox)",
            "Day P&L of the account (sandbox) at or below -5,000.00",
        ]
        await until(lambda: texts(dock, 2)["current"] == "0.00", "the result of the day")
        assert texts(dock, 1)["current"] == "–" and texts(dock, 1)["symbol"] == ""
        assert texts(dock, 0)["tells"].endswith("BUY 1 SBIN (sandbox), POST to example.com once")
        dock.edit(dock.rows[1])
        assert not session.window.findChildren(AlertDialog)
        dock.edit(dock.rows[0])
        dialog = form(session)
        assert "does: BUY 1 SBIN (sandbox), POST to example.com" in dialog.hint.text()
        dialog.note.setText("kept")
        click(dialog.save)
        await until(lambda: alerts.get(made.alert_id).wish.note == "kept", "saved")
        assert alerts.get(made.alert_id).wish.acts == acts

    drive(scenario)


def test_the_form_says_what_is_wrong_and_saves(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        click(dock.new_button)
        dialog = form(session)
        assert "SBIN" in dialog.heading.text() and dialog.save.isEnabled()
        dialog.price.setValue(0)
        click(dialog.save)
        field = dialog._fields["level"]
        await until(field.error, "the refusal")
        assert field.error() == "Level: give a price above 0."
        tick = session.bridge.latest(SBIN)
        assert tick is not None
        dialog.price.setValue(round(tick.ltp * 2))
        assert dialog.when.currentData() == AlertWhen.ABOVE.value
        dialog.price.setValue(round(tick.ltp / 2))
        assert dialog.when.currentData() == AlertWhen.BELOW.value
        dialog.often.choose("Each time")
        dialog.note.setText("half")
        QTest.keyClick(dialog.note, Qt.Key.Key_Return)
        await shown(dock, 1)
        wish = dock.rows[0].alert.wish
        assert (wish.again, wish.note, wish.when) == (True, "half", AlertWhen.BELOW)
        await until(lambda: not dock.findChildren(AlertDialog), "the form gone")

    drive(scenario)


def test_keyboard_edit_pause_delete(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        made = await make(session)
        await shown(dock, 1)
        dock.choose_row(made.alert_id)
        QTest.keyClick(dock.view, Qt.Key.Key_F2)
        dialog = form(session)
        assert dialog.price.value() == 90_000 and not dialog.search.isVisible()
        assert dialog.focusWidget() is dialog.price
        dialog.price.setValue(91_000)
        click(dialog.save)
        await until(lambda: dock.rows[0].alert.wish.level == 91_000, "the new level")
        dock.choose_row(made.alert_id)
        click(dock.pause_button)
        await until(lambda: dock.rows[0].state == "Paused", "paused")
        await until(lambda: dock.pause_button.text() == "Resume", "the word")
        click(dock.pause_button)
        await until(lambda: dock.rows[0].state == "Watching", "watching")
        QTest.keyClick(dock.view, Qt.Key.Key_Delete)
        await shown(dock, 0)
        assert session.bridge.alerts.all() == []

    drive(scenario)


def test_an_alert_that_sees_nothing_says_why(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(session: Session) -> None:
        dock = await opened(session)
        alerts = session.terminal.alerts
        monkeypatch.setattr(alerts, "trouble", lambda alert: "The price is not known.")
        await make(session)
        await shown(dock, 1)
        assert texts(dock, 0)["state"] == "Sees nothing"
        assert dock.rows[0].trouble == "The price is not known."
        monkeypatch.undo()
        await until(lambda: texts(dock, 0)["state"] == "Watching", "it sees again")

    drive(scenario)


def test_alerts_stay_over_a_restart_and_the_mode_does_not_matter(drive: Drive) -> None:
    made: list[PriceAlert] = []

    async def first(session: Session) -> None:
        await priced(session)
        made.append(await make(session))
        made.append(await make(session, AlertWhen.BELOW, "90000"))  # true: tells at once
        await until(lambda: session.bridge.alerts.get(made[1].alert_id).count == 1)

    async def second(session: Session) -> None:
        dock = await opened(session)
        await shown(dock, 2)
        assert session.bridge.mode is Mode.SANDBOX
        assert [row.state for row in dock.rows] == ["Fired", "Watching"]
        assert dock.rows[0].alert.count == 1

    drive(first)
    drive(second)


def test_lines_of_the_chart_and_its_menu(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        chart = session.window.docking.show("chart")
        assert isinstance(chart, ChartDock)
        await until(lambda: chart.key == SBIN, "the chart of SBIN")
        made = await make(session)
        line = f"alert|{made.alert_id}"
        await until(lambda: line in {row.line_id for row in chart.view.shown_lines}, "its line")
        chart.cell.work.moved(line, 90_100.02)
        alerts = session.bridge.alerts
        await until(lambda: alerts.get(made.alert_id).wish.level > 90_050, "moved")
        assert not chart.cell.work.bubble.isVisible()  # nothing is sent, so nothing is asked
        chart.cell.work.lines.close(line, Mode.SANDBOX)
        await until(lambda: not alerts.all(), "deleted")
        chart.cell.chart_menu.open(700.0, QPoint(10, 10))
        menu = chart.findChildren(QMenu)[-1]
        (item,) = [row for row in menu.actions() if row.text().startswith("Alert at")]
        assert item.text() == "Alert at 700.00…"
        item.trigger()
        menu.close()
        assert form(session).price.value() == 700.0
        form(session).close()

    drive(scenario)


def test_forms_ask_for_prices_of_their_own_and_give_them_back(drive: Drive) -> None:
    """Also the form whose dock is closed first, and one that is closed while it saves."""

    async def scenario(session: Session) -> None:
        await priced(session)
        bridge = session.bridge
        dock = await opened(session)
        bridge.alerts.wanted.emit(("NSE", "SBIN"), 0.0)
        dock.new(("NSE", "INFY"))

        def owned() -> set[str]:
            return {name for name in bridge.prices._wanted if "dialog-alert" in name}

        assert len(owned()) == 2
        forms = session.window.findChildren(AlertDialog)
        first = next(one for one in forms if one._key == SBIN)
        store, held = bridge.alerts.add, asyncio.Event()

        async def slow(wish: AlertWish) -> PriceAlert:
            await held.wait()
            return await store(wish)

        bridge.alerts.add = slow  # type: ignore[method-assign]
        first.price.setValue(90_000)
        click(first.save)
        first.close()
        await until(lambda: len(owned()) == 1)
        await until(lambda: not isValid(first))
        held.set()
        await until(lambda: len(bridge.alerts.all()) == 1)
        assert list(bridge.prices._wanted[owned().pop()]) == [("NSE", "INFY")]
        dock.close()
        await until(lambda: not owned())
        await until(lambda: not any("alert" in task.get_name() for task in bridge._tasks))

    drive(scenario)
