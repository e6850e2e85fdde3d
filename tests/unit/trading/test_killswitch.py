"""The kill switch against a gateway that resists: late cancels, failing closes, late orders."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Action, GttType, Mode, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import (
    OrderNotWorking,
    OrderStateUnknown,
    RejectedByBroker,
    RiskBlocked,
)
from openalgo_desktop.core.events import KillSwitchChanged
from openalgo_desktop.core.gtt import Gtt
from openalgo_desktop.core.model import (
    BookRows,
    ModifyRequest,
    Order,
    OrderAck,
    OrderRequest,
    OrderUpdate,
    Position,
    Trade,
)
from openalgo_desktop.core.traits import Traits
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.state import KeyValueStore
from openalgo_desktop.trading import killswitch
from openalgo_desktop.trading.killswitch import KillSwitch
from tests.unit.trading.test_desk import BUY, Gateway
from tests.unit.trading.test_desk import Rig as DeskRig


class Resisting(Gateway):
    """Cancels need ``refusals`` + 1 tries; closing fills after ``fail_closes`` failures."""

    def __init__(self) -> None:
        super().__init__("sandbox")
        self.refusals = 0
        self.fail_closes = 0

    async def place(self, request: OrderRequest, tag: str) -> OrderAck:
        if self.hold is None and any(row.quantity for row in self.rows):
            if self.fail_closes:
                self.fail_closes -= 1
                raise RejectedByBroker("busy")
            self.arrived.append(("place", tag))
            row = next(row for row in self.rows if row.symbol == request.symbol)
            row.quantity += request.quantity * request.action.sign
            return OrderAck("close")
        return await super().place(request, tag)

    async def cancel(self, order_id: str) -> OrderAck:
        if self.refusals:
            self.refusals -= 1
            raise OrderNotWorking("not now")
        for order in self.book:
            if order.order_id == order_id:
                order.status = OrderStatus.CANCELLED
        return OrderAck(order_id)


class Rig(DeskRig):
    def __init__(self, store: KeyValueStore) -> None:
        super().__init__()
        self.paper = Resisting()
        self.desk = self.make_desk()
        self.store = store
        self.kill = KillSwitch(self.clock, self.bus, self.desk, store)

    def rest(self, number: int) -> None:
        for i in range(number):
            self.paper.book.append(
                Order(f"r{i}", "SBIN", "NSE", Action.BUY, 1, PriceType.LIMIT, Product.MIS)
            )


@pytest.fixture
async def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    monkeypatch.setattr(killswitch, "SETTLE", 0.05)
    monkeypatch.setattr(killswitch, "POLL", 0.01)
    database = Database(f"sqlite:///{tmp_path / 'test.db'}")
    await database.start()
    made = Rig(KeyValueStore(database))
    await made.desk.start()
    yield made
    await made.desk.stop()
    await database.stop()


async def test_blocks_cancels_flattens_verifies_and_reports(rig: Rig):
    events: list[KillSwitchChanged] = []
    rig.bus.subscribe(KillSwitchChanged, events.append)
    rig.rest(3)
    rig.paper.book[1].status = OrderStatus.TRIGGER_PENDING
    rig.paper.rows = [
        Position("SBIN", "NSE", Product.MIS, -10, 800.0),
        Position("INFY", "NSE", Product.MIS, 0, 0.0),
    ]
    report = await rig.kill.trip("window")
    assert (report.cancelled, report.resting, report.flattened, report.open_positions) == (
        3,
        0,
        1,
        0,
    )
    assert report.clean and report.errors == () and "nothing is left" in report.text
    assert rig.paper.rows[0].quantity == 0
    assert [event.report for event in events] == [None, report]
    with pytest.raises(RiskBlocked, match="kill switch is on"):
        await rig.desk.place(BUY, "api:main")
    with pytest.raises(RiskBlocked):
        await rig.desk.modify(ModifyRequest("r0", quantity=5), "window")
    await rig.desk.cancel("r0", "window")  # less risk is always allowed


async def test_delivered_shares_that_were_sold_are_not_bought_back(rig: Rig):
    """Until they have settled a broker shows them as a short CNC position."""
    rig.paper.rows = [Position("SBIN", "NSE", Product.CNC, -10, 800.0)]
    closed = await rig.desk.closing.close_all("window")
    assert (closed.closed, closed.failed, rig.paper.rows[0].quantity) == (0, 0, -10)
    rig.paper.rows = [
        Position("SBIN", "NSE", Product.CNC, -10, 800.0),
        Position("INFY", "NSE", Product.CNC, 5, 1500.0),
    ]
    report = await rig.kill.trip("window")
    assert [row.quantity for row in rig.paper.rows] == [-10, 0]
    assert report.clean and (report.flattened, report.open_positions) == (1, 0)


async def test_gtts_are_cancelled_too(rig: Rig):
    """They would become orders later."""
    gtts = [
        Gtt(str(i), GttType.SINGLE, "SBIN", "NSE", Action.BUY, 1, Product.CNC, PriceType.LIMIT, [])
        for i in range(2)
    ]

    async def book() -> list[Gtt]:
        return list(gtts)

    async def cancel(trigger_id: str) -> OrderAck:
        gtts[:] = [row for row in gtts if row.trigger_id != trigger_id]
        return OrderAck(trigger_id)

    vars(rig.paper).update(gtt_orders=book, gtt_cancel=cancel, traits=Traits(gtt=True))
    report = await rig.kill.trip("window")
    assert gtts == [] and report.clean and report.cancelled == 2
    assert {row.kind for row in rig.journal.rows.values()} == {"gtt_cancel"}


async def test_retries_what_failed(rig: Rig):
    rig.rest(2)
    rig.paper.refusals = 3
    rig.paper.fail_closes = 1
    rig.paper.rows = [Position("SBIN", "NSE", Product.MIS, 5, 800.0)]
    report = await rig.kill.trip("window")
    assert report.clean and (report.cancelled, report.flattened) == (2, 1)
    assert any("not now" in error for error in report.errors)


async def test_says_what_is_left_and_does_not_close_over_resting_orders(rig: Rig):
    rig.rest(1)
    rig.paper.refusals = 10_000
    rig.paper.rows = [Position("SBIN", "NSE", Product.MIS, 5, 800.0)]
    report = await rig.kill.trip("window")
    assert not report.clean
    assert (report.resting, report.open_positions, report.flattened) == (1, 1, 0)
    assert "1 orders still work, 1 positions are still open" in report.text
    assert rig.paper.arrived == []


async def test_an_order_in_flight_is_caught(rig: Rig):
    """It passed the risk step before the switch and reaches the exchange after it."""
    rig.paper.hold = asyncio.Event()
    flying = asyncio.create_task(rig.desk.place(BUY, "api:main"))
    async with asyncio.timeout(60):
        while not rig.paper.arrived:
            await asyncio.sleep(0)
    kill = asyncio.create_task(rig.kill.trip("window", flatten=False))
    await asyncio.sleep(0)
    rig.paper.hold.set()
    report = await kill
    await flying
    assert report.clean and report.cancelled == 1


async def test_a_hanging_order_does_not_delay_the_cancelling_of_others(rig: Rig):
    rig.rest(1)
    rig.paper.hold = asyncio.Event()
    flying = asyncio.create_task(rig.desk.place(BUY, "api:main"))
    async with asyncio.timeout(60):
        while not rig.paper.arrived:
            await asyncio.sleep(0)
    quiet = rig.desk.quiet

    async def later() -> None:
        assert rig.paper.book[0].status is OrderStatus.CANCELLED
        rig.paper.hold.set()
        await quiet()

    rig.desk.quiet = later  # type: ignore[method-assign]
    report = await rig.kill.trip("window", flatten=False)
    await flying
    assert report.clean and report.cancelled == 2


async def test_a_closing_order_of_unknown_state_is_not_sent_again(rig: Rig):
    rig.paper.rows = [Position("SBIN", "NSE", Product.MIS, 5, 800.0)]
    sent: list[str] = []

    async def lost(request: OrderRequest, tag: str) -> OrderAck:
        sent.append(tag)
        raise OrderStateUnknown("reset", tag=tag)

    rig.paper.place = lost  # type: ignore[method-assign]
    report = await rig.kill.trip("window")
    assert len(sent) == 1
    assert not report.clean and report.open_positions == 1
    assert any("unknown" in error for error in report.errors)


async def test_an_order_past_the_risk_step_is_stopped_before_the_gateway(rig: Rig):
    async def slow_approval(request: OrderRequest, source: str) -> None:
        rig.desk.risk.block("kill switch")

    rig.desk.approval = slow_approval
    with pytest.raises(RiskBlocked):
        await rig.desk.place(BUY, "api:main")
    assert rig.paper.arrived == []


async def test_block_holds_over_a_restart_until_reset(rig: Rig):
    await rig.kill.trip("window")
    desk = rig.make_desk()
    again = KillSwitch(rig.clock, rig.bus, desk, rig.store)
    await again.start()
    assert again.tripped
    text = await again.reset("window")
    assert not again.tripped and "not placed again" in text
    third = KillSwitch(rig.clock, rig.bus, rig.make_desk(), rig.store)
    await third.start()
    assert not third.tripped
    await desk.start()
    await desk.place(BUY, "api:main")
    await desk.stop()


async def test_works_on_the_account_of_the_current_mode_only(rig: Rig):
    rig.live.rows = [Position("SBIN", "NSE", Product.NRML, 5, 800.0)]
    report = await rig.kill.trip("window")
    assert report.mode is Mode.SANDBOX and report.clean
    assert rig.live.arrived == [] and msgspec.structs.asdict(rig.live.rows[0])["quantity"] == 5


# -- programs that are bound to the other mode -----------------------------------------------
class Market(Gateway):
    """A live account where market orders fill at once and limits rest; cancels work."""

    def __init__(self) -> None:
        super().__init__("kite")
        self.gtts: list[Gtt] = []
        self.traits = Traits(gtt=True)

    async def place(self, request: OrderRequest, tag: str) -> OrderAck:
        ack = await super().place(request, tag)
        filled = request.quantity if request.price_type is PriceType.MARKET else 0
        at, order = datetime.now(tz=IST), self.book[-1]
        order.status = OrderStatus.COMPLETE if filled else OrderStatus.OPEN
        order.filled_quantity = filled
        trade = None
        if filled:
            row = self._row(request)
            row.quantity += filled * request.action.sign
            trade = Trade(
                f"T{ack.order_id}", ack.order_id, request.symbol, request.exchange,
                request.action, request.product, filled, 800.0, at,
            )  # fmt: skip
        assert self.listener is not None
        self.listener(OrderUpdate(self.account_id, msgspec.structs.replace(order), trade))
        return ack

    def _row(self, request: OrderRequest) -> Position:
        for row in self.rows:
            if (row.symbol, row.product) == (request.symbol, request.product):
                return row
        self.rows.append(Position(request.symbol, "NSE", request.product, 0, 800.0))
        return self.rows[-1]

    async def cancel(self, order_id: str) -> OrderAck:
        for order in self.book:
            if order.order_id == order_id:
                order.status = OrderStatus.CANCELLED
                assert self.listener is not None
                row = msgspec.structs.replace(order)
                self.listener(OrderUpdate(self.account_id, row))
        return await super().cancel(order_id)

    async def gtt_orders(self) -> list[Gtt]:
        return list(self.gtts)

    async def gtt_place(self, trigger_id: str) -> OrderAck:
        kind, at = GttType.SINGLE, PriceType.LIMIT
        self.gtts.append(Gtt(trigger_id, kind, "SBIN", "NSE", Action.BUY, 1, Product.CNC, at, []))
        return OrderAck(trigger_id)

    async def gtt_cancel(self, trigger_id: str) -> OrderAck:
        self.gtts = [row for row in self.gtts if row.trigger_id != trigger_id]
        return OrderAck(trigger_id)


EMA = msgspec.structs.replace(BUY, strategy="ema")
RESTS = msgspec.structs.replace(EMA, price_type=PriceType.LIMIT, price=700.0)


async def with_live_program(rig: Rig) -> Market:
    """A program of live mode that holds 10 SBIN and rests; by hand there are 30 SBIN, 5 INFY and a
    resting order. The switch stands at SANDBOX."""
    market = Market()
    rig.desk.set_gateway(Mode.LIVE, market)  # type: ignore[arg-type]
    await rig.desk.books.rebase(Mode.LIVE, tell=False)
    lane = rig.desk.bound(Mode.LIVE)
    await lane.place(EMA, "api:ema")
    await lane.place(RESTS, "api:ema")
    await lane.send("gtt_place", EMA, "api:ema", lambda gateway, tag: market.gtt_place("G1"))
    await rig.desk.set_mode(Mode.LIVE, "test")
    for hand in (
        msgspec.structs.replace(BUY, quantity=30),
        msgspec.structs.replace(BUY, symbol="INFY", quantity=5),
        msgspec.structs.replace(RESTS, strategy="", quantity=2),
    ):
        await rig.desk.place(hand, "window")
    await rig.desk.send("gtt_place", BUY, "window", lambda gateway, tag: market.gtt_place("G2"))
    await rig.desk.set_mode(Mode.SANDBOX, "test")
    return market


def left(market: Market) -> tuple[dict[str, int], list[str], list[str]]:
    held = {row.symbol: row.quantity for row in market.rows}
    rests = [order.order_id for order in market.book if order.status.is_working]
    return held, rests, [row.trigger_id for row in market.gtts]


async def test_what_live_programs_have_is_stopped_while_the_switch_is_at_sandbox(rig: Rig):
    """Theirs and nothing else: the owner's own positions and orders of that account stay."""
    market = await with_live_program(rig)
    rig.rest(1)
    rig.paper.rows = [Position("TCS", "NSE", Product.MIS, 5, 800.0)]
    report = await rig.kill.trip("window")
    assert (report.mode, report.cancelled, report.flattened) == (Mode.SANDBOX, 1, 1)
    (live,) = report.also
    assert (live.mode, live.cancelled, live.flattened, live.clean) == (Mode.LIVE, 2, 1, True)
    assert (
        "sandbox" in report.text and "live: 2 orders cancelled, 1 positions closed" in report.text
    )
    assert left(market) == ({"SBIN": 30, "INFY": 5}, ["5"], ["G2"])
    closing = market.book[-1]
    assert (closing.action, closing.quantity) == (Action.SELL, 10)
    with pytest.raises(RiskBlocked):
        await rig.desk.bound(Mode.LIVE).place(EMA, "api:ema")
    await rig.kill.trip("window")  # nothing of it is left, so nothing more is sent
    assert left(market) == ({"SBIN": 30, "INFY": 5}, ["5"], ["G2"])


