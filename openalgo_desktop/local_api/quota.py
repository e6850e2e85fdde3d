"""Orders per minute of a bound key, whatever the settings say of all."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable

from openalgo_desktop.core.api_rows import ApiKey
from openalgo_desktop.core.errors import RateLimited

_MINUTE = 60.0


class OrderQuotas:
    """Counts what each key sent within the last minute; a refused order does not count."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._now = monotonic
        self._sent: dict[int, deque[float]] = {}

    def take(self, key: ApiKey) -> None:
        """Count one order of ``key``; raises :class:`RateLimited` for one too many."""
        if not key.per_minute:
            return
        now = self._now()
        sent = self._sent.setdefault(key.key_id, deque())
        while sent and sent[0] <= now - _MINUTE:
            sent.popleft()
        if len(sent) < key.per_minute:
            sent.append(now)
            return
        wait = max(1, math.ceil(sent[0] + _MINUTE - now))
        who = f"Strategy {key.strategy!r}" if key.strategy else f"API key {key.name!r}"
        raise RateLimited(
            f"{who} may place and change {key.per_minute} orders per minute; the next one in "
            f"{wait} s. What cancels or closes is not held back.",
            retry_after=wait,
        )

    def forget(self, key: ApiKey) -> None:
        """The key is revoked."""
        self._sent.pop(key.key_id, None)
