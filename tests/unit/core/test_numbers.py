"""Numbers of people and programs."""

from __future__ import annotations

import pytest

from openalgo_desktop.core.numbers import MAX_NUMBER, TooLarge, is_digits, number, whole


@pytest.mark.parametrize(
    ("value", "wanted"),
    [("10.0", 10.0), (" 10 ", 10.0), ("-.5", -0.5), ("1e3", 1000.0), (7, 7.0), ("5.", 5.0)],
)
def test_what_a_number_is(value: object, wanted: float) -> None:
    assert number(value) == wanted


@pytest.mark.parametrize(
    "value",
    ["1_000", "١٢", "１０", "", "nan", "inf", "1e999", "0x10", "1,000", True, None, [], 10**400],
)
def test_what_a_number_is_not(value: object) -> None:
    with pytest.raises(ValueError, match="number"):
        number(value)


def test_whole_numbers() -> None:
    assert whole("10.0") == 10
    assert whole(-3.0) == -3
    for value in (10.5, "1.5", True, "٣"):
        with pytest.raises(ValueError, match="number"):
            whole(value)


@pytest.mark.parametrize("value", [1e308, 10**400, -(10**21), "1e21", "9" * 60, 2e20])
def test_what_arithmetic_cannot_hold_is_too_large(value: object) -> None:
    for read in (number, whole):
        with pytest.raises(TooLarge):
            read(value)
    assert number(MAX_NUMBER) == whole(MAX_NUMBER) == MAX_NUMBER


def test_digits_are_ascii() -> None:
    assert is_digits("0123")
    assert not is_digits("١٢")
    assert not is_digits("²")
