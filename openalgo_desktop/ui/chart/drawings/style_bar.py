"""The bar over a chart while drawings are chosen: colour, width, text, lock, delete and more."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QToolButton, QWidget

from openalgo_desktop.core.charting.drawings.model import Dash, Drawing, Style
from openalgo_desktop.core.charting.drawings.values import names_of
from openalgo_desktop.ui.chart.drawings.board import Board
from openalgo_desktop.ui.chart.drawings.swatches import colour_menu, swatch
from openalgo_desktop.ui.engine.drawings import FIRST
from openalgo_desktop.ui.kit import icons, look
from openalgo_desktop.ui.kit.widgets import named, plain_tip

WIDTHS = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
OPACITIES = (0.05, 0.1, 0.2, 0.35, 0.6, 1.0)
FONTS = (10, 12, 14, 16, 20, 28)
DASHES = {Dash.SOLID: "Solid", Dash.DASH: "Dashed", Dash.DOT: "Dotted"}
#: From the lower edge of the prices, at a text scale of 100 per cent, pixels.
FOOT = 6


class StyleBar(QFrame):
    """A child of the chart's view. What it offers is for all chosen drawings at once."""

    settings_wanted = Signal(str)  # ident
    text_wanted = Signal(str)
    alert_wanted = Signal(object)  # Drawing
    ticket_wanted = Signal(object)  # Drawing: the ticket with its prices
    template_name_wanted = Signal(object)  # Drawing: ask for the name of a template of its style

    def __init__(self, board: Board, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.area: Callable[[], QRect] = parent.rect  # of the parent, where the bar stands
        named(self, f"{name}-style-bar", "Style of the chosen drawings")
        self.setProperty("role", "palette")
        self._board, self._name = board, name
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 3, 4, 3)
        row.setSpacing(1)
        self._row = row
        self._wanted: list[QWidget] = []  # buttons that mean something for what is chosen
        self.colour = self._button("colour", "Colour of the line", self._pick_colour)
        self.fill = self._button("fill", "Fill", self._pick_fill)
        self.width_ = self._button("width", "Width of the line", self._pick_width)
        self.dash = self._button("dash", "Pattern of the line", self._pick_dash)
        self.font_ = self._button("font", "Size of the text", self._pick_font)
        self.text = self._button("text", "Text…", self._want_text, "edit")
        self.more = self._button("settings", "Settings…", self._want_settings, "settings")
        self.alert = self._button("alert", "Alert on it…", self._want_alert, "bell")
        self.ticket = self._button(
            "ticket", "Ticket from this…; nothing is sent", self._want_ticket, "target"
        )
        self.templates = self._button("templates", "Templates", self._show_templates, "star")
        self.lock = self._button("lock", "Lock", self._turn_lock, "lock")
        self.lock.setCheckable(True)
        self.hide_ = self._button("hide", "Hide; the list of drawings shows it again", self._hide)
        icons.put(self.hide_, "eye")
        self.remove = self._button("delete", "Delete (Del); undo brings it back", self._delete)
        icons.put(self.remove, "delete")
        board.chosen_changed.connect(self.show_now)
        board.changed.connect(self.show_now)
        board.tool_changed.connect(self.show_now)
        self.hide()

    def _button(
        self, ident: str, text: str, call: Callable[[], object], symbol: str = ""
    ) -> QToolButton:
        button = named(QToolButton(), f"{self._name}-style-{ident}", text)
        button.setProperty("role", "draw-tool")
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setToolTip(plain_tip(text))
        if symbol:
            icons.put(button, symbol)
        button.clicked.connect(lambda _on: call())
        self._row.addWidget(button)
        return button

    # -- looks ------------------------------------------------------------------------------
    def show_now(self) -> None:
        """As the chosen drawings are; none hides the bar."""
        rows = self._board.chosen_ones
        if not rows or self._board.tool is not None:
            self.hide()
            return
        first, one = rows[0], len(rows) == 1
        style, tool = first.style, self._board.tool_of(rows[0])
        side = look.px(16)
        for button, value in ((self.colour, style.colour), (self.fill, style.fill)):
            button.setIcon(swatch(value, 16))
            button.setIconSize(QSize(side, side))
        self.width_.show()
        self.dash.show()
        self.fill.setVisible(bool(tool.style.fill) or bool(style.fill))
        self.width_.setText(f"{style.width:g} px")
        self.dash.setText(DASHES[style.dash])
        self.font_.setText(f"{style.font}")
        self.font_.setVisible(tool.written or bool(first.text) or style.figures)
        self.text.setVisible(one)
        self.more.setVisible(one)
        self.alert.setVisible(one and bool(names_of(first)))
        self.ticket.setVisible(one and tool.geometry == "position")
        self.templates.setVisible(len({row.tool for row in rows}) == 1)
        self.lock.setChecked(all(row.locked for row in rows))
        self._wanted = [part for part in self.findChildren(QToolButton) if not part.isHidden()]
        self.place()
        self.show()
        self.raise_()

    def place(self) -> None:
        """To the middle of the lower edge of the prices: their legend is at the upper one, those of
        other panes are below. Never below what stands beside the chart."""
        area = self.area()
        for part in self._wanted:
            part.show()
        # In a small chart looks give way: what takes a drawing away stays in reach.
        for part in (self.font_, self.dash, self.width_, self.fill, self.templates, self.text):
            if self.sizeHint().width() <= area.width():
                break
            part.hide()
        self.adjustSize()
        left = area.left() + max(0, (area.width() - self.width()) // 2)
        self.move(left, max(area.top(), area.bottom() - look.px(FOOT) - self.height()))
        self.raise_()

    # -- choices ----------------------------------------------------------------------------
    def _under(self, button: QToolButton) -> QPoint:
        return button.mapToGlobal(QPoint(0, button.height() + 2))

    def _first(self) -> Drawing | None:
        return next(iter(self._board.chosen_ones), None)

    def _pick_colour(self) -> None:
        def take(value: str) -> None:
            filled = [row for row in self._board.chosen_ones if row.style.fill]
            same = filled and all(row.style.fill == row.style.colour for row in filled)
            parts = {"colour": value} | ({"fill": value} if same else {})
            self._board.restyle("", **parts)

        colour_menu(self, f"{self._name}-colour", take).popup(self._under(self.colour))

    def _pick_fill(self) -> None:
        menu = colour_menu(
            self,
            f"{self._name}-fill",
            lambda value: self._board.restyle("", fill=value),
            none=True,
        )
        strength = menu.addMenu("Strength")
        strength.setObjectName(f"{self._name}-fill-strength")
        for value in OPACITIES:
            action = strength.addAction(f"{value:.0%}")
            action.triggered.connect(
                lambda _on=False, value=value: self._board.restyle("", opacity=value)
            )
        menu.popup(self._under(self.fill))

    def _choices(self, button: QToolButton, rows: dict[str, object], part: str) -> None:
        menu = named(QMenu(self), f"{button.objectName()}-menu", button.accessibleName())
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for text, value in rows.items():
            action = menu.addAction(text)
            action.triggered.connect(
                lambda _on=False, value=value: self._board.restyle("", **{part: value})
            )
        menu.popup(self._under(button))

    def _pick_width(self) -> None:
        self._choices(self.width_, {f"{value:g} px": value for value in WIDTHS}, "width")

    def _pick_dash(self) -> None:
        self._choices(self.dash, {text: dash for dash, text in DASHES.items()}, "dash")

    def _pick_font(self) -> None:
        self._choices(self.font_, {f"{size}": size for size in FONTS}, "font")

    def _want_text(self) -> None:
        if (row := self._first()) is not None:
            self.text_wanted.emit(row.ident)

    def _want_settings(self) -> None:
        if (row := self._first()) is not None:
            self.settings_wanted.emit(row.ident)

    def _want_alert(self) -> None:
        if (row := self._first()) is not None:
            self.alert_wanted.emit(row)

    def _want_ticket(self) -> None:
        if (row := self._first()) is not None:
            self.ticket_wanted.emit(row)

    def _turn_lock(self) -> None:
        self._board.lock_chosen(self.lock.isChecked())

    def _hide(self) -> None:
        self._board.hide_chosen()

    def _delete(self) -> None:
        self._board.delete([row for row in self._board.chosen_ones if not row.locked])

    # -- templates --------------------------------------------------------------------------
    def _show_templates(self) -> None:
        row = self._first()
        if row is not None:
            self.template_menu(row).popup(self._under(self.templates))

    def _like(self, row: Drawing) -> list[Drawing]:
        """The chosen ones of the same tool: a line's style would leave a retracement no levels."""
        return [one for one in self._board.chosen_ones if one.tool == row.tool]

    def template_menu(self, row: Drawing) -> QMenu:
        """Saved styles of the drawing's tool, and what can be done with its own."""
        board, door = self._board, self._board.door
        menu = named(QMenu(self), f"{self._name}-templates-menu", "Templates")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        saved = {name: style for name, style in door.templates(row.tool).items() if name != FIRST}
        for name, style in saved.items():
            menu.addAction(name).triggered.connect(
                lambda _on=False, style=style: board.set_style(self._like(row), style)
            )
        if saved:
            menu.addSeparator()
        menu.addAction("Save as template…").triggered.connect(
            lambda: self.template_name_wanted.emit(row)
        )
        menu.addAction("New ones look like this").triggered.connect(
            lambda: door.save_template(row.tool, FIRST, row.style)
        )
        plain: Style = board.tool_of(row).style
        menu.addAction("Look as at first").triggered.connect(
            lambda: board.set_style(self._like(row), plain)
        )
        if FIRST in door.templates(row.tool):
            menu.addAction("New ones look as at first").triggered.connect(
                lambda: door.save_template(row.tool, FIRST, None)
            )
        if saved:
            forget = menu.addMenu("Forget")
            for name in saved:
                forget.addAction(name).triggered.connect(
                    lambda _on=False, name=name: door.save_template(row.tool, name, None)
                )
        return menu
