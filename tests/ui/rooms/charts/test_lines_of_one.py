"""The lines of a chart ask for what there is of its instrument, and for nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from openalgo_desktop.core.enums import Action, Mode, PriceType, Product
from openalgo_desktop.core.exit_rules import ahead
from openalgo_desktop.core.exits import ExitPlan, ExitSpec, Offset, PlanState, Target
from openalgo_desktop.core.model import Instrument, Order
from openalgo_desktop.ui.rooms.charts import lines as module
from openalgo_desktop.ui.rooms.charts.lines import ChartLines

SBIN = Instrument("SBIN", "NSE", tick_size=0.05)


def test_a_look_costs_what_there_is_of_one_instrument() -> None:
    """Whoever owns plans, alerts, GTTs and positions is asked by instrument: there is no other
    way in here, and each is asked once."""
    asked: list[tuple[str, object]] = []

    def of(name: str, *rows: object) -> Callable[..., list[object]]:
        return lambda key, *_: asked.append((name, key)) or list(rows)  # type: ignore[func-returns-value]

    order = Order("1", "SBIN", "NSE", Action.BUY, 10, PriceType.LIMIT, Product.MIS, 800.0)
    bridge: Any = SimpleNamespace(
        mode=Mode.SANDBOX,
        books=SimpleNamespace(working_of=of("orders", order)),
        watch=SimpleNamespace(of=of("plans")),
        alerts=SimpleNamespace(of=of("alerts")),
        gtts=SimpleNamespace(of=of("gtts")),
    )
    hand: Any = SimpleNamespace(positions=of("positions"))
    lines = ChartLines(bridge, hand, None, None)  # type: ignore[arg-type]
    assert [line.price for line in lines.of(SBIN)] == [800.0]
    assert sorted(asked) == [
        (name, SBIN.key) for name in ("alerts", "gtts", "orders", "plans", "positions")
    ]


async def test_a_target_that_was_changed_elsewhere_is_not_the_one_that_was_meant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A change of targets leaves out those that are done: the others get other numbers."""
    at = datetime(2026, 11, 30, 10)
    three = tuple(Target(Offset.of(price), 30) for price in (810.0, 820.0, 830.0))
    plan = ExitPlan(
        plan_id="p", mode=Mode.SANDBOX, account_id="a", created_at=at, updated_at=at,
        exchange="NSE", symbol="SBIN", product=Product.MIS, side=1, spec=ExitSpec(targets=three),
        held=70, entry=Decimal(800), hit=1, state=PlanState.ACTIVE,
    )  # fmt: skip
    known, sent, tasks = [plan], [], []

    async def send(*what: object) -> None:
        sent.append(what)

    def spawn(work: Coroutine[Any, Any, None], name: str, **_: object) -> None:
        tasks.append(asyncio.ensure_future(work))

    bridge: Any = SimpleNamespace(
        mode=Mode.SANDBOX,
        watch=SimpleNamespace(
            of=lambda key, mode: [known[-1]], find=lambda name, mode: known[-1], change=send,
            delete=send,
        ),
        books=SimpleNamespace(working_of=lambda key: []),
        alerts=SimpleNamespace(of=lambda key: []),
        gtts=SimpleNamespace(of=lambda key: []),
        name=lambda key: "SBIN",
        arm=SimpleNamespace(touch=lambda: None),
    )  # fmt: skip
    hand: Any = SimpleNamespace(
        positions=lambda key: [], armed=False, why_not=lambda *_, **more: ""
    )
    lines = ChartLines(bridge, hand, spawn, None)  # type: ignore[arg-type]
    second, third = (row.line_id for row in lines.of(SBIN))
    # While the question about the second one stands, another window moves the third.
    changed = (*ahead(plan)[:1], Target(Offset.of(840.0), 43))
    other = msgspec.structs.replace(plan, spec=ExitSpec(targets=changed), hit=0)

    async def confirm(*_: object) -> bool:
        known.append(other)
        return True

    monkeypatch.setattr(module, "confirm", confirm)
    lines.close(second, Mode.SANDBOX)
    await asyncio.gather(*tasks)
    assert not lines.move(second, 825.0, Mode.SANDBOX) and sent == []
    now = [row.line_id for row in lines.of(SBIN)]
    assert second not in now and third not in now  # a drag of them has ended
    assert lines.move(now[0], 825.0, Mode.SANDBOX)
    await asyncio.gather(*tasks)
    ((_, spec, _),) = sent
    assert [float(row.at.value) for row in spec.targets] == [825.0, 840.0]
