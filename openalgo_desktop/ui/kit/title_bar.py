"""The title bar of a dock: what it is, what it shows, its link group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from openalgo_desktop.ui.kit import icons
from openalgo_desktop.ui.kit.elided import ElidedText
from openalgo_desktop.ui.kit.widgets import label, named, plain_tip, set_role

if TYPE_CHECKING:
    from openalgo_desktop.ui.kit.dock import Dock


class TitleBar(QWidget):
    """Dock title: name, what it shows, link chip, float and close."""

    def __init__(self, dock: Dock, title: str, linkable: bool) -> None:
        super().__init__(dock)
        name = dock.objectName()
        named(self, f"{name}-title-bar", f"{title}, title bar")
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 2, 0)
        row.setSpacing(4)
        row.addWidget(label(title, f"{name}-title", "dock-title"))
        self.subject = ElidedText(f"{name}-subject")
        row.addWidget(self.subject, 1)
        self.link = named(QToolButton(), f"{name}-link", f"Link group of {title}")
        self.link.setProperty("role", "link-chip")
        self.link.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.link.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        row.addWidget(self.link)
        if not linkable:  # (showing it before it has a parent would flash a window)
            self.link.hide()
        self.extras = QHBoxLayout()
        row.addLayout(self.extras)
        self.float_button = named(QToolButton(), f"{name}-float", f"Float or dock {title}")
        self.float_button.setToolTip("Float or dock")
        self.float_button.clicked.connect(lambda: dock.setFloating(not dock.isFloating()))
        self.close_button = named(QToolButton(), f"{name}-close", f"Close {title}")
        icons.put(self.close_button, "close")
        self.close_button.setToolTip("Close; the View menu opens it again")
        self.close_button.clicked.connect(dock.close)
        for button in (self.float_button, self.close_button):
            button.setProperty("role", "dock-button")
            button.setAutoRaise(True)
            row.addWidget(button)
        self._dock = dock
        dock.topLevelChanged.connect(self._show_floating)
        self._show_floating(False)

    def _show_floating(self, floating: bool) -> None:
        icons.put(self.float_button, "dock" if floating else "float")

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        event.accept()
        self._dock.menu_wanted.emit(self._dock, event.globalPos())

    def show_group(self, group: int) -> None:
        """The chip says the group in colour and number."""
        self.link.setText(str(group) if group else "")
        icons.put(
            self.link,
            "link" if group else "unlink",
            f"link-{group}" if group else "muted",
        )
        self.link.setToolTip(
            plain_tip(f"Link group {group}: these docks show one symbol" if group else "Not linked")
        )
        set_role(self.link, str(group), "group")
