"""Good-till-triggered orders: the request, the order in the book and its triggers. Prices are
rupees, quantities units."""

from __future__ import annotations

from datetime import datetime

import msgspec

from openalgo_desktop.core.enums import Action, GttStatus, GttType, PriceType, Product
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.money import to_tick


class GttRequest(msgspec.Struct, frozen=True):
    """A good-till-triggered order.

    ``trigger_below`` (``triggerprice_sl``) fires when the last price falls to it,
    ``trigger_above`` (``triggerprice_tg``) when it rises to it; a SINGLE has exactly one of them
    and ``price`` as its limit, an OCO both, with the limits ``stoploss`` and ``target``. 0 means
    absent; a leg with price type MARKET has no limit. ``last_price`` is the price at placement.
    """

    trigger_type: GttType
    symbol: str
    exchange: str
    action: Action
    quantity: int
    product: Product = Product.CNC
    price_type: PriceType = PriceType.LIMIT
    price: float = 0.0
    trigger_below: float = 0.0
    trigger_above: float = 0.0
    stoploss: float = 0.0
    target: float = 0.0
    last_price: float = 0.0
    expires_at: datetime | None = None
    strategy: str = ""

    @property
    def key(self) -> Key:
        return (self.exchange, self.symbol)


class GttLeg(msgspec.Struct):
    """One trigger of a GTT. ``below`` says that it fires on a fall; ``order_id`` is the order it
    became; ``margin`` its reserve at placement, rupees."""

    trigger_price: float
    below: bool
    price: float = 0.0
    status: GttStatus = GttStatus.PENDING
    order_id: str = ""
    margin: float = 0.0


class Gtt(msgspec.Struct):
    """A good-till-triggered order in the book. Legs: stop-loss first. Times are aware, IST."""

    trigger_id: str
    trigger_type: GttType
    symbol: str
    exchange: str
    action: Action
    quantity: int
    product: Product
    price_type: PriceType
    legs: list[GttLeg]
    status: GttStatus = GttStatus.ACTIVE
    last_price: float = 0.0
    margin: float = 0.0
    created_at: datetime | None = None
    updated_at: datetime | None = None
    expires_at: datetime | None = None
    message: str = ""
    strategy: str = ""
    tag: str = ""
    account_id: str = ""

    @property
    def key(self) -> Key:
        return (self.exchange, self.symbol)


def same_terms(one: Gtt, other: Gtt) -> bool:
    """Whether two readings of an order agree in all that a change of it sends again, and in which
    of its triggers wait."""
    return _terms(one) == _terms(other)


def _terms(gtt: Gtt) -> tuple[object, ...]:
    # Sources do not agree on the order of legs, not even with themselves.
    legs = sorted((leg.below, leg.trigger_price, leg.price, leg.status) for leg in gtt.legs)
    kind = (gtt.trigger_type, gtt.key, gtt.action, gtt.product, gtt.price_type, gtt.status)
    return (*kind, gtt.quantity, gtt.expires_at, legs)


def moved_leg(gtt: Gtt, number: int, price: float, tick: float) -> GttRequest:
    """The request that brings the trigger of one leg to ``price``; a limit keeps its distance from
    it, and is at least one ``tick`` (all rupees)."""
    legs = list(gtt.legs)
    old = legs[number]
    limit = old.price and max(tick, to_tick(old.price + price - old.trigger_price, tick))
    legs[number] = msgspec.structs.replace(old, trigger_price=price, price=limit)
    low = next((leg for leg in legs if leg.below), None)
    high = next((leg for leg in legs if not leg.below), None)
    pair = gtt.trigger_type is GttType.OCO
    return GttRequest(
        gtt.trigger_type,
        gtt.symbol,
        gtt.exchange,
        gtt.action,
        gtt.quantity,
        gtt.product,
        gtt.price_type,
        price=0.0 if pair else legs[0].price,
        trigger_below=low.trigger_price if low is not None else 0.0,
        trigger_above=high.trigger_price if high is not None else 0.0,
        stoploss=low.price if pair and low is not None else 0.0,
        target=high.price if pair and high is not None else 0.0,
        expires_at=gtt.expires_at,
        strategy=gtt.strategy,
    )
