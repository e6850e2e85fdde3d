"""Chooses a study, one of its lines and its parameters for an alert."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from openalgo_desktop.core.alerts import OfStudy
from openalgo_desktop.core.charting.studies import Draw, Param, ParamKind, StudySpec, Value
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.fields import CountField, DecimalField, Field, FieldGrid, StillCombo
from openalgo_desktop.ui.kit.widgets import (
    label,
    name_inner_controls,
    named,
    plain_tip,
    push_button,
)

#: Outputs that are no line: they only colour or fill.
_NO_LINE = (Draw.BAND, Draw.BARS)
#: What a number without a bound of its own may be.
_MOST = 1e9


class ParamField(Field):
    """The field of one parameter; ``read`` gives its value."""

    def __init__(self, param: Param) -> None:
        editor, self.read = editor_of(param)
        super().__init__(param.label, editor, f"alert-study-{param.name}")
        self.param = param
        self.setToolTip(plain_tip(param.help))


def editor_of(param: Param) -> tuple[QWidget, Callable[[], Value]]:
    """What a parameter is given with, and the call that reads it."""
    if param.kind is ParamKind.INT:
        count = CountField()
        count.setRange(int(param.low or 0), int(param.high or _MOST))
        count.setValue(int(param.default))
        return count, lambda: int(count.value())
    if param.kind is ParamKind.FLOAT:
        number = DecimalField(4)
        number.setRange(-_MOST if param.low is None else param.low, param.high or _MOST)
        number.setValue(float(param.default))
        return number, lambda: float(number.value())
    if param.kind is ParamKind.BOOL:
        box = QCheckBox()
        box.setChecked(bool(param.default))
        return box, box.isChecked
    if param.choices:
        combo = StillCombo()
        combo.addItems(list(param.choices))
        combo.setCurrentText(str(param.default))
        return combo, combo.currentText
    line = QLineEdit(str(param.default))
    return line, lambda: line.text().strip()


class StudyForm(QDialog):
    """Not modal; ``chosen`` carries an :class:`OfStudy`. Gone when closed."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget, bridge: Bridge) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(look.px(320))
        named(self, "alert-study", "Study of the alert")
        self.setWindowTitle(self.accessibleName())
        self._specs = bridge.alerts.studies()
        self._params: list[ParamField] = []
        self.study, self.line = StillCombo(), StillCombo()
        self.study.setMaxVisibleItems(24)
        for spec in self._specs:
            self.study.addItem(f"{spec.title}  ({spec.short})", spec.study)
        self.heads = (
            Field("Study", self.study, "alert-study-study"),
            Field("Line", self.line, "alert-study-line"),
        )
        column = QVBoxLayout(self)
        self.grid = FieldGrid()
        column.addLayout(self.grid)
        hint = label("Values of closed bars and of the forming one.", "alert-study-hint", "muted")
        column.addWidget(hint)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(push_button("Cancel", "alert-study-cancel", "Cancel", self.close))
        self.take = push_button("Choose", "alert-study-choose", "Choose the study", self._choose)
        self.take.setProperty("role", "primary")
        row.addWidget(self.take)
        column.addLayout(row)
        self.study.currentIndexChanged.connect(self._show)
        self._show()

    @property
    def spec(self) -> StudySpec:
        """The study that is chosen now."""
        return self._specs[self.study.currentIndex()]

    def _show(self) -> None:
        for field in self._params:
            field.hide()
            field.deleteLater()
        self.line.clear()
        for output in self.spec.outputs:
            if output.draw not in _NO_LINE:
                self.line.addItem(output.label, output.name)
        self._params = [ParamField(param) for param in self.spec.params]
        self.grid = self._renewed()
        name_inner_controls(self)
        self.adjustSize()

    def _renewed(self) -> FieldGrid:
        grid, column = FieldGrid(), self.layout()
        assert isinstance(column, QVBoxLayout)
        for field in self.heads:
            self.grid.removeWidget(field)
        column.removeItem(self.grid)
        column.insertLayout(0, grid)
        grid.place([*self.heads, *self._params])
        return grid

    def source(self) -> OfStudy:
        """The choice; parameters that are the study's own are left to it."""
        own = self.spec.defaults()
        params = {field.param.name: field.read() for field in self._params}
        params = {name: value for name, value in params.items() if value != own[name]}
        return OfStudy(self.spec.study, str(self.line.currentData()), params)

    def _choose(self) -> None:
        self.chosen.emit(self.source())
        self.close()
