"""What all docks share: title bar with link chip, empty state, frame turns, prices wanted."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDockWidget,
    QHBoxLayout,
    QMenu,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.model import Key
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.frames import Ticks
from openalgo_desktop.ui.kit.widgets import label, named, plain_tip


class TitleBar(QWidget):
    """Dock title: name, what it shows, link chip, float and close."""

    def __init__(self, dock: Dock, title: str, linkable: bool) -> None:
        super().__init__(dock)
        name = dock.objectName()
        named(self, f"{name}-title-bar", f"{title}, title bar")
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 3, 4, 3)
        row.setSpacing(6)
        row.addWidget(label(title, f"{name}-title", "dock-title"))
        self.subject = label("", f"{name}-subject", "muted")
        self.subject.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row.addWidget(self.subject, 1)
        self.link = named(QToolButton(), f"{name}-link", f"{title} follows the linked symbol")
        self.link.setText("● Link")
        self.link.setCheckable(True)
        self.link.setChecked(True)
        self.link.setProperty("role", "link-chip")
        self.link.setToolTip("Follow the symbol picked elsewhere")
        row.addWidget(self.link)
        if not linkable:  # (showing it before it has a parent would flash a window)
            self.link.hide()
        self.extras = QHBoxLayout()
        row.addLayout(self.extras)
        float_button = named(QToolButton(), f"{name}-float", f"Float or dock {title}")
        float_button.setText("❐")
        float_button.setToolTip("Float or dock")
        float_button.clicked.connect(lambda: dock.setFloating(not dock.isFloating()))
        close_button = named(QToolButton(), f"{name}-close", f"Close {title}")
        close_button.setText("✕")
        close_button.setToolTip("Close; View menu brings it back")
        close_button.clicked.connect(dock.close)
        for button in (float_button, close_button):
            button.setProperty("role", "dock-button")
            button.setAutoRaise(True)
            row.addWidget(button)


class Dock(QDockWidget):
    """Base of all docks and a :class:`FrameClient`.

    A dock says what it is (``name``, ``title``), asks for prices with :meth:`want`, stores ticks
    in :meth:`take` and repaints in :meth:`flush`.
    """

    name = ""
    title = ""
    linkable = False
    empty_text = ""
    priority = 1
    min_interval = 0.0

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(self.title)
        self.bridge = bridge
        self.dirty = False
        named(self, f"dock-{self.name}", self.title)
        self.setAllowedAreas(Qt.DockWidgetArea.AllDockWidgetAreas)
        self.title_bar = TitleBar(self, self.title, self.linkable)
        self.setTitleBarWidget(self.title_bar)
        self.body = named(QWidget(), f"dock-{self.name}-body", f"{self.title}, content")
        self.content = QVBoxLayout(self.body)
        self.content.setContentsMargins(0, 0, 0, 0)
        self.content.setSpacing(0)
        self._empty = label(self.empty_text, f"dock-{self.name}-empty", "empty")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setWordWrap(True)
        self.setWidget(self.body)
        bridge.frames.add(self)
        if self.linkable:
            bridge.symbol_selected.connect(self._on_selected)

    # -- linked symbol ----------------------------------------------------------------------
    @property
    def linked(self) -> bool:
        """Whether this dock follows the linked symbol."""
        return self.linkable and self.title_bar.link.isChecked()

    def _on_selected(self, key: Key) -> None:
        if self.linked:
            self.show_symbol(key)

    def show_symbol(self, key: Key) -> None:
        """Show ``key``; linkable docks implement it."""

    def set_subject(self, text: str, tip: str = "") -> None:
        """What the dock shows, beside its title; ``tip`` is for hovering over it."""
        self.title_bar.subject.setText(text)
        self.title_bar.subject.setToolTip(plain_tip(tip) if tip else "")

    # -- empty state ------------------------------------------------------------------------
    def place_empty_over(self, target: QWidget) -> None:
        """Show the empty text in the place of ``target`` while :meth:`set_empty` says so."""
        self._empty_target = target
        self.content.insertWidget(self.content.indexOf(target), self._empty, 1)
        self._empty.hide()

    def set_empty(self, empty: bool, text: str = "") -> None:
        """Swap content and empty text."""
        if text:
            self._empty.setText(text)
        self._empty.setVisible(empty)
        self._empty_target.setVisible(not empty)

    # -- prices -----------------------------------------------------------------------------
    def want(self, keys: Mapping[Key, FeedMode]) -> None:
        """Ask for live prices of ``keys`` instead of the ones before."""
        self.bridge.want(self.objectName(), keys)

    def take(self, ticks: Ticks) -> None:
        """Store prices; docks with prices implement it."""

    def is_hidden(self) -> bool:
        """Whether nobody can see it: closed, behind another tab, or minimised."""
        return self.visibleRegion().isEmpty()

    def wants_flush(self) -> bool:
        """Dirty, and somebody can see it."""
        return self.dirty and not self.is_hidden()

    def flush(self) -> None:
        """Repaint; docks with prices implement it and call this."""
        self.dirty = False

    # -- menus and state --------------------------------------------------------------------
    def menu(self) -> QMenu:
        """A context menu that deletes itself; open it with ``popup``."""
        menu = named(QMenu(self), f"dock-{self.name}-menu", f"{self.title} menu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return menu

    def save_state(self) -> dict[str, object]:
        """What the workspace remembers of this dock (JSON values)."""
        return {"linked": self.title_bar.link.isChecked()}

    def restore_state(self, state: Mapping[str, object]) -> None:
        """The other way round; unknown values are ignored."""
        if isinstance(linked := state.get("linked"), bool):
            self.title_bar.link.setChecked(linked)
