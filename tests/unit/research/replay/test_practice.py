"""The practice account: fills on the path of a bar, exits, days, and going back."""

from __future__ import annotations

import random
from datetime import datetime
from decimal import Decimal

import pytest

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Action, OrderStatus, Product
from openalgo_desktop.core.errors import DataError, InsufficientFunds, InvalidOrder
from openalgo_desktop.core.model import ModifyRequest
from openalgo_desktop.research.replay.path import path_of
from openalgo_desktop.research.replay.practice import Cancel, Change, Exit, Place, Protect
from openalgo_desktop.research.replay.session import Replay
from tests.unit.research.replay.market import M1, M5, A, B, D, Row, at, buy, replay, walk

SELL = Action.SELL
PLACE = (*A, "MIS")


def minutes(*bars: tuple[float, float, float, float], day: str = "02") -> list[Row]:
    first = int(at(f"{day} 09:15"))
    return [(first + 60 * n, *bar, 100, 0) for n, bar in enumerate(bars)]


async def begun(*bars: tuple[float, float, float, float]) -> Replay:
    """After the first of these minutes."""
    session = replay({A: minutes(*bars)})
    await session.begin([(A, M1)], at("02 09:15"))
    await session.step()
    return session


def filled(session: Replay) -> list[tuple[str, int, float]]:
    return [(trade.action.value, trade.quantity, trade.price) for trade in session.practice.trades]


def test_a_path_goes_to_the_nearer_extreme_first() -> None:
    assert path_of(100, 110, 98, 105) == (100, 98, 110, 105)
    assert path_of(100, 101, 90, 95) == (100, 101, 90, 95)
    assert path_of(100, 105, 95, 101) == (100, 95, 105, 101)
    assert path_of(100, 105, 95, 99) == (100, 105, 95, 99)


async def test_a_market_order_trades_at_the_last_replayed_price() -> None:
    session = await begun((100, 101, 99, 100.5), (100.5, 103, 100, 102))
    session.do(Place(buy()))
    assert filled(session) == [("BUY", 10, 100.5)]
    await session.step()
    assert session.practice.unrealised(session.reel.now) == Decimal("15.00")
    assert session.profit == Decimal("15.00")
    session.close_positions(A)
    assert session.practice.realised == Decimal("15.00") and session.practice.idle


async def test_a_limit_inside_a_bar_fills_at_its_price() -> None:
    session = await begun((100, 101, 99, 100), (100.5, 103, 98, 102))
    session.do(Place(buy(price=98.5)))
    session.do(Place(buy(price=102.5, action=SELL)))
    session.do(Place(buy(price=97.95)))
    await session.step()
    # The open is 2.5 from both extremes and the bar rises: down first, then up.
    assert filled(session) == [("BUY", 10, 98.5), ("SELL", 10, 102.5)]
    assert [order.price for order in session.practice.working] == [97.95]


async def test_what_the_open_jumps_over_fills_at_the_open() -> None:
    session = await begun((100, 101, 99, 100), (105, 106, 104.5, 105.5))
    session.do(Place(buy(trigger=102)))
    session.do(Place(buy(price=103, action=SELL)))
    await session.step()
    assert filled(session) == [("BUY", 10, 105.0), ("SELL", 10, 105.0)]


async def test_a_stop_inside_a_bar_fills_at_its_trigger_and_with_a_limit_waits_for_it() -> None:
    session = await begun((100, 101, 99, 100), (100, 104, 99.5, 103), (105, 105, 101, 102))
    session.do(Place(buy(trigger=102)))
    session.do(Place(buy(trigger=103.5, price=103.6)))
    session.do(Place(buy(trigger=104.5, price=104.6)))
    await session.step()
    assert filled(session) == [("BUY", 10, 102.0), ("BUY", 10, 103.5)]
    await session.step()  # it opens beyond the limit of the third and comes back to it
    assert filled(session)[2:] == [("BUY", 10, 104.6)]


