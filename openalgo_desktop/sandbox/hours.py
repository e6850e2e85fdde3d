"""When the sandbox trades: sessions, the MIS cut-off, expiry and delivery days.

Round the clock (a setting, or because the data account's market never closes) every moment is
open, there is no MIS cut-off unless somebody set one, and a day order lasts until the session
boundary.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Protocol

from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Product
from openalgo_desktop.core.errors import RejectedByBroker
from openalgo_desktop.core.model import OrderRequest

#: Exchange -> setting with its MIS square-off time; the others have none.
SQUARE_OFF_GROUPS: Mapping[str, str] = {
    "NSE": "nse_bse",
    "BSE": "nse_bse",
    "NFO": "nse_bse",
    "BFO": "nse_bse",
    "CDS": "cds_bcd",
    "BCD": "cds_bcd",
    "MCX": "mcx",
    "NCDEX": "ncdex",
}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
#: When contracts of an exchange are settled on their last day.
EXPIRY_CLOSE: Mapping[str, time] = {
    "NFO": time(15, 40),
    "BFO": time(15, 40),
    "CDS": time(17, 0),
    "BCD": time(17, 0),
    "NCDEX": time(17, 0),
    "MCX": time(23, 30),
}
_OTHER_EXPIRY_CLOSE = time(15, 30)
#: MIS orders are taken from here on, on a regular day.
_MIS_FROM = time(9, 0)
_ONE_DAY = timedelta(days=1)


class SettingValues(Protocol):
    """Current setting values by key."""

    def __getitem__(self, key: str) -> Any: ...


def at_time(day: date, text: str | time) -> datetime:
    """That time of the IST day; text is ``HH:MM``."""
    moment = time.fromisoformat(text) if isinstance(text, str) else text
    return datetime.combine(day, moment, IST)


class Hours:
    """Answers from the calendar and the settings."""

    def __init__(
        self,
        calendar: MarketCalendar,
        settings: SettingValues,
        market_always_open: Callable[[], bool] = lambda: False,
    ) -> None:
        self.calendar = calendar
        self._settings = settings
        self._market_always_open = market_always_open

    @property
    def round_the_clock(self) -> bool:
        """Whether there are no hours."""
        mode = self._settings["sandbox.hours"]
        return mode == "always" or (mode == "auto" and self._market_always_open())

    # -- sessions ---------------------------------------------------------------------------
    def is_open(self, exchange: str, now: datetime) -> bool:
        """Whether orders match at ``now``. Before the open (pre-open included) they wait."""
        return self.round_the_clock or self.calendar.is_open(exchange, now)

    def boundary(self, now: datetime) -> datetime:
        """Start of the running session: the last time ``session_expiry_time`` passed."""
        start = at_time(now.date(), self._settings["sandbox.session_expiry_time"])
        return start if start <= now else start - _ONE_DAY

    def trading_day(self, exchange: str, now: datetime) -> date:
        """The day that an order placed now is good for."""
        if self.round_the_clock:
            return self.boundary(now).date()
        day = now.date()
        window = self.calendar.session(exchange, day)
        if window is not None and now < window[1]:
            return day
        for _ in range(30):
            day += _ONE_DAY
            if self.calendar.session(exchange, day) is not None:
                return day
        return day

    def day_end(self, exchange: str, day: date) -> datetime:
        """When day orders of ``day`` expire."""
        window = None if self.round_the_clock else self.calendar.session(exchange, day)
        if window is not None:
            return window[1]
        return at_time(day + _ONE_DAY, self._settings["sandbox.session_expiry_time"])

    # -- MIS --------------------------------------------------------------------------------
    def cut_off(self, exchange: str, day: date) -> datetime | None:
        """When MIS positions of the exchange are closed on ``day``, or None. The setting is a time
        of the regular session; on other days it follows the close."""
        group = SQUARE_OFF_GROUPS.get(exchange)
        if group is None:
            return None
        key = f"sandbox.{group}_square_off_time"
        is_set: Callable[[str], bool] = getattr(self._settings, "is_set", lambda key: False)
        if self.round_the_clock and not is_set(key):
            return None
        at = time.fromisoformat(str(self._settings[key]))
        if self.round_the_clock:
            return at_time(day, at)
        return self.calendar.to_close(exchange, day, at)

    def mis_from(self, exchange: str, day: date) -> datetime:
        """When MIS orders are taken again on ``day``."""
        if self.round_the_clock:
            return at_time(day, _MIS_FROM)
        return self.calendar.from_open(exchange, day, _MIS_FROM)

    def check_mis(self, request: OrderRequest, reducible: int, now: datetime) -> None:
        """Refuse an MIS order after the cut-off or before the opening, unless it only reduces a
        position: ``reducible`` are the units it can close that no other order is to close."""
        if request.product is not Product.MIS:
            return
        cut_off = self.cut_off(request.exchange, now.date())
        begins = self.mis_from(request.exchange, now.date())
        if cut_off is None or begins <= now < cut_off:
            return
        if request.quantity <= reducible:
            return
        raise RejectedByBroker(
            f"MIS orders cannot be placed after square-off time ({cut_off:%H:%M} IST). "
            f"Trading resumes at {begins:%I:%M %p} IST."
        )

    # -- settlement -------------------------------------------------------------------------
    def expiry_moment(self, exchange: str, expiry: date) -> datetime:
        """When positions in a contract of that expiry are settled."""
        if self._settings["sandbox.expiry_settlement_timing"] == "next_day":
            return at_time(expiry + _ONE_DAY, time(0))
        at = EXPIRY_CLOSE.get(exchange, _OTHER_EXPIRY_CLOSE)
        return self.calendar.to_close(exchange, expiry, at)

    def delivery_day(self, exchange: str, traded: date) -> date:
        """T+1 in trading days: shares change hands at the start of this day."""
        return self.calendar.next_trading_day(traded, exchange)

    def reset_moment(self, now: datetime) -> datetime | None:
        """The last time the automatic reset was due, or None when it is off."""
        name = self._settings["sandbox.reset_day"]
        if name == "Never":
            return None
        moment = at_time(now.date(), self._settings["sandbox.reset_time"])
        while moment > now or WEEKDAYS[moment.weekday()] != name:
            moment -= _ONE_DAY
        return moment
