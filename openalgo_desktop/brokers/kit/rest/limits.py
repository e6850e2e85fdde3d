"""Rate limits of a broker: sliding windows per bucket, kept by waiting, never by refusing late.

A bucket has windows per second, minute and day. A request that would have to wait longer than
its deadline is refused at once with :class:`RateLimited`, before anything was sent.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping

from openalgo_desktop.brokers.kit.spec import Rate
from openalgo_desktop.core.errors import RateLimited


class Window:
    """At most ``rate.count`` grants in any ``rate.seconds``."""

    __slots__ = ("_grants", "rate")

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self._grants: deque[float] = deque()

    def wait(self, now: float) -> float:
        """Seconds until a grant is possible."""
        grants = self._grants
        while grants and grants[0] <= now - self.rate.seconds:
            grants.popleft()
        if len(grants) < self.rate.count:
            return 0.0
        return grants[len(grants) - self.rate.count] + self.rate.seconds - now

    def take(self, now: float) -> None:
        """Count a grant at ``now``."""
        self._grants.append(now)

    def free(self, now: float) -> int:
        """Grants left at this moment."""
        self.wait(now)
        return max(0, self.rate.count - len(self._grants))


class Limiter:
    """All buckets of one account. ``monotonic`` is the injected clock's."""

    def __init__(
        self, limits: Mapping[str, tuple[Rate, ...]], monotonic: Callable[[], float]
    ) -> None:
        self._windows = {name: [Window(rate) for rate in rates] for name, rates in limits.items()}
        self._monotonic = monotonic
        self._hold: dict[str, float] = {}

    async def acquire(self, names: Iterable[str], max_wait: float) -> None:
        """Wait until every named bucket has room, then take one from each."""
        wanted = [name for name in names if name in self._windows]
        deadline = self._monotonic() + max_wait
        while True:
            now = self._monotonic()
            wait = max((self._wait(name, now) for name in wanted), default=0.0)
            if wait <= 0:
                break
            if now + wait > deadline:
                raise RateLimited(
                    f"The broker's rate limit ({', '.join(wanted)}) is used up; "
                    f"try again in {wait:.1f} s. Nothing was sent.",
                    retry_after=wait,
                )
            await asyncio.sleep(wait)
        for name in wanted:
            for window in self._windows[name]:
                window.take(now)

    def _wait(self, name: str, now: float) -> float:
        held = self._hold.get(name, 0.0) - now
        return max(held, *(window.wait(now) for window in self._windows[name]))

    def hold(self, names: Iterable[str], seconds: float) -> None:
        """The broker said "too many": nothing from these buckets for ``seconds``."""
        until = self._monotonic() + seconds
        for name in names:
            if name in self._windows:
                self._hold[name] = max(until, self._hold.get(name, 0.0))

    def headroom(self) -> dict[str, list[tuple[int, int, float]]]:
        """Per bucket its windows as (free, limit, seconds)."""
        now = self._monotonic()
        return {
            name: [(w.free(now), w.rate.count, w.rate.seconds) for w in windows]
            for name, windows in self._windows.items()
        }
