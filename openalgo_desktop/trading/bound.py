"""The corridor whose mode never changes: for what was bound to a mode once.

It stands on the same parts as the desk: limits (of its own mode's book), kill switch, approvals,
journal. A live one needs a live gateway and an unlocked vault; the switch has no say in it, for its
opt-in was given when it was bound.
"""

from __future__ import annotations

from typing import Any

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import OrderError
from openalgo_desktop.trading.lane import Lane
from openalgo_desktop.trading.lane_parts import Parts
from openalgo_desktop.trading.origins import BOUND


class BoundLane(Lane):
    """Orders and books of one mode."""

    def __init__(self, parts: Parts, mode: Mode) -> None:
        self._mode = mode
        super().__init__(parts)

    @property
    def mode(self) -> Mode:
        """Where its orders go, always."""
        return self._mode

    def still(self, mode: Mode | None, *, standing: bool = False) -> Mode:
        """Its mode; raises when something of the other mode came here."""
        if mode not in (None, self._mode):
            raise OrderError(
                f"This is bound to {self._mode.value} mode and takes nothing of the other one; "
                "it was not sent."
            )
        return self._mode

    def _guard_new(self) -> None:
        self._parts.bound_guard(self._mode)

    def _marks(self) -> dict[str, Any]:
        return {BOUND: True}
