"""The whole program against Fyers on loopback: log in with the browser's code, read the master,
trade, follow prices and orders over both feeds, lose an answer, log out, log in with the PIN."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from openalgo_desktop.core.clock import SystemClock
from tests.e2e.driver import NO_LIMITS, ROOT, Program, environment
from tests.e2e.trading import book, order, post, stream
from tests.emulators.fyers import APP_ID, PIN, SECRET, FyersEmulator
from tests.emulators.thread import EmulatorThread
from tests.waiting import wait_for

Fyers = EmulatorThread[FyersEmulator]
_SITE = "https://api-t1.fyers.in"


@pytest.fixture
def fyers() -> Iterator[Fyers]:
    clock = SystemClock()
    clock.jump(clock.now().replace(hour=10, minute=0))
    with EmulatorThread(lambda: FyersEmulator(clock, rate=100.0)) as running:
        yield running


def options(fyers: Fyers) -> list[str]:
    """Settings that send the program to the emulator; the feeds' addresses come from there."""
    hosts = fyers.emulator.hosts()
    return [*NO_LIMITS, *(f"brokers.fyers.hosts.{name}={url}" for name, url in hosts.items())]


def program(fyers: Fyers, folder: Path) -> Program:
    """The engine with the Fyers account, live."""
    now = fyers.emulator.clock.now().isoformat()
    arguments = ("--broker", "fyers", "--mode", "live", "--clock", now)
    return Program(folder, *arguments, settings=options(fyers))


def run_login(fyers: Fyers, folder: Path, *more: str) -> str:
    """``openalgo-desktop login fyers`` with a browser that comes back to the callback."""
    folder.mkdir(parents=True, exist_ok=True)
    sets = [part for setting in options(fyers) for part in ("--set", setting)]
    command = [sys.executable, "-m", "openalgo_desktop", "login", "fyers", *more]
    command += ["--data-dir", str(folder), "--rest-port", "0"]
    command += ["--clock", fyers.emulator.clock.now().isoformat(), *sets]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(folder),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    app = {"api_key": APP_ID, "api_secret": SECRET, "pin": PIN}
    process.stdin.write(json.dumps(app))
    process.stdin.close()
    lines: list[str] = []
    killer = threading.Timer(40, process.kill)
    killer.start()
    try:
        for line in process.stdout:
            lines.append(line)
            if line.startswith(_SITE):
                url = line.strip().replace(_SITE, fyers.emulator.url)
                with urllib.request.urlopen(url, timeout=10) as page:
                    assert page.status == 200
        assert process.wait(10) == 0, "".join(lines)
    finally:
        killer.cancel()
    return "".join(lines)


def test_log_in_trade_stream_and_log_out(fyers: Fyers, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    said = run_login(fyers, folder, "--stdin")
    assert "Logged in" in said and SECRET not in said
    emulator = fyers.emulator
    with program(fyers, folder) as engine:
        assert engine.ready["broker"] == "fyers" and engine.ready["mode"] == "live"
        wait_for(lambda: len(emulator.sockets) == 3, "the feeds")
        resting = engine.call("placeorder", **order(3))
        market = engine.call("placeorder", **order(7, pricetype="MARKET", price=0))
        rows = {row["orderid"]: row["order_status"] for row in book(engine)}
        assert rows == {resting["orderid"]: "open", market["orderid"]: "complete"}
        (position,) = engine.call("positionbook")["data"]
        assert (position["symbol"], int(position["quantity"])) == ("SBIN", 7)
        assert float(engine.call("quotes", symbol="SBIN", exchange="NSE")["data"]["ltp"]) > 0
        asyncio.run(stream(engine))
        emulator.faults.lose_acks = 1
        status, body = post(engine, order(4))
        assert status != 200 and "unknown" in json.dumps(body).lower()
        wait_for(lambda: len(book(engine)) == 3, "the settled order")
        assert emulator.calls("POST", "/api/v3/orders/sync") == 3
        engine.call("cancelallorder", strategy="e2e")
        assert {row["order_status"] for row in book(engine)} == {"cancelled", "complete"}
        tokens = list(emulator._tokens)
    run_login(fyers, folder, "--logout")
    assert emulator._tokens == {}
    # The refresh token of the first login is kept; the PIN is asked for.
    assert "Logged in" in run_login(fyers, folder, "--stdin", "--login", "refresh")
    for secret in (SECRET, PIN, *tokens, *emulator._refresh):
        assert secret == PIN or secret not in engine.output
        for file in folder.rglob("*.log"):
            assert secret == PIN or secret not in file.read_text(errors="replace")
    database = (folder / "openalgo.db").read_bytes()
    assert not any(secret.encode() in database for secret in (SECRET, *tokens))
