"""Good-till-triggered orders: the request, the order in the book and its triggers. Prices are
rupees, quantities units."""

from __future__ import annotations

from datetime import datetime

import msgspec

from openalgo_desktop.core.enums import Action, GttStatus, GttType, PriceType, Product
from openalgo_desktop.core.model import Key


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
