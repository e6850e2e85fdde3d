"""Quotes, depth and history of a broker over REST, executed from its spec."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
import numpy as np

from openalgo_desktop.brokers.kit.books.rows import Rows
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.kit.rest.values import fill, number, pick
from openalgo_desktop.brokers.kit.spec import BrokerSpec, IntervalRule
from openalgo_desktop.core.clock import IST, IST_OFFSET_SECONDS, Clock
from openalgo_desktop.core.enums import Exchange, Interval
from openalgo_desktop.core.errors import AppError, DataError, NoHistory, SymbolUnknown
from openalgo_desktop.core.model import Bars, Depth, Instrument, Key, Level, Tick

#: One candle: bar start in epoch seconds, open, high, low, close, volume, open interest.
Candle = tuple[int, float, float, float, float, int, int]


class MarketCalls:
    """Market data of one account."""

    def __init__(
        self, spec: BrokerSpec, rest: RestClient, index: BrokerIndex, clock: Clock, rows: Rows
    ) -> None:
        self.spec = spec
        self.rest = rest
        self.index = index
        self.clock = clock
        self.rows = rows

    # -- quotes -----------------------------------------------------------------------------
    async def quotes(self, keys: Sequence[Key]) -> dict[Key, Tick | AppError]:
        """Snapshots, in batches as large as the broker takes; an instrument that the master or
        the broker does not know gets its error."""
        result: dict[Key, Tick | AppError] = {}
        known: list[Instrument] = []
        for exchange, symbol in keys:
            row = self.index.get((exchange, symbol))
            if row is None:
                result[exchange, symbol] = SymbolUnknown(symbol, exchange)
            else:
                known.append(row)
        size = max(1, self.spec.capabilities.quote_batch)
        for start in range(0, len(known), size):
            batch = known[start : start + size]
            found = await self.quote_call(batch)
            for row in batch:
                raw = found.get(row.key)
                result[row.key] = (
                    self.read_quote(raw, row)
                    if raw is not None
                    else DataError(f"{self.spec.title} has no quote of {row.symbol}.")
                )
        return result

    def read_quote(self, raw: Any, row: Instrument) -> Tick | AppError:
        """One quote; an odd one is the error of its instrument alone."""
        ticks = self.rows.book(f"quote of {row.symbol}", [raw], lambda r: self.rows.tick(r, row))
        if ticks:
            return ticks[0]
        return DataError(f"{self.spec.title}: {ticks.unreadable[0]}")

    async def quote_call(self, batch: Sequence[Instrument]) -> Mapping[Key, Mapping[str, Any]]:
        """Hook: ask for one batch; raw quotes by key.

        The default fills ``keys`` of operation ``quotes`` by the template ``rows.quote.key`` and
        finds each reply under the same text.
        """
        template = self.spec.rows["quote"]["key"]
        keys = {row.key: fill(template, self.instrument_values(row)) for row in batch}
        data = await self.rest.op("quotes", {"keys": list(keys.values())})
        return {key: raw for key, text in keys.items() if (raw := (data or {}).get(text))}

    async def depth(self, key: Key) -> Tick:
        """A snapshot with five levels a side, padded with zeros."""
        answer = (await self.quotes([key]))[key]
        if isinstance(answer, AppError):
            raise answer
        return padded(answer, self.spec.capabilities.depth_levels)

    def instrument_values(self, row: Instrument) -> dict[str, Any]:
        """Names of an instrument for templates, with the broker's text for its exchange."""
        wire = self.spec.exchanges.send.get(Exchange(row.exchange), row.brexchange)
        return {**instrument_context(row), "wire_exchange": wire}

    # -- history ----------------------------------------------------------------------------
    async def history(self, key: Key, interval: Interval, start: date, end: date) -> Bars:
        """Candles of the inclusive IST date range, asked in pieces as long as the broker allows;
        ascending, each time once."""
        exchange, symbol = key
        row = self.index.require(symbol, exchange)
        rule = self.spec.capabilities.intervals.get(interval)
        if rule is None:
            raise NoHistory(f"{self.spec.title} has no {interval} candles.")
        candles: dict[int, Candle] = {}
        for first, last in date_chunks(start, end, rule.days):
            data = await self.rest.op(
                "history", self.history_context(row, interval, rule, first, last)
            )
            for candle in self.read_candles(data, interval):
                candles[candle[0]] = candle
        return bars(candles[moment] for moment in sorted(candles))

    def history_context(
        self, row: Instrument, interval: Interval, rule: IntervalRule, first: date, last: date
    ) -> dict[str, Any]:
        """Hook: values of one request; ``first`` and ``last`` are inclusive."""
        return {
            **self.instrument_values(row),
            "wire_interval": rule.wire,
            "from_date": first.isoformat(),
            "to_date": last.isoformat(),
            "from_epoch": int(datetime.combine(first, datetime.min.time(), IST).timestamp()),
            "to_epoch": int(
                datetime.combine(last + timedelta(days=1), datetime.min.time(), IST).timestamp()
            )
            - 1,
        }

    def read_candles(self, data: Any, interval: Interval) -> Iterable[Candle]:
        """Hook: candles of a reply; by default rows of [ISO time, o, h, l, c, volume, oi]."""
        path = self.spec.rows.get("candle", {}).get("list", "candles")

        def read(row: Sequence[Any]) -> Candle:
            open_, high, low, close = (number(value) for value in row[1:5])
            volume, oi = number(row[5]), number(row[6]) if len(row) > 6 else 0
            start = bar_time(str(row[0]), interval)
            return (start, open_, high, low, close, int(volume), int(oi))

        return self.rows.book("candle", pick(data, path, ()), read)

    def intervals(self) -> Sequence[Interval]:
        """Intervals served natively."""
        return tuple(self.spec.capabilities.intervals)


