"""The choice of what an alert looks at: price, level, a study, a line of a drawing."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from openalgo_desktop.core.alerts import OfStudy, Source
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.fields import StillCombo
from openalgo_desktop.ui.rooms.automation.alert_study import StudyForm

ANOTHER = "Study…"


class SourceChoice(StillCombo):
    """Rows of (text, source); the last one asks for a study. A source of None is the level."""

    changed = Signal()

    def __init__(self, owner: QWidget, bridge: Bridge) -> None:
        super().__init__()
        self._owner, self._bridge = owner, bridge
        self._sources: list[Source | None] = []
        self._chosen = 0
        self.currentIndexChanged.connect(lambda _: self._follow())
        self.activated.connect(self._on_activated)

    def offer(
        self, first: Iterable[tuple[str, Source | None]], more: Iterable[Source],
        name: Callable[[Source], str],
    ) -> None:  # fmt: skip
        """Offer these; what is chosen stays chosen, also where it is not among them."""
        kept = self.source()
        rows: list[tuple[str, Source | None]] = [*first]
        known = [source for _, source in rows]
        for source in (*more, *(() if kept is None else (kept,))):
            if source not in known:
                known.append(source)
                rows.append((name(source), source))
        self.blockSignals(True)
        self.clear()
        self._sources = known
        for text, _ in rows:
            self.addItem(text)
        self.addItem(ANOTHER)
        self._chosen = known.index(kept) if kept in known else 0
        self.setCurrentIndex(self._chosen)
        self.blockSignals(False)

    def source(self) -> Source | None:
        """What is chosen."""
        return self._sources[self._chosen] if self._sources else None

    def choose(self, source: Source | None, text: str = "") -> None:
        """Choose one, added where it is not offered."""
        if source not in self._sources:
            self._sources.append(source)
            self.insertItem(len(self._sources) - 1, text)
        self.setCurrentIndex(self._sources.index(source))

    def _follow(self) -> None:
        if 0 <= self.currentIndex() < len(self._sources):
            self._chosen = self.currentIndex()
            self.changed.emit()

    def _on_activated(self, index: int) -> None:
        if index < len(self._sources):
            return
        self.setCurrentIndex(self._chosen)  # nothing is chosen by asking
        form = StudyForm(self._owner, self._bridge)
        form.chosen.connect(self._take)
        form.show()

    def _take(self, source: OfStudy) -> None:
        self.choose(source, self._bridge.alerts.name(("", ""), source))