async def test_stop_and_target_of_an_entry_in_one_bar_come_in_the_order_of_its_path() -> None:
    bar = (100.0, 106.0, 97.0, 105.0)  # 3 down, 6 up: down first
    session = await begun((100, 101, 99, 100), bar)
    session.do(Place(buy(price=99), Exit(stop=97.5, target=104)))
    await session.step()
    assert filled(session) == [("BUY", 10, 99.0), ("SELL", 10, 97.5)]
    session = await begun((100, 101, 99, 100), bar)
    session.do(Place(buy(price=99), Exit(stop=96.5, target=104)))
    await session.step()
    assert filled(session) == [("BUY", 10, 99.0), ("SELL", 10, 104.0)]
    assert session.practice.trades[1].strategy == "REPLAY TARGET"


async def test_levels_end_with_their_position_and_never_guard_the_other_side() -> None:
    session = await begun((100, 101, 99, 100), (100, 100.5, 97, 98), (98, 99, 90, 91))
    session.do(Place(buy(), Exit(stop=95)))
    session.do(Place(buy(20, action=SELL)))
    assert session.practice.held(PLACE) == -10
    assert session.practice.exit_of(PLACE) == Exit()
    session.do(Protect(PLACE, Exit(stop=102, target=97.5)))
    await session.step()
    assert session.practice.held(PLACE) == 0
    await session.step()
    assert filled(session)[-1] == ("BUY", 10, 97.5) and len(filled(session)) == 3


async def test_a_leaving_exit_takes_the_orders_along_that_would_have_closed_it() -> None:
    session = await begun((100, 101, 99, 100), (100, 100.5, 94, 94))
    session.do(Place(buy(), Exit(stop=95)))
    rests = session.do(Place(buy(price=110, action=SELL)))
    assert rests is not None
    await session.step()
    assert session.practice.held(PLACE) == 0
    assert session.practice.book.find(rests.order_id).order.status is OrderStatus.CANCELLED


async def test_levels_on_the_wrong_side_and_off_the_tick_are_refused() -> None:
    session = await begun((100, 101, 99, 100))
    with pytest.raises(InvalidOrder, match="stop must be below 100"):
        session.do(Place(buy(), Exit(stop=100.5)))
    with pytest.raises(InvalidOrder, match="target must be above 99"):
        session.do(Place(buy(price=99), Exit(target=98)))
    with pytest.raises(InvalidOrder, match="tick"):
        session.do(Place(buy(), Exit(stop=95.02)))
    with pytest.raises(InvalidOrder, match="no open position"):
        session.do(Protect(PLACE, Exit(stop=95)))
    with pytest.raises(InsufficientFunds):
        session.do(Place(buy(100_000)))
    assert filled(session) == []


async def test_before_its_first_bar_nothing_trades() -> None:
    session = replay({A: minutes((100, 101, 99, 100))})
    await session.begin([(A, M1)], at("02 09:00"))
    with pytest.raises(InvalidOrder, match="no price in this replay yet"):
        session.do(Place(buy()))


async def test_changed_and_cancelled_orders() -> None:
    session = await begun((100, 101, 99, 100), (100, 100.5, 97, 98))
    first = session.do(Place(buy(price=90)))
    second = session.do(Place(buy(price=97.5)))
    assert first is not None and second is not None
    session.do(Change(ModifyRequest(first.order_id, price=98.5)))
    session.do(Cancel(second.order_id))
    await session.step()
    assert filled(session) == [("BUY", 10, 98.5)]


async def test_a_day_ends_orders_and_intraday_positions() -> None:
    rows = minutes((100, 101, 99, 100)) + minutes((104, 105, 90, 101), day="03")
    session = replay({A: rows})
    await session.begin([(A, M1)], at("02 09:15:30"))
    old = session.do(Place(buy(price=95)))
    session.do(Place(buy()))
    await session.step()
    late = session.do(Place(buy(price=92)))  # after the last price of the day: for the next one
    assert old is not None and late is not None
    await session.step()
    assert filled(session) == [("BUY", 10, 99.0), ("SELL", 10, 100.0), ("BUY", 10, 92.0)]
    book = session.practice.book
    assert book.find(old.order_id).order.status is OrderStatus.CANCELLED
    assert book.find(late.order_id).order.status is OrderStatus.COMPLETE


