"""What an alert did that must not be done twice, as it is kept. Pure.

A row is on disk before anything leaves: so a start after a crash knows what may have been sent, and
the journal knows whether it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from openalgo_desktop.core import alert_judge as judge
from openalgo_desktop.core.alert_acts import Deed
from openalgo_desktop.core.alert_subjects import Moment
from openalgo_desktop.core.alerts import ZERO, PriceAlert


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


def as_told(alert: PriceAlert, left: Iterable[DeedRow]) -> PriceAlert:
    """The alert of an earlier run: one whose act was written down has told, even if the end of
    that run came before the alert itself was. ``left`` are the rows that it left open."""
    last = max((row.at for row in left if row.alert_id == alert.alert_id), default=None)
    if last is None or not alert.is_active or (alert.fired_at and alert.fired_at >= last):
        return alert
    after = judge.happened(alert, alert.fired_value or ZERO, last)
    return msgspec.structs.replace(after, armed=False, side=0)
