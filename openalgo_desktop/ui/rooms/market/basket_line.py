"""A line for the basket from a menu of the market: one lot, of the product of a new ticket."""

from __future__ import annotations

from openalgo_desktop.core.enums import Action, PriceType, Product
from openalgo_desktop.core.model import Instrument, OrderRequest
from openalgo_desktop.core.offered import products
from openalgo_desktop.ui.engine.bridge import Bridge


def to_basket(
    bridge: Bridge,
    row: Instrument,
    action: Action,
    price_type: PriceType = PriceType.MARKET,
    price: float = 0.0,
) -> None:
    """Show the basket with a line more; nothing is sent."""
    product, fitting = Product(bridge.setting("ui.default_product")), products(row)
    if product not in fitting and fitting:
        product = fitting[-1]
    lot = max(1, row.lot_size)
    bridge.basket_wanted.emit(
        OrderRequest(row.symbol, row.exchange, action, lot, price_type, product, price)
    )
