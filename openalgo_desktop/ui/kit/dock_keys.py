"""The keys of one open dock: which press means which row, and what is done then."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QWidget

from openalgo_desktop.ui.kit.held_keys import is_repeat
from openalgo_desktop.ui.kit.keys import DockKey, KeyGroup, press_of, pressed, presses
from openalgo_desktop.ui.kit.widgets import shortcut_text

#: What is done at a key; ``False``: nothing here, the key goes on to whatever has the focus.
Answer = Callable[[], object]


class DockKeys(QObject):
    """Listens at the part of the dock that has the focus (its table, its ladder), not at a field
    in it unless a row says so. A key that is held is swallowed where its row does not say that it
    repeats, so that nothing is ever sent by one."""

    changed = Signal()  # other keys: captions and tooltips that name one

    def __init__(self, groups: Sequence[KeyGroup], parent: QObject) -> None:
        super().__init__(parent)
        self._named = {group.name(row): row for group in groups for row in group.rows}
        self._names = {row.id: name for name, row in self._named.items()}
        if len(self._names) != len(self._named):
            raise ValueError("two keys of a dock have one id")
        self._keys = {name: row.key for name, row in self._named.items()}
        self._answers: dict[str, Answer] = {}
        self._shortcuts: dict[str, QShortcut] = {}  # of rows that work in fields
        self._surface: QWidget | None = None
        self._rows: dict[int, DockKey] = {}
        self._find()

    def serve(self, surface: QWidget, answers: Mapping[str, Answer]) -> None:
        """Answer to the keys while ``surface`` has the focus; ``answers`` are by the ids of rows.
        Raises :class:`KeyError` for one that no row has."""
        unknown = set(answers) - set(self._names)
        if unknown:
            raise KeyError(f"no key of this dock is called {', '.join(sorted(unknown))}")
        self._answers |= answers
        for ident, answer in answers.items():
            if self._named[self._names[ident]].in_fields:
                self._shortcuts[ident] = self._shortcut(surface, answer)
        self._find()
        if self._surface is None:
            self._surface = surface
            surface.installEventFilter(self)

    def join(self, surface: QWidget) -> None:
        """A further part of the dock at which the same keys are answered."""
        surface.installEventFilter(self)

    def lead(self, surface: QWidget) -> None:
        """The part that gets the focus when the dock does; one that has joined."""
        self._surface = surface

    @property
    def surface(self) -> QWidget | None:
        """The part that has to have the focus; None where the dock answers to no key."""
        return self._surface

    @staticmethod
    def _shortcut(surface: QWidget, answer: Answer) -> QShortcut:
        made = QShortcut(surface)
        made.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        made.setAutoRepeat(False)
        made.activated.connect(lambda: is_repeat() or answer())
        return made

    def has(self, ident: str) -> bool:
        """Whether the dock has a row of that id."""
        return ident in self._names

    @property
    def answered(self) -> frozenset[str]:
        """Ids of the rows that something is done for."""
        return frozenset(self._answers)

    def use(self, key_of: Callable[[str], str]) -> None:
        """The keys in force, by the names of rows."""
        self._keys = {
            name: row.key if row.fixed else key_of(name) for name, row in self._named.items()
        }
        self._find()
        self.changed.emit()

    def _find(self) -> None:
        self._rows = {
            press_of(pressed(key)): row
            for name, row in self._named.items()
            if not (row.fixed or row.in_fields)
            for key in row.held(self._keys[name])
        }
        for ident, shortcut in self._shortcuts.items():
            shortcut.setKey(QKeySequence(self._keys[self._names[ident]]))

    # -- in words ---------------------------------------------------------------------------
    def text(self, ident: str) -> str:
        """The key of a row as this platform writes it; empty when it has none."""
        return shortcut_text(self._keys[self._names[ident]])

    def tip(self, words: str, ident: str) -> str:
        """A tooltip that names the key of a row, where there is one."""
        key = self.text(ident)
        return f"{words} ({key})" if key else words

    def lines(self) -> list[tuple[str, DockKey]]:
        """Each row with the key in force, for the list of keys; rows without one are left out."""
        held = [(" / ".join(row.held(self._keys[name])), row) for name, row in self._named.items()]
        return [(keys, row) for keys, row in held if keys]

    # -- events -----------------------------------------------------------------------------
    def _row(self, event: QKeyEvent) -> DockKey | None:
        found = (self._rows.get(press) for press in presses(event))
        row = next((row for row in found if row is not None), None)
        return row if row is not None and row.id in self._answers else None

    @staticmethod
    def _is_elsewhere(surface: QObject) -> bool:
        """Whether the focus is in something inside of the surface: an editor in a cell."""
        focus = QApplication.focusWidget()
        if focus is None or not isinstance(surface, QWidget):
            return False
        return focus not in (surface, surface.focusProxy()) and surface.isAncestorOf(focus)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind not in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress):
            return False
        assert isinstance(event, QKeyEvent)
        row = self._row(event)
        if row is None or self._is_elsewhere(watched):
            return False
        if kind is QEvent.Type.ShortcutOverride:
            event.accept()  # whatever the window uses it for
            return True
        if event.isAutoRepeat() and not row.repeats:
            return True
        return self._answers[row.id]() is not False
