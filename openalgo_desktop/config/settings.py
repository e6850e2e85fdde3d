"""Typed settings as one table: key, default, type, range, help, scope.

The table generates validation, the ``--set`` option, the settings dialog and the docs. Values
live in the database (scope ``user``) and may be overridden for one run (``--set``).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from datetime import time
from typing import Any

from openalgo_desktop.config.feedback_settings import FEEDBACK_SETTINGS
from openalgo_desktop.config.look_settings import LOOK_SETTINGS
from openalgo_desktop.config.order_settings import ORDER_SETTINGS
from openalgo_desktop.config.setting import Setting
from openalgo_desktop.core.addresses import LOOPBACK_V4, is_host
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.freeze import freeze_text
from openalgo_desktop.core.near import did_you_mean
from openalgo_desktop.core.rates import parse_limit

log = logging.getLogger(__name__)


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


#: What comes before the colon in the names of those that send orders.
_SENDERS = ("api", "webhook", "window", "cli")


def source_patterns(value: Any) -> str:
    """Sources as patterns, comma separated: ``api:*, webhook:alerts``; ``api`` alone means all of
    them. What matches no source that there can be would hold nothing, so it raises
    :class:`ConfigError`."""
    found = []
    for part in str(value).split(","):
        pattern = part.strip()
        kind, colon, _ = pattern.partition(":")
        if not colon and kind in ("api", "webhook"):
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


def _table(*rows: Setting) -> dict[str, Setting]:
    table = {row.key: row for row in rows}
    if len(table) != len(rows):
        raise ValueError("duplicate setting key")
    return table


S = Setting
SETTINGS: dict[str, Setting] = _table(
    S(
        "api.enabled",
        True,
        "Serve the local REST and WebSocket API",
        bool,
        group="Local API",
        restart=True,
    ),
    S(
        "api.host",
        LOOPBACK_V4,
        "Address the local API binds to; loopback (both families) unless you know why not",
        host_address,
        group="Local API",
        restart=True,
    ),
    S(
        "api.rest_port",
        5000,
        "REST port; 0 picks a free one",
        int,
        low=0,
        high=65535,
        group="Local API",
        grouped=False,
        restart=True,
    ),
    S(
        "api.ws_port",
        8765,
        "WebSocket port; 0 picks a free one",
        int,
        low=0,
        high=65535,
        group="Local API",
        grouped=False,
        restart=True,
    ),
    S(
        "api.allowed_hosts",
        "",
        "Host names accepted besides loopback, comma separated",
        group="Local API",
    ),
    S(
        "api.cors_origins",
        "",
        "Browser origins allowed to call the API, comma separated; empty = none",
        group="Local API",
    ),
    S(
        "api.ws_auth_timeout",
        15.0,
        "Seconds until an unauthenticated socket is closed (4401)",
        float,
        low=1,
        high=300,
        group="Local API",
    ),
    S("limits.api", "50 per second", "Rate limit of general endpoints", rate_limit, group="Limits"),
    S("limits.order", "10 per second", "Rate limit of order endpoints", rate_limit, group="Limits"),
    S("limits.smart", "10 per second", "Rate limit of placesmartorder", rate_limit, group="Limits"),
    S("limits.greeks", "30 per minute", "Rate limit of optiongreeks", rate_limit, group="Limits"),
    S("limits.webhook", "100 per minute", "Rate limit of webhooks", rate_limit, group="Limits"),
    S(
        "calendar.holidays",
        "",
        "Own holidays: 2027-03-12; 2027-03-15 NSE BSE (no exchange: all are closed)",
        holiday_list,
        group="Calendar",
    ),
    S(
        "calendar.special_sessions",
        "",
        "Own sessions: 2027-02-06 NSE BSE NFO BFO 09:15-15:30; others stay as they are",
        session_list,
        group="Calendar",
    ),
    S(
        "webhooks.same_alert_seconds",
        20.0,
        "The same body to the same webhook within this time is one alert; 0 = each is its own",
        float,
        low=0,
        high=86_400,
        group="Webhooks",
    ),
    S(
        "trading.start_mode",
        "sandbox",
        "Mode at start; live only if you set it here or by --mode",
        choices=("sandbox", "live"),
        group="Trading",
    ),
    S(
        "trading.ack_timeout",
        10.0,
        "Seconds to wait for a broker's answer before an order is unknown",
        float,
        low=0.2,
        high=120,
        group="Trading",
    ),
    S(
        "trading.reconcile_interval",
        60.0,
        "Seconds between reconciliations of unknown orders",
        float,
        low=1,
        high=3600,
        group="Trading",
    ),
    S(
        "trading.duplicate_guard_ms",
        400,
        "A same order from the window within this time asks first",
        int,
        low=0,
        high=10000,
        group="Trading",
    ),
    S(
        "risk.max_quantity",
        0,
        "Largest quantity of one order; 0 = no limit",
        int,
        low=0,
        high=1e12,
        group="Risk",
    ),
    S(
        "risk.max_lots",
        0,
        "Largest number of lots of one order; 0 = no limit",
        int,
        low=0,
        high=1e9,
        group="Risk",
    ),
    S(
        "risk.max_value",
        0.0,
        "Largest value of one order, rupees; 0 = no limit",
        float,
        low=0,
        high=1e15,
        group="Risk",
    ),
    S(
        "risk.orders_per_minute",
        0,
        "Most orders within a minute; 0 = no limit",
        int,
        low=0,
        high=1e6,
        group="Risk",
    ),
    S(
        "risk.open_positions",
        0,
        "Most open positions; 0 = no limit",
        int,
        low=0,
        high=1e6,
        group="Risk",
    ),
    S(
        "risk.price_band",
        0.0,
        "Largest distance of a limit price from the last price, per cent; 0 = off",
        float,
        low=0,
        high=1000,
        group="Risk",
    ),
    S(
        "risk.day_loss",
        0.0,
        "No new positions after a loss of so much today, rupees; 0 = off",
        float,
        low=0,
        high=1e15,
        group="Risk",
    ),
    S(
        "risk.day_profit",
        0.0,
        "No new positions after a profit of so much today, rupees; 0 = off",
        float,
        low=0,
        high=1e15,
        group="Risk",
    ),
    S("risk.trading_hours", False, "Refuse orders while the market is closed", bool, group="Risk"),
    S(
        "risk.square_off_lock",
        "",
        "No new intraday positions from this time on, HH:MM; empty = off",
        ClockTime,
        group="Risk",
    ),
    S(
        "risk.duplicate_ms",
        0,
        "Refuse the same order within this time, whatever its source; 0 = off",
        int,
        low=0,
        high=60_000,
        group="Risk",
    ),
    S(
        "lock.idle_minutes",
        15.0,
        "Minutes without a hand on the program until it locks, if a password is set; 0 = never",
        float,
        low=0,
        high=1440,
        group="Safety",
    ),
    S(
        "approvals.sources",
        "",
        "Sources whose orders wait in the action centre, comma separated: api:*, webhook:*",
        source_patterns,
        group="Safety",
    ),
    S(
        "approvals.expiry",
        300.0,
        "Seconds until a waiting order expires",
        float,
        low=5,
        high=86_400,
        group="Safety",
    ),
    S(
        "approvals.drift",
        1.0,
        "Price change in per cent that stops an approval",
        float,
        low=0,
        high=100,
        group="Safety",
    ),
    S(
        "trading.freeze_split",
        False,
        "Send an order above the freeze quantity in slices, instead of refusing it",
        bool,
        group="Trading",
    ),
    S(
        "trading.freeze_quantities",
        "",
        "Most units of one order by underlying, NIFTY=1800, BFO:SENSEX=1000; 0 = no limit. "
        "Goes before the built-in table, from the next load of the symbol master on",
        freeze_text,
        group="Trading",
    ),
    S(
        "trading.market_protection",
        "needed",
        "Send market orders as limits a little through the price",
        choices=("never", "needed", "always"),
        group="Trading",
    ),
    S(
        "sandbox.starting_capital",
        10_000_000.0,
        "Sandbox money at a reset, rupees",
        float,
        choices=(100_000.0, 500_000.0, 1_000_000.0, 2_500_000.0, 5_000_000.0, 10_000_000.0),
        group="Sandbox",
    ),
    S(
        "sandbox.hours",
        "auto",
        "Trading hours: of the exchange, round the clock, or auto (as the data account's market)",
        choices=("auto", "market", "always"),
        group="Sandbox",
    ),
    S(
        "sandbox.fill_model",
        "touch",
        "Fills: touch (whole, at the last price or quote) or book (walks the depth, queues)",
        choices=("touch", "book"),
        group="Sandbox",
    ),
    S(
        "sandbox.book_latency_ms",
        0,
        "Book fills: milliseconds until an order reaches the market",
        int,
        low=0,
        high=5000,
        group="Sandbox",
    ),
    S(
        "sandbox.book_slippage_bps",
        0.0,
        "Book fills: worse price of market orders, in 1/100 of a per cent",
        float,
        low=0,
        high=500,
        group="Sandbox",
    ),
    S(
        "sandbox.book_queue_share",
        1.0,
        "Book fills: part of the displayed quantity that stands before a limit order",
        float,
        low=0,
        high=1,
        group="Sandbox",
    ),
    S(
        "sandbox.reset_day",
        "Never",
        "Weekday of the automatic reset",
        choices=(
            "Never",
            "Monday",
            "Tuesday",
            "Wednesday",
            "Thursday",
            "Friday",
            "Saturday",
            "Sunday",
        ),
        group="Sandbox",
    ),
    S("sandbox.reset_time", "00:00", "Time of the automatic reset", clock_time, group="Sandbox"),
    S(
        "sandbox.session_expiry_time",
        "03:00",
        "When a new session begins: today's figures go to zero",
        clock_time,
        group="Sandbox",
    ),
    S(
        "sandbox.order_check_interval",
        5,
        "Seconds between checks of resting orders whose feed is silent",
        int,
        low=1,
        high=30,
        group="Sandbox",
    ),
    S(
        "sandbox.mtm_update_interval",
        5,
        "Seconds between stored valuations of positions; 0 only when the book is read",
        int,
        low=0,
        high=60,
        group="Sandbox",
    ),
    S(
        "sandbox.nse_bse_square_off_time",
        "15:15",
        "MIS square-off of NSE, BSE, NFO and BFO",
        clock_time,
        group="Sandbox",
    ),
    S(
        "sandbox.cds_bcd_square_off_time",
        "16:45",
        "MIS square-off of CDS and BCD",
        clock_time,
        group="Sandbox",
    ),
    S(
        "sandbox.mcx_square_off_time",
        "23:30",
        "MIS square-off of MCX",
        clock_time,
        group="Sandbox",
    ),
    S(
        "sandbox.ncdex_square_off_time",
        "17:00",
        "MIS square-off of NCDEX",
        clock_time,
        group="Sandbox",
    ),
    S(
        "sandbox.expiry_settlement_timing",
        "expiry_day_close",
        "When expired contracts are settled",
        choices=("expiry_day_close", "next_day"),
        group="Sandbox",
    ),
    S(
        "sandbox.option_expiry_settlement",
        "ltp",
        "Expired options settle at the last price, or at zero",
        choices=("ltp", "zero"),
        group="Sandbox",
    ),
    S(
        "sandbox.gtt_oco_margin_mode",
        "max",
        "An OCO reserves its larger leg, or both",
        choices=("max", "sum"),
        group="Sandbox",
    ),
    S(
        "sandbox.equity_mis_leverage",
        5.0,
        "Leverage of equity MIS",
        float,
        low=1,
        high=50,
        group="Sandbox",
    ),
    S(
        "sandbox.equity_cnc_leverage",
        1.0,
        "Leverage of equity CNC",
        float,
        low=1,
        high=50,
        group="Sandbox",
    ),
    S(
        "sandbox.futures_leverage",
        10.0,
        "Leverage of futures",
        float,
        low=1,
        high=50,
        group="Sandbox",
    ),
    S(
        "sandbox.option_buy_leverage",
        1.0,
        "Leverage of bought options",
        float,
        low=1,
        high=50,
        group="Sandbox",
    ),
    S(
        "sandbox.option_sell_leverage",
        1.0,
        "Leverage of sold options",
        float,
        low=1,
        high=50,
        group="Sandbox",
    ),
    S(
        "sandbox.margin_model",
        "leverage",
        "Margin of futures and options: the leverage table, or a SPAN-like scan with hedge benefit",
        choices=("leverage", "span"),
        group="Sandbox",
    ),
    S("sandbox.charges", False, "Charge brokerage, taxes and fees", bool, group="Sandbox"),
    S(
        "sandbox.brokerage_plan",
        "discount",
        "Brokerage plan of sandbox charges",
        choices=("discount", "flat20", "full_service", "statutory"),
        group="Sandbox",
    ),
    S(
        "simulator.seed",
        20260822,
        "Seed of the simulated market",
        int,
        group="Simulator",
        grouped=False,
        restart=True,
    ),
    S(
        "simulator.rate",
        120.0,
        "Ticks per second over the whole simulated universe",
        float,
        low=0,
        high=100000,
        group="Simulator",
    ),
    S(
        "simulator.always_open",
        True,
        "The simulated market is open round the clock",
        bool,
        group="Simulator",
    ),
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
    *LOOK_SETTINGS,
    *ORDER_SETTINGS,
    *FEEDBACK_SETTINGS,
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
