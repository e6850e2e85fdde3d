"""Shares that a strategy bought yesterday are holdings today: its stops go on, and sell its own."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest

from openalgo_desktop.core.enums import Mode, Product
from openalgo_desktop.core.errors import NetError
from openalgo_desktop.core.events import PositionsChanged
from openalgo_desktop.core.exits import Move
from openalgo_desktop.core.model import BookRows, Holding
from openalgo_desktop.core.strategies.model import SignalLeg
from openalgo_desktop.core.strategies.rows import MadeStrategy
from openalgo_desktop.core.strategies.words import EventKind, Signal
from openalgo_desktop.trading.ownbook import PositionKey
from tests.unit.automation.strategies.room import NOW, SBIN, Room, flipper, room, stops
from tests.waiting import until

__all__ = ["room"]
D = Decimal


async def bought(room: Room) -> MadeStrategy:
    """Ten shares for delivery, with a stop at 790."""
    leg = SignalLeg(leg_id=1, symbol="SBIN", exchange="NSE", quantity=10, rules=stops(10))
    made = await room.make(flipper(legs=(leg,), product="NRML", intraday=False))
    await room.engine.signal(made.strategy_id, Signal.LONG_ENTRY, "test", leg_id=1)
    await until(lambda: room.all_in(made), "the entry")
    return made


def overnight(room: Room, holdings: int, hours: int = 24) -> None:
    """The books of the next day; what was bought is in the holdings, with what a human has."""
    room.clock.jump(NOW + timedelta(hours=hours))
    room.paper.earlier = len(room.paper.book)
    room.paper.book, room.paper.rows, room.paper.held = [], [], {}

    async def told() -> BookRows[Holding]:
        return BookRows([Holding("SBIN", "NSE", holdings - 10, 700.0, t1_quantity=10)])

    vars(room.paper).update(holdings=told)


async def seen(room: Room) -> None:
    """The desk and the watch have read them."""
    await room.desk.books.rebase(Mode.SANDBOX, tell=False)
    room.bus.publish(PositionsChanged(Mode.SANDBOX, ""))


@pytest.mark.parametrize("restart", [True, False])
async def test_the_stop_sells_what_the_strategy_bought_and_no_more(room: Room, restart: bool):
    made = await bought(room)
    overnight(room, 510)
    if restart:
        await room.kill()
    else:
        await seen(room)
    live = room.engine.registry.live[made.strategy_id]
    await until(lambda: not live.recovering, "the run is taken up")
    (place,) = live.open()
    plan = room.watch.legs.plan(place.ref)
    await until(lambda: plan is not None and room.watch.legs.is_checked(plan), "the comparison")
    assert place.held == 10
    for _ in range(3):  # positions move often; what is held stays so
        await seen(room)
    room.say(789.0, SBIN)
    await until(lambda: place.closed, "the stop")
    assert room.paper.sent[1:] == ["SELL 10 SBIN"] and room.paper.net(SBIN) == -10
    assert live.result().realised == D(-110)
    assert place.elsewhere == 0
    await until(lambda: EventKind.LEG_SL_HIT in room.kinds(), "it is told")


async def test_what_is_in_no_holdings_is_told_as_before(room: Room):
    made = await bought(room)
    overnight(room, 0)

    async def none() -> BookRows[Holding]:
        return BookRows()

    vars(room.paper).update(holdings=none)
    live = room.engine.registry.live[made.strategy_id]
    (place,) = live.open()
    await seen(room)
    await until(lambda: place.closed, "it is gone")
    assert room.paper.sent[1:] == [] and place.elsewhere == 10
    await until(lambda: any("NO stop" in event.message for event in room.told), "it is told")


async def test_a_row_that_cannot_be_read_is_not_taken_for_sold(room: Room):
    made = await bought(room)
    overnight(room, 10)
    whole = room.paper.holdings  # of today

    async def unreadable() -> BookRows[Holding]:
        return BookRows([], ("row 3 has no quantity",))

    vars(room.paper).update(holdings=unreadable)
    live = room.engine.registry.live[made.strategy_id]
    (place,) = live.open()
    plan = room.watch.legs.plan(place.ref)
    assert plan is not None
    room.watch._follower.doubt()
    await seen(room)
    await until(lambda: plan.plan_id in room.watch._follower._retry, "it is asked again")
    assert place.held == 10 and not place.closed
    vars(room.paper).update(holdings=whole)
    await until(lambda: room.watch.legs.is_checked(plan), "the comparison")
    room.say(789.0, SBIN)
    await until(lambda: room.paper.sent[1:] == ["SELL 10 SBIN"], "the stop")


async def test_an_exit_waits_for_no_book_of_holdings(room: Room):
    made = await bought(room)
    overnight(room, 510)
    (place,) = room.engine.registry.live[made.strategy_id].open()
    reads = room.watch._driver._delivered._read
    await seen(room)
    await until(lambda: reads.get(place.ref) == 510, "they were read")

    async def broken() -> BookRows[Holding]:
        raise NetError("The broker does not answer.")

    vars(room.paper).update(holdings=broken)
    room.say(789.0, SBIN)
    await until(lambda: room.paper.sent[1:] == ["SELL 10 SBIN"], "the stop")


async def test_shares_in_the_holdings_are_of_no_other_product(
    room: Room, monkeypatch: pytest.MonkeyPatch
):
    """While nobody knows whether the position was converted an exit looks at both places; sold as
    intraday the shares would be a short position."""
    made = await bought(room)
    overnight(room, 510)
    (place,) = room.engine.registry.live[made.strategy_id].open()
    plan = room.watch.legs.plan(place.ref)
    assert plan is not None
    move = Move(Product.MIS, "tag", NOW)
    asked: dict[Product, int] = {}

    async def close(key: PositionKey, *_: object, delivered: int, **__: object) -> None:
        asked[key[2]] = delivered

    monkeypatch.setattr(room.desk.exits, "close", close)
    await room.watch._driver._send(msgspec.structs.replace(plan, moving=move), 10)
    assert asked == {Product.CNC: 510, Product.MIS: 0}


async def test_shares_are_of_no_exchange(room: Room):
    made = await bought(room)
    overnight(room, 10)

    async def told() -> BookRows[Holding]:
        return BookRows([Holding("SBIN", "BSE", 10, 700.0)])

    vars(room.paper).update(holdings=told)
    await seen(room)
    (place,) = room.engine.registry.live[made.strategy_id].open()
    await room.engine.signal(made.strategy_id, Signal.LONG_EXIT, "test", leg_id=1)
    await until(lambda: place.closed, "the exit")
    assert room.paper.sent[1:] == ["SELL 10 SBIN"]


async def test_an_exit_signal_sells_them(room: Room):
    made = await bought(room)
    overnight(room, 10)
    await room.kill()
    live = room.engine.registry.live[made.strategy_id]
    await until(lambda: not live.recovering, "the run is taken up")
    await room.engine.signal(made.strategy_id, Signal.LONG_EXIT, "test", leg_id=1)
    await until(lambda: room.paper.sent[1:] == ["SELL 10 SBIN"], "the exit")
