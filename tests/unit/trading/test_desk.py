"""The order desk: routing by mode, journal states, unknown orders, reconciliation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from openalgo_desktop.config.settings import Settings
from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import Action, JournalState, Mode, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import (
    InvalidOrder,
    NetTimeout,
    NotConnected,
    OrderNotFound,
    OrderStateUnknown,
    RejectedByBroker,
    RiskBlocked,
    StorageError,
    SymbolUnknown,
)
from openalgo_desktop.core.events import Bus, ModeChanged, Notice, OrderRefused, OrderUpdated
from openalgo_desktop.core.model import (
    BookRows,
    Funds,
    Holding,
    Instrument,
    Key,
    Margin,
    ModifyRequest,
    Order,
    OrderAck,
    OrderRequest,
    OrderUpdate,
    Position,
    Trade,
)
from openalgo_desktop.core.ports import JournalEntry
from openalgo_desktop.core.traits import Traits
from openalgo_desktop.trading import reconcile
from openalgo_desktop.trading.desk import OrderDesk
from openalgo_desktop.trading.limits import RiskRules
from openalgo_desktop.trading.policies import OrderPolicies
from openalgo_desktop.trading.tags import TagMaker


class Lookup:
    def __init__(self) -> None:
        names = ("SBIN", "INFY")
        self.rows = {("NSE", name): Instrument(symbol=name, exchange="NSE") for name in names}

    def get(self, key: Key) -> Instrument | None:
        return self.rows.get(key)

    def require(self, symbol: str, exchange: str) -> Instrument:
        found = self.get((exchange, symbol))
        if found is None:
            raise SymbolUnknown(symbol, exchange)
        return found


class MemoryJournal:
    """The journal's contract in a dict."""

    def __init__(self) -> None:
        self.rows: dict[str, JournalEntry] = {}

    well = True

    async def intent(self, entry: JournalEntry, *, shared: bool = False) -> None:
        assert entry.tag not in self.rows
        self.rows[entry.tag] = entry

    async def settle(
        self, tag: str, state: JournalState, order_id: str = "", message: str = ""
    ) -> None:
        self.rows[tag] = msgspec.structs.replace(
            self.rows[tag], state=state, order_id=order_id, message=message
        )

    async def open_entries(self) -> list[JournalEntry]:
        open_states = (JournalState.INTENT, JournalState.UNKNOWN)
        return [row for row in self.rows.values() if row.state in open_states]

    async def find(self, tag: str) -> JournalEntry | None:
        return self.rows.get(tag)

    async def placed(self, account_id: str, order_ids: Sequence[str]) -> set[str]:
        owned = {row.order_id for row in self.rows.values() if row.kind == "place"}
        return owned & set(order_ids)

    async def of_orders(
        self, account_id: str, order_ids: Sequence[str], tags: Sequence[str]
    ) -> list[JournalEntry]:
        return [
            row
            for row in self.rows.values()
            if row.account_id == account_id and (row.order_id in order_ids or row.tag in tags)
        ]

    async def sent_by(self, source: str, since: datetime) -> list[JournalEntry]:
        rows = self.rows.values()
        return [row for row in rows if row.source == source and row.kind == "place"]

    async def refused(self, limit: int) -> list[JournalEntry]:
        rows = list(self.rows.values())[-limit:]
        rejected = JournalState.REJECTED
        return [row for row in rows if row.kind == "place" and row.state is rejected]

    async def recent(self, limit: int) -> list[JournalEntry]:
        return list(self.rows.values())[-limit:]

    def states(self) -> list[JournalState]:
        return [row.state for row in self.rows.values()]


