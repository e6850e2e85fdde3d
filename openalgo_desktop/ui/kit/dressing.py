"""The window as the settings want it: colours, sizes, numbers. Called at the start and whenever
one of :data:`KEYS` changes; nothing has to be opened again."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QApplication

from openalgo_desktop.ui.kit import fields, icons, look, theme
from openalgo_desktop.ui.kit import format as fmt

KEYS = frozenset(
    {
        "ui.theme",
        "ui.density",
        "ui.text_scale",
        "ui.reduced_motion",
        "ui.grouping",
        "ui.wheel",
    }
)


def dress(app: QApplication, setting: Callable[[str], object]) -> None:
    """Dress the whole program; ``setting`` gives the value of a key in force."""
    look.use(
        look.Look(
            density=str(setting("ui.density")),
            text_scale=int(str(setting("ui.text_scale"))),
            still=bool(setting("ui.reduced_motion")),
        )
    )
    fmt.set_grouping(str(setting("ui.grouping")))
    fields.allow_wheel(bool(setting("ui.wheel")))
    theme.apply(app, str(setting("ui.theme")))
    icons.refresh()
