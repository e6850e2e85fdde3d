"""Settings of how the window looks."""

from __future__ import annotations

from openalgo_desktop.config.setting import Setting

LOOK_SETTINGS: tuple[Setting, ...] = (
    Setting(
        "ui.theme",
        "dark",
        "Colours of the window",
        choices=("dark", "light", "high-contrast", "colour-blind", "colour-blind-light"),
        group="Window",
    ),
    Setting(
        "ui.density",
        "comfortable",
        "Height of rows, buttons and fields",
        choices=("comfortable", "compact"),
        group="Window",
    ),
    Setting("ui.text_scale", 100, "Size of texts, per cent", int, low=80, high=160, group="Window"),
    Setting(
        "ui.scale",
        100,
        "Size of the whole window, per cent, beside the scale of the screen",
        int,
        choices=(80, 90, 100, 110, 125, 150, 175, 200),
        group="Window",
        restart=True,
    ),
    Setting(
        "ui.reduced_motion",
        False,
        "No flashes and nothing that moves by itself",
        bool,
        group="Window",
    ),
)
