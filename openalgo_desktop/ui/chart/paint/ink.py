"""Colours of a chart, resolved once for a theme."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QColor

from openalgo_desktop.ui.chart.series import Floats
from openalgo_desktop.ui.kit import theme

VOLUME_ALPHA = 120
AREA_ALPHA = 46


def blend(colour: QColor, ground: QColor, part: float) -> QColor:
    """What a colour looks like that lets ``1 - part`` of the ground through."""
    pairs = (
        (colour.red(), ground.red()),
        (colour.green(), ground.green()),
        (colour.blue(), ground.blue()),
    )
    return QColor(*(round(over * part + under * (1.0 - part)) for over, under in pairs))


class Ink:
    """What painters draw with. ``tones`` (of a study that colours bars) has a value for each bar,
    ``palette`` colours of values; others mean the bar's own colour."""

    def __init__(self) -> None:
        self.tones: Floats | None = None
        self.palette: Sequence[tuple[float, QColor]] = ()
        self.base = float("nan")  # value that a baseline chart is split at
        self.box = 0.0  # of point and figure, rupees
        self.restyle()

    def restyle(self) -> None:
        """Take the colours of the theme in force."""
        colours = theme.current()
        self._roles: dict[str, QColor] = {}
        self.ground = colours.color("panel")
        self.grid = colours.color("grid")
        self.border = colours.color("border")
        self.label = colours.color("muted")
        self.up, self.down = colours.color("up"), colours.color("down")
        # Opaque: a translucent column costs twenty times as much.
        self.volume_up = blend(self.up, self.ground, VOLUME_ALPHA / 255.0)
        self.volume_down = blend(self.down, self.ground, VOLUME_ALPHA / 255.0)
        self.line = colours.color("accent")
        self.area = colours.color("accent", AREA_ALPHA)
        self.area_up = colours.color("up", AREA_ALPHA)
        self.area_down = colours.color("down", AREA_ALPHA)

    def colour(self, role: str) -> QColor:
        """A colour of the theme, or ``#rrggbb``; not to be changed."""
        found = self._roles.get(role)
        if found is None:
            found = QColor(role) if role.startswith("#") else theme.current().color(role)
            self._roles[role] = found
        return found
