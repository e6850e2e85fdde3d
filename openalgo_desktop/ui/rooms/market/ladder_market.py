"""What a ladder shows of an instrument: book, own orders, what is held, by rows."""

from __future__ import annotations

from collections.abc import Sequence

from openalgo_desktop.core.model import Instrument, Position
from openalgo_desktop.core.money import decimals
from openalgo_desktop.core.ticks import Depth, Part
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.rooms.market.ladder_bar import HeldLine
from openalgo_desktop.ui.rooms.market.ladder_grid import Grid, by_row, own_by_row, ticks_won
from openalgo_desktop.ui.rooms.market.ladder_picture import Market


def market_of(
    bridge: Bridge,
    grid: Grid,
    instrument: Instrument,
    held: Sequence[Position],
    last: float | None,
) -> tuple[Market, list[HeldLine]]:
    """The market by rows, and what is ``held`` in lines. Volume and age are the caller's."""
    tick = bridge.latest(instrument.key)
    known = tick is not None and tick.knows(Part.BOOK)
    depth = (tick.depth if known and tick is not None else None) or Depth()
    market = Market(
        by_row(depth.buy, grid, False),
        by_row(depth.sell, grid, True),
        own_by_row(bridge.books.working_of(instrument.key), grid),
        last=None if last is None else grid.number(last),
        lot=max(1, instrument.lot_size),
        places=decimals(instrument.tick_size),
    )
    priced = [row for row in held if row.average_price > 0]
    if priced:
        market.held = grid.number(priced[0].average_price)
    lines = [_held_line(bridge, grid, instrument, row, last) for row in held]
    market.held_text = "\n".join(line.whole for line in lines)
    return market, lines


def _held_line(
    bridge: Bridge, grid: Grid, instrument: Instrument, row: Position, last: float | None
) -> HeldLine:
    """Lots and average, and what is won in ticks and rupees."""
    lots = row.quantity / max(1, instrument.lot_size)
    average = fmt.exact(row.average_price, decimals(instrument.tick_size))
    text = f"{lots:+g} {row.product.value} @ {average}"
    ticks = money = ""
    if last is not None and bridge.books.is_live(row):
        won = ticks_won(row.quantity, row.average_price, last, grid.tick)
        ticks, money = f"{won:+.0f} ticks", fmt.signed_money(row.unrealised)
    return HeldLine(text, ticks, money)
