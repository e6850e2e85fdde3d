"""The price scale of a chart that stands still: prices stay at the edges while bars come and go.

A scale that was dragged stands still, too, until other bars are loaded; a locked one stays so over
intervals of the same symbol, and is in the layout. *Fit* and another symbol end it. A padlock below
the scale says that it is locked: prices that leave the view are not missed unawares. A click on it
unlocks.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QRect, Qt
from PySide6.QtWidgets import QToolButton

from openalgo_desktop.ui.kit import icons
from openalgo_desktop.ui.kit.widgets import named, plain_tip

if TYPE_CHECKING:
    from openalgo_desktop.ui.rooms.charts.cell import ChartCell

Edges = tuple[float, float]
SIGN = "Prices are locked at the edges; a click lets them follow the bars again"


class PriceLock(QObject):
    """One of a chart. ``_kept`` are the symbol and its edges when the lock was seen last."""

    def __init__(self, cell: ChartCell) -> None:
        super().__init__(cell)
        self._cell, self._view = cell, cell.view
        self.sign: QToolButton | None = None
        self._kept: tuple[str, Edges] | None = None

    @property
    def on(self) -> bool:
        """Whether the prices of now are locked."""
        return self._seen() is not None

    def _seen(self) -> tuple[str, Edges] | None:
        """The lock as it is: its edges may have been dragged, *Fit* has ended it."""
        kept, view = self._kept, self._view
        if kept is None or not view.has_bars or not self._cell.data.is_drawn:
            return kept
        edges = view.price_edges
        same = kept[0] == self._cell.subject_text
        self._kept = (kept[0], edges) if edges is not None and same else None
        return self._kept

    def turn(self) -> None:
        """Lock the prices that are at the edges, or let them follow the bars again."""
        if self.on:
            self._kept = None
            self._view.follow_prices()
        elif self._view.has_bars:
            self._view.keep_prices()
            edges = self._view.price_edges
            self._kept = None if edges is None else (self._cell.subject_text, edges)
        self._cell.dirty = True
        self._show_sign()

    # -- the sign ---------------------------------------------------------------------------
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A paint of the chart: *Fit* and other panes are seen first there."""
        if event.type() == QEvent.Type.Paint:
            self._show_sign()
        return False

    def _show_sign(self) -> None:
        """In the corner below the scale, where nothing else is."""
        on = self.on and self._view.has_bars
        if on and self.sign is None:
            self.sign = self._made()
            self._view.canvas.installEventFilter(self)
        sign = self.sign
        if sign is None:
            return
        if on:
            canvas, stage = self._view.canvas, self._view.canvas.stage
            left = round(stage.prices.rect.right()) + stage.gutter
            top = round(stage.panes[-1].rect.bottom())
            room = QRect(left, top, canvas.width() - left, canvas.height() - top)
            if sign.geometry() != room:
                sign.setGeometry(room)
        if on == sign.isHidden():
            sign.setVisible(on)

    def _made(self) -> QToolButton:
        sign = named(QToolButton(self._view.canvas), f"{self._cell.name}-price-lock", SIGN)
        sign.setProperty("role", "draw-tool")
        sign.setAutoRaise(True)
        sign.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the menu has it for the keys
        sign.setToolTip(plain_tip(SIGN))
        icons.put(sign, "lock")
        sign.clicked.connect(lambda _on: self.turn())
        return sign

    def note(self) -> None:
        """Other bars are asked for: the ones of now go."""
        self._seen()

    def apply(self) -> None:
        """Other bars are in the view: of the same symbol they get the same prices."""
        kept = self._kept
        if kept is None:
            return
        if kept[0] == self._cell.subject_text and self._view.has_bars:
            self._view.keep_prices(kept[1])
        else:
            self._kept = None
        self._show_sign()

    # -- state ------------------------------------------------------------------------------
    def save(self) -> list[object]:
        """Symbol and edges; empty while the scale follows the bars."""
        kept = self._seen()
        return [] if kept is None else [kept[0], *kept[1]]

    def restore(self, state: object) -> None:
        """The other way round, before the bars are here; what has no meaning locks nothing."""
        self._kept = None
        if not isinstance(state, list) or len(state) != 3 or not isinstance(state[0], str):
            return
        low, high = (float(x) if isinstance(x, int | float) else math.nan for x in state[1:])
        if math.isfinite(low) and math.isfinite(high) and low < high:
            self._kept = (state[0], (low, high))
            if self._cell.data.is_drawn:
                self.apply()
