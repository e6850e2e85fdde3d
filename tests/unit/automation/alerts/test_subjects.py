"""Each subject beside prices, studies and drawings, once through the real engine."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from decimal import Decimal

import pytest

from openalgo_desktop.automation.alerts import gauges, moments
from openalgo_desktop.core.alert_subjects import (
    Edge,
    Figure,
    OfCombination,
    OfGreek,
    OfOrders,
    OfResult,
    OfTime,
    OrderNews,
    ResultOf,
)
from openalgo_desktop.core.alerts import AlertState, AlertWhen, AlertWish, Pace, PriceAlert
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Action, Mode, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import InvalidOrder
from openalgo_desktop.core.events import (
    FeedChanged,
    InstrumentsLoaded,
    OrderRefused,
    OrderUpdated,
    PositionsChanged,
)
from openalgo_desktop.core.model import Instrument, Key, Order, Position
from tests.unit.automation.alerts.room import NOW, Room, room
from tests.waiting import until

__all__ = ["room"]

INFY: Key = ("NSE", "INFY")
CALL: Key = ("NFO", "NIFTY30DEC2624000CE")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds follow each other at once."""
    monkeypatch.setattr(gauges, "PACE", 0.001)
    monkeypatch.setattr(moments, "LOOK", 0.001)


def know(room: Room, *keys: Key) -> None:
    """Symbols of the master."""
    for exchange, symbol in keys:
        kind = "CE" if exchange == "NFO" else "EQ"
        room.world.lookup.rows[exchange, symbol] = Instrument(
            symbol, exchange, symbol, kind, 1, 0.05
        )


def words(room: Room) -> list[str]:
    return [row.text for row in room.words]


async def add(room: Room, when: AlertWhen, level: str, key: Key, **more: object) -> PriceAlert:
    return await room.alerts.add(AlertWish(*key, when, Decimal(level), **more))  # type: ignore[arg-type]


async def test_a_symbol_crosses_another_one_and_a_ratio_its_level(room: Room):
    know(room, ("NSE", "SBIN"), INFY)
    cross = await add(
        room, AlertWhen.CROSSES_UP, "0", ("NSE", "SBIN"), against=OfCombination("NSE:INFY")
    )
    ratio = await add(
        room, AlertWhen.ABOVE, "2", ("", ""), subject=OfCombination("NSE:SBIN / NSE:INFY")
    )
    assert room.alerts.trouble(ratio) == "There is no fresh price of SBIN."
    room.ticks.say(790.0)
    room.ticks.say(800.0, INFY)
    await until(lambda: room.alerts.get(cross.alert_id).side == -1)
    assert room.alerts.current(ratio) == 790 / 800
    room.ticks.say(801.0)
    await until(lambda: len(room.told) == 1)
    assert (room.told[0].alert_id, room.told[0].fired_line) == (cross.alert_id, Decimal(800))
    room.ticks.say(400.0, INFY)
    await until(lambda: len(room.told) == 2)
    assert words(room) == [
        "SBIN at 801.00 (LTP crosses up NSE:INFY)",
        "At 2.0025 (NSE:SBIN / NSE:INFY at or above 2)",
    ]


async def test_a_leg_that_nobody_knows_decides_nothing(room: Room):
    know(room, ("NSE", "SBIN"), INFY)
    made = await add(
        room, AlertWhen.BELOW, "0", ("", ""), subject=OfCombination("NSE:SBIN - NSE:INFY")
    )
    room.ticks.say(700.0)
    room.ticks.stale = True
    room.ticks.say(800.0, INFY)
    await until(lambda: not room.alerts._rooms[made.wish.room]._moved)  # type: ignore[attr-defined]
    assert not room.told
    room.ticks.stale = False
    room.ticks.say(800.0, INFY)
    await until(lambda: len(room.told) == 1)


@pytest.mark.parametrize(
    ("formula", "part"),
    [("NSE:SBIN / SBIN", "SBIN"), ("NSE:SBIN +", "Combination"), ("NSE:NOBODY", "NOBODY")],
)
async def test_a_formula_that_cannot_be_read_is_refused(room: Room, formula: str, part: str):
    know(room, ("NSE", "SBIN"))
    with pytest.raises(InvalidOrder, match=part):
        await add(room, AlertWhen.ABOVE, "1", ("", ""), subject=OfCombination(formula))


async def test_figures_of_an_option(room: Room):
    know(room, CALL)
    iv = await add(room, AlertWhen.ABOVE, "20", CALL, subject=OfGreek(Figure.IV))
    await add(room, AlertWhen.BELOW, "0.01", CALL, subject=OfGreek(Figure.DELTA))
    assert "fresh prices of the option" in room.alerts.trouble(iv)
    room.ticks.say(15.0, CALL)
    room.ticks.say(24_000.0, ("NSE", "NIFTY"))
    await until(lambda: room.alerts.current(iv) == 15)
    assert not room.told
    room.ticks.say(21.5, CALL)
    await until(lambda: len(room.told) == 1)
    room.ticks.say(9.0, CALL)
    await until(lambda: len(room.told) == 2)
    assert words(room) == [
        f"{CALL[1]} at 21.5 (IV at or above 20)",
        f"{CALL[1]} at 0.009 (Delta at or below 0.01)",
    ]
    with pytest.raises(InvalidOrder, match="SBIN is no option"):
        await add(room, AlertWhen.ABOVE, "20", ("NSE", "SBIN"), subject=OfGreek(Figure.IV))


