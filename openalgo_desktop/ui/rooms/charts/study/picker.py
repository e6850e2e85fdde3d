"""The dialog of all indicators: find and add, those of the chart, sets of them, one's own files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, QUrl
from PySide6.QtGui import QBrush, QDesktopServices, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.core.charting.studies import StudySpec
from openalgo_desktop.ui.kit import look, theme
from openalgo_desktop.ui.kit.plain_list import PlainList
from openalgo_desktop.ui.kit.widgets import label, named, push_button, set_role
from openalgo_desktop.ui.rooms.charts.study.on_chart import OnChart
from openalgo_desktop.ui.rooms.charts.study.words import about, families

if TYPE_CHECKING:
    from openalgo_desktop.ui.rooms.charts.study.hand import StudyHand

NAME = "dialog-studies"
ALL, FAVOURITES = "All", "Favourites"
STAR, TITLE, FAMILY = range(3)
#: Widest: a dialog beside which the chart is seen. Pixels.
WIDTH, HEIGHT = 960, 540
FAMILY_WIDTH = 144
#: Room for names.
LEAST = 200
#: What is left of a small screen beside it, pixels.
EDGE = 60
_STUDY = Qt.ItemDataRole.UserRole
_ARROWS = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class StudyPicker(QDialog):
    """Not modal. What is typed finds, arrows choose, Enter or a double click adds."""

    def __init__(self, hand: StudyHand, parent: QWidget) -> None:
        super().__init__(parent)
        self._hand, self._door = hand, hand.bridge.studies
        named(self, NAME, "Indicators")
        self.setWindowTitle("Indicators")
        room = parent.screen().availableGeometry()
        self.resize(
            min(look.px(WIDTH), room.width() - EDGE), min(look.px(HEIGHT), room.height() - EDGE)
        )
        self._build_find()
        self.on_chart = OnChart(hand)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addLayout(self._found_column(), 5)
        row.addWidget(self.on_chart, 3)
        column = QVBoxLayout(self)
        column.addLayout(row, 1)
        column.addLayout(self._foot())
        self._door.changed.connect(self._renew)
        hand.changed.connect(self._show_problems)
        self.finished.connect(self._let_go)
        self._renew()
        self.search.setFocus()

    # -- building ---------------------------------------------------------------------------
    def _build_find(self) -> None:
        self.search = named(QLineEdit(), f"{NAME}-search", "Find an indicator")
        self.search.setPlaceholderText("Find: rsi, supertrend, opening range, oi change …")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(lambda _: self._fill())
        self.search.installEventFilter(self)
        self.families = PlainList(f"{NAME}-families", "Families")
        self.families.setFixedWidth(look.px(150))
        self.families.currentRowChanged.connect(lambda _: self._fill())
        self.list = named(QTreeWidget(), f"{NAME}-list", "Indicators")
        self.list.setHeaderLabels(["", "Name", "Family"])
        self.list.setMinimumWidth(look.px(LEAST))
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setAllColumnsShowFocus(True)
        header = self.list.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(look.px(24))
        header.setSectionResizeMode(STAR, header.ResizeMode.Fixed)
        header.resizeSection(STAR, look.px(28))
        header.setSectionResizeMode(TITLE, header.ResizeMode.Stretch)
        header.setSectionResizeMode(FAMILY, header.ResizeMode.Fixed)
        header.resizeSection(FAMILY, look.px(FAMILY_WIDTH))
        self.list.itemDoubleClicked.connect(self._on_double)
        self.list.itemClicked.connect(self._on_clicked)
        self.list.currentItemChanged.connect(lambda *_: self._show_about())
        self.list.installEventFilter(self)
        self.about = label("", f"{NAME}-about", "muted")
        self.about.setWordWrap(True)
        self.about.setMinimumHeight(self.about.fontMetrics().lineSpacing() * 2)

    def _found_column(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(6)
        column.addWidget(self.search)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.families)
        row.addWidget(self.list, 1)
        column.addLayout(row, 1)
        column.addWidget(self.about)
        return column

    def _foot(self) -> QHBoxLayout:
        row = QHBoxLayout()
        folder = push_button(
            "My studies…", f"{NAME}-folder", "Open the folder of your studies", self._open_folder
        )
        folder.setToolTip("A Python file in this folder is an indicator")
        row.addWidget(folder)
        self.problems = label("", f"{NAME}-problems", "muted")
        self.problems.setWordWrap(True)
        row.addWidget(self.problems, 1)
        self.add = push_button("Add", f"{NAME}-add", "Add to the chart", self._add)
        self.add.setProperty("role", "primary")
        self.add.setAutoDefault(False)
        row.addWidget(self.add)
        close = push_button("Close", f"{NAME}-close", "Close", self.accept)
        close.setAutoDefault(False)
        row.addWidget(close)
        return row

    def _let_go(self, _code: int) -> None:
        self._door.changed.disconnect(self._renew)
        self._hand.changed.disconnect(self._show_problems)
        self.on_chart.release()

    # -- the list ---------------------------------------------------------------------------
    def _renew(self) -> None:
        """Files of the user, templates or favourites are others."""
        names = [ALL, FAVOURITES, *families(self._door.specs())]
        now = [self.families.item(row).text() for row in range(self.families.count())]
        if now != names:
            chosen = self.families.currentItem()
            text = chosen.text() if chosen is not None else ALL
            self.families.clear()
            self.families.addItems(names)
            self.families.setCurrentRow(names.index(text) if text in names else 0)
        self._fill()
        self._show_problems()

    def _wanted(self) -> list[StudySpec]:
        words, chosen = self.search.text().strip(), self.families.currentItem()
        family = chosen.text() if chosen is not None else ALL
        rows = self._door.find(words) if words else self._door.specs()
        kept = self._door.templates.favourites
        if family == FAVOURITES:
            return [spec for spec in rows if spec.study in kept]
        return [spec for spec in rows if family in (ALL, spec.family)]

    def _fill(self) -> None:
        before = self.chosen()
        kept = self._door.templates.favourites
        items = []
        faint = QBrush(theme.current().color("disabled"))
        for spec in self._wanted():
            lack = self._hand.lack(spec)
            title = f"{spec.title}  ({lack})" if lack else spec.title
            star = "★" if spec.study in kept else "☆"
            item = QTreeWidgetItem([star, title, spec.family])
            item.setData(TITLE, _STUDY, spec.study)
            if lack:
                item.setForeground(TITLE, faint)
            items.append(item)
        self._fit()
        self.list.clear()
        self.list.addTopLevelItems(items)
        ids = [item.data(TITLE, _STUDY) for item in items]
        if items:
            # What was typed means the nearest one; else what was chosen stays.
            stays = before in ids and not self.search.text()
            self.list.setCurrentItem(items[ids.index(before) if stays else 0])
        self._show_about()

    def _fit(self) -> None:
        """Families stand behind the names where there are several and room for them."""
        family = self.families.currentItem()
        several = family is None or family.text() in (ALL, FAVOURITES)
        room = self.list.width() > look.px(FAMILY_WIDTH * 2)
        self.list.setColumnHidden(FAMILY, not (several and room))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def chosen(self) -> str:
        """Id of the study that is chosen in the list; empty for none."""
        item = self.list.currentItem()
        return str(item.data(TITLE, _STUDY)) if item is not None else ""

    def _show_about(self) -> None:
        spec = self._door.known(self.chosen()) if self.chosen() else None
        self.add.setEnabled(spec is not None)
        if spec is None:
            words = self.search.text().strip()
            self.about.setText(f"No indicator for {words!r}." if words else "")
            return
        self.about.setText(about(spec))

    def _on_double(self, item: QTreeWidgetItem, part: int) -> None:
        if part != STAR:
            self._hand.add(str(item.data(TITLE, _STUDY)))

    def _on_clicked(self, item: QTreeWidgetItem, part: int) -> None:
        if part == STAR:
            self._door.templates.turn_favourite(str(item.data(TITLE, _STUDY)))

    def _add(self) -> None:
        if self.chosen():
            self._hand.add(self.chosen())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrows of the field move in the list; Enter of both adds."""
        if event.type() is QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._add()
                return True
            if watched is self.search and Qt.Key(event.key()) in _ARROWS:
                self.list.event(event)
                return True
        return super().eventFilter(watched, event)

    # -- one's own --------------------------------------------------------------------------
    def _open_folder(self) -> None:
        path = self._hand.own_folder()
        if path:
            QDesktopServices.openUrl(QUrl.fromLocalFile(path))
            self._renew()

    def _show_problems(self) -> None:
        found = sorted(self._door.own_problems.items())
        # Most tell of a line, and name their file themselves.
        text = "\n".join(
            text if text.startswith(name) else f"{name}: {text}" for name, text in found
        )
        if self.problems.text() != text:
            self.problems.setText(text)
            set_role(self.problems, "error" if text else "muted")
