"""What orders would mean in the mode that counts, told before they are sent: margin needed and
freed, charges, break-even, slices, warnings. It sends nothing and refuses nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import Action, Mode, Product
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Instrument, Margin, OrderRequest, Position, with_quantity
from openalgo_desktop.core.money import group_indian, split_freeze
from openalgo_desktop.core.ports import InstrumentLookup, TickSource, TradingGateway
from openalgo_desktop.core.preview import (
    Caution,
    LegPreview,
    OrderPreview,
    Thresholds,
    Warned,
    circuits,
    expected_price,
    market_warnings,
    percent_from_last,
    spread_percent,
    worse_percent,
)
from openalgo_desktop.core.ticks import Part
from openalgo_desktop.exchange.estimate import Estimator
from openalgo_desktop.trading.desk import OrderDesk


class OrderPreviews:
    """``estimator`` gives the charges of the plan in force, whatever the mode."""

    def __init__(
        self,
        clock: Clock,
        desk: OrderDesk,
        ticks: TickSource,
        instruments: InstrumentLookup,
        estimator: Callable[[], Estimator],
        setting: Callable[[str], Any],
    ) -> None:
        self._clock = clock
        self._desk = desk
        self._ticks = ticks
        self._instruments = instruments
        self._estimator = estimator
        self._setting = setting

    def leg(self, request: OrderRequest, mode: Mode) -> LegPreview:
        """All that needs no answer of an account; quick enough for each key. Raises
        :class:`SymbolUnknown`."""
        row = self._instruments.require(request.symbol, request.exchange)
        tick = self._ticks.fresh(request.key, Part.LTP)
        price = expected_price(request, tick)
        units = request.quantity * (row.contract_value or 1.0)
        held = self._held(request, mode)
        closes = _closes(request, held)
        low, high = circuits(tick)
        slices, splits, warned = self._slices(request, row)
        known = price is not None and request.quantity > 0
        return LegPreview(
            request=request,
            price=price,
            value=price * units if price is not None else None,
            lots=request.quantity / max(1, row.lot_size),
            closes=closes,
            opens=max(0, request.quantity - closes),
            books=_booked(held, closes, price),
            charges=self._charges(request, row, price) if known and price else None,
            break_even=self._break_even(request, row, request.quantity - closes, price),
            slices=slices,
            splits=splits,
            low_circuit=low,
            high_circuit=high,
            percent=percent_from_last(request, tick),
            worse=worse_percent(request, tick),
            spread=spread_percent(tick),
            warnings=market_warnings(request, row, tick, self._thresholds()) + warned,
        )

    async def of(
        self, requests: Sequence[OrderRequest], mode: Mode, available: float | None = None
    ) -> OrderPreview:
        """Orders that would go out together. What the account does not tell is None, and
        ``margin_note`` says why. ``available`` is its free cash where it is known, rupees.
        Raises :class:`SymbolUnknown` and, without an account, :class:`NotConnected`."""
        legs = tuple(self.leg(request, mode) for request in requests)
        gateway = self._desk.gateway_of(mode)
        margin, frees, note = await self._margin(legs, gateway)
        charges = [leg.charges for leg in legs]
        return OrderPreview(
            mode=mode,
            legs=legs,
            margin=margin,
            margin_note=note,
            frees=frees,
            frees_about=frees is not None and not gateway.traits.frees,
            available=available,
            charges=None if None in charges else sum(filter(None, charges)),
            warnings=_too_little(margin, available),
        )

    # -- money ------------------------------------------------------------------------------
    async def _margin(
        self, legs: Sequence[LegPreview], gateway: TradingGateway
    ) -> tuple[Margin | None, float | None, str]:
        """What the orders need, what exits free (None: nothing is closed, or not told), and why
        it is not told. A broker is asked about the units that open; what an exit frees is what
        its units would need as a new position."""
        closing = [leg for leg in legs if leg.closes]
        if not gateway.traits.margin:
            return None, None, f"{gateway.broker} does not tell margins."
        try:
            if gateway.traits.frees:
                if any(leg.opens and leg.price is None for leg in legs):  # it would count 0
                    return None, None, "The last price is not known."
                margin = await gateway.margin([leg.request for leg in legs])
                return margin, margin.released if closing else None, ""
            opening = [with_quantity(leg.request, leg.opens) for leg in legs if leg.opens]
            margin = await gateway.margin(opening) if opening else Margin(0.0)
            back = [_entry(leg) for leg in closing]
            frees = (await gateway.margin(back)).total if back else None
        except AppError as error:
            return None, None, error.message
        return margin, frees, ""

    def _charges(self, request: OrderRequest, row: Instrument, price: float) -> float:
        return self._estimator().charges(
            row,
            request.product,
            request.action,
            request.quantity,
            price,
            self._clock.now().date(),
        )

    def _break_even(
        self, request: OrderRequest, row: Instrument, opens: int, price: float | None
    ) -> float | None:
        """Of the units that open a position; delivered shares that are sold open none."""
        delivered = request.product is Product.CNC and request.action is Action.SELL
        if opens <= 0 or price is None or price <= 0 or delivered:
            return None
        return self._estimator().break_even(
            row, request.product, request.action, opens, price, self._clock.now().date()
        )

    # -- parts ------------------------------------------------------------------------------
    def _held(self, request: OrderRequest, mode: Mode) -> Position | None:
        key = (request.exchange, request.symbol, request.product)
        return self._desk.books.book(mode).positions.get(key)

    def _slices(
        self, request: OrderRequest, row: Instrument
    ) -> tuple[tuple[int, ...], bool, tuple[Warned, ...]]:
        """The orders that it becomes, whether it is sliced, and what is said about that."""
        if request.quantity <= 0:
            return (), True, ()
        parts = tuple(split_freeze(request.quantity, row.freeze_qty, row.lot_size))
        if len(parts) == 1 or self._setting("trading.freeze_split"):
            return parts, True, ()
        text = (
            f"Above the freeze quantity of {group_indian(row.freeze_qty)}: it would have to go out "
            f"as {len(parts)} orders. Switch on slicing (Settings, Trading), or send less."
        )
        return parts, False, (Warned(Caution.FREEZE, text, "quantity"),)

    def _thresholds(self) -> Thresholds:
        return Thresholds(
            float(self._setting("confirm.percent")), float(self._setting("confirm.spread"))
        )


def _closes(request: OrderRequest, held: Position | None) -> int:
    """Units of the order that take the position down."""
    if held is None or held.quantity * request.action.sign >= 0:
        return 0
    return min(request.quantity, abs(held.quantity))


def _booked(held: Position | None, closes: int, price: float | None) -> float | None:
    """Profit of the units that are closed at ``price``, rupees."""
    if held is None or not closes or price is None:
        return None
    sign = 1 if held.quantity > 0 else -1
    return (price - held.average_price) * sign * closes * held.multiplier


def _entry(leg: LegPreview) -> OrderRequest:
    """The order that would make the units which this one closes."""
    part = with_quantity(leg.request, leg.closes)
    return msgspec.structs.replace(part, action=part.action.opposite)


def _too_little(margin: Margin | None, available: float | None) -> tuple[Warned, ...]:
    if margin is None or available is None or margin.total <= available:
        return ()
    short = group_indian(round(margin.total - available))
    return (Warned(Caution.MARGIN, f"₹ {short} more than is available."),)
