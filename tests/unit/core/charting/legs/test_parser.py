"""Reading combinations."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openalgo_desktop.core.charting.legs import Expression, parse
from openalgo_desktop.core.errors import DataError
from openalgo_desktop.core.model import Key

PRICES = {
    "A": 10.0,
    "B": 4.0,
    "BAJAJ": 100.0,
    "AUTO": 7.0,
    "BAJAJ-AUTO": 9000.0,
    "M&M": 3000.0,
    "M": 1.0,
    "3MINDIA": 30000.0,
    "NFO:NIFTY25NOV25FUT": 26000.0,
    "NSE_INDEX:NIFTY": 25900.0,
    "NIFTY25NOV2526000CE": 120.0,
    "L&T-FH": 88.0,
}


def known(name: str) -> Key | None:
    return ("X", name) if name in PRICES else None


def read(text: str) -> Expression:
    return parse(text, known)


def value(text: str) -> float:
    return float(read(text).value(lambda key: PRICES[key[1]]))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("A-B", 6),
        ("A/B", 2.5),
        ("2*A-B", 16),
        ("(A+B)/2", 7),
        ("a - b", 6),
        ("A - B - B", 2),
        ("A - B * 2", 2),
        ("A/B/2", 1.25),
        ("-A+B", -6),
        ("-(A-B)*2", -12),
        ("A--B", 14),
        ("A*-2", -20),
        ("A \u2212 B", 6),
        ("A\u00d72\u00f74", 5),
        (".5*A+1.", 6),
        ("BAJAJ-AUTO", 9000),
        ("BAJAJ-AUTO-BAJAJ", 8900),
        ("BAJAJ - AUTO", 93),
        ("AUTO-BAJAJ", -93),
        ("M&M/M", 3000),
        ("'BAJAJ-AUTO'-\"M&M\"", 6000),
        ("2-A", -8),
        ("3MINDIA/3", 10000),
        ("NFO:NIFTY25NOV25FUT-NSE_INDEX:NIFTY", 100),
        ("2*NIFTY25NOV2526000CE-A", 230),
        ("L&T-FH-B", 84),
        ("((((A))))", 10),
    ],
)
def test_what_is_written_is_what_is_meant(text: str, wanted: float) -> None:
    assert value(text) == pytest.approx(wanted)
    assert read(text).text == text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "a symbol or a number is missing at the end"),
        ("A-", "a symbol or a number is missing at the end"),
        ("A-*B", "a symbol or a number is missing at character 3"),
        ("A B", r"\+ - \* or / is missing before B at character 3"),
        ("(A-B", r"the \( at character 1 is not closed"),
        ("A-B)", r"the \) at character 4 closes nothing"),
        ("A - INFYY", "INFYY at character 5 is no known symbol"),
        ("A^2", r"'\^' at character 2 has no meaning here"),
        ("'A", "the quote at character 1 is not closed"),
        ("''", "nothing at character 1 is no known symbol"),
        ("'INFYY'*2", "INFYY at character 1 is no known symbol"),
        ("1+2", "there is no symbol in it"),
        ("2A", "2A at character 1 is no known symbol"),
        ("(" * 60 + "A", "more than 40 parentheses"),
        ("A+" * 300 + "A", "longer than 400 characters"),
        ("__import__('os')", "'_' at character 1 has no meaning here"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, sentence: str) -> None:
    with pytest.raises(DataError, match=f"^Combination: .*{sentence}"):
        read(text)


def test_the_legs_are_told_each_once() -> None:
    assert read("2*A-B+A").keys == (("X", "A"), ("X", "B"))


def test_factors() -> None:
    linear = read("2*(A-B)/4 + 3 - A").linear
    assert linear is not None
    assert linear.factors == {("X", "A"): -0.5, ("X", "B"): -0.5} and linear.constant == 3
    assert read("A/B").linear is None and read("A*A").linear is None
    assert read("A/0").linear is None and read("A*0").linear is not None


def anywhere(name: str) -> Key | None:
    """As on a chart: a name is one of two exchanges, and of the second where that is written."""
    exchange, colon, symbol = name.rpartition(":")
    return (exchange if colon else "NSE", symbol) if symbol in PRICES else None


@settings(max_examples=60, deadline=None)
@given(st.recursive(
    st.sampled_from(["A", "B", "BSE:A", "'BSE:L&T-FH'", "BAJAJ-AUTO", "2", "0.00000125", "4.50"]),
    lambda part: st.one_of(
        part.map(lambda one: f"({one})"),
        part.map(lambda one: f"-({one})"),
        st.tuples(part, st.sampled_from("+-*/"), part).map(" ".join),
        st.tuples(part, st.sampled_from("+-*/"), part).map(lambda three: f"({''.join(three)})"),
    ),
    max_leaves=8,
))  # fmt: skip
def test_what_is_kept_is_the_same_of_the_same_instruments(text: str) -> None:
    try:
        made = parse(text, anywhere)
    except DataError:
        return  # without a symbol
    again = parse(made.identity, anywhere)
    assert again.root == made.root and again.identity == made.identity
    prices = {key: 3.0 + number for number, key in enumerate(made.keys)}
    one, two = (float(form.value(prices.__getitem__)) for form in (made, again))
    assert one == two or (math.isnan(one) and math.isnan(two))


def test_the_same_text_of_other_exchanges_is_something_else() -> None:
    here, there = parse("A - B", anywhere), parse("BSE:A-B", anywhere)
    assert here.identity == '"NSE:A"-"NSE:B"' and there.identity == '"BSE:A"-"NSE:B"'
    assert here.written(lambda key: key[1]) == there.written(lambda key: key[1]) == "A-B"


def test_what_was_typed_as_long_as_may_be_is_read_again() -> None:
    made = parse("+".join(["A"] * 200), anywhere)
    assert parse(made.identity, anywhere).root == made.root
    with pytest.raises(DataError, match="number at character 3 is too large"):
        read("A*" + "9" * 350)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="AB2.+-*/() '&:M", max_size=14))
def test_any_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    try:
        read(text)
    except DataError as error:
        assert error.message.startswith("Combination: ") and error.message.endswith(".")
