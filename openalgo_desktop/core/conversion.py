"""Moving an open position from one product to another: MIS to CNC or NRML, and back. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from openalgo_desktop.core.enums import CASH_EXCHANGES, Action, Product
from openalgo_desktop.core.errors import InvalidOrder
from openalgo_desktop.core.model import Instrument, Key, Position


class ConvertRequest(msgspec.Struct, frozen=True):
    """``quantity`` units of a ``product`` position become ``to``, at their average.

    ``action`` is the side of the position: BUY for a long one. ``held`` and ``there`` are the
    signed units of both rows when it was asked: what the position book is compared with when
    nobody answered.
    """

    symbol: str
    exchange: str
    action: Action
    quantity: int
    product: Product
    to: Product
    held: int = 0
    there: int = 0

    @property
    def key(self) -> Key:
        return (self.exchange, self.symbol)


def converts_to(row: Position) -> Product | None:
    """The product that an open position can be converted to; None where there is none: shares
    cannot be held short overnight."""
    if not row.quantity:
        return None
    if row.exchange not in CASH_EXCHANGES:
        return Product.NRML if row.product is Product.MIS else Product.MIS
    if row.quantity < 0:
        return None
    return Product.CNC if row.product is Product.MIS else Product.MIS


def conversion(rows: Iterable[Position], key: Key, product: Product, to: Product) -> ConvertRequest:
    """The request that converts all of a position of a book; raises :class:`InvalidOrder`."""
    found = {row.product: row for row in rows if row.key == key}
    row, other = found.get(product), found.get(to)
    if row is None or not row.quantity:
        raise InvalidOrder(f"There is no open {product} position of {key[1]}.", field="symbol")
    return ConvertRequest(
        symbol=row.symbol,
        exchange=row.exchange,
        action=Action.BUY if row.quantity > 0 else Action.SELL,
        quantity=abs(row.quantity),
        product=product,
        to=to,
        held=row.quantity,
        there=other.quantity if other is not None else 0,
    )


def all_carried(request: ConvertRequest, held: int, carried: int, broker: str) -> bool:
    """Whether the units were carried over from an earlier day, for brokers that convert those and
    the ones of today apart; ``held`` and ``carried`` are signed, as the broker counts them. Raises
    :class:`InvalidOrder` for a position of both kinds: one request moves only one of them."""
    if not held:
        raise InvalidOrder(
            f"There is no {request.product} position of {request.symbol}.", field="product"
        )
    if carried and carried != held:
        raise InvalidOrder(
            f"{request.symbol} was carried over in part: convert it at {broker}, which takes the "
            "units of today and those of before apart.",
            field="quantity",
        )
    return bool(carried)


def check_conversion(request: ConvertRequest, instrument: Instrument) -> None:
    """What can be wrong whatever the account; raises :class:`InvalidOrder` naming the field."""
    cash = request.exchange in CASH_EXCHANGES
    allowed = (Product.MIS, Product.CNC if cash else Product.NRML)
    for name, product in (("product", request.product), ("to", request.to)):
        if product not in allowed:
            words = " and ".join(allowed)
            raise InvalidOrder(
                f"{product} is not allowed on {request.exchange}: positions are converted "
                f"between {words}.",
                field=name,
            )
    if request.product is request.to:
        raise InvalidOrder(f"The position is {request.to} already.", field="to")
    if cash and request.action is Action.SELL:
        raise InvalidOrder(
            "A short position in shares cannot be converted: delivery cannot be short.",
            field="product",
        )
    if request.quantity <= 0:
        raise InvalidOrder("Quantity must be positive", field="quantity")
    lot = max(1, instrument.lot_size)
    whole = request.quantity == abs(request.held)
    if request.quantity % lot and not whole:
        raise InvalidOrder(f"Quantity must be in multiples of lot size {lot}", field="quantity")
    if request.there * request.action.sign < 0:
        raise InvalidOrder(
            f"The {request.to} position of {request.symbol} is on the other side: close it first.",
            field="to",
        )


def is_converted(request: Mapping[str, Any], rows: Iterable[Position]) -> bool:
    """Whether a position book shows the effect of a stored request: the units have left one
    product and came to the other, and nothing else moved either."""
    asked = msgspec.convert(request, ConvertRequest)
    units = {row.product: row.quantity for row in rows if row.key == asked.key}
    moved = asked.action.sign * asked.quantity
    return (
        units.get(asked.product, 0) == asked.held - moved
        and units.get(asked.to, 0) == asked.there + moved
    )