class Gateway:
    """A gateway that does what ``answer`` says and remembers what arrived."""

    traits = Traits()

    def __init__(self, broker: str) -> None:
        self.broker = broker
        self.account_id = f"{broker}:1"
        self.arrived: list[tuple[str, str]] = []
        self.book: list[Order] = []
        self.rows: list[Position] = []
        self.listener: Callable[[OrderUpdate], None] | None = None
        self.answer: Callable[[], None] = lambda: None
        self.hold: asyncio.Event | None = None

    def set_listener(self, listener: Callable[[OrderUpdate], None]) -> None:
        self.listener = listener

    async def place(self, request: OrderRequest, tag: str) -> OrderAck:
        order_id = str(len(self.book) + 1)
        self.arrived.append(("place", tag))
        self.book.append(
            Order(
                order_id,
                request.symbol,
                request.exchange,
                request.action,
                request.quantity,
                request.price_type,
                request.product,
                tag=tag,
            )
        )
        if self.hold is not None:
            await self.hold.wait()
        self.answer()
        return OrderAck(order_id)

    async def modify(self, request: ModifyRequest) -> OrderAck:
        self.arrived.append(("modify", request.order_id))
        self.answer()
        return OrderAck(request.order_id)

    async def cancel(self, order_id: str) -> OrderAck:
        self.arrived.append(("cancel", order_id))
        self.answer()
        return OrderAck(order_id)

    async def orders(self) -> BookRows[Order]:
        return BookRows(msgspec.structs.replace(order) for order in self.book)

    async def order(self, order_id: str) -> Order:
        for order in await self.orders():
            if order.order_id == order_id:
                return order
        raise OrderNotFound(order_id)

    async def trades(self) -> BookRows[Trade]:
        return BookRows()

    async def positions(self) -> BookRows[Position]:
        return BookRows(self.rows)

    async def holdings(self) -> BookRows[Holding]:
        return BookRows()

    async def funds(self) -> Funds:
        return Funds()


BUY = OrderRequest("SBIN", "NSE", Action.BUY, 10)
#: An answer that is held back is missing after so many seconds.
SOON = 0.05


class Rig:
    #: Seconds after which an order without an answer is of unknown state: long, for what comes must
    #: not be late on a busy machine; a test whose answer does not come sets :data:`SOON`.
    answer = 30.0

    def __init__(self) -> None:
        self.clock = ManualClock(datetime(2026, 11, 24, 10, 0, tzinfo=IST))
        self.bus = Bus()
        self.journal = MemoryJournal()
        self.lookup = Lookup()
        self.paper, self.live = Gateway("sandbox"), Gateway("kite")
        self.notices: list[Notice] = []
        self.bus.subscribe(Notice, self.notices.append)
        self.desk = self.make_desk()

    def make_desk(self) -> OrderDesk:
        desk = OrderDesk(
            self.clock,
            self.bus,
            self.lookup,
            self.journal,
            ack_timeout=lambda: self.answer,
            reconcile_interval=lambda: 3600,
        )
        desk.set_gateway(Mode.SANDBOX, self.paper)
        desk.set_gateway(Mode.LIVE, self.live)
        return desk


@pytest.fixture
async def rig():
    rig = Rig()
    await rig.desk.start()
    yield rig
    await rig.desk.stop()


async def test_an_order_goes_to_the_gateway_of_its_mode_only(rig: Rig):
    changes: list[Mode] = []
    rig.bus.subscribe(ModeChanged, lambda e: changes.append(e.mode))
    placed = await rig.desk.place(BUY, "window")
    assert (placed.mode, len(rig.paper.arrived), len(rig.live.arrived)) == (Mode.SANDBOX, 1, 0)
    await rig.desk.set_mode(Mode.LIVE, "test")
    placed = await rig.desk.place(BUY, "window")
    assert (placed.mode, len(rig.paper.arrived), len(rig.live.arrived)) == (Mode.LIVE, 1, 1)
    assert changes == [Mode.LIVE]


async def test_margin_is_asked_where_the_order_would_go(rig: Rig):
    for gateway, total in ((rig.paper, 1.0), (rig.live, 44.0)):

        async def margin(legs: Sequence[OrderRequest], total: float = total) -> Margin:
            return Margin(total * len(legs))

        gateway.margin = margin  # type: ignore[attr-defined]
        gateway.traits = Traits(margin=True)
    assert (await rig.desk.read.margin([BUY, BUY])).total == 2.0
    await rig.desk.set_mode(Mode.LIVE, "test")
    assert (await rig.desk.read.margin([BUY, BUY])).total == 88.0


async def test_live_without_an_account_is_refused(rig: Rig):
    rig.desk.set_gateway(Mode.LIVE, None)
    with pytest.raises(NotConnected):
        await rig.desk.set_mode(Mode.LIVE, "test")
    assert rig.desk.mode is Mode.SANDBOX


