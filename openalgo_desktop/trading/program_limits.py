"""What the risk rules ask about orders of hosted programs, beside the limits that a user set by
scope: their own quotas, and whether they may open anything now."""

from __future__ import annotations

from typing import Protocol

from openalgo_desktop.core.enums import Mode


class ProgramQuotas(Protocol):
    """Quotas by the name of a strategy. Asked for every order, so it is quick."""

    def knows(self, name: str) -> bool:
        """Whether a hosted program has this name: what it may close is its own alone."""

    def sizes(self, name: str) -> tuple[int, int]:
        """Most lots of one order, most open positions; 0 is off, also for who is no program."""

    def check(self, name: str, mode: Mode) -> None:
        """Raises :class:`RiskBlocked` where the program may only close what it holds."""

    def sent(self, name: str, mode: Mode) -> None:
        """Its order has passed the rules."""


class NoPrograms:
    """Nobody is one."""

    def knows(self, name: str) -> bool:
        """See :class:`ProgramQuotas`."""
        return False

    def sizes(self, name: str) -> tuple[int, int]:
        """See :class:`ProgramQuotas`."""
        return 0, 0

    def check(self, name: str, mode: Mode) -> None:
        """See :class:`ProgramQuotas`."""

    def sent(self, name: str, mode: Mode) -> None:
        """See :class:`ProgramQuotas`."""
