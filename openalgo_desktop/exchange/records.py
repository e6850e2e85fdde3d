"""Rows of a paper account. Money in Decimal rupees; each row can be stored as plain JSON."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TypeAlias

import msgspec

from openalgo_desktop.core.enums import Product
from openalgo_desktop.core.model import Instrument, Key, Order
from openalgo_desktop.core.model import Position as PositionView
from openalgo_desktop.exchange.ledger import ZERO, exact_price, paise

#: (exchange, symbol, product): a net position.
PositionKey: TypeAlias = tuple[str, str, str]


class PaperOrder(msgspec.Struct, gc=False):
    """An order with its money.

    ``basis`` is the price it is margined at, ``margin`` what it reserves now, ``blocked`` the most
    it reserved; ``covered`` units close a position and need nothing. ``value`` is the turnover of
    its fills; ``session`` the trading day it is good for; ``live`` says that its trigger was hit.
    """

    order: Order
    basis: Decimal = ZERO
    margin: Decimal = ZERO
    blocked: Decimal = ZERO
    covered: int = 0
    value: Decimal = ZERO
    session: date | None = None
    live: bool = False
    gtt: str = ""

    @property
    def position_key(self) -> PositionKey:
        order = self.order
        return (order.exchange, order.symbol, order.product.value)

    @property
    def uncovered(self) -> int:
        """Units still to fill that would open a position."""
        return max(0, self.order.quantity - self.order.filled_quantity - self.covered)


class PaperPosition(msgspec.Struct, gc=False):
    """A net position.

    ``cost`` is the exact price paid (received) for the open units, always positive; the average
    shown is rounded. ``margin`` backs the open units. ``mark`` is the last stored price, used when
    the program was closed. Shares sold from holdings make a negative CNC row whose ``delivered``
    is their cost in the holding. ``opened`` is the day the row left zero.
    """

    symbol: str
    exchange: str
    product: Product
    quantity: int = 0
    cost: Decimal = ZERO
    average: Decimal = ZERO
    margin: Decimal = ZERO
    realised: Decimal = ZERO
    realised_today: Decimal = ZERO
    charges: Decimal = ZERO
    mark: float = 0.0
    delivered: Decimal = ZERO
    buy_quantity: int = 0
    sell_quantity: int = 0
    multiplier: float = 1.0
    instrument_type: str = "EQ"
    expiry: date | None = None
    opened: datetime | None = None
    updated: datetime | None = None

    @classmethod
    def of(cls, instrument: Instrument, product: Product) -> PaperPosition:
        """A flat row."""
        return cls(
            symbol=instrument.symbol,
            exchange=instrument.exchange,
            product=product,
            multiplier=instrument.contract_value or 1.0,
            instrument_type=instrument.instrument_type,
            expiry=instrument.expiry,
        )

    @property
    def key(self) -> Key:
        return (self.exchange, self.symbol)

    @property
    def position_key(self) -> PositionKey:
        return (self.exchange, self.symbol, self.product.value)

    @property
    def from_holdings(self) -> bool:
        """Shares that were sold out of holdings and are not delivered yet."""
        return self.product is Product.CNC and self.quantity < 0

    def unrealised(self, price: float) -> Decimal:
        """Open profit at ``price``, rupees. Sold holdings have none: theirs is booked."""
        if not self.quantity or not price or self.from_holdings:
            return ZERO
        sign = 1 if self.quantity > 0 else -1
        worth = Decimal(str(price)) * abs(self.quantity)
        return paise((worth - self.cost) * sign * Decimal(str(self.multiplier)))

    def view(self, price: float, account_id: str) -> PositionView:
        """The row as the unified model shows it."""
        shown = float(self.average) if self.quantity else 0.0
        return PositionView(
            symbol=self.symbol,
            exchange=self.exchange,
            product=self.product,
            quantity=self.quantity,
            average_price=shown,
            ltp=shown if self.from_holdings else price,
            realised=float(self.realised),
            realised_today=float(self.realised_today),
            buy_quantity=self.buy_quantity,
            sell_quantity=self.sell_quantity,
            margin=float(self.margin),
            multiplier=self.multiplier,
            account_id=account_id,
        )


class PaperHolding(msgspec.Struct, gc=False):
    """Delivered shares; ``cost`` is the exact price paid for all of them."""

    symbol: str
    exchange: str
    quantity: int
    cost: Decimal
    mark: float = 0.0
    settled: date | None = None

    @property
    def key(self) -> Key:
        return (self.exchange, self.symbol)

    @property
    def average(self) -> Decimal:
        """Price per share, with the decimals of a price."""
        return exact_price(self.cost / self.quantity) if self.quantity else ZERO
