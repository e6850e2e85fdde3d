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
from datetime import datetime
from itertools import islice
from typing import Any, TypeAlias

from openalgo_desktop.core.api_rows import ApiRequest
from openalgo_desktop.core.clock import IST, Clock
from openalgo_desktop.core.enums import Mode

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
    mode: Mode | None = None  # where it runs, as far as that is known
    body: dict[str, Any] | None = None  # without the key, of a caller that is known


#: Serial, epoch seconds, request, seconds spent, status, size of the answer.
_Row: TypeAlias = tuple[int, float, RequestRecord, float, int, int]


class ApiMonitor:
    """A ring of the latest requests."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ring: deque[tuple[int, float, RequestRecord, float, int, int]] = deque(
            maxlen=CAPACITY
        )
        self.serial = 0

    def finish(self, record: RequestRecord, status: int, size: int) -> None:
        """Remember an answered request."""
        self.serial += 1
        spent = time.perf_counter() - record.started
        self._ring.append((self.serial, self._clock.time(), record, spent, status, size))

    def recent(self, count: int) -> list[ApiRequest]:
        """The last ``count`` requests, newest first."""
        return [
            ApiRequest(
                serial,
                datetime.fromtimestamp(at, IST),
                record.client,
                record.method,
                record.endpoint,
                record.key,
                status,
                size,
                (spent + record.queued) * 1000.0,
                record.queued * 1000.0,
                record.broker * 1000.0,
                record.body,
            )
            for serial, at, record, spent, status, size in islice(reversed(self._ring), count)
        ]
