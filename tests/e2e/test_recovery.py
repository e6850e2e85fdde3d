"""kill -9 in a burst of orders: nothing lost, nothing doubled, nothing left open."""

from __future__ import annotations

import http.client
import json
import sqlite3
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.e2e.driver import Program

CLIENTS = 4
FIRST_PRICE = 500.0  # far below the market: every order rests
TICK = 0.05


class Burst:
    """Clients that place orders, each recognisable by its price, until their connection dies."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._lock = threading.Lock()
        self._next = 0
        self.sent: set[float] = set()
        self.acknowledged: dict[float, str] = {}
        self.refused: list[object] = []
        self._threads = [threading.Thread(target=self._run) for _ in range(CLIENTS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(20)
            assert not thread.is_alive()

    def _run(self) -> None:
        with self._program.http() as http:
            while True:
                with self._lock:
                    self._next += 1
                    price = round(FIRST_PRICE + TICK * self._next, 2)
                    self.sent.add(price)
                try:
                    status, body = http.post(
                        "/api/v1/placeorder",
                        {
                            "apikey": self._program.api_key,
                            "strategy": "burst",
                            "symbol": "SBIN",
                            "exchange": "NSE",
                            "action": "BUY",
                            "pricetype": "LIMIT",
                            "product": "MIS",
                            "quantity": 1,
                            "price": price,
                        },
                    )
                except (OSError, http_errors):
                    return
                with self._lock:
                    if status == 200:
                        self.acknowledged[price] = body["orderid"]
                    else:
                        self.refused.append((status, body))


http_errors = http.client.HTTPException


def journal(data_dir: Path) -> list[dict[str, str]]:
    with sqlite3.connect(f"file:{data_dir / 'openalgo.db'}?mode=ro", uri=True) as db:
        db.row_factory = sqlite3.Row
        return [dict(row) for row in db.execute("SELECT * FROM order_journal WHERE kind='place'")]


@pytest.mark.parametrize("mode", ["sandbox", "live"])
def test_orders_survive_a_kill(tmp_path: Path, mode: str) -> None:
    program = Program(tmp_path / "data", "--mode", mode).start()
    for _ in range(2):  # the second kill hits a program that has recovered once already
        burst = Burst(program)
        before = len(program.call("orderbook")["data"]["orders"])
        burst.start()
        deadline = time.monotonic() + 30
        while len(burst.acknowledged) < 60:
            assert time.monotonic() < deadline, (len(burst.acknowledged), burst.refused)
            time.sleep(0.005)
        program.kill()
        burst.join()
        assert burst.refused == []

        program.start()
        check_books(program, burst, before)
        program.call("cancelallorder", strategy="burst")
    assert program.stop() == 0


def check_books(program: Program, burst: Burst, before: int) -> None:
    deadline = time.monotonic() + 20
    while True:  # what the crash left open is settled within seconds
        rows = program.call("orderbook")["data"]["orders"]
        entries = journal(program.data_dir)
        states = Counter(entry["state"] for entry in entries)
        if not states["intent"] and not states["unknown"]:
            break
        assert time.monotonic() < deadline, states
        time.sleep(0.1)
    resting = [row for row in rows if row["order_status"] == "open"]
    assert len(rows) - len(resting) == before  # those of the round before were cancelled
    by_price = Counter(row["price"] for row in resting)
    assert max(by_price.values()) == 1, "an order was doubled"
    assert set(by_price) <= burst.sent
    for price, order_id in burst.acknowledged.items():
        assert by_price[price] == 1, f"acknowledged order {order_id} was lost"
    orders = {row["orderid"] for row in rows}
    acknowledged = {e["order_id"] for e in entries if e["state"] == "acknowledged"}
    assert acknowledged == orders
    assert len({entry["tag"] for entry in entries}) == len(entries)
    requests = {json.loads(entry["request"])["price"] for entry in entries}
    assert set(by_price) <= requests
