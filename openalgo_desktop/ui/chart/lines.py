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


def brief(text: str) -> str:
    """Side and size of a line's words: ``SELL 2 lots LIMIT`` is ``S 2``, ``Stop 150`` is
    ``St 150``, ``+2 lots MIS`` is ``+2``."""
    words = text.split()
    size = next((word for word in words if any(sign.isdigit() for sign in word)), "")
    first = words[0] if words else ""
    if first == size:
        return size
    return f"{first[:1] if first.isupper() else first[:2]} {size}".strip()
