"""All actions of the window in one table: name, text, shortcut, tip."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from openalgo_desktop.ui.kit.widgets import plain_tip, shortcut_text


@dataclass(frozen=True, slots=True)
class ActionRow:
    """One action; ``name`` is the key in :func:`build_actions` and part of the object name."""

    name: str
    text: str
    shortcut: str = ""
    tip: str = ""
    menu: str = ""
    checkable: bool = False
    local: bool = False  # works only with the focus inside the widget that gets the action


ACTIONS: tuple[ActionRow, ...] = (
    ActionRow("search", "Search symbol", "Ctrl+K", "Find an instrument", "Edit"),
    ActionRow("cancel-all", "Cancel all", "F7", "Cancel all working orders", "Trade"),
    ActionRow("flatten", "Flatten", "F6", "Close all positions at market, after a review", "Trade"),
    ActionRow("risk-limits", "Risk limits", "", "Limits of symbols, strategies, accounts", "Trade"),
    ActionRow("review-books", "Compare books", "", "Own books against the account's", "Trade"),
    ActionRow("audit", "Audit trail", "", "Who did what, when; search and export", "Trade"),
    ActionRow("reset-kill", "Reset kill switch", "", "Accept new orders again", "Trade"),
    ActionRow("toggle-mode", "Sandbox / Live", "Ctrl+Shift+S", "Switch where orders go", "Trade"),
    ActionRow("buy", "Buy", "Ctrl+Shift+B", "Ticket: buy the linked symbol", "Trade"),
    ActionRow("sell", "Sell", "Ctrl+Shift+V", "Ticket: sell the linked symbol", "Trade"),
    ActionRow(
        "send-ticket",
        "Send ticket",
        "Ctrl+Return",
        "Send the order in the ticket",
        "Trade",
        local=True,
    ),
    ActionRow("toggle-theme", "Dark / light theme", "Ctrl+Shift+T", "Change the colours", "View"),
    ActionRow("reset-layout", "Reset layout", "", "Put all docks back in their places", "View"),
    ActionRow("full-screen", "Full screen", "F11", "Use the whole screen", "View", True),
    ActionRow("api-keys", "API keys", "", "Show, create and revoke keys for scripts", "API"),
    ActionRow("webhooks", "Webhook strategies", "", "What alerts may trade", "API"),
    ActionRow("copy-api-key", "Copy API key", "", "Copy the key for scripts", "API"),
    ActionRow("accounts", "Accounts", "", "Log in and out, choose data and order account", "File"),
    ActionRow("app-lock", "App lock", "", "Password in front of the window and live mode", "File"),
    ActionRow("lock-now", "Lock now", "Ctrl+Shift+L", "Lock the window", "File"),
    ActionRow("settings", "Settings", "Ctrl+,", "Change settings", "Edit"),
    ActionRow("about", "About", "", "Version, licence, source, libraries", "Help"),
    ActionRow("quit", "Quit", "Ctrl+Q", "Stop the terminal", "File"),
)


def build_actions(
    owner: QWidget, handlers: Mapping[str, Callable[[], object]]
) -> dict[str, QAction]:
    """Create the actions of the table and wire them; each row needs a handler.

    Key repeat is off for all of them: holding F7 must not send a burst.
    """
    actions: dict[str, QAction] = {}
    for row in ACTIONS:
        handler = handlers[row.name]
        action = QAction(row.text, owner)
        action.setObjectName(f"action-{row.name}")
        action.setCheckable(row.checkable)
        action.setAutoRepeat(False)
        hint = f" ({shortcut_text(row.shortcut)})" if row.shortcut else ""
        action.setToolTip(plain_tip((row.tip or row.text) + hint))
        if row.shortcut:
            action.setShortcut(QKeySequence(row.shortcut))
            action.setShortcutContext(
                Qt.ShortcutContext.WidgetWithChildrenShortcut
                if row.local
                else Qt.ShortcutContext.ApplicationShortcut
            )
        action.triggered.connect(lambda checked=False, call=handler: call())
        if not row.local:
            owner.addAction(action)
        actions[row.name] = action
    return actions
