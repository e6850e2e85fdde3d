"""Horizontal lines of a chart: working orders, positions, alerts."""

from __future__ import annotations

from typing import NamedTuple


class PriceLine(NamedTuple):
    """``line_id`` is the caller's, ``price`` in rupees, ``role`` a colour role (buy, sell,
    position ...). A ``draggable`` line can be moved by the mouse, a ``closable`` one has an x."""

    line_id: str
    price: float
    text: str
    role: str
    draggable: bool = False
    closable: bool = False
