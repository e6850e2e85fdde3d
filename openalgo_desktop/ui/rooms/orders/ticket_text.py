"""What the ticket says about an order."""

from __future__ import annotations

from openalgo_desktop.core.enums import PriceType, Validity
from openalgo_desktop.core.model import Instrument, OrderRequest, Position
from openalgo_desktop.core.money import plain
from openalgo_desktop.ui.kit import format as fmt


def price_text(request: OrderRequest, places: int) -> str:
    """Type, price and trigger: ``SL 780.00 · trigger 782.00``; and what is unusual about how
    it works: ``LIMIT 780.00 · IOC``."""
    kind = request.price_type
    parts = [kind.value]
    if kind.has_price:
        parts[0] += f" {_given(request.price, places)}"
    if kind.has_trigger:
        parts.append(f"trigger {_given(request.trigger_price, places)}")
    if request.validity is not Validity.DAY:
        parts.append(request.validity.value)
    if request.disclosed_quantity:
        parts.append(f"shows {fmt.quantity(request.disclosed_quantity)}")
    return " · ".join(parts)


def _given(price: float, places: int) -> str:
    """A price; a dash while it is not given."""
    return fmt.price(price, places) if price else fmt.MISSING


def order_text(request: OrderRequest, instrument: Instrument, places: int) -> str:
    """What the send button says, in two lines: side and quantity, then type, price, trigger."""
    quantity = fmt.lots_text(request.quantity, instrument.lot_size)
    return f"{request.action.value} {quantity}\n{price_text(request, places)}"


def one_line(request: OrderRequest, lot: int, places: int, name: str) -> str:
    """The same in one line, with the instrument."""
    quantity = fmt.lots_text(request.quantity, lot)
    text = f"{request.action.value} {quantity} {name}, {price_text(request, places)}"
    return f"{text}, {request.product.value}"


def value_text(request: OrderRequest, instrument: Instrument, last: float | None) -> str:
    """About what the order is worth, with lot and tick of the instrument; ``last`` is None while
    no fresh price is known."""
    market = request.price_type is PriceType.MARKET
    price = last if market else request.price or request.trigger_price or last
    value = fmt.MISSING
    if price is not None:
        value = f"₹ {fmt.money(price * request.quantity * instrument.contract_value)}"
    lot = f"   ·   lot {instrument.lot_size}" if instrument.lot_size > 1 else ""
    return f"Value ≈ {value}{lot}   ·   tick {plain(instrument.tick_size)}"


def open_text(row: Position) -> str:
    """The open profit of a position; a dash while its price is not known."""
    return fmt.signed_money(row.unrealised) if row.ltp else fmt.MISSING


def position_text(row: Position, lot: int, places: int) -> str:
    """``Long 2 lots (150) MIS @ 412.30``."""
    side = "Long" if row.quantity > 0 else "Short"
    units = fmt.lots_text(abs(row.quantity), lot)
    return f"{side} {units} {row.product.value} @ {fmt.exact(row.average_price, places)}"
