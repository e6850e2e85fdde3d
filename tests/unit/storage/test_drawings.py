"""Drawings survive the program, written when the hand rests."""

from __future__ import annotations

from pathlib import Path

import pytest

from openalgo_desktop.core.charting.drawings.book import DrawingBook
from openalgo_desktop.core.charting.drawings.model import Anchor, Drawing, Style
from openalgo_desktop.storage import drawings as stored
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.drawings import DrawingRepository
from openalgo_desktop.storage.state import KeyValueStore

KEY = ("NSE", "SBIN")


@pytest.fixture
async def state(tmp_path: Path):
    database = Database(f"sqlite:///{tmp_path / 'test.db'}")
    await database.start()
    yield KeyValueStore(database)
    await database.stop()


TWO = [{"time": 1, "price": 2}, {"time": 3, "price": 4}]


async def book_of(repository: DrawingRepository) -> DrawingBook:
    return DrawingBook(await repository.load(), repository.save, repository.keep_aside)


async def test_drawings_come_back_as_they_were(state):
    repository = DrawingRepository(state)
    book = await book_of(repository)
    row = Drawing("a", "trend", (Anchor(1.5, 2.25), Anchor(3, 4)), Style(colour="#ff0000"), "₹")
    for price in range(20):  # a drag
        moved = row.moved((row.anchors[0], Anchor(3, float(price))))
        book.apply(book.changes(KEY, [("a", moved)]))
    assert await state.all(stored.SCOPE) == {}  # not yet
    await repository.stop()
    again = await book_of(DrawingRepository(state))
    assert again.of(KEY) == (moved,)
    again.apply(again.changes(KEY, [("a", None)]))


async def test_the_last_one_forgets_the_symbol(state, monkeypatch):
    monkeypatch.setattr(stored, "REST", 0.0)
    await state.put(
        stored.SCOPE, "NSE:SBIN", {"drawings": [{"ident": "a", "tool": "trend", "anchors": TWO}]}
    )
    repository = DrawingRepository(state)
    book = await book_of(repository)
    assert len(book.of(KEY)) == 1
    book.apply(book.changes(KEY, [("a", None)]))
    await repository.stop()
    assert await state.all(stored.SCOPE) == {}


async def test_a_damaged_value_costs_one_symbol_and_is_kept(state):
    await state.put(stored.SCOPE, "NSE:SBIN", {"drawings": "x"})
    await state.put(
        stored.SCOPE, "NSE:TCS", {"drawings": [{"ident": "a", "tool": "ray", "anchors": TWO}]}
    )
    repository = DrawingRepository(state)
    book = await book_of(repository)
    assert book.of(KEY) == () and len(book.of(("NSE", "TCS"))) == 1
    await state.put("x", "barrier", 1)
    assert await state.get(stored.ASIDE, "NSE:SBIN") == '{"drawings":"x"}'


async def test_a_drawing_of_another_version_outlives_an_edit_of_its_symbol(state):
    rows = [
        {"ident": "a", "tool": "trend", "anchors": TWO},
        {"ident": "b", "tool": "of-a-later-version", "anchors": TWO},
        {"ident": "c", "tool": "trend", "anchors": []},
    ]
    await state.put(stored.SCOPE, "NSE:SBIN", {"drawings": rows})
    repository = DrawingRepository(state)
    book = await book_of(repository)
    assert [row.ident for row in book.of(KEY)] == ["a"]
    book.apply(book.changes(KEY, [("d", Drawing("d", "ray", (Anchor(1, 2), Anchor(3, 4))))]))
    await repository.stop()
    kept = await state.get(stored.SCOPE, "NSE:SBIN")
    assert {row["ident"] for row in kept["drawings"]} == {"a", "b", "c", "d"}
    again = await book_of(DrawingRepository(state))
    assert [row.ident for row in again.of(KEY)] == ["a", "d"]
