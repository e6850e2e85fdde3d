"""Sizes and values of contracts, and the rule for what is no multiple."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from openalgo_desktop.brokers.kit.master.contracts import (
    contract_size,
    in_contracts,
    table_size,
    unit_value,
)
from openalgo_desktop.brokers.openalgo.master import read_row as read_openalgo
from openalgo_desktop.brokers.zerodha.master import read_row as read_kite
from openalgo_desktop.brokers.zerodha.spec import SPEC
from openalgo_desktop.core.enums import Action, Product
from openalgo_desktop.core.errors import InvalidOrder
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.exchange.margin import MarginTable

FILE = SPEC.master.files[0]


@pytest.mark.parametrize(
    ("names", "size"),
    [
        (("GOLD",), 1),
        (("GOLDM",), 100),
        (("GOLDM05FEB26FUT",), 100),
        (("GOLDPETAL",), 1),
        (("GOLDGUINEA30NOV26FUT",), 8),
        (("CRUDEOIL26DECFUT",), 100),
        (("CRUDEOILM26DECFUT",), 10),
        (("SILVER26DECFUT",), 30),
        (("SILVER10027FEBFUT",), 100),
        (("SILVER10027FEB27FUT",), 100),
        (("SILVERM",), 5),
        (("NATURALGAS26NOV250CE",), 1250),
        (("CRUDE OIL",), 100),
        (("CRUDEOIL FUT 18 DEC 26",), 100),
        (("GOLDM FUT 05 FEB 27",), 100),
        (("CRUDEOILFUTURES",), 1),
        (("GOLDXYZ26DECFUT",), 1),
        (("CRUDEOILXYZ26DECFUT",), 1),
        (("PLATINUM",), 1),
        (("", "ZINC26DECFUT"), 5),
    ],
)
def test_the_longest_root_wins_and_unknown_ones_count_one(
    names: tuple[str, ...], size: int
) -> None:
    assert table_size("MCX", *names) == size


def test_a_master_that_says_lot_1_leaves_it_to_the_table() -> None:
    """A lot of 1 is a contract, uncounted; a larger one is the master's word."""
    row = Instrument("GOLDM05FEB27FUT", "MCX", "GOLDM", "FUT", 1)
    assert contract_size(row, "MCX") == 100
    assert contract_size(msgspec.structs.replace(row, lot_size=50), "MCX") == 50
    assert contract_size(None, "MCX", "CRUDEOILM26DECFUT") == 10


@pytest.mark.parametrize(
    ("what", "field"),
    [("Quantity", "quantity"), ("Disclosed quantity", "disclosed_quantity")],
)
def test_what_is_no_multiple_names_its_field_and_the_lot(what: str, field: str) -> None:
    assert in_contracts(300, 100, "GOLDM", what) == 3
    with pytest.raises(InvalidOrder, match=f"{what} must be .* lot size 100 for GOLDM") as caught:
        in_contracts(250, 100, "GOLDM", what)
    assert caught.value.field == field


def test_a_size_that_changed_holds_for_its_expiries() -> None:
    assert table_size("MCX", "MCXBULLDEX", expiry=date(2026, 10, 27)) == 30
    assert table_size("MCX", "MCXBULLDEX", expiry=date(2026, 11, 24)) == 15
    assert table_size("MCX", "MCXBULLDEX", expiry=date(2026, 11, 1)) == 15  # that very day
    assert table_size("MCX", "MCXBULLDEX", expiry=date(2026, 10, 31)) == 30


@pytest.mark.parametrize(
    ("exchange", "lot", "name", "value"),
    [
        ("MCX", 1, "GOLD", 100.0),
        ("MCX", 100, "GOLDM", 0.1),
        ("MCX", 8, "GOLDGUINEA", 0.125),
        ("MCX", 5, "ZINC", 1000.0),
        ("MCX", 1, "LEADMINI", 1000.0),
        ("MCX", 4, "KAPAS", 50.0),
        ("MCX", 100, "CRUDEOIL", 1.0),
        ("MCX", 30, "SILVER", 1.0),
        ("CDS", 1, "USDINR", 1000.0),
        ("CDS", 1000, "USDINR", 1.0),
        ("BCD", 1, "JPYINR", 1000.0),
        ("NFO", 65, "NIFTY", 1.0),
        ("NSE", 1, "GOLDBEES", 1.0),
    ],
)
def test_what_a_rupee_of_price_is_worth(exchange: str, lot: int, name: str, value: float) -> None:
    assert unit_value(exchange, lot, name) == pytest.approx(value)


def test_a_size_in_the_masters_row_goes_before_the_table() -> None:
    row = Instrument("GOLDM05FEB26FUT", "MCX", "GOLDM", "FUT", lot_size=250)
    assert contract_size(row, "MCX") == 250
    assert contract_size(None, "MCX", "GOLDM26FEBFUT") == 100


def test_no_multiple_is_refused_with_the_lot() -> None:
    assert in_contracts(300, 100, "X") == 3
    with pytest.raises(InvalidOrder, match="multiples of lot size 100 for X, got 150") as caught:
        in_contracts(150, 100, "X")
    assert caught.value.field == "quantity"


def kite_row(name: str, exchange: str, lot: int, tick: float) -> Instrument:
    row = read_kite(
        {
            "instrument_token": "1", "exchange_token": "2", "tradingsymbol": f"{name}26DECFUT",
            "name": name, "last_price": "0", "expiry": "2026-12-18", "strike": "0",
            "tick_size": str(tick), "lot_size": str(lot), "instrument_type": "FUT",
            "segment": f"{exchange}-FUT", "exchange": exchange,
        },
        FILE,
    )  # fmt: skip
    assert row is not None
    return row


@pytest.mark.parametrize(
    ("name", "exchange", "lot", "tick", "profit"),
    [
        ("CRUDEOIL", "MCX", 100, 1.0, 100.0),
        ("GOLD", "MCX", 1, 1.0, 100.0),
        ("GOLDM", "MCX", 100, 1.0, 10.0),
        ("SILVERM", "MCX", 5, 1.0, 5.0),
        ("ZINC", "MCX", 5, 0.05, 250.0),
        ("NATURALGAS", "MCX", 1250, 0.1, 125.0),
        ("USDINR", "CDS", 1, 0.0025, 2.5),
    ],
)
def test_profit_of_a_tick_and_margin_of_a_lot_from_kites_dump(
    name: str, exchange: str, lot: int, tick: float, profit: float
) -> None:
    row = kite_row(name, exchange, 1, tick)  # the dump says 1 for all of these
    assert row.lot_size == lot
    assert row.lot_size * row.tick_size * row.contract_value == pytest.approx(profit)
    from decimal import Decimal

    need = MarginTable().required(row, Action.BUY, Product.NRML, lot, Decimal(1000))
    assert float(need) == pytest.approx(profit / tick * 1000 / 10)


@pytest.mark.parametrize("lot", [1, 100])
def test_a_remote_servers_lot_is_one_contract_whatever_it_has(lot: int) -> None:
    row = read_openalgo(
        {
            "symbol": "CRUDEOIL18DEC26FUT", "exchange": "MCX", "name": "CRUDEOIL",
            "instrumenttype": "FUT", "expiry": "18-DEC-26", "lotsize": str(lot),
            "tick_size": "1", "strike": "-1", "token": "1",
        },
        FILE,
    )  # fmt: skip
    assert row is not None
    assert row.lot_size * row.contract_value == pytest.approx(100.0)