async def test_journal_has_the_intent_before_the_gateway_is_called(rig: Rig):
    seen: list[list[JournalState]] = []
    rig.paper.answer = lambda: seen.append(rig.journal.states())
    placed = await rig.desk.place(BUY, "window")
    await asyncio.sleep(0)
    assert seen == [[JournalState.INTENT]]
    (row,) = rig.journal.rows.values()
    assert (row.state, row.order_id) == (JournalState.ACKNOWLEDGED, placed.order_id)
    assert row.source == "window" and row.request["quantity"] == 10


async def test_slices_may_be_equal_but_the_whole_order_is_held_to_the_limits(rig: Rig):
    settings = Settings()
    settings.set("trading.freeze_split", True)
    settings.set("risk.duplicate_ms", 60_000)
    settings.set("risk.max_quantity", 30)
    row = Instrument("SBIN", "NSE", freeze_qty=10)
    rig.lookup.rows[("NSE", "SBIN")] = row
    ticks: Any = None  # no rule here needs a price
    rig.desk.policies = OrderPolicies(ticks, settings.__getitem__)
    rig.desk.risk.rules = RiskRules(
        rig.clock,
        ticks,
        rig.lookup,
        rig.desk.books,
        settings.__getitem__,
        lambda exchange: True,
        MarketCalendar(),
    )
    with pytest.raises(RiskBlocked, match="quantity 31 is above the limit of 30"):
        await rig.desk.place(msgspec.structs.replace(BUY, quantity=31), "window")
    assert rig.paper.arrived == []
    await rig.desk.place(msgspec.structs.replace(BUY, quantity=30), "window")
    assert len(rig.paper.arrived) == 3
    with pytest.raises(RiskBlocked, match="same order"):
        await rig.desk.place(BUY, "window")  # like a slice, and nobody meant it


async def test_refusal_is_journaled_and_raised(rig: Rig):
    def refuse() -> None:
        raise RejectedByBroker("RMS: margin", order_id="9")

    rig.paper.answer = refuse
    with pytest.raises(RejectedByBroker, match="RMS"):
        await rig.desk.place(BUY, "window")
    await asyncio.sleep(0)
    (row,) = rig.journal.rows.values()
    assert (row.state, row.order_id, row.message) == (JournalState.REJECTED, "9", "RMS: margin")


@pytest.mark.parametrize(
    "failure",
    [
        OrderStateUnknown("reset", tag=""),
        ValueError("bug"),
        NetTimeout("slow"),
        StorageError("disk full"),
    ],
)
async def test_lost_answer_is_unknown_then_found_by_tag_and_never_sent_again(
    rig: Rig, failure, caplog: pytest.LogCaptureFixture
):
    def lose() -> None:
        raise failure

    rig.paper.answer = lose
    with pytest.raises(OrderStateUnknown, match="do not send it again"):
        await rig.desk.place(BUY, "window")
    await rig.desk.reconciler.run_once()
    (row,) = rig.journal.rows.values()
    assert (row.state, row.order_id) == (JournalState.ACKNOWLEDGED, "1")
    assert len(rig.paper.arrived) == 1
    assert rig.notices and "unknown" in rig.notices[0].text
    told = [line for line in caplog.messages if row.tag in line]
    assert "is unknown" in told[0] and "SBIN" in told[-1]  # a headless user has only the log


async def test_timeout_is_unknown_and_the_late_answer_settles_it(rig: Rig):
    rig.paper.hold = asyncio.Event()
    rig.answer = SOON
    with pytest.raises(OrderStateUnknown):
        await rig.desk.place(BUY, "window")
    rig.paper.hold.set()
    async with asyncio.timeout(60):
        while rig.journal.states() != [JournalState.ACKNOWLEDGED]:
            await asyncio.sleep(0)
    assert len(rig.paper.arrived) == 1


async def test_unknown_order_is_a_row_in_the_book_until_it_is_settled(rig: Rig):
    def lose() -> None:
        rig.paper.book.clear()  # it never arrived
        raise OrderStateUnknown("reset", tag="")

    rig.paper.answer = lose
    with pytest.raises(OrderStateUnknown):
        await rig.desk.place(BUY, "window")
    await rig.desk.reconciler.run_once()
    (row,) = await rig.desk.read.orders()
    assert (row.status, row.quantity, rig.desk.unsettled()) == (OrderStatus.UNKNOWN, 10, 1)
    rig.clock.advance(reconcile.ABSENT_AFTER + 1)
    await rig.desk.reconciler.run_once()
    assert await rig.desk.read.orders() == []
    assert rig.journal.states() == [JournalState.REJECTED]


