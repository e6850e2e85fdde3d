"""Tab bars that draw their tabs closer together before they hide one behind an arrow."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QTabBar

from openalgo_desktop.ui.kit.clips import SCROLLS
from openalgo_desktop.ui.kit.widgets import set_role

#: What the style sheet puts beside the text of a tab, both sides, pixels.
ROOM = 24
#: and of one that is close to the others.
TIGHT_ROOM = 10
_EVENTS = (QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.LayoutRequest)


class FittingTabs(QObject):
    """Watches one bar; lives with it."""

    def __init__(self, bar: QTabBar) -> None:
        super().__init__(bar)
        self._bar = bar
        bar.setUsesScrollButtons(True)
        bar.setElideMode(Qt.TextElideMode.ElideNone)
        bar.installEventFilter(self)
        self.fit()

    def fit(self) -> None:
        """Close together where they would not all fit otherwise."""
        bar = self._bar
        if bar.width() < 1 or not bar.count():
            return
        bar.ensurePolished()
        metrics = bar.fontMetrics()
        texts = [bar.tabText(index).replace("&&", "&") for index in range(bar.count())]
        wide = sum(metrics.horizontalAdvance(text) for text in texts)
        set_role(bar, "tight" if wide + ROOM * len(texts) > bar.width() else "")
        # Where that is not enough, either (large letters, a small window), it may scroll.
        bar.setProperty(SCROLLS, wide + TIGHT_ROOM * len(texts) > bar.width())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _EVENTS:
            self.fit()
        return False


def keep_fitting(bar: QTabBar) -> None:
    """Make ``bar`` a fitting one, once."""
    if bar.findChild(FittingTabs) is None:
        FittingTabs(bar)
