"""Executions of live accounts are kept, each once, whoever told them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import Action, Mode, OrderStatus, PriceType, Product
from openalgo_desktop.core.events import Bus, OrderNamed, OrderUpdated
from openalgo_desktop.core.model import Order, Position, Trade
from openalgo_desktop.core.trade_journal import Because, Execution
from openalgo_desktop.trading import executions
from openalgo_desktop.trading.executions import ExecutionRecorder
from tests.waiting import until

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=IST)
ACCOUNT = "zerodha:AB1234"


class Store:
    """What was stored, by (order, trade id)."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Execution] = {}

    def add(self, trade_id: str, row: Execution) -> None:
        self.rows[row.order_id, trade_id] = row

    def replace_order(self, rows: Sequence[tuple[str, Execution]]) -> None:
        order_id = rows[0][1].order_id
        self.rows = {key: row for key, row in self.rows.items() if key[0] != order_id}
        for trade_id, row in rows:
            self.add(trade_id, row)

    async def of_day(self, day: date) -> list[Execution]:
        return [row for row in self.rows.values() if row.at.date() == day]


class Rig:
    """A recorder, its store, and a trade book that says what the test says."""

    def __init__(self) -> None:
        self.bus, self.store = Bus(), Store()
        self.since: dict[str, Any] = {}
        self.book: list[Trade] = []
        self.added: list[Execution] = []
        self.corrections = 0
        self.recorder = self._made()

    def _made(self) -> ExecutionRecorder:
        async def trades() -> list[Trade]:
            return self.book

        made = ExecutionRecorder(
            ManualClock(NOW),
            self.bus,
            self.store,
            self.since.__setitem__,
            trades,
            lambda key: 100.0,
        )
        made.on_added = self.added.append
        made.on_changed = self._corrected
        return made

    def _corrected(self) -> None:
        self.corrections += 1

    async def restart(self) -> None:
        await self.recorder.stop()
        self.recorder = self._made()
        await self.recorder.start(self.since)

    def tell(self, filled: int, trade: Trade | None, mode: Mode = Mode.LIVE) -> None:
        order = Order(
            "1", "SBIN", "NSE", Action.BUY, 100, PriceType.MARKET, Product.MIS,
            status=OrderStatus.OPEN, filled_quantity=filled, updated_at=NOW,
        )  # fmt: skip
        self.bus.publish(
            OrderUpdated(account_id=ACCOUNT, mode=mode, broker="x", order=order, trade=trade)
        )

    def units(self) -> int:
        return sum(row.quantity for row in self.store.rows.values())


def trade(number: str, quantity: int, order: str = "1") -> Trade:
    return Trade(
        number, order, "SBIN", "NSE", Action.BUY, Product.MIS, quantity, 800.05, NOW, "gap",
        ACCOUNT,
    )  # fmt: skip


