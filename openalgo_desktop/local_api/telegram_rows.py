"""The ``telegram/*`` endpoints as rows of the table."""

from __future__ import annotations

from typing import Any

from openalgo_desktop.local_api.handlers import telegram
from openalgo_desktop.local_api.table import Endpoint as E
from openalgo_desktop.local_api.table import Need

#: Of every endpoint that sends messages.
MESSAGING: dict[str, Any] = {
    "group": "Messaging",
    "limit": "30 per minute",
    "bad_key": (401, "Invalid or missing API key"),
}
#: What changes the bot needs a key that may trade and is bound to nothing; reading and telling
#: does not.
_CHANGES = MESSAGING | {"need": Need.TRADE, "owner": True}

TELEGRAM: tuple[E, ...] = (
    E(
        "telegram/notify",
        telegram.notify,
        None,
        "Send a Telegram message to the chats of a user.",
        **MESSAGING,
    ),
    E(
        "telegram/broadcast",
        telegram.broadcast,
        None,
        "Send a Telegram message to all linked chats.",
        **(_CHANGES | {"limit": "5 per minute"}),
    ),
    E("telegram/start", telegram.start, None, "Start the Telegram bot.", **_CHANGES),
    E("telegram/stop", telegram.stop, None, "Stop the Telegram bot.", **_CHANGES),
    E(
        "telegram/config",
        telegram.configure,
        None,
        "Configure the bot.",
        **_CHANGES,
    ),
    E(
        "telegram/preferences",
        telegram.prefer,
        None,
        "Change what a linked chat is told.",
        **_CHANGES,
    ),
    *(
        E(f"telegram/{name}", handler, None, doc, method="GET", **MESSAGING)
        for name, handler, doc in (
            ("config", telegram.config, "Configuration of the bot."),
            ("users", telegram.users, "Linked chats."),
            ("stats", telegram.stats, "Use of the bot."),
            ("preferences", telegram.preferences, "What a chat is told."),
        )
    ),
)
