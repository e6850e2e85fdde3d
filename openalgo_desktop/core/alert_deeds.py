"""What an alert did that must not be done twice, as it is kept. Pure.

A row is on disk before anything leaves: so a start after a crash knows what may have been sent, and
the journal knows whether it was.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from openalgo_desktop.core.alert_acts import Deed
from openalgo_desktop.core.alert_subjects import Moment


class DeedState(StrEnum):
    """Where a deed stands."""

    DUE = "due"  # written down; it may have left
    DONE = "done"
    REFUSED = "refused"  # nothing was done, for good
    UNKNOWN = "unknown"  # it left, and nobody knows whether it arrived

    @property
    def is_open(self) -> bool:
        """Whether it has to be found out what became of it."""
        return self in (DeedState.DUE, DeedState.UNKNOWN)


class DeedRow(msgspec.Struct, frozen=True):
    """One time that an alert did something; ``name`` is what the log calls it, ``told_id`` the row
    of the log, ``text`` what became of it."""

    deed_id: str
    alert_id: str
    told_id: str
    name: str
    act: Deed
    at: Moment
    state: DeedState = DeedState.DUE
    text: str = ""

    @property
    def source(self) -> str:
        """Under which its orders are in the journal."""
        return f"alert:{self.deed_id}"
