"""The maker's whole instrument file (of August 2025) through the real reader."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from openalgo_desktop.brokers.kit.master.contracts import contract_size
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.master.reading import read_file
from openalgo_desktop.brokers.kit.master.sizes import Proof, prove
from openalgo_desktop.brokers.upstox.spec import SPEC
from openalgo_desktop.core import symbols
from openalgo_desktop.core.enums import Exchange
from openalgo_desktop.core.model import Instrument

FILE = Path("tests/data/masters/upstox_whole.json.gz")


@pytest.fixture(scope="module")
def rows() -> list[Instrument]:
    return list(read_file(SPEC.master, SPEC.master.files[0], FILE))


def test_every_row_is_read_and_none_is_there_twice(rows: list[Instrument]) -> None:
    source = json.loads(gzip.decompress(FILE.read_bytes()))
    assert len(source) == 95_846
    wanted = Counter(row["segment"] for row in source)
    del wanted["NSE_COM"]
    assert Counter(row.brexchange for row in rows) == wanted
    assert len(rows) == 88_048
    assert len({row.key for row in rows}) == len(rows)


def test_symbols_and_keys_lead_to_each_other_both_ways(rows: list[Instrument]) -> None:
    index = BrokerIndex()
    assert index.load(rows) == []
    for row in rows:
        assert index.require(row.symbol, row.exchange) is row
        assert index.by_token(row.token, row.exchange) is row
        assert index.found(row.brsymbol, row.token, row.exchange) is row
        assert row.token.partition("|")[0] == row.brexchange


def test_every_derivative_s_symbol_is_read_and_written_again(rows: list[Instrument]) -> None:
    derivatives = [row for row in rows if row.expiry is not None]
    assert len(derivatives) == 67_379
    for row in derivatives:
        parts = symbols.parse(row.symbol)
        assert parts == (row.name, row.instrument_type, row.expiry, row.strike)
        assert symbols.format_symbol(parts) == row.symbol


def test_lots_ticks_and_freezes(rows: list[Instrument]) -> None:
    assert all(row.lot_size > 0 and row.tick_size > 0 and row.contract_value > 0 for row in rows)
    futures = [row for row in rows if row.instrument_type == "FUT"]
    of = {(row.exchange, row.name): row for row in futures}
    crude, gold, zinc = (of["MCX", name] for name in ("CRUDEOIL", "GOLD", "ZINC"))
    assert (crude.lot_size, crude.contract_value, crude.freeze_qty) == (100, 1.0, 10_000)
    assert (gold.lot_size, gold.contract_value, gold.freeze_qty) == (1, 100.0, 10)
    assert (zinc.lot_size, zinc.contract_value, zinc.freeze_qty) == (5, 1000.0, 100)
    nifty, dollar = of["NFO", "NIFTY"], of["CDS", "USDINR"]
    assert (nifty.lot_size, nifty.contract_value, nifty.freeze_qty) == (75, 1.0, 1800)
    assert (dollar.lot_size, dollar.contract_value, dollar.tick_size) == (1, 1000.0, 0.0025)
    # What is sent as one: a lot of the file, whatever the table of contract sizes says.
    assert all(
        contract_size(row, "MCX") == row.lot_size for row in futures if row.exchange == "MCX"
    )


def test_the_master_says_what_the_documentation_leaves_open(rows: list[Instrument]) -> None:
    found = prove(rows, SPEC.doubted)
    assert set(found) == {Exchange.CDS, Exchange.BCD}
    for proof in found.values():
        assert isinstance(proof, Proof) and proof.contracts and proof.size == 1000


def test_indices_have_the_names_of_all_brokers(rows: list[Instrument]) -> None:
    indices = {row.key for row in rows if row.is_index}
    for symbol in ("NIFTY", "BANKNIFTY", "FINNIFTY", "MIDCPNIFTY", "NIFTYNXT50", "INDIAVIX"):
        assert ("NSE_INDEX", symbol) in indices
    for symbol in ("SENSEX", "BANKEX", "SENSEX50"):
        assert ("BSE_INDEX", symbol) in indices
