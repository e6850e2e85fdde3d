"""Asks, sends and tells what became of the ticket's order. One order at a time."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from openalgo_desktop.core.acts import Act
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import (
    AppError,
    InvalidOrder,
    OrderStateUnknown,
    RejectedByBroker,
)
from openalgo_desktop.core.exits import ExitSpec
from openalgo_desktop.core.model import Key, OrderRequest
from openalgo_desktop.core.ticketing import TicketUse
from openalgo_desktop.core.wording import hint_for
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.ordering import Placed
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.confirm import confirm
from openalgo_desktop.ui.kit.refusals import told
from openalgo_desktop.ui.rooms.orders.ticket_foot import TicketFoot

#: An order without an answer after this time says so, milliseconds.
NO_ANSWER_MS = 3000
NO_ANSWER = "No answer yet. The order may be on its way: it is being looked up and not sent again."


class TicketSender:
    """``wrong`` shows an error under its field, ``spoken`` says an order in one line, ``sent``
    hears of an order that was accepted; ``shown`` is the instrument of the ticket now. An answer
    says its order, and one that comes when the ticket has gone on says its instrument."""

    def __init__(
        self,
        parent: QWidget,
        bridge: Bridge,
        foot: TicketFoot,
        spoken: Callable[[OrderRequest], str],
        wrong: Callable[[AppError], None],
        sent: Callable[[TicketUse], None],
        shown: Callable[[], Key | None],
    ) -> None:
        self._parent, self._bridge, self._foot = parent, bridge, foot
        self._spoken, self._wrong, self._sent = spoken, wrong, sent
        self._shown = shown
        self._asked: OrderRequest | None = None
        self.busy = False
        self.late = QTimer(parent)
        self.late.setSingleShot(True)
        self.late.setInterval(NO_ANSWER_MS)
        self.late.timeout.connect(self._say_late)

    async def send(
        self, request: OrderRequest, legs: ExitSpec | None, use: TicketUse, mode: Mode
    ) -> None:
        """Ask where it must be asked, send once, tell the answer. ``legs`` come with an entry."""
        try:
            if not await self._confirmed(request, use, mode):
                return
            self._say(request, "Sending…", "muted")
            self._asked = request
            self.late.start()
            placed = await self._place(request, legs, mode)
            self.late.stop()
            if self._shown() == request.key:
                self._sent(use)
            self._foot.say(f"✓ {self._spoken(request)}\n{_accepted(placed)}", "success")
            if use in (TicketUse.STOP, TicketUse.TARGET):
                await self._bind(request, placed, mode)
        except InvalidOrder as error:
            if self._shown() == request.key:
                self._foot.say("", "muted")
                self._wrong(error)
            else:
                self._say(request, f"✕ {told(error)}", "error")
        except RejectedByBroker as error:
            hint = hint_for(error.message)
            why = f"✕ Rejected: {fmt.amounts(error.message)}"
            self._say(request, f"{why}\n{hint}" if hint else why, "error")
        except OrderStateUnknown as error:
            self._say(request, f"⚠ {told(error)}", "warning")
        except AppError as error:
            self._say(request, f"✕ {told(error)}", "error")
        finally:
            self.late.stop()
            self._asked = None
            self.busy = False

    def _say(self, request: OrderRequest, text: str, role: str) -> None:
        """Of an order whose instrument the ticket does not show any more, with its name."""
        if self._shown() != request.key:
            text = f"{self._bridge.name(request.key)}: {text}"
        self._foot.say(text, role)

    def _say_late(self) -> None:
        if self._asked is not None:
            self._say(self._asked, NO_ANSWER, "warning")

    async def _place(self, request: OrderRequest, legs: ExitSpec | None, mode: Mode) -> Placed:
        if legs is None:
            return await self._bridge.desk.place(request, mode)
        _, placed = await self._bridge.watch.bracket(request, legs, mode)
        return placed

    async def _bind(self, request: OrderRequest, placed: Placed, mode: Mode) -> None:
        """A stop or a target at the broker must not outlive its position: our core cancels it when
        the position is gone."""
        try:
            await self._bridge.watch.protect(
                request.symbol,
                request.exchange,
                request.product,
                mode,
                ExitSpec(),
                quantity=request.quantity,
                orders=placed.ids,
            )
        except AppError as error:
            text = f"{told(error)} Cancel the order yourself when the position is gone."
            self._bridge.notice.emit("warning", text)

    async def _confirmed(self, request: OrderRequest, use: TicketUse, mode: Mode) -> bool:
        """Ask where the settings want it, or where the same order was just sent."""
        act = Act.CLOSE if use is TicketUse.EXIT else Act.PLACE
        reasons = list(self._bridge.orders.why_ask(act, [request], mode))
        repeated = self._bridge.desk.is_repeat(request)
        if repeated:
            reasons.insert(0, "The very same order was sent a moment ago.")
        if not reasons:
            return True
        where = "in the sandbox" if mode is Mode.SANDBOX else "LIVE, with real money"
        return await confirm(
            self._parent,
            "Same order again?" if repeated else "Send this order?",
            f"{self._spoken(request)}, {where}.",
            "Send again" if repeated else f"Send {request.action.value}",
            reasons,
            danger=mode is Mode.LIVE,
        )


def _accepted(placed: Placed) -> str:
    where = "sandbox" if placed.mode is Mode.SANDBOX else "LIVE"
    ids = ", ".join(placed.ids)
    what = f"{len(placed.ids)} orders {ids}" if len(placed.ids) > 1 else f"Order {ids}"
    return f"{what} sent ({where})"