async def test_an_order_that_arrives_after_the_judgement_is_taken_back_into_the_journal(rig: Rig):
    def lose() -> None:
        rig.paper.book.clear()
        raise OrderStateUnknown("reset", tag="")

    rig.paper.answer = lose
    with pytest.raises(OrderStateUnknown):
        await rig.desk.place(BUY, "window")
    rig.clock.advance(reconcile.ABSENT_AFTER + 1)
    await rig.desk.reconciler.run_once()
    (row,) = rig.journal.rows.values()
    assert row.state is JournalState.REJECTED
    assert rig.paper.listener is not None
    late = Order("5", "SBIN", "NSE", Action.BUY, 10, PriceType.MARKET, Product.MIS, tag=row.tag)
    rig.paper.listener(OrderUpdate("sandbox:1", late))
    async with asyncio.timeout(60):
        while rig.journal.rows[row.tag].state is not JournalState.ACKNOWLEDGED:
            await asyncio.sleep(0)
    assert rig.journal.rows[row.tag].order_id == "5"


async def test_an_order_of_an_account_that_takes_no_orders_now_is_settled_too(rig: Rig):
    other = Gateway("zerodha")
    request = msgspec.to_builtins(BUY)
    await rig.journal.intent(
        JournalEntry("T1", "place", "zerodha:1", Mode.LIVE, "window", request, rig.clock.now())
    )
    await rig.journal.settle("T1", JournalState.UNKNOWN)
    await rig.desk.reconciler.run_once()
    assert rig.journal.rows["T1"].state is JournalState.UNKNOWN
    await other.place(BUY, "T1")
    rig.desk.reconciler.others = lambda: [other]
    await rig.desk.reconciler.run_once()
    assert rig.journal.rows["T1"].order_id == "1"


async def test_unknown_orders_do_not_flicker_while_the_book_is_read(rig: Rig):
    def lose() -> None:
        rig.paper.book.clear()
        raise OrderStateUnknown("reset", tag="")

    rig.paper.answer = lose
    with pytest.raises(OrderStateUnknown):
        await rig.desk.place(BUY, "window")
    await rig.desk.reconciler.run_once()
    look = asyncio.create_task(rig.desk.reconciler.run_once())
    seen = set()
    while not look.done():
        seen.add(rig.desk.unsettled())
        await asyncio.sleep(0)
    assert seen == {1}


async def test_restart_settles_what_the_killed_run_left_open(rig: Rig):
    request = msgspec.to_builtins(BUY)
    for tag in ("arrived", "lost"):
        await rig.journal.intent(
            JournalEntry(
                tag, "place", "sandbox:1", Mode.SANDBOX, "api:main", request, rig.clock.now()
            )
        )
    rig.paper.book.append(
        Order("7", "SBIN", "NSE", Action.BUY, 10, PriceType.MARKET, Product.MIS, tag="arrived")
    )
    rig.clock.advance(reconcile.ABSENT_AFTER_RESTART + 1)
    restarted = rig.make_desk()
    await restarted.start()
    assert rig.journal.rows["arrived"].order_id == "7"
    assert rig.journal.rows["arrived"].state is JournalState.ACKNOWLEDGED
    assert rig.journal.rows["lost"].state is JournalState.REJECTED
    assert rig.paper.arrived == []
    assert (await restarted.read.orders())[0].source == "api:main"
    await restarted.stop()


async def test_restart_in_a_new_session_finds_the_order_of_the_old_one(rig: Rig):
    await rig.journal.intent(
        JournalEntry(
            "old",
            "place",
            "sandbox:1",
            Mode.SANDBOX,
            "api:main",
            msgspec.to_builtins(BUY),
            rig.clock.now(),
        )
    )
    order = Order("7", "SBIN", "NSE", Action.BUY, 10, PriceType.MARKET, Product.MIS, tag="old")

    async def recall(tags: set[str], order_ids: set[str]) -> list[Order]:
        assert tags == {"old"}
        return [order]

    rig.paper.recall = recall  # type: ignore[attr-defined]
    rig.paper.traits = Traits(recall=True)
    rig.clock.advance(86_400)
    restarted = rig.make_desk()
    await restarted.start()
    row = rig.journal.rows["old"]
    assert (row.state, row.order_id) == (JournalState.ACKNOWLEDGED, "7")
    await restarted.stop()