def hold(room: Room, quantity: int, average: float) -> None:
    row = Position("SBIN", "NSE", Product.MIS, quantity, average)
    room.book.adopt_positions([row])
    room.bus.publish(PositionsChanged(account_id="paper:1", mode=Mode.SANDBOX))


async def test_results_of_one_mode_and_account(room: Room):
    day = OfResult(Mode.SANDBOX, "paper:1")
    made = await add(room, AlertWhen.BELOW, "-500", ("", ""), subject=day)
    one = OfResult(Mode.SANDBOX, "paper:1", ResultOf.SYMBOL)
    await add(room, AlertWhen.ABOVE, "300", ("NSE", "SBIN"), subject=one)
    hold(room, 100, 800.0)
    await until(lambda: "something held" in room.alerts.trouble(made))  # unknown is not 0
    room.ticks.say(804.0)
    await until(lambda: len(room.told) == 1)
    room.ticks.say(794.0)
    await until(lambda: len(room.told) == 2)
    assert words(room) == [
        "SBIN at 400 (Day P&L of SBIN (sandbox) at or above 300)",
        "At -600 (Day P&L of the account (sandbox) at or below -500)",
    ]


async def test_the_result_of_another_account_is_not_known(room: Room):
    other = OfResult(Mode.SANDBOX, "paper:2")
    made = await add(room, AlertWhen.BELOW, "-1", ("", ""), subject=other)
    hold(room, 100, 800.0)
    room.ticks.say(700.0)
    await until(lambda: "paper:2 is not the sandbox one" in room.alerts.trouble(made))
    room.book.account_id = "paper:2"
    room.book.day = NOW.date() - timedelta(days=1)
    hold(room, 100, 800.0)
    await until(lambda: "not read today" in room.alerts.trouble(made))
    assert not room.told


async def test_a_moment_comes_once_and_one_of_each_day_again(room: Room):
    at = NOW + timedelta(minutes=5)
    once = await add(room, AlertWhen.HAPPENS, "0", ("", ""), subject=OfTime(at=at))
    daily = OfTime(daily=time(10, 10))
    each = await add(room, AlertWhen.HAPPENS, "0", ("", ""), again=True, subject=daily, note="tea")
    room.clock.advance(299)
    room.alerts.look()
    assert not room.told
    room.clock.advance(1)
    await until(lambda: len(room.told) == 1)
    assert room.alerts.get(once.alert_id).state is AlertState.FIRED
    room.clock.advance(300)
    await until(lambda: len(room.told) == 2)
    room.clock.advance(86_400)
    await until(lambda: len(room.told) == 3)
    assert room.alerts.get(each.alert_id).count == 2
    assert words(room) == [
        "10:05 on 30 Nov 2026 at 10:05",
        "10:10 at 10:10 on trading days of NSE. tea",
        "10:10 at 10:10 on trading days of NSE. tea",
    ]


async def test_what_passed_while_nobody_watched_is_not_told_as_if_it_were_now(room: Room):
    at = NOW + timedelta(minutes=5)
    once = await add(room, AlertWhen.HAPPENS, "0", ("", ""), subject=OfTime(at=at))
    edge = OfTime(edge=Edge.CLOSE, minutes=-15)
    each = await add(room, AlertWhen.HAPPENS, "0", ("", ""), again=True, subject=edge)
    await room.alerts.stop()
    room.clock.jump(datetime(2026, 11, 30, 18, 0, tzinfo=IST))
    room.alerts = room.make()
    await room.alerts.start()
    assert room.alerts.get(once.alert_id).state is AlertState.PAUSED
    assert room.alerts.get(once.alert_id).why == moments.MISSED
    watch = room.alerts._rooms[each.wish.room]
    assert isinstance(watch, moments.Moments)
    assert watch.due(each.alert_id) == datetime(2026, 12, 1, 15, 15, tzinfo=IST)
    room.clock.jump(datetime(2026, 12, 1, 16, 0, tzinfo=IST))  # the computer slept
    await until(lambda: watch.due(each.alert_id) == datetime(2026, 12, 2, 15, 15, tzinfo=IST))
    assert not room.told
    with pytest.raises(InvalidOrder, match="is over"):
        await add(room, AlertWhen.HAPPENS, "0", ("", ""), subject=OfTime(at=at))


def order(status: OrderStatus, number: str = "1", **more: object) -> OrderUpdated:
    row = Order(
        number, "SBIN", "NSE", Action.BUY, 10, PriceType.MARKET, Product.MIS, status=status,
        average_price=803.2 if status is OrderStatus.COMPLETE else 0.0, **more,  # type: ignore[arg-type]
    )  # fmt: skip
    return OrderUpdated(account_id="paper:1", mode=Mode.SANDBOX, broker="sandbox", order=row)


