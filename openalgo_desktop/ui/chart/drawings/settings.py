"""Everything of one drawing in a form: text, prices, levels, where it shows."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.core.charting.drawings.model import Anchor, Drawing, Level, Number
from openalgo_desktop.core.charting.drawings.tools import title, tool
from openalgo_desktop.core.charting.span import SpanUnit
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.widgets import label, named, push_button

UNITS = {
    SpanUnit.SECOND: "Seconds",
    SpanUnit.MINUTE: "Minutes",
    SpanUnit.HOUR: "Hours",
    SpanUnit.DAY: "Days",
    SpanUnit.WEEK: "Weeks",
    SpanUnit.MONTH: "Months and longer",
}
_LONG = (SpanUnit.QUARTER, SpanUnit.YEAR)


class Unclear(ValueError):
    """A field says something else than a number; the text is a sentence."""


def number_of(text: str, field: str) -> float:
    """A number as people write it."""
    try:
        return float(text.replace(",", "").replace("₹", "").strip())
    except ValueError:
        raise Unclear(f"{field}: {text.strip()!r} is no number.") from None


def levels_of(text: str, before: tuple[Level, ...]) -> tuple[Level, ...]:
    """Values between commas become levels; known ones keep their colours, what is not named is
    kept and not shown."""
    known = {f"{level.value:g}": level for level in before}
    values = [number_of(part, "Levels") for part in text.split(",") if part.strip()]
    names = [f"{value:g}" for value in values]
    made = [
        replace(known[name], shown=True) if name in known else Level(value)
        for name, value in zip(names, values, strict=True)
    ]
    rest = [replace(level, shown=False) for name, level in known.items() if name not in names]
    return tuple(sorted([*made, *rest], key=lambda level: level.value))


class DrawingDialog(QDialog):
    """``take`` gets the drawing as it shall be. Not modal in spirit: it changes nothing before OK.

    With ``only_text`` it asks for nothing else."""

    def __init__(
        self,
        parent: QWidget,
        drawing: Drawing,
        places: int,
        take: Callable[[Drawing], None],
        only_text: bool = False,
    ) -> None:
        super().__init__(parent)
        self._drawing, self._take, self._tool = drawing, take, tool(drawing.tool)
        self._places = places
        named(self, "dialog-drawing", title(drawing))
        self.setWindowTitle(title(drawing))
        self.setMinimumWidth(look.px(360))
        column = QVBoxLayout(self)
        self.text = named(QPlainTextEdit(drawing.text), "dialog-drawing-text", "Text")
        self.text.setFixedHeight(look.px(72))
        self.text.setTabChangesFocus(True)
        self.text.selectAll()
        self.form = QFormLayout()
        self.form.addRow(label("Text", "dialog-drawing-text-caption"), self.text)
        self.levels = named(QLineEdit(), "dialog-drawing-levels", "Levels")
        self.prices: list[QLineEdit] = []
        self.numbers: dict[str, QLineEdit] = {}
        self.checks: dict[str, QCheckBox] = {}
        self.units: dict[SpanUnit, QCheckBox] = {}
        if not only_text:
            self._build()
        column.addLayout(self.form)
        self.error = label("", "dialog-drawing-error", "error")
        self.error.setWordWrap(True)
        self.error.hide()
        column.addWidget(self.error)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(push_button("Cancel", "dialog-drawing-cancel", "Cancel", self.reject))
        self.yes = push_button("OK", "dialog-drawing-ok", "OK", self._try)
        self.yes.setProperty("role", "primary")
        self.yes.setDefault(True)
        row.addWidget(self.yes)
        column.addLayout(row)

    # -- fields -----------------------------------------------------------------------------
    def _build(self) -> None:
        drawing, row, style = self._drawing, self._tool, self._drawing.style
        if not (row.hand or row.screen):
            for number, anchor in enumerate(drawing.anchors[:8], 1):
                price = f"{anchor.price:.{self._places}f}"
                self.prices.append(self._line(f"Price {number}", f"price-{number}", price))
        for wanted in row.numbers:
            value = drawing.numbers.get(wanted.name, wanted.default)
            self.numbers[wanted.name] = self._line(wanted.label, wanted.name, f"{value:g}")
        if style.levels:
            shown = ", ".join(f"{level.value:g}" for level in style.levels if level.shown)
            self.levels.setText(shown)
            self.levels.setCursorPosition(0)
            self.form.addRow(label("Levels", "dialog-drawing-levels-caption"), self.levels)
        for part, words, on in (
            ("left", "Goes on to the left", style.left),
            ("right", "Goes on to the right", style.right),
            ("figures", "Prices and ratios", style.figures),
        ):
            self.checks[part] = self._check(words, part, on)
            self.form.addRow("", self.checks[part])
        box = QWidget()
        column = QVBoxLayout(box)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        for unit, words in UNITS.items():
            on = not drawing.spans or unit.value in drawing.spans
            self.units[unit] = self._check(words, f"unit-{unit.name.lower()}", on)
            column.addWidget(self.units[unit])
        self.form.addRow(label("Shown on", "dialog-drawing-spans-caption"), box)

    def _line(self, words: str, ident: str, text: str) -> QLineEdit:
        made = named(QLineEdit(text), f"dialog-drawing-{ident}", words)
        self.form.addRow(label(words, f"dialog-drawing-{ident}-caption"), made)
        return made

    @staticmethod
    def _check(words: str, ident: str, on: bool) -> QCheckBox:
        made = named(QCheckBox(words), f"dialog-drawing-{ident}", words)
        made.setChecked(on)
        return made

    # -- the answer -------------------------------------------------------------------------
    def _try(self) -> None:
        try:
            made = self.drawing()
        except Unclear as error:
            self.error.setText(str(error))
            self.error.show()
            return
        self._take(made)
        self.accept()

    def drawing(self) -> Drawing:
        """The drawing as the form says; raises :class:`Unclear`."""
        old, style = self._drawing, self._drawing.style
        if style.levels and self.checks:
            style = replace(style, levels=levels_of(self.levels.text(), style.levels))
        if self.checks:
            parts = {part: box.isChecked() for part, box in self.checks.items()}
            style = replace(style, **parts)
        text = self.text.toPlainText().rstrip()
        if self._tool.written and not text.strip():
            raise Unclear(
                "Text: without one nothing would be seen. Write it, or delete the drawing."
            )
        return replace(
            old,
            text=text,
            anchors=self._anchors(),
            numbers={**old.numbers, **self._numbers()},
            spans=self._spans(),
            style=style,
        )

    def _anchors(self) -> tuple[Anchor, ...]:
        found = list(self._drawing.anchors)
        for number, field in enumerate(self.prices):
            if field.isModified():
                price = number_of(field.text(), f"Price {number + 1}")
                found[number] = Anchor(found[number].time, price)
        return tuple(found)

    def _numbers(self) -> dict[str, float]:
        found = {}
        for row in self._tool.numbers:
            field = self.numbers.get(row.name)
            if field is not None and field.isModified():
                found[row.name] = _within(number_of(field.text(), row.label), row)
        return found

    def _spans(self) -> tuple[str, ...]:
        if not self.units:
            return self._drawing.spans
        on = [unit for unit, box in self.units.items() if box.isChecked()]
        if len(on) == len(self.units):
            return ()
        more = _LONG if SpanUnit.MONTH in on else ()
        return tuple(unit.value for unit in (*on, *more)) or ("none",)


def _within(value: float, row: Number) -> float:
    if not row.low <= value <= row.high:
        raise Unclear(f"{row.label}: give {row.low:g} to {row.high:g}.")
    return value