async def test_broker_without_tags_is_settled_by_attributes_and_time(rig: Rig):
    """Three identical buys of which two arrived, between orders of somebody else."""
    request = msgspec.to_builtins(BUY)
    for tag in ("A1", "A2", "A3"):
        await rig.journal.intent(
            JournalEntry(
                tag, "place", "sandbox:1", Mode.SANDBOX, "window", request, rig.clock.now()
            )
        )
        await rig.journal.settle(tag, JournalState.UNKNOWN)
        rig.clock.advance(1)
    now = rig.clock.now()

    def order(order_id: str, **changes: object) -> Order:
        made = Order(order_id, "SBIN", "NSE", Action.BUY, 10, PriceType.MARKET, Product.MIS)
        return msgspec.structs.replace(made, **{"placed_at": now, **changes})

    await rig.journal.intent(
        JournalEntry("known", "place", "sandbox:1", Mode.SANDBOX, "window", request, now)
    )
    await rig.journal.settle("known", JournalState.ACKNOWLEDGED, "10")
    rig.paper.book += [
        order("10"),  # owned by "known"
        order("11", quantity=20),
        order("12", placed_at=now - timedelta(hours=1)),
        order("13", tag="somebody"),
        order("14"),
        order("15"),
    ]
    await rig.desk.reconciler.run_once()
    rows = rig.journal.rows
    assert [rows[tag].order_id for tag in ("A1", "A2", "A3")] == ["14", "15", ""]
    rig.clock.advance(reconcile.ABSENT_AFTER + 1)
    await rig.desk.reconciler.run_once()
    assert rows["A3"].state is JournalState.REJECTED
    assert rig.paper.arrived == []


async def test_an_untagged_order_whose_answer_is_on_its_way_is_not_given_to_another(rig: Rig):
    request = msgspec.to_builtins(BUY)
    for tag in ("lost", "flying"):
        rig.desk.reconciler.began(tag)
        await rig.journal.intent(
            JournalEntry(
                tag, "place", "sandbox:1", Mode.SANDBOX, "window", request, rig.clock.now()
            )
        )
        rig.clock.advance(1)
    await rig.journal.settle("lost", JournalState.UNKNOWN)
    order = Order("7", "SBIN", "NSE", Action.BUY, 10, PriceType.MARKET, Product.MIS)
    rig.paper.book.append(order)  # it belongs to "flying"
    rig.clock.advance(5)
    rig.desk.reconciler.flying["flying"] += 1
    await rig.desk.reconciler.run_once()
    assert rig.journal.states() == [JournalState.UNKNOWN, JournalState.INTENT]
    del rig.desk.reconciler.flying["flying"]
    await rig.journal.settle("flying", JournalState.ACKNOWLEDGED, "7")
    rig.clock.advance(reconcile.ABSENT_AFTER)
    await rig.desk.reconciler.run_once()
    assert rig.journal.states() == [JournalState.REJECTED, JournalState.ACKNOWLEDGED]


async def test_an_order_whose_answer_is_on_its_way_is_not_told_as_found(rig: Rig):
    """Every cancel of a kill switch was: a hundred notices of orders that nobody had missed."""
    held = asyncio.Event()
    settle = rig.journal.settle

    async def slow(*args: Any, **options: Any) -> None:
        if not args[3]:  # the answer itself; what the reconciler finds comes with a message
            await held.wait()
        await settle(*args, **options)

    rig.journal.settle = slow  # type: ignore[method-assign]
    await rig.desk.place(BUY, "window")
    (tag,) = rig.journal.rows
    rig.paper.book.append(
        Order("7", "SBIN", "NSE", Action.BUY, 10, PriceType.MARKET, Product.MIS, tag=tag)
    )
    rig.clock.advance(5)
    await rig.desk.reconciler.run_once()
    found = (list(rig.notices), rig.journal.states(), rig.desk.unsettled())
    held.set()
    assert found == ([], [JournalState.INTENT], 0), "the kill switch must not call it unknown"
    await rig.desk.quiet()
    await rig.desk.reconciler.run_once()
    assert rig.notices == [] and rig.journal.states() == [JournalState.ACKNOWLEDGED]


