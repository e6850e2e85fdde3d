"""Market-price protection: the limit that stands in for a market order.

Brokers and exchanges refuse plain market orders over an API in ever more places, so a market
order may be sent as a limit a little through the price.
"""

from __future__ import annotations

from openalgo_desktop.core.enums import Action
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.money import to_tick

#: (price below, per cent); the last row holds for all higher prices.
_PLAIN = ((100.0, 2.0), (500.0, 1.0), (float("inf"), 0.5))
_OPTION = ((10.0, 5.0), (100.0, 3.0), (500.0, 2.0), (float("inf"), 1.0))


def protection_percent(price: float, option: bool) -> float:
    """How far through the price the limit lies, per cent."""
    return next(percent for limit, percent in (_OPTION if option else _PLAIN) if price < limit)


def protected_price(price: float, action: Action, instrument: Instrument) -> float:
    """The limit in rupees, on the tick and at least one tick through ``price``: above it for a
    buy, below it (but above zero) for a sell."""
    tick = instrument.tick_size or 0.05
    percent = protection_percent(price, instrument.is_option)
    limit = to_tick(price * (1 + action.sign * percent / 100), tick)
    if action is Action.BUY:
        return max(limit, to_tick(price + tick, tick))
    return max(min(limit, to_tick(price - tick, tick)), tick)
