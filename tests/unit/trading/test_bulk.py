"""Baskets, splits and smart orders."""

from __future__ import annotations

import asyncio

import pytest

from openalgo_desktop.core.enums import Action, Mode
from openalgo_desktop.core.errors import InsufficientFunds, InvalidOrder
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.trading.bulk import place_basket, place_split, split_sizes
from openalgo_desktop.trading.results import Placed


def order(symbol: str, action: Action, quantity: int = 1) -> OrderRequest:
    return OrderRequest(symbol, "NSE", action, quantity)


async def test_no_sell_is_sent_before_every_buy_was_answered() -> None:
    under_way = 0
    most = 0
    log: list[str] = []

    async def place(request: OrderRequest) -> Placed:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.01)
        under_way -= 1
        log.append(request.symbol)
        if request.symbol == "B2":
            raise InsufficientFunds("no money")
        return Placed(request.symbol, Mode.LIVE)

    requests = [order("S1", Action.SELL)] + [order(f"B{n}", Action.BUY) for n in range(4)]
    children = await place_basket(place, requests, at_once=3)
    assert most == 3
    assert log[-1] == "S1"
    assert [child.request.symbol for child in children] == ["B0", "B1", "B2", "B3", "S1"]
    assert isinstance(children[2].outcome, InsufficientFunds)
    assert children[4].outcome == Placed("S1", Mode.LIVE)


@pytest.mark.parametrize(
    ("quantity", "size", "parts"),
    [(25, 10, [10, 10, 5]), (20, 10, [10, 10]), (5, 10, [5]), (1000, 10, [10] * 100)],
)
def test_split_sizes(quantity: int, size: int, parts: list[int]) -> None:
    assert split_sizes(quantity, size) == parts


def test_a_fraction_is_split_too() -> None:
    assert split_sizes(2.5, 1) == [1, 1, 0.5]  # type: ignore[arg-type]  # CRYPTO
    assert split_sizes(0.5, 1) == [0.5]  # type: ignore[arg-type]


def test_too_many_parts() -> None:
    with pytest.raises(InvalidOrder, match="maximum limit of 100"):
        split_sizes(1001, 10)


async def test_parts_go_one_after_the_other() -> None:
    sent: list[int] = []

    async def place(request: OrderRequest) -> Placed:
        sent.append(request.quantity)
        return Placed(str(len(sent)), Mode.SANDBOX)

    children = await place_split(place, order("SBIN", Action.BUY, 7), 3, 0.0)
    assert sent == [3, 3, 1]
    assert [child.outcome for child in children] == [
        Placed(str(n), Mode.SANDBOX) for n in (1, 2, 3)
    ]
