"""Settings of what the window says, sounds and asks: sounds, notifications, first run."""

from __future__ import annotations

from openalgo_desktop.config.setting import Setting as S

#: Name of a sound (and of its file in ``resources/sounds``) and what it means.
SOUNDS: tuple[tuple[str, str], ...] = (
    ("fill", "an order is filled"),
    ("partial", "an order is filled in part"),
    ("reject", "an order is rejected"),
    ("stop", "a stop is hit"),
    ("alert", "an alert or an approval waits"),
    ("disconnect", "prices or the session are lost"),
)

FEEDBACK_SETTINGS: tuple[S, ...] = (
    S("sounds.on", True, "Play sounds", bool, group="Sounds"),
    S("sounds.volume", 70, "Volume of all sounds, per cent", int, low=0, high=100, group="Sounds"),
    *(
        S(
            f"sounds.{name}",
            100,
            f"Volume when {what}, per cent; 0 = silent",
            int,
            low=0,
            high=100,
            group="Sounds",
        )
        for name, what in SOUNDS
    ),
    S(
        "ui.notifications",
        True,
        "Notify through the desktop while another program has the focus",
        bool,
        group="Window",
    ),
    S(
        "ui.first_run",
        True,
        "Show the first steps at the first start with a new data folder",
        bool,
        group="Window",
    ),
)
