"""Prices that follow the book or the trigger."""

from __future__ import annotations

import pytest

from openalgo_desktop.core.enums import Action, FeedMode, PriceType
from openalgo_desktop.core.following import followed
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.ticks import Part, Tick

SBIN = Instrument("SBIN", "NSE", tick_size=0.05)
BUY, SELL = Action.BUY, Action.SELL
FULL = Tick("SBIN", "NSE", 800.02, FeedMode.QUOTE, bid=799.9, ask=800.1)
NO_ASK = Tick("SBIN", "NSE", 800.02, FeedMode.QUOTE, bid=799.9)
LAST = Tick("SBIN", "NSE", 800.02, FeedMode.QUOTE, unknown=Part.TOUCH)


@pytest.mark.parametrize(
    ("action", "tick", "price", "what"),
    [
        (BUY, FULL, 799.9, "bid"),
        (SELL, FULL, 800.1, "ask"),
        (SELL, NO_ASK, 800.0, "last price"),
        (BUY, LAST, 800.0, "last price"),
        (BUY, None, None, "bid"),
        (SELL, None, None, "ask"),
    ],
)
def test_a_limit_follows_its_side_of_the_book(
    action: Action, tick: Tick | None, price: float | None, what: str
) -> None:
    assert followed(PriceType.LIMIT, action, SBIN, tick, 0.0) == (price, what)


def test_a_stop_limit_lies_through_its_trigger() -> None:
    assert followed(PriceType.SL, BUY, SBIN, FULL, 820.0) == (824.1, "trigger")
    assert followed(PriceType.SL, SELL, SBIN, None, 780.0) == (776.1, "trigger")
    assert followed(PriceType.SL, SELL, SBIN, FULL, 0.0) == (None, "trigger")
