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
    GttType,
    PriceType,
    Product,
)
from openalgo_desktop.core.errors import InvalidOrder
from openalgo_desktop.core.gtt import GttRequest
from openalgo_desktop.core.model import Instrument, ModifyRequest, Order, OrderRequest
from openalgo_desktop.core.money import decimals, is_on_tick, nearest_ticks, plain
from openalgo_desktop.core.numbers import MAX_TEXT, number, whole

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
        return whole(value)
    except ValueError:
        raise InvalidOrder("Invalid quantity", field="quantity") from None


def _number(fields: Mapping[str, Any], name: str) -> float:
    try:
        value = fields.get(name) or 0
        checked = number(value)
        return value if type(value) is int else checked  # texts repeat it as it was written
    except ValueError:
        raise InvalidOrder(f"Invalid {name}", field=name) from None


def normalised(request: OrderRequest) -> OrderRequest:
    """The same order without the prices that do not belong to its type."""
    kind = request.price_type
    price = request.price if kind.has_price else 0.0
    trigger = request.trigger_price if kind.has_trigger else 0.0
    if (price, trigger) == (request.price, request.trigger_price):
        return request
    return msgspec.structs.replace(request, price=price, trigger_price=trigger)


def check_tradable(instrument: Instrument) -> None:
    """Raise :class:`InvalidOrder` for what is quoted and not traded."""
    if instrument.is_index:
        raise InvalidOrder(
            f"{instrument.symbol} is an index and cannot be traded. "
            "Choose a future, an option or a fund on it.",
            field="symbol",
        )


def check_order(request: OrderRequest, instrument: Instrument, *, closing: bool = False) -> None:
    """Raise :class:`InvalidOrder`, naming the field, when no exchange would take the order.

    What is ``closing`` a position may be an odd lot: what is held must get out.
    """
    check_fields(request)
    check_tradable(instrument)
    check_quantity(request.quantity, instrument, closing=closing)
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
    _check_bounds(request)
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


def _check_bounds(request: OrderRequest) -> None:
    for name in ("symbol", "strategy"):
        if len(getattr(request, name)) > MAX_TEXT:
            raise InvalidOrder(f"{name}: at most {MAX_TEXT} characters", field=name)
    if not 0 <= request.disclosed_quantity <= request.quantity:
        raise InvalidOrder(
            f"disclosed_quantity must be from 0 to the quantity, {request.quantity}",
            field="disclosed_quantity",
        )
    for name in ("price", "trigger_price"):
        if not abs(getattr(request, name)) <= MAX_PRICE:  # nan is not, either
            raise InvalidOrder(f"{name} must be below {MAX_PRICE:,.0f}", field=name)


def check_quantity(quantity: int, instrument: Instrument, *, closing: bool = False) -> None:
    """Lot multiple (derivatives) and freeze quantity."""
    if quantity <= 0:
        raise InvalidOrder("Quantity must be positive", field="quantity")
    lot = instrument.lot_size
    odd = instrument.exchange in DERIVATIVE_EXCHANGES and lot > 1 and quantity % lot
    if odd and not closing:
        raise InvalidOrder(f"Quantity must be in multiples of lot size {lot}", field="quantity")
    freeze = instrument.freeze_qty
    if freeze > 1 and quantity > freeze:
        raise InvalidOrder(
            f"Quantity {quantity} is above the freeze quantity of {instrument.symbol}. "
            f"Send at most {freeze} per order, or use a split order.",
            field="quantity",
        )


def check_tick(field: str, price: float, instrument: Instrument) -> None:
    """Raise :class:`InvalidOrder` for a price below one tick, and for one off the tick, naming the
    two nearest."""
    tick = instrument.tick_size
    least = tick if tick > 0 else 0.01
    name = "Price" if field == "price" else "Trigger price"
    if price < least * (1 - 1e-9):
        raise InvalidOrder(
            f"{name} {plain(price)} is below the smallest price of {instrument.symbol}, "
            f"{plain(least)}.",
            field=field,
        )
    if is_on_tick(price, tick):
        return
    below, above = nearest_ticks(price, tick)
    places = decimals(tick)
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
    quantity = order.quantity if request.quantity is None else request.quantity
    disclosed = request.disclosed_quantity or min(order.disclosed_quantity, max(0, quantity))
    if kind is not order.price_type and not kind.has_price and not request.disclosed_quantity:
        disclosed = 0  # what trades at once shows all of it
    wanted = OrderRequest(
        symbol=order.symbol,
        exchange=order.exchange,
        action=order.action,
        quantity=quantity,
        price_type=kind,
        product=order.product,
        price=request.price or order.price,
        trigger_price=request.trigger_price or order.trigger_price,
        disclosed_quantity=disclosed,
        strategy=order.strategy,
        validity=order.validity,
    )
    wanted = normalised(wanted)
    check_order(wanted, instrument)
    if wanted.quantity <= order.filled_quantity:
        raise InvalidOrder(
            f"Quantity must be above the {order.filled_quantity} already filled.", field="quantity"
        )
    return wanted


def check_gtt(request: GttRequest, instrument: Instrument) -> None:
    """Raise :class:`InvalidOrder`, naming the field, for a GTT whose triggers, prices or quantity
    cannot be right for the instrument."""
    if request.product is Product.MIS:
        raise InvalidOrder(
            "GTT supports only CNC (delivery) or NRML (overnight F&O); MIS is intraday-only.",
            field="product",
        )
    if request.price_type not in (PriceType.LIMIT, PriceType.MARKET):
        raise InvalidOrder("GTT supports only LIMIT and MARKET orders.", field="pricetype")
    wanted = 2 if request.trigger_type is GttType.OCO else 1
    if sum(trigger > 0 for trigger in (request.trigger_below, request.trigger_above)) != wanted:
        raise InvalidOrder(
            "A SINGLE GTT needs exactly one of triggerprice_sl or triggerprice_tg; "
            "an OCO needs both.",
            field="triggerprice_sl",
        )
    if request.trigger_type is GttType.OCO and request.trigger_below >= request.trigger_above:
        raise InvalidOrder(
            "Stoploss trigger must be less than target trigger (triggerprice_tg).",
            field="triggerprice_sl",
        )
    market = OrderRequest(
        request.symbol,
        request.exchange,
        request.action,
        request.quantity,
        PriceType.MARKET,
        request.product,
    )
    check_order(market, instrument)
    single = request.trigger_type is GttType.SINGLE
    limits = {"price": request.price} if single else _oco_limits(request)
    for name, trigger in (
        ("triggerprice_sl", request.trigger_below),
        ("triggerprice_tg", request.trigger_above),
    ):
        if trigger:
            check_tick(name, trigger, instrument)
    for name, limit in limits.items():
        if request.price_type is PriceType.LIMIT:
            if limit <= 0:
                raise InvalidOrder(f"A LIMIT GTT requires {name}.", field=name)
            check_tick(name, limit, instrument)


def _oco_limits(request: GttRequest) -> dict[str, float]:
    return {"stoploss": request.stoploss, "target": request.target}
