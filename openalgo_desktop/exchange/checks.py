"""What an exchange refuses before it looks at money: fields, product, lot, tick, freeze.

Texts that existing clients match are those of the reference; the field is named beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from openalgo_desktop.core.enums import (
    CASH_EXCHANGES,
    DERIVATIVE_EXCHANGES,
    Action,
    Exchange,
    PriceType,
    Product,
)
from openalgo_desktop.core.errors import InvalidOrder
from openalgo_desktop.core.model import Instrument, ModifyRequest, Order, OrderRequest
from openalgo_desktop.core.money import decimals, is_on_tick, nearest_ticks, plain

T = TypeVar("T")

#: No instrument costs more; rupees.
MAX_PRICE = 1e9
#: Order fields that must be there, in the order in which their absence is reported.
REQUIRED = ("symbol", "exchange", "action", "quantity", "price_type", "product")

_WRONG_PRODUCT = {
    Product.NRML: (
        CASH_EXCHANGES,
        "NRML product not allowed for {} equity segment. Use CNC for delivery or MIS for intraday.",
    ),
    Product.CNC: (
        DERIVATIVE_EXCHANGES,
        "CNC product not allowed for {} derivatives segment. "
        "Use NRML for carryforward or MIS for intraday.",
    ),
}


def parse_order(fields: Mapping[str, Any]) -> OrderRequest:
    """An :class:`OrderRequest` from loose texts and numbers (case does not matter).

    Raises :class:`InvalidOrder` for what cannot be an order at all; what depends on the
    instrument is left to :func:`check_order`.
    """
    for name in REQUIRED:
        if not fields.get(name):
            raise InvalidOrder(f"Missing required field: {name}", field=name)
    request = OrderRequest(
        symbol=str(fields["symbol"]).upper(),
        exchange=str(fields["exchange"]).upper(),
        action=_choice(fields, "action", Action, "Invalid action. Must be BUY or SELL"),
        price_type=_choice(
            fields,
            "price_type",
            PriceType,
            "Invalid price_type. Must be MARKET, LIMIT, SL, or SL-M",
        ),
        product=_choice(fields, "product", Product, "Invalid product. Must be CNC, NRML, or MIS"),
        quantity=_whole(fields["quantity"]),
        price=_number(fields, "price"),
        trigger_price=_number(fields, "trigger_price"),
        strategy=str(fields.get("strategy") or ""),
    )
    if request.exchange not in Exchange.__members__:
        check_fields(request)
        names = ", ".join(Exchange)
        raise InvalidOrder(f"Invalid exchange. Must be one of {names}", field="exchange")
    return request


def _choice(fields: Mapping[str, Any], name: str, kind: Callable[[str], T], text: str) -> T:
    try:
        return kind(str(fields[name]).upper())
    except ValueError:
        raise InvalidOrder(text, field=name) from None


def _whole(value: Any) -> int:
    try:
        number = float(value)
        if number != int(number):
            raise ValueError(value)
    except (TypeError, ValueError, OverflowError):
        raise InvalidOrder("Invalid quantity", field="quantity") from None
    return int(number)


def _number(fields: Mapping[str, Any], name: str) -> float:
    value = fields.get(name) or 0
    if isinstance(value, int | float):
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        raise InvalidOrder(f"Invalid {name}", field=name) from None


def normalised(request: OrderRequest) -> OrderRequest:
    """The same order without the prices that do not belong to its type."""
    kind = request.price_type
    price = request.price if kind.has_price else 0.0
    trigger = request.trigger_price if kind.has_trigger else 0.0
    if (price, trigger) == (request.price, request.trigger_price):
        return request
    return msgspec.structs.replace(request, price=price, trigger_price=trigger)


def check_order(request: OrderRequest, instrument: Instrument) -> None:
    """Raise :class:`InvalidOrder`, naming the field, when no exchange would take the order."""
    check_fields(request)
    if instrument.is_index:
        raise InvalidOrder(
            f"{instrument.symbol} is an index and cannot be traded. "
            "Choose a future, an option or a fund on it.",
            field="symbol",
        )
    check_quantity(request.quantity, instrument)
    if request.price_type.has_price:
        check_tick("price", request.price, instrument)
    if request.price_type.has_trigger:
        check_tick("trigger_price", request.trigger_price, instrument)
    _check_stop(request.price_type, request.action, request.price, request.trigger_price)


def check_fields(request: OrderRequest) -> None:
    """What can be wrong without knowing the instrument."""
    if not request.symbol:
        raise InvalidOrder("Missing required field: symbol", field="symbol")
    if request.quantity == 0:
        raise InvalidOrder("Missing required field: quantity", field="quantity")
    wrong = _WRONG_PRODUCT.get(request.product)
    if wrong is not None and request.exchange in wrong[0]:
        raise InvalidOrder(wrong[1].format(request.exchange), field="product")
    if request.quantity < 0:
        raise InvalidOrder("Quantity must be positive", field="quantity")
    for name in ("price", "trigger_price"):
        if not abs(getattr(request, name)) <= MAX_PRICE:  # nan is not, either
            raise InvalidOrder(f"{name} must be below {MAX_PRICE:,.0f}", field=name)
    kind = request.price_type
    if kind.has_price:
        if not request.price:
            raise InvalidOrder(f"{kind.value} orders require price", field="price")
        if request.price < 0:
            raise InvalidOrder("Price must be positive", field="price")
    if kind.has_trigger:
        if not request.trigger_price:
            raise InvalidOrder(f"{kind.value} orders require trigger_price", field="trigger_price")
        if request.trigger_price < 0:
            raise InvalidOrder("Trigger price must be positive", field="trigger_price")


def check_quantity(quantity: int, instrument: Instrument) -> None:
    """Lot multiple (derivatives) and freeze quantity."""
    if quantity <= 0:
        raise InvalidOrder("Quantity must be positive", field="quantity")
    lot = instrument.lot_size
    if instrument.exchange in DERIVATIVE_EXCHANGES and lot > 1 and quantity % lot:
        raise InvalidOrder(f"Quantity must be in multiples of lot size {lot}", field="quantity")
    freeze = instrument.freeze_qty
    if freeze > 1 and quantity > freeze:
        raise InvalidOrder(
            f"Quantity {quantity} is above the freeze quantity of {instrument.symbol}. "
            f"Send at most {freeze} per order, or use a split order.",
            field="quantity",
        )


def check_tick(field: str, price: float, instrument: Instrument) -> None:
    """Raise :class:`InvalidOrder` naming the two nearest prices when ``price`` is off the tick."""
    tick = instrument.tick_size
    if is_on_tick(price, tick):
        return
    below, above = nearest_ticks(price, tick)
    places = decimals(tick)
    name = "Price" if field == "price" else "Trigger price"
    raise InvalidOrder(
        f"{name} {plain(price)} is not a multiple of the tick size {plain(tick)} of "
        f"{instrument.symbol}. "
        f"Nearest: {below:.{places}f} or {above:.{places}f}.",
        field=field,
    )


def _check_stop(kind: PriceType, action: Action, price: float, trigger: float) -> None:
    if kind is PriceType.SL and (price - trigger) * action.sign < 0:
        side = "at or above" if action is Action.BUY else "at or below"
        raise InvalidOrder(
            f"The price of an SL {action.value} order must be {side} its trigger price "
            f"({plain(price)} against {plain(trigger)}).",
            field="price",
        )


def check_modify(order: Order, request: ModifyRequest, instrument: Instrument) -> OrderRequest:
    """The order as it would be after ``request``, checked like a new one.

    0 keeps a price or trigger; the price type may change. Raises :class:`InvalidOrder` when
    identity fields differ from the order's or a price does not belong to its type.
    """
    for name in ("symbol", "exchange", "action", "product"):
        asked, has = getattr(request, name), getattr(order, name)
        if asked is not None and asked != has:
            raise InvalidOrder(
                f"{name} cannot be changed on an existing order ({has} -> {asked}). "
                "Cancel it and place a new one.",
                field=name,
            )
    kind = request.price_type or order.price_type
    if kind is order.price_type:
        if request.price and not kind.has_price:
            raise InvalidOrder(f"{kind.value} orders do not accept a price", field="price")
        if request.trigger_price and not kind.has_trigger:
            raise InvalidOrder(
                f"{kind.value} orders do not accept a trigger_price", field="trigger_price"
            )
    wanted = OrderRequest(
        symbol=order.symbol,
        exchange=order.exchange,
        action=order.action,
        quantity=order.quantity if request.quantity is None else request.quantity,
        price_type=kind,
        product=order.product,
        price=request.price or order.price,
        trigger_price=request.trigger_price or order.trigger_price,
        disclosed_quantity=order.disclosed_quantity,
        strategy=order.strategy,
    )
    wanted = normalised(wanted)
    check_order(wanted, instrument)
    if wanted.quantity <= order.filled_quantity:
        raise InvalidOrder(
            f"Quantity must be above the {order.filled_quantity} already filled.", field="quantity"
        )
    return wanted
