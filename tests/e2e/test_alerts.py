"""Alerts that were answered "queued" outlive the program: nothing lost, nothing doubled, and
nothing from before a restart is sent by itself."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.driver import NO_LIMITS, Http, Program, run
from tests.waiting import wait_for

ALERTS = 50
HOOK = "/strategy/webhook/00000000-0000-4000-8000-000000000001"
STRATEGY = {
    "webhook_id": HOOK.rpartition("/")[2],
    "name": "burst",
    "kind": "strategy",
    "mode": "LONG",
    "symbols": [{"symbol": "SBIN", "exchange": "NSE", "quantity": 1, "product": "MIS"}],
    "active": True,
    "intraday": False,
}

#: Orders of alerts that no row of the log of webhooks tells of.
UNTOLD = (
    "SELECT count(*) FROM alerts WHERE NOT EXISTS (SELECT 1 FROM webhook_events"
    " WHERE alerts.id BETWEEN first_order AND last_order)"
)


def alert(http: Http, quantity: int) -> tuple[int, dict[str, object]]:
    body = {"symbol": "SBIN", "action": "BUY", "position_size": quantity}
    return http.post(HOOK, body)


def rows(path: Path, query: str) -> list[Any]:
    with sqlite3.connect(path) as connection:
        return [row[0] for row in connection.execute(query)]


def sent(path: Path) -> list[int]:
    """Quantities of the orders that left, from the journal."""
    texts = rows(path, "SELECT request FROM order_journal WHERE kind = 'place'")
    return [json.loads(text)["quantity"] for text in texts]


def waiting(path: Path) -> list[int]:
    """Quantities of the requests that wait for a human."""
    texts = rows(path, "SELECT payload FROM approvals WHERE status = 'pending'")
    return [json.loads(text)["quantity"] for text in texts]


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_queued_alerts_outlive_the_program(tmp_path: Path, how: str) -> None:
    program = Program(tmp_path / "data", settings=(*NO_LIMITS, "webhooks.same_alert_seconds=600"))
    with program:
        pass
    database = tmp_path / "data" / "openalgo.db"
    with sqlite3.connect(database) as connection:
        connection.execute(
            "INSERT INTO key_values (scope, key, value) VALUES ('webhooks', ?, ?)",
            (STRATEGY["webhook_id"], json.dumps(STRATEGY)),
        )
    program.start()
    began = time.monotonic()
    with program.http() as http:
        for quantity in range(1, ALERTS + 1):
            assert alert(http, quantity)[0] == 200
    getattr(program, how)()
    took = time.monotonic() - began

    with program:
        before = sent(database)
        held = waiting(database)
        assert sorted(before + held) == list(range(1, ALERTS + 1))
        assert len(before) <= 10 * took + 1  # ten orders a second: most had no time
        assert rows(database, UNTOLD) == [0]
        with program.http() as http:
            status, answer = alert(http, ALERTS)
            assert (status, answer.get("duplicate")) == (200, True)
            assert alert(http, ALERTS + 1)[0] == 200
        wait_for(lambda: ALERTS + 1 in sent(database))
        assert sorted(sent(database)) == sorted([*before, ALERTS + 1])
        assert sorted(waiting(database)) == sorted(held)

        listed = unsent(program)
        assert [row["order"].split()[1] for row in listed] == [str(number) for number in held]
        assert listed[0]["from"] == "webhook:burst" and listed[0]["age"].split()[1] in ("s", "min")
        first, second = listed[0]["id"], listed[1]["id"]
        code, text = run(program.data_dir, "webhooks", "send", str(first))
        assert code == 2 and "--yes" in text  # sending is said by a human
        code, text = run(program.data_dir, "webhooks", "send", str(first), "--yes")
        assert code == 0 and "after its alert" in text and "orderid" in text
        code, text = run(program.data_dir, "webhooks", "drop", str(second))
        assert code == 0 and "nothing was sent" in text
        for gone in (first, second, 10_000):
            code, text = run(program.data_dir, "webhooks", "send", str(gone), "--yes")
            assert code == 2 and "is no unsent alert" in text
        assert sorted(sent(database)) == sorted([*before, ALERTS + 1, held[0]])
        assert [row["id"] for row in unsent(program)] == [row["id"] for row in listed[2:]]


def unsent(program: Program) -> list[dict[str, Any]]:
    """What ``webhooks unsent`` lists."""
    code, text = run(program.data_dir, "webhooks", "unsent", "--json")
    assert code == 0, text
    rows: list[dict[str, Any]] = json.loads(text)["rows"]
    return rows
