"""Orders per minute of a bound key, whatever the settings say of all. Keys of one strategy and mode
count together: each run of a hosted program has a key of its own."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import TypeAlias

from openalgo_desktop.core.api_rows import ApiKey
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import RateLimited

_MINUTE = 60.0
#: A strategy in a mode, or a key of no strategy.
_Sender: TypeAlias = tuple[str, Mode | None] | int


class OrderQuotas:
    """Counts what was sent within the last minute; a refused order does not count."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._now = monotonic
        self._sent: dict[_Sender, deque[float]] = {}

    def check(self, key: ApiKey) -> None:
        """Raises :class:`RateLimited` where one more would be too many; counts none."""
        if not key.per_minute:
            return
        now = self._now()
        sent = self._sent.setdefault(_sender(key), deque())
        while sent and sent[0] <= now - _MINUTE:
            sent.popleft()
        if len(sent) < key.per_minute:
            return
        wait = max(1, math.ceil(sent[0] + _MINUTE - now))
        who = f"Strategy {key.strategy!r}" if key.strategy else f"API key {key.name!r}"
        raise RateLimited(
            f"{who} may place and change {key.per_minute} orders per minute; the next one in "
            f"{wait} s. What cancels or closes is not held back.",
            retry_after=wait,
        )

    def count(self, key: ApiKey) -> None:
        """One of ``key`` leaves; it was checked before."""
        if key.per_minute:
            self._sent.setdefault(_sender(key), deque()).append(self._now())

    def forget(self, key: ApiKey) -> None:
        """The key is revoked. What its strategy sent counts on for the next key of it."""
        if not key.strategy:
            self._sent.pop(_sender(key), None)


def _sender(key: ApiKey) -> _Sender:
    return (key.strategy, key.mode) if key.strategy else key.key_id
