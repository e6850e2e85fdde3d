"""Symbols: ours, one colour, right in every theme and at every scale."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QAction, QColor, QIcon, QImage
from PySide6.QtWidgets import QApplication, QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.config.settings import SETTINGS
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.ui.kit import icons, look, theme
from openalgo_desktop.ui.kit.dressing import KEYS, dress


@pytest.fixture(autouse=True)
def plain_look(qapp: QApplication) -> Iterator[None]:
    """What a test changed ends with it."""
    theme.apply(qapp, theme.DEFAULT)
    yield
    look.use(look.Look())
    theme.apply(qapp, theme.DEFAULT)


def inked(image: QImage) -> set[str]:
    """Colours of the pixels that are fully covered."""
    pixels = (image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height()))
    return {pixel.name() for pixel in pixels if pixel.alpha() == 255}


def only(image: QImage, role: str) -> bool:
    """Whether all covered pixels have the colour of a role (but for rounding at edges)."""
    wanted = theme.current().color(role)
    found = [QColor(name) for name in inked(image)]
    return bool(found) and all(
        max(
            abs(colour.red() - wanted.red()),
            abs(colour.green() - wanted.green()),
            abs(colour.blue() - wanted.blue()),
        )
        <= 3
        for colour in found
    )


def test_there_are_many_and_each_is_a_plain_line_drawing() -> None:
    assert len(icons.names()) > 40
    for name in icons.names():
        text = resource_text(f"{icons.FOLDER}/{name}.svg")
        assert 'viewBox="0 0 24 24"' in text
        assert "<image" not in text
        assert "<text" not in text
        colours = set(re.findall(r'(?:stroke|fill)="([^"]+)"', text))
        assert colours <= {"none", "currentColor"}, name


@pytest.mark.parametrize("name", sorted(icons.names()))
def test_each_is_drawn_in_the_colour_of_its_role_and_touches_no_edge(name: str) -> None:
    image = icons.pixmap(name, "warning", 48).toImage()
    assert only(image, "warning")
    edge = [image.pixelColor(at, side).alpha() for at in range(48) for side in (0, 47)]
    edge += [image.pixelColor(side, at).alpha() for at in range(48) for side in (0, 47)]
    assert max(edge) == 0


@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.5, 2.0])
def test_it_has_the_pixels_of_the_screen(ratio: float) -> None:
    pixmap = icons.pixmap("close", ratio=ratio)
    assert pixmap.size() == QSize(round(16 * ratio), round(16 * ratio))
    assert pixmap.deviceIndependentSize().width() == pytest.approx(16, abs=0.4)
    assert icons.pixmap("close", ratio=ratio).cacheKey() == pixmap.cacheKey()


def test_buttons_and_actions_follow_theme_and_text_scale(qtbot: QtBot, qapp: QApplication) -> None:
    values: dict[str, object] = {key: SETTINGS[key].default for key in KEYS}
    button, action = QToolButton(), QAction("Close")
    qtbot.addWidget(button)
    icons.put(button, "dot", "text")
    icons.put(action, "dot", "text")
    for name in theme.names():
        values["ui.theme"] = name
        dress(qapp, values.__getitem__)
        for target in (button, action):
            assert only(target.icon().pixmap(16, 16).toImage(), "text")
    grey = button.icon().pixmap(QSize(16, 16), QIcon.Mode.Disabled).toImage()
    assert only(grey, "disabled")
    values["ui.text_scale"] = 150
    dress(qapp, values.__getitem__)
    assert button.iconSize() == QSize(24, 24)


def test_what_is_gone_is_forgotten(qapp: QApplication) -> None:
    button = QPushButton()
    icons.put(button, "check")
    button.deleteLater()
    del button
    qapp.sendPostedEvents(None, 0)
    before = len(icons._dressed)
    icons.refresh()
    assert len(icons._dressed) <= before


def test_an_unknown_name_is_told(qtbot: QtBot) -> None:
    button = QPushButton()
    qtbot.addWidget(button)
    with pytest.raises(ConfigError, match="no symbol 'heart'"):
        icons.put(button, "heart")
