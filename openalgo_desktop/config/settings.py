"""Typed settings as one table: key, default, type, range, help, scope.

The table generates validation, the ``--set`` option, the settings dialog and the docs. Values
live in the database (scope ``user``) and may be overridden for one run (``--set``).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

from openalgo_desktop.config.alert_settings import ALERT_SETTINGS
from openalgo_desktop.config.api_settings import API_SETTINGS
from openalgo_desktop.config.feedback_settings import FEEDBACK_SETTINGS
from openalgo_desktop.config.hosting_settings import HOSTING_SETTINGS
from openalgo_desktop.config.look_settings import LOOK_SETTINGS
from openalgo_desktop.config.mcp_settings import MCP_SETTINGS
from openalgo_desktop.config.order_settings import ORDER_SETTINGS
from openalgo_desktop.config.sandbox_settings import SANDBOX_SETTINGS
from openalgo_desktop.config.setting import Setting
from openalgo_desktop.config.telegram_settings import TELEGRAM_SETTINGS
from openalgo_desktop.config.trading_settings import TRADING_SETTINGS
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.near import did_you_mean

log = logging.getLogger(__name__)


def _table(*rows: Setting) -> dict[str, Setting]:
    table = {row.key: row for row in rows}
    if len(table) != len(rows):
        raise ValueError("duplicate setting key")
    return table


S = Setting
SETTINGS: dict[str, Setting] = _table(
    *API_SETTINGS,
    *TRADING_SETTINGS,
    *SANDBOX_SETTINGS,
    S("ui.frame_rate", 30, "Frames per second of live docks", int, low=5, high=60, group="Window"),
    S(
        "ui.grouping",
        "indian",
        "12,34,567 or 1,234,567",
        choices=("indian", "western"),
        group="Window",
    ),
    S(
        "ui.default_product",
        "MIS",
        "Product of a new ticket",
        choices=("MIS", "CNC", "NRML"),
        group="Window",
    ),
    S(
        "log.level",
        "INFO",
        "Detail of the log: the one place where levels are set",
        choices=("DEBUG", "INFO", "WARNING", "ERROR"),
        group="Log",
    ),
    S(
        "log.keep_days",
        14,
        "Days of log files to keep",
        int,
        low=1,
        high=365,
        group="Log",
        restart=True,
    ),
    S(
        "bars.max_mb",
        512,
        "Megabytes of past bars that the data folder keeps for charts; 0 = none",
        int,
        low=0,
        high=100_000,
        group="Charts",
    ),
    *MCP_SETTINGS,
    *LOOK_SETTINGS,
    *ORDER_SETTINGS,
    *FEEDBACK_SETTINGS,
    *HOSTING_SETTINGS,
    *TELEGRAM_SETTINGS,
    *ALERT_SETTINGS,
)


#: Settings of which there is one for each broker (and host): pattern of the key, and its help.
_FAMILIES: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"brokers\.[a-z0-9_]+\.hosts\.[a-z0-9_]+"),
        "Address in place of the broker's own (emulator, proxy); empty = the broker's",
    ),
)


#: Former names of settings, and what they are called now.
RENAMED: Mapping[str, str] = {old: row.key for row in SETTINGS.values() for old in row.former}


def setting_row(key: str) -> Setting:
    """The table row of a key, also of one that a setting had formerly, or one made for a broker's
    key; raises :class:`ConfigError`."""
    if (row := SETTINGS.get(RENAMED.get(key, key))) is not None:
        return row
    for pattern, text in _FAMILIES:
        if pattern.fullmatch(key):
            return Setting(key, "", text, group="Brokers", restart=True)
    raise ConfigError(
        f"Unknown setting {key!r}.{did_you_mean(key, SETTINGS)} "
        "`openalgo-desktop settings list` shows all."
    )


class Settings:
    """Current values. Reads are plain dict lookups; writes validate, store and notify.

    ``overrides`` (from ``--set``) win over stored values for this run and are not stored;
    ``origins`` says of each where it came from.
    """

    def __init__(
        self,
        overrides: Mapping[str, Any] | None = None,
        origins: Mapping[str, str] | None = None,
    ) -> None:
        self._origins = dict(origins or {})
        self._stored: dict[str, Any] = {}
        self._overrides: dict[str, Any] = {}
        self._running: dict[str, Any] = {}  # what counts until the next start, of changed ones
        self._listeners: list[Callable[[str, Any], None]] = []
        self.on_store: Callable[[str, Any], None] | None = None
        self.on_forget: Callable[[str], None] | None = None
        for key, value in (overrides or {}).items():
            row = self.row(key)
            self._overrides[row.key] = row.parse(value)

    @staticmethod
    def row(key: str) -> Setting:
        """The table row; raises :class:`ConfigError` for an unknown key."""
        return setting_row(key)

    def __getitem__(self, key: str) -> Any:
        if key in self._overrides:
            return self._overrides[key]
        if key in self._stored:
            return self._stored[key]
        row = self.row(key)
        return row.default if row.key == key else self[row.key]

    def is_set(self, key: str) -> bool:
        """Whether somebody set the value, be it to the default."""
        return key in self._overrides or key in self._stored

    def origin(self, key: str) -> str:
        """Where the value comes from: ``default``, ``stored``, or what overrides it; and whether it
        counts from the next start on only."""
        if key in self._overrides:
            return self._origins.get(key, "option")
        place = "stored" if key in self._stored else "default"
        waits = key in self._running and self._running[key] != self[key]
        return f"{place}, from the next start on" if waits else place

    def known(self) -> list[str]:
        """Every key of the table, and what was set of the families beside it."""
        return [*SETTINGS, *sorted({*self._stored, *self._overrides} - SETTINGS.keys())]

    def unset(self, key: str) -> Any:
        """Back to the default, which is returned; forgets (``on_forget``) and notifies."""
        row = self.row(key)
        key, default = row.key, row.default
        self._changes(key)
        self._overrides.pop(key, None)
        self._stored.pop(key, None)
        if self.on_forget is not None:
            for name in (key, *row.former):  # else the former value would come back
                self.on_forget(name)
        for listener in tuple(self._listeners):
            listener(key, default)
        return default

    def set(self, key: str, value: Any) -> None:
        """Validate, remember, store (through ``on_store``) and notify."""
        row = self.row(key)
        key, parsed = row.key, row.parse(value)
        self._changes(key)
        self._overrides.pop(key, None)
        self._stored[key] = parsed
        if self.on_store is not None:
            self.on_store(key, parsed)
        for listener in tuple(self._listeners):
            listener(key, parsed)

    def _changes(self, key: str) -> None:
        if self.row(key).restart:
            self._running.setdefault(key, self[key])

    def load(self, stored: Mapping[str, Any]) -> None:
        """Take stored values, those under a former name too where the present one has none.
        Unknown ones (of an older or newer version) and invalid ones are left where they are, which
        the log says: a rule that somebody set does not hold."""
        for key, value in stored.items():
            try:
                row = setting_row(key)
                if row.key != key and row.key in stored:
                    continue
                self._stored[row.key] = row.parse(value)
                if row.key != key:
                    log.info("the setting %s is called %s now", key, row.key)
            except ConfigError as error:
                log.warning("a stored setting does not count: %s", error.message)

    def subscribe(self, listener: Callable[[str, Any], None]) -> None:
        """Call ``listener(key, value)`` after each change."""
        self._listeners.append(listener)
