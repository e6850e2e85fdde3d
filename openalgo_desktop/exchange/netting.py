"""What one fill does to one position: closes, opens, realises. Pure arithmetic."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec

from openalgo_desktop.core.enums import Action, Product
from openalgo_desktop.exchange.ledger import ZERO, exact_price, paise
from openalgo_desktop.exchange.records import PaperHolding, PaperPosition


class Netting(msgspec.Struct, frozen=True):
    """The result of a fill: ``closed`` and ``opened`` units, the profit, the margin set free."""

    closed: int
    opened: int
    realised: Decimal
    released: Decimal


def closing_part(position_quantity: int, action: Action, quantity: int) -> int:
    """How much of ``quantity`` goes against the position."""
    against = position_quantity * action.sign < 0
    return min(quantity, abs(position_quantity)) if against else 0


def apply_fill(
    position: PaperPosition,
    action: Action,
    quantity: int,
    price: Decimal,
    at: datetime,
    holding: PaperHolding | None = None,
) -> Netting:
    """Change ``position`` by a fill; margin of what is opened is the caller's to add.

    The cost of what is closed is its share of the exact total, rounded to the paisa, and the rest
    stays, so that no paisa is lost over partial exits. Selling from a holding realises against the
    holding's cost at once; buying such shares back takes that booking back.
    """
    closed = closing_part(position.quantity, action, quantity)
    opened = quantity - closed
    multiplier = Decimal(str(position.multiplier))
    realised = released = ZERO
    if closed:
        realised, released = _close(position, closed, price, multiplier)
    if opened:
        realised += _open(position, action, opened, price, multiplier, holding)
    if not position.quantity:
        position.opened = None
    elif position.opened is None or (opened and closed):
        position.opened = at
    if action is Action.BUY:
        position.buy_quantity += quantity
    else:
        position.sell_quantity += quantity
    position.realised += realised
    position.realised_today += realised
    position.mark = float(price)
    position.updated = at
    return Netting(closed, opened, realised, released)


def close_out(position: PaperPosition, price: Decimal, at: datetime) -> Netting:
    """Settle the whole position at ``price`` without a trade (expiry, missed square-off). The
    profit counts for the account, not as the row's profit of today, as in the reference."""
    closed = abs(position.quantity)
    realised, released = _close(position, closed, price, Decimal(str(position.multiplier)))
    position.realised += realised
    position.mark = float(price)
    position.opened, position.updated = None, at
    return Netting(closed, 0, realised, released)


def move(source: PaperPosition, target: PaperPosition, units: int, at: datetime) -> Decimal:
    """Carry ``units`` of a position with their cost to that of another product; the margin that
    backed them, which the caller gives back or reserves. What was realised stays."""
    size = abs(source.quantity)
    whole = units == size
    sign = 1 if source.quantity > 0 else -1
    cost = source.cost if whole else paise(source.cost * units / size)
    released = source.margin if whole else paise(source.margin * units / size)
    source.cost -= cost
    source.margin -= released
    source.quantity -= sign * units
    if target.opened is None or not target.quantity:
        target.opened = at
    target.cost += cost
    target.quantity += sign * units
    target.average = exact_price(target.cost / abs(target.quantity))
    bought = min(units, source.buy_quantity) if sign > 0 else 0
    sold = min(units, source.sell_quantity) if sign < 0 else 0
    source.buy_quantity -= bought
    source.sell_quantity -= sold
    target.buy_quantity += bought
    target.sell_quantity += sold
    target.mark = source.mark
    source.updated = target.updated = at
    if not source.quantity:
        source.opened = None
    return released


def _close(
    position: PaperPosition, closed: int, price: Decimal, multiplier: Decimal
) -> tuple[Decimal, Decimal]:
    size = abs(position.quantity)
    whole = closed == size
    sign = 1 if position.quantity > 0 else -1
    cost = position.cost if whole else paise(position.cost * closed / size)
    released = position.margin if whole else paise(position.margin * closed / size)
    if position.from_holdings:
        delivered = position.delivered if whole else paise(position.delivered * closed / size)
        realised = paise((delivered - price * closed) * multiplier)
        position.delivered -= delivered
    else:
        realised = paise((price * closed - cost) * sign * multiplier)
    position.cost -= cost
    position.margin -= released
    position.quantity -= sign * closed
    return realised, released


def _open(
    position: PaperPosition,
    action: Action,
    opened: int,
    price: Decimal,
    multiplier: Decimal,
    holding: PaperHolding | None,
) -> Decimal:
    position.cost += price * opened
    position.quantity += action.sign * opened
    position.average = exact_price(position.cost / abs(position.quantity))
    if position.product is Product.CNC and action is Action.SELL and holding is not None:
        share = paise(holding.cost * opened / holding.quantity)
        position.delivered += share
        return paise((price * opened - share) * multiplier)
    return ZERO
