"""Alerts: what they wait for, and the states of one. Pure; what a price does to one is in
:mod:`openalgo_desktop.core.alert_judge`, what may be asked for in
:mod:`openalgo_desktop.core.alert_checks`.

An alert tells, and does what its acts say (:mod:`openalgo_desktop.core.alert_acts`); what it looks
at beside prices, studies and drawings is in :mod:`openalgo_desktop.core.alert_subjects`. It is
watched only while the program runs, with or without a chart or a window. Levels are Decimals:
rupees, per cent for the change of the day (last price against the previous close) and for moves, or
the unit of the subject.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

import msgspec

from openalgo_desktop.core.alert_acts import Act, RunStrategy, SendOrder
from openalgo_desktop.core.alert_subjects import (
    Moment,
    OfCombination,
    OfGreek,
    OfOrders,
    OfResult,
    OfTime,
    ResultOf,
)
from openalgo_desktop.core.charting.studies import StudyWish, Value
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Key

ZERO = Decimal(0)
#: Longest note and message of an alert, letters.
NOTE_LENGTH, MESSAGE_LENGTH = 120, 500
#: Levels beyond these are slips of the hand: rupees, per cent.
MAX_PRICE, MAX_PERCENT = Decimal(100_000_000), Decimal(1000)
#: A move is looked for within so many bars at most.
MAX_BARS = 500
#: What a message may name between double braces; anything else stays as it was typed.
PLACEHOLDERS = (
    "ticker", "exchange", "interval", "price", "open", "high", "low", "close", "volume", "time",
    "timenow", "value", "level", "note",
)  # fmt: skip
#: Why an alert hears nothing for a moment after it was made.
LOADING = "Its bars are being loaded."
#: Channels of the window; who is not there takes nothing.
TOAST, SOUND, DESKTOP = "toast", "sound", "desktop"


class AlertWhen(StrEnum):
    """What the subject does to its line (or to both lines of a channel)."""

    ABOVE = "above"  # at or above it
    BELOW = "below"  # at or below it
    CROSSES = "crosses"  # goes through or touches it, from either side
    CROSSES_UP = "crosses-up"  # the same, coming from below
    CROSSES_DOWN = "crosses-down"
    ENTERS = "enters"  # comes into the channel; its edges belong to it
    LEAVES = "leaves"
    RISES = "rises"  # per cent from the lowest within some bars
    FALLS = "falls"  # per cent from the highest
    MOVES = "moves"  # either
    DAY_ABOVE = "day-above"  # change of the day, per cent, at or above
    DAY_BELOW = "day-below"
    HAPPENS = "happens"  # a moment comes, an order has news

    @property
    def of_day(self) -> bool:
        """Whether the level is per cent of the day."""
        return self in (AlertWhen.DAY_ABOVE, AlertWhen.DAY_BELOW)

    @property
    def crosses(self) -> bool:
        """Whether it is about passing one line."""
        return self in (AlertWhen.CROSSES, AlertWhen.CROSSES_UP, AlertWhen.CROSSES_DOWN)

    @property
    def of_channel(self) -> bool:
        """Whether there are two lines."""
        return self in (AlertWhen.ENTERS, AlertWhen.LEAVES)

    @property
    def of_move(self) -> bool:
        """Whether the level is per cent within some bars."""
        return self in (AlertWhen.RISES, AlertWhen.FALLS, AlertWhen.MOVES)


class AlertTrigger(StrEnum):
    """When an alert looks."""

    TOUCH = "touch"  # at every price
    CLOSE = "close"  # when a bar is closed and final


class Pace(StrEnum):
    """How often an alert tells that tells again."""

    EVERY = "every"  # each time, at most once in a minute
    BAR = "bar"  # once in each bar of its span


class Room(StrEnum):
    """Who watches an alert."""

    LEVELS = "levels"  # the last price, or the change of the day, at fixed levels
    BARS = "bars"  # whatever needs bars
    GAUGES = "gauges"  # combinations, figures of options, results
    TIME = "time"
    ORDERS = "orders"


class AlertState(StrEnum):
    """Where an alert stands."""

    ACTIVE = "active"
    PAUSED = "paused"
    FIRED = "fired"  # an alert for once that has told
    EXPIRED = "expired"


class AlertNotFound(AppError):
    """There is no such alert."""

    http_status = 404


class OfPrice(msgspec.Struct, frozen=True, tag="price"):
    """The last price; of a closed bar its close."""


class OfStudy(msgspec.Struct, frozen=True, tag="study"):
    """One output of a study on the bars of the alert's span; parameters that are not given are
    the study's own. ``inputs`` are the studies that it stands on, by the name of its source."""

    study: str
    output: str
    params: Mapping[str, Value] = {}
    inputs: Mapping[str, OfStudy] = {}


