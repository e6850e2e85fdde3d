"""Price alerts over the hub's prices and the database."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from decimal import Decimal

import msgspec
import pytest

from openalgo_desktop.core.alerts import (
    AlertNotFound,
    AlertState,
    AlertWhen,
    AlertWish,
    PriceAlert,
)
from openalgo_desktop.core.errors import InvalidOrder, StorageError
from openalgo_desktop.core.events import PriceAlertChanged
from openalgo_desktop.storage.price_alerts import PriceAlertRepository
from tests.unit.automation.alerts.room import NOW, Room, room
from tests.waiting import until

__all__ = ["room"]


async def test_it_tells_once_and_lets_go_of_the_price(room: Room):
    room.ticks.say(790.0)
    made = await room.add(AlertWhen.ABOVE, "800")
    for price in (799.95, 803.0, 799.0, 810.0):
        room.ticks.say(price)
    assert [row.fired_value for row in room.told] == [Decimal(803)]
    assert room.alerts.get(made.alert_id).state is AlertState.FIRED
    assert not any(room.ticks.listeners.values())


async def test_stale_unknown_and_closed_fire_nothing_a_gap_fires_at_the_first_fresh_price(
    room: Room,
):
    made = await room.add(AlertWhen.BELOW, "780")
    assert room.alerts.trouble(made) == "The price is not known."
    room.ticks.stale = True
    room.ticks.say(770.0)
    room.alerts.look()
    room.ticks.stale, room.open = False, False
    room.clock.advance(2)
    room.ticks.say(769.0)
    room.alerts.look()
    assert not room.told and room.alerts.trouble(made) == "NSE is closed."
    room.open = True
    room.clock.advance(2)
    room.alerts.look()
    assert [row.fired_value for row in room.told] == [Decimal(769)]


async def test_a_cross_is_remembered_over_a_restart(room: Room):
    room.ticks.say(790.0)
    made = await room.add(AlertWhen.CROSSES, "800")
    paused = await room.add(AlertWhen.ABOVE, "795")
    await room.alerts.pause(paused.alert_id)
    await until(lambda: room.alerts.get(made.alert_id).side == -1)
    await room.restart()
    assert len(room.alerts.all()) == 2
    room.ticks.say(820.0)
    assert [row.alert_id for row in room.told] == [made.alert_id]
    await room.restart()
    room.ticks.say(790.0)
    assert len(room.told) == 1
    assert room.alerts.get(made.alert_id).fired_value == Decimal(820)


async def test_an_alert_of_a_contract_that_is_over_ends(room: Room):
    """Also when the symbol master has forgotten it."""
    wish = AlertWish("NFO", "NIFTY24NOV2624000CE", AlertWhen.ABOVE, Decimal(100))
    alive = msgspec.structs.replace(wish, symbol="NIFTY30NOV2624000CE")
    store = PriceAlertRepository(room.state)
    for number, one in enumerate((wish, alive)):
        await store.save(PriceAlert(str(number), one, NOW))
    await room.restart()
    assert [room.alerts.get(name).state for name in "01"] == [
        AlertState.EXPIRED, AlertState.ACTIVE,
    ]  # fmt: skip
    room.clock.advance(86_400)
    room.alerts.look()
    assert room.alerts.get("1").state is AlertState.EXPIRED
    assert not any(room.ticks.listeners.values())


@pytest.mark.parametrize(
    ("part", "wrong"),
    [
        ("created_at", "2026-11-20T10:00:00"),
        ("fired_at", "2026-11-20T10:00:00"),
        ("fired_value", "NaN"),
        ("level", "NaN"),
        ("upper", "Infinity"),
    ],
)
async def test_a_damaged_alert_costs_itself_only(room: Room, part: str, wrong: str):
    wish = AlertWish("NSE", "SBIN", AlertWhen.ABOVE, Decimal(800))
    rows = {name: msgspec.to_builtins(PriceAlert(name, wish, NOW)) for name in ("bad", "good")}
    bad = rows["bad"]
    (bad["wish"] if part in bad["wish"] else bad)[part] = wrong
    for name, row in rows.items():
        await room.state.putting("price-alerts", name, row)
    await room.restart()
    assert [alert.alert_id for alert in room.alerts.all()] == ["good"]
    room.ticks.say(790.0)
    room.ticks.say(801.0)
    assert [row.alert_id for row in room.told] == ["good"]


async def test_an_alert_for_another_symbol_hears_the_old_one_no_more(room: Room):
    rows = room.world.lookup.rows
    rows[("NSE", "INFY")] = msgspec.structs.replace(rows[("NSE", "SBIN")], symbol="INFY")
    room.ticks.say(790.0)
    made = await room.add(AlertWhen.ABOVE, "800")
    await room.alerts.change(
        made.alert_id, AlertWish("NSE", "INFY", AlertWhen.ABOVE, Decimal(2000))
    )
    room.ticks.say(2500.0)
    assert not room.told and not room.ticks.listeners[("NSE", "SBIN")]
    room.ticks.say(2500.0, ("NSE", "INFY"))
    assert len(room.told) == 1


async def test_change_of_the_day(room: Room):
    room.ticks.say(100.5, close=100.0)
    made = await room.add(AlertWhen.DAY_ABOVE, "2")
    room.ticks.say(101.95, close=100.0)
    room.ticks.say(102.5, close=0.0)  # without a close nobody knows the change
    assert not room.told
    room.ticks.say(102.5, close=100.0)
    assert [row.alert_id for row in room.told] == [made.alert_id]
    assert room.told[0].fired_value == Decimal("2.5")


async def test_its_last_day_ends_it(room: Room):
    today = room.clock.now().date()
    wish = AlertWish("NSE", "SBIN", AlertWhen.ABOVE, Decimal(800), expires=today)
    made = await room.alerts.add(wish)
    room.clock.advance(timedelta(days=1).total_seconds())
    room.ticks.say(810.0)
    room.alerts.look()
    assert room.alerts.get(made.alert_id).state is AlertState.EXPIRED and not room.told
    with pytest.raises(InvalidOrder, match="that day is over"):
        await room.alerts.resume(made.alert_id)


async def test_change_resume_and_delete(room: Room):
    heard: list[tuple[str, bool]] = []
    room.bus.subscribe(
        PriceAlertChanged, lambda event: heard.append((event.alert.state.value, event.deleted))
    )
    room.ticks.say(790.0)
    made = await room.add(AlertWhen.ABOVE, "780")  # true already: it tells at once
    assert len(room.told) == 1
    await room.alerts.change(made.alert_id, AlertWish("NSE", "SBIN", AlertWhen.ABOVE, Decimal(795)))
    room.ticks.say(796.0)
    assert len(room.told) == 2
    await room.alerts.resume(made.alert_id)
    await room.alerts.delete(made.alert_id)
    assert heard[0] == ("active", False) and heard[-1][1] is True
    with pytest.raises(AlertNotFound):
        room.alerts.get(made.alert_id)
    await room.restart()
    assert room.alerts.all() == []


async def test_an_instrument_has_its_own_alerts(room: Room):
    """However they are made, changed and deleted; who shows the one before hears of a move."""
    heard: list[tuple[str, bool]] = []
    room.bus.subscribe(
        PriceAlertChanged, lambda event: heard.append((event.alert.wish.symbol, event.deleted))
    )
    first = await room.add(AlertWhen.ABOVE, "900")
    room.clock.advance(1)
    last = await room.add(AlertWhen.ABOVE, "901")
    keys = ("NSE", "SBIN"), ("NSE", "INFY")

    def check() -> list[list[str]]:
        found = [room.alerts.of(key) for key in keys]
        every = room.alerts.all()
        assert found == [[row for row in every if row.key == key] for key in keys]
        return [[row.alert_id for row in rows] for rows in found]

    assert check() == [[last.alert_id, first.alert_id], []]
    heard.clear()
    await room.alerts.change(
        first.alert_id, AlertWish("NSE", "INFY", AlertWhen.ABOVE, Decimal(9000))
    )
    assert heard[:2] == [("SBIN", True), ("INFY", False)]
    await room.alerts.pause(last.alert_id)
    assert check() == [[last.alert_id], [first.alert_id]]
    await room.alerts.delete(first.alert_id)
    assert check() == [[last.alert_id], []]
    await room.restart()
    assert check() == [[last.alert_id], []]


async def test_bad_wishes_are_refused(room: Room):
    with pytest.raises(InvalidOrder, match="not known"):
        await room.alerts.add(AlertWish("NSE", "NOSUCH", AlertWhen.ABOVE, Decimal(1)))
    with pytest.raises(InvalidOrder, match="Until"):
        wish = AlertWish("NSE", "SBIN", AlertWhen.ABOVE, Decimal(1), expires=date(2000, 1, 1))
        await room.alerts.add(wish)
    assert room.alerts.all() == []


def refuse(*_: object) -> asyncio.Future[None]:
    """A disk that takes nothing."""
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    done.set_exception(StorageError("disk full"))
    return done


async def test_what_could_not_be_stored_did_not_happen(room: Room, monkeypatch: pytest.MonkeyPatch):
    """Told as failed: a new alert is none, one that was changed or deleted is what it was."""
    room.ticks.say(790.0)
    first = await room.add(AlertWhen.ABOVE, "800")
    room.clock.advance(1)
    last = await room.add(AlertWhen.ABOVE, "900")
    heard: list[PriceAlertChanged] = []
    room.bus.subscribe(PriceAlertChanged, heard.append)
    monkeypatch.setattr(PriceAlertRepository, "save", refuse)
    monkeypatch.setattr(PriceAlertRepository, "forget", refuse)
    with pytest.raises(StorageError):
        await room.add(AlertWhen.BELOW, "780")
    assert heard[-1].deleted
    with pytest.raises(StorageError):
        wish = AlertWish("NSE", "SBIN", AlertWhen.ABOVE, Decimal(850))
        await room.alerts.change(first.alert_id, wish)
    with pytest.raises(StorageError):
        await room.alerts.delete(first.alert_id)
    assert room.alerts.all() == [last, first] and heard[-1].alert == first
    room.ticks.say(801.0)
    assert [alert.alert_id for alert in room.told] == [first.alert_id]


async def test_what_an_alert_told_comes_to_the_disk_when_it_takes_it(
    room: Room, monkeypatch: pytest.MonkeyPatch
):
    room.ticks.say(790.0)
    made = await room.add(AlertWhen.ABOVE, "800")

    with monkeypatch.context() as patch:
        patch.setattr(PriceAlertRepository, "save", refuse)
        room.ticks.say(801.0)
        await asyncio.sleep(0.01)
    assert len(room.told) == 1
    room.alerts.look()
    await room.restart()
    assert room.alerts.get(made.alert_id).state is AlertState.FIRED
