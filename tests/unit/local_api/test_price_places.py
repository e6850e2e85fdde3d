"""Prices keep the instrument's decimals in the API's rows, and a percentage counts what the
contract is worth."""

from __future__ import annotations

import pytest

from openalgo_desktop.core.enums import Mode, Product
from openalgo_desktop.core.model import Position
from openalgo_desktop.local_api.handlers import shapes


@pytest.mark.parametrize(
    ("symbol", "exchange"),
    [("USDINR29DEC26FUT", "CDS"), ("USDINR29DEC26FUT", "BCD"), ("NATURALGAS28DEC26FUT", "NCO")],
)
def test_prices_keep_four_decimals(symbol: str, exchange: str) -> None:
    row = Position(symbol, exchange, Product.NRML, 1, 90.1225, ltp=90.1275)
    for mode in Mode:
        assert float(shapes.position_row(row, mode)["average_price"]) == 90.1225
        assert shapes.position_row(row, mode)["ltp"] == 90.1275
    assert shapes.position_row(row, Mode.LIVE)["average_price"] == "90.1225"


def test_the_percentage_of_a_position_counts_the_contract_value() -> None:
    contract = Position(
        "USDINR29DEC26FUT", "CDS", Product.NRML, 2, 90.0, ltp=90.9, multiplier=1000.0
    )
    row = shapes.position_row(contract, Mode.SANDBOX)
    assert row["pnl"] == 1800.0
    assert row["pnlpercent"] == pytest.approx(1.0)
    short = Position("SBIN", "NSE", Product.MIS, -10, 800.0, ltp=792.0)
    assert shapes.position_row(short, Mode.SANDBOX)["pnlpercent"] == pytest.approx(1.0)
