"""Prices keep the instrument's decimals in the API's rows."""

from __future__ import annotations

from openalgo_desktop.core.enums import Mode, Product
from openalgo_desktop.core.model import Position
from openalgo_desktop.local_api.handlers import shapes


def test_currency_prices_keep_four_decimals() -> None:
    row = Position("USDINR29DEC26FUT", "CDS", Product.NRML, 1, 90.1225, ltp=90.1275)
    assert shapes.position_row(row, Mode.SANDBOX)["average_price"] == 90.1225
    assert shapes.position_row(row, Mode.SANDBOX)["ltp"] == 90.1275
    assert shapes.position_row(row, Mode.LIVE)["average_price"] == "90.1225"


def test_texts_have_two_decimals_and_more_where_they_are() -> None:
    texts = [shapes.price_text(value) for value in (800.0, 800.05, 90.1225, 90.125, 1.00004)]
    assert texts == ["800.00", "800.05", "90.1225", "90.125", "1.00"]
