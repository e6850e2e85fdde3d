"""Market-price protection: the limit that stands in for a market order.

Brokers and exchanges refuse plain market orders over an API in ever more places, so a market
order may be sent as a limit a little through the price, and a stop-market as a stop-limit a little
through its trigger. How far depends on the price and on the instrument type; the end of a symbol
says nothing (RELIANCE is no call).
"""

from __future__ import annotations

import msgspec

from openalgo_desktop.core.enums import Action, Exchange, PriceType
from openalgo_desktop.core.errors import NoPrice
from openalgo_desktop.core.model import Instrument, OrderRequest
from openalgo_desktop.core.money import to_tick
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.core.traits import ProtectRule

#: (price below, per cent); the last row holds for all higher prices.
_PLAIN = ((100.0, 2.0), (500.0, 1.0), (float("inf"), 0.5))
_OPTION = ((10.0, 5.0), (100.0, 3.0), (500.0, 2.0), (float("inf"), 1.0))
#: (price below, tick): grids that hold whatever the tick of an instrument is, since every tick of
#: the exchanges fits into them. Shares and their futures: NSE circular of 2025 on tick sizes by
#: price; commodities: the largest tick of MCX's contract specifications at such prices.
_GRID = ((1000.0, 0.05), (5000.0, 0.1), (10_000.0, 0.5), (20_000.0, 1.0),
         (float("inf"), 5.0))  # fmt: skip
_MCX_GRID = ((1000.0, 0.1), (20_000.0, 1.0), (float("inf"), 10.0))
_FINE = frozenset({Exchange.CDS, Exchange.BCD})
#: What stands in for a price type.
LIMITED = {PriceType.MARKET: PriceType.LIMIT, PriceType.SLM: PriceType.SL}
#: The rule that protects whatever can be.
ALWAYS: ProtectRule = dict.fromkeys(LIMITED, frozenset(Exchange))


def protection_percent(price: float, option: bool) -> float:
    """How far through the price the limit lies, per cent."""
    return next(percent for limit, percent in (_OPTION if option else _PLAIN) if price < limit)


def on_any_tick(price: float, instrument: Instrument) -> Instrument:
    """The instrument with a tick that its real one, which nobody told, divides at this price."""
    if instrument.is_option or instrument.exchange in _FINE:
        return instrument
    grid = _MCX_GRID if instrument.exchange == Exchange.MCX else _GRID
    coarse = next(tick for limit, tick in grid if price < limit)
    tick = max(coarse, instrument.tick_size)
    return msgspec.structs.replace(instrument, tick_size=tick)


def protected_price(
    price: float, action: Action, instrument: Instrument, *, times: float = 1.0
) -> float:
    """The limit in rupees, on the tick and at least one tick through ``price``: above it for a
    buy, below it (but above zero) for a sell. ``times`` as far as usual."""
    tick = instrument.tick_size or 0.05
    percent = times * protection_percent(price, instrument.is_option)
    limit = to_tick(price * (1 + action.sign * percent / 100), tick)
    if action is Action.BUY:
        return max(limit, to_tick(price + tick, tick))
    return max(min(limit, to_tick(price - tick, tick)), tick)


def within_circuits(request: OrderRequest, market: Tick) -> OrderRequest:
    """A limit no further than the circuit of the day, where it is known: beyond it the exchange
    refuses, at it the order waits in the queue."""
    price, low, high = request.price, market.lower_circuit, market.upper_circuit
    if high > 0 and price > high:
        price = high
    if low > 0 and price < low:
        price = low
    return request if price == request.price else msgspec.structs.replace(request, price=price)


def is_protected(price_type: PriceType, exchange: str, rule: ProtectRule) -> bool:
    """Whether the rule wants such an order to go out as a limit."""
    return price_type in LIMITED and exchange in rule.get(price_type, ())


def needs_price(request: OrderRequest, rule: ProtectRule) -> bool:
    """Whether :func:`protect` needs the price of the market; a stop has its trigger."""
    return request.price_type is PriceType.MARKET and is_protected(
        request.price_type, request.exchange, rule
    )


def no_price(symbol: str, why: str = "") -> NoPrice:
    """The refusal of an order that cannot be protected; ``why`` is what kept the price away."""
    text = f"No price of {symbol} is known to protect the market order: send a limit order."
    return NoPrice(f"{text} {why}".rstrip(), field="pricetype")


def protect(
    request: OrderRequest,
    row: Instrument,
    price: float,
    rule: ProtectRule,
    *,
    times: float = 1.0,
    ticks: bool = True,
) -> OrderRequest:
    """The order as it may leave: itself, or the limit that stands in for it. ``price`` is the
    last one of the market, rupees (0 where :func:`needs_price` says no). Raises
    :class:`NoPrice` where it is not known, never leaving the order unprotected. ``times`` as in
    :func:`protected_price`; ``ticks`` says whether the tick of ``row`` is known."""
    if not is_protected(request.price_type, request.exchange, rule):
        return request
    if request.price_type.has_trigger:
        price = request.trigger_price
    if price <= 0:
        raise no_price(request.symbol)
    if not ticks:
        row = on_any_tick(price, row)
    return msgspec.structs.replace(
        request,
        price_type=LIMITED[request.price_type],
        price=protected_price(price, request.action, row, times=times),
    )
