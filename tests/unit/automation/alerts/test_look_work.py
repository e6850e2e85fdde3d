"""The look between ticks holds the loop no longer with a thousand alerts than with a few."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from openalgo_desktop.automation.alerts.scout import TURN
from openalgo_desktop.core.alerts import AlertState, AlertWhen, PriceAlert
from openalgo_desktop.core.ticks import Tick
from tests.costs import calls
from tests.unit.automation.alerts.room import Room, room

__all__ = ["room"]


def turns(work: Iterator[None]) -> list[int]:
    """What each turn calls."""
    found, rest = [], True

    def turn() -> None:
        nonlocal rest
        rest = next(work, work) is None

    while rest:
        found.append(calls(turn))
    return found


async def test_a_turn_of_the_look_costs_the_same_however_many_alerts_there_are(room: Room):
    one = await room.add(AlertWhen.ABOVE, "900")
    most, rows = {}, 1
    for count in (10, TURN, 1000):
        for number in range(rows, count):
            wish = msgspec.structs.replace(one.wish, symbol=f"S{number}")
            room.ticks.say(899.0, wish.key)
            room.alerts._keep(PriceAlert(f"a{number}", wish, one.created_at))
        rows = count
        room.alerts.look()  # what is worked out once is there
        most[count] = max(turns(room.alerts._looking()))
    assert most[10] < most[TURN] and most[1000] <= 1.1 * most[TURN]
    # Every one is looked at: a price that came before its alert is seen.
    places = ("S1", "S500", "S999")
    for symbol in places:
        room.ticks.ticks["NSE", symbol] = Tick(symbol, "NSE", 901.0)
    list(room.alerts._looking())
    assert [row.wish.symbol for row in room.told] == list(places)


async def test_what_is_gone_meanwhile_is_not_looked_at(room: Room):
    made = [await room.add(AlertWhen.ABOVE, f"{900 + n}") for n in range(3)]
    for number in range(2 * TURN):
        wish = msgspec.structs.replace(made[0].wish, symbol=f"S{number}")
        room.alerts._keep(PriceAlert(f"a{number}", wish, made[0].created_at))
    walk = room.alerts._looking()
    next(walk)
    for alert in list(room.alerts.all()):
        room.alerts._drop(alert)
    list(walk)
    assert not room.alerts.all() and not room.told
    assert all(row.state is AlertState.ACTIVE for row in made)