def instrument_context(row: Instrument) -> dict[str, Any]:
    """Names of an instrument for templates."""
    return {
        "symbol": row.symbol,
        "exchange": row.exchange,
        "brsymbol": row.brsymbol or row.symbol,
        "brexchange": row.brexchange or row.exchange,
        "token": row.token,
    }


def bar_time(text: str, interval: Interval) -> int:
    """Epoch seconds of a bar that starts at an ISO time; for a day and longer midnight UTC of
    the IST date."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=IST)
    epoch = int(moment.timestamp())
    if interval.is_intraday:
        return epoch
    return day_time(epoch)


def day_time(epoch: int) -> int:
    """Midnight UTC of the IST date of an epoch second."""
    return (epoch + IST_OFFSET_SECONDS) // 86_400 * 86_400


def date_chunks(start: date, end: date, days: int) -> Iterable[tuple[date, date]]:
    """Inclusive pieces of at most ``days`` days."""
    while start <= end:
        last = min(end, start + timedelta(days=days - 1))
        yield start, last
        start = last + timedelta(days=1)


def bars(candles: Iterable[Candle]) -> Bars:
    """Candles as columns."""
    rows = list(candles)
    if not rows:
        return Bars.empty()
    time, open_, high, low, close, volume, oi = zip(*rows, strict=True)
    return Bars(
        np.array(time, np.int64),
        np.array(open_, np.float64),
        np.array(high, np.float64),
        np.array(low, np.float64),
        np.array(close, np.float64),
        np.array(volume, np.int64),
        np.array(oi, np.int64),
    )


def padded(tick: Tick, levels: int) -> Tick:
    """The tick with exactly ``levels`` levels a side."""
    book = tick.depth or Depth()

    def side(rows: tuple[Level, ...]) -> tuple[Level, ...]:
        return rows[:levels] + (Level(0.0, 0, 0),) * (levels - len(rows))

    return msgspec.structs.replace(tick, depth=Depth(side(book.buy), side(book.sell)))
