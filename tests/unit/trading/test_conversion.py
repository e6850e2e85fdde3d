"""Conversions of positions on their way through the desk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from openalgo_desktop.core.conversion import ConvertRequest, converts_to
from openalgo_desktop.core.enums import Action, JournalState, Mode, OrderStatus, Product
from openalgo_desktop.core.errors import (
    InvalidOrder,
    NetTimeout,
    NotSupported,
    OrderError,
    OrderStateUnknown,
    RejectedByBroker,
    RiskBlocked,
)
from openalgo_desktop.core.events import OrderRefused, PositionsChanged
from openalgo_desktop.core.model import OrderAck, OrderRequest, OrderUpdate, Position, Trade
from openalgo_desktop.core.traits import Traits
from openalgo_desktop.trading.conversion import ConversionDesk
from tests.unit.trading.test_desk import Gateway, Rig
from tests.waiting import until

SBIN = ("NSE", "SBIN")
MIS, CNC = Product.MIS, Product.CNC


class Account(Gateway):
    """Ten shares in MIS; ``fail`` is raised after the request arrived."""

    traits = Traits(converts=True)

    def __init__(self) -> None:
        super().__init__("sandbox")
        self.rows = [Position("SBIN", "NSE", MIS, 10, 800.0)]
        self.asked: list[ConvertRequest] = []
        self.fail: Exception | None = None
        self.arrives = True

    async def convert(self, request: ConvertRequest, tag: str) -> OrderAck:
        self.asked.append(request)
        if self.arrives:
            self.rows = [
                Position("SBIN", "NSE", MIS, 0, 0.0),
                Position("SBIN", "NSE", CNC, 10, 800.0),
            ]
        if self.fail is not None:
            raise self.fail
        return OrderAck(tag)


class NoExits:
    """Nothing is watched."""

    async def begin(self, account_id: str, request: ConvertRequest, tag: str, mode: Mode) -> None:
        return None

    def end(
        self, account_id: str, request: ConvertRequest, tag: str, mode: Mode, *, done: bool
    ) -> None:
        return None


class World(Rig):
    def __init__(self) -> None:
        super().__init__()
        self.account = Account()
        self.desk.set_gateway(Mode.SANDBOX, self.account)  # type: ignore[arg-type]
        self.conversions = ConversionDesk(self.desk, self.lookup, self.bus, NoExits())  # type: ignore[arg-type]
        self.changed: list[PositionsChanged] = []
        self.bus.subscribe(PositionsChanged, self.changed.append)

    async def convert(self, mode: Mode | None = None) -> str:
        return (await self.conversions.convert(SBIN, MIS, CNC, "window", mode)).order_id

    def held(self) -> dict[Product, int]:
        rows = self.desk.books.book(Mode.SANDBOX).positions.values()
        return {row.product: row.quantity for row in rows}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    await world.desk.start()
    yield world
    await world.desk.stop()


async def test_it_is_journaled_and_our_own_book_follows(world: World) -> None:
    await world.convert()
    (row,) = world.journal.rows.values()
    await asyncio.sleep(0)
    assert (row.kind, row.source, row.request["to"]) == ("convert", "window", "CNC")
    assert world.account.asked == [
        ConvertRequest("SBIN", "NSE", Action.BUY, 10, MIS, CNC, held=10, there=0)
    ]
    assert world.held() == {MIS: 0, CNC: 10}
    assert await world.desk.books.compare(Mode.SANDBOX) == ()
    assert world.changed and world.account.arrived == []


async def test_the_mode_the_kill_switch_and_the_traits_hold(world: World) -> None:
    refused: list[OrderRefused] = []
    world.bus.subscribe(OrderRefused, refused.append)
    with pytest.raises(OrderError, match="mode was switched"):
        await world.convert(Mode.LIVE)
    world.desk.risk.block("stop")
    with pytest.raises(RiskBlocked):
        await world.convert()
    assert [event.kind for event in refused] == ["convert"]
    await world.desk.set_mode(Mode.LIVE, "test")
    with pytest.raises(NotSupported):
        await world.convert()
    assert world.account.asked == [] and world.journal.rows == {}


async def test_working_orders_keep_it_from_being_converted(world: World) -> None:
    await world.desk.place(OrderRequest("SBIN", "NSE", Action.SELL, 5), "window")
    with pytest.raises(InvalidOrder, match="still working"):
        await world.convert()
    assert world.account.asked == []


async def test_a_flat_position_has_nothing_to_convert(world: World) -> None:
    world.account.rows = []
    with pytest.raises(InvalidOrder, match="no open MIS position"):
        await world.convert()


async def test_a_refusal_leaves_the_books_and_may_be_tried_again(world: World) -> None:
    world.account.fail, world.account.arrives = RejectedByBroker("no margin"), False
    with pytest.raises(RejectedByBroker, match="no margin"):
        await world.convert()
    assert world.held() == {MIS: 10}
    world.account.fail, world.account.arrives = None, True
    await world.convert()
    assert world.held() == {MIS: 0, CNC: 10}


@pytest.mark.parametrize("arrives", [True, False])
async def test_a_lost_answer_is_read_from_the_position_book_and_never_sent_again(
    world: World, arrives: bool
) -> None:
    world.account.fail, world.account.arrives = NetTimeout("slow"), arrives
    with pytest.raises(OrderStateUnknown):
        await world.convert()
    assert world.changed, "whoever shows the books reads them again"
    with pytest.raises(OrderError, match="no open MIS" if arrives else "under way"):
        await world.convert()  # (the book was read at once, and shows it)
    assert len(world.account.asked) == 1
    (tag,) = world.journal.rows
    await world.desk.reconciler.run_once()
    state = world.journal.rows[tag].state
    assert state is (JournalState.ACKNOWLEDGED if arrives else JournalState.UNKNOWN)
    world.clock.advance(120)
    await world.desk.reconciler.run_once()
    state = world.journal.rows[tag].state
    assert state is (JournalState.ACKNOWLEDGED if arrives else JournalState.REJECTED)
    after = {MIS: 0, CNC: 10} if arrives else {MIS: 10}
    await until(lambda: not world.conversions._busy, "the news")
    assert world.held() == after
    world.account.fail = None
    if not arrives:
        world.account.arrives = True
        await world.convert()
    assert len(world.account.asked) == (1 if arrives else 2)


async def test_what_is_closed_right_after_is_what_is_held_then(world: World) -> None:
    """A young fill must not make the old product's position seem to be there."""
    world.account.rows = []
    await world.desk.books.rebase(Mode.SANDBOX)
    ack = await world.desk.place(OrderRequest("SBIN", "NSE", Action.BUY, 10), "window")
    order = msgspec.structs.replace(
        world.account.book[0], status=OrderStatus.COMPLETE, filled_quantity=10
    )
    world.account.book[0] = order
    trade = Trade.of(order, "T1", 10, 800.0, world.clock.now())
    assert world.account.listener is not None and ack.order_id == "1"
    world.account.listener(OrderUpdate("sandbox:1", order, trade))
    world.account.rows = [Position("SBIN", "NSE", MIS, 10, 800.0)]
    await world.convert()
    key = (*SBIN, MIS)
    gateway = world.desk.gateway
    assert (await world.desk.under_way.view(Mode.SANDBOX, gateway, key)).held == 0
    assert (await world.desk.under_way.view(Mode.SANDBOX, gateway, (*SBIN, CNC))).held == 10
    assert await world.desk.closing.close_position("SBIN", "NSE", MIS, "window") is None
    assert len(world.account.arrived) == 1


