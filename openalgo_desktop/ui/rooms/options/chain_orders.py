"""What leads from the chain to an order: the ticket, one click, the basket; and what hovering over
an option tells."""

from __future__ import annotations

from openalgo_desktop.core.acts import Act
from openalgo_desktop.core.chain import ChainHead
from openalgo_desktop.core.enums import Action, Mode, PriceType, Product
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Instrument, Key, OrderRequest
from openalgo_desktop.core.ticketing import TicketUse, TicketWish, of_position
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.dock import Spawn
from openalgo_desktop.ui.kit.names import contract_tip
from openalgo_desktop.ui.rooms.options.chain_rows import Side

_BASIS = {"mid": "the middle of bid and ask", "ltp": "the last price"}


class ChainOrders:
    """Fills tickets and baskets; sends only what is clicked at its price while one-click trading
    is armed."""

    def __init__(self, bridge: Bridge, spawn: Spawn) -> None:
        self._bridge = bridge
        self._spawn = spawn

    def ticket(self, key: Key, action: Action, price: float = 0.0) -> None:
        """The ticket for an option; at market terms of its own, or as a limit."""
        kind = PriceType.LIMIT if price else None
        self._bridge.ticket_wanted.emit(
            TicketWish(key=key, action=action, price_type=kind, price=price)
        )

    def trade_at(self, side: Side, action: Action) -> None:
        """A price was clicked: the ticket at that price, or with one-click trading armed one lot
        at once, unless something about it is unusual."""
        leg = side.leg
        tick = side.tick
        if leg is None or tick is None:
            return
        price = tick.bid if action is Action.SELL else tick.ask
        if price <= 0:
            return
        mode = self._bridge.mode
        if not self._bridge.arm.armed or side.stale:
            self.ticket(leg.key, action, price)
            return
        request = self._lot(leg.row, action, PriceType.LIMIT, price)
        if why := self._why_not(request, mode):
            self._bridge.notice.emit("warning", f"Not sent at one click: {why}")
            self.ticket(leg.key, action, price)
            return
        self._bridge.arm.touch()
        self._spawn(self._send(request, mode), "chain order", sends=True)

    def _why_not(self, request: OrderRequest, mode: Mode) -> str:
        if self._bridge.desk.is_repeat(request):
            return "the very same order was sent a moment ago."
        try:
            why = self._bridge.orders.why_ask(Act.PLACE, [request], mode)
        except AppError as error:
            return error.message
        return why[0] if why else ""

    async def _send(self, request: OrderRequest, mode: Mode) -> None:
        await self._bridge.desk.place(request, mode)

    def _lot(
        self, row: Instrument, action: Action, kind: PriceType, price: float = 0.0
    ) -> OrderRequest:
        product = Product(self._bridge.setting("ui.default_product"))
        return OrderRequest(
            row.symbol,
            row.exchange,
            action,
            max(1, row.lot_size),
            kind,
            Product.NRML if product is Product.CNC else product,
            price,
        )

    def to_basket(self, row: Instrument, action: Action) -> None:
        """A lot at market as a line of the basket."""
        self._bridge.basket_wanted.emit(self._lot(row, action, PriceType.MARKET))

    def leave(self, row: Instrument) -> None:
        """The ticket that exits the position."""
        held = (one for one in self._bridge.books.positions_of(row.key) if one.quantity)
        position = next(held, None)
        if position is not None:
            self._bridge.ticket_wanted.emit(of_position(position, TicketUse.EXIT, row))


def side_tip(bridge: Bridge, side: Side, head: ChainHead | None) -> str:
    """Name, position, and what the figures of an option rest on."""
    leg = side.leg
    if leg is None:
        return "The exchange does not list it."
    lines = [bridge.name(leg.key), contract_tip(leg.key)]
    if side.held:
        lines.append(f"Held: {side.badge} lots ({fmt.quantity(side.held)} units)")
    if leg.tick is None:
        lines.append("No price yet.")
    elif leg.iv is not None and leg.price is not None and head is not None:
        lines.append(
            f"IV {leg.iv:.2f} % and greeks rest on {_BASIS[leg.basis]}, "
            f"{fmt.price(leg.price, side.places)}, and the {head.forward_from} forward. "
            "On a synthetic one call and put of a strike have one IV."
        )
    elif leg.price is None:
        lines.append("No IV: bid and ask are too far apart and the last trade is old.")
    else:
        lines.append("No IV: the price holds no time value.")
    if note := bridge.feed.tip(leg.key):
        lines.append(note)
    return "\n".join(lines)
