"""Market data: ticks and their parts, the visible book, candles. Prices are rupees as floats,
quantities units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.model import Key


class Level(msgspec.Struct, frozen=True, gc=False):
    """One price level of a book."""

    price: float
    quantity: int
    orders: int = 0


class Depth(msgspec.Struct, frozen=True, gc=False):
    """The visible book, best level first on both sides."""

    buy: tuple[Level, ...] = ()
    sell: tuple[Level, ...] = ()


class Part:
    """The parts of a :class:`Tick` that come, age and are missing together; bits. Plain numbers:
    they are combined for every tick."""

    LTP: Final = 1  # ltp and its times
    DAY: Final = 2  # open, high, low, close, volume, averages, totals, circuits
    TOUCH: Final = 4  # best bid and ask with their quantities
    OI: Final = 8
    BOOK: Final = 16  # depth
    #: What a quote has.
    QUOTE: Final = LTP | DAY | TOUCH | OI
    ALL: Final = QUOTE | BOOK


#: The parts that a tick of a mode has unless it says otherwise.
PARTS_OF: Final[Mapping[FeedMode, int]] = {
    FeedMode.LTP: Part.LTP,
    FeedMode.QUOTE: Part.QUOTE,
    FeedMode.DEPTH: Part.ALL,
}


#: The fields of a :class:`Tick` that belong to each part.
FIELDS_OF: Final[Mapping[int, tuple[str, ...]]] = {
    Part.LTP: ("ltp", "ltt", "timestamp"),
    Part.DAY: (
        "open",
        "high",
        "low",
        "close",
        "volume",
        "last_quantity",
        "average_price",
        "total_buy_quantity",
        "total_sell_quantity",
        "upper_circuit",
        "lower_circuit",
        "extras",
    ),
    Part.TOUCH: ("bid", "ask", "bid_quantity", "ask_quantity"),
    Part.OI: ("oi",),
    Part.BOOK: ("depth",),
}


class TickExtras(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What few feeds tell beside a :class:`Tick`. None is unknown; a 0 is a fact.

    Prices and ``turnover`` (traded today) are rupees, open interest is in units: ``oi_change``
    since the end of the previous day, ``prev_oi`` at that end, ``oi_high`` and ``oi_low`` of today.
    """

    week_52_high: float | None = None
    week_52_low: float | None = None
    oi_change: int | None = None
    prev_oi: int | None = None
    oi_high: int | None = None
    oi_low: int | None = None
    turnover: float | None = None


class Tick(msgspec.Struct, frozen=True, gc=False):
    """What is known of an instrument's market at one moment; also the answer of a quote request.

    ``mode`` says how much of it is filled, ``unknown`` which parts of the mode (:class:`Part`)
    are not known all the same: their fields are 0 then and mean nothing. A *known* 0 is a fact:
    nobody offers. ``close`` is the previous close. ``ltt`` (exchange) and ``timestamp``
    (received) are epoch milliseconds. ``volume`` is the day's, cumulative. ``extras`` come and
    age with the day's figures; None where the source has none.
    """

    symbol: str
    exchange: str
    ltp: float
    mode: FeedMode = FeedMode.LTP
    timestamp: int = 0
    ltt: int = 0
    open: float = 0.0
    high: float = 0.0
    low: float = 0.0
    close: float = 0.0
    volume: int = 0
    last_quantity: int = 0
    average_price: float = 0.0
    oi: int = 0
    bid: float = 0.0
    ask: float = 0.0
    bid_quantity: int = 0
    ask_quantity: int = 0
    total_buy_quantity: int = 0
    total_sell_quantity: int = 0
    upper_circuit: float = 0.0
    lower_circuit: float = 0.0
    depth: Depth | None = None
    unknown: int = 0
    extras: TickExtras | None = None

    @property
    def key(self) -> Key:
        return (self.exchange, self.symbol)

    @property
    def parts(self) -> int:
        """The parts that are known."""
        return PARTS_OF[self.mode] & ~self.unknown

    def knows(self, parts: int) -> bool:
        """Whether all of ``parts`` are known."""
        return not parts & ~self.parts

    @property
    def change(self) -> float:
        """Rupees since the previous close."""
        return self.ltp - self.close if self.close else 0.0

    @property
    def change_percent(self) -> float:
        """Per cent since the previous close."""
        return 100.0 * (self.ltp - self.close) / self.close if self.close else 0.0


class Bars(msgspec.Struct):
    """Candles in columns. ``time`` is the bar start in epoch seconds (UTC); for a day and longer
    it is midnight UTC of the IST date, as the API wants it."""

    time: npt.NDArray[np.int64]
    open: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]
    close: npt.NDArray[np.float64]
    volume: npt.NDArray[np.int64]
    oi: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.time)

    @classmethod
    def empty(cls) -> Bars:
        """No candles."""
        i, f = np.empty(0, np.int64), np.empty(0, np.float64)
        return cls(i, f, f.copy(), f.copy(), f.copy(), i.copy(), i.copy())
