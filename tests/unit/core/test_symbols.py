"""The unified symbol grammar."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openalgo_desktop.core import symbols
from openalgo_desktop.core.symbols import ParsedSymbol, format_symbol, parse

CASES = {
    "SBIN": ParsedSymbol("SBIN"),
    "M&M": ParsedSymbol("M&M"),
    "BAJAJ-AUTO": ParsedSymbol("BAJAJ-AUTO"),
    "NIFTY24DEC26FUT": ParsedSymbol("NIFTY", "FUT", date(2026, 12, 24)),
    "726GS203331DEC26FUT": ParsedSymbol("726GS2033", "FUT", date(2026, 12, 31)),
    "NIFTY24DEC2626500CE": ParsedSymbol("NIFTY", "CE", date(2026, 12, 24), 26500.0),
    "NIFTYNXT5024DEC2665000PE": ParsedSymbol("NIFTYNXT50", "PE", date(2026, 12, 24), 65000.0),
    "USDINR29DEC2688.5PE": ParsedSymbol("USDINR", "PE", date(2026, 12, 29), 88.5),
    "M&M29DEC263225CE": ParsedSymbol("M&M", "CE", date(2026, 12, 29), 3225.0),
    "726GS203331DEC2698PE": ParsedSymbol("726GS2033", "PE", date(2026, 12, 31), 98.0),
    "BTCUSDFUT": ParsedSymbol("BTCUSDFUT"),
    "RELIANCE": ParsedSymbol("RELIANCE"),
    "X99FEB26FUT": ParsedSymbol("X99FEB26FUT"),  # no such date
}


@pytest.mark.parametrize("text", CASES)
def test_known_symbols_go_both_ways(text: str) -> None:
    assert parse(text) == CASES[text]
    assert format_symbol(CASES[text]) == text


@given(
    st.sampled_from(["NIFTY", "M&M", "BAJAJ-AUTO", "SENSEX50", "726GS2033"]),
    st.dates(date(2020, 1, 1), date(2050, 12, 31)),
    st.integers(1, 400_000).map(lambda n: n / 4),
    st.sampled_from(["CE", "PE", "FUT"]),
)
def test_round_trip(base: str, expiry: date, strike: float, kind: str) -> None:
    parts = ParsedSymbol(base, kind, expiry, 0.0 if kind == "FUT" else strike)
    assert parse(format_symbol(parts)) == parts


def test_an_underlying_may_carry_an_expiry() -> None:
    assert symbols.split_underlying("NIFTY28OCT25FUT") == ("NIFTY", date(2025, 10, 28))
    assert symbols.split_underlying("NIFTY28OCT25") == ("NIFTY", date(2025, 10, 28))
    assert symbols.split_underlying("NIFTY") == ("NIFTY", None)


def test_expiry_texts() -> None:
    day = date(2026, 12, 1)
    assert symbols.format_expiry(day) == "01DEC26"
    assert symbols.format_expiry_dashed(day) == "01-DEC-26"
    assert symbols.parse_expiry("01DEC26") == symbols.parse_expiry("01-Dec-26") == day
    assert symbols.parse_expiry("2026-12-01") is None
    assert symbols.format_expiry_dashed(None) == ""


def test_exchanges_of_spot_and_options() -> None:
    assert symbols.spot_exchange("NIFTY", "NFO") == "NSE_INDEX"
    assert symbols.spot_exchange("SENSEX", "BFO") == "BSE_INDEX"
    assert symbols.spot_exchange("SBIN", "NFO") == "NSE"
    assert symbols.spot_exchange("CRUDEOIL", "MCX") == "MCX"
    assert symbols.option_exchange("NSE_INDEX") == "NFO"
    assert symbols.option_exchange("BSE") == "BFO"
    assert symbols.option_exchange("MCX") == "MCX"
