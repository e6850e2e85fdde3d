"""Settings of hosted programs that count for all of them."""

from __future__ import annotations

from openalgo_desktop.config.setting import Setting as S

HOSTING_SETTINGS: tuple[S, ...] = (
    S(
        "hosting.interpreter",
        "",
        "Python for hosted programs that name none; empty: the one that runs this program",
        group="Hosted programs",
    ),
    S(
        "hosting.stop_grace",
        10.0,
        "Seconds that a hosted program has to end by itself after it was asked to",
        float,
        low=0,
        high=300,
        group="Hosted programs",
    ),
    S(
        "hosting.log_days",
        14,
        "Days for which logs of hosted programs are kept",
        int,
        low=1,
        high=3650,
        group="Hosted programs",
    ),
    S(
        "hosting.log_megabytes",
        50,
        "Megabytes of logs that are kept of each hosted program",
        int,
        low=1,
        high=100_000,
        group="Hosted programs",
    ),
)
