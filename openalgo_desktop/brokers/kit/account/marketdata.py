"""Quotes, depth and history of a broker over REST, executed from its spec."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar

import msgspec
import numpy as np

from openalgo_desktop.brokers.kit.books.rows import Rows
from openalgo_desktop.brokers.kit.books.times import moment
from openalgo_desktop.brokers.kit.master.contracts import contract_size
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.kit.rest.values import OddValue, amount, as_rows, fill, pick
from openalgo_desktop.brokers.kit.spec import BrokerSpec, IntervalRule, wire_fields
from openalgo_desktop.core.clock import IST, IST_OFFSET_SECONDS, Clock
from openalgo_desktop.core.enums import Exchange, Interval
from openalgo_desktop.core.errors import (
    AppError,
    DataError,
    NoHistory,
    NotSupported,
    ProtocolError,
    SymbolUnknown,
)
from openalgo_desktop.core.model import BookRows, Instrument, Key
from openalgo_desktop.core.ticks import Bars, Depth, Level, Tick

log = logging.getLogger(__name__)

#: One candle: bar start in epoch seconds, open, high, low, close, volume, open interest.
Candle = tuple[int, float, float, float, float, int, int]
T = TypeVar("T")

_OHLC = ("open", "high", "low", "close")
#: Where a candle's values are unless ``rows["candle"]`` says otherwise.
_CANDLE = {name: str(at) for at, name in enumerate(("time", *_OHLC, "volume", "oi"))}


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

    # -- rows -------------------------------------------------------------------------------
    def source_rows(self, kind: str, data: Any) -> Iterable[Any]:
        """Hook: the rows in the payload of a book (``order``, ``trade``, ``position``,
        ``holding``, ``gtt``) or of history (``candle``), where the reply path cannot say it.

        By default the payload is the list, null for none; candles may also be at
        ``rows["candle"]["list"]``. Raises :class:`ProtocolError` for what is no list.
        """
        if kind == "candle" and not isinstance(data, list):
            data = pick(data, self.spec.rows.get("candle", {}).get("list", "candles"))
        return as_rows(data)

    def source_row(self, kind: str, raw: Any) -> Any:
        """Hook: one row before the field map: of a book or a push of it, of ``candle`` and
        ``quote``, or all of ``funds`` and ``margin``. None leaves the row out; what it raises
        (``OddValue``) makes that row an unreadable one."""
        return raw

    def read_rows(
        self, kind: str, rows: Iterable[Any], read: Callable[[Any], T | None]
    ) -> BookRows[T]:
        """Rows through :meth:`source_row` and ``read``; odd ones are isolated."""

        def one(raw: Any) -> T | None:
            row = self.source_row(kind, raw)
            return None if row is None and raw is not None else read(row)

        return self.rows.book(kind, rows, one)

    # -- quotes -----------------------------------------------------------------------------
    async def quotes(self, keys: Sequence[Key]) -> dict[Key, Tick | AppError]:
        """Snapshots, in batches as large as the broker takes; an instrument that the master or
        the broker does not know gets its error. Raises :class:`NotSupported` where there are none.
        """
        if not self.spec.capabilities.quote_batch:
            raise NotSupported(f"{self.spec.title} has no market data.")
        result: dict[Key, Tick | AppError] = {}
        known: list[Instrument] = []
        for exchange, symbol in keys:
            row = self.index.get((exchange, symbol))
            if row is None:
                result[exchange, symbol] = SymbolUnknown(symbol, exchange)
            else:
                known.append(row)
        size = self.spec.capabilities.quote_batch
        for start in range(0, len(known), size):
            batch = known[start : start + size]
            found = await self._quoted(batch)
            for row in batch:
                raw = found.get(row.key)
                if raw is None:
                    raw = DataError(f"{self.spec.title} has no quote of {row.symbol}.")
                result[row.key] = raw if isinstance(raw, AppError) else self.read_quote(raw, row)
        return result

    async def _quoted(
        self, batch: Sequence[Instrument]
    ) -> Mapping[Key, Mapping[str, Any] | AppError]:
        """Raw quotes; an answer of another form than its hook expects is a bad answer."""
        try:
            return await self.quote_call(batch)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            log.exception("%s: quotes cannot be read", self.spec.title)
            raise ProtocolError(
                f"{self.spec.title} sent quotes that cannot be read ({type(error).__name__})."
            ) from None

    def read_quote(self, raw: Any, row: Instrument) -> Tick | AppError:
        """One quote; an odd one is the error of its instrument alone."""

        def read(raw: Any) -> Tick | None:
            raw = self.source_row("quote", raw)
            return None if raw is None else self.rows.tick(raw, row)

        ticks = self.rows.book(f"quote of {row.symbol}", [raw], read)
        if ticks:
            return ticks[0]
        if ticks.unreadable:
            return DataError(f"{self.spec.title}: {ticks.unreadable[0]}")
        return DataError(f"{self.spec.title} has no quote of {row.symbol}.")

    async def quote_call(
        self, batch: Sequence[Instrument]
    ) -> Mapping[Key, Mapping[str, Any] | AppError]:
        """Hook: ask for one batch; raw quotes by key, or what the broker says of one instrument.

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
        """Names of an instrument for templates, with the broker's text (or two of them) for its
        exchange, and its lot: ``lot`` is 1 where quantities are counted in contracts anyway.
        Of an exchange that the map lacks (indices) the master's ``brexchange`` has the words, two
        of them with a ``|`` between."""
        wire = self.spec.exchanges.send.get(Exchange(row.exchange))
        if wire is None:
            first, bar, second = row.brexchange.partition("|")
            wire = (first, second) if bar else first
        exchange, segment = wire_fields(wire)
        size = contract_size(row, row.exchange)
        return {
            **instrument_context(row),
            "wire_exchange": exchange,
            "wire_segment": segment,
            "lot_size": size,
            "lot": 1 if self.rows.sizes.in_contracts(row.exchange) else size,
        }

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
            data = await self.history_call(row, interval, rule, first, last)
            # A long piece is read beside the loop: it has tens of thousands of rows.
            for candle in await asyncio.to_thread(self.piece, data, row, interval):
                candles[candle[0]] = candle
        ordered = [candles[moment] for moment in sorted(candles)]
        if rule.today_from_quote and start <= self.clock.now().date() <= end:
            ordered += await self._today(row, ordered[-1] if ordered else None)
        return bars(ordered)

    def piece(self, data: Any, row: Instrument, interval: Interval) -> list[Candle]:
        """Hook: the candles of one reply, read in a thread."""
        return list(self.read_candles(data, interval))

    async def history_call(
        self, row: Instrument, interval: Interval, rule: IntervalRule, first: date, last: date
    ) -> Any:
        """Hook: the request of one piece; its payload goes to :meth:`read_candles`."""
        return await self.rest.op(rule.op, self.history_context(row, interval, rule, first, last))

    async def _today(self, row: Instrument, last: Candle | None) -> list[Candle]:
        """The daily bar of today from the quote, where the daily candles end with yesterday.

        None on a day without trade: then a quote shows the last day's prices. It is told by its
        time, or by being the same as the ``last`` bar.
        """
        now = self.clock.now().astimezone(IST)
        stamp = day_time(int(now.timestamp()))
        if last is not None and last[0] >= stamp:
            return []
        quote = (await self.quotes([row.key]))[row.key]
        if isinstance(quote, DataError):  # an expired contract has candles and no quote
            log.info("%s: no bar of today of %s: %s", self.spec.title, row.symbol, quote.message)
            return []
        if isinstance(quote, AppError):
            raise quote
        if quote.ltp <= 0 or quote.open <= 0:
            return []
        if quote.ltt and datetime.fromtimestamp(quote.ltt / 1000, IST).date() != now.date():
            return []
        weekend = now.weekday() >= 5
        if last is None:
            old = weekend and not quote.ltt
        else:
            same = last[1:4] == (quote.open, quote.high, quote.low)
            old = same and (weekend or last[5] == quote.volume)
        if old:
            return []
        prices = (quote.open, quote.high, quote.low, quote.ltp)
        return [(stamp, *prices, quote.volume, quote.oi)]

    def history_context(
        self, row: Instrument, interval: Interval, rule: IntervalRule, first: date, last: date
    ) -> dict[str, Any]:
        """Hook: values of one request; ``first`` and ``last`` are inclusive IST dates. Epochs
        are those of the first and the last second; ``_ms`` of the first and last millisecond."""
        begin = int(datetime.combine(first, time(), IST).timestamp())
        end = int(datetime.combine(last + timedelta(days=1), time(), IST).timestamp())
        return {
            **self.instrument_values(row),
            "wire_interval": rule.wire,
            "from_date": first.isoformat(),
            "to_date": last.isoformat(),
            "from_epoch": begin,
            "to_epoch": end - 1,
            "from_ms": begin * 1000,
            "to_ms": end * 1000 - 1,
        }

    def read_candles(self, data: Any, interval: Interval) -> Iterable[Candle]:
        """Hook: candles of a reply; by default rows of [time, o, h, l, c, volume, oi], or of the
        fields in ``rows["candle"]``."""
        paths = {**_CANDLE, **self.spec.rows.get("candle", {})}

        def read(row: Any) -> Candle:
            open_, high, low, close = (amount(row, paths[name]) for name in _OHLC)
            volume, oi = amount(row, paths["volume"]), amount(row, paths["oi"])
            start = bar_time(pick(row, paths["time"]), interval, self.clock)
            return (start, open_, high, low, close, int(volume), int(oi))

        return self.read_rows("candle", self.source_rows("candle", data), read)

    def intervals(self) -> Sequence[Interval]:
        """Intervals served natively."""
        return tuple(self.spec.capabilities.intervals)

    def history_days(self, interval: Interval) -> int:
        """Days of one request; 0 for an interval that is not served."""
        rule = self.spec.capabilities.intervals.get(interval)
        return 0 if rule is None else rule.days


def instrument_context(row: Instrument) -> dict[str, Any]:
    """Names of an instrument for templates."""
    return {
        "symbol": row.symbol,
        "exchange": row.exchange,
        "brsymbol": row.brsymbol or row.symbol,
        "brexchange": row.brexchange or row.exchange,
        "token": row.token,
    }


def bar_time(value: Any, interval: Interval, clock: Clock) -> int:
    """Epoch seconds of a bar that starts at a time in any known form; for a day and longer
    midnight UTC of the IST date. Raises :class:`OddValue`."""
    start = moment(value, clock)
    if start is None:
        raise OddValue("the time is missing")
    epoch = int(start.timestamp())
    return epoch if interval.is_intraday else day_time(epoch)


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
