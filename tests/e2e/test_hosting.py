"""Programs of users as processes of their own, hosted by a running engine."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.driver import Program, free_port, run
from tests.waiting import wait_for

#: As users of OpenAlgo write them.
AS_WRITTEN = """
import os, sys, json
from openalgo import api

api_key = os.getenv('OPENALGO_API_KEY')
if not api_key:
    print("Error: OPENALGO_API_KEY environment variable not set")
    sys.exit(1)
client = api(api_key=api_key, host=os.getenv('OPENALGO_HOST', 'http://127.0.0.1:5000'),
             ws_url=os.getenv('OPENALGO_WS_URL', 'ws://127.0.0.1:8765'))
strategy = "EMA Crossover Python"

response = client.placeorder(strategy=strategy, symbol="SBIN", action="BUY", exchange="NSE",
                             price_type="MARKET", product="MIS", quantity=5)
print("Order Response:", response)
print("names:", json.dumps(sorted(os.environ)))
import time
while True:
    time.sleep(1)
"""
IDLE = "import time\nprint('here', flush=True)\nwhile True:\n    time.sleep(1)\n"
#: Ends by itself.
ONCE = """
import os, time
from openalgo import api

client = api(api_key=os.environ["OPENALGO_API_KEY"], host=os.environ["OPENALGO_HOST"])
answer = client.placeorder(strategy="x", symbol="INFY", exchange="NSE", action="BUY",
                           price_type="MARKET", product="MIS", quantity=3)
print("ordered", answer["status"])
time.sleep(0.5)
print("done")
"""
#: Orders as fast as they are answered; each has a price of its own, far from the market.
BURST = """
import os
from openalgo import api

client = api(api_key=os.environ["OPENALGO_API_KEY"], host=os.environ["OPENALGO_HOST"])
number = 0
while True:
    number += 1
    price = round(300 + number * 0.05, 2)
    print("sent", price, flush=True)
    answer = client.placeorder(strategy="x", symbol="SBIN", exchange="NSE", action="BUY",
                               price_type="LIMIT", product="MIS", quantity=1, price=price)
    if answer.get("status") == "success":
        print("got", price, answer["orderid"], flush=True)
