"""The decimals of prices: one helper for numbers, texts and the ledger."""

from __future__ import annotations

from decimal import Decimal

import pytest

from openalgo_desktop.core.money import price_text, priced
from openalgo_desktop.exchange.ledger import exact_price


@pytest.mark.parametrize(
    ("value", "number", "text"),
    [
        (800.0, 800.0, "800.00"),
        (800.05, 800.05, "800.05"),
        (90.1225, 90.1225, "90.1225"),
        (90.125, 90.125, "90.125"),
        (0.0025, 0.0025, "0.0025"),
        (800.0 + 0.05 * 3, 800.15, "800.15"),  # float noise
        (2400.05 / 3, 800.0167, "800.0167"),
        (1.00004, 1.0, "1.00"),
        (-0.00001, 0.0, "0.00"),
    ],
)
def test_prices_keep_four_decimals_and_no_noise(value: float, number: float, text: str) -> None:
    assert priced(value) == number and str(priced(value)) == str(number)
    assert price_text(value) == text
    assert float(exact_price(Decimal(str(value)))) == number
