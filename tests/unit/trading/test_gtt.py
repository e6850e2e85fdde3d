"""Good-till-triggered orders on their way through the desk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from openalgo_desktop.core.enums import (
    Action,
    GttStatus,
    GttType,
    JournalState,
    Mode,
    PriceType,
    Product,
)
from openalgo_desktop.core.errors import (
    GttNotFound,
    InvalidOrder,
    NotSupported,
    OrderError,
    OrderStateUnknown,
    RiskBlocked,
    SymbolUnknown,
)
from openalgo_desktop.core.gtt import Gtt, GttLeg, GttRequest
from openalgo_desktop.core.model import BookRows, Key, OrderAck
from openalgo_desktop.core.ticks import Part, Tick
from openalgo_desktop.core.traits import Traits
from openalgo_desktop.trading.gtt import GttDesk
from tests.unit.trading.test_desk import Gateway, Lookup, Rig

REQUEST = GttRequest(
    GttType.SINGLE, "SBIN", "NSE", Action.BUY, 5, Product.CNC, price=781.0, trigger_below=780.0
)


class GttAccount(Gateway):
    """A gateway with GTTs in a list; ``fail`` is raised after the request arrived."""

    traits = Traits(gtt=True)

    def __init__(self) -> None:
        super().__init__("sandbox")
        self.triggers: list[Gtt] = []
        self.fail: Exception | None = None
        self.arrives = True  # a change that is asked for is made
        self.requests: list[GttRequest] = []

    async def gtt_place(self, request: GttRequest, tag: str) -> OrderAck:
        self.requests.append(request)
        row = Gtt(
            f"G{len(self.triggers) + 1}",
            request.trigger_type,
            request.symbol,
            request.exchange,
            request.action,
            request.quantity,
            request.product,
            request.price_type,
            [GttLeg(request.trigger_below, True, request.price)],
            tag=tag,
        )
        self.triggers.append(row)
        if self.fail is not None:
            raise self.fail
        return OrderAck(row.trigger_id)

    async def gtt_modify(self, trigger_id: str, request: GttRequest) -> OrderAck:
        self.requests.append(request)
        if self.arrives:
            self.triggers = [
                msgspec.structs.replace(
                    row,
                    quantity=request.quantity,
                    legs=[GttLeg(request.trigger_below, True, request.price)],
                )
                for row in self.triggers
            ]
        if self.fail is not None:
            raise self.fail
        return OrderAck(trigger_id)

    async def gtt_cancel(self, trigger_id: str) -> OrderAck:
        self.triggers = [row for row in self.triggers if row.trigger_id != trigger_id]
        if self.fail is not None:
            raise self.fail
        return OrderAck(trigger_id)

    async def gtt_orders(self) -> BookRows[Gtt]:
        return BookRows(self.triggers)


class Ticks:
    async def snapshot(self, key: Key, need: int = Part.QUOTE) -> Tick:
        return Tick(key[1], key[0], 800.0)


class World(Rig):
    def __init__(self) -> None:
        super().__init__()
        self.account = GttAccount()
        self.desk.set_gateway(Mode.SANDBOX, self.account)  # type: ignore[arg-type]
        self.gtt = GttDesk(self.desk, Lookup(), Ticks())  # type: ignore[arg-type]

    def entry(self) -> Any:
        return list(self.journal.rows.values())[-1]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    await world.desk.start()
    yield world
    await world.desk.stop()


async def test_placement_is_journaled_and_carries_the_price_of_now(world: World) -> None:
    placed = await world.gtt.place(REQUEST, "test")
    assert (placed.order_id, placed.mode) == ("G1", Mode.SANDBOX)
    assert world.account.requests[0].last_price == 800.0
    assert (world.entry().kind, world.entry().source) == ("gtt_place", "test")


@pytest.mark.parametrize(
    "meanwhile",
    [
        {"quantity": 7},
        {"legs": [GttLeg(775.0, True, 776.0)]},
        {"legs": [GttLeg(780.0, True, 781.0, GttStatus.TRIGGERED)]},
        {"product": Product.NRML},
    ],
)
async def test_a_change_of_what_is_another_order_by_now_sends_nothing(
    world: World, meanwhile: dict[str, Any]
) -> None:
    """A dragged line sends quantity and the other trigger again, from a book some seconds old."""
    await world.gtt.place(REQUEST, "test")
    (row,) = world.account.triggers
    seen = msgspec.structs.replace(row, legs=list(row.legs), last_price=1.0, message="other words")
    change = msgspec.structs.replace(REQUEST, trigger_below=779.0)
    await world.gtt.modify("G1", change, "test", seen=seen)
    assert len(world.account.requests) == 2
    world.account.triggers = [msgspec.structs.replace(row, **meanwhile)]
    with pytest.raises(OrderError, match="since you saw it"):
        await world.gtt.modify("G1", change, "test", seen=seen)
    assert len(world.account.requests) == 2


async def test_checks_of_any_order_hold(world: World) -> None:
    with pytest.raises(SymbolUnknown):
        await world.gtt.place(msgspec.structs.replace(REQUEST, symbol="NOPE"), "test")
    with pytest.raises(InvalidOrder, match="NRML product"):
        await world.gtt.place(msgspec.structs.replace(REQUEST, product=Product.NRML), "test")
    world.desk.risk.block("stop")
    with pytest.raises(RiskBlocked):
        await world.gtt.place(REQUEST, "test")
    assert world.account.triggers == []


@pytest.mark.parametrize(
    "change",
    [
        {"exchange": "BSE"},
        {"action": Action.SELL},
        {"trigger_type": GttType.OCO, "trigger_above": 900.0, "stoploss": 1.0, "target": 2.0},
        {"symbol": "TCS"},
    ],
)
async def test_what_cannot_change(world: World, change: dict[str, Any]) -> None:
    await world.gtt.place(REQUEST, "test")
    with pytest.raises(InvalidOrder, match="cannot be changed on an existing GTT"):
        await world.gtt.modify("G1", msgspec.structs.replace(REQUEST, **change), "test")


@pytest.mark.parametrize("symbol", ["", "sbin", "SBIN"])
async def test_an_empty_symbol_is_unchanged_and_case_does_not_count(
    world: World, symbol: str
) -> None:
    await world.gtt.place(REQUEST, "test")
    changed = msgspec.structs.replace(REQUEST, symbol=symbol, quantity=6)
    assert (await world.gtt.modify("G1", changed, "test")).order_id == "G1"
    assert (world.account.requests[-1].symbol, world.account.requests[-1].quantity) == ("SBIN", 6)


async def test_unknown_trigger(world: World) -> None:
    with pytest.raises(GttNotFound):
        await world.gtt.cancel("G9", "test")
    with pytest.raises(GttNotFound):
        await world.gtt.modify("G9", REQUEST, "test")


async def test_an_account_without_them_says_so(world: World) -> None:
    await world.desk.set_mode(Mode.LIVE, "test")
    with pytest.raises(NotSupported):
        await world.gtt.place(REQUEST, "test")
    with pytest.raises(NotSupported):
        await world.gtt.book()


async def test_lost_answer_is_settled_from_the_gtt_book(world: World) -> None:
    world.account.fail = OrderStateUnknown("lost", tag="")
    with pytest.raises(OrderStateUnknown):
        await world.gtt.place(REQUEST, "test")
    tag = world.entry().tag
    await world.desk.reconciler.run_once()
    row = world.journal.rows[tag]
    assert (row.state, row.order_id) == (JournalState.ACKNOWLEDGED, "G1")
    with pytest.raises(OrderStateUnknown):
        await world.gtt.cancel("G1", "test")
    tag = world.entry().tag
    await world.desk.reconciler.run_once()
    assert world.journal.rows[tag].state is JournalState.ACKNOWLEDGED


@pytest.mark.parametrize("kind", ["placement", "cancellation"])
async def test_a_gtt_book_with_unreadable_rows_proves_no_absence(
    world: World, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row that is missing may be the one that could not be read."""
    await world.gtt.place(REQUEST, "test")
    unreadable = ["row 2: quantity 'NaN'"]

    async def book() -> BookRows[Gtt]:
        return BookRows([], unreadable)

    monkeypatch.setattr(world.account, "gtt_orders", book)
    world.account.fail = OrderStateUnknown("lost", tag="")
    with pytest.raises(OrderStateUnknown):
        if kind == "placement":
            await world.gtt.place(REQUEST, "test")
        else:
            await world.desk.send(
                "gtt_cancel", REQUEST, "test", lambda gateway, tag: gateway.gtt_cancel("G1"), "G1"
            )
    tag = world.entry().tag
    world.clock.advance(120)
    await world.desk.reconciler.run_once()
    assert world.journal.rows[tag].state is JournalState.UNKNOWN
    unreadable = []
    await world.desk.reconciler.run_once()
    assert world.journal.rows[tag].state is (
        JournalState.REJECTED if kind == "placement" else JournalState.ACKNOWLEDGED
    )


