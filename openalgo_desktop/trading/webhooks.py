"""Webhook strategies: what an alert with a secret id may trade, and the order it means.

The window makes them (:class:`WebhookStore`), the local API receives the alerts.
"""

from __future__ import annotations

import uuid
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

import msgspec

from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.enums import Action, PriceType, Product
from openalgo_desktop.core.errors import ConfigError, OrderError
from openalgo_desktop.core.model import OrderRequest

_SCOPE = "webhooks"
#: Longest name of a strategy; it is part of the source in the journal.
MAX_NAME = 80
#: Reason of a request to a human that is an alert which an earlier run of the program left unsent.
NOT_SENT = "The program stopped before this alert was sent."
#: The same of an alert whose turn came while the disk was full.
NOT_STORED = "The disk took nothing when this alert was to be sent."


class WebhookMode(StrEnum):
    """Which side a strategy trades."""

    LONG = "LONG"
    SHORT = "SHORT"
    BOTH = "BOTH"


class WebhookKind(StrEnum):
    """Who sends: a strategy alert with symbol and action, or a Chartink scan."""

    STRATEGY = "strategy"
    CHARTINK = "chartink"


class SymbolMap(msgspec.Struct, frozen=True):
    """One symbol that a webhook may trade, and how much of it."""

    symbol: str
    exchange: str
    quantity: int
    product: Product = Product.MIS


class WebhookStrategy(msgspec.Struct, frozen=True):
    """A webhook strategy. The id is its only credential. Times are ``HH:MM`` IST and count only
    when ``intraday``: entries from ``start`` to ``end``, exits from ``start`` on; at ``square_off``
    what the strategy holds is closed. On a day with other hours they follow its session."""

    webhook_id: str
    name: str
    kind: WebhookKind = WebhookKind.STRATEGY
    mode: WebhookMode = WebhookMode.LONG
    symbols: tuple[SymbolMap, ...] = ()
    active: bool = True
    intraday: bool = True
    start: str = "09:15"
    end: str = "15:00"
    square_off: str = "15:15"

    @property
    def source(self) -> str:
        """Who the order desk sees as the sender."""
        return f"webhook:{self.name}"

    def mapping(self, symbol: str) -> SymbolMap | None:
        """The mapped symbol, exactly as written."""
        return next((row for row in self.symbols if row.symbol == symbol), None)


class WebhookOrder(msgspec.Struct, frozen=True):
    """What an alert asks for; ``target`` is set for an order to a position size."""

    request: OrderRequest
    target: int | None = None


