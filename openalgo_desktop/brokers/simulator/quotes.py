"""Snapshots of instruments: the day's statistics and the tick they make."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from openalgo_desktop.brokers.simulator.book import LEVELS, Book, make_book, make_frozen_book
from openalgo_desktop.brokers.simulator.pricing import Pricer
from openalgo_desktop.brokers.simulator.process import SESSION_MINUTES, cell_of, minute_epoch
from openalgo_desktop.brokers.simulator.sessions import Sessions, Window
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.money import decimals, to_tick
from openalgo_desktop.core.ticks import Tick, TickExtras

_CIRCUIT = 0.10  # of the previous close; options have none that matters
_FROZEN = {"open": 0.995, "high": 1.02, "low": 0.98, "close": 0.99}
_FROZEN_VOLUME = 1_234_567
_FROZEN_INTEREST = 123_450  # of derivatives
_FROZEN_BEFORE = 120_000  # at the end of the day before
_PAISA = 0.01


@dataclass(slots=True)
class _Day:
    """Statistics of a window over its complete minutes, up to ``until`` (epoch seconds)."""

    window: Window
    previous_close: float
    until: int
    extras: TickExtras | None = None
    open: float = 0.0
    high: float = 0.0
    low: float = 0.0
    volume: int = 0
    turnover: float = 0.0


class Quoter:
    """Makes ticks of one contract from the price process."""

    def __init__(self, pricer: Pricer, sessions: Sessions, clock: Clock, volume: float) -> None:
        self.pricer = pricer
        self.instrument = pricer.instrument
        self._sessions = sessions
        self._clock = clock
        self._day: _Day | None = None
        self._minute: tuple[int, int, int] = (0, 0, 0)  # start, volume, open interest
        lot = max(1, self.instrument.lot_size)
        self._typical = max(2, int(volume / SESSION_MINUTES / 20 / lot))
        self._salt = zlib.crc32(":".join(self.instrument.key).encode())

    def reset(self) -> None:
        """Forget the day, after a jump of the price or the clock."""
        self._day = None

    def moment(self) -> float:
        """The clock's present, or the end of the latest session when the market is closed."""
        window = self._sessions.current(self.instrument.exchange)
        return min(self._clock.time(), window.end - 0.001)

    def last(self) -> float:
        """The last traded price."""
        return self.pricer.at(self.moment())

    def _roll(self, window: Window, moment: float) -> _Day:
        """The statistics, brought up to the minute of ``moment``."""
        day = self._day
        if day is None or day.window != window or moment < day.until:
            day = self._day = self._new_day(window)
        minute = int(moment // 60) * 60
        if day.until < minute:
            for span in Window(window.day, day.until, minute).minutes(minute):
                self._add(day, *span)
            day.until = minute
        return day

    def _new_day(self, window: Window) -> _Day:
        before = self._sessions.previous(self.instrument.exchange, window.day)
        end, extras = before.end - 0.001, None
        if self.instrument.expiry is not None:
            extras = TickExtras(prev_oi=self.pricer.interest(cell_of(end)))
        return _Day(window, self.pricer.at(end), window.start, extras)

    def _add(self, day: _Day, process_day: int, first: int, last: int) -> None:
        bars = self.pricer.minutes(process_day, first, last)
        if not day.open:
            day.open, day.high, day.low = float(bars.open[0]), bars.high[0], bars.low[0]
        day.high = max(day.high, float(bars.high.max()))
        day.low = min(day.low, float(bars.low.min()))
        day.volume += int(bars.volume.sum())
        typical = (bars.high + bars.low + bars.close) / 3.0
        day.turnover += float(np.dot(typical, bars.volume))

    def tick(self, mode: FeedMode, now: float | None = None, levels: int = LEVELS) -> Tick:
        """The market at ``now`` (default: the clock's). LTP ticks hold price, times and previous
        close only."""
        window = self._sessions.current(self.instrument.exchange)
        now = self._clock.time() if now is None else now
        moment = min(now, window.end - 0.001)
        day = self._roll(window, moment)
        last = self.pricer.at(moment)
        stamp = int(moment * 1000)
        if mode is FeedMode.LTP:
            return Tick(
                self.instrument.symbol,
                self.instrument.exchange,
                last,
                timestamp=int(now * 1000),
                ltt=stamp,
                close=day.previous_close,
            )
        salt = self._salt ^ int(moment * 4)
        book = make_book(self.instrument, last, self._typical, salt, levels)
        return self._full(mode, day, last, moment, int(now * 1000), book)

    def _full(
        self, mode: FeedMode, day: _Day, last: float, moment: float, now: int, book: Book
    ) -> Tick:
        cell = cell_of(moment)
        start = minute_epoch(cell.day, cell.minute)
        first, high, low = self.pricer.running(cell)
        if self._minute[0] != start:
            self._minute = (start, self.pricer.minute_volume(cell), self.pricer.interest(cell))
        volume = self.pricer.volume_until(self._minute[1], cell.point)
        total = day.volume + volume
        close = day.previous_close
        limits = not (self.instrument.is_option or self.instrument.is_index)
        tick = self.instrument.tick_size
        return Tick(
            symbol=self.instrument.symbol,
            exchange=self.instrument.exchange,
            ltp=last,
            mode=mode,
            timestamp=now,
            ltt=int(moment * 1000),
            open=day.open or first,
            high=max(day.high, high),
            low=min(day.low or low, low),
            close=close,
            volume=total,
            last_quantity=book.last_quantity,
            average_price=(
                to_tick((day.turnover + last * volume) / total, min(_PAISA, tick)) if total else 0.0
            ),
            oi=self._minute[2],
            bid=book.bid,
            ask=book.ask,
            bid_quantity=book.bid_quantity,
            ask_quantity=book.ask_quantity,
            total_buy_quantity=book.total_buy,
            total_sell_quantity=book.total_sell,
            upper_circuit=to_tick(close * (1 + _CIRCUIT), tick) if limits else 0.0,
            lower_circuit=to_tick(close * (1 - _CIRCUIT), tick) if limits else 0.0,
            depth=book.depth if mode is FeedMode.DEPTH else None,
            extras=day.extras,
        )


class FrozenQuoter:
    """Makes ticks of one contract whose price moves only when told (``--sim-frozen``)."""

    def __init__(self, instrument: Instrument, first: float, clock: Clock) -> None:
        self.instrument = instrument
        self._clock = clock
        self._last = first
        self._stats = {
            name: round(first * ratio, decimals(instrument.tick_size))
            for name, ratio in _FROZEN.items()
        }
        self._book: Book = make_frozen_book(instrument, first)
        self._extras = TickExtras(prev_oi=_FROZEN_BEFORE) if instrument.expiry else None

    def stat(self, name: str) -> float:
        """``open``, ``high``, ``low`` or ``close`` (previous) of the frozen day."""
        return self._stats[name]

    def last(self) -> float:
        """The last traded price."""
        return self._last

    def move(self, price: float) -> None:
        """The price becomes ``price``; the day's range grows when it is beyond it."""
        self._last = price
        self._stats["high"] = max(self._stats["high"], price)
        self._stats["low"] = min(self._stats["low"], price)
        self._book = make_frozen_book(self.instrument, price)

    def tick(self, mode: FeedMode, now: float | None = None, levels: int = LEVELS) -> Tick:
        """The market at ``now`` (default: the clock's)."""
        now_ms, book = int((self._clock.time() if now is None else now) * 1000), self._book
        if levels != LEVELS:
            book = make_frozen_book(self.instrument, self._last, levels)
        return Tick(
            symbol=self.instrument.symbol,
            exchange=self.instrument.exchange,
            ltp=self._last,
            mode=mode,
            timestamp=now_ms,
            ltt=now_ms,
            open=self._stats["open"],
            high=self._stats["high"],
            low=self._stats["low"],
            close=self._stats["close"],
            volume=0 if self.instrument.is_index else _FROZEN_VOLUME,
            last_quantity=book.last_quantity,
            average_price=self._last,
            oi=_FROZEN_INTEREST if self.instrument.expiry else 0,
            bid=book.bid,
            ask=book.ask,
            bid_quantity=book.bid_quantity,
            ask_quantity=book.ask_quantity,
            total_buy_quantity=book.total_buy,
            total_sell_quantity=book.total_sell,
            depth=book.depth if mode is FeedMode.DEPTH else None,
            extras=self._extras,
        )
