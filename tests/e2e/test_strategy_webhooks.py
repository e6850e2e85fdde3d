"""Alerts to made strategies and a program that dies: nothing is started twice, and the log says of
each alert what is known."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from tests.e2e.driver import Program
from tests.e2e.made import STRADDLE, TOKENS, plant
from tests.waiting import wait_for

MOMENT = "2026-11-20T11:00:00+05:30"
START = {"action": "start", "mode": "sandbox"}


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(path) as link:
        return link.execute(query).fetchall()


def test_a_killed_program_starts_nothing_twice(tmp_path: Path) -> None:
    plant(tmp_path / "data", (STRADDLE,))
    program = Program(tmp_path / "data", "--clock", MOMENT, "--sim-frozen")
    database = program.data_dir / "openalgo.db"
    taken = (
        "INSERT INTO webhook_events (received_at, strategy, name, action, mode, client, said,"
        " result, status, message)"
        " VALUES (1, 'made:1', '', 'start', 'sandbox', '', '', 'taken', 0, '')"
    )
    with sqlite3.connect(database) as link:  # the program died before the engine heard of it
        link.execute(taken)
    address = f"/strategy/webhook/{TOKENS[1]}"
    program.start()
    assert rows(database, "SELECT result FROM webhook_events") == [("unknown",)]
    assert rows(database, "SELECT count(*) FROM strategy_runs") == [(0,)]
    with program.http() as http:
        status, answer = http.post(address, START)
        assert (status, answer["result"]) == (200, "ok")
    program.kill()
    with program:
        with program.http() as http:
            status, answer = http.post(address, START)
            assert (status, answer["result"]) == (200, "rejected_dedupe")
            key = {"apikey": program.api_key, "strategy_id": 1}

            def entries() -> list[tuple[str, str]]:
                found = http.post("/api/v1/strategy/orders", key)[1]["data"]
                return [(row["kind"], row["status"]) for row in found]

            wait_for(lambda: entries() == [("entry", "complete")] * 2)
            assert http.post(address, {"action": "stop"})[1]["result"] == "ok"
            wait_for(lambda: http.post("/api/v1/strategy/status", key)[1]["run"] is None)
            (run,) = http.post("/api/v1/strategy/runs", key)[1]["data"]
            assert (run["webhook_event_id"], run["trigger_source"]) == (2, "webhook")
            assert [kind for kind, _ in entries()] == ["entry"] * 2 + ["exit_close_all"] * 2
        assert TOKENS[1] not in program.output
