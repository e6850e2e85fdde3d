"""Portfolio margin of the sandbox: futures and options by a SPAN-like scan, with hedge benefit.

Stands in the place of the leverage table while ``sandbox.margin_model`` is ``span``; cash equity
keeps its leverage. Method and limits: ``docs/sandbox-margin.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from msgspec.structs import replace

from openalgo_desktop.core.enums import DERIVATIVE_EXCHANGES, Action, PriceType, Product
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Instrument, Key, Margin, OrderRequest
from openalgo_desktop.core.ports import TickSource
from openalgo_desktop.core.symbols import parse, spot_exchange
from openalgo_desktop.core.ticks import Part
from openalgo_desktop.exchange.accounting import Accounting
from openalgo_desktop.exchange.ledger import ZERO
from openalgo_desktop.exchange.margin import Leverages, MarginTable
from openalgo_desktop.exchange.records import PaperPosition, PositionKey
from openalgo_desktop.exchange.span import (
    SpanLeg,
    SpanMargin,
    SpanParameters,
    margin_shares,
    portfolio_margin,
)
from openalgo_desktop.sandbox.report import Prices


class _Held(NamedTuple):
    """An open position as a leg."""

    key: PositionKey
    leg: SpanLeg


def _without(row: _Held, units: int) -> SpanLeg:
    """The leg after ``units`` of it are closed."""
    sign = 1 if row.leg.quantity > 0 else -1
    return replace(row.leg, quantity=row.leg.quantity - sign * units)


def spot_key(instrument: Instrument) -> Key:
    """Where the underlying of a derivative is quoted."""
    return (spot_exchange(instrument.name, instrument.exchange), instrument.name)


def _basis(request: OrderRequest, price: Prices) -> float:
    """The price an order is margined at, as :meth:`PaperBook.place` takes it."""
    if request.price_type is PriceType.LIMIT:
        named = request.price
    else:
        named = request.trigger_price if request.price_type.has_trigger else 0.0
    return named or price(request.key, 0.0)


def complete(instrument: Instrument) -> Instrument:
    """The row of a derivative with what is missing (a contract that left the master, a thin
    master) read from its symbol."""
    whole = instrument.expiry is not None and (instrument.strike > 0 or not instrument.is_option)
    if whole or instrument.exchange not in DERIVATIVE_EXCHANGES:
        return instrument
    parts = parse(instrument.symbol)
    if parts.expiry is None:
        return instrument
    return replace(
        instrument,
        name=parts.base,
        instrument_type=parts.kind,
        expiry=parts.expiry,
        strike=parts.strike,
    )


class PortfolioMargin(MarginTable):
    """A :class:`MarginTable` that knows the positions. An order needs what it adds to the margin
    of the positions of its underlying; resting orders do not hedge each other."""

    def __init__(
        self,
        leverages: Leverages,
        parameters: SpanParameters,
        enabled: Callable[[], bool],
        now: Callable[[], datetime],
        ticks: TickSource,
    ) -> None:
        super().__init__(leverages)
        self._parameters = parameters
        self._enabled = enabled
        self._now = now
        self._ticks = ticks
        self._spots: dict[Key, float] = {}
        self._book: Accounting
        self._price: Prices

    def attach(self, book: Accounting, price: Prices) -> None:
        """Whose positions count, and their last prices; once, before the first order."""
        self._book, self._price = book, price

    def applies(self, instrument: Instrument) -> bool:
        """Whether the scan and not the leverage table margins the instrument."""
        if not self._enabled() or instrument.exchange not in DERIVATIVE_EXCHANGES:
            return False
        row = complete(instrument)
        return row.expiry is not None and row.instrument_type in ("FUT", "CE", "PE")

    async def prepare(self, instrument: Instrument) -> None:
        """Ask for the price of the underlying, where it is quoted, before the order is looked at;
        without an answer the last one stays."""
        key = spot_key(complete(instrument))
        try:
            tick = await self._ticks.snapshot(key, Part.LTP)
        except AppError:
            return
        if tick.ltp > 0:
            self._spots[key] = tick.ltp

    # -- the table's part -------------------------------------------------------------------
    def required(
        self,
        instrument: Instrument,
        action: Action,
        product: Product,
        quantity: int,
        price: Decimal,
    ) -> Decimal:
        """What opening ``quantity`` at ``price`` adds to the margin of the positions held."""
        if not self.applies(instrument):
            return super().required(instrument, action, product, quantity, price)
        instrument = complete(instrument)
        if quantity <= 0:
            return ZERO
        held = [row.leg for row in self._held(instrument)]
        leg = self._leg(instrument, action.sign * quantity, float(price))
        return max(ZERO, self._scan([*held, leg]).total - self._scan(held).total)

    def allotment(self, key: Key) -> dict[PositionKey, Decimal]:
        """What each open position of the underlying of ``key`` has to reserve now; empty where
        the leverage table rules."""
        instrument = self._book.instrument(key)
        if not self.applies(instrument):
            return {}
        held = self._held(complete(instrument))
        shares = margin_shares([row.leg for row in held], self._now(), self._parameters)
        return {row.key: share for row, share in zip(held, shares, strict=True)}

    def estimate(self, legs: Sequence[OrderRequest], price: Prices) -> Margin:
        """What these orders together would block on top of the positions held, rupees: each at
        the price the book would take (limit, trigger, else the last one), without the units that
        only close a position."""
        span = exposure = rest = ZERO
        groups: dict[tuple[str, str], list[SpanLeg]] = {}
        closing: dict[PositionKey, int] = {}
        leaving: dict[PositionKey, int] = {}
        for request in legs:
            self._leave(request, leaving)
            instrument = complete(self._book.instrument(request.key))
            at = _basis(request, price)
            quantity = self._uncovered(request, closing)
            if not self.applies(instrument):
                rest += super().required(
                    instrument, request.action, request.product, quantity, Decimal(repr(at))
                )
            elif quantity:
                leg = self._leg(instrument, request.action.sign * quantity, at)
                groups.setdefault((instrument.exchange, instrument.name), []).append(leg)
        for added in groups.values():
            first = self._book.instrument((added[0].exchange, added[0].symbol))
            held = [row.leg for row in self._held(complete(first))]
            before, after = self._scan(held), self._scan([*held, *added])
            span += after.span + after.premium - before.span - before.premium
            exposure += after.exposure - before.exposure
        span, exposure = max(ZERO, span), max(ZERO, exposure)
        return Margin(
            float(span + exposure + rest),
            float(span + rest),
            float(exposure),
            released=float(self._released(leaving)),
        )

    def _leave(self, request: OrderRequest, leaving: dict[PositionKey, int]) -> None:
        """Count the units of a position that the order would take down, whatever rests for them:
        they are all that its trade can close."""
        key = (request.exchange, request.symbol, request.product.value)
        row = self._book.state.positions.get(key)
        if row is not None and row.quantity * request.action.sign < 0:
            most = abs(row.quantity) - leaving.get(key, 0)
            leaving[key] = leaving.get(key, 0) + min(request.quantity, max(0, most))

    def _released(self, leaving: Mapping[PositionKey, int]) -> Decimal:
        """What closing so many units of these positions gives back: their part of the reserve;
        of a portfolio, what its scan is less without them."""
        released = ZERO
        groups: dict[tuple[str, str], Instrument] = {}
        for key, units in leaving.items():
            row = self._book.state.positions.get(key)
            if row is None or not units or not row.quantity:
                continue
            instrument = complete(self._book.instrument(row.key))
            if self.applies(instrument):
                groups[instrument.exchange, instrument.name] = instrument
            else:
                released += row.margin * units / abs(row.quantity)
        for instrument in groups.values():
            held = self._held(instrument)
            left = [_without(row, leaving.get(row.key, 0)) for row in held]
            before = self._scan([row.leg for row in held]).total
            released += before - self._scan([leg for leg in left if leg.quantity]).total
        return released

    def _uncovered(self, request: OrderRequest, closing: dict[PositionKey, int]) -> int:
        """Units of a leg that close nothing; ``closing`` are those that earlier legs close."""
        key = (request.exchange, request.symbol, request.product.value)
        free = self._book.free_cover(key, request.action) - closing.get(key, 0)
        covered = min(request.quantity, max(0, free))
        closing[key] = closing.get(key, 0) + covered
        return request.quantity - covered

    # -- legs -------------------------------------------------------------------------------
    def _scan(self, legs: Sequence[SpanLeg]) -> SpanMargin:
        return portfolio_margin(legs, self._now(), self._parameters)

    def _held(self, instrument: Instrument) -> list[_Held]:
        rows: Iterable[PaperPosition] = self._book.state.positions.values()
        found = []
        for row in rows:
            if not row.quantity or row.exchange != instrument.exchange:
                continue
            other = complete(self._book.instrument(row.key))
            if other.name == instrument.name and other.expiry is not None:
                leg = self._leg(other, row.quantity, self._price(row.key, row.mark))
                found.append(_Held(row.position_key, leg))
        return found

    def _leg(self, instrument: Instrument, quantity: int, price: float) -> SpanLeg:
        assert instrument.expiry is not None, instrument.symbol
        return SpanLeg(
            symbol=instrument.symbol,
            exchange=instrument.exchange,
            name=instrument.name,
            instrument_type=instrument.instrument_type,
            expiry=instrument.expiry,
            quantity=quantity,
            price=price,
            underlying_price=self._spot(instrument, price),
            strike=instrument.strike,
            multiplier=instrument.contract_value or 1.0,
        )

    def _spot(self, instrument: Instrument, price: float) -> float:
        """Price of the underlying: live, else as last asked, else the future's own, else the
        strike (an option of unknown moneyness is taken as at the money, where it costs most)."""
        key = spot_key(instrument)
        tick = self._ticks.fresh(key)
        if tick is not None and tick.ltp > 0:
            return tick.ltp
        return self._spots.get(key) or instrument.strike or price
