"""SIGKILL at random moments of a headless program under orders; clients retry with their ids."""

from __future__ import annotations

import http.client
import json
import random
import sqlite3
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.driver import Program
from tests.waiting import wait_for

CLIENTS = 3
SETTLE = 60.0


class Client(threading.Thread):
    """Places, cancels and modifies until the line is cut; each order has its own request id."""

    def __init__(self, program: Program, name: str, seed: int, books: Books) -> None:
        super().__init__(name=name)
        self.program = program
        self.rng = random.Random(seed)
        self.books = books

    def run(self) -> None:
        with self.program.http() as line:
            number = 0
            while True:
                number += 1
                order = {
                    "strategy": f"{self.name}-{number}",
                    "symbol": "SBIN",
                    "exchange": "NSE",
                    "action": "BUY",
                    "quantity": self.rng.randint(1, 5),
                    "pricetype": "LIMIT" if self.rng.random() < 0.7 else "MARKET",
                    "product": "MIS",
                    "price": 400,
                    "request_id": f"{self.name}-{number}",
                }
                try:
                    order_id = self.books.send(line, self.program, order)
                    if order_id and self.rng.random() < 0.2:
                        body = {"apikey": self.program.api_key, "orderid": order_id}
                        line.post("/api/v1/cancelorder", {**body, "strategy": "s"})
                except (OSError, http.client.HTTPException, json.JSONDecodeError):
                    return


class Books:
    """What the clients sent and what they were told."""

    def __init__(self) -> None:
        self.sent: dict[str, dict[str, Any]] = {}
        self.placed: dict[str, str] = {}
        self.refused: dict[str, str] = {}
        self.asked_again: set[str] = set()

    def send(self, line: Any, program: Program, order: dict[str, Any]) -> str:
        name = order["request_id"]
        self.sent[name] = order
        status, answer = line.post("/api/v1/placeorder", {"apikey": program.api_key, **order})
        if status == 200:
            self.placed[name] = answer["orderid"]
        elif status != 504:  # 504: the state is unknown
            self.refused[name] = f"{status} {answer}"
        return self.placed.get(name, "")

    def retry(self, program: Program) -> int:
        """Ask again once, with the same id, for every answer that was lost; returns how many.
        (An id is remembered for a minute: later it would be a new order.)"""
        answered = self.placed.keys() | self.refused.keys() | self.asked_again
        open_ones = [name for name in self.sent if name not in answered]
        self.asked_again.update(open_ones)
        with program.http() as line:
            for name in open_ones:
                self.send(line, program, self.sent[name])
        return len(open_ones)


def journal(folder: Path) -> list[sqlite3.Row]:
    with sqlite3.connect(f"file:{folder / 'openalgo.db'}?mode=ro", uri=True) as db:
        db.row_factory = sqlite3.Row
        return db.execute("SELECT * FROM order_journal WHERE kind = 'place'").fetchall()


def settled(program: Program) -> list[sqlite3.Row]:
    """The journal once nothing in it is open."""
    deadline = time.monotonic() + SETTLE
    while True:
        rows = journal(program.data_dir)
        if all(row["state"] in ("acknowledged", "rejected") for row in rows):
            return rows
        assert time.monotonic() < deadline, [dict(row) for row in rows][-5:]
        time.sleep(0.1)


def check(program: Program, books: Books) -> int:
    """Orders at the exchange = in the journal = in the API; none lost, none doubled."""
    rows = settled(program)
    api = program.call("orderbook")["data"]["orders"]
    ids = {row["orderid"] for row in api}
    assert len(ids) == len(api)
    owners = Counter(row["order_id"] for row in rows if row["order_id"])
    assert set(owners) == ids, "journal and order book differ"
    assert max(owners.values(), default=1) == 1
    per_intent = Counter(json.loads(row["request"])["strategy"] for row in rows if row["order_id"])
    assert not [name for name, count in per_intent.items() if count > 1], "doubled"
    lost = [name for name, order_id in books.placed.items() if order_id not in ids]
    assert not lost, f"acknowledged but gone: {lost}"
    assert not [name for name in books.refused if per_intent[name]]
    return len(api)


def campaign(folder: Path, seed: int, kills: int, mode: str) -> Counter[str]:
    rng = random.Random(seed)
    program = Program(folder / "data", "--sim-seed", str(seed), "--mode", mode)
    books, counts = Books(), Counter[str]()
    with program:
        for number in range(kills):
            clients = [
                Client(program, f"k{number}c{i}", rng.randrange(1 << 30), books)
                for i in range(CLIENTS)
            ]
            for client in clients:
                client.start()
            wanted = len(books.placed) + rng.randint(5, 60)
            wait_for(lambda: len(books.placed) >= wanted, "orders before the kill")  # noqa: B023
            time.sleep(rng.uniform(0, 0.02))  # anywhere within an order
            program.kill()
            for client in clients:
                client.join(60)
                assert not client.is_alive()
            program.start()
            counts["asked again"] += books.retry(program)
            counts["orders"] = check(program, books)
            counts["kills"] += 1
    return counts


@pytest.mark.parametrize(("mode", "kills"), [("sandbox", 2), ("live", 1)])
def test_nothing_is_lost_or_doubled_over_kills(tmp_path: Path, mode: str, kills: int):
    counts = campaign(tmp_path, 11, kills, mode)
    assert counts["kills"] == kills and counts["orders"] > 5


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("mode", ["sandbox", "live"])
def test_forty_kills(tmp_path: Path, mode: str):
    counts = campaign(tmp_path, 12, 40, mode)
    assert counts["kills"] == 40 and counts["asked again"] > 0
    print(dict(counts))
