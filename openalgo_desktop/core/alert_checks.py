"""What may be asked of an alert: every refusal names the field and the fix. Pure."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from openalgo_desktop.core.alert_acts import MAX_ACTS, check_act
from openalgo_desktop.core.alert_subjects import (
    OfGreek,
    OfOrders,
    OfResult,
    OfTime,
    check_orders,
    check_result,
    check_time,
)
from openalgo_desktop.core.alerts import (
    MAX_BARS,
    MAX_PERCENT,
    MAX_PRICE,
    MESSAGE_LENGTH,
    NOTE_LENGTH,
    PRICE,
    ZERO,
    AlertTrigger,
    AlertWhen,
    AlertWish,
    OfDrawing,
    Room,
    over,
)
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.errors import DataError, InvalidOrder


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
    if not wish.channels and not wish.acts:
        raise InvalidOrder("Tell by: choose at least one way.", field="channels")
    if len(wish.acts) > MAX_ACTS:
        raise InvalidOrder(f"Action: at most {MAX_ACTS}.", field="acts")
    for act in wish.acts:
        check_act(act, wish.again)


def _check_lines(wish: AlertWish) -> None:
    subject, when = wish.subject, wish.when
    happens = isinstance(subject, OfTime | OfOrders)
    if happens is not (when is AlertWhen.HAPPENS):
        raise InvalidOrder("Condition: times and orders happen; nothing else does.", field="when")
    for row in wish.sources:
        if isinstance(row, OfResult):
            check_result(row)
    if isinstance(subject, OfTime):
        check_time(subject)
    elif isinstance(subject, OfOrders):
        check_orders(subject)
    if wish.room is Room.GAUGES:
        _check_gauges(wish)
    if not happens:
        _check_levels(wish)


def _check_gauges(wish: AlertWish) -> None:
    lines = wish.sources[1:]
    if wish.studies or wish.drawings or wish.trigger is AlertTrigger.CLOSE or wish.when.of_move:
        raise InvalidOrder(
            "Condition: combinations, figures of options and results are watched at each price, "
            "without bars. Choose another condition or subject.",
            field="when",
        )
    if wish.when.of_day or any(isinstance(line, OfGreek | OfResult) for line in lines):
        raise InvalidOrder(
            "Level: compare it with a number, or prices with a combination.", field="level"
        )
    if lines and isinstance(wish.subject, OfGreek | OfResult):
        raise InvalidOrder("Level: compare it with a number.", field="level")


def _check_levels(wish: AlertWish) -> None:
    when, priced = wish.when, wish.subject == PRICE and not wish.studies
    if when.of_move or when.of_day:
        if wish.against is not None or wish.beside is not None:
            raise InvalidOrder("Level: this condition takes per cent.", field="level")
        if when.of_day and wish.subject != PRICE:
            raise InvalidOrder("Condition: the change of the day is the price's.", field="when")
    if isinstance(wish.subject, OfDrawing):
        raise InvalidOrder("Condition: a drawing is what is reached. Choose it as the line.",
                           field="when")  # fmt: skip
    if isinstance(wish.against, OfTime | OfOrders) or isinstance(wish.beside, OfTime | OfOrders):
        raise InvalidOrder("Level: a time or an order is no line.", field="level")
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
    if wish.again and wish.per_bar and not wish.span and wish.when is not AlertWhen.HAPPENS:
        raise InvalidOrder("Interval: give the bars in which it tells once.", field="span")
    if wish.needs_bars and not wish.span:
        raise InvalidOrder("Interval: give the bars that it looks at.", field="span")
    if wish.span:
        try:
            Span.parse(wish.span)
        except DataError as error:
            raise InvalidOrder(error.message, field="span") from None
    if wish.when.of_move and not 0 < wish.bars <= MAX_BARS:
        raise InvalidOrder(f"Within: give 1 to {MAX_BARS} bars.", field="bars")
