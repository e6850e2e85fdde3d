"""Exit plans: what our core watches for a position when the broker does not.

Data only; what a price, a fill or a position does to a plan is in
:mod:`openalgo_desktop.core.exit_rules`. Prices and money are Decimals in rupees, quantities units.
A plan belongs to one mode and one account and is watched only while the program runs.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

import msgspec

from openalgo_desktop.core.enums import Mode, Product
from openalgo_desktop.core.model import Key, OrderRequest

ZERO = Decimal(0)

#: What stands beside every plan that people see.
ONLY_WHILE_RUNNING = "only while the program runs"


class Unit(StrEnum):
    """How the distance of a leg is given."""

    PRICE = "price"  # the price itself
    POINTS = "points"  # rupees of the price
    PERCENT = "percent"  # of the entry price; of the best price for a trailing stop
    RUPEES = "rupees"  # result of the whole quantity


class Offset(msgspec.Struct, frozen=True):
    """Where a leg stands: a price, or a distance from the entry (positive on both sides: a stop
    lies on the losing side of it, a target on the winning side)."""

    value: Decimal
    unit: Unit = Unit.PRICE

    @classmethod
    def of(cls, value: float | Decimal | str, unit: Unit = Unit.PRICE) -> Offset:
        """From a number of the window."""
        return cls(Decimal(str(value)), unit)


class Target(msgspec.Struct, frozen=True):
    """One target, and how many per cent of the quantity go out there. Rounded down to lots; the
    last of 100 % takes the rest."""

    at: Offset
    percent: int = 100


class Steps(msgspec.Struct, frozen=True):
    """A stop that follows once ``trigger`` is won: by one ``step`` for each ``trigger`` that the
    best price is away from the entry, from where the stop began; or, not ``stepped``, ``step``
    behind the best price. POINTS, or PERCENT of the entry price. Never beyond the best price."""

    trigger: Offset
    step: Offset
    stepped: bool = True


class Under(msgspec.Struct, frozen=True):
    """Legs that stand on the price of another instrument (an option's underlying), which was
    ``entry`` when the position was entered. ``way`` is +1 where the position wins when that price
    rises (long call, short put), else -1. POINTS, or PERCENT of ``entry``."""

    exchange: str
    symbol: str
    way: int
    entry: Decimal
    stop: Offset | None = None
    target: Offset | None = None

    @property
    def key(self) -> Key:
        return (self.exchange, self.symbol)


class ExitSpec(msgspec.Struct, frozen=True):
    """What is wanted. ``trail`` is the distance at which the stop follows the best price;
    ``break_even`` the gain at which the stop moves to the entry price, ``lock`` points beyond it.
    ``steps`` and ``under`` are what strategies have beside that. A leg that is None is not
    there."""

    stop: Offset | None = None
    targets: tuple[Target, ...] = ()
    trail: Offset | None = None
    break_even: Offset | None = None
    lock: Decimal = ZERO
    steps: Steps | None = None
    under: Under | None = None

    @property
    def empty(self) -> bool:
        """Whether it would never do anything."""
        return not (self.stop or self.targets or self.trail or self.steps or self.under)


class PlanState(StrEnum):
    """Life of a plan."""

    WAITING = "waiting"  # for fills of its entry order
    ACTIVE = "active"
    PAUSED = "paused"  # by a human: nothing is watched
    EXITING = "exiting"  # a leg was reached: its order is on the way
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"  # reached, and the order was refused too often: a human has to look

    @property
    def is_open(self) -> bool:
        """Whether it may still do something, or needs a human."""
        return self not in (PlanState.DONE, PlanState.CANCELLED)

    @property
    def is_watched(self) -> bool:
        """Whether prices matter to it."""
        return self in (PlanState.ACTIVE, PlanState.EXITING, PlanState.WAITING)


class Firing(msgspec.Struct, frozen=True):
    """A leg that was reached: the position is to be brought down until ``left`` units of the plan
    are there. ``hit`` is the number of targets done by then."""

    leg: str
    left: int
    price: Decimal
    at: datetime
    hit: int = 0
    attempts: int = 0  # orders that were refused


class Move(msgspec.Struct, frozen=True):
    """A conversion of the plan's position that is under way, or without an answer: until it is
    known what became of it, the units are of the plan's product or of ``to``. ``tag`` is its row
    in the journal, ``at`` when it was to leave; ``alone`` says that nothing else was held of
    ``to``."""

    to: Product
    tag: str
    at: datetime
    alone: bool = True


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What all plans have. ``label`` is the strategy in whose name orders go out; ``message``
    says what happened last."""

    plan_id: str
    mode: Mode
    account_id: str
    exchange: str = ""
    symbol: str = ""
    label: str = ""
    source: str = ""
    state: PlanState = PlanState.ACTIVE
    message: str = ""
    created_at: datetime
    updated_at: datetime

    @property
    def key(self) -> Key:
        return (self.exchange, self.symbol)

    @property
    def exit_source(self) -> str:
        """Source of its orders in the journal: by it they are known after a restart."""
        return f"exit:{self.plan_id}"


class ExitPlan(Plan, frozen=True, kw_only=True, tag="exit", tag_field="kind"):
    """Stop, targets and trailing of one position, or of the fills of one entry order.

    ``quantity`` 0 follows the whole position, else at most so many units; ``held`` is what it
    protects now; ``side`` +1 long, -1 short. ``exits`` and ``entries`` are filled units by order
    id (an entry also with its value in rupees of price). ``orders`` rest at the broker for the
    same position and never outlive it. ``request`` is the entry of a bracket.
    """

    product: Product
    side: int
    spec: ExitSpec
    quantity: int = 0
    held: int = 0
    entry: Decimal = ZERO
    tick: Decimal = Decimal("0.05")
    lot: int = 1
    multiplier: Decimal = Decimal(1)
    stop_at: Decimal | None = None
    best: Decimal | None = None
    even: bool = False  # the stop was moved to the entry price
    hit: int = 0
    firing: Firing | None = None
    fired_at: datetime | None = None  # for the first time
    exits: dict[str, int] = {}
    done: int = 0  # units of ``exits`` that went out before the spec was changed
    entries: dict[str, tuple[int, Decimal]] = {}
    orders: tuple[str, ...] = ()
    request: OrderRequest | None = None
    moving: Move | None = None

    @property
    def position(self) -> tuple[str, str, Product]:
        """The position that it is about."""
        return (self.exchange, self.symbol, self.product)

    @property
    def places(self) -> tuple[tuple[str, str, Product], ...]:
        """Where its units may be: more than one while a conversion of it is not known."""
        if self.moving is None:
            return (self.position,)
        return (self.position, (self.exchange, self.symbol, self.moving.to))

    @property
    def base(self) -> int:
        """Units of which the percentages of targets are counted."""
        return self.held + sum(self.exits.values()) - self.done

    @property
    def under_key(self) -> Key | None:
        """The other instrument whose price matters to it."""
        return None if self.spec.under is None else self.spec.under.key

    @property
    def whole(self) -> bool:
        """Whether it follows the whole position."""
        return not self.quantity and self.request is None


class TriggerLeg(msgspec.Struct, frozen=True):
    """The order that goes out when the last price falls (``below``) or rises to ``price``."""

    price: Decimal
    below: bool
    request: OrderRequest


class Trigger(Plan, frozen=True, kw_only=True, tag="trigger", tag_field="kind"):
    """A local trigger ("GTT" of this program): one leg, or two of which the first that is reached
    ends the other (OCO)."""

    legs: tuple[TriggerLeg, ...]
    fired: int = -1  # the leg that was reached
    fired_at: datetime | None = None
    order_ids: tuple[str, ...] = ()

    @property
    def is_oco(self) -> bool:
        """Whether it is a pair."""
        return len(self.legs) > 1


class ResultExit(Plan, frozen=True, kw_only=True, tag="result", tag_field="kind"):
    """Closes what a label (strategy) or, without one, the account holds when its result of today
    reaches a loss or a profit, or falls ``trail`` below its best of the same day. Rupees, all
    positive."""

    loss: Decimal | None = None
    profit: Decimal | None = None
    trail: Decimal | None = None
    best: Decimal | None = None
    best_on: date | None = None  # IST day of ``best``
    firing: Firing | None = None


AnyPlan: TypeAlias = ExitPlan | Trigger | ResultExit
