"""Starts the strategy book and lets it hear what the trade journal hears."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from openalgo_desktop.analytics.strategy_book.service import StrategyBook
from openalgo_desktop.core.enums import Mode, Product
from openalgo_desktop.core.model import Key, Order
from openalgo_desktop.core.ticks import Part
from openalgo_desktop.core.trade_journal import Execution
from openalgo_desktop.storage.trade_journal import ExecutionRepository
from openalgo_desktop.trading.ownbook import PositionKey
from openalgo_desktop.trading.valuing import Valuation

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal

#: Seconds after the start of trading before what is recorded is read: the start does not wait.
READ_AFTER = 1.0


class _Around:
    """The desk and the market, as the strategy book asks them."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._valuation = Valuation(terminal.hub)

    def account_of(self, mode: Mode) -> str:
        return self._terminal.desk.bound(mode).read.account_id

    def price(self, mode: Mode, key: Key, product: Product) -> Decimal | None:
        tick = self._terminal.hub.latest(key)
        if tick is not None and tick.knows(Part.LTP) and tick.ltp > 0:
            return Decimal(repr(tick.ltp))
        row = self._terminal.desk.books.book(mode).positions.get((*key, product))
        return Decimal(repr(row.ltp)) if row is not None and row.ltp > 0 else None

    def orders(self, mode: Mode) -> Iterable[Order]:
        return self._terminal.desk.books.book(mode).orders.values()

    def follow(self, keys: Collection[Key]) -> None:
        known = self._terminal.instruments
        self._valuation.follow([key for key in keys if known.get(key) is not None])


class _Units:
    """:class:`StrategyUnits`."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def units(self, mode: Mode, strategy: str) -> dict[PositionKey, int] | None:
        return units_of(self._terminal, mode, strategy)

    async def until_read(self, mode: Mode) -> None:
        await self._terminal.strategy_book.until_read(mode)


def units_of(terminal: Terminal, mode: Mode, name: str) -> dict[PositionKey, int] | None:
    """Signed units that a strategy holds, with fills whose trades the broker has not told yet: no
    order may count them as neither held nor under way. None before the book was read."""
    found = terminal.strategy_book.units(mode, name)
    if found is None or mode is not Mode.LIVE:
        return found
    desk = terminal.desk
    for order, units in terminal.executions.ahead(desk.gateway_of(mode).account_id):
        if desk.sender.origins.name(order).strategy == name:
            key = (order.exchange, order.symbol, order.product)
            found[key] = found.get(key, 0) + units * order.action.sign
    return found


def start_strategy_book(terminal: Terminal) -> None:
    """After the desk and its trade journal."""
    journal, executions = terminal.trade_journal, terminal.executions
    book = terminal.strategy_book = StrategyBook(
        terminal.clock,
        terminal.bus,
        journal.source,
        terminal.sandbox,
        ExecutionRepository(terminal.db),
        terminal.journal,
        terminal.sandbox.charging.table,
        lambda: str(terminal.settings["sandbox.brokerage_plan"]),
        _Around(terminal),
        READ_AFTER,
    )

    def added(row: Execution) -> None:
        journal.added(row)
        book.added(row)

    def converted() -> None:
        journal.corrected()
        for mode in Mode:
            book.corrected(mode)

    executions.on_added = added
    executions.on_order = book.replaced
    terminal.conversions.on_converted = converted
    terminal.settings.subscribe(
        lambda key, value: book.corrected(Mode.LIVE) if key == "sandbox.brokerage_plan" else None
    )
    terminal.desk.set_strategy_units(_Units(terminal))
    terminal.risk_rules.own_units = partial(units_of, terminal)
    book.start()
    terminal.on_stop(book.stop)