def study_of(wish: StudyWish, output: str, others: Sequence[StudyWish] = ()) -> OfStudy:
    """An output of a study of a chart, for an alert; ``others`` are the chart's studies, on which
    it may stand."""
    rest = [row for row in others if row.ident != wish.ident]
    params: dict[str, Value] = {}
    inputs: dict[str, OfStudy] = {}
    for name, value in wish.params.items():
        ident, _, line = str(value).partition(".") if isinstance(value, str) else ("", "", "")
        under = next((row for row in rest if line and row.ident == ident), None)
        if under is None:
            params[name] = value
        else:
            inputs[name] = study_of(under, line, rest)
    return OfStudy(wish.study, output, params, inputs)


class OfDrawing(msgspec.Struct, frozen=True, tag="drawing"):
    """A line of a drawing, by the drawing's id; ``line`` is the line's name where it has several
    (``upper``, ``0.618``), empty its first. It follows what becomes of the drawing. What is sloped
    is read by the bars of the alert's span."""

    drawing: str
    line: str = ""


Source: TypeAlias = (
    OfPrice | OfStudy | OfDrawing | OfCombination | OfGreek | OfResult | OfTime | OfOrders
)
PRICE = OfPrice()
_GAUGES = (OfCombination, OfGreek, OfResult)


class AlertWish(msgspec.Struct, frozen=True):
    """What a human asks for: ``subject`` does ``when`` to a line.

    The line is ``against`` where given, else ``level``; the second line of a channel is
    ``beside``, else ``upper``. For a move, ``level`` is per cent (above 0) and ``bars`` within how
    many of them, the forming one counted. ``again`` tells each time that the condition becomes
    true anew, at the ``pace``: at most once in a minute, or once in each bar of its ``span`` (text
    of a :class:`Span`); without one, by the bar where the alert needs bars. Moments and news of
    orders are told each time. ``exchange`` and ``symbol`` are empty where it is about no instrument
    (:attr:`needs_symbol`). ``expires`` is the last day (IST) on which it is watched, ``until``
    the time on that day. ``message`` is told instead of the usual words (:data:`PLACEHOLDERS`).
    ``acts`` are done each time that it tells.
    """

    exchange: str
    symbol: str
    when: AlertWhen
    level: Decimal = ZERO
    again: bool = False
    expires: date | None = None
    note: str = ""
    subject: Source = PRICE
    against: Source | None = None
    upper: Decimal | None = None
    beside: Source | None = None
    bars: int = 0
    trigger: AlertTrigger = AlertTrigger.TOUCH
    span: str = ""
    until: time | None = None
    message: str = ""
    channels: tuple[str, ...] = (TOAST, SOUND, DESKTOP)
    pace: Pace | None = None
    acts: tuple[Act, ...] = ()

    @property
    def key(self) -> Key:
        """The instrument."""
        return (self.exchange, self.symbol)

    @property
    def sources(self) -> tuple[Source, ...]:
        """Subject and lines that are no fixed level."""
        one, two = self.against, self.beside
        return (self.subject, *(() if one is None else (one,)), *(() if two is None else (two,)))

    @property
    def studies(self) -> tuple[OfStudy, ...]:
        """The studies that must run."""
        return tuple(row for row in self.sources if isinstance(row, OfStudy))

    @property
    def drawings(self) -> tuple[OfDrawing, ...]:
        """The lines of drawings that it hangs on."""
        return tuple(row for row in self.sources if isinstance(row, OfDrawing))

    @property
    def room(self) -> Room:
        """Who watches it."""
        if isinstance(self.subject, OfTime):
            return Room.TIME
        if isinstance(self.subject, OfOrders):
            return Room.ORDERS
        if any(isinstance(row, _GAUGES) for row in self.sources):
            return Room.GAUGES
        plain = self.sources == (PRICE,) and self.trigger is not AlertTrigger.CLOSE
        return Room.LEVELS if plain and not self.when.of_move else Room.BARS

    @property
    def needs_bars(self) -> bool:
        """Whether it cannot be watched without bars."""
        return self.room is Room.BARS

    @property
    def needs_symbol(self) -> bool:
        """Whether it is about an instrument."""
        if isinstance(self.subject, OfTime | OfOrders):
            return False
        rest = [row for row in self.sources if not isinstance(row, OfCombination)]
        return any(not isinstance(row, OfResult) or row.of is ResultOf.SYMBOL for row in rest)

    @property
    def is_plain(self) -> bool:
        """Whether it compares the last price, or the change of the day, with fixed levels: all
        that one comparison of a tick can do."""
        return self.room is Room.LEVELS

    @property
    def is_careful(self) -> bool:
        """Whether it may do what moves money: only what was seen to become true does."""
        return any(isinstance(act, SendOrder | RunStrategy) for act in self.acts)

    @property
    def per_bar(self) -> bool:
        """Whether it tells once in a bar, where it tells again."""
        if self.pace is None or self.trigger is AlertTrigger.CLOSE:
            return self.needs_bars
        return self.pace is Pace.BAR

    @property
    def of_level(self) -> bool:
        """Whether it waits for the price at a fixed level, which has its place on a chart."""
        fixed = self.sources == (PRICE,) and not self.when.of_channel
        return fixed and not self.when.of_day and not self.when.of_move


