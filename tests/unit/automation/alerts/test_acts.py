"""What alerts do beside telling: at most once, never on old news, and told when it was not done."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from openalgo_desktop.automation.alerts import acts
from openalgo_desktop.automation.alerts.doubt import FIRST_SEEN, LATE_NEWS
from openalgo_desktop.core.alert_acts import (
    Act,
    PostTo,
    RunStrategy,
    SendOrder,
    StopStrategy,
    check_act,
)
from openalgo_desktop.core.alert_deeds import DeedRow, DeedState
from openalgo_desktop.core.alert_subjects import OfOrders
from openalgo_desktop.core.alerts import AlertState, AlertTrigger, AlertWhen, AlertWish, PriceAlert
from openalgo_desktop.core.enums import Action, JournalState, Mode, OrderStatus
from openalgo_desktop.core.errors import (
    InvalidOrder,
    OrderStateUnknown,
    RiskBlocked,
    StorageError,
)
from openalgo_desktop.core.events import FeedChanged, KillSwitchChanged, Notice
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.core.ports import JournalEntry
from openalgo_desktop.core.strategies.ports import StrategyNotFound
from openalgo_desktop.storage.price_alerts import (
    DeedRepository,
    PriceAlertRepository,
    ToldAlertRepository,
)
from tests.unit.automation.alerts.room import Room, room
from tests.unit.automation.alerts.test_subjects import order
from tests.waiting import until

__all__ = ["room"]

BUY = SendOrder(OrderRequest("SBIN", "NSE", Action.BUY, 10), Mode.SANDBOX, "paper:1")
NAME = "BUY 10 SBIN (sandbox)"


async def make(room: Room, *done: Act, again: bool = False, level: str = "800") -> PriceAlert:
    return await room.add(AlertWhen.ABOVE, level, again=again, acts=done or (BUY,))


async def rows(room: Room) -> list[DeedRow]:
    return await DeedRepository(room.state).load()


def refused(room: Room) -> list[str]:
    """Why the acts of the log were not done, oldest first."""
    found = reversed(room.alerts.teller.rows())
    return [why for row in found for name, why in row.refused.items() if name == NAME]


async def told(room: Room, count: int) -> None:
    """So many rows of the log are complete."""
    teller = room.alerts.teller
    await until(lambda: sum(bool(row.accepted or row.refused) for row in teller.rows()) == count)


async def test_an_order_is_written_down_before_it_leaves_and_told_with_its_id(room: Room):
    room.corridor.gate.clear()
    room.ticks.say(790.0)
    made = await make(room)
    room.ticks.say(801.0)
    await until(lambda: room.corridor.sends != [])
    (row,) = await rows(room)
    assert row.state is DeedState.DUE and row.act == BUY
    kept = await PriceAlertRepository(room.state).load()
    assert kept[0].state is AlertState.FIRED  # a start would not watch it again
    room.corridor.gate.set()
    await told(room, 1)
    assert room.corridor.sends == [(BUY, f"alert:{row.deed_id}")]
    assert row.deed_id.startswith(made.alert_id)
    log = room.alerts.teller.rows()[0]
    assert NAME in log.accepted and log.notes == {NAME: "77"}
    await until_state(room, DeedState.DONE)


async def until_state(room: Room, state: DeedState) -> None:
    while [row.state for row in await rows(room)] != [state]:
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("done", [True, False])
async def test_the_log_has_the_end_of_an_act_that_a_killed_run_did_not_note(room: Room, done: bool):
    """Else it says of an order that was sent that the program stopped before."""
    if not done:
        room.corridor.error = RiskBlocked("Too many.")
    room.ticks.say(790.0)
    await make(room)
    room.ticks.say(801.0)
    await told(room, 1)
    await until_state(room, DeedState.DONE if done else DeedState.REFUSED)
    before = room.alerts.teller.rows()[0]
    bare = msgspec.structs.replace(before, accepted=(), refused={}, notes={})
    ToldAlertRepository(room.state).save(bare)
    await room.restart()
    (log,) = room.alerts.teller.rows()
    if done:
        assert NAME in log.accepted and log.notes == {NAME: "77"} and log.refused == {}
    else:
        assert log.accepted == () and log.refused == {NAME: "Too many."}


@pytest.mark.parametrize("what", ["made", "resumed", "restart", "feed", "day", "sleep", "next day"])
async def test_what_is_so_when_it_is_first_seen_moves_no_money(room: Room, what: str):
    room.ticks.say(810.0 if what == "made" else 790.0)
    made = await make(room)
    if what == "resumed":
        await room.alerts.pause(made.alert_id)
        room.ticks.say(810.0)
        await room.alerts.resume(made.alert_id)
    elif what == "restart":
        await room.restart()
    elif what == "feed":
        room.bus.publish(FeedChanged(connected=False))
    elif what == "sleep":
        room.clock.leap(300)
    elif what == "next day":
        room.clock.advance(86_400)  # and no look came before the price
    elif what == "day":
        room.clock.advance(86_400)
        room.ticks.ticks.clear()
        room.alerts.look()  # at midnight, say
    room.ticks.say(811.0)
    await told(room, 1)
    assert refused(room) == [FIRST_SEEN] and not room.corridor.sends
    assert await rows(room) == []
    assert room.alerts.get(made.alert_id).state is AlertState.FIRED


async def test_after_it_was_seen_to_be_otherwise_it_does(room: Room):
    made = await make(room)
    await room.restart()
    room.ticks.say(790.0)
    room.ticks.say(811.0)
    await told(room, 1)
    assert [one for one, _ in room.corridor.sends] == [BUY]
    assert room.alerts.get(made.alert_id).count == 1


async def test_a_side_from_before_a_restart_is_no_crossing_that_was_seen(room: Room):
    room.ticks.say(790.0)
    made = await room.add(AlertWhen.CROSSES, "800", acts=(BUY,))
    await until(lambda: room.alerts.get(made.alert_id).side == -1)
    await room.restart()
    room.ticks.say(820.0)
    await told(room, 1)
    assert len(refused(room)) == 1 and not room.corridor.sends


async def test_a_closed_market_a_late_moment_and_a_deleted_alert_send_nothing(room: Room):
    room.ticks.say(790.0)
    await make(room)
    room.corridor.open = False
    room.ticks.say(801.0)
    await told(room, 1)
    room.corridor.open = True
    room.ticks.say(790.0)
    await make(room)
    room.ticks.say(801.0)
    room.clock.advance(acts.LATE + 1)  # the disk was slow
    await told(room, 2)
    room.ticks.say(790.0)
    gone = await make(room)
    room.ticks.say(801.0)
    await room.alerts.delete(gone.alert_id)
    await told(room, 3)
    assert not room.corridor.sends
    assert [why.split(";")[0] for why in refused(room)] == [
        "NSE is closed",
        "It could not be done within 5 s of its price",
        "The alert was deleted meanwhile",
    ]


async def test_each_time_has_a_count_for_a_day(room: Room):
    with pytest.raises(InvalidOrder, match="how many orders a day"):
        await make(room, again=True)
    many = msgspec.structs.replace(BUY, per_day=2)
    room.ticks.say(790.0)
    await make(room, many, again=True)
    for number in range(4):
        room.clock.advance(61)
        room.ticks.say(801.0)
        room.ticks.say(790.0)
        await told(room, number + 1)
    assert len(room.corridor.sends) == 2
    await room.restart()  # the count is of the day, not of the run
    room.ticks.say(790.0)
    room.clock.advance(61)
    room.ticks.say(801.0)
    await told(room, 5)
    assert len(room.corridor.sends) == 2
    assert refused(room) == ["It sent 2 orders today already; this one was not sent."] * 3


def entry(source: str, state: JournalState, room: Room) -> JournalEntry:
    return JournalEntry(
        "t1", "place", "paper:1", Mode.SANDBOX, source, {}, room.clock.now(),
        "77" if state is JournalState.ACKNOWLEDGED else "", state, "no funds",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("journal", "state", "text"),
    [
        ((), DeedState.REFUSED, acts.STOPPED),
        ((JournalState.ACKNOWLEDGED,), DeedState.DONE, "77"),
        ((JournalState.REJECTED,), DeedState.REFUSED, "no funds"),
        ((JournalState.UNKNOWN,), DeedState.DUE, ""),
    ],
)
async def test_killed_between_fired_and_sent(
    room: Room, journal: Sequence[JournalState], state: DeedState, text: str
):
    """The row was on the disk, the alert's own may not have been: after the start nothing is
    sent, whatever the price does, and what became of it is told by the journal."""
    room.ticks.say(790.0)
    made = await make(room)
    notices: list[Notice] = []
    room.bus.subscribe(Notice, notices.append)
    row = DeedRow(f"{made.alert_id}-1", made.alert_id, "t", NAME, BUY, room.clock.now())
    await DeedRepository(room.state).save(row)
    room.corridor.journal[row.source] = [entry(row.source, one, room) for one in journal]
    await room.restart()
    actors = room.alerts.actors
    assert actors is not None
    await actors.settle()
    assert room.alerts.get(made.alert_id).state is AlertState.FIRED
    room.ticks.say(790.0)
    room.ticks.say(820.0)
    assert not room.corridor.sends and not room.told
    await until_state(room, state)
    assert [row.text for row in await rows(room)] == [text]
    assert [text in notice.text for notice in notices] == ([True] if text else [])


async def test_killed_between_the_request_to_a_human_and_its_note(room: Room):
    """It waits in the action centre: that it was not done would be wrong."""
    room.ticks.say(790.0)
    made = await make(room)
    row = DeedRow(f"{made.alert_id}-1", made.alert_id, "t", NAME, BUY, room.clock.now())
    await DeedRepository(room.state).save(row)
    room.corridor.requests[row.source] = "waits in the action centre as request 7"
    await room.restart()
    assert room.alerts.actors is not None
    await room.alerts.actors.settle()
    await until_state(room, DeedState.DONE)
    assert [row.text for row in await rows(room)] == ["waits in the action centre as request 7"]
    assert not room.corridor.sends


async def test_an_unknown_order_is_never_sent_again_and_told_when_it_is_known(room: Room):
    room.ticks.say(790.0)
    await make(room, msgspec.structs.replace(BUY, per_day=5), again=True)
    room.corridor.error = OrderStateUnknown("No answer.", tag="t1")
    room.ticks.say(801.0)
    await told(room, 1)
    assert refused(room) == ["No answer."]
    ((_, source),) = room.corridor.sends
    room.clock.advance(61)
    room.ticks.say(790.0)
    room.ticks.say(801.0)
    await told(room, 2)
    assert refused(room)[1:] == [
        "What became of its order before is not known yet; this one was not sent."
    ]
    room.corridor.journal[source] = [entry(source, JournalState.ACKNOWLEDGED, room)]
    actors = room.alerts.actors
    assert actors is not None
    room.clock.advance(acts.AGAIN)
    await actors.settle()
    log = room.alerts.teller.rows()[1]
    assert NAME in log.accepted and NAME not in log.refused and log.notes == {NAME: "77"}
    assert len(room.corridor.sends) == 1


@pytest.mark.parametrize("store", ["deed", "alert"])
async def test_what_cannot_be_stored_is_not_sent(
    room: Room, monkeypatch: pytest.MonkeyPatch, store: str
):
    async def full(*_: Any) -> None:
        raise StorageError("disk full")

    room.ticks.say(790.0)
    await make(room)
    actors = room.alerts.actors
    assert actors is not None
    if store == "deed":
        monkeypatch.setattr(actors._store, "save", full)
    else:
        monkeypatch.setattr(room.alerts._store, "save", lambda *_: asyncio.ensure_future(full()))
    room.ticks.say(801.0)
    await told(room, 1)
    assert not room.corridor.sends
    assert refused(room) == ["It could not be stored, so it was not done: disk full"]


class Host:
    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []

    async def check(self, name: str) -> None:
        if name != "orb":
            raise StrategyNotFound(f"There is no strategy {name}.")

    async def run(self, name: str, mode: Mode, by: str, account: str) -> None:
        self.calls.append(("run", name, mode.value, by.partition("-")[0], account))

    async def stop(self, name: str, by: str) -> None:
        self.calls.append(("stop", name, by.partition("-")[0]))


async def test_strategies_are_run_and_stopped_where_they_are_hosted(room: Room):
    run, stop = RunStrategy("orb", Mode.SANDBOX), StopStrategy("orb")
    with pytest.raises(InvalidOrder, match="the strategy host is not there"):
        await make(room, run)
    actors, host = room.alerts.actors, Host()
    assert actors is not None
    actors.strategies = host
    with pytest.raises(InvalidOrder, match="Action: There is no strategy abc"):
        await make(room, StopStrategy("abc"))
    room.ticks.say(790.0)
    await make(room, run, stop)
    room.ticks.say(801.0)
    await told(room, 1)
    assert [call[:2] for call in host.calls] == [("run", "orb"), ("stop", "orb")]
    room.ticks.say(810.0)
    await make(room, run, stop)  # true already: the stop is done, the run is not
    await told(room, 2)
    assert [call[0] for call in host.calls] == ["run", "stop", "stop"]


async def test_a_live_start_names_the_account_for_which_it_was_made(room: Room):
    actors, host = room.alerts.actors, Host()
    assert actors is not None
    actors.strategies = host
    room.ticks.say(790.0)
    await make(room, RunStrategy("orb", Mode.LIVE, "kite:A"))
    room.ticks.say(801.0)
    await told(room, 1)
    ((*_, mode, _, account),) = host.calls
    assert (mode, account) == ("live", "kite:A")


async def test_a_post_has_the_facts_as_json(room: Room):
    plain = PostTo("https://example.com/a")
    own = PostTo("https://example.com/b", '{"text": "{{note}}", "p": {{price}}, "x": "{{what}}"}')
    room.ticks.say(810.0)
    await room.add(AlertWhen.ABOVE, "800", note='half "now"', acts=(plain, own))
    await told(room, 1)
    (_, first), (_, second) = room.poster.bodies
    assert msgspec.json.decode(second) == {"text": 'half "now"', "p": 810.0, "x": "{{what}}"}
    facts = msgspec.json.decode(first)
    assert (facts["ticker"], facts["price"], facts["level"]) == ("SBIN", "810.00", "800")
    assert facts["message"].startswith("SBIN at 810.00 (LTP at or above 800")
    assert "POST to example.com" in room.alerts.teller.rows()[0].accepted


@pytest.mark.parametrize("full", [False, True])
async def test_a_post_leaves_when_a_start_would_not_watch_its_alert_again(room: Room, full: bool):
    """Who is killed between the two would post once more; a full disk is told all the same."""
    room.ticks.say(790.0)
    alert = await room.add(AlertWhen.ABOVE, "800", acts=(PostTo("https://example.com/a"),))
    kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    room.alerts.teller.tell(alert, "SBIN at 801", room.clock.now(), kept)
    for _ in range(10):
        await asyncio.sleep(0)
    assert room.poster.bodies == []
    if full:
        kept.set_exception(StorageError("disk full"))
    else:
        kept.set_result(None)
    await told(room, 1)
    assert len(room.poster.bodies) == 1


async def test_an_alerts_own_orders_set_off_no_further_ones(room: Room):
    filled = OfOrders(Mode.SANDBOX)
    one = msgspec.structs.replace(BUY, per_day=5)
    wish = AlertWish("", "", AlertWhen.HAPPENS, again=True, subject=filled, acts=(one,))
    made = await room.alerts.add(wish)
    for number, source in (("1", "api:me"), ("2", f"alert:{made.alert_id}-a1")):
        room.bus.publish(order(OrderStatus.OPEN, number, source=source))
        room.bus.publish(order(OrderStatus.COMPLETE, number, source=source))
    await told(room, 1)
    assert len(room.corridor.sends) == 1


async def test_news_that_nobody_dates_moves_money_only_of_what_was_seen_to_work(room: Room):
    wish = AlertWish(
        "", "", AlertWhen.HAPPENS, again=True, subject=OfOrders(Mode.SANDBOX),
        acts=(msgspec.structs.replace(BUY, per_day=5),),
    )  # fmt: skip
    await room.alerts.add(wish)
    room.bus.publish(order(OrderStatus.COMPLETE, "1"))  # perhaps of this morning
    await told(room, 1)
    assert room.corridor.sends == [] and refused(room) == [LATE_NEWS]
    room.bus.publish(order(OrderStatus.OPEN, "2"))
    room.bus.publish(order(OrderStatus.COMPLETE, "2"))
    await told(room, 2)
    assert len(room.corridor.sends) == 1


@pytest.mark.parametrize(
    ("act", "part"),
    [
        (PostTo("http://example.com/x"), "must begin with https"),
        (PostTo("ftp://example.com/x"), "must begin with https"),
        (PostTo("https://me:pw@example.com/x"), "no password"),
        (PostTo("https://exa[mple"), "give an address"),
        (PostTo("https://example.com", "{{note}"), "no JSON"),
        (PostTo("https://example.com", '{"a": "{{secret}}"}', "s"), "not into the body"),
        (PostTo("https://example.com/{{secret}}"), "the secret has a name"),
        (PostTo("https://{{secret}}.example.com/", secret="s"), "stands in the path"),
        (RunStrategy("", Mode.LIVE), "name the strategy"),
        (RunStrategy("orb", Mode.LIVE), "in which account it is started live"),
        (SendOrder(OrderRequest("SBIN", "NSE", Action.BUY, 0), Mode.LIVE, "a"), "quantity"),
        (SendOrder(OrderRequest("SBIN", "NSE", Action.BUY, 1), Mode.LIVE, ""), "account"),
    ],
)
def test_an_act_that_cannot_be_is_refused(act: Act, part: str):
    with pytest.raises(InvalidOrder, match=part):
        check_act(act, False)
    for good in (
        PostTo("http://127.0.0.1:5001/x"),
        PostTo("https://example.com/hook", '{"n": {{price}}}'),
        PostTo("https://example.com/{{secret}}", secret="s"),
        BUY,
    ):
        check_act(good, False)


async def test_a_row_of_the_log_that_a_stop_left_open_says_so(room: Room):
    class Slow:
        name, title = "slow", "Slow"

        async def tell(self, *_: Any) -> None:
            await asyncio.sleep(60)

    room.alerts.teller.add(Slow())
    room.ticks.say(810.0)
    await room.add(AlertWhen.ABOVE, "800", channels=("slow",))
    await room.restart()
    (row,) = room.alerts.teller.rows()
    assert row.refused == {"all": "The program stopped before it was taken."}
    assert len(room.told) == 1
    assert row.value == Decimal(810) and timedelta(0) == room.clock.now() - row.at


async def test_the_kill_switch_leaves_nothing_that_may_still_open(room: Room):
    room.ticks.say(790.0)
    armed = await make(room)
    plain = await room.add(AlertWhen.ABOVE, "800")
    room.bus.publish(KillSwitchChanged(tripped=True, by="me"))
    room.bus.publish(KillSwitchChanged(tripped=False, by="me"))
    after = room.alerts.get(armed.alert_id)
    assert (after.state, after.why) == (AlertState.PAUSED, "The kill switch was pulled.")
    assert room.alerts.get(plain.alert_id).is_active
    room.ticks.say(801.0)
    assert [row.alert_id for row in room.told] == [plain.alert_id]


@pytest.mark.parametrize("told_by", ["updated_at", "placed_at"])
async def test_old_news_of_an_order_moves_no_money(room: Room, told_by: str):
    """Some books tell when an order was placed, and no more."""
    wish = AlertWish("", "", AlertWhen.HAPPENS, subject=OfOrders(Mode.SANDBOX), acts=(BUY,))
    await room.alerts.add(wish)
    old = room.clock.now() - timedelta(seconds=90)
    room.bus.publish(order(OrderStatus.COMPLETE, "1", **{told_by: old}))
    await told(room, 1)
    assert not room.corridor.sends
    assert refused(room) == [LATE_NEWS]


async def test_who_looks_at_closed_bars_misses_nothing_overnight(room: Room):
    day = {"trigger": AlertTrigger.CLOSE, "span": "1m"}
    made = await room.add(AlertWhen.ABOVE, "805", acts=(BUY,), **day)
    await until(lambda: not room.alerts.trouble(made) or not room.ticks.ticks)
    room.say(801.0)
    await until(lambda: not room.alerts.trouble(made))
    room.feed.end()
    assert made.alert_id not in room.alerts._doubt  # a bar was seen
    room.clock.advance(86_400)
    room.say(811.0)
    room.feed.end()
    await told(room, 1)
    assert [one for one, _ in room.corridor.sends] == [BUY]
