"""Orders that derive from a position count what is under way: fills that come late, books that
overtake each other, resting exits, lost answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import msgspec
import pytest

from openalgo_desktop.core.clock import SystemClock
from openalgo_desktop.core.enums import (
    Action,
    Mode,
    OrderStatus,
    PriceType,
    Product,
    Validity,
)
from openalgo_desktop.core.errors import (
    DataError,
    InsufficientFunds,
    InvalidOrder,
    NetTimeout,
    OrderError,
    OrderNotWorking,
    OrderStateUnknown,
    RejectedByBroker,
    RiskBlocked,
)
from openalgo_desktop.core.model import (
    BookRows,
    Instrument,
    ModifyRequest,
    Order,
    OrderAck,
    OrderRequest,
    OrderUpdate,
    Position,
    Trade,
)
from openalgo_desktop.trading import exits, underway
from openalgo_desktop.trading.desk import OrderDesk
from openalgo_desktop.trading.results import Placed
from openalgo_desktop.trading.smart import MATCHED, NotNeeded, SmartOrders
from tests.unit.trading.test_desk import Gateway, Rig
from tests.waiting import until

KEY = ("NSE", "SBIN", Product.MIS)
BUY = OrderRequest("SBIN", "NSE", Action.BUY, 10)


class Exchange(Gateway):
    """Takes what it is given. Market orders fill ``delay`` seconds after the acknowledgement; the
    position book follows ``lag`` seconds later; ``trades_told`` False pushes orders only."""

    def __init__(self) -> None:
        super().__init__("sandbox")
        self.delay = 0.0
        self.lag = 0.0
        self.push_after = 0.0
        self.trades_told = True
        self.real = 0  # units of all products, at the exchange
        self.held: dict[Product, int] = {}  # what the position book says
        self.unreadable = False
        self.blind = 0  # so many readings of the position book come back empty
        self.silent = False  # nothing is pushed; a read order book tells of what changed
        self.reject = False  # market orders are rejected after they were accepted
        self.tasks: list[asyncio.Task[None]] = []

    async def place(self, request: OrderRequest, tag: str) -> OrderAck:
        order_id = str(len(self.book) + 1)
        self.arrived.append(("place", f"{request.action.value} {request.quantity}"))
        order = Order(
            order_id,
            request.symbol,
            request.exchange,
            request.action,
            request.quantity,
            request.price_type,
            request.product,
            price=request.price,
            trigger_price=request.trigger_price,
            tag=tag,
        )
        if request.price_type.has_trigger:
            order.status = OrderStatus.TRIGGER_PENDING
        self.book.append(order)
        self.answer()
        if request.price_type is PriceType.MARKET:
            self.tasks.append(asyncio.create_task(self._fill(order)))
        else:
            self.push(order)
        return OrderAck(order_id)

    async def cancel(self, order_id: str) -> OrderAck:
        self.arrived.append(("cancel", order_id))
        self.answer()
        order = next(row for row in self.book if row.order_id == order_id)
        order.status = OrderStatus.CANCELLED
        self.push(order)
        return OrderAck(order_id)

    async def orders(self) -> BookRows[Order]:
        rows = await super().orders()
        if self.silent and self.listener is not None:
            for row in rows:
                self.listener(OrderUpdate(self.account_id, msgspec.structs.replace(row)))
        return rows

    async def positions(self) -> BookRows[Position]:
        if self.unreadable:
            raise NetTimeout("positions: no answer")
        if self.blind:
            self.blind -= 1
            return BookRows()
        return BookRows(msgspec.structs.replace(row) for row in self.rows)

    def push(self, order: Order, trade: Trade | None = None) -> None:
        assert self.listener is not None
        if self.silent:
            return
        copy = msgspec.structs.replace(order)
        self.listener(OrderUpdate(self.account_id, copy, trade if self.trades_told else None))

    async def _fill(self, order: Order) -> None:
        await asyncio.sleep(self.delay)
        if self.reject:
            order.status = OrderStatus.REJECTED
            self.push(order)
            return
        order.status, order.filled_quantity = OrderStatus.COMPLETE, order.quantity
        change = order.quantity * order.action.sign
        self.real += change
        if not self.push_after:
            self.push(order, self._trade(order))
        await asyncio.sleep(self.lag)
        self.held[order.product] = self.held.get(order.product, 0) + change
        self.rows = [Position("SBIN", "NSE", p, q, 800.0) for p, q in self.held.items()]
        if self.push_after:
            await asyncio.sleep(self.push_after)
            self.push(order, self._trade(order))

    async def fill_part(self, order_id: str, quantity: int) -> None:
        """A part of a resting order fills."""
        order = next(row for row in self.book if row.order_id == order_id)
        order.filled_quantity += quantity
        self.real += quantity * order.action.sign
        self.held[order.product] = self.held.get(order.product, 0) + quantity * order.action.sign
        self.rows = [Position("SBIN", "NSE", p, q, 800.0) for p, q in self.held.items()]
        self.push(order, self._trade(order, quantity))

    @staticmethod
    def _trade(order: Order, quantity: int = 0) -> Trade:
        clock = SystemClock()
        units = quantity or order.quantity
        return Trade.of(order, f"T{order.order_id}.{units}", units, 800.0, clock.now())

    async def done(self) -> None:
        await asyncio.gather(*self.tasks)


class World(Rig):
    def __init__(self) -> None:
        super().__init__()
        self.clock = SystemClock()  # type: ignore[assignment]
        self.paper = Exchange()
        self.desk: OrderDesk = self.make_desk()
        self.smart = SmartOrders(self.desk)

    async def hold(self, quantity: int) -> None:
        """A position that both books know."""
        self.paper.real = self.paper.held[Product.MIS] = quantity
        self.paper.rows = [Position("SBIN", "NSE", Product.MIS, quantity, 800.0)]
        await self.desk.books.rebase(Mode.SANDBOX)

    async def rest(self, kind: PriceType, action: Action, quantity: int = 10) -> str:
        request = msgspec.structs.replace(
            BUY,
            action=action,
            quantity=quantity,
            price_type=kind,
            price=810.0 if kind.has_price else 0.0,
            trigger_price=810.0 if kind.has_trigger else 0.0,
        )
        return (await self.desk.place(request, "window")).order_id

    @property
    def sent(self) -> list[str]:
        return [what for kind, what in self.paper.arrived if kind == "place"]


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(underway, "LAG", 0.5)
    monkeypatch.setattr(underway, "PERSISTS", 0.2)
    monkeypatch.setattr(underway, "AGAIN", 0.02)
    monkeypatch.setattr(exits, "SETTLE", 0.2)
    monkeypatch.setattr(exits, "POLL", 0.02)
    made = World()
    await made.desk.start()
    yield made
    await made.paper.done()
    await made.desk.stop()


@pytest.mark.parametrize("trades_told", [True, False])
@pytest.mark.parametrize(
    ("delay", "lag", "push_after"),
    [(0.05, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.1, 0.0), (0.02, 0.0, 0.1)],
    ids=["fills late", "at once", "position book behind", "push behind"],
)
async def test_three_smart_orders_to_ten_make_ten(
    world: World, delay: float, lag: float, push_after: float, trades_told: bool
):
    exchange = world.paper
    exchange.delay, exchange.lag, exchange.push_after = delay, lag, push_after
    exchange.trades_told = trades_told
    answers = [await world.smart.place(BUY, 10, "api:a") for _ in range(3)]
    assert isinstance(answers[0], Placed)
    assert [a.message for a in answers[1:] if isinstance(a, NotNeeded)] == [MATCHED, MATCHED]
    await exchange.done()
    assert (exchange.real, world.sent) == (10, ["BUY 10"])


async def test_smart_orders_at_the_same_moment_make_ten(world: World):
    world.paper.delay = 0.05
    await asyncio.gather(*(world.smart.place(BUY, 10, f"api:{n}") for n in range(3)))
    await world.paper.done()
    assert world.paper.real == 10


async def test_a_plain_order_on_its_way_counts(world: World):
    """Its answer is awaited before anything is derived."""
    world.paper.delay = 0.05
    plain = asyncio.create_task(world.desk.place(BUY, "window"))
    await asyncio.sleep(0)
    await world.smart.place(BUY, 15, "api:a")
    await plain
    await world.paper.done()
    assert world.paper.real == 15


async def test_an_order_of_unknown_fate_counts(world: World):
    def lose() -> None:
        raise OrderStateUnknown("reset", tag="")

    world.paper.answer = lose
    with pytest.raises(OrderStateUnknown):
        await world.smart.place(BUY, 10, "api:a")
    world.paper.answer = lambda: None
    answer = await world.smart.place(BUY, 10, "api:a")
    assert isinstance(answer, NotNeeded)
    assert world.sent == ["BUY 10"]


async def test_a_refused_order_does_not_count(world: World):
    def refuse() -> None:
        world.paper.book.pop()
        raise RejectedByBroker("RMS")

    world.paper.answer = refuse
    with pytest.raises(RejectedByBroker):
        await world.smart.place(BUY, 10, "api:a")
    world.paper.answer = lambda: None
    await world.smart.place(BUY, 10, "api:a")
    await world.paper.done()
    assert world.paper.real == 10


async def test_a_smart_stop_that_is_repeated_is_not_doubled(world: World):
    stop = msgspec.structs.replace(BUY, price_type=PriceType.SLM, trigger_price=810.0)
    await world.smart.place(stop, 10, "api:a")
    assert isinstance(await world.smart.place(stop, 10, "api:a"), NotNeeded)
    assert world.sent == ["BUY 10"]


@pytest.mark.parametrize("side", [Action.SELL, Action.BUY])
async def test_an_order_that_waits_for_its_trigger_is_not_on_its_way(world: World, side: Action):
    await world.hold(10)
    await world.rest(PriceType.SLM, side)
    assert isinstance(await world.smart.place(BUY, 10, "api:a"), NotNeeded)
    await world.smart.place(BUY, 20, "api:a")
    await world.paper.done()
    assert world.paper.real == 20


def limit(action: Action, quantity: int) -> OrderRequest:
    return OrderRequest(
        "SBIN",
        "NSE",
        action,
        quantity,
        price_type=PriceType.LIMIT,
        product=Product.MIS,
        price=810.0,
    )


async def test_a_position_book_ahead_of_the_order_book_is_not_counted_twice(world: World):
    """It shows the fill while orders and updates still say open."""
    exchange = world.paper
    exchange.delay = 60.0  # nobody tells of the fill
    await world.smart.place(BUY, 10, "api:a")
    exchange.rows = [Position("SBIN", "NSE", Product.MIS, 10, 800.0)]

    async def fill_told() -> None:
        await asyncio.sleep(0.1)
        order = exchange.book[0]
        order.status, order.filled_quantity = OrderStatus.COMPLETE, 10

    told = asyncio.create_task(fill_told())
    assert isinstance(await world.smart.place(BUY, 10, "api:a"), NotNeeded)
    await told
    assert world.sent == ["BUY 10"]
    for task in exchange.tasks:
        task.cancel()
    exchange.tasks.clear()


async def test_a_position_book_far_behind_makes_no_second_order(world: World):
    world.paper.lag = 0.4
    await world.smart.place(BUY, 10, "api:a")
    await asyncio.sleep(0.02)
    for _ in range(3):
        assert isinstance(await world.smart.place(BUY, 10, "api:a"), NotNeeded)
    await world.desk.closing.close_all("window")
    await world.paper.done()
    assert (world.paper.real, world.sent) == (0, ["BUY 10", "SELL 10"])


async def test_a_position_book_that_is_empty_for_a_moment_makes_no_order(world: World):
    await world.hold(10)
    world.paper.blind = 3
    assert isinstance(await world.smart.place(BUY, 10, "api:a"), NotNeeded)
    assert world.sent == []


async def test_a_position_that_was_converted_elsewhere_is_believed(world: World):
    """No order shows it, and it stays so."""
    await world.hold(10)
    world.paper.rows = [Position("SBIN", "NSE", Product.MIS, 4, 800.0)]
    await world.desk.closing.close_position("SBIN", "NSE", Product.MIS, "window")
    assert world.sent == ["SELL 4"]


async def test_a_broker_that_does_not_say_how_much_of_a_working_order_is_filled(world: World):
    """Its trade book does."""
    order_id = (await world.desk.place(limit(Action.BUY, 10), "window")).order_id
    order = world.paper.book[0]
    assert order.order_id == order_id
    fill = Trade.of(order, "T1", 4, 810.0, world.clock.now())

    async def trades() -> BookRows[Trade]:
        return BookRows([fill])

    world.paper.trades = trades  # type: ignore[method-assign]
    world.paper.rows = [Position("SBIN", "NSE", Product.MIS, 4, 810.0)]
    await world.smart.place(BUY, 15, "api:a")
    assert world.sent == ["BUY 10", "BUY 5"]


@pytest.mark.parametrize("target", [10, 15])
async def test_a_resting_target_of_the_position_is_not_made_up_for(world: World, target: int):
    """Long 10 with a limit to sell 10: "be long 10" again buys nothing."""
    await world.hold(10)
    await world.desk.place(limit(Action.SELL, 10), "window")
    await world.smart.place(BUY, target, "api:a")
    await world.paper.done()
    assert world.paper.real == target


async def test_an_exit_does_not_sell_what_a_resting_entry_may_never_buy(world: World):
    await world.desk.place(limit(Action.BUY, 10), "window")
    answer = await world.smart.place(BUY, 0, "api:a")
    assert isinstance(answer, NotNeeded) and world.sent == ["BUY 10"]


@pytest.mark.parametrize("reject", [False, True])
async def test_an_exit_right_after_the_entry_waits_for_it(world: World, reject: bool):
    """Sold before it is bought, it would be a short when the entry is rejected."""
    world.paper.delay, world.paper.reject = 0.05, reject
    await world.smart.place(BUY, 10, "api:a")
    leave = msgspec.structs.replace(BUY, quantity=0)
    answer = await world.smart.place(leave, 0, "api:a")
    await world.paper.done()
    assert world.paper.real == 0
    assert isinstance(answer, NotNeeded) is reject


async def test_an_exit_of_an_entry_that_does_not_fill_says_so(world: World):
    world.paper.delay = 0.8
    await world.smart.place(BUY, 10, "api:a")
    with pytest.raises(OrderError, match="on their way and nothing is held yet"):
        await world.smart.place(msgspec.structs.replace(BUY, quantity=0), 0, "api:a")
    with pytest.raises(OrderError, match="on their way"):
        await world.desk.closing.close_position("SBIN", "NSE", Product.MIS, "window")
    assert world.sent == ["BUY 10"]


async def test_a_closing_order_that_is_rejected_late_is_not_made_up_for(world: World):
    """A smart order behind it waits until it knows."""
    await world.hold(10)
    world.paper.delay, world.paper.reject = 0.05, True
    await world.desk.closing.close_position("SBIN", "NSE", Product.MIS, "window")
    assert isinstance(await world.smart.place(BUY, 10, "api:a"), NotNeeded)
    assert world.sent == ["SELL 10"]


@pytest.mark.parametrize("kind", [PriceType.LIMIT, PriceType.SL, PriceType.SLM])
@pytest.mark.parametrize("target", [0, -10])
async def test_a_smart_exit_takes_resting_exits_back(world: World, kind: PriceType, target: int):
    await world.hold(10)
    order_id = await world.rest(kind, Action.SELL)
    await world.smart.place(msgspec.structs.replace(BUY, quantity=0), target, "api:a")
    await world.paper.done()
    assert ("cancel", order_id) in world.paper.arrived
    assert world.paper.real == target


async def test_a_repeated_limit_exit_stays_where_it_is(world: World):
    await world.hold(10)
    wanted = limit(Action.SELL, 0)
    first = await world.smart.place(wanted, 0, "api:a")
    assert isinstance(first, Placed)
    assert isinstance(await world.smart.place(wanted, 0, "api:a"), NotNeeded)
    assert world.paper.arrived == [("place", "SELL 10")]


async def test_an_exit_that_filled_in_part_and_was_cancelled(world: World):
    await world.hold(10)
    placed = await world.desk.place(limit(Action.SELL, 10), "window")
    order = world.paper.book[0]
    order.filled_quantity, order.status = 4, OrderStatus.CANCELLED
    world.paper.push(order, Trade.of(order, "T1", 4, 810.0, world.clock.now()))
    await world.desk.closing.close_all("window")
    assert placed.order_id == "1" and world.sent == ["SELL 10", "SELL 6"]


async def test_unreadable_rows_prove_nothing(world: World):
    await world.hold(10)

    async def positions() -> BookRows[Position]:
        return BookRows([], ["row 1"])

    world.paper.positions = positions  # type: ignore[method-assign]
    with pytest.raises(DataError, match="nobody knows whether SBIN is held"):
        await world.smart.place(BUY, 10, "api:a")
    assert world.sent == []


async def test_a_share_of_a_position_is_closed_and_leaves_the_exits_of_others(world: World):
    await world.hold(10)
    await world.rest(PriceType.LIMIT, Action.SELL, 4)
    placed = await world.desk.exits.close(KEY, "webhook:a", Mode.SANDBOX, at_most=3)
    assert placed is not None and world.sent[-1] == "SELL 3"
    await world.desk.exits.close(KEY, "webhook:b", Mode.SANDBOX, at_most=50)
    await world.paper.done()
    assert world.sent[-1] == "SELL 3" and world.paper.real == 4  # the limit has the rest


async def test_a_part_is_closed_and_resting_exits_are_made_to_fit(world: World):
    await world.hold(10)
    await world.rest(PriceType.SLM, Action.SELL)
    changed: list[ModifyRequest] = []

    async def modify(request: ModifyRequest) -> OrderAck:
        changed.append(request)
        return OrderAck(request.order_id)

    world.paper.modify = modify  # type: ignore[method-assign]
    await world.desk.closing.close_position("SBIN", "NSE", Product.MIS, "window", quantity=4)
    await world.paper.done()
    assert world.sent[-1] == "SELL 4" and world.paper.real == 6
    assert [row.quantity for row in changed] == [6]


async def test_parts_that_are_closed_together_never_exceed_the_position(world: World):
    await world.hold(10)
    world.paper.delay = 0.05
    close = world.desk.closing.close_position
    await asyncio.gather(
        *(close("SBIN", "NSE", Product.MIS, "window", quantity=6) for _ in range(3))
    )
    await world.paper.done()
    assert world.paper.real == 0 and world.sent == ["SELL 6", "SELL 4"]


async def test_a_part_as_large_as_the_position_takes_its_exits_along(world: World):
    await world.hold(10)
    await world.rest(PriceType.SLM, Action.SELL)
    await world.desk.closing.close_position("SBIN", "NSE", Product.MIS, "window", quantity=50)
    await world.paper.done()
    assert world.paper.real == 0 and world.paper.book[0].status is OrderStatus.CANCELLED


async def test_reverse_turns_the_position_once(world: World):
    await world.hold(10)
    await world.rest(PriceType.SLM, Action.SELL)
    world.paper.delay = 0.05
    await world.smart.reverse("SBIN", "NSE", Product.MIS, "window")
    await world.paper.done()
    assert world.paper.real == -10 and world.paper.book[0].status is OrderStatus.CANCELLED
    await world.hold(0)
    answer = await world.smart.reverse("SBIN", "NSE", Product.MIS, "window")
    assert isinstance(answer, NotNeeded)


@pytest.mark.parametrize("delay", [0.05, 0.0])
async def test_what_was_seen_is_reversed_once(world: World, delay: float):
    """Two docks at the same moment, and one that still shows the old position afterwards; what
    guards the new one stays."""
    await world.hold(10)
    world.paper.delay = delay
    reverse = partial(world.smart.reverse, "SBIN", "NSE", Product.MIS, "window", seen=10)
    answers = await asyncio.gather(reverse(), reverse(), return_exceptions=True)
    assert [type(answer) for answer in answers] == [Placed, OrderError]
    await world.paper.done()
    assert world.sent == ["SELL 20"] and world.paper.real == -10
    stop = await world.rest(PriceType.SLM, Action.BUY)
    with pytest.raises(OrderError, match=r"SBIN was \+10 when you saw it and it is -10 now"):
        await reverse()
    assert world.paper.book[int(stop) - 1].status is OrderStatus.TRIGGER_PENDING
    assert world.paper.real == -10


async def test_a_part_of_what_was_seen_is_closed_once(world: World):
    await world.hold(10)
    world.paper.delay = 0.05
    half = partial(
        world.desk.closing.close_position, "SBIN", "NSE", Product.MIS, "window", quantity=5, seen=10
    )
    answers = await asyncio.gather(half(), half(), return_exceptions=True)
    assert [type(answer) for answer in answers] == [Placed, OrderError]
    await world.paper.done()
    assert world.sent == ["SELL 5"] and world.paper.real == 5


@pytest.mark.parametrize("first", ["close", "reverse"])
async def test_a_reversal_and_a_closing_at_one_moment_leave_nothing(world: World, first: str):
    """The window turns what the local API closes: neither exceeds, and who closes gets out."""
    await world.hold(10)
    world.paper.delay = 0.05
    close = world.desk.closing.close_position("SBIN", "NSE", Product.MIS, "api:a")
    turn = world.smart.reverse("SBIN", "NSE", Product.MIS, "window", seen=10)
    works = (close, turn) if first == "close" else (turn, close)
    answers = await asyncio.gather(*works, return_exceptions=True)
    await world.paper.done()
    assert world.paper.real == 0
    assert world.sent == (["SELL 10"] if first == "close" else ["SELL 20", "BUY 10"])
    assert isinstance(answers[1], OrderError if first == "close" else Placed)


async def test_what_has_turned_is_not_closed_for_who_saw_it_before(world: World):
    await world.hold(-10)
    close = world.desk.closing.close_position
    with pytest.raises(OrderError, match="it is -10 now"):
        await close("SBIN", "NSE", Product.MIS, "window", seen=10)
    await close("SBIN", "NSE", Product.MIS, "window", seen=-5)  # more of it: all goes out
    await world.paper.done()
    assert world.sent == ["BUY 10"]


async def test_the_kill_switch_keeps_nobody_in(world: World):
    """A closing that the desk worked out itself gets out, whoever asks."""
    await world.hold(10)
    world.desk.risk.block("kill switch")
    with pytest.raises(RiskBlocked):
        await world.desk.place(msgspec.structs.replace(BUY, action=Action.SELL), "api:a")
    await world.desk.closing.close_position("SBIN", "NSE", Product.MIS, "api:a")
    await world.paper.done()
    assert world.paper.real == 0


@pytest.mark.parametrize("trades_told", [True, False])
@pytest.mark.parametrize(("delay", "lag"), [(0.05, 0.0), (0.0, 0.1), (0.03, 0.05)])
@pytest.mark.parametrize("held", [10, -10])
async def test_close_all_twice_is_flat(
    world: World, delay: float, lag: float, held: int, trades_told: bool
):
    await world.hold(held)
    world.paper.delay, world.paper.lag, world.paper.trades_told = delay, lag, trades_told
    first = await world.desk.closing.close_all("window")
    second = await world.desk.closing.close_all("window")
    await world.paper.done()
    assert world.paper.real == 0
    assert first.order_ids == ("1",) and len(world.sent) == 1
    assert second.failed == 0


async def test_closing_while_an_exit_is_under_way_names_it(world: World):
    await world.hold(10)
    world.paper.delay = 0.1
    await world.desk.closing.close_position("SBIN", "NSE", Product.MIS, "window")
    again = await world.desk.closing.close_position("SBIN", "NSE", Product.MIS, "api:a")
    assert again is not None
    assert again.ids == ("1",) and "under way already" in again.message


@pytest.mark.parametrize("kind", [PriceType.LIMIT, PriceType.SL, PriceType.SLM])
async def test_resting_exits_are_cancelled_before_the_position_is_closed(
    world: World, kind: PriceType
):
    """The position gets out now, and they cannot open the other side afterwards."""
    await world.hold(10)
    order_id = await world.rest(kind, Action.SELL)
    entry = await world.rest(PriceType.LIMIT, Action.BUY)
    world.paper.arrived.clear()
    await world.desk.closing.close_position("SBIN", "NSE", Product.MIS, "window")
    await world.paper.done()
    assert world.paper.arrived == [("cancel", order_id), ("place", "SELL 10")]
    assert world.paper.real == 0
    assert world.paper.book[int(entry) - 1].status is OrderStatus.OPEN


@pytest.mark.parametrize("way", ["close", "close all", "smart", "reverse"])
async def test_a_resting_exit_of_an_entry_that_is_still_filling_is_cancelled_too(
    world: World, way: str
):
    """Entry and target were sent a moment ago. The target rests far away and closes nothing."""
    exchange = world.paper
    exchange.delay = 0.05
    await world.desk.place(BUY, "api:a")
    target = await world.rest(PriceType.LIMIT, Action.SELL)
    if way == "close":
        await world.desk.closing.close_position("SBIN", "NSE", Product.MIS, "api:a")
    elif way == "close all":
        assert (await world.desk.closing.close_all("api:a")).closed == 1
    elif way == "smart":
        await world.smart.place(msgspec.structs.replace(BUY, quantity=0), 0, "api:a")
    else:
        await world.smart.reverse("SBIN", "NSE", Product.MIS, "api:a")
    await exchange.done()
    assert ("cancel", target) in exchange.arrived
    assert exchange.real == (-10 if way == "reverse" else 0)


@pytest.mark.parametrize("cancelled", [False, True], ids=["working", "cancelled elsewhere"])
@pytest.mark.parametrize("held", [True, False])
async def test_a_resting_exit_that_no_push_told_of_keeps_nobody_in(
    world: World, monkeypatch: pytest.MonkeyPatch, held: bool, cancelled: bool
):
    """Accepted a moment ago (or at a broker without pushes), and gone at the broker by now."""
    exchange = world.paper
    if held:
        await world.hold(10)
    exchange.silent = True
    if not held:
        await world.desk.place(BUY, "api:a")
    target = await world.rest(PriceType.LIMIT, Action.SELL)
    if cancelled:
        exchange.book[int(target) - 1].status = OrderStatus.CANCELLED

        async def refuse(order_id: str) -> OrderAck:
            raise OrderNotWorking(f"{order_id} is cancelled")

        monkeypatch.setattr(exchange, "cancel", refuse)
    answer = await world.desk.closing.close_position("SBIN", "NSE", Product.MIS, "api:a")
    await exchange.done()
    assert exchange.real == 0, (answer, exchange.arrived)
    assert exchange.book[int(target) - 1].status is OrderStatus.CANCELLED


@pytest.mark.parametrize("answered", [True, False])
async def test_close_all_waits_for_an_entry_that_no_position_book_shows(
    world: World, answered: bool
):
    exchange = world.paper
    exchange.delay = 0.05
    entry = asyncio.create_task(world.desk.place(BUY, "api:a"))
    if answered:
        await entry
    else:
        await until(lambda: exchange.arrived)
    result = await world.desk.closing.close_all("window")
    await entry
    await exchange.done()
    assert (result.closed, result.failed, exchange.real) == (1, 0, 0)


async def test_close_all_names_an_entry_that_does_not_fill(world: World):
    world.paper.delay = 0.8
    await world.desk.place(BUY, "api:a")
    result = await world.desk.closing.close_all("window")
    assert (result.closed, result.failed, world.sent) == (0, 1, ["BUY 10"])
    assert "SBIN" in result.errors[0] and "on their way" in result.errors[0]


async def test_close_all_says_nothing_of_an_entry_that_was_refused(world: World):
    world.paper.delay, world.paper.reject = 0.05, True
    await world.desk.place(BUY, "api:a")
    result = await world.desk.closing.close_all("window")
    assert (result.closed, result.failed, result.had_rows) == (0, 0, False)


async def test_an_exit_that_cannot_be_cancelled_counts(world: World):
    await world.hold(10)
    await world.rest(PriceType.LIMIT, Action.SELL, 4)

    def refuse() -> None:
        world.paper.answer = lambda: None
        raise RejectedByBroker("being matched")

    world.paper.answer = refuse
    await world.desk.closing.close_position("SBIN", "NSE", Product.MIS, "window")
    assert world.sent[-1] == "SELL 6"


async def test_nothing_is_sent_when_the_position_cannot_be_read(world: World):
    await world.hold(10)
    world.paper.unreadable = True
    with pytest.raises(NetTimeout, match="positions"):
        await world.smart.place(BUY, 20, "api:a")
    with pytest.raises(NetTimeout):
        await world.desk.closing.close_position("SBIN", "NSE", Product.MIS, "window")
    with pytest.raises(NetTimeout):
        await world.desk.closing.close_all("window")
    assert world.sent == []


async def test_closing_goes_out_in_slices_and_odd_lots_whatever_the_settings(world: World):
    world.lookup.rows[("NSE", "SBIN")] = Instrument("SBIN", "NSE", lot_size=1, freeze_qty=4)
    await world.hold(10)
    placed = await world.desk.closing.close_position("SBIN", "NSE", Product.MIS, "window")
    assert placed is not None and placed.ids == ("1", "2", "3")
    await world.paper.done()
    assert world.sent == ["SELL 4", "SELL 4", "SELL 2"] and world.paper.real == 0
    rows = [row.request for row in world.journal.rows.values()]
    assert [(row["part"], row["parts"]) for row in rows] == [(1, 3), (2, 3), (3, 3)]
    assert len({row["parent"] for row in rows}) == 1


async def test_a_failed_slice_is_told_with_symbol_reason_and_what_went_out(world: World):
    world.lookup.rows[("NSE", "SBIN")] = Instrument("SBIN", "NSE", freeze_qty=4)
    await world.hold(10)

    def refuse() -> None:
        if len(world.paper.book) == 2:
            world.paper.book.pop()
            raise RejectedByBroker("RMS: later")

    world.paper.answer = refuse
    result = await world.desk.closing.close_all("window")
    await world.paper.done()
    assert (result.closed, result.failed, result.order_ids) == (0, 1, ("1",))
    assert result.errors[0].startswith("SBIN: RMS: later") and "1 of 3 parts" in result.errors[0]
    assert world.paper.real == 6
    world.paper.answer = lambda: None
    await world.desk.closing.close_all("window")
    await world.paper.done()
    assert world.paper.real == 0


async def test_a_hedge_that_was_refused_is_tried_again_when_the_short_is_closed(world: World):
    world.lookup.rows[("NSE", "INFY")] = Instrument("INFY", "NSE")
    world.paper.rows = [
        Position("SBIN", "NSE", Product.MIS, 10, 800.0),
        Position("INFY", "NSE", Product.MIS, -5, 1600.0),
    ]
    await world.desk.books.rebase(Mode.SANDBOX)

    def refuse() -> None:
        world.paper.answer = lambda: None
        world.paper.book.pop()
        raise InsufficientFunds("the hedge of an open short")

    world.paper.answer = refuse
    result = await world.desk.closing.close_all("window")
    assert (result.closed, result.failed, len(result.order_ids)) == (2, 0, 2)
    assert sorted(world.sent) == ["BUY 5", "SELL 10", "SELL 10"]


async def test_an_odd_lot_gets_out(world: World):
    world.lookup.rows[("NFO", "X")] = Instrument("X", "NFO", lot_size=75, instrument_type="CE")
    world.paper.rows = [Position("X", "NFO", Product.NRML, 100, 5.0)]
    await world.desk.books.rebase(Mode.SANDBOX)
    await world.desk.closing.close_all("window")
    assert world.sent == ["SELL 100"]


async def test_cancel_all_leaves_what_is_between_two_states(world: World):
    await world.rest(PriceType.LIMIT, Action.BUY)
    await world.rest(PriceType.LIMIT, Action.BUY)
    world.paper.book[0].settling = True
    result = await world.desk.closing.cancel_all("window")
    assert (result.cancelled, result.failed) == (["2"], [])


async def test_the_lock_of_one_instrument_keeps_no_other_waiting(world: World):
    async with world.desk.under_way.lock(Mode.SANDBOX, KEY):
        waiting = asyncio.create_task(world.smart.place(BUY, 10, "api:a"))
        other = msgspec.structs.replace(BUY, product=Product.CNC)
        await world.smart.place(other, 10, "api:a")
        assert not waiting.done()
    await waiting
    await until(lambda: world.paper.real == 20)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"symbol": "INFY"}, "symbol"),
        ({"action": Action.SELL}, "action"),
        ({"product": Product.CNC}, "product"),
        ({"exchange": "BSE"}, "exchange"),
        ({"quantity": 0}, "quantity"),
        ({"quantity": 101}, "quantity"),
        ({"price": 810.03}, "price"),
        ({"price_type": PriceType.SL, "trigger_price": 0.0}, "trigger_price"),
    ],
    ids=str,
)
async def test_a_change_is_checked_like_an_order_before_it_leaves(
    world: World, change: dict[str, object], field: str
):
    world.lookup.rows[("NSE", "SBIN")] = Instrument("SBIN", "NSE", freeze_qty=100)
    order_id = await world.rest(PriceType.LIMIT, Action.BUY)
    world.paper.arrived.clear()
    with pytest.raises(InvalidOrder) as refused:
        await world.desk.modify(ModifyRequest(order_id, **change), "api:a")  # type: ignore[arg-type]
    assert refused.value.field == field
    assert world.paper.arrived == []


async def test_a_change_goes_out_complete(world: World, monkeypatch: pytest.MonkeyPatch):
    order_id = await world.rest(PriceType.LIMIT, Action.BUY)
    seen: list[ModifyRequest] = []

    async def modify(request: ModifyRequest) -> OrderAck:
        seen.append(request)
        return OrderAck(request.order_id)

    monkeypatch.setattr(world.paper, "modify", modify)
    await world.desk.modify(ModifyRequest(order_id, price=0.0, quantity=20), "api:a")
    (full,) = seen
    assert full == ModifyRequest(
        order_id=order_id,
        quantity=20,
        price=810.0,
        trigger_price=0.0,
        price_type=PriceType.LIMIT,
        disclosed_quantity=0,
        symbol="SBIN",
        exchange="NSE",
        action=Action.BUY,
        product=Product.MIS,
        validity=Validity.DAY,
    )
