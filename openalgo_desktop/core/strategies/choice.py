"""Which contract a leg takes: expiry, strike, product, quantity. Pure.

A choice by price looks at known prices only: where one that matters is not known, nothing is
guessed (:class:`NoChoice`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal

import msgspec

from openalgo_desktop.core.enums import Product
from openalgo_desktop.core.errors import OrderError
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.money import plain
from openalgo_desktop.core.strategies.model import BatchLeg, Expiry, QuantityMode, StrikeMode

#: Exchanges of shares: what is not MIS is delivery there.
CASH_EXCHANGES = frozenset({"NSE", "BSE"})
#: Choices that look at premiums or deltas of many strikes.
BY_CHAIN = frozenset(
    {
        StrikeMode.PREMIUM,
        StrikeMode.PREMIUM_RANGE,
        StrikeMode.PREMIUM_ABOVE,
        StrikeMode.PREMIUM_BELOW,
        StrikeMode.STRADDLE_PERCENT,
        StrikeMode.DELTA,
        StrikeMode.DELTA_RANGE,
    }
)
#: Choices that need the premium of the straddle at the money.
BY_STRADDLE = frozenset({StrikeMode.STRADDLE_WIDTH, StrikeMode.STRADDLE_PERCENT})
_DELTAS = frozenset({StrikeMode.DELTA, StrikeMode.DELTA_RANGE})


class NoChoice(OrderError):
    """No contract fits, or a price that the choice needs is not known."""


class Offer(msgspec.Struct, frozen=True):
    """One option that may be chosen; premium in rupees, delta without sign; None is unknown."""

    row: Instrument
    premium: float | None = None
    delta: float | None = None


def product_of(wish: Product, exchange: str) -> Product:
    """The product of an order: MIS stays; anything else is delivery of shares, overnight of
    contracts."""
    if wish is Product.MIS:
        return wish
    return Product.CNC if exchange in CASH_EXCHANGES else Product.NRML


def units_of(leg: BatchLeg, row: Instrument) -> int:
    """Units of a leg; lots are counted by today's lot size."""
    lots = leg.quantity_mode is QuantityMode.LOTS
    return leg.quantity * (max(1, row.lot_size) if lots else 1)


def expiry_of(wish: Expiry, days: Sequence[date]) -> tuple[date, bool]:
    """The expiry that is wanted of those that there are (ascending), and whether it is the last one
    there is in place of a later one. Raises :class:`NoChoice`."""
    if not days:
        raise NoChoice("There is no contract that has not expired.")
    if wish in (Expiry.MONTHLY, Expiry.NEXT_MONTH):
        months = {(day.year, day.month): day for day in days}
        days = sorted(months.values())
    later = wish in (Expiry.NEXT, Expiry.NEXT_WEEK, Expiry.NEXT_MONTH)
    if later and len(days) < 2:
        return days[0], True
    return days[1 if later else 0], False


def choose(
    leg: BatchLeg, offers: Sequence[Offer], *, spot: float, atm: float, straddle: float | None
) -> Instrument:
    """The option of a leg among all strikes of its type and expiry, ascending. ``spot`` is the
    price of the underlying, ``atm`` the strike at the money, ``straddle`` the premium of both
    options there. Raises :class:`NoChoice`."""
    if not offers:
        raise NoChoice(f"There is no {leg.option_type} of this expiry.")
    mode, value = leg.strike_mode, float(leg.value)
    if mode in BY_STRADDLE and straddle is None:
        raise NoChoice(
            "The premium of the straddle at the money is not known, so its "
            f"{mode.value} cannot be chosen. Nothing was guessed."
        )
    if mode is StrikeMode.STRIKE:
        return _exactly(float(leg.strike), offers)
    if mode is StrikeMode.STRADDLE_WIDTH:
        return _nearest(atm + value * (straddle or 0.0), offers)
    if mode is StrikeMode.ATM_PERCENT:
        return _nearest(atm + spot * value / 100.0, offers)
    if mode in BY_CHAIN:
        return _by_figure(leg, offers, atm, straddle or 0.0)
    return _by_offset(leg, offers, spot)


def _by_offset(leg: BatchLeg, offers: Sequence[Offer], spot: float) -> Instrument:
    middle = min(range(len(offers)), key=lambda n: (abs(offers[n].row.strike - spot), n))
    steps = 0
    if leg.atm_offset != "ATM":
        out = leg.atm_offset.startswith("OTM")
        up = out is (leg.option_type == "CE")
        steps = int(leg.atm_offset[3:]) * (1 if up else -1)
    if not 0 <= middle + steps < len(offers):
        raise NoChoice(f"{leg.atm_offset} lies beyond the strikes that there are.")
    return offers[middle + steps].row


def _exactly(strike: float, offers: Sequence[Offer]) -> Instrument:
    for offer in offers:
        if offer.row.strike == strike:
            return offer.row
    raise NoChoice(f"There is no strike {plain(strike)}.")


def _nearest(strike: float, offers: Sequence[Offer]) -> Instrument:
    first, last = offers[0].row.strike, offers[-1].row.strike
    if not first <= strike <= last:
        raise NoChoice(
            f"The strike would be {plain(round(strike, 2))}; there are {plain(first)} to "
            f"{plain(last)}."
        )
    return min(offers, key=lambda offer: abs(offer.row.strike - strike)).row


def _by_figure(leg: BatchLeg, offers: Sequence[Offer], atm: float, straddle: float) -> Instrument:
    mode, value, upper = leg.strike_mode, float(leg.value), float(leg.upper)
    name = "delta" if mode in _DELTAS else "premium"
    if mode is StrikeMode.STRADDLE_PERCENT:
        value = straddle * value / 100.0
    figures = [offer.delta if mode in _DELTAS else offer.premium for offer in offers]
    known = [n for n, figure in enumerate(figures) if figure is not None]
    if not known:
        raise NoChoice(f"No {name} is known, so none can be chosen by it. Nothing was guessed.")

    def figure(n: int) -> float:
        return figures[n] or 0.0

    def money(n: int) -> float:
        return abs(offers[n].row.strike - atm)

    fits: Callable[[int], bool] = lambda n: True  # noqa: E731
    best: Callable[[int], tuple[float, float]] = lambda n: (abs(figure(n) - value), money(n))  # noqa: E731
    if mode in (StrikeMode.PREMIUM_RANGE, StrikeMode.DELTA_RANGE):
        fits, best = lambda n: value <= figure(n) <= upper, lambda n: (money(n), figure(n))
    elif mode is StrikeMode.PREMIUM_ABOVE:
        fits, best = lambda n: figure(n) >= value, lambda n: (figure(n), money(n))
    elif mode is StrikeMode.PREMIUM_BELOW:
        fits, best = lambda n: figure(n) <= value, lambda n: (-figure(n), money(n))
    fitting = [n for n in known if fits(n)]
    if not fitting:
        raise NoChoice(f"No strike has a {name} as it is wanted ({mode.value}).")
    chosen = min(fitting, key=best)
    for beside in (chosen - 1, chosen + 1):
        if 0 <= beside < len(offers) and figures[beside] is None:
            raise NoChoice(
                f"The {name} of {offers[beside].row.symbol} is not known, and it may be the nearer "
                "one. Nothing was guessed."
            )
    return offers[chosen].row


def moved(price: Decimal, value: Decimal, percent: bool) -> Decimal:
    """The level that is ``value`` points, or per cent, away from a price."""
    return price + (price * value / 100 if percent else value)
