"""Rows of a broker's replies as the unified model, by the field maps of its spec."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time
from typing import Any, TypeVar

from openalgo_desktop.brokers.kit.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.spec import BrokerSpec, TwoWay
from openalgo_desktop.brokers.kit.values import count, number, pick
from openalgo_desktop.core.clock import IST, Clock
from openalgo_desktop.core.enums import (
    Action,
    Exchange,
    FeedMode,
    OrderStatus,
    PriceType,
    Product,
    surfaced,
)
from openalgo_desktop.core.model import (
    Depth,
    Funds,
    Holding,
    Instrument,
    Level,
    Order,
    Position,
    Tick,
    Trade,
)

log = logging.getLogger(__name__)
E = TypeVar("E", Action, Exchange, Product, PriceType)

#: Time texts seen at Indian brokers, all IST unless they say otherwise.
_TIME_FORMATS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%d-%b-%Y %H:%M:%S",
    "%d-%m-%Y %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%H:%M:%S %d-%m-%Y",
    "%d %b %Y, %I:%M:%S %p",
)
_LEVEL = {"price": "price", "quantity": "quantity", "orders": "orders"}


def moment(value: Any, clock: Clock) -> datetime | None:
    """An aware time from a reply: text in any known format, a clock time of today, or epoch
    seconds or milliseconds; None when it is none of them."""
    if value in (None, "", 0, "0"):
        return None
    text = str(value).strip()
    if text.isdigit() and len(text) >= 9:
        epoch = int(text)
        return datetime.fromtimestamp(epoch / 1000 if epoch > 10**11 else epoch, IST)
    try:
        parsed = datetime.fromisoformat(text)
        return parsed if parsed.tzinfo else parsed.replace(tzinfo=IST)
    except ValueError:
        pass
    for form in _TIME_FORMATS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=IST)
        except ValueError:
            continue
    try:
        return datetime.combine(clock.now().date(), time.fromisoformat(text), IST)
    except ValueError:
        return None


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
        self._said: set[tuple[str, str]] = set()

    # -- vocabulary -------------------------------------------------------------------------
    def _read(self, kind: type[E], table: TwoWay[E], wire: Any) -> E:
        ours = table.read.get(wire)
        if ours is None and isinstance(wire, str):
            ours = table.read.get(wire.strip().upper())
        if ours is not None:
            return ours
        self._say(kind.__name__, str(wire))
        return surfaced(kind, str(wire))

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

    def _names(self, raw: Any, fields: Mapping[str, str]) -> tuple[str, str]:
        """Symbol and exchange of a row."""
        exchange = self._read(
            Exchange, self._spec.exchanges, pick(raw, fields.get("exchange", "exchange"), "")
        )
        brsymbol = str(pick(raw, fields["brsymbol"], "")) if "brsymbol" in fields else ""
        token = str(pick(raw, fields["token"], "")) if "token" in fields else ""
        return self._index.unified(brsymbol, token, exchange), exchange

    def _time(self, raw: Any, fields: Mapping[str, str], name: str) -> datetime | None:
        return moment(pick(raw, fields[name]), self._clock) if name in fields else None

    # -- books ------------------------------------------------------------------------------
    def order(self, raw: Mapping[str, Any]) -> Order:
        """An order of the book or of a push message."""
        fields = self._spec.rows["order"]

        def value(name: str, default: Any = 0) -> Any:
            return pick(raw, fields[name], default) if name in fields else default

        symbol, exchange = self._names(raw, fields)
        placed = self._time(raw, fields, "placed_at")
        pending = value("pending_quantity", None)
        return Order(
            order_id=str(value("order_id", "")),
            symbol=symbol,
            exchange=exchange,
            action=self._read(Action, self._spec.actions, value("action", "")),
            quantity=count(value("quantity")),
            price_type=self._read(PriceType, self._spec.price_types, value("price_type", "")),
            product=self._read(Product, self._spec.products, value("product", "")),
            price=number(value("price")),
            trigger_price=number(value("trigger_price")),
            disclosed_quantity=count(value("disclosed_quantity")),
            status=self.status(value("status", "")),
            filled_quantity=count(value("filled_quantity")),
            average_price=number(value("average_price")),
            rejection_reason=str(value("rejection_reason", "")),
            placed_at=placed,
            updated_at=self._time(raw, fields, "updated_at") or placed,
            tag=str(value("tag", "")),
            account_id=self.account_id,
            reported_pending=count(pending) if pending is not None else None,
            settling=str(value("status", "")) in self._spec.settling,
        )

    def trade(self, raw: Mapping[str, Any]) -> Trade:
        """An execution."""
        fields = self._spec.rows["trade"]
        symbol, exchange = self._names(raw, fields)
        order_id = str(pick(raw, fields["order_id"], ""))
        return Trade(
            trade_id=str(pick(raw, fields.get("trade_id", ""), "")) or order_id,
            order_id=order_id,
            symbol=symbol,
            exchange=exchange,
            action=self._read(Action, self._spec.actions, pick(raw, fields["action"], "")),
            product=self._read(Product, self._spec.products, pick(raw, fields["product"], "")),
            quantity=count(pick(raw, fields["quantity"], 0)),
            price=number(pick(raw, fields["price"], 0)),
            traded_at=self._time(raw, fields, "traded_at") or self._clock.now(),
            account_id=self.account_id,
        )

    def position(self, raw: Mapping[str, Any]) -> Position:
        """A net position. The broker's profit is the field ``pnl``, or ``realised`` and
        ``unrealised`` together; what we do not see as unrealised of it counts as realised."""
        fields = self._spec.rows["position"]

        def value(name: str) -> float:
            return number(pick(raw, fields[name], 0)) if name in fields else 0.0

        symbol, exchange = self._names(raw, fields)
        position = Position(
            symbol=symbol,
            exchange=exchange,
            product=self._read(Product, self._spec.products, pick(raw, fields["product"], "")),
            quantity=int(value("quantity")),
            average_price=value("average_price"),
            ltp=value("ltp"),
            buy_quantity=int(value("buy_quantity")),
            sell_quantity=int(value("sell_quantity")),
            multiplier=value("multiplier") or 1.0,
            account_id=self.account_id,
        )
        realised = value("realised")
        if "pnl" in fields or "unrealised" in fields:
            total = value("pnl") if "pnl" in fields else realised + value("unrealised")
            realised = total - position.unrealised
        position.realised = position.realised_today = round(realised, 4)
        return position

    def holding(self, raw: Mapping[str, Any]) -> Holding:
        """Delivered shares, those of yesterday's trades included."""
        fields = self._spec.rows["holding"]

        def value(name: str) -> float:
            return number(pick(raw, fields[name], 0)) if name in fields else 0.0

        symbol, exchange = self._names(raw, fields)
        t1 = int(value("t1_quantity"))
        return Holding(
            symbol=symbol,
            exchange=exchange,
            quantity=int(value("quantity")) + t1,
            average_price=value("average_price"),
            ltp=value("ltp"),
            t1_quantity=t1,
            account_id=self.account_id,
        )

    def funds(self, raw: Any) -> Funds:
        """Money of the account, where each number is one field."""
        fields = self._spec.rows.get("funds", {})
        funds = Funds(account_id=self.account_id)
        for name, path in fields.items():
            setattr(funds, name, number(pick(raw, path, 0)))
        return funds

    # -- market -----------------------------------------------------------------------------
    def tick(self, raw: Mapping[str, Any], row: Instrument) -> Tick:
        """A quote with the book, where the row has one."""
        fields = self._spec.rows["quote"]

        def value(name: str) -> float:
            return number(pick(raw, fields[name], 0)) if name in fields else 0.0

        buy = self._levels(pick(raw, fields.get("buy", "?"), ()))
        sell = self._levels(pick(raw, fields.get("sell", "?"), ()))
        traded = self._time(raw, fields, "ltt")
        return Tick(
            symbol=row.symbol,
            exchange=row.exchange,
            ltp=value("ltp"),
            mode=FeedMode.DEPTH if buy or sell else FeedMode.QUOTE,
            timestamp=int(self._clock.time() * 1000),
            ltt=int(traded.timestamp() * 1000) if traded else 0,
            open=value("open"),
            high=value("high"),
            low=value("low"),
            close=value("close"),
            volume=int(value("volume")),
            last_quantity=int(value("last_quantity")),
            average_price=value("average_price"),
            oi=int(value("oi")),
            bid=buy[0].price if buy else value("bid"),
            ask=sell[0].price if sell else value("ask"),
            bid_quantity=buy[0].quantity if buy else int(value("bid_quantity")),
            ask_quantity=sell[0].quantity if sell else int(value("ask_quantity")),
            total_buy_quantity=int(value("total_buy_quantity")),
            total_sell_quantity=int(value("total_sell_quantity")),
            upper_circuit=value("upper_circuit"),
            lower_circuit=value("lower_circuit"),
            depth=Depth(buy, sell) if buy or sell else None,
        )

    def _levels(self, rows: Iterable[Any] | None) -> tuple[Level, ...]:
        fields = self._spec.rows.get("level", _LEVEL)
        return tuple(
            Level(
                number(pick(row, fields["price"], 0)),
                count(pick(row, fields["quantity"], 0)),
                count(pick(row, fields.get("orders", "orders"), 0)),
            )
            for row in rows or ()
        )


def as_rows(data: Any) -> Sequence[Mapping[str, Any]]:
    """The rows of a book: an empty one may be null, missing or an empty list."""
    return [row for row in data if isinstance(row, Mapping)] if isinstance(data, list) else []
