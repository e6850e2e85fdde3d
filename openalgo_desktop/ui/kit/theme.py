"""Colour roles, palette and style sheet. Roles are data in ``resources/themes``.

Widgets ask ``current().color(role)`` when they paint and drop caches on a palette change, so a
switch of the theme needs no wiring.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import msgspec
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from openalgo_desktop.config.resources import resource_path, resource_text
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.ui.kit import fonts

DEFAULT = "dark"
_PLACEHOLDER = re.compile(r"@([a-z-]+)")


@dataclass(frozen=True)
class Theme:
    """Named colours. ``roles`` maps a role to ``#RRGGBB``."""

    name: str
    dark: bool
    roles: dict[str, str]
    _colors: dict[str, QColor] = field(default_factory=dict, compare=False, repr=False)

    def color(self, role: str, alpha: int = 255) -> QColor:
        """A colour of the caller's own; an unknown or empty role is the text colour."""
        known = self._colors.get(role)
        if known is None:
            known = QColor(self.roles.get(role) or self.roles["text"])
            self._colors[role] = known
        result = QColor(known)
        if alpha != 255:
            result.setAlpha(alpha)
        return result


def load(name: str) -> Theme:
    """Read a theme; raises :class:`ConfigError` when it is not there or not readable."""
    raw = resource_text(f"themes/{name}.json")
    try:
        data = msgspec.json.decode(raw)
        return Theme(str(data["name"]), bool(data["dark"]), dict(data["roles"]))
    except (msgspec.DecodeError, KeyError, TypeError) as error:
        raise ConfigError(f"Theme {name} cannot be read: {error}.") from error


class _State:
    theme: Theme | None = None


def current() -> Theme:
    """The theme in force (the default one before the first :func:`apply`)."""
    if _State.theme is None:
        _State.theme = load(DEFAULT)
    return _State.theme


def palette(theme: Theme) -> QPalette:
    """The Qt palette of a theme."""
    role = QPalette.ColorRole
    pairs = {
        role.Window: "window",
        role.WindowText: "text",
        role.Base: "panel",
        role.AlternateBase: "zebra",
        role.Text: "text",
        role.Button: "raised",
        role.ButtonText: "text",
        role.BrightText: "on-fill",
        role.Highlight: "selection",
        role.HighlightedText: "selection-text",
        role.ToolTipBase: "tooltip",
        role.ToolTipText: "text",
        role.PlaceholderText: "muted",
        role.Link: "accent",
        role.LinkVisited: "accent",
        role.Light: "border-strong",
        role.Midlight: "border",
        role.Mid: "border",
        role.Dark: "window",
        role.Shadow: "window",
    }
    result = QPalette()
    for key, name in pairs.items():
        result.setColor(key, theme.color(name))
    for key in (role.WindowText, role.Text, role.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, key, theme.color("disabled"))
    return result


def style_sheet(theme: Theme) -> str:
    """``themes/base.qss`` with ``@role`` replaced by colours; unknown roles are an error."""

    def colour(match: re.Match[str]) -> str:
        name = match.group(1)
        if name == "mono":
            return fonts.MONO
        if name == "icons":
            return resource_path("icons").as_posix() + ("/dark" if theme.dark else "/light")
        try:
            return theme.roles[name]
        except KeyError:
            raise ConfigError(f"Theme {theme.name} has no colour {name!r}.") from None

    return _PLACEHOLDER.sub(colour, resource_text("themes/base.qss"))


def apply(app: QApplication, name: str) -> None:
    """Dress the whole program; widgets repaint by themselves."""
    theme = load(name)
    _State.theme = theme
    if app.style().name().lower() != "fusion":
        app.setStyle(QStyleFactory.create("Fusion"))
    app.setPalette(palette(theme))
    app.setStyleSheet(style_sheet(theme))