async def test_a_switch_of_the_mode_in_between_stops_it(world: World) -> None:
    with pytest.raises(OrderError, match="mode was switched"):
        await world.gtt.place(REQUEST, "test", Mode.LIVE)
    assert world.account.triggers == []
    market = msgspec.structs.replace(REQUEST, price_type=PriceType.MARKET, price=0.0)
    assert (await world.gtt.place(market, "test", Mode.SANDBOX)).order_id == "G1"


# -- changing one -----------------------------------------------------------------------------
MOVED = msgspec.structs.replace(REQUEST, quantity=7, trigger_below=770.0, price=771.0)


async def test_a_change_is_journaled_complete_and_carries_the_price_of_now(world: World) -> None:
    await world.gtt.place(REQUEST, "test")
    placed = await world.gtt.modify("G1", MOVED, "test")
    assert (placed.order_id, placed.mode) == ("G1", Mode.SANDBOX)
    assert world.account.requests[-1] == msgspec.structs.replace(MOVED, last_price=800.0)
    entry = world.entry()
    assert (entry.kind, entry.order_id, entry.state) == (
        *("gtt_modify", "G1"),
        JournalState.ACKNOWLEDGED,
    )
    assert (entry.request["quantity"], entry.request["trigger_below"]) == (7, 770.0)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"price": 771.03}, "tick"),
        ({"trigger_below": 770.03}, "tick"),
        ({"quantity": 0}, "quantity"),
        ({"product": Product.NRML}, "NRML product"),
        ({"trigger_below": 0.0}, "trigger"),
    ],
)
async def test_a_change_is_checked_like_a_new_one(
    world: World, change: dict[str, Any], reason: str
) -> None:
    await world.gtt.place(REQUEST, "test")
    with pytest.raises(InvalidOrder, match=reason):
        await world.gtt.modify("G1", msgspec.structs.replace(MOVED, **change), "test")
    assert len(world.account.requests) == 1  # only the placement ever left
    assert [row.kind for row in world.journal.rows.values()] == ["gtt_place"]


