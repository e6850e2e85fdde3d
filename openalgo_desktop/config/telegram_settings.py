"""Settings of the Telegram bot. Its token is a secret and no setting."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from openalgo_desktop.config.setting import Setting as S
from openalgo_desktop.config.setting_kinds import clock_time
from openalgo_desktop.core.addresses import is_loopback

_GROUP = "Telegram"
_CHAT = re.compile(r"-?[0-9]{1,18}", re.ASCII)
#: Kinds of what the bot tells without being asked, and what each is.
TOLD: tuple[tuple[str, str], ...] = (
    ("placed", "an order was placed"),
    ("filled", "an order was filled"),
    ("rejected", "an order was refused (by limits, too) or rejected, also after it was accepted"),
    ("approvals", "an order waits for a human"),
    ("cancelled", "an order was cancelled"),
    ("exits", "a stop, target or trigger was reached, or failed"),
    ("connection", "prices or the broker's session are lost or back"),
    ("risk", "a result of the day closes positions, or books or storage are not right"),
    ("kill", "the kill switch or the mode was changed"),
    ("strategies", "a strategy started, stopped or failed"),
)


def chat_ids(value: Any) -> str:
    """Chat ids, comma separated; raises :class:`ValueError`."""
    parts = [part.strip() for part in str(value).split(",") if part.strip()]
    if not all(_CHAT.fullmatch(part) for part in parts):
        raise ValueError(value)
    return ", ".join(parts)


def quiet_hours(value: Any) -> str:
    """``22:00-07:00`` in IST, or an empty text; raises :class:`ValueError`."""
    text = str(value).strip()
    if not text:
        return ""
    first, last = text.split("-")
    first, last = clock_time(first), clock_time(last)
    if first == last:
        raise ValueError(text)
    return f"{first}-{last}"


def bot_api_address(value: Any) -> str:
    """Address of a Bot API: https, or http of this machine, for the token goes there. Raises
    :class:`ValueError`."""
    text = str(value).strip().rstrip("/")
    parts = urlsplit(text)
    safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    if not safe or not parts.hostname or parts.username or parts.query:
        raise ValueError(text)
    return text


TELEGRAM_SETTINGS: tuple[S, ...] = (
    S("telegram.enabled", False, "Run the Telegram bot", bool, group=_GROUP),
    S(
        "telegram.api_url",
        "https://api.telegram.org",
        "Address of the Bot API",
        bot_api_address,
        group=_GROUP,
    ),
    S(
        "telegram.money",
        False,
        "Linked chats may close positions, stop strategies, switch the mode and pull the kill "
        "switch, each time with a one-time code or a confirmation here",
        bool,
        group=_GROUP,
    ),
    S("telegram.groups", False, "Groups may be linked, too", bool, group=_GROUP),
    S(
        "telegram.allowed_chats",
        "",
        "Chat ids that may be linked, comma separated; empty = whoever has the code",
        chat_ids,
        group=_GROUP,
    ),
    S(
        "telegram.commands_per_minute",
        30,
        "Commands that a chat may send in a minute",
        int,
        low=1,
        high=120,
        group=_GROUP,
    ),
    S("telegram.broadcast", True, "API clients may send to all linked chats", bool, group=_GROUP),
    *(
        S(f"telegram.tell.{name}", True, f"Tell when {what}", bool, group=_GROUP)
        for name, what in TOLD
    ),
    S(
        "telegram.grouping",
        2.0,
        "Seconds in which news of one kind become one message",
        float,
        low=0,
        high=300,
        group=_GROUP,
    ),
    S(
        "telegram.quiet_hours",
        "",
        "IST hours without messages, such as 22:00-07:00; what came is told after them",
        quiet_hours,
        group=_GROUP,
    ),
    S("telegram.summary", True, "Send a summary of the day", bool, group=_GROUP),
    S("telegram.summary_time", "18:00", "When, HH:MM IST", clock_time, group=_GROUP),
)
