"""One number language for every field: what a trader types is read by
:func:`~openalgo_desktop.core.numbers.written`, whatever the locale of the machine.

Qt's own reading follows the locale: with a German one ``899,50`` was a price, and with commas
taken out it was 89,950. Here it is refused, with a sentence, and the field keeps its value.
"""

from __future__ import annotations

from PySide6.QtCore import QPoint
from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QDoubleSpinBox, QSpinBox, QToolTip

from openalgo_desktop.core.numbers import NotClear, may_become, written
from openalgo_desktop.ui.kit.widgets import plain_tip

#: Property of a field: why the text that was typed last did not become its value.
REFUSED = "refused"
NumberBox = QSpinBox | QDoubleSpinBox
Validity = tuple[QValidator.State, str, int]
#: How long the sentence stays beside the field, milliseconds.
SHOWN_FOR = 8000


def bare(field: NumberBox, text: str) -> str:
    """The text without what the field puts around a number."""
    return text.removeprefix(field.prefix()).removesuffix(field.suffix()).strip()


def read(field: NumberBox, text: str) -> float:
    """The number; raises :class:`NotClear`. The word for *off* stands for the lowest value."""
    found = bare(field, text)
    if found and found == field.specialValueText():
        return float(field.minimum())
    return written(found)


def read_whole(field: NumberBox, text: str) -> int:
    """The same without decimals."""
    value = read(field, text)
    if value != int(value):
        raise NotClear("Write a whole number.")
    return int(value)


def judged(field: NumberBox, text: str, position: int) -> Validity:
    """What a validator says: a number in range is acceptable, one that is still being typed may
    become one, anything else cannot be typed."""
    state = QValidator.State
    found = bare(field, text)
    if found.startswith("-") and field.minimum() >= 0:
        return state.Invalid, text, position
    try:
        value = read(field, text)
    except NotClear:
        unfinished = may_become(found) or found in field.specialValueText()
        return (state.Intermediate if unfinished else state.Invalid), text, position
    if value > field.maximum():
        return state.Invalid, text, position
    return (state.Acceptable if value >= field.minimum() else state.Intermediate), text, position


def problem(field: NumberBox) -> str:
    """Why what stands in the field is not its value, in a sentence; empty when it is. Who sends
    something asks this first: the value is still the one from before."""
    if refused := field.property(REFUSED):
        return str(refused)
    text = field.text()
    if field.validate(text, 0)[0] == QValidator.State.Acceptable:
        return ""
    try:
        value = read(field, text)
    except NotClear as error:
        return str(error)
    low = field.textFromValue(field.minimum())  # type: ignore[arg-type]
    return f"Write at least {low}." if value < field.minimum() else "Write a whole number."


def refuse(field: NumberBox, text: str) -> None:
    """What was typed is no number and another value comes in its place: say why, beside it. The
    field goes on to have a :func:`problem` until it is written anew: the click on *Send* that takes
    the focus from it must not send that other value."""
    try:
        read(field, text)
    except NotClear as error:
        if bare(field, text):
            field.setProperty(REFUSED, str(error))
            below = field.mapToGlobal(QPoint(0, field.height()))
            QToolTip.showText(below, plain_tip(str(error)), field, field.rect(), SHOWN_FOR)
            field.setAccessibleDescription(str(error))


def written_anew(field: NumberBox) -> None:
    """A new text or value: what was refused before does not matter any more."""
    if field.property(REFUSED):
        field.setProperty(REFUSED, None)
