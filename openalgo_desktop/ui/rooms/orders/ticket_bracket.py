"""Stop, target and trailing stop that come with an entry. Our core watches them."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QVBoxLayout, QWidget

from openalgo_desktop.core.exits import ONLY_WHILE_RUNNING, ExitSpec, Offset, Target, Unit
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.fields import Field, FieldGrid, PriceField
from openalgo_desktop.ui.kit.segments import Segments
from openalgo_desktop.ui.kit.widgets import label, named

#: How distances are given, by what the buttons say, and how much one step is.
UNITS: dict[str, tuple[Unit, float]] = {
    "points": (Unit.POINTS, 0.05),
    "%": (Unit.PERCENT, 0.05),
    "₹": (Unit.RUPEES, 100.0),
}
LEGS = ("stop", "target", "trail")
#: Pieces of the words on the button.
_SHORT = {Unit.POINTS: " pt", Unit.PERCENT: "%", Unit.RUPEES: ""}


class BracketPanel(QWidget):
    """A switch, and the fields behind it. 0 in a field: no such leg."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        named(self, "ticket-bracket", "Bracket")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        head = QHBoxLayout()
        self.on = named(QCheckBox("Bracket"), "ticket-bracket-on", "Bracket: exits with the entry")
        self.on.setToolTip("A stop, a target, a trailing stop for what this order buys or sells")
        self.unit = Segments("ticket-bracket-unit", "Distances in", tuple(UNITS), compact=True)
        head.addWidget(self.on)
        head.addStretch(1)
        head.addWidget(self.unit)
        column.addLayout(head)
        self.editors = {name: PriceField() for name in LEGS}
        self.fields = {
            name: Field(name.title(), editor, f"ticket-bracket-{name}")
            for name, editor in self.editors.items()
        }
        self._grid = FieldGrid()
        self._grid.place(tuple(self.fields.values()))
        for editor in self.editors.values():
            editor.valueChanged.connect(lambda _: self.changed.emit())
        column.addLayout(self._grid)
        self.note = label(f"Watched here, {ONLY_WHILE_RUNNING}.", "ticket-bracket-note", "muted")
        self.note.setWordWrap(True)
        column.addWidget(self.note)
        self.on.toggled.connect(self._on_toggled)
        self.unit.changed.connect(self._on_unit)
        self._on_unit(self.unit.value())
        self._on_toggled(False)

    def _on_toggled(self, on: bool) -> None:
        self._grid.place(tuple(self.fields.values()) if on else ())
        for part in (self.note, self.unit):
            part.setVisible(on)
        self.changed.emit()

    def _on_unit(self, text: str) -> None:
        for editor in self.editors.values():
            editor.set_tick(UNITS[text][1] if text != "₹" else 1.0)
        self.changed.emit()

    @property
    def _unit(self) -> Unit:
        return UNITS[self.unit.value()][0]

    def spec(self) -> ExitSpec | None:
        """The wanted legs; None while the switch is off, there is no leg, or it is hidden."""
        if not self.on.isChecked() or self.isHidden():
            return None
        legs = {
            name: Offset.of(round(editor.value(), 4), self._unit)
            for name, editor in self.editors.items()
            if editor.value() > 0
        }
        if not legs:
            return None
        targets = (Target(legs["target"]),) if "target" in legs else ()
        return ExitSpec(stop=legs.get("stop"), targets=targets, trail=legs.get("trail"))

    def words(self) -> str:
        """What the button says of it: ``stop 10 · target 20 pt``."""
        if self.spec() is None:
            return ""
        sign, unit = ("₹ " if self._unit is Unit.RUPEES else ""), _SHORT[self._unit]
        legs = " · ".join(
            f"{name} {sign}{fmt.exact(editor.value(), 0).rstrip('.')}"
            for name, editor in self.editors.items()
            if editor.value() > 0
        )
        return legs + unit

    def unread(self) -> bool:
        """Say under each field what stands in it and is not its value; whether there is such."""
        found = False
        for name, field in self.fields.items():
            if field.isVisibleTo(self) and (why := self.editors[name].problem()):
                field.set_error(why)
                found = True
        return found

    def clear_errors(self) -> None:
        """Nothing is wrong any more."""
        for field in self.fields.values():
            if field.error():
                field.set_error("")

    def save(self) -> dict[str, object]:
        """For a preset."""
        values: dict[str, object] = {name: e.value() for name, e in self.editors.items()}
        return values | {"on": self.on.isChecked(), "unit": self.unit.value()}

    def restore(self, values: dict[str, object]) -> None:
        """The other way round; what is not understood stays as it is."""
        unit = values.get("unit")
        if isinstance(unit, str) and unit in UNITS:
            self.unit.choose(unit)
        for name, editor in self.editors.items():
            value = values.get(name)
            if isinstance(value, int | float):
                editor.setValue(float(value))
        self.on.setChecked(values.get("on") is True)