async def test_the_kill_switch_and_the_action_centre_hold_a_change(world: World) -> None:
    await world.gtt.place(REQUEST, "test")

    async def refuse(order: Any, source: str) -> None:
        raise RiskBlocked("needs approval")

    world.desk.approval = refuse
    with pytest.raises(RiskBlocked, match="needs approval"):
        await world.gtt.modify("G1", MOVED, "test")
    world.desk.approval = None
    world.desk.risk.block("stop")
    with pytest.raises(RiskBlocked):
        await world.gtt.modify("G1", MOVED, "test")
    assert len(world.account.requests) == 1


@pytest.mark.parametrize("arrives", [True, False])
async def test_a_change_whose_answer_was_lost_is_told_by_the_values_of_the_book(
    world: World, arrives: bool
) -> None:
    await world.gtt.place(REQUEST, "test")
    world.account.fail, world.account.arrives = OrderStateUnknown("lost", tag=""), arrives
    with pytest.raises(OrderStateUnknown):
        await world.gtt.modify("G1", MOVED, "test")
    tag = world.entry().tag
    await world.desk.reconciler.run_once()
    state = world.journal.rows[tag].state
    assert state is (JournalState.ACKNOWLEDGED if arrives else JournalState.UNKNOWN)
    world.clock.advance(120)
    await world.desk.reconciler.run_once()
    assert world.journal.rows[tag].state is (
        JournalState.ACKNOWLEDGED if arrives else JournalState.REJECTED
    )
    assert arrives or "no effect" in world.notices[-1].text
