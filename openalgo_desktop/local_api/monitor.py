"""The API monitor: what the local API has answered lately.

A dock reads ``terminal.api.monitor`` (the port :class:`core.ports.ApiMonitor`): ``recent(n)``
gives the last requests, newest first, as :class:`core.model.ApiRequest` rows; ``serial`` grows
with every request, so a dock that remembers it knows whether to draw again. Times are
milliseconds: ``queue`` before the handler began, ``broker`` waiting for a broker or its market
source, ``ours`` the rest.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass

from openalgo_desktop.core.clock import Clock

#: Requests kept.
CAPACITY = 500


@dataclass(slots=True)
class RequestRecord:
    """One request under way. Seconds of the performance counter."""

    started: float
    queued: float = 0.0
    broker: float = 0.0
    client: str = ""
    method: str = ""
    endpoint: str = ""
    key: str = ""


class ApiMonitor:
    """A ring of the latest requests."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ring: deque[tuple[float, RequestRecord, float, int, int]] = deque(maxlen=CAPACITY)
        self.serial = 0

    def finish(self, record: RequestRecord, status: int, size: int) -> None:
        """Remember an answered request."""
        self.serial += 1
        self._ring.append(
            (self._clock.time(), record, time.perf_counter() - record.started, status, size)
        )
