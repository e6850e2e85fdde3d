"""What an order would mean, told before it is sent: structs, and what follows from the market
alone. Pure. Rupees and units; None is *not known*."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from openalgo_desktop.core.confirming import ConfirmFacts
from openalgo_desktop.core.enums import Mode, PriceType
from openalgo_desktop.core.model import Instrument, Margin, OrderRequest
from openalgo_desktop.core.money import group_indian, price_text
from openalgo_desktop.core.offered import is_passed
from openalgo_desktop.core.ticks import Part, Tick


class Caution(StrEnum):
    """Kinds of warnings."""

    FAR = "far"
    CIRCUIT = "circuit"
    SPREAD = "spread"
    STOP = "stop"
    FREEZE = "freeze"
    MARGIN = "margin"


class Warned(msgspec.Struct, frozen=True):
    """A warning: its kind, a sentence, and the field it belongs to (empty: none)."""

    kind: Caution
    text: str
    field: str = ""


class Thresholds(msgspec.Struct, frozen=True):
    """From where on it is told: ``percent`` that a limit may trade worse than the market,
    ``spread`` in per cent of the middle of bid and ask. 0 is off."""

    percent: float = 0.0
    spread: float = 0.0


class LegPreview(msgspec.Struct, frozen=True, kw_only=True):
    """One order as it would meet the market now.

    ``price`` is where it is expected to trade, ``value`` the rupees of the contract at it;
    ``closes`` units take a position down, ``opens`` units make one. ``books`` is the profit that
    the closed units would realise before charges, ``charges`` the estimate of this order's own
    costs, ``break_even`` the price at which what it opens pays the costs of both ways. ``slices``
    are the orders that it becomes. ``percent`` is signed, from the last price; ``worse`` as in
    :func:`worse_percent`; both None for MARKET.
    """

    request: OrderRequest
    price: float | None = None
    value: float | None = None
    lots: float = 0.0
    closes: int = 0
    opens: int = 0
    books: float | None = None
    charges: float | None = None
    break_even: float | None = None
    slices: tuple[int, ...] = ()
    splits: bool = True  # False: above the freeze quantity and slicing is switched off
    low_circuit: float | None = None
    high_circuit: float | None = None
    percent: float | None = None
    worse: float | None = None
    spread: float | None = None
    warnings: tuple[Warned, ...] = ()


class OrderPreview(msgspec.Struct, frozen=True, kw_only=True):
    """Orders that would be sent together in ``mode``.

    ``margin`` is what they need (None: the account does not tell, ``margin_note`` says why),
    ``frees`` what their exits give back, ``available`` the free cash of the account.
    ``frees_about``: worked out from a new position's margin, since the broker tells no more.
    """

    mode: Mode
    legs: tuple[LegPreview, ...]
    margin: Margin | None = None
    margin_note: str = ""
    frees: float | None = None
    frees_about: bool = False
    available: float | None = None
    charges: float | None = None
    warnings: tuple[Warned, ...] = ()


def named_price(request: OrderRequest) -> float | None:
    """The price that the order itself names: its limit, else its trigger; None for MARKET."""
    if request.price_type.has_price:
        return request.price or None
    return (request.trigger_price or None) if request.price_type.has_trigger else None


def expected_price(request: OrderRequest, tick: Tick | None) -> float | None:
    """Where the order is expected to trade: its own price, else the side it meets, else the last
    price."""
    if (named := named_price(request)) is not None:
        return named
    if request.price_type is not PriceType.MARKET or tick is None:
        return None
    touch = tick.ask if request.action.sign > 0 else tick.bid
    if tick.knows(Part.TOUCH) and touch > 0:
        return touch
    return tick.ltp if tick.knows(Part.LTP) and tick.ltp > 0 else None


def percent_from_last(request: OrderRequest, tick: Tick | None) -> float | None:
    """How far the order's own price is above (below: negative) the last price, per cent."""
    named = named_price(request)
    if named is None or tick is None or not tick.knows(Part.LTP) or tick.ltp <= 0:
        return None
    return 100.0 * (named - tick.ltp) / tick.ltp


