"""A form of a study's parameters; what is wrong is said at its field."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QLineEdit, QVBoxLayout, QWidget

from openalgo_desktop.core.charting.studies import Param, ParamKind, Value
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.errors import DataError
from openalgo_desktop.ui.kit.fields import CountField, DecimalField, Field, FieldGrid, StillCombo
from openalgo_desktop.ui.kit.widgets import name_inner_controls, plain_tip

#: Wider than any parameter: what is out of bounds is said, not changed while it is typed.
WIDE = 1_000_000_000
#: Offered for an interval; others are typed.
SPANS = ("", "1m", "5m", "15m", "30m", "1h", "D", "W", "M")
SAME_SPAN = "That of the chart"
MOMENT = "%Y-%m-%d %H:%M"
_NAMES = {"hl2": "(H+L)/2", "hlc3": "(H+L+C)/3", "ohlc4": "(O+H+L+C)/4", "hlcc4": "(H+L+2C)/4"}
_NAMES |= {"oi": "Open interest"}
Check = Callable[[Mapping[str, Value]], object]


def moment_text(value: Value) -> str:
    """Epoch seconds as IST date and time; empty for a moment that is not given."""
    return "" if isinstance(value, str) else f"{datetime.fromtimestamp(value, IST):{MOMENT}}"


def moment_of(text: str) -> Value:
    """The other way round; raises :class:`DataError` with a sentence."""
    text = text.strip()
    if not text:
        return ""
    for form in (MOMENT, "%Y-%m-%d"):
        try:
            return int(datetime.strptime(text, form).replace(tzinfo=IST).timestamp())
        except ValueError:
            continue
    raise DataError("Give a date and time as 2026-11-30 09:15 (IST).")


class Editor(NamedTuple):
    """A control of one parameter. ``read`` raises :class:`DataError`."""

    widget: QWidget
    read: Callable[[], Value]
    write: Callable[[Value], None]


class ParamForm(QWidget):
    """``check`` takes parameters and raises :class:`DataError` for one that cannot be used.
    ``sources`` are outputs of other studies of the chart: text and value. ``changed`` is said
    when all fields can be used."""

    changed = Signal()

    def __init__(
        self,
        params: Sequence[Param],
        values: Mapping[str, Value],
        check: Check,
        name: str,
        sources: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__()
        self._params = {param.name: param for param in params}
        self._check, self._sources = check, sources
        self._filling = False
        self._editors: dict[str, Editor] = {}
        self.fields: dict[str, Field] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        grid = FieldGrid()
        column.addLayout(grid)
        column.addStretch(1)
        for param in params:
            editor = _MAKE[param.kind](self, param)
            self._editors[param.name] = editor
            field = Field(param.label, editor.widget, f"{name}-{param.name}")
            if param.help:
                editor.widget.setToolTip(plain_tip(param.help))
                field.caption.setToolTip(plain_tip(param.help))
            self.fields[param.name] = field
        grid.place(list(self.fields.values()))
        name_inner_controls(self)
        self.show_values(values)

    # -- values -----------------------------------------------------------------------------
    def show_values(self, values: Mapping[str, Value]) -> None:
        """Fill the fields; parameters that are not given are as by default."""
        self._filling = True
        for name, param in self._params.items():
            self._editors[name].write(values.get(name, param.default))
        self._filling = False
        self.problems()

    def values(self) -> dict[str, Value]:
        """All parameters. Raises :class:`DataError` while one cannot be read."""
        return {name: editor.read() for name, editor in self._editors.items()}

    def problems(self) -> dict[str, str]:
        """By parameter, why it cannot be used; the fields say so, too."""
        found: dict[str, str] = {}
        for name, editor in self._editors.items():
            text = ""
            try:
                self._check({name: editor.read()})
            except DataError as error:
                text = self._short(self._params[name], error.message)
                found[name] = text
            if self.fields[name].error() != text:
                self.fields[name].set_error(text)
        return found

    @staticmethod
    def _short(param: Param, text: str) -> str:
        """Without the names of study and parameter: the field has them."""
        _, found, rest = text.partition(f"{param.label}: ")
        return rest[:1].upper() + rest[1:] if found else text

    def _on_edited(self) -> None:
        if not self._filling and not self.problems():
            self.changed.emit()

    # -- editors ----------------------------------------------------------------------------
    def _whole(self, _param: Param) -> Editor:
        field = CountField(grouped=False)
        field.setRange(-WIDE, WIDE)
        field.valueChanged.connect(lambda _: self._on_edited())

        def read() -> Value:
            _told(field.problem())
            return int(field.value())

        return Editor(field, read, lambda value: field.setValue(int(float(value))))

    def _real(self, param: Param) -> Editor:
        field = DecimalField(4)
        field.setRange(-WIDE, WIDE)
        small = param.high is not None and param.high <= 10
        field.setSingleStep(0.1 if small or not float(param.default).is_integer() else 0.5)
        field.valueChanged.connect(lambda _: self._on_edited())

        def read() -> Value:
            _told(field.problem())
            return float(field.value())

        return Editor(field, read, lambda value: field.setValue(float(value)))

    def _flag(self, param: Param) -> Editor:
        box = QCheckBox("Yes")
        box.toggled.connect(lambda _: self._on_edited())
        return Editor(box, box.isChecked, lambda value: box.setChecked(bool(value)))

    def _choice(self, param: Param) -> Editor:
        rows = [(_NAMES.get(text, text[:1].upper() + text[1:]), text) for text in param.choices]
        if param.kind is ParamKind.SOURCE:
            rows += self._sources
        box = StillCombo()
        for text, value in rows:
            box.addItem(text, value)
        box.currentIndexChanged.connect(lambda _: self._on_edited())

        def write(value: Value) -> None:
            if box.findData(str(value)) < 0:
                box.addItem(f"{value} (not on this chart)", str(value))
            box.setCurrentIndex(box.findData(str(value)))

        return Editor(box, lambda: str(box.currentData()), write)

    def _span(self, _param: Param) -> Editor:
        box = StillCombo()
        box.setEditable(True)
        box.setInsertPolicy(StillCombo.InsertPolicy.NoInsert)
        for text in SPANS:
            box.addItem(text or SAME_SPAN, text)
        box.editTextChanged.connect(lambda _: self._on_edited())

        def read() -> Value:
            text = box.currentText().strip()
            return "" if text == SAME_SPAN else text

        return Editor(box, read, lambda value: box.setEditText(str(value) or SAME_SPAN))

    def _time(self, _param: Param) -> Editor:
        line = QLineEdit()
        line.setPlaceholderText("2026-11-30 09:15")
        line.textChanged.connect(lambda _: self._on_edited())
        return Editor(line, lambda: moment_of(line.text()), lambda v: line.setText(moment_text(v)))

    def _clock(self, _param: Param) -> Editor:
        line = QLineEdit()
        line.setPlaceholderText("09:15")
        line.textChanged.connect(lambda _: self._on_edited())
        return Editor(line, lambda: line.text().strip(), lambda value: line.setText(str(value)))


def _told(problem: str) -> None:
    if problem:
        raise DataError(problem)


_MAKE: dict[ParamKind, Callable[[ParamForm, Param], Editor]] = {
    ParamKind.INT: ParamForm._whole,
    ParamKind.FLOAT: ParamForm._real,
    ParamKind.BOOL: ParamForm._flag,
    ParamKind.CHOICE: ParamForm._choice,
    ParamKind.SOURCE: ParamForm._choice,
    ParamKind.SPAN: ParamForm._span,
    ParamKind.TIME: ParamForm._time,
    ParamKind.CLOCK: ParamForm._clock,
}
