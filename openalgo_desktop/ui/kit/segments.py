"""A row of buttons of which one is chosen."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QSizePolicy, QWidget

from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.widgets import named, set_role, slug

#: What a segment gives up where there is little room, pixels: both paddings of the style sheet.
TIGHTER = 6


class Segments(QWidget):
    """A row of exclusive buttons; ``changed`` carries the chosen text."""

    changed = Signal(str)

    def __init__(
        self,
        object_name: str,
        accessible_name: str,
        options: tuple[str, ...],
        compact: bool = False,
    ) -> None:
        super().__init__()
        named(self, object_name, accessible_name)
        self.options = options
        self._compact = compact
        self._group = QButtonGroup(self)
        self._buttons: dict[str, QPushButton] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        for option in options:
            button = named(
                QPushButton(option), f"{object_name}-{slug(option)}", f"{accessible_name} {option}"
            )
            button.setCheckable(True)
            button.setProperty("role", "segment")
            if compact:
                button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            else:
                button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            self._group.addButton(button)
            self._buttons[option] = button
            row.addWidget(button, 1)
        self._buttons[options[0]].setChecked(True)
        self._group.buttonClicked.connect(lambda _: self.changed.emit(self.value()))

    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        return QSize(hint.width() + (self._saved if self._tight else 0), hint.height())

    def minimumSizeHint(self) -> QSize:
        hint = super().minimumSizeHint()
        loose = self._compact and not self._tight
        return QSize(hint.width() - (self._saved if loose else 0), hint.height())

    @property
    def _tight(self) -> bool:
        return bool(self._buttons[self.options[0]].property("room"))

    @property
    def _saved(self) -> int:
        """What closer buttons save, pixels."""
        return TIGHTER * sum(not button.isHidden() for button in self._buttons.values())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._compact:
            room = "tight" if event.size().width() < self.sizeHint().width() else ""
            for button in self._buttons.values():
                set_role(button, room, "room")

    def value(self) -> str:
        """The chosen text."""
        return next(option for option, button in self._buttons.items() if button.isChecked())

    def choose(self, option: str) -> None:
        """Choose in code; ``changed`` is emitted when it is a change."""
        if option != self.value() and not self._buttons[option].isHidden():
            self._buttons[option].setChecked(True)
            self.changed.emit(option)

    def button(self, option: str) -> QPushButton:
        """The button of one option."""
        return self._buttons[option]

    def show_counts(self, counts: Mapping[str, int]) -> None:
        """Put a number behind each option."""
        for option, count in counts.items():
            text = f"{option} {fmt.quantity(count)}"
            if self._buttons[option].text() != text:
                self._buttons[option].setText(text)
                self._buttons[option].updateGeometry()

    def allow(self, options: tuple[str, ...]) -> None:
        """Show only ``options``; a choice that disappears falls to the first that is left."""
        for option, button in self._buttons.items():
            button.setVisible(option in options)
        if self.value() not in options:
            self._buttons[options[0]].setChecked(True)
            self.changed.emit(options[0])
