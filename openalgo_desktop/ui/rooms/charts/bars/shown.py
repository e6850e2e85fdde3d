"""The bars that a chart's view has: those of the market, or what a kind makes of them.

Kinds that are made of bars (Renko, Kagi ...) keep those of the market beside the rows that are
shown; all others are the view's own series.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from enum import IntEnum

from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.charting.studies import Value
from openalgo_desktop.core.charting.transforms.machine import Beyond, Running
from openalgo_desktop.core.charting.transforms.registry import (
    BY_KIND,
    MOST_OF_A_BAR,
    TransformSpec,
)
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.chart import ChartView
from openalgo_desktop.ui.chart.series import CLOSE, Series
from openalgo_desktop.ui.kit.dock import Holder
from openalgo_desktop.ui.rooms.charts.bars.arrays import bars_of
from openalgo_desktop.ui.rooms.charts.bars.ports import Follower

#: Bars that a kind is made of at once; more of them in a thread.
AT_ONCE = 1000
#: Rows that live bars may bring at once, a millisecond; more of them in a thread.
ROWS_AT_ONCE = 250


class Change(IntEnum):
    """What rows are made anew for; of several that wait the greatest counts."""

    END = 0  # the last bars are others
    BEFORE = 1  # older ones came
    ALL = 2  # nothing of them is shown yet


class ShownBars:
    """Owner of the view's bars. ``follower`` hears of every change of them, ``filled`` is called
    when those of another load are in the view."""

    def __init__(
        self, holder: Holder, view: ChartView, follower: Follower, filled: Callable[[], None]
    ) -> None:
        self._holder, self._view, self._follower = holder, view, follower
        self._filled = filled
        self._look = (2, 0.0)  # decimals, tick size
        self.span = Span.parse("5m")
        self.problem = ""  # why the kind cannot be made of these bars
        self.gave_up: Callable[[], None] = lambda: None  # it cannot, as was found out meanwhile
        self._spec: TransformSpec | None = None
        self._params: Mapping[str, Value] = {}
        self._base: Series | None = None  # the market's bars, where others are shown
        self._run: Running | None = None
        self._made: asyncio.Task[None] | None = None
        self._ends: asyncio.Task[None] | None = None  # makes the rows of the last bars
        self._late = False  # they are others than those that it makes rows of
        self._change = Change.END
        self.size = 0.0  # box of the kind, rupees

    @property
    def market(self) -> Series:
        """The bars of the market, also where the chart shows others."""
        return self._view.canvas.series if self._base is None else self._base

    @property
    def making(self) -> bool:
        """Whether rows of a kind are computed."""
        return self._made is not None or self._ends is not None

    def begin(self, span: Span, places: int, tick: float) -> None:
        """Bars of ``span`` come next, with so many decimals and this tick size."""
        self.span, self._look = span, (places, tick)

    def set_places(self, places: int) -> None:
        """The bars that come have so many decimals."""
        self._look = (places, self._look[1])

    def forget_rows(self) -> None:
        """What a kind made of other bars means nothing more."""
        self._stop_making()
        self._run = self._base = None
        self._change = Change.END

    def set_kind(self, transform: str, params: Mapping[str, Value], *, again: bool) -> None:
        """Show the market's bars as they are (empty), or what ``transform`` makes of them; those
        that are here ``again``, else those that come."""
        spec = BY_KIND.get(transform)
        self.problem = ""
        if spec is self._spec and params == self._params:
            return
        self._spec, self._params = spec, params
        if again:
            self.fill(bars_of(self.market))

    # -- changes of the market's bars -------------------------------------------------------
    def fill(self, bars: Bars) -> None:
        """Put bars into the view, as the kind shows them."""
        self.forget_rows()
        self.problem = ""
        places, tick = self._look
        if self._spec is None or not len(bars):
            self._view.canvas.set_market(None)
            self._view.set_bars(bars, self.span, places, tick)
            self._filled()
            self._tell()
            return
        self._base = Series(bars)
        columns = self._base.columns()
        try:
            self.size = self._spec.size(self._params, columns, tick)
            self._run = self._spec.run(self._params, self.size)
        except AppError as error:
            self._show_market_bars(bars, error.message)
            return
        self._make(Change.ALL)

    def _show_market_bars(self, bars: Bars, problem: str) -> None:
        """The kind cannot be made of them."""
        self._spec = None
        self.fill(bars)
        self.problem = problem

    def clear(self) -> None:
        """Nothing is in the view until other bars are."""
        self._view.canvas.set_market(None)
        self._view.set_bars(Bars.empty(), self.span, *self._look)
        self._tell()
        self._view.flush()

    def put_before(self, bars: Bars) -> None:
        """Older bars came."""
        if self._base is None:
            added = self._view.prepend(bars)
            if added and self._spec is not None:
                self.fill(bars_of(self.market))
            elif added:
                self._tell()
        elif self._base.prepend(bars):
            self._make(Change.BEFORE)

    def splice(self, first: int, bars: Bars) -> None:
        """Have ``bars`` in place of those of the market from index ``first`` on."""
        if self._base is not None:
            self._base.splice(first, bars)
            self._make(Change.END)
        else:
            self._view.splice(first, bars)
            self._tell()

    def take(self, begins: bool, time: int, values: tuple[float, ...]) -> None:
        """A live bar: another one, or the last as it is now. ``values`` as in :class:`Series`."""
        if self._base is not None:
            self._take_row(self._base, begins, time, values)
            return
        view, follower = self._view, self._follower
        if begins:
            view.append_bar(time, *values)
            follower.append(view.canvas.series.columns())
        else:
            view.update_last(time, *values)
            follower.last(view.canvas.series.columns())
        if self._spec is not None:  # the first bars of a kind that is made of some
            self.fill(bars_of(view.canvas.series))

    def _take_row(self, base: Series, begins: bool, time: int, values: tuple[float, ...]) -> None:
        if begins:
            base.append(time, *values)
        else:
            base.update_last(time, *values)
        run, spec = self._run, self._spec
        if run is None or spec is None or self._made is not None:
            return  # its rows take what came into account
        try:
            ends = base.columns().cut(max(0, len(base) - 2))
            spec.check(self.size, ends, self._look[1], MOST_OF_A_BAR)
        except AppError as error:
            self._give_up(base, error.message)
            return
        self._end(run, base)

    def _end(self, run: Running, base: Series) -> None:
        """The last bars are others: their rows at once, or beside the loop where there may be
        many."""
        if self._ends is not None:
            self._late = True
            return
        columns = base.columns()
        if run.most_rows(columns) > ROWS_AT_ONCE:
            self._ends = self._holder.spawn(self._end_beside(run, base), "last rows of the chart")
        else:
            self._take_end(run, run.beyond(run.ahead(columns), columns.time))

    async def _end_beside(self, run: Running, base: Series) -> None:
        """As often as ticks came meanwhile."""
        self._late = True
        try:
            while self._late:
                self._late = False
                columns = base.columns()
                ahead = run.ahead(columns)
                self._take_end(run, await asyncio.to_thread(run.beyond, ahead, columns.time))
                self._view.flush()
        except Exception:
            self._ends = None
            spec = self._spec
            self._give_up(base, f"{spec.title if spec else ''} cannot be made of these bars.")
            raise
        self._ends = None

    def _take_end(self, run: Running, found: Beyond) -> None:
        first, before = run.fixed, len(self._view.canvas.series)
        run.take(found)
        self._view.rows_changed(first, run.rows)
        self._show_market()
        columns = self._view.canvas.series.columns()
        if columns.size == before and run.fixed >= before - 1:
            self._follower.last(columns)
        else:
            self._follower.load(columns)

    def _tell(self) -> None:
        self._follower.load(self._view.canvas.series.columns())

    def _stop_making(self) -> None:
        for task in (self._made, self._ends):
            if task is not None:
                task.cancel()
        self._made = self._ends = None

    # -- rows of a kind ---------------------------------------------------------------------
    def _make(self, change: Change) -> None:
        self._stop_making()
        self._change = max(change, self._change)
        self._made = self._holder.spawn(self._rows(), "rows of the chart")

    async def _rows(self) -> None:
        """Show them; where they cannot be made, for whatever reason, the market's bars: those of
        another symbol must not stay."""
        spec, base = self._spec, self._base
        if spec is None or base is None:
            return
        try:
            await self._compute(spec, base)
        except AppError as error:
            self._give_up(base, error.message)
        except Exception:
            self._give_up(base, f"{spec.title} cannot be made of these bars.")
            raise

    def _give_up(self, base: Series, problem: str) -> None:
        self._made = None
        self._show_market_bars(bars_of(base), problem)
        self.gave_up()

    async def _compute(self, spec: TransformSpec, base: Series) -> None:
        """Compute them, many in a thread, then show them."""
        spec.check(self.size, base.columns(), self._look[1])  # older ones may go further
        run, count = spec.run(self._params, self.size), len(base)
        if count <= AT_ONCE and run.most_rows(base.columns()) <= AT_ONCE:
            run.load(base.columns())
        else:  # of a copy: bars are put before and the last one changes meanwhile
            copied = Columns._make(column.copy() for column in base.columns())
            await asyncio.to_thread(run.load, copied)
        columns = base.columns()  # with what came meanwhile
        at_once = run.most_rows(columns) <= ROWS_AT_ONCE
        if at_once:
            run.last(columns)
        change, self._change = self._change, Change.END
        self._made, self._run = None, run
        places, tick = self._look
        if change is Change.ALL:
            self._view.set_rows(run.rows, self.span, places, tick, self.size)
            self._filled()
        elif change is Change.BEFORE:
            self._view.rows_put_before(run.rows)
        else:
            self._view.rows_changed(0, run.rows)
        self._show_market()
        self._tell()
        self._view.flush()
        if not at_once:
            self._end(run, base)

    def _show_market(self) -> None:
        base = self._base
        if base is not None and len(base):
            self._view.canvas.set_market(float(base.column(CLOSE)[-1]))
