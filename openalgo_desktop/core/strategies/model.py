"""A made strategy: its legs and rules as a human writes them. Also the form of the file that is
exported (JSON, see :data:`FORMAT`).

Distances and money are Decimals: rupees of a price (points), per cent, or rupees of result, always
positive. Lots are counted as such, so that a changed lot size does no harm. Times are ``HH:MM``,
IST.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

import msgspec

from openalgo_desktop.core.enums import Product
from openalgo_desktop.core.strategies.words import StrategyKind

#: Version of the exported form.
FORMAT = 1
ZERO = Decimal(0)
MAX_LEGS = 10
MAX_REENTRIES = 20
NAME_LENGTH = 200


class Segment(StrEnum):
    """What a leg trades."""

    OPTIONS = "options"
    FUTURES = "futures"
    CASH = "cash"


class QuantityMode(StrEnum):
    """What a leg's quantity counts."""

    LOTS = "lots"
    UNITS = "units"


class Expiry(StrEnum):
    """Which expiry a leg takes when it is entered."""

    WEEKLY = "weekly"
    NEXT_WEEK = "next_week"
    MONTHLY = "monthly"
    NEXT_MONTH = "next_month"
    CURRENT = "current"
    NEXT = "next"


class StrikeMode(StrEnum):
    """How a strike is chosen."""

    ATM = "atm"  # ``atm_offset``: ATM, ITM1..ITM5, OTM1..OTM5
    STRIKE = "strike"  # ``strike`` itself
    PREMIUM = "premium"  # closest to ``value`` rupees
    PREMIUM_RANGE = "premium_range"  # nearest the money with a premium in ``value``..``upper``
    PREMIUM_ABOVE = "premium_above"  # smallest premium that is at least ``value``
    PREMIUM_BELOW = "premium_below"  # largest premium that is at most ``value``
    STRADDLE_WIDTH = "straddle_width"  # ATM + ``value`` times the premium of the ATM straddle
    ATM_PERCENT = "atm_percent"  # ATM + ``value`` per cent of the underlying
    STRADDLE_PERCENT = "straddle_percent"  # premium closest to ``value`` % of the ATM straddle's
    DELTA = "delta"  # closest to ``value`` (0 to 1, without sign)
    DELTA_RANGE = "delta_range"  # nearest the money with a delta in ``value``..``upper``


class DistanceUnit(StrEnum):
    """What a distance counts."""

    POINTS = "points"
    PERCENT = "percent"  # of the entry price
    UNDERLYING_POINTS = "underlying_points"
    UNDERLYING_PERCENT = "underlying_percent"


class Distance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far from the entry a stop or target stands."""

    value: Decimal
    unit: DistanceUnit = DistanceUnit.POINTS


class TrailMode(StrEnum):
    """How a trailing stop follows."""

    STEPPED = "stepped"  # for every ``x`` won the stop moves by ``y`` from where it began
    CONTINUOUS = "continuous"  # from ``x`` won on, ``y`` behind the best price


class Trail(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Trailing stop of a leg: every ``x`` won, move by ``y``."""

    x: Decimal
    y: Decimal
    unit: DistanceUnit = DistanceUnit.POINTS  # POINTS or PERCENT
    mode: TrailMode = TrailMode.STEPPED


class ReentryMode(StrEnum):
    """What comes after a leg's stop or target."""

    NONE = "none"
    ASAP = "asap"  # the same choice anew (its strike is resolved again), at once
    ASAP_REVERSED = "asap_reversed"  # on the other side
    COST = "cost"  # the same contract, when its price is back at the first entry price


class Reentry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Re-entry after a stop or a target, at most ``times``."""

    mode: ReentryMode = ReentryMode.NONE
    times: int = 0


class Momentum(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Simple momentum: the leg is entered only once its price is ``value`` (positive: up,
    negative: down) away from where it was when the run began."""

    value: Decimal
    unit: DistanceUnit = DistanceUnit.POINTS


class LegRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Stop, target and trail of a leg, and what comes after; None is not there."""

    sl: Distance | None = None
    target: Distance | None = None
    trail: Trail | None = None
    after_sl: Reentry = Reentry()
    after_target: Reentry = Reentry()


class BatchLeg(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="batch"):
    """A leg of a batch strategy; its contract is chosen when it is entered. ``position`` B or S."""

    leg_id: int
    segment: Segment
    position: str
    quantity: int = 1
    quantity_mode: QuantityMode = QuantityMode.LOTS
    option_type: str = ""  # CE, PE
    strike_mode: StrikeMode = StrikeMode.ATM
    atm_offset: str = "ATM"
    strike: Decimal = ZERO
    value: Decimal = ZERO
    upper: Decimal = ZERO
    expiry: Expiry = Expiry.CURRENT
    rules: LegRules = LegRules()
    momentum: Momentum | None = None

    @property
    def side(self) -> int:
        """+1 long, -1 short."""
        return 1 if self.position == "B" else -1


class SignalLeg(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="signal"
):
    """A leg of a signal strategy: one instrument, ``quantity`` units. ``side`` says which signals
    it takes: long, short or both. A future's contract is chosen by ``expiry``."""

    leg_id: int
    symbol: str
    exchange: str
    quantity: int
    side: str = "both"
    segment: Segment = Segment.CASH
    expiry: Expiry = Expiry.CURRENT
    rules: LegRules = LegRules()


Leg: TypeAlias = BatchLeg | SignalLeg


class LockMode(StrEnum):
    """What a reached profit does."""

    LOCK = "lock"
    LOCK_AND_TRAIL = "lock_and_trail"


class LockProfit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From ``if_profit_reaches`` on the run closes when its result falls to ``lock_profit``; with
    trailing, to ``trail_step`` below its best. Rupees."""

    mode: LockMode
    if_profit_reaches: Decimal
    lock_profit: Decimal
    trail_step: Decimal = ZERO


class SquareOff(StrEnum):
    """What a leg's stop or target closes."""

    PARTIAL = "partial"  # this leg
    COMPLETE = "complete"  # all of them


class RangeBreakout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Enter when the underlying leaves the range that it had between two times."""

    start: str
    end: str
    high: bool = True  # enter above the high; else below the low


class Scheduler(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a strategy starts and stops by itself; days MON..SUN. ``expiry_days`` are days to the
    expiry of the underlying (0 is the expiry day); empty: any."""

    enabled: bool = False
    days: tuple[str, ...] = ("MON", "TUE", "WED", "THU", "FRI")
    start_time: str = "09:20"
    auto_stop_time: str = "15:15"
    default_mode: str = "sandbox"
    expiry_days: tuple[int, ...] = ()


class Definition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that is written about a strategy; what is exported, imported and versioned."""

    name: str
    kind: StrategyKind
    legs: tuple[Leg, ...] = ()
    direction: str = "both"  # both, long_only, short_only
    universe_tab: str = ""
    underlying: str = ""
    underlying_exchange: str = ""
    intraday: bool = True
    entry_time: str = "09:20"
    exit_time: str = "15:15"
    product: Product = Product.MIS
    overall_sl: Decimal | None = None
    overall_target: Decimal | None = None
    lock_profit: LockProfit | None = None
    trail_sl_to_entry: bool = False
    square_off: SquareOff = SquareOff.PARTIAL
    net_of_charges: bool = True
    overall_reentries: int = 0
    no_reentry_after: str = ""
    range_breakout: RangeBreakout | None = None
    daily_loss_limit: Decimal | None = None
    scheduler: Scheduler = Scheduler()
    webhook_ip_allowlist: tuple[str, ...] = ()
    notes: str = ""
    format: int = FORMAT
