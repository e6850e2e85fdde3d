"""The kept picture of a chart: all that changes only with the view, the style or a closed bar."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPixmap

from openalgo_desktop.ui.chart.canvas.content import Content
from openalgo_desktop.ui.chart.canvas.ground import Ground, device
from openalgo_desktop.ui.chart.canvas.layers import Layers
from openalgo_desktop.ui.chart.canvas.pane import Pane
from openalgo_desktop.ui.chart.canvas.stage import Stage
from openalgo_desktop.ui.chart.over.texts import Texts
from openalgo_desktop.ui.chart.paint.ink import Ink


class Picture:
    """The ground with what layers keep on it. ``renders`` counts how often it was drawn."""

    def __init__(self, stage: Stage, layers: Layers) -> None:
        self._stage = stage
        self._layers = layers
        self.ink = Ink()
        self._texts = Texts()
        self.base = Ground(stage, self.ink, self._texts)
        self._valid = False
        self.renders = 0
        self._live: list[tuple[Pane, QRectF]] = []
        self._pixmap = QPixmap()
        self.restyle()

    @property
    def content(self) -> Content:
        """What stands at the bars."""
        return self.base.content

    def restyle(self) -> None:
        """Take the fonts and colours in force."""
        self.ink.restyle()
        self._texts.restyle()
        self.forget()

    def forget(self) -> None:
        """All of it is another now."""
        self.base.forget()
        self._valid = False

    def touch(self) -> None:
        """The view moved, or what layers keep is another; the bars are what they were."""
        self._valid = False

    def pixmap(self) -> QPixmap:
        """The picture, drawn again when it must be."""
        if not self._valid:
            self.renders += 1
            self.base.update()
            self._pixmap = self._with_layers(self._pixmap)
            self._valid = True
        return self._pixmap

    def _with_layers(self, before: QPixmap) -> QPixmap:
        ground = self.base.pixmap
        if not len(self._layers) or not len(self._stage.series):
            return ground
        if before is ground or before.size() != ground.size():
            before = QPixmap(ground.size())
        before.setDevicePixelRatio(self._stage.ratio)
        painter = QPainter(before)
        painter.setFont(self._texts.font)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
        painter.drawPixmap(0, 0, ground)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
        for pane in self._stage.panes:
            painter.save()
            painter.setClipRect(pane.rect, Qt.ClipOperation.IntersectClip)
            self._layers.paint_base(painter, self._stage.at(pane))
            painter.restore()
        self.base.rules(painter)
        painter.end()
        return before

    def find_live(self) -> list[QRectF]:
        """Where the forming bar can be, in each pane; found once after each change."""
        stage = self._stage
        foot = [stage.foot] if stage.foot is not None else []
        found = [(pane, self.content.live_rect(pane)) for pane in (*foot, *stage.panes)]
        self._live = [(pane, rect) for pane, rect in found if rect.width() > 0]
        return [rect for _, rect in self._live]

    def paint_live(self, painter: QPainter, shown: QRectF) -> None:
        """Draw the forming bar over the picture, as far as it is in ``shown``."""
        stage = self._stage
        if not len(stage.series):
            return
        for pane, rect in self._live:
            if rect.intersects(shown):
                at = stage.at(pane)
                with device(painter, at):
                    self.content.forming(painter, at)

    @property
    def ground(self) -> QColor:
        """The background."""
        return self.ink.ground
