"""Small helpers that every dock and dialog uses to build its controls."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QKeySequence, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QCompleter,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLineEdit,
    QMainWindow,
    QMenuBar,
    QPlainTextEdit,
    QPushButton,
    QTabBar,
    QTabWidget,
    QToolBar,
    QToolButton,
    QWidget,
)

W = TypeVar("W", bound=QWidget)


def slug(text: str) -> str:
    """``Close all`` -> ``close-all``: the middle of an object name."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def named(widget: W, object_name: str, accessible_name: str, description: str = "") -> W:
    """Give a control the two names that each control has; returns the control."""
    widget.setObjectName(object_name)
    widget.setAccessibleName(accessible_name)
    if description:
        widget.setAccessibleDescription(description)
    return widget


#: What a user can operate; each of these has an object name and an accessible name.
CONTROLS: tuple[type[QWidget], ...] = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QTabBar,
)
#: Widgets that make controls of their own, which only Qt can see.
COMPOSITES = (
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QDialogButtonBox,
    QLineEdit,
    QMainWindow,
    QMenuBar,
    QTabBar,
    QTabWidget,
    QToolBar,
)


def controls(root: QWidget) -> list[QWidget]:
    """All controls below ``root``."""
    return [child for kind in CONTROLS for child in root.findChildren(kind)]


def name_inner_controls(root: QWidget) -> None:
    """Name the parts that Qt makes inside composite widgets (clear buttons, header views ...)
    after the composite that they belong to. Controls of ours must have names of their own."""
    for control in controls(root):
        owner = control.parentWidget()
        while owner is not None and not (isinstance(owner, COMPOSITES) and owner.objectName()):
            if owner.objectName() and not owner.objectName().startswith("qt_"):
                owner = None
                break
            owner = owner.parentWidget()
        if owner is None or (control.objectName() and control.accessibleName()):
            continue
        kind = slug(type(control).__name__.removeprefix("Q"))
        if not control.objectName():
            control.setObjectName(f"{owner.objectName()}-{kind}")
        if not control.accessibleName():
            base = owner.accessibleName() or owner.objectName()
            control.setAccessibleName(f"{base}, {kind}")


def push_button(
    text: str, object_name: str, accessible_name: str, on_click: Callable[[], object]
) -> QPushButton:
    """A push button wired to a call without arguments."""
    button = named(QPushButton(text), object_name, accessible_name)
    button.clicked.connect(lambda _checked: on_click())
    return button


def tool_button(action: QAction, object_name: str) -> QToolButton:
    """A flat button that shows and triggers ``action``."""
    button = QToolButton()
    button.setDefaultAction(action)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
    return named(button, object_name, action.toolTip() or action.text())


def label(text: str, object_name: str, role: str = "") -> QLabel:
    """A label of plain text; ``role`` is a style role of the theme (``muted``, ``caption`` ...).

    Labels are made here only: Qt would render a text from outside that looks like HTML, and fetch
    the files that it names.
    """
    result = QLabel()
    result.setTextFormat(Qt.TextFormat.PlainText)
    result.setText(text)
    result.setObjectName(object_name)
    if role:
        result.setProperty("role", role)
    return result


def plain_tip(text: str) -> str:
    """A tooltip that shows ``text`` as it is; Qt takes what looks like HTML for HTML."""
    if "<" not in text and "&" not in text:
        return text
    return f"<p style='white-space:pre-wrap'>{html.escape(text)}</p>"


def make_searchable(box: QComboBox) -> None:
    """Typing into the box offers the items that contain the text; anything else is dropped."""
    box.setEditable(True)
    box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
    line, completer = box.lineEdit(), box.completer()
    assert line is not None and completer is not None
    named(line, f"{box.objectName()}-search", f"{box.accessibleName()}, search")
    completer.setFilterMode(Qt.MatchFlag.MatchContains)
    completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
    completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)

    def settle() -> None:
        found = box.findText(line.text(), Qt.MatchFlag.MatchContains)
        if line.text() and found >= 0:
            box.setCurrentIndex(found)
        line.setText(box.itemText(box.currentIndex()))
        line.setCursorPosition(0)

    # A name that is too long for the box is shown from its beginning.
    box.currentIndexChanged.connect(lambda _: line.setCursorPosition(0))
    line.editingFinished.connect(settle)


class Totals(QWidget):
    """Captions and numbers in a line, each number in its own tone; in two columns where the line
    has no room."""

    GAP = 14

    def __init__(self, object_name: str, captions: Sequence[str]) -> None:
        super().__init__()
        self.setObjectName(object_name)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(self.GAP)
        self._grid.setVerticalSpacing(2)
        self._grid.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        self.numbers: list[QLabel] = []
        self._pairs: list[QWidget] = []
        for caption in captions:
            name = f"{object_name}-{slug(caption)}"
            pair = QWidget()
            row = QHBoxLayout(pair)
            row.setContentsMargins(0, 0, 0, 0)
            row.setSpacing(6)
            row.addWidget(label(caption, f"{name}-caption", "caption"))
            number = label("", name, "footer")
            number.setAccessibleName(caption)
            row.addWidget(number)
            row.addStretch(1)
            self.numbers.append(number)
            self._pairs.append(pair)
        self._columns = 0
        self._arrange(len(captions))

    def _arrange(self, columns: int) -> None:
        if columns == self._columns:
            return
        self._grid.setColumnStretch(self._columns, 0)
        self._columns = columns
        for index, pair in enumerate(self._pairs):
            self._grid.addWidget(pair, index // columns, index % columns)
        self._grid.setColumnStretch(columns, 1)
        self.updateGeometry()

    def _width(self, columns: int) -> int:
        """What it needs in so many columns."""
        widths = [pair.sizeHint().width() for pair in self._pairs]
        parts = [max(widths[column::columns]) for column in range(columns)]
        return sum(parts) + self.GAP * columns

    def _height(self) -> int:
        rows = -(-len(self._pairs) // self._columns)
        return rows * self._pairs[0].sizeHint().height() + 2 * (rows - 1)

    def sizeHint(self) -> QSize:
        return QSize(self._width(len(self._pairs)), self._height())

    def minimumSizeHint(self) -> QSize:
        return QSize(self._width(2), self._height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fold()

    def _fold(self) -> None:
        fits = self._width(len(self._pairs)) <= self.width()
        self._arrange(len(self._pairs) if fits else 2)

    def show_numbers(self, *numbers: tuple[str, str]) -> None:
        """Text and tone of each number."""
        for part, (text, tone) in zip(self.numbers, numbers, strict=True):
            if part.text() != text:
                part.setText(text)
            set_role(part, tone, "tone")
        self._fold()


def set_role(widget: QWidget, role: str, name: str = "role") -> None:
    """Change a style property and let the style sheet see it; no work when unchanged."""
    if widget.property(name) == role:
        return
    widget.setProperty(name, role)
    if not widget.testAttribute(Qt.WidgetAttribute.WA_WState_Polished):
        return  # before it is shown first the sheet reads the property anyway
    style = widget.style()
    style.unpolish(widget)
    style.polish(widget)


def copy_text(text: str) -> None:
    """Put plain text on the clipboard."""
    QApplication.clipboard().setText(text)


def shortcut_text(sequence: str) -> str:
    """A shortcut as this platform writes it."""
    text = QKeySequence(sequence).toString(QKeySequence.SequenceFormat.NativeText)
    return text.replace("Return", "Enter")  # as it is printed on the key
