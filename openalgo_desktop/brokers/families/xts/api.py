"""What an XTS server does that tables cannot say: the two sessions, odd shapes of its books,
candles in one text, and two quote requests for one quote."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cache, partial
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

import msgspec

from openalgo_desktop.brokers.families.xts.logins import HOST_LOOKUP
from openalgo_desktop.brokers.families.xts.rows import CHANGES
from openalgo_desktop.brokers.families.xts.segments import (
    epoch,
    instrument_id,
    segment_name,
    segment_of,
    wall_epoch,
)
from openalgo_desktop.brokers.families.xts.spec import LEG, MARKET_SESSION
from openalgo_desktop.brokers.kit.account.api import BrokerApi
from openalgo_desktop.brokers.kit.account.marketdata import Candle
from openalgo_desktop.brokers.kit.rest.values import number, pick, render
from openalgo_desktop.brokers.kit.spec import Gives, IntervalRule
from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.clock import IST_OFFSET_SECONDS
from openalgo_desktop.core.enums import DERIVATIVE_EXCHANGES, Interval
from openalgo_desktop.core.errors import AppError, BadCredentials, ConfigError, ProtocolError
from openalgo_desktop.core.model import BookRows, Holding, Instrument, Key, ModifyRequest, Order
from openalgo_desktop.core.symbols import MONTHS
from openalgo_desktop.core.ticks import Tick

log = logging.getLogger(__name__)

_DEPTH_CODE, _INTEREST_CODE = 1502, 1510
_LONGEST_TAG = 20
_QUARTER_PAST_NINE = 9 * 3600 + 15 * 60
_EPOCH_DAY = date(1970, 1, 1).toordinal()


class XtsApi(BrokerApi):
    """One account on an XTS server."""

    gives: ClassVar[Gives] = {
        "begin_market": ("feed_token", "feed_user"),
        "read_access": ("access",),
        "read_session": ("access_token", "client_id"),
        "find_host": ("unique_key",),
        "cancel": ("order_tag",),
        "margin": ("portfolio",),
        "quotes": ("instruments", "code"),
        "subscribe": ("instruments", "code"),
        "unsubscribe": ("instruments", "code"),
        "history": ("segment_name", "from_time", "to_time"),
    }

    # -- login ------------------------------------------------------------------------------
    async def begin_market(self, known: Mapping[str, Any]) -> Mapping[str, str]:
        """Login step: the market-data session. Without it one can still trade, so a failure is
        told and the feed tries again."""
        call = self.spec.renewals[MARKET_SESSION]
        try:
            data = await self.rest.call(call.op, known, "market data login")
        except AppError as error:
            log.warning("%s: no market data session: %s", self.spec.title, error.message)
            return {}
        found = {name: pick(data, path) for name, path in call.gives.items()}
        return {name: str(value) for name, value in found.items() if value is not None}

    async def read_access(self, known: Mapping[str, Any]) -> Mapping[str, str]:
        """Login step: the access token out of what the page gave."""
        return {"access": self._of_page(known, "accessToken")["accessToken"]}

    async def read_session(self, known: Mapping[str, Any]) -> Mapping[str, str]:
        """Login step: the page gave the trading session itself."""
        found = self._of_page(known, "token")
        values = {"access_token": found["token"]}
        return values | ({"client_id": found["userID"]} if found.get("userID") else {})

    def _of_page(self, known: Mapping[str, Any], name: str) -> dict[str, str]:
        """The fields of the page's ``session``: JSON, perhaps quoted, perhaps JSON within a JSON
        text. A text that is no JSON is the wanted value itself (pasted by hand)."""
        text = str(known["request_token"]).strip()
        value: Any = text
        for _ in range(3):
            if isinstance(value, dict):
                break
            try:
                value = msgspec.json.decode(str(value).encode())
            except msgspec.DecodeError:
                plain = unquote(str(value))
                if plain == value:
                    break
                value = plain
        fields = {name: text} if not isinstance(value, dict) else value
        if not fields.get(name):
            raise BadCredentials(f"{self.spec.title}: the page gave no {name}.")
        return {key: str(found) for key, found in fields.items() if found is not None}

    async def find_host(self, known: Mapping[str, Any]) -> Mapping[str, str]:
        """Login step: the key that the trading API wants with the login. A lookup that names
        another host than ours is told: keys are sent to hosts of the settings only."""
        data = await self.rest.call(HOST_LOOKUP, known, "host lookup")
        address = str(pick(data, "connectionString", "")).rstrip("/")
        if urlsplit(address).netloc != urlsplit(self.rest.hosts["rest"]).netloc:
            raise ConfigError(
                f"{self.spec.title} says that its trading API is at {address or 'no address'}. "
                f"If that is right, set brokers.{self.spec.id}.hosts.rest to it."
            )
        return {"unique_key": str(pick(data, "UniqueKey|uniqueKey", ""))}

    # -- orders -----------------------------------------------------------------------------
    def modify_context(self, request: ModifyRequest, known: Order | None) -> dict[str, Any]:
        """A change carries the identifier that the order was placed with; one made of the order's
        number where that is not known."""
        context = super().modify_context(request, known)
        tag = known.tag if known is not None else ""
        return context | {"tag": tag or f"M{request.order_id}"[:_LONGEST_TAG]}

    def cancel_context(self, order_id: str, known: Order | None) -> dict[str, Any]:
        """The identifier that the order was placed with, where it is known."""
        return {"order_tag": known.tag if known is not None else ""}

    # -- books ------------------------------------------------------------------------------
    def source_rows(self, kind: str, data: Any) -> Iterable[Any]:
        """Where a book's rows are in its answer."""
        if kind == "position" and isinstance(data, Mapping):
            data = data.get("positionList")
        elif kind == "holding":
            table = pick(data, "RMSHoldings.Holdings|Holdings", {})
            data = list(table.values()) if isinstance(table, Mapping) else table
        return super().source_rows(kind, data)

    def source_row(self, kind: str, raw: Any) -> Any:
        """One row with the values that the field map wants."""
        change = CHANGES.get(kind)
        return raw if change is None or raw is None else change(raw)

    async def holdings(self) -> BookRows[Holding]:
        """Delivered shares; the server tells no prices, so they are asked for. Without an answer
        the price stays unknown."""
        rows = await super().holdings()
        keys = [row.key for row in rows if not row.ltp and self.index.get(row.key) is not None]
        if keys:
            prices = await self._prices(keys)
            for row in rows:
                row.ltp = prices.get(row.key, row.ltp)
        return rows

    async def _prices(self, keys: Sequence[Key]) -> dict[Key, float]:
        try:
            ticks = await self.quotes(keys)
        except AppError as error:
            log.info("%s: no prices of the holdings: %s", self.spec.title, error.message)
            return {}
        return {key: tick.ltp for key, tick in ticks.items() if isinstance(tick, Tick)}

    async def margin_call(self, items: Sequence[dict[str, Any]]) -> Any:
        """All legs in one request."""
        portfolio = [
            render(LEG, {**item, "segment_number": segment_of(item["exchange"])}) for item in items
        ]
        answer = await self.rest.op("margin", {"portfolio": portfolio})
        if pick(answer, "IsValid") is False:
            raise ProtocolError(
                f"{self.spec.title}: {pick(answer, 'ErrorMessage') or 'no margin was worked out'}"
            )
        return answer

    # -- market data ------------------------------------------------------------------------
    async def quote_call(self, batch: Sequence[Instrument]) -> Mapping[Key, Mapping[str, Any]]:
        """The depth of a batch, and the open interest of its derivatives from a request of its
        own, without which a quote is good all the same."""
        found = await self._snapshots(batch, _DEPTH_CODE)
        contracts = [row for row in batch if row.exchange in DERIVATIVE_EXCHANGES]
        if not contracts:
            return found
        try:
            interest = await self._snapshots(contracts, _INTEREST_CODE)
        except AppError as error:
            log.info("%s: no open interest: %s", self.spec.title, error.message)
            return found
        return {
            key: raw | {"OpenInterest": pick(interest.get(key), "OpenInterest")}
            for key, raw in found.items()
        }

    async def _snapshots(self, batch: Sequence[Instrument], code: int) -> dict[Key, dict[str, Any]]:
        keys = {(segment_of(row.exchange), instrument_id(row)): row.key for row in batch}
        instruments = [
            {"exchangeSegment": segment, "exchangeInstrumentID": number} for segment, number in keys
        ]
        texts = await self.rest.op("quotes", {"instruments": instruments, "code": code})
        found = {}
        for text in texts or ():
            try:
                raw = msgspec.json.decode(text) if isinstance(text, str) else dict(text)
                key = keys.get((int(raw["ExchangeSegment"]), int(raw["ExchangeInstrumentID"])))
                traded = epoch(int(pick(raw, "Touchline.LastTradedTime", 0)))
            except (msgspec.DecodeError, KeyError, TypeError, ValueError):
                log.warning("%s: a quote cannot be read", self.spec.title)
                continue
            if key is not None:
                found[key] = raw | {"traded": traded}
        return found

    # -- history ----------------------------------------------------------------------------
    def history_context(
        self, row: Instrument, interval: Interval, rule: IntervalRule, first: date, last: date
    ) -> dict[str, Any]:
        """Whole days, by India's clock."""
        return super().history_context(row, interval, rule, first, last) | {
            "segment_name": segment_name(row.exchange),
            "exchange": row.exchange,
            "from_time": f"{_day_text(first)} 000000",
            "to_time": f"{_day_text(last)} 235959",
        }

    def read_candles(self, data: Any, interval: Interval) -> Iterable[Candle]:
        """Candles of one text: ``time|open|high|low|close|volume|interest|`` and a comma between.

        A time is India's clock written as if it were UTC; within the day it lies in the bar's
        last second, or in the running bar.
        """
        texts = [row for row in str(data or "").split(",") if row]
        offset = _grid(texts, interval.seconds) if interval.is_intraday else 0

        def read(text: str) -> Candle:
            parts = text.split("|")
            moment = int(parts[0])
            open_, high, low, close, volume, oi = (number(value) for value in parts[1:7])
            if interval.is_intraday:
                start = wall_epoch(moment - (moment - offset) % interval.seconds)
            else:
                start = moment // 86_400 * 86_400
            return (start, open_, high, low, close, int(volume), int(oi))

        return self.rows.book("candle", texts, read)

    def piece(self, data: Any, row: Instrument, interval: Interval) -> list[Candle]:
        """Beside the loop; a bar whose length reaches back before the market opens begins when it
        does."""
        candles = super().piece(data, row, interval)
        if interval.seconds <= 60 or not interval.is_intraday:
            return candles
        opens = cache(partial(_opening, row.exchange))
        return [
            (opened, *candle[1:])
            if candle[0] < (opened := opens(_ist_day(candle[0]))) < candle[0] + interval.seconds
            else candle
            for candle in candles
        ]


def _grid(texts: Sequence[str], seconds: int) -> int:
    """Where bars of this length begin, by the ends of those that are there: at full hours of the
    clock (0), or counted from the opening at a quarter past nine."""
    from_opening = _QUARTER_PAST_NINE % seconds
    if not from_opening:
        return 0
    ends = [int(head) + 1 for text in texts if (head := text.partition("|")[0]).isdigit()]
    by_clock = sum(end % seconds == 0 for end in ends)
    by_opening = sum(end % seconds == from_opening for end in ends)
    return 0 if by_clock > by_opening else from_opening


def _ist_day(moment: int) -> int:
    """The number of the day of an epoch second, by India's clock."""
    return (moment + IST_OFFSET_SECONDS) // 86_400


def _opening(exchange: str, number: int) -> int:
    """When the market regularly opens on the day of that number, epoch seconds; 0 for never."""
    day = date.fromordinal(_EPOCH_DAY + number)
    hours = MarketCalendar.regular_session(exchange, day)
    return int(hours[0].timestamp()) if hours is not None else 0


def _day_text(day: date) -> str:
    return f"{MONTHS[day.month - 1].capitalize()} {day.day:02d} {day.year}"