async def test_exits_that_a_plan_rests_for_a_live_program_are_taken_back(rig: Rig):
    """They go out by the desk itself, in the name of the strategy."""
    market = await with_live_program(rig)
    stop = msgspec.structs.replace(RESTS, action=Action.SELL, price=900.0)
    placed = await rig.desk.place(stop, "exit plan", Mode.LIVE, standing=True)
    await rig.kill.trip("window")
    assert placed.order_id not in left(market)[1]
    assert left(market) == ({"SBIN": 30, "INFY": 5}, ["5"], ["G2"])


async def test_the_whole_account_is_stopped_where_the_switch_stands(rig: Rig):
    market = await with_live_program(rig)
    await rig.desk.set_mode(Mode.LIVE, "test")
    report = await rig.kill.trip("window")
    assert (report.mode, report.clean, report.also) == (Mode.LIVE, True, ())
    assert left(market) == ({"SBIN": 0, "INFY": 0}, [], [])


async def test_programs_of_the_other_mode_are_found_after_a_restart(rig: Rig):
    market = await with_live_program(rig)
    desk = rig.make_desk()
    desk.set_gateway(Mode.LIVE, market)  # type: ignore[arg-type]
    await rig.store.put("other", "written", 1)  # what was put before it is on the disk
    again = KillSwitch(rig.clock, rig.bus, desk, rig.store)
    await again.start()
    await desk.start()

    async def trades() -> BookRows[Trade]:
        at = datetime.now(tz=IST)
        return BookRows([Trade("T1", "1", "SBIN", "NSE", Action.BUY, Product.MIS, 10, 800.0, at)])

    market.trades = trades  # type: ignore[method-assign]
    await desk.books.rebase(Mode.LIVE)
    report = await again.trip("window")
    assert [one.mode for one in report.also] == [Mode.LIVE] and report.clean
    assert left(market) == ({"SBIN": 30, "INFY": 5}, ["5"], ["G2"])
    await desk.stop()


async def test_a_program_of_an_account_that_is_gone_is_told(rig: Rig):
    await with_live_program(rig)
    rig.desk.set_gateway(Mode.LIVE, None)
    report = await rig.kill.trip("window")
    assert report.errors == ("live: no account is connected, so nothing was done there",)
