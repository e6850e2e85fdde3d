"""The history of a chart dock: loaded for an interval, one load at a time, with words for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, timedelta
from typing import TypeAlias

from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.kit.widgets import label, push_button

#: Gives the bars of an inclusive range of IST dates; raises :class:`AppError`.
Ask: TypeAlias = Callable[[date, date], Awaitable[Bars]]


class ChartHistory:
    """Owns the line of text that says how the load went, and the button that tries again; the
    dock places both. ``days`` of history are loaded for each interval."""

    def __init__(self, dock: Dock, days: Mapping[Interval, int], again: Callable[[], None]) -> None:
        self._dock = dock
        self._days = days
        self._task: asyncio.Task[None] | None = None
        self.message = label("", f"{dock.name}-message", "muted")
        self.retry = push_button("Retry", f"{dock.name}-retry", "Load the history again", again)
        self.retry.hide()

    @property
    def loading(self) -> bool:
        """Whether a load is under way."""
        return self._task is not None and not self._task.done()

    def load(self, interval: Interval, ask: Ask, show: Callable[[Interval, Bars], None]) -> None:
        """Ask for the bars and give them to ``show``, none where they cannot be had; a load under
        way is given up."""
        if self._task is not None:
            self._task.cancel()
        self.message.setText("Loading…")
        self.retry.hide()
        self._task = self._dock.spawn(self._load(interval, ask, show), f"{self._dock.name} history")

    async def _load(
        self, interval: Interval, ask: Ask, show: Callable[[Interval, Bars], None]
    ) -> None:
        today = self._dock.bridge.now().date()
        try:
            bars = await ask(today - timedelta(days=self._days[interval]), today)
        except AppError as error:
            bars = Bars.empty()
            self.message.setText(error.message)
            self.retry.show()
        else:
            self.message.setText("" if len(bars) else f"No bars for {interval.value}")
        show(interval, bars)
