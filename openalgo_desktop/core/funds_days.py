"""What the money of an account was at the end of a day."""

from __future__ import annotations

from datetime import date

import msgspec

from openalgo_desktop.core.model import Funds


class FundsDay(msgspec.Struct, frozen=True):
    """The last figures of an IST day, rupees; None is what the account did not tell."""

    day: date
    available: float
    utilised: float
    realised: float | None = None
    unrealised: float | None = None
    collateral: float | None = None
    payin: float | None = None
    payout: float | None = None


def funds_day(day: date, funds: Funds) -> FundsDay:
    """The line of a day from the funds as they are then."""
    return FundsDay(
        day,
        funds.available_cash,
        funds.utilised,
        funds.m2m_realised,
        funds.m2m_unrealised,
        funds.collateral,
        funds.payin,
        funds.payout,
    )
