"""Made strategies through the public clients: the newest drives them, the installed one still
sends to the addresses that it knows."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.e2e import clients
from tests.e2e.driver import Program, run
from tests.e2e.made import TOKENS, plant
from tests.e2e.sdk import Sdk, SdkError
from tests.waiting import wait_for

BATCH, SIGNAL = 1, 2
MOMENT = "2026-11-20T11:00:00+05:30"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    folder = tmp_path_factory.mktemp("strategies") / "data"
    plant(folder)
    with Program(folder, "--clock", MOMENT, "--sim-frozen", "--sim-control") as running:
        yield running
        assert "Traceback" not in running.output, running.output[-4000:]


NEWEST = [row for row in clients.parameters() if row.id == "newest"]


@pytest.fixture(scope="module", params=NEWEST)
def newest(request: pytest.FixtureRequest, program: Program) -> Iterator[Sdk]:
    with Sdk(program, clients.python_of(request.param)) as client:
        yield client


def stopped(sdk: Sdk, strategy_id: int) -> Callable[[], bool]:
    return lambda: sdk.good("strategystatus", strategy_id=strategy_id)["run"] is None


def orders(sdk: Sdk, strategy_id: int, **only: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = sdk.good("strategyorders", strategy_id=strategy_id, **only)["data"]
    return rows


def test_a_batch_strategy(newest: Sdk) -> None:
    rows = newest.good("strategylist")["data"]
    assert [(row["id"], row["name"], "legs" in row) for row in rows] == [
        (2, "Flip", False),
        (1, "Morning straddle", False),
    ]
    assert newest.good("strategylist", q="strad", status="stopped")["data"][0]["id"] == BATCH
    live = newest.call("strategystart", strategy_id=BATCH, mode="live")
    assert (live["code"], live["message"][:47]) == (
        409,
        "This strategy is not enabled for live trading. ",
    )
    wrong = newest.call("strategystart", strategy_id=BATCH, mode="LIVE")
    assert wrong["code"] == 400
    begun = newest.good("strategystart", strategy_id=BATCH, mode="sandbox")
    assert (begun["mode"], [leg["ok"] for leg in begun["legs"]]) == ("sandbox", [True, True])
    again = newest.call("strategystart", strategy_id=BATCH, mode="sandbox")
    assert (again["code"], again["message"]) == (409, "This strategy is already running")
    status = newest.good("strategystatus", strategy_id=BATCH)
    assert (status["data"]["status"], status["run"]["id"]) == ("running", begun["run_id"])
    assert [leg["sl_pts"] for leg in status["data"]["legs"]] == [40.0, 40.0]
    wait_for(lambda: [row["status"] for row in orders(newest, BATCH)] == ["complete"] * 2)
    left = newest.good("strategycloseleg", strategy_id=BATCH, leg_id=1)
    assert (left["leg_id"], left["exits"][0]["ok"]) == (1, True)
    wait_for(lambda: [row["status"] for row in orders(newest, BATCH)] == ["complete"] * 3)
    for leg in (1, 9):
        refused = newest.call("strategycloseleg", strategy_id=BATCH, leg_id=leg)
        assert (refused["code"], refused["message"]) == (409, f"Leg {leg} is not open")
    newest.good("strategycloseall", strategy_id=BATCH)
    wait_for(stopped(newest, BATCH))
    assert newest.call("strategystop", strategy_id=BATCH)["message"] == (
        "This strategy is not running"
    )
    rows = orders(newest, BATCH, run_id=begun["run_id"])
    assert [row["kind"] for row in rows][:3] == ["entry", "entry", "exit_leg_manual"]
    assert {row["status"] for row in rows} == {"complete"}
    assert [row["leg_id"] for row in rows] == [1, 2, 1, 2]
    (finished,) = newest.good("strategyruns", strategy_id=BATCH, limit=5)["data"]
    assert (finished["stop_reason"], finished["trigger_source"]) == ("manual", "manual")
    events = newest.good("strategyevents", strategy_id=BATCH, kind="close_all_manual")["data"]
    assert len(events) == 1 and events[0]["ts"].endswith("+00:00")
    row = newest.good("strategystatus", strategy_id=BATCH)["data"]["last_finalized_run"]
    assert row["pnl_realized"] == finished["pnl_realized"]


def test_the_webhook_of_a_batch_strategy(newest: Sdk, program: Program) -> None:
    def send(call: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        answer: dict[str, Any] = newest.call(
            "@strategy", *args, address=TOKENS[BATCH], call=call, **kwargs
        )
        return answer

    if not stopped(newest, BATCH)():
        newest.good("strategystop", strategy_id=BATCH)
        wait_for(stopped(newest, BATCH))
    runs = newest.good("strategyruns", strategy_id=BATCH)["data"]
    early = send("start", "sandbox")
    if runs:  # a run of the test before ended less than 30 seconds ago, by the program's clock
        assert (early["code"], early["result"]) == (409, "rejected_cooling_off")
    assert send("start", "live")["result"] in ("rejected_live_disabled", "rejected_cooling_off")
    assert send("long_entry", leg_id=1)["result"] == "rejected_invalid_action"
    assert send("start", "paper")["result"] == "rejected_invalid_action"
    wrong = newest.call("@strategy", address="oaws_nothing", call="stop")
    assert (wrong["code"], wrong["result"]) == (404, "rejected_token")


def test_signals(newest: Sdk, program: Program) -> None:
    def send(call: str, **kwargs: Any) -> dict[str, Any]:
        answer: dict[str, Any] = newest.call(
            "@strategy", address=TOKENS[SIGNAL], call=call, **kwargs
        )
        return answer

    started = newest.call("strategystart", strategy_id=SIGNAL, mode="sandbox")
    assert (started["code"], "first signal" in started["message"]) == (400, True)
    entered = send("long_entry", leg_id=1)
    assert (entered["status"], entered["result"], entered["strategy_id"]) == (
        "success",
        "ok",
        SIGNAL,
    )
    assert send("long_entry", leg_id=1)["message"] == "Signal accepted (already_long)"
    wait_for(lambda: [row["status"] for row in orders(newest, SIGNAL)] == ["complete"])
    assert send("short_exit", symbol="SBIN", exchange="NSE")["message"] == (
        "Signal accepted (no_matching_position)"
    )
    assert send("long_exit", leg_id=7)["code"] == 400
    assert send("long_exit", leg_id=1)["result"] == "ok"
    wait_for(lambda: [row["status"] for row in orders(newest, SIGNAL)] == ["complete"] * 2)
    (run_row,) = newest.good("strategyruns", strategy_id=SIGNAL)["data"]
    assert (run_row["trigger_source"], run_row["mode"]) == ("webhook", "sandbox")
    with sqlite3.connect(program.data_dir / "openalgo.db") as link:
        taken = link.execute(
            "SELECT result, action FROM webhook_events WHERE id = ?", (run_row["webhook_event_id"],)
        ).fetchall()
    assert taken == [("ok", "long_entry")]
    text = (program.data_dir / "openalgo.db").read_bytes() + program.output.encode()
    assert TOKENS[SIGNAL].encode() not in text


def test_the_installed_client_still_sends_to_webhook_strategies(program: Program) -> None:
    make = ("webhooks", "create", "old", "--symbol", "NSE:SBIN:3", "--positional")
    code, text = run(program.data_dir, *make)
    assert code == 0, text
    address = text.split("/strategy/webhook/")[1].split()[0]
    with Sdk(program) as installed:
        call = {"address": address, "call": "strategyorder"}
        if installed.version.startswith("1."):
            answer = installed.call("@strategy", "SBIN", "BUY", **call)
        else:  # 2.x has no such method any more; scripts of before still post
            with pytest.raises(SdkError, match="was removed"):
                installed.call("@strategy", "SBIN", "BUY", **call)
            url = f"{program.rest_url}/strategy/webhook/{address}"
            answer = httpx.post(url, json={"symbol": "SBIN", "action": "BUY"}).json()
        assert answer == {"message": "Order queued successfully for SBIN"}
        wait_for(lambda: "old" in str(installed.good("orderbook")["data"]["orders"]))
    with sqlite3.connect(program.data_dir / "openalgo.db") as link:
        rows = link.execute("SELECT result, name FROM webhook_events WHERE name = 'old'").fetchall()
    assert rows == [("queued", "old")]
