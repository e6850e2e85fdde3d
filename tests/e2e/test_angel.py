"""The whole program against Angel One on loopback: log in by code and in the browser, trade,
stream, lose an answer, log out."""

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
from tests.emulators.angel import API_KEY, PIN, TOTP_SECRET, USER, AngelEmulator
from tests.emulators.thread import EmulatorThread
from tests.waiting import wait_for

Angel = EmulatorThread[AngelEmulator]
_SITE = "https://smartapi.angelone.in"
_KEYS = {"api_key": API_KEY, "client_id": USER, "pin": PIN, "totp_secret": TOTP_SECRET}


@pytest.fixture
def angel() -> Iterator[Angel]:
    clock = SystemClock()
    clock.jump(clock.now().replace(hour=10, minute=0))
    with EmulatorThread(lambda: AngelEmulator(clock, rate=100.0)) as running:
        yield running


def options(angel: Angel) -> list[str]:
    """Settings that send the program to the emulator."""
    hosts = angel.emulator.hosts()
    return [*NO_LIMITS, *(f"brokers.angel.hosts.{name}={url}" for name, url in hosts.items())]


def program(angel: Angel, folder: Path) -> Program:
    """The engine with the account, live."""
    now = angel.emulator.clock.now().isoformat()
    arguments = ("--broker", "angel", "--mode", "live", "--clock", now)
    return Program(folder, *arguments, settings=options(angel))


def log_in(angel: Angel, folder: Path, *more: str, **keys: str) -> str:
    """``openalgo-desktop login angel``, with a browser that comes back to the callback."""
    folder.mkdir(parents=True, exist_ok=True)
    sets = [part for setting in options(angel) for part in ("--set", setting)]
    command = [sys.executable, "-m", "openalgo_desktop", "login", "angel", "--stdin", *more]
    command += ["--data-dir", str(folder), "--rest-port", "0"]
    command += ["--clock", angel.emulator.clock.now().isoformat(), *sets]
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
    process.stdin.write(json.dumps(keys))
    process.stdin.close()
    lines: list[str] = []
    killer = threading.Timer(40, process.kill)
    killer.start()
    try:
        for line in process.stdout:
            lines.append(line)
            if line.startswith("Redirect address"):
                angel.emulator.redirect = line.split()[-1]
            if line.startswith(_SITE):
                url = line.strip().replace(_SITE, angel.emulator.url)
                with urllib.request.urlopen(url, timeout=10) as page:
                    assert page.status == 200
        assert process.wait(10) == 0, "".join(lines)
    finally:
        killer.cancel()
    return "".join(lines)


def test_from_the_login_to_the_logout(angel: Angel, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    said = log_in(angel, folder, **_KEYS)
    assert "Logged in" in said and PIN not in said
    with program(angel, folder) as engine:
        assert engine.ready["broker"] == "angel" and engine.ready["mode"] == "live"
        wait_for(lambda: len(angel.emulator.sockets) == 2, "prices and order updates")
        stop = engine.call(
            "placeorder", **order(3, action="SELL", pricetype="SL", trigger_price=501)
        )
        market = engine.call("placeorder", **order(7, pricetype="MARKET", price=0))
        assert [sent["variety"] for sent in angel.emulator.arrived] == ["STOPLOSS", "NORMAL"]
        status = {row["orderid"]: row["order_status"] for row in book(engine)}
        assert status == {stop["orderid"]: "trigger pending", market["orderid"]: "complete"}
        (position,) = engine.call("positionbook")["data"]
        assert (position["symbol"], int(position["quantity"])) == ("SBIN", 7)
        assert float(engine.call("quotes", symbol="SBIN", exchange="NSE")["data"]["ltp"]) > 0
        asyncio.run(stream(engine))
        engine.call("cancelallorder", strategy="e2e")
        assert {row["order_status"] for row in book(engine)} == {"cancelled", "complete"}
        output = engine.output
    log_in(angel, folder, "--logout")
    assert angel.emulator.calls("POST", "/rest/secure/angelbroking/user/v1/logout") == 1
    for secret in (PIN, TOTP_SECRET):
        assert secret not in output
        for file in folder.rglob("*.log"):
            assert secret not in file.read_text(errors="replace")


def test_a_lost_answer_is_settled_after_a_login_in_the_browser(
    angel: Angel, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    log_in(angel, folder, "--login", "browser", api_key=API_KEY)
    with program(angel, folder) as engine:
        angel.emulator.faults.lose_acks = 1
        status, body = post(engine, order(4))
        assert status != 200 and "unknown" in json.dumps(body).lower()
        wait_for(
            lambda: [row["order_status"] for row in book(engine)] == ["open"],
            "the settled order",
        )
        (arrived,) = angel.call(angel.emulator.orders())
        assert [row["orderid"] for row in book(engine)] == [arrived.order_id]
        assert angel.emulator.writes.count(_PLACE) == 1


_PLACE = "/rest/secure/angelbroking/order/v1/placeOrder"
