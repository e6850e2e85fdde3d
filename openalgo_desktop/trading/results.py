"""Answers of the order desk."""

from __future__ import annotations

import msgspec

from openalgo_desktop.core.enums import Mode


class Placed(msgspec.Struct, frozen=True):
    """An accepted place, modify or cancel."""

    order_id: str
    mode: Mode
    message: str = ""


class CancelAll(msgspec.Struct, frozen=True):
    """``failed`` holds (order id, reason)."""

    cancelled: list[str]
    failed: list[tuple[str, str]]
    mode: Mode


class CloseAll(msgspec.Struct, frozen=True):
    """``had_rows`` is False when the position book had no row at all."""

    closed: int
    failed: int
    had_rows: bool
    mode: Mode
    errors: tuple[str, ...] = ()
