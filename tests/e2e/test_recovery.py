"""kill -9 in a burst of orders: nothing lost, nothing doubled, nothing left open."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
import time
from collections import Counter
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.driver import Http, Program

CLIENTS = 4
TICK = 0.05
ORDER = {
    "symbol": "SBIN",
    "exchange": "NSE",
    "action": "BUY",
    "pricetype": "LIMIT",
    "product": "MIS",
    "quantity": 1,
}


class Burst:
    """Clients that place orders, each recognisable by its price, and cancel some of them, until
    their connection dies."""

    def __init__(self, program: Program, first_price: float) -> None:
        self._program = program
        self._lock = threading.Lock()
        self.first_price = first_price
        self._next = 0
        self.sent: set[float] = set()
        self.acknowledged: dict[float, str] = {}
        self.cancel_sent: set[float] = set()
        self.cancelled: set[float] = set()
        self.refused: list[object] = []
        self._threads = [threading.Thread(target=self._run) for _ in range(CLIENTS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()

    def _run(self) -> None:
        with self._program.http() as http, contextlib.suppress(OSError, HTTPException):
            while True:
                with self._lock:
                    self._next += 1
                    number = self._next
                    price = round(self.first_price + TICK * number, 2)
                    self.sent.add(price)
                body = self._post(http, "placeorder", {**ORDER, "price": price})
                if body is None:
                    continue
                self.acknowledged[price] = body["orderid"]
                if number % 3 == 0:
                    self.cancel_sent.add(price)
                    if self._post(http, "cancelorder", {"orderid": body["orderid"]}) is not None:
                        self.cancelled.add(price)

    def _post(self, http: Http, endpoint: str, fields: dict[str, Any]) -> dict[str, Any] | None:
        """The answer of a success; a refusal is kept for the test to see."""
        request = {"apikey": self._program.api_key, "strategy": "burst", **fields}
        status, body = http.post(f"/api/v1/{endpoint}", request)
        if status == 200:
            return dict(body)
        self.refused.append((status, body))
        return None


def journal(data_dir: Path) -> list[dict[str, str]]:
    with sqlite3.connect(f"file:{data_dir / 'openalgo.db'}?mode=ro", uri=True) as db:
        db.row_factory = sqlite3.Row
        return [dict(row) for row in db.execute("SELECT * FROM order_journal")]


@pytest.mark.parametrize("mode", ["sandbox", "live"])
def test_orders_survive_a_kill(tmp_path: Path, mode: str) -> None:
    program = Program(tmp_path / "data", "--mode", mode).start()
    for first_price in (300.0, 500.0):  # far below the market: every order rests
        # The second kill hits a program that has recovered once already.
        burst = Burst(program, first_price)
        burst.start()
        deadline = time.monotonic() + 60
        while len(burst.acknowledged) < 60:
            assert time.monotonic() < deadline, (len(burst.acknowledged), burst.refused)
            time.sleep(0.005)
        program.kill()
        burst.join()
        assert burst.refused == []

        program.start()
        check_books(program, burst)
    assert program.stop() == 0


def check_books(program: Program, burst: Burst) -> None:
    deadline = time.monotonic() + 60
    while True:  # what the crash left open is settled within seconds
        entries = journal(program.data_dir)
        rows = program.call("orderbook")["data"]["orders"]  # after them: it is not older
        states = Counter(entry["state"] for entry in entries)
        if not states["intent"] and not states["unknown"]:
            break
        assert time.monotonic() < deadline, states
        time.sleep(0.1)
    by_price = Counter(row["price"] for row in rows)
    assert max(by_price.values()) == 1, "an order was doubled"
    assert {price for price in by_price if price >= burst.first_price} <= burst.sent
    status = {row["price"]: row["order_status"] for row in rows}
    for price, order_id in burst.acknowledged.items():
        assert price in status, f"acknowledged order {order_id} was lost"
        if price in burst.cancelled:
            assert status[price] == "cancelled", f"acknowledged cancellation of {order_id} was lost"
        elif price not in burst.cancel_sent:
            assert status[price] == "open"
    placed = [entry for entry in entries if entry["kind"] == "place"]
    acknowledged = {e["order_id"] for e in placed if e["state"] == "acknowledged"}
    assert acknowledged == {row["orderid"] for row in rows}
    assert len({entry["tag"] for entry in entries}) == len(entries)
    assert set(by_price) <= {json.loads(entry["request"])["price"] for entry in placed}