class PriceAlert(msgspec.Struct, frozen=True):
    """An alert as it is now.

    ``armed`` is False from a time that it told until its condition is false again. ``side`` is for
    crossings and channels: where the subject was seen last, -1 below, 1 above, 2 inside the
    channel, 0 at the line or not known. ``fired_value`` is the subject's value at ``fired_at``,
    ``fired_line`` what it was compared with, ``count`` how often it told. ``why`` is why the
    program paused it.
    """

    alert_id: str
    wish: AlertWish
    created_at: Moment
    state: AlertState = AlertState.ACTIVE
    armed: bool = True
    side: int = 0
    fired_at: Moment | None = None
    fired_value: Decimal | None = None
    count: int = 0
    fired_line: Decimal | None = None
    why: str = ""

    @property
    def key(self) -> Key:
        """The instrument."""
        return self.wish.key

    @property
    def is_active(self) -> bool:
        """Whether prices are compared."""
        return self.state is AlertState.ACTIVE


class ToldAlert(msgspec.Struct, frozen=True):
    """One time that an alert told, as it is kept: ``text`` is what was told, ``accepted`` the
    channels and acts that took it and ``refused`` those that did not, with the reason; ``notes``
    is what became of an act: the ids of its orders."""

    told_id: str
    alert_id: str
    exchange: str
    symbol: str
    at: Moment
    value: Decimal
    text: str
    line: Decimal | None = None
    note: str = ""
    accepted: tuple[str, ...] = ()
    refused: Mapping[str, str] = {}
    notes: Mapping[str, str] = {}

    @property
    def key(self) -> Key:
        """The instrument."""
        return (self.exchange, self.symbol)


def changed(alert: PriceAlert, wish: AlertWish) -> PriceAlert:
    """The alert with another wish: it waits anew; a paused one stays paused."""
    after = resumed(alert)
    if alert.state is AlertState.PAUSED:
        after = paused(after)
    replace = msgspec.structs.replace
    return replace(after, wish=wish, fired_at=None, fired_value=None, fired_line=None, count=0)


def paused(alert: PriceAlert, why: str = "") -> PriceAlert:
    """The alert at rest; ``why`` when the program did it."""
    return msgspec.structs.replace(alert, state=AlertState.PAUSED, why=why)


def resumed(alert: PriceAlert) -> PriceAlert:
    """The alert watched again, from the next price on."""
    return msgspec.structs.replace(alert, state=AlertState.ACTIVE, armed=True, side=0, why="")


def ended(alert: PriceAlert) -> PriceAlert:
    """The alert after its last day."""
    return msgspec.structs.replace(alert, state=AlertState.EXPIRED)


def over(wish: AlertWish, now: datetime) -> bool:
    """Whether its last day, or the time on it, is over."""
    last = wish.expires
    if last is None or now.date() < last:
        return False
    return now.date() > last or (wish.until is not None and now.time() >= wish.until)
