"""The risk rules: limits per scope, trading hours, square-off lock, duplicate-order guard.

A scope is everything (``all``), an account (``account:ID``), a symbol (``symbol:NSE:SBIN``) or a
strategy (``strategy:NAME``). A limit of 0 is off. Orders that only reduce a position pass the
limits of size and money: a rule must never keep a trader in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import time
from functools import partial
from typing import Any, Protocol

import msgspec

from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import Action, Mode, PriceType, Product
from openalgo_desktop.core.errors import AppError, ConfigError, RiskBlocked
from openalgo_desktop.core.model import Key, ModifyRequest, Order, OrderRequest
from openalgo_desktop.core.ports import InstrumentLookup, TickSource
from openalgo_desktop.core.ticks import Part
from openalgo_desktop.trading.limit_rows import (
    OF_STRATEGY,
    OFF,
    Facts,
    Limits,
    books_unknown,
    check_scope,
    held_of,
    needs_books,
    needs_result,
)
from openalgo_desktop.trading.ownbook import OwnBook, PositionKey
from openalgo_desktop.trading.program_limits import NoPrograms, ProgramQuotas
from openalgo_desktop.trading.valuing import Valuation

#: Set by a door for one request of many orders (a split, a basket): its own repetitions are meant.
one_request: ContextVar[object | None] = ContextVar("one_request", default=None)

_MINUTE = 60.0


Settings = Callable[[str], Any]


OwnUnits = Callable[[Mode, str], Mapping[PositionKey, int] | None]


class _Lets(msgspec.Struct, frozen=True):
    """Whether an order only closes: a position of the account, and (of a hosted program) its own.
    What somebody else holds is nothing that a program may close where it may only close."""

    account: bool
    own: bool

    @property
    def all(self) -> bool:
        return self.account and self.own

    def out_of(self, scope: str) -> bool:
        """Whether a scope lets the order out."""
        return self.own if scope.partition(":")[0] in OF_STRATEGY else self.account

    def held_to(self, limits: Mapping[str, Limits]) -> dict[str, Limits]:
        """The limits of scopes that do not."""
        return {scope: row for scope, row in limits.items() if not self.out_of(scope)}


class Books(Protocol):
    """Gives the own book of a mode."""

    def book(self, mode: Mode) -> OwnBook: ...


class RiskRules:
    """Checks one order against all limits; raises :class:`RiskBlocked` with the reason.

    ``settings`` gives ``risk.*``; ``scopes`` are the limits that the user set for single
    accounts, symbols and strategies, kept by :meth:`set_scope`.
    """

    def __init__(
        self,
        clock: Clock,
        ticks: TickSource,
        instruments: InstrumentLookup,
        books: Books,
        settings: Settings,
        is_open: Callable[[str], bool],
        calendar: MarketCalendar,
    ) -> None:
        self._clock = clock
        self._ticks = ticks
        self._valuations = {mode: Valuation(ticks) for mode in Mode}
        self._instruments = instruments
        self._books = books
        self._settings = settings
        self._is_open = is_open
        self._calendar = calendar
        self.scopes: dict[str, Limits] = {}
        self.programs: ProgramQuotas = NoPrograms()
        #: Signed units that a strategy holds, of all days; None before its book was read.
        self.own_units: OwnUnits = lambda mode, strategy: None
        self.on_store: Callable[[str, Any], None] | None = None
        self._sent: dict[tuple[Mode, str], deque[float]] = {}
        self._last: dict[tuple[Mode, OrderRequest], tuple[float, object | None]] = {}

    # -- limits -----------------------------------------------------------------------------
    def load(self, stored: Mapping[str, Any]) -> None:
        """Take stored limits by scope; a damaged one stops the start, for it must not be off."""
        for scope, row in stored.items():
            if row:
                self.scopes[scope] = self._parse(scope, row)

    def set_scope(self, scope: str, limits: Mapping[str, Any]) -> None:
        """Set (or with an empty mapping, remove) the limits of a scope and keep them. Raises
        :class:`ConfigError`."""
        if scope.partition(":")[0] not in ("account", "symbol", "strategy") or ":" not in scope:
            raise ConfigError(
                f"Risk scope {scope!r} must be account:ID, symbol:EXCHANGE:SYMBOL or strategy:NAME."
            )
        if limits:
            self.scopes[scope] = self._parse(scope, limits)
        else:
            self.scopes.pop(scope, None)
        if self.on_store is not None:
            self.on_store(scope, dict(limits))

    @staticmethod
    def _parse(scope: str, row: Any) -> Limits:
        try:
            limits = msgspec.convert(row, Limits, strict=False)
        except msgspec.ValidationError as error:
            raise ConfigError(f"Risk limits of {scope}: {error}.") from None
        for name in Limits.__struct_fields__:
            if getattr(limits, name) < 0:
                raise ConfigError(f"Risk limits of {scope}: {name} cannot be negative.")
        return limits

    def _applying(self, request: OrderRequest, book: OwnBook) -> dict[str, Limits]:
        common = {name: self._settings(f"risk.{name}") for name in Limits.__struct_fields__}
        found = {"all": Limits(**common)}
        for scope in (
            f"account:{book.account_id}",
            f"symbol:{request.exchange}:{request.symbol}",
            f"strategy:{request.strategy}",
        ):
            if scope in self.scopes:
                found[scope] = self.scopes[scope]
        lots, positions = self.programs.sizes(request.strategy)
        own = Limits(max_lots=lots, open_positions=positions)
        found[f"program:{request.strategy}"] = own
        return {scope: limits for scope, limits in found.items() if limits != OFF}

    # -- checking ---------------------------------------------------------------------------
    async def check(self, request: OrderRequest, mode: Mode) -> None:
        """Every rule for a new order of ``mode``, by the book of that mode. Prices are asked
        before anything is decided, so that orders of one moment count against each other."""
        book = self._books.book(mode)
        limits = self._applying(request, book)
        lets = self._lets(request, book)
        while True:
            price = await self._price(request, limits, lets)
            prices = {} if lets.all else await self._prices(lets.held_to(limits), book)
            before, lets = lets, self._lets(request, book)
            if lets == before:  # else the position moved while prices were asked
                break
        if book.day is None and any(needs_books(row) for row in limits.values()):
            raise books_unknown(book)
        if not lets.own:
            self.programs.check(request.strategy, mode)
        self._check_hours(request)
        self._check_square_off(request, lets.account)
        for scope, row in limits.items():
            facts, closes = self._facts(scope, request, book, price), lets.out_of(scope)
            if needs_result(row) and not closes:
                facts.profit = self._profit(scope, book, prices)
            check_scope(scope, row, facts, closes=closes)
        self._check_duplicate(request, mode)
        self._count(limits, mode)
        self.programs.sent(request.strategy, mode)

    async def check_modify(self, order: Order, request: ModifyRequest, mode: Mode) -> None:
        """Size and price rules for the order as it would be; one that grows opens more, so it is
        held to what a new order is held to, too."""
        changed = OrderRequest(
            symbol=order.symbol,
            exchange=order.exchange,
            action=order.action,
            quantity=request.quantity or order.quantity,
            price_type=request.price_type or order.price_type,
            product=order.product,
            price=order.price if request.price is None else request.price,
            trigger_price=(
                order.trigger_price if request.trigger_price is None else request.trigger_price
            ),
            strategy=order.strategy,
        )
        smaller = changed.quantity <= order.quantity and changed.price <= order.price
        if changed.quantity > order.quantity:
            await self._check_growing(order, changed, mode)
        await self._check_size(changed, mode, lambda book: _Lets(smaller, smaller))

    async def _check_growing(self, order: Order, changed: OrderRequest, mode: Mode) -> None:
        """Who may only close does not open by making an order larger that rests already."""
        book = self._books.book(mode)
        quantity = changed.quantity - order.filled_quantity
        rest = msgspec.structs.replace(changed, quantity=quantity)
        limits = {
            scope: Limits(day_loss=row.day_loss, day_profit=row.day_profit)
            for scope, row in self._applying(changed, book).items()
            if needs_result(row)
        }
        lets = self._lets(rest, book, order.order_id)
        if lets.all:
            return
        prices = await self._prices(lets.held_to(limits), book)
        lets = self._lets(rest, book, order.order_id)
        if limits and not lets.all and book.day is None:
            raise books_unknown(book)
        if not lets.own:
            self.programs.check(changed.strategy, mode)
        self._check_square_off(changed, lets.account)
        for scope, row in lets.held_to(limits).items():
            facts = self._facts(scope, changed, book, 0.0)
            facts.profit = self._profit(scope, book, prices)
            check_scope(scope, row, facts, closes=False)

    async def check_whole(self, request: OrderRequest, mode: Mode) -> None:
        """Size and price rules for an order that goes out in slices; :meth:`check` takes (and
        counts) the slices."""
        await self._check_size(request, mode, partial(self._lets, request))

    async def _check_size(
        self, request: OrderRequest, mode: Mode, lets: Callable[[OwnBook], _Lets]
    ) -> None:
        book = self._books.book(mode)
        limits = self._applying(request, book)
        price = await self._price(request, limits, lets(book))
        now = lets(book)
        for scope, row in limits.items():
            facts = self._facts(scope, request, book, price)
            facts.recent = facts.positions = -1
            check_scope(scope, row, facts, closes=now.out_of(scope))

    def _lets(self, request: OrderRequest, book: OwnBook, instead_of: str = "") -> _Lets:
        account = book.closes(request, instead_of=instead_of)
        if not account or not self.programs.knows(request.strategy):
            return _Lets(account, account)
        units = self.own_units(book.mode, request.strategy)
        if units is None:  # soon after a start: what may be its own of earlier days gets out
            return _Lets(account, account)
        return _Lets(account, book.closes_own(request, units, instead_of=instead_of))

    async def _prices(self, limits: Mapping[str, Limits], book: OwnBook) -> dict[Key, float]:
        """Fresh prices of what the limits on the day's result look at; without such limits
        nothing is streamed for them."""
        scopes = [scope for scope, row in limits.items() if needs_result(row)]
        prices: dict[Key, float] = {}
        valuation = self._valuations[book.mode]
        if not scopes:
            if not self._any_result():
                valuation.follow(())
            return prices
        while missing := set().union(*(held_of(s, book) for s in scopes)) - prices.keys():
            prices |= await valuation.prices(missing, book.held() | prices.keys() | missing)
        return prices

    def _any_result(self) -> bool:
        common = self._settings("risk.day_loss") or self._settings("risk.day_profit")
        return bool(common) or any(map(needs_result, self.scopes.values()))

    @staticmethod
    def _profit(scope: str, book: OwnBook, prices: Mapping[Key, float]) -> float:
        kind, _, name = scope.partition(":")
        if kind == "strategy":
            return book.strategy_profit(prices, name)
        return book.day_profit(prices, name if kind == "symbol" else "")

    async def _price(
        self, request: OrderRequest, limits: Mapping[str, Limits], lets: _Lets
    ) -> float:
        """The last price where a rule needs it, else 0; it must be fresh. What closes is not
        held to its value, so it never waits for a price that only the value needs."""
        banded = request.price_type.has_price and any(row.price_band for row in limits.values())
        # A sale below the market trades at the market: its own price says too little.
        open_ended = not request.price_type.has_price or request.action is Action.SELL
        valued = open_ended and any(row.max_value for row in lets.held_to(limits).values())
        if not banded and not valued:
            return 0.0
        try:
            return (await self._ticks.snapshot(request.key, Part.LTP)).ltp
        except AppError as error:
            raise RiskBlocked(
                f"The price of {request.symbol} is not known ({error.message}), so the risk limits "
                "cannot be checked."
            ) from error

    def _facts(self, scope: str, request: OrderRequest, book: OwnBook, price: float) -> Facts:
        instrument = self._instruments.require(request.symbol, request.exchange)
        own = request.price if request.price_type.has_price else price
        if request.action is Action.SELL:
            own = max(own, price)
        if request.price_type is PriceType.SLM and not own:
            own = request.trigger_price
        kind, _, name = scope.partition(":")
        if kind in OF_STRATEGY:
            positions = book.strategy_positions(name)
        else:
            positions = book.open_positions(name if kind == "symbol" else "")
        held = book.positions.get((request.exchange, request.symbol, request.product))
        if held is not None and held.quantity:
            positions -= 1  # adding to a position opens no other one
        return Facts(
            quantity=request.quantity,
            lots=request.quantity / max(1, instrument.lot_size),
            value=request.quantity * own * instrument.contract_value,
            off_price=(
                100.0 * abs(request.price - price) / price
                if price and request.price_type.has_price
                else 0.0
            ),
            recent=len(self._recent(book.mode, scope)),
            positions=positions,
        )

    def _check_hours(self, request: OrderRequest) -> None:
        if self._settings("risk.trading_hours") and not self._is_open(request.exchange):
            raise RiskBlocked(
                f"The market {request.exchange} is closed (setting risk.trading_hours)."
            )

    def _check_square_off(self, request: OrderRequest, closes: bool) -> None:
        lock = self._settings("risk.square_off_lock")
        if not lock or closes or request.product is not Product.MIS:
            return
        now = self._clock.now()
        at = self._calendar.to_close(request.exchange, now.date(), time.fromisoformat(lock))
        if now >= at:
            raise RiskBlocked(
                f"No new intraday positions after {at:%H:%M} (setting risk.square_off_lock); "
                "orders that close one are accepted."
            )

    def _check_duplicate(self, request: OrderRequest, mode: Mode) -> None:
        window = self._settings("risk.duplicate_ms") / 1000.0
        now = self._clock.monotonic()
        mine, name = one_request.get(), (mode, request)
        if window:
            last, other = self._last.get(name, (float("-inf"), None))
            meant = mine is not None and mine is other
            if now - last < window and not meant:
                raise RiskBlocked(
                    f"The same order of {request.symbol} was sent {1000 * (now - last):.0f} ms ago "
                    "(setting risk.duplicate_ms)."
                )
            self._last = {key: row for key, row in self._last.items() if now - row[0] < window}
            self._last[name] = (now, mine)

    # -- orders per minute ------------------------------------------------------------------
    def _recent(self, mode: Mode, scope: str) -> deque[float]:
        sent = self._sent.setdefault((mode, scope), deque())
        oldest = self._clock.monotonic() - _MINUTE
        while sent and sent[0] <= oldest:
            sent.popleft()
        return sent

    def _count(self, limits: Mapping[str, Limits], mode: Mode) -> None:
        now = self._clock.monotonic()
        self._recent(mode, "all").append(now)  # counted without a limit, too: the window shows it
        for scope, row in limits.items():
            if row.orders_per_minute and scope != "all":
                self._recent(mode, scope).append(now)

    def sent_within_a_minute(self, mode: Mode) -> int:
        """Orders of ``mode`` that passed the rules within the last minute, of all sources."""
        return len(self._recent(mode, "all"))
