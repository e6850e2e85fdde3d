"""The whole program against Upstox on loopback: log in with the browser's code, read the master,
trade, follow prices and orders over both feeds, lose an answer, log out."""

from __future__ import annotations

import asyncio
import json
import socket
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
from tests.emulators.thread import EmulatorThread
from tests.emulators.upstox import API_KEY, API_SECRET, UpstoxEmulator
from tests.waiting import wait_for

Upstox = EmulatorThread[UpstoxEmulator]
_SITE = "https://api.upstox.com"


@pytest.fixture
def upstox() -> Iterator[Upstox]:
    clock = SystemClock()
    clock.jump(clock.now().replace(hour=10, minute=0))
    with EmulatorThread(lambda: UpstoxEmulator(clock, rate=100.0)) as running:
        yield running


def options(upstox: Upstox) -> list[str]:
    """Settings that send the program to the emulator; the feeds' addresses come from there."""
    hosts = upstox.emulator.hosts()
    return [*NO_LIMITS, *(f"brokers.upstox.hosts.{name}={url}" for name, url in hosts.items())]


def program(upstox: Upstox, folder: Path) -> Program:
    """The engine with the Upstox account, live."""
    now = upstox.emulator.clock.now().isoformat()
    arguments = ("--broker", "upstox", "--mode", "live", "--clock", now)
    return Program(folder, *arguments, settings=options(upstox))


def free_port() -> int:
    """A port for the callback: the address that is registered has it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run_login(upstox: Upstox, folder: Path, *more: str) -> str:
    """``openalgo-desktop login upstox`` with a browser that comes back to the callback."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    sets = [part for setting in options(upstox) for part in ("--set", setting)]
    command = [sys.executable, "-m", "openalgo_desktop", "login", "upstox", *more]
    command += ["--data-dir", str(folder), "--rest-port", str(port)]
    command += ["--clock", upstox.emulator.clock.now().isoformat(), *sets]
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
    redirect = f"http://127.0.0.1:{port}/upstox/callback"
    app = {"api_key": API_KEY, "api_secret": API_SECRET, "redirect_uri": redirect}
    process.stdin.write(json.dumps(app))
    process.stdin.close()
    lines: list[str] = []
    killer = threading.Timer(40, process.kill)
    killer.start()
    try:
        for line in process.stdout:
            lines.append(line)
            if line.startswith(_SITE):
                url = line.strip().replace(_SITE, upstox.emulator.url)
                with urllib.request.urlopen(url, timeout=10) as page:
                    assert page.status == 200
        assert process.wait(10) == 0, "".join(lines)
    finally:
        killer.cancel()
    return "".join(lines)


def test_log_in_trade_stream_and_log_out(upstox: Upstox, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    said = run_login(upstox, folder, "--stdin")
    assert "Logged in" in said and API_SECRET not in said
    emulator = upstox.emulator
    with program(upstox, folder) as engine:
        assert engine.ready["broker"] == "upstox" and engine.ready["mode"] == "live"
        wait_for(lambda: len(emulator.sockets) == 2, "both feeds")
        resting = engine.call("placeorder", **order(3))
        market = engine.call("placeorder", **order(7, pricetype="MARKET", price=0))
        rows = {row["orderid"]: row["order_status"] for row in book(engine)}
        assert rows == {resting["orderid"]: "open", market["orderid"]: "complete"}
        assert [sent.get("market_protection") for sent in emulator.arrived] == [None, -1]
        assert all(sent["tag"] for sent in emulator.arrived)
        (position,) = engine.call("positionbook")["data"]
        assert (position["symbol"], int(position["quantity"])) == ("SBIN", 7)
        assert float(engine.call("quotes", symbol="SBIN", exchange="NSE")["data"]["ltp"]) > 0
        asyncio.run(stream(engine))
        emulator.faults.lose_acks = 1
        status, body = post(engine, order(4))
        assert status != 200 and "unknown" in json.dumps(body).lower()
        wait_for(lambda: len(book(engine)) == 3, "the settled order")
        assert emulator.calls("POST", "/v3/order/place") == 3
        engine.call("cancelallorder", strategy="e2e")
        assert {row["order_status"] for row in book(engine)} == {"cancelled", "complete"}
        token = next(iter(emulator._tokens))
    run_login(upstox, folder, "--logout")
    assert emulator._tokens == {}
    for secret in (API_SECRET, token):
        assert secret not in engine.output
        for file in folder.rglob("*.log"):
            assert secret not in file.read_text(errors="replace")
    database = (folder / "openalgo.db").read_bytes()
    assert API_SECRET.encode() not in database and token.encode() not in database
