"""What each market does now, for the status bar."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time
from typing import TYPE_CHECKING

from openalgo_desktop.core.calendar import SATURDAY, SETTLEMENT
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.market_state import SEGMENTS, MarketState, Phase, countdown, state

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal

#: Setting with the time at which the sandbox closes intraday positions, by exchange.
_SQUARE_OFF: Mapping[str, str] = {
    **dict.fromkeys(("NSE", "BSE", "NFO", "BFO"), "sandbox.nse_bse_square_off_time"),
    **dict.fromkeys(("CDS", "BCD"), "sandbox.cds_bcd_square_off_time"),
    "MCX": "sandbox.mcx_square_off_time",
}

#: A segment of the other exchange, and the one that it goes with.
SISTER: Mapping[str, str] = {"BSE": "NSE", "BSE F&O": "F&O"}


def words(row: MarketState, now: datetime) -> str:
    """A state in words without its name: ``open, closes in 01:12:07``."""
    if row.next_at is None:
        return row.phase.value
    what = "MIS square-off" if row.next_word == "square-off" else row.next_word
    return f"{row.phase.value}, {what} in {countdown(row.next_at, now)}"


class MarketsDoor:
    """Reads the calendar. In the sandbox the square-off of intraday positions is one of the moments
    that come; when a broker does it is not known here."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    @property
    def always_open(self) -> bool:
        """Whether the market of the data account has no hours (the simulator)."""
        return self._terminal.account.always_open

    def now(self) -> datetime:
        """The terminal's clock, IST."""
        return self._terminal.clock.now()

    def rows(self) -> list[MarketState]:
        """All segments, in a trader's order."""
        now = self.now()
        return [
            state(self._terminal.calendar, segment, exchange, now, self._square_off(exchange))
            for segment, exchange in SEGMENTS
        ]

    def _square_off(self, exchange: str) -> time | None:
        key = _SQUARE_OFF.get(exchange)
        if key is None or self._terminal.desk.mode is not Mode.SANDBOX:
            return None
        return time.fromisoformat(str(self._terminal.settings[key]))

    def brief(self) -> str:
        """One line: segments that do the same together, the open ones first."""
        if self.always_open:
            return "Simulated market, always open"
        now = self.now()
        groups: dict[tuple[str, str], list[str]] = {}
        for row in sorted(self.rows(), key=lambda r: r.phase is Phase.CLOSED):
            groups.setdefault((row.phase.value, words(row, now)), []).append(row.segment)
        for names in groups.values():  # what the two exchanges do alike is said once
            names[:] = [name for name in names if SISTER.get(name) not in names]
        return "  ·  ".join(f"{' '.join(names)} {text}" for (_, text), names in groups.items())

    def holiday(self) -> str:
        """What is special about today, in a sentence; empty on a normal day, at a weekend and
        where the market has no hours."""
        today = self.now().date()
        if self.always_open:
            return ""
        day = self._terminal.calendar.day(today)
        if day is None or day.holiday_type == SETTLEMENT:
            return ""
        closed, others = [], []
        for segment, exchange in SEGMENTS:
            windows = self._terminal.calendar.windows(exchange, today)
            if not windows:
                closed.append(segment)
            elif list(windows) != [self._terminal.calendar.regular_session(exchange, today)]:
                hours = " and ".join(f"{start:%H:%M} to {end:%H:%M}" for start, end in windows)
                others.append(f"{segment} {hours}")
        if today.weekday() >= SATURDAY and not others and len(closed) == len(SEGMENTS):
            return ""
        parts = [f"{', '.join(closed)} closed"] if closed else []
        return f"{day.description}: {'; '.join([*parts, *others])}" if parts or others else ""

    def lines(self) -> str:
        """A line for each segment."""
        now = self.now()
        head = "The simulator is open round the clock. The exchanges:\n" if self.always_open else ""
        return head + "\n".join(f"{row.segment}: {words(row, now)}" for row in self.rows())
