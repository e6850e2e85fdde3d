"""What alerts ask of the rooms beside them, and the way out of what they tell."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, Protocol

from openalgo_desktop.core.alert_acts import PostTo, SendOrder
from openalgo_desktop.core.alert_deeds import DeedRow
from openalgo_desktop.core.alert_judge import Sight
from openalgo_desktop.core.alerts import AlertWish, OfDrawing, OfStudy, PriceAlert, ToldAlert
from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.ports import BarSource
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.charting.studies import Study, StudySpec
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ports import JournalEntry
from openalgo_desktop.trading.ownbook import OwnBook


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


class Figures(Protocol):
    """Figures of one unit of an option; None where nobody knows them."""

    @property
    def delta(self) -> float: ...
    @property
    def gamma(self) -> float: ...
    @property
    def theta(self) -> float: ...
    @property
    def vega(self) -> float: ...
    @property
    def iv(self) -> float | None: ...


class Options(Protocol):
    """Figures of options, each remembered until its prices or the minute are others."""

    def source(self, key: Key) -> Key | None:
        """What the figures of an option rest on beside its own price; None for no option."""

    def solve(self, keys: Iterable[Key]) -> bool:
        """Work out those whose prices moved, in one pass."""

    def of(self, key: Key) -> Figures | None:
        """As last solved."""


class Reach(NamedTuple):
    """What alerts look at beside the prices and bars of their instrument. ``options`` is given the
    price of a moment, ``book`` is the own book of the account that serves a mode."""

    calendar: MarketCalendar
    options: Callable[[Callable[[Key], float | None]], Options]
    book: Callable[[Mode], OwnBook]


class Corridor(Protocol):
    """The way of an order: risk gate, approvals, journal, gateway; in a fixed mode and account."""

    def trades(self, exchange: str) -> bool:
        """Whether the market is open."""

    async def place(self, order: SendOrder, source: str) -> str:
        """Send it; returns what became of it: the ids of its orders, or that it waits for a human.
        Raises as :meth:`OrderDesk.place` does."""

    async def sent(self, source: str, since: datetime) -> Sequence[JournalEntry]:
        """What the journal has of that source, oldest first."""

    async def queued(self, source: str, since: datetime) -> str:
        """That a request of that source came to the action centre; empty where none did."""


class Strategies(Protocol):
    """Hosted programs and made strategies by name, as alerts run and stop them. Raises
    :class:`AppError` with the reason."""

    async def check(self, name: str) -> None:
        """Raises for a name that there is not, or that is not one's alone."""

    async def run(self, name: str, mode: Mode, by: str, account: str) -> None:
        """Start one; returns when it is decided that it runs. Live it is started where ``account``
        takes the orders, and in no other."""

    async def stop(self, name: str, by: str) -> None:
        """Stop one."""


class Poster(Protocol):
    """Posts JSON; ``told_id`` is the same for each try of one time that an alert told."""

    async def post(self, act: PostTo, body: bytes, told_id: str) -> str:
        """Returns what was answered in short. Raises :class:`AppError` with the reason."""


class DeedStore(Protocol):
    """Deeds, durable."""

    async def load(self) -> list[DeedRow]:
        """All of them, oldest first."""

    def save(self, row: DeedRow) -> Awaitable[None]:
        """Done when it is on disk; errors come with it."""

    def forget(self, deed_id: str) -> None:
        """Delete one without waiting."""


class Watcher(Protocol):
    """Watches alerts of one kind and brings what they see to the judge."""

    def watch(self, alert: PriceAlert) -> None:
        """Look for an active alert from now on, as it is now."""

    def drop(self, alert_id: str) -> None:
        """Look for it no more; nothing for one that is not here."""

    def check(self, wish: AlertWish) -> None:
        """Raises :class:`AppError` for what there is not."""

    def trouble(self, alert: PriceAlert) -> str:
        """Why it sees nothing; empty when it does."""

    def current(self, alert: PriceAlert) -> float:
        """What it looks at, as it is now, where that is no price; NaN where it is not known."""

    def looking(self) -> Iterator[None]:
        """What nobody told of, in turns of the loop."""

    def lose(self) -> None:
        """The feed was lost."""

    async def stop(self) -> None:
        """Look no more."""


class Judge(Protocol):
    """Who decides on what was seen."""

    def doubts(self, alert_id: str) -> bool:
        """Whether it has to be seen at the next price, whatever that is."""

    def happened(self, alert_id: str, value: Decimal, text: str, *, late: bool = False) -> None:
        """Its moment came, or an order had news: ``text`` says so, ``value`` is what that was at
        (rupees, 0 for none). ``late``: that was a while ago, so it moves no money."""

    def see(self, alert_id: str, sight: Sight, bar: datetime | None) -> None:
        """A fresh sight; ``bar`` is when its bar began."""

    def seed(self, alert_id: str, sight: Sight) -> None:
        """What was to be seen before the first sight: nothing is told of it."""

    def unsee(self, alert_id: str) -> None:
        """Its drawing was moved: where the price was seen means nothing any more."""

    def halt(self, alert_id: str, why: str) -> None:
        """It cannot be watched any more."""
