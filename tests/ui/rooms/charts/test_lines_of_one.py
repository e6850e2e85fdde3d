"""The lines of a chart ask for what there is of its instrument, and for nothing else."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from openalgo_desktop.core.enums import Action, Mode, PriceType, Product
from openalgo_desktop.core.model import Instrument, Order
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
