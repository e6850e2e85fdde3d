"""Each command of the owner as a process of its own, against a running headless engine."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.driver import START_TIMEOUT, Program, command_line, environment, run


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(tmp_path_factory.mktemp("hands") / "data", "--sim-frozen") as running:
        yield running


def ok(program: Program, *arguments: str) -> str:
    code, text = run(program.data_dir, *arguments)
    assert code == 0, text
    return text


def rows(program: Program, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(ok(program, *arguments, "--json"))["rows"]
    return found


def place(program: Program, **fields: Any) -> tuple[int, dict[str, Any]]:
    order = {
        "apikey": program.api_key,
        "strategy": "hands",
        "symbol": "SBIN",
        "exchange": "NSE",
        "action": "BUY",
        "quantity": 1,
        "pricetype": "MARKET",
        "product": "MIS",
    }
    with program.http() as http:
        status, body = http.post("/api/v1/placeorder", order | fields)
    assert isinstance(body, dict)
    return status, body


def test_kill_switch(program: Program) -> None:
    assert place(program)[0] == 200
    assert "accepted" in ok(program, "kill", "status")
    text = ok(program, "kill", "now")
    assert "by cli" in text and "1 positions closed" in text
    status, body = place(program)
    assert status == 403 and "kill switch" in body["message"]
    assert "blocked" in ok(program, "kill", "status")
    assert "accepted again" in ok(program, "kill", "reset")
    assert place(program)[0] == 200


def test_mode(program: Program) -> None:
    assert ok(program, "mode", "get").strip() == "sandbox"
    code, text = run(program.data_dir, "mode", "live")
    assert code == 2 and "--yes" in text
    assert ok(program, "mode", "get").strip() == "sandbox"
    assert "LIVE" in ok(program, "mode", "live", "--yes")
    assert ok(program, "mode", "get").strip() == "live"
    ok(program, "mode", "sandbox")
    assert ok(program, "mode", "get").strip() == "sandbox"


def test_approvals(program: Program) -> None:
    ok(program, "settings", "set", "approvals.sources", "api:*")
    try:
        before = len(program.call("orderbook")["data"]["orders"])
        for _ in range(2):
            assert place(program)[0] == 200
        first, second = rows(program, "approvals", "list")
        assert "orderid" in ok(program, "approvals", "approve", str(first["id"]))
        assert "nothing was sent" in ok(
            program, "approvals", "reject", str(second["id"]), "--reason", "no"
        )
        assert "Nothing waits" in ok(program, "approvals", "list")
        code, text = run(program.data_dir, "approvals", "approve", str(second["id"]))
        assert code == 2 and "decided before" in text
        decided = {row["id"]: row for row in rows(program, "approvals", "list", "--all")}
        assert decided[first["id"]]["by"] == "cli"
        assert decided[second["id"]]["result"] == "no"
        assert len(program.call("orderbook")["data"]["orders"]) == before + 1
    finally:
        ok(program, "settings", "unset", "approvals.sources")


def test_keys(program: Program) -> None:
    (made,) = rows(program, "keys", "create", "reader", "--rights", "read")
    with program.http() as http:
        assert http.post("/api/v1/funds", {"apikey": made["key"]})[0] == 200
    assert {row["name"]: row["rights"] for row in rows(program, "keys", "list")}["reader"] == "read"
    assert made["key"] not in ok(program, "keys", "list")
    code, text = run(program.data_dir, "keys", "create", "reader")
    assert code == 2 and "already" in text
    ok(program, "keys", "revoke", "reader")
    with program.http() as http:
        assert http.post("/api/v1/funds", {"apikey": made["key"]})[0] == 403
    code, text = run(program.data_dir, "keys", "revoke", "reader")
    assert code == 2 and "no such key" in text


def test_webhooks(program: Program) -> None:
    (made,) = rows(
        program,
        *("webhooks", "create", "alerts", "--symbol", "NSE:SBIN:1", "--positional"),
    )
    path = urlsplit(made["address"]).path
    alert = {"symbol": "SBIN", "action": "BUY"}
    with program.http() as http:
        assert http.post(path, alert)[0] == 200
    assert path.rpartition("/")[2] not in ok(program, "webhooks", "list")
    assert path in ok(program, "webhooks", "show", "alerts")
    ok(program, "webhooks", "disable", "alerts")
    with program.http() as http:
        assert http.post(path, alert)[0] != 200
    ok(program, "webhooks", "enable", "alerts")
    with program.http() as http:
        assert http.post(path, alert)[0] == 200
    assert "Answer 200" in ok(program, "webhooks", "test", "alerts")
    came = rows(program, "webhooks", "log", "alerts")
    assert [row["from"] for row in came] == ["test", "127.0.0.1", "127.0.0.1", "127.0.0.1"]
    assert came[2]["result"] == "refused" and "inactive" in came[2]["what became of it"]
    pastes = rows(program, "webhooks", "payload", "alerts")
    assert pastes[1]["body"] == '{"symbol":"SBIN","action":"BUY"}'
    code, text = run(program.data_dir, "webhooks", "log", "alert")
    assert code == 2 and "Did you mean alerts?" in text
    code, text = run(program.data_dir, "webhooks", "delete", "alert", "--yes")
    assert code == 2 and "Did you mean alerts?" in text
    ok(program, "webhooks", "delete", "alerts", "--yes")
    assert "no webhook strategy" in ok(program, "webhooks", "list")


def test_settings(program: Program) -> None:
    (row,) = rows(program, "settings", "list", "limits.smart")
    assert row == {"key": "limits.smart", "value": "100000 per second", "from": "--set"}
    ok(program, "settings", "set", "risk.max_quantity", "1")
    status, body = place(program, quantity=2)
    assert status == 403, body
    (row,) = rows(program, "settings", "list", "risk.max_quantity")
    assert row["from"] == "stored"
    ok(program, "settings", "unset", "risk.max_quantity")
    assert place(program, quantity=2)[0] == 200
    code, text = run(program.data_dir, "settings", "get", "api.rest_prt")
    assert code == 2 and "Did you mean api.rest_port" in text
    code, text = run(program.data_dir, "settings", "set", "api.rest_port", "many")
    assert code == 2 and "api.rest_port" in text


def test_accounts(program: Program) -> None:
    assert rows(program, "accounts", "list")[0]["roles"] == "data + orders"
    assert "needs a login" in ok(program, "accounts", "connect", "zerodha")
    ok(program, "accounts", "use", "zerodha", "--orders")
    by_name = {row["name"]: row["roles"] for row in rows(program, "accounts", "list")}
    assert by_name == {"simulator": "data", "zerodha": "orders"}
    code, text = run(program.data_dir, "accounts", "disconnect", "zerodha")
    assert code == 2 and "choose another account" in text
    ok(program, "accounts", "use", "simulator")
    ok(program, "accounts", "disconnect", "zerodha", "--forget")
    assert [row["name"] for row in rows(program, "accounts", "list")] == ["simulator"]


def test_sandbox(program: Program) -> None:
    assert place(program)[0] == 200
    assert rows(program, "sandbox", "status")[0]["orders"] > 0
    code, text = run(program.data_dir, "sandbox", "reset")
    assert code == 2 and "--yes" in text
    assert "is empty" in ok(program, "sandbox", "reset", "--yes")
    assert program.call("orderbook")["data"]["orders"] == []


def test_engine_and_audit(program: Program) -> None:
    facts = {row["what"]: row["is"] for row in rows(program, "engine", "status")}
    assert facts["process"] == str(program.pid)
    assert facts["rest"] == program.rest_url
    ok(program, "settings", "set", "ui.theme", "light")
    ok(program, "settings", "set", "trading.duplicate_guard_ms", "900")
    trail = ok(program, "audit", "--who", "cli")
    assert "trading.duplicate_guard_ms" in trail
    assert "settings set" in trail


def test_the_door_is_only_for_the_owner(program: Program) -> None:
    path = program.data_dir / "running.json"
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    told = json.loads(path.read_text())
    where = urlsplit(told["control_url"])
    good = {"X-OpenAlgo-Owner": told["control_token"], "Content-Type": "application/json"}

    def knock(method: str = "POST", **changed: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", where.port, timeout=60)
        headers = {k: v for k, v in (good | changed).items() if v}
        connection.request(method, "/owner/kill/status", b"{}", headers)
        return connection.getresponse().status

    assert knock() == 200
    wrong: list[dict[str, str]] = [
        {"X-OpenAlgo-Owner": ""},
        {"X-OpenAlgo-Owner": "0" * 64},
        {"X-OpenAlgo-Owner": program.api_key},
        {"Origin": f"http://127.0.0.1:{where.port}"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Host": f"localhost:{where.port}"},
        {"Host": "evil.example"},
        {"X-Forwarded-For": "10.0.0.1"},
        {"Content-Type": "text/plain"},
    ]
    assert [knock(**headers) for headers in wrong] == [403] * len(wrong)
    assert knock("OPTIONS") == 403
    assert knock("GET") == 403
    with program.http() as other:  # the trading API has no such path, with the token or without
        assert other.post("/owner/kill/status", {"apikey": program.api_key})[0] == 404


def test_without_an_engine(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    code, text = run(folder, "settings", "set", "api.rest_port", "5055")
    assert code == 0, text
    assert run(folder, "settings", "get", "api.rest_port") == (0, "5055\n")
    code, text = run(folder, "keys", "create", "later", "--rights", "read")
    assert code == 0, text
    code, text = run(folder, "kill", "now")
    assert code == 2 and "No program runs" in text
    assert run(folder, "settings", "unset", "api.rest_port")[0] == 0
    assert run(folder, "settings", "get", "api.rest_port") == (0, "5000\n")
    assert "settings set" in run(folder, "audit", "--who", "cli")[1]


def test_a_killed_engine_leaves_no_open_door(tmp_path: Path) -> None:
    program = Program(tmp_path / "data", "--sim-frozen").start()
    program.kill()
    assert (program.data_dir / "running.json").exists()
    code, text = run(program.data_dir, "kill", "status")
    assert code == 2 and "No program runs" in text


def test_quiet_ends(program: Program) -> None:
    process = subprocess.Popen(
        [*command_line("settings"), "list", "--data-dir", str(program.data_dir)],
        env=environment(program.data_dir),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()  # like `| head`: the reader goes away before anything is written
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert process.wait(START_TIMEOUT) == 141
    code, text = run(program.data_dir, "setings", "list")
    assert code == 2 and "Did you mean settings" in text


@pytest.mark.skipif(os.name != "posix", reason="needs a terminal of POSIX")
@pytest.mark.parametrize(("typed", "prompt"), [("", b"API key: "), ("abc\n", b"API secret: ")])
def test_ctrl_c_at_a_prompt_ends_at_once(
    tmp_path: Path, typed: str, prompt: bytes, ctrl_c: None
) -> None:
    import termios

    ours, theirs = os.openpty()
    before = termios.tcgetattr(theirs)
    process = subprocess.Popen(
        [*command_line("login"), "zerodha", "--data-dir", str(tmp_path)],
        env=environment(tmp_path),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,  # no terminal but this one
    )
    os.write(ours, typed.encode())
    shown = b""
    while prompt not in shown:
        shown += os.read(ours, 1024)
    assert bool(termios.tcgetattr(theirs)[3] & termios.ECHO) is not bool(typed)
    process.send_signal(signal.SIGINT)
    assert process.wait(START_TIMEOUT) == 130
    assert termios.tcgetattr(theirs) == before  # what is typed next is seen again
    assert os.get_blocking(theirs)
    os.close(theirs)
    with contextlib.suppress(OSError):  # the terminal is gone: all was read
        while chunk := os.read(ours, 1024):
            shown += chunk
    os.close(ours)
    assert b"Traceback" not in shown
    assert b"stopped" in shown


#: A command that gets Ctrl+C when one of its modules is looked for.
INTERRUPTED_IMPORT = """
import os, signal, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "WANTED":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
from openalgo_desktop.shell.entrance import main
sys.exit(main())
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("command", "module"),
    [
        ("doctor", "openalgo_desktop.core.errors"),
        ("doctor", "ipaddress"),
        ("headless", "msgspec"),
        ("headless", "openalgo_desktop.runtime.terminal"),
        ("gui", "PySide6.QtWidgets"),
        ("call ping", "openalgo_desktop.local_api.endpoints"),
        ("keys list", "openalgo_desktop.storage.keys"),
    ],
)
def test_ctrl_c_while_a_command_is_imported(
    tmp_path: Path, command: str, module: str, ctrl_c: None
) -> None:
    code = INTERRUPTED_IMPORT.replace("WANTED", module)
    done = subprocess.run(
        [sys.executable, "-c", code, *command.split(), "--data-dir", str(tmp_path)],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=START_TIMEOUT,
        check=False,
    )
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "openalgo-desktop: stopped.\n"
