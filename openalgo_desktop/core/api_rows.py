"""What the local API keeps and shows: keys, requests that wait for a human, queued alerts and
answered requests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from openalgo_desktop.core.enums import AlertState, ApprovalStatus, KeyRights, Mode


class ApiKey(msgspec.Struct, frozen=True):
    """A key of the local API, without its text. ``account_id`` empty means any account.

    A key that is *bound* names a ``strategy``, a ``mode`` or both: its orders carry that strategy
    and go to that mode wherever the switch stands. ``per_minute`` is the most orders that it may
    place and change within a minute; 0 is no limit.
    """

    key_id: int
    name: str
    rights: KeyRights
    account_id: str
    created_at: datetime
    strategy: str = ""
    mode: Mode | None = None
    per_minute: int = 0

    @property
    def bound(self) -> bool:
        """Whether it is of one strategy or one mode."""
        return bool(self.strategy) or self.mode is not None


#: Field of a queued payload: the mode in which it was sent.
QUEUED_MODE = "queued_in_mode"
#: The number of the bound key that sent it; absent for a key that is free.
QUEUED_KEY = "queued_by_key"


class Approval(msgspec.Struct, frozen=True):
    """A request (one order or a bundle) that waits, or waited, for a human's yes.

    ``kind`` names the endpoint (``placeorder``, ``basketorder``...), ``payload`` is its body
    without the key. ``prices`` are last prices when it was queued, by ``EXCHANGE:SYMBOL``.
    ``result`` says what came of it after it was approved; ``reason`` why it was not.
    """

    approval_id: int
    kind: str
    payload: dict[str, Any]
    source: str
    created_at: datetime
    expires_at: datetime
    prices: dict[str, float] = {}
    status: ApprovalStatus = ApprovalStatus.PENDING
    decided_at: datetime | None = None
    decided_by: str = ""
    reason: str = ""
    result: str = ""


#: ``Approval.expires_at`` of a request that waits until somebody decides.
NEVER = datetime(9999, 1, 1, tzinfo=UTC)


class Alert(msgspec.Struct, frozen=True):
    """One order of a webhook alert as it was answered "queued".

    ``kind`` and ``payload`` are endpoint and body of the order that it means (as in
    :class:`Approval`). ``fingerprint`` is that of the alert: all its orders share it, and the same
    alert again has the same one. ``began_at`` is when sending began.
    """

    alert_id: int
    kind: str
    payload: dict[str, Any]
    source: str
    fingerprint: str
    received_at: datetime
    state: AlertState = AlertState.WAITING
    began_at: datetime | None = None
    result: str = ""


class ApiRequest(msgspec.Struct, frozen=True, gc=False):
    """One answered request of the local API. Durations in milliseconds: ``queue`` before the
    handler began, ``broker`` waiting for a broker or its market source, ``total`` all of it."""

    serial: int  # 1, 2, ... in order of the answers
    at: datetime
    client: str
    method: str
    endpoint: str
    key: str  # name of the key, never its text
    status: int
    size: int
    total: float
    queue: float
    broker: float
    body: dict[str, Any] | None = None  # its fields without the key; None where not kept

    @property
    def ours(self) -> float:
        """Time spent in this program."""
        return max(0.0, self.total - self.queue - self.broker)
