"""Prices from outside: what clients read and orders trade at after the market moved, whoever
streams what."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.driver import Program
from tests.e2e.stream import open_stream

LT = {"symbol": "LT", "exchange": "NSE"}
SBIN = {"symbol": "SBIN", "exchange": "NSE"}


@pytest.fixture(scope="module")
def moving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The whole simulated market, ticking, whose prices can be moved, too."""
    folder = tmp_path_factory.mktemp("moving") / "data"
    with Program(folder, "--sim-rate", "2000", "--sim-control") as program:
        yield program


def fill(program: Program, action: str, **symbol: str) -> float:
    """The average price of a MARKET order of 1 share in the paper account."""
    order = {"strategy": "e2e", "pricetype": "MARKET", "product": "MIS", "quantity": 1}
    order_id = program.call("placeorder", action=action, **order, **symbol)["orderid"]
    row = program.call("orderstatus", strategy="e2e", orderid=order_id)["data"]
    assert row["order_status"] == "complete", row
    return float(row["average_price"])


def move(program: Program, price: float, **symbol: str) -> None:
    program.control(prices={f"{symbol['exchange']}:{symbol['symbol']}": price})


def quote(program: Program, **symbol: str) -> dict[str, Any]:
    return dict(program.call("quotes", **symbol)["data"])


def check_book(row: dict[str, Any], price: float) -> None:
    """A book around ``price``, and a day that has seen it."""
    assert row["ltp"] == pytest.approx(price, rel=0.005)
    assert row["bid"] < row["ask"]
    assert row["bid"] == pytest.approx(price, rel=0.005)
    assert row["ask"] == pytest.approx(price, rel=0.005)
    assert row["low"] <= row["ltp"] <= row["high"]


def check_fills(program: Program, price: float, **symbol: str) -> None:
    bought, sold = fill(program, "BUY", **symbol), fill(program, "SELL", **symbol)
    assert bought == pytest.approx(price, rel=0.005)
    assert sold == pytest.approx(price, rel=0.005)


@pytest.mark.parametrize("lower", [(1,), (2,), (1, 2)], ids=["ltp", "quote", "both"])
async def test_a_book_that_no_longer_comes_is_never_traded_on(
    frozen: Program, lower: tuple[int, ...]
) -> None:
    async with open_stream(frozen) as stream:
        await asyncio.to_thread(move, frozen, 800.0, **SBIN)
        await stream.send(action="subscribe", symbols=[SBIN], mode=3)
        frame = await stream.until("market_data")
        assert frame["data"]["depth"]["buy"][0]["price"] < 800.0
        for mode in lower:
            await stream.send(action="subscribe", symbols=[SBIN], mode=mode)
            await stream.until("subscribe")
        await stream.send(action="unsubscribe", symbols=[SBIN], mode=3)
        await stream.until("unsubscribe")
        for price in (830.0, 790.0, 860.0):
            await asyncio.to_thread(move, frozen, price, **SBIN)
            check_book(await asyncio.to_thread(quote, frozen, **SBIN), price)
            await asyncio.to_thread(check_fills, frozen, price, **SBIN)
            while (await stream.until("market_data"))["data"]["ltp"] != price:
                pass


async def test_a_watched_book_is_let_go_while_the_market_lives(moving: Program) -> None:
    """As at a desk: one row selected (Depth), then another (LTP), while prices go on."""
    async with open_stream(moving) as stream:
        await stream.send(action="subscribe", symbols=[LT], mode=3)
        before = (await stream.until("market_data"))["data"]["ltp"]
        await stream.send(action="subscribe", symbols=[LT], mode=1)
        await stream.until("subscribe")
        await stream.send(action="unsubscribe", symbols=[LT], mode=3)
        await stream.until("unsubscribe")
        price = before
        for _ in range(4):
            price = round(price * 1.02, 1)  # far more than the market moves in the meantime
            await asyncio.to_thread(move, moving, price, **LT)
            check_book(await asyncio.to_thread(quote, moving, **LT), price)
            await asyncio.to_thread(check_fills, moving, price, **LT)


@pytest.mark.parametrize("streamed", [None, 1, 2, 3], ids=["unread", "ltp", "quote", "depth"])
async def test_a_moved_price_is_everywhere_when_the_control_answers(
    frozen: Program, streamed: int | None
) -> None:
    async with open_stream(frozen) as stream:
        await asyncio.to_thread(move, frozen, 800.0, **SBIN)
        if streamed is not None:
            await stream.send(action="subscribe", symbols=[SBIN], mode=streamed)
            await stream.until("market_data")
        read = [await asyncio.to_thread(reads_after_a_move, frozen, n) for n in range(40)]
        assert [ltp for row in read for ltp in row] == [
            value for n in range(40) for value in [801.0 + n] * 3
        ]
        await asyncio.to_thread(move, frozen, 800.0, **SBIN)
        assert await asyncio.to_thread(fill, frozen, "BUY", **SBIN) == pytest.approx(800, abs=0.1)
        await asyncio.to_thread(move, frozen, 900.0, **SBIN)
        assert await asyncio.to_thread(fill, frozen, "BUY", **SBIN) == pytest.approx(900, abs=0.1)


def reads_after_a_move(program: Program, number: int) -> list[float]:
    """The new price as three calls give it, each at once after the control's answer."""
    move(program, 801.0 + number, **SBIN)
    one = quote(program, **SBIN)["ltp"]
    many = program.call("multiquotes", symbols=[SBIN])["results"][0]["data"]["ltp"]
    book = program.call("depth", **SBIN)["data"]["ltp"]
    return [one, many, book]


async def test_a_client_has_the_frame_of_a_moved_price_at_once(frozen: Program) -> None:
    async with open_stream(frozen) as stream:
        await stream.send(action="subscribe", symbols=[SBIN], mode=3)
        await stream.until("market_data")
        for price in (811.0, 822.0, 833.0):
            await asyncio.to_thread(move, frozen, price, **SBIN)
            # What was sent before the answer of the control stands before this pong.
            await stream.send(action="ping", _pingId="after")
            seen = []
            while (frame := await stream.frame()).get("_pingId") != "after":
                seen.append(frame["data"])
            assert seen and seen[-1]["ltp"] == price
            assert seen[-1]["depth"]["buy"][0]["price"] == pytest.approx(price, abs=0.1)
            assert seen[-1]["depth"]["sell"][0]["price"] == pytest.approx(price, abs=0.1)


async def test_a_position_is_worth_the_moved_price_at_once(frozen: Program) -> None:
    await asyncio.to_thread(move, frozen, 800.0, **SBIN)
    await asyncio.to_thread(fill, frozen, "BUY", **SBIN)
    for price in (880.0, 790.0):
        await asyncio.to_thread(move, frozen, price, **SBIN)
        rows = (await asyncio.to_thread(frozen.call, "positionbook"))["data"]
        row = next(row for row in rows if row["symbol"] == "SBIN")
        assert float(row["ltp"]) == price
