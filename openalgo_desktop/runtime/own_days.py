"""The user's own holidays and sessions in the market calendar."""

from __future__ import annotations

import logging
from pathlib import Path

from openalgo_desktop.config.settings import Settings
from openalgo_desktop.core.calendar import (
    Holiday,
    MarketCalendar,
    days_of_file,
    own_holidays,
    own_sessions,
)
from openalgo_desktop.core.errors import ConfigError

log = logging.getLogger(__name__)

#: The user's own days, in the form of the listed ones, in the configuration folder.
CALENDAR_FILE = "calendar.json"


def amend_calendar(calendar: MarketCalendar, settings: Settings, folder: Path) -> None:
    """First ``calendar.json`` in ``folder``, beside the configuration, then the settings. A file
    that cannot be read is told, and the listed calendar holds."""
    own: list[Holiday] = []
    path = folder / CALENDAR_FILE
    try:
        if path.exists():
            own += days_of_file(path.read_bytes())
    except (ConfigError, OSError) as error:
        log.error("%s is not followed: %s", path, error)
    own += own_holidays(settings["calendar.holidays"])
    own += own_sessions(settings["calendar.special_sessions"])
    calendar.amend(own)
