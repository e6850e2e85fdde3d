"""One group of settings as a form, generated from the settings table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QLineEdit,
    QScrollArea,
    QWidget,
)

from openalgo_desktop.config.setting import Setting
from openalgo_desktop.config.settings import SETTINGS
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.fields import CountField, DecimalField
from openalgo_desktop.ui.kit.widgets import label, named, plain_tip, slug

#: The most that Qt's field for whole numbers can hold.
MOST = 2**31 - 1


class _Editor(NamedTuple):
    """The widget of one setting, how to read it and how to show a value in it."""

    widget: QWidget
    read: Callable[[], Any]
    show: Callable[[Any], None]


def _editor(row: Setting) -> _Editor:
    if row.kind is bool:
        box = QCheckBox()
        return _Editor(box, box.isChecked, lambda value: box.setChecked(bool(value)))
    if row.choices:
        combo = QComboBox()
        for choice in row.choices:
            combo.addItem(fmt.quantity(choice) if row.kind is float else str(choice), choice)
        return _Editor(
            combo,
            combo.currentData,
            lambda value: combo.setCurrentIndex(row.choices.index(value)),
        )
    if row.kind is int:
        whole = CountField()
        high = MOST if row.high is None else min(MOST, int(row.high))
        whole.setRange(int(row.low or 0), high)
        return _Editor(whole, whole.value, lambda value: whole.setValue(int(value)))
    if row.kind is float:
        number = DecimalField()
        number.setRange(row.low or 0.0, row.high if row.high is not None else 1e12)
        return _Editor(number, number.value, lambda value: number.setValue(float(value)))
    line = QLineEdit()
    return _Editor(line, line.text, lambda value: line.setText(str(value)))


class SettingsPage(QScrollArea):
    """The settings of one group as a form. Nothing is stored before :meth:`store`."""

    def __init__(self, bridge: Bridge, group: str, prefix: str = "setting") -> None:
        super().__init__()
        self._bridge = bridge
        self._editors: dict[str, _Editor] = {}
        page = QWidget()
        form = self._form = QFormLayout(page)
        form.setHorizontalSpacing(18)
        for row in SETTINGS.values():
            if row.group != group:
                continue
            editor = _editor(row)
            named(editor.widget, f"{prefix}-{slug(row.key)}", row.help, row.key)
            editor.widget.setToolTip(plain_tip(row.key))
            self._editors[row.key] = editor
            caption = label(
                row.help + (" (at the next start)" if row.restart else ""),
                f"{prefix}-{slug(row.key)}-label",
            )
            caption.setWordWrap(True)
            caption.setBuddy(editor.widget)
            caption.setMinimumWidth(look.px(320))
            form.addRow(caption, editor.widget)
        self.setWidgetResizable(True)
        self.setWidget(page)
        self.show_values()

    def filter_rows(self, text: str) -> int:
        """Show only rows whose words or key contain all words of ``text``; how many there are."""
        words, found = text.casefold().split(), 0
        for key, editor in self._editors.items():
            about = f"{key} {SETTINGS[key].group} {SETTINGS[key].help}".casefold()
            shown = all(word in about for word in words)
            self._form.setRowVisible(editor.widget, shown)
            found += shown
        return found

    def show_values(self) -> None:
        """Show the values in force; what was typed and not stored is lost."""
        for key, editor in self._editors.items():
            editor.show(self._bridge.setting(key))

    def store(self) -> None:
        """Store what was changed, all or nothing; raises :class:`ConfigError` when a value is
        bad."""
        values = {key: SETTINGS[key].parse(editor.read()) for key, editor in self._editors.items()}
        for key, value in values.items():
            if value != self._bridge.setting(key):
                self._bridge.set_setting(key, value)
