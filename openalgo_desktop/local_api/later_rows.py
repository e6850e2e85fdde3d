"""Endpoints that clients may call and that a later version will carry out: each answers so."""

from __future__ import annotations

from typing import Any

from openalgo_desktop.local_api.handlers import later
from openalgo_desktop.local_api.table import Endpoint as E
from openalgo_desktop.local_api.table import Need
from openalgo_desktop.local_api.telegram_rows import MESSAGING

_LATER: dict[str, Any] = {
    "stub": True,
    "group": "Portfolio",
    "need": Need.NOTHING,
    "prepare": later.key_aside,
}

LATER: tuple[E, ...] = (
    *(
        E(path, later.not_yet, None, "Not available in this version.", method=method, **_LATER)
        for method, path in (
            ("GET", "portfolio/benchmarks"),
            ("POST", "portfolio/backtest"),
            ("POST", "portfolio/tearsheet"),
            ("POST", "portfolio/holdings"),
            ("POST", "sip/backtest"),
            ("GET", "sip/frequencies"),
        )
    ),
    E(
        "whatsapp/notify",
        later.whatsapp_unpaired,
        None,
        "Send a WhatsApp message.",
        stub=True,
        **MESSAGING,
    ),
)
