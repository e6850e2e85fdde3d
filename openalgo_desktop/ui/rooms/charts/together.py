"""What the charts of a dock have in common: symbol, interval, crosshair, range of time."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMenu

if TYPE_CHECKING:
    from openalgo_desktop.ui.rooms.charts.cell import ChartCell
    from openalgo_desktop.ui.rooms.charts.dock import ChartDock


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


class Together:
    """One of a chart dock."""

    def __init__(self, dock: ChartDock) -> None:
        self._dock = dock
        self._now = Common()

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

    def leave(self, cell: ChartCell) -> None:
        """A chart goes."""

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
