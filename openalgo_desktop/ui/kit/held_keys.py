"""A key that is held presses once, on X11 too.

There a held key comes as pairs of a release and a press, and Qt calls such a press a repeat only
when it had arrived by the time its release was looked at. Every second one had not, on a busy
machine more: what sends went out again and again. Both of a pair have the same time, which no hand
can do; by that they are known here. What Qt takes for a fresh press is given on as the repeat that
it is, and shortcuts ask :func:`is_repeat`.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimer
from PySide6.QtGui import QGuiApplication, QKeyEvent, QWindow

_PRESSES = frozenset({QEvent.Type.KeyPress, QEvent.Type.ShortcutOverride})
_CLICKS = frozenset({QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease})


class HeldKeys(QObject):
    """Looks at the keys of the window that has the focus; one for the application."""

    def __init__(self, app: QGuiApplication) -> None:
        super().__init__(app)
        self.repeats = False  # what is being pressed is held
        self._let_go = (0, 0)  # key and time of the last release, milliseconds of the display
        app.focusWindowChanged.connect(self._watch)
        self._watch(app.focusWindow())

    def _watch(self, window: QWindow | None) -> None:
        if window is not None:
            window.installEventFilter(self)

    def _over(self) -> None:
        self.repeats = False

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind in _CLICKS:
            self.repeats = False
            return False
        if kind is QEvent.Type.KeyRelease:
            assert isinstance(event, QKeyEvent)
            if not event.isAutoRepeat():
                self._let_go = (event.nativeScanCode(), event.timestamp())
            return False
        if kind not in _PRESSES:
            return False
        assert isinstance(event, QKeyEvent)
        here = (event.nativeScanCode(), event.timestamp())
        disguised = not event.isAutoRepeat() and bool(here[1]) and here == self._let_go
        self.repeats = disguised or event.isAutoRepeat()
        if self.repeats:
            QTimer.singleShot(0, self, self._over)  # after the shortcut of this very press
        if disguised and kind is QEvent.Type.KeyPress:
            QCoreApplication.sendEvent(watched, _as_repeat(event))
            return True
        return False


def _as_repeat(event: QKeyEvent) -> QKeyEvent:
    made = QKeyEvent(
        event.type(),
        event.key(),
        event.modifiers(),
        event.nativeScanCode(),
        event.nativeVirtualKey(),
        event.nativeModifiers(),
        event.text(),
        True,
        event.count(),
    )
    made.setTimestamp(event.timestamp())
    return made


_watchers: list[HeldKeys] = []


def watch_held_keys(app: QGuiApplication) -> None:
    """From now on held keys of the application are known; a second call does nothing."""
    if not _watchers:
        made = HeldKeys(app)
        _watchers.append(made)
        made.destroyed.connect(lambda _: _watchers.clear())


def is_repeat() -> bool:
    """Whether the shortcut that is being answered comes from a key that is held."""
    return any(watcher.repeats for watcher in _watchers)
