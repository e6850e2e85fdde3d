"""Order messages in any order: every change is told once, nothing goes backwards."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import msgspec
import pytest

from openalgo_desktop.brokers.kit.books.tracker import OrderTracker
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import Action, OrderStatus, PriceType, Product
from openalgo_desktop.core.model import Order

NOW = datetime(2026, 12, 1, 10, 0, tzinfo=IST)


def order(
    status: OrderStatus, filled: int = 0, average: float = 0.0, second: int = 0, **more: object
) -> Order:
    """A state of one order of ten."""
    row = Order(
        order_id="1",
        symbol="SBIN",
        exchange="NSE",
        action=Action.BUY,
        quantity=10,
        price_type=PriceType.LIMIT,
        product=Product.MIS,
        price=100.0,
        status=status,
        filled_quantity=filled,
        average_price=average,
        updated_at=NOW + timedelta(seconds=second),
        tag="T1",
        account_id="x:1",
    )
    return msgspec.structs.replace(row, **more) if more else row


LIFE = [
    order(OrderStatus.OPEN, second=0),
    order(OrderStatus.OPEN, 4, 100.0, second=1),
    order(OrderStatus.OPEN, 7, 99.0, second=2),
    order(OrderStatus.COMPLETE, 10, 99.3, second=3),
]


def test_fills_follow_from_the_averages() -> None:
    tracker = OrderTracker(ManualClock(NOW))
    updates = [u for state in LIFE for u in tracker.update([state])]
    trades = [u.trade for u in updates if u.trade]
    assert [t.quantity for t in trades] == [4, 3, 3]
    assert [t.price for t in trades] == pytest.approx([100.0, 97.6667, 100.0], abs=1e-3)
    spent = sum(t.quantity * t.price for t in trades)
    assert spent == pytest.approx(10 * 99.3, abs=1e-2)
    assert len({t.trade_id for t in trades}) == 3


@pytest.mark.parametrize("seed", range(30))
def test_any_order_of_arrival_with_repeats(seed: int) -> None:
    rng = random.Random(seed)
    messages = LIFE * 2
    rng.shuffle(messages)
    tracker = OrderTracker(ManualClock(NOW))
    updates = [u for state in messages for u in tracker.update([msgspec.structs.replace(state)])]
    assert sum(u.trade.quantity for u in updates if u.trade) == 10
    assert updates[-1].order.status is OrderStatus.COMPLETE
    filled = [u.order.filled_quantity for u in updates]
    assert filled == sorted(filled)


def test_what_is_over_stays_over() -> None:
    tracker = OrderTracker(ManualClock(NOW))
    tracker.update([order(OrderStatus.CANCELLED, 4, 100.0, second=5)])
    assert tracker.update([order(OrderStatus.OPEN, 4, 100.0, second=6)]) == []
    (late,) = tracker.update([order(OrderStatus.CANCELLED, 6, 100.0, second=5)])
    assert late.trade is not None and late.trade.quantity == 2


def test_an_older_change_is_not_news() -> None:
    tracker = OrderTracker(ManualClock(NOW))
    tracker.update([order(OrderStatus.OPEN, second=9, price=101.0)])
    assert tracker.update([order(OrderStatus.OPEN, second=8, price=100.0)]) == []
    (change,) = tracker.update([order(OrderStatus.OPEN, second=10, price=102.0)])
    assert change.order.price == 102.0


def test_copies_go_out_and_tags_are_kept() -> None:
    tracker = OrderTracker(ManualClock(NOW))
    mine = order(OrderStatus.OPEN)
    (update,) = tracker.update([mine])
    update.order.price = 1.0
    assert tracker.update([order(OrderStatus.OPEN)]) == []
    (filled,) = tracker.update([order(OrderStatus.COMPLETE, 10, 100.0, 1, tag="")])
    assert filled.order.tag == "T1"
    tracker.clear()
    assert len(tracker.update([order(OrderStatus.OPEN)])) == 1
