"""Who acts in the running task, for what the audit trail writes about settings and keys."""

from __future__ import annotations

from contextvars import ContextVar

#: ``window`` unless a door says otherwise (``cli``).
actor: ContextVar[str] = ContextVar("actor", default="window")
