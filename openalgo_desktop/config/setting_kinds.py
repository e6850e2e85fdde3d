"""Kinds of settings: functions that check a text and give it back as it is stored."""

from __future__ import annotations

from datetime import time
from typing import Any
from urllib.parse import urlsplit

from openalgo_desktop.core.addresses import LOOPBACK_V4, is_host
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.rates import parse_limit


def own_holidays(text: str) -> object:
    """Checks the user's holidays; the calendar is imported when there are some to read."""
    from openalgo_desktop.core import calendar

    return calendar.own_holidays(text)


def own_sessions(text: str) -> object:
    """The same for special sessions."""
    from openalgo_desktop.core import calendar

    return calendar.own_sessions(text)


def clock_time(value: Any) -> str:
    """``HH:MM`` of a day, as text; raises :class:`ValueError`."""
    text = str(value).strip()
    hours, minutes = text.split(":")
    right = len(minutes) == 2 and 0 <= int(hours) < 24 and 0 <= int(minutes) < 60
    if not (right and text.isascii()):
        raise ValueError(text)
    return f"{int(hours):02d}:{minutes}"


def holiday_list(value: Any) -> str:
    """Own holidays as text; raises :class:`ConfigError` that names the entry."""
    own_holidays(str(value))
    return str(value).strip()


def session_list(value: Any) -> str:
    """Own special sessions as text; raises :class:`ConfigError` that names the entry."""
    own_sessions(str(value))
    return str(value).strip()


class ClockTime:
    """Kind of a setting that is a time of day: gives ``HH:MM`` as text, or an empty text."""

    def __new__(cls, value: object) -> str:  # type: ignore[misc]
        text = str(value).strip()
        if not text:
            return ""
        return time.fromisoformat(text).strftime("%H:%M")


def host_address(value: Any) -> str:
    """An address to bind; empty means loopback, never every interface. Raises
    :class:`ValueError`."""
    text = str(value).strip() or LOOPBACK_V4
    if not is_host(text):
        raise ValueError(text)
    return text


def public_url(value: Any) -> str:
    """``https://host[:port]`` or ``http://...`` without a slash at the end, or an empty text."""
    text = str(value).strip().rstrip("/")
    if not text:
        return ""
    parts = urlsplit(text)
    odd = parts.query or parts.fragment or parts.username or any(c.isspace() for c in text)
    if parts.scheme not in ("http", "https") or not parts.hostname or odd:
        raise ConfigError(f"{text!r} is no address: write it as https://my-host.example.")
    return text


#: What comes before the colon in the names of those that send orders.
_SENDERS = ("api", "webhook", "mcp", "alert", "window", "cli")


def source_patterns(value: Any) -> str:
    """Sources as patterns, comma separated: ``api:*, webhook:alerts``; ``api`` alone means all of
    them. What matches no source that there can be would hold nothing, so it raises
    :class:`ConfigError`."""
    found = []
    for part in str(value).split(","):
        pattern = part.strip()
        kind, colon, _ = pattern.partition(":")
        if not colon and kind in ("api", "webhook", "mcp", "alert"):
            found.append(f"{kind}:*")
        elif not pattern or kind in _SENDERS or set(kind) & set("*?["):
            found.append(pattern)
        else:
            raise ConfigError(f"{pattern!r} is no source of orders: write api:*, webhook:* or *.")
    return ", ".join(filter(None, found))


def rate_limit(value: Any) -> str:
    """A limit as :func:`~openalgo_desktop.core.rates.parse_limit` reads it; empty means none.
    Raises :class:`ConfigError` that says how to write it."""
    parse_limit(str(value))
    return str(value).strip()
