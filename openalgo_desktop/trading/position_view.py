"""A position and what is under way to it, and what follows from both. Pure."""

from __future__ import annotations

import msgspec


class Pending(msgspec.Struct, frozen=True, gc=False):
    """Units that an order of ``strategy`` may still fill. ``quantity`` is signed; ``order_id`` is
    empty while nobody knows it; ``waits`` says that it rests at a price or a trigger, ``trigger``
    the latter; ``unsure`` that nobody knows whether it arrived."""

    quantity: int
    order_id: str = ""
    trigger: bool = False
    waits: bool = False
    unsure: bool = False
    strategy: str = ""

    @property
    def prompt(self) -> bool:
        """Whether it will trade at once."""
        return not (self.waits or self.unsure)


class View(msgspec.Struct, frozen=True):
    """A position and what is under way to it, in signed units."""

    held: int
    pending: tuple[Pending, ...] = ()

    def prompt(self, sign: int) -> int:
        """Signed units of one side that will trade at once."""
        return sum(row.quantity for row in self.pending if row.prompt and row.quantity * sign > 0)

    @property
    def coming(self) -> int:
        """Signed units when all that trades at once has filled."""
        return self.held + self.prompt(1) + self.prompt(-1)

    def turning(self, target: int) -> bool:
        """Whether a position that is to be left is on its way to the other side: what will be held
        there has to leave as well."""
        return not target and self.held * self.coming < 0

    def missing(self, target: int, *, triggers: bool = False) -> int:
        """Signed units to send so that ``target`` is reached and never passed, whatever of what
        waits at a price or is unsure fills or not. What trades at once counts in full, except
        that nothing is closed before it is held.

        An order that waits for its trigger is not on its way; it counts with ``triggers`` only.
        """
        rows = [row for row in self.pending if triggers or not row.trigger]
        buying = sum(row.quantity for row in rows if row.quantity > 0)
        selling = sum(row.quantity for row in rows if row.quantity < 0)
        bought, sold = self.prompt(1), self.prompt(-1)
        low, high = self.held + (sold if target else 0), self.held + (bought if target else 0)
        if low + buying < target:
            change = target - low - buying
        elif high + selling > target:
            change = target - high - selling
        else:
            return 0
        return change if target or change * self.held < 0 else 0

    def opposed(self, target: int) -> bool:
        """Whether something that trades at once leads away from ``target``."""
        if self.held == target:
            return bool(self.prompt(1) or self.prompt(-1))
        return bool(self.prompt(-1 if target > self.held else 1))

    @property
    def exits(self) -> tuple[Pending, ...]:
        """What is under way against the position."""
        return tuple(row for row in self.pending if row.quantity * self.held < 0)

    @property
    def to_close(self) -> int:
        """Units that no exit under way covers; never negative."""
        return max(0, abs(self.held) - sum(abs(row.quantity) for row in self.exits))

    @property
    def beside_resting(self) -> int:
        """Units that no exit covers which trades at once or may have arrived; what rests at a
        price or a trigger does not count. Never negative."""
        return max(0, abs(self.held) - sum(abs(r.quantity) for r in self.exits if not r.waits))
