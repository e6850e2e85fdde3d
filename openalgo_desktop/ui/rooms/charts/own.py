"""What a chart shows of the trader's own beside lines: fills at their bars, brackets as zones."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.exit_rules import target_prices
from openalgo_desktop.core.exits import AnyPlan, ExitPlan
from openalgo_desktop.core.model import Key, Trade
from openalgo_desktop.core.trade_journal import Because
from openalgo_desktop.ui.chart import ChartView
from openalgo_desktop.ui.chart.over.fills import Fill, FillMarks
from openalgo_desktop.ui.chart.over.zones import Zone, ZoneLayer
from openalgo_desktop.ui.kit.dock import Listener


class OwnMarks:
    """One of a chart. Fills of all days that are known are read when the instrument or the mode
    changes, later ones come as they are told."""

    def __init__(self, chart: Listener, view: ChartView) -> None:
        self._chart, self._view = chart, view
        self._key: Key | None = None
        self._length = 0.0
        self._fills: list[Fill] = []
        self._task: asyncio.Task[None] | None = None
        self._missed = False  # trades came while the task reads
        self._marks, self._zones = FillMarks(), ZoneLayer()
        self._shown = False
        self._replayed: list[Fill] | None = None
        books = chart.bridge.books
        chart.listen(books.trades_added, self._on_trades)
        chart.listen(chart.bridge.mode_changed, lambda _: self._read())

    def show(self, key: Key | None, length: float) -> None:
        """Another instrument, none (arithmetic: nothing of it is held), or bars of another
        ``length`` (seconds; 0 for a day and longer)."""
        again = key != self._key
        self._key, self._length = key, length
        if not self._shown:  # the canvas is built with the first bars
            self._shown = True
            self._view.canvas.add_layer(self._zones)
            self._view.canvas.add_layer(self._marks)
        if again:
            self._read()
        else:
            self._draw()

    # -- fills ------------------------------------------------------------------------------
    def _read(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._fills, self._missed = [], False
        self._draw()
        if self._key is not None:
            self._task = self._chart.spawn(self._load(self._key), "fills of the chart")

    async def _load(self, key: Key) -> None:
        try:
            rows = await self._chart.bridge.journal.fills(key)
        except AppError:
            self._task = None  # those that come are shown all the same
            raise
        self._fills = [
            Fill(int(row.at.timestamp()), row.action.sign, row.quantity, float(row.price))
            for row in rows
            if row.because is Because.TRADE
        ]
        self._task = None
        if self._missed:
            self._read()
        else:
            self._draw()

    def _on_trades(self, trades: Iterable[Trade]) -> None:
        mine = [trade for trade in trades if trade.key == self._key]
        if not mine:
            return
        if self._task is not None:  # what is read now may have them or not
            self._missed = True
            return
        self._fills += [
            Fill(int(row.traded_at.timestamp()), row.action.sign, row.quantity, row.price)
            for row in mine
        ]
        self._draw()

    def _draw(self) -> None:
        fills = self._fills if self._replayed is None else self._replayed
        self._marks.set_fills(fills, self._length)
        if self._shown:
            self._view.canvas.layer_changed(self._marks)

    def show_replayed(self, trades: Iterable[Trade] | None) -> None:
        """Show what was practised in a replay and nothing of an account; None ends that."""
        made = None if trades is None else [_practised(trade) for trade in trades]
        if made != self._replayed:
            self._replayed = made
            self._draw()
            if made is not None:
                self.show_plans(())

    # -- brackets ---------------------------------------------------------------------------
    def show_plans(self, plans: Iterable[AnyPlan]) -> None:
        """The open plans of the instrument: those with an entry and a stop or a target."""
        zones = [zone for plan in plans if (zone := _zone(plan)) is not None]
        if self._replayed is not None:
            zones = []
        if self._zones.set_zones(zones) and self._shown:
            self._view.canvas.layer_changed(self._zones)


def _practised(trade: Trade) -> Fill:
    at = int(trade.traded_at.timestamp())
    return Fill(at, trade.action.sign, trade.quantity, trade.price)


def _zone(plan: AnyPlan) -> Zone | None:
    if not isinstance(plan, ExitPlan):
        return None
    entry = float(plan.entry)
    if not entry and plan.request is not None:
        entry = plan.request.price
    ahead = target_prices(plan)[plan.hit :] if plan.entry else ()
    stop = float(plan.stop_at) if plan.stop_at is not None else 0.0
    target = float(ahead[-1]) if ahead else 0.0
    if entry <= 0 or not (stop or target):
        return None
    return Zone(entry, stop, target, plan.created_at.timestamp())
