"""O: orders, with every price type, product and exchange that the adapter offers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from openalgo_desktop.core.conversion import ConvertRequest
from openalgo_desktop.core.enums import (
    INDEX_EXCHANGES,
    Action,
    Exchange,
    GttType,
    OrderStatus,
    PriceType,
    Product,
)
from openalgo_desktop.core.errors import (
    AppError,
    GttNotFound,
    InvalidOrder,
    NetError,
    NotSupported,
    OrderError,
    OrderStateUnknown,
    RateLimited,
)
from openalgo_desktop.core.gtt import GttRequest
from openalgo_desktop.core.model import Instrument, ModifyRequest, Order, OrderRequest
from openalgo_desktop.core.money import to_tick
from tests.contract.rig import Rig
from tests.waiting import until

_KIND = {Exchange.NSE: "EQ", Exchange.BSE: "EQ"}
_numbers = iter(range(1, 100_000))


def tag() -> str:
    """A fresh own tag."""
    return f"Ocontract{next(_numbers)}"


def tradable(trader: Any) -> Iterator[tuple[Exchange, Instrument]]:
    """One instrument of each exchange that is offered and simulated."""
    for exchange in trader.can.exchanges:
        if exchange in INDEX_EXCHANGES:
            continue
        kind = _KIND.get(exchange, "FUT")
        row = next(
            (
                r
                for r in trader.rows.values()
                if r.exchange == exchange and r.instrument_type == kind
            ),
            None,
        )
        if row is not None:
            yield exchange, row


async def order_of(trader: Any, row: Instrument, kind: PriceType, **more: Any) -> OrderRequest:
    """A resting order of that kind: far from the market on its own side."""
    tick = more.pop("tick", None) or await trader.price(row)
    action = more.pop("action", Action.BUY)
    side = -1 if kind is PriceType.LIMIT else 1  # a stop lies on the other side
    away = to_tick(tick.ltp * (1 + side * action.sign * 0.02), trader.tick_of(row))
    return OrderRequest(
        symbol=row.symbol,
        exchange=row.exchange,
        action=action,
        quantity=more.pop("quantity", row.lot_size),
        price_type=kind,
        product=more.pop("product", Product.MIS),
        price=away if kind.has_price else 0.0,
        trigger_price=away if kind.has_trigger else 0.0,
    )


async def find(trader: Any, order_id: str) -> Order:
    """The order in the book."""
    return next(o for o in await trader.gateway.orders() if o.order_id == order_id)


async def test_o01_each_price_type_product_exchange(trader: Any) -> None:
    done = 0
    for exchange, row in tradable(trader):
        tick = await trader.price(row)
        placed: list[tuple[OrderRequest, str, str]] = []
        for product in trader.can.products[exchange]:
            for kind in trader.can.price_types:
                request = await order_of(trader, row, kind, product=product, tick=tick)
                own = tag()
                ack = await trader.gateway.place(request, own)
                placed.append((request, own, ack.order_id))
        book = {order.order_id: order for order in await trader.gateway.orders()}
        for request, own, order_id in placed:
            order, kind = book[order_id], request.price_type
            assert order.tag == (own if trader.can.tags else "")
            assert (order.symbol, order.exchange) == (row.symbol, row.exchange)
            assert (order.action, order.product) == (request.action, request.product)
            assert order.quantity == request.quantity
            if kind is PriceType.MARKET:
                assert order.status is OrderStatus.COMPLETE
                assert order.average_price > 0
                continue
            assert order.price_type is kind
            waiting = OrderStatus.TRIGGER_PENDING if kind.has_trigger else OrderStatus.OPEN
            assert order.status is waiting, (exchange, kind)
            assert order.price == pytest.approx(request.price)
            assert order.trigger_price == pytest.approx(request.trigger_price)
            await trader.gateway.cancel(order_id)
            done += 1
    assert done >= 9


async def test_o02_modify(trader: Any) -> None:
    row = trader.row("NSE")
    request = await order_of(trader, row, PriceType.LIMIT, quantity=20)
    ack = await trader.gateway.place(request, tag())
    lower = to_tick(request.price * 0.995, row.tick_size)
    await trader.gateway.modify(ModifyRequest(order_id=ack.order_id, price=lower, quantity=15))
    order = await find(trader, ack.order_id)
    assert (order.price, order.quantity) == (pytest.approx(lower), 15)
    assert order.price_type is PriceType.LIMIT


async def test_o03_cancel_and_cancel_twice(trader: Any) -> None:
    request = await order_of(trader, trader.row("NSE"), PriceType.LIMIT)
    ack = await trader.gateway.place(request, tag())
    await trader.gateway.cancel(ack.order_id)
    assert (await find(trader, ack.order_id)).status is OrderStatus.CANCELLED
    with pytest.raises(OrderError) as caught:
        await trader.gateway.cancel(ack.order_id)
    assert not isinstance(caught.value, OrderStateUnknown)


async def test_o04_unknown_order_is_refused(trader: Any) -> None:
    with pytest.raises(AppError) as caught:
        await trader.gateway.cancel("999999999999999")
    assert not isinstance(caught.value, (NetError, OrderStateUnknown))


async def test_o05_what_cannot_be_is_refused_before_it_leaves(rig: Rig) -> None:
    index = rig.row("NSE_INDEX", "INDEX")
    equity = rig.row("NSE")
    before = len(rig.emulator.writes)
    wrong = [
        OrderRequest(index.symbol, "NSE_INDEX", Action.BUY, 1, PriceType.MARKET, Product.MIS),
        OrderRequest(equity.symbol, "NSE", Action.BUY, 1, PriceType.MARKET, Product.NRML),
        OrderRequest(equity.symbol, "NSE", Action.BUY, 1, PriceType.SL, Product.MIS, price=10.0),
        OrderRequest("NOSUCHNAME", "NSE", Action.BUY, 1, PriceType.MARKET, Product.MIS),
    ]
    for request in wrong:
        with pytest.raises(AppError):
            await rig.gateway.place(request, tag())
    assert rig.emulator.writes[before:] == []


async def test_o06_refusal_has_the_broker_s_words(trader: Any) -> None:
    """More than the money allows."""
    row = trader.row("NSE")
    request = await order_of(trader, row, PriceType.LIMIT, quantity=5_000_000)
    try:
        ack = await trader.gateway.place(request, tag())
    except OrderError as error:
        assert not isinstance(error, OrderStateUnknown)
        assert len(error.message) > 10
        return
    order = await find(trader, ack.order_id)
    assert order.status is OrderStatus.REJECTED and order.rejection_reason


@pytest.mark.parametrize("fault", ["lose_acks", "timeout", "gateway_error"])
async def test_o07_a_lost_answer_is_unknown_and_never_sent_again(rig: Rig, fault: str) -> None:
    faults = rig.emulator.faults
    own = tag()
    request = await order_of(rig, rig.row("NSE"), PriceType.LIMIT)
    writes = len(rig.emulator.writes)
    if fault == "lose_acks":
        faults.lose_acks = 1
    elif fault == "timeout":
        faults.hang_acks = 1
        rig.shorten(0.3)
    else:
        faults.status.append(502)
    with pytest.raises(OrderStateUnknown) as caught:
        await rig.gateway.place(request, own)
    assert caught.value.tag == own and not caught.value.retryable
    await asyncio.sleep(0)
    assert len(rig.emulator.writes) == writes + 1
    arrived = [o for o in await rig.gateway.orders() if o.tag == own or not rig.can.tags]
    assert len(arrived) == (0 if fault == "gateway_error" else 1)


async def test_o08_too_many_requests_is_not_unknown(rig: Rig) -> None:
    request = await order_of(rig, rig.row("NSE"), PriceType.LIMIT)
    rig.emulator.faults.status.append(429)
    with pytest.raises(RateLimited) as caught:
        await rig.gateway.place(request, tag())
    assert caught.value.retry_after > 0
    assert await rig.gateway.orders() == []


async def test_o09_cannot_be_reached_is_not_unknown(rig: Rig) -> None:
    """Nothing was sent, and the error says so."""
    request = await order_of(rig, rig.row("NSE"), PriceType.LIMIT)
    rig.account.rest.hosts = dict.fromkeys(rig.account.rest.hosts, "http://127.0.0.1:9")
    with pytest.raises(NetError) as caught:
        await rig.gateway.place(request, tag())
    assert "Nothing was sent" in caught.value.message


async def test_o10_updates_are_pushed(trader: Any) -> None:
    row = trader.row("NSE")
    ack = await trader.gateway.place(
        OrderRequest(row.symbol, "NSE", Action.BUY, 10, PriceType.MARKET, Product.MIS), tag()
    )

    def filled() -> bool:
        mine = [u for u in trader.updates if u.order.order_id == ack.order_id]
        return sum(u.trade.quantity for u in mine if u.trade) == 10

    await until(filled, what="the fill")
    last = [u.order for u in trader.updates if u.order.order_id == ack.order_id][-1]
    assert last.status is OrderStatus.COMPLETE and last.filled_quantity == 10


@pytest.mark.parametrize("fault", ["duplicate_orders", "shuffle_orders"])
async def test_o11_double_and_late_pushes_change_nothing(rig: Rig, fault: str) -> None:
    await until(lambda: bool(rig.emulator.sockets), what="the feed")
    row = rig.row("NSE")
    setattr(rig.emulator.faults, fault, True)
    ids = [
        (
            await rig.gateway.place(
                OrderRequest(row.symbol, "NSE", Action.BUY, 5, PriceType.MARKET, Product.MIS), tag()
            )
        ).order_id
        for _ in range(3)
    ]
    await until(
        lambda: {u.order.order_id for u in rig.updates if u.trade} >= set(ids), what="all fills"
    )
    await rig.gateway.orders()
    for order_id in ids:
        mine = [u for u in rig.updates if u.order.order_id == order_id]
        assert sum(u.trade.quantity for u in mine if u.trade) == 5
        assert mine[-1].order.status is OrderStatus.COMPLETE
        assert len({(u.order.status, u.order.filled_quantity) for u in mine}) == len(mine)


async def test_o12_good_till_triggered(trader: Any) -> None:
    assert trader.gateway.traits.gtt == trader.can.gtt
    if not trader.can.gtt:
        return
    row = trader.row("NSE")
    last = (await trader.price(row)).ltp

    def at(factor: float) -> float:
        return to_tick(last * factor, row.tick_size)

    single = GttRequest(
        trigger_type=GttType.SINGLE,
        symbol=row.symbol,
        exchange="NSE",
        action=Action.BUY,
        quantity=5,
        price=at(0.9),
        trigger_below=at(0.9),
        last_price=last,
    )
    ack = await trader.gateway.gtt_place(single, tag())
    (book,) = await trader.gateway.gtt_orders()
    assert (book.trigger_id, book.symbol, book.quantity) == (ack.order_id, row.symbol, 5)
    assert book.legs[0].trigger_price == pytest.approx(at(0.9))

    oco = GttRequest(
        trigger_type=GttType.OCO,
        symbol=row.symbol,
        exchange="NSE",
        action=Action.BUY,
        quantity=5,
        trigger_below=at(0.9),
        trigger_above=at(1.1),
        stoploss=at(0.89),
        target=at(1.11),
        last_price=last,
    )
    if not trader.can.gtt_oco:
        with pytest.raises(InvalidOrder, match="no OCO"):
            await trader.gateway.gtt_place(oco, tag())
    else:
        two = await trader.gateway.gtt_place(oco, tag())
        pair = next(g for g in await trader.gateway.gtt_orders() if g.trigger_id == two.order_id)
        assert [leg.trigger_price for leg in pair.legs] == [
            pytest.approx(at(0.9)),
            pytest.approx(at(1.1)),
        ]
        await trader.gateway.gtt_cancel(two.order_id)

    moved = msgspec.structs.replace(single, trigger_below=at(0.88), price=at(0.88))
    await trader.gateway.gtt_modify(ack.order_id, moved)
    changed = next(g for g in await trader.gateway.gtt_orders() if g.trigger_id == ack.order_id)
    assert changed.legs[0].trigger_price == pytest.approx(at(0.88))
    await trader.gateway.gtt_cancel(ack.order_id)
    assert await trader.gateway.gtt_orders() == []
    with pytest.raises(AppError) as caught:
        await trader.gateway.gtt_cancel("424242")
    assert isinstance(caught.value, GttNotFound) or not caught.value.retryable


# -- contract sizes -------------------------------------------------------------------------
async def test_o13_one_lot_of_mcx_out_and_back_and_the_profit_of_one_tick(trader: Any) -> None:
    """Our side speaks units, whatever the broker counts."""
    if Exchange.MCX not in trader.can.exchanges:
        return
    row = next(r for r in trader.rows.values() if r.exchange == "MCX" and r.name == "GOLDM")
    assert (row.lot_size, row.contract_value) == (100, pytest.approx(0.1))
    lot = row.lot_size
    resting = await order_of(trader, row, PriceType.LIMIT, quantity=3 * lot, product=Product.NRML)
    ack = await trader.gateway.place(resting, tag())
    assert (await find(trader, ack.order_id)).quantity == 3 * lot
    await trader.gateway.modify(ModifyRequest(order_id=ack.order_id, quantity=2 * lot))
    changed = await find(trader, ack.order_id)
    assert (changed.quantity, changed.pending_quantity) == (2 * lot, 2 * lot)
    await trader.gateway.cancel(ack.order_id)

    market = OrderRequest(row.symbol, "MCX", Action.BUY, lot, PriceType.MARKET, Product.NRML)
    ack = await trader.gateway.place(market, tag())
    order = await find(trader, ack.order_id)
    assert (order.quantity, order.filled_quantity) == (lot, lot)
    trades = [t for t in await trader.gateway.trades() if t.order_id == ack.order_id]
    assert sum(trade.quantity for trade in trades) == lot
    position = next(p for p in await trader.gateway.positions() if p.symbol == row.symbol)
    assert position.quantity == lot
    position.ltp = position.average_price + row.tick_size
    # Ten grams rise by a rupee: a hundred grams by ten.
    assert position.unrealised == pytest.approx(10.0 * row.tick_size)


async def test_o14_what_is_no_whole_contract_does_not_leave(rig: Rig) -> None:
    if Exchange.MCX not in rig.can.exchanges:
        return
    row = next(r for r in rig.rows.values() if r.exchange == "MCX" and r.name == "CRUDEOIL")
    good = await order_of(rig, row, PriceType.LIMIT, product=Product.NRML)
    import msgspec

    if "MCX" not in rig.account.spec.in_contracts:
        await rig.gateway.place(good, tag())
        assert int(rig.emulator.arrived[-1]["quantity"]) == row.lot_size
        return
    with pytest.raises(OrderError, match=f"lot size 100 for {row.symbol}, got 150"):
        await rig.gateway.place(msgspec.structs.replace(good, quantity=150), tag())
    with pytest.raises(OrderError, match="Disclosed quantity must be in multiples of lot size 100"):
        await rig.gateway.place(msgspec.structs.replace(good, disclosed_quantity=50), tag())
    assert rig.emulator.arrived == []
    ack = await rig.gateway.place(good, tag())
    with pytest.raises(OrderError, match="got 199"):
        await rig.gateway.modify(ModifyRequest(order_id=ack.order_id, quantity=199))
    assert [str(body["quantity"]) for body in rig.emulator.arrived] == ["1"]


async def test_o15_a_change_leaves_with_every_field(rig: Rig) -> None:
    """Each field as the wanted order has it, also those that did not change."""
    row = rig.row("NSE")
    request = await order_of(rig, row, PriceType.LIMIT, quantity=20)
    ack = await rig.gateway.place(request, tag())
    trigger = to_tick(request.price * 1.01, row.tick_size)
    await rig.gateway.modify(
        ModifyRequest(ack.order_id, 10, request.price, trigger, PriceType.LIMIT, 5,
                      row.symbol, "NSE", Action.BUY, Product.MIS)
    )  # fmt: skip
    sent = rig.emulator.arrived[-1]
    assert float(sent["quantity"]) == 10
    if "disclosed_quantity" in repr(rig.account.spec.ops["modify"].body):  # not all have it
        assert float(sent["disclosed_quantity"]) == 5
    assert float(sent["price"]) == pytest.approx(request.price)
    assert float(sent["trigger_price"]) == 0  # a limit order has none


async def test_o16_an_emulator_takes_what_it_is_given(rig: Rig) -> None:
    """Our checks are ours: what the adapter passes on must arrive, and not be refused there."""
    row = rig.row("NSE")
    odd = OrderRequest(row.symbol, "NSE", Action.BUY, 7, PriceType.LIMIT, Product.MIS, 0.013)
    ack = await rig.gateway.place(odd, tag())
    assert float(rig.emulator.arrived[-1]["price"]) == 0.013
    order = await find(rig, ack.order_id)
    assert (order.status, order.price, order.quantity) == (OrderStatus.OPEN, 0.013, 7)
    await rig.gateway.modify(ModifyRequest(order_id=ack.order_id, price=0.017))
    assert (await find(rig, ack.order_id)).price == 0.017
    await rig.gateway.cancel(ack.order_id)
    assert (await find(rig, ack.order_id)).status is OrderStatus.CANCELLED


# -- conversions ----------------------------------------------------------------------------
async def bought(trader: Any) -> ConvertRequest:
    """Ten shares in MIS, and the request that makes them delivery."""
    row = trader.row("NSE")
    await trader.gateway.place(
        OrderRequest(row.symbol, "NSE", Action.BUY, 10, PriceType.MARKET, Product.MIS), tag()
    )
    await until(lambda: any(u.trade for u in trader.updates), "the fill")
    return ConvertRequest(row.symbol, "NSE", Action.BUY, 10, Product.MIS, Product.CNC, 10)


async def held(trader: Any, symbol: str) -> dict[Product, int]:
    rows = await trader.gateway.positions()
    return {row.product: row.quantity for row in rows if row.symbol == symbol and row.quantity}


async def test_o17_a_position_becomes_another_product(trader: Any) -> None:
    request = ConvertRequest("X", "NSE", Action.BUY, 10, Product.MIS, Product.CNC, 10)
    assert trader.gateway.traits.converts == trader.can.converts
    if not trader.can.converts:
        with pytest.raises(NotSupported):
            await trader.gateway.convert(request, tag())
        return
    request = await bought(trader)
    own = tag()
    assert (await trader.gateway.convert(request, own)).order_id == own
    assert await held(trader, request.symbol) == {Product.CNC: 10}
    with pytest.raises(OrderError):  # there is nothing left of it
        await trader.gateway.convert(request, tag())
    assert await held(trader, request.symbol) == {Product.CNC: 10}


async def test_o18_a_lost_answer_of_a_conversion_is_unknown(rig: Rig) -> None:
    if not rig.can.converts:
        with pytest.raises(NotSupported):
            await rig.gateway.convert(
                ConvertRequest("X", "NSE", Action.BUY, 10, Product.MIS, Product.CNC, 10), tag()
            )
        assert rig.emulator.writes == []
        return
    request = await bought(rig)
    writes = len(rig.emulator.writes)
    rig.emulator.faults.lose_acks = 1
    with pytest.raises(OrderStateUnknown) as caught:
        await rig.gateway.convert(request, tag())
    assert not caught.value.retryable and len(rig.emulator.writes) == writes + 1
    assert await held(rig, request.symbol) == {Product.CNC: 10}
