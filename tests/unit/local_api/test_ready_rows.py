"""Rows of books kept ready: encoded once for each state, served in pieces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from pathlib import Path

import httpx
import msgspec
import pytest

from openalgo_desktop.core.clock import IST, api_timestamp
from openalgo_desktop.core.enums import Action, Mode, OrderStatus, PriceType, Product
from openalgo_desktop.core.model import BookRows, Order, OrderRequest
from openalgo_desktop.local_api.handlers import books, shapes
from openalgo_desktop.local_api.ready_rows import ReadyRows
from openalgo_desktop.local_api.table import Pieces
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.runtime.terminal import Terminal

NINE = datetime(2026, 12, 1, 9, 15, 7, 999_999, tzinfo=IST)


def orders(count: int) -> list[Order]:
    return [
        Order(str(n), "SBIN", "NSE", Action.BUY, 5, PriceType.LIMIT, Product.MIS, price=1.05)
        for n in range(count)
    ]


@pytest.fixture
def made() -> list[str]:
    """Ids of the orders that were encoded."""
    return []


@pytest.fixture
def rows(made: list[str]) -> ReadyRows[Order]:
    def counted(order: Order, mode: Mode) -> shapes.OrderRow:
        made.append(order.order_id)
        return shapes.order_row(order, mode)

    return ReadyRows(attrgetter("order_id"), counted)


def told(pieces: list[bytes]) -> object:
    return msgspec.json.decode(b"[" + b"".join(pieces) + b"]")


async def test_a_row_that_is_completed_in_its_place_is_shown_so() -> None:
    """Who placed an order may be learned after it was read, and is filled into the same row."""
    made: list[str] = []

    def counted(order: Order, mode: Mode) -> shapes.OrderRow:
        made.append(order.strategy)
        return shapes.order_row(order, mode)

    rows = ReadyRows[Order](
        attrgetter("order_id"), counted, lambda row: None if row.source else row.strategy
    )
    book = orders(1)
    rows.learn(book[0], Mode.LIVE)
    for _ in range(2):
        assert b"robot" not in b"".join(await rows.encoded(book, Mode.LIVE))
    book[0].source, book[0].strategy = "api:key", "robot"
    for _ in range(2):
        assert b"robot" in b"".join(await rows.encoded(book, Mode.LIVE))
    assert made == ["", "robot"]


async def test_a_row_is_encoded_once_and_again_when_its_order_changed(
    rows: ReadyRows[Order], made: list[str]
) -> None:
    book = orders(3)
    await rows.encoded(book, Mode.SANDBOX)
    copies = [msgspec.structs.replace(order) for order in book]  # as a broker sends them anew
    copies[1] = msgspec.structs.replace(book[1], status=OrderStatus.COMPLETE, filled_quantity=5)
    body = await rows.encoded(copies, Mode.SANDBOX)
    assert made == ["0", "1", "2", "1"]
    wanted = [msgspec.to_builtins(shapes.order_row(order, Mode.SANDBOX)) for order in copies]
    assert told(body) == wanted
    await rows.encoded(copies, Mode.LIVE)  # another shape
    assert made[4:] == ["0", "1", "2"]


async def test_what_was_told_of_an_order_is_ready_before_anybody_asks(
    rows: ReadyRows[Order], made: list[str]
) -> None:
    book = orders(2)
    for order in book:
        rows.learn(order, Mode.SANDBOX)
    made.clear()
    body = await rows.encoded(book, Mode.SANDBOX)
    assert made == []
    assert isinstance(listed := told(body), list)
    assert [row["orderid"] for row in listed] == ["0", "1"]


async def test_others_get_the_loop_while_a_long_book_is_written(rows: ReadyRows[Order]) -> None:
    turns = 0
    parts: list[int] = []

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    def each(part: Sequence[Order]) -> None:
        parts.append(len(part))

    task = asyncio.create_task(other())
    book = orders(5000)
    first = await rows.encoded(book, Mode.SANDBOX, each)
    assert turns >= 5000 // 200 - 1
    assert sum(parts) == 5000
    assert max(parts) == 200
    turns = 0
    later = await rows.encoded(book, Mode.SANDBOX)
    task.cancel()
    assert turns >= 2
    assert told(later) == told(first)
    assert max(map(len, later)) < len(b"".join(later))  # no piece is the whole answer


async def test_newest_first_and_the_later_of_a_moment_before_the_earlier() -> None:
    book = orders(6)
    for number, order in enumerate(book):
        order.placed_at = NINE + timedelta(seconds=number // 2)
    turned = await books._newest_first(book, attrgetter("placed_at"))
    assert [order.order_id for order in turned] == ["5", "4", "3", "2", "1", "0"]
    book[0].placed_at, book[5].placed_at = NINE + timedelta(seconds=9), None
    turned = await books._newest_first(book, attrgetter("placed_at"))
    assert [order.order_id for order in turned] == ["0", "4", "3", "2", "1", "5"]


def test_times_of_books_are_those_of_india() -> None:
    assert api_timestamp(NINE) == "2026-12-01 09:15:07"
    assert api_timestamp(datetime.fromisoformat("2026-11-30T20:00:00+00:00")) == (
        "2026-12-01 01:30:00"
    )


def test_pieces_of_a_list() -> None:
    assert b"".join(Pieces.of(b"[", [b"1", b"2"], b"]")) == b"[1,2]"
    assert b"".join(Pieces.of(b"[", [], b"]")) == b"[]"
    assert Pieces.of(b"[", [b"1", b"2"], b"]").size == 5


def test_a_partial_book_says_so() -> None:
    assert books.partly(BookRows([1])) == {}
    assert books.partly(BookRows([1], ["row 2: NaN"])) == {
        "partial": True,
        "unreadable": ["row 2: NaN"],
    }


@pytest.fixture
async def terminal(tmp_path: Path) -> AsyncIterator[Terminal]:
    overrides = {"api.rest_port": 0, "api.ws_port": 0, "simulator.always_open": True}
    options = TerminalOptions(data_dir=tmp_path, overrides=overrides, sim_frozen=True)
    terminal = Terminal(options)
    await terminal.start()
    yield terminal
    await terminal.stop()


async def test_books_are_ready_before_anybody_asks_and_long_ones_come_whole(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the update of an order and, after a start, in idle time; the whole engine."""
    wanted = OrderRequest(
        "SBIN", "NSE", Action.BUY, 1, PriceType.MARKET, Product.MIS, strategy="one"
    )
    for _ in range(3):
        await terminal.desk.place(wanted, "test")
    assert terminal.api is not None
    services = terminal.api.dispatcher.services
    made: list[str] = []
    make = services.order_rows._make

    def counted(order: Order, mode: Mode) -> shapes.OrderRow:
        made.append(order.order_id)
        return make(order, mode)

    monkeypatch.setattr(services.order_rows, "_make", counted)
    book = await terminal.desk.read.orders()
    assert len(await services.order_rows.encoded(book, Mode.SANDBOX)) == 1
    assert made == []
    services.order_rows.forget()
    await services._warm()
    assert len(made) == 3
    key = await terminal.keys.default()
    assert key is not None
    monkeypatch.setattr("openalgo_desktop.local_api.dispatch._WHOLE", 0)  # in pieces, as long ones
    async with httpx.AsyncClient(base_url=f"{terminal.api.rest_url}/api/v1/") as client:
        for path, rows in (("orderbook", 3), ("tradebook", 3), ("positionbook", 1)):
            answer = await client.post(path, json={"apikey": key.reveal()})
            assert int(answer.headers["Content-Length"]) == len(answer.content)
            assert answer.headers["Content-Type"] == "application/json"
            told = answer.json()
            listed = told["data"]["orders"] if path == "orderbook" else told["data"]
            assert len(listed) == rows
            assert told["mode"] == "analyze"
    assert len(made) == 3
