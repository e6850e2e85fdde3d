"""Quotas of hosted programs: how many orders a day, the day's loss, the fall from the best result.

The number of orders, the size of one and the open positions are asked for each order, before it
leaves. Loss and drawdown are looked at every two seconds, from the strategy book; what breaks one
may only close until the next day, unless a human changes the quota.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from openalgo_desktop.automation.host.life.looking import today
from openalgo_desktop.automation.host.life.ports import Results
from openalgo_desktop.automation.host.life.seat import Seat
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import RiskBlocked
from openalgo_desktop.core.events import Bus, Notice
from openalgo_desktop.core.money import group_indian
from openalgo_desktop.core.strategies.hosted import OnBreach

log = logging.getLogger(__name__)

#: What is done about a breach, beside what it may open.
Act = Callable[[Seat, str], Awaitable[None]]


class Quotas:
    """Looks and refuses; ``find`` gives the seat of a name. See :class:`ProgramQuotas`."""

    def __init__(
        self, clock: Clock, bus: Bus, results: Results, find: Callable[[str], Seat | None]
    ) -> None:
        self._clock = clock
        self._bus = bus
        self._results = results
        self._find = find
        self._sent: dict[tuple[str, Mode], tuple[str, int]] = {}  # day, orders

    # -- asked for each order ---------------------------------------------------------------
    def knows(self, name: str) -> bool:
        """See :class:`ProgramQuotas`."""
        return self._find(name) is not None

    def sizes(self, name: str) -> tuple[int, int]:
        """See :class:`ProgramQuotas`."""
        seat = self._find(name)
        if seat is None:
            return 0, 0
        return seat.row.quotas.max_lots, seat.row.quotas.open_positions

    def check(self, name: str, mode: Mode) -> None:
        """See :class:`ProgramQuotas`."""
        seat = self._find(name)
        if seat is None:
            return
        most = seat.row.quotas.orders_per_day
        if most and self.orders(name, mode) >= most:
            self._broken(seat, mode, f"it has sent its quota of {most} orders today")
        if why := self.breach(seat, mode):
            raise RiskBlocked(f"{name} may only close today: {why}.")

    def sent(self, name: str, mode: Mode) -> None:
        """See :class:`ProgramQuotas`."""
        if self._find(name) is not None:
            day, count = today(self._clock.now()), self.orders(name, mode)
            self._sent[name, mode] = (day, count + 1)

    def orders(self, name: str, mode: Mode) -> int:
        """Orders of today. Those that an engine before this one sent are counted once, from the
        book."""
        day = today(self._clock.now())
        known = self._sent.get((name, mode))
        if known is None or known[0] != day:
            known = self._sent[name, mode] = (day, self._results.orders(name, mode))
        return known[1]

    # -- breaches ---------------------------------------------------------------------------
    def breach(self, seat: Seat, mode: Mode) -> str:
        """Which quota was broken today in a mode; empty: none."""
        return seat.kept.breach if seat.kept.breach_day == self._day(mode) else ""

    def _day(self, mode: Mode) -> str:
        return f"{today(self._clock.now())} {mode.value}"

    def look(self, seat: Seat) -> str:
        """Evaluate the results of one that is up; the quota that it broke just now, else empty."""
        quotas, mode = seat.row.quotas, seat.kept.mode
        if mode is None or not (quotas.day_loss or quotas.drawdown) or self.breach(seat, mode):
            return ""
        result = self._results.today(seat.row.name, mode)
        if result is None:
            return ""
        if quotas.day_loss and result.day_net is not None and -result.day_net >= quotas.day_loss:
            loss, most = group_indian(-result.day_net, 2), group_indian(quotas.day_loss, 2)
            return self._broken(seat, mode, f"its loss of today is {loss}, its quota {most} rupees")
        if quotas.drawdown and result.drawdown >= quotas.drawdown:
            fall, most = group_indian(result.drawdown, 2), group_indian(quotas.drawdown, 2)
            return self._broken(
                seat, mode, f"it is {fall} below its best result, its quota is {most} rupees"
            )
        return ""

    def _broken(self, seat: Seat, mode: Mode, why: str) -> str:
        if self.breach(seat, mode):
            return ""
        seat.note(breach_day=self._day(mode), breach=why)
        text = f"{seat.row.name}: {why}. {_DOES[seat.row.quotas.on_breach]}"
        log.warning("%s", text)
        self._bus.publish(Notice(level="warning", text=text, at=self._clock.now()))
        seat.breached = True
        return why


_DOES = {
    OnBreach.BLOCK: "It may only close until tomorrow.",
    OnBreach.FLATTEN: "What it holds is closed, and it may open nothing until tomorrow.",
    OnBreach.STOP: "It is stopped, and what it holds is closed.",
}
