"""The tool box: a button for each family of tools with the one used last, favourites, modes.

A click takes the tool; a press that is held, a right click or Down shows the whole family.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPolygon,
    QResizeEvent,
)
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolButton, QWidget

from openalgo_desktop.core.charting.drawings.magnet import Magnet
from openalgo_desktop.core.charting.drawings.model import Family, Tool
from openalgo_desktop.core.charting.drawings.tools import by_family, tools
from openalgo_desktop.ui.chart.drawings.board import Board
from openalgo_desktop.ui.chart.drawings.icons import icon_of
from openalgo_desktop.ui.chart.drawings.tool_search import ToolSearch
from openalgo_desktop.ui.kit import icons, look, theme
from openalgo_desktop.ui.kit.tab_order import chain_tabs
from openalgo_desktop.ui.kit.widgets import named, plain_tip, shortcut_text, slug

#: Side of a button at a text scale of 100 per cent, and room around it, pixels.
SIDE, EDGE = 28, 3
_MAGNETS = (Magnet.OFF, Magnet.WEAK, Magnet.STRONG)
_MAGNET_TEXT = {
    Magnet.OFF: "Magnet: off",
    Magnet.WEAK: "Magnet: takes the open, high, low or close of a bar when near",
    Magnet.STRONG: "Magnet: always takes the open, high, low or close of the bar",
}


class ToolButton(QToolButton):
    """A flat button; one with ``more`` has a corner that says so."""

    more_wanted = Signal(QPoint)

    def __init__(self, object_name: str, accessible_name: str, more: bool = False) -> None:
        super().__init__()
        named(self, object_name, accessible_name)
        self._more = more
        self.setProperty("role", "draw-tool")
        self.setAutoRaise(True)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keys to the chart

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._more:
            painter = QPainter(self)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.current().color("muted"))
            x, y = self.width() - 3, self.height() - 3
            painter.drawPolygon(QPolygon([QPoint(x, y), QPoint(x - 4, y), QPoint(x, y - 4)]))
            painter.end()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self._more:
            self.more_wanted.emit(self._beside())
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._more and event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Right):
            self.more_wanted.emit(self._beside())
        else:
            super().keyPressEvent(event)

    def _beside(self) -> QPoint:
        return self.mapToGlobal(QPoint(self.width() + 2, 0))


class ToolBox(QWidget):
    """Stands left of a chart; in a low one in several columns."""

    objects_wanted = Signal()  # show or hide the list of objects

    def __init__(self, board: Board, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, f"{name}-tools", "Drawing tools")
        self._board, self._name = board, name
        self._last = {family: rows[0] for family, rows in by_family().items()}
        self._families: dict[Family, ToolButton] = {}
        self._favourites: dict[str, ToolButton] = {}
        self._columns = 0
        self._order: list[ToolButton] = []  # in which Tab goes through them
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Ignored)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.search = self._mode("search", "Find a tool", "search", self._find)
        self.search.setCheckable(False)
        for family in Family:
            button = self._button(slug(family.value), family.value, more=True)
            button.clicked.connect(lambda _on, family=family: self._take(self._last[family]))
            button.more_wanted.connect(lambda at, family=family: self._show_family(family, at))
            self._families[family] = button
        self._families[Family.STUDIES].hide()
        self.magnet = self._mode("magnet", "Magnet", "magnet", self._turn_magnet)
        self.stay = self._mode("stay", "Stay in the tool", "pencil-stay", self._turn_stay)
        self.lock = self._mode("lock", "Lock all drawings", "lock", self._turn_lock)
        self.hide_all = self._mode("hide", "Hide all drawings", "eye", self._turn_hidden)
        self.objects = self._mode("objects", "List of drawings", "list", self._want_objects)
        board.tool_changed.connect(self._show)
        self._show()

    def _button(self, ident: str, text: str, more: bool = False) -> ToolButton:
        button = ToolButton(f"{self._name}-tool-{ident}", text, more)
        button.setParent(self)
        button.setToolTip(plain_tip(text))
        return button

    def _mode(self, ident: str, text: str, symbol: str, call: object) -> ToolButton:
        button = self._button(ident, text)
        icons.put(button, symbol)
        button.clicked.connect(call)
        return button

    # -- tools ------------------------------------------------------------------------------
    def _take(self, tool: Tool) -> None:
        """Take a tool in hand; the one in hand is put away."""
        self._last[tool.family] = tool
        self._board.take(None if self._board.tool is tool else tool)
        self._show()

    def _show_family(self, family: Family, at: QPoint) -> None:
        menu = named(QMenu(self), f"{self._name}-tool-menu", family.value)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)
        for tool in by_family()[family]:
            key = f"\t{shortcut_text(tool.key)}" if tool.key else ""
            action = menu.addAction(icon_of(tool), f"{tool.title}{key}")
            action.setObjectName(f"{self._name}-tool-menu-{tool.tool}")
            action.setToolTip(plain_tip(tool.help or tool.title))
            action.triggered.connect(lambda _on=False, tool=tool: self._take(tool))
        menu.addSeparator()
        last = self._last[family]
        kept = last.tool in self._board.favourites
        words = f"Take {last.title} from the favourites" if kept else f"Keep {last.title} in sight"
        star = menu.addAction(words)
        star.setObjectName(f"{self._name}-tool-menu-favourite")
        star.triggered.connect(lambda: self._board.set_favourite(last.tool, not kept))
        menu.popup(at)

    def _find(self) -> None:
        self.find_at(self.search.mapToGlobal(QPoint(self.search.width() + 2, 0)))

    def find_at(self, at: QPoint) -> None:
        """Ask for a tool by its name, at a place of the screen."""
        over = self if self.isVisible() else self.parentWidget() or self
        search = ToolSearch(self._name, over, lambda tool: self.offers(tool.family), self._take)
        search.open_at(at)

    # -- modes ------------------------------------------------------------------------------
    def _turn_magnet(self) -> None:
        now = _MAGNETS.index(self._board.magnet)
        self._board.set_mode(magnet=_MAGNETS[(now + 1) % len(_MAGNETS)])

    def _turn_stay(self) -> None:
        self._board.set_mode(stay=not self._board.stay)

    def _turn_lock(self) -> None:
        self._board.set_mode(locked=not self._board.locked)

    def _turn_hidden(self) -> None:
        self._board.set_mode(hidden=not self._board.hidden)

    def _want_objects(self) -> None:
        self.objects.setChecked(False)
        self.objects_wanted.emit()

    # -- looks ------------------------------------------------------------------------------
    def _show(self) -> None:
        """As the board says."""
        board, hand = self._board, self._board.tool
        if hand is not None:
            self._last[hand.family] = hand
        for family, button in self._families.items():
            tool = self._last[family]
            self._dress(button, tool, f"{family.value}: {tool.title}")
            button.setChecked(hand is not None and hand.family is family)
        for ident in [ident for ident in self._favourites if ident not in board.favourites]:
            self._favourites.pop(ident).deleteLater()
        for ident in board.favourites:
            if ident not in self._favourites:
                tool = tools()[ident]
                button = self._button(f"favourite-{ident}", tool.title)
                button.clicked.connect(lambda _on, tool=tool: self._take(tool))
                button.show()
                self._favourites[ident] = button
            self._dress(self._favourites[ident], tools()[ident], tools()[ident].title)
            self._favourites[ident].setChecked(hand is not None and hand.tool == ident)
        self.magnet.setChecked(board.magnet is not Magnet.OFF)
        self.magnet.setToolTip(plain_tip(_MAGNET_TEXT[board.magnet]))
        icons.put(self.magnet, "magnet", "accent" if board.magnet is Magnet.STRONG else "muted")
        self.stay.setChecked(board.stay)
        self.lock.setChecked(board.locked)
        self.hide_all.setChecked(board.hidden)
        self._place()

    def offer_studies(self) -> None:
        """Show the tools that anchor a study, on a chart that has studies."""
        self._families[Family.STUDIES].show()
        self._place()

    def offers(self, family: Family) -> bool:
        """Whether the tools of a family are among its own."""
        return not self._families[family].isHidden()

    @staticmethod
    def _dress(button: ToolButton, tool: Tool, text: str) -> None:
        button.setIcon(icon_of(tool))
        button.setIconSize(QSize(look.px(18), look.px(18)))
        key = f" ({shortcut_text(tool.key)})" if tool.key else ""
        button.setToolTip(plain_tip(f"{text}{key}"))
        button.setAccessibleName(text)

    @property
    def _buttons(self) -> list[ToolButton]:
        modes = [self.magnet, self.stay, self.lock, self.hide_all, self.objects]
        families = (one for one in self._families.values() if not one.isHidden())
        return [self.search, *self._favourites.values(), *families, *modes]

    def _place(self) -> None:
        side = max(look.px(SIDE), look.density().target)
        buttons = self._buttons
        rows = max(1, (self.height() - EDGE) // side)
        columns = -(-len(buttons) // rows) if self.height() > side else 1
        for number, button in enumerate(buttons):
            column, row = divmod(number, rows)
            button.setGeometry(EDGE + column * side, EDGE + row * side, side, side)
        if buttons != self._order:
            self._order = buttons
            chain_tabs(buttons)
        width = columns * side + 2 * EDGE
        if width != self.width() or columns != self._columns:
            self._columns = columns
            self.setFixedWidth(width)

    def columns_in(self, height: int) -> int:
        """How many columns it takes where it is so high."""
        side = max(look.px(SIDE), look.density().target)
        return -(-len(self._buttons) // max(1, (height - EDGE) // side))

    def minimumSizeHint(self) -> QSize:
        return QSize(look.px(SIDE) + 2 * EDGE, look.px(SIDE))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self._show()
