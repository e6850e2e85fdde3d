"""Watched exits move along when a position is converted: never two exits, never none, never one
larger than the position; whatever happens between the broker's answer and our record."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from openalgo_desktop.core.conversion import ConvertRequest
from openalgo_desktop.core.enums import JournalState, Mode, Product
from openalgo_desktop.core.errors import (
    NetTimeout,
    OrderError,
    OrderStateUnknown,
    RejectedByBroker,
    StorageError,
)
from openalgo_desktop.core.exits import ExitPlan, PlanState
from openalgo_desktop.core.model import OrderAck, Position
from openalgo_desktop.core.traits import Traits
from openalgo_desktop.trading import reconcile
from openalgo_desktop.trading.conversion import ConversionDesk
from openalgo_desktop.trading.position_view import View
from tests.unit.trading.test_underway import KEY
from tests.unit.trading.test_watch_faults import ended, sold
from tests.unit.trading.watching import SBIN, Floor, Market, floor, stop_at
from tests.waiting import until

__all__ = ["floor"]
MIS, CNC = Product.MIS, Product.CNC
DELIVERY = (*SBIN, CNC)
#: Seconds after which a conversion without an answer is of unknown state.
ANSWER = 10.0


class Converting(Market):
    """Converts what it is asked; ``fail`` is raised after (or, where nothing ``arrives``, instead
    of) that; ``gate`` holds the answer back."""

    traits = Traits(converts=True)

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[ConvertRequest] = []
        self.fail: Exception | None = None
        self.arrives = True
        self.gate: asyncio.Event | None = None
        self.told: Callable[[], None] = lambda: None

    async def convert(self, request: ConvertRequest, tag: str) -> OrderAck:
        self.asked.append(request)
        if self.arrives:
            units = request.quantity * request.action.sign
            self.held[request.product] = self.held.get(request.product, 0) - units
            self.held[request.to] = self.held.get(request.to, 0) + units
            self.rows = [Position("SBIN", "NSE", p, q, 800.0) for p, q in self.held.items()]
        self.told()
        if self.gate is not None:
            await self.gate.wait()
        if self.fail is not None:
            raise self.fail
        return OrderAck(tag)


@pytest.fixture
async def paper(floor: Floor) -> Converting:
    floor.paper = paper = Converting()
    floor.desk.set_gateway(Mode.SANDBOX, paper)  # type: ignore[arg-type]
    # An answer that the test holds back is not missing: a busy machine takes its time.
    floor.desk.sender._ack_timeout = lambda: ANSWER
    await floor.hold(10)
    return paper


def desk(floor: Floor) -> ConversionDesk:
    return ConversionDesk(floor.desk, floor.lookup, floor.bus, floor.watch.moves)  # type: ignore[arg-type]


async def convert(floor: Floor, product: Product = MIS, to: Product = CNC) -> None:
    await desk(floor).convert(SBIN, product, to, "window", Mode.SANDBOX)


def products(floor: Floor) -> list[Product]:
    return [order.product for order in floor.paper.book]


async def hit(floor: Floor, plan_id: str, product: Product = CNC) -> None:
    """Its stop is reached: all of it goes out once, of the right product."""
    floor.ticks.say(700.0)
    await ended(floor, plan_id)
    assert (floor.sent, floor.units, products(floor)) == (["SELL 10"], 0, [product])


async def test_stop_and_target_move_along(floor: Floor, paper: Converting):
    plan = await floor.protect(stop_at(790, 840))
    await convert(floor)
    now = floor.plan(plan.plan_id)
    assert (now.product, now.moving, now.stop_at, now.held) == (CNC, None, plan.stop_at, 10)
    assert now.whole and floor.store.rows[plan.plan_id] == now
    assert floor.watch.of_position(KEY, Mode.SANDBOX) == []
    await hit(floor, plan.plan_id)


async def test_and_back(floor: Floor, paper: Converting):
    plan = await floor.protect(stop_at(790))
    await convert(floor)
    await convert(floor, CNC, MIS)
    await hit(floor, plan.plan_id, MIS)


async def test_a_refused_conversion_leaves_them(floor: Floor, paper: Converting):
    plan = await floor.protect(stop_at(790))
    paper.fail, paper.arrives = RejectedByBroker("no margin"), False
    with pytest.raises(RejectedByBroker):
        await convert(floor)
    assert floor.plan(plan.plan_id).moving is None
    await hit(floor, plan.plan_id, MIS)


async def test_a_stop_that_is_reached_while_it_is_converted(floor: Floor, paper: Converting):
    """The exit waits for the answer and goes out of the new product, whole and once."""
    plan = await floor.protect(stop_at(790))
    paper.told = lambda: floor.ticks.say(700.0)
    await convert(floor)
    await ended(floor, plan.plan_id)
    assert (floor.sent, floor.units, products(floor)) == (["SELL 10"], 0, [CNC])


async def test_a_reached_stop_that_waits_for_the_answer(floor: Floor, paper: Converting):
    """Its exit stands before the position's lock with the old product in its hand."""
    plan = await floor.protect(stop_at(790))
    paper.gate = asyncio.Event()
    work = asyncio.create_task(convert(floor))
    await until(lambda: bool(paper.asked))
    floor.ticks.say(700.0)
    locks = floor.desk.under_way._locks
    await until(lambda: locks[Mode.SANDBOX, KEY][1] == 2, "the exit waits")
    paper.gate.set()
    await work
    await ended(floor, plan.plan_id)
    assert (floor.sent, floor.units, products(floor)) == (["SELL 10"], 0, [CNC])


