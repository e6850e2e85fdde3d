"""Who gives bars, kept and live. ``research/bars`` does it; charts, alerts and replay ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Bars


class Progress(NamedTuple):
    """How far a load is: pieces that are here, and all of them; what is waited for."""

    done: int
    all: int
    text: str = ""


class LiveBar(NamedTuple):
    """The forming bar of an instrument, ``began`` when it is a new one (the one before is closed
    and final then). ``time`` as in :class:`Bars`; prices rupees, volume and oi units, NaN where
    not known. It is made of every tick, so no high or low between two paints is lost. ``closed``
    comes once for each bar, at its end by the exchange's clock: its values are final."""

    time: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    oi: float
    began: bool
    closed: bool = False


class BarSource(Protocol):
    """Bars of any instrument and span."""

    async def get(
        self,
        key: Key,
        span: Span,
        start: int,
        end: int,
        progress: Callable[[Progress], None] | None = None,
    ) -> Bars:
        """Bars that begin in ``start <= time < end`` (epoch seconds), ascending, each once. What
        is kept costs no request; gaps are asked for within the broker's limits. Raises
        :class:`AppError`."""

    def follow(
        self, key: Key, span: Span, listener: Callable[[LiveBar], None]
    ) -> Callable[[], None]:
        """Call ``listener`` for every tick that changes the forming bar and for its end; returns
        the stop call. Bars of one instrument and span are built once for all listeners."""

    def forming(self, key: Key, span: Span) -> LiveBar | None:
        """The bar that forms now, while somebody follows it; until the next one begins the last
        one (``closed``)."""

    def countdown(self, key: Key, span: Span) -> float | None:
        """Seconds to the end of the bar that forms now, by the exchange's clock; None while its
        market is closed."""
