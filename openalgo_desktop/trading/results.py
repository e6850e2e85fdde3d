"""Answers of the order desk."""

from __future__ import annotations

import msgspec

from openalgo_desktop.core.enums import Mode


class Placed(msgspec.Struct, frozen=True):
    """An accepted place, modify or cancel. ``order_ids`` are those of all parts of an order that
    went out in slices."""

    order_id: str
    mode: Mode
    message: str = ""
    order_ids: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """Every order that it became."""
        return self.order_ids or ((self.order_id,) if self.order_id else ())


class CancelAll(msgspec.Struct, frozen=True):
    """``failed`` holds (order id, reason)."""

    cancelled: list[str]
    failed: list[tuple[str, str]]
    mode: Mode


class CloseAll(msgspec.Struct, frozen=True):
    """``had_rows`` is False when the position book had no row at all; ``order_ids`` are all
    closing orders, ``errors`` name symbol and reason."""

    closed: int
    failed: int
    had_rows: bool
    mode: Mode
    errors: tuple[str, ...] = ()
    order_ids: tuple[str, ...] = ()
