"""Refusals in a trader's words."""

from __future__ import annotations

import re

import pytest

from openalgo_desktop.core.enums import Action, PriceType, Product
from openalgo_desktop.core.errors import InvalidOrder
from openalgo_desktop.core.model import Instrument, OrderRequest
from openalgo_desktop.core.wording import hint_for, in_words, plain_words
from openalgo_desktop.exchange.checks import check_order

API_WORD = re.compile(r"[a-z]+_[a-z]+|pricetype")
SHARE = Instrument("SBIN", "NSE")
FUTURE = Instrument("NIFTY29DEC26FUT", "NFO", instrument_type="FUT", lot_size=75)


@pytest.mark.parametrize(
    ("row", "changes", "said"),
    [
        (SHARE, {"quantity": 0}, "Enter a quantity."),
        (SHARE, {"price_type": PriceType.LIMIT}, "Enter a price: LIMIT has a limit."),
        (
            SHARE,
            {"price_type": PriceType.SLM},
            "Enter a trigger price: SL-M waits for it.",
        ),
        (FUTURE, {"quantity": 10}, "The quantity must be a multiple of the lot size, 75."),
        (SHARE, {"disclosed_quantity": 99}, "The disclosed quantity must be"),
        (SHARE, {"price_type": PriceType.LIMIT, "price": 2e9}, "price must be below"),
        (
            SHARE,
            {"price_type": PriceType.SLM, "trigger_price": 2e9},
            "trigger price must be below",
        ),
    ],
)
def test_no_word_of_the_api_reaches_a_trader(
    row: Instrument, changes: dict[str, object], said: str
) -> None:
    fields = {"quantity": row.lot_size, "product": Product.MIS} | changes
    request = OrderRequest(row.symbol, row.exchange, Action.BUY, **fields)  # type: ignore[arg-type]
    with pytest.raises(InvalidOrder) as refused:
        check_order(request, row)
    text = in_words(refused.value)
    assert said in text and API_WORD.search(text) is None


def test_other_texts_stay() -> None:
    assert plain_words("RMS: margin_x is short") == "RMS: margin_x is short"


@pytest.mark.parametrize(
    ("rejection", "hint"),
    [
        ("RED:Margin Shortfall[INR 7452.50] Available[INR 0.00]", "not enough free money"),
        ("Insufficient funds. Required margin is 95417.84", "not enough free money"),
        ("16283 : The order price is beyond the Daily Price Range", "circuit limits"),
        ("Market orders are blocked for options over API", "send a limit order"),
        ("Quantity exceeds freeze quantity", "slices"),
        ("Trigger price for stoploss buy orders should be above LTP", "above the last price"),
        ("The quantity is not a multiple of lot size", "lot size"),
        ("some text of a new broker", ""),
    ],
)
def test_a_rejection_gets_a_hint_where_we_know_one(rejection: str, hint: str) -> None:
    found = hint_for(rejection)
    assert hint in found and bool(found) is bool(hint)
