"""Which actions have a symbol, in menus and where a button shows no text."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtGui import QAction

from openalgo_desktop.ui.kit import icons

#: Symbol and colour role by action. Few: where everything has a symbol, none is found by it.
SYMBOLS: dict[str, tuple[str, str]] = {
    "search": ("search", "muted"),
    "settings": ("settings", "muted"),
    "arm": ("arm", "warning"),
    "cancel-all": ("cancel-all", "muted"),
    "flatten": ("flatten", "down"),
    "reverse": ("reverse", "muted"),
    "risk-limits": ("shield", "muted"),
    "audit": ("list", "muted"),
    "toggle-theme": ("theme", "muted"),
    "full-screen": ("full-screen", "muted"),
    "api-keys": ("key", "muted"),
    "copy-api-key": ("copy", "muted"),
    "accounts": ("account", "muted"),
    "lock-now": ("lock", "muted"),
    "about": ("info", "muted"),
    "quit": ("quit", "muted"),
}


def dress(actions: Mapping[str, QAction]) -> None:
    """Give the actions of the window their symbols."""
    for name, (symbol, role) in SYMBOLS.items():
        if name in actions:
            icons.put(actions[name], symbol, role)
