"""All actions of the window in one table: name, text, shortcut, tip."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from openalgo_desktop.ui.kit.dialogs import keep_key
from openalgo_desktop.ui.kit.held_keys import is_repeat
from openalgo_desktop.ui.kit.keys import alt_letters


@dataclass(frozen=True, slots=True)
class ActionRow:
    """One action; ``name`` is the key in :func:`build_actions` and part of the object name. One
    without a ``menu`` is in none; ``words`` are other names that the command palette knows;
    ``also`` are further keys that hold as long as the key was not changed."""

    name: str
    text: str
    shortcut: str = ""
    tip: str = ""
    menu: str = ""
    checkable: bool = False
    words: str = ""
    also: tuple[str, ...] = ()


R = ActionRow
#: Their keys work in dialogs, too: nobody closes a form first to get out of the market.
REDUCE_RISK = frozenset({"cancel-all", "cancel-symbol", "flatten", "flatten-symbol"})
#: Ctrl+1 to Ctrl+9 show the workspaces in their order.
WORKSPACES = 9
ACTIONS: tuple[ActionRow, ...] = (
    R("search", "Search symbol or command", "Ctrl+K", "Find an instrument or a command", "Edit"),
    R("commands", "Command palette", "Ctrl+Shift+P", "Find a command", "Edit"),
    R("hotkeys", "Keys", "", "Change the keys of all actions", "Edit", words="hotkeys, shortcuts"),
    R("settings", "Settings", "Ctrl+,", "Change settings", "Edit", words="preferences, options"),
    R("buy", "Buy", "Ctrl+Shift+B", "Ticket: buy the linked symbol", "Trade", words="long, ticket"),
    R(
        "sell",
        "Sell",
        "Ctrl+Shift+V",
        "Ticket: sell the linked symbol",
        "Trade",
        words="short, ticket",
    ),
    R(
        "send-ticket",
        "Send ticket",
        "Ctrl+Return",
        "Send the order in the ticket",
        "Trade",
        also=("Ctrl+B",),
    ),
    R(
        "arm",
        "Arm one-click trading",
        "F9",
        "Clicks and drags send at once while it is armed; it goes off by itself",
        "Trade",
        words="one click, disarm",
    ),
    R(
        "cancel-all",
        "Cancel all",
        "F7",
        "Cancel all working orders",
        "Trade",
        words="pull orders",
    ),
    R(
        "cancel-symbol",
        "Cancel this symbol",
        "Shift+F7",
        "Cancel the working orders of the linked symbol",
        "Trade",
    ),
    R(
        "flatten",
        "Flatten",
        "F6",
        "Close all positions at market, after a review",
        "Trade",
        words="square off, exit all, close all",
    ),
    R(
        "flatten-symbol",
        "Flatten this symbol",
        "Shift+F6",
        "Close the positions of the linked symbol at market, after a review",
        "Trade",
        words="square off, exit, close position",
    ),
    R(
        "reverse-symbol",
        "Reverse this symbol",
        "F8",
        "Turn the position of the linked symbol to the other side, after a question",
        "Trade",
        words="flip, stop and reverse",
    ),
    R(
        "risk-limits",
        "Risk limits",
        "",
        "Limits of symbols, strategies, accounts",
        "Trade",
        words="max loss, guard",
    ),
    R(
        "review-books",
        "Compare books",
        "",
        "Own books against the account's",
        "Trade",
        words="reconcile, differences",
    ),
    R("audit", "Audit trail", "", "Who did what, when; search and export", "Trade"),
    R("reset-kill", "Reset kill switch", "", "Accept new orders again", "Trade"),
    R(
        "toggle-mode",
        "Sandbox / Live",
        "Ctrl+Shift+S",
        "Switch where orders go",
        "Trade",
        words="paper, real",
    ),
    R("next-dock", "Next panel", "Ctrl+Tab", "Go to the next panel", "View"),
    R("previous-dock", "Previous panel", "Ctrl+Shift+Tab", "Go to the panel before", "View"),
    R(
        "toggle-theme",
        "Dark / light theme",
        "Ctrl+Shift+T",
        "Change the colours",
        "View",
        words="night, day, colours",
    ),
    R("reset-layout", "Reset layout", "", "Put all docks back in their places", "View"),
    R("full-screen", "Full screen", "F11", "Use the whole screen", "View", True),
    R("show-orders", "Show the orders", "", "Bring the order book to the front"),
    R("approvals", "Show the action centre", "", "Requests that wait for a yes"),
    *(
        R(f"workspace-{n}", f"Workspace {n}", f"Ctrl+{n}", f"Show workspace {n}")
        for n in range(1, WORKSPACES + 1)
    ),
    R("api-keys", "API keys", "", "Show, create and revoke keys for scripts", "API"),
    R("webhooks", "Webhook strategies", "", "What alerts may trade", "API", words="tradingview"),
    R("telegram", "Telegram", "", "The bot: token, linked chats", "API", words="bot, chat, phone"),
    R("copy-api-key", "Copy API key", "", "Copy the key for scripts", "API"),
    R(
        "accounts",
        "Accounts",
        "",
        "Log in and out, choose data and order account",
        "File",
        words="broker, login, log in, log out, connect",
    ),
    R("app-lock", "App lock", "", "Password in front of the window and live mode", "File"),
    R("lock-now", "Lock now", "Ctrl+Shift+L", "Lock the window", "File"),
    R("quit", "Quit", "Ctrl+Q", "Stop the terminal", "File", words="exit program, leave"),
    R("keys-help", "Keys of this panel", "F1", "The keys of the panel with the focus", "Help"),
    R(
        "first-run",
        "First steps",
        "",
        "The steps of the first start again",
        "Help",
        words="wizard, setup",
    ),
    R(
        "tour",
        "Tour",
        "",
        "Six hints beside the parts they are about",
        "Help",
        words="hints, learn",
    ),
    R(
        "diagnostics",
        "Diagnostics",
        "",
        "Versions, settings, figures and today's log as one file",
        "Help",
        words="support, bug, log, bundle, zip",
    ),
    R(
        "crash-report",
        "Crash report",
        "",
        "What the last run left that did not end properly",
        "Help",
        words="bug, error",
    ),
    R("about", "About", "", "Version, licence, source, libraries", "Help"),
)


#: The menu bar, from left to right.
MENUS = ("File", "Edit", "View", "Trade", "API", "Help")


def menu_keys() -> dict[str, str]:
    """The keys that open a menu, with its title."""
    captions = zip(MENUS, alt_letters(MENUS), strict=True)
    return {f"Alt+{text[text.index('&') + 1].upper()}": title for title, text in captions}


def _answer(action: QAction, call: Callable[[], object], checked: bool = False) -> None:
    if not is_repeat():
        call()
    elif action.isCheckable():
        action.setChecked(not checked)


def build_actions(
    owner: QWidget, handlers: Mapping[str, Callable[[], object]]
) -> dict[str, QAction]:
    """Create the actions of the table and wire them; each row needs a handler. Their keys come
    from :class:`~openalgo_desktop.ui.shell.hotkeys.Hotkeys`.

    Key repeat is off for all of them: holding F7 must not send a burst.
    """
    actions: dict[str, QAction] = {}
    captions: dict[str, str] = {}
    for menu in {row.menu for row in ACTIONS}:
        rows = [row for row in ACTIONS if row.menu == menu]
        texts = alt_letters([row.text for row in rows]) if menu else [row.text for row in rows]
        captions |= {row.name: text for row, text in zip(rows, texts, strict=True)}
    for row in ACTIONS:
        handler = handlers[row.name]
        action = QAction(captions[row.name], owner)
        action.setIconText(row.text)
        action.setObjectName(f"action-{row.name}")
        action.setCheckable(row.checkable)
        action.setAutoRepeat(False)
        action.triggered.connect(partial(_answer, action, handler))
        action.setShortcutContext(Qt.ShortcutContext.ApplicationShortcut)
        owner.addAction(action)
        actions[row.name] = keep_key(action) if row.name in REDUCE_RISK else action
    return actions
