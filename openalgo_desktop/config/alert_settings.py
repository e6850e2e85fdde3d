"""Settings of alerts."""

from __future__ import annotations

from openalgo_desktop.config.setting import Setting as S

ALERT_SETTINGS: tuple[S, ...] = (
    S(
        "alert.private_webhooks",
        False,
        "Webhooks of alerts may go to addresses of private networks (192.168.x.x and the like)",
        bool,
        group="Alerts",
    ),
)