async def test_news_of_orders_once_however_often_it_is_pushed(room: Room):
    every = tuple(OrderNews)
    await add(
        room, AlertWhen.HAPPENS, "0", ("NSE", "SBIN"), again=True,
        subject=OfOrders(Mode.SANDBOX, every, strategy="ORB"),
    )  # fmt: skip
    await add(
        room, AlertWhen.HAPPENS, "0", ("", ""), again=True, subject=OfOrders(Mode.LIVE, every)
    )
    publish = room.bus.publish
    for status in (OrderStatus.TRIGGER_PENDING, OrderStatus.OPEN, OrderStatus.COMPLETE):
        for _ in range(2):
            publish(order(status, strategy="ORB"))
    publish(order(OrderStatus.COMPLETE, "2", strategy="other"))
    publish(order(OrderStatus.REJECTED, "3", strategy="ORB", rejection_reason="no funds"))
    publish(order(OrderStatus.CANCELLED, "4", strategy="ORB"))
    publish(
        OrderRefused(
            source="api:x", kind="place", reason="too many", account_id="paper:1",
            mode=Mode.SANDBOX, request={
                "exchange": "NSE", "symbol": "SBIN", "strategy": "ORB", "action": "BUY",
                "quantity": 5,
            },
        )
    )  # fmt: skip
    assert words(room) == [
        "BUY 10 SBIN MIS is triggered (sandbox)",
        "BUY 10 SBIN MIS is filled at 803.2 (sandbox)",
        "BUY 10 SBIN MIS is rejected (sandbox): no funds",
        "BUY 10 SBIN MIS is cancelled (sandbox)",
        "BUY 5 SBIN was refused (sandbox): too many",
    ]
    assert [row.fired_value for row in room.told][1] == Decimal("803.2")


async def test_once_in_a_bar_without_looking_at_bars(room: Room):
    made = await room.add(AlertWhen.CROSSES, "800", again=True, pace=Pace.BAR, span="5m")
    every = await room.add(AlertWhen.CROSSES, "800", again=True)
    for _ in range(3):
        for price in (799.0, 801.0):
            room.clock.advance(61)
            room.ticks.say(price)
    # 10:01 to 10:06: each price from the second one on passes; two bars of five minutes.
    assert room.alerts.get(made.alert_id).count == 2
    assert room.alerts.get(every.alert_id).count == 5
    assert room.feed.asked == []
    with pytest.raises(InvalidOrder, match="Interval"):
        await room.add(AlertWhen.CROSSES, "800", again=True, pace=Pace.BAR)


async def test_a_lost_feed_makes_values_unknown(room: Room):
    know(room, ("NSE", "SBIN"))
    made = await add(room, AlertWhen.ABOVE, "900", ("", ""), subject=OfCombination("NSE:SBIN * 1"))
    room.ticks.say(800.0)
    await until(lambda: room.alerts.current(made) == 800)
    room.ticks.stale = True
    room.bus.publish(FeedChanged(connected=False))
    assert room.alerts.trouble(made) == "There is no fresh price of SBIN."


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"when": AlertWhen.HAPPENS}, "when"),
        ({"when": AlertWhen.ABOVE, "subject": OfTime(daily=time(9, 20))}, "when"),
        ({"when": AlertWhen.HAPPENS, "subject": OfTime()}, "subject"),
        ({"when": AlertWhen.HAPPENS, "subject": OfOrders(Mode.LIVE, ())}, "subject"),
        ({"when": AlertWhen.ABOVE, "subject": OfResult(Mode.LIVE, "")}, "subject"),
        ({"when": AlertWhen.RISES, "subject": OfResult(Mode.LIVE, "a"), "bars": 2}, "when"),
        ({"when": AlertWhen.CROSSES, "against": OfGreek(Figure.IV)}, "level"),
        ({"when": AlertWhen.CROSSES, "against": OfTime(daily=time(9, 20))}, "level"),
    ],
)
async def test_a_subject_that_cannot_be_is_refused(room: Room, more: dict[str, object], field: str):
    wish = AlertWish("NSE", "SBIN", level=Decimal(5), **more)  # type: ignore[arg-type]
    with pytest.raises(InvalidOrder) as refused:
        await room.alerts.add(wish)
    assert refused.value.field == field


async def test_an_alert_waits_for_its_symbols_where_they_come_after_it(room: Room):
    know(room, ("NSE", "SBIN"), INFY)
    both = OfCombination("NSE:SBIN - NSE:INFY")
    made = await add(room, AlertWhen.ABOVE, "5", ("NSE", "SBIN"), against=both)
    del room.world.lookup.rows[INFY]
    await room.restart()
    assert "NSE:INFY" in room.alerts.trouble(room.alerts.get(made.alert_id))
    know(room, INFY)
    room.bus.publish(InstrumentsLoaded(count=2))
    room.ticks.say(700.0, INFY)
    room.ticks.say(801.0)
    await until(lambda: len(room.told) == 1)
    assert room.told[0].fired_line == Decimal(101)
    assert not any(room.ticks.listeners.values())
