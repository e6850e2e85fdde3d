"""Good-till-triggered orders of the sandbox: reserve, trigger, become a normal order.

A GTT reserves the money of its leg (of an OCO the larger one, or both, by setting). When the last
price reaches a trigger the reserve goes back, the other leg is cancelled and a normal order is
placed; when that is refused the GTT ends as rejected with the reason and is not tried again.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from openalgo_desktop.core.enums import GttStatus, GttType, PriceType
from openalgo_desktop.core.errors import GttNotFound, InvalidOrder, OrderError
from openalgo_desktop.core.gtt import Gtt, GttLeg, GttRequest
from openalgo_desktop.core.model import Instrument, Key, OrderRequest
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.exchange.checks import check_gtt
from openalgo_desktop.exchange.ledger import ZERO, decimal, paise
from openalgo_desktop.exchange.paper import PaperBook
from openalgo_desktop.exchange.records import PaperOrder

log = logging.getLogger(__name__)

VALIDITY = timedelta(days=365)
STRATEGY = "GTT"

#: Places the order of a leg that fired; raises :class:`OrderError`.
Enter = Callable[[OrderRequest, str, Tick, str], PaperOrder]


class GttDesk:
    """The GTTs of one paper book. Legs are watched per instrument by two thresholds, so a tick
    that reaches none costs two comparisons."""

    def __init__(self, book: PaperBook, oco_sum: Callable[[], bool], enter: Enter) -> None:
        self._book = book
        self._oco_sum = oco_sum
        self._enter = enter
        self._active: dict[Key, list[Gtt]] = {}
        self._reach: dict[Key, tuple[float, float]] = {}

    def load(self) -> None:
        """Index the stored GTTs."""
        self._active.clear()
        self._reach.clear()
        for gtt in self._book.state.gtts.values():
            if gtt.status is GttStatus.ACTIVE:
                self._active.setdefault(gtt.key, []).append(gtt)
        for key in self._active:
            self._index(key)

    def watches(self, key: Key) -> bool:
        """Whether a GTT waits on the instrument."""
        return key in self._active

    def instruments(self) -> list[Key]:
        """Instruments with active GTTs."""
        return list(self._active)

    def active(self) -> list[Gtt]:
        """Active GTTs, newest first; copies."""
        rows = [gtt for gtts in self._active.values() for gtt in gtts]
        rows.sort(key=lambda gtt: (str(gtt.created_at), gtt.trigger_id), reverse=True)
        return [msgspec.convert(msgspec.to_builtins(gtt), Gtt) for gtt in rows]

    def find(self, trigger_id: str) -> Gtt:
        """An active GTT; raises :class:`GttNotFound`."""
        gtt = self._book.state.gtts.get(trigger_id)
        if gtt is None or gtt.status is not GttStatus.ACTIVE:
            raise GttNotFound(trigger_id)
        return gtt

    # -- requests ---------------------------------------------------------------------------
    def place(
        self, request: GttRequest, tag: str, instrument: Instrument, ltp: float, now: datetime
    ) -> Gtt:
        """Reserve and wait. Raises :class:`OrderError` when it cannot be or money is short."""
        legs = self._legs(request, instrument, request.last_price or ltp)
        margin = self._margin(legs)
        self._book.require(margin)
        gtt = Gtt(
            trigger_id=f"GTT-{now:%y%m%d}-{secrets.token_hex(4)}",
            trigger_type=request.trigger_type,
            symbol=request.symbol,
            exchange=request.exchange,
            action=request.action,
            quantity=request.quantity,
            product=request.product,
            price_type=request.price_type,
            legs=legs,
            last_price=request.last_price or ltp,
            created_at=now,
            updated_at=now,
            expires_at=request.expires_at or now + VALIDITY,
            strategy=request.strategy,
            tag=tag,
            account_id=self._book.account_id,
        )
        self._book.state.gtts[gtt.trigger_id] = gtt
        self._active.setdefault(gtt.key, []).append(gtt)
        self._reserve(gtt, margin, now)
        self._index(gtt.key)
        return gtt

    def modify(
        self,
        trigger_id: str,
        request: GttRequest,
        instrument: Instrument,
        ltp: float,
        now: datetime,
    ) -> Gtt:
        """Replace triggers, prices and quantity and reserve anew, both ways."""
        gtt = self.find(trigger_id)
        fixed = (
            ("symbol", gtt.symbol, request.symbol.upper() or gtt.symbol),
            ("exchange", gtt.exchange, request.exchange or gtt.exchange),
            ("action", gtt.action.value, request.action.value),
            ("trigger_type", gtt.trigger_type.value, request.trigger_type.value),
        )
        for name, has, asked in fixed:
            if has != asked:
                raise InvalidOrder(
                    f"{name} cannot be changed on an existing GTT ({has} -> {asked}). "
                    "Cancel and re-place.",
                    field=name,
                )
        request = msgspec.structs.replace(request, symbol=gtt.symbol, exchange=gtt.exchange)
        legs = self._legs(request, instrument, request.last_price or ltp)
        margin = self._margin(legs)
        if margin > decimal(gtt.margin):
            self._book.require(margin - decimal(gtt.margin))
        gtt.legs, gtt.quantity, gtt.product = legs, request.quantity, request.product
        gtt.price_type, gtt.updated_at = request.price_type, now
        self._reserve(gtt, margin, now)
        self._index(gtt.key)
        return gtt

    def cancel(self, trigger_id: str, now: datetime) -> Gtt:
        """Give up a GTT; its reserve goes back."""
        gtt = self.find(trigger_id)
        self._end(gtt, GttStatus.CANCELLED, now)
        return gtt

    def _legs(self, request: GttRequest, instrument: Instrument, ltp: float) -> list[GttLeg]:
        check_gtt(request, instrument)
        single = request.trigger_type is GttType.SINGLE
        pairs = (
            (request.trigger_below, True, request.price if single else request.stoploss),
            (request.trigger_above, False, request.price if single else request.target),
        )
        market = request.price_type is PriceType.MARKET
        legs = [
            GttLeg(trigger, below, 0.0 if market else price)
            for trigger, below, price in pairs
            if trigger
        ]
        leverage = self._book.margin.leverage(instrument, request.action, request.product)
        for leg in legs:
            basis = decimal(leg.price or leg.trigger_price or ltp)
            leg.margin = float(paise(basis * request.quantity / leverage))
        return legs

    def _margin(self, legs: list[GttLeg]) -> Decimal:
        amounts = [decimal(leg.margin) for leg in legs]  # whole paise
        return sum(amounts, ZERO) if self._oco_sum() else max(amounts)

    def _reserve(self, gtt: Gtt, margin: Decimal, now: datetime) -> None:
        self._book.state.ledger.block(now, margin - decimal(gtt.margin), gtt.trigger_id)
        gtt.margin = float(margin)
        self._book.state.mark_gtt(gtt)

    def _end(self, gtt: Gtt, status: GttStatus, now: datetime) -> None:
        self._reserve(gtt, ZERO, now)
        gtt.status, gtt.updated_at = status, now
        for leg in gtt.legs:
            if leg.status is GttStatus.PENDING:
                leg.status = GttStatus.CANCELLED
        rows = self._active.get(gtt.key, [])
        if gtt in rows:
            rows.remove(gtt)
        if not rows:
            self._active.pop(gtt.key, None)
        self._index(gtt.key)

    # -- triggers ---------------------------------------------------------------------------
    def _index(self, key: Key) -> None:
        legs = [leg for gtt in self._active.get(key, ()) for leg in gtt.legs]
        if not legs:
            self._reach.pop(key, None)
            return
        below = max((leg.trigger_price for leg in legs if leg.below), default=0.0)
        above = min((leg.trigger_price for leg in legs if not leg.below), default=float("inf"))
        self._reach[key] = (below, above)

    def on_tick(self, tick: Tick, quote: Tick, now: Callable[[], datetime]) -> bool:
        """Fire what the tick reaches; the order meets ``quote``. Whether anything fired."""
        reach = self._reach.get((tick.exchange, tick.symbol))
        if reach is None or reach[0] < tick.ltp < reach[1] or tick.ltp <= 0:
            return False
        fired = False
        for gtt in tuple(self._active.get(tick.key, ())):
            for leg in gtt.legs:
                hit = tick.ltp <= leg.trigger_price if leg.below else tick.ltp >= leg.trigger_price
                if hit:
                    self._fire(gtt, leg, quote, now())
                    fired = True
                    break
        return fired

    def _fire(self, gtt: Gtt, leg: GttLeg, quote: Tick, now: datetime) -> None:
        leg.status = GttStatus.TRIGGERED
        self._end(gtt, GttStatus.TRIGGERED, now)
        request = OrderRequest(
            symbol=gtt.symbol,
            exchange=gtt.exchange,
            action=gtt.action,
            quantity=gtt.quantity,
            price_type=gtt.price_type,
            product=gtt.product,
            price=leg.price,
            strategy=gtt.strategy or STRATEGY,
        )
        try:
            row = self._enter(request, f"{gtt.tag[:19]}G" if gtt.tag else "", quote, gtt.trigger_id)
            leg.order_id = row.order.order_id
            log.info("GTT %s became order %s", gtt.trigger_id, leg.order_id)
        except OrderError as error:
            gtt.status, gtt.message = GttStatus.REJECTED, error.message
            leg.order_id = getattr(error, "order_id", "")
            log.warning("the order of GTT %s was refused: %s", gtt.trigger_id, error.message)
        self._book.state.mark_gtt(gtt)

    def expire(self, now: datetime) -> list[Gtt]:
        """End those whose time is over; which they were."""
        over = [
            gtt
            for gtts in self._active.values()
            for gtt in gtts
            if gtt.expires_at is not None and gtt.expires_at <= now
        ]
        for gtt in over:
            self._end(gtt, GttStatus.EXPIRED, now)
        return over

    def cancel_all(self, now: datetime) -> None:
        """End all of them (a reset)."""
        for gtts in list(self._active.values()):
            for gtt in tuple(gtts):
                self._end(gtt, GttStatus.CANCELLED, now)
