"""The symbol search field with its list of results."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QMimeData, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QLineEdit, QListWidget, QListWidgetItem, QWidget

from openalgo_desktop.core.model import Instrument, Key
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.names import exchange_text
from openalgo_desktop.ui.kit.symbol_drag import mime_of
from openalgo_desktop.ui.kit.widgets import named, plain_tip

RESULTS = 50
VISIBLE_ROWS = 12


def describe(instrument: Instrument, name: str) -> str:
    """One line of the result list."""
    parts = [name, exchange_text(instrument.exchange)]
    if instrument.expiry is not None:
        parts.append(f"{instrument.expiry:%d %b %Y}")
    elif instrument.name and instrument.name != instrument.symbol:
        parts.append(instrument.name)
    if instrument.lot_size > 1:
        parts.append(f"lot {instrument.lot_size}")
    return "   ".join(parts)


class _Results(QListWidget):
    """The list; a row can be dragged to where instruments are taken."""

    def mimeData(self, items: Sequence[QListWidgetItem]) -> QMimeData:
        found = [item.data(Qt.ItemDataRole.UserRole) for item in items]
        return mime_of((data[0], data[1]) for data in found if data is not None)


class SymbolSearch(QLineEdit):
    """Type a few letters, choose with arrows and Enter; ``chosen`` carries the key."""

    chosen = Signal(object)

    def __init__(self, bridge: Bridge, object_name: str, placeholder: str) -> None:
        super().__init__()
        self._bridge = bridge
        named(self, object_name, placeholder)
        self.setPlaceholderText(placeholder)
        self.setClearButtonEnabled(True)
        self._results: QListWidget | None = None
        self._asked = 0  # number of the latest question; answers to older ones are dropped
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(40)
        self._timer.timeout.connect(self._search)
        self.textEdited.connect(lambda _: self._timer.start())

    @property
    def results(self) -> QListWidget:
        """The list; a child of the window, so it needs no window of its own."""
        if self._results is None:
            self._results = named(
                _Results(self.window()), f"{self.objectName()}-results", "Search results"
            )
            self._results.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            self._results.setProperty("role", "popup")
            self._results.setUniformItemSizes(True)
            self._results.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
            self._results.itemClicked.connect(self._take)
            self.window().installEventFilter(self)
            self._results.hide()
        return self._results

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # Not hidden: showing the list may make the window lay itself out, and a list that is
        # hidden while it is being shown stays on the screen for good.
        if event.type() == QEvent.Type.Resize and self._results is not None:
            self._fit_results()
        return False

    def _search(self) -> None:
        query = self.text().strip()
        self._asked += 1
        if not query:
            self.results.clear()
            self.results.hide()
            return
        found = self._bridge.search(query, RESULTS)
        if found:
            self._show(found)
            return
        # No name is like it. Broker symbols and parts of texts take longer: in a thread.
        self._say(f"Searching for “{query}”")
        self._bridge.spawn(self._search_texts(query, self._asked), "symbol-search")

    async def _search_texts(self, query: str, asked: int) -> None:
        found = await self._bridge.search_texts(query, RESULTS)
        if asked != self._asked:
            return  # more was typed meanwhile, or something was chosen
        if found:
            self._show(found)
        else:
            self._say(f"Nothing found for “{query}”")

    def _show(self, found: list[Instrument]) -> None:
        self.results.clear()
        for instrument in found:
            item = QListWidgetItem(describe(instrument, self._bridge.name(instrument.key)))
            item.setToolTip(plain_tip(instrument.symbol))
            item.setData(Qt.ItemDataRole.UserRole, instrument.key)
            self.results.addItem(item)
        self.results.setCurrentRow(0)
        self._place_results()

    def _say(self, text: str) -> None:
        self.results.clear()
        item = QListWidgetItem(text)
        item.setFlags(Qt.ItemFlag.NoItemFlags)
        self.results.addItem(item)
        self._place_results()

    def _place_results(self) -> None:
        self._fit_results()
        self.results.raise_()
        self.results.show()

    def _fit_results(self) -> None:
        window: QWidget = self.window()
        corner = self.mapTo(window, QPoint(0, self.height() + 2))
        rows = min(VISIBLE_ROWS, self.results.count())
        height = rows * max(24, self.results.sizeHintForRow(0)) + 6
        width = max(self.width(), 440)
        left = max(0, min(corner.x(), window.width() - width - 4))
        self.results.setGeometry(left, corner.y(), width, min(height, window.height() - corner.y()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {
            Qt.Key.Key_Down: 1,
            Qt.Key.Key_Up: -1,
            Qt.Key.Key_PageDown: VISIBLE_ROWS,
            Qt.Key.Key_PageUp: -VISIBLE_ROWS,
        }.get(Qt.Key(event.key()))
        if step is not None and self.results.isVisible():
            row = self.results.currentRow() + step
            self.results.setCurrentRow(max(0, min(self.results.count() - 1, row)))
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if not event.isAutoRepeat():
                self._enter()
        elif event.key() == Qt.Key.Key_Escape:
            self._finish()
        else:
            super().keyPressEvent(event)

    def _enter(self) -> None:
        if self._timer.isActive():  # typed faster than the search: search now
            self._timer.stop()
            self._search()
        item = self.results.currentItem()
        if item is not None and self.results.isVisible():
            self._take(item)

    def _take(self, item: QListWidgetItem) -> None:
        data = item.data(Qt.ItemDataRole.UserRole)
        if data is None:
            return
        key: Key = (data[0], data[1])
        self._finish()
        self.chosen.emit(key)

    def _finish(self) -> None:
        """Empty the field; what is still being looked for is not wanted any more."""
        self._timer.stop()
        self._asked += 1
        self.results.hide()
        self.clear()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if self._results is not None:
            QTimer.singleShot(150, self._results, self._results.hide)
