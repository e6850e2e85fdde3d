"""Rows of a broker's replies as the unified model, by the field maps of its spec."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from openalgo_desktop.brokers.kit.books.fields import Fields
from openalgo_desktop.brokers.kit.master.contracts import contract_size, unit_value
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.master.sizes import Sizes
from openalgo_desktop.brokers.kit.rest.values import OddValue, absent, amount, as_rows, pick
from openalgo_desktop.brokers.kit.spec import BrokerSpec, TwoWay
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import (
    DERIVATIVE_EXCHANGES,
    Action,
    Exchange,
    FeedMode,
    OrderStatus,
    PriceType,
    Product,
    Validity,
    surfaced,
)
from openalgo_desktop.core.errors import AppError, DataError
from openalgo_desktop.core.model import (
    BookRows,
    Funds,
    Holding,
    Instrument,
    Key,
    Order,
    Position,
    Trade,
)
from openalgo_desktop.core.ticks import Depth, Level, Part, Tick, TickExtras

__all__ = ["Fields", "Rows", "as_rows", "whole"]

log = logging.getLogger(__name__)
T = TypeVar("T")
E = TypeVar("E", Action, Exchange, Product, PriceType)

_LEVEL = {"price": "price", "quantity": "quantity", "orders": "orders"}
#: Extras of a quote that are rupees; the others are quantities.
_PRICES = frozenset({"week_52_high", "week_52_low", "turnover"})
#: What reading an odd row may raise.
_ODD = (AppError, ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError)
#: Amounts that are unknown, not 0, where the account leaves them open.
_UNTOLD = ("payin", "payout")
#: Odd rows whose message is remembered, so that each is said once.
_MOST_SAID = 10_000


def whole(rows: BookRows[T], title: str) -> BookRows[T]:
    """The rows where all of them could be read, for sums: without one a sum would be another
    number. Raises :class:`DataError`; ``title`` is the broker's."""
    if rows.partial:
        raise DataError(f"{title}: a book cannot be read whole: {rows.unreadable[0]}")
    return rows


class _Names(NamedTuple):
    """What a row is about. ``size``: units of what the broker counts as one."""

    symbol: str
    exchange: Exchange
    size: int
    instrument: Instrument | None