async def test_a_comparison_that_began_before_the_answer_ends_no_plan(
    floor: Floor, paper: Converting, monkeypatch: pytest.MonkeyPatch
):
    """It read that the old product is flat, and comes back when the plan has the new one."""
    plan = await floor.protect(stop_at(790))
    view, go, came = floor.desk.under_way.view, asyncio.Event(), asyncio.Event()

    async def slow(mode: Mode, gateway: Any, key: Any, **more: Any) -> View:
        if key == KEY and not came.is_set():
            came.set()
            await go.wait()
            return View(0)
        return await view(mode, gateway, key, **more)

    monkeypatch.setattr(floor.desk.under_way, "view", slow)
    floor.watch._follower.doubt()
    await came.wait()
    await convert(floor)
    go.set()
    await until(lambda: not floor.watch._follower._checking)
    assert floor.plan(plan.plan_id).state is PlanState.ACTIVE
    await hit(floor, plan.plan_id)


async def test_books_that_tell_early_end_no_plan(floor: Floor, paper: Converting):
    """The position book shows the conversion before its answer came."""
    plan = await floor.protect(stop_at(790))
    paper.gate = asyncio.Event()
    work = asyncio.create_task(convert(floor))
    await until(lambda: bool(paper.asked))
    await floor.desk.books.rebase(Mode.SANDBOX)
    floor.watch._follower.doubt()
    await until(lambda: not floor.watch._follower._checking)
    assert floor.plan(plan.plan_id).state is PlanState.ACTIVE
    paper.gate.set()
    await work
    held = {p.product: p.quantity for p in floor.desk.books.book(Mode.SANDBOX).positions.values()}
    assert held == {MIS: 0, CNC: 10}, "counted once"
    await hit(floor, plan.plan_id)


async def test_an_exit_on_its_way_forbids_a_conversion(floor: Floor, paper: Converting):
    plan = await floor.protect(stop_at(790))
    paper.delay = 0.2
    floor.ticks.say(700.0)
    with pytest.raises(OrderError, match=r"exit of SBIN is on its way|still working"):
        await convert(floor)
    assert paper.asked == []
    await ended(floor, plan.plan_id)
    assert (floor.sent, floor.units) == (["SELL 10"], 0)


async def test_nothing_leaves_before_the_plan_says_so_on_disk(floor: Floor, paper: Converting):
    plan = await floor.protect(stop_at(790))
    floor.store.full = True
    with pytest.raises(StorageError):
        await convert(floor)
    assert paper.asked == [] and floor.plan(plan.plan_id).moving is None
    await hit(floor, plan.plan_id, MIS)


async def test_two_clicks_are_one_conversion(floor: Floor, paper: Converting):
    await floor.protect(stop_at(790))
    once = desk(floor)
    answers = await asyncio.gather(
        *(once.convert(SBIN, MIS, CNC, "window", Mode.SANDBOX) for _ in range(2)),
        return_exceptions=True,
    )
    assert sum(isinstance(answer, OrderError) for answer in answers) == 1 == len(paper.asked)


