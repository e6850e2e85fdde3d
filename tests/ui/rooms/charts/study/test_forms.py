"""Words, panes and forms of studies, without a window."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import pytest
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit
from pytestqt.qtbot import QtBot

from openalgo_desktop.analytics.indicators.running.library import Library
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.charting.studies import (
    Draw,
    Output,
    Param,
    ParamKind,
    StudySpec,
    StudyWish,
    Style,
    Value,
)
from openalgo_desktop.core.errors import DataError
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.ui.kit.fields import CountField
from openalgo_desktop.ui.rooms.charts.study import panes
from openalgo_desktop.ui.rooms.charts.study.param_form import ParamForm, moment_of, moment_text
from openalgo_desktop.ui.rooms.charts.study.style_form import StyleForm
from openalgo_desktop.ui.rooms.charts.study.words import (
    about,
    lack,
    one_line,
    source_title,
    title_of,
)

LIBRARY = Library()
EMA, MACD = LIBRARY.spec("ema"), LIBRARY.spec("macd")


def over(wish: StudyWish) -> bool:
    return LIBRARY.spec(wish.study).over


def test_names_of_studies_and_of_sources() -> None:
    wish = StudyWish("a", "ema", {"length": 50, "interval": "1h"})
    assert title_of(EMA, wish) == "EMA 50 1h"
    assert source_title(EMA, wish, "Average") == "EMA 50 1h"
    assert source_title(MACD, StudyWish("b", "macd"), "Signal") == "MACD 12 26 9 · Signal"


def test_what_an_instrument_lacks_is_said() -> None:
    index = Instrument("NIFTY", "NSE_INDEX", instrument_type="INDEX")
    stock, future = Instrument("SBIN", "NSE"), Instrument("X", "NFO", instrument_type="FUT")
    five, day = Span.parse("5m"), Span.parse("D")
    needs = {
        name: StudySpec("x", "X", "X", "F", (), needs=(name,))
        for name in ("volume", "oi", "intraday")
    }
    assert lack(needs["volume"], index, five) == "an index has no volume"
    assert lack(needs["volume"], stock, five) == ""
    assert lack(needs["oi"], stock, day) == "only futures and options have open interest"
    assert lack(needs["oi"], future, day) == lack(needs["oi"], None, day) == ""
    assert lack(needs["intraday"], None, day) == "needs bars within a day"
    assert about(needs["oi"]) == "Needs open interest."


def test_panes_stay_while_studies_come_go_and_move() -> None:
    rows = (StudyWish("e", "ema"), StudyWish("r", "rsi"), StudyWish("m", "macd"))
    assert panes.places(rows, over) == {"e": 0, "r": 1, "m": 2}
    joined = panes.to_other(rows, "m", "r", over)
    assert panes.places(joined, over) == {"e": 0, "r": 1, "m": 1}
    assert panes.places(joined[::2], over) == {"e": 0, "m": 1}  # RSI is gone, MACD stays
    apart = panes.to_own(joined, "m", over)
    assert panes.places(apart, over) == {"e": 0, "r": 1, "m": 2}
    alone = panes.to_own(rows, "e", over)
    assert panes.places(alone, over) == {"e": 3, "r": 1, "m": 2}
    assert panes.places(panes.to_prices(alone, "r"), over) == {"e": 3, "r": 0, "m": 1}
    assert panes.to_other(rows, "r", "e", over)[1].pane == 0
    # A new one goes into no pane that was filled by hand.
    assert panes.places((*joined, StudyWish("x", "cci")), over)["x"] == 2


EVERY = (
    Param("length", "Length", 20, ParamKind.INT, 1, 2000),
    Param("factor", "Factor", 2.5, ParamKind.FLOAT, 0, 10),
    Param("filled", "Filled", True, ParamKind.BOOL),
    Param("kind", "Kind", "SMA", ParamKind.CHOICE, choices=("SMA", "EMA")),
    Param("source", "Source", "close", ParamKind.SOURCE, choices=("open", "close", "hl2")),
    Param("interval", "Interval", "", ParamKind.SPAN),
    Param("anchor", "Anchor", "", ParamKind.TIME),
    Param("open", "Open", "09:15", ParamKind.CLOCK),
)


def check(params: Mapping[str, Value]) -> dict[str, Value]:
    from openalgo_desktop.analytics.indicators.kit.params import checked

    return checked(StudySpec("x", "Example", "X", "F", (), EVERY), params)


def test_every_kind_of_parameter_has_a_field(qtbot: QtBot) -> None:
    sources = [("RSI 14", "r.value")]
    form = ParamForm(EVERY, {"length": 7}, check, "form", sources)
    qtbot.addWidget(form)
    plain = {param.name: param.default for param in EVERY}
    assert form.values() == {**plain, "length": 7} and form.problems() == {}
    told: list[dict[str, Value]] = []
    form.changed.connect(lambda: told.append(form.values()))
    editors = {name: field.editor for name, field in form.fields.items()}
    length, filled, source = editors["length"], editors["filled"], editors["source"]
    span, anchor, clock = editors["interval"], editors["anchor"], editors["open"]
    assert isinstance(length, CountField) and isinstance(filled, QCheckBox)
    assert isinstance(source, QComboBox) and isinstance(span, QComboBox)
    assert isinstance(anchor, QLineEdit) and isinstance(clock, QLineEdit)
    length.setValue(9)
    filled.setChecked(False)
    assert [source.itemText(n) for n in range(source.count())] == [
        *("Open", "Close", "(H+L)/2", "RSI 14")
    ]
    source.setCurrentIndex(3)
    span.setEditText("75m")
    anchor.setText("2026-11-30 09:20")
    clock.setText("09:30")
    assert (
        told[-1]
        == form.values()
        == {
            **plain,
            "length": 9,
            "filled": False,
            "source": "r.value",
            "interval": "75m",
            "anchor": 1796010600,
            "open": "09:30",
        }
    )
    # What cannot be used is said at its field, and nobody else hears of it.
    count = len(told)
    length.setValue(0)
    span.setEditText("soon")
    anchor.setText("yesterday")
    clock.setText("9")
    assert len(told) == count
    assert form.fields["length"].error() == "Give 1 to 2000, not 0."
    assert "soon" in form.fields["interval"].error()
    assert form.fields["anchor"].error() == "Give a date and time as 2026-11-30 09:15 (IST)."
    assert form.fields["open"].error() == "Give a time as 09:15, not '9'."
    assert form.problems().keys() == {"length", "interval", "anchor", "open"}
    form.show_values({"source": "gone.value"})
    assert form.problems() == {} and form.values()["source"] == "gone.value"
    assert source.currentText() == "gone.value (not on this chart)"


def test_every_study_has_a_form_that_gives_its_defaults(qtbot: QtBot) -> None:
    for spec in LIBRARY.specs()[::9]:
        form = ParamForm(spec.params, {}, partial(LIBRARY.check, spec.study), "form")
        qtbot.addWidget(form)
        assert form.values() == spec.defaults() and form.problems() == {}, spec.study


def test_moments_are_those_of_india() -> None:
    assert moment_of("2026-11-30 09:15") == 1796010300 and moment_of(" ") == ""
    assert moment_text(1796010300) == "2026-11-30 09:15" and moment_text("") == ""
    assert moment_of("2026-11-30") == 1795977000
    with pytest.raises(DataError, match="date and time"):
        moment_of("30/11")


def test_a_style_keeps_only_what_was_chosen(qtbot: QtBot) -> None:
    outputs = (
        Output("a", "A", width=2.0, dash=True),
        Output("b", "B", Draw.BAND, fill_to="a"),
    )
    form = StyleForm(outputs, "style")
    qtbot.addWidget(form)
    form.show_styles({"a": Style(colour="#102030")})
    assert form.styles() == {"a": Style(colour="#102030")}
    assert form.widths["a"].currentData() == 2.0 and form.dashes["a"].isChecked()
    assert form.widths["b"].isHidden() and not form.colours["b"].isHidden()
    form.widths["a"].setCurrentIndex(form.widths["a"].findData(3.0))
    form.draws["a"].setCurrentIndex(form.draws["a"].findData("dots"))
    form.dashes["a"].setChecked(False)
    form.shown["b"].setChecked(False)
    assert form.styles() == {
        "a": Style(colour="#102030", width=3.0, dash=False, draw="dots"),
        "b": Style(hidden=True),
    }
    form.dashes["a"].setChecked(True)
    form.widths["a"].setCurrentIndex(form.widths["a"].findData(2.0))
    form.draws["a"].setCurrentIndex(form.draws["a"].findData("line"))
    form.shown["b"].setChecked(True)
    assert form.styles() == {"a": Style(colour="#102030")}


def test_what_a_file_of_the_user_tells_has_one_row_in_the_legend() -> None:
    told = "line 5, in compute: return x[\"n\"]\nKeyError: 'n'"
    assert one_line(told) == "line 5, in compute: return x[\"n\"]; KeyError: 'n'"
