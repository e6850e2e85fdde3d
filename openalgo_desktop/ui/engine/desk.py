"""The door to the order desk: what the window sends, changes, cancels and closes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from openalgo_desktop.core.enums import Mode, Product
from openalgo_desktop.core.errors import AppError, OrderError, OrderStateUnknown
from openalgo_desktop.core.model import Key, ModifyRequest, OrderRequest, Position
from openalgo_desktop.trading.results import CancelAll, CloseAll, Placed
from openalgo_desktop.trading.smart import NotNeeded, SmartOrders

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal


class Turned(NamedTuple):
    """What came of turning a position, in a sentence, and its orders: None where nothing went
    out."""

    said: str
    ids: tuple[str, ...] | None = None


class DeskDoor:
    """Every call takes the mode that the window showed when the user gave it, and refuses another.
    ``source`` is what the journal files orders of the window under."""

    def __init__(self, terminal: Terminal, source: str) -> None:
        self._terminal = terminal
        self._source = source
        self._last_request: tuple[OrderRequest, float] | None = None

    def check_mode(self, mode: Mode) -> None:
        """Raises :class:`OrderError` when the switch stands elsewhere than at ``mode``."""
        # A script may move the switch while the user reads a dialog: what was confirmed for one
        # account must not reach the other.
        now = self._terminal.desk.mode
        if mode is not now:
            raise OrderError(
                f"Not sent: the mode was switched to {now.value.upper()} meanwhile. "
                "Check and send again."
            )

    def account_of(self, mode: Mode) -> str:
        """Id of the account that takes the orders of a mode; empty while there is none."""
        try:
            return self._terminal.desk.gateway_of(mode).account_id
        except AppError:
            return ""

    def is_repeat(self, request: OrderRequest) -> bool:
        """Whether the very same order was sent less than ``trading.duplicate_guard_ms`` ago."""
        if self._last_request is None or self._last_request[0] != request:
            return False
        elapsed = self._terminal.clock.monotonic() - self._last_request[1]
        return elapsed * 1000.0 < float(self._terminal.settings["trading.duplicate_guard_ms"])

    @contextmanager
    def sending(self, request: OrderRequest, mode: Mode) -> Iterator[None]:
        """Around the sending of an order that the user gave while the window showed ``mode``:
        refuses another mode, and remembers the order for :meth:`is_repeat`."""
        self.check_mode(mode)
        self._last_request = (request, self._terminal.clock.monotonic())
        try:
            yield
        except OrderStateUnknown:
            raise
        except AppError:
            self._last_request = None  # it was refused: the next one is no repetition
            raise

    async def place(self, request: OrderRequest, mode: Mode) -> Placed:
        """Send an order that the user gave while the window showed ``mode``."""
        with self.sending(request, mode):
            return await self._terminal.desk.place(request, self._source)

    async def modify(self, request: ModifyRequest, mode: Mode) -> Placed:
        """Change a working order."""
        self.check_mode(mode)
        return await self._terminal.desk.modify(request, self._source)

    async def cancel(self, order_id: str, mode: Mode) -> Placed:
        """Cancel a working order."""
        self.check_mode(mode)
        return await self._terminal.desk.cancel(order_id, self._source)

    async def cancel_all(self, mode: Mode) -> CancelAll:
        """Cancel all working orders."""
        self.check_mode(mode)
        return await self._terminal.desk.closing.cancel_all(self._source)

    async def close_position(
        self,
        symbol: str,
        exchange: str,
        product: Product,
        mode: Mode,
        *,
        quantity: int = 0,
        cancel_orders: bool = False,
        seen: int = 0,
    ) -> Placed | None:
        """Close one position at market, or ``quantity`` units of it, never more than is held;
        None when it is flat. With ``cancel_orders`` every working order of the symbol is
        cancelled first, entries too. ``seen`` are the signed units that the user saw: where it is
        another position meanwhile nothing is sent (:meth:`Exits.close`)."""
        self.check_mode(mode)
        return await self._terminal.desk.closing.close_position(
            symbol,
            exchange,
            product,
            self._source,
            quantity=quantity,
            cancel_orders=cancel_orders,
            seen=seen,
        )

    async def reverse(self, row: Position, mode: Mode) -> Turned:
        """Turn a position to the other side at market. Where it is not any more what the row
        shows, or will not be when what is under way has filled, nothing is sent and
        :class:`OrderError` says so."""
        self.check_mode(mode)
        smart = SmartOrders(self._terminal.desk)
        place = (row.symbol, row.exchange, row.product)
        done = await smart.reverse(*place, self._source, mode, seen=row.quantity)
        name = self._terminal.names.full(row.key)
        if isinstance(done, NotNeeded):
            return Turned(f"{name}: {done.message}")
        return Turned(f"{name} is reversed by order {', '.join(done.ids)}.", done.ids)

    @property
    def converts(self) -> bool:
        """Whether the account of the current mode can convert positions."""
        try:
            return self._terminal.desk.gateway.traits.converts
        except AppError:
            return False

    async def convert(self, key: Key, product: Product, to: Product, mode: Mode) -> Placed:
        """Convert all of a position to another product."""
        self.check_mode(mode)
        return await self._terminal.conversions.convert(key, product, to, self._source, mode)

    async def close_all(
        self,
        mode: Mode,
        *,
        cancel_orders: bool = False,
        only: Collection[tuple[str, str, Product]] | None = None,
        protected: bool = False,
    ) -> CloseAll:
        """Close all positions at market, or ``only`` some (exchange, symbol, product); as limits
        where ``protected``. With ``cancel_orders`` working orders are cancelled first: all, or
        those of the symbols that are closed."""
        self.check_mode(mode)
        return await self._terminal.desk.closing.close_all(
            self._source, mode, cancel_orders=cancel_orders, only=only, protected=protected
        )
