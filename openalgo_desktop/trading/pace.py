"""How fast orders go out and come back, of all sources: for people to read, it holds nothing back.

Indian rules (SEBI's circular of February 2025 on retail algorithms, and the exchanges' standards
that follow it) let a client send ten orders a second without registering an algorithm. Every write
counts here: placements, changes, cancellations.
"""

from __future__ import annotations

import asyncio
import itertools
from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from statistics import median

import msgspec

from openalgo_desktop.core.model import OrderAck

#: Orders of one account within :data:`WINDOW` seconds.
BUDGET, WINDOW = 10, 1.0
#: Answers that the median is made of, and orders whose time is remembered.
ANSWERS, REMEMBERED = 50, 5000


#: Upper ends of the steps in which answers are counted, milliseconds; the last step has none.
STEPS = (50.0, 100.0, 250.0, 500.0, 1000.0)


class RoundTrip(msgspec.Struct, frozen=True):
    """Times from sending to the answer, milliseconds, of the last ``count`` answers. ``steps`` is
    how many of them came within each of :data:`STEPS`, and later."""

    last: float
    median: float
    count: int
    steps: tuple[int, ...] = ()


class Waiting(msgspec.Struct, frozen=True):
    """A write whose answer is not there yet. ``key`` tells it from others."""

    key: int
    account_id: str
    kind: str
    seconds: float


class OrderPace:
    """Told by the sender of each write and its answer."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._sent: dict[str, deque[float]] = {}
        self._times: dict[str, deque[float]] = {}
        self._orders: dict[str, float] = {}
        self._waiting: dict[int, tuple[str, str, float]] = {}
        self._keys = itertools.count(1)

    def follow(self, account_id: str, kind: str, sending: asyncio.Future[OrderAck]) -> None:
        """A write leaves now; ``sending`` becomes its answer."""
        began = self._monotonic()
        self._sent.setdefault(account_id, deque(maxlen=BUDGET)).append(began)
        key = next(self._keys)
        self._waiting[key] = (account_id, kind, began)

        def done(answer: asyncio.Future[OrderAck]) -> None:
            del self._waiting[key]
            if not answer.cancelled():
                self._answered(account_id, kind, self._monotonic() - began, answer)

        sending.add_done_callback(done)

    def _answered(
        self, account_id: str, kind: str, seconds: float, answer: asyncio.Future[OrderAck]
    ) -> None:
        if answer.exception() is not None:  # a refusal may never have left this machine
            return
        times = self._times.setdefault(account_id, deque(maxlen=ANSWERS))
        times.append(1000.0 * seconds)
        if kind == "place":
            while len(self._orders) >= REMEMBERED:
                self._orders.pop(next(iter(self._orders)))
            self._orders[answer.result().order_id] = 1000.0 * seconds

    def left(self, account_id: str) -> int:
        """Writes that the account may still send within this second."""
        since = self._monotonic() - WINDOW
        return BUDGET - sum(moment > since for moment in self._sent.get(account_id, ()))

    def waiting(self, longer_than: float = 0.0) -> list[Waiting]:
        """Writes that have had no answer for more than so many seconds, oldest first."""
        now = self._monotonic()
        return [
            Waiting(key, account_id, kind, now - began)
            for key, (account_id, kind, began) in self._waiting.items()
            if now - began > longer_than
        ]

    def round_trip(self, account_id: str) -> RoundTrip | None:
        """Times of the account's answers; None before the first."""
        times = self._times.get(account_id)
        if not times:
            return None
        steps = [0] * (len(STEPS) + 1)
        for took in times:
            steps[bisect_left(STEPS, took)] += 1
        return RoundTrip(times[-1], median(times), len(times), tuple(steps))

    def of_order(self, order_id: str) -> float | None:
        """Milliseconds until the placement of an order was answered; None of one that was not
        placed in this run."""
        return self._orders.get(order_id)
