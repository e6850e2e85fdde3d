"""The form of alerts on studies and drawings, and the page of what was told."""

from __future__ import annotations

from datetime import time
from decimal import Decimal

import pytest

from openalgo_desktop.core.alerts import (
    PRICE,
    AlertTrigger,
    AlertWhen,
    AlertWish,
    OfDrawing,
    OfStudy,
)
from openalgo_desktop.core.charting.drawings.model import Anchor, Drawing, Style
from openalgo_desktop.ui.engine.alerts import AlertDraft
from openalgo_desktop.ui.rooms.automation.alert_dialog import AlertDialog
from openalgo_desktop.ui.rooms.automation.alert_sources import SourceChoice
from openalgo_desktop.ui.rooms.automation.alert_study import StudyForm
from openalgo_desktop.ui.rooms.automation.alerts import LOG, AlertsDock
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import SBIN, Drive, click, priced
from tests.waiting import until

pytestmark = pytest.mark.docks("watchlist", "chart", "depth", "positions", "orders")

RSI = OfStudy("rsi", "rsi", {"length": 9})


def shown(form: AlertDialog) -> set[str]:
    return {name for name, field in form._fields.items() if field.isVisible()}


def texts(choice: SourceChoice) -> list[str]:
    return [choice.itemText(row) for row in range(choice.count())]


def form(session: Session) -> AlertDialog:
    (found,) = [d for d in session.window.findChildren(AlertDialog) if d.isVisible()]
    return found


async def saved(session: Session, dialog: AlertDialog) -> AlertWish:
    before = len(session.bridge.alerts.all())
    click(dialog.save)
    await until(lambda: len(session.bridge.alerts.all()) > before, "stored")
    await until(lambda: not session.window.findChildren(AlertDialog), "the form gone")
    return session.bridge.alerts.all()[0].wish


def test_forms_of_studies_and_drawings(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        bridge, book = session.bridge, session.terminal.drawings
        line = Drawing("d1", "horizontal", (Anchor(0.0, 90_000.0),), Style(left=True, right=True))
        book.apply(book.changes(SBIN, [("d1", line)]))
        wish = AlertWish(*SBIN, AlertWhen.ENTERS, Decimal(30), subject=RSI, span="15m",
                         upper=Decimal(70))  # fmt: skip
        bridge.alerts.draft_wanted.emit(AlertDraft(wish, (RSI,)))
        dialog = form(session)
        fields = {"subject", "when", "line", "value", "beside", "upper-value", "trigger", "span",
                  "often", "expires", "note", "message"}  # fmt: skip
        assert shown(dialog) == fields
        condition = dialog.condition
        assert texts(condition.subject) == ["LTP", "RSI 9", "Study…"]
        assert texts(condition.line) == ["Level", "LTP", "RSI 9", "Horizontal line", "Study…"]
        condition.span.setCurrentText("nonsense")
        click(dialog.save)
        await until(dialog._fields["span"].error, "the refusal")
        assert dialog._fields["span"].error().startswith("Interval:")
        condition.span.setCurrentText("15m")
        condition.trigger.choose("At bar close")
        dialog.until.setCurrentIndex(2)
        dialog.at.setText("25:00")
        click(dialog.save)
        assert "is no time" in dialog._fields["until"].error()
        dialog.at.setText("15:20")
        dialog.channels["sound"].setChecked(False)
        made = await saved(session, dialog)
        assert (made.subject, made.level, made.upper) == (RSI, Decimal(30), Decimal(70))
        assert (made.trigger, made.span, made.until) == (AlertTrigger.CLOSE, "15m", time(15, 20))
        assert made.channels == ("toast", "desktop")

        bridge.alerts.draft_wanted.emit(
            AlertDraft(AlertWish(*SBIN, AlertWhen.CROSSES, against=OfDrawing("d1"), span="5m"))
        )
        dialog = form(session)
        assert "level" not in shown(dialog) and dialog.condition.line.currentText() == (
            "Horizontal line"
        )
        made = await saved(session, dialog)
        assert (made.subject, made.against) == (PRICE, OfDrawing("d1"))

    drive(scenario)


def test_a_study_is_chosen_and_the_log_says_who_took_it(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        bridge = session.bridge
        bridge.alerts.wanted.emit(SBIN, 0.0)
        dialog = form(session)
        dialog.condition.subject._on_activated(dialog.condition.subject.count() - 1)
        (study,) = dialog.findChildren(StudyForm)
        study.study.setCurrentIndex(study.study.findData("macd"))
        study.line.setCurrentIndex(study.line.findData("signal"))
        next(row for row in study._params if row.param.name == "fast").editor.setValue(10)
        click(study.take)
        assert dialog.condition.subject.source() == OfStudy("macd", "signal", {"fast": 10})
        assert dialog.condition.subject.currentText().startswith("MACD 10 26 9")
        dialog.close()
        await bridge.alerts.add(
            AlertWish(*SBIN, AlertWhen.BELOW, Decimal(90_000), message="{{ticker}} {{level}} {{x}}")
        )
        dock = session.window.docking.open("alerts")
        assert isinstance(dock, AlertsDock)
        dock.setFloating(True)
        dock.filter.choose(LOG)
        dock.refresh()
        await until(lambda: dock.log.view.isVisible() and not dock.view.isVisible(), "the log")
        await until(lambda: dock.log.model.store.rows and dock.log.model.store.rows[0].accepted)
        row = dock.log.model.plain_rows()[1]
        assert row[1:4] == ["SBIN", "SBIN 90000 {{x}}", "Toast, Sound, Desktop notification"]
        assert session.window.toasts.has(f"alert-{bridge.alerts.all()[0].alert_id}")
        dock.filter.choose("All")
        dock.refresh()
        await until(lambda: dock.view.isVisible() and len(dock.rows) == 1, "the alerts again")

    drive(scenario)
