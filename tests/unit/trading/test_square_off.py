"""At its square-off time a webhook strategy's positions are closed, and nobody else's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.enums import Action, Mode, PriceType, Product
from openalgo_desktop.core.events import Notice, SettingChanged
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.trading.square_off import WebhookSquareOff
from openalgo_desktop.trading.webhooks import (
    SymbolMap,
    WebhookMode,
    WebhookStore,
    WebhookStrategy,
    hours_of,
)
from tests.unit.trading.test_underway import KEY, Exchange, World

CALENDAR = MarketCalendar()


class State:
    """Stored strategies."""

    def __init__(self) -> None:
        self.rows: dict[str, Any] = {}

    async def all(self, scope: str) -> dict[str, Any]:
        return self.rows

    async def get(self, scope: str, key: str) -> Any:
        return self.rows.get(key)

    async def put(self, scope: str, key: str, value: Any) -> None:
        self.rows[key] = value

    async def delete(self, scope: str, key: str) -> None:
        self.rows.pop(key, None)


class Floor(World):
    def __init__(self) -> None:
        super().__init__()
        self.state = State()
        self.open = True
        self.shift = -1.0
        self.told: list[Notice] = []
        self.bus.subscribe(Notice, self.told.append)
        self.job = WebhookSquareOff(
            self,  # type: ignore[arg-type]
            self.bus,
            WebhookStore(self.state),
            self.desk,
            CALENDAR,
            lambda exchange: self.open,
        )
        self.seconds = 0.0
        self.late = False

    # the clock of the job: before or after the square-off time of today
    def now(self) -> Any:
        now = self.clock.now()
        moment = hours_of(STRATEGY, "NSE", now.date(), CALENDAR).square_off
        return moment if self.late else moment.replace(minute=14, second=59)

    def monotonic(self) -> float:
        self.seconds += 60.0
        return self.seconds

    async def save(self, **changes: Any) -> None:
        row = msgspec.structs.replace(STRATEGY, **changes)
        self.state.rows[row.webhook_id] = msgspec.to_builtins(row)
        self.bus.publish(SettingChanged(key=f"webhook.{row.name}", value="on"))

    async def trade(self, action: Action, quantity: int, strategy: str) -> None:
        request = OrderRequest("SBIN", "NSE", action, quantity, strategy=strategy)
        await self.desk.place(request, "api:x")
        await self.paper.done()


STRATEGY = WebhookStrategy("id", "alerts", symbols=(SymbolMap("SBIN", "NSE", 10),))


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    made = Floor()
    await made.desk.start()
    await made.save()
    yield made
    await made.job.stop()
    await made.paper.done()
    await made.desk.stop()


@pytest.mark.parametrize("mode", WebhookMode)
@pytest.mark.parametrize("side", Action)
async def test_positions_are_closed_at_the_time(floor: Floor, mode: WebhookMode, side: Action):
    await floor.save(mode=mode)
    await floor.trade(side, 10, "alerts")
    await floor.job.look()
    assert len(floor.sent) == 1  # a second before
    floor.late = True
    await floor.job.look()
    await floor.paper.done()
    other = Action.SELL if side is Action.BUY else Action.BUY
    assert floor.sent[1:] == [f"{other.value} 10"]
    assert floor.paper.real == 0
    await floor.job.look()
    assert len(floor.sent) == 2


async def test_what_others_hold_in_the_symbol_stays(floor: Floor):
    await floor.trade(Action.BUY, 10, "alerts")
    await floor.trade(Action.BUY, 7, "by hand")
    floor.late = True
    for _ in range(3):
        await floor.job.look()
        await floor.paper.done()
    assert floor.paper.real == 7


async def test_what_was_opened_after_somebody_closed_it_stays(floor: Floor):
    await floor.trade(Action.BUY, 10, "alerts")
    await floor.trade(Action.SELL, 10, "by hand")
    await floor.job.look()
    await floor.trade(Action.BUY, 5, "by hand")
    floor.late = True
    await floor.job.look()
    await floor.paper.done()
    assert floor.paper.real == 5


async def test_an_exit_under_way_is_not_sent_twice(floor: Floor):
    await floor.trade(Action.BUY, 10, "alerts")
    floor.late, floor.paper.delay = True, 0.3
    await floor.job.look()
    await floor.job.look()
    await floor.paper.done()
    assert (floor.paper.real, floor.sent[1:]) == (0, ["SELL 10"])


@pytest.mark.parametrize("changes", [{"intraday": False}, {"symbols": ()}])
async def test_no_square_off_is_asked_for(floor: Floor, changes: dict[str, Any]):
    await floor.save(**changes)
    await floor.trade(Action.BUY, 10, "alerts")
    floor.late = True
    await floor.job.look()
    assert floor.paper.real == 10


async def test_what_cannot_be_closed_is_told_once_and_tried_again(floor: Floor):
    await floor.trade(Action.BUY, 10, "alerts")
    floor.late, floor.open = True, False
    await floor.job.look()
    await floor.job.look()
    assert floor.paper.real == 10
    assert [row.text for row in floor.told if "still open and NSE is closed" in row.text] == [
        "Square-off of webhook strategy alerts: 10 of SBIN are still open and NSE is closed."
    ]
    floor.open, floor.paper.unreadable = True, True
    await floor.job.look()
    assert "could not be closed" in floor.told[-1].text
    floor.paper.unreadable = False
    await floor.job.look()
    await floor.paper.done()
    assert floor.paper.real == 0


async def test_only_its_own_entries_are_taken_back(floor: Floor):
    """Its stop and what others rest in the symbol stay."""
    await floor.trade(Action.BUY, 10, "alerts")
    plain = OrderRequest("SBIN", "NSE", Action.BUY, 3, PriceType.LIMIT, price=700.0)
    stop = OrderRequest("SBIN", "NSE", Action.SELL, 10, PriceType.SLM, trigger_price=750.0)
    own = msgspec.structs.replace(plain, strategy="alerts")
    others = msgspec.structs.replace(plain, strategy="by hand")
    ids = {
        name: (await floor.desk.place(request, "api:x")).order_id
        for name, request in (
            ("own", own),
            ("others", others),
            ("stop", msgspec.structs.replace(stop, strategy="alerts")),
        )
    }
    floor.late = True
    await floor.job.look()
    await floor.paper.done()
    assert [what for kind, what in floor.paper.arrived if kind == "cancel"] == [ids["own"]]


async def test_a_failed_closing_has_a_pause(floor: Floor, monkeypatch: pytest.MonkeyPatch):
    """It is tried again after a quarter of a minute, not with each look."""
    await floor.trade(Action.BUY, 10, "alerts")
    floor.late, floor.paper.unreadable = True, True
    tries, seconds = 0, 1000.0
    close = floor.desk.exits.close

    async def counted(*args: Any, **more: Any) -> Any:
        nonlocal tries
        tries += 1
        return await close(*args, **more)

    monkeypatch.setattr(floor.desk.exits, "close", counted)
    monkeypatch.setattr(floor, "monotonic", lambda: seconds)
    for at, expected in ((0.0, 1), (1.0, 1), (14.9, 1), (15.0, 2), (29.0, 2), (30.0, 3)):
        seconds = 1000.0 + at
        await floor.job.look()
        assert tries == expected, at


async def test_positions_of_the_other_mode_are_told_not_touched(floor: Floor):
    await floor.trade(Action.BUY, 10, "alerts")
    live = Exchange()
    live.account_id = "live:1"
    floor.desk.set_gateway(Mode.LIVE, live)
    await floor.desk.set_mode(Mode.LIVE, "test")
    floor.late = True
    await floor.job.look()
    assert "open in sandbox mode" in floor.told[-1].text
    assert live.arrived == [] and floor.paper.real == 10
    assert floor.desk.books.book(Mode.SANDBOX).positions[KEY].product is Product.MIS
