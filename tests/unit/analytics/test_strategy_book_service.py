"""The strategy book of a running program: what happens is counted, and a restart finds it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal as D
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from openalgo_desktop.analytics.execution_source import ExecutionSource
from openalgo_desktop.analytics.strategy_book import service
from openalgo_desktop.analytics.strategy_book.service import StrategyBook
from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import Action, Mode, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import StorageError
from openalgo_desktop.core.events import Bus, OrderNamed, StrategyBookChanged
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Order, OrderRequest, Trade
from openalgo_desktop.core.ports import JournalEntry
from openalgo_desktop.core.trade_journal import Execution
from openalgo_desktop.exchange.charges import ChargeTable
from openalgo_desktop.runtime import start_strategy_book
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.runtime.terminal import Terminal
from tests.unit.analytics.test_strategy_book import row
from tests.waiting import until

MIS = ("NSE", "SBIN", Product.MIS)


async def started(folder: Path) -> Terminal:
    overrides = {"api.enabled": False, "simulator.always_open": True}
    terminal = Terminal(TerminalOptions(data_dir=folder, overrides=overrides, sim_frozen=True))
    await terminal.start()
    await until(lambda: terminal.strategy_book.ready)
    return terminal


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start_strategy_book, "READ_AFTER", 0.0)


async def trade(terminal: Terminal, mode: Mode, units: int, strategy: str) -> None:
    action = Action.BUY if units > 0 else Action.SELL
    request = OrderRequest("SBIN", "NSE", action, abs(units), strategy=strategy)
    placed = await terminal.desk.bound(mode).place(request, f"api:{strategy}")
    book = terminal.desk.books.book(mode)
    await until(lambda: book.orders[placed.order_id].status is OrderStatus.COMPLETE)


def told(terminal: Terminal, mode: Mode) -> dict[str, Any]:
    """What the book says without the price of now."""
    book, found = terminal.strategy_book, {}
    for name in book.strategies(mode):
        summary = book.summary(name, mode)
        assert summary is not None
        held = [(one.quantity, one.average, one.since) for one in book.positions(name, mode)]
        found[name] = (summary.realised, summary.charges, summary.fills, held)
        assert [day.fills for day in book.curve(name, mode)] == [summary.fills]
    return found


def open_of(terminal: Terminal, mode: Mode) -> D | None:
    summary = terminal.strategy_book.summary("ema", mode)
    return summary.open if summary is not None else None


@pytest.mark.parametrize("mode", Mode)
async def test_fills_of_a_mode_are_counted_and_found_again_after_a_restart(
    tmp_path: Path, mode: Mode
):
    terminal = await started(tmp_path)
    events: list[StrategyBookChanged] = []
    terminal.bus.subscribe(StrategyBookChanged, events.append)
    for units, name in ((5, "ema"), (-2, "ema"), (4, "two"), (1, "")):
        await trade(terminal, mode, units, name)
    book = terminal.strategy_book
    await until(lambda: book.strategies(mode) == ["ema", "two"])
    await until(lambda: {name for event in events for name in event.names} >= {"ema", "two"})
    assert len(events) <= 3 and {event.mode for event in events} == {mode}
    summary = book.summary("ema", mode)
    assert summary is not None
    assert (summary.fills, summary.positions, summary.charges > 0) == (2, 1, True)
    await until(lambda: open_of(terminal, mode) is not None)  # what is held is streamed
    net, gain = book.summary("ema", mode), open_of(terminal, mode)
    assert net is not None and gain is not None
    assert net.net == net.realised - net.charges + gain
    assert book.units(mode, "ema") == {MIS: 3}
    assert book.summary("none", mode) is None
    assert [order.quantity for order in book.orders("ema", mode)] == [5, 2]
    assert [one.quantity for one in await book.trades("ema", mode)] == [5, 2]
    other = Mode.LIVE if mode is Mode.SANDBOX else Mode.SANDBOX
    assert book.strategies(other) == []
    before = told(terminal, mode)
    await terminal.stop()

    terminal = await started(tmp_path)
    assert told(terminal, mode) == before
    await trade(terminal, mode, -3, "ema")
    await until(lambda: terminal.strategy_book.units(mode, "ema") == {})
    await terminal.desk.bound(mode).closing.close_all("window")
    await until(lambda: terminal.strategy_book.units(mode, "two") == {})
    summary = terminal.strategy_book.summary("two", mode)
    assert summary is not None and (summary.positions, summary.fills) == (0, 2)
    await terminal.stop()


# -- without the rest of the program ---------------------------------------------------------
class World:
    """Executions and the order journal in memory; one live account ``a``."""

    def __init__(self, after: float = 0.0) -> None:
        self.clock = ManualClock(datetime(2026, 11, 23, 15, 0, tzinfo=IST))
        self.bus = Bus()
        self.rows: list[Execution] = []
        self.entries: list[JournalEntry] = []
        self.read = 0
        self.followed: set[Any] = set()
        self.account_id = "sandbox:a"
        paper: Any = self
        around: Any = self
        live: Any = SimpleNamespace(all=self.all)
        self.live = live
        instruments = InstrumentTable()
        self.book = StrategyBook(
            self.clock,
            self.bus,
            ExecutionSource(self.clock, paper, instruments),
            paper,
            live,
            self,
            ChargeTable(resource_text("charges/rates.json")),
            lambda: "discount",
            around,
            after,
        )

    async def all(self) -> list[Execution]:
        self.read += 1
        return list(self.rows)

    async def of_orders(
        self, account_id: str, order_ids: Sequence[str], tags: Sequence[str]
    ) -> list[JournalEntry]:
        return [entry for entry in self.entries if entry.order_id in order_ids]

    def all_trades(self) -> list[Trade]:
        return []

    def results(self) -> list[Any]:
        return []

    def account_of(self, mode: Mode) -> str:
        return "a" if mode is Mode.LIVE else self.account_id

    def price(self, mode: Mode, key: Any, product: Product) -> D | None:
        return None

    def orders(self, mode: Mode) -> list[Order]:
        return []

    def follow(self, keys: Any) -> None:
        self.followed = set(keys)

    async def start(self) -> StrategyBook:
        self.book.start()
        await until(lambda: self.book.ready)
        return self.book


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    await made.book.stop()


def fill(number: int, units: int, name: str = "ema", **fields: Any) -> Execution:
    return row(units, 100, name, **({"order_id": f"{number}", "trade_id": f"T{number}"} | fields))


async def test_a_fill_that_was_stored_without_its_name_is_named_by_the_order_journal(world: World):
    """The program ended before the answer to the placement came."""
    world.rows = [fill(1, 5, "")]
    request = {"strategy": "ema"}
    at = world.clock.now()
    world.entries = [JournalEntry("t", "place", "a", Mode.LIVE, "api:x", request, at, order_id="1")]
    book = await world.start()
    assert book.units(Mode.LIVE, "ema") == {("NSE", "SBIN", Product.NRML): 5}


async def test_who_asks_soon_after_the_start_has_it_read_now():
    world = World(3600.0)
    world.rows = [fill(1, 5)]
    world.book.start()
    assert world.book.units(Mode.LIVE, "ema") is None
    await asyncio.gather(*(world.book.until_read(mode) for mode in Mode))
    assert world.book.units(Mode.LIVE, "ema") == {("NSE", "SBIN", Product.NRML): 5}
    await world.book.stop()


async def test_a_book_that_cannot_be_read_keeps_nobody_for_long(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(service, "READ_WITHIN", 0.01)
    await world.book.until_read(Mode.LIVE)  # nobody reads
    assert world.book.units(Mode.LIVE, "ema") is None


async def test_a_name_that_comes_after_the_fill_moves_it_once(world: World):
    book = await world.start()
    book.added(fill(1, 5, ""))
    book.added(fill(1, 5, ""))
    assert book.strategies(Mode.LIVE) == []
    order = Order("1", "SBIN", "NSE", Action.BUY, 5, PriceType.MARKET, Product.NRML, strategy="ema")
    for _ in range(2):
        world.bus.publish(OrderNamed(account_id="a", mode=Mode.LIVE, broker="kite", order=order))
    assert book.units(Mode.LIVE, "ema") == {("NSE", "SBIN", Product.NRML): 5}


async def test_what_is_told_of_an_earlier_day_is_read_anew(world: World):
    book = await world.start()
    world.rows = [fill(1, 5), fill(2, 3, at=world.clock.now() + timedelta(days=1))]
    book.added(world.rows[1])
    read = world.read
    book.added(world.rows[0])
    await until(lambda: world.read > read)
    await until(lambda: book.units(Mode.LIVE, "ema") == {("NSE", "SBIN", Product.NRML): 8})


async def test_a_contract_that_expired_unsettled_is_told_as_unknown(world: World):
    world.rows = [fill(1, 75, symbol="NIFTY24NOV2626000CE", exchange="NFO")]
    book = await world.start()
    assert len(book.positions("ema", Mode.LIVE)) == 1
    world.clock.jump(datetime(2026, 11, 25, 9, 0, tzinfo=IST))
    summary = book.summary("ema", Mode.LIVE)
    assert summary is not None and (summary.positions, summary.unknown) == (0, 1)
    assert book.positions("ema", Mode.LIVE) == []


async def test_a_disk_that_does_not_answer_is_asked_again(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(service, "RETRY", 0.0)
    world.rows, answers = [fill(1, 5)], iter((StorageError("full"), StorageError("full")))

    async def all_but() -> list[Execution]:
        for error in answers:
            raise error
        return world.rows

    world.live.all = all_but
    book = await world.start()
    assert book.units(Mode.LIVE, "ema") == {("NSE", "SBIN", Product.NRML): 5}


async def test_an_order_whose_executions_are_corrected_counts_as_corrected(world: World):
    book = await world.start()
    book.added(fill(1, 5))
    book.replaced([fill(1, 5), fill(1, 2, trade_id="T9")])
    await until(lambda: world.followed == {("NSE", "SBIN")})
    assert book.units(Mode.LIVE, "ema") == {("NSE", "SBIN", Product.NRML): 7}
