"""The risk step in front of every order, whatever its source."""

from __future__ import annotations

from collections.abc import Callable

from openalgo_desktop.core.errors import RiskBlocked
from openalgo_desktop.core.model import OrderRequest

#: A rule looks at an order and its source; it raises :class:`RiskBlocked` to refuse.
RiskRule = Callable[[OrderRequest, str], None]


class RiskGate:
    """Rules that every order must pass. ``block`` is the switch that refuses all new orders."""

    def __init__(self) -> None:
        self.rules: list[RiskRule] = []
        self._blocked = ""

    @property
    def blocked(self) -> str:
        """Why new orders are refused; empty when they are not."""
        return self._blocked

    def block(self, reason: str) -> None:
        """Refuse new orders from now on."""
        self._blocked = reason

    def unblock(self) -> None:
        """Accept new orders again."""
        self._blocked = ""

    def check(self, request: OrderRequest, source: str) -> None:
        """Raise :class:`RiskBlocked` if any rule refuses ``request``."""
        if self._blocked:
            raise RiskBlocked(f"New orders are blocked: {self._blocked}")
        for rule in self.rules:
            rule(request, source)