async def test_an_order_whose_answer_is_written_during_a_look_is_not_told_as_found(rig: Rig):
    """The look has read its row before: with thousands of orders that took long enough."""
    held = asyncio.Event()
    settle, orders = rig.journal.settle, rig.paper.orders

    async def slow(*args: Any, **options: Any) -> None:
        await held.wait()
        await settle(*args, **options)

    async def book() -> BookRows[Order]:
        held.set()
        await rig.desk.quiet()
        await asyncio.sleep(0)
        assert rig.journal.states() == [JournalState.ACKNOWLEDGED]
        return await orders()

    rig.journal.settle = slow  # type: ignore[method-assign]
    rig.paper.orders = book  # type: ignore[method-assign]
    await rig.desk.place(BUY, "window")
    (tag,) = rig.journal.rows
    rig.paper.book.append(
        Order("7", "SBIN", "NSE", Action.BUY, 10, PriceType.MARKET, Product.MIS, tag=tag)
    )
    rig.clock.advance(5)
    await rig.desk.reconciler.run_once()
    assert (rig.notices, rig.desk.unsettled()) == ([], 0)
    assert rig.desk.reconciler.open_entries == {}


async def test_an_order_is_flying_without_a_gap_until_its_answer_is_stored(rig: Rig):
    """Else the reconciler could give an untagged order to somebody else in that moment."""
    held = asyncio.Event()
    settle = rig.journal.settle

    async def slow(*args: Any, **options: Any) -> None:
        await held.wait()
        await settle(*args, **options)

    rig.journal.settle = slow  # type: ignore[method-assign]
    flying = rig.desk.reconciler.flying
    call = asyncio.create_task(rig.desk.place(BUY, "window"))
    while not rig.paper.arrived:
        await asyncio.sleep(0)
    (tag,) = rig.journal.rows
    for _ in range(20):
        assert flying[tag] > 0
        await asyncio.sleep(0)
    assert call.done()
    held.set()
    await rig.desk.quiet()
    await asyncio.sleep(0)
    assert tag not in flying


@pytest.mark.parametrize(
    ("status", "state", "text"),
    [
        (OrderStatus.CANCELLED, JournalState.ACKNOWLEDGED, "order book shows it"),
        (OrderStatus.COMPLETE, JournalState.REJECTED, "too late, the order was complete"),
    ],
)
async def test_lost_cancel_is_settled_by_the_state_of_the_order(
    rig: Rig, status: OrderStatus, state: JournalState, text: str
):
    def lose() -> None:
        raise OrderStateUnknown("reset", tag="")

    placed = await rig.desk.place(BUY, "window")
    rig.paper.answer = lose
    with pytest.raises(OrderStateUnknown):
        await rig.desk.cancel(placed.order_id, "window")
    rig.paper.book[0].status = status
    await rig.desk.reconciler.run_once()
    row = list(rig.journal.rows.values())[-1]
    assert (row.kind, row.state) == ("cancel", state) and text in row.message


async def test_a_caller_who_goes_away_does_not_lose_the_order(rig: Rig):
    rig.paper.hold = asyncio.Event()
    call = asyncio.create_task(rig.desk.place(BUY, "api:main"))
    while not rig.paper.arrived:
        await asyncio.sleep(0)
    call.cancel()
    rig.paper.hold.set()
    async with asyncio.timeout(60):
        while rig.journal.states() != [JournalState.ACKNOWLEDGED]:
            await asyncio.sleep(0)


async def test_bad_order_leaves_no_journal_row_and_names_the_field(rig: Rig):
    with pytest.raises(InvalidOrder) as caught:
        await rig.desk.place(msgspec.structs.replace(BUY, quantity=0), "window")
    assert caught.value.field == "quantity"
    assert rig.journal.rows == {}


async def test_block_refuses_every_source(rig: Rig):
    rig.desk.risk.block("kill switch")
    with pytest.raises(RiskBlocked, match="kill switch"):
        await rig.desk.place(BUY, "api:main")
    assert rig.paper.arrived == []


