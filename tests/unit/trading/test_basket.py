"""Sending baskets: the order, the wait for fills, what a failure keeps back, margins."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
import pytest

from openalgo_desktop.core.basket import Basket, LineResult, LineState
from openalgo_desktop.core.enums import Action, Mode, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import (
    AppError,
    InsufficientFunds,
    NotSupported,
    OrderStateUnknown,
)
from openalgo_desktop.core.events import Bus, OrderUpdated
from openalgo_desktop.core.model import Margin, Order, OrderRequest
from openalgo_desktop.trading.basket import BasketMargins, BasketSender
from openalgo_desktop.trading.limits import one_request
from openalgo_desktop.trading.results import Placed


def line(symbol: str, action: Action = Action.BUY) -> OrderRequest:
    return OrderRequest(symbol, "NFO", action, 65, PriceType.LIMIT, Product.NRML, 10.0)


BUY1, BUY2 = line("B1"), line("B2")
SELL1, SELL2 = line("S1", Action.SELL), line("S2", Action.SELL)


class Desk:
    """Takes orders; ``errors`` by symbol; what it takes rests until :meth:`end`."""

    def __init__(self, errors: dict[str, AppError] | None = None, *, fills: bool = True) -> None:
        self.bus = Bus()
        self.errors = errors or {}
        self.fills = fills
        self.sent: list[str] = []
        self.tokens: set[object] = set()
        self.orders: dict[str, Order] = {}
        self.told: list[tuple[int, LineState]] = []

    async def place(self, request: OrderRequest, source: str, mode: Mode | None = None) -> Placed:
        assert (source, mode) == ("window", Mode.SANDBOX)
        self.tokens.add(one_request.get())
        await asyncio.sleep(0)
        self.sent.append(request.symbol)
        if (error := self.errors.get(request.symbol)) is not None:
            raise error
        status = OrderStatus.COMPLETE if self.fills else OrderStatus.OPEN
        self.orders[request.symbol] = Order(
            request.symbol, request.symbol, "NFO", request.action, 65, request.price_type,
            request.product, status=status,
        )  # fmt: skip
        return Placed(request.symbol, Mode.SANDBOX)

    def end(self, symbol: str, status: OrderStatus) -> None:
        order = msgspec.structs.replace(self.orders[symbol], status=status)
        self.orders[symbol] = order
        self.bus.publish(OrderUpdated("a", Mode.SANDBOX, "sandbox", order))

    async def send(self, basket: Basket, fill_wait: float = 5.0) -> list[LineResult]:
        def told(place: int, result: LineResult) -> None:
            self.told.append((place, result.state))

        sender = BasketSender(self, self.bus, self.orders.get, told, fill_wait)
        return await sender.send(basket, "window", Mode.SANDBOX)


def states(results: Sequence[LineResult]) -> list[LineState]:
    return [result.state for result in results]


async def test_buys_first_results_by_line_and_one_request_for_all() -> None:
    desk = Desk()
    results = await desk.send(Basket((SELL1, BUY1, SELL2, BUY2)))
    assert desk.sent == ["B1", "B2", "S1", "S2"]
    assert states(results) == [LineState.SENT] * 4
    assert results[0].order_ids == ("S1",)
    assert len(desk.tokens) == 1 and None not in desk.tokens
    assert one_request.get() is None
    assert desk.told[:2] == [(1, LineState.SENDING), (1, LineState.SENT)]


async def test_a_sell_waits_until_the_buys_are_filled() -> None:
    desk = Desk(fills=False)
    task = asyncio.create_task(desk.send(Basket((SELL1, BUY1, BUY2))))
    for _ in range(20):
        await asyncio.sleep(0)
    assert desk.sent == ["B1", "B2"]
    desk.end("B1", OrderStatus.COMPLETE)
    for _ in range(20):
        await asyncio.sleep(0)
    assert desk.sent == ["B1", "B2"]
    desk.end("B2", OrderStatus.COMPLETE)
    assert states(await task) == [LineState.SENT] * 3
    assert desk.sent == ["B1", "B2", "S1"]


async def test_a_buy_that_does_not_fill_keeps_the_sells_back() -> None:
    desk = Desk(fills=False)
    results = await desk.send(Basket((SELL1, BUY1)), fill_wait=0.01)
    assert states(results) == [LineState.SKIPPED, LineState.SENT]
    assert "B1 was not filled within" in results[0].text
    assert desk.sent == ["B1"]


async def test_a_buy_that_is_rejected_later_keeps_the_sells_back_at_once() -> None:
    desk = Desk(fills=False)
    task = asyncio.create_task(desk.send(Basket((SELL1, BUY1))))
    for _ in range(20):
        await asyncio.sleep(0)
    desk.end("B1", OrderStatus.REJECTED)
    results = await asyncio.wait_for(task, 60)
    assert states(results) == [LineState.SKIPPED, LineState.SENT]
    assert results[0].text == "Not sent: B1 was rejected."


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (InsufficientFunds("no money"), LineState.FAILED),
        (OrderStateUnknown("no answer", tag="t"), LineState.UNKNOWN),
    ],
)
async def test_the_first_failure_stops_the_rest(error: AppError, state: LineState) -> None:
    desk = Desk({"B1": error})
    results = await desk.send(Basket((BUY1, BUY2, SELL1)))
    assert states(results) == [state, LineState.SKIPPED, LineState.SKIPPED]
    assert results[0].text == error.message
    assert results[1].text == "Not sent: B1 failed before it."
    assert desk.sent == ["B1"]  # and an unknown one is not sent twice


async def test_every_line_is_tried_when_asked_for() -> None:
    desk = Desk({"B1": InsufficientFunds("no money")})
    results = await desk.send(Basket((BUY1, BUY2, SELL1), stop=False))
    assert states(results) == [LineState.FAILED, LineState.SENT, LineState.SENT]


async def test_without_waiting_sells_follow_at_once() -> None:
    desk = Desk(fills=False)
    results = await desk.send(Basket((BUY1, SELL1), wait=False))
    assert states(results) == [LineState.SENT] * 2


async def test_an_order_that_ended_unfilled_stops_what_follows() -> None:
    desk = Desk()
    sold_first = Basket((SELL1, BUY1), buys_first=False)

    async def place(request: OrderRequest, source: str, mode: Mode | None = None) -> Placed:
        placed = await Desk.place(desk, request, source, mode)
        desk.end(request.symbol, OrderStatus.REJECTED)
        return placed

    desk.place = place  # type: ignore[method-assign]
    results = await desk.send(sold_first)
    assert states(results) == [LineState.SENT, LineState.SKIPPED]
    assert desk.sent == ["S1"]


class Account:
    """Shorts cost 100, longs 10, a pair 30."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    async def margin(self, legs: Sequence[OrderRequest]) -> Margin:
        self.asked.append([leg.symbol for leg in legs])
        longs = sum(leg.action is Action.BUY for leg in legs)
        shorts = len(legs) - longs
        pairs = min(longs, shorts)
        return Margin(30.0 * pairs + 10.0 * (longs - pairs) + 100.0 * (shorts - pairs))


