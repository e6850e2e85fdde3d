"""Fields read numbers as traders write them, whatever the machine's locale."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QLocale, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDoubleSpinBox, QSpinBox, QToolTip
from pytestqt.qtbot import QtBot

from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.fields import CountField, DecimalField, PriceField

LOCALES = ("de_DE", "en_IN", "en_US", "fr_FR", "ar_EG", "hi_IN")
Made = Callable[[type], object]


@pytest.fixture(params=LOCALES)
def locale(request: pytest.FixtureRequest) -> Iterator[str]:
    before = QLocale()
    QLocale.setDefault(QLocale(request.param))
    yield str(request.param)
    QLocale.setDefault(before)


@pytest.fixture(autouse=True)
def indian() -> None:
    fmt.set_grouping("indian")  # other tests leave what their terminal had


def price(qtbot: QtBot) -> PriceField:
    field = PriceField()
    field.set_tick(0.05)
    field.setValue(899.0)
    show(qtbot, field)
    return field


def show(qtbot: QtBot, field: QSpinBox | QDoubleSpinBox) -> None:
    qtbot.addWidget(field)
    field.show()
    field.setFocus()
    field.selectAll()


def type_in(field: QSpinBox | QDoubleSpinBox, text: str, *, enter: bool = True) -> None:
    field.selectAll()
    QTest.keyClicks(field, text)
    if enter:
        QTest.keyClick(field, Qt.Key.Key_Return)


READ = {"899.50": 899.5, "1,23,456.5": 123456.5, "1,234,567": 1234567.0, "12345.05": 12345.05}


def test_prices_as_they_are_written(qtbot: QtBot, locale: str) -> None:
    field = price(qtbot)
    for text, value in READ.items():
        type_in(field, text)
        assert field.value() == value, f"{text} in {locale}"
        assert field.text() == fmt.price(value, 2)


@pytest.mark.parametrize("text", ["899,50", "1,2", "1,23,45", "12,345,6"])
def test_what_could_be_two_numbers_changes_nothing_and_is_explained(
    qtbot: QtBot, locale: str, text: str
) -> None:
    field = price(qtbot)
    heard: list[float] = []
    field.valueChanged.connect(heard.append)
    type_in(field, text, enter=False)
    assert "two ways" in field.problem()
    type_in(field, "899", enter=False)  # typed on or typed anew: no sentence yet
    assert not field.problem()
    before = field.value()
    type_in(field, text)
    assert field.value() in {before, *heard}
    assert 89950.0 not in heard and field.value() != 89950.0
    assert "two ways" in QToolTip.text()
    assert "two ways" in field.accessibleDescription()
    # The value that is shown again was not meant: nothing sends it before it is written anew.
    assert "two ways" in field.problem()
    type_in(field, "899.5")
    assert not field.problem() and field.value() == 899.5


def test_letters_and_signs_cannot_be_typed(qtbot: QtBot) -> None:
    field = price(qtbot)
    type_in(field, "9a-1e5")
    assert field.value() == 915.0


def test_whole_numbers(qtbot: QtBot, locale: str) -> None:
    field = CountField()
    show(qtbot, field)
    type_in(field, "1,20,000")
    assert field.value() == 120_000
    assert field.text() == "1,20,000"
    type_in(field, "10.5", enter=False)
    assert field.problem() == "Write a whole number."
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert field.value() in (10, 120_000)


def test_other_numbers_have_words_and_units_around_them(qtbot: QtBot, locale: str) -> None:
    field = DecimalField(1)
    field.setRange(0, 1e9)
    field.setSuffix(" %")
    field.setSpecialValueText("off")
    show(qtbot, field)
    assert field.text() == "off"
    type_in(field, "12.5")
    assert (field.value(), field.text()) == (12.5, "12.5 %")
    type_in(field, "1,00,000")
    assert (field.value(), field.text()) == (100_000.0, "1,00,000 %")
    type_in(field, "0")
    assert field.text() == "off"


@pytest.mark.parametrize("make", [PriceField, CountField, DecimalField])
def test_what_was_refused_holds_until_the_field_is_written_anew(qtbot: QtBot, make: type) -> None:
    field = make()
    field.setRange(0, 1000)
    show(qtbot, field)
    type_in(field, "1,5")
    assert field.problem() != ""
    type_in(field, "15")
    assert field.problem() == "" and field.value() == 15
    type_in(field, "1,5")
    field.setValue(7)
    assert field.problem() == "" and field.value() == 7


def test_the_range_is_said(qtbot: QtBot) -> None:
    field = CountField()
    field.setRange(5, 50)
    show(qtbot, field)
    type_in(field, "4", enter=False)
    assert field.problem() == "Write at least 5."
    type_in(field, "499")  # the last 9 is not taken
    assert field.value() == 49


def test_the_grouping_setting_reaches_other_numbers(qtbot: QtBot) -> None:
    field = DecimalField()
    field.setRange(0, 1e12)
    show(qtbot, field)
    field.setValue(1234567.5)
    assert field.text() == "12,34,567.5"
    fmt.set_grouping("western")
    try:
        field.setValue(7654321.0)
        assert field.text() == "7,654,321"
        type_in(field, "12,34,567")  # both are read in both
        assert field.value() == 1234567.0
    finally:
        fmt.set_grouping("indian")
