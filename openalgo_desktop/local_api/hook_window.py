"""Windows of time of the webhooks: rates, repetitions, rest after a stop; monotonic."""

from __future__ import annotations

import math
from collections import OrderedDict

from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.strategies.webhook import COOLING_SECONDS, DEDUPE_SECONDS
from openalgo_desktop.local_api.limits import RateLimiter

Claim = tuple[object, ...]
#: One row of the log says that the limit was passed, per so many seconds.
_TELL = 60.0


class Windows:
    """In memory, and bounded: what is over is forgotten."""

    def __init__(self, clock: Clock) -> None:
        self._now = clock.monotonic
        self._limiter = RateLimiter(clock.monotonic)
        self._seen: OrderedDict[Claim, float] = OrderedDict()
        self._stopped: dict[int, float] = {}
        self._told: dict[int, float] = {}

    def limited(self, known: str, client: str, limit: str) -> float:
        """Count an alert; 0, or the seconds to wait. Each known address has a window of its own,
        wherever its alerts come from (a tunnel brings all from one place); those who try unknown
        ones share the window of where they come from."""
        return self._limiter.take(("known", known) if known else ("unknown", client), limit)

    def tell_limit(self, strategy_id: int) -> bool:
        """Whether it is time to say that its limit was passed."""
        now = self._now()
        if now - self._told.get(strategy_id, -math.inf) < _TELL:
            return False
        self._told[strategy_id] = now
        return True

    def seen(self, claim: Claim) -> bool:
        """Whether the same came within the window; if not, it has come now."""
        now = self._now()
        while self._seen and now - next(iter(self._seen.values())) >= DEDUPE_SECONDS:
            self._seen.popitem(last=False)
        if claim in self._seen:
            return True
        self._seen[claim] = now
        return False

    def release(self, claim: Claim) -> None:
        """It came to nothing: the next one is a new one."""
        self._seen.pop(claim, None)

    def remember(self, claim: Claim, age: float) -> None:
        """One of an earlier run of the program, ``age`` seconds old by a wall clock that may have
        been set back a little since."""
        if abs(age) < DEDUPE_SECONDS:
            self._seen[claim] = self._now() - max(0.0, age)

    def stopped(self, strategy_id: int) -> None:
        """A stop was taken now."""
        self._stopped[strategy_id] = self._now()

    def stopped_ago(self, strategy_id: int) -> float:
        """Seconds since then; infinite where that is long ago."""
        ago = self._now() - self._stopped.get(strategy_id, -math.inf)
        return ago if ago < COOLING_SECONDS else math.inf
