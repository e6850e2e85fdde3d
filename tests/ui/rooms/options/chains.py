"""A chain of eleven strikes around 24,500 for tests of its table and dock."""

from __future__ import annotations

from datetime import date

from openalgo_desktop.core.chain import ChainLeg, ChainStrike
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.symbols import option_symbol
from openalgo_desktop.core.ticks import Tick

EXPIRY = date(2026, 12, 1)
STRIKES = [24_250.0 + 50 * n for n in range(11)]


def symbol(strike: float, kind: str) -> str:
    return option_symbol("NIFTY", EXPIRY, strike, kind)


def leg(strike: float, kind: str, *, priced: bool = True) -> ChainLeg:
    made = ChainLeg(
        Instrument(symbol(strike, kind), "NFO", "NIFTY", kind, 65, 0.05, EXPIRY, strike)
    )
    if priced:
        made.tick = Tick(
            made.row.symbol, "NFO", 100.05, FeedMode.QUOTE, close=90.0, volume=6500, oi=130_000,
            bid=100.0, ask=100.1,
        )  # fmt: skip
        made.price, made.basis = 100.05, "mid"
        made.iv, made.delta, made.gamma, made.theta, made.vega = 13.04, 0.5, 0.0009, -12.5, 13.5
    return made


def chain(*, priced: bool = True, no_put: float = 0.0) -> list[ChainStrike]:
    return [
        ChainStrike(
            strike,
            leg(strike, "CE", priced=priced),
            None if strike == no_put else leg(strike, "PE", priced=priced),
        )
        for strike in STRIKES
    ]
