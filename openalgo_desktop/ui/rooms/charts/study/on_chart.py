"""The studies of a chart in a list, and sets of them under names."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QBrush, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QListWidgetItem, QVBoxLayout, QWidget

from openalgo_desktop.core.errors import AppError
from openalgo_desktop.ui.kit import theme
from openalgo_desktop.ui.kit.ask_text import ask_text
from openalgo_desktop.ui.kit.confirm import confirm
from openalgo_desktop.ui.kit.fields import StillCombo
from openalgo_desktop.ui.kit.plain_list import PlainList
from openalgo_desktop.ui.kit.widgets import label, named, plain_tip, push_button

if TYPE_CHECKING:
    from openalgo_desktop.ui.rooms.charts.study.hand import StudyHand

NAME = "dialog-studies-chart"
_IDENT = Qt.ItemDataRole.UserRole


class OnChart(QWidget):
    """Hide, set, move, remove the chosen one; keep all under a name, add a set that was kept."""

    def __init__(self, hand: StudyHand) -> None:
        super().__init__()
        self._hand, self._templates = hand, hand.bridge.studies.templates
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(label("On the chart", f"{NAME}-title", "caption"))
        self.list = PlainList(f"{NAME}-list", "Indicators of the chart", "None yet")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemDoubleClicked.connect(lambda _: self._settings())
        self.list.currentItemChanged.connect(lambda *_: self._show_buttons())
        column.addWidget(self.list, 1)
        self._acts = [
            self._button("Settings…", "settings", "Settings of the chosen one", self._settings),
            self._button("Hide", "hide", "Hide or show the chosen one", self._hide),
            self._button("Move ▾", "move", "Choose its pane", self._move),
            self._button("Remove", "remove", "Remove the chosen one", self._remove),
        ]
        column.addLayout(_row(*self._acts))
        column.addWidget(label("Templates", f"{NAME}-templates-title", "caption"))
        self.names = named(StillCombo(), f"{NAME}-templates", "Templates")
        column.addWidget(self.names)
        self._save = self._button("Save…", "save", "Keep these studies under a name", self._keep)
        self._sets = [
            self._button("Apply", "apply", "Add the studies of the template", self._apply),
            self._button("Delete", "delete", "Delete the template", self._delete),
        ]
        column.addLayout(_row(self._save, *self._sets))
        hand.changed.connect(self.fill)
        hand.bridge.studies.changed.connect(self._fill_names)
        self.fill()
        self._fill_names()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.list.doItemsLayout()  # with the heights of the style that is known only now

    def release(self) -> None:
        """The dialog closes: listen no more."""
        self._hand.changed.disconnect(self.fill)
        self._hand.bridge.studies.changed.disconnect(self._fill_names)

    @staticmethod
    def _button(text: str, ident: str, words: str, call: Callable[[], object]) -> QWidget:
        button = push_button(text, f"{NAME}-{ident}", words, call)
        button.setProperty("role", "tight")
        button.setAutoDefault(False)
        return button

    # -- studies ----------------------------------------------------------------------------
    def fill(self) -> None:
        """All studies of the chart; the chosen one stays chosen."""
        rows = [(wish, self._line(wish.ident)) for wish in self._hand.wishes]
        while self.list.count() > len(rows):
            self.list.takeItem(self.list.count() - 1)
        for number, (wish, (text, tip)) in enumerate(rows):
            item = self.list.item(number)
            words = f"{text}  (hidden)" if wish.hidden else text
            if item is None:
                item = QListWidgetItem(words)  # its height is that of its words
                self.list.addItem(item)
            role = "disabled" if wish.hidden else "down" if tip else "text"
            if item.text() != words:
                item.setText(words)
            item.setToolTip(plain_tip(words))
            item.setData(_IDENT, wish.ident)
            item.setForeground(QBrush(theme.current().color(role)))
        if rows and self.list.currentRow() < 0:
            self.list.setCurrentRow(len(rows) - 1)
        self._show_buttons()

    def _line(self, ident: str) -> tuple[str, str]:
        """Its name with what is wrong with it, and the latter alone."""
        wish = next(row for row in self._hand.wishes if row.ident == ident)
        title, spec = self._hand.title(wish), self._hand.studies.spec(wish)
        if spec is None:
            problem = "there is no such study"
        else:
            problem = self._hand.studies.error(ident) or self._hand.lack(spec)
        return (f"{title}: {problem}" if problem else title), problem

    def chosen(self) -> str:
        """Ident of the chosen one; empty for none."""
        item = self.list.currentItem()
        return str(item.data(_IDENT)) if item is not None else ""

    def choose(self, ident: str) -> None:
        """Choose the study of that ident."""
        for number in range(self.list.count()):
            if self.list.item(number).data(_IDENT) == ident:
                self.list.setCurrentRow(number)

    def _show_buttons(self) -> None:
        for button in self._acts:
            button.setEnabled(bool(self.chosen()))
        self._save.setEnabled(bool(self._hand.wishes))

    def _settings(self) -> None:
        if self.chosen():
            self._hand.open_settings(self.chosen())

    def _hide(self) -> None:
        self._hand.hide(self.chosen())

    def _remove(self) -> None:
        self._hand.remove(self.chosen())

    def _move(self) -> None:
        if self.chosen():
            button = self._acts[2]
            at = button.mapToGlobal(button.rect().bottomLeft())
            self._hand.show_homes(self.chosen(), at)

    # -- templates --------------------------------------------------------------------------
    def _fill_names(self) -> None:
        names = self._templates.names
        if names != [self.names.itemText(row) for row in range(self.names.count())]:
            chosen = self.names.currentText()
            self.names.clear()
            self.names.addItems(names)
            self.names.setCurrentIndex(names.index(chosen) if chosen in names else len(names) - 1)
        for part in (self.names, *self._sets):
            part.setEnabled(bool(names))

    def _keep(self) -> None:
        def take(name: str) -> None:
            self._templates.save(name[:40], self._hand.wishes)
            self.names.setCurrentText(name[:40].strip())

        there = self._templates.names.__contains__
        now = self.names.currentText()
        self._hand.spawn(ask_text(self, "Template", "Name", now, take, lambda n: there(n[:40])))

    def _apply(self) -> None:
        try:
            self._hand.apply_template(self.names.currentText())
        except AppError as error:
            self._hand.said(error.message)

    def _delete(self) -> None:
        self._hand.spawn(self._confirmed(self.names.currentText()))

    async def _confirmed(self, name: str) -> None:
        words = f"{name} is forgotten; the indicators of charts stay."
        if await confirm(self, "Delete the template?", words, "Delete"):
            self._templates.delete(name)


def _row(*parts: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(4)
    for part in parts:
        row.addWidget(part)
    row.addStretch(1)
    return row
