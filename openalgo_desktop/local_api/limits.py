"""Rate limits: a moving window per client and endpoint, in memory."""

from __future__ import annotations

import re
from collections import OrderedDict, deque
from collections.abc import Callable

from openalgo_desktop.core.errors import ConfigError

_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
_LIMIT = re.compile(r"(\d+)\s*(?:per|/)\s*(\d*)\s*(second|minute|hour|day)s?", re.IGNORECASE)
#: Windows kept at most; the least recently used ones go first.
MAX_WINDOWS = 4096

Rule = tuple[int, float]


def parse_limit(text: str) -> tuple[Rule, ...]:
    """``"50 per second; 1000 per minute"`` as (count, seconds) pairs; empty text means no limit."""
    rules: list[Rule] = []
    for part in re.split(r"[;,|]", text):
        if not part.strip():
            continue
        match = _LIMIT.fullmatch(part.strip())
        if match is None or int(match[1]) == 0:
            raise ConfigError(
                f"Rate limit {part.strip()!r}: write it like '50 per second' or '30 per minute'."
            )
        rules.append((int(match[1]), float(int(match[2] or 1) * _UNITS[match[3].lower()])))
    return tuple(rules)


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
