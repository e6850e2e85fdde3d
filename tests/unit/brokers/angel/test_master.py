"""The scrip master through the real reader: an extract made of the recordings' rows and of the
fact sheet's forms, every row both ways."""

from __future__ import annotations

from pathlib import Path

import pytest

from openalgo_desktop.brokers.angel.spec import SPEC
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.master.reading import Reading, read_file
from openalgo_desktop.core.model import Instrument

EXTRACT = Path("tests/data/masters/angel_scrips.json")


@pytest.fixture(scope="module")
def rows() -> list[Instrument]:
    found = Reading()
    read = read_file(SPEC.master, SPEC.master.files[0], EXTRACT, found=found)
    assert found.bad == 0
    return read


def test_every_row_both_ways(rows: list[Instrument]) -> None:
    index = BrokerIndex()
    assert index.load(rows) == []
    assert len(rows) == 31  # of 34: no spot prices, no NCDEX
    for row in rows:
        assert index.require(row.symbol, row.exchange) is row
        assert index.by_token(row.token, row.exchange) is row
        assert index.by_brsymbol(row.brsymbol, row.exchange) is row


def test_names_numbers_and_units(rows: list[Instrument]) -> None:
    by = {(row.exchange, row.symbol): row for row in rows}
    for key in (
        ("NSE", "M&M"), ("NSE", "20MICRONS"), ("NSE", "824GS2027"), ("BSE", "RELIANCE"),
        ("NSE_INDEX", "INDIAVIX"), ("NSE_INDEX", "FINNIFTY"), ("NSE_INDEX", "NIFTYNXT50"),
        ("NSE_INDEX", "MIDCPNIFTY"), ("BSE_INDEX", "BANKEX"), ("MCX_INDEX", "MCXBULLDEX"),
        ("NFO", "SBIN30DEC25812.5PE"), ("BFO", "BANKEX24DEC2565000CE"),
        ("MCX", "NATURALGAS22DEC25400PE"), ("CDS", "USDINR29DEC2584.5PE"),
    ):  # fmt: skip
        assert key in by, key
    euro, gold = by["CDS", "EURINR29DEC25FUT"], by["MCX", "GOLDM05JAN26FUT"]
    assert (euro.tick_size, euro.lot_size, euro.contract_value) == (0.0025, 1000, 1.0)
    assert (gold.tick_size, gold.lot_size, gold.contract_value) == (1.0, 100, 0.1)
    assert by["NFO", "SBIN30DEC25812.5PE"].strike == 812.5
    assert by["CDS", "USDINR29DEC2584.5PE"].strike == 84.5
