"""Alerts: what they wait for, and the states of one. Pure; what a price does to one is in
:mod:`openalgo_desktop.core.alert_judge`.

An alert tells and never sends; it knows no mode and no account. It is watched only while the
program runs, with or without a chart or a window. Levels are Decimals: rupees, per cent for the
change of the day (last price against the previous close) and for moves, or the unit of a study.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, TypeAlias

import msgspec

from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.charting.studies import StudyWish, Value
from openalgo_desktop.core.errors import AppError, DataError, InvalidOrder
from openalgo_desktop.core.model import Key

#: A time that is read again has its zone; others cannot be compared with it.
Moment: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]

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


Source: TypeAlias = OfPrice | OfStudy | OfDrawing
PRICE = OfPrice()


class AlertWish(msgspec.Struct, frozen=True):
    """What a human asks for: ``subject`` does ``when`` to a line.

    The line is ``against`` where given, else ``level``; the second line of a channel is
    ``beside``, else ``upper``. For a move, ``level`` is per cent (above 0) and ``bars`` within how
    many of them, the forming one counted. ``again`` tells each time that the condition becomes
    true anew: at most once in a minute, or once in each bar where the alert has bars (``span``,
    text of a :class:`Span`). ``expires`` is the last day (IST) on which it is watched, ``until``
    the time on that day. ``message`` is told instead of the usual words (:data:`PLACEHOLDERS`).
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
    def needs_bars(self) -> bool:
        """Whether it cannot be watched without bars."""
        return self.sources != (PRICE,) or self.trigger is AlertTrigger.CLOSE or self.when.of_move

    @property
    def is_plain(self) -> bool:
        """Whether it compares the last price, or the change of the day, with fixed levels: all
        that one comparison of a tick can do."""
        return not self.needs_bars

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
    channels that took it and ``refused`` those that did not, with the reason."""

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

    @property
    def key(self) -> Key:
        """The instrument."""
        return (self.exchange, self.symbol)


def check(wish: AlertWish, now: datetime) -> None:
    """Raises :class:`InvalidOrder` with a sentence that names the field. Studies and drawings are
    checked by who knows them."""
    _check_lines(wish)
    _check_bars(wish)
    if wish.until is not None and wish.expires is None:
        raise InvalidOrder("Until: give a day with the time.", field="expires")
    if over(wish, now):
        what = "time" if wish.expires == now.date() else "day"
        raise InvalidOrder(
            f"Until: that {what} is over. Choose today or a later day.", field="expires"
        )
    if len(wish.note) > NOTE_LENGTH:
        raise InvalidOrder(f"Note: at most {NOTE_LENGTH} letters.", field="note")
    if len(wish.message) > MESSAGE_LENGTH:
        raise InvalidOrder(f"Message: at most {MESSAGE_LENGTH} letters.", field="message")
    if not wish.channels:
        raise InvalidOrder("Tell by: choose at least one way.", field="channels")


def _check_lines(wish: AlertWish) -> None:
    when, priced = wish.when, not wish.studies
    if when.of_move or when.of_day:
        if wish.against is not None or wish.beside is not None:
            raise InvalidOrder("Level: this condition takes per cent.", field="level")
        if when.of_day and wish.subject != PRICE:
            raise InvalidOrder("Condition: the change of the day is the price's.", field="when")
    if isinstance(wish.subject, OfDrawing):
        raise InvalidOrder("Condition: a drawing is what is reached. Choose it as the line.",
                           field="when")  # fmt: skip
    if wish.against is None:
        _check_level(wish, wish.level, priced, "Level", "level")
    if not when.of_channel:
        return
    if wish.beside is None:
        if wish.upper is None:
            raise InvalidOrder("Second level: give both lines of the channel.", field="upper")
        _check_level(wish, wish.upper, priced, "Second level", "upper")
    if (wish.against, wish.level) == (wish.beside, wish.upper):
        raise InvalidOrder("Second level: it is the first one.", field="upper")


def _check_level(wish: AlertWish, level: Decimal, priced: bool, name: str, field: str) -> None:
    percent = wish.when.of_day or wish.when.of_move
    top = MAX_PERCENT if percent else MAX_PRICE
    if not level.is_finite() or abs(level) > top:
        raise InvalidOrder(f"{name}: give a number up to {top:,}.", field=field)
    if wish.when.of_move and level <= ZERO:
        raise InvalidOrder(f"{name}: give per cent above 0.", field=field)
    if not percent and priced and level <= ZERO:
        raise InvalidOrder(f"{name}: give a price above 0.", field=field)


def _check_bars(wish: AlertWish) -> None:
    if wish.needs_bars and not wish.span:
        raise InvalidOrder("Interval: give the bars that it looks at.", field="span")
    if wish.span:
        try:
            Span.parse(wish.span)
        except DataError as error:
            raise InvalidOrder(error.message, field="span") from None
    if wish.when.of_move and not 0 < wish.bars <= MAX_BARS:
        raise InvalidOrder(f"Within: give 1 to {MAX_BARS} bars.", field="bars")


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
