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
        Kind("approvals", "orders that wait for a human", Weight.ALARM, "order_notifications"),
        Kind("exits", "exits", Weight.ALARM, "trade_notifications"),
        Kind("connection", "changes of the connection", Weight.ALARM),
        Kind("risk", "warnings", Weight.ALARM, "pnl_notifications"),
        Kind("kill", "changes of kill switch or mode", Weight.ALARM),
        Kind("strategies", "news of strategies", Weight.NEWS),
        Kind("alerts", "alerts", Weight.ALARM),
    )
}


class _Line:
    """A line of a bundle, and how often it came."""

    def __init__(self, words: str) -> None:
        self.words = words
        self.times = 1

    def text(self) -> str:
        return self.words if self.times == 1 else f"{self.words} (×{self.times})"


class _Fills:
    """The fills of one order as one line."""

    def __init__(self, head: str, tail: str) -> None:
        self.head, self.tail = head, tail
        self.units, self.value = 0, 0.0
        self.times = 0

    def add(self, trade: Trade) -> None:
        self.times += 1
        self.units += trade.quantity
        self.value += trade.value

    def text(self) -> str:
        return f"{self.head} {units(self.units)} {self.tail} @ {price(self.value / self.units)}"


class Bundle:
    """What came of one kind since the last message, by key: the same again is counted."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line | _Fills] = {}
        self._fills: dict[str, _Fills] = {}

    def add(self, line: str, key: str) -> None:
        """One more."""
        known = self._lines.get(key)
        if known is None:
            self._lines[key] = _Line(line)
        else:
            known.times += 1

    def fill(self, key: str, head: str, tail: str, trade: Trade) -> None:
        """One more fill; those of one order are one line."""
        known = self._fills.get(key)
        if known is None:
            known = self._lines[key] = self._fills[key] = _Fills(head, tail)
        known.add(trade)

    def drop(self, key: str) -> None:
        """It is no news any more: something that says more comes beside it."""
        self._lines.pop(key, None)

    def text(self, kind: Kind) -> str:
        """The message; empty for nothing."""
        rows = list(self._lines.values())
        count = sum(row.times for row in rows)
        lines = [row.text() for row in rows[:SHOWN]]
        if len(rows) > SHOWN:
            lines.append(f"… and {len(rows) - SHOWN} more")
        if len(rows) > 1:
            lines.insert(0, f"{count} {kind.many}")
        return "\n".join(lines)


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