async def test_an_answer_that_comes_after_the_account_was_changed_moves_no_other_book(
    world: World,
) -> None:
    came, go = asyncio.Event(), asyncio.Event()
    convert = world.account.convert

    async def slow(request: ConvertRequest, tag: str) -> OrderAck:
        came.set()
        await go.wait()
        return await convert(request, tag)

    world.account.convert = slow  # type: ignore[method-assign]
    work = asyncio.create_task(world.convert())
    await came.wait()
    other = Account()
    other.account_id = "sandbox:2"
    world.desk.set_gateway(Mode.SANDBOX, other)  # type: ignore[arg-type]
    await world.desk.books.rebase(Mode.SANDBOX)
    go.set()
    await work
    assert world.held() == {MIS: 10}, "the other account holds ten of MIS, too"


async def test_two_at_once_are_one(world: World) -> None:
    answers = await asyncio.gather(world.convert(), world.convert(), return_exceptions=True)
    assert sum(isinstance(answer, OrderError) for answer in answers) == 1
    assert len(world.account.asked) == 1


@pytest.mark.parametrize(
    ("exchange", "product", "quantity", "to"),
    [
        ("NSE", MIS, 10, CNC), ("NSE", CNC, 10, MIS), ("NSE", MIS, -10, None),
        ("NSE", CNC, -10, None), ("NSE", MIS, 0, None), ("NFO", MIS, -75, Product.NRML),
        ("NFO", Product.NRML, 75, MIS),
    ],
)  # fmt: skip
def test_what_a_position_can_become(
    exchange: str, product: Product, quantity: int, to: Product | None
) -> None:
    assert converts_to(Position("X", exchange, product, quantity, 1.0)) is to


async def test_a_strategy_keeps_what_it_holds(world: World) -> None:
    from openalgo_desktop.trading.ownbook import _Net

    book = world.desk.books.book(Mode.SANDBOX)
    book.strategies["dip"] = {(*SBIN, MIS): _Net(10, 800.0, 5.0)}
    await world.convert()
    nets = book.strategies["dip"]
    assert [msgspec.structs.astuple(nets[*SBIN, p]) for p in (MIS, CNC)] == [
        (0, 0.0, 5.0),
        (10, 800.0, 0.0),
    ]
