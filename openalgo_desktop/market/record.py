"""What the hub knows of one instrument: the latest value of each part, and when it came.

A source sends poor and rich packets of one instrument. Usually the latest one has everything, and
taking it is one assignment. Only when a packet lacks a part that is known from an earlier one are
the two merged, and that part keeps its own time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.ticks import FIELDS_OF, PARTS_OF, Part, Tick

#: How long a part is kept while packets come without it; seconds. What orders trade against is
#: worth nothing after a moment; open interest and the day's figures change slowly.
KEEP: Final[Mapping[int, float]] = {
    Part.LTP: float("inf"),
    Part.DAY: 60.0,
    Part.TOUCH: 2.0,
    Part.OI: 60.0,
    Part.BOOK: 2.0,
}
#: After a lower mode was asked, richer packets that were on their way still come; seconds.
_ON_THE_WAY = 2.0

#: What others offer.
_ORDERS = Part.TOUCH | Part.BOOK

_EMPTY = Tick("", "", 0.0)


class Record:
    """One instrument. Times are monotonic seconds."""

    __slots__ = (
        "_cap",
        "_cap_until",
        "_kept",
        "_kept_parts",
        "_kept_until",
        "_plain",
        "at",
        "stale",
        "tick",
    )

    def __init__(self, tick: Tick, now: float) -> None:
        self.tick = tick
        self.at = now  # the last packet
        self.stale = False  # the feed was lost since
        self._kept: dict[int, float] = {}  # parts of earlier packets
        self._kept_parts = 0
        self._kept_until = 0.0  # when the first of them is too old
        self._cap = Part.ALL
        self._cap_until = 0.0
        self._plain = True  # nothing kept, nothing capped, not stale

    def take(self, tick: Tick, now: float) -> None:
        """A packet came."""
        old = self.tick
        if self._plain and tick.mode >= old.mode and not tick.unknown & ~old.unknown:
            self.tick = tick
            self.at = now
            return
        self._merge(tick, now)

    def _merge(self, tick: Tick, now: float) -> None:
        if self._cap_until:
            if now < self._cap_until:
                tick = only(tick, self._cap)
            else:
                self._cap_until = 0.0
        missing = 0 if self.stale else self.tick.parts & ~tick.parts
        if missing & _ORDERS and not _between(self.tick, tick.ltp):
            missing &= ~_ORDERS  # a trade beyond what was offered: that is gone, however young
        same = missing and missing == self._kept_parts and now <= self._kept_until
        if same and tick.mode == FeedMode.LTP:
            # As in the packet before: a price, and everything else as it was.
            self.tick = msgspec.structs.replace(
                self.tick, ltp=tick.ltp, ltt=tick.ltt, timestamp=tick.timestamp
            )
            self.at = now
            return
        kept: dict[int, float] = {}
        for part in _each(missing):
            since = self._kept.get(part, self.at)
            if now - since <= KEEP[part]:
                kept[part] = since
        if kept:
            tick = _joined(tick, self.tick, kept)
        self.tick, self.at, self.stale = tick, now, False
        self._keep(kept)
        self._plain = not kept and not self._cap_until

    def _keep(self, kept: dict[int, float]) -> None:
        self._kept = kept
        self._kept_parts = sum(kept)
        self._kept_until = min((since + KEEP[part] for part, since in kept.items()), default=0.0)

    def lower(self, mode: FeedMode, now: float) -> None:
        """From now on no more than ``mode`` is asked: what no longer comes is not known."""
        self._cap, self._cap_until = PARTS_OF[mode], now + _ON_THE_WAY
        self._plain = False
        self._drop(Part.ALL & ~self._cap)

    def spoil(self) -> None:
        """The feed is lost: nothing here may be traded on or kept until the next packet."""
        self.stale = True
        self._plain = False

    def view(self, now: float) -> Tick:
        """What is known now."""
        if self._kept and now > self._kept_until:
            old = [part for part, since in self._kept.items() if now - since > KEEP[part]]
            self._drop(sum(old))
        return self.tick

    def age(self, part: int, now: float) -> float:
        """Seconds since one part last came."""
        return now - self._kept.get(part, self.at)

    def fresh(self, need: int, now: float, max_age: float | None) -> Tick | None:
        """:meth:`view` when every part in ``need`` is known and at most ``max_age`` old."""
        tick = self.view(now)
        if self.stale or not tick.knows(need):
            return None
        if max_age is not None and any(self.age(part, now) > max_age for part in _each(need)):
            return None
        return tick

    def _drop(self, parts: int) -> None:
        self._keep({part: since for part, since in self._kept.items() if not part & parts})
        if self.tick.parts & parts:
            self.tick = only(self.tick, ~parts)


def _between(tick: Tick, price: float) -> bool:
    """Whether ``price`` is neither below the best bid nor above the best ask, where there are."""
    return not (0 < price < tick.bid or 0 < tick.ask < price)


def only(tick: Tick, parts: int) -> Tick:
    """The tick with these of its parts; the others are unknown."""
    left = tick.parts & parts
    if left == tick.parts:
        return tick
    gone = PARTS_OF[tick.mode] & ~left
    return _labelled(tick, left, _values(_EMPTY, _each(gone)))


def _joined(tick: Tick, earlier: Tick, kept: Iterable[int]) -> Tick:
    """``tick`` with the ``kept`` parts of an earlier one."""
    parts = tick.parts
    for part in kept:
        parts |= part
    return _labelled(tick, parts, _values(earlier, kept))


def _values(tick: Tick, parts: Iterable[int]) -> dict[str, Any]:
    return {name: getattr(tick, name) for part in parts for name in FIELDS_OF[part]}


def _labelled(tick: Tick, parts: int, values: dict[str, Any]) -> Tick:
    """A copy with other ``values``, and the mode and the gaps that say that it has ``parts``."""
    if parts & Part.BOOK:
        mode = FeedMode.DEPTH
    else:
        mode = FeedMode.QUOTE if parts & ~Part.LTP else FeedMode.LTP
    unknown = PARTS_OF[mode] & ~parts
    return msgspec.structs.replace(tick, mode=mode, unknown=unknown, **values)


def _each(parts: int) -> list[int]:
    return [part for part in FIELDS_OF if parts & part] if parts else []
