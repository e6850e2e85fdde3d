"""Settings as a form, generated from the settings table."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.config.feedback_settings import SOUNDS
from openalgo_desktop.config.setting import Setting
from openalgo_desktop.config.settings import SETTINGS
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.fields import CountField, DecimalField
from openalgo_desktop.ui.kit.widgets import (
    label,
    name_inner_controls,
    named,
    plain_tip,
    push_button,
    slug,
)

#: The most that Qt's field for whole numbers can hold.
MOST = 2**31 - 1
#: Settings that can be tried out, and the sound that is played then.
TRIED = {f"sounds.{name}": name for name, _ in SOUNDS}


class _Default:
    """Stands for a value that is not set any more, so that a better default of a later version
    counts; a default that was typed stays what it is."""


DEFAULT = _Default()


def nothing() -> str:
    """What an editor without bad inputs says."""
    return ""


class _Editor(NamedTuple):
    """The widget of one setting, how to read it, how to show a value in it, the signal of a
    change, and why what was typed is no value."""

    widget: QWidget
    read: Callable[[], Any]
    show: Callable[[Any], None]
    changed: Any
    problem: Callable[[], str] = nothing


def _editor(row: Setting) -> _Editor:
    if row.kind is bool:
        box = QCheckBox()
        show = box.setChecked
        return _Editor(box, box.isChecked, lambda value: show(bool(value)), box.toggled)
    if row.choices:
        combo = QComboBox()
        for choice in row.choices:
            combo.addItem(fmt.quantity(choice) if row.kind is float else str(choice), choice)
        return _Editor(
            combo,
            combo.currentData,
            lambda value: combo.setCurrentIndex(row.choices.index(value)),
            combo.currentIndexChanged,
        )
    if row.kind is int:
        whole = CountField(grouped=row.grouped)
        high = MOST if row.high is None else min(MOST, int(row.high))
        whole.setRange(int(row.low or 0), high)
        return _Editor(
            whole,
            whole.value,
            lambda value: whole.setValue(int(value)),
            whole.valueChanged,
            whole.problem,
        )
    if row.kind is float:
        number = DecimalField()
        number.setRange(row.low or 0.0, row.high if row.high is not None else 1e12)
        return _Editor(
            number,
            number.value,
            lambda value: number.setValue(float(value)),
            number.valueChanged,
            number.problem,
        )
    line = QLineEdit()
    return _Editor(line, line.text, lambda value: line.setText(str(value)), line.textChanged)


class _Line(NamedTuple):
    """One setting of a form: ``shown`` is what its editor says without a change."""

    row: Setting
    editor: _Editor
    reset: QPushButton
    shown: list[Any]


class SettingsPage(QScrollArea):
    """Some settings as a form, with headings where ``groups`` says so. Nothing is stored before
    :meth:`store`. ``typed`` are values that were typed elsewhere and are not stored yet.

    A field costs some milliseconds, so the form grows in turns of the loop; what needs all of it
    asks for the rest at once (:meth:`complete`)."""

    edited = Signal(str, object)  # key, value as typed
    grown = Signal()  # all fields are there

    def __init__(
        self,
        bridge: Bridge,
        rows: Iterable[Setting],
        prefix: str = "setting",
        typed: Mapping[str, Any] | None = None,
        *,
        groups: bool = False,
    ) -> None:
        super().__init__()
        self._bridge = bridge
        self._prefix = prefix
        self._lines: dict[str, _Line] = {}
        self._reset: set[str] = set()
        self._waiting = deque(rows)
        self._groups, self._heading = groups, ""
        self._typed: dict[str, Any] = dict(typed or {})  # for fields that are not there yet
        page = QWidget()
        column = QVBoxLayout(page)
        grid = self._grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(0, 1)
        column.addLayout(grid)
        column.addStretch(1)
        self.setWidgetResizable(True)
        self.setWidget(page)
        # A timer of its own: Qt runs what singleShot(0) calls for in the turn that it is in.
        self._turn = QTimer(self)
        self._turn.setSingleShot(True)
        self._turn.timeout.connect(self._grow)
        self._turn.start()

    # -- growing ----------------------------------------------------------------------------
    def _grow(self) -> None:
        """One field more; to style, lay out and paint it takes longer than to make it."""
        if self._waiting:
            self._add_next()
        if self._waiting:
            self._turn.start()
        else:
            self.grown.emit()

    def complete(self) -> None:
        """All fields, now."""
        while self._waiting:
            self._add_next()

    def _add_next(self) -> None:
        row = self._waiting.popleft()
        if self._groups and row.group != self._heading:
            self._heading = row.group
            title = label(row.group, f"{self._prefix}-heading-{slug(row.group)}", "heading")
            self._grid.addWidget(title, self._grid.rowCount(), 0, 1, 3)
        self._add(self._grid, row)
        line = self._lines[row.key]
        name_inner_controls(line.editor.widget)
        self.blockSignals(True)
        self._show_value(line, self._typed)
        self.blockSignals(False)

    def _add(self, grid: QGridLayout, row: Setting) -> None:
        name, place = f"{self._prefix}-{slug(row.key)}", grid.rowCount()
        editor = _editor(row)
        named(editor.widget, name, row.help, row.key)
        editor.widget.setToolTip(plain_tip(self._tip(row)))
        editor.widget.setMinimumWidth(look.px(150))
        caption = label(_caption(row, self._bridge.setting_origin(row.key)), f"{name}-label")
        caption.setWordWrap(True)
        caption.setBuddy(editor.widget)
        caption.setMinimumWidth(look.px(240))
        reset = push_button(
            "Default", f"{name}-default", f"Back to the default: {row.help}", lambda: None
        )
        reset.setAutoDefault(False)
        reset.setToolTip(plain_tip(f"Back to {_shown(row.default)}"))
        keep = reset.sizePolicy()
        keep.setRetainSizeWhenHidden(True)
        reset.setSizePolicy(keep)
        line = _Line(row, editor, reset, [None])
        reset.clicked.connect(lambda _=False: self._to_default(line))
        editor.changed.connect(lambda *_: self._on_edited(line))
        self._lines[row.key] = line
        if row.key in TRIED:
            grid.addWidget(self._try_button(line, name), place, 3, Qt.AlignmentFlag.AlignTop)
        top = Qt.AlignmentFlag.AlignTop
        grid.addWidget(caption, place, 0)
        grid.addWidget(editor.widget, place, 1, top)
        grid.addWidget(reset, place, 2, top)

    def _try_button(self, line: _Line, name: str) -> QPushButton:
        """Plays the sound as loud as it stands in the field, stored or not."""
        button = push_button(
            "Test",
            f"{name}-test",
            f"Test: {line.row.help}",
            lambda: self._bridge.sound_wanted.emit(TRIED[line.row.key], float(line.editor.read())),
        )
        button.setAutoDefault(False)
        return button

    def _tip(self, row: Setting) -> str:
        parts = [row.key, f"default {_shown(row.default)}"]
        if row.former:
            parts.append(f"formerly {', '.join(row.former)}")
        return "\n".join(parts)

    def _to_default(self, line: _Line) -> None:
        line.editor.show(line.row.default)
        self._reset.add(line.row.key)
        self.edited.emit(line.row.key, DEFAULT)

    def _on_edited(self, line: _Line) -> None:
        value = line.editor.read()
        self._reset.discard(line.row.key)
        line.reset.setVisible(value != line.row.default)
        self.edited.emit(line.row.key, value)

    # -- values -----------------------------------------------------------------------------
    def show_values(self, typed: Mapping[str, Any] | None = None) -> None:
        """Show the values in force, and over them those that are ``typed``; what was typed here
        and not stored is lost."""
        self.blockSignals(True)
        self._typed = dict(typed or {})
        self._reset = {key for key, value in self._typed.items() if value is DEFAULT}
        for line in self._lines.values():
            self._show_value(line, self._typed)
        self.blockSignals(False)

    def _show_value(self, line: _Line, typed: Mapping[str, Any]) -> None:
        key = line.row.key
        line.editor.show(self._bridge.setting(key))
        line.shown[0] = line.editor.read()
        if key in typed:
            value = typed[key]
            line.editor.show(line.row.default if value is DEFAULT else value)
        line.reset.setVisible(line.editor.read() != line.row.default)

    def typed(self) -> dict[str, Any]:
        """What is not stored yet, by key."""
        found = {key: line.editor.read() for key, line in self._lines.items()}
        changed = {key: one for key, one in found.items() if one != self._lines[key].shown[0]}
        return changed | dict.fromkeys(self._reset & self._lines.keys(), DEFAULT)

    def problem(self) -> tuple[str, str]:
        """Key and sentence of the first field with a text that is no value; empty texts."""
        for key, line in self._lines.items():
            if text := line.editor.problem():
                return key, f"{line.row.help}: {text}"
        return "", ""

    def has(self, key: str) -> bool:
        """Whether the setting is in this form."""
        return key in self._lines or any(row.key == key for row in self._waiting)

    def focus(self, key: str) -> None:
        """Lead to the field of a setting."""
        self.complete()
        if (line := self._lines.get(key)) is not None:
            self.ensureWidgetVisible(line.editor.widget)
            line.editor.widget.setFocus()

    def store(self) -> None:
        """Store what was changed, all or nothing; raises :class:`ConfigError` when a value is
        bad."""
        _, text = self.problem()
        if text:
            raise ConfigError(text)
        store(self._bridge, self.typed())


def store(bridge: Bridge, typed: Mapping[str, Any]) -> list[Setting]:
    """Store values, all or nothing; :data:`DEFAULT` goes back to the default. Returns the rows
    that wait for the next start; raises :class:`ConfigError`."""
    values = {
        key: value if value is DEFAULT else SETTINGS[key].parse(value)
        for key, value in typed.items()
    }
    waiting = []
    for key, value in values.items():
        before = bridge.setting(key)
        if value is DEFAULT:
            bridge.unset_setting(key)
        elif value != before:
            bridge.set_setting(key, value)
        if SETTINGS[key].restart and bridge.setting(key) != before:
            waiting.append(SETTINGS[key])
    return waiting


def group_rows(group: str) -> list[Setting]:
    """The settings of a group."""
    return [row for row in SETTINGS.values() if row.group == group]


@cache
def _searched() -> dict[str, tuple[str, str]]:
    """What the search looks into, lower case: all that is said of each setting, and its help."""
    return {
        row.key: (
            " ".join((row.help, row.key, row.group, *map(str, row.choices), *row.former)).lower(),
            row.help.lower(),
        )
        for row in SETTINGS.values()
    }


def find_rows(words: str) -> list[Setting]:
    """Settings in which every word is found: in what they do, their key, their group, their
    choices; best ones (whose help has the words) first."""
    wanted = words.lower().split()
    found: list[tuple[bool, Setting]] = []
    for key, (text, says) in _searched().items():
        if all(word in text for word in wanted):
            found.append((not all(word in says for word in wanted), SETTINGS[key]))
    order: Sequence[str] = list(dict.fromkeys(row.group for _, row in sorted(found, key=_first)))
    return sorted((row for _, row in found), key=lambda row: order.index(row.group))


def _first(found: tuple[bool, Setting]) -> bool:
    return found[0]


def _caption(row: Setting, origin: str) -> str:
    notes = ["at the next start"] if row.restart else []
    if origin == "option":
        notes.append("for this run set by the command line")
    elif origin.partition(",")[0] not in ("default", "stored"):
        notes.append(f"for this run set by {origin}")
    return f"{row.help} ({'; '.join(notes)})" if notes else row.help


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value) if value != "" else "empty"
