"""The way of the Tab key: as the layouts read, row by row, whatever was built first."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QGridLayout,
    QLayout,
    QLineEdit,
    QTabBar,
    QWidget,
)

#: What goes by its own rules inside.
WHOLE = (QAbstractButton, QAbstractItemView, QAbstractSpinBox, QComboBox, QLineEdit, QTabBar)


def in_reading_order(root: QWidget) -> Iterator[QWidget]:
    """All widgets that the layouts below ``root`` hold, outer ones before what is in them."""
    if isinstance(root, WHOLE):
        return
    layout = root.layout()
    if layout is not None:
        yield from _of_layout(layout)
        return
    # Of tabs the bar first, whichever side it was built on; else Qt's own order. Widgets only:
    # wrappers of Qt's inner objects outlive them, and the next change of the text size crashed.
    direct = root.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly)
    for child in sorted(direct, key=lambda child: not isinstance(child, QTabBar)):
        if not child.isWindow():
            yield child
            yield from in_reading_order(child)


def _of_layout(layout: QLayout) -> Iterator[QWidget]:
    places = range(layout.count())
    if isinstance(layout, QGridLayout):
        grid = layout
        places_by_cell = sorted(places, key=lambda at: grid.getItemPosition(at)[:2])  # type: ignore[index]
    else:
        places_by_cell = list(places)
    for place in places_by_cell:
        item = layout.itemAt(place)
        if item is None:
            continue
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            yield widget
            yield from in_reading_order(widget)
        elif inner is not None:
            yield from _of_layout(inner)


def order_tabs(*roots: QWidget) -> None:
    """Make Tab go through ``roots``, one after the other, each in reading order."""
    found = (widget for root in roots for widget in in_reading_order(root))
    stops = [widget for widget in found if widget.focusPolicy().value]
    for one, other in pairwise(stops):
        QWidget.setTabOrder(one, other)