async def test_margin_of_the_whole_its_benefit_and_the_peak_on_the_way() -> None:
    account, now = Account(), [0.0]
    margins = BasketMargins(account.margin, lambda: now[0])
    first = await margins.of(Basket((SELL1, BUY1)), with_peak=True)
    assert (first.whole, first.alone, first.benefit, first.peak) == (30.0, 110.0, 80.0, 30.0)
    sold_first = Basket((SELL1, BUY1), buys_first=False)
    assert (await margins.of(sold_first, with_peak=True)).peak == 100.0


async def test_lines_that_did_not_change_are_not_asked_again() -> None:
    account, now = Account(), [0.0]
    margins = BasketMargins(account.margin, lambda: now[0])
    basket = Basket((SELL1, BUY1))
    await margins.of(basket, with_peak=False)
    assert account.asked == [["S1", "B1"], ["S1"], ["B1"]]
    account.asked.clear()
    await margins.of(basket, with_peak=False)
    assert account.asked == [["S1", "B1"]]
    now[0] = 31.0
    account.asked.clear()
    await margins.of(basket, with_peak=False)
    assert len(account.asked) == 3
    margins.forget()
    account.asked.clear()
    await margins.of(basket, with_peak=False)
    assert len(account.asked) == 3


async def test_an_account_that_tells_no_margin_is_quoted() -> None:
    async def refuse(legs: Sequence[OrderRequest]) -> Margin:
        raise NotSupported("X does not estimate margins.")

    found = await BasketMargins(refuse, lambda: 0.0).of(Basket((BUY1,)), with_peak=True)
    assert (found.whole, found.benefit, found.note) == (None, None, "X does not estimate margins.")
    assert (await BasketMargins(refuse, lambda: 0.0).of(Basket(), with_peak=True)).note == ""
