"""The corridor offers what the exchange takes, and keeps stops on their side of the market."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from openalgo_desktop.core.enums import Action, Mode, OrderStatus, PriceType, Product, Validity
from openalgo_desktop.core.errors import InvalidOrder, OrderStateUnknown
from openalgo_desktop.core.events import OrderRefused
from openalgo_desktop.core.model import (
    Instrument,
    Key,
    ModifyRequest,
    Order,
    OrderAck,
    OrderRequest,
)
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.core.traits import Traits
from openalgo_desktop.trading.policies import OrderPolicies
from openalgo_desktop.trading.witness import order_of_entry
from tests.unit.trading.test_desk import Rig

CALL = Instrument("NIFTY29DEC2626000CE", "NFO", instrument_type="CE", lot_size=75)
STOP = OrderRequest("SBIN", "NSE", Action.BUY, 10, PriceType.SLM, trigger_price=795.0)


class Market:
    """One fresh last price, or none (0)."""

    def __init__(self, ltp: float) -> None:
        self.ltp = ltp

    def fresh(self, key: Key, need: int = 0, max_age: float | None = None) -> Tick | None:
        return Tick(key[1], key[0], self.ltp) if self.ltp else None


@pytest.fixture
async def rig():
    rig = Rig()
    rig.lookup.rows[CALL.key] = CALL
    await rig.desk.start()
    yield rig
    await rig.desk.stop()


def market(rig: Rig, ltp: float) -> None:
    """The market stands there."""
    settings = {"trading.market_protection": "needed", "trading.freeze_split": False}
    ticks: Any = Market(ltp)
    rig.desk.policies = OrderPolicies(ticks, settings.__getitem__)


@pytest.mark.parametrize("mode", list(Mode))
async def test_a_stop_on_the_wrong_side_is_refused_in_every_mode(rig: Rig, mode: Mode):
    market(rig, 800.0)
    refused: list[OrderRefused] = []
    rig.bus.subscribe(OrderRefused, refused.append)
    await rig.desk.set_mode(mode, "test")
    with pytest.raises(InvalidOrder, match="BUY stop must be above the last price, 800"):
        await rig.desk.place(STOP, "window")
    assert rig.paper.arrived == rig.live.arrived == []
    assert len(refused) == 1
    await rig.desk.place(msgspec.structs.replace(STOP, trigger_price=805.0), "window")


async def test_without_a_fresh_price_a_stop_goes_on(rig: Rig):
    market(rig, 0.0)
    await rig.desk.place(STOP, "window")
    assert len(rig.paper.arrived) == 1


async def test_clients_keep_the_recorded_behaviour(rig: Rig):
    market(rig, 800.0)
    await rig.desk.place(STOP, "api:key")
    await rig.desk.place(STOP, "webhook:alerts")
    assert len(rig.paper.arrived) == 2


async def test_a_broker_that_takes_such_stops_gets_them(rig: Rig):
    market(rig, 800.0)
    rig.paper.traits = Traits(passed_stops=True)
    await rig.desk.place(STOP, "window")
    assert len(rig.paper.arrived) == 1


async def test_stop_market_orders_on_options_are_refused(rig: Rig):
    market(rig, 0.0)
    order = OrderRequest(
        CALL.symbol, "NFO", Action.SELL, 75, PriceType.SLM, Product.NRML, trigger_price=90.0
    )
    with pytest.raises(InvalidOrder, match="SL-M"):
        await rig.desk.place(order, "window")
    assert rig.paper.arrived == []
    await rig.desk.place(order, "api:key")  # the broker, or its protection, has the say
    assert len(rig.paper.arrived) == 1


def resting(rig: Rig, **changes: Any) -> None:
    """A sell stop at 790 works at the gateway."""
    order = Order(
        "7", "SBIN", "NSE", Action.SELL, 10, PriceType.SLM, Product.MIS, trigger_price=790.0
    )
    order.status = OrderStatus.TRIGGER_PENDING
    rig.paper.book.append(msgspec.structs.replace(order, **changes))


async def test_a_stop_cannot_be_moved_through_the_market(rig: Rig):
    market(rig, 800.0)
    resting(rig)
    with pytest.raises(InvalidOrder, match="SELL stop must be below the last price"):
        await rig.desk.modify(ModifyRequest("7", trigger_price=805.0), "window")
    assert rig.paper.arrived == []
    await rig.desk.modify(ModifyRequest("7", trigger_price=795.0), "window")
    assert rig.paper.arrived == [("modify", "7")]


async def test_another_quantity_is_possible_while_the_market_passes_the_trigger(rig: Rig):
    market(rig, 780.0)
    resting(rig)
    await rig.desk.modify(ModifyRequest("7", quantity=5), "window")
    assert rig.paper.arrived == [("modify", "7")]


IOC = OrderRequest("SBIN", "NSE", Action.BUY, 100, PriceType.LIMIT, price=800.0)
IOC = msgspec.structs.replace(IOC, validity=Validity.IOC)
ICEBERG = msgspec.structs.replace(IOC, validity=Validity.DAY, disclosed_quantity=20)
TERMS = Traits(validities=frozenset(Validity), discloses=True)


async def test_terms_that_the_account_does_not_take_are_refused_before_the_journal(rig: Rig):
    for order in (IOC, ICEBERG):
        with pytest.raises(InvalidOrder, match="sandbox takes no"):
            await rig.desk.place(order, "window")
    assert rig.paper.arrived == [] and not rig.journal.rows
    await rig.desk.place(ICEBERG, "api:key")  # a client's goes through as recorded
    assert len(rig.paper.arrived) == 1


async def test_terms_stand_in_the_journal_and_an_unknown_order_shows_them(rig: Rig):
    rig.paper.traits = TERMS

    def lose() -> None:
        raise OrderStateUnknown("reset", tag="")

    rig.paper.answer = lose
    for order in (IOC, ICEBERG):
        with pytest.raises(OrderStateUnknown):
            await rig.desk.place(order, "window")
    entries = list(rig.journal.rows.values())
    assert [msgspec.convert(entry.request, OrderRequest) for entry in entries] == [IOC, ICEBERG]
    shown = [order_of_entry(entry) for entry in entries]
    assert [(row.validity, row.disclosed_quantity) for row in shown] == [
        (Validity.IOC, 0),
        (Validity.DAY, 20),
    ]
    old = {k: v for k, v in entries[0].request.items() if k != "validity"}  # of an older program
    assert msgspec.convert(old, OrderRequest).validity is Validity.DAY


async def test_a_change_keeps_them_and_what_becomes_a_market_order_discloses_nothing(rig: Rig):
    rig.paper.traits = TERMS
    seen: list[ModifyRequest] = []

    async def modify(request: ModifyRequest) -> OrderAck:
        seen.append(request)
        return OrderAck(request.order_id)

    rig.paper.modify = modify  # type: ignore[method-assign]
    rig.desk.books.book(Mode.SANDBOX).seen(
        [
            Order(
                "7", "SBIN", "NSE", Action.BUY, 100, PriceType.LIMIT, Product.MIS, 800.0,
                disclosed_quantity=20,
            )
        ]
    )  # fmt: skip
    await rig.desk.modify(ModifyRequest("7", price=801.0), "window")
    await rig.desk.modify(ModifyRequest("7", price_type=PriceType.MARKET), "window")
    assert [(one.disclosed_quantity, one.validity) for one in seen] == [
        (20, Validity.DAY),
        (0, Validity.DAY),
    ]
    with pytest.raises(InvalidOrder, match="At least 10 %"):
        await rig.desk.modify(ModifyRequest("7", disclosed_quantity=5), "window")
    assert len(seen) == 2


def test_an_immediate_order_is_waited_for_like_a_market_order() -> None:
    assert IOC.is_prompt and not ICEBERG.is_prompt
    order = Order("7", "SBIN", "NSE", Action.BUY, 100, PriceType.LIMIT, Product.MIS, 800.0)
    assert order.rests and not msgspec.structs.replace(order, validity=Validity.IOC).rests
