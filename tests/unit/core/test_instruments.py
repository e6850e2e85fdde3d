"""The instrument table."""

from __future__ import annotations

from datetime import date

import pytest

from openalgo_desktop.core.errors import SymbolUnknown
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument

NEAR, FAR = date(2026, 12, 1), date(2026, 12, 29)


def option(name: str, expiry: date, strike: float, kind: str) -> Instrument:
    text = expiry.strftime("%d%b%y").upper()
    symbol = f"{name}{text}{strike:g}{kind}"
    return Instrument(symbol, "NFO", name, kind, 65, 0.05, expiry, strike, brsymbol=f"{name}-X")


@pytest.fixture
def table() -> InstrumentTable:
    found = InstrumentTable()
    found.load(
        [
            Instrument("SBIN", "NSE", "STATE BANK OF INDIA", token="3045"),
            Instrument("SBIN", "BSE", "STATE BANK OF INDIA", token="500112"),
            Instrument("SBILIFE", "NSE", "SBI LIFE INSURANCE"),
            Instrument("PSUBANKBEES", "NSE", "FUND OF SBIN AND OTHERS"),
            Instrument("NIFTY29DEC26FUT", "NFO", "NIFTY", "FUT", 65, 0.1, FAR),
            Instrument("NIFTYNXT5029DEC26FUT", "NFO", "NIFTYNXT50", "FUT", 25, 0.1, FAR),
            *(
                option("NIFTY", e, k, t)
                for e in (NEAR, FAR)
                for k in (26000.0, 26050.0)
                for t in ("CE", "PE")
            ),
        ]
    )
    return found


def test_lookups(table: InstrumentTable) -> None:
    assert len(table) == 14
    assert table.require("SBIN", "BSE").token == "500112"
    assert table.get(("NSE", "NOPE")) is None
    with pytest.raises(SymbolUnknown, match="Symbol 'NOPE' not found for exchange 'NSE'"):
        table.require("NOPE", "NSE")
    assert [row.symbol for row in table.rows("BSE")] == ["SBIN"]
    assert table.row_id(("NSE", "SBIN")) == 1
    assert table.row_id(("NSE", "NOPE")) == 0


def test_derivatives(table: InstrumentTable) -> None:
    assert table.expiries("NIFTY", "NFO", False, date(2026, 11, 24)) == [NEAR, FAR]
    assert table.expiries("NIFTY", "NFO", False, date(2026, 12, 2)) == [FAR]
    assert table.expiries("NIFTY", "NFO", True, NEAR) == [FAR]
    assert table.strikes("NIFTY", "NFO", NEAR) == [26000.0, 26050.0]
    found = table.option("NIFTY", "NFO", FAR, 26050, "PE")
    assert found is not None
    assert found.symbol == "NIFTY29DEC2626050PE"
    assert table.option("NIFTY", "NFO", FAR, 99, "PE") is None


def test_search_ranks_exact_then_prefix_then_rest(table: InstrumentTable) -> None:
    hits = [(row.exchange, row.symbol) for row in table.search("sbin")]
    assert hits == [("NSE", "SBIN"), ("BSE", "SBIN"), ("NSE", "PSUBANKBEES")]
    assert [row.symbol for row in table.search("SBI", "NSE")][:2] == ["SBIN", "SBILIFE"]


def test_search_needs_all_terms_and_knows_strikes(table: InstrumentTable) -> None:
    hits = [row.symbol for row in table.search("nifty 26000", "NFO")]
    assert hits == [
        "NIFTY01DEC2626000CE",
        "NIFTY01DEC2626000PE",
        "NIFTY29DEC2626000CE",
        "NIFTY29DEC2626000PE",
    ]
    assert table.search("nifty qqq") == []
    assert table.search("  ") == []
    assert [row.symbol for row in table.search("500112")] == ["SBIN"]
    assert len(table.search("NIFTY", limit=3)) == 3


def test_the_window_has_the_nearest_expiry_first(table: InstrumentTable) -> None:
    names = ["NIFTY23FEB27FUT", "NIFTY25JAN27FUT", "NIFTY29DEC26FUT"]
    expiries = [date(2027, 2, 23), date(2027, 1, 25), date(2026, 12, 29)]
    table.load(
        Instrument(name, "NFO", instrument_type="FUT", expiry=expiry)
        for name, expiry in zip(names, expiries, strict=True)
    )
    assert [row.symbol for row in table.search("nifty fut")] == names
    nearest = table.find("nifty fut", date(2026, 12, 1), lambda exchange, name: None)
    assert [row.symbol for row in nearest] == names[::-1]


def test_a_new_load_replaces_everything(table: InstrumentTable) -> None:
    assert table.search("SBIN")
    table.load([Instrument("TCS", "NSE")])
    assert len(table) == 1
    assert table.search("SBIN") == []
    assert table.strikes("NIFTY", "NFO", NEAR) == []
