"""The settings dialog, generated from the settings table: groups, search, defaults."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.config.settings import SETTINGS
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.settings_page import SettingsPage, find_rows, group_rows, store
from openalgo_desktop.ui.kit.tab_order import chain_tabs, in_reading_order
from openalgo_desktop.ui.kit.widgets import (
    label,
    name_inner_controls,
    named,
    push_button,
    slug,
)

NAME = "dialog-settings"
#: Milliseconds from the last key in the search to its answer.
SEARCH_AFTER = 180
#: A search shows so many settings at most: forms cost time to build.
MOST_FOUND = 12


class SettingsDialog(QDialog):
    """A page for each group, built when it is looked at, and one for what a search finds. Values
    are checked and stored on *Save*, all or none."""

    def __init__(self, parent: QWidget, bridge: Bridge) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._typed: dict[str, Any] = {}
        self._pages: dict[str, SettingsPage] = {}
        self._found: SettingsPage | None = None
        self.setWindowTitle("Settings")
        self.resize(look.px(860), look.px(560))
        named(self, NAME, "Settings")
        self.search = named(QLineEdit(), f"{NAME}-search", "Search settings")
        self.search.setPlaceholderText("Search: theme, freeze, port…   Ctrl+F")
        self.search.setClearButtonEnabled(True)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SEARCH_AFTER)
        self._timer.timeout.connect(self.show_found)
        self.search.textChanged.connect(lambda _: self._timer.start())
        self.groups = named(QListWidget(), f"{NAME}-groups", "Groups of settings")
        self.groups.addItems(list(dict.fromkeys(row.group for row in SETTINGS.values())))
        self.groups.setProperty("role", "popup")
        self.groups.setFixedWidth(self.groups.sizeHintForColumn(0) + look.px(40))
        self.groups.currentTextChanged.connect(self.show_group)
        self.stack = QStackedWidget()
        self.error = label("", f"{NAME}-error", "error")
        self.error.setWordWrap(True)
        self._lay_out()
        self.groups.setCurrentRow(0)
        self.search.setFocus()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setSpacing(10)
        column.addWidget(self.search)
        middle = QHBoxLayout()
        middle.addWidget(self.groups)
        middle.addWidget(self.stack, 1)
        column.addLayout(middle, 1)
        buttons = QHBoxLayout()
        buttons.addWidget(self.error, 1)
        cancel = push_button("Cancel", f"{NAME}-cancel", "Cancel", self.reject)
        buttons.addWidget(cancel)
        save = push_button("Save", f"{NAME}-save", "Save settings", self._save)
        save.setProperty("role", "primary")
        save.setDefault(True)
        buttons.addWidget(save)
        self.buttons = (cancel, save)
        column.addLayout(buttons)

    # -- pages ------------------------------------------------------------------------------
    def page(self) -> SettingsPage | None:
        """The form that is shown."""
        shown = [page for page in self._all() if self.stack.currentWidget() is page]
        return shown[0] if shown else None

    def _all(self) -> list[SettingsPage]:
        return [*self._pages.values(), *([self._found] if self._found is not None else [])]

    def show_group(self, group: str) -> None:
        """The settings of one group."""
        if not group:
            return
        page = self._pages.get(group)
        if page is None:
            page = self._pages[group] = SettingsPage(self._bridge, group_rows(group))
            self._add(page, f"{NAME}-{slug(group)}", group)
        page.show_values(self._typed)
        self.stack.setCurrentWidget(page)
        self._order_tabs(page)

    def show_found(self) -> None:
        """What the search finds, in the groups that it is in; without words the group again."""
        self._timer.stop()
        words = self.search.text().strip()
        if not words:
            self.groups.setEnabled(True)
            self.show_group(self.groups.currentItem().text())
            self.error.setText("")
            return
        rows = find_rows(words)
        old, self._found = (
            self._found,
            SettingsPage(self._bridge, rows[:MOST_FOUND], "found", self._typed, groups=True),
        )
        self._add(self._found, f"{NAME}-found", "Settings that were found")
        self.stack.setCurrentWidget(self._found)
        if old is not None:
            self.stack.removeWidget(old)
            old.deleteLater()
        more = len(rows) - MOST_FOUND
        nothing = "" if rows else f"No setting is about “{words}”."
        self.error.setText(f"{more} more: search with more words." if more > 0 else nothing)

    def _add(self, page: SettingsPage, name: str, title: str) -> None:
        named(page, name, title)
        page.edited.connect(self._typed.__setitem__)
        # In a turn of its own, after the last field.
        page.grown.connect(lambda: QTimer.singleShot(0, page, lambda: self._order_tabs(page)))
        self.stack.addWidget(page)
        name_inner_controls(page)

    def _order_tabs(self, page: SettingsPage) -> None:
        """Tab goes from the groups through the page to the buttons; other pages are not seen."""
        inside = in_reading_order(page)
        chain_tabs([self.search, self.groups, page, *inside, *self.buttons])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Find):
            self.search.setFocus()
            self.search.selectAll()
        elif event.key() == Qt.Key.Key_Escape and self.search.text():
            self.search.clear()
            self.show_found()
        else:
            super().keyPressEvent(event)

    # -- saving -----------------------------------------------------------------------------
    def _save(self) -> None:
        for page in self._all():
            key, text = page.problem()
            if text:
                self._complain(text, key)
                return
        try:
            waiting = store(self._bridge, self._typed)
        except ConfigError as error:
            self._complain(error.message, _named_in(error.message))
            return
        self.accept()
        if waiting:
            names = "; ".join(row.help for row in waiting)
            self._bridge.notice.emit("info", f"From the next start on: {names}")

    def _complain(self, text: str, key: str) -> None:
        """Say what is wrong, and lead to the field."""
        if key:
            page = self.page()
            if page is None or not page.has(key):
                self.search.clear()
                self._timer.stop()
                group = SETTINGS[key].group
                self.groups.setCurrentItem(
                    self.groups.findItems(group, Qt.MatchFlag.MatchExactly)[0]
                )
                self.show_group(group)
                page = self._pages[group]
            page.focus(key)
        self.error.setText(text)


def _named_in(text: str) -> str:
    """The setting that an error is about."""
    return next((key for key in SETTINGS if f"Setting {key}:" in text), "")