@pytest.fixture
async def rig(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(executions, "ASK_AFTER", 0.0)
    rig = Rig()
    await rig.recorder.start({})
    yield rig
    await rig.recorder.stop()


async def test_a_fill_that_was_told_before_its_name_is_stored_with_it_once(rig: Rig) -> None:
    unnamed = msgspec.structs.replace(trade("a", 40), strategy="")
    rig.tell(40, unnamed)
    order = Order(
        "1", "SBIN", "NSE", Action.BUY, 100, PriceType.MARKET, Product.MIS, strategy="gap"
    )  # fmt: skip
    for mode in (Mode.SANDBOX, Mode.LIVE):
        rig.bus.publish(
            OrderNamed(
                account_id=ACCOUNT, mode=mode, broker="x", order=order, trades=(trade("a", 40),)
            )
        )
    assert [(row.strategy, row.quantity) for row in rig.store.rows.values()] == [("gap", 40)]
    assert (len(rig.added), rig.corrections) == (1, 1)


async def test_a_fill_is_kept_once(rig: Rig) -> None:
    rig.tell(40, trade("a", 40))
    rig.tell(40, trade("a", 40))  # repeated
    rig.tell(40, trade("other name", 40))  # the same fill under another id
    rig.tell(100, trade("b", 60))
    rig.tell(10, trade("s", 10), Mode.SANDBOX)
    assert rig.units() == 100
    assert [row.quantity for row in rig.added] == [40, 60]
    row = rig.added[0]
    assert (row.price, row.multiplier, row.strategy) == (Decimal("800.05"), Decimal(100), "gap")


async def test_a_restart_counts_nothing_twice(rig: Rig) -> None:
    rig.tell(40, trade("a", 40))
    await rig.restart()
    rig.tell(40, trade("a2", 40))
    rig.recorder.begin(Mode.LIVE, ACCOUNT, [trade("a3", 40)], [])
    assert rig.units() == 40


async def test_a_fill_without_its_trade_comes_from_the_trade_book(rig: Rig) -> None:
    rig.book = [trade("x", 70), trade("y", 30), trade("z", 5, "2")]
    rig.tell(100, None)
    await until(lambda: rig.units() == 105, "the trade book")
    assert rig.corrections == 1


async def test_the_trade_book_corrects_what_was_heard_in_part(rig: Rig) -> None:
    rig.tell(40, trade("1-40", 40))
    rig.recorder.begin(Mode.LIVE, ACCOUNT, [trade("x", 70), trade("y", 30)], [])
    assert sorted(key[1] for key in rig.store.rows) == ["x", "y"]
    rig.recorder.begin(Mode.LIVE, ACCOUNT, [trade("x", 70)], [])  # knows less: nothing is lost
    assert rig.units() == 100


async def test_a_new_account_takes_over_what_it_held(rig: Rig) -> None:
    held = Position("NIFTY29DEC26FUT", "NFO", Product.NRML, -75, 24000.0)
    bought = Position("SBIN", "NSE", Product.MIS, 100, 800.0)
    rig.recorder.begin(Mode.LIVE, ACCOUNT, [trade("x", 100)], [held, bought])
    carried = [row for row in rig.store.rows.values() if row.because is Because.CARRIED]
    assert [(r.symbol, r.action, r.quantity, r.price) for r in carried] == [
        ("NIFTY29DEC26FUT", Action.SELL, 75, Decimal("24000.0"))
    ]
    assert rig.recorder.since(ACCOUNT) == NOW.date()
    assert rig.since == {ACCOUNT: "2026-11-24"}
    rig.recorder.begin(Mode.LIVE, ACCOUNT, [], [held])
    assert len(rig.store.rows) == 2
    rig.recorder.begin(Mode.SANDBOX, "sandbox:1", [trade("q", 1, "9")], [])
    assert len(rig.store.rows) == 2


async def test_an_order_id_of_another_day_is_another_order(rig: Rig) -> None:
    rig.tell(100, trade("a", 100))
    tomorrow = msgspec.structs.replace(trade("b", 100), traded_at=NOW + timedelta(days=1))
    rig.tell(100, tomorrow)
    assert rig.units() == 200


async def test_what_an_order_filled_before_its_trade_is_told_is_known_until_it_is(
    rig: Rig,
) -> None:
    """Else a position would be neither held nor under way for a moment, and sent again."""

    def ahead() -> list[tuple[str, int]]:
        return [(order.order_id, units) for order, units in rig.recorder.ahead(ACCOUNT)]

    rig.tell(40, trade("a", 40))
    assert ahead() == []
    rig.tell(70, None)
    assert ahead() == [("1", 30)]
    rig.tell(70, trade("b", 30))
    assert ahead() == []
    rig.tell(100, None)
    rig.book = [trade("a", 40), trade("b", 30), trade("c", 30)]
    await until(lambda: rig.units() == 100)
    assert ahead() == [] == rig.recorder.ahead("another")
    rig.tell(100, None, Mode.SANDBOX)
    assert ahead() == []
