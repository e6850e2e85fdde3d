"""Figures of option chains as time goes on, recorded while a study of some chart needs them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

from openalgo_desktop.analytics.indian.kept import NAN, Growing
from openalgo_desktop.core.chain import ChainHead, ChainName
from openalgo_desktop.core.charting.columns import Floats, Ints
from openalgo_desktop.core.model import Key

if TYPE_CHECKING:
    from openalgo_desktop.ui.engine.bridge import Bridge
    from openalgo_desktop.ui.engine.chain import ChainView

#: One sample for each stretch of so many seconds, the last of it.
EVERY: Final = 5
#: Strikes on each side of the money that are streamed for it.
STRIKES: Final = 20
#: What is kept of a head.
FIGURES: Final = ("pcr", "pcr_volume", "call_oi", "put_oi", "straddle", "atm_iv", "max_pain")


class ChainRecord:
    """A :class:`ChainPast` of the nearest expiry on an instrument. ``now`` is epoch seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._time = Growing()
        self._figures = {name: Growing() for name in FIGURES}

    @property
    def time(self) -> Ints:
        """When each sample was taken, epoch seconds."""
        return self._time.view.astype(np.int64)

    def figure(self, name: str) -> Floats:
        """One value for each sample."""
        return self._figures[name].view

    def take(self, head: ChainHead) -> None:
        """The chain as it is now."""
        known = (head.pcr, head.pcr_volume, head.call_oi, head.put_oi, head.straddle, head.atm_iv)
        values = [NAN if value is None else value for value in (*known, head.max_pain)]
        time = float(int(self._now()) // EVERY * EVERY)
        size = len(self._time.view)
        if size and self._time.view[-1] >= time:
            for column, value in zip(self._figures.values(), values, strict=True):
                column.put(size - 1, value)
            return
        self._time.push(time)
        for column, value in zip(self._figures.values(), values, strict=True):
            column.push(value)


class _Recorded:
    """One instrument: its record, who needs it, the chain that feeds it."""

    def __init__(self, record: ChainRecord) -> None:
        self.record = record
        self.users = 0
        self.view: ChainView | None = None


class ChainRecords:
    """Records by instrument. What was recorded stays for the run of the program, so that a chart
    that is closed and opened again finds it; prices stream while somebody needs them."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._known: dict[Key, _Recorded] = {}

    def want(self, key: Key) -> ChainRecord | None:
        """The record of the options on ``key``, which grows from now on; None where there are
        none. :meth:`release` it."""
        row = self._bridge.instrument(key)
        family = self._bridge.chains.family(row) if row is not None else None
        expiries = self._bridge.chains.expiries(family) if family is not None else []
        if family is None or not expiries:
            return None
        found = self._known.setdefault(
            key, _Recorded(ChainRecord(lambda: self._bridge.now().timestamp()))
        )
        found.users += 1
        if found.view is None:
            self._open(found, ChainName(family, expiries[0]))
        return found.record

    def _open(self, found: _Recorded, name: ChainName) -> None:
        def solved(changed: set[int]) -> None:
            view = found.view
            if view is None:
                return
            view.take()
            found.record.take(view.head)

        found.view = self._bridge.chains.open(name, lambda: True, solved, span=STRIKES)

    def release(self, key: Key) -> None:
        """One needs it less."""
        found = self._known.get(key)
        if found is None:
            return
        found.users -= 1
        if not found.users and found.view is not None:
            found.view.close()
            found.view = None
