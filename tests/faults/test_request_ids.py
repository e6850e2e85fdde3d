"""A script that asks again with the same request id, over REST and over a kill -9."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.e2e.driver import Program

ORDER = {
    "strategy": "s",
    "symbol": "SBIN",
    "exchange": "NSE",
    "action": "BUY",
    "quantity": 1,
    "pricetype": "MARKET",
    "product": "MIS",
}


def place(program: Program, headers: dict[str, str] | None = None, **fields: Any):
    body = {"apikey": program.api_key, **ORDER, **fields}
    with program.http() as http:
        status, text, _ = http.request(
            "POST",
            "/api/v1/placeorder",
            json.dumps(body).encode(),
            {"Content-Type": "application/json", **(headers or {})},
        )
    return status, json.loads(text)


def orders(program: Program) -> list[dict[str, Any]]:
    return program.call("orderbook")["data"]["orders"]


def test_same_id_is_one_order_also_after_kill_9(tmp_path: Path):
    program = Program(tmp_path / "data", "--sim-seed", "7")
    with program:
        first = place(program, request_id="r-1")
        assert first[0] == 200 and first[1]["orderid"]
        assert place(program, request_id="r-1") == first
        assert place(program, {"Idempotency-Key": "r-1"}) == first
        assert place(program, request_id="r-1", quantity=2)[0] == 400
        assert place(program, request_id="r-2")[1]["orderid"] != first[1]["orderid"]
        refused = place(program, request_id="r-3", product="CNC", exchange="NFO")
        assert refused[0] != 200 and place(program, request_id="r-3", product="CNC",
                                           exchange="NFO") == refused  # fmt: skip
        assert len(orders(program)) == 2
        program.kill()
        program.start()
        assert place(program, request_id="r-1") == first
        assert len(orders(program)) == 2
