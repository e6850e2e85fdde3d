"""What the charts of a dock have in common: symbol, interval, crosshair, range of time."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QMenu

if TYPE_CHECKING:
    from openalgo_desktop.ui.rooms.charts.cell import ChartCell
    from openalgo_desktop.ui.rooms.charts.dock import ChartDock


#: Crosshair and range are passed on so often at most, milliseconds.
PASS_MS = 33


@dataclass(frozen=True)
class Common:
    """What is shared."""

    symbol: bool = False
    interval: bool = False
    crosshair: bool = True
    range: bool = False


WORDS = {
    "symbol": "Same symbol",
    "interval": "Same interval",
    "crosshair": "Crosshairs at one time",
    "range": "Same range of time",
}


class Together(QObject):
    """One of a chart dock. Crosshair and range also go to the charts of other docks and windows in
    the same link group, where both sides share them."""

    def __init__(self, dock: ChartDock) -> None:
        super().__init__(dock)
        self._dock = dock
        self._now = Common()
        self._links = dock.bridge.links
        self._hover: tuple[ChartCell, object] | None = None  # to be passed on
        self._seen: tuple[ChartCell, float, float] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PASS_MS)
        self._timer.timeout.connect(self._pass_on)
        dock.listen(self._links.moment_hovered, self._on_moment)
        dock.listen(self._links.range_moved, self._on_range)

    @property
    def symbol(self) -> bool:
        """Whether all charts show one symbol."""
        return self._now.symbol

    @property
    def interval(self) -> bool:
        """Whether all charts have one interval."""
        return self._now.interval

    def join(self, cell: ChartCell) -> None:
        """A chart came."""
        cell.view.cross_moved.connect(partial(self._crossed, cell))
        cell.view.range_moved.connect(partial(self._moved, cell))

    def leave(self, cell: ChartCell) -> None:
        """A chart goes: nothing of it is passed on."""
        if self._hover is not None and self._hover[0] is cell:
            self._hover = None
        if self._seen is not None and self._seen[0] is cell:
            self._seen = None

    # -- crosshair and range ----------------------------------------------------------------
    def _crossed(self, cell: ChartCell, moment: object, _price: float) -> None:
        if self._now.crosshair:
            self._hover = (cell, moment)
            self._soon()

    def _moved(self, cell: ChartCell, start: float, end: float) -> None:
        # Charts that follow are moved by us and say so, too: only the one in hand leads.
        if self._now.range and cell is self._dock.cell and cell.view.underMouse():
            self._seen = (cell, start, end)
            self._soon()

    def _soon(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _pass_on(self) -> None:
        hover, self._hover = self._hover, None
        seen, self._seen = self._seen, None
        group = self._dock.group
        if hover is not None:
            self._show_moment(hover[1], hover[0])
            if group:
                self._links.moment_hovered.emit(hover[1], group, self)
        if seen is not None:
            self._show_range(seen[1], seen[2], seen[0])
            if group:
                self._links.range_moved.emit(seen[1], seen[2], group, self)

    def _on_moment(self, moment: object, group: int, who: object) -> None:
        if who is not self and group == self._dock.group and self._now.crosshair:
            self._show_moment(moment, None)

    def _on_range(self, start: float, end: float, group: int, who: object) -> None:
        if who is not self and group == self._dock.group and self._now.range:
            self._show_range(start, end, None)

    def _show_moment(self, moment: object, source: ChartCell | None) -> None:
        at = float(moment) if isinstance(moment, float | int) else None
        for cell in self._dock.cells:
            # One that is hidden must not come back with a crosshair that ended meanwhile.
            if cell is not source and cell.view.has_bars and (at is None or not cell.is_hidden()):
                cell.view.set_cross_time(at)

    def _show_range(self, start: float, end: float, source: ChartCell | None) -> None:
        for cell in self._dock.cells:
            if cell is not source and cell.data.loaded and not cell.is_hidden():
                cell.view.show_range(start, end)

    # -- menu and state ---------------------------------------------------------------------
    def fill(self, menu: QMenu) -> None:
        """The items of the menu."""
        for name, words in WORDS.items():
            on = bool(self._now.__dict__[name])
            self._dock.add_check(menu, words, on, partial(self._toggle, name))

    def _toggle(self, name: str) -> None:
        self._now = replace(self._now, **{name: not self._now.__dict__[name]})
        active = self._dock.cell
        if name == "symbol" and self.symbol and active.key is not None:
            self._dock.show_symbol(active.key)
        if not self._now.crosshair:
            self._show_moment(None, None)
        if name == "interval" and self.interval:
            for cell in self._dock.cells:
                cell.show_interval(active.span.text)

    def save_state(self) -> dict[str, bool]:
        """What the workspace remembers."""
        return dict(self._now.__dict__)

    def restore_state(self, state: object) -> None:
        """The other way round; unknown values are ignored."""
        if isinstance(state, dict):
            names = {field.name for field in fields(Common)}
            known = {k: v for k, v in state.items() if k in names and isinstance(v, bool)}
            self._now = replace(Common(), **known)