async def test_limits_hold_for_orders_that_our_book_does_not_know_yet(rig: Rig):
    """Placed in the broker's own app a moment ago, and made larger through us."""
    await rig.paper.place(BUY, "elsewhere")
    checked: list[tuple[str, int]] = []

    async def check(order: Order, request: ModifyRequest, source: str, mode: Mode) -> None:
        checked.append((order.order_id, request.quantity))
        raise RiskBlocked("too many")

    rig.desk.risk.check_modify = check
    assert "1" not in rig.desk.books.book(Mode.SANDBOX).orders
    with pytest.raises(RiskBlocked):
        await rig.desk.modify(ModifyRequest("1", quantity=500), "api:main")
    assert checked == [("1", 500)]


async def test_what_is_refused_before_the_journal_is_told(rig: Rig):
    """Once each, with who asked and why; nothing of it is journaled."""
    told: list[tuple[str, str, str]] = []
    rig.bus.subscribe(OrderRefused, lambda e: told.append((e.source, e.kind, e.reason)))
    with pytest.raises(SymbolUnknown):
        await rig.desk.place(msgspec.structs.replace(BUY, symbol="NOSUCH"), "window")
    with pytest.raises(InvalidOrder):
        await rig.desk.place(msgspec.structs.replace(BUY, quantity=0), "webhook:w")
    rig.desk.risk.block("the kill switch is on")
    with pytest.raises(RiskBlocked):
        await rig.desk.place(BUY, "api:main")
    with pytest.raises(RiskBlocked):
        await rig.desk.modify(ModifyRequest("1", quantity=5), "api:main")
    assert [row[:2] for row in told] == [
        ("window", "place"),
        ("webhook:w", "place"),
        ("api:main", "place"),
        ("api:main", "modify"),
    ]
    assert all(reason for *_, reason in told) and rig.journal.rows == {}


async def test_cancel_all_reaches_stops_and_reports_failures(rig: Rig):
    for _ in range(3):
        await rig.desk.place(BUY, "window")
    rig.paper.book[1].status = OrderStatus.TRIGGER_PENDING
    rig.paper.book[2].status = OrderStatus.COMPLETE
    result = await rig.desk.closing.cancel_all("window")
    assert (sorted(result.cancelled), result.failed) == (["1", "2"], [])


async def test_close_all_sends_the_opposite_side(rig: Rig):
    rig.paper.rows = [
        Position("SBIN", "NSE", Product.MIS, -10, 800.0),
        Position("SBIN", "NSE", Product.CNC, 0, 0.0),
    ]
    result = await rig.desk.closing.close_all("window")
    assert (result.closed, result.failed, result.had_rows) == (1, 0, True)
    assert (rig.paper.book[0].action, rig.paper.book[0].quantity) == (Action.BUY, 10)


async def test_only_some_are_closed_and_what_guards_the_others_stays(rig: Rig):
    rig.paper.rows = [
        Position("SBIN", "NSE", Product.MIS, 10, 800.0),
        Position("INFY", "NSE", Product.MIS, 5, 1_500.0),
    ]
    for symbol in ("SBIN", "INFY"):
        away = msgspec.structs.replace(BUY, symbol=symbol)
        await rig.desk.place(away, "window")
    before = len(rig.paper.book)
    result = await rig.desk.closing.close_all(
        "window", cancel_orders=True, only={("NSE", "SBIN", Product.MIS)}
    )
    assert (result.closed, result.failed) == (1, 0)
    assert [row.symbol for row in rig.paper.book[before:]] == ["SBIN"]
    cancelled = {what for name, what in rig.paper.arrived if name == "cancel"}
    symbols = {row.symbol for row in rig.paper.book[:before] if row.order_id in cancelled}
    assert symbols == {"SBIN"}


async def test_updates_carry_mode_and_source(rig: Rig):
    events: list[OrderUpdated] = []
    rig.bus.subscribe(OrderUpdated, events.append)
    await rig.desk.place(BUY, "api:main")
    assert rig.paper.listener is not None
    rig.paper.listener(OrderUpdate("sandbox:1", rig.paper.book[0]))
    assert (events[0].mode, events[0].broker, events[0].order.source) == (
        Mode.SANDBOX,
        "sandbox",
        "api:main",
    )


def test_tags_are_short_alphanumeric_and_unique():
    clock = ManualClock(datetime(2026, 11, 24, 10, 0, tzinfo=IST))
    makers = [TagMaker(clock), TagMaker(clock)]
    tags = [maker.next() for maker in makers for _ in range(2000)]
    assert len(set(tags)) == 4000
    assert all(tag.isalnum() and len(tag) <= 20 for tag in tags)
