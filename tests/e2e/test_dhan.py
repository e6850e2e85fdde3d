"""The whole program against Dhan on loopback: consent in the browser, master, quotes, the binary
feed with deeper books, orders pushed and lost, log-out; and its sandbox, which has no prices."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openalgo_desktop.core.clock import SystemClock
from tests.e2e.driver import NO_LIMITS, ROOT, Program, environment
from tests.e2e.trading import book, order, post, stream
from tests.emulators.dhan import APP_ID, APP_SECRET, CLIENT, DhanEmulator
from tests.emulators.thread import EmulatorThread
from tests.waiting import wait_for

Dhan = EmulatorThread[DhanEmulator]
_SITE = "https://auth.dhan.co"


@pytest.fixture(params=[True, False], ids=["dhan", "dhan_sandbox"])
def dhan(request: Any) -> Iterator[Dhan]:
    clock = SystemClock()
    clock.jump(clock.now().replace(hour=10, minute=0))
    with EmulatorThread(lambda: DhanEmulator(clock, live=request.param, rate=100.0)) as running:
        yield running


def name_of(dhan: Dhan) -> str:
    return "dhan" if dhan.emulator.live else "dhan_sandbox"


def options(dhan: Dhan) -> list[str]:
    """Settings that send the program to the emulator."""
    hosts = dhan.emulator.hosts()
    return [*NO_LIMITS, *(f"brokers.{name_of(dhan)}.hosts.{n}={url}" for n, url in hosts.items())]


def program(dhan: Dhan, folder: Path) -> Program:
    """The engine with the account, live."""
    now = dhan.emulator.clock.now().isoformat()
    arguments = ("--broker", name_of(dhan), "--mode", "live", "--clock", now)
    return Program(folder, *arguments, settings=options(dhan))


def run_login(dhan: Dhan, folder: Path, *more: str, given: dict[str, str] | None = None) -> str:
    """``openalgo-desktop login`` with a browser that comes back to the callback."""
    folder.mkdir(parents=True, exist_ok=True)
    sets = [part for setting in options(dhan) for part in ("--set", setting)]
    command = [sys.executable, "-m", "openalgo_desktop", "login", name_of(dhan), *more]
    command += ["--data-dir", str(folder), "--rest-port", "0"]
    command += ["--clock", dhan.emulator.clock.now().isoformat(), *sets]
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
    process.stdin.write(json.dumps(given or {}))
    process.stdin.close()
    lines: list[str] = []
    killer = threading.Timer(40, process.kill)
    killer.start()
    try:
        for line in process.stdout:
            lines.append(line)
            if line.startswith("Redirect address"):
                dhan.emulator.redirect = line.split()[-1]
            if line.startswith(_SITE):
                url = line.strip().replace(_SITE, dhan.emulator.url)
                with urllib.request.urlopen(url, timeout=10) as page:
                    assert page.status == 200
        assert process.wait(10) == 0, "".join(lines)
    finally:
        killer.cancel()
    return "".join(lines)


def credentials(dhan: Dhan) -> dict[str, str]:
    """What the user has."""
    if dhan.emulator.live:
        return {"client_id": CLIENT, "app_id": APP_ID, "app_secret": APP_SECRET}
    return {"client_id": CLIENT, "access_token": dhan.emulator.new_access_token()}


def test_log_in_trade_and_log_out(dhan: Dhan, tmp_path: Path) -> None:
    folder, emulator = tmp_path / "data", dhan.emulator
    said = run_login(dhan, folder, "--stdin", given=credentials(dhan))
    assert "Logged in" in said and APP_SECRET not in said
    token = next(iter(emulator._tokens))
    with program(dhan, folder) as engine:
        assert engine.ready["broker"] == name_of(dhan) and engine.ready["mode"] == "live"
        if emulator.live:  # one market feed, those of deeper books, one of orders
            wait_for(lambda: len(emulator.sockets) == 4, "the feeds")
        resting = engine.call("placeorder", **order(3))
        market = engine.call("placeorder", **order(7, pricetype="MARKET", price=0))
        rows = {row["orderid"]: row["order_status"] for row in book(engine)}
        assert rows == {resting["orderid"]: "open", market["orderid"]: "complete"}
        assert all(sent["correlationId"] for sent in emulator.arrived)
        (position,) = engine.call("positionbook")["data"]
        assert (position["symbol"], int(position["quantity"])) == ("SBIN", 7)
        if emulator.live:
            quote = engine.call("quotes", symbol="SBIN", exchange="NSE")["data"]
            assert float(quote["ltp"]) > 0
            asyncio.run(stream(engine))
        emulator.faults.lose_acks = 1
        status, body = post(engine, order(4))
        assert status != 200 and "unknown" in json.dumps(body).lower()
        wait_for(lambda: len(book(engine)) == 3, "the settled order")
        assert emulator.calls("POST", "/v2/orders") == 3
        engine.call("cancelallorder", strategy="e2e")
        assert {row["order_status"] for row in book(engine)} == {"cancelled", "complete"}
    run_login(dhan, folder, "--logout")
    for secret in (APP_SECRET, token):
        assert secret not in engine.output
        for file in folder.rglob("*.log"):
            assert secret not in file.read_text(errors="replace")
    database = (folder / "openalgo.db").read_bytes()
    assert APP_SECRET.encode() not in database and token.encode() not in database
