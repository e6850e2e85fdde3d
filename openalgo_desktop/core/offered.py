"""Which price types and products are offered on an instrument, and on which side of the market a
stop belongs. The window offers by these tables, and the corridor refuses by them.

Orders that come over the API or by a webhook are not held to them: existing clients rely on what
they were answered (a stop beyond the market fires at once in the sandbox; a broker refuses it).
"""

from __future__ import annotations

from openalgo_desktop.core.enums import (
    CASH_EXCHANGES,
    DERIVATIVE_EXCHANGES,
    Exchange,
    PriceType,
    Product,
)
from openalgo_desktop.core.errors import InvalidOrder
from openalgo_desktop.core.model import Instrument, OrderRequest
from openalgo_desktop.core.money import group_indian, price_text

#: Exchange -> whether it takes stop-market orders on (shares and futures, options). NSE ended them
#: for options on 27 September 2021, BSE for all its segments on 9 October 2023 (their circulars).
#: What is not listed takes them.
_STOP_MARKET: dict[str, tuple[bool, bool]] = {
    Exchange.NFO: (True, False),
    Exchange.BSE: (False, False),
    Exchange.BFO: (False, False),
    Exchange.BCD: (False, False),
}
#: What comes before the colon in the sources of clients, see the module's docstring.
_CLIENTS = ("api", "webhook")


def price_types(instrument: Instrument) -> tuple[PriceType, ...]:
    """What the exchange takes on the instrument; nothing on an index."""
    if instrument.is_index:
        return ()
    shares, options = _STOP_MARKET.get(instrument.exchange, (True, True))
    taken = options if instrument.is_option else shares
    return tuple(kind for kind in PriceType if taken or kind is not PriceType.SLM)


def products(instrument: Instrument) -> tuple[Product, ...]:
    """The products of the segment, intraday first; nothing on an index."""
    if instrument.exchange in CASH_EXCHANGES:
        return (Product.MIS, Product.CNC)
    if instrument.exchange in DERIVATIVE_EXCHANGES:
        return (Product.MIS, Product.NRML)
    return ()


def is_client(source: str) -> bool:
    """Whether an order of this source is a client's, over the API or by a webhook."""
    return source.partition(":")[0] in _CLIENTS


def check_offered(request: OrderRequest, instrument: Instrument) -> None:
    """Raise :class:`InvalidOrder` for a price type that the exchange does not take."""
    if request.price_type not in price_types(instrument) and not instrument.is_index:
        what = "options" if instrument.is_option else instrument.exchange
        raise InvalidOrder(
            f"No stop-market orders (SL-M) are taken on {what} by the exchange. "
            "Use SL: a stop with a limit price.",
            field="price_type",
        )


def is_passed(request: OrderRequest, last: float) -> bool:
    """Whether the market, at ``last`` rupees, is at or beyond the trigger of a stop: it would
    trade at once."""
    if not request.price_type.has_trigger or last <= 0 or request.trigger_price <= 0:
        return False
    return (last - request.trigger_price) * request.action.sign >= 0


def check_stop_side(request: OrderRequest, last: float) -> None:
    """Raise :class:`InvalidOrder` for a stop on the wrong side of the market: a BUY waits above
    the last price, a SELL below it."""
    if not is_passed(request, last):
        return
    side, verb = ("above", "buy") if request.action.sign > 0 else ("below", "sell")
    raise InvalidOrder(
        f"A {request.action.value} stop must be {side} the last price, "
        f"{group_indian(price_text(last))}: it would {verb} at once.",
        field="trigger_price",
    )
