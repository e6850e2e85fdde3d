"""Numbers of people and programs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openalgo_desktop.core import numbers
from openalgo_desktop.core.money import group_indian, group_western
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


READ = {
    "899.50": 899.5,
    " 899.5 ": 899.5,
    "1,23,456.5": 123456.5,
    "123,456.5": 123456.5,
    "1,234,567": 1234567.0,
    "12,34,567": 1234567.0,
    "1,23,45,678.05": 12345678.05,
    "1,234": 1234.0,
    "12,345": 12345.0,
    "₹ 1,234": 1234.0,
    "-5": -5.0,
    "+5": 5.0,
    ".05": 0.05,
    "5.": 5.0,
    "0": 0.0,
    "007": 7.0,
}


@pytest.mark.parametrize("text", READ)
def test_numbers_as_traders_write_them(text: str) -> None:
    assert numbers.written(text) == READ[text]


UNCLEAR = {
    "899,50": "899,50 can be read in two ways: write 899.50 or 89950.",
    "1,23": "1,23 can be read in two ways: write 1.23 or 123.",
    "1.234,50": "1.234,50 can be read in two ways: write 1234.50 or 123450.",
    "1234,567": "1234,567 can be read in two ways: write 1234.567 or 1234567.",
    "1,2345": "1,2345 can be read in two ways: write 1.2345 or 12345.",
    "1,23,45": "1,23,45 can be read in two ways: write 123.45 or 12345.",
    "1,234,56,789": "1,234,56,789 can be read in two ways: write 123456.789 or 123456789.",
    "1.2.3": "1.2.3 is not clear: write the digits without commas, decimals behind a point.",
    ",5": ",5 is not clear: write the digits without commas, decimals behind a point.",
    "5,": "5, is not clear: write the digits without commas, decimals behind a point.",
    "1e5": "1e5 is not a number: write it as 1250.50.",
    "1 234": "1 234 is not a number: write it as 1250.50.",
    "1_000": "1_000 is not a number: write it as 1250.50.",
    "--5": "--5 is not a number: write it as 1250.50.",
    "٣": "Write a number, such as 1250.50.",
    "nan": "Write a number, such as 1250.50.",
    ".": "Write a number, such as 1250.50.",
    "": "Write a number.",
    "9" * 30: "The number is too large.",
    "9" * 70: "Write a number, such as 1250.50.",
}


@pytest.mark.parametrize("text", UNCLEAR)
def test_what_could_be_two_numbers_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(numbers.NotClear) as refused:
        numbers.written(text)
    assert str(refused.value) == UNCLEAR[text]


@given(st.integers(0, 10**12), st.sampled_from(["", ".5", ".05", ".1234"]), st.booleans())
def test_every_number_is_read_as_both_groupings_show_it(
    value: int, fraction: str, indian: bool
) -> None:
    group = group_indian if indian else group_western
    assert numbers.written(group(f"{value}{fraction}")) == float(f"{value}{fraction}")


@given(st.text("0123456789,.", max_size=10))
def test_what_is_read_has_the_digits_that_were_typed(text: str) -> None:
    try:
        value = numbers.written(text)
    except numbers.NotClear:
        return
    assert value == float(text.replace(",", ""))
    assert "," not in text.partition(".")[2]
    assert all(numbers.may_become(text[:end]) for end in range(len(text)))
