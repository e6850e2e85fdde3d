"""Rate limits: a moving window per client and endpoint, in memory."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable

from openalgo_desktop.core.rates import Rule, parse_limit

#: Windows kept at most; the least recently used ones go first.
MAX_WINDOWS = 4096


class RateLimiter:
    """Counts requests of each (client, endpoint); a refused request does not count."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._now = monotonic
        self._rules: dict[str, tuple[Rule, ...]] = {}
        self._windows: OrderedDict[tuple[object, ...], deque[float]] = OrderedDict()

    def rules(self, text: str) -> tuple[Rule, ...]:
        """Parsed rules of a limit text, remembered."""
        known = self._rules.get(text)
        if known is None:
            known = self._rules[text] = parse_limit(text)
        return known

    def take(self, who: tuple[object, ...], text: str) -> float:
        """Count one request; returns 0, or the seconds to wait when it is one too many."""
        rules = self.rules(text)
        if not rules:
            return 0.0
        window = self._windows.get(who)
        if window is None:
            window = self._windows[who] = deque()
            if len(self._windows) > MAX_WINDOWS:
                self._windows.popitem(last=False)
        else:
            self._windows.move_to_end(who)
        now = self._now()
        longest = max(seconds for _, seconds in rules)
        while window and window[0] <= now - longest:
            window.popleft()
        wait = 0.0
        for count, seconds in rules:
            if len(window) >= count and window[-count] > now - seconds:
                wait = max(wait, window[-count] + seconds - now)
        if wait == 0.0:
            window.append(now)
        return wait
