"""A menu of colours: those of the theme by role, which change with it, and fixed ones."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QColorDialog, QGridLayout, QMenu, QToolButton, QWidget, QWidgetAction

from openalgo_desktop.core.charting.drawings.model import Colour
from openalgo_desktop.ui.chart.drawings.ink import colour
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.widgets import named, plain_tip, push_button, slug

ROLES = {
    "accent": "Blue",
    "up": "Profit",
    "down": "Loss",
    "link-2": "Amber",
    "link-4": "Violet",
    "link-5": "Pink",
    "link-6": "Grey blue",
    "text": "Text",
    "muted": "Grey",
}
FIXED = (
    *("#e53935", "#fb8c00", "#fdd835", "#43a047", "#00897b", "#1e88e5"),
    *("#3949ab", "#8e24aa", "#d81b60", "#6d4c41", "#546e7a", "#ffffff"),
)
SIDE, COLUMNS = 20, 7


def swatch(name: Colour, side: int = SIDE) -> QIcon:
    """A filled square in a colour; of none, a crossed one."""
    size = look.px(side)
    made = QPixmap(size, size)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.setPen(colour("border-strong"))
    painter.setBrush(colour(name) if name else Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(0, 0, size - 1, size - 1, 3, 3)
    if not name:
        painter.drawLine(2, size - 3, size - 3, 2)
    painter.end()
    return QIcon(made)


def colour_menu(
    parent: QWidget, name: str, take: Callable[[Colour], None], none: bool = False
) -> QMenu:
    """Colours to choose from; with ``none`` also no colour at all."""
    menu = named(QMenu(parent), f"{name}-menu", "Colour")
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    frame = QWidget()
    grid = QGridLayout(frame)
    grid.setContentsMargins(8, 8, 8, 8)
    grid.setSpacing(4)

    def chosen(value: Colour) -> None:
        menu.close()
        take(value)

    rows = [*ROLES.items(), *((value, value) for value in FIXED)]
    if none:
        rows.append(("", "None"))
    for number, (value, text) in enumerate(rows):
        button = named(QToolButton(), f"{name}-{slug(text)}", text)
        button.setIcon(swatch(value))
        button.setIconSize(QSize(look.px(SIDE), look.px(SIDE)))
        button.setAutoRaise(True)
        button.setToolTip(plain_tip(text))
        button.clicked.connect(lambda _on, value=value: chosen(value))
        grid.addWidget(button, number // COLUMNS, number % COLUMNS)

    def other() -> None:
        menu.close()
        dialog = QColorDialog(parent)
        dialog.setOption(QColorDialog.ColorDialogOption.DontUseNativeDialog)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.colorSelected.connect(lambda made: take(QColor(made).name()))
        dialog.open()

    more = push_button("Another colour…", f"{name}-other", "Another colour", other)
    grid.addWidget(more, grid.rowCount(), 0, 1, COLUMNS)
    action = QWidgetAction(menu)
    action.setDefaultWidget(frame)
    menu.addAction(action)
    return menu
