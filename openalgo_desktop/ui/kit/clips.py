"""Finds texts that are cut: labels, buttons, tabs, titles and cells of tables, fields, groups.

A text may be cut on purpose where its tooltip has the whole of it and the widget is marked
(:func:`may_elide`, or ``elides`` of a table's column). All else that does not fit is a fault.
What paints texts itself says so by :class:`PaintsText`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar, cast

from PySide6.QtCore import QModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QDockWidget,
    QGroupBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QListView,
    QMenuBar,
    QProgressBar,
    QScrollArea,
    QStyle,
    QStyleOptionComboBox,
    QStyleOptionFrame,
    QTabBar,
    QTableView,
    QToolBar,
    QToolButton,
    QWidget,
)

from openalgo_desktop.ui.kit import fonts
from openalgo_desktop.ui.kit.tables import FastTableView
from openalgo_desktop.ui.kit.tables.fastview import ACTION_GAP
from openalgo_desktop.ui.kit.tables.ink import HEADER_PIXELS
from openalgo_desktop.ui.kit.tables.widths import PADDING

W = TypeVar("W", bound=QWidget)
#: Fractions of a pixel that layouts and font engines may disagree about.
SLACK = 1
#: Room that Qt leaves at either side of the text of a field, and of a cell or tab, pixels.
FIELD_MARGIN, CELL_MARGIN, TAB_MARGIN = 2, 3, 2
MARK, SCROLLS = "elides", "scrolls"
CUT = "…"
_TAGS = re.compile(r"<[^>]*>")


class Clip(NamedTuple):
    """One text that does not fit: where (object names), what kind of thing, needed and there is
    (pixels)."""

    where: str
    kind: str
    text: str
    needs: int
    has: int

    def __str__(self) -> str:
        return f"{self.where}: {self.kind} {self.text!r} needs {self.needs} px and has {self.has}"


class PaintsText(QWidget):
    """A widget that paints texts itself and knows which of them do not fit."""

    def cut_texts(self) -> list[tuple[str, int, int]]:
        """Text, needed and available pixels of each that is cut now."""
        raise NotImplementedError


def may_elide(widget: W) -> W:
    """Mark a widget whose text may be cut, because its tooltip has all of it."""
    widget.setProperty(MARK, True)
    return widget


def may_scroll(bar: QTabBar) -> QTabBar:
    """Mark a bar of tabs that nobody can count beforehand: it scrolls where it must."""
    bar.setProperty(SCROLLS, True)
    return bar


def clips(root: QWidget) -> list[Clip]:
    """All texts below ``root`` (and its own) that are cut and should not be."""
    found: list[Clip] = []
    behind = [
        dock
        for dock in root.findChildren(QDockWidget)
        if dock is not root and dock.visibleRegion().isEmpty()
    ]
    for widget in (root, *root.findChildren(QWidget)):
        seen = widget.isVisibleTo(root) and widget.window() is root.window()
        if seen and not any(dock.isAncestorOf(widget) for dock in behind):
            found += _of(widget)
    return list(dict.fromkeys(found))


def _of(widget: QWidget) -> Iterator[Clip]:
    for kind, check in CHECKS:
        if isinstance(widget, kind):
            for what, text, needs, has in check(widget):
                if needs > has + SLACK and not _on_purpose(widget, text):
                    yield Clip(path(widget), what, text, needs, has)
            return


def path(widget: QWidget) -> str:
    """Names of a widget and of what it is in, outermost first."""
    names = []
    at: QWidget | None = widget
    while at is not None:
        if (name := at.objectName()) and not name.startswith("qt_"):
            names.append(name)
        at = None if at.isWindow() else at.parentWidget()
    return "/".join(reversed(names[:3])) or type(widget).__name__


def _plain(tip: str) -> str:
    return html.unescape(_TAGS.sub("", tip)) if tip.startswith("<") else tip


def _on_purpose(widget: QWidget, text: str) -> bool:
    whole = text.removesuffix(CUT).rstrip()
    return bool(widget.property(MARK)) and whole in _plain(widget.toolTip())


Found = Iterator[tuple[str, str, int, int]]  # kind, text, needed, there


# -- labels and buttons ---------------------------------------------------------------------
def _inside(widget: QWidget, kind: str, text: str) -> Found:
    """What sticks out of its parent is cut there."""
    parent = widget.parentWidget()
    if parent is None or widget.isWindow() or parent.objectName() == "qt_scrollarea_viewport":
        return
    over, box = widget.geometry(), parent.rect()
    if over.right() > box.right():
        yield f"{kind} beyond the edge", text, over.right(), box.right()
    if over.bottom() > box.bottom():
        yield f"{kind} below the edge", text, over.bottom(), box.bottom()


def _label(widget: QWidget) -> Found:
    label = cast(QLabel, widget)
    text = label.text()
    if not text.strip():
        return
    if label.wordWrap():
        yield "label (height)", text, label.heightForWidth(label.width()), label.height()
        word = max(text.split(), key=len)
        room = label.contentsRect().width()
        yield "label (word)", text, label.fontMetrics().horizontalAdvance(word), room
    else:
        yield from _by_hint(label, "label", text, label.sizeHint())
    yield from _elided(label, text)
    yield from _inside(label, "label", text)


#: ``Loading…``
_AT_WORK = re.compile(f"[A-Z][a-z]+ing{CUT}")


def _elided(widget: QWidget, text: str) -> Found:
    """A text that was cut before it was set. A button may also promise a dialog that way; what its
    tooltip has more of tells the two apart. A word for what goes on is whole, too."""
    cut = text.endswith(CUT) and _AT_WORK.fullmatch(text) is None
    if isinstance(widget, QAbstractButton):
        cut = cut and text.removesuffix(CUT).rstrip() in _plain(widget.toolTip())
    if cut:
        yield "elided text", text, widget.width() + 2 * SLACK, widget.width()


def _by_hint(widget: QWidget, kind: str, text: str, hint: QSize) -> Found:
    yield kind, text, hint.width(), widget.width()
    yield f"{kind} (height)", text, hint.height(), widget.height() + 2


def _button(widget: QWidget) -> Found:
    button = cast(QAbstractButton, widget)
    text = button.text().replace("&&", "&")
    if not text or (isinstance(button, QToolButton) and _shows_no_text(button)):
        return
    yield from _by_hint(button, "button", text, button.sizeHint())
    yield from _elided(button, text)
    yield from _inside(button, "button", text)


def _shows_no_text(button: QToolButton) -> bool:
    only_icon = button.toolButtonStyle() is Qt.ToolButtonStyle.ToolButtonIconOnly
    return only_icon and not button.icon().isNull()


def _group(widget: QWidget) -> Found:
    box = cast(QGroupBox, widget)
    width = box.fontMetrics().horizontalAdvance(box.title())
    yield "group", box.title(), width + 2 * CELL_MARGIN, box.width()


def _progress(widget: QWidget) -> Found:
    bar = cast(QProgressBar, widget)
    if bar.isTextVisible():
        width = bar.fontMetrics().horizontalAdvance(bar.text())
        yield "bar", bar.text(), width, bar.contentsRect().width()


# -- fields ---------------------------------------------------------------------------------
def _line(widget: QWidget) -> Found:
    line = cast(QLineEdit, widget)
    owner = line.parentWidget()
    text = line.displayText() or line.placeholderText()
    if isinstance(owner, QAbstractSpinBox):
        room, kind = line.contentsRect().width(), "spin box"
        if owner.specialValueText() and text == owner.specialValueText():
            kind = "spin box (special)"
    else:
        option = QStyleOptionFrame()
        option.initFrom(line)
        option.lineWidth = 1
        area = line.style().subElementRect(QStyle.SubElement.SE_LineEditContents, option, line)
        margins = line.textMargins()
        room, kind = area.width() - margins.left() - margins.right(), "field"
        room -= sum(child.width() for child in line.findChildren(QToolButton) if child.isVisible())
    width = line.fontMetrics().horizontalAdvance(text)
    yield kind, text, width + 2 * FIELD_MARGIN, room
    yield f"{kind} (height)", text, line.fontMetrics().height(), line.height()
    yield from _inside(line, kind, text)


def _combo(widget: QWidget) -> Found:
    box = cast(QComboBox, widget)
    if box.isEditable():
        return  # its field is looked at by itself
    option = QStyleOptionComboBox()
    option.initFrom(box)
    option.editable = False
    option.frame = True
    area = box.style().subControlRect(
        QStyle.ComplexControl.CC_ComboBox,
        option,
        QStyle.SubControl.SC_ComboBoxEditField,
        box,
    )
    text = box.currentText()
    width = box.fontMetrics().horizontalAdvance(text)
    if not box.itemIcon(box.currentIndex()).isNull():
        width += box.iconSize().width() + 4
    yield "combo box", text, width, area.width()
    yield from _inside(box, "combo box", text)


# -- tabs and bars --------------------------------------------------------------------------
def _tabs(widget: QWidget) -> Found:
    bar = cast(QTabBar, widget)
    metrics = bar.fontMetrics()
    for index in range(bar.count()):
        text = bar.tabText(index).replace("&&", "&")
        if bar.isTabVisible(index) and not _tip_has(bar.tabToolTip(index), text, bar):
            width = metrics.horizontalAdvance(text) + 2 * TAB_MARGIN
            yield "tab", text, width, bar.tabRect(index).width()
    scrolls = [child for child in bar.findChildren(QToolButton) if child.isVisibleTo(bar)]
    if scrolls and bar.count() and not bar.property(SCROLLS):
        last = bar.tabRect(bar.count() - 1)
        yield "tabs behind scroll buttons", bar.tabText(0), last.right(), bar.width() - 1


def _tip_has(tip: str, text: str, marked: QWidget) -> bool:
    return bool(marked.property(MARK)) and text in _plain(tip)


def _extension(widget: QWidget) -> Found:
    """The arrow of a tool bar or menu bar behind which the rest is hidden."""
    for child in widget.findChildren(QToolButton):
        if child.objectName().endswith("_ext_button") and child.isVisibleTo(widget):
            yield "hidden behind an arrow", widget.objectName(), widget.sizeHint().width(), 0


def _scroll(widget: QWidget) -> Found:
    """A page wider than its area: cut, or scrolled to the side with its buttons out of sight."""
    area = cast(QScrollArea, widget)
    inside = area.widget()
    if inside is not None:
        yield "page", inside.objectName(), inside.width(), area.viewport().width()


# -- tables ---------------------------------------------------------------------------------
def _header(widget: QWidget) -> Found:
    header = cast(QHeaderView, widget)
    model = header.model()
    if header.orientation() is not Qt.Orientation.Horizontal or model is None:
        return
    metrics = QFontMetrics(fonts.text_font(HEADER_PIXELS, QFont.Weight.Medium))
    for section in range(header.count()):
        if header.isSectionHidden(section):
            continue
        text = str(model.headerData(section, header.orientation()) or "")
        width = metrics.horizontalAdvance(text)
        yield "table title", text, width + 2 * PADDING, header.sectionSize(section)
    yield "table title (height)", "", metrics.height(), header.height()


def _fast_table(widget: QWidget) -> Found:
    view = cast(FastTableView, widget)
    columns = _columns(view)
    for row in _rows(view):
        cells = view.table.store.cells(row)
        for index, column in enumerate(view.table.columns):
            text = cells.texts[index]
            if not text or index not in columns:
                continue
            if column.actions is not None:
                widths = [view.ink.text(a.text)[1] for a in column.actions(view.table.row_at(row))]
                width = PADDING + sum(widths) + ACTION_GAP * (len(widths) - 1)
                yield f"links in {column.title}", text, width, view.columnWidth(index)
                continue
            tip = str(view.table.index(row, index).data(Qt.ItemDataRole.ToolTipRole) or "")
            if column.elides and text in _plain(tip):
                continue
            width = view.ink.text(text)[1] + 2 * PADDING
            yield f"cell of {column.title or column.key}", text, width, view.columnWidth(index)
    yield "row (height)", "", view.ink.metrics.height(), view.row_height


def _rows(view: QTableView) -> range:
    count = view.model().rowCount()
    first, last = view.rowAt(0), view.rowAt(view.viewport().height() - 1)
    return range(max(0, first), count if last < 0 else last + 1) if count else range(0)


def _columns(view: QTableView) -> set[int]:
    """Columns in sight: what is scrolled away gets its width when it comes into sight."""
    width = view.viewport().width()
    return {
        index
        for index in range(view.model().columnCount())
        if not view.isColumnHidden(index)
        and view.columnViewportPosition(index) < width
        and view.columnViewportPosition(index) + view.columnWidth(index) > 0
    }


def _table(widget: QWidget) -> Found:
    view = cast(QTableView, widget)
    model = view.model()
    if model is None:
        return
    for row in _rows(view):
        for column in range(model.columnCount()):
            if not view.isColumnHidden(column):
                yield from _cell(view, model.index(row, column), view.columnWidth(column))


def _cell(view: QAbstractItemView, index: QModelIndex, room: int) -> Found:
    text = str(index.data(Qt.ItemDataRole.DisplayRole) or "")
    if not text or view.indexWidget(index) is not None:
        return
    if _tip_has(str(index.data(Qt.ItemDataRole.ToolTipRole) or ""), text, view):
        return
    font = index.data(Qt.ItemDataRole.FontRole)
    metrics = QFontMetrics(font) if isinstance(font, QFont) else view.fontMetrics()
    width = max(metrics.horizontalAdvance(line) for line in text.split("\n"))
    yield "cell", text, width + 2 * CELL_MARGIN, room


def _list(widget: QWidget) -> Found:
    view = cast(QListView, widget)
    model = view.model()
    if model is None:
        return
    for row in range(model.rowCount()):
        index = model.index(row, view.modelColumn())
        area: QRect = view.visualRect(index)
        if area.intersects(view.viewport().rect()):
            yield from _cell(view, index, min(area.right() + 1, view.viewport().width()))


def _painted(widget: QWidget) -> Found:
    for text, needs, has in cast(PaintsText, widget).cut_texts():
        yield "painted text", text, needs, has


#: The first that fits decides.
CHECKS: tuple[tuple[type[QWidget], Callable[[QWidget], Found]], ...] = (
    (PaintsText, _painted),
    (FastTableView, _fast_table),
    (QHeaderView, _header),
    (QTableView, _table),
    (QListView, _list),
    (QLabel, _label),
    (QAbstractButton, _button),
    (QLineEdit, _line),
    (QComboBox, _combo),
    (QTabBar, _tabs),
    (QGroupBox, _group),
    (QProgressBar, _progress),
    (QScrollArea, _scroll),
    (QToolBar, _extension),
    (QMenuBar, _extension),
)
