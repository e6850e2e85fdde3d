"""The ``strategy/*`` endpoints: bodies, rows, orders of rows, refusals."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from openalgo_desktop.core.api_rows import ApiKey
from openalgo_desktop.core.enums import Action, KeyRights, Mode, Product
from openalgo_desktop.core.strategies.model import (
    Distance,
    DistanceUnit,
    LegRules,
    LockMode,
    LockProfit,
    QuantityMode,
    StrikeMode,
)
from openalgo_desktop.core.strategies.ports import EveryEntryRejected, NotNow, StrategyEngine
from openalgo_desktop.core.strategies.rows import LegAnswer, RunEvent, RunOrder
from openalgo_desktop.core.strategies.words import (
    EventKind,
    OrderKind,
    OrderState,
    Severity,
    TriggerSource,
)
from openalgo_desktop.local_api.strategy_words import ALL_REJECTED, LIVE_DISABLED
from tests.unit.local_api.rest_world import KEYS, NOW, World, running
from tests.unit.local_api.strategy_world import CALL, FLIP, STRADDLE, FakeEngine


def words(text: str) -> set[str]:
    return set(text.split())


STRATEGY_FIELDS = words("""
    id name strategy_kind direction universe_tab underlying underlying_exchange strategy_type
    entry_time exit_time product pricetype overall_sl_mtm overall_target_mtm lock_profit
    trail_sl_to_entry scheduler live_enabled webhook_locked webhook_ip_allowlist
    daily_loss_limit_inr status current_run_id last_finalized_run created_at updated_at""")
RUN_FIELDS = words("""id strategy_id mode broker started_at stopped_at stop_reason stop_requested_at
    stop_requested_reason pnl_realized pnl_peak pnl_trough trigger_source webhook_event_id
    resolved_expiries""")
ORDER_FIELDS = words("""
    id run_id leg_id kind position_ref broker_order_id symbol exchange action qty product
    pricetype price trigger_price status placed_at filled_at avg_fill_price filled_qty
    reject_reason""")
EVENT_FIELDS = words("id run_id strategy_id ts kind severity leg_id message payload")
ONE = {"strategy_id": 1}


@pytest.fixture
async def engine() -> AsyncIterator[FakeEngine]:
    yield FakeEngine(World().clock)


@pytest.fixture
async def world(engine: FakeEngine) -> AsyncIterator[World]:
    whole: StrategyEngine = engine
    async with running(strategies=whole) as world:
        await engine.create(STRADDLE, "test")
        yield world


async def ask(world: World, name: str, **body: Any) -> tuple[int, Any]:
    return await world.post(f"strategy/{name}", ONE | body)


async def test_the_list_is_newest_first_without_legs(world: World, engine: FakeEngine) -> None:
    await engine.create(FLIP, "test")
    status, body = await world.post("strategy/list")
    assert (status, body["status"]) == (200, "success")
    assert [row["name"] for row in body["data"]] == ["Flip", "Straddle"]
    row = body["data"][1]
    assert set(row) == STRATEGY_FIELDS | {"extended"}
    assert row["created_at"] == "2026-11-25T04:30:00+00:00"
    assert (row["overall_sl_mtm"], row["overall_target_mtm"]) == (5000.0, None)
    assert (row["strategy_type"], row["pricetype"], row["status"]) == (
        "intraday",
        "MARKET",
        "stopped",
    )
    assert row["scheduler"]["default_mode"] == "sandbox"
    found = await world.post("strategy/list", {"q": "STRAD", "status": "stopped"})
    assert [row["id"] for row in found[1]["data"]] == [1]
    assert (await world.post("strategy/list", {"status": "running"}))[1]["data"] == []


async def test_a_life(world: World, engine: FakeEngine) -> None:
    status, body = await ask(world, "status")
    assert (status, body["run"]) == (200, None)
    assert set(body["data"]) == STRATEGY_FIELDS | {"extended", "legs"}
    status, body = await ask(world, "start", mode="sandbox")
    assert (status, body) == (
        200,
        {
            "status": "success",
            "run_id": 1,
            "mode": "sandbox",
            "legs": [
                {
                    "leg_id": 1,
                    "ok": True,
                    "acknowledged": True,
                    "symbol": "NIFTY29DEC2626000CE",
                    "broker_order_id": "11",
                    "error": None,
                }
            ],
        },
    )
    assert engine.told[-1] == (
        "start", 1, Mode.SANDBOX, TriggerSource.MANUAL, "api:default", None
    )  # fmt: skip
    run = (await ask(world, "status"))[1]["run"]
    assert set(run) == RUN_FIELDS | {"extended"}
    assert (run["id"], run["mode"], run["stopped_at"]) == (1, "sandbox", None)
    assert (await ask(world, "start", mode="sandbox"))[0] == 409
    exits = [{"leg_id": 1, "ok": True, "position_ref": "p1", "exit_owner": "stop", "error": None}]
    assert await ask(world, "close_leg", leg_id=1) == (
        200,
        {"status": "success", "run_id": 1, "leg_id": 1, "run_stopped": False, "exits": exits},
    )
    assert await ask(world, "stop") == (
        200,
        {"status": "success", "run_id": 1, "stop_pending": True, "exits": exits},
    )
    assert await ask(world, "stop") == (
        409,
        {"status": "error", "message": "This strategy is not running"},
    )
    row = (await world.post("strategy/list"))[1]["data"][0]
    assert set(row["last_finalized_run"]) == RUN_FIELDS | {"extended"}
    assert row["last_finalized_run"]["pnl_realized"] == 125.5
    await ask(world, "start", mode="sandbox")
    assert [run["id"] for run in (await ask(world, "runs"))[1]["data"]] == [2, 1]
    assert [run["id"] for run in (await ask(world, "runs", limit=1))[1]["data"]] == [2]
    assert (await ask(world, "close_all"))[0] == 200
    assert engine.told[-1] == ("close_all", 1, "api:default")


async def test_what_a_start_that_fails_gets(world: World, engine: FakeEngine) -> None:
    assert await ask(world, "start", mode="live") == (
        409,
        {"status": "error", "message": LIVE_DISABLED},
    )
    assert engine.told == []
    engine.fail = EveryEntryRejected("no funds")
    assert await ask(world, "start", mode="sandbox") == (
        400,
        {"status": "error", "message": ALL_REJECTED},
    )
    engine.fail = NotNow("It waits for its window.")
    assert (await ask(world, "start", mode="sandbox"))[0] == 409
    engine.fail = ZeroDivisionError()
    assert await ask(world, "start", mode="sandbox") == (
        500,
        {"status": "error", "message": "An unexpected error occurred"},
    )
    engine.entries = (
        LegAnswer(leg_id=1, ok=True, acknowledged=False, symbol="X", order_id="1"),
        LegAnswer(leg_id=2, ok=False, symbol="Y", error="Insufficient funds"),
    )
    status, body = await ask(world, "start", mode="sandbox")
    assert status == 200
    assert [(leg["ok"], leg.get("acknowledged"), leg["error"]) for leg in body["legs"]] == [
        (True, False, None),
        (False, None, "Insufficient funds"),
    ]


async def test_refused_exits_are_no_success(world: World, engine: FakeEngine) -> None:
    await ask(world, "start", mode="sandbox")
    engine.exits = (LegAnswer(leg_id=1, ok=False, error="Market is closed"),)
    status, body = await ask(world, "stop")
    assert (status, body["status"], body["run_id"], body["stop_pending"]) == (409, "error", 1, True)
    assert body["exits"][0]["error"] == "Market is closed"
    engine.exits += (LegAnswer(leg_id=2, ok=True),)
    assert (await ask(world, "stop"))[0] == 200


WRONG: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "list",
        {"status": "idle"},
        {"status": ["Must be one of: stopped, running, paused, errored."]},
    ),
    ("list", {"q": "x" * 101}, {"q": ["Longer than maximum length 100."]}),
    ("list", {"page": 1}, {"page": ["Unknown field."]}),
    ("status", {}, {"strategy_id": ["Missing data for required field."]}),
    ("status", {"strategy_id": 0}, {"strategy_id": ["Must be greater than or equal to 1."]}),
    ("status", {"strategy_id": "x"}, {"strategy_id": ["Not a valid integer."]}),
    ("status", {"strategy_id": True}, {"strategy_id": ["Not a valid integer."]}),
    ("start", ONE, {"mode": ["Missing data for required field."]}),
    ("start", ONE | {"mode": "LIVE"}, {"mode": ["Must be one of: live, sandbox."]}),
    ("start", ONE | {"mode": "paper"}, {"mode": ["Must be one of: live, sandbox."]}),
    ("start", ONE | {"mode": None}, {"mode": ["Field may not be null."]}),
    ("close_leg", ONE, {"leg_id": ["Missing data for required field."]}),
    (
        "runs",
        ONE | {"limit": 501},
        {"limit": ["Must be greater than or equal to 1 and less than or equal to 500."]},
    ),
    (
        "events",
        ONE | {"limit": 0},
        {"limit": ["Must be greater than or equal to 1 and less than or equal to 1000."]},
    ),
]


async def test_fields_are_checked(world: World) -> None:
    for name, body, message in WRONG:
        assert await world.post(f"strategy/{name}", body) == (
            400,
            {"status": "error", "message": message},
        )


async def test_an_unknown_kind_of_event_is_refused_by_name(world: World) -> None:
    status, body = await ask(world, "events", kind="exploded", severity="loud")
    assert status == 400
    assert body["message"]["severity"] == ["Must be one of: info, warn, critical."]
    assert "leg_sl_hit" in body["message"]["kind"][0]


async def test_what_is_not_there_is_not_found(world: World) -> None:
    more: dict[str, dict[str, Any]] = {"start": {"mode": "sandbox"}, "close_leg": {"leg_id": 1}}
    for name in ("status", "start", "stop", "close_all", "close_leg", "runs", "orders", "events"):
        for number in (2, 10**19):
            body = {"strategy_id": number} | more.get(name, {})
            assert await world.post(f"strategy/{name}", body) == (
                404,
                {"status": "error", "message": "Strategy not found"},
            )


async def test_wrong_keys_and_keys_with_less_rights(
    world: World, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await world.post("strategy/list", key="wrong") == (
        403,
        {"status": "error", "message": "Invalid openalgo apikey"},
    )
    await engine.enable_live(1, True, "test")
    assert (await world.post("strategy/list", key="read"))[0] == 200
    start = ONE | {"mode": "sandbox"}
    assert (await world.post("strategy/start", start, key="read"))[0] == 403
    assert (await world.post("strategy/list", key="bound"))[0] == 403
    assert (await world.post("strategy/start", start, key="bound"))[0] == 403
    world.desk.mode = Mode.LIVE  # the switch of the window does not count: a run has its own mode
    assert (await world.post("strategy/start", ONE | {"mode": "live"}, key="paper"))[0] == 403
    assert engine.told == []
    assert (await world.post("strategy/start", start, key="paper"))[0] == 200
    assert (await world.post("strategy/stop", ONE, key="paper"))[0] == 200
    assert (await world.post("strategy/start", ONE | {"mode": "live"}))[0] == 200
    status, body = await world.post("strategy/stop", ONE, key="paper")
    assert (status, body["message"]) == (403, "API key 'paper' may trade in the sandbox only.")
    assert engine.made[1].current_run_id == 2
    monkeypatch.setitem(KEYS, "theirs", ApiKey(9, "theirs", KeyRights.TRADE, "TEST", NOW))
    leg = ONE | {"leg_id": 1}
    status, body = await world.post("strategy/close_leg", leg, key="theirs")
    assert (status, body["message"]) == (403, "API key 'theirs' belongs to account TEST.")
    engine.all_runs[2] = msgspec.structs.replace(engine.all_runs[2], account_id="TEST")
    assert (await world.post("strategy/close_leg", leg, key="theirs"))[0] == 200


async def test_a_key_of_an_account_leaves_its_run_wherever_the_switch_stands(
    world: World, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = ApiKey(9, "other", KeyRights.TRADE, "kite:X", NOW)
    monkeypatch.setitem(KEYS, "other", other)
    await engine.enable_live(1, True, "test")
    assert (await world.post("strategy/start", ONE | {"mode": "live"}))[0] == 200
    engine.all_runs[1] = msgspec.structs.replace(engine.all_runs[1], account_id="kite:X")
    assert world.desk.mode is Mode.SANDBOX  # where TEST takes the orders
    assert (await world.post("strategy/stop", ONE, key="other"))[0] == 200
    for mode in ("live", "sandbox"):  # both would be entered in the account TEST
        status, body = await world.post("strategy/start", ONE | {"mode": mode}, key="other")
        assert (status, body["message"]) == (403, "API key 'other' belongs to account kite:X.")
    assert (await world.post("strategy/start", ONE | {"mode": "sandbox"}))[0] == 200
    engine.all_runs[2] = msgspec.structs.replace(engine.all_runs[2], account_id="sandbox:kite:X")
    assert (await world.post("strategy/stop", ONE, key="other"))[0] == 200


async def test_who_waits_for_a_human_starts_nothing_but_may_stop(
    world: World, engine: FakeEngine
) -> None:
    await ask(world, "start", mode="sandbox")
    world.approvals.sources = "api:*"
    assert (await ask(world, "stop"))[0] == 200
    status, body = await ask(world, "start", mode="sandbox")
    assert status == 403 and "action centre" in body["message"]
    assert engine.made[1].current_run_id is None


async def test_orders_are_oldest_first_and_events_newest_first(
    world: World, engine: FakeEngine
) -> None:
    now = world.clock.now()
    for number, filled in ((1, 65), (2, 0)):
        engine.all_orders.append(
            RunOrder(
                row_id=number,
                run_id=number,
                leg_id=1,
                kind=OrderKind.ENTRY if filled else OrderKind.SL,
                position_ref=f"p{number}",
                broker_order_id="7" if filled else "",
                symbol="NIFTY29DEC2626000CE",
                exchange="NFO",
                action=Action.SELL,
                quantity=65,
                product=Product.NRML,
                status=OrderState.COMPLETE if filled else OrderState.PENDING,
                placed_at=now,
                filled_at=now if filled else None,
                average_price=104.05 if filled else 0.0,
                filled=filled,
            )
        )
        engine.all_events.append(
            RunEvent(
                event_id=number,
                strategy_id=1,
                run_id=number,
                at=now,
                kind=EventKind.LEG_SL_HIT if filled else EventKind.RUN_STOPPED,
                severity=Severity.WARN if filled else Severity.INFO,
                payload={"stop": Decimal("12.50")} if filled else {},
            )
        )
    rows = (await ask(world, "orders"))[1]["data"]
    assert [row["id"] for row in rows] == [1, 2]
    assert set(rows[0]) == ORDER_FIELDS
    assert (rows[0]["kind"], rows[0]["avg_fill_price"], rows[0]["qty"]) == ("entry", 104.05, 65)
    assert (rows[1]["broker_order_id"], rows[1]["avg_fill_price"], rows[1]["filled_at"]) == (
        None,
        None,
        None,
    )
    assert [row["id"] for row in (await ask(world, "orders", run_id=2))[1]["data"]] == [2]
    assert (await ask(world, "orders", run_id=10**19))[1]["data"] == []
    rows = (await ask(world, "events"))[1]["data"]
    assert [row["id"] for row in rows] == [2, 1]
    assert set(rows[0]) == EVENT_FIELDS
    assert (rows[0]["payload"], rows[1]["payload"]) == (None, {"stop": 12.5})
    assert rows[1]["ts"] == "2026-11-25T04:30:00+00:00"
    only = {"kind": "leg_sl_hit", "severity": "warn", "run_id": 1, "limit": 1}
    assert [row["id"] for row in (await ask(world, "events", **only))[1]["data"]] == [1]


async def test_legs_have_the_known_fields_and_ours_beside(world: World, engine: FakeEngine) -> None:
    ours = msgspec.structs.replace(
        CALL,
        leg_id=2,
        quantity=130,
        quantity_mode=QuantityMode.UNITS,
        strike_mode=StrikeMode.PREMIUM,
        value=Decimal(80),
        rules=LegRules(sl=Distance(Decimal(25), DistanceUnit.PERCENT)),
    )
    at_strike = msgspec.structs.replace(
        CALL, leg_id=3, strike_mode=StrikeMode.STRIKE, strike=Decimal("292.5")
    )
    lock = LockProfit(LockMode.LOCK_AND_TRAIL, Decimal(1000), Decimal(500), Decimal(100))
    await engine.update(
        1, msgspec.structs.replace(STRADDLE, legs=(CALL, ours, at_strike), lock_profit=lock), "test"
    )
    data = (await ask(world, "status"))[1]["data"]
    assert data["lock_profit"] == {
        "mode": "lock_and_trail",
        "if_profit_reaches": 1000.0,
        "lock_profit": 500.0,
        "trail_step": 100.0,
    }
    first, second, third = data["legs"]
    assert {name: first[name] for name in first if name != "extended"} == {
        "id": 1,
        "segment": "options",
        "position": "S",
        "lots": 1,
        "option_type": "CE",
        "strike_mode": "atm",
        "atm_offset": "ATM",
        "strike": None,
        "expiry": "current",
        "sl_pts": 12.5,
        "target_pts": 30.0,
        "trail": {"x": 5.0, "y": 2.0},
    }
    assert (second["lots"], second["sl_pts"], second["atm_offset"]) == (None, None, None)
    assert second["extended"]["quantity"] == 130
    assert second["extended"]["sl"] == {"value": 25.0, "unit": "percent"}
    assert (third["strike_mode"], third["strike"]) == ("strike", 292.5)
    await engine.create(FLIP, "test")
    (leg,) = (await ask(world, "status", strategy_id=2))[1]["data"]["legs"]
    assert set(leg) == words(
        "id symbol exchange side qty segment expiry sl_pts target_pts trail extended"
    )
    assert (leg["qty"], leg["side"], leg["expiry"]) == (10, "both", None)
