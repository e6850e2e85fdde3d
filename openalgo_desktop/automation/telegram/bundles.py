"""News of the same kind that come together become one message; what comes in quiet hours is told
after them. Pure but for the clock that is handed in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from typing import NamedTuple

import msgspec

from openalgo_desktop.automation.telegram.outbox import Weight
from openalgo_desktop.automation.telegram.words import SHOWN, price, units
from openalgo_desktop.core.model import Trade

#: Lines that are kept over quiet hours; more are counted.
HELD = 200


class Kind(NamedTuple):
    """A kind of news: the setting that switches it, how a bundle of them is called, how important
    it is, and the preference of a chat."""

    name: str
    many: str
    weight: Weight
    preference: str = ""


KINDS: dict[str, Kind] = {
    row.name: row
    for row in (
        Kind("placed", "orders placed", Weight.CHATTER, "order_notifications"),
        Kind("filled", "fills", Weight.NEWS, "trade_notifications"),
        Kind("rejected", "orders refused", Weight.ALARM, "order_notifications"),
        Kind("cancelled", "orders cancelled", Weight.CHATTER, "order_notifications"),
        Kind("exits", "exits", Weight.ALARM, "trade_notifications"),
        Kind("connection", "changes of the connection", Weight.ALARM),
        Kind("risk", "warnings", Weight.ALARM, "pnl_notifications"),
        Kind("kill", "changes of kill switch or mode", Weight.ALARM),
        Kind("strategies", "news of strategies", Weight.NEWS),
        Kind("alerts", "alerts", Weight.ALARM),
    )
}


class _Fills:
    """The fills of one order as one line."""

    def __init__(self, head: str, tail: str) -> None:
        self.head, self.tail = head, tail
        self.units, self.value = 0, 0.0

    def add(self, trade: Trade) -> None:
        self.units += trade.quantity
        self.value += trade.value

    def text(self) -> str:
        return f"{self.head} {units(self.units)} {self.tail} @ {price(self.value / self.units)}"


class Bundle:
    """What came of one kind since the last message."""

    def __init__(self) -> None:
        self._lines: list[str | _Fills] = []
        self._fills: dict[str, _Fills] = {}
        self.count = 0

    def add(self, line: str) -> None:
        """One more."""
        self.count += 1
        self._lines.append(line)

    def fill(self, order: str, head: str, tail: str, trade: Trade) -> None:
        """One more fill; those of one order are one line."""
        self.count += 1
        known = self._fills.get(order)
        if known is None:
            known = self._fills[order] = _Fills(head, tail)
            self._lines.append(known)
        known.add(trade)

    def text(self, kind: Kind) -> str:
        """The message."""
        lines = [line if isinstance(line, str) else line.text() for line in self._lines[:SHOWN]]
        if len(self._lines) == 1:
            return lines[0] if self.count == 1 else f"{lines[0]} ({self.count} {kind.many})"
        if len(self._lines) > SHOWN:
            lines.append(f"… and {len(self._lines) - SHOWN} more")
        return "\n".join([f"{self.count} {kind.many}", *lines])


class Held(msgspec.Struct):
    """What came in quiet hours: a message with its time and its kind, and how many there were
    more."""

    rows: list[tuple[str, str]] = []  # kind and text
    more: int = 0

    def add(self, kind: str, at: datetime, text: str) -> None:
        """Keep one, the oldest ones first of all."""
        if len(self.rows) >= HELD:
            self.more += 1
        else:
            self.rows.append((kind, f"{at:%H:%M} {text}"))

    def texts(self, kinds: Sequence[str]) -> str:
        """What a chat that wants these kinds is told after the quiet hours; empty for nothing."""
        found = [text for kind, text in self.rows if kind in kinds]
        if not found:
            return ""
        more = [f"… and {self.more} more"] if self.more else []
        return "\n".join(["In the quiet hours:", *found, *more])


def is_quiet(hours: str, now: datetime) -> bool:
    """Whether ``now`` (IST) lies in ``HH:MM-HH:MM``, which may go over midnight."""
    if not hours:
        return False
    first, last = (time.fromisoformat(text) for text in hours.split("-"))
    at = now.time().replace(second=0, microsecond=0)
    return first <= at < last if first < last else at >= first or at < last
