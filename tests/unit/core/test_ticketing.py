"""What the ticket is filled with from a position or an order."""

from __future__ import annotations

import pytest

from openalgo_desktop.core.enums import Action, PriceType, Product
from openalgo_desktop.core.model import Instrument, Order, Position
from openalgo_desktop.core.ticketing import TicketUse, of_order, of_position

FUTURE = Instrument("NIFTY29DEC26FUT", "NFO", instrument_type="FUT", lot_size=75)
CALL = Instrument("NIFTY29DEC2626000CE", "NFO", instrument_type="CE", lot_size=75)
BUY, SELL = Action.BUY, Action.SELL


@pytest.mark.parametrize(
    ("use", "quantity", "action", "units", "kind"),
    [
        (TicketUse.EXIT, 150, SELL, 150, PriceType.MARKET),
        (TicketUse.EXIT, -150, BUY, 150, PriceType.MARKET),
        (TicketUse.ADD, 150, BUY, 0, None),
        (TicketUse.ADD, -150, SELL, 0, None),
        (TicketUse.STOP, 150, SELL, 150, PriceType.SLM),
        (TicketUse.TARGET, -150, BUY, 150, PriceType.LIMIT),
    ],
)
def test_side_quantity_and_product_come_from_the_position(
    use: TicketUse, quantity: int, action: Action, units: int, kind: PriceType | None
) -> None:
    row = Position(FUTURE.symbol, "NFO", Product.NRML, quantity, 24_000.0)
    wish = of_position(row, use, FUTURE)
    assert (wish.action, wish.quantity, wish.product) == (action, units, Product.NRML)
    assert (wish.price_type, wish.key, wish.use) == (kind, FUTURE.key, use)


def test_the_stop_of_an_option_has_a_limit() -> None:
    row = Position(CALL.symbol, "NFO", Product.MIS, 75, 100.0)
    assert of_position(row, TicketUse.STOP, CALL).price_type is PriceType.SL


def test_an_order_again() -> None:
    order = Order(
        "1", "SBIN", "NSE", SELL, 10, PriceType.SL, Product.MIS, price=789.0, trigger_price=790.0
    )
    wish = of_order(order)
    assert (wish.action, wish.quantity, wish.product) == (SELL, 10, Product.MIS)
    assert (wish.price_type, wish.price, wish.trigger_price) == (PriceType.SL, 789.0, 790.0)
