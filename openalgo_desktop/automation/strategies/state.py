"""The checkpoint of a run: its positions, what waits to be entered, what its rules remember."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from openalgo_desktop.core.enums import Product
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.strategies.model import ZERO
from openalgo_desktop.core.strategies.run_rules import Guard
from openalgo_desktop.core.strategies.words import OrderKind, StopReason


class Place(msgspec.Struct):
    """One position of a run: what one entry opened. ``ref`` is its name and that of the exit plan
    that protects it. ``side`` +1 long, -1 short; ``entry`` the average in rupees, 0 unknown."""

    ref: str
    leg_id: int
    exchange: str
    symbol: str
    product: Product
    side: int
    wanted: int
    multiplier: Decimal = Decimal(1)
    held: int = 0
    entry: Decimal = ZERO
    closed: bool = False
    kind: OrderKind | None = None  # why it leaves, or left
    exiting: bool = False  # its exit was claimed
    superseded: bool = False  # a signal has turned its leg round
    attempts: int = 0  # exits that were refused
    armed: bool = False
    stop: Decimal | None = None
    target: Decimal | None = None
    best: Decimal | None = None
    first_stop: Decimal | None = None
    refused: str = ""  # why the entry was
    elsewhere: int = 0  # units that others closed, and the rupees of price that they count
    elsewhere_value: Decimal = ZERO
    ltp: Decimal | None = None
    under: tuple[str, str] | None = None  # another instrument on whose price its legs stand
    message: str = ""

    @property
    def key(self) -> Key:
        return (self.exchange, self.symbol)

    @property
    def open(self) -> bool:
        """Whether it holds something, or may still come to."""
        return not self.closed

    def told_late(self, units: int) -> None:
        """An exit of ours filled so many units that were taken for closed by others."""
        units = min(units, self.elsewhere)
        if units > 0:
            self.elsewhere_value -= self.elsewhere_value * units / self.elsewhere
            self.elsewhere -= units


class WaitFor(StrEnum):
    """What an entry waits for."""

    RANGE = "range"  # the underlying leaves its range: all legs
    MOMENTUM = "momentum"  # the price of the leg's contract moves so far
    COST = "cost"  # the price of the contract is back at the first entry


class Waiting(msgspec.Struct):
    """An entry that waits for a price of ``key``: it is due at ``level`` or beyond it (``above``:
    at or above). ``leg_id`` 0 is all legs. ``side`` is that of the position."""

    why: WaitFor
    leg_id: int
    exchange: str
    symbol: str
    level: Decimal
    above: bool
    side: int = 0
    due: bool = False
    low: Decimal | None = None  # of the range so far
    high: Decimal | None = None
    complete: bool = False  # the range was seen to its end

    @property
    def key(self) -> Key:
        return (self.exchange, self.symbol)


class Again(msgspec.Struct):
    """A re-entry, or the second half of a flip, that comes when its turn is. ``symbol`` keeps the
    contract; ``until`` ends it."""

    leg_id: int
    side: int
    exchange: str = ""
    symbol: str = ""
    until: datetime | None = None
    why: str = "re-entry"


class RunState(msgspec.Struct):
    """All of it. ``used`` counts re-entries by leg, ``first`` are the first entry prices."""

    places: list[Place] = []
    waiting: list[Waiting] = []
    again: list[Again] = []
    used: dict[int, int] = {}
    first: dict[int, Decimal] = {}
    guard: Guard = Guard()
    overall_used: int = 0
    restart: bool = False  # all legs once more, when these are out
    leaving: StopReason | None = None
    entered: bool = False  # the entries of the start were sent, or are not to be any more


def encode(state: RunState) -> bytes:
    """As it is stored."""
    return msgspec.json.encode(state)


def decode(data: bytes) -> RunState:
    """Raises :class:`msgspec.DecodeError`."""
    return msgspec.json.decode(data or b"{}", type=RunState)
