"""Which price types, products, validities and disclosed quantities are offered on an instrument,
and on which side of the market a stop belongs. The window offers by these tables, and the corridor
refuses by them.

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
    Validity,
)
from openalgo_desktop.core.errors import InvalidOrder
from openalgo_desktop.core.model import Instrument, OrderRequest
from openalgo_desktop.core.money import group_indian, price_text
from openalgo_desktop.core.traits import Traits

#: Exchange -> whether it takes stop-market orders on (shares and futures, options). NSE ended them
#: for options on 27 September 2021, BSE for all its segments on 9 October 2023 (their circulars).
#: What is not listed takes them.
_STOP_MARKET: dict[str, tuple[bool, bool]] = {
    Exchange.NFO: (True, False),
    Exchange.BSE: (False, False),
    Exchange.BFO: (False, False),
    Exchange.BCD: (False, False),
}
#: Exchange -> the least part of an order that may be disclosed, in per cent of its quantity. What
#: is not listed (futures and options of NSE and BSE) takes no disclosed quantity. By the help pages
#: of Zerodha and Upstox ("disclosed quantity", 2026); Geojit has none on MCX.
_LEAST_DISCLOSED: dict[str, int] = {
    Exchange.NSE: 10,
    Exchange.BSE: 10,
    Exchange.CDS: 10,
    Exchange.BCD: 10,
    Exchange.MCX: 25,
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


def validities(kind: PriceType, traits: Traits) -> tuple[Validity, ...]:
    """What an account takes with a price type, DAY first. A stop waits for its trigger, so it
    cannot be immediate."""
    return tuple(
        one
        for one in Validity
        if one is Validity.DAY or (one in traits.validities and not kind.has_trigger)
    )


def may_disclose(kind: PriceType, instrument: Instrument, traits: Traits) -> bool:
    """Whether a part of such an order may be shown: it has to rest at a price."""
    return traits.discloses and kind.has_price and instrument.exchange in _LEAST_DISCLOSED


def least_disclosed(quantity: int, instrument: Instrument) -> int:
    """The smallest quantity that may be disclosed of ``quantity`` units, in whole lots."""
    percent, lot = _LEAST_DISCLOSED.get(instrument.exchange, 100), max(1, instrument.lot_size)
    least = -(-quantity * percent // 100)
    return -(-least // lot) * lot


def check_terms(request: OrderRequest, instrument: Instrument, traits: Traits, who: str) -> None:
    """Raise :class:`InvalidOrder` for a validity or a disclosed quantity that the account ``who``
    or the exchange does not take."""
    kind, validity, shown = request.price_type, request.validity, request.disclosed_quantity
    if validity not in traits.validities:
        raise InvalidOrder(f"{who} takes no {validity} orders.", field="validity")
    if validity not in validities(kind, traits):
        raise InvalidOrder(
            f"A stop waits for its trigger, so it cannot be {validity}. Choose DAY.",
            field="validity",
        )
    if not shown:
        return
    field = "disclosed_quantity"
    if not traits.discloses:
        raise InvalidOrder(f"{who} takes no disclosed quantity.", field=field)
    if instrument.exchange not in _LEAST_DISCLOSED:
        raise InvalidOrder(
            f"No disclosed quantity is taken on {instrument.exchange} by the exchange.", field=field
        )
    if not kind.has_price or validity is Validity.IOC:
        what = validity if kind.has_price else kind
        raise InvalidOrder(
            f"{what} orders do not wait in the depth, so they have no disclosed quantity.",
            field=field,
        )
    _check_disclosed(request, instrument)


def _check_disclosed(request: OrderRequest, instrument: Instrument) -> None:
    shown, lot, field = request.disclosed_quantity, instrument.lot_size, "disclosed_quantity"
    if lot > 1 and shown % lot:
        raise InvalidOrder(f"The disclosed quantity must be whole lots of {lot}.", field=field)
    if shown > request.quantity:
        raise InvalidOrder(
            f"The disclosed quantity is above the quantity, {group_indian(request.quantity)}.",
            field=field,
        )
    if shown < (least := least_disclosed(request.quantity, instrument)):
        percent = _LEAST_DISCLOSED[instrument.exchange]
        raise InvalidOrder(
            f"At least {percent} % must be disclosed on {instrument.exchange}: "
            f"{group_indian(least)} of {group_indian(request.quantity)}.",
            field=field,
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
