"""Figures of round trips, net of charges: together, by what they share, day by day. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.gently import gently
from openalgo_desktop.core.symbols import parse
from openalgo_desktop.core.trade_journal import (
    NO_NOTE,
    Group,
    JournalDay,
    RoundTrip,
    TradeFigures,
    TradeNote,
)

_ZERO = Decimal(0)
_PAISA = Decimal("0.01")
_HUNDRED = Decimal(100)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

Notes = Mapping[str, TradeNote]
#: The labels under which a round trip is counted.
Labels = Callable[[RoundTrip, TradeNote], Sequence[str]]


def trip_day(trip: RoundTrip) -> date:
    """The IST date of the exit: the day that the profit belongs to."""
    return trip.exit_at.astimezone(IST).date()


#: What trades can be grouped by: name -> labels. The hour is that of the entry, where it is known.
GROUPINGS: dict[str, Labels] = {
    "Underlying": lambda trip, _: (parse(trip.symbol).base,),
    "Weekday": lambda trip, _: (WEEKDAYS[trip.exit_at.astimezone(IST).weekday()],),
    "Hour": lambda trip, _: (_hour(trip),),
    "Strategy": lambda trip, _: (trip.strategy or "(none)",),
    "Product": lambda trip, _: (trip.product.value,),
    "Side": lambda trip, _: ("Long" if trip.side.sign > 0 else "Short",),
    "Tag": lambda _, note: note.tags or ("(none)",),
}


def _hour(trip: RoundTrip) -> str:
    at = (trip.entry_at or trip.exit_at).astimezone(IST)
    return f"{at.hour:02d}:00"


def figures(trips: Iterable[RoundTrip]) -> TradeFigures:
    """The figures of ``trips``, which come in the order of their exits."""
    gross = charges = net = won = lost = peak = drawdown = _ZERO
    wins = losses = count = unknown = timed = 0
    best: Decimal | None = None
    worst: Decimal | None = None
    held = 0.0
    for trip in gently(trips):
        result = trip.net
        if result is None or trip.gross is None:
            unknown += 1
            continue
        count += 1
        gross += trip.gross
        charges += trip.charges
        net += result
        if result > 0:
            wins, won = wins + 1, won + result
        elif result < 0:
            losses, lost = losses + 1, lost - result
        best = result if best is None or result > best else best
        worst = result if worst is None or result < worst else worst
        peak = max(peak, net)
        drawdown = max(drawdown, peak - net)
        if (seconds := trip.held) is not None:
            timed, held = timed + 1, held + seconds
    return TradeFigures(
        trades=count,
        wins=wins,
        losses=losses,
        unknown=unknown,
        gross=gross,
        charges=charges,
        net=net,
        win_rate=_ratio(_HUNDRED * wins, count),
        expectancy=_mean(net, count),
        average_win=_mean(won, wins),
        average_loss=_mean(lost, losses),
        profit_factor=_ratio(won, lost),
        best=best,
        worst=worst,
        max_drawdown=drawdown,
        held=held / timed if timed else None,
    )


def groups(trips: Iterable[RoundTrip], by: str, notes: Notes) -> list[Group]:
    """The figures by one of :data:`GROUPINGS`; weekdays and hours in their order, others with the
    best net first. A trade with two tags counts under both."""
    labels = GROUPINGS[by]
    found: dict[str, list[RoundTrip]] = {}
    for trip in gently(trips):
        for label in labels(trip, notes.get(trip.trip_id, NO_NOTE)):
            found.setdefault(label, []).append(trip)
    made = [Group(label, figures(rows)) for label, rows in found.items()]
    if by == "Weekday":
        return sorted(made, key=lambda group: WEEKDAYS.index(group.label))
    if by == "Hour":
        return sorted(made, key=lambda group: group.label)
    return sorted(made, key=lambda group: (-group.figures.net, group.label))


def days(trips: Iterable[RoundTrip]) -> dict[date, JournalDay]:
    """What was closed on each day; days without a closed trade are not there."""
    sums: dict[date, list[Decimal]] = {}
    counts: dict[date, list[int]] = {}
    for trip in gently(trips):
        day = trip_day(trip)
        money = sums.setdefault(day, [_ZERO, _ZERO])
        count = counts.setdefault(day, [0, 0, 0])
        if trip.gross is None:
            count[2] += 1
            continue
        money[0] += trip.gross
        money[1] += trip.charges
        count[0] += 1
        count[1] += trip.gross > trip.charges
    return {
        day: JournalDay(day, counts[day][0], counts[day][1], gross, charges, counts[day][2])
        for day, (gross, charges) in sums.items()
    }


def _mean(total: Decimal, count: int) -> Decimal | None:
    return (total / count).quantize(_PAISA) if count else None


def _ratio(part: Decimal, whole: Decimal | int) -> Decimal | None:
    return (part / whole).quantize(_PAISA) if whole else None
