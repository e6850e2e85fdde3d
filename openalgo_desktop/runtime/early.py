"""A setting before anything runs: what Qt must know before there is an application."""

from __future__ import annotations

import json
import logging
import sqlite3
from contextlib import closing
from typing import Any
from urllib.parse import quote

from openalgo_desktop.config.settings import Settings
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.storage.datadir import DataDirectory

log = logging.getLogger(__name__)
_STORED = "SELECT value FROM key_values WHERE scope = 'settings' AND key = ?"
_FILE = "sqlite:///"


def early_setting(options: TerminalOptions, key: str) -> Any:
    """The value of the setting as it will be; its default where nothing is stored or the database
    cannot be looked at without being opened (another kind, none yet, in use by a migration)."""
    settings = Settings(options.overrides)
    if not settings.is_set(key):
        found = _stored(options, key)
        settings.load({} if found is None else {key: found})
    return settings[key]


def _stored(options: TerminalOptions, key: str) -> Any:
    try:
        url = DataDirectory(options.data_dir).database_url
        if not url.startswith(_FILE):
            return None
        place = f"file:{quote(url.removeprefix(_FILE))}?mode=ro"
        with closing(sqlite3.connect(place, uri=True, timeout=0.5)) as database:
            row = database.execute(_STORED, (key,)).fetchone()
        return None if row is None else json.loads(row[0])
    except (AppError, OSError, ValueError, sqlite3.Error) as error:
        log.debug("no setting before the start: %s", error)
        return None
