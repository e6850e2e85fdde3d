"""The broker's GTT book: one reader for all docks."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from PySide6.QtCore import QObject

from openalgo_desktop.core.enums import Action, GttType, PriceType, Product
from openalgo_desktop.core.errors import NetError
from openalgo_desktop.core.gtt import Gtt, GttLeg
from openalgo_desktop.ui.engine.gtts import GttBook


class Broker:
    has_gtt = True

    def __init__(self) -> None:
        self.rows: list[Gtt] = []
        self.fails = False
        self.asked = 0

    async def gtts(self) -> list[Gtt]:
        self.asked += 1
        if self.fails:
            raise NetError("no answer")
        return self.rows


def row(name: str) -> Gtt:
    legs = [GttLeg(800.0, True, 799.0)]
    return Gtt(
        name, GttType.SINGLE, "SBIN", "NSE", Action.SELL, 1, Product.CNC, PriceType.LIMIT, legs
    )


async def test_it_is_read_while_somebody_holds_it_and_by_nobody_else(qapp: object) -> None:
    parent, broker = QObject(), Broker()
    tasks: list[asyncio.Task[None]] = []

    def spawn(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        tasks.append(asyncio.ensure_future(work))
        return tasks[-1]

    book = GttBook(broker, spawn, parent)
    told: list[int] = []
    book.changed.connect(lambda: told.append(len(book.rows)))
    broker.rows = [row("1")]
    first, second = book.hold(), book.hold()
    await asyncio.gather(*tasks)
    assert broker.asked == 1 and told == [1]
    assert [found.trigger_id for found in book.of(("NSE", "SBIN"))] == ["1"]
    assert book.of(("NSE", "TCS")) == []
    first()
    first()  # twice does no harm
    assert book._timer.isActive()
    second()
    assert not book._timer.isActive()


async def test_another_account_never_shows_the_rows_of_the_one_before(qapp: object) -> None:
    parent, broker = QObject(), Broker()
    tasks: list[asyncio.Task[None]] = []

    def spawn(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        tasks.append(asyncio.ensure_future(work))
        return tasks[-1]

    book = GttBook(broker, spawn, parent)
    broker.rows = [row("1")]
    book.hold()
    await asyncio.gather(*tasks)
    assert len(book.rows) == 1
    broker.fails = True
    book.forget()
    assert book.rows == ()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert book.rows == () and book.problem == "no answer"


async def test_what_is_read_for_another_account_is_never_shown(qapp: object) -> None:
    parent, broker = QObject(), Broker()
    tasks: list[asyncio.Task[None]] = []

    def spawn(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        tasks.append(asyncio.ensure_future(work))
        return tasks[-1]

    book = GttBook(broker, spawn, parent)
    broker.rows = [row("1")]
    book.hold()()  # the chart that asked is closed before the answer
    book.forget()  # and the account is another
    await asyncio.gather(*tasks, return_exceptions=True)
    assert list(book.rows) == []
