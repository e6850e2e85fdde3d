"""Indicators of a chart in the window: found, set, moved, kept, taken back, told."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from openalgo_desktop.core.alerts import PRICE, AlertWhen, OfStudy
from openalgo_desktop.core.charting.studies import StudyWish, Style
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.rooms.charts.dock import ChartDock
from openalgo_desktop.ui.rooms.charts.kind_inputs import KindInputs
from openalgo_desktop.ui.rooms.charts.study.hand import StudyHand
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import Drive, click, priced
from tests.waiting import until

pytestmark = pytest.mark.docks("chart")


async def chart_of(session: Session) -> ChartDock:
    await priced(session)
    dock = session.window.docks["chart"]
    assert isinstance(dock, ChartDock)
    dock.raise_()
    await until(lambda: dock.cell.data.loaded and len(dock.view.canvas.series) > 0, "bars")
    return dock


def titles(hand: StudyHand) -> list[str]:
    return [hand.title(wish) for wish in hand.wishes]


def test_found_added_set_undone_and_kept(drive: Drive) -> None:
    async def first(session: Session) -> None:
        dock = await chart_of(session)
        hand, board = dock.cell.study_hand, dock.cell.drawings.board
        QTest.keyClick(dock.view.canvas, Qt.Key.Key_Slash)
        picker = hand.picker
        assert picker is not None
        await until(picker.isVisible, "the dialog")
        QTest.keyClicks(picker.search, "supertrend")
        assert picker.chosen() == "supertrend"
        QTest.keyClick(picker.search, Qt.Key.Key_Return)
        picker.search.setText("rsi")
        click(picker.add)
        picker.search.setText("no such thing")
        assert picker.chosen() == "" and "no such thing" in picker.about.text()
        assert titles(hand)[1] == "RSI 14" and len(hand.wishes) == 2
        lines = picker.on_chart.list
        assert [lines.item(n).text() for n in range(lines.count())] == titles(hand)
        await until(lambda: len(dock.view.canvas.stage.panes) == 3, "the pane of the RSI")

        # A favourite, a template, and what they come back to.
        picker.search.setText("rsi")
        item = picker.list.currentItem()
        assert item is not None
        picker._on_clicked(item, 0)
        assert session.bridge.studies.templates.favourites == ("rsi",)
        picker.search.setText("")
        picker.families.setCurrentRow(1)
        assert picker.list.topLevelItemCount() == 1 and picker.chosen() == "rsi"
        session.bridge.studies.templates.save("Mine", hand.wishes)
        assert picker.on_chart.names.currentText() == "Mine"
        picker.on_chart._apply()
        assert titles(hand) == [*titles(hand)[:2]] * 2
        board.undo()
        assert len(hand.wishes) == 2

        # Settings are seen at once, taken back by Cancel, one step with OK.
        rsi = hand.wishes[1].ident
        form = hand.open_settings(rsi)
        assert form is not None and hand.open_settings(rsi) is form
        await until(form.isVisible, "the form")
        editor: Any = form.inputs.fields["length"].editor
        editor.setValue(21)
        form.tabs.setCurrentIndex(1)
        assert form.style_form is not None
        form.style_form.widths[form._spec.outputs[0].name].setCurrentIndex(3)
        assert hand.wishes[1].styles[form._spec.outputs[0].name].width == 3.0
        assert titles(hand)[1] == "RSI 21"
        editor.setValue(0)
        form._accept()
        assert hand.open_settings(rsi) is form and titles(hand)[1] == "RSI 21"
        assert form.tabs.currentIndex() == 0  # where the field is
        form.reject()
        assert titles(hand)[1] == "RSI 14" and not hand.wishes[1].styles
        again = hand.open_settings(rsi)
        assert again is not None and again is not form
        await until(again.isVisible, "the form")
        editor = again.inputs.fields["length"].editor
        editor.setValue(9)
        editor.setValue(8)
        again._keep()
        click(again.yes)
        assert titles(hand)[1] == "RSI 8"
        assert session.bridge.studies.templates.new("rsi").params == {"length": 8}
        board.undo()
        assert titles(hand)[1] == "RSI 14"
        board.redo()

        # The legend's spots.
        view = dock.view
        view.study_asked.emit(rsi, "hide")
        assert hand.wishes[1].hidden
        view.study_asked.emit(hand.wishes[0].ident, "close")
        assert titles(hand) == ["RSI 8"]
        view.study_asked.emit(rsi, "hide")

        # A file of the user that is no study.
        door = session.bridge.studies
        (door.own_folder() / "broken.py").write_text("x = (\n", "utf-8")
        door.look()
        await until(lambda: "broken.py" in picker.problems.text(), "why it is no study")
        assert picker.problems.text().count("broken.py") == 1
        picker.close()
        assert hand.picker is None

    async def second(session: Session) -> None:
        dock = await chart_of(session)
        hand = dock.cell.study_hand
        assert titles(hand) == ["RSI 8"] and not hand.wishes[0].hidden
        state = hand.save_state()
        assert isinstance(state, list)
        hand.restore_state([*state, {"ident": 3}, "x", state[0]])
        assert titles(hand) == ["RSI 8"]

    drive(first)
    drive(second)


def test_one_on_another_panes_alerts_and_anchors(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await chart_of(session)
        cell, hand = dock.cell, dock.cell.study_hand
        rsi, ema = hand.add("rsi"), hand.add("ema")
        spec = session.bridge.studies.spec("rsi")
        line = hand.add_on(rsi, spec.outputs[0], "ema")
        by = {wish.ident: wish for wish in hand.wishes}
        assert by[line].params["source"] == f"{rsi}.{spec.outputs[0].name}"
        panes = {view.ident: view.pane for view in dock.view.canvas.stage.studies}
        assert panes == {rsi: 1, ema: 0, line: 1}
        # It cannot stand on what stands on it.
        assert f"{rsi}." not in "".join(value for _, value in hand.sources(rsi))
        assert not any(value.startswith(line) for _, value in hand.sources(rsi))
        assert any(value.startswith(rsi) for _, value in hand.sources(ema))
        homes = hand.homes(ema)
        assert [(words, here) for words, here, _ in homes[:2]] == [
            ("With the prices", True),
            ("Pane of its own", False),
        ]
        assert homes[2][0] == "With RSI 14"

        drafts: list[Any] = []
        session.bridge.alerts.draft_wanted.disconnect()
        session.bridge.alerts.draft_wanted.connect(drafts.append)
        menu = hand.menu_of(line)
        assert menu is not None
        texts = [action.text() for action in menu.actions() if action.text()]
        assert texts == ["Settings…", "Hide", "Move to", "Alert on it…", "Add on this", "Remove"]
        next(action for action in menu.actions() if action.text() == "Alert on it…").trigger()
        menu.close()
        hand.alert_on(by[rsi], spec.outputs[0])
        average, strength = (draft.wish for draft in drafts)
        assert average.when is AlertWhen.CROSSES and average.key == cell.key
        assert average.subject == OfStudy("rsi", spec.outputs[0].name)
        assert average.against.study == "ema" and average.against.inputs["source"].study == "rsi"
        assert isinstance(strength.subject, OfStudy) and strength.level == 70
        assert strength.against is None and len(drafts[0].offers) == 3
        hand.alert_on(by[ema], session.bridge.studies.spec("ema").outputs[0])
        assert drafts[2].wish.subject == PRICE and drafts[2].wish.against.study == "ema"

        at = int(dock.view.canvas.series.time[-30])
        cell.drawings.study_wanted.emit("vwap-anchored", {"anchor": at})
        assert hand.wishes[-1].params["anchor"] == at
        cell.studies.put(StudyWish("gone", "user:gone", {}, {"x": Style(hidden=True)}))
        shown = dock.view.canvas.stage.studies[-1]
        assert shown.ident == "gone" and shown.note == "there is no such study"

        # A chart that is closed closes its dialogs, and nothing of it goes on.
        views = session.bridge.studies.open_views
        dock.arrange("2 side by side")
        other = dock.cells[1]
        await until(lambda: other.data.loaded, "the history of the other chart")
        assert titles(other.study_hand) == titles(hand)  # it began as the active one
        form = other.study_hand.open_settings(rsi)
        assert form is not None and session.bridge.studies.open_views == views + 1
        value: Any = form.inputs.fields["length"].editor
        value.setValue(30)
        other.study_hand.open_picker()
        dock.arrange("1")
        assert session.bridge.studies.open_views == views
        assert titles(other.study_hand) == titles(hand)

    drive(scenario)


def test_inputs_of_kinds_and_values_of_bars(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await chart_of(session)
        cell = dock.cell
        cell.appearance.ask_kind()  # candles have none
        assert cell.findChild(KindInputs) is None
        cell.appearance.set_kind("line-break")
        cell.appearance.ask_kind()
        form = cell.findChild(KindInputs)
        assert isinstance(form, KindInputs)
        await until(form.isVisible, "the form")
        name, editor = next((n, f.editor) for n, f in form.form.fields.items())
        value: Any = editor
        value.setValue(0)
        click(form.yes)
        assert form.isVisible() and form.form.fields[name].error()
        value.setValue(5)
        click(form.yes)
        assert cell.appearance.params[name] == 5 and cell.appearance.kind == "line-break"
        cell.appearance.set_kind("candles")

        window, series = cell.data_window, dock.view.canvas.series
        dock.resize(900, 600)
        QTest.keyClick(dock.view.canvas, Qt.Key.Key_D, Qt.KeyboardModifier.AltModifier)
        assert window.shown and window.index() == len(series) - 1
        cell.study_hand.add("ema")
        await until(lambda: ("EMA 20", "") in window.rows(), "the study's value")
        dock.view.cross_moved.emit(float(series.time[-40]), 800.0)
        assert window.index() == len(series) - 40
        dock.view.cross_moved.emit(None, 0.0)
        dock.view.set_cross_time(float(series.time[-25]))  # of a chart that is linked
        assert window.index() == len(series) - 25
        close = fmt.price(series.bar(len(series) - 25)[3], 2)
        await until(lambda: dict(window.rows())["Close"] == close, "the close of that bar")
        assert cell.save_state()["data-window"] is True
        window.turn()
        assert not window.shown

    drive(scenario)
