"""What alerts ask of the rooms beside them, and the way out of what they tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from openalgo_desktop.core.alerts import OfDrawing, OfStudy, PriceAlert, ToldAlert
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.charting.studies import Study
from openalgo_desktop.core.model import Key


class Channel(Protocol):
    """One way to tell: a sound, a toast, a chat. It tells and sends no order."""

    @property
    def name(self) -> str:
        """Its word in :attr:`AlertWish.channels`; it is saved."""

    @property
    def title(self) -> str:
        """What the form calls it."""

    async def tell(self, alert: PriceAlert, told: ToldAlert) -> None:
        """Tell; returns when it was taken. Raises :class:`AppError` with the reason when not."""


class Studies(Protocol):
    """The studies that an alert may look at."""

    def title(self, source: OfStudy) -> str:
        """``RSI 14``; of one that is not known its id."""

    def output(self, source: OfStudy) -> int:
        """Which of the study's arrays it is. Raises :class:`AppError` with a sentence for a study,
        an output or a parameter that there is not."""

    def make(self, source: OfStudy, key: Key, span: Span) -> Study:
        """A running study, not loaded yet. Raises as :meth:`output`."""


class Drawings(Protocol):
    """The drawings that an alert may hang on."""

    def title(self, key: Key, source: OfDrawing) -> str:
        """``Trend line``; of one that is not there ``Drawing``."""

    def level(self, key: Key, source: OfDrawing, at: float) -> float | None:
        """The price of that line at a time (epoch seconds), NaN where the line is not; None when
        there is no such drawing or line any more."""

    def watch(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """Call ``listener`` with the id of a drawing that was changed or deleted; returns the stop
        call."""
