"""Ticket, orders, trades, baskets."""

from __future__ import annotations

from openalgo_desktop.ui.kit.keys import SYMBOL, TABLE
from openalgo_desktop.ui.kit.kinds import DockKind, Place
from openalgo_desktop.ui.rooms.orders import keys

KINDS = (
    DockKind("ticket", "Order ticket", "ticket.TicketDock", Place.RIGHT, keys=keys.TICKET),
    DockKind(
        "orders",
        "Orders",
        "orders.OrdersDock",
        Place.BOTTOM,
        keys=keys.ORDERS,
        shares=(TABLE, SYMBOL),
    ),
    DockKind("basket", "Basket", "basket.BasketDock", Place.BOTTOM, many=True),
    DockKind("trades", "Trades", "trades.TradesDock", Place.BOTTOM, shares=(TABLE, SYMBOL)),
    DockKind(
        "triggers",
        "GTT / triggers",
        "triggers.TriggersDock",
        Place.BOTTOM,
        keys=keys.TRIGGERS,
        shares=(TABLE, SYMBOL),
    ),
)
