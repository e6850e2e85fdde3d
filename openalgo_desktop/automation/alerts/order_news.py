"""Alerts on what becomes of orders. Each piece of news is told once, however often it is pushed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from decimal import Decimal
from math import nan
from typing import TypeAlias, TypeVar

from openalgo_desktop.automation.alerts.ports import Judge
from openalgo_desktop.core.alert_subjects import OfOrders, OrderNews
from openalgo_desktop.core.alerts import ZERO, AlertWish, PriceAlert
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import Mode, OrderStatus
from openalgo_desktop.core.events import Bus, OrderRefused, OrderUpdated
from openalgo_desktop.core.exit_rules import exact
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.money import plain

K = TypeVar("K")
_Place: TypeAlias = tuple[Mode, OrderNews, Key]
#: Any instrument.
ANY: Key = ("", "")

#: So much news is remembered as told, and so many stop orders as waiting.
MEMORY = 20_000
#: What an order was before so many seconds is no news that moves money.
NEWS = 60.0
#: Sources of orders that alerts sent begin with it.
OWN = "alert:"
_NEWS = {
    OrderStatus.COMPLETE: OrderNews.FILLED,
    OrderStatus.REJECTED: OrderNews.REJECTED,
    OrderStatus.CANCELLED: OrderNews.CANCELLED,
}
_ACTIVE = (OrderStatus.OPEN, OrderStatus.COMPLETE)


class OrderAlerts:
    """:class:`Watcher` of them."""

    def __init__(self, clock: Clock, bus: Bus, decider: Judge) -> None:
        self._clock = clock
        self._judge = decider
        self._rows: dict[_Place, dict[str, AlertWish]] = {}
        self._wishes: dict[str, AlertWish] = {}
        self._told: OrderedDict[tuple[str, ...], None] = OrderedDict()
        self._waiting: OrderedDict[tuple[Mode, str, str], None] = OrderedDict()
        self._alive: OrderedDict[tuple[Mode, str, str], None] = OrderedDict()
        self._stops = [
            bus.subscribe(OrderUpdated, self._on_order),
            bus.subscribe(OrderRefused, self._on_refused),
        ]

    async def stop(self) -> None:
        """Hear no more."""
        for stop in self._stops:
            stop()

    def watch(self, alert: PriceAlert) -> None:
        """Hear for it."""
        self.drop(alert.alert_id)
        self._wishes[alert.alert_id] = alert.wish
        for place in _places(alert.wish):
            self._rows.setdefault(place, {})[alert.alert_id] = alert.wish

    def drop(self, alert_id: str) -> None:
        """Hear for it no more."""
        wish = self._wishes.pop(alert_id, None)
        for place in () if wish is None else _places(wish):
            here = self._rows[place]
            del here[alert_id]
            if not here:
                del self._rows[place]

    def check(self, wish: AlertWish) -> None:
        """Any filter is one."""

    def trouble(self, alert: PriceAlert) -> str:
        """Orders are heard of always."""
        return ""

    def current(self, alert: PriceAlert) -> float:
        """It has no value."""
        return nan

    def lose(self) -> None:
        """Orders come another way than prices."""

    def looking(self) -> Iterator[None]:
        """Nothing: what is not told cannot be seen."""
        yield from ()

    # -- news -------------------------------------------------------------------------------
    def _on_order(self, event: OrderUpdated) -> None:
        order = event.order
        place = (event.mode, event.account_id, order.order_id)
        if not order.status.is_final:
            self._alive[place] = None
            _shorten(self._alive)
        if order.status is OrderStatus.TRIGGER_PENDING:
            self._waiting[place] = None
            _shorten(self._waiting)
        elif place in self._waiting:
            del self._waiting[place]
            if order.status in _ACTIVE:
                self._tell(event, OrderNews.TRIGGERED)
        if (news := _NEWS.get(order.status)) is not None:
            self._tell(event, news)

    def _of(self, mode: Mode, news: OrderNews, key: Key) -> dict[str, AlertWish]:
        """Those that wait for news of an instrument, or of any."""
        return self._rows.get((mode, news, key), {}) | self._rows.get((mode, news, ANY), {})

    def _tell(self, event: OrderUpdated, news: OrderNews) -> None:
        order = event.order
        rows = self._of(event.mode, news, order.key)
        if not rows:
            return
        price = order.average_price if news is OrderNews.FILLED else 0.0
        where = f" at {plain(price)}" if price else ""
        reason = order.rejection_reason if news is OrderNews.REJECTED else ""
        why = f": {reason}" if reason else ""
        text = (
            f"{order.action.value} {order.quantity} {order.symbol} {order.product.value} is "
            f"{news.value}{where} ({event.mode.value}){why}"
        )
        name = (event.mode.value, event.account_id, order.order_id, news.value)
        about = (order.strategy, event.account_id)
        if order.source.startswith(OWN):  # an alert's order must not make alerts send more
            rows = {alert_id: wish for alert_id, wish in rows.items() if not wish.is_careful}
        at = order.updated_at or order.placed_at  # some books tell no more than the latter
        if at is not None:
            late = (self._clock.now() - at).total_seconds() > NEWS
        else:  # of an order that was never seen to work nobody knows how old its news is
            late = (event.mode, event.account_id, order.order_id) not in self._alive
        self._bring(rows, about, name, exact(price) if price else ZERO, text, late)

    def _on_refused(self, event: OrderRefused) -> None:
        row = event.request
        key = (str(row.get("exchange", "")), str(row.get("symbol", "")))
        rows = self._of(event.mode, OrderNews.REJECTED, key)
        if not rows or event.kind != "place":
            return
        about = (str(row.get("strategy", "")), event.account_id)
        text = (
            f"{row.get('action', 'Order')} {row.get('quantity', '')} {key[1]} was refused "
            f"({event.mode.value}): {event.reason}"
        )
        if event.source.startswith(OWN):
            rows = {alert_id: wish for alert_id, wish in rows.items() if not wish.is_careful}
        self._bring(rows, about, (), ZERO, text)

    def _bring(
        self,
        rows: dict[str, AlertWish],
        about: tuple[str, str],
        name: tuple[str, ...],
        value: Decimal,
        text: str,
        late: bool = False,
    ) -> None:
        """To each alert that waits for it; ``name`` is the news, empty for what comes once."""
        strategy, account = about
        for alert_id, wish in rows.items():
            subject = wish.subject
            assert isinstance(subject, OfOrders)
            if subject.strategy not in ("", strategy) or subject.account not in ("", account):
                continue
            if name:
                told = (alert_id, *name)
                if told in self._told:
                    continue
                self._told[told] = None
                _shorten(self._told)
            self._judge.happened(alert_id, value, text, late=late)


def _places(wish: AlertWish) -> list[_Place]:
    subject = wish.subject
    assert isinstance(subject, OfOrders)
    return [(subject.mode, news, wish.key) for news in subject.news]


def _shorten(rows: OrderedDict[K, None]) -> None:
    while len(rows) > MEMORY:
        rows.popitem(last=False)
