"""Rows of Fyers' files as they are published, through the real reader, both ways."""

from __future__ import annotations

from pathlib import Path

import pytest

from openalgo_desktop.brokers.fyers.master import COLUMNS, read_row
from openalgo_desktop.brokers.fyers.spec import SPEC
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.master.reading import read_file
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.symbols import parse

FOLDER = Path("tests/data/masters/fyers")
FILES = {file.name: file for file in SPEC.master.files}


def rows() -> list[Instrument]:
    found: list[Instrument] = []
    for path in sorted(FOLDER.iterdir()):
        name = path.name.removesuffix(".csv").removesuffix("_sym_master.json")
        found += read_file(SPEC.master, FILES[name], path)
    return found


def test_every_row_is_found_both_ways() -> None:
    table = rows()
    index = BrokerIndex(table)
    assert len(table) == len({row.key for row in table}) == len({row.brsymbol for row in table})
    for row in table:
        assert index.require(row.symbol, row.exchange) == row
        assert index.found(row.brsymbol, "", row.exchange) == row
        parts = parse(row.symbol)
        assert (parts.expiry, parts.strike) == (row.expiry, row.strike)
        assert parts.kind == (row.instrument_type if row.expiry else "EQ")
    assert len(table) == 17


@pytest.mark.parametrize(
    ("exchange", "symbol", "ticker", "lot", "tick", "value"),
    [
        ("NSE", "SBIN", "NSE:SBIN-EQ", 1, 0.1, 1.0),
        ("NSE_INDEX", "NIFTY", "NSE:NIFTY50-INDEX", 1, 0.05, 1.0),
        ("NSE_INDEX", "NIFTYMIDCAP50", "NSE:NIFTYMIDCAP50-INDEX", 1, 0.05, 1.0),
        ("BSE_INDEX", "SENSEX", "BSE:SENSEX-INDEX", 1, 0.05, 1.0),
        ("BSE_INDEX", "BSE100", "BSE:100-INDEX", 1, 0.05, 1.0),
        ("NFO", "NIFTY29SEP26FUT", "NSE:NIFTY26SEPFUT", 65, 0.1, 1.0),
        ("NFO", "RELIANCE29SEP261400CE", "NSE:RELIANCE26SEP1400CE", 500, 0.05, 1.0),
        ("MCX", "GOLD05JUN25FUT", "MCX:GOLD25JUNFUT", 1, 1.0, 100.0),
        ("MCX", "CRUDEOIL19OCT26FUT", "MCX:CRUDEOIL26OCTFUT", 100, 1.0, 1.0),
        ("CDS", "USDINR29OCT2683.25CE", "NSE:USDINR26OCT83.25CE", 1000, 0.0025, 1.0),
    ],
)
def test_known_rows(
    exchange: str, symbol: str, ticker: str, lot: int, tick: float, value: float
) -> None:
    row = next(row for row in rows() if row.brsymbol == ticker)
    assert (row.exchange, row.symbol) == (exchange, symbol)
    assert (row.lot_size, row.tick_size, row.contract_value) == (lot, tick, value)


@pytest.mark.parametrize(
    ("ticker", "symbol"),
    [
        ("NSE:SBIN-EQ", "SBIN"),
        ("NSE:SBIN-BE", "SBIN"),
        ("NSE:BAJAJ-AUTO-EQ", "BAJAJ-AUTO"),
        ("NSE:SBIN-T0", "SBIN-T0"),
        ("NSE:SBIN-BL", "SBIN-BL"),
    ],
)
def test_another_series_is_not_taken_for_the_share(ticker: str, symbol: str) -> None:
    base = ticker.removeprefix("NSE:").rpartition("-")[0]
    values = dict.fromkeys(COLUMNS, "")
    values |= {
        "fyToken": "10100000003045", "symDetails": base, "exInstType": "0", "minLotSize": "1",
        "tickSize": "0.05", "symTicker": ticker, "exchange": "10", "segment": "10",
        "underSym": base, "optType": "XX",
    }  # fmt: skip
    row = read_row(values, FILES["NSE_CM"])
    assert row is not None and (row.symbol, row.brsymbol) == (symbol, ticker)


def test_what_is_not_offered_is_left_out() -> None:
    assert "91D010127-TB" in (FOLDER / "NSE_CM.csv").read_text("utf-8")
    assert not [row for row in rows() if row.brsymbol.endswith("-TB")]
    (gold,) = [row for row in rows() if row.instrument_type == "GB"]
    assert (gold.symbol, gold.exchange) == ("SGBAUG28V", "NSE")
