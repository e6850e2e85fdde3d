"""Rows of a ladder: numbers belong to prices."""

from __future__ import annotations

from openalgo_desktop.core.enums import Action, FeedMode, PriceType, Product
from openalgo_desktop.core.model import Order
from openalgo_desktop.core.money import is_on_tick
from openalgo_desktop.core.ticks import Level, Tick
from openalgo_desktop.ui.rooms.market.ladder_grid import (
    Grid,
    Volumes,
    by_row,
    own_by_row,
    ticks_won,
)
from openalgo_desktop.ui.rooms.market.one_click import as_request, moved


def order(action: Action, kind: PriceType, price: float, trigger: float = 0.0) -> Order:
    return Order("1", "SBIN", "NSE", action, 10, kind, Product.MIS, price, trigger)


def test_a_row_is_a_price_on_the_tick_and_stays_one_when_the_ladder_moves() -> None:
    for tick in (0.05, 0.1, 0.0025, 1.0):
        grid = Grid(tick, rows=11)
        number = grid.number(800.0)
        assert grid.price(number) == 800.0
        assert all(is_on_tick(grid.price(number + step), tick) for step in range(-50, 50))
        before = grid.moved
        grid.centre(800.0)
        assert grid.place(number) == 5 and grid.moved == before + 1
        grid.scroll(3)
        assert grid.price(number) == 800.0 and grid.at(grid.place(number)) == number


def test_grouped_rows_never_make_a_bid_dearer_or_an_ask_cheaper() -> None:
    grid = Grid(0.05, group=10)
    bids = by_row([Level(800.4, 5, 1), Level(800.05, 7, 1)], grid, up=False)
    asks = by_row([Level(800.45, 5, 1), Level(800.5, 7, 1)], grid, up=True)
    assert {grid.price(n): units for n, units in bids.items()} == {800.0: 12}
    assert {grid.price(n): units for n, units in asks.items()} == {800.5: 12}


def test_own_orders_stand_where_they_wait() -> None:
    grid = Grid(0.05)
    limit = order(Action.BUY, PriceType.LIMIT, 799.0)
    stop = order(Action.SELL, PriceType.SL, 789.5, 790.0)
    market = order(Action.SELL, PriceType.MARKET, 0.0)
    rows = own_by_row([limit, stop, market], grid)
    assert rows == {
        (Action.BUY, grid.number(799.0)): [limit],
        (Action.SELL, grid.number(790.0)): [stop],
    }


def test_volume_counts_what_was_traded_while_somebody_looked() -> None:
    grid, volumes = Grid(0.05), Volumes()
    volumes.restart("11:42")

    def tick(price: float, volume: int, mode: FeedMode = FeedMode.QUOTE) -> None:
        volumes.take(Tick("SBIN", "NSE", price, mode, volume=volume), grid)

    tick(800.0, 1000)  # before that: not seen
    tick(800.05, 1010)
    tick(800.05, 1010)
    tick(800.05, 0, FeedMode.LTP)  # tells no volume
    tick(800.0, 1015)
    tick(800.0, 3)  # another day
    tick(800.0, 5)
    assert volumes.by_row(grid) == {grid.number(800.05): 10, grid.number(800.0): 7}
    grid.group = 5
    assert sum(volumes.by_row(grid).values()) == 17
    volumes.restart("12:00")
    assert volumes.by_row(grid) == {}


def test_the_last_price_is_left_alone_while_it_is_near_the_middle() -> None:
    grid = Grid(0.05, rows=20)
    grid.centre(800.0)
    assert grid.calm(800.0) and grid.calm(800.25)
    assert not grid.calm(800.35)


def test_a_dragged_stop_with_a_limit_keeps_their_distance() -> None:
    stop = order(Action.SELL, PriceType.SL, 789.5, 790.0)
    change = moved(stop, 795.0, 0.05)
    assert (change.trigger_price, change.price) == (795.0, 794.5)
    wanted = as_request(stop, change)
    assert (wanted.trigger_price, wanted.price, wanted.quantity) == (795.0, 794.5, 10)
    assert moved(order(Action.BUY, PriceType.LIMIT, 1.0), 2.0, 0.05).trigger_price is None
    plain = moved(order(Action.SELL, PriceType.SLM, 0.0, 5.0), 2.0, 0.05)
    assert (plain.price, plain.trigger_price) == (None, 2.0)


def test_a_short_wins_when_the_price_falls() -> None:
    assert round(ticks_won(-10, 800.0, 799.5, 0.05)) == 10
    assert round(ticks_won(10, 800.0, 799.5, 0.05)) == -10
