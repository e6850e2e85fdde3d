"""What alerts ask of the rooms beside them, and the way out of what they tell."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import datetime
from typing import NamedTuple, Protocol

from openalgo_desktop.core.alert_judge import Sight
from openalgo_desktop.core.alerts import OfDrawing, OfStudy, PriceAlert, ToldAlert
from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.ports import BarSource
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.charting.studies import Study, StudySpec
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


class Need(NamedTuple):
    """The history that something needs before it is looked at: so many bars, back to a moment
    (epoch seconds; 0 to none), and so many days."""

    bars: int = 0
    since: int = 0
    days: int = 0


class Studies(Protocol):
    """The studies that an alert may look at. ``prepare`` comes before everything else."""

    async def prepare(self) -> None:
        """Read them beside the loop, once."""

    def specs(self) -> list[StudySpec]:
        """Those that an alert may look at, by family and title."""

    def title(self, source: OfStudy) -> str:
        """``RSI 14``; of one that is not known its id."""

    def output(self, source: OfStudy) -> int:
        """Which of the study's arrays it is. Raises :class:`AppError` with a sentence for a study,
        an output or a parameter that there is not."""

    def name(self, source: OfStudy) -> Hashable:
        """The same for all outputs of a study with the same parameters: it runs once for them."""

    def need(self, source: OfStudy) -> Need:
        """The history before its values are right."""

    def make(self, source: OfStudy, key: Key, span: Span) -> Study:
        """A running study, not loaded yet. Raises as :meth:`output`."""


class Drawings(Protocol):
    """The drawings that an alert may hang on."""

    def title(self, key: Key, source: OfDrawing) -> str:
        """``Trend line``; of one that is not there ``Drawing``."""

    def lines(self, key: Key) -> list[OfDrawing]:
        """All lines of an instrument's drawings that an alert may hang on, newest drawing first."""

    def need(self, key: Key, source: OfDrawing) -> Need:
        """The bars by which its line is read."""

    def drawn(self, key: Key, source: OfDrawing) -> Hashable | None:
        """Something that is another when the line is another one; None when it is not there."""

    def level(self, key: Key, source: OfDrawing, at: float, bars: Columns) -> float:
        """The price of that line at a time (epoch seconds), read by these bars; NaN where it is
        not."""

    def watch(self, listener: Callable[[Key], None]) -> Callable[[], None]:
        """Call ``listener`` with the instrument whose drawings changed; returns the stop call."""


class Sources(NamedTuple):
    """Where the sights of alerts come from that need more than the last price."""

    bars: BarSource
    studies: Studies
    drawings: Drawings


class Judge(Protocol):
    """Who decides on what was seen."""

    def see(self, alert_id: str, sight: Sight, bar: datetime | None) -> None:
        """A fresh sight; ``bar`` is when its bar began."""

    def seed(self, alert_id: str, sight: Sight) -> None:
        """What was to be seen before the first sight: nothing is told of it."""

    def unsee(self, alert_id: str) -> None:
        """Its drawing was moved: where the price was seen means nothing any more."""

    def halt(self, alert_id: str, why: str) -> None:
        """It cannot be watched any more."""
