"""The part of the bridge that knows an order before it is sent: checks, preview, confirmation,
and how fast orders go out and come back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from openalgo_desktop.core.acts import Act, Asking
from openalgo_desktop.core.confirming import ConfirmFacts, ConfirmLimits, why_ask
from openalgo_desktop.core.enums import Mode, PriceType, Validity
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Key, Order, OrderRequest
from openalgo_desktop.core.offered import (
    check_offered,
    check_stop_side,
    check_terms,
    least_disclosed,
    may_disclose,
    validities,
)
from openalgo_desktop.core.preview import LegPreview, OrderPreview, confirm_facts
from openalgo_desktop.core.ticks import Part, Tick
from openalgo_desktop.core.traits import Traits
from openalgo_desktop.exchange.checks import check_order
from openalgo_desktop.trading.pace import BUDGET, RoundTrip
from openalgo_desktop.trading.results import Placed

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal

__all__ = ["OrderDoor", "Placed"]


class PartOf(NamedTuple):
    """Which slice of an order above the freeze quantity; ``parent`` is the same in all of them."""

    parent: str
    part: int
    parts: int


class OrderDoor:
    """Asks the engine; nothing here sends."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    # -- before it is sent ------------------------------------------------------------------
    def check(self, request: OrderRequest) -> None:
        """What the corridor would refuse without asking anybody: raises :class:`InvalidOrder`
        naming the field."""
        terminal = self._terminal
        row = terminal.instruments.require(request.symbol, request.exchange)
        policies = terminal.desk.policies
        parts = [request] if policies is None else policies.split(request, row)
        check_order(parts[0], row)
        check_offered(request, row)
        gateway = terminal.desk.gateway
        check_terms(request, row, gateway.traits, gateway.broker)
        if not gateway.traits.passed_stops:
            tick = terminal.hub.fresh(request.key, Part.LTP)
            check_stop_side(request, tick.ltp if tick is not None else 0.0)

    def validities(self, kind: PriceType) -> tuple[Validity, ...]:
        """What the account of the mode takes with a price type, DAY first."""
        return validities(kind, self._traits())

    def least_disclosed(self, kind: PriceType, key: Key, quantity: int) -> int | None:
        """The least that may be disclosed of ``quantity`` units, in units; None where such an
        order cannot disclose a part."""
        row, traits = self._terminal.instruments.get(key), self._traits()
        if row is None or not may_disclose(kind, row, traits):
            return None
        return least_disclosed(quantity, row)

    def _traits(self) -> Traits:
        try:
            return self._terminal.desk.gateway.traits
        except AppError:  # no account: nothing special is taken
            return Traits()

    def leg(self, request: OrderRequest, mode: Mode) -> LegPreview:
        """What needs no answer of an account, at once."""
        return self._terminal.previews.leg(request, mode)

    async def preview(
        self, requests: Sequence[OrderRequest], mode: Mode, available: float | None = None
    ) -> OrderPreview:
        """All of it; see :meth:`OrderPreviews.of`."""
        return await self._terminal.previews.of(requests, mode, available)

    def why_ask(self, act: Act, requests: Sequence[OrderRequest], mode: Mode) -> tuple[str, ...]:
        """The reasons to ask before these orders are sent, as sentences; empty: send."""
        get = self._terminal.instruments.get
        rows = [row for request in requests if (row := get(request.key)) is not None]
        legs = [self.leg(r, mode) for r in requests if get(r.key) is not None]
        facts = confirm_facts(legs, rows)
        if len(rows) < len(requests):  # a position whose symbol left the master: it may close
            facts = msgspec.structs.replace(facts, value=None, unpriced=True)
        return self.why_ask_of(act, facts)

    def why_ask_of(self, act: Act, facts: ConfirmFacts) -> tuple[str, ...]:
        """The same from facts that the caller has (a cancellation has none)."""
        setting = self._terminal.settings.__getitem__
        limits = ConfirmLimits(
            value=float(setting("confirm.value")),
            lots=float(setting("confirm.lots")),
            percent=float(setting("confirm.percent")),
            spread=float(setting("confirm.spread")),
        )
        return why_ask(Asking(setting(f"confirm.{act.value}")), facts, limits)

    def fresh(self, key: Key) -> Tick | None:
        """The market of ``key`` as far as it may be traded on; None when it is old or unknown."""
        return self._terminal.hub.fresh(key, Part.LTP)

    # -- pace -------------------------------------------------------------------------------
    @property
    def budget(self) -> int:
        """Orders a second that an account may send."""
        return BUDGET

    def left(self) -> int:
        """How many of them are left in this second, where the next order goes, over all sources."""
        return self._terminal.desk.sender.pace.left(self._account())

    def round_trip(self) -> RoundTrip | None:
        """Times from sending to the answer of that account; None before the first."""
        return self._terminal.desk.sender.pace.round_trip(self._account())

    def time_of(self, order: Order) -> float | None:
        """Milliseconds until an order was answered; None where it was not placed in this run."""
        return self._terminal.desk.sender.pace.of_order(order.order_id)

    def part_of(self, order: Order) -> PartOf | None:
        """Which slice it is; None for an order that went out whole."""
        found = self._terminal.desk.slice_of(order)
        return None if found is None else PartOf(found.parent, found.part, found.parts)

    def _account(self) -> str:
        try:
            return self._terminal.desk.gateway.account_id
        except AppError:
            return ""