async def test_the_mode_is_switched_while_it_is_converted(floor: Floor, paper: Converting):
    plan = await floor.protect(stop_at(790))
    paper.gate = asyncio.Event()
    work = asyncio.create_task(convert(floor))
    await until(lambda: bool(paper.asked))
    await floor.desk.set_mode(Mode.LIVE, "test")
    paper.gate.set()
    await work
    assert floor.plan(plan.plan_id).product is CNC
    floor.ticks.say(700.0)  # an exit goes out in its own mode
    await ended(floor, plan.plan_id)
    assert (floor.units, products(floor), floor.live.arrived) == (0, [CNC], [])


async def test_flatten_while_it_is_converted_leaves_nothing_open(floor: Floor, paper: Converting):
    """It waits for the answer, finds the old product flat and closes the new one."""
    plan = await floor.protect(stop_at(790))
    paper.gate = asyncio.Event()
    paper.arrives = False
    work = asyncio.create_task(convert(floor))
    await until(lambda: bool(paper.asked))
    flatten = asyncio.create_task(floor.desk.closing.close_all("window"))
    locks = floor.desk.under_way._locks
    await until(lambda: locks[Mode.SANDBOX, KEY][1] == 2, "it read what is held, and waits")
    paper.held = {MIS: 0, CNC: 10}
    paper.rows = [Position("SBIN", "NSE", p, q, 800.0) for p, q in paper.held.items()]
    paper.gate.set()
    await work
    done = await flatten
    await ended(floor, plan.plan_id)
    assert done.failed == 0 and (floor.sent, floor.units) == (["SELL 10"], 0)
    assert products(floor) == [CNC]


# -- units of the new product were held before ----------------------------------------------------
@pytest.mark.parametrize("first", [True, False])
async def test_each_plan_protects_its_own_units(floor: Floor, paper: Converting, first: bool):
    """Ten of MIS become CNC, of which five are held with a stop of their own."""
    paper.held[CNC], paper.real = 5, 15
    paper.rows.append(Position("SBIN", "NSE", CNC, 5, 800.0))
    await floor.desk.books.rebase(Mode.SANDBOX)
    mine = await floor.protect(stop_at(790))
    other = await floor.watch.commands.attach(DELIVERY, stop_at(780), "window", Mode.SANDBOX)
    await convert(floor)
    assert [floor.plan(p.plan_id).quantity for p in (mine, other)] == [10, 5]
    floor.ticks.say(785.0 if first else 775.0)
    await ended(floor, mine.plan_id)
    if not first:
        await ended(floor, other.plan_id)
    assert (floor.units, sold(floor)) == ((5, 10) if first else (0, 15))
    assert set(products(floor)) == {CNC}


async def test_units_that_nobody_protected_stay_so(floor: Floor, paper: Converting):
    paper.held[CNC], paper.real = 5, 15
    paper.rows.append(Position("SBIN", "NSE", CNC, 5, 800.0))
    await floor.desk.books.rebase(Mode.SANDBOX)
    plan = await floor.protect(stop_at(790))
    await convert(floor)
    floor.ticks.say(700.0)
    await ended(floor, plan.plan_id)
    assert (floor.sent, floor.units) == (["SELL 10"], 5)


# -- the answer is lost ----------------------------------------------------------------------------
@pytest.mark.parametrize("arrives", [True, False])
async def test_a_lost_answer(
    floor: Floor, paper: Converting, arrives: bool, monkeypatch: pytest.MonkeyPatch
):
    """While nobody knows, the stop goes out where the units are; nothing is sent again."""
    plan = await floor.protect(stop_at(790))
    paper.fail, paper.arrives = NetTimeout("slow"), arrives
    with pytest.raises(OrderStateUnknown):
        await convert(floor)
    monkeypatch.setattr(floor.desk.reconciler, "_settle_conversion", _not_yet)
    await hit(floor, plan.plan_id, CNC if arrives else MIS)
    assert len(paper.asked) == 1


async def _not_yet(*_: object) -> bool:
    return False


