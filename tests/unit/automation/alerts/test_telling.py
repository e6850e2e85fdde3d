"""Messages, channels and the log of what was told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from openalgo_desktop.automation.alerts import message, telling
from openalgo_desktop.automation.alerts.message import Scene
from openalgo_desktop.automation.alerts.telling import Teller
from openalgo_desktop.automation.alerts.words import Words
from openalgo_desktop.core.alerts import AlertWhen, AlertWish, PriceAlert, ToldAlert
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.errors import NotConnected
from openalgo_desktop.core.events import AlertLogChanged, Bus, PriceAlertFired
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.price_alerts import PriceAlertRepository, ToldAlertRepository
from openalgo_desktop.storage.state import KeyValueStore
from tests.waiting import until

NOW = datetime(2026, 11, 30, 10, 0, tzinfo=IST)
WISH = AlertWish("NSE", "SBIN", AlertWhen.ABOVE, Decimal("800.50"), span="5m", note="my {{price}}")


def test_a_message_is_filled_and_what_is_unknown_stays():
    scene = Scene(803.0, 799.5, 804.0, 798.0, 802.5, 12_500.0, NOW.timestamp())
    known = message.facts(WISH, scene, NOW, Decimal("803.00"), Decimal("800.50"), 2)
    template = (
        "{{ticker}}/{{exchange}} {{interval}} {{price}} o{{open}} h{{high}} l{{low}} c{{ close }}"
    )
    assert message.fill(template, known) == "SBIN/NSE 5m 803.00 o799.50 h804.00 l798.00 c802.50"
    rest = "{{volume}} {{time}} {{timenow}} {{value}} {{level}} {{note}} {{plot_0}} {{"
    assert message.fill(rest, known) == (
        "12500 2026-11-30T10:00:00+05:30 2026-11-30T10:00:00+05:30 803 800.5 my {{price}} "
        "{{plot_0}} {{"
    )
    empty = message.facts(WISH, Scene(803.0), NOW, Decimal(803), None, 2)
    assert message.fill("{{volume}} {{high}} {{time}} {{level}}", empty) == "– – – 800.5"


class Way:
    """A channel that takes, refuses or says nothing."""

    def __init__(
        self, name: str, error: BaseException | None = None, *, mute: bool = False
    ) -> None:
        self.name = self.title = name
        self.error, self.mute = error, mute
        self.texts: list[str] = []

    async def tell(self, alert: PriceAlert, told: ToldAlert) -> None:
        if self.mute:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error
        self.texts.append(told.text)


class Room:
    """A teller on a disk."""

    def __init__(self, db: Database) -> None:
        self.clock, self.bus = ManualClock(NOW), Bus()
        self.state = KeyValueStore(db)
        self.fired: list[PriceAlertFired] = []
        self.bus.subscribe(PriceAlertFired, self.fired.append)
        self.teller = self.make()

    def make(self) -> Teller:
        return Teller(self.clock, self.bus, ToldAlertRepository(self.state))

    def tell(self, *channels: str, text: str = "it is so") -> None:
        wish = msgspec.structs.replace(WISH, channels=channels)
        alert = PriceAlert("1", wish, NOW, fired_at=NOW, fired_value=Decimal(803))
        done = asyncio.get_running_loop().create_future()
        self.teller.tell(alert, text, self.clock.now(), done)


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    db = Database(f"sqlite:///{tmp_path / 'told.db'}")
    await db.start()
    made = Room(db)
    await made.teller.start()
    yield made
    await made.teller.stop()
    await db.stop()


async def test_each_channel_answers_for_itself(room: Room, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(telling, "PATIENCE", 0.02)
    good, mute = Way("toast"), Way("chat", mute=True)
    ways = (
        good,
        mute,
        Way("mail", NotConnected("no line")),
        Way("odd", ValueError("boom")),
        Way("cut", asyncio.CancelledError()),
    )
    stops = [room.teller.add(way) for way in ways]
    room.tell("toast", "chat", "mail", "odd", "nowhere", "cut", "toast")
    assert len(room.fired) == 1  # nobody waits for a channel
    await until(lambda: room.teller.rows()[0].refused)
    (row,) = room.teller.rows()
    assert (row.accepted, good.texts) == (("toast",), ["it is so"])
    assert dict(row.refused) == {
        "chat": "No answer within 0 s.",
        "mail": "no line",
        "odd": "It failed; the log file says how.",
        "nowhere": "It is not there.",
        "cut": "It was broken off.",
    }
    for stop in stops:
        stop()
    assert room.teller.channels == ()


async def test_the_log_stays_over_a_restart_for_ninety_days(room: Room):
    room.teller.add(Way("toast"))
    room.tell("toast", text="old")
    await until(lambda: room.teller.rows()[0].accepted)
    room.clock.advance(timedelta(days=60).total_seconds())
    room.tell("toast", text="young")
    await until(lambda: room.teller.rows()[0].accepted)
    await room.teller.stop()
    await room.state.put("other", "last", 1)  # writes are done in order
    again = room.make()
    await again.start()
    assert [(row.text, row.accepted) for row in again.rows()] == [
        ("young", ("toast",)), ("old", ("toast",)),
    ]  # fmt: skip
    heard: list[AlertLogChanged] = []
    room.bus.subscribe(AlertLogChanged, heard.append)
    room.clock.advance(timedelta(days=31).total_seconds())
    again.tidy()
    assert [row.text for row in again.rows()] == ["young"] and len(heard) == 1
    await room.state.put("other", "last", 2)
    assert [row.text for row in await ToldAlertRepository(room.state).load()] == ["young"]


async def test_the_log_is_bounded(room: Room, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(telling, "MAX_ROWS", 3)
    for number in range(5):
        room.clock.advance(1)
        room.tell(text=str(number))
    assert [row.text for row in room.teller.rows()] == ["4", "3", "2"]


async def test_an_alert_of_the_first_form_is_read(room: Room):
    """As it was stored before alerts knew studies, drawings and channels."""
    old = {
        "alert_id": "261130-0badcafe",
        "wish": {
            "exchange": "NSE", "symbol": "SBIN", "when": "crosses", "level": "800.50",
            "again": True, "expires": "2026-12-31", "note": "range",
        },
        "created_at": "2026-11-30T10:00:00+05:30", "state": "active", "armed": True, "side": -1,
        "fired_at": None, "fired_value": None, "count": 2,
    }  # fmt: skip
    await room.state.put("price-alerts", "261130-0badcafe", old)
    (alert,) = await PriceAlertRepository(room.state).load()
    assert (alert.wish.level, alert.side, alert.count) == (Decimal("800.50"), -1, 2)
    assert alert.wish.is_plain and alert.wish.channels == ("toast", "sound", "desktop")


def test_what_is_told_has_grouped_prices_and_a_message_plain_ones():
    words = Words(*[cast("Any", SimpleNamespace(get=lambda key: None))] * 3)
    wish = AlertWish("NSE", "MRF", AlertWhen.ABOVE, Decimal("124000.50"))
    alert = PriceAlert("a1", wish, NOW, fired_value=Decimal("124169.00"))
    assert words.text(alert, NOW) == "MRF at 1,24,169.00 (LTP at or above 1,24,000.50)"
    known = message.facts(wish, Scene(124169.0), NOW, Decimal(124169), None, 2)
    assert message.fill("{{price}} {{level}}", known) == "124169.00 124000.5"  # for machines