"""
#: All that a script may find beside what Python itself sets.
VARIABLES = {
    *("HOME", "LANG", "LANGUAGE", "PATH", "TMPDIR", "TZ", "PYTHONIOENCODING", "PYTHONUNBUFFERED"),
    *("OPENALGO_API_KEY", "OPENALGO_HOST", "OPENALGO_WS_URL", "OPENALGO_STRATEGY_EXCHANGE"),
    *("STRATEGY_ID", "STRATEGY_NAME", "STRATEGY_RUN"),
}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    folder = tmp_path_factory.mktemp("hosting") / "data"
    with Program(folder, "--sim-frozen", "--clock", "2026-11-25T11:00:00+05:30") as running:
        yield running


def ok(program: Program, *arguments: str) -> str:
    """A command as a process of its own, as a user gives it."""
    code, text = run(program.data_dir, "strategy", *arguments)
    assert code == 0, text
    return text


def ask(program: Program, operation: str, /, **arguments: Any) -> dict[str, Any]:
    """The same through the door that commands use, without a process for each question."""
    told = json.loads((program.data_dir / "running.json").read_text())
    where = urlsplit(told["control_url"])
    connection = http.client.HTTPConnection("127.0.0.1", where.port, timeout=120)
    headers = {"X-OpenAlgo-Owner": told["control_token"], "Content-Type": "application/json"}
    body = json.dumps({"args": arguments})
    with contextlib.closing(connection):
        connection.request("POST", f"/owner/{operation.replace(' ', '/')}", body, headers)
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
    assert answer["status"] == "success", answer
    return answer


def rows(program: Program) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in ask(program, "strategy list")["rows"]}


def add(program: Program, name: str, text: str) -> None:
    path = program.data_dir.parent / f"{name}.py"
    path.write_text(text)
    ask(program, "strategy add", path=str(path))


def start(program: Program, name: str, mode: str = "sandbox") -> None:
    ask(program, "strategy start", name=name, mode=mode)


def log(program: Program, name: str, **of: Any) -> list[str]:
    """The lines of its last run, without time and mark."""
    text = ask(program, "strategy logs", name=name, lines=5000, **of)["text"]
    return [line[11:] for line in text.splitlines()]


def said(program: Program, name: str, words: str) -> str:
    """The first line of its log that begins so, once it is there."""
    return str(
        wait_for(lambda: next((row for row in log(program, name) if row.startswith(words)), ""))
    )


def units(program: Program, symbol: str) -> int:
    for row in program.call("positionbook")["data"]:
        if row["symbol"] == symbol:
            return int(row["quantity"])
    return 0


def journal(program: Program) -> list[dict[str, Any]]:
    path = program.data_dir / "openalgo.db"
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        db.row_factory = sqlite3.Row
        return [dict(row) for row in db.execute("SELECT * FROM order_journal")]


def test_a_file_as_users_write_it(program: Program) -> None:
    """Its orders go to the sandbox under its own name though the switch is at live; a stop closes
    what it holds and nothing else; nothing of ours is in its environment, and its key is dead."""
    add(program, "ema", AS_WRITTEN)
    assert program.call("placeorder", **_order(quantity=2))["status"] == "success"
    code, text = run(program.data_dir, "strategy", "start", "ema", "--mode", "live")
    assert code == 2 and "sandbox until a human promotes it" in text
    ask(program, "mode live")
    try:
        start(program, "ema", "sandbox")
        assert "'status': 'success'" in said(program, "ema", "Order Response:")
        names = json.loads(said(program, "ema", "names:").partition(": ")[2])
        assert not {n for n in names if not n.startswith("LC_")} - VARIABLES
        assert program.call("orderbook")["data"]["orders"] == []  # of the live account
    finally:
        ask(program, "mode sandbox")
    assert units(program, "SBIN") == 7
    mine = [row for row in program.call("orderbook")["data"]["orders"] if row["quantity"] == 5]
    assert [row["strategy"] for row in mine] == ["ema"]
    (key,) = [row for row in _keys(program) if row["name"].startswith("hosted:")]
    text = ok(program, "stop", "ema", "--square-off")
    assert "What it held is closed." in text
    assert units(program, "SBIN") == 2
    (record,) = ask(program, "strategy record", name="ema")["rows"]
    assert (record["days"], record["orders"], record["trades"]) == (1, 2, 2)
    assert float(record["charges"]) > 0
    assert key["id"] not in {row["id"] for row in _keys(program)}
    ask(program, "strategy remove", name="ema")
    assert "no program" in ok(program, "list")


def _order(**fields: Any) -> dict[str, Any]:
    return {
        "strategy": "by hand",
        "symbol": "SBIN",
        "exchange": "NSE",
        "action": "BUY",
        "pricetype": "MARKET",
        "product": "MIS",
        **fields,
    }


def _keys(program: Program) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(program, "keys list")["rows"]
    return found


def test_bad_input_is_a_sentence(program: Program) -> None:
    broken = program.data_dir.parent / "broken.py"
    broken.write_text("def f(:\n")
    for arguments, words in (
        (("add", str(broken)), "broken.py, line 1"),
        (("add", str(broken.parent / "gone.py")), "no file or folder"),
        (("start", "nobody", "--mode", "sandbox"), "no hosted program 'nobody'"),
        (("add", "sample:pears"), "Did you mean pairs"),
    ):
        code, text = run(program.data_dir, "strategy", *arguments)
        assert code == 2 and words in text and "Traceback" not in text, text
    add(program, "idle", IDLE)
    code, text = run(
        program.data_dir, *("strategy", "schedule", "idle", "--on", "--window", "17:00-18:00")
    )
    assert code == 2 and "would never run" in text
    ask(program, "strategy remove", name="idle")


def test_a_sample_with_other_parameters(program: Program) -> None:
    """The whole way of a beginner: a sample, a parameter, a start, its output, a polite end."""
    ask(program, "strategy add", path="sample:moving_average_cross", name="cross")
    ask(program, "strategy set", name="cross", key="parameters.symbol", value="INFY")
    ask(program, "strategy set", name="cross", key="parameters.fast", value="5")
    start(program, "cross")
    assert said(program, "cross", "INFY") == "INFY: averages of 5 and 21 bars"
    ask(program, "strategy stop", name="cross")
    (one,) = ask(program, "strategy runs", name="cross")["rows"]
    assert one["ended"].startswith("stopped: Stopped by cli.")
    assert not [line for line in log(program, "cross") if "Traceback" in line]
    ask(program, "strategy remove", name="cross")


def test_a_live_program_lands_nothing_in_paper(program: Program) -> None:
    """Promoted by a human who was shown its record; followed to its end; the switch stands at
    sandbox all the time."""
    add(program, "once", ONCE)
    code, text = run(program.data_dir, "strategy", "promote", "once")
    assert code == 2 and "net P&L" in text and "--yes" in text
    assert "may trade live" in ok(program, "promote", "once", "--yes")
    start(program, "once", "live")
    lines = [line[11:] for line in ok(program, "logs", "once", "--follow").splitlines()]
    assert lines[-3:] == ["ordered success", "done", "It ended with code 0."]
    assert "exit code 0" in wait_for(lambda: rows(program)["once"]["reason"])
    orders = program.call("orderbook")["data"]["orders"]
    assert "once" not in {row["strategy"] for row in orders}
    ask(program, "mode live")
    try:
        (order,) = program.call("orderbook")["data"]["orders"]
        assert (order["symbol"], order["quantity"], order["strategy"]) == ("INFY", 3, "once")
    finally:
        ask(program, "mode sandbox")
    ok(program, "demote", "once")
    code, text = run(program.data_dir, "strategy", "start", "once", "--mode", "live")
    assert code == 2 and "until a human promotes it" in text
    ask(program, "strategy remove", name="once")


def test_a_burst_that_is_killed_loses_and_doubles_nothing(program: Program) -> None:
    """The process dies in the middle, twice; it is started again after a second each time."""
    ask(program, "sandbox reset")
    before = {row["tag"] for row in journal(program)}
    add(program, "burst", BURST)
    ask(program, "strategy set", name="burst", key="quotas.orders_per_minute", value="6000")
    start(program, "burst", "sandbox")
    wait_for(lambda: sum(row.startswith("got") for row in log(program, "burst")) > 30)
    facts = _shown(program, "burst")
    os.kill(int(facts["process"]), signal.SIGKILL)
    run_id = facts["run"]
    wait_for(lambda: _shown(program, "burst")["run"] != run_id)
    told = log(program, "burst", run=run_id)
    ask(program, "strategy stop", name="burst")
    got = {line.split()[2] for line in told if line.startswith("got")}
    placed = [row for row in journal(program) if row["tag"] not in before]
    book = program.call("orderbook")["data"]["orders"]
    acknowledged = [row["order_id"] for row in placed if row["state"] == "acknowledged"]
    assert sorted(acknowledged) == sorted(row["orderid"] for row in book)
    assert got <= set(acknowledged)
    # The second run begins its prices anew: at most one of each run.
    assert max(Counter(row["price"] for row in book).values()) <= 2
    assert {json.loads(row["request"])["strategy"] for row in placed} == {"burst"}
    ask(program, "strategy remove", name="burst")


def _shown(program: Program, name: str) -> dict[str, str]:
    return {row["what"]: row["is"] for row in ask(program, "strategy show", name=name)["rows"]}


def alive(folder: Path) -> set[int]:
    """Processes whose script lies in a data folder."""
    found = set()
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if any(str(folder / "strategies" / "programs").encode() in w for w in words):
                found.add(int(entry.name))
    return found


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="counts processes in /proc")
def test_three_run_on_when_the_engine_is_killed(tmp_path: Path) -> None:
    """The same three processes, each once, none unseen; an engine that stops ends them."""
    ports = ("--rest-port", str(free_port()), "--ws-port", str(free_port()))
    program = Program(tmp_path / "data", "--sim-frozen", *ports).start()
    try:
        for name in "abc":
            add(program, name, IDLE)
            start(program, name)
        ask(program, "strategy set", name="c", key="on_engine_restart", value="restart")
        first = alive(program.data_dir)
        assert len(first) == 3
        program.kill()
        assert alive(program.data_dir) == first
        program.start()
        wait_for(lambda: {row["state"] for row in rows(program).values()} == {"running"})
        second = wait_for(lambda: len(alive(program.data_dir)) == 3 and alive(program.data_dir))
        assert len(second & first) == 2  # a and b are the same ones, c is a new one
        assert len([row for row in _keys(program) if row["name"].startswith("hosted:")]) == 3
        assert program.stop() == 0
        assert not alive(program.data_dir)
    finally:
        with contextlib.suppress(OSError):
            program.kill()
        for pid in alive(program.data_dir):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.long
def test_an_engine_that_dies_again_and_again_under_a_burst(tmp_path: Path) -> None:
    """One process of a program sends through ten engines: each price is its own, so an order that
    was doubled would be seen; what it was told is in the book."""
    ports = ("--rest-port", str(free_port()), "--ws-port", str(free_port()))
    program = Program(tmp_path / "data", "--sim-frozen", *ports).start()
    try:
        add(program, "burst", BURST)
        ask(program, "strategy set", name="burst", key="quotas.orders_per_minute", value="6000")
        start(program, "burst", "sandbox")
        (pid,) = alive(program.data_dir)
        for _ in range(10):
            seen = len(log(program, "burst"))
            wait_for(lambda n=seen: len(log(program, "burst")) > n + 20)  # type: ignore[misc]
            program.kill()
            program.start()
            assert alive(program.data_dir) == {pid}
        ask(program, "strategy stop", name="burst")
        told = [line.split() for line in log(program, "burst") if line.startswith("got")]
        wait_for(lambda: {row["state"] for row in journal(program)} <= {"acknowledged", "rejected"})
        book = program.call("orderbook")["data"]["orders"]
        assert max(Counter(row["price"] for row in book).values()) == 1
        assert {order_id for _, _, order_id in told} <= {row["orderid"] for row in book}
        placed = [row for row in journal(program) if row["state"] == "acknowledged"]
        assert sorted(r["order_id"] for r in placed) == sorted(r["orderid"] for r in book)
        assert program.stop() == 0
    finally:
        with contextlib.suppress(OSError):
            program.kill()
        for left in alive(program.data_dir):
            os.kill(left, signal.SIGKILL)
