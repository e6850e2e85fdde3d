"""The visible book around a last price: five levels a side or twenty, a pure function of price and
time. The first five are the same in both."""

from __future__ import annotations

from typing import NamedTuple

from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.money import to_tick
from openalgo_desktop.core.ticks import Depth, Level

LEVELS, DEEP_LEVELS = 5, 20
_MULTIPLIER, _INCREMENT, _MASK = 1_103_515_245, 12_345, 0x7FFFFFFF
_SPREAD_OF_OPTION = 0.004  # of the premium
_MAX_SPREAD_TICKS = 8


class Book(NamedTuple):
    """Best prices, best quantities, and the levels; all zero and empty for an index."""

    bid: float = 0.0
    ask: float = 0.0
    bid_quantity: int = 0
    ask_quantity: int = 0
    total_buy: int = 0
    total_sell: int = 0
    last_quantity: int = 0
    depth: Depth = Depth()


def _book(buy: list[Level], sell: list[Level], last_quantity: int) -> Book:
    return Book(
        buy[0].price if buy else 0.0,
        sell[0].price if sell else 0.0,
        buy[0].quantity if buy else 0,
        sell[0].quantity if sell else 0,
        sum(level.quantity for level in buy),
        sum(level.quantity for level in sell),
        last_quantity,
        Depth(tuple(buy), tuple(sell)),
    )


def spread_ticks(instrument: Instrument, last: float) -> int:
    """Ticks between the best bid and the best ask."""
    if not instrument.is_option:
        return 1
    wide = round(_SPREAD_OF_OPTION * last / instrument.tick_size)
    return max(1, min(_MAX_SPREAD_TICKS, wide))


def make_book(
    instrument: Instrument, last: float, typical: int, salt: int, levels: int = LEVELS
) -> Book:
    """The book at ``last``: the last trade was at the bid or at the ask. ``typical`` is the usual
    quantity of a level in lots, ``salt`` changes with the instrument and the moment."""
    if instrument.is_index:
        return Book()
    tick, lot = instrument.tick_size, max(1, instrument.lot_size)
    dice = (salt * _MULTIPLIER + _INCREMENT) & _MASK
    spread = spread_ticks(instrument, last) * tick
    at_bid = dice >> 16 & 1 or last <= tick
    bid, ask = (last, last + spread) if at_bid else (last - spread, last)
    sides: tuple[list[Level], list[Level]] = ([], [])
    traded = dice
    for number in range(levels):
        for side, best, sign in ((sides[0], bid, -1), (sides[1], ask, 1)):
            dice = (dice * _MULTIPLIER + _INCREMENT) & _MASK
            price = to_tick(best + sign * number * tick, tick)
            if price <= 0:
                continue
            lots = 1 + (dice >> 8) % (2 * typical) * (number + 2) // 3
            side.append(Level(price, lots * lot, 1 + (dice >> 4) % min(lots, 40)))
        if number < LEVELS:
            traded = dice
    return _book(*sides, lot * (1 + (traded >> 10) % max(1, typical // 4)))


def make_frozen_book(instrument: Instrument, last: float, levels: int = LEVELS) -> Book:
    """The book of the frozen market: one tick each side, round quantities that never change."""
    if instrument.is_index:
        return Book()
    tick = instrument.tick_size
    buy, sell = [], []
    for number in range(1, levels + 1):
        price = to_tick(last - number * tick, tick)
        if price > 0:
            buy.append(Level(price, 100 * number, number))
        sell.append(Level(to_tick(last + number * tick, tick), 90 * number, number + 1))
    return _book(buy, sell, 10)
