"""Forms that are made of a table of lines: values in, values out, each line with its message."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.core.strategies.checks import DAYS
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.fields import (
    CountField,
    DecimalField,
    Field,
    FieldGrid,
    StillCombo,
    VerticalArea,
)
from openalgo_desktop.ui.kit.widgets import name_inner_controls, named, plain_tip

Values = dict[str, Any]


def always(_values: Mapping[str, Any]) -> bool:
    """A line that is always shown."""
    return True


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a form. ``kind`` is text, secret (typed, not shown), time, count, number, choice,
    flag or days; ``choices`` are the words of each value; ``when`` says for which values of the
    others it is shown."""

    name: str
    caption: str
    kind: str = "text"
    choices: Mapping[str, str] = field(default_factory=dict)
    when: Callable[[Mapping[str, Any]], bool] = always
    least: float = 0.0
    most: float = 1e9
    places: int = 2
    tip: str = ""
    hint: str = ""
    first: bool = False  # it begins a row


class DaysField(QWidget):
    """The days of the week as boxes."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        self.boxes = {day: QCheckBox(day.title()) for day in DAYS}
        for box in self.boxes.values():
            box.toggled.connect(lambda _: self.changed.emit())
            row.addWidget(box)
        row.addStretch(1)

    def setObjectName(self, name: str) -> None:
        super().setObjectName(name)
        for day, box in self.boxes.items():
            named(box, f"{name}-{day.lower()}", day.title())

    def value(self) -> tuple[str, ...]:
        """The chosen ones, in the order of the week."""
        return tuple(day for day, box in self.boxes.items() if box.isChecked())

    def show_days(self, days: Iterable[str]) -> None:
        """Choose these."""
        chosen = set(days)
        for day, box in self.boxes.items():
            box.setChecked(day in chosen)


class _Editor:
    """A control of a kind with one way to read, write and hear it."""

    def __init__(self, line: Line, changed: Callable[[], object]) -> None:
        self.line = line
        self.widget: QWidget
        self.read: Callable[[], Any]
        self.write: Callable[[Any], object]
        makers = {
            "text": self._text, "secret": self._secret, "time": self._time, "count": self._count,
            "number": self._number, "choice": self._choice, "flag": self._flag, "days": self._days,
        }  # fmt: skip
        makers[line.kind](changed)

    def _text(self, changed: Callable[[], object]) -> None:
        box = QLineEdit()
        box.setPlaceholderText(self.line.hint)
        box.textEdited.connect(lambda _: changed())
        self.widget, self.read = box, lambda: box.text().strip()
        self.write = lambda value: box.setText(str(value))

    def _secret(self, changed: Callable[[], object]) -> None:
        self._text(changed)
        assert isinstance(self.widget, QLineEdit)
        self.widget.setEchoMode(QLineEdit.EchoMode.Password)

    def _time(self, changed: Callable[[], object]) -> None:
        box = QLineEdit()
        box.setPlaceholderText(self.line.hint or "HH:MM")
        box.setMaxLength(5)
        box.setFixedWidth(look.px(80))
        box.textEdited.connect(lambda _: changed())
        self.widget, self.read = box, lambda: box.text().strip()
        self.write = lambda value: box.setText(str(value))

    def _count(self, changed: Callable[[], object]) -> None:
        box = CountField()
        box.setRange(int(self.line.least), int(min(self.line.most, 2_000_000_000)))
        box.valueChanged.connect(lambda _: changed())
        self.widget, self.read = box, box.value
        self.write = lambda value: box.setValue(int(value))

    def _number(self, changed: Callable[[], object]) -> None:
        box = DecimalField(self.line.places)
        box.setRange(self.line.least, self.line.most)
        box.valueChanged.connect(lambda _: changed())
        self.widget, self.read = box, box.value
        self.write = lambda value: box.setValue(float(value))

    def _choice(self, changed: Callable[[], object]) -> None:
        box = StillCombo()
        for value, text in self.line.choices.items():
            box.addItem(text, str(value))
        box.currentIndexChanged.connect(lambda _: changed())
        self.widget, self.read = box, lambda: str(box.currentData())
        self.write = lambda value: box.setCurrentIndex(max(0, box.findData(str(value))))

    def _flag(self, changed: Callable[[], object]) -> None:
        box = QCheckBox(self.line.hint or "Yes")
        box.toggled.connect(lambda _: changed())
        self.widget, self.read = box, box.isChecked
        self.write = lambda value: box.setChecked(bool(value))

    def _days(self, changed: Callable[[], object]) -> None:
        box = DaysField()
        box.changed.connect(changed)
        self.widget, self.read = box, box.value
        self.write = box.show_days


class Form(VerticalArea):
    """The lines two in a row; those that mean nothing now are not shown."""

    changed = Signal()

    def __init__(self, object_name: str, title: str, lines: Iterable[Line]) -> None:
        super().__init__()
        named(self, object_name, title)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.lines = tuple(lines)
        inside = named(QWidget(), f"{object_name}-fields", title)
        column = QVBoxLayout(inside)
        column.setContentsMargins(2, 6, 6, 6)
        self._grid = FieldGrid()
        column.addLayout(self._grid)
        column.addStretch(1)
        self._filling = False
        self._editors = {line.name: _Editor(line, self._on_change) for line in self.lines}
        self.fields = {
            name: Field(editor.line.caption, editor.widget, f"{object_name}-{name}")
            for name, editor in self._editors.items()
        }
        for one in self.fields.values():  # all at once: Tab goes through them in their order
            one.setParent(inside)
            one.hide()
        for name, editor in self._editors.items():
            if editor.line.tip:
                self.fields[name].setToolTip(plain_tip(editor.line.tip))
        self.setWidget(inside)
        self._arrange()
        name_inner_controls(inside)

    def _on_change(self) -> None:
        if not self._filling:
            self._arrange()
            self.changed.emit()

    def _arrange(self) -> None:
        values = self.values()
        placed: list[Field | None] = []
        for line in self.lines:
            if line.when(values):
                if line.first and len(placed) % 2:
                    placed.append(None)
                placed.append(self.fields[line.name])
        self._grid.place(placed)

    def values(self) -> Values:
        """What stands in the lines, those that are not shown too."""
        return {name: editor.read() for name, editor in self._editors.items()}

    def show_values(self, values: Mapping[str, Any]) -> None:
        """Show these; lines that are not named stay."""
        self._filling = True
        for name, editor in self._editors.items():
            if name in values:
                editor.write(values[name])
        self._filling = False
        self.clear_errors()
        self._arrange()

    def editor(self, name: str) -> QWidget:
        """The control of a line."""
        return self._editors[name].widget

    def problem(self) -> bool:
        """Whether a number that was typed is none; said under its line."""
        found = False
        for name, editor in self._editors.items():
            box = editor.widget
            text = box.problem() if isinstance(box, CountField | DecimalField) else ""
            if text and self.fields[name].isVisibleTo(self):
                self.fields[name].set_error(text)
                found = True
        return found

    def set_error(self, name: str, text: str) -> bool:
        """Say what is wrong under a line; whether there is such a line in sight."""
        if name not in self.fields or not self.fields[name].isVisibleTo(self):
            return False
        self.fields[name].set_error(text)
        self.ensureWidgetVisible(self.fields[name])
        return True

    def clear_errors(self) -> None:
        """Take all messages away."""
        for line in self.fields.values():
            if line.error():
                line.set_error("")
