"""Colour roles, palette and style sheet. One table has all themes: ``resources/themes``.

Widgets ask ``current().color(role)`` when they paint and drop caches on a palette or style change,
so a switch of the theme, the density or the text scale needs no wiring.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFontMetrics, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from openalgo_desktop.config.resources import resource_path, resource_text
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.ui.kit import fonts, look

DEFAULT = "dark"
TABLE = "themes/roles.json"
#: What moves by itself in Qt, and stops where the user wants no motion.
EFFECTS = (
    Qt.UIEffect.UI_AnimateMenu,
    Qt.UIEffect.UI_FadeMenu,
    Qt.UIEffect.UI_AnimateCombo,
    Qt.UIEffect.UI_AnimateTooltip,
    Qt.UIEffect.UI_FadeTooltip,
    Qt.UIEffect.UI_AnimateToolBox,
)
_PLACEHOLDER = re.compile(r"@px\((\d+)\)|@([a-z0-9-]+)")


@dataclass(frozen=True)
class Theme:
    """Named colours. ``roles`` maps a role to ``#RRGGBB``."""

    name: str
    title: str
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


@cache
def table() -> dict[str, Any]:
    """The table as it stands in the file: ``themes``, a list, and ``roles``, by name.

    A role says what it is for (``use``: ground, text, line, ``fill INK``, ``on GROUND``, ink,
    quiet) and its colour in each theme; a theme with a ``base`` takes from that what a role does
    not give. ``text`` and ``lines`` of a theme are the least contrasts (WCAG 2) it promises.
    """
    found: dict[str, Any] = msgspec.json.decode(resource_text(TABLE))
    return found


def names() -> tuple[str, ...]:
    """All themes, in the order of the table."""
    return tuple(str(row["name"]) for row in table()["themes"])


@cache
def load(name: str) -> Theme:
    """A theme of the table; raises :class:`ConfigError` when it is not there or not readable."""
    try:
        rows = table()
        row = next((row for row in rows["themes"] if row["name"] == name), None)
        if row is None:
            raise ConfigError(f"There is no theme {name!r}; there are {', '.join(names())}.")
        base = row["base"]
        colours = {
            role: str(given[name] if name in given or not base else given[base])
            for role, given in rows["roles"].items()
        }
        return Theme(name, str(row["title"]), bool(row["dark"]), colours)
    except (msgspec.DecodeError, KeyError, TypeError) as error:
        raise ConfigError(f"Theme {name} cannot be read: {error}.") from error


class _State:
    theme: Theme | None = None
    fusion = False  # whether the application has its style


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
    """``themes/base.qss`` with ``@role`` replaced by colours, ``@px(11)`` by a size at the text
    scale, ``@d-row`` and its like by sizes of the density; unknown names are an error."""
    line = QFontMetrics(fonts.text_font()).height()
    density = look.density()._asdict()
    density["control"] = max(density["control"], line)  # a field does not grow with its text
    density["inner"] = max(density["target"] - 2, line)  # of what has a frame of one pixel
    density["tool"] = density["control"] + 3  # Qt adds it to a tool button, and to nothing else
    density["status"] = max(24, line + 4)
    sizes = {f"d-{name}": f"{size}px" for name, size in density.items()}
    arrows = resource_path("icons").as_posix() + ("/dark" if theme.dark else "/light")
    words = {**theme.roles, **sizes, "mono": fonts.MONO, "icons": arrows}

    def word(match: re.Match[str]) -> str:
        size, name = match.groups()
        if size:
            return f"{look.px(int(size))}px"
        try:
            return words[name]
        except KeyError:
            raise ConfigError(f"Theme {theme.name} has no colour {name!r}.") from None

    return _PLACEHOLDER.sub(word, resource_text("themes/base.qss"))


def apply(app: QApplication, name: str) -> None:
    """Dress the whole program in a theme and the look in force; widgets repaint by themselves."""
    theme = load(name)
    _State.theme = theme
    if not _State.fusion:  # under a style sheet the style does not tell its own name
        app.setStyle(QStyleFactory.create("Fusion"))
        _State.fusion = True
    fonts.install(app)
    for effect in EFFECTS:
        QApplication.setEffectEnabled(effect, False)
    sheet = style_sheet(theme)
    # From one sheet to another Qt dresses each widget once for every widget that it is in; from
    # none it does so once: a third of the time.
    app.setStyleSheet("")
    app.setPalette(palette(theme))
    app.setStyleSheet(sheet)
