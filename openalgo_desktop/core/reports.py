"""What happened, told: a difference of books, a stop by the kill switch, a line of the audit
trail."""

from __future__ import annotations

from datetime import datetime

import msgspec

from openalgo_desktop.core.enums import Mode


class Difference(msgspec.Struct, frozen=True):
    """One disagreement of our own books with the broker's; ``subject`` is an order id or
    ``EXCHANGE:SYMBOL:PRODUCT``."""

    kind: str  # order missing, order from elsewhere, position
    subject: str
    ours: str
    theirs: str

    @property
    def text(self) -> str:
        """One sentence for a badge's tooltip."""
        return f"{self.kind} {self.subject}: here {self.ours}, at the broker {self.theirs}"


class KillReport(msgspec.Struct, frozen=True):
    """What the kill switch did, with counts. ``resting`` and ``open_positions`` are what was
    still there when it gave up; both 0 is a clean stop."""

    mode: Mode
    by: str
    at: datetime
    cancelled: int
    resting: int
    flattened: int
    open_positions: int
    errors: tuple[str, ...] = ()
    #: What it did in other modes, to what bound programs had there.
    also: tuple[KillReport, ...] = ()

    @property
    def clean(self) -> bool:
        """Nothing is left working or open."""
        return not (self.resting or self.open_positions) and all(one.clean for one in self.also)

    @property
    def text(self) -> str:
        """The report as a sentence."""
        parts = [self._counts(), *(f"{one.mode.value}: {one._counts()}" for one in self.also)]
        return (
            f"Kill switch ({self.mode.value}, by {self.by}): new orders are blocked, "
            f"{'. Of bound programs in '.join(parts)}."
        )

    def _counts(self) -> str:
        left = (
            f"{self.resting} orders still work, {self.open_positions} positions are still open"
            if self.resting or self.open_positions
            else "nothing is left working or open"
        )
        return f"{self.cancelled} orders cancelled, {self.flattened} positions closed; {left}"


class AuditEntry(msgspec.Struct, frozen=True):
    """One line of the audit trail: who (window, ``api:KEY``, strategy...) did what, when, to
    what, with which answer."""

    at: datetime
    who: str
    what: str
    subject: str = ""
    detail: str = ""
    answer: str = ""
    account_id: str = ""
    mode: str = ""