class Rows:
    """Reads rows for one account. Broker values outside the vocabulary are kept as they are
    (``surfaced``) and said once in the log; an unknown status is ``unknown``, never a guess."""

    def __init__(
        self, spec: BrokerSpec, index: BrokerIndex, clock: Clock, account_id: str = ""
    ) -> None:
        self._spec = spec
        self._index = index
        self._clock = clock
        self.account_id = account_id
        #: How the broker counts quantities.
        self.sizes = Sizes(spec.id, spec.in_contracts, spec.doubted)
        quote = spec.rows.get("quote", {})
        self._extra_names = [n for n in TickExtras.__struct_fields__ if n in quote]
        self._settling = {status.lower() for status in spec.settling}
        self._said: set[tuple[str, str]] = set()
        self._odd: set[str] = set()
        #: What is held and is not in the master, as the position book names it: enough for an
        #: order that closes it.
        self.strangers: dict[Key, Instrument] = {}

    # -- vocabulary -------------------------------------------------------------------------
    def _read(self, kind: type[E], table: TwoWay[E], wire: Any) -> E:
        ours = table.read.get(wire)
        if ours is None and isinstance(wire, str):
            ours = table.read.get(wire.strip().upper())
        elif ours is None and isinstance(wire, tuple):
            ours = table.read.get(tuple(str(part).strip().upper() for part in wire))
        if ours is not None:
            return ours
        text = "/".join(map(str, wire)) if isinstance(wire, tuple) else str(wire)
        self._say(kind.__name__, text)
        return surfaced(kind, text)

    def _say(self, kind: str, wire: str) -> None:
        if (kind, wire) not in self._said:
            self._said.add((kind, wire))
            log.warning("%s: %s %r is not in the vocabulary", self._spec.title, kind, wire)

    def status(self, wire: Any) -> OrderStatus:
        """The unified status."""
        table = self._spec.statuses.read
        ours = table.get(wire)
        if ours is None:
            ours = table.get(str(wire).strip().upper()) or table.get(str(wire).strip().lower())
        if ours is None:
            self._say("status", str(wire))
            return OrderStatus.UNKNOWN
        return ours

    def _exchange(self, row: Fields) -> Exchange:
        """The exchange of a row, whose word may be two fields on the wire."""
        wire: Any = row.need("exchange")
        if row.has("segment"):
            wire = (wire, row.get("segment", ""))
        return self._read(Exchange, self._spec.exchanges, wire)

    def _names(self, row: Fields) -> _Names:
        """Symbol, exchange and contract of a row."""
        exchange = self._exchange(row)
        brsymbol, token = row.text("brsymbol"), row.text("token")
        if not (brsymbol or token):
            raise OddValue("the symbol is missing")
        known = self._index.found(brsymbol, token, exchange)
        size = 1
        if self.sizes.in_contracts(exchange):
            size = contract_size(known, exchange, brsymbol)
        else:  # who counts everything in contracts has no lots besides
            row.lot = contract_size(known, exchange, brsymbol)
        return _Names(known.symbol if known else brsymbol or token, exchange, size, known)

    def _fields(self, kind: str, raw: Any) -> Fields:
        return Fields(raw, self._spec.rows[kind], self._clock)

    def _action(self, row: Fields, exchange: Exchange) -> Action:
        return self._read(Action, self._spec.actions.of(exchange), row.need("action"))

    def _product(self, row: Fields, exchange: Exchange) -> Product:
        return self._read(Product, self._spec.products.of(exchange), row.need("product"))

    # -- odd rows ---------------------------------------------------------------------------
    def book(self, kind: str, rows: Iterable[Any], read: Callable[[Any], T | None]) -> BookRows[T]:
        """All rows that ``read`` can read (None leaves one out); the others are listed as
        unreadable and said in the log, each once."""
        good: list[T] = []
        odd: list[str] = []
        for raw in rows:
            try:
                row = read(raw)
            except _ODD as error:
                odd.append(self.odd(kind, raw, error))
                continue
            if row is not None:
                good.append(row)
        return BookRows(good, odd)

    def odd(self, kind: str, raw: Any, error: Exception) -> str:
        """A sentence about a row that cannot be read, for the book and for the log."""
        reason = error.message if isinstance(error, AppError) else f"{type(error).__name__}"
        text = f"{self._label(kind, raw)}: {reason}"
        if len(self._odd) >= _MOST_SAID:
            self._odd.clear()
        if text not in self._odd:
            self._odd.add(text)
            log.warning("%s: unreadable row: %s", self._spec.title, text)
        return text

    def _label(self, kind: str, raw: Any) -> str:
        """The kind of a row, and its id or symbol where it has one."""
        if isinstance(raw, Mapping):
            paths = self._spec.rows.get(kind, {})
            for name in ("order_id", "brsymbol", "token"):
                value = pick(raw, paths[name]) if name in paths else None
                if isinstance(value, (str, int)) and not absent(value):
                    return f"{kind} {str(value)[:40]}"
        return kind

    # -- books ------------------------------------------------------------------------------
    def order(self, raw: Mapping[str, Any]) -> Order:
        """An order of the book or of a push message. Raises :class:`OddValue`."""
        row = self._fields("order", raw)
        symbol, exchange, size, _ = self._names(row)
        placed = row.time("placed_at")
        status = row.need("status")
        pending = row.get("pending_quantity")
        return Order(
            order_id=str(row.need("order_id")).strip(),
            symbol=symbol,
            exchange=exchange,
            action=self._action(row, exchange),
            quantity=row.count("quantity", needed=True) * size,
            price_type=self._read(
                PriceType, self._spec.price_types.of(exchange), row.need("price_type")
            ),
            product=self._product(row, exchange),
            price=row.number("price"),
            trigger_price=row.number("trigger_price"),
            disclosed_quantity=row.count("disclosed_quantity") * size,
            status=self.status(status),
            filled_quantity=row.count("filled_quantity") * size,
            average_price=row.number("average_price"),
            rejection_reason=row.text("rejection_reason"),
            placed_at=placed,
            updated_at=row.time("updated_at") or placed,
            tag=row.text("tag"),
            account_id=self.account_id,
            reported_pending=(
                row.count("pending_quantity") * size if pending is not None else None
            ),
            settling=str(status).strip().lower() in self._settling,
            validity=self._validity(row.text("validity")),
        )

    def _validity(self, wire: str) -> Validity:
        """Words of the broker that we do not place with (a lifetime of minutes) count as DAY:
        such an order rests."""
        words = self._spec.capabilities.validities
        said = wire.upper()
        return next((ours for ours, word in words.items() if word.upper() == said), Validity.DAY)

    def trade(self, raw: Mapping[str, Any]) -> Trade:
        """An execution. Raises :class:`OddValue`."""
        row = self._fields("trade", raw)
        symbol, exchange, size, _ = self._names(row)
        order_id = str(row.need("order_id")).strip()
        return Trade(
            trade_id=row.text("trade_id") or order_id,
            order_id=order_id,
            symbol=symbol,
            exchange=exchange,
            action=self._action(row, exchange),
            product=self._product(row, exchange),
            quantity=row.count("quantity", needed=True) * size,
            price=row.number("price", needed=True),
            traded_at=row.time("traded_at") or self._clock.now(),
            account_id=self.account_id,
        )

    def held(self, raw: Any) -> tuple[Key, Product]:
        """What a position row is about. Raises :class:`OddValue`."""
        row = self._fields("position", raw)
        symbol, exchange, _, _ = self._names(row)
        return (exchange, symbol), self._product(row, exchange)

    def position(self, raw: Mapping[str, Any]) -> Position:
        """A net position. The broker's profit is the field ``pnl``, or ``realised`` and
        ``unrealised`` together; what we do not see as unrealised of it counts as realised.
        Where the broker tells the open result and no price, the price is the one that it was
        worked out with: else that result would count as realised, and once more with the next
        tick. Raises :class:`OddValue`."""
        row = self._fields("position", raw)
        symbol, exchange, size, instrument = self._names(row)
        if instrument is None:
            self.strangers[exchange, symbol] = Instrument(
                symbol, exchange, token=row.text("token"), brsymbol=row.text("brsymbol")
            )
        quantity = row.count("quantity", needed=True) * size
        # The broker's multiplier is that of what it counts.
        value = row.number("multiplier") / size
        if not value and instrument is not None:
            value = instrument.contract_value
        elif not value:
            value = unit_value(exchange, contract_size(None, exchange, symbol), symbol)
        position = Position(
            symbol=symbol,
            exchange=exchange,
            product=self._product(row, exchange),
            quantity=quantity,
            average_price=row.number("average_price", needed=quantity != 0),
            ltp=row.number("ltp"),
            buy_quantity=row.count("buy_quantity") * size,
            sell_quantity=row.count("sell_quantity") * size,
            multiplier=value,
            account_id=self.account_id,
        )
        realised, opened = row.number("realised"), row.number("unrealised")
        position.ltp = position.ltp or _price_of(position, opened)
        if row.has("pnl"):
            realised = row.number("pnl") - position.unrealised
        elif not absent(row.get("unrealised")):
            realised += opened - position.unrealised
        position.realised = position.realised_today = round(realised, 4)
        return position

    def holding(self, raw: Mapping[str, Any]) -> Holding:
        """Delivered shares, those of yesterday's trades included. Raises :class:`OddValue`."""
        row = self._fields("holding", raw)
        symbol, exchange, size, _ = self._names(row)
        t1 = row.count("t1_quantity") * size
        return Holding(
            symbol=symbol,
            exchange=exchange,
            quantity=row.count("quantity", needed=True) * size + t1,
            average_price=row.number("average_price"),
            ltp=row.number("ltp"),
            t1_quantity=t1,
            account_id=self.account_id,
            pledged=None if absent(row.get("pledged")) else row.count("pledged") * size,
        )

    def funds(self, raw: Any) -> Funds:
        """Money of the account, where each number is one field."""
        fields = self._spec.rows.get("funds", {})
        funds = Funds(account_id=self.account_id)
        for name, path in fields.items():
            if name in _UNTOLD and absent(pick(raw, path)):
                continue
            setattr(funds, name, amount(raw, path))
        return funds

    # -- market -----------------------------------------------------------------------------
    def tick(self, raw: Mapping[str, Any], instrument: Instrument) -> Tick:
        """A quote with the book, where the row has one; what it lacks is unknown. Raises
        :class:`OddValue`."""
        row = self._fields("quote", raw)
        row.lot = contract_size(instrument, instrument.exchange)
        buy = self._levels(row.get("buy"), row.lot)
        sell = self._levels(row.get("sell"), row.lot)
        traded = row.time("ltt")
        return Tick(
            symbol=instrument.symbol,
            exchange=instrument.exchange,
            ltp=row.number("ltp"),
            mode=FeedMode.DEPTH if buy or sell else FeedMode.QUOTE,
            timestamp=int(self._clock.time() * 1000),
            ltt=int(traded.timestamp() * 1000) if traded else 0,
            open=row.number("open"),
            high=row.number("high"),
            low=row.number("low"),
            close=row.number("close"),
            volume=row.whole("volume"),
            last_quantity=row.whole("last_quantity"),
            average_price=row.number("average_price"),
            oi=row.whole("oi"),
            bid=buy[0].price if buy else row.number("bid"),
            ask=sell[0].price if sell else row.number("ask"),
            bid_quantity=buy[0].quantity if buy else row.whole("bid_quantity"),
            ask_quantity=sell[0].quantity if sell else row.whole("ask_quantity"),
            total_buy_quantity=row.whole("total_buy_quantity"),
            total_sell_quantity=row.whole("total_sell_quantity"),
            upper_circuit=row.number("upper_circuit"),
            lower_circuit=row.number("lower_circuit"),
            depth=Depth(buy, sell) if buy or sell else None,
            unknown=_unknown(row, instrument, bool(buy or sell)),
            extras=self._extras(row) if self._extra_names else None,
        )

    def _extras(self, row: Fields) -> TickExtras | None:
        """What a quote has beside the usual; None where it has nothing of it."""
        found: dict[str, Any] = {}
        for name in self._extra_names:
            if not absent(row.get(name)):
                found[name] = row.number(name) if name in _PRICES else row.whole(name)
        return TickExtras(**found) if found else None

    def _levels(self, rows: Iterable[Any] | None, lot: int) -> tuple[Level, ...]:
        paths = self._spec.rows.get("level", _LEVEL)
        levels = [Fields(row, paths, self._clock) for row in rows or ()]
        for row in levels:
            row.lot = lot
        return tuple(
            Level(row.number("price"), row.whole("quantity"), row.whole("orders")) for row in levels
        )


def _price_of(position: Position, opened: float) -> float:
    """The price at which a position's open result is ``opened``; 0 (unknown) where none is told."""
    earns = position.quantity * position.multiplier
    if not opened or not earns or not position.average_price:
        return 0.0
    return max(0.0, round(position.average_price + opened / earns, 4))


def _unknown(row: Fields, instrument: Instrument, book: bool) -> int:
    """The parts that a quote of this instrument should have and this one has not."""
    parts = Part.LTP if absent(row.get("ltp")) else 0
    if instrument.is_index:
        return parts
    if not book and absent(row.get("bid")) and absent(row.get("ask")):
        parts |= Part.TOUCH
    if instrument.exchange in DERIVATIVE_EXCHANGES and absent(row.get("oi")):
        parts |= Part.OI
    return parts