def worse_percent(request: OrderRequest, tick: Tick | None) -> float | None:
    """How much worse than the last price (a stop-limit: than its trigger) the order may trade, per
    cent. A limit that waits for a better price has 0: it costs nobody anything."""
    kind = request.price_type
    base: float | None = None
    if kind is PriceType.SL:
        base = request.trigger_price
    elif kind is PriceType.LIMIT and tick is not None and tick.knows(Part.LTP):
        base = tick.ltp
    if not base or base <= 0 or request.price <= 0:
        return None
    return max(0.0, 100.0 * (request.price - base) * request.action.sign / base)


def spread_percent(tick: Tick | None) -> float | None:
    """Distance of ask and bid in per cent of their middle; None unless both are known. A side
    without offers (a known 0) is as far apart as can be: 200."""
    if tick is None or not tick.knows(Part.TOUCH):
        return None
    if tick.bid <= 0 or tick.ask <= 0:
        return 200.0
    return 200.0 * (tick.ask - tick.bid) / (tick.ask + tick.bid)


def circuits(tick: Tick | None) -> tuple[float | None, float | None]:
    """Lower and upper circuit, where the source tells them."""
    if tick is None or not tick.knows(Part.DAY):
        return None, None
    return tick.lower_circuit or None, tick.upper_circuit or None


def outside_circuit(request: OrderRequest, tick: Tick | None) -> bool:
    """Whether a price of the order lies outside the day's circuit limits."""
    low, high = circuits(tick)
    kind = request.price_type
    prices = [request.price] * kind.has_price + [request.trigger_price] * kind.has_trigger
    return any(
        (low is not None and 0 < price < low) or (high is not None and price > high)
        for price in prices
    )


def market_warnings(
    request: OrderRequest, row: Instrument, tick: Tick | None, levels: Thresholds
) -> tuple[Warned, ...]:
    """What is odd about the order as the market stands."""
    found = []
    field = "price" if request.price_type.has_price else "trigger_price"
    if tick is not None and tick.knows(Part.LTP) and is_passed(request, tick.ltp):
        found.append(
            Warned(
                Caution.STOP,
                f"The last price, {group_indian(price_text(tick.ltp))}, has passed the trigger.",
                "trigger_price",
            )
        )
    worse = worse_percent(request, tick)
    if worse is not None and levels.percent and worse > levels.percent:
        side = "above" if request.action.sign > 0 else "below"
        base = "its trigger" if request.price_type.has_trigger else "the last price"
        found.append(
            Warned(Caution.FAR, f"It may trade up to {worse:.1f} % {side} {base}.", "price")
        )
    if outside_circuit(request, tick):
        low, high = circuits(tick)
        band = " to ".join(
            "?" if end is None else group_indian(price_text(end)) for end in (low, high)
        )
        found.append(Warned(Caution.CIRCUIT, f"Outside the circuit limits, {band}.", field))
    spread = spread_percent(tick)
    if _meets_spread(request, row) and spread is not None and 0 < levels.spread < spread:
        found.append(
            Warned(
                Caution.SPREAD,
                "Nobody offers on one side of the book: a market order may fill far away."
                if spread >= 200.0
                else f"Bid and ask are {spread:.1f} % apart: a market order may fill far away.",
            )
        )
    return tuple(found)


def _meets_spread(request: OrderRequest, row: Instrument) -> bool:
    return row.is_option and request.price_type is PriceType.MARKET


def confirm_facts(legs: Sequence[LegPreview], rows: Sequence[Instrument]) -> ConfirmFacts:
    """What the confirmation policy looks at, of orders that are sent together. The value of legs
    whose price nobody knows is not known either."""
    values = [leg.value for leg in legs]
    far = [leg.worse for leg in legs if leg.worse is not None]
    spreads = [
        leg.spread
        for leg, row in zip(legs, rows, strict=True)
        if leg.spread is not None and _meets_spread(leg.request, row)
    ]
    kinds = {warned.kind for leg in legs for warned in leg.warnings}
    return ConfirmFacts(
        value=None if None in values else sum(filter(None, values)),
        lots=sum(leg.lots for leg, row in zip(legs, rows, strict=True) if row.lot_size > 1),
        unpriced=None in values,
        unmeasured=any(
            leg.worse is None and leg.request.price_type is PriceType.LIMIT for leg in legs
        ),
        percent=max(far, default=None),
        spread=max(spreads, default=None),
        outside_circuit=Caution.CIRCUIT in kinds,
        passed_stop=Caution.STOP in kinds,
    )