async def test_by_days_positions_stay_over_night() -> None:
    session = replay({A: walk(3)})
    await session.begin([(A, D)], at("02 09:00"))
    session.practice.intraday = False
    await session.step()
    session.do(Place(buy()))
    for _ in range(3):
        await session.step()
    assert session.practice.held(PLACE) == 10


async def test_two_instruments_fill_in_the_order_of_time() -> None:
    session = replay({A: minutes((100, 101, 99, 100), (100, 102, 99.5, 101)), B: walk(5)})
    await session.begin([(A, M5), (B, M1)], at("02 09:15"), M1)
    await session.step()
    price = session.last(B)
    assert price is not None
    session.do(Place(buy(price=99.6)))
    session.do(Place(buy(price=round(price + 50, 2))))  # of A: at once
    times = [trade.traded_at for trade in session.practice.trades]
    assert times == sorted(times)
    await session.step()
    assert [trade.traded_at for trade in session.practice.trades][-1] > times[-1]


def account(session: Replay) -> tuple[object, ...]:
    practice = session.practice
    return (
        [(o.order_id, o.status, o.filled_quantity, o.average_price) for o in practice.orders],
        practice.trades,
        [
            (row.key, row.quantity, row.average_price, row.unrealised)
            for row in practice.positions(session.reel.now)
        ],
        practice.cash,
        practice.realised,
        practice.exit_of(PLACE),
    )


@pytest.mark.parametrize("seed", range(4))
async def test_steps_back_bring_back_the_account_of_then(seed: int) -> None:
    dice = random.Random(seed)
    session = replay({A: walk(seed + 10, days=3)})
    await session.begin([(A, M5)], at("02 14:00"))
    states: list[tuple[float, tuple[object, ...]]] = []
    for _ in range(40):
        await session.step()
        last = session.last(A)
        assert last is not None
        level = round(last + dice.choice([-0.5, 0.5]), 2)
        action = dice.choice(list(Action))
        stop = round(last - action.sign * 1.5, 2)
        exit_ = Exit(stop=stop) if dice.random() < 0.5 else Exit()
        if dice.random() < 0.3:
            session.do(Place(buy(action=action), exit_))
        elif dice.random() < 0.5:
            session.do(Place(buy(price=level, action=action)))
        states.append((session.reel.now, account(session)))
    assert len(session.practice.trades) > 5
    for moment, state in states[-2::-7]:
        while session.reel.now > moment:
            assert await session.back()
        assert session.reel.now == moment
        assert account(session) == state
    moment, state = states[0]
    await session.jump(moment)
    assert account(session) == state
    assert session.undone > 0


async def test_a_long_jump_keeps_a_closed_account_and_is_refused_with_an_open_one() -> None:
    session = replay({A: walk(1, days=18)})
    await session.begin([(A, M1)], at("02 10:00"))
    await session.step()
    session.do(Place(buy()))
    session.close_positions(A)
    trades = session.practice.trades
    await session.jump(at("20 11:00"))
    assert session.practice.trades == trades and session.now.day == 20
    await session.jump(at("12 11:00"))
    assert session.practice.trades == trades
    session.do(Place(buy(product=Product.CNC)))
    await session.jump(at("18 10:00"))  # lived through
    assert session.practice.held((*A, "CNC")) == 10
    await session.jump(at("02 09:30"))
    assert session.practice.trades == []
    with pytest.raises(DataError, match="in the past"):
        await session.jump(datetime(2027, 1, 1, tzinfo=IST).timestamp())


async def test_the_figures_are_those_of_the_round_trips() -> None:
    session = await begun((100, 101, 99, 100), (100, 103, 100, 102), (102, 102, 99, 99))
    session.do(Place(buy()))
    await session.step()
    session.close_positions(A)
    session.do(Place(buy()))
    await session.step()
    session.close_positions(A)
    found = session.figures()
    assert (found.trades, found.wins, found.losses) == (2, 1, 1)
    assert found.net == Decimal("-10.00") and found.max_drawdown == Decimal("30.00")