@pytest.mark.parametrize("arrives", [True, False])
async def test_a_lost_answer_that_is_found_out(
    floor: Floor, paper: Converting, arrives: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(reconcile, "ABSENT_AFTER", 0.0)
    plan = await floor.protect(stop_at(790))
    paper.fail, paper.arrives = NetTimeout("slow"), arrives
    with pytest.raises(OrderStateUnknown):
        await convert(floor)
    await floor.desk.reconciler.run_once()
    await until(lambda: floor.plan(plan.plan_id).moving is None)
    assert floor.plan(plan.plan_id).product is (CNC if arrives else MIS)
    await hit(floor, plan.plan_id, CNC if arrives else MIS)


# -- kill -9 ---------------------------------------------------------------------------------------
def on_disk(floor: Floor, plan: ExitPlan) -> None:
    """The plan and the journal as they were when the conversion left."""
    marked = [row for row in floor.store.log if isinstance(row, ExitPlan) and row.moving]
    floor.store.rows[plan.plan_id] = marked[0]
    for tag, row in floor.journal.rows.items():
        if row.kind == "convert":
            floor.journal.rows[tag] = type(row)(
                **{name: getattr(row, name) for name in row.__struct_fields__}
                | {"state": JournalState.INTENT, "order_id": "", "message": ""}
            )


@pytest.mark.parametrize("arrives", [True, False])
async def test_killed_between_the_answer_and_our_record(
    floor: Floor, paper: Converting, arrives: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(reconcile, "ABSENT_AFTER_RESTART", 0.0)
    plan = await floor.protect(stop_at(790))
    paper.arrives = arrives
    await convert(floor)
    on_disk(floor, plan)
    await floor.restart()
    await until(lambda: floor.plan(plan.plan_id).moving is None)
    now = floor.plan(plan.plan_id)
    assert (now.product, now.held) == (CNC if arrives else MIS, 10)
    await hit(floor, plan.plan_id, CNC if arrives else MIS)


@pytest.mark.parametrize("arrives", [True, False])
async def test_killed_and_the_stop_is_reached_before_it_is_found_out(
    floor: Floor, paper: Converting, arrives: bool, monkeypatch: pytest.MonkeyPatch
):
    plan = await floor.protect(stop_at(790))
    paper.arrives = arrives
    await convert(floor)
    on_disk(floor, plan)
    monkeypatch.setattr(reconcile.Reconciler, "_settle_conversion", _not_yet)
    await floor.restart()
    assert floor.plan(plan.plan_id).moving is not None
    with pytest.raises(OrderError, match="under way"):  # a new run does not send it again either
        await convert(floor)
    await hit(floor, plan.plan_id, CNC if arrives else MIS)
    assert len(paper.asked) == 1


async def test_killed_while_a_reached_stop_waited_for_the_answer(
    floor: Floor, paper: Converting, monkeypatch: pytest.MonkeyPatch
):
    """The leg had been reached, the conversion had left, and the program ended."""
    plan = await floor.protect(stop_at(790))
    paper.told = lambda: floor.ticks.say(700.0)
    paper.gate = asyncio.Event()
    work = asyncio.create_task(convert(floor))
    await until(lambda: floor.plan(plan.plan_id).state is PlanState.EXITING)
    work.cancel()
    monkeypatch.setattr(reconcile.Reconciler, "_settle_conversion", _not_yet)
    await floor.restart()
    await ended(floor, plan.plan_id)
    assert (floor.sent, floor.units, products(floor)) == (["SELL 10"], 0, [CNC])


async def test_killed_before_it_left(floor: Floor, paper: Converting):
    """The mark is on disk, the row of the journal is not: nothing was sent."""
    plan = await floor.protect(stop_at(790))
    paper.arrives = False
    await convert(floor)
    on_disk(floor, plan)
    floor.journal.rows.clear()
    await floor.restart()
    await hit(floor, plan.plan_id, MIS)


async def test_the_book_moved_on_before_it_was_found_out(
    floor: Floor, paper: Converting, monkeypatch: pytest.MonkeyPatch
):
    """Five more were bought by hand after the conversion: no comparison of the whole book proves
    it any more, and the journal says that it had no effect. The units have the new product."""
    monkeypatch.setattr(reconcile, "ABSENT_AFTER_RESTART", 0.0)
    plan = await floor.protect(stop_at(790))
    await convert(floor)
    on_disk(floor, plan)
    paper.held[CNC], paper.real = 15, 15
    paper.rows = [Position("SBIN", "NSE", p, q, 800.0) for p, q in paper.held.items()]
    await floor.restart()
    await until(lambda: floor.plan(plan.plan_id).product is CNC)
    (row,) = [row for row in floor.journal.rows.values() if row.kind == "convert"]
    assert row.state is JournalState.REJECTED
    floor.ticks.say(700.0)
    await ended(floor, plan.plan_id)
    assert set(products(floor)) == {CNC} and floor.units == 0
