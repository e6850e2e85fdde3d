"""News: which events are told, how they are gathered, quiet hours, the summary."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from openalgo_desktop.automation.telegram.bundles import is_quiet
from openalgo_desktop.automation.telegram.channel import TelegramChannel
from openalgo_desktop.core.alerts import AlertWhen, AlertWish, PriceAlert, ToldAlert
from openalgo_desktop.core.api_rows import Approval
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import AccountState, Action, Mode, OrderStatus, Product
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.events import (
    AccountChanged,
    ApprovalChanged,
    BooksDiffer,
    ExitPlanChanged,
    FeedChanged,
    HostedChanged,
    KillSwitchChanged,
    ModeChanged,
    OrderRefused,
    OrderUpdated,
)
from openalgo_desktop.core.exits import ExitPlan, ExitSpec, PlanState, ResultExit
from openalgo_desktop.core.model import AccountStatus, Order, Position, Trade
from openalgo_desktop.core.reports import Difference
from openalgo_desktop.core.strategies.hosted import Hosted, HostedState, HostedView
from tests.emulators.telegram import USER, TelegramEmulator
from tests.unit.automation.telegram.room import (
    NOW,
    Desk,
    MemorySecrets,
    MemoryStore,
    Room,
    order,
    room,
)
from tests.waiting import until

_TIME = re.compile(r"\d\d:\d\d:\d\d")


@pytest.fixture
async def r() -> AsyncIterator[Room]:
    async with room() as made:
        await made.on()
        await made.link()
        made.api.said.clear()
        yield made


def updated(row: Order, trade: Trade | None = None, mode: Mode = Mode.LIVE) -> OrderUpdated:
    return OrderUpdated("a", mode, "broker", msgspec.structs.replace(row), trade)


def fill(row: Order, number: int, quantity: int, price: float) -> OrderUpdated:
    return updated(row, Trade.of(row, f"{row.order_id}-{number}", quantity, price, NOW))


async def told(r: Room, count: int) -> list[str]:
    await until(lambda: len(r.api.texts()) >= count, f"{count} messages of {r.api.texts()}")
    return r.api.texts()


async def test_an_order_is_told_from_its_placing_to_its_late_rejection(r: Room):
    row = order(1, OrderStatus.OPEN)
    r.bus.publish(updated(row))
    (placed,) = await told(r, 1)
    assert placed.startswith("LIVE 10:15:01 placed: BUY 10 SBIN NSE MIS MARKET")
    assert placed.endswith(", strategy cross, id 1")
    r.bus.publish(updated(row))  # the same again
    late = order(1, OrderStatus.REJECTED, rejection_reason="margin")
    r.bus.publish(updated(late))
    r.bus.publish(updated(late))
    texts = await told(r, 2)
    assert "rejected after it was accepted" in texts[1] and texts[1].endswith(": margin")
    r.bus.publish(updated(order(2, OrderStatus.REJECTED, rejection_reason="no")))
    assert "10:15:02 rejected: BUY" in (await told(r, 3))[2]
    r.bus.publish(updated(order(3, OrderStatus.CANCELLED, placed_at=NOW - timedelta(hours=1))))
    assert "cancelled" in (await told(r, 4))[3]  # an old order was not placed now
    r.bus.publish(updated(order(4, OrderStatus.UNKNOWN), mode=Mode.SANDBOX))
    texts = await told(r, 6)
    assert "SANDBOX 10:15:04 placed" in "\n".join(texts[4:])
    assert "without an answer" in "\n".join(texts[4:])


async def test_a_burst_of_fills_is_one_message_with_averages(r: Room):
    first, second = order(1), order(2, action=Action.SELL)
    r.settings.set("telegram.tell.placed", False)
    r.bus.publish(fill(first, 1, 4, 800.0))
    r.bus.publish(fill(first, 2, 6, 801.0))
    r.settings.set("telegram.tell.placed", True)
    r.bus.publish(updated(order(30, OrderStatus.OPEN)))
    r.bus.publish(fill(order(30), 1, 1, 800.0))  # so that it was placed is no news
    for number in range(19):
        r.bus.publish(fill(order(10 + number), 1, 1, 800.0))
    r.bus.publish(fill(second, 1, 10, 802.5))
    (text,) = await told(r, 1)
    lines = text.split("\n")
    assert lines[0] == "23 fills"
    assert lines[1] == ("LIVE 10:15:01 filled: BUY 10 SBIN NSE MIS, strategy cross, id 1 @ 800.60")
    assert len(lines) == 12 and lines[-1] == "… and 12 more"


async def test_the_same_refusal_again_and_again_is_counted(r: Room):
    asked = {"action": "BUY", "quantity": 5, "symbol": "SBIN", "exchange": "NSE"}
    for reason in ("no", "no", "never", "no"):
        r.bus.publish(OrderRefused("api:x", "place", asked, reason, "a", Mode.LIVE))
    (text,) = await told(r, 1)
    lines = text.split("\n")
    assert lines[0] == "4 orders refused" and len(lines) == 3
    assert lines[1].endswith("(from api:x): no (×3)") and lines[2].endswith(": never")


async def test_switches_and_preferences_are_kept_to(r: Room):
    r.settings.set("telegram.tell.connection", False)
    r.bus.publish(FeedChanged(connected=False, message="gone"))
    await r.bot.prefer(USER, {"order_notifications": False})
    r.bus.publish(updated(order(1, OrderStatus.REJECTED)))
    r.bus.publish(ModeChanged(mode=Mode.LIVE, by="window"))
    assert await told(r, 1) == ["Orders go to LIVE from now on (by window)."]
    with pytest.raises(ConfigError, match="daily_summary must be true or false"):
        await r.bot.prefer(USER, {"daily_summary": "maybe"})
    with pytest.raises(ConfigError, match="summary_time must be HH:MM"):
        await r.bot.prefer(USER, {"summary_time": "6pm"})


def plan(kind: Any, state: PlanState, message: str, **fields: Any) -> Any:
    common = {"plan_id": "p", "mode": Mode.LIVE, "account_id": "a", "created_at": NOW}
    return kind(state=state, message=message, updated_at=NOW, **common | fields)


async def test_what_else_is_told(r: Room):
    events: list[tuple[Any, str]] = [
        (FeedChanged(connected=False, message="Mute."), "Prices are lost. Mute."),
        (FeedChanged(connected=True), "Prices come again."),
        (
            AccountChanged(
                status=AccountStatus("a", "b", "c", "Kite", AccountState.LOGIN_NEEDED, "Log in.")
            ),
            "Kite: login needed. Log in.",
        ),
        (
            OrderRefused(
                "api:x",
                "place",
                {"action": "BUY", "quantity": 5, "symbol": "SBIN", "exchange": "NSE"},
                "The loss of the day is reached.",
                "a",
                Mode.LIVE,
            ),
            "LIVE at place refused: BUY 5 SBIN NSE (from api:x): "
            "The loss of the day is reached.",
        ),
        (
            ApprovalChanged(
                Approval(
                    5,
                    "placeorder",
                    {"action": "BUY", "quantity": "5", "symbol": "SBIN", "exchange": "NSE"},
                    "api:x",
                    NOW,
                    NOW + timedelta(minutes=5),
                )
            ),
            "waits in the action centre, until 10:20: placeorder BUY 5 SBIN NSE (from api:x)",
        ),
        (KillSwitchChanged(tripped=True, by="cli"), "Kill switch pulled (by cli): new orders are "
         "blocked."),
        (
            ExitPlanChanged(
                plan=plan(
                    ExitPlan,
                    PlanState.EXITING,
                    "stop at 790",
                    symbol="SBIN",
                    exchange="NSE",
                    product=Product.MIS,
                    side=1,
                    spec=ExitSpec(),
                )
            ),
            "LIVE exit of SBIN NSE MIS (exiting): stop at 790",
        ),
        (
            ExitPlanChanged(plan=plan(ResultExit, PlanState.DONE, "loss of the day", plan_id="q")),
            "LIVE exit of the account (done): loss of the day",
        ),
        (
            BooksDiffer("a", Mode.LIVE, (Difference("position", "NSE:SBIN:MIS", "10", "5"),)),
            "LIVE: the books differ: position NSE:SBIN:MIS: here 10, at the broker 5",
        ),
    ]  # fmt: skip
    for number, (event, text) in enumerate(events, 1):
        r.bus.publish(event)
        assert _TIME.sub("at", (await told(r, number))[-1]) == text
    # Said again, they are no news.
    r.bus.publish(events[6][0])
    r.bus.publish(FeedChanged(connected=True))
    r.bus.publish(ModeChanged(mode=Mode.SANDBOX, by="x"))
    found = await told(r, len(events) + 1)
    assert len(found) == len(events) + 1
    assert found[-1] == "Orders go to SANDBOX from now on (by x)."


async def test_a_program_that_crashes_is_told_with_its_last_lines(r: Room):
    view = HostedView(
        hosted=Hosted(strategy_id="s1", name="cross", entry="m.py", folder="x", added_at=NOW),
        state=HostedState.RUNNING,
        mode=Mode.SANDBOX,
    )
    r.bus.publish(HostedChanged(view=view))
    assert await told(r, 1) == ["cross (SANDBOX) running"]
    r.bus.publish(HostedChanged(view=view))
    bad = msgspec.structs.replace(
        view, state=HostedState.CRASH_LOOP, reason="5 crashes", last_lines=("a", "b", "c", "Boom")
    )
    r.bus.publish(HostedChanged(view=bad))
    assert (await told(r, 2))[1] == "cross (SANDBOX) crash loop: 5 crashes\nb\nc\nBoom"


async def test_what_comes_in_quiet_hours_is_told_after_them_and_over_a_restart():
    store, vault = MemoryStore(), MemorySecrets()
    async with TelegramEmulator() as api:
        async with room(store, vault, api) as r:
            r.settings.set("telegram.quiet_hours", "10:00-11:00")
            await r.on()
            await r.link()
            r.bus.publish(ModeChanged(mode=Mode.LIVE, by="window"))
            await until(lambda: store.values["telegram"].get("held"), "the held one")
            assert "SANDBOX" in (await r.ask("/mode")).text  # answers are no news
            api.said.clear()
        async with room(store, vault, api) as r:
            r.clock.advance(2 * 3600)
            await r.on()
            r.bus.publish(FeedChanged(connected=False))
            texts = await told(r, 2)
            assert texts[0] == (
                "In the quiet hours:\n10:15 Orders go to LIVE from now on (by window)."
            )
            assert texts[1] == "Prices are lost."
            assert store.values["telegram"]["held"] is None


async def test_what_was_kept_and_cannot_be_read_does_not_keep_the_bot_from_running():
    store = MemoryStore()
    store.values = {
        "telegram": {"held": {"rows": 5}},
        "telegram.chats": {"5": {"chat_id": "x"}},
        "telegram.commands": {"000000000007": {"at": 1}},
    }
    async with room(store) as r:
        await r.on()
        await r.link()
        assert "SANDBOX" in (await r.ask("/mode")).text
        assert sorted(store.values["telegram.commands"]) == [
            "000000000000",
            "000000000001",
            "000000000007",
        ]


def test_quiet_hours_may_go_over_midnight():
    def at(text: str) -> datetime:
        return datetime.fromisoformat(f"2026-12-01T{text}").replace(tzinfo=IST)

    assert is_quiet("22:00-07:00", at("23:30")) and is_quiet("22:00-07:00", at("06:59:59"))
    assert not is_quiet("22:00-07:00", at("07:00")) and not is_quiet("", at("23:30"))
    assert is_quiet("12:00-13:00", at("12:00")) and not is_quiet("12:00-13:00", at("13:00"))


# -- the summary ----------------------------------------------------------------------------
async def test_the_summary_comes_once_a_day_with_charges(r: Room):
    teller = r.bot._session.teller  # type: ignore[union-attr]
    await teller._summaries.look()
    row = order(1)
    r.desk.rows = [row]
    r.desk.fills = [
        Trade.of(row, "t1", 10, 800.0, NOW),
        Trade.of(order(2, action=Action.SELL), "t2", 10, 810.0, NOW),
    ]
    r.desk.held = [
        Position("SBIN", "NSE", Product.MIS, 0, 0.0, realised_today=100.0),
        Position("INFY", "NSE", Product.MIS, 5, 1000.0, ltp=990.0),
    ]
    r.clock.jump(NOW.replace(hour=18, minute=0))
    await teller._summaries.look()
    await teller._summaries.look()
    (text,) = await told(r, 1)
    lines = text.split("\n")
    assert lines.pop(0) == "Summary of 01 Dec 2026"
    assert lines[0] == "SANDBOX"
    assert lines[1] == "realised +₹100.00 · open -₹50.00"
    assert lines[2] == "P&L before charges +₹50.00"
    charges = Decimal(lines[3].removeprefix("charges (estimated) ₹"))
    assert charges > 0
    assert lines[4] == f"P&L after charges {'+' if charges < 50 else '-'}₹{abs(50 - charges)}"
    assert lines[5] == "orders 1 · trades 2 · open positions 1"
    assert r.store.values["telegram"]["summaries"] == {str(USER): "2026-12-01"}
    r.clock.jump(datetime(2026, 12, 5, 19, 0, tzinfo=IST))  # a Saturday
    await teller._summaries.look()
    r.clock.jump(datetime(2026, 12, 7, 19, 0, tzinfo=IST))
    await r.bot.prefer(USER, {"summary_time": "19:30"})
    await teller._summaries.look()
    assert len(r.api.texts()) == 1
    # A program that is bound to the other mode trades there wherever the switch stands.
    r.desk.elsewhere = Desk()
    r.desk.elsewhere.held = [Position("INFY", "NSE", Product.MIS, 5, 1000.0, ltp=1010.0)]
    r.clock.jump(datetime(2026, 12, 7, 19, 31, tzinfo=IST))
    await teller._summaries.look()
    lines = (await told(r, 2))[1].split("\n")
    assert lines[0] == "Summary of 07 Dec 2026" and lines[1] == "SANDBOX"
    assert lines[8:10] == ["realised ₹0.00 · open +₹50.00", "P&L before charges +₹50.00"]
    assert lines[7] == "LIVE"


# -- the alerts engine ----------------------------------------------------------------------
async def test_an_alert_that_names_the_channel_is_told():
    alert = PriceAlert("a", AlertWish("NSE", "SBIN", AlertWhen.ABOVE, Decimal(800)), NOW)
    words = ToldAlert("t", "a", "NSE", "SBIN", NOW, Decimal(801), "SBIN above 800", note="sell")
    async with room() as r:
        channel = TelegramChannel(r.bot)
        with pytest.raises(ConfigError, match="off"):
            await channel.tell(alert, words)
        await r.on()
        with pytest.raises(ConfigError, match="No Telegram chat"):
            await channel.tell(alert, words)
        await r.link()
        r.api.said.clear()
        await channel.tell(alert, words)
        assert await told(r, 1) == ["Alert 10:15:00: SBIN above 800\nsell"]
