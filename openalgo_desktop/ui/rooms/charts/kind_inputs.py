"""The inputs of a kind of chart that is made of bars: box, reversal, lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from openalgo_desktop.core.charting.studies import Value
from openalgo_desktop.core.charting.transforms.registry import TransformSpec
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.widgets import label, named, push_button
from openalgo_desktop.ui.rooms.charts.study.param_form import ParamForm

NAME = "dialog-kind"


class KindInputs(QDialog):
    """``take`` gets what was chosen, with OK."""

    def __init__(
        self,
        parent: QWidget,
        spec: TransformSpec,
        values: Mapping[str, Value],
        take: Callable[[Mapping[str, Value]], object],
    ) -> None:
        super().__init__(parent)
        self._take = take
        named(self, NAME, spec.title)
        self.setWindowTitle(spec.title)
        self.setMinimumWidth(look.px(380))
        column = QVBoxLayout(self)
        self.form = ParamForm(spec.params, values, spec.chosen, f"{NAME}-input")
        column.addWidget(self.form)
        if spec.note:
            note = label(spec.note, f"{NAME}-note", "muted")
            note.setWordWrap(True)
            column.addWidget(note)
        row = QHBoxLayout()
        defaults = push_button(
            "Defaults", f"{NAME}-defaults", "Defaults", lambda: self.form.show_values({})
        )
        row.addWidget(defaults)
        row.addStretch(1)
        row.addWidget(push_button("Cancel", f"{NAME}-cancel", "Cancel", self.reject))
        self.yes = push_button("OK", f"{NAME}-ok", "OK", self._try)
        self.yes.setProperty("role", "primary")
        self.yes.setDefault(True)
        row.addWidget(self.yes)
        column.addLayout(row)

    def _try(self) -> None:
        """Close, unless a field says something that cannot be used."""
        if not self.form.problems():
            self._take(self.form.values())
            self.accept()
