"""The instrument list: a real extract of it, whole, and rows of each kind.

The extract (``tests/data/masters/dhan_part.csv.gz``, 2025) has the values of the list under the
names that the API's answers use, without lots, ticks and series; here they get the names of the
compact file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openalgo_desktop.brokers.dhan import BROKER
from openalgo_desktop.brokers.families.dhanhq.master import read_row
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.master.readers import rows_of
from openalgo_desktop.brokers.kit.spec import MasterFile
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.symbols import ParsedSymbol, format_symbol, parse

EXTRACT = Path("tests/data/masters/dhan_part.csv.gz")
FILE = BROKER.spec.master.files[0]
_MARKETS = {
    "NSE_EQ": ("NSE", "E"), "NSE_FNO": ("NSE", "D"), "BSE_FNO": ("BSE", "D"),
    "MCX_COMM": ("MCX", "M"),
}  # fmt: skip
ROWS = 19_118


def official() -> Iterator[dict[str, Any]]:
    """The extract under the official names."""
    index_of = "BSE"  # its indices come first
    for raw in rows_of(MasterFile(path="/x", name="extract", pack="gz"), EXTRACT):
        if raw["tradingSymbol"] == "NIFTY" and raw["instrument"] == "INDEX":
            index_of = "NSE"
        exchange, segment = _MARKETS.get(raw["exchangeSegment"], (index_of, "I"))
        day, month, year = (raw["expiryDate"] or "--").split("-")
        yield {
            "SEM_EXM_EXCH_ID": exchange,
            "SEM_SEGMENT": segment,
            "SEM_SMST_SECURITY_ID": raw["securityId"],
            "SEM_INSTRUMENT_NAME": raw["instrument"],
            "SEM_TRADING_SYMBOL": raw["tradingSymbol"],
            "SEM_CUSTOM_SYMBOL": raw["customSymbol"],
            "SEM_EXPIRY_DATE": f"{year}-{month}-{day} {raw['expiryTime'][11:]}" if year else "",
            "SEM_STRIKE_PRICE": raw["strikePrice"],
            "SEM_OPTION_TYPE": raw["optionType"],
            "SEM_LOT_UNITS": "1.0",
            "SEM_TICK_SIZE": "5.0000",
            "SEM_SERIES": "",
            "SM_SYMBOL_NAME": raw["symbol"],
        }


def test_the_extract_loads_whole_and_every_name_goes_both_ways() -> None:
    rows = [row for raw in official() if (row := read_row(raw, FILE)) is not None]
    assert len(rows) == ROWS
    index = BrokerIndex()
    twice = index.load(rows)
    # Debentures and warrants that bear the ticker of a share: the extract has no series to tell.
    assert sorted({row.symbol for row in twice}) == [
        "AARTISURF", "ANURAS", "CHOLAFIN", "ELECTCAST", "IMC1", "M&MFIN", "MOTHERSON", "RADIOCITY",
    ]  # fmt: skip
    assert len(twice) == 10
    kept = [row for row in rows if row not in twice]
    shared = Counter((row.exchange, row.brsymbol) for row in kept)
    for row in kept:
        assert index.get(row.key) is row
        assert index.by_token(row.token, row.exchange) is row
        named = index.by_brsymbol(row.brsymbol, row.exchange)
        # Weekly options of a month share their trading symbol: it finds none of them.
        assert named is (row if shared[row.exchange, row.brsymbol] == 1 else None)
        if row.expiry is not None:
            parts = ParsedSymbol(row.name, row.instrument_type, row.expiry, row.strike)
            assert parse(row.symbol) == parts and format_symbol(parts) == row.symbol
    kinds = Counter((row.exchange, row.instrument_type) for row in rows)
    assert kinds["NFO", "CE"] + kinds["NFO", "PE"] == 10_948
    assert kinds["BFO", "CE"] + kinds["BFO", "PE"] == 4_606
    assert (kinds["NSE", "EQ"], kinds["MCX", "FUT"], kinds["NFO", "FUT"]) == (3308, 121, 15)
    for exchange, symbol in (
        ("NSE_INDEX", "NIFTY"), ("NSE_INDEX", "BANKNIFTY"), ("NSE_INDEX", "NIFTYNXT50"),
        ("NSE_INDEX", "MIDCPNIFTY"), ("NSE_INDEX", "NIFTYMIDCAP50"), ("BSE_INDEX", "SENSEX"),
        ("BSE_INDEX", "BANKEX"), ("BSE_INDEX", "SENSEX50"), ("BFO", "SENSEX26MAR2679000PE"),
        ("MCX", "SILVERM29AUG25FUT"),
    ):  # fmt: skip
        assert index.get((exchange, symbol)) is not None, symbol


def row(**changes: str) -> Instrument | None:
    """A row of the compact file."""
    names = {
        "SEM_EXM_EXCH_ID": "NSE", "SEM_SEGMENT": "D", "SEM_SMST_SECURITY_ID": "1",
        "SEM_INSTRUMENT_NAME": "OPTSTK", "SEM_TRADING_SYMBOL": "BAJAJ-AUTO-Dec2026-9012.5-CE",
        "SEM_EXPIRY_DATE": "2026-12-29 14:30:00", "SEM_STRIKE_PRICE": "9012.50000",
        "SEM_OPTION_TYPE": "CE", "SEM_LOT_UNITS": "75.0", "SEM_TICK_SIZE": "5.0000",
        "SEM_SERIES": "NA", "SM_SYMBOL_NAME": "BAJAJ-AUTO",
    }  # fmt: skip
    return read_row({**names, **changes}, FILE)


def test_names_with_hyphens_and_strikes_with_decimals() -> None:
    found = row()
    assert found is not None
    assert (found.symbol, found.name) == ("BAJAJ-AUTO29DEC269012.5CE", "BAJAJ-AUTO")
    assert (found.lot_size, found.tick_size, found.brexchange) == (75, 0.05, "NSE_FNO")


def test_what_shares_a_ticker_has_a_symbol_of_its_own() -> None:
    """Else an order for the share could buy its debentures: they come first in the list."""
    share = {"SEM_SEGMENT": "E", "SEM_INSTRUMENT_NAME": "EQUITY", "SEM_TRADING_SYMBOL": "CHOLAFIN"}
    debenture = row(**share, SEM_SERIES="N1", SEM_SMST_SECURITY_ID="19257")
    equity = row(**share, SEM_SERIES="EQ", SEM_SMST_SECURITY_ID="685")
    assert debenture is not None and equity is not None
    index = BrokerIndex([debenture, equity])
    assert index.require("CHOLAFIN", "NSE").token == "685"
    assert index.require("CHOLAFIN-N1", "NSE").token == "19257"
    assert index.by_brsymbol("CHOLAFIN", "NSE") is equity
    group = row(**share, SEM_EXM_EXCH_ID="BSE", SEM_SERIES="A")
    assert group is not None and group.symbol == "CHOLAFIN"


def test_what_is_not_offered_is_left_out() -> None:
    assert row(SEM_SEGMENT="M") is None  # NSE's own commodities


@pytest.mark.parametrize(
    "spoiled",
    ["SEM_EXPIRY_DATE", "SEM_STRIKE_PRICE", "SEM_LOT_UNITS", "SEM_SMST_SECURITY_ID"],
)
def test_an_odd_row_is_an_unreadable_one(spoiled: str) -> None:
    with pytest.raises(ValueError):
        row(**{spoiled: "soon"})
