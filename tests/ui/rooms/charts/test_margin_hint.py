"""What a dragged order needs more or less: asked when the line rests, late answers dropped."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QObject

from openalgo_desktop.core.enums import Action, Mode, PriceType
from openalgo_desktop.core.model import Margin, OrderRequest
from openalgo_desktop.core.preview import OrderPreview
from openalgo_desktop.ui.rooms.charts.margin_hint import MarginHint, words


class Orders:
    def __init__(self) -> None:
        self.asked: list[float] = []

    async def preview(self, requests: Sequence[OrderRequest], mode: Mode) -> OrderPreview:
        (request,) = requests
        self.asked.append(request.price)
        margin = Margin(request.price * request.quantity)
        return OrderPreview(mode=mode, legs=(), margin=margin)


class Chart:
    name = "chart"

    def __init__(self) -> None:
        self.orders = Orders()
        self.bridge: Any = self

    def spawn(self, work: Any, name: str, *, sends: bool = False) -> asyncio.Task[Any]:
        return asyncio.ensure_future(work)


def at(price: float) -> OrderRequest:
    return OrderRequest("SBIN", "NSE", Action.BUY, 10, PriceType.LIMIT, price=price)


async def test_only_where_the_line_rests_the_account_is_asked(qapp: object) -> None:
    chart, told = Chart(), []
    parent = QObject()
    hint = MarginHint(chart, told.append, parent)
    for price in (101.0, 102.0, 103.0):
        hint.show(at(100.0), at(price), Mode.SANDBOX)
    assert chart.orders.asked == []
    hint._timer.stop()
    hint._ask()
    assert hint._task is not None
    await hint._task
    assert sorted(chart.orders.asked) == [100.0, 103.0] and told[-1] == "margin +30.00"


async def test_an_answer_after_the_hand_let_go_is_not_told(qapp: object) -> None:
    chart, told = Chart(), []
    parent = QObject()
    hint = MarginHint(chart, told.append, parent)
    hint.show(at(100.0), at(90.0), Mode.SANDBOX)
    hint._ask()
    task = hint._task
    hint.forget()
    assert task is not None
    await asyncio.gather(task, return_exceptions=True)
    assert told == [""] and not hint._timer.isActive()


def test_words() -> None:
    assert words(0.2) == "same margin" and words(-1500.0) == "margin -1,500.00"
