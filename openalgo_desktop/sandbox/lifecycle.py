"""Timed events of the sandbox: square-off, expiry, delivery, session boundary, snapshot, reset.

All follow the injected clock. Each event has a moment; :meth:`Lifecycle.run_due` runs, in order,
those that passed since it last ran, so that a program that was closed over any of them catches up
exactly: it then uses the last stored prices.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple, Protocol

from openalgo_desktop.core.enums import Product
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Key, OrderRequest, closing_order
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.exchange.ledger import ZERO, decimal
from openalgo_desktop.exchange.paper import PaperBook
from openalgo_desktop.exchange.records import PaperOrder, PaperPosition
from openalgo_desktop.exchange.state import DayRow
from openalgo_desktop.sandbox.charge_posts import ChargePosts
from openalgo_desktop.sandbox.gtt import GttDesk
from openalgo_desktop.sandbox.hours import SQUARE_OFF_GROUPS, Hours, SettingValues, at_time
from openalgo_desktop.sandbox.report import equity, open_profit

log = logging.getLogger(__name__)

_SNAPSHOT = time(23, 59)
_ONE_DAY = timedelta(days=1)


class Host(Protocol):
    """What timed events need of the account around the book."""

    async def quote(self, key: Key) -> Tick | None: ...
    def enter(
        self, request: OrderRequest, tag: str, tick: Tick | None, now: datetime, gtt: str = ""
    ) -> PaperOrder: ...
    def price(self, key: Key, mark: float) -> float: ...
    def publish(self, *keys: Key) -> None: ...
    def rewatch(self) -> None: ...


class Event(NamedTuple):
    """One timed event; ``rank`` orders events of the same moment."""

    at: datetime
    rank: int
    name: str


class Lifecycle:
    """Runs the timed events of one account."""

    def __init__(
        self,
        book: PaperBook,
        host: Host,
        hours: Hours,
        settings: SettingValues,
        gtts: GttDesk,
        charges: ChargePosts,
    ) -> None:
        self._book = book
        self._host = host
        self._charges = charges
        self._hours = hours
        self._settings = settings
        self._gtts = gtts
        self._lock = asyncio.Lock()
        self._swept = ""
        self._missed = ZERO  # booked by an expiry before a boundary of the same run
        self._carried = ZERO

    # -- schedule ---------------------------------------------------------------------------
    def events(self, after: datetime, until: datetime) -> Iterator[Event]:
        """Events in ``(after, until]``, in order."""
        day = after.date()
        while day <= until.date():
            for event in sorted(self._events_of(day)):
                if after < event.at <= until:
                    yield event
            day += _ONE_DAY

    def _events_of(self, day: date) -> list[Event]:
        midnight = at_time(day, time(0))
        found = [
            Event(midnight, 0, "expiry"),
            Event(midnight, 1, "delivery"),
            Event(at_time(day, self._settings["sandbox.session_expiry_time"]), 2, "day orders"),
            Event(at_time(day, self._settings["sandbox.session_expiry_time"]), 3, "boundary"),
            Event(at_time(day, _SNAPSHOT), 9, "snapshot"),
        ]
        for exchange in self._exchanges():
            cut_off = self._hours.cut_off(exchange, day)
            if cut_off is not None:
                found.append(Event(cut_off, 4, "square-off"))
            found.append(Event(self._hours.day_end(exchange, day), 5, "day orders"))
            found.append(Event(self._hours.expiry_moment(exchange, day), 6, "expiry"))
        return list(dict.fromkeys(found))

    def _exchanges(self) -> set[str]:
        """Exchanges where anything can happen."""
        busy = {key[0] for key in self._book.busy_keys()}
        positions = self._book.state.positions.values()
        return busy | {row.exchange for row in positions if row.quantity}

    # -- running ----------------------------------------------------------------------------
    async def run_due(self, now: datetime) -> bool:
        """Run what passed since the last time; whether anything changed."""
        async with self._lock:
            meta = self._book.state.meta
            after = meta.through or now
            if now < after:
                if after - now > _ONE_DAY:
                    meta.through = now  # the clock was set back: wait for no lost time
                return False
            changed = meta.through is None
            for event in list(self.events(after, now)):
                changed |= await self._run(event, now)
                await asyncio.sleep(0)
            meta.through = now
            meta.realised_today += self._carried
            self._missed = self._carried = ZERO
            changed |= self.reset_if_due(now)
            changed |= bool(self.expire_gtts(now))
            if self._swept != f"{now:%H:%M}":
                self._swept = f"{now:%H:%M}"
                changed |= await self.square_off(now)
            if changed:
                self._book.state.mark_meta()
                self._host.publish()
                self._host.rewatch()
            return changed

    async def _run(self, event: Event, now: datetime) -> bool:
        log.debug("sandbox: %s of %s", event.name, event.at)
        match event.name:
            case "expiry":
                return await self.settle_expired(event.at, now)
            case "delivery":
                return self.deliver(event.at)
            case "day orders":
                return self.expire_orders(event.at)
            case "boundary":
                return self.boundary()
            case "square-off":
                if event.at.replace(second=0) == now.replace(second=0, microsecond=0):
                    self._swept = f"{now:%H:%M}"  # this is the minute's sweep
                return await self.square_off(now, event.at)
            case _:
                return self.snapshot(event.at.date())

    # -- square-off -------------------------------------------------------------------------
    async def square_off(self, now: datetime, at: datetime | None = None) -> bool:
        """Cancel MIS orders and close MIS positions that are past their exchange's time.

        While the market is open on the same day positions leave by MARKET orders, tried again
        each minute; otherwise they are settled at the last price known.
        """
        changed = False
        for exchange in self._exchanges() & SQUARE_OFF_GROUPS.keys():
            moment = self._cut_off(exchange, at or now)
            if moment is None:
                continue
            blocked = at is None and not self._may_trade(exchange, now, moment)
            for row in self._book.all_working():
                order = row.order
                if order.exchange != exchange or order.product is not Product.MIS:
                    continue
                if blocked or (order.placed_at is not None and order.placed_at < moment):
                    self._book.cancel(order.order_id, now)
                    self._host.publish(order.key)
                    changed = True
            for position in list(self._book.state.positions.values()):
                if position.exchange != exchange or position.product is not Product.MIS:
                    continue
                past = blocked or (position.opened is not None and position.opened < moment)
                if position.quantity and past:
                    today = moment >= self._hours.boundary(at or now)
                    await self._close_mis(position, moment, now, today)
                    changed = True
        return changed

    def _cut_off(self, exchange: str, now: datetime) -> datetime | None:
        """The last time the exchange's cut-off passed."""
        moment = self._hours.cut_off(exchange, now.date())
        if moment is None or moment <= now:
            return moment
        return self._hours.cut_off(exchange, now.date() - _ONE_DAY)

    def _may_trade(self, exchange: str, now: datetime, cut_off: datetime) -> bool:
        """Whether MIS may be traded at ``now``: the opening of a later day than the cut-off's has
        come."""
        return now >= self._hours.mis_from(exchange, cut_off.date() + _ONE_DAY)

    async def _close_mis(
        self, position: PaperPosition, moment: datetime, now: datetime, today: bool
    ) -> None:
        """Close one; a square-off that was missed belongs to the session it was missed in, whose
        boundary and snapshot are still to come when events are caught up with (``today``)."""
        same_day = moment.date() == now.date()
        if same_day and self._hours.is_open(position.exchange, now):
            await self._exit(position, now)
            return
        tick = await self._host.quote(position.key) if same_day else None
        price = tick.ltp if tick is not None and tick.ltp > 0 else position.mark
        log.info("square-off of %s missed: settled at %s", position.symbol, price)
        self._book.settle(position.position_key, decimal(price), moment, today=today)

    async def _exit(self, position: PaperPosition, now: datetime) -> None:
        request = closing_order(position)
        tick = await self._host.quote(position.key)
        log.info("square-off of %s: %s %d", request.symbol, request.action, request.quantity)
        try:
            self._host.enter(request, "", tick, now)
        except AppError as error:
            log.error("square-off of %s refused: %s", position.symbol, error.message)

    # -- expiry -----------------------------------------------------------------------------
    def expire_orders(self, now: datetime) -> bool:
        """Cancel day orders whose day is over and orders in expired contracts."""
        over = [row for row in self._book.all_working() if self._is_over(row, now)]
        for row in over:
            self._book.cancel(row.order.order_id, now)
            self._host.publish(row.order.key)
        return bool(over)

    def _is_over(self, row: PaperOrder, now: datetime) -> bool:
        exchange = row.order.exchange
        if row.session is not None and self._hours.day_end(exchange, row.session) <= now:
            return True
        expiry = self._book.instrument(row.order.key).expiry
        return expiry is not None and self._hours.expiry_moment(exchange, expiry) <= now

    async def settle_expired(self, at: datetime, now: datetime) -> bool:
        """Close positions in contracts that have expired by ``at``."""
        changed = self.expire_orders(at)
        for position in list(self._book.state.positions.values()):
            if not position.quantity or position.expiry is None:
                continue
            if self._hours.expiry_moment(position.exchange, position.expiry) > at:
                continue
            price = await self._settlement_price(position, now)
            before = self._book.state.meta.realised
            log.info("%s has expired: %d settled at %s", position.symbol, position.quantity, price)
            self._charges.exercise(position, price, at)
            self._book.settle(position.position_key, price, at, today=True)
            self._missed += self._book.state.meta.realised - before
            changed = True
        return changed

    async def _settlement_price(self, position: PaperPosition, now: datetime) -> Decimal:
        option = position.instrument_type in ("CE", "PE")
        if option and self._settings["sandbox.option_expiry_settlement"] == "zero":
            return ZERO
        last = position.mark
        if position.expiry == now.date():
            tick = await self._host.quote(position.key)
            if tick is not None and tick.ltp > 0:
                last = tick.ltp
        return decimal(last) if last or option else position.average

    # -- delivery, day, reset ---------------------------------------------------------------
    def deliver(self, now: datetime) -> bool:
        """Settle shares whose delivery day has come (T+1, trading days)."""
        due: list[tuple[PaperPosition, date]] = []
        for position in self._book.state.positions.values():
            if position.product is Product.CNC and position.quantity and position.opened:
                day = self._hours.delivery_day(position.exchange, position.opened.date())
                if day <= now.date():
                    due.append((position, day))
        for position, day in due:
            log.info("%d shares of %s delivered", position.quantity, position.symbol)
            self._book.deliver(position.position_key, day, now)
        return bool(due)

    def overdue(self, position: PaperPosition, now: datetime) -> bool:
        """Whether an event is about to take this row away (it is no position any more)."""
        if not position.quantity or position.opened is None:
            return False
        if position.product is Product.CNC:
            opened = position.opened.date()
            return self._hours.delivery_day(position.exchange, opened) <= now.date()
        if position.product is Product.MIS and not self._hours.round_the_clock:
            return position.opened < self._hours.boundary(now)
        return False

    def boundary(self) -> bool:
        """A new session: today's figures start at zero, all-time ones stay."""
        state = self._book.state
        state.meta.realised_today = state.meta.charges_today = ZERO
        self._carried += self._missed
        self._missed = ZERO
        for position in state.positions.values():
            if position.realised_today or position.buy_quantity or position.sell_quantity:
                position.realised_today = ZERO
                position.buy_quantity = position.sell_quantity = 0
                state.mark_position(position)
        return True

    def snapshot(self, day: date) -> bool:
        """File the day's line of the daily table; none on days without trading."""
        if not (self._hours.round_the_clock or self._hours.calendar.is_trading_day(day)):
            return False
        self._charges.end_day(at_time(day, _SNAPSHOT))
        state, price = self._book.state, self._host.price
        positions, holdings = open_profit(state, price)
        ledger, meta = state.ledger, state.meta
        state.add_day(
            DayRow(
                day=day,
                realised=float(meta.realised_today),
                positions_unrealised=float(positions),
                holdings_unrealised=float(holdings),
                total_mtm=float(meta.realised_today + positions + holdings),
                available=float(ledger.cash),
                used_margin=float(ledger.reserved),
                portfolio_value=float(ledger.cash + ledger.reserved),
                equity=float(equity(state, price)),
                charges=float(meta.charges_today),
            )
        )
        return True

    def expire_gtts(self, now: datetime) -> int:
        """End GTTs whose time is over; how many."""
        return len(self._gtts.expire(now))

    def reset_if_due(self, now: datetime) -> bool:
        """The automatic reset, when its moment passed since the last one."""
        moment = self._hours.reset_moment(now)
        last = self._book.state.meta.last_reset
        if moment is None or last is None or last >= moment:
            return False
        self.reset(now)
        return True

    def reset(self, now: datetime) -> None:
        """Back to the starting capital: resting orders and GTTs are cancelled, positions and
        holdings go; orders, trades and the daily table stay as history."""
        state = self._book.state
        for row in self._book.all_working():
            self._book.cancel(row.order.order_id, now)
        self._gtts.cancel_all(now)
        for key in list(state.positions):
            state.drop_position(key)
        for stock in list(state.holdings):
            state.drop_holding(stock)
        self._book.fund(decimal(self._settings["sandbox.starting_capital"]), now)
        state.meta.reset_count += 1
        state.mark_meta()
        log.warning("the sandbox was reset to %s rupees", state.meta.capital)