class WebhookRefused(OrderError):
    """The alert is not followed; ``http_status`` is that of the answer."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.http_status = status


class JsonStore(Protocol):
    """Small JSON values by scope and key."""

    async def all(self, scope: str) -> dict[str, Any]: ...
    async def get(self, scope: str, key: str) -> Any: ...
    async def put(self, scope: str, key: str, value: Any) -> None: ...
    async def delete(self, scope: str, key: str) -> None: ...


class WebhookStore:
    """The stored strategies."""

    def __init__(self, state: JsonStore) -> None:
        self._state = state

    @staticmethod
    def new_id() -> str:
        """A secret id for a new strategy."""
        return str(uuid.uuid4())

    async def all(self) -> list[WebhookStrategy]:
        """Every strategy, by name."""
        rows = (await self._state.all(_SCOPE)).values()
        found = [msgspec.convert(row, WebhookStrategy) for row in rows]
        return sorted(found, key=lambda row: row.name.lower())

    async def get(self, webhook_id: str) -> WebhookStrategy | None:
        """One strategy, or None."""
        row = await self._state.get(_SCOPE, webhook_id)
        return None if row is None else msgspec.convert(row, WebhookStrategy)

    async def save(self, strategy: WebhookStrategy) -> None:
        """Store a strategy; raises :class:`ConfigError` that names the field."""
        check(strategy)
        await self._state.put(_SCOPE, strategy.webhook_id, msgspec.to_builtins(strategy))

    async def delete(self, webhook_id: str) -> None:
        """Forget a strategy: its alerts are refused from now on."""
        await self._state.delete(_SCOPE, webhook_id)


def check(strategy: WebhookStrategy) -> None:
    """Raise :class:`ConfigError` for a strategy that cannot work."""
    if not strategy.name.strip():
        raise ConfigError("name: a webhook strategy needs a name.")
    if len(strategy.name) > MAX_NAME:
        raise ConfigError(f"name: at most {MAX_NAME} characters.")
    if not strategy.name.isprintable():  # a line of a log, a name that reads backwards
        raise ConfigError("name: use visible characters only, no line breaks or control marks.")
    for field in ("start", "end", "square_off"):
        text = getattr(strategy, field)
        try:  # times are compared as texts, and by a wall clock: "0915" or "09:15Z" would mislead
            if time.fromisoformat(text).strftime("%H:%M") != text:
                raise ValueError(text)
        except ValueError:
            raise ConfigError(f"{field}: write a time as HH:MM.") from None
    if not strategy.start < strategy.end <= strategy.square_off:
        raise ConfigError("end: must be after start and not after square_off.")
    for row in strategy.symbols:
        if row.quantity <= 0:
            raise ConfigError(f"quantity: {row.symbol} needs a quantity above 0.")


class Hours(NamedTuple):
    """When a strategy may trade on one day."""

    start: datetime
    end: datetime
    square_off: datetime


def hours_of(
    strategy: WebhookStrategy, exchange: str, day: date, calendar: MarketCalendar
) -> Hours:
    """The strategy's times on ``day``: they follow the session of the exchange, whatever its
    hours (an evening, a Saturday, a short day)."""
    return Hours(
        calendar.from_open(exchange, day, time.fromisoformat(strategy.start)),
        calendar.to_close(exchange, day, time.fromisoformat(strategy.end)),
        calendar.to_close(exchange, day, time.fromisoformat(strategy.square_off)),
    )


def check_window(
    strategy: WebhookStrategy,
    exchange: str,
    now: datetime,
    calendar: MarketCalendar,
    *,
    entry: bool,
) -> None:
    """Raise :class:`WebhookRefused` outside the hours of an intraday strategy. An exit is never
    refused because it is late."""
    if not strategy.intraday:
        return
    hours = hours_of(strategy, exchange, now.date(), calendar)
    if now < hours.start:
        raise WebhookRefused(f"{'Entry' if entry else 'Exit'} orders not allowed before start time")
    if entry and now > hours.end:
        raise WebhookRefused("Entry orders not allowed after end time")


def strategy_order(
    strategy: WebhookStrategy,
    symbol: str,
    action: str,
    size: int | None,
    now: datetime,
    calendar: MarketCalendar,
) -> WebhookOrder:
    """The order of a strategy alert. LONG: BUY enters, SELL exits; SHORT the reverse; BOTH goes
    to the signed ``size``. Raises :class:`WebhookRefused`."""
    mapped = strategy.mapping(symbol)
    if mapped is None:
        raise WebhookRefused(f"No mapping found for symbol {symbol}")
    if action not in ("BUY", "SELL"):
        raise WebhookRefused(_wrong_action(strategy.mode))
    side = Action(action)
    if strategy.mode is WebhookMode.BOTH:
        if size is None:
            raise WebhookRefused("Missing required fields: position_size")
        if side is Action.BUY and size < 0:
            raise WebhookRefused("For BUY orders in BOTH mode, position_size must be >= 0")
        if side is Action.SELL and size > 0:
            raise WebhookRefused("For SELL orders in BOTH mode, position_size must be <= 0")
        check_window(strategy, mapped.exchange, now, calendar, entry=size != 0)
        return WebhookOrder(
            market_order(strategy, mapped, side, mapped.quantity if size else 0), size
        )
    enters = (side is Action.BUY) == (strategy.mode is WebhookMode.LONG)
    check_window(strategy, mapped.exchange, now, calendar, entry=enters)
    if enters:
        quantity = abs(size or 0) or mapped.quantity
        return WebhookOrder(market_order(strategy, mapped, side, quantity))
    return WebhookOrder(market_order(strategy, mapped, side, 0), 0)


def _wrong_action(mode: WebhookMode) -> str:
    if mode is WebhookMode.SHORT:
        return "Invalid action for SHORT mode. Use SELL to enter, BUY to exit"
    if mode is WebhookMode.LONG:
        return "Invalid action for LONG mode. Use BUY to enter, SELL to exit"
    return "Invalid action for BOTH mode. Use BUY or SELL"


#: Words in a scan's name, in the order in which they are looked for: action and entry or exit.
SCAN_WORDS: tuple[tuple[str, Action, bool], ...] = (
    ("BUY", Action.BUY, True),
    ("SELL", Action.SELL, False),
    ("SHORT", Action.SELL, True),
    ("COVER", Action.BUY, False),
)


def scan_orders(
    strategy: WebhookStrategy,
    scan_name: str,
    stocks: list[str],
    now: datetime,
    calendar: MarketCalendar,
) -> list[WebhookOrder]:
    """The orders of a Chartink alert; stocks without mapping are left out."""
    upper = scan_name.upper()
    found = next((row for row in SCAN_WORDS if row[0] in upper), None)
    if found is None:
        raise WebhookRefused("No valid action keyword (BUY/SELL/SHORT/COVER) found in scan name")
    _, side, entry = found
    if strategy.intraday:
        exchange = strategy.symbols[0].exchange if strategy.symbols else "NSE"
        hours = hours_of(strategy, exchange, now.date(), calendar)
        if now < hours.start:
            raise WebhookRefused("Cannot place orders before start time")
        if entry and now > hours.square_off:
            raise WebhookRefused("Cannot place orders after squareoff time")
        if entry and now > hours.end:
            raise WebhookRefused("Cannot place entry orders after end time")
    if not strategy.symbols:
        raise WebhookRefused("No symbol mappings configured")
    orders: list[WebhookOrder] = []
    for stock in stocks:
        mapped = strategy.mapping(stock)
        if mapped is None:
            continue
        if entry:
            orders.append(WebhookOrder(market_order(strategy, mapped, side, mapped.quantity)))
        else:
            orders.append(WebhookOrder(market_order(strategy, mapped, side, 0), 0))
    return orders


def market_order(
    strategy: WebhookStrategy, mapped: SymbolMap, side: Action, quantity: int
) -> OrderRequest:
    """A market order on a mapped symbol."""
    return OrderRequest(
        symbol=mapped.symbol,
        exchange=mapped.exchange,
        action=side,
        quantity=quantity,
        price_type=PriceType.MARKET,
        product=mapped.product,
        strategy=strategy.name,
    )
