"""Rate limits of a broker: sliding windows per bucket, kept by waiting, never by refusing late.

A bucket has windows per second, minute and day; windows of one ``shared`` name count the requests
of all their buckets. A request may cost several grants. One that would have to wait longer than
its deadline is refused at once with :class:`RateLimited`, before anything was sent.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping

from openalgo_desktop.brokers.kit.spec import Rate
from openalgo_desktop.core.errors import ConfigError, RateLimited

#: A refused cancellation or exit holds others so many seconds at most: they are worth trying.
URGENT_HOLD = 1.0
#: What is not urgent looks again after so many seconds where urgent requests take all there is.
_YIELD = 0.05


class Grants:
    """When grants were given, the oldest first; windows that are linked look at the same ones."""

    __slots__ = ("_keep", "first", "times")

    def __init__(self) -> None:
        self.times: deque[float] = deque()
        self.first = 0  # grants that urgent requests wait for: others leave room for these
        self._keep = 0.0

    def watched(self, seconds: float) -> None:
        """A window needs to know of so many seconds."""
        self._keep = max(self._keep, seconds)

    def take(self, now: float, cost: int) -> None:
        """Count ``cost`` grants at ``now``, and forget those that no window needs."""
        times = self.times
        while times and times[0] <= now - self._keep:
            times.popleft()
        times.extend([now] * cost)


class Window:
    """At most ``rate.count`` grants in any ``rate.seconds``."""

    __slots__ = ("grants", "rate")

    def __init__(self, rate: Rate, grants: Grants) -> None:
        self.rate = rate
        self.grants = grants
        grants.watched(rate.seconds)

    def wait(self, now: float, cost: int = 1, *, urgent: bool = False) -> float:
        """Seconds until ``cost`` grants are possible at once, beside those of what is urgent."""
        if cost > self.rate.count:
            raise ConfigError(f"A request of cost {cost} never fits {self.rate.count} grants.")
        least = 0.0
        if not urgent and (first := self.grants.first):
            least = _YIELD if cost + first > self.rate.count else 0.0
            cost = min(cost + first, self.rate.count)
        times, last = self.grants.times, self.rate.count - cost + 1
        if len(times) < last:
            return least
        return max(least, times[-last] + self.rate.seconds - now)

    def free(self, now: float) -> int:
        """Grants left at this moment."""
        used = 0
        for moment in reversed(self.grants.times):
            if moment <= now - self.rate.seconds:
                break
            used += 1
        return max(0, self.rate.count - used)


class Limiter:
    """All buckets of one account. ``monotonic`` is the injected clock's."""

    def __init__(
        self, limits: Mapping[str, tuple[Rate, ...]], monotonic: Callable[[], float]
    ) -> None:
        shared: dict[str, Grants] = {}
        self._windows = {
            name: [
                Window(rate, shared.setdefault(rate.shared, Grants()) if rate.shared else Grants())
                for rate in rates
            ]
            for name, rates in limits.items()
        }
        links = {name: {rate.shared for rate in rates} - {""} for name, rates in limits.items()}
        self._linked = {
            name: [other for other in limits if other == name or links[other] & links[name]]
            for name in limits
        }
        self._monotonic = monotonic
        self._hold: dict[str, float] = {}
        self._hold_urgent: dict[str, float] = {}

    async def acquire(
        self, names: Iterable[str], max_wait: float, cost: int = 1, *, urgent: bool = False
    ) -> None:
        """Wait until every named bucket has room for ``cost`` grants, then take them from each;
        buckets that are linked give them once. What is ``urgent`` waits for our own count, before
        all that is not, and for no hold but one of its like."""
        wanted = [name for name in names if name in self._windows]
        grants = {id(w.grants): w.grants for name in wanted for w in self._windows[name]}.values()
        first = cost if urgent else 0
        for one in grants:
            one.first += first
        try:
            now = await self._room(wanted, max_wait, cost, urgent)
        finally:
            for one in grants:
                one.first -= first
        for one in grants:
            one.take(now, cost)

    async def _room(self, wanted: list[str], max_wait: float, cost: int, urgent: bool) -> float:
        deadline = self._monotonic() + max_wait
        while True:
            now = self._monotonic()
            wait = max((self._wait(name, now, cost, urgent) for name in wanted), default=0.0)
            if wait <= 0:
                return now
            if now + wait > deadline:
                raise RateLimited(
                    f"The broker's rate limit ({', '.join(wanted)}) is used up; "
                    f"try again in {wait:.1f} s. Nothing was sent.",
                    retry_after=wait,
                )
            await asyncio.sleep(wait)

    def _wait(self, name: str, now: float, cost: int, urgent: bool) -> float:
        holds = self._hold_urgent if urgent else self._hold
        held = holds.get(name, 0.0) - now
        windows = self._windows[name]
        return max(held, *(window.wait(now, cost, urgent=urgent) for window in windows))

    def hold(self, names: Iterable[str], seconds: float, *, urgent: bool = False) -> None:
        """The broker said "too many": nothing from these buckets, nor from those that are linked
        to them, for ``seconds``. Only the refusal of something ``urgent`` holds what is urgent,
        and at most :data:`URGENT_HOLD`."""
        now = self._monotonic()
        for name in names:
            for linked in self._linked.get(name, ()):
                self._hold[linked] = max(now + seconds, self._hold.get(linked, 0.0))
                if urgent:
                    until = now + min(seconds, URGENT_HOLD)
                    self._hold_urgent[linked] = max(until, self._hold_urgent.get(linked, 0.0))

    def headroom(self) -> dict[str, list[tuple[int, int, float]]]:
        """Per bucket its windows as (free, limit, seconds); nothing is free while the broker has
        it held."""
        now = self._monotonic()
        return {
            name: [
                (
                    0 if self._hold.get(name, 0.0) > now else w.free(now),
                    w.rate.count,
                    w.rate.seconds,
                )
                for w in windows
            ]
            for name, windows in self._windows.items()
        }
