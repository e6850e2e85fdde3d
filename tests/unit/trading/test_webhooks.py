"""Webhook strategies: the order that an alert means, and the hours in which it may."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Action
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.trading.webhooks import (
    SymbolMap,
    WebhookKind,
    WebhookMode,
    WebhookRefused,
    WebhookStore,
    WebhookStrategy,
    check,
    hours_of,
    scan_orders,
    strategy_order,
)

CALENDAR = MarketCalendar.from_json(resource_text("calendar/holidays.json"))


def at(hour: int, minute: int = 0, day: int = 25) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=IST)


NOON = at(12)


def strategy(**changes: Any) -> WebhookStrategy:
    values: dict[str, Any] = {
        "webhook_id": "id",
        "name": "alerts",
        "symbols": (SymbolMap("SBIN", "NSE", 7), SymbolMap("TCS", "NSE", 2)),
    }
    return WebhookStrategy(**(values | changes))


@pytest.mark.parametrize(
    ("mode", "action", "size", "quantity", "target"),
    [
        (WebhookMode.LONG, "BUY", None, 7, None),
        (WebhookMode.LONG, "BUY", 3, 3, None),
        (WebhookMode.LONG, "BUY", 0, 7, None),
        (WebhookMode.LONG, "SELL", 5, 0, 0),
        (WebhookMode.SHORT, "SELL", -4, 4, None),
        (WebhookMode.SHORT, "BUY", None, 0, 0),
        (WebhookMode.BOTH, "BUY", 10, 7, 10),
        (WebhookMode.BOTH, "SELL", -10, 7, -10),
        (WebhookMode.BOTH, "SELL", 0, 0, 0),
    ],
)
def test_modes(
    mode: WebhookMode, action: str, size: int | None, quantity: int, target: int | None
) -> None:
    order = strategy_order(strategy(mode=mode), "SBIN", action, size, NOON, CALENDAR)
    assert order.request.action is Action(action)
    assert (order.request.quantity, order.target) == (quantity, target)
    assert order.request.strategy == "alerts"


@pytest.mark.parametrize(
    ("now", "action", "text"),
    [
        (at(9, 0), "BUY", "Entry orders not allowed before start time"),
        (at(15, 5), "BUY", "Entry orders not allowed after end time"),
        (at(9, 0), "SELL", "Exit orders not allowed before start time"),
    ],
)
def test_hours_of_an_intraday_strategy(now: datetime, action: str, text: str) -> None:
    with pytest.raises(WebhookRefused, match=text):
        strategy_order(strategy(), "SBIN", action, None, now, CALENDAR)
    assert strategy_order(
        strategy(intraday=False), "SBIN", action, None, now, CALENDAR
    ).request.symbol


@pytest.mark.parametrize("mode", WebhookMode)
@pytest.mark.parametrize("now", [at(15, 5), at(15, 20), at(15, 29)])
def test_an_exit_is_never_late(mode: WebhookMode, now: datetime) -> None:
    action = "BUY" if mode is WebhookMode.SHORT else "SELL"
    order = strategy_order(strategy(mode=mode), "SBIN", action, 0, now, CALENDAR)
    assert order.target == 0


@pytest.mark.parametrize("scan", ["sell it", "cover it"])
def test_an_exit_by_a_scan_is_never_late(scan: str) -> None:
    chartink = strategy(kind=WebhookKind.CHARTINK)
    assert scan_orders(chartink, scan, ["TCS"], at(15, 25), CALENDAR)[0].target == 0
    for late, text in ((at(15, 25), "squareoff"), (at(15, 5), "end time")):
        with pytest.raises(WebhookRefused, match=text):
            scan_orders(chartink, "buy it", ["TCS"], late, CALENDAR)


def test_hours_follow_the_session_of_the_day() -> None:
    """8 November 2026 is a Sunday with an hour of Muhurat trading from 18:00."""
    opening, close = CALENDAR.session("NSE", at(0, day=8).date()) or (None, None)
    assert opening is not None and close is not None
    hours = hours_of(strategy(start="09:20"), "NSE", opening.date(), CALENDAR)
    assert (hours.start - opening, close - hours.end, close - hours.square_off) == (
        timedelta(minutes=5),
        timedelta(minutes=30),
        timedelta(minutes=15),
    )
    with pytest.raises(WebhookRefused, match="before start"):
        strategy_order(strategy(), "SBIN", "BUY", None, at(12, day=8), CALENDAR)
    inside = opening + timedelta(minutes=10)
    assert strategy_order(strategy(), "SBIN", "BUY", None, inside, CALENDAR).request.quantity == 7


def test_both_needs_a_size() -> None:
    with pytest.raises(WebhookRefused, match="position_size"):
        strategy_order(strategy(mode=WebhookMode.BOTH), "SBIN", "BUY", None, NOON, CALENDAR)


@pytest.mark.parametrize(
    ("scan", "action", "target"),
    [
        ("Breakout BUY", Action.BUY, None),
        ("sell on weakness", Action.SELL, 0),
        ("SHORT it", Action.SELL, None),
        ("cover now", Action.BUY, 0),
    ],
)
def test_scan_words(scan: str, action: Action, target: int | None) -> None:
    orders = scan_orders(
        strategy(kind=WebhookKind.CHARTINK), scan, ["TCS", "NOPE", "SBIN"], NOON, CALENDAR
    )
    assert [order.request.symbol for order in orders] == ["TCS", "SBIN"]
    assert {order.request.action for order in orders} == {action}
    assert {order.target for order in orders} == {target}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"name": "right\u202eleft"}, "name"),
        ({"start": "9 o'clock"}, "start"),
        ({"start": "0915"}, "start"),
        ({"start": "09:15Z"}, "start"),
        ({"end": "T15:00", "square_off": "T15:15"}, "end"),
        ({"square_off": "15:15+05:30"}, "square_off"),
        ({"end": "09:00"}, "end"),
        ({"square_off": "14:00"}, "end"),
        ({"symbols": (SymbolMap("SBIN", "NSE", 0),)}, "quantity"),
    ],
)
def test_a_strategy_that_cannot_work_names_the_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ConfigError, match=f"^{field}:"):
        check(strategy(**changes))


async def test_store_keeps_everything() -> None:
    values: dict[tuple[str, str], Any] = {}

    class State:
        async def all(self, scope: str) -> dict[str, Any]:
            return {key: value for (s, key), value in values.items() if s == scope}

        async def get(self, scope: str, key: str) -> Any:
            return values.get((scope, key))

        async def put(self, scope: str, key: str, value: Any) -> None:
            values[scope, key] = value

        async def delete(self, scope: str, key: str) -> None:
            values.pop((scope, key), None)

    store = WebhookStore(State())
    kept = strategy(mode=WebhookMode.BOTH, kind=WebhookKind.CHARTINK)
    await store.save(kept)
    assert await store.get("id") == kept
    assert await store.all() == [kept]
    await store.delete("id")
    assert await store.get("id") is None
    assert store.new_id() != store.new_id()
