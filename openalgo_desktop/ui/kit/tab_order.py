"""The way of the Tab key: as the layouts read, row by row, whatever was built first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import cast

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QDialogButtonBox,
    QDockWidget,
    QGridLayout,
    QLayout,
    QLineEdit,
    QMainWindow,
    QStackedWidget,
    QTabBar,
    QToolBar,
    QWidget,
)

#: What goes by its own rules inside.
WHOLE = (QAbstractButton, QAbstractItemView, QAbstractSpinBox, QComboBox, QLineEdit, QTabBar)
#: What has a layout that Qt made.
OF_QT = (QDialogButtonBox, QDockWidget, QMainWindow, QStackedWidget, QToolBar)


def in_reading_order(root: QWidget) -> Iterator[QWidget]:
    """All widgets that the layouts below ``root`` hold, outer ones before what is in them.

    Neither items of layouts nor layouts that Qt made itself are asked for: their Python halves
    outlive them, and the next object at such a place ended the program, rarely and much later.
    """
    if isinstance(root, WHOLE):
        return
    direct = root.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly)
    inside = [child for child in direct if not child.isWindow()]
    layout = None if isinstance(root, OF_QT) else root.layout()
    if layout is None:  # of tabs the bar first, whichever side it was built on; else Qt's own order
        found: Iterable[QWidget] = sorted(inside, key=lambda child: not isinstance(child, QTabBar))
    else:
        found = _of_layout(layout, inside)
    for child in found:
        yield child
        yield from in_reading_order(child)


def _of_layout(layout: QLayout, widgets: Sequence[QWidget]) -> Iterator[QWidget]:
    """Those of ``widgets`` that the layout and the ones in it hold."""

    def place(held: QWidget | QLayout) -> tuple[int, ...]:
        at = layout.indexOf(held)
        if at >= 0 and isinstance(layout, QGridLayout):
            return cast(tuple[int, ...], layout.getItemPosition(at))[:2]
        return (at,)

    things: list[QWidget | QLayout] = [*widgets]
    things += [child for child in layout.children() if isinstance(child, QLayout)]
    held = [thing for thing in things if layout.indexOf(thing) >= 0]
    for thing in sorted(held, key=place):
        if isinstance(thing, QLayout):
            yield from _of_layout(thing, widgets)
        else:
            yield thing


def order_tabs(*roots: QWidget) -> None:
    """Make Tab go through ``roots``, one after the other, each in reading order."""
    chain_tabs(widget for root in roots for widget in in_reading_order(root))


def chain_tabs(widgets: Iterable[QWidget]) -> None:
    """Make Tab go through these, as far as they take the focus."""
    stops = [widget for widget in widgets if widget.focusPolicy().value]
    for one, other in pairwise(stops):
        QWidget.setTabOrder(one, other)
