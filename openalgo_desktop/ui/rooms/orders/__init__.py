"""Ticket, orders, trades, baskets."""

from __future__ import annotations

from openalgo_desktop.ui.kit.kinds import DockKind, Place

KINDS = (
    DockKind("ticket", "Order ticket", "ticket.TicketDock", Place.RIGHT),
    DockKind("orders", "Orders", "orders.OrdersDock", Place.BOTTOM),
    DockKind("basket", "Basket", "basket.BasketDock", Place.BOTTOM, many=True),
    DockKind("trades", "Trades", "trades.TradesDock", Place.BOTTOM),
    DockKind("triggers", "GTT / triggers", "triggers.TriggersDock", Place.BOTTOM),
)
