"""A past to be replayed: minutes of a few days, and any longer bars made of them the plain way."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np

from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.charting.ports import LiveBar, Progress
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import Action, PriceType, Product
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument, Key, OrderRequest
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.research.replay.practice import Practice
from openalgo_desktop.research.replay.session import Replay
from openalgo_desktop.research.replay.track import chosen

A: Key = ("NSE", "AAA")
B: Key = ("NSE", "BBB")
M1, M5, M15, D, W = (Span.parse(text) for text in ("1m", "5m", "15m", "D", "W"))
MONDAY = date(2026, 11, 2)
PRESENT = datetime(2026, 11, 30, 12, 0, tzinfo=IST)
Row = tuple[int, float, float, float, float, int, int]


def at(text: str) -> float:
    """``02 10:30`` of November 2026, epoch seconds."""
    day, clock = text.split()
    hour, minute, *rest = (int(part) for part in clock.split(":"))
    second = rest[0] if rest else 0
    return datetime(2026, 11, int(day), hour, minute, second, tzinfo=IST).timestamp()


def bars_of(rows: list[Row]) -> Bars:
    """Rows as columns."""
    if not rows:
        return Bars.empty()
    time, o, h, low, c, volume, oi = (np.array(column) for column in zip(*rows, strict=True))
    floats = (column.astype(np.float64) for column in (o, h, low, c))
    return Bars(time.astype(np.int64), *floats, volume.astype(np.int64), oi.astype(np.int64))


def label(time: int, span: Span) -> int:
    """The plain rule: intraday from 09:15, days by date, weeks from Monday."""
    moment = datetime.fromtimestamp(time, IST)
    if span.is_intraday:
        opening = int(moment.replace(hour=9, minute=15, second=0).timestamp())
        return opening + (time - opening) // span.seconds * span.seconds
    day = moment.date()
    if span == W:
        day -= timedelta(days=day.weekday())
    return int(datetime(day.year, day.month, day.day, tzinfo=IST).timestamp()) + 19_800


def put_together(rows: list[Row], span: Span) -> list[Row]:
    """Bars of a span, one after the other."""
    found: list[Row] = []
    for row in rows:
        time = label(row[0], span)
        if found and found[-1][0] == time:
            _, o, h, low, _, volume, _ = found[-1]
            found[-1] = (time, o, max(h, row[2]), min(low, row[3]), row[4], volume + row[5], row[6])
        else:
            found.append((time, *row[1:]))
    return found


def walk(seed: int, days: int = 6, thin: float = 0.1) -> list[Row]:
    """Random minutes from Monday on, on the tick, some of them missing."""
    dice, rows, price, day = random.Random(seed), [], 2000, MONDAY
    for _ in range(days):
        while day.weekday() >= 5:
            day += timedelta(days=1)
        opening = int(datetime(day.year, day.month, day.day, 9, 15, tzinfo=IST).timestamp())
        price += dice.randint(-60, 60)
        for minute in range(375):
            if dice.random() < thin:
                continue
            o = price + dice.randint(-2, 2)
            c = o + dice.randint(-12, 12)
            high, low = max(o, c) + dice.randint(0, 8), min(o, c) - dice.randint(0, 8)
            prices = (value / 20 for value in (o, high, low, c))
            rows.append((opening + 60 * minute, *prices, dice.randint(0, 500), dice.randint(1, 9)))
            price = c
        day += timedelta(days=1)
    return rows


class Past:
    """A :class:`BarSource` over minutes; ``only`` are the spans it has."""

    def __init__(self, minutes: dict[Key, list[Row]], only: tuple[Span, ...] = ()) -> None:
        self.minutes = minutes
        self.only = only
        self._made: dict[tuple[Key, Span], Bars] = {}

    async def get(
        self,
        key: Key,
        span: Span,
        start: int,
        end: int,
        progress: Callable[[Progress], None] | None = None,
    ) -> Bars:
        if self.only and span not in self.only:
            return Bars.empty()
        if (key, span) not in self._made:
            self._made[key, span] = bars_of(put_together(self.minutes.get(key, []), span))
        bars = self._made[key, span]
        first, last = np.searchsorted(bars.time, (start, end)).tolist()
        return chosen(bars, slice(first, max(first, last)))

    def follow(
        self, key: Key, span: Span, listener: Callable[[LiveBar], None]
    ) -> Callable[[], None]:
        raise AssertionError("a replay follows no live bars")

    def forming(self, key: Key, span: Span) -> LiveBar | None:
        raise AssertionError("a replay asks for no live bars")


def table() -> InstrumentTable:
    """The instruments of the tests."""
    rows = [Instrument(key[1], key[0], name=key[1], tick_size=0.05) for key in (A, B)]
    rows.append(Instrument("AAA26NOV26FUT", "NFO", "AAA", "FUT", lot_size=10, tick_size=0.05))
    return InstrumentTable.of(rows)


def practice(price_at: Callable[[Key, float], float | None], *, intraday: bool = True) -> Practice:
    """An account of ten lakh without charges."""
    return Practice(table(), price_at, Decimal(1_000_000), intraday=intraday)


def replay(minutes: dict[Key, list[Row]], only: tuple[Span, ...] = ()) -> Replay:
    """A replay of these minutes."""
    return Replay(Past(minutes, only), ManualClock(PRESENT), MarketCalendar(), practice)


def buy(
    quantity: int = 10,
    price: float = 0.0,
    trigger: float = 0.0,
    action: Action = Action.BUY,
    product: Product = Product.MIS,
) -> OrderRequest:
    """An order of A: at market, a limit, a stop or a stop with a limit, by its prices."""
    kinds = {
        (False, False): PriceType.MARKET,
        (True, False): PriceType.LIMIT,
        (False, True): PriceType.SLM,
        (True, True): PriceType.SL,
    }
    kind = kinds[price > 0, trigger > 0]
    return OrderRequest(A[1], A[0], action, quantity, kind, product, price, trigger)
