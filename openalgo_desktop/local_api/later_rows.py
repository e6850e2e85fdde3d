"""Endpoints that clients may call and that a later version will carry out: each answers so."""

from __future__ import annotations

from typing import Any

from openalgo_desktop.local_api.handlers import later
from openalgo_desktop.local_api.table import Endpoint as E
from openalgo_desktop.local_api.table import Need

_MESSAGING: dict[str, Any] = {
    "stub": True,
    "group": "Messaging",
    "limit": "30 per minute",
    "bad_key": (401, "Invalid or missing API key"),
}
_OWNERS = _MESSAGING | {"owner": True}
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
    E("telegram/notify", later.telegram_stopped, None, "Send a Telegram message.", **_MESSAGING),
    E(
        "telegram/broadcast",
        later.telegram_broadcast,
        None,
        "Send a Telegram message to all.",
        **(_MESSAGING | {"limit": "5 per minute"}),
    ),
    E("telegram/start", later.telegram_start, None, "Start the Telegram bot.", **_OWNERS),
    E("telegram/stop", later.telegram_stop, None, "Stop the Telegram bot.", **_OWNERS),
    E("telegram/config", later.later, None, "Configure the bot.", **_OWNERS),
    E("telegram/preferences", later.later, None, "Change preferences.", **_MESSAGING),
    *(
        E(f"telegram/{name}", handler, None, doc, method="GET", **_MESSAGING)
        for name, handler, doc in (
            ("config", later.telegram_config, "Configuration of the bot."),
            ("users", later.telegram_users, "Linked users."),
            ("stats", later.telegram_stats, "Use of the bot."),
            ("preferences", later.telegram_preferences, "Preferences of a user."),
        )
    ),
    E("whatsapp/notify", later.whatsapp_unpaired, None, "Send a WhatsApp message.", **_MESSAGING),
)
