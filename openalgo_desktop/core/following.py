"""The price that an order has while nobody has typed one: a limit follows its side of the book, a
stop-limit its trigger. Pure."""

from __future__ import annotations

from typing import NamedTuple

from openalgo_desktop.core.enums import Action, PriceType
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.money import to_tick
from openalgo_desktop.core.protection import protected_price
from openalgo_desktop.core.ticks import Part, Tick


class Followed(NamedTuple):
    """``price`` is None while what it follows is not known; ``what`` names it for people."""

    price: float | None
    what: str


def followed(
    kind: PriceType, action: Action, row: Instrument, tick: Tick | None, trigger: float
) -> Followed:
    """Of a BUY limit the best bid, of a SELL limit the best ask (it would rest there), else the
    last price; of a stop-limit a little through its trigger. ``tick`` is a fresh one or None."""
    if kind is PriceType.SL:
        price = protected_price(trigger, action, row) if trigger > 0 else None
        return Followed(price, "trigger")
    side = "bid" if action is Action.BUY else "ask"
    if tick is None:
        return Followed(None, side)
    touch = tick.bid if action is Action.BUY else tick.ask
    if tick.knows(Part.TOUCH) and touch > 0:
        return Followed(to_tick(touch, row.tick_size), side)
    if tick.knows(Part.LTP) and tick.ltp > 0:
        return Followed(to_tick(tick.ltp, row.tick_size), "last price")
    return Followed(None, side)
