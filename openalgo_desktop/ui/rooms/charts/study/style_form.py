"""A form of how the outputs of a study are drawn."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace
from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QToolButton, QWidget

from openalgo_desktop.core.charting.studies import Draw, Output, Style
from openalgo_desktop.ui.chart.drawings.swatches import SIDE, colour_menu, swatch
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.fields import StillCombo
from openalgo_desktop.ui.kit.widgets import label, named
from openalgo_desktop.ui.rooms.charts.study.words import DRAWS

WIDTHS = (1.0, 1.5, 2.0, 3.0, 4.0)
_PLAIN = Style()


class StyleForm(QWidget):
    """A row for each output. ``changed`` when something was chosen."""

    changed = Signal()

    def __init__(self, outputs: tuple[Output, ...], name: str) -> None:
        super().__init__()
        self._outputs, self._name = outputs, name
        self._styles: dict[str, Style] = {}
        self._filling = False
        self.shown: dict[str, QCheckBox] = {}
        self.colours: dict[str, QToolButton] = {}
        self.widths: dict[str, StillCombo] = {}
        self.dashes: dict[str, QCheckBox] = {}
        self.draws: dict[str, StillCombo] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(10)
        for column, text in enumerate(("Output", "Colour", "Width", "Drawn as", "Dashed")):
            grid.addWidget(label(text, f"{name}-head-{column}", "caption"), 0, column)
        for row, output in enumerate(outputs, 1):
            self._add(grid, row, output)
        grid.setColumnStretch(0, 1)
        grid.setRowStretch(len(outputs) + 1, 1)

    def _add(self, grid: QGridLayout, row: int, output: Output) -> None:
        ident = f"{self._name}-{output.name}"
        shown = named(QCheckBox(output.label), f"{ident}-shown", f"{output.label} shown")
        shown.toggled.connect(lambda on: self._set(output, hidden=not on))
        colour = named(QToolButton(), f"{ident}-colour", f"{output.label} colour")
        colour.setAutoRaise(True)
        colour.setIconSize(QSize(look.px(SIDE), look.px(SIDE)))
        colour.clicked.connect(lambda: self._ask_colour(output))
        width = named(StillCombo(), f"{ident}-width", f"{output.label} width")
        for value in sorted({*WIDTHS, output.width}):
            width.addItem(f"{value:g}", value)
        width.currentIndexChanged.connect(
            lambda _: self._set(output, width=float(width.currentData()))
        )
        draw = named(StillCombo(), f"{ident}-draw", f"{output.label} drawn as")
        for kind, text in DRAWS.items():
            draw.addItem(text, kind.value)
        draw.currentIndexChanged.connect(lambda _: self._set(output, draw=str(draw.currentData())))
        dash = named(QCheckBox(), f"{ident}-dash", f"{output.label} dashed")
        dash.toggled.connect(lambda on: self._set(output, dash=on))
        # Signs, bands and colours of bars are what they are.
        lined = output.draw in DRAWS
        for part in (width, draw, dash):
            part.setVisible(lined)
        if output.draw is Draw.NOTHING:
            shown.setEnabled(False)
            colour.setEnabled(False)
        cells: tuple[QWidget, ...] = (shown, colour, width, draw, dash)
        for column, cell in enumerate(cells):
            grid.addWidget(cell, row, column)
        self.shown[output.name], self.colours[output.name] = shown, colour
        self.widths[output.name], self.draws[output.name] = width, draw
        self.dashes[output.name] = dash

    # -- values -----------------------------------------------------------------------------
    def styles(self) -> dict[str, Style]:
        """What was chosen; outputs that are as the study says are left out."""
        return {name: style for name, style in self._styles.items() if style != _PLAIN}

    def show_styles(self, styles: Mapping[str, Style]) -> None:
        """Fill the rows."""
        self._filling = True
        self._styles = dict(styles)
        for output in self._outputs:
            style = styles.get(output.name, _PLAIN)
            name = output.name
            self.shown[name].setChecked(not style.hidden)
            self.colours[name].setIcon(swatch(style.colour or output.role))
            width = output.width if style.width is None else style.width
            if self.widths[name].findData(width) < 0:
                self.widths[name].addItem(f"{width:g}", width)
            self.widths[name].setCurrentIndex(self.widths[name].findData(width))
            self.draws[name].setCurrentIndex(self.draws[name].findData(style.draw or output.draw))
            self.dashes[name].setChecked(output.dash if style.dash is None else style.dash)
        self._filling = False

    def _set(self, output: Output, **parts: object) -> None:
        if self._filling:
            return
        made = replace(self._styles.get(output.name, _PLAIN), **parts)
        # What the study says anyway is not kept as a choice.
        if made.width == output.width:
            made = replace(made, width=None)
        if made.dash == output.dash:
            made = replace(made, dash=None)
        if made.draw == output.draw:
            made = replace(made, draw="")
        self._styles[output.name] = made
        self.changed.emit()

    def _ask_colour(self, output: Output) -> None:
        button = self.colours[output.name]

        def take(colour: str) -> None:
            self._set(output, colour=colour)
            button.setIcon(swatch(colour or output.role))

        menu = colour_menu(self, f"{self._name}-{output.name}-colours", take)
        menu.popup(button.mapToGlobal(button.rect().bottomLeft()))
