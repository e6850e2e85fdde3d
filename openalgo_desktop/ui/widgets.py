"""Small helpers that every dock and dialog uses to build its controls."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialogButtonBox,
    QLabel,
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
    """A label; ``role`` is a style role of the theme (``muted``, ``caption``, ``number`` ...)."""
    result = QLabel(text)
    result.setObjectName(object_name)
    if role:
        result.setProperty("role", role)
    return result


def set_role(widget: QWidget, role: str, name: str = "role") -> None:
    """Change a style property and let the style sheet see it; no work when unchanged."""
    if widget.property(name) == role:
        return
    widget.setProperty(name, role)
    style = widget.style()
    style.unpolish(widget)
    style.polish(widget)


def copy_text(text: str) -> None:
    """Put plain text on the clipboard."""
    QApplication.clipboard().setText(text)


def shortcut_text(sequence: str) -> str:
    """A shortcut as this platform writes it."""
    return QKeySequence(sequence).toString(QKeySequence.SequenceFormat.NativeText)
