"""Placements that no order book shows yet: on their way, accepted, or unknown."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import msgspec

from openalgo_desktop.core.enums import Action, Mode, Product
from openalgo_desktop.core.model import Order
from openalgo_desktop.core.ports import JournalEntry

PositionKey = tuple[str, str, Product]

#: A market order that went out as a limit is taken for one so long; then it rests. Seconds.
PROMPT_FOR = 5.0


class Outstanding(msgspec.Struct):
    """One placement. ``quantity`` in signed units; ``at`` is monotonic; ``order_id`` is known
    once it was accepted; ``unknown`` says that its answer was lost, ``prompt`` that it was meant
    to trade at once (also where it went out as a limit through the price)."""

    tag: str
    mode: Mode
    account_id: str
    key: PositionKey
    quantity: int
    at: float
    order_id: str = ""
    unknown: bool = False
    prompt: bool = False
    strategy: str = ""

    @property
    def flying(self) -> bool:
        """Whether its answer is still awaited."""
        return not self.order_id and not self.unknown


class OutstandingOrders:
    """Kept by the sender; an order leaves as soon as the own book has it."""

    def __init__(self) -> None:
        self._rows: dict[str, Outstanding] = {}
        self._by_place: dict[tuple[str, PositionKey], dict[str, Outstanding]] = {}
        self._by_id: dict[str, str] = {}
        self._prompt: OrderedDict[str, float] = OrderedDict()  # order id -> when it was accepted
        #: Whether the own book of a mode has an order.
        self.is_known: Callable[[Mode, str], bool] = lambda mode, order_id: False

    def of(self, account_id: str, key: PositionKey) -> list[Outstanding]:
        """Those of one position."""
        return list(self._by_place.get((account_id, key), {}).values())

    def get(self, tag: str) -> Outstanding | None:
        """The placement of a tag while it is outstanding."""
        return self._rows.get(tag)

    def add(
        self, entry: JournalEntry, at: float, *, unknown: bool = False, prompt: bool = False
    ) -> None:
        """A placement goes out (or was found unsettled at the start)."""
        request = entry.request
        row = Outstanding(
            tag=entry.tag,
            mode=entry.mode,
            account_id=entry.account_id,
            key=(request["exchange"], request["symbol"], Product(request["product"])),
            quantity=request["quantity"] * Action(request["action"]).sign,
            at=at,
            unknown=unknown,
            prompt=prompt,
            strategy=str(request.get("strategy", "")),
        )
        self._rows[row.tag] = row
        self._by_place.setdefault((row.account_id, row.key), {})[row.tag] = row

    def accepted(self, tag: str, order_id: str, at: float) -> None:
        """The gateway has it under this id."""
        row = self._rows.get(tag)
        if row is None:
            return
        self._note_prompt(row, order_id, at)
        if self.is_known(row.mode, order_id):
            self.drop(tag)
            return
        row.order_id, row.unknown, row.at = order_id, False, at
        self._by_id[order_id] = tag

    def _note_prompt(self, row: Outstanding, order_id: str, at: float) -> None:
        if not row.prompt:
            return
        self._prompt[order_id] = at
        while self._prompt and next(iter(self._prompt.values())) < at - PROMPT_FOR:
            self._prompt.popitem(last=False)

    def is_prompt(self, order_id: str, now: float) -> bool:
        """Whether this order of ours was sent just now to trade at once."""
        return self._prompt.get(order_id, float("-inf")) > now - PROMPT_FOR

    def prompt_ids(self, now: float) -> list[str]:
        """Orders of ours that were sent just now to trade at once."""
        return [name for name, at in self._prompt.items() if at > now - PROMPT_FOR]

    def prompt_places(self, account_id: str) -> list[PositionKey]:
        """Positions with a placement that is to trade at once and that no book shows yet."""
        return [
            key
            for (account, key), rows in self._by_place.items()
            if account == account_id
            and any(row.prompt and not row.unknown for row in rows.values())
        ]

    def lost(self, tag: str) -> None:
        """Nobody knows what became of it."""
        row = self._rows.get(tag)
        if row is not None:
            row.unknown = True

    def drop(self, tag: str) -> None:
        """It was refused, never arrived, or the own book has it."""
        row = self._rows.pop(tag, None)
        if row is None:
            return
        self._by_id.pop(row.order_id, None)
        place = (row.account_id, row.key)
        rows = self._by_place[place]
        del rows[tag]
        if not rows:
            del self._by_place[place]

    def seen(self, order: Order) -> None:
        """The own book has this order now, perhaps before its placement was answered."""
        row = self._rows.get(order.tag)
        if row is not None:
            self._note_prompt(row, order.order_id, row.at)
            self.drop(order.tag)
        elif order.order_id in self._by_id:
            self.drop(self._by_id[order.order_id])
