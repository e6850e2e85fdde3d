"""Figures of option chains as time goes on, recorded while a study of some chart needs them."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from openalgo_desktop.analytics.indian.kept import NAN, Growing
from openalgo_desktop.core.chain import ChainHead, ChainName
from openalgo_desktop.core.charting.columns import Floats, Ints
from openalgo_desktop.core.charting.surroundings import ChainPast
from openalgo_desktop.core.model import Key

if TYPE_CHECKING:
    from openalgo_desktop.storage.state import KeyValueStore
    from openalgo_desktop.ui.engine.bridge import Bridge
    from openalgo_desktop.ui.engine.chain import ChainView

log = logging.getLogger(__name__)
#: One sample for each stretch of so many seconds, the last of it.
EVERY: Final = 5
#: Strikes on each side of the money that are streamed for it.
STRIKES: Final = 20
#: It goes to the disk so often, seconds; that many minutes of it are kept.
SAVE: Final = 300.0
MINUTES: Final = 2000
SCOPE: Final = "chain-record"
#: What is kept of a head.
FIGURES: Final = ("pcr", "pcr_volume", "call_oi", "put_oi", "straddle", "atm_iv", "max_pain")


class SamplesUntil:
    """The :class:`ChainPast` of a replay: those of ``record`` that were taken up to its
    ``moment``, epoch seconds, which moves on."""

    def __init__(self, record: ChainPast, moment: Callable[[], float]) -> None:
        self._record, self._moment = record, moment

    @property
    def time(self) -> Ints:
        """When each sample was taken, epoch seconds."""
        found = self._record.time
        return found[: int(np.searchsorted(found, self._moment(), "right"))]

    def figure(self, name: str) -> Floats:
        """One value for each sample."""
        return self._record.figure(name)[: len(self.time)]


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

    def kept(self) -> dict[str, list[float | None]]:
        """The last sample of each minute, for the disk; None is not known."""
        minutes = self.time // 60
        last = np.flatnonzero(np.append(np.diff(minutes) != 0, True))[-MINUTES:]
        if not len(self.time):
            last = last[:0]
        found: dict[str, list[float | None]] = {"time": self._time.view[last].tolist()}
        for name, column in self._figures.items():
            values = column.view[last].tolist()
            found[name] = [None if math.isnan(value) else round(value, 4) for value in values]
        return found

    def put_before(self, kept: Mapping[str, Sequence[float | None]]) -> None:
        """What was kept, before what is here; a damaged one is as none."""
        size = len(kept.get("time", ()))
        if not size or any(len(kept.get(name, ())) != size for name in FIGURES):
            return
        first = self._time.view[0] if len(self._time.view) else math.inf
        columns = np.array(
            [[NAN if x is None else x for x in kept[name]] for name in ("time", *FIGURES)]
        )
        columns = columns[:, columns[0] < first]
        for own, past in zip((self._time, *self._figures.values()), columns, strict=True):
            own.fill(np.concatenate((past, own.view)))


class _Recorded:
    """One instrument: its record, who needs it, the chain that feeds it, when it was kept."""

    def __init__(self, record: ChainRecord, now: float) -> None:
        self.record = record
        self.users = 0
        self.saved = now
        self.view: ChainView | None = None


class ChainRecords:
    """Records by instrument. What was recorded stays, one sample a minute over restarts too;
    prices stream while somebody needs them. ``read`` is called when the past of one is here."""

    def __init__(self, bridge: Bridge, state: KeyValueStore, read: Callable[[Key], None]) -> None:
        self._bridge, self._state, self._told = bridge, state, read
        self._put = state.put_later(SCOPE)
        self._known: dict[Key, _Recorded] = {}

    def want(self, key: Key) -> ChainRecord | None:
        """The record of the options on ``key``, which grows from now on; None where there are
        none. :meth:`release` it."""
        row = self._bridge.instrument(key)
        family = self._bridge.chains.family(row) if row is not None else None
        expiries = self._bridge.chains.expiries(family) if family is not None else []
        if family is None or not expiries:
            return None
        found = self._known.get(key)
        if found is None:
            record = ChainRecord(lambda: self._bridge.now().timestamp())
            found = self._known[key] = _Recorded(record, self._bridge.monotonic())
            self._bridge.spawn(self._read(key, record), "recorded chain")
        found.users += 1
        if found.view is None:
            self._open(key, found, ChainName(family, expiries[0]))
        return found.record

    async def _read(self, key: Key, record: ChainRecord) -> None:
        kept = await self._state.get(SCOPE, ":".join(key))
        if kept is None:
            return
        try:
            record.put_before(msgspec.convert(kept, dict[str, list[float | None]]))
        except msgspec.ValidationError as error:
            log.warning("what was recorded of %s cannot be read: %s", ":".join(key), error)
            return
        self._told(key)

    def _save(self, key: Key, found: _Recorded) -> None:
        found.saved = self._bridge.monotonic()
        self._put(":".join(key), found.record.kept())

    def _open(self, key: Key, found: _Recorded, name: ChainName) -> None:
        def solved(changed: set[int]) -> None:
            view = found.view
            if view is None:
                return
            view.take()
            found.record.take(view.head)
            if self._bridge.monotonic() - found.saved > SAVE:
                self._save(key, found)

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
            self._save(key, found)
